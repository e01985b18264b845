//! Experiments: what several runs of one scenario say together.
//!
//! It simulates nothing and draws nothing: runs come in as [`Finished`], and an [`Outcome`] goes out.

mod interval;
mod story;
mod summarise;

pub use interval::{Range, estimate, method};
pub use summarise::summarise;

use hdrhistogram::Histogram;

use crate::metrics::Recorder;
use crate::metrics::summary::{Summary, TimelineRow};
use crate::observe::Latency;

/// A replication that came to its end.
#[derive(Clone, Debug)]
pub struct Finished {
    /// What was recorded.
    pub recorder: Recorder,
    /// The digest of every input and action of its machines.
    pub digest: u128,
}

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
