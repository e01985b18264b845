//! The Wilson score interval for a share.
//!
//! It is for one sequence of trials; intervals over replications are made in `experiment`.

/// The 97.5 % quantile of the standard normal distribution.
pub const Z: f64 = 1.959_963_984_540_054;

/// The lower end of the two-sided 95 % score interval for a share of which `hits` of `trials` were seen (Wilson, "Probable
/// inference, the law of succession, and statistical inference", JASA 22, 1927); 0 without trials.
pub fn wilson_lower(hits: u64, trials: u64) -> f64 {
    if trials == 0 {
        return 0.0;
    }
    let n = trials as f64;
    let p = hits as f64 / n;
    let centre = p + Z * Z / (2.0 * n);
    let spread = Z * (p * (1.0 - p) / n + Z * Z / (4.0 * n * n)).sqrt();
    ((centre - spread) / (1.0 + Z * Z / n)).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Newcombe (1998), table I: the score method without continuity correction.
    #[test]
    fn published_values() {
        for (hits, trials, lower) in
            [(81, 263, 0.2553), (15, 148, 0.0624), (0, 20, 0.0), (1, 29, 0.0061), (29, 29, 0.8830)]
        {
            assert!(
                (wilson_lower(hits, trials) - lower).abs() < 5e-5,
                "{hits}/{trials}: {}",
                wilson_lower(hits, trials)
            );
        }
        assert!(wilson_lower(0, 0).abs() < 1e-12);
    }
}
