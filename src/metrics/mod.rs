//! From observations to numbers.
//!
//! It makes nothing happen and writes no file: a [`Recorder`] adds up, a [`Summary`](summary::Summary) is what is told.

mod aftermath;
mod bucket;
mod episodes;
mod level;
mod onset;
mod recorder;
mod refusals;
mod series;
pub mod summary;
mod tally;
mod threshold;
mod timing;
mod wilson;
pub mod words;

pub use aftermath::{Aftermath, BASELINE, HELD, LEAST, Storm, Sums, Trouble, aftermaths};
pub use episodes::{Episodes, Stretch};
pub use level::Level;
pub use onset::{Beginning, LEVEL, OnsetWatch, WINDOW};
pub use recorder::{Recorder, Shape};
pub use refusals::{Ended, Kind, RefusalTable};
pub use series::Series;
pub use threshold::{Threshold, ThresholdProblem};
pub use timing::Timing;
pub use wilson::{Z, wilson};

/// Rounds to 9 significant digits, as every fraction in a result is, so that files are short and stable.
pub fn rounded(x: f64) -> f64 {
    format!("{x:.8e}").parse().unwrap_or(x)
}

#[cfg(test)]
mod tests {
    use super::rounded;

    #[test]
    fn nine_digits_are_kept() {
        for (x, expected) in
            [(1.0 / 3.0, "0.333333333"), (123_456_789_012.0, "123456789000"), (0.0, "0"), (2.5, "2.5")]
        {
            assert_eq!(rounded(x).to_string(), expected);
        }
    }
}
