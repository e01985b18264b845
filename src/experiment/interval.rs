//! Confidence intervals over independent replications.
//!
//! It uses `+ - * /` and the square root only, so that every machine gives the same bytes.

use crate::metrics::summary::Estimate;
use crate::metrics::{Z, rounded};

/// The 97.5 % quantiles of Student's t with 1 to 30 degrees of freedom (Abramowitz & Stegun, table 26.10).
const T: [f64; 30] = [
    12.706_205, 4.302_653, 3.182_446, 2.776_445, 2.570_582, 2.446_912, 2.364_624, 2.306_004, 2.262_157,
    2.228_139, 2.200_985, 2.178_813, 2.160_369, 2.144_787, 2.131_450, 2.119_905, 2.109_816, 2.100_922,
    2.093_024, 2.085_963, 2.079_614, 2.073_873, 2.068_658, 2.063_899, 2.059_539, 2.055_529, 2.051_831,
    2.048_407, 2.045_230, 2.042_272,
];

/// Where a quantity can lie: an interval goes no further.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Range {
    /// From 0 to 1.
    Probability,
    /// From 0 on.
    Positive,
}

/// How the intervals over `replications` runs are made, in words.
pub fn method(replications: usize) -> String {
    if replications < 2 {
        return "one replication: no interval".to_owned();
    }
    format!(
        "Student t over {replications} independent replications, two-sided 95 % (Law & Kelton, section 9.4.1), clipped \
         to what is possible"
    )
}

/// The mean of `values` and its two-sided 95 % interval: mean +- t(n - 1; 0.975) s / sqrt(n) (Law & Kelton, "Simulation
/// modeling and analysis", section 9.4.1). A replication without a value is left out.
pub fn estimate(values: impl IntoIterator<Item = Option<f64>>, range: Range) -> Estimate {
    let values: Vec<f64> = values.into_iter().flatten().collect();
    if values.is_empty() {
        return Estimate::default();
    }
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    if values.len() == 1 {
        return Estimate { mean: Some(rounded(mean)), low: None, high: None };
    }
    let variance = values.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / (n - 1.0);
    let half_width = t_quantile(values.len() - 1) * (variance / n).sqrt();
    let most = if range == Range::Probability { 1.0 } else { f64::INFINITY };
    Estimate {
        mean: Some(rounded(mean)),
        low: Some(rounded((mean - half_width).max(0.0))),
        high: Some(rounded((mean + half_width).min(most))),
    }
}

/// The 97.5 % quantile of Student's t with `freedom` degrees of freedom, at least 1: from the table, and beyond it by the
/// Cornish-Fisher expansion (Abramowitz & Stegun, 26.7.5).
pub(super) fn t_quantile(freedom: usize) -> f64 {
    if let Some(t) = T.get(freedom.max(1) - 1) {
        return *t;
    }
    let v = freedom as f64;
    let x = Z * Z;
    let g1 = Z * (x + 1.0) / 4.0;
    let g2 = Z * ((5.0 * x + 16.0) * x + 3.0) / 96.0;
    let g3 = Z * (((3.0 * x + 19.0) * x + 17.0) * x - 15.0) / 384.0;
    let g4 = Z * ((((79.0 * x + 776.0) * x + 1_482.0) * x - 1_920.0) * x - 945.0) / 92_160.0;
    Z + (g1 + (g2 + (g3 + g4 / v) / v) / v) / v
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dist::Dist;
    use crate::rng::{Purpose, Streams};

    #[test]
    fn t_is_as_tabled_and_goes_on_smoothly() {
        for (freedom, t) in [
            (1, 12.706_205),
            (9, 2.262_157),
            (30, 2.042_272),
            (31, 2.039_513),
            (60, 2.000_298),
            (120, 1.979_930),
        ] {
            assert!((t_quantile(freedom) - t).abs() < 2e-6, "{freedom}: {}", t_quantile(freedom));
        }
        assert!((t_quantile(1_000_000) - Z).abs() < 1e-5);
    }

    /// Worked by hand: mean 3, s^2 = 2.5, n = 5, so the half-width is t(4) sqrt(0.5) = 2.776445 x 0.70710678.
    #[test]
    fn a_worked_example() {
        let got = estimate([1.0, 2.0, 3.0, 4.0, 5.0].map(Some), Range::Positive);
        assert_eq!((got.mean, got.low, got.high), (Some(3.0), Some(1.036_756_91), Some(4.963_243_09)));
    }

    #[test]
    fn few_replications_and_impossible_ends() {
        assert_eq!(estimate([], Range::Positive), Estimate::default());
        assert_eq!(estimate([None, None], Range::Positive), Estimate::default());
        let one = estimate([Some(0.5), None], Range::Positive);
        assert_eq!((one.mean, one.low, one.high), (Some(0.5), None, None));
        let wild = estimate([Some(0.0), Some(1.0)], Range::Probability);
        assert_eq!((wild.mean, wild.low, wild.high), (Some(0.5), Some(0.0), Some(1.0)));
    }

    /// The interval of five normal-like means covers the truth in about 95 of 100 experiments.
    #[test]
    fn intervals_cover_the_truth_as_often_as_they_say() {
        let stream = Streams::new(11, 0).stream(Purpose::Think, 0);
        let sum = |i: u64| {
            (0..12).map(|j| Dist::Uniform { low: 0, high: 1_000 }.sample(stream.word(i, j)) as f64).sum()
        };
        let covers = |experiment: u64| {
            let got = estimate((0..5).map(|r| Some(sum(experiment * 5 + r))), Range::Positive);
            got.low.is_some_and(|low| low <= 6_000.0) && got.high.is_some_and(|high| high >= 6_000.0)
        };
        let hits = (0..4_000).filter(|e| covers(*e)).count();
        assert!((3_740..3_860).contains(&hits), "{hits} of 4000");
    }
}
