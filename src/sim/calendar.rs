//! The event calendar: what is to happen, in order of time; ties in the order in which they were scheduled.
//!
//! It does not know what an event means.

use std::cmp::Ordering;
use std::collections::{BinaryHeap, VecDeque};

use crate::time::Instant;

/// How many lanes there are besides the heap: each pop looks at the head of every one.
pub const LANES: usize = 4;

/// A priority queue of events. Schedule and pop cost O(log n), or next to nothing for what comes in order.
///
/// Messages over a way of constant delay are entered in the order in which they arrive: they wait in a lane beside the heap, first
/// in, first out. The order of all events is the same as without lanes.
#[derive(Clone, Debug)]
pub struct Calendar<E> {
    heap: BinaryHeap<Entry<E>>,
    lanes: [VecDeque<Entry<E>>; LANES],
    scheduled: u64,
}

#[derive(Clone, Copy, Debug)]
struct Entry<E> {
    at: Instant,
    sequence: u64,
    event: E,
}

impl<E> Entry<E> {
    /// Time and sequence as one number: compared without a branch, which nobody could predict in a heap. The loss workload of
    /// `benches/world.rs` takes 0.95 of the CPU time that it takes with a comparison of pairs (five pairs of runs, 0.85 to 0.96).
    fn key(&self) -> u128 {
        u128::from(self.at.as_nanos()) << 64 | u128::from(self.sequence)
    }
}

impl<E> PartialEq for Entry<E> {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl<E> Eq for Entry<E> {}

impl<E> PartialOrd for Entry<E> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }

    /// What the heap asks for, without the detour over an [`Ordering`].
    fn le(&self, other: &Self) -> bool {
        self.key() >= other.key()
    }
}

impl<E> Ord for Entry<E> {
    /// Reversed, since the standard heap has its greatest on top.
    fn cmp(&self, other: &Self) -> Ordering {
        other.key().cmp(&self.key())
    }
}

impl<E> Default for Calendar<E> {
    fn default() -> Self {
        Self { heap: BinaryHeap::new(), lanes: Default::default(), scheduled: 0 }
    }
}

impl<E: Copy> Calendar<E> {
    /// Enters `event` at `at`.
    pub fn schedule(&mut self, at: Instant, event: E) {
        self.heap.push(Entry { at, sequence: self.scheduled, event });
        self.scheduled += 1;
    }

    /// The same for an event that is likely to be the last so far of those entered with this number; any number will do.
    pub fn schedule_behind(&mut self, number: usize, at: Instant, event: E) {
        match self.lanes.get_mut(number) {
            Some(lane) if lane.back().is_none_or(|last| last.at <= at) => {
                lane.push_back(Entry { at, sequence: self.scheduled, event });
                self.scheduled += 1;
            }
            _ => self.schedule(at, event),
        }
    }

    /// When the next event is.
    pub fn peek(&self) -> Option<Instant> {
        self.next().map(|(_, entry)| entry.at)
    }

    /// Takes out the next event.
    pub fn pop(&mut self) -> Option<(Instant, E)> {
        self.pop_until(Instant::NEVER)
    }

    /// Takes out the next event, if that is at `horizon` at the latest.
    pub fn pop_until(&mut self, horizon: Instant) -> Option<(Instant, E)> {
        let (lane, Entry { at, event, .. }) = self.next()?;
        if at > horizon {
            return None;
        }
        match self.lanes.get_mut(lane) {
            Some(lane) => drop(lane.pop_front()),
            None => drop(self.heap.pop()),
        }
        Some((at, event))
    }

    /// The next event and its lane; the heap is behind the last lane.
    fn next(&self) -> Option<(usize, Entry<E>)> {
        let mut next = self.heap.peek().map(|entry| (LANES, *entry));
        for (place, lane) in self.lanes.iter().enumerate() {
            if let Some(head) = lane.front()
                && next.is_none_or(|(_, entry)| head.key() < entry.key())
            {
                next = Some((place, *head));
            }
        }
        next
    }

    /// How many events are pending.
    pub fn len(&self) -> usize {
        self.heap.len() + self.lanes.iter().map(VecDeque::len).sum::<usize>()
    }

    /// Is nothing pending?
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_come_in_order_of_time_and_ties_in_order_of_scheduling() {
        let mut calendar = Calendar::default();
        for (at, event) in [(5, 'a'), (3, 'b'), (5, 'c'), (1, 'd'), (3, 'e')] {
            calendar.schedule(Instant::from_nanos(at), event);
        }
        let order: String = std::iter::from_fn(|| calendar.pop()).map(|(_, event)| event).collect();
        assert_eq!(order, "dbeac");
    }

    #[test]
    fn lanes_change_no_order() {
        let (mut plain, mut laned) = (Calendar::default(), Calendar::default());
        let mut word = 1_u64;
        let mut popped = 0;
        for event in 0..20_000_u32 {
            word = word.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let (number, gap) = ((word >> 60) as usize % (LANES + 2), (word >> 40) % 50);
            let at = Instant::from_nanos(u64::from(event / 8) + if number < LANES { 25 } else { gap });
            plain.schedule(at, event);
            laned.schedule_behind(number, at, event);
            assert_eq!(plain.peek(), laned.peek());
            if word >> 63 == 1 {
                assert_eq!(plain.pop(), laned.pop());
                popped += 1;
            }
        }
        assert_eq!((plain.len(), laned.len()), (20_000 - popped, 20_000 - popped));
        while let Some(next) = plain.pop() {
            assert_eq!(laned.pop(), Some(next));
        }
        assert!(laned.is_empty() && laned.pop().is_none());
    }
}
