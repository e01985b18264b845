//! The counts of one population, and the part of them that estimates may use.
//!
//! It divides nothing: ratios are made from it in `estimators`.

use std::ops::AddAssign;

use super::summary::Counts;
use crate::observe::{Class, SessionEnd};
use crate::time::Instant;

/// What began after the warm-up.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct Warm {
    /// Wanted sessions that began.
    pub wanted: u64,
    /// Attempts that began.
    pub attempts: u64,
    /// Attempts that came to an end or to a login.
    pub ended: u64,
    /// Of these, turned away.
    pub refused: u64,
    /// First attempts that came to an end or to a login.
    pub first_ended: u64,
    /// Of these, turned away.
    pub first_refused: u64,
    /// Wanted sessions that were served, given up, or still waiting at the end.
    pub settled: u64,
    /// Of these, not served.
    pub unserved: u64,
}

/// The counts of one population.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct Tally {
    /// Totals.
    pub counts: Counts,
    /// What began after the warm-up.
    pub warm: Warm,
    served: u64,
    open: u64,
    /// Sum of the start times of attempts, and of the start times that ended attempts name: see [`Tally::finish`].
    started_ns: u128,
    ended_ns: u128,
}

impl Tally {
    /// A user came for a session.
    pub fn wanted(&mut self, warm: bool) {
        self.counts.wanted += 1;
        self.warm.wanted += u64::from(warm);
    }

    /// An attempt began at `now`.
    pub fn attempt_started(&mut self, now: Instant, first: bool, warm: bool) {
        self.counts.attempts += 1;
        self.counts.retries += u64::from(!first);
        self.warm.attempts += u64::from(warm);
        self.open += 1;
        self.started_ns += u128::from(now.as_nanos());
    }

    /// An attempt that began at `started` came to its class.
    ///
    /// # Panics
    /// If no attempt was under way.
    pub fn attempt_ended(&mut self, started: Instant, class: Class, first: bool, warm: bool) {
        *match class {
            Class::Admitted => &mut self.counts.admitted,
            Class::TurnedAway => &mut self.counts.turned_away,
            Class::LoginFailed => &mut self.counts.login_failed,
            Class::NetworkFailed => &mut self.counts.network_failed,
            Class::Abandoned => &mut self.counts.abandoned,
        } += 1;
        let refused = class == Class::TurnedAway;
        self.warm.ended += u64::from(warm);
        self.warm.refused += u64::from(warm && refused);
        self.warm.first_ended += u64::from(warm && first);
        self.warm.first_refused += u64::from(warm && first && refused);
        self.open = self.open.checked_sub(1).expect("an attempt ends once, after it began");
        self.ended_ns += u128::from(started.as_nanos());
    }

    /// An admitted session ended.
    pub fn session_ended(&mut self, end: SessionEnd) {
        *match end {
            SessionEnd::Completed => &mut self.counts.completed,
            SessionEnd::Cut => &mut self.counts.cut,
            SessionEnd::Lost => &mut self.counts.lost,
            SessionEnd::Vanished => &mut self.counts.ghosts,
        } += 1;
    }

    /// A wanted session was served.
    pub fn served(&mut self, warm: bool) {
        self.served += 1;
        self.warm.settled += u64::from(warm);
    }

    /// A wanted session was given up.
    pub fn unserved(&mut self, warm: bool) {
        self.counts.unserved += 1;
        self.warm.settled += u64::from(warm);
        self.warm.unserved += u64::from(warm);
    }

    /// A wanted session was still waiting when the run ended.
    pub fn waiting(&mut self, warm: bool) {
        self.unserved(warm);
        self.counts.waiting_at_end += 1;
    }

    /// Closes the books at `end` and audits them: every attempt has exactly one class or is open, every ended attempt is
    /// one that began, and every wanted session was served, given up or is waiting.
    ///
    /// The open attempts are counted by a level of their own, up at each start and down at each end. That the right ones
    /// ended is seen from times: what the starts sum up to and the ends do not name must be times of open attempts.
    ///
    /// # Panics
    /// If the books do not balance: then the machines told a lie, and no number of the run can be trusted.
    pub fn finish(&mut self, end: Instant) {
        self.counts.open_at_end = self.open;
        let c = self.counts;
        let classes = c.admitted + c.turned_away + c.login_failed + c.network_failed + c.abandoned;
        assert_eq!(c.attempts, classes + c.open_at_end, "every attempt has one class or is open: {c:?}");
        let open_ns = self.started_ns.checked_sub(self.ended_ns);
        let most = u128::from(self.open) * u128::from(end.as_nanos());
        assert!(
            open_ns.is_some_and(|ns| ns <= most),
            "every attempt that ended had begun when it says: {c:?}"
        );
        assert_eq!(c.wanted, self.served + c.unserved, "every wanted session was served or was not: {c:?}");
    }
}

impl AddAssign<&Self> for Tally {
    fn add_assign(&mut self, other: &Self) {
        self.counts += &other.counts;
        self.warm += &other.warm;
        self.served += other.served;
        self.open += other.open;
        self.started_ns += other.started_ns;
        self.ended_ns += other.ended_ns;
    }
}

/// Adds field by field, and fails to compile when a field is forgotten.
macro_rules! add_fields {
    ($name:ident: $($field:ident),+) => {
        impl AddAssign<&Self> for $name {
            fn add_assign(&mut self, other: &Self) {
                let Self { $($field),+ } = self;
                $(*$field += other.$field;)+
            }
        }
    };
}

add_fields!(Warm: wanted, attempts, ended, refused, first_ended, first_refused, settled, unserved);
add_fields!(
    Counts: wanted, attempts, admitted, turned_away, login_failed, network_failed, abandoned, open_at_end, cut, lost,
    completed, ghosts, retries, unserved, waiting_at_end
);

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ns: u64) -> Instant {
        Instant::from_nanos(ns)
    }

    fn one_open_one_ended() -> Tally {
        let mut tally = Tally::default();
        tally.attempt_started(at(10), true, true);
        tally.attempt_started(at(20), false, true);
        tally.attempt_ended(at(10), Class::TurnedAway, true, true);
        tally
    }

    #[test]
    fn open_attempts_are_the_rest() {
        let mut tally = one_open_one_ended();
        tally.finish(at(30));
        assert_eq!((tally.counts.attempts, tally.counts.turned_away, tally.counts.open_at_end), (2, 1, 1));
        assert_eq!((tally.warm.first_refused, tally.counts.retries), (1, 1));
    }

    #[test]
    #[should_panic(expected = "an attempt ends once")]
    fn an_attempt_cannot_end_twice() {
        let mut tally = one_open_one_ended();
        tally.attempt_ended(at(20), Class::Abandoned, false, true);
        tally.attempt_ended(at(20), Class::Abandoned, false, true);
    }

    #[test]
    #[should_panic(expected = "had begun when it says")]
    fn an_attempt_ends_that_began() {
        let mut tally = one_open_one_ended();
        tally.attempt_ended(at(25), Class::Admitted, false, true);
        tally.finish(at(30));
    }

    #[test]
    #[should_panic(expected = "served or was not")]
    fn nobody_is_forgotten() {
        let mut tally = Tally::default();
        tally.wanted(true);
        tally.finish(at(30));
    }
}
