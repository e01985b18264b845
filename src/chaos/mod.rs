//! Faults on a timeline: what goes wrong, and when.
//!
//! It only says so; the driver does each [`Effect`] at its time, and hands each [`Control`] to the machine it concerns. A fault that is
//! a crowd (a flash crowd, a brute-force wave) has no effect: it is a population of its own.

pub mod wire;

use crate::id::{PopulationId, ServerId};
use crate::server::Control;
use crate::time::{Duration, Instant};

/// One fault.
#[derive(Clone, PartialEq, Debug)]
pub struct Fault {
    /// When it begins.
    pub at: Instant,
    /// The words for it in reports: "shutdown (announce)".
    pub label: String,
    /// What happens, each at its time after `at`, in order.
    pub effects: Vec<(Duration, Effect)>,
    /// When its last effect begins to end: `at` plus this. For charts, and for the question whether the system recovers.
    pub lasts: Duration,
}

/// What a fault does.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Effect {
    /// A server is told something.
    Server(ServerId, Control),
    /// A server's bandwidth for all transfers together, in bytes per second; 0 is unlimited.
    Bandwidth(ServerId, u64),
    /// The way between the clients of a population (or of all) and the servers.
    Network(Option<PopulationId>, Weather),
    /// The name points to this server from now on.
    Dns(ServerId),
}

/// What a fault does to a way, on top of what the population's link says.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Weather {
    /// This much more one-way delay; zero is the end of it.
    Delay(Duration),
    /// This share of the messages is lost and sent again; zero is the end of it.
    Loss(f64),
    /// Nothing gets through until then.
    Partition {
        /// The end.
        until: Instant,
    },
}

impl Fault {
    /// What `server` is told, with the time after the fault's beginning.
    pub fn controls(&self, server: ServerId) -> impl Iterator<Item = (Duration, Control)> + '_ {
        self.effects.iter().filter_map(move |(after, effect)| match effect {
            Effect::Server(id, control) if *id == server => Some((*after, *control)),
            _ => None,
        })
    }
}
