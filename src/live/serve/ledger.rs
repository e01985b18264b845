//! What a served model measures: what its machine observes, added up as in every other world.
//!
//! It sees the server's side only: a connection that was never accepted is in no number.

use crate::metrics::{Recorder, Shape};
use crate::observe::Observation;
use crate::scenario::Scenario;
use crate::time::{Duration, Instant};

/// Adds up what happens.
#[derive(Debug)]
pub(super) struct Ledger {
    recorder: Recorder,
}

/// What was served.
#[derive(Debug)]
pub struct Served {
    /// The numbers, the books not yet closed.
    pub recorder: Recorder,
    /// When it ended.
    pub end: Instant,
}

impl Ledger {
    pub(super) fn new(scenario: &Scenario, length: Duration) -> Self {
        let horizon = Instant::ZERO + length;
        let shape = Shape { populations: scenario.populations.len(), horizon, warmup: Duration::ZERO };
        Self { recorder: Recorder::new(shape) }
    }

    /// The machine observes something.
    pub(super) fn observe(&mut self, now: Instant, observation: &Observation) {
        self.recorder.record(now, observation);
    }

    /// It is over.
    pub(super) fn close(&mut self, end: Instant) -> Served {
        Served { recorder: self.recorder.clone(), end }
    }
}
