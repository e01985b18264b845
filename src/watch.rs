//! How a run, in virtual or in real time, is followed and stopped from another thread.
//!
//! It decides nothing: who runs looks here now and then, and who waits looks how far the others are.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How a run is followed and stopped from outside.
#[derive(Debug, Default)]
pub struct Watch {
    /// Set it to stop: replications that have not ended are cut short.
    pub stop: AtomicBool,
    going: Mutex<Going>,
    /// Who stops this one too.
    above: Option<Arc<Watch>>,
}

/// The replications that are followed.
#[derive(Debug, Default)]
struct Going {
    ended: u64,
    under_way: Vec<Arc<AtomicU64>>,
}

/// How far a study is.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Progress {
    /// Replications that have come to their end.
    pub ended: u64,
    /// How far each of those is that are under way, in nanoseconds of its virtual time.
    pub under_way_ns: Vec<u64>,
}

/// One replication that is under way. Each has a place of its own in memory, which it alone writes: threads that follow different
/// replications do not wait for each other's cache lines.
#[derive(Debug)]
pub struct Lane<'a> {
    watch: &'a Watch,
    at_ns: Arc<AtomicU64>,
    has_ended: bool,
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

    /// A replication begins.
    pub fn follow(&self) -> Lane<'_> {
        let at_ns = Arc::new(AtomicU64::new(0));
        self.going().under_way.push(Arc::clone(&at_ns));
        Lane { watch: self, at_ns, has_ended: false }
    }

    /// How far the replications are that began under this watch.
    pub fn progress(&self) -> Progress {
        let going = self.going();
        let under_way_ns = going.under_way.iter().map(|at| at.load(Ordering::Relaxed)).collect();
        Progress { ended: going.ended, under_way_ns }
    }

    fn going(&self) -> MutexGuard<'_, Going> {
        self.going.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lane<'_> {
    /// The replication has come to `ns` of its virtual time.
    pub fn is_at(&self, ns: u64) {
        self.at_ns.store(ns, Ordering::Relaxed);
    }

    /// The replication has come to its end. One whose lane is only dropped was cut short, and counts as nothing.
    pub fn end(mut self) {
        self.has_ended = true;
    }
}

impl Drop for Lane<'_> {
    fn drop(&mut self) {
        let mut going = self.watch.going();
        going.under_way.retain(|at| !Arc::ptr_eq(at, &self.at_ns));
        going.ended += u64::from(self.has_ended);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replication_is_under_way_until_it_ends_or_is_cut_short() {
        let watch = Watch::default();
        let (first, second) = (watch.follow(), watch.follow());
        first.is_at(7);
        assert_eq!(watch.progress(), Progress { ended: 0, under_way_ns: vec![7, 0] });
        drop(second);
        first.end();
        assert_eq!(watch.progress(), Progress { ended: 1, under_way_ns: vec![] });
    }

    #[test]
    fn a_part_stops_with_the_whole_and_not_the_other_way_round() {
        let whole = Arc::new(Watch::default());
        let (one, other) = (Watch::under(&whole), Watch::under(&whole));
        one.ask_to_stop();
        assert!(one.is_stopped() && !other.is_stopped() && !whole.is_stopped());
        whole.ask_to_stop();
        assert!(other.is_stopped() && !other.is_stopped_itself());
    }
}
