//! Lazy timers: a machine asks for a firing as often as it likes, and the calendar stays small.
//!
//! A later deadline is only noted: the firing under way asks again on arrival. There is no cancel. The nearest firings are
//! kept track of, since a machine goes to and fro between long deadlines (a session may last an hour), shorter ones (a reply
//! must come within a minute) and short ones (a think time of seconds): one that is forgotten stays in the calendar for nothing.

use crate::time::Instant;

/// How many firings a timer keeps track of. A connection needs three: its session's (an hour), the login timer's (a minute) and
/// that of its end (milliseconds). With two of them, logins and ends in turn left an hour's entry behind each time.
const KEPT: usize = 3;

/// The timer of one machine. A firing that it does not know is dropped.
#[derive(Clone, Copy, Debug)]
pub struct Timer {
    wanted: Instant,
    /// What is in the calendar, nearest first.
    entered: [Instant; KEPT],
}

impl Timer {
    /// A timer that wants nothing and has nothing in any calendar.
    pub const OFF: Self = Self { wanted: Instant::NEVER, entered: [Instant::NEVER; KEPT] };

    /// Asks for a firing at `at`; returns the time to enter in the calendar, if one must be.
    pub fn arm(&mut self, at: Instant) -> Option<Instant> {
        self.wanted = at;
        if self.entered[0] <= at {
            return None;
        }
        self.entered.copy_within(..KEPT - 1, 1);
        self.entered[0] = at;
        Some(at)
    }

    /// Wants no firing any more. What is in the calendar stays there, and serves the next owner.
    pub fn disarm(&mut self) {
        self.wanted = Instant::NEVER;
    }

    /// A firing arrives.
    pub fn fire(&mut self, now: Instant) -> Firing {
        let Some(place) = self.entered.iter().position(|at| *at == now) else { return Firing::Dropped };
        self.entered.copy_within(place + 1.., place);
        self.entered[KEPT - 1] = Instant::NEVER;
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
pub enum Firing {
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
    fn what_was_superseded_too_often_is_dropped() {
        let mut timer = Timer::OFF;
        for t in [90, 60, 30, 10] {
            assert_eq!(timer.arm(at(t)), Some(at(t)));
        }
        assert_eq!(timer.fire(at(90)), Firing::Dropped);
        assert_eq!(timer.fire(at(10)), Firing::Due);
    }

    #[test]
    fn three_deadlines_of_three_lengths_leave_nothing_behind() {
        let mut timer = Timer::OFF;
        assert_eq!(timer.arm(at(3_600)), Some(at(3_600)));
        for second in 0..60 {
            let entered = [timer.arm(at(second + 60)), timer.arm(at(second))];
            assert_eq!(entered, [(second == 0).then(|| at(60)), Some(at(second))]);
            assert_eq!(timer.fire(at(second)), Firing::Due);
        }
    }
}
