//! How often each kind of refusal occurred.
//!
//! It does not say what is a refusal: the machines do.

use std::collections::BTreeMap;

use super::summary::{RefusalCount, Refusals};
use crate::observe::{Class, Refusal, SessionEnd};

/// What a refusal ended.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, serde::Serialize, serde::Deserialize)]
pub enum Ended {
    /// An attempt, before login.
    TurnedAway,
    /// A session.
    Cut,
    /// An attempt, for wrong passwords.
    LoginFailed,
    /// An attempt or a session, at the hand of the network or a dead server.
    Network,
    /// A transfer; its session went on.
    Transfer,
}

impl Ended {
    /// The word for it in files and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::TurnedAway => "turned_away",
            Self::Cut => "cut",
            Self::LoginFailed => "login_failed",
            Self::Network => "network",
            Self::Transfer => "transfer",
        }
    }

    /// What the refusal of an attempt of this class ended; `None` for a class that no refusal brings about.
    pub const fn attempt(class: Class) -> Option<Self> {
        match class {
            Class::TurnedAway => Some(Self::TurnedAway),
            Class::LoginFailed => Some(Self::LoginFailed),
            Class::NetworkFailed => Some(Self::Network),
            Class::Admitted | Class::Abandoned => None,
        }
    }

    /// What the refusal of a session that ended so ended; `None` for an end that no refusal brings about.
    pub const fn session(end: SessionEnd) -> Option<Self> {
        match end {
            SessionEnd::Cut => Some(Self::Cut),
            SessionEnd::Lost => Some(Self::Network),
            SessionEnd::Completed | SessionEnd::Vanished => None,
        }
    }
}

/// One kind of refusal. Kinds are listed by what they ended, then in the order of `Cause::ALL` and `Phase::ALL`, then by
/// code.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub struct Kind {
    /// What it ended.
    pub ended: Ended,
    /// Why, where, and by which code.
    pub refusal: Refusal,
}

impl Kind {
    fn key(self) -> (Ended, usize, usize, u16) {
        (self.ended, self.refusal.cause.index(), self.refusal.phase.index(), self.refusal.code)
    }
}

/// Counts by kind: a sorted list, since a run meets a few dozen kinds at most.
#[derive(Clone, PartialEq, Eq, Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct RefusalTable {
    counts: Vec<(Kind, u64)>,
}

impl RefusalTable {
    /// Counts `count` more of `kind`.
    pub fn add(&mut self, kind: Kind, count: u64) {
        match self.counts.binary_search_by_key(&kind.key(), |(known, _)| known.key()) {
            Ok(place) => self.counts[place].1 += count,
            Err(place) => self.counts.insert(place, (kind, count)),
        }
    }

    /// Adds another run's counts.
    pub fn merge(&mut self, other: &Self) {
        other.counts.iter().for_each(|(kind, count)| self.add(*kind, *count));
    }

    /// The bytes that its lines take.
    pub(super) fn size(&self) -> usize {
        size_of_val(&*self.counts)
    }

    /// Every kind that occurred, and how often.
    pub fn iter(&self) -> impl Iterator<Item = (Kind, u64)> {
        self.counts.iter().copied()
    }

    /// Every kind that occurred, in words.
    pub fn listed(&self) -> Vec<RefusalCount> {
        self.iter()
            .map(|(Kind { ended, refusal }, count)| RefusalCount {
                ended: ended.name().to_owned(),
                cause: refusal.cause.name().to_owned(),
                phase: refusal.phase.name().to_owned(),
                code: refusal.code,
                count,
            })
            .collect()
    }

    /// Totals by the cause's word.
    pub fn by_cause(&self) -> Refusals {
        self.by(|refusal| refusal.cause.name())
    }

    /// Totals by the phase's word.
    pub fn by_phase(&self) -> Refusals {
        self.by(|refusal| refusal.phase.name())
    }

    fn by(&self, word: impl Fn(Refusal) -> &'static str) -> Refusals {
        let total = |wanted: Ended| {
            let mut words = BTreeMap::new();
            for (kind, count) in self.iter().filter(|(kind, _)| kind.ended == wanted) {
                *words.entry(word(kind.refusal).to_owned()).or_default() += count;
            }
            words
        };
        Refusals {
            turned_away: total(Ended::TurnedAway),
            cut: total(Ended::Cut),
            login_failed: total(Ended::LoginFailed),
            network: total(Ended::Network),
            transfer: total(Ended::Transfer),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observe::{Cause, Phase};

    #[test]
    fn kinds_are_counted_apart_and_listed_in_order() {
        let kind = |ended, code| Kind {
            ended,
            refusal: Refusal { cause: Cause::MaxClients, phase: Phase::Greeting, code },
        };
        let mut table = RefusalTable::default();
        table.add(kind(Ended::Cut, 421), 1);
        table.add(kind(Ended::TurnedAway, 530), 2);
        table.add(kind(Ended::TurnedAway, 421), 3);
        let mut twice = table.clone();
        twice.merge(&table);
        let got: Vec<_> = twice.listed().into_iter().map(|r| (r.ended, r.code, r.count)).collect();
        let expected = [("turned_away", 421, 6), ("turned_away", 530, 4), ("cut", 421, 2)];
        assert_eq!(got, expected.map(|(ended, code, count)| (ended.to_owned(), code, count)));
        assert_eq!(twice.by_cause().turned_away["max_clients"], 10);
        assert_eq!(twice.by_phase().cut["greeting"], 2);
    }
}
