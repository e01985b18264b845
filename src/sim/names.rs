//! Names: which server a client goes to, as its resolver remembers it.
//!
//! It keeps no cache. A resolver asks again whenever the record's time to live has run out, at a phase of its own; what it knows
//! at a time is then a function of that time, and of what the name pointed to when it last asked.

use super::calendar::Queue;
use super::tap::Tap;
use super::world::{Event, World};
use crate::chaos::Effect;
use crate::client::Resolve;
use crate::id::ServerId;
use crate::scenario::Scenario;
use crate::time::{Duration, Instant};

/// The record of the servers' common name.
pub(super) struct Names {
    ttl: Duration,
    /// What the name points to from then on, in order of time.
    moves: Vec<(Instant, ServerId)>,
}

impl Names {
    /// The record as the scenario moves it; `None` if it has no name.
    pub(super) fn new(scenario: &Scenario) -> Option<Self> {
        let ttl = scenario.dns_ttl?;
        let mut moves: Vec<(Instant, ServerId)> = scenario
            .faults
            .iter()
            .flat_map(|fault| fault.effects.iter().map(|(after, effect)| (fault.at + *after, *effect)))
            .filter_map(|(at, effect)| match effect {
                Effect::Dns(server) => Some((at, server)),
                _ => None,
            })
            .collect();
        moves.sort_by_key(|(at, _)| *at); // stable: of two moves at one time the later one in the file holds
        Some(Self { ttl, moves })
    }

    /// What the name points to at `at`.
    fn record(&self, at: Instant) -> ServerId {
        let done = self.moves.partition_point(|(moved, _)| *moved <= at);
        done.checked_sub(1).map_or(ServerId(0), |last| self.moves[last].1)
    }

    /// What a resolver that asks at `phase`, and then each time that the record has run out, knows at `now`. Before its first
    /// question it knows what was true in the beginning.
    fn known(&self, now: Instant, phase: Duration) -> ServerId {
        if self.ttl.is_zero() {
            return self.record(now);
        }
        let since = now.since(Instant::ZERO + phase).as_nanos();
        if now < Instant::ZERO + phase {
            return self.record(Instant::ZERO);
        }
        let asked = Instant::from_nanos(now.as_nanos() - since % self.ttl.as_nanos());
        self.record(asked)
    }
}

impl<T: Tap, Q: Queue<Event>> World<'_, T, Q> {
    /// The server that `client` connects to at `now`.
    pub(super) fn look_up(&self, now: Instant, client: u32) -> ServerId {
        let Some(names) = &self.names else { return ServerId(0) };
        let slot = &self.slots[client as usize];
        let crowd = &self.crowds[usize::from(slot.population.0)];
        let word = crowd.resolver.word(u64::from(slot.client.index()), 0);
        let phase = (u128::from(word) * u128::from(names.ttl.as_nanos())) >> 64; // uniform from 0 to the time to live
        let at = match crowd.spec.behaviour.resolve {
            Resolve::Again => now,
            Resolve::Once => slot.client.wanted_at(),
        };
        names.known(at, Duration::from_nanos(phase as u64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resolver_knows_what_was_true_when_it_last_asked() {
        let secs = |s| Instant::ZERO + Duration::from_secs(s);
        let (old, new) = (ServerId(0), ServerId(1));
        let names =
            Names { ttl: Duration::from_secs(300), moves: vec![(secs(600), new), (secs(1_000), old)] };
        let phase = Duration::from_secs(100); // it asks at 100, 400, 700, 1000
        let known: Vec<ServerId> =
            [0, 99, 600, 699, 700, 999, 1_000].map(|s| names.known(secs(s), phase)).to_vec();
        assert_eq!(known, [old, old, old, old, new, new, old]);
        let always = Names { ttl: Duration::ZERO, ..names };
        assert_eq!([599, 600].map(|s| always.known(secs(s), Duration::ZERO)), [old, new]);
    }
}
