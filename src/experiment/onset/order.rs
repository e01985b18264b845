//! Intervals for a median without any assumption about the distribution, by order statistics.
//!
//! Hahn and Meeker, "Statistical intervals" (1991), section 5.2: of n values in their order, the l-th from below and the l-th from
//! above enclose the median with probability 1 - 2 P(X < l), X binomial with n and one half.

/// The rank from either end (from 1) whose values enclose the median with at least `confidence`, and with how much; `None`: there
/// are too few values.
pub fn rank(n: usize, confidence: f64) -> Option<(usize, f64)> {
    (1..=n / 2).rev().map(|rank| (rank, coverage(n, rank))).find(|(_, covers)| *covers >= confidence)
}

/// The probability that the values of `rank` from either end enclose the median of what `n` independent values come from.
pub fn coverage(n: usize, rank: usize) -> f64 {
    let mut term = 1.0; // n over k, scaled by 2^-n bit by bit below
    let mut below = 0.0;
    for k in 0..rank.min(n + 1) {
        below += term;
        term = term * (n - k) as f64 / (k + 1) as f64;
    }
    let scale = (0..n).fold(1.0, |scale: f64, _| scale / 2.0);
    (1.0 - 2.0 * below * scale).max(0.0)
}

/// The median of sorted values; the mean of the middle two if there is no middle.
pub fn median(sorted: &[f64]) -> Option<f64> {
    let middle = sorted.len() / 2;
    Some(match sorted.len() {
        0 => return None,
        n if n % 2 == 1 => sorted[middle],
        _ => f64::midpoint(sorted[middle - 1], sorted[middle]),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Hahn & Meeker, table A.15a, and by hand: six values, 1 - 2 / 64; twelve, 1 - 2 (1 + 12 + 66) / 4096.
    #[test]
    fn ranks_are_those_of_the_tables() {
        for (n, expected) in
            [(5, None), (6, Some(1)), (8, Some(1)), (9, Some(2)), (12, Some(3)), (20, Some(6)), (25, Some(8))]
        {
            assert_eq!(rank(n, 0.95).map(|(rank, _)| rank), expected, "{n}");
        }
        assert!((coverage(6, 1) - 0.968_75).abs() < 1e-12);
        assert!((coverage(12, 3) - 0.961_425_781_25).abs() < 1e-12);
        assert!(coverage(0, 1).abs() < 1e-12);
    }

    #[test]
    fn the_median_of_few() {
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[3.0]), Some(3.0));
        assert_eq!(median(&[1.0, 2.0, 4.0, 9.0]), Some(3.0));
    }
}
