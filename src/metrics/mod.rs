//! From observations to numbers.
//!
//! It makes nothing happen and writes no file: a [`Recorder`] adds up, a [`Summary`](summary::Summary) is what is told.

pub mod summary;
mod threshold;

pub use threshold::{Threshold, ThresholdProblem};
