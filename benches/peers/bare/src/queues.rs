//! Three ways to keep events in order: by time, and at one time as they were entered.
//!
//! None is a library: the first is what one writes first, the others are what this workload allows whoever knows it beforehand.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use workload::WAY_NS;

/// Events that wait for their time.
pub trait Pending {
    /// `what` happens a constant way later.
    fn wire(&mut self, now: u64, what: u32);

    /// `what` happens at `at`, any time later.
    fn later(&mut self, at: u64, what: u32);

    /// The next event.
    fn pop(&mut self) -> Option<(u64, u32)>;
}

/// Time, and then in one word the number of the entry and what happens: 16 bytes.
type Entry = (u64, u64);

/// Numbers entries, and wraps: two of one time are never 2^32 entries apart.
#[derive(Default)]
struct Numbers(u32);

impl Numbers {
    fn entry(&mut self, at: u64, what: u32) -> Entry {
        self.0 = self.0.wrapping_add(1);
        (at, u64::from(self.0) << 32 | u64::from(what))
    }
}

/// The standard library's heap.
#[derive(Default)]
pub struct Heap {
    numbers: Numbers,
    heap: BinaryHeap<Reverse<Entry>>,
}

impl Pending for Heap {
    fn wire(&mut self, now: u64, what: u32) {
        self.later(now + WAY_NS, what);
    }

    fn later(&mut self, at: u64, what: u32) {
        self.heap.push(Reverse(self.numbers.entry(at, what)));
    }

    fn pop(&mut self) -> Option<(u64, u32)> {
        self.heap.pop().map(|Reverse((at, what))| (at, what as u32))
    }
}

/// A lane, first in, first out, for what is a constant way off; the standard library's heap for the rest.
#[derive(Default)]
pub struct Lanes {
    numbers: Numbers,
    lane: VecDeque<Entry>,
    heap: BinaryHeap<Reverse<Entry>>,
}

impl Pending for Lanes {
    fn wire(&mut self, now: u64, what: u32) {
        self.lane.push_back(self.numbers.entry(now + WAY_NS, what));
    }

    fn later(&mut self, at: u64, what: u32) {
        self.heap.push(Reverse(self.numbers.entry(at, what)));
    }

    fn pop(&mut self) -> Option<(u64, u32)> {
        let lane_first = match (self.lane.front(), self.heap.peek()) {
            (Some(a), Some(Reverse(b))) => a < b,
            (a, _) => a.is_some(),
        };
        let (at, what) =
            if lane_first { self.lane.pop_front()? } else { self.heap.pop().map(|Reverse(entry)| entry)? };
        Some((at, what as u32))
    }
}

/// The days that [`Days`] looks ahead. At the shortest day of 1 ms it is a minute; one think of 10^8 is longer.
const AHEAD: u64 = 1 << 16;

/// A lane, and a calendar for the rest: a bag for each day, sorted when the day is opened. How long a day is was chosen for this
/// workload: some 16 thinks, but no less than 1 ms.
pub struct Days {
    numbers: Numbers,
    lane: VecDeque<Entry>,
    day_ns: u64,
    /// The day that is open.
    today: u64,
    /// What is left of it, the next one last.
    open: Vec<Entry>,
    bags: Vec<Vec<Entry>>,
    in_bags: usize,
    /// Beyond the last day.
    far: BinaryHeap<Reverse<Entry>>,
}

impl Days {
    /// For `rate` clients a second.
    pub fn new(rate: f64) -> Self {
        let day_ns = ((16e9 / (3.0 * rate)) as u64).max(1_000_000);
        let days = (64_000_000_000 / day_ns).next_power_of_two().clamp(2, AHEAD);
        Self {
            numbers: Numbers::default(),
            lane: VecDeque::new(),
            day_ns,
            today: 0,
            open: Vec::new(),
            bags: vec![Vec::new(); days as usize],
            in_bags: 0,
            far: BinaryHeap::new(),
        }
    }

    fn bag(&mut self, day: u64) -> &mut Vec<Entry> {
        let mask = self.bags.len() - 1;
        &mut self.bags[day as usize & mask]
    }

    fn enter(&mut self, entry: Entry) {
        let day = entry.0 / self.day_ns;
        if day <= self.today {
            let place = self.open.partition_point(|other| *other > entry);
            self.open.insert(place, entry);
        } else if day - self.today < self.bags.len() as u64 {
            self.bag(day).push(entry);
            self.in_bags += 1;
        } else {
            self.far.push(Reverse(entry));
        }
    }

    fn open_next_day(&mut self) {
        while self.open.is_empty() && self.in_bags + self.far.len() > 0 {
            self.today += 1;
            let today = self.today;
            // The emptied bag becomes the next open day's, so that no memory is asked for twice.
            let mut open = std::mem::take(&mut self.open);
            std::mem::swap(&mut open, self.bag(today));
            self.in_bags -= open.len();
            open.sort_unstable_by(|a, b| b.cmp(a));
            self.open = open;
            while self
                .far
                .peek()
                .is_some_and(|Reverse(entry)| entry.0 / self.day_ns - today < self.bags.len() as u64)
            {
                let Some(Reverse(entry)) = self.far.pop() else { break };
                self.enter(entry);
            }
        }
    }
}

impl Pending for Days {
    fn wire(&mut self, now: u64, what: u32) {
        self.lane.push_back(self.numbers.entry(now + WAY_NS, what));
    }

    fn later(&mut self, at: u64, what: u32) {
        let entry = self.numbers.entry(at, what);
        self.enter(entry);
    }

    fn pop(&mut self) -> Option<(u64, u32)> {
        if self.open.is_empty() {
            self.open_next_day();
        }
        let lane_first = match (self.lane.front(), self.open.last()) {
            (Some(a), Some(b)) => a < b,
            (a, _) => a.is_some(),
        };
        let (at, what) = if lane_first { self.lane.pop_front()? } else { self.open.pop()? };
        Some((at, what as u32))
    }
}
