//! How a run, in virtual or in real time, is followed and stopped from another thread.
//!
//! It decides nothing: who runs looks here now and then.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// How a run is followed and stopped from outside.
#[derive(Debug, Default)]
pub struct Watch {
    /// Set it to stop: replications that have not ended are cut short.
    pub stop: AtomicBool,
    /// Virtual nanoseconds that are done, over all replications.
    pub done_ns: AtomicU64,
}

impl Watch {
    /// Has somebody asked to stop?
    pub fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}
