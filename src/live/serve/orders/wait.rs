//! Orders that are answered when something has come about: nobody who tests a client has to sleep.
//!
//! It changes nothing.

use super::Answer;
use crate::live::serve::station::Station;
use crate::live::serve::status::Tally;
use crate::time::{Duration, Instant};

/// Those who may wait at once.
const MOST: usize = 64;

/// What somebody waits for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Until {
    /// Just so many connections are open, refused ones not counted.
    Connections(u64),
    /// Just so many sessions are logged in.
    Sessions(u64),
    /// At least so many refusals were given since the server began.
    Refusals(u64),
    /// At least so many clients have logged in since then.
    Logins(u64),
}

impl Until {
    /// Each by its word, still without its number.
    pub(super) const ALL: [(&'static str, fn(u64) -> Self); 4] = [
        ("connections", Self::Connections),
        ("sessions", Self::Sessions),
        ("refusals", Self::Refusals),
        ("logins", Self::Logins),
    ];

    /// What there is of it.
    fn found(self, tally: &Tally) -> u64 {
        match self {
            Self::Connections(_) => tally.connections,
            Self::Sessions(_) => tally.sessions,
            Self::Refusals(_) => tally.refusals(),
            Self::Logins(_) => tally.logins,
        }
    }

    fn is_met(self, tally: &Tally) -> bool {
        let found = self.found(tally);
        match self {
            Self::Connections(count) | Self::Sessions(count) => found == count,
            Self::Refusals(count) | Self::Logins(count) => found >= count,
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Connections(_) => "connections",
            Self::Sessions(_) => "sessions",
            Self::Refusals(_) => "refusals",
            Self::Logins(_) => "logins",
        }
    }
}

/// Those who wait.
#[derive(Debug, Default)]
pub(in crate::live::serve) struct Waiters {
    waiting: Vec<Waiter>,
}

#[derive(Debug)]
struct Waiter {
    until: Until,
    from: Instant,
    patience: Instant,
    answer: Answer,
}

impl Waiters {
    /// Does nobody wait?
    pub(in crate::live::serve) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Answers those for whom it is time.
    pub(in crate::live::serve) fn look(&mut self, now: Instant, tally: &Tally) {
        let due = |waiter: &mut Waiter| waiter.until.is_met(tally) || waiter.patience <= now;
        for Waiter { until, from, answer, .. } in self.waiting.extract_if(.., due) {
            let (word, found) = (until.word(), until.found(tally));
            let told = if until.is_met(tally) {
                Ok(format!("{word}: {found}"))
            } else {
                Err(format!("{word}: {found}, and not what was waited for, after {}", now.since(from)))
            };
            let _ = answer.send(told); // he may have gone
        }
    }
}

impl Station {
    /// Answers when it is so, or after `limit`, whichever is first.
    pub(super) fn wait(&mut self, until: Until, limit: Duration, answer: Answer) {
        let now = self.clock.now();
        if self.waiters.waiting.len() >= MOST {
            let _ = answer.send(Err(format!("{MOST} others wait already")));
            return;
        }
        self.waiters.waiting.push(Waiter { until, from: now, patience: now + limit, answer });
        self.waiters.look(now, &self.tally);
    }
}
