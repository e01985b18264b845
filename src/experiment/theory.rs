//! Teletraffic theory: what the model must agree with where theory has an answer.
//!
//! It looks at no scenario and no result: loads in, probabilities out.

/// Erlang's loss formula B(c, a): the probability that a Poisson arrival finds all `limit` places taken, at an offered load of
/// `erlangs`, when the refused go away. It holds for any distribution of the holding time with that mean (insensitivity).
///
/// By the recursion B(0) = 1, B(n) = a B(n-1) / (n + a B(n-1)) (Cooper, "Introduction to Queueing Theory", 1981, section
/// 3.3), which neither overflows nor cancels. No load loses nothing; a load that is no number loses all.
pub fn erlang_b(limit: u32, erlangs: f64) -> f64 {
    if erlangs <= 0.0 {
        return if limit == 0 { 1.0 } else { 0.0 };
    }
    if !erlangs.is_finite() {
        return 1.0;
    }
    let mut blocking = 1.0;
    for n in 1..=limit {
        blocking = erlangs * blocking / (f64::from(n) + erlangs * blocking);
        if blocking == 0.0 {
            break; // it only falls from here
        }
    }
    blocking
}

/// The load in erlangs at which `limit` places refuse the share `blocking`, by bisection: B grows with the load. Zero for a
/// limit of zero or a share of zero or less; infinite for a share of one or more.
pub fn erlangs_for(limit: u32, blocking: f64) -> f64 {
    if limit == 0 || blocking <= 0.0 || blocking.is_nan() {
        return 0.0;
    }
    if blocking >= 1.0 {
        return f64::INFINITY;
    }
    // B(c, a) >= 1 - c / a: at a = c / (1 - b) at least b are refused.
    let (mut low, mut high) = (0.0, f64::from(limit) / (1.0 - blocking));
    while high - low > 1e-9 * high {
        let middle = f64::midpoint(low, high);
        if middle <= low || middle >= high {
            break;
        }
        if erlang_b(limit, middle) < blocking {
            low = middle;
        } else {
            high = middle;
        }
    }
    f64::midpoint(low, high)
}

/// The smallest limit that refuses at most the share `blocking` of a load of `erlangs`, or `None` if none below 10 million
/// does.
pub fn limit_for(erlangs: f64, blocking: f64) -> Option<u32> {
    const MOST: u32 = 10_000_000;
    if erlangs <= 0.0 {
        return Some(u32::from(blocking < 1.0));
    }
    if !erlangs.is_finite() || blocking.is_nan() {
        return None;
    }
    let mut now = 1.0;
    for limit in 0..=MOST {
        if limit > 0 {
            now = erlangs * now / (f64::from(limit) + erlangs * now);
        }
        if now <= blocking {
            return Some(limit);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Known values: B(1, a) = a / (1 + a); the others are those of the usual tables (Cooper, appendix).
    #[test]
    fn the_loss_formula_gives_the_tables_values() {
        for (limit, erlangs, blocking) in [
            (1, 1.0, 0.5),
            (2, 1.0, 0.2),
            (10, 9.0, 0.167_963_2),
            (10, 4.461_2, 0.01),
            (100, 84.064, 0.01),
            (0, 3.0, 1.0),
            (5, 0.0, 0.0),
        ] {
            assert!(
                (erlang_b(limit, erlangs) - blocking).abs() < 1e-5,
                "B({limit}, {erlangs}) = {}",
                erlang_b(limit, erlangs)
            );
        }
    }

    #[test]
    fn its_inverses_invert_it() {
        for limit in [1, 2, 10, 100, 1_000] {
            for blocking in [0.001, 0.01, 0.1, 0.5] {
                let load = erlangs_for(limit, blocking);
                assert!((erlang_b(limit, load) - blocking).abs() < 1e-7, "{limit} {blocking} {load}");
                assert_eq!(limit_for(load * 0.999_999, blocking), Some(limit));
            }
        }
    }

    #[test]
    fn the_edges_are_defined() {
        assert!((erlang_b(5, f64::INFINITY) - 1.0).abs() < 1e-12);
        assert!((erlang_b(5, f64::NAN) - 1.0).abs() < 1e-12);
        assert!(erlang_b(1_000_000, 3.0).abs() < 1e-12);
        assert!(erlangs_for(0, 0.5).abs() < 1e-12 && erlangs_for(5, 0.0).abs() < 1e-12);
        assert_eq!(limit_for(f64::INFINITY, 0.1), None);
        assert_eq!(limit_for(3.0, 1.0), Some(0));
    }
}
