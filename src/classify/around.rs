//! What else a generator sees at the moment of a refusal: who is there, who was just let in, turned away or cut.
//!
//! It is fed by whoever drives the clients, knows those clients only, and judges nothing. However many come, it remembers a
//! bounded number of events, and one entry for each source address and account that the driver names.

use std::collections::{BTreeMap, VecDeque};

use super::evidence::Evidence;
use crate::observe::Phase;
use crate::time::{Duration, Instant};

/// A client, as far as a server can tell it from others.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Whose {
    /// The place of its source address among those of the run.
    pub address: u32,
    /// Its account.
    pub user: u16,
}

/// What is remembered of all clients of a driver.
#[derive(Clone, Debug, Default)]
pub struct Around {
    addresses: BTreeMap<u32, Address>,
    /// How many addresses have so many connections.
    crowds: BTreeMap<u32, u32>,
    users: BTreeMap<u16, u32>,
    open: u32,
    greeted: Recent,
    let_in: Recent,
    refused: Recent,
    denied: Recent,
    cut: Recent,
    /// Has anybody ever been greeted?
    any_greeted: bool,
    /// Has anybody ever been logged in?
    any_let_in: bool,
}

/// What is remembered of one source address.
#[derive(Clone, Debug, Default)]
struct Address {
    open: u32,
    mistyped: u32,
    attempts: VecDeque<Instant>,
}

/// So long an attempt counts as recent.
const RECENT: Duration = Duration::from_secs(1);

/// So long it matters what became of somebody else's attempt.
const BESIDE: Duration = Duration::from_secs(10);

/// The most attempts of one address that are remembered.
const ATTEMPTS_MAX: usize = 64;

/// The last events of a kind.
#[derive(Clone, Debug, Default)]
struct Recent(VecDeque<(Instant, Whose)>);

impl Recent {
    /// The most that are remembered.
    const MOST: usize = 256;

    fn note(&mut self, now: Instant, whose: Whose) {
        if self.0.len() == Self::MOST {
            self.0.pop_front();
        }
        self.0.push_back((now, whose));
    }

    fn within(&self, now: Instant, window: Duration, is: impl Fn(Whose) -> bool) -> u32 {
        let recent = self.0.iter().rev().take_while(|(at, _)| now.since(*at) <= window);
        recent.filter(|(_, whose)| is(*whose)).count() as u32
    }
}

impl Around {
    /// An attempt begins.
    pub fn attempt(&mut self, now: Instant, whose: Whose) {
        let attempts = &mut self.addresses.entry(whose.address).or_default().attempts;
        if attempts.len() == ATTEMPTS_MAX {
            attempts.pop_front();
        }
        attempts.push_back(now);
    }

    /// A connection is established.
    pub fn opened(&mut self, whose: Whose) {
        self.open += 1;
        self.crowd(whose.address, |open| open + 1);
    }

    /// A connection is over, whoever ended it.
    pub fn closed(&mut self, whose: Whose) {
        self.open = self.open.saturating_sub(1);
        self.crowd(whose.address, |open| open.saturating_sub(1));
    }

    fn crowd(&mut self, address: u32, change: impl Fn(u32) -> u32) {
        let open = &mut self.addresses.entry(address).or_default().open;
        let before = std::mem::replace(open, change(*open));
        let after = *open;
        if let Some(count) = self.crowds.get_mut(&before) {
            *count -= 1;
            if *count == 0 {
                self.crowds.remove(&before);
            }
        }
        if after > 0 {
            *self.crowds.entry(after).or_default() += 1;
        }
    }

    /// A 220 was heard.
    pub fn greeted(&mut self, now: Instant, whose: Whose) {
        self.greeted.note(now, whose);
        self.any_greeted = true;
    }

    /// A 230 was heard.
    pub fn logged_in(&mut self, now: Instant, whose: Whose) {
        self.let_in.note(now, whose);
        self.any_let_in = true;
        *self.users.entry(whose.user).or_default() += 1;
    }

    /// A session is over, whoever ended it.
    pub fn logged_out(&mut self, whose: Whose) {
        if let Some(sessions) = self.users.get_mut(&whose.user) {
            *sessions = sessions.saturating_sub(1);
        }
    }

    /// A wrong password was sent.
    pub fn mistyped(&mut self, whose: Whose) {
        self.addresses.entry(whose.address).or_default().mistyped += 1;
    }

    /// An attempt was turned away in `phase`.
    pub fn refused(&mut self, now: Instant, whose: Whose, phase: Phase) {
        let kind = if at_door(phase) { &mut self.refused } else { &mut self.denied };
        kind.note(now, whose);
    }

    /// A session was cut.
    pub fn cut(&mut self, now: Instant, whose: Whose) {
        self.cut.note(now, whose);
    }

    /// Completes `evidence`, whose phase is known, with what is around. `open` and `logged_in` say whether the client itself is
    /// counted as a connection and as a session just now.
    pub fn complete(
        &self,
        now: Instant,
        whose: Whose,
        (open, logged_in): (bool, bool),
        evidence: &mut Evidence<'_>,
    ) {
        let address = self.addresses.get(&whose.address);
        let own = address.map_or(0, |address| address.open);
        let shared = |count: u32| count > own || self.crowds.get(&count).is_some_and(|number| *number > 1);
        let door = at_door(evidence.phase);
        let (admitted, refused) =
            if door { (&self.greeted, &self.refused) } else { (&self.let_in, &self.denied) };
        let elsewhere = |other: Whose| other.address != whose.address;
        let others = |other: Whose| other.user != whose.user;
        evidence.open = self.open.saturating_sub(u32::from(open));
        evidence.open_here = own.saturating_sub(u32::from(open));
        evidence.open_there =
            self.crowds.keys().rev().take(2).copied().find(|count| shared(*count)).unwrap_or_else(|| {
                // The fullest is this one; the next is somebody else's.
                self.crowds.keys().rev().copied().find(|count| *count < own).unwrap_or(0)
            });
        let sessions = self.users.get(&whose.user).copied().unwrap_or(0);
        evidence.open_user = sessions.saturating_sub(u32::from(logged_in));
        let attempts = address.map(|address| &address.attempts);
        evidence.recent_here = attempts.map_or(0, |attempts| {
            attempts.iter().rev().take_while(|at| now.since(**at) <= RECENT).count() as u32
        });
        evidence.mistyped_here = address.map_or(0, |address| address.mistyped);
        evidence.cut_beside = self.cut.within(now, RECENT, |_| true);
        evidence.admitted_beside = admitted.within(now, BESIDE, elsewhere);
        evidence.refused_beside = refused.within(now, BESIDE, elsewhere);
        evidence.admitted_others = admitted.within(now, BESIDE, others);
        evidence.refused_others = refused.within(now, BESIDE, others);
        evidence.nobody_in = !self.any_let_in && !(door && self.any_greeted);
    }
}

/// Instead of the greeting, or before anything was said?
const fn at_door(phase: Phase) -> bool {
    matches!(phase, Phase::Accept | Phase::Greeting)
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn whose(address: u32, user: u16) -> Whose {
        Whose { address, user }
    }

    fn seen(around: &Around, secs: u64, who: Whose, phase: Phase) -> Evidence<'static> {
        let mut evidence = Evidence { phase, ..Evidence::default() };
        let now = Instant::ZERO + Duration::from_secs(secs);
        around.complete(now, who, (true, false), &mut evidence);
        evidence
    }

    #[test]
    fn it_counts_others_and_not_the_client_itself() {
        let mut around = Around::default();
        for address in [1, 1, 1, 2, 2] {
            around.opened(whose(address, 9));
        }
        let e = seen(&around, 0, whose(1, 9), Phase::Greeting);
        assert_eq!((e.open, e.open_here, e.open_there), (4, 2, 2));
        let e = seen(&around, 0, whose(2, 9), Phase::Greeting);
        assert_eq!((e.open, e.open_here, e.open_there), (4, 1, 3));
        around.closed(whose(1, 9));
        let e = seen(&around, 0, whose(1, 9), Phase::Greeting);
        assert_eq!((e.open_here, e.open_there), (1, 2), "two addresses with as many");
    }

    #[test]
    fn what_became_of_others_counts_where_it_was_asked_and_for_ten_seconds() {
        let mut around = Around::default();
        around.greeted(Instant::ZERO, whose(1, 1));
        around.logged_in(Instant::ZERO, whose(1, 1));
        around.refused(Instant::ZERO, whose(3, 1), Phase::Pass);
        let e = seen(&around, 1, whose(2, 1), Phase::Pass);
        assert_eq!((e.admitted_beside, e.admitted_others, e.refused_beside, e.open_user), (1, 0, 1, 1));
        let e = seen(&around, 1, whose(2, 2), Phase::Greeting);
        assert_eq!((e.admitted_beside, e.admitted_others, e.refused_beside), (1, 1, 0));
        assert_eq!(seen(&around, 11, whose(2, 2), Phase::Pass).admitted_beside, 0);
    }

    #[test]
    fn a_storm_is_remembered_by_its_last_events() {
        let mut around = Around::default();
        for nanos in 0..100_000 {
            let now = Instant::from_nanos(nanos);
            around.attempt(now, whose(1, 1));
            around.refused(now, whose(1, 1), Phase::Greeting);
            around.cut(now, whose(1, 1));
        }
        let e = seen(&around, 0, whose(1, 1), Phase::Greeting);
        assert_eq!((e.recent_here, e.refused_beside, e.cut_beside), (64, 0, 256));
    }
}
