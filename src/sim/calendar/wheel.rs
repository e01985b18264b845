//! The events that are not in a lane: a wheel of days within a wheel of weeks, with a heap for what lies beyond.
//!
//! A day is a fixed length of virtual time. Its events lie in a bag until it is opened, and are then sorted at once; what is entered
//! for an open day waits in a small heap. A week is as many days as a ring has bags: its events move to their days when it is
//! opened. So each event is moved twice at most, and always in company. R. Brown, "Calendar queues" (CACM 1988), and G. Varghese and
//! T. Lauck, "Hashed and hierarchical timing wheels" (SOSP 1987), are where this comes from.
//!
//! The length of a day follows the rate of events, as a pure function of what was taken out: it changes no order.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::entry::Entry;
use super::ring::{BAGS, Pool, Ring};
use crate::time::Instant;

/// A day at the beginning, as a power of two of nanoseconds: about a millisecond.
const FIRST_DAY: u32 = 20;
/// The shortest and the longest day.
const DAYS: std::ops::RangeInclusive<u32> = 6..=40;
/// Events that a day should have, as a power of two.
const COMPANY: u32 = 6;
/// So many of the next events are shown at once.
const SHOWN: usize = 128;
/// After so many events the length of a day is looked at again.
const LOOK: usize = 1 << 14;

/// All events that are not in a lane.
#[derive(Clone, Debug)]
pub(super) struct Wheel<E> {
    /// The open days, the next event last.
    open: Vec<Entry<E>>,
    /// So many of these were not shown yet.
    unseen: usize,
    /// What came for days that were open already.
    late: BinaryHeap<Entry<E>>,
    pool: Pool<E>,
    days: Ring,
    weeks: Ring,
    beyond: BinaryHeap<Entry<E>>,
    /// The length of a day, as a power of two of nanoseconds.
    shift: u32,
    /// The last open day.
    today: u64,
    /// The key of the next event of the open days; the greatest if there is none.
    head: u128,
    /// When the first day begins that is not open and may hold something, in nanoseconds; the end of time if there is none.
    closed: u64,
    length: usize,
    /// Events until the next look at the length of a day.
    until_look: usize,
    /// When the last look was, and how many events were to come until the next.
    looked: (u64, usize),
}

impl<E: Copy> Default for Wheel<E> {
    fn default() -> Self {
        Self {
            open: Vec::new(),
            unseen: 0,
            late: BinaryHeap::new(),
            pool: Pool::new(),
            days: Ring::new(),
            weeks: Ring::new(),
            beyond: BinaryHeap::new(),
            shift: FIRST_DAY,
            today: 0,
            head: NONE,
            closed: u64::MAX,
            length: 0,
            until_look: LOOK,
            looked: (0, LOOK),
        }
    }
}

impl<E: Copy> Wheel<E> {
    pub(super) fn put(&mut self, entry: Entry<E>) {
        self.length += 1;
        self.place(entry);
    }

    fn place(&mut self, entry: Entry<E>) {
        let day = entry.at.as_nanos() >> self.shift;
        if day <= self.today {
            self.head = self.head.min(entry.key());
            self.late.push(entry);
            return;
        }
        self.closed = self.closed.min(day << self.shift);
        let (week, this_week) = (day / BAGS, self.today / BAGS);
        if week == this_week {
            self.days.put(&mut self.pool, day, entry);
        } else if week - this_week < BAGS {
            self.weeks.put(&mut self.pool, week, entry);
        } else {
            self.beyond.push(entry);
        }
    }

    /// Are next events there that were not shown?
    pub(super) fn has_unseen(&self) -> bool {
        self.unseen > 0 && self.unseen + SHOWN / 2 >= self.open.len()
    }

    /// Shows them.
    pub(super) fn show_next(&mut self, mut show: impl FnMut(&E)) {
        let unseen = self.unseen.min(self.open.len());
        self.unseen = unseen.min(self.open.len().saturating_sub(SHOWN));
        for entry in &self.open[self.unseen..unseen] {
            show(&entry.event);
        }
    }

    /// Nothing in it comes sooner.
    pub(super) fn soonest(&self) -> Instant {
        Instant::from_nanos(time_of(self.head).min(self.closed))
    }

    /// Takes out the next event, if its key is less than `limit`.
    #[inline]
    pub(super) fn take_before(&mut self, limit: u128) -> Option<Entry<E>> {
        while self.closed <= time_of(self.head.min(limit)) {
            if !self.open_next() {
                break;
            }
        }
        if self.head >= limit {
            return None;
        }
        let taken = if self.late.is_empty() {
            let taken = self.open.pop()?;
            self.head = self.open.last().map_or(NONE, Entry::key);
            taken
        } else {
            self.take_with_late()?
        };
        self.length -= 1;
        self.until_look -= 1;
        if self.until_look == 0 {
            self.look(taken.at.as_nanos());
        }
        Some(taken)
    }

    /// Takes out the next event of the open days, some of which came late.
    #[inline(never)]
    fn take_with_late(&mut self) -> Option<Entry<E>> {
        let from_late = self.late.peek().is_some_and(|late| late.key() == self.head);
        let taken = if from_late { self.late.pop() } else { self.open.pop() };
        let key = |next: Option<&Entry<E>>| next.map_or(NONE, Entry::key);
        self.head = key(self.open.last()).min(key(self.late.peek()));
        taken
    }

    /// Opens the next day that holds something, if there is one. All that were open are empty, but for what comes at the end of time,
    /// behind which there is no day.
    #[cold]
    #[inline(never)]
    fn open_next(&mut self) -> bool {
        if self.length == self.late.len() {
            return false;
        }
        let day = match self.days.next(self.today) {
            Some(day) => Some(day),
            None => self.open_week(),
        };
        let Some(day) = day else { return false };
        self.today = day;
        let Self { open, pool, days, .. } = self;
        days.empty(pool, day, |entries| open.extend_from_slice(entries));
        open.sort_unstable_by_key(|entry| Reverse(entry.key()));
        self.unseen = self.open.len();
        self.head = self.open.last().map_or(NONE, Entry::key);
        self.closed = self.next_start().unwrap_or(u64::MAX);
        true
    }

    /// Moves the events of the next week that has any to their days. The first of these.
    fn open_week(&mut self) -> Option<u64> {
        let next = self.weeks.next(self.today / BAGS + 1);
        let shift = self.shift;
        let week_of = |entry: &Entry<E>| (entry.at.as_nanos() >> shift) / BAGS;
        let week = next.into_iter().chain(self.beyond.peek().map(week_of)).min()?;
        self.today = week * BAGS;
        if next == Some(week) {
            let mut moved = std::mem::take(&mut self.open);
            self.weeks.empty(&mut self.pool, week, |entries| moved.extend_from_slice(entries));
            for entry in moved.drain(..) {
                self.days.put(&mut self.pool, entry.at.as_nanos() >> shift, entry);
            }
            self.open = moved;
        }
        while self.beyond.peek().is_some_and(|first| week_of(first) == week) {
            let Some(entry) = self.beyond.pop() else { break };
            self.days.put(&mut self.pool, entry.at.as_nanos() >> shift, entry);
        }
        self.days.next(self.today)
    }

    /// When the first day begins that is not open and may hold something.
    fn next_start(&self) -> Option<u64> {
        if let Some(day) = self.days.next(self.today) {
            return Some(day << self.shift);
        }
        let week = self.weeks.next(self.today / BAGS + 1).map(|week| (week * BAGS) << self.shift);
        let beyond = self.beyond.peek().map(|first| first.at.as_nanos());
        week.into_iter().chain(beyond).min()
    }

    /// Makes days as long as the rate of events since the last look asks for, if that is far from what they are.
    fn look(&mut self, now: u64) {
        // Moving everything costs as much as so many events.
        self.until_look = LOOK.max(self.length);
        let gap = now.saturating_sub(self.looked.0) / self.looked.1 as u64;
        self.looked = (now, self.until_look);
        let wanted = (gap.max(1).ilog2() + COMPANY).clamp(*DAYS.start(), *DAYS.end());
        if wanted.abs_diff(self.shift) > 1 {
            self.change_days(wanted, now);
        }
    }

    /// Moves everything to days of another length, chunk by chunk: one that is emptied is the next to be filled, so that millions of
    /// events are not there twice.
    fn change_days(&mut self, shift: u32, now: u64) {
        let heaps = [&mut self.late, &mut self.beyond].map(|heap| std::mem::take(heap).into_vec());
        let rings = [&mut self.days, &mut self.weeks].map(|ring| std::mem::replace(ring, Ring::new()));
        let mut moved = std::mem::take(&mut self.open);
        self.shift = shift;
        self.today = now >> shift;
        (self.head, self.closed) = (NONE, u64::MAX);
        for mut ring in rings {
            moved.drain(..).for_each(|entry| self.place(entry));
            while let Some(day) = ring.next(0) {
                ring.take_chunk(&mut self.pool, day, &mut moved);
                moved.drain(..).for_each(|entry| self.place(entry));
            }
        }
        for mut heap in heaps {
            while let Some(entry) = heap.pop() {
                self.place(entry);
                if heap.len() < heap.capacity() / 2 {
                    heap.shrink_to_fit();
                }
            }
        }
    }
}

/// No event's key.
const NONE: u128 = u128::MAX;

/// When an event with this key comes, in nanoseconds.
const fn time_of(key: u128) -> u64 {
    (key >> 64) as u64
}
