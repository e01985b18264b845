//! The standard library's heap as a calendar: the yardstick that the wheel stands beside in the benches.
//!
//! No result depends on it: the order of events is the same.

use std::collections::BinaryHeap;

use super::entry::Entry;
use super::{LAST, Queue};
use crate::time::Instant;

/// A calendar that is one binary heap. Schedule and pop take logarithmic time, and a cache miss a level once it is large.
#[derive(Clone, Debug)]
pub struct Heap<E> {
    heap: BinaryHeap<Entry<E>>,
    scheduled: u64,
}

impl<E> Default for Heap<E> {
    fn default() -> Self {
        Self { heap: BinaryHeap::new(), scheduled: 0 }
    }
}

impl<E: Copy> Queue<E> for Heap<E> {
    fn schedule(&mut self, at: Instant, event: E) {
        self.heap.push(Entry { at, sequence: self.scheduled, event });
        self.scheduled += 1;
    }

    fn schedule_last(&mut self, at: Instant, rank: u64, event: E) {
        self.heap.push(Entry { at, sequence: LAST | rank, event });
    }

    fn schedule_behind(&mut self, _: usize, at: Instant, event: E) {
        self.schedule(at, event);
    }

    fn pop_until(&mut self, horizon: Instant) -> Option<(Instant, E)> {
        self.heap.peek().filter(|next| next.at <= horizon)?;
        self.heap.pop().map(|next| (next.at, next.event))
    }

    fn show_next(&mut self, _: impl FnMut(&E)) {}

    fn len(&self) -> usize {
        self.heap.len()
    }
}
