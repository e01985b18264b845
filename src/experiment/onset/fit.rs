//! The rate at which a share is reached, from counts at several rates: a regression, and its inverse with an interval.
//!
//! The model is quasi-Poisson with a logarithmic link: of n attempts at a rate, on average n exp(a + b x) are refused, where x is
//! the logarithm of what a theory expects at that rate; runs of one rate may differ by more than counts do by chance (`McCullagh`
//! and Nelder, "Generalized linear models", 1989, sections 4.5 and 6.2). A server that is as theory has it has a = 0 and b = 1; no other
//! needs to. The interval of the inverse is Fieller's (Finney, "Statistical method in biological assay", 1978, section 4.3), by
//! Student's t. It draws nothing.

use crate::experiment::interval::t_quantile;

/// One run.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Count {
    /// Its rate, per second.
    pub rate: f64,
    /// The logarithm of the share that theory expects at this rate.
    pub expected: f64,
    /// Attempts.
    pub tried: f64,
    /// How many of them were refused.
    pub refused: f64,
}

/// Where the fitted share reaches a level: logarithms of what theory expects there.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Crossing {
    /// The estimate.
    pub at: f64,
    /// The lower end of its 95 % interval; `None`: there is no end that way.
    pub low: Option<f64>,
    /// The upper end.
    pub high: Option<f64>,
    /// By how many per cent the share grows for each per cent that theory expects.
    pub exponent: f64,
    /// By how much runs of one rate vary more than by chance: the ratio of variances.
    pub dispersion: f64,
}

/// The same where theory's shape is taken for granted: b is 1, and only a is looked for. It is for runs that are too few or too
/// noisy to show a slope of their own.
pub fn crossing_as_theory(runs: &[Count], level: f64) -> Option<Crossing> {
    let refused: f64 = runs.iter().map(|run| run.refused).sum();
    let expected = |run: &Count| run.tried * libm::exp(run.expected);
    let all: f64 = runs.iter().map(expected).sum();
    if runs.len() < 4 || refused < 1.0 || level <= 0.0 || all <= 0.0 {
        return None;
    }
    let a = libm::log(refused / all);
    let pearson: f64 = runs
        .iter()
        .map(|run| (run.refused - expected(run) * refused / all, expected(run) * refused / all))
        .map(|(off, fitted)| if fitted > 0.0 { off * off / fitted } else { 0.0 })
        .sum();
    let freedom = runs.len() - 1;
    let dispersion = (pearson / freedom as f64).max(1.0);
    let half = t_quantile(freedom) * (dispersion / refused).sqrt();
    let at = libm::log(level) - a;
    Some(Crossing { at, low: Some(at - half), high: Some(at + half), exponent: 1.0, dispersion })
}

/// No share grows by more than this.
const STEEPEST: f64 = 500.0;

/// Where the share of `runs` reaches `level`; `None`: they do not show it.
pub fn crossing(runs: &[Count], level: f64) -> Option<Crossing> {
    let refused: f64 = runs.iter().map(|run| run.refused).sum();
    if runs.len() < 4 || refused < 1.0 || level <= 0.0 {
        return None;
    }
    // Around the middle, so that a and b hang together as little as possible.
    let middle = runs.iter().map(|run| run.expected).sum::<f64>() / runs.len() as f64;
    let x: Vec<f64> = runs.iter().map(|run| run.expected - middle).collect();
    let fit = Fit::of(runs, &x)?;
    if fit.b <= 0.0 || fit.b > STEEPEST {
        return None; // more load that refuses fewer is noise
    }
    let freedom = runs.len() - 2;
    let pearson: f64 = runs
        .iter()
        .zip(&x)
        .map(|(run, x)| {
            let expected = run.tried * libm::exp(fit.a + fit.b * x);
            if expected > 0.0 { (run.refused - expected) * (run.refused - expected) / expected } else { 0.0 }
        })
        .sum();
    let dispersion = (pearson / freedom as f64).max(1.0);
    let target = libm::log(level);
    let at = |x: f64| middle + x;
    let (low, high) = fit.fieller(target, t_quantile(freedom), dispersion);
    Some(Crossing {
        at: at((target - fit.a) / fit.b),
        low: low.map(at),
        high: high.map(at),
        exponent: fit.b,
        dispersion,
    })
}

/// Intercept, slope, and the inverse of the information about them.
struct Fit {
    a: f64,
    b: f64,
    aa: f64,
    ab: f64,
    bb: f64,
}

impl Fit {
    /// By Fisher's scoring, which for this link is Newton's method; with its steps cut where they would run away.
    fn of(runs: &[Count], x: &[f64]) -> Option<Self> {
        let tried: f64 = runs.iter().map(|run| run.tried).sum();
        let refused: f64 = runs.iter().map(|run| run.refused).sum();
        let (mut a, mut b) = (libm::log(refused / tried), 0.0);
        for _ in 0..100 {
            let (mut off, mut off_x, mut w, mut wx, mut wxx) = (0.0, 0.0, 0.0, 0.0, 0.0);
            for (run, x) in runs.iter().zip(x) {
                let expected = run.tried * libm::exp((a + b * x).clamp(-700.0, 5.0));
                off += run.refused - expected;
                off_x += (run.refused - expected) * x;
                w += expected;
                wx += expected * x;
                wxx += expected * x * x;
            }
            let determinant = w * wxx - wx * wx;
            if determinant.is_nan() || determinant <= 1e-12 * w * wxx || b.abs() > STEEPEST {
                return None;
            }
            let da = ((wxx * off - wx * off_x) / determinant).clamp(-2.0, 2.0);
            let db = ((w * off_x - wx * off) / determinant).clamp(-20.0, 20.0);
            (a, b) = (a + da, b + db);
            if da.abs() < 1e-10 && db.abs() < 1e-9 {
                return Some(Self {
                    a,
                    b,
                    aa: wxx / determinant,
                    ab: -wx / determinant,
                    bb: w / determinant,
                });
            }
        }
        None
    }

    /// All x for which a + b x may be `target`: (a + b x - target)^2 <= t^2 Var(a + b x). Its ends, where it has some.
    fn fieller(&self, target: f64, t: f64, dispersion: f64) -> (Option<f64>, Option<f64>) {
        let c = t * t * dispersion;
        let offset = self.a - target;
        let square = self.b * self.b - c * self.bb;
        let linear = self.b * offset - c * self.ab;
        let rest = offset * offset - c * self.aa;
        let root = (linear * linear - square * rest).max(0.0).sqrt();
        if square <= 0.0 {
            // The slope itself may be none: one end, if any, is nowhere.
            return (None, None);
        }
        (Some((-linear - root) / square), Some((-linear + root) / square))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(x: f64, tried: f64, refused: f64) -> Count {
        Count { rate: libm::exp(x), expected: x, tried, refused }
    }

    #[test]
    fn an_exact_power_law_is_found_again() {
        let runs: Vec<Count> = [0.8, 0.9, 1.0, 1.1, 1.25]
            .map(libm::log)
            .map(|x| run(x, 1e6, 1e4 * libm::exp(4.0 * (x - 0.05))))
            .into();
        let found = crossing(&runs, 0.01).unwrap();
        assert!((found.at - 0.05).abs() < 1e-9 && (found.exponent - 4.0).abs() < 1e-6, "{found:?}");
        assert!(found.low.unwrap() < 0.05 && found.high.unwrap() > 0.05 && found.high.unwrap() < 0.06);
        assert!((found.dispersion - 1.0).abs() < 1e-12);
    }

    #[test]
    fn what_shows_nothing_gives_nothing() {
        let run = |x, refused| run(x, 100.0, refused);
        assert_eq!(crossing(&[], 0.01), None);
        assert_eq!(crossing(&[run(1.0, 0.0); 9], 0.01), None);
        assert_eq!(crossing(&[run(1.0, 5.0); 9], 0.01), None, "one rate has no slope");
        let falling: Vec<Count> = (1..9).map(|i| run(f64::from(i), 40.0 / f64::from(i))).collect();
        assert_eq!(crossing(&falling, 0.01), None);
        // Only the highest rate is refused anything: as steep as one likes.
        let step: Vec<Count> = (1..9).map(|i| run(f64::from(i), if i == 8 { 3.0 } else { 0.0 })).collect();
        let found = crossing(&step, 0.01);
        assert!(found.is_none_or(|c| c.at.is_finite()), "{found:?}");
    }

    /// 30 refused where theory expects 60 at these rates: the level is where theory expects twice as much.
    #[test]
    fn with_theorys_shape_one_number_is_looked_for() {
        let runs = [10.0, 5.0, 9.0, 6.0].map(|refused| run(libm::log(0.015), 1_000.0, refused));
        let found = crossing_as_theory(&runs, 0.01).unwrap();
        assert!((found.at - libm::log(0.02)).abs() < 1e-12, "{found:?}");
        assert!(found.low.unwrap() < found.at && found.at < found.high.unwrap());
        assert_eq!(crossing_as_theory(&runs[..3], 0.01), None);
    }
}
