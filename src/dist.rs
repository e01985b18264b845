//! Distributions of times (nanoseconds) and sizes (bytes): one random word in, one whole number out.
//!
//! Every variate is an inverse transform of one word, with `libm` for the logarithms, so that the same word gives the
//! same number on every machine. No distribution keeps state, and none rejects.

use crate::rng::unit;

/// A distribution over whole numbers: nanoseconds or bytes, whichever its user means.
#[derive(Clone, PartialEq, Debug)]
pub enum Dist {
    /// Always this.
    Constant(u64),
    /// Every number from `low` to `high`, both included, alike.
    Uniform {
        /// The least value.
        low: u64,
        /// The greatest value.
        high: u64,
    },
    /// Memoryless, with this mean.
    Exponential {
        /// The mean.
        mean: f64,
    },
    /// exp(N(mu, sigma^2)).
    Lognormal {
        /// The mean of the logarithm.
        mu: f64,
        /// The standard deviation of the logarithm.
        sigma: f64,
    },
    /// Pareto type I: P(X > x) = (scale / x)^shape for x >= scale.
    Pareto {
        /// The least value.
        scale: f64,
        /// The tail index; the mean is infinite at 1 and below.
        shape: f64,
    },
    /// P(X > x) = exp(-(x / scale)^shape).
    Weibull {
        /// The scale.
        scale: f64,
        /// The shape: below 1 a heavy tail, 1 exponential.
        shape: f64,
    },
    /// Each of the listed values alike.
    Empirical(Box<[u64]>),
}

impl Dist {
    /// The lognormal distribution with this mean and this coefficient of variation (standard deviation / mean).
    pub fn lognormal(mean: f64, cv: f64) -> Self {
        let variance = libm::log1p(cv * cv);
        Self::Lognormal { mu: libm::log(mean) - variance / 2.0, sigma: variance.sqrt() }
    }

    /// The Pareto distribution with this mean and this tail index above 1.
    pub fn pareto(mean: f64, shape: f64) -> Self {
        Self::Pareto { scale: mean * (shape - 1.0) / shape, shape }
    }

    /// The Weibull distribution with this mean and this shape.
    pub fn weibull(mean: f64, shape: f64) -> Self {
        Self::Weibull { scale: mean / libm::tgamma(1.0 + 1.0 / shape), shape }
    }

    /// The value that belongs to a uniform random `word`.
    pub fn sample(&self, word: u64) -> u64 {
        match self {
            Self::Constant(value) => *value,
            Self::Uniform { low, high } => {
                let span = u128::from(high - low) + 1;
                low + ((u128::from(word) * span) >> 64) as u64
            }
            Self::Exponential { mean } => whole(-mean * libm::log(unit(word))),
            Self::Lognormal { mu, sigma } => whole(libm::exp(mu + sigma * normal_quantile(unit(word)))),
            Self::Pareto { scale, shape } => whole(scale * libm::pow(unit(word), -1.0 / shape)),
            Self::Weibull { scale, shape } => whole(scale * libm::pow(-libm::log(unit(word)), 1.0 / shape)),
            Self::Empirical(values) => {
                values[((u128::from(word) * values.len() as u128) >> 64) as usize] // the product is below the length
            }
        }
    }

    /// The mean, in the same unit. Infinite for a Pareto tail index of 1 and below.
    pub fn mean(&self) -> f64 {
        match self {
            Self::Constant(value) => *value as f64,
            Self::Uniform { low, high } => f64::midpoint(*low as f64, *high as f64),
            Self::Exponential { mean } => *mean,
            Self::Lognormal { mu, sigma } => libm::exp(mu + sigma * sigma / 2.0),
            Self::Pareto { shape, .. } if *shape <= 1.0 => f64::INFINITY,
            Self::Pareto { scale, shape } => scale * shape / (shape - 1.0),
            Self::Weibull { scale, shape } => scale * libm::tgamma(1.0 + 1.0 / shape),
            Self::Empirical(values) => values.iter().map(|v| *v as f64).sum::<f64>() / values.len() as f64,
        }
    }
}

/// Rounds to a whole number; `as` saturates at both ends.
fn whole(x: f64) -> u64 {
    x.round() as u64
}

/// The p-quantile of the standard normal distribution, for p strictly inside (0, 1): algorithm AS 241, routine PPND16
/// (Wichura, Applied Statistics 37, 1988), accurate to about one part in 10^16.
#[expect(clippy::excessive_precision, reason = "the coefficients stand as they were published")]
pub fn normal_quantile(p: f64) -> f64 {
    const CENTRE: [[f64; 8]; 2] = [
        [
            2.509_080_928_730_122_672_7e3,
            3.343_057_558_358_812_810_5e4,
            6.726_577_092_700_870_085_3e4,
            4.592_195_393_154_987_145_7e4,
            1.373_169_376_550_946_112_5e4,
            1.971_590_950_306_551_442_7e3,
            1.331_416_678_917_843_774_5e2,
            3.387_132_872_796_366_608_0,
        ],
        [
            5.226_495_278_852_854_561_0e3,
            2.872_908_573_572_194_267_4e4,
            3.930_789_580_009_271_061_0e4,
            2.121_379_430_158_659_586_7e4,
            5.394_196_021_424_751_107_7e3,
            6.871_870_074_920_579_083_0e2,
            4.231_333_070_160_091_125_2e1,
            1.0,
        ],
    ];
    const SHOULDER: [[f64; 8]; 2] = [
        [
            7.745_450_142_783_414_076_4e-4,
            2.272_384_498_926_918_458_7e-2,
            2.417_807_251_774_506_117_7e-1,
            1.270_458_252_452_368_382_58,
            3.647_848_324_763_204_605_04,
            5.769_497_221_460_691_405_5,
            4.630_337_846_156_545_295_9,
            1.423_437_110_749_683_577_34,
        ],
        [
            1.050_750_071_644_416_843_24e-9,
            5.475_938_084_995_344_946e-4,
            1.519_866_656_361_645_719_66e-2,
            1.481_039_764_274_800_745_9e-1,
            6.897_673_349_851_000_045_5e-1,
            1.676_384_830_183_803_849_4,
            2.053_191_626_637_758_821_87,
            1.0,
        ],
    ];
    const TAIL: [[f64; 8]; 2] = [
        [
            2.010_334_399_292_288_132_65e-7,
            2.711_555_568_743_487_578_15e-5,
            1.242_660_947_388_078_438_6e-3,
            2.653_218_952_657_612_309_3e-2,
            2.965_605_718_285_048_912_3e-1,
            1.784_826_539_917_291_335_8,
            5.463_784_911_164_114_369_9,
            6.657_904_643_501_103_777_2,
        ],
        [
            2.044_263_103_389_939_785_64e-15,
            1.421_511_758_316_445_888_7e-7,
            1.846_318_317_510_054_681_8e-5,
            7.868_691_311_456_132_591e-4,
            1.487_536_129_085_061_485_25e-2,
            1.369_298_809_227_358_053_1e-1,
            5.998_322_065_558_879_376_9e-1,
            1.0,
        ],
    ];
    let ratio = |table: &[[f64; 8]; 2], x: f64| {
        let poly = |c: &[f64; 8]| c.iter().fold(0.0, |sum, a| sum * x + a);
        poly(&table[0]) / poly(&table[1])
    };
    let q = p - 0.5;
    if q.abs() <= 0.425 {
        return q * ratio(&CENTRE, 0.180_625 - q * q);
    }
    let r = (-libm::log(if q < 0.0 { p } else { 1.0 - p })).sqrt();
    let z = if r <= 5.0 { ratio(&SHOULDER, r - 1.6) } else { ratio(&TAIL, r - 5.0) };
    if q < 0.0 { -z } else { z }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Purpose, Streams};

    /// Values from R's `qnorm`, to 12 digits.
    #[test]
    fn normal_quantiles_match_the_tables() {
        for (p, z) in [
            (0.5, 0.0),
            (0.975, 1.959_963_984_540),
            (0.025, -1.959_963_984_540),
            (0.9, 1.281_551_565_545),
            (1e-10, -6.361_340_902_404),
            (0.999_999, 4.753_424_308_823),
        ] {
            assert!((normal_quantile(p) - z).abs() < 1e-10, "{p}: {} {z}", normal_quantile(p));
        }
    }

    /// The sample mean of a million draws lies within four standard errors of the stated mean.
    #[test]
    fn means_are_as_stated() {
        let stream = Streams::new(7, 0).stream(Purpose::Think, 0);
        for dist in [
            Dist::Constant(5_000),
            Dist::Uniform { low: 1_000, high: 9_000 },
            Dist::Exponential { mean: 1e9 },
            Dist::lognormal(1e9, 1.5),
            Dist::pareto(1e9, 2.5),
            Dist::weibull(1e9, 0.7),
            Dist::Empirical(vec![1_000_000, 2_000_000, 90_000_000].into()),
        ] {
            let n = 200_000_u32;
            let draws: Vec<f64> = (0..n).map(|i| dist.sample(stream.word(0, u64::from(i))) as f64).collect();
            let mean = draws.iter().sum::<f64>() / f64::from(n);
            let variance = draws.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / f64::from(n - 1);
            let error = (variance / f64::from(n)).sqrt();
            assert!((mean - dist.mean()).abs() <= 4.0 * error + 0.5, "{dist:?}: {mean} not {}", dist.mean());
        }
    }

    #[test]
    fn uniform_reaches_both_ends() {
        let dist = Dist::Uniform { low: 3, high: 5 };
        assert_eq!(dist.sample(0), 3);
        assert_eq!(dist.sample(u64::MAX), 5);
        assert_eq!(Dist::Uniform { low: 0, high: u64::MAX }.sample(u64::MAX), u64::MAX);
    }
}
