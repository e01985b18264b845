//! The event calendar: what is to happen, in order of time; ties in the order in which they were scheduled.
//!
//! It does not know what an event means.

mod entry;
mod heap;
mod lane;
mod ring;
mod wheel;

use self::entry::Entry;
pub use self::heap::Heap;
use self::lane::Lane;
use self::wheel::Wheel;
use crate::time::Instant;

/// How many lanes there may be beside the wheel: each pop looks at the head of every one that was ever used.
pub const LANES: usize = 8;

/// A priority queue of events. Schedule and pop take constant time on average, and next to none for what comes in order.
///
/// Messages over a way of constant delay are entered in the order in which they arrive: they wait in a lane beside the wheel, first
/// in, first out. The order of all events is the same as without lanes, and the same as a heap's.
#[derive(Clone, Debug)]
pub struct Calendar<E> {
    wheel: Wheel<E>,
    lanes: [Lane<E>; LANES],
    /// The time of the next event of each lane, side by side; never for an empty one.
    heads: [Instant; LANES],
    /// No lane from this one on was ever used.
    used: usize,
    length: usize,
    scheduled: u64,
    /// Events taken out since some were last shown.
    taken: usize,
}

/// No event's key.
const NONE: u128 = u128::MAX;

/// The least key of an event at `at`.
fn start_of(at: Instant) -> u128 {
    u128::from(at.as_nanos()) << 64
}

/// The greatest.
fn end_of(at: Instant) -> u128 {
    start_of(at) | u128::from(u64::MAX)
}

/// The sequence of events that come behind all others of their time.
const LAST: u64 = 1 << 63;

/// So many of the next events of each lane are shown at once.
const SHOWN: usize = 32;

impl<E: Copy> Default for Calendar<E> {
    fn default() -> Self {
        Self {
            wheel: Wheel::default(),
            lanes: std::array::from_fn(|_| Lane::default()),
            heads: [Instant::NEVER; LANES],
            used: 0,
            length: 0,
            scheduled: 0,
            taken: 0,
        }
    }
}

/// What a world asks of a calendar: events come out in order of time, and ties in the order in which they were entered.
pub trait Queue<E>: Default {
    /// Enters `event` at `at`.
    fn schedule(&mut self, at: Instant, event: E);

    /// The same for an event that comes behind all others of its time, and among its like in the order of `rank`, below 2^63.
    fn schedule_last(&mut self, at: Instant, rank: u64, event: E);

    /// The same for an event that is likely to be the last so far of those entered with this number; any number will do.
    fn schedule_behind(&mut self, number: usize, at: Instant, event: E);

    /// Takes out the next event, if that is at `horizon` at the latest.
    fn pop_until(&mut self, horizon: Instant) -> Option<(Instant, E)>;

    /// Are there events that come soon and should be shown?
    fn has_news(&self) -> bool {
        false
    }

    /// Shows events that come soon and were not shown before, so that what they are about can be fetched from memory while others
    /// happen. It changes nothing.
    fn show_next(&mut self, show: impl FnMut(&E));

    /// How many events are pending.
    fn len(&self) -> usize;

    /// Is nothing pending?
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Takes out the next event.
    fn pop(&mut self) -> Option<(Instant, E)> {
        self.pop_until(Instant::NEVER)
    }
}

impl<E: Copy> Queue<E> for Calendar<E> {
    fn schedule(&mut self, at: Instant, event: E) {
        self.length += 1;
        self.wheel.put(Entry { at, sequence: self.scheduled, event });
        self.scheduled += 1;
    }

    fn schedule_last(&mut self, at: Instant, rank: u64, event: E) {
        self.length += 1;
        self.wheel.put(Entry { at, sequence: LAST | rank, event });
    }

    #[inline(always)]
    fn schedule_behind(&mut self, number: usize, at: Instant, event: E) {
        match self.lanes.get_mut(number) {
            Some(lane) if lane.last_at() <= at => {
                lane.push(Entry { at, sequence: self.scheduled, event });
                if self.heads[number].is_never() {
                    self.heads[number] = at;
                    self.used = self.used.max(number + 1);
                }
                self.length += 1;
                self.scheduled += 1;
            }
            _ => self.schedule(at, event),
        }
    }

    #[inline]
    fn pop_until(&mut self, horizon: Instant) -> Option<(Instant, E)> {
        let (at, lane, tied) = self.next_lane();
        self.taken += 1;
        let wheel = self.wheel.soonest();
        if wheel < at {
            return self.pop_wheel(at, horizon);
        }
        if tied || wheel == at {
            return self.pop_by_key(horizon);
        }
        if at > horizon { None } else { self.pop_lane(lane) }
    }

    fn has_news(&self) -> bool {
        self.taken >= SHOWN / 2 || self.wheel.has_unseen()
    }

    fn show_next(&mut self, mut show: impl FnMut(&E)) {
        self.taken = 0;
        self.wheel.show_next(&mut show);
        self.lanes[..self.used].iter_mut().for_each(|lane| lane.show_next(SHOWN, &mut show));
    }

    fn len(&self) -> usize {
        self.length
    }
}

impl<E: Copy> Calendar<E> {
    /// When the next event in a lane comes, in which, and is there another one at that time?
    #[inline]
    fn next_lane(&self) -> (Instant, usize, bool) {
        let [one, other, ..] = self.heads;
        if self.used > 2 {
            return self.next_of_lanes();
        }
        (one.min(other), usize::from(other < one), one == other) // no branch: it would be guessed wrong half of the time
    }

    #[inline(never)]
    fn next_of_lanes(&self) -> (Instant, usize, bool) {
        let (mut at, mut lane, mut tied) = (Instant::NEVER, LANES, false);
        for (place, head) in self.heads[..self.used].iter().enumerate() {
            let sooner = *head < at;
            tied = *head == at || (tied && !sooner);
            (at, lane) = if sooner { (*head, place) } else { (at, lane) };
        }
        (at, lane, tied)
    }

    /// Takes out the next event, which is likely to be in the wheel: all in the lanes come at `lanes` or later.
    #[inline]
    fn pop_wheel(&mut self, lanes: Instant, horizon: Instant) -> Option<(Instant, E)> {
        match self.wheel.take_before(start_of(lanes).min(end_of(horizon))) {
            Some(Entry { at, event, .. }) => {
                self.length -= 1;
                Some((at, event))
            }
            // A day began before then, and none of its events: they may be at the same time.
            None => self.pop_by_key(horizon),
        }
    }

    /// Takes out the next event, of several at one time the one that was entered first.
    #[inline(never)]
    fn pop_by_key(&mut self, horizon: Instant) -> Option<(Instant, E)> {
        let mut first = end_of(horizon);
        let mut lane = LANES;
        let lanes = self.lanes[..self.used].iter();
        for (place, head) in lanes.map(|lane| lane.first().map_or(NONE, Entry::key)).enumerate() {
            if head < first {
                (first, lane) = (head, place);
            }
        }
        if let Some(Entry { at, event, .. }) = self.wheel.take_before(first) {
            self.length -= 1;
            return Some((at, event));
        }
        self.pop_lane(lane)
    }

    #[inline]
    fn pop_lane(&mut self, number: usize) -> Option<(Instant, E)> {
        let lane = self.lanes.get_mut(number)?;
        let Entry { at, event, .. } = lane.pop()?;
        self.heads[number] = lane.first().map_or(Instant::NEVER, |first| first.at);
        self.length -= 1;
        Some((at, event))
    }
}

#[cfg(test)]
mod tests {
    use std::cmp::Reverse;
    use std::collections::BinaryHeap;

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

    /// A source of numbers that is as good as these tests need.
    struct Dice(u64);

    impl Dice {
        fn below(&mut self, most: u64) -> u64 {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            ((u128::from(self.0) * u128::from(most)) >> 64) as u64
        }

        /// A delay as simulations have them: none, a tie, within a day, or so far off that it may never come.
        fn delay(&mut self, scale: u64) -> u64 {
            match self.below(16) {
                0 => 0,
                1 | 2 => 25,
                3 => scale * 1_000 + self.below(scale * 1_000),
                4 => scale << 22,
                5 if self.below(64) == 0 => scale << self.below(40),
                _ => self.below(2 * scale) / 8 * 8,
            }
        }
    }

    /// Schedules and pops at random, and asks that a heap gives the same order.
    fn agrees_with_a_heap(seed: u64, rounds: usize) {
        let mut calendar = Calendar::default();
        let mut heap: BinaryHeap<Reverse<(Instant, u64, u64)>> = BinaryHeap::new();
        let (mut dice, mut now, mut entered) = (Dice(seed), 0_u64, 0_u64);
        // So many lanes, and some events for one that there is not.
        let lanes = [1, 2, 3, LANES as u64][seed as usize % 4] + seed % 2;
        for round in 0..rounds {
            // The rate changes a hundred thousandfold, so that days get longer and shorter; so does what is pending.
            let scale = 1 << (10 + 17 * (round * 8 / rounds % 2));
            let filling = (round * 5 / rounds).is_multiple_of(2);
            let first = heap.peek().map_or(Instant::NEVER, |Reverse((at, ..))| *at);
            if first.is_never() || dice.below(16) < if filling { 9 } else { 7 } {
                let mut at = Instant::from_nanos(now.saturating_add(dice.delay(scale)));
                if dice.below(1_024) == 0 {
                    at = Instant::NEVER; // and nothing is behind it
                }
                let key = match dice.below(6) {
                    0 | 1 => {
                        calendar.schedule_behind(dice.below(lanes) as usize, at, entered);
                        entered
                    }
                    2 => {
                        calendar.schedule_last(at, entered, entered);
                        LAST | entered
                    }
                    _ => {
                        calendar.schedule(at, entered);
                        entered
                    }
                };
                heap.push(Reverse((at, key, entered)));
                entered += 1;
            } else if dice.below(8) == 0 {
                // Up to a horizon that may lie before the next event.
                let horizon = Instant::from_nanos(now.saturating_add(dice.below(scale)));
                let right = if first <= horizon { heap.pop() } else { None };
                let right = right.map(|Reverse((at, _, event))| (at, event));
                assert_eq!(calendar.pop_until(horizon), right, "seed {seed}, round {round}");
                now = right.map_or(now, |(at, _)| at.as_nanos());
            } else {
                let right = heap.pop().map(|Reverse((at, _, event))| (at, event));
                assert_eq!(calendar.pop(), right, "seed {seed}, round {round}");
                now = right.map_or(now, |(at, _)| at.as_nanos());
            }
            assert_eq!(calendar.len(), heap.len());
        }
        while let Some(Reverse((at, _, event))) = heap.pop() {
            assert_eq!(calendar.pop(), Some((at, event)), "seed {seed}, at the end");
        }
        assert!(calendar.is_empty() && calendar.pop().is_none());
    }

    #[test]
    fn the_order_is_that_of_a_heap() {
        for seed in 0..6 {
            agrees_with_a_heap(seed, 500_000);
        }
        for seed in 6..200 {
            agrees_with_a_heap(seed, 1_000);
        }
    }
}
