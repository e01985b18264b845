//! The schedule: who comes when, over all populations, in the order in which `sim` has them.
//!
//! Every shard walks the whole of it and takes its own users out, so that numbers and addresses are the same for any number of
//! shards. It starts nobody.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::id::{PeerId, PopulationId};
use crate::rng::{Purpose, Stream, Streams};
use crate::scenario::Scenario;
use crate::time::Instant;
use crate::workload::{Arrival, ArrivalSource};

/// A user who comes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Coming {
    pub population: PopulationId,
    pub arrival: Arrival,
    /// Where he comes from.
    pub peer: PeerId,
}

/// The users of one shard, in the order of their coming.
pub(super) struct Schedule {
    crowds: Vec<Crowd>,
    /// The next arrival of each population, by time and then by the order in which they were found, as in `sim`'s calendar.
    heads: BinaryHeap<Reverse<(Instant, u64, u16)>>,
    found: u64,
    own_addresses: u32,
    /// Users so far, of all shards.
    users: u64,
    share: Share,
    next: Option<Coming>,
}

/// Which users are a shard's: each whose number, modulo the number of shards, is the shard's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Share {
    pub shard: u32,
    pub of: u32,
}

struct Crowd {
    source: ArrivalSource,
    addresses: Stream,
    next: Option<Arrival>,
}

impl Schedule {
    pub(super) fn new(scenario: &Scenario, replication: u32, share: Share) -> Self {
        let streams = Streams::new(scenario.seed, replication);
        let crowds = (0..scenario.populations.len()).map(|place| Crowd {
            source: ArrivalSource::new(streams.stream(Purpose::Arrival, place as u32)),
            addresses: streams.stream(Purpose::Address, place as u32),
            next: None,
        });
        let mut schedule = Self {
            crowds: crowds.collect(),
            heads: BinaryHeap::new(),
            found: 0,
            own_addresses: 0,
            users: 0,
            share,
            next: None,
        };
        for place in 0..schedule.crowds.len() {
            schedule.expect(scenario, place as u16);
        }
        schedule.find(scenario);
        schedule
    }

    /// When the next user comes; [`Instant::NEVER`] if nobody does any more.
    pub(super) fn next_at(&self) -> Instant {
        self.next.map_or(Instant::NEVER, |coming| coming.arrival.at)
    }

    /// The next user.
    pub(super) fn take(&mut self, scenario: &Scenario) -> Option<Coming> {
        let coming = self.next;
        self.find(scenario);
        coming
    }

    fn find(&mut self, scenario: &Scenario) {
        loop {
            self.next = self.walk(scenario);
            self.users += 1;
            let mine = (self.users - 1) % u64::from(self.share.of) == u64::from(self.share.shard);
            if mine || self.next.is_none() {
                return;
            }
        }
    }

    /// The next user of any shard.
    fn walk(&mut self, scenario: &Scenario) -> Option<Coming> {
        let Reverse((at, _, place)) = self.heads.pop()?;
        if at >= Instant::ZERO + scenario.duration {
            self.heads.clear();
            return None;
        }
        let spec = &scenario.populations[usize::from(place)];
        let crowd = &mut self.crowds[usize::from(place)];
        let arrival = crowd.next.take()?;
        let (book, own) = (scenario.addresses.len(), &mut self.own_addresses);
        let peer = arrival.peer.unwrap_or_else(|| {
            spec.addresses.of(arrival.index, crowd.addresses, || {
                *own += 1;
                PeerId(book + *own - 1)
            })
        });
        self.expect(scenario, place);
        Some(Coming { population: PopulationId(place), arrival, peer })
    }

    fn expect(&mut self, scenario: &Scenario, place: u16) {
        let spec = &scenario.populations[usize::from(place)];
        let crowd = &mut self.crowds[usize::from(place)];
        crowd.next = crowd.source.next(&spec.arrivals);
        if let Some(arrival) = crowd.next {
            self.heads.push(Reverse((arrival.at, self.found, place)));
            self.found += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(share: Share) -> Vec<Coming> {
        let mut open = |_: &str| Err("none".to_owned());
        let scenario = Scenario::read("built-in", crate::scenario::BUILT_IN, &mut open).unwrap();
        let mut schedule = Schedule::new(&scenario, 0, share);
        std::iter::from_fn(|| schedule.take(&scenario)).collect()
    }

    #[test]
    fn shards_share_the_users_and_nobody_is_lost_or_moved() {
        let whole = all(Share { shard: 0, of: 1 });
        assert!(whole.len() > 100 && whole.is_sorted_by_key(|coming| coming.arrival.at));
        let thirds: Vec<_> = (0..3).map(|shard| all(Share { shard, of: 3 })).collect();
        for (place, coming) in whole.iter().enumerate() {
            assert_eq!(thirds[place % 3][place / 3], *coming);
        }
        assert_eq!(thirds.iter().map(Vec::len).sum::<usize>(), whole.len());
    }
}
