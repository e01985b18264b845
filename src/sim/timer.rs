//! Lazy timers: a machine asks for a firing as often as it likes, and the calendar stays small.
//!
//! A later deadline is only noted: the firing under way asks again on arrival. There is no cancel. Two firings are kept
//! track of, since a client goes to and fro between a long deadline (a reply must come within a minute) and a short one (a
//! think time of seconds): without the second, every short one would leave a long one behind in the calendar.

use crate::time::Instant;

/// The timer of one machine. A firing that it does not know is dropped.
#[derive(Clone, Copy, Debug)]
pub(super) struct Timer {
    wanted: Instant,
    near: Instant,
    far: Instant,
}

impl Timer {
    pub(super) const OFF: Self = Self { wanted: Instant::NEVER, near: Instant::NEVER, far: Instant::NEVER };

    /// Asks for a firing at `at`; returns the time to enter in the calendar, if one must be.
    pub(super) fn arm(&mut self, at: Instant) -> Option<Instant> {
        self.wanted = at;
        if self.near <= at {
            return None;
        }
        self.far = self.near;
        self.near = at;
        Some(at)
    }

    /// Wants no firing any more. What is in the calendar stays there, and serves the next owner.
    pub(super) fn disarm(&mut self) {
        self.wanted = Instant::NEVER;
    }

    /// A firing arrives.
    pub(super) fn fire(&mut self, now: Instant) -> Firing {
        if now == self.near {
            self.near = std::mem::replace(&mut self.far, Instant::NEVER);
        } else if now == self.far {
            self.far = Instant::NEVER;
        } else {
            return Firing::Dropped;
        }
        if self.wanted <= now {
            self.wanted = Instant::NEVER;
            return Firing::Due;
        }
        if self.wanted.is_never() {
            Firing::Dropped
        } else {
            self.arm(self.wanted).map_or(Firing::Dropped, Firing::Again)
        }
    }
}

/// What a firing means.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Firing {
    /// Hand it to the machine.
    Due,
    /// It is early: enter another one at this time.
    Again(Instant),
    /// It was superseded.
    Dropped,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(s: u64) -> Instant {
        Instant::from_nanos(s)
    }

    #[test]
    fn a_later_deadline_costs_no_entry_until_the_firing_arrives() {
        let mut timer = Timer::OFF;
        assert_eq!(timer.arm(at(10)), Some(at(10)));
        assert_eq!(timer.arm(at(20)), None);
        assert_eq!(timer.arm(at(30)), None);
        assert_eq!(timer.fire(at(10)), Firing::Again(at(30)));
        assert_eq!(timer.fire(at(30)), Firing::Due);
    }

    #[test]
    fn an_earlier_deadline_is_entered_and_the_later_entry_serves_again() {
        let mut timer = Timer::OFF;
        assert_eq!(timer.arm(at(60)), Some(at(60)));
        assert_eq!(timer.arm(at(3)), Some(at(3)));
        assert_eq!(timer.fire(at(3)), Firing::Due);
        assert_eq!(timer.arm(at(63)), None, "the entry at 60 is still there");
        assert_eq!(timer.arm(at(6)), Some(at(6)));
        assert_eq!(timer.fire(at(6)), Firing::Due);
        assert_eq!(timer.arm(at(70)), None);
        assert_eq!(timer.fire(at(60)), Firing::Again(at(70)));
    }

    #[test]
    fn what_was_superseded_twice_is_dropped() {
        let mut timer = Timer::OFF;
        for t in [60, 30, 10] {
            assert_eq!(timer.arm(at(t)), Some(at(t)));
        }
        assert_eq!(timer.fire(at(60)), Firing::Dropped);
    }
}
