//! How a run, in virtual or in real time, is followed and stopped from another thread.
//!
//! It decides nothing: who runs looks here now and then.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// How a run is followed and stopped from outside.
#[derive(Debug, Default)]
pub struct Watch {
    /// Set it to stop: replications that have not ended are cut short.
    pub stop: AtomicBool,
    /// Virtual nanoseconds that are done, over all replications.
    pub done_ns: AtomicU64,
    /// Who stops this one too.
    above: Option<Arc<Watch>>,
}

impl Watch {
    /// The watch of a part of what `above` watches: it can be stopped by itself, and is stopped with the whole.
    pub fn under(above: &Arc<Self>) -> Self {
        Self { above: Some(Arc::clone(above)), ..Self::default() }
    }

    /// Stops the run.
    pub fn ask_to_stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    /// Has somebody asked to stop?
    pub fn is_stopped(&self) -> bool {
        self.is_stopped_itself() || self.above.as_ref().is_some_and(|above| above.is_stopped())
    }

    /// Has somebody asked just this one to stop, and not the whole that it is a part of?
    pub fn is_stopped_itself(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}
