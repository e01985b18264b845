//! Experiments: what several runs of one scenario say together, and what can be said before any.
//!
//! It draws nothing and writes nothing.

mod advice;
mod aftermath;
mod coverage;
mod explain;
pub mod generator;
pub mod interval;
mod measured;
pub mod onset;
mod pace;
mod replicate;
mod story;
mod study;
mod summarise;
pub mod theory;

pub use advice::{Trial, advise};
pub use explain::{Cost, explain, explain_server};
pub use interval::{Range, estimate, method};
pub use measured::{Load, Measured, Measuring, Refusals};
pub use pace::Pace;
pub use replicate::{Keep, Shelf, go_on, replicate};
pub(crate) use story::nobody_let_in;
pub use study::{Run, Study};
pub use summarise::{summarise, summarise_load, summarise_served};

use hdrhistogram::Histogram;

use crate::metrics::summary::{Summary, TimelineRow};
use crate::observe::Latency;

/// The result of an experiment.
#[derive(Clone, PartialEq, Debug)]
pub struct Outcome {
    /// What `summary.json` says.
    pub summary: Summary,
    /// What `timeline.csv` says: means over replications.
    pub timeline: Vec<TimelineRow>,
    /// What `latency.hlog` says: histograms over all replications, in nanoseconds, in the order of `Latency::ALL`.
    pub histograms: Vec<(Latency, Histogram<u64>)>,
}
