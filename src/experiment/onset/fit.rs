//! The rate at which a share is reached, from counts at several rates: a regression, and its inverse with an interval.
//!
//! The model is quasi-Poisson with a logarithmic link: of n attempts at a rate, on average n exp(a + b x) are refused, where x is
//! the logarithm of the rate; runs of one rate may differ by more than counts do by chance (McCullagh and Nelder, "Generalized linear
//! models", 1989, sections 4.5 and 6.2). The interval of the inverse is Fieller's (Finney, "Statistical method in biological
//! assay", 1978, section 4.3), by Student's t. It draws nothing.

use crate::experiment::interval::t_quantile;

/// One run.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Count {
    /// Its rate, per second.
    pub rate: f64,
    /// Attempts.
    pub tried: f64,
    /// How many of them were refused.
    pub refused: f64,
}

/// Where the fitted share reaches a level.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Crossing {
    /// The rate, per second.
    pub rate: f64,
    /// The lower end of its 95 % interval; `None`: there is no end that way.
    pub low: Option<f64>,
    /// The upper end.
    pub high: Option<f64>,
    /// By how many per cent the share grows for each per cent of rate.
    pub slope: f64,
    /// By how much runs of one rate vary more than by chance: the ratio of variances.
    pub dispersion: f64,
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
    let middle = runs.iter().map(|run| libm::log(run.rate)).sum::<f64>() / runs.len() as f64;
    let x: Vec<f64> = runs.iter().map(|run| libm::log(run.rate) - middle).collect();
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
    let at = |x: f64| libm::exp(middle + x);
    let (low, high) = fit.fieller(target, t_quantile(freedom), dispersion);
    Some(Crossing {
        rate: at((target - fit.a) / fit.b),
        low: low.map(at),
        high: high.map(at),
        slope: fit.b,
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
            let (mut s, mut sx, mut w, mut wx, mut wxx) = (0.0, 0.0, 0.0, 0.0, 0.0);
            for (run, x) in runs.iter().zip(x) {
                let expected = run.tried * libm::exp((a + b * x).clamp(-700.0, 5.0));
                s += run.refused - expected;
                sx += (run.refused - expected) * x;
                w += expected;
                wx += expected * x;
                wxx += expected * x * x;
            }
            let determinant = w * wxx - wx * wx;
            if determinant.is_nan() || determinant <= 1e-12 * w * wxx || b.abs() > STEEPEST {
                return None;
            }
            let da = ((wxx * s - wx * sx) / determinant).clamp(-2.0, 2.0);
            let db = ((w * sx - wx * s) / determinant).clamp(-20.0, 20.0);
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

    /// The share at `rate`, if it is `level` at `at` and grows by `slope`.
    fn share(level: f64, at: f64, slope: f64, rate: f64) -> f64 {
        level * libm::pow(rate / at, slope)
    }

    #[test]
    fn an_exact_power_law_is_found_again() {
        let runs: Vec<Count> = [0.8, 0.9, 1.0, 1.1, 1.25]
            .iter()
            .map(|rate| Count { rate: *rate, tried: 1e6, refused: 1e6 * share(0.01, 1.05, 4.0, *rate) })
            .collect();
        let found = crossing(&runs, 0.01).unwrap();
        assert!((found.rate - 1.05).abs() < 1e-9 && (found.slope - 4.0).abs() < 1e-6, "{found:?}");
        assert!(found.low.unwrap() < 1.05 && found.high.unwrap() > 1.05 && found.high.unwrap() < 1.06);
        assert!((found.dispersion - 1.0).abs() < 1e-12);
    }

    #[test]
    fn what_shows_nothing_gives_nothing() {
        let run = |rate, refused| Count { rate, tried: 100.0, refused };
        assert_eq!(crossing(&[], 0.01), None);
        assert_eq!(crossing(&[run(1.0, 0.0); 9], 0.01), None);
        assert_eq!(crossing(&[run(1.0, 5.0); 9], 0.01), None, "one rate has no slope");
        let falling: Vec<Count> = (1..9).map(|i| run(f64::from(i), 40.0 / f64::from(i))).collect();
        assert_eq!(crossing(&falling, 0.01), None);
        // Only the highest rate is refused anything: as steep as one likes.
        let step: Vec<Count> = (1..9).map(|i| run(f64::from(i), if i == 8 { 3.0 } else { 0.0 })).collect();
        let found = crossing(&step, 0.01);
        assert!(found.is_none_or(|c| c.rate.is_finite()), "{found:?}");
    }
}
