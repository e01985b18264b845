//! What the clients of a population share: how they behave, their random streams, and the way to the servers.
//!
//! It knows no client.

use super::path::Path;
use super::stations::Station;
use super::words::Words;
use crate::client::{ClientStreams, Env};
use crate::id::PopulationId;
use crate::rng::{Purpose, Stream, Streams};
use crate::scenario::Scenario;
use crate::workload::{Arrival, ArrivalSource, Population};

/// What a population's clients share.
pub(super) struct Crowd<'a> {
    pub(super) spec: &'a Population,
    pub(super) env: Env<'a>,
    /// What the server's texts say to them.
    pub(super) words: Words,
    pub(super) addresses: Stream,
    pub(super) pauses: Stream,
    pub(super) resolver: Stream,
    pub(super) path: Path,
    pub(super) source: ArrivalSource,
    pub(super) next: Option<Arrival>,
}

impl<'a> Crowd<'a> {
    pub(super) fn new(
        spec: &'a Population,
        id: PopulationId,
        scenario: &Scenario,
        stations: &[Station],
        streams: Streams,
        own: &'a ClientStreams,
    ) -> Self {
        let stream = |purpose| streams.stream(purpose, u32::from(id.0));
        Self {
            spec,
            env: Env {
                population: id,
                behaviour: &spec.behaviour,
                streams: own,
                users: &spec.users,
                connect_timeout: spec.link.connect_timeout,
                reply_timeout: spec.link.reply_timeout,
            },
            words: Words::new(&spec.behaviour, stations.iter().map(|station| station.server.policy())),
            addresses: stream(Purpose::Address),
            pauses: stream(Purpose::Pause),
            resolver: stream(Purpose::Resolver),
            path: Path::new(&spec.link, id, scenario, streams),
            source: ArrivalSource::new(stream(Purpose::Arrival)),
            next: None,
        }
    }
}

/// The random streams of one replication: those of the clients of each population beside them.
pub(super) struct Own {
    pub(super) streams: Streams,
    pub(super) clients: Vec<ClientStreams>,
}

impl Own {
    pub(super) fn new(scenario: &Scenario, replication: u32) -> Self {
        let streams = Streams::new(scenario.seed, replication);
        let of = |place| ClientStreams::new(streams, PopulationId(place as u16));
        Self { streams, clients: (0..scenario.populations.len()).map(of).collect() }
    }
}
