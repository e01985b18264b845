//! What one run estimates: ratios of its counts, without what began before the warm-up was over.
//!
//! It makes no interval: that takes several runs, and `experiment`.

use super::Recorder;
use crate::time::{Duration, Instant};

impl Recorder {
    /// First attempts turned away, of all first attempts that came to an end or to a login. `None` without any.
    pub fn refused_first(&self) -> Option<f64> {
        share(self.warm().first_refused, self.warm().first_ended)
    }

    /// Attempts turned away, of all attempts that came to an end or to a login. `None` without any.
    pub fn refused_attempt(&self) -> Option<f64> {
        share(self.warm().refused, self.warm().ended)
    }

    /// Wanted sessions never served, of all. `None` without any.
    pub fn unserved(&self) -> Option<f64> {
        share(self.warm().unserved, self.warm().settled)
    }

    /// Attempts for each wanted session. `None` without any.
    pub fn amplification(&self) -> Option<f64> {
        share(self.warm().attempts, self.warm().wanted)
    }

    /// The time-weighted mean number of logged-in sessions.
    pub fn carried_erlangs(&self) -> Option<f64> {
        let observed = self.observed();
        (!observed.is_zero()).then(|| self.sessions().warm_integral_ns() as f64 / observed.as_nanos() as f64)
    }

    /// The mean time that a connection which met no refusal held its slot, in seconds. `None` without any.
    pub fn mean_hold_s(&self) -> Option<f64> {
        (self.holds.count > 0).then(|| self.holds.sum_ns as f64 / 1e9 / self.holds.count as f64)
    }

    /// Wanted sessions per second x mean slot hold. Means little where a population is closed.
    pub fn offered_erlangs(&self) -> Option<f64> {
        let observed = self.observed();
        if observed.is_zero() {
            return None;
        }
        Some(self.warm().wanted as f64 / observed.as_secs_f64() * self.mean_hold_s()?)
    }

    /// How much of one run the estimates cover.
    fn observed(&self) -> Duration {
        self.end.since(Instant::ZERO) - self.shape.warmup
    }
}

fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}
