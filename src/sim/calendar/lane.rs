//! First in, first out: the events that come in the order in which they were entered, in a ring that grows and never shrinks.
//!
//! It does not order anything: whoever enters events does.

use super::entry::Entry;
use crate::time::Instant;

/// A queue in a ring. The library's would do, but for a third of the time that a pop takes.
#[derive(Clone, Debug)]
pub(super) struct Lane<E> {
    /// As many places as a power of two, or none.
    ring: Vec<Entry<E>>,
    /// So many have been taken out, and so many have been put in, ever.
    taken: usize,
    put: usize,
    /// So many have been shown or taken out, ever.
    shown: usize,
    /// The time of the one that was put in last, whether it is still there or not.
    last_at: Instant,
}

impl<E> Default for Lane<E> {
    fn default() -> Self {
        Self { ring: Vec::new(), taken: 0, put: 0, shown: 0, last_at: Instant::ZERO }
    }
}

impl<E: Copy> Lane<E> {
    /// Nothing comes sooner that is put in.
    pub(super) fn last_at(&self) -> Instant {
        self.last_at
    }

    #[inline]
    pub(super) fn push(&mut self, entry: Entry<E>) {
        if self.put - self.taken == self.ring.len() {
            self.grow(entry);
        }
        let place = self.place(self.put);
        self.ring[place] = entry;
        self.put += 1;
        self.last_at = entry.at;
    }

    pub(super) fn first(&self) -> Option<&Entry<E>> {
        if self.taken == self.put { None } else { self.ring.get(self.place(self.taken)) }
    }

    #[inline]
    pub(super) fn pop(&mut self) -> Option<Entry<E>> {
        let first = *self.first()?;
        self.taken += 1;
        Some(first)
    }

    /// Shows those of the next `most` that were not shown before.
    pub(super) fn show_next(&mut self, most: usize, mut show: impl FnMut(&E)) {
        let upto = self.put.min(self.taken + most);
        for number in self.shown.max(self.taken)..upto {
            show(&self.ring[self.place(number)].event);
        }
        self.shown = self.shown.max(upto);
    }

    fn place(&self, number: usize) -> usize {
        number & self.ring.len().wrapping_sub(1)
    }

    /// Twice the places. `filler` stands in those that are free.
    #[cold]
    fn grow(&mut self, filler: Entry<E>) {
        let mut ring = Vec::with_capacity((2 * self.ring.len()).max(64));
        ring.extend((self.taken..self.put).map(|number| self.ring[self.place(number)]));
        self.shown = self.shown.saturating_sub(self.taken);
        (self.taken, self.put) = (0, ring.len());
        ring.resize(ring.capacity().next_power_of_two(), filler);
        self.ring = ring;
    }
}
