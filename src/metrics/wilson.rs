//! The Wilson score interval for a share.
//!
//! It is for one sequence of trials; intervals over replications are made in `experiment`.

/// The 97.5 % quantile of the standard normal distribution.
pub const Z: f64 = 1.959_963_984_540_054;

/// The two-sided 95 % score interval for a share `p` that was seen in `n` trials (Wilson, "Probable inference, the law of
/// succession, and statistical inference", JASA 22, 1927); all of [0, 1] without trials.
pub fn wilson(p: f64, n: f64) -> (f64, f64) {
    if n <= 0.0 {
        return (0.0, 1.0);
    }
    let scale = 1.0 + Z * Z / n;
    let centre = (p + Z * Z / (2.0 * n)) / scale;
    let half = Z * ((p * (1.0 - p)).max(0.0) / n + Z * Z / (4.0 * n * n)).sqrt() / scale;
    ((centre - half).max(0.0), (centre + half).min(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Newcombe (1998), table I: the score method without continuity correction.
    #[test]
    fn published_values() {
        for (hits, trials, low, high) in [
            (81.0, 263.0, 0.2553, 0.3662),
            (15.0, 148.0, 0.0624, 0.1605),
            (0.0, 20.0, 0.0, 0.1611),
            (1.0, 29.0, 0.0061, 0.1718),
        ] {
            let interval = wilson(hits / trials, trials);
            assert!(
                (interval.0 - low).abs() < 5e-5 && (interval.1 - high).abs() < 5e-5,
                "{hits}/{trials}: {interval:?}"
            );
        }
        assert_eq!(wilson(f64::NAN, 0.0), (0.0, 1.0));
    }
}
