//! The deadlines of clients and connections: many, mostly far off, and mostly put off again before they come.
//!
//! Only those that come soon are entered in the calendar. The others stand nowhere but in their owners, and a sweep over all of
//! these enters what comes before the next sweep: a table in order of places is read at the memory's full speed, while an entry
//! that is put off has been written, carried along and read for nothing. So a deadline costs 16 bytes, and a calendar entry only
//! when it is near. When there is a sweep changes no result: at one instant deadlines come behind everything else, in the order of
//! their owners.

use crate::time::{Duration, Instant};
use crate::timer::Firing;

/// When one client or connection wants to be told that time has gone by.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deadline {
    wanted: Instant,
    /// The soonest of its entries in the calendar. A later one is dropped when it comes.
    entered: Instant,
}

impl Deadline {
    /// Wants nothing, and has nothing in the calendar.
    pub(super) const OFF: Self = Self { wanted: Instant::NEVER, entered: Instant::NEVER };

    /// Wants to be told at `at`, instead of when it wanted before. The time to enter, if it comes before the next sweep.
    pub(super) fn set(&mut self, at: Instant, sweep: Instant) -> Option<Instant> {
        self.wanted = at;
        self.enter(sweep)
    }

    /// Wants nothing any more. What is in the calendar stays there, and serves the next owner.
    pub(super) fn clear(&mut self) {
        self.wanted = Instant::NEVER;
    }

    /// The time to enter, if there is one before the next sweep and nothing comes sooner.
    pub(super) fn enter(&mut self, sweep: Instant) -> Option<Instant> {
        let due = self.wanted <= sweep && self.wanted < self.entered;
        due.then(|| {
            self.entered = self.wanted;
            self.wanted
        })
    }

    /// An entry comes.
    pub(super) fn come(&mut self, now: Instant, sweep: Instant) -> Firing {
        if self.entered != now {
            return Firing::Dropped;
        }
        self.entered = Instant::NEVER;
        if self.wanted <= now {
            self.wanted = Instant::NEVER;
            return Firing::Due;
        }
        self.enter(sweep).map_or(Firing::Dropped, Firing::Again)
    }
}

/// When all deadlines are looked through.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sweeps {
    /// The next time. Every deadline up to it is in the calendar.
    pub(super) next: Instant,
    /// When the last one was, and how many events had come by then.
    last: (Instant, u64),
    /// If so many events come, it is time for another one: much is entered that is put off again.
    overdue: u64,
}

impl Sweeps {
    /// So many events come, for each deadline that is looked at, between two sweeps: then a sweep is a few per cent of the work.
    const EVENTS: u64 = 4;
    /// Deadlines are at least taken to be so many.
    const LEAST: u64 = 64;
    const FIRST: Duration = Duration::from_secs(1);

    /// The first sweep is after a second.
    pub(super) const fn new() -> Self {
        Self {
            next: Instant::from_nanos(Self::FIRST.as_nanos()),
            last: (Instant::ZERO, 0),
            overdue: 2 * Self::goal(0),
        }
    }

    /// After so many events it is time for a sweep, whenever it was planned: far more came than were to come until then.
    pub(super) fn overdue(&self) -> u64 {
        self.overdue
    }

    /// There is a sweep at `now` over so many deadlines, after so many events. When the next one will be.
    pub(super) fn plan(&mut self, now: Instant, events: u64, deadlines: usize) -> Instant {
        let (elapsed, came) = (now.since(self.last.0).as_nanos(), events - self.last.1);
        let wanted = u128::from(elapsed) * u128::from(Self::goal(deadlines)) / u128::from(came.max(1));
        let wait = wanted.clamp(u128::from(elapsed / 8), u128::from(elapsed) * 8);
        self.last = (now, events);
        self.overdue = events + 2 * Self::goal(deadlines);
        // At least a microsecond, or nothing would ever be entered ahead.
        self.next = now + Duration::from_nanos(u64::try_from(wait).unwrap_or(u64::MAX).max(1_000));
        self.next
    }

    const fn goal(deadlines: usize) -> u64 {
        let deadlines = deadlines as u64;
        Self::EVENTS * if deadlines > Self::LEAST { deadlines } else { Self::LEAST }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(s: u64) -> Instant {
        Instant::from_nanos(s)
    }

    #[test]
    fn a_deadline_is_entered_when_it_comes_before_the_next_sweep() {
        let mut deadline = Deadline::OFF;
        assert_eq!(deadline.set(at(90), at(50)), None);
        assert_eq!(deadline.enter(at(80)), None);
        assert_eq!(deadline.enter(at(100)), Some(at(90)));
        assert_eq!(deadline.enter(at(200)), None, "it is entered already");
        assert_eq!(deadline.come(at(90), at(200)), Firing::Due);
        assert_eq!(deadline.enter(Instant::NEVER), None, "it wants nothing any more");
    }

    #[test]
    fn a_deadline_that_was_put_off_is_entered_again_when_its_entry_comes() {
        let mut deadline = Deadline::OFF;
        assert_eq!(deadline.set(at(10), at(50)), Some(at(10)));
        assert_eq!(deadline.set(at(20), at(50)), None);
        assert_eq!(deadline.set(at(30), at(50)), None);
        assert_eq!(deadline.come(at(10), at(50)), Firing::Again(at(30)));
        assert_eq!(deadline.set(at(70), at(50)), None);
        assert_eq!(deadline.come(at(30), at(50)), Firing::Dropped);
        assert_eq!(deadline.enter(at(100)), Some(at(70)), "the sweep finds it");
    }

    #[test]
    fn a_sooner_deadline_is_entered_and_the_later_entry_is_dropped() {
        let mut deadline = Deadline::OFF;
        assert_eq!(deadline.set(at(60), at(100)), Some(at(60)));
        assert_eq!(deadline.set(at(3), at(100)), Some(at(3)));
        assert_eq!(deadline.come(at(3), at(100)), Firing::Due);
        assert_eq!(deadline.set(at(63), at(100)), Some(at(63)));
        assert_eq!(deadline.come(at(60), at(100)), Firing::Dropped);
        assert_eq!(deadline.come(at(63), at(100)), Firing::Due);
    }

    #[test]
    fn sweeps_follow_the_rate_of_events() {
        let mut sweeps = Sweeps::new();
        let mut now = sweeps.next;
        let mut events = 0;
        let gap = |rate: u64, sweeps: &mut Sweeps, now: &mut Instant, events: &mut u64| {
            for _ in 0..20 {
                let last = *now;
                *now = sweeps.plan(last, *events, 10_000);
                *events += (now.since(last).as_secs_f64() * rate as f64) as u64;
            }
            events.abs_diff(sweeps.last.1)
        };
        for rate in [1_000, 1_000_000, 10] {
            let came = gap(rate, &mut sweeps, &mut now, &mut events);
            assert!((39_000..=41_000).contains(&came), "{came} events between sweeps at {rate}/s");
        }
    }
}
