//! What only a measured run has to say: where the load went, what refusals looked like, how the generator fared.
//!
//! It computes nothing. Every field says its unit and its definition.

use serde::{Deserialize, Serialize};

use super::Quantiles;

/// Where a load went.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct TargetFacts {
    /// `ftp://host:port` or `ftps://host:port`.
    pub url: String,
    /// Its address.
    pub address: String,
    /// Was it a modelled server that the run had started itself? Then the server's facts are its own; otherwise nobody knows them.
    pub own: bool,
    /// Where the clients came from, in words.
    pub sources: String,
}

/// Refusals that were taken for the same, as surely, for the same reason.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct ToldApart {
    /// The cause's word.
    pub cause: String,
    /// `certain`, `likely` or `guess`; `known` if no guess was needed: a timeout of the client's own, a refused connect.
    pub confidence: String,
    /// What that rests on: `text`, `words`, `timing`, `position` or `network`; `client` if no guess was needed.
    pub basis: String,
    /// How many.
    pub count: u64,
}

/// Refusals with one text, but for its numbers and addresses: that of the first of them, and what that was taken for.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct RefusalText {
    /// The reply's code, 0 for none.
    pub code: u16,
    /// The text without its codes; control characters, ends of lines among them, as Rust escapes them.
    pub text: String,
    /// The phase's word.
    pub phase: String,
    /// The cause's word.
    pub cause: String,
    /// As in [`ToldApart`].
    pub confidence: String,
    /// As in [`ToldApart`].
    pub basis: String,
    /// Is it a text that a known server says?
    #[serde(default)]
    pub known: bool,
    /// How many.
    pub count: u64,
}

/// How the load generator itself fared.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Generator {
    /// What made the generator, and not the server, the limit, a sentence each; empty: nothing did. See the definitions.
    pub limited_by: Vec<String>,
    /// From the intended to the real start of each attempt and each command.
    pub late: Quantiles,
    /// Wanted sessions that were never begun, for want of a descriptor, a port or a place.
    pub dropped: u64,
    /// Connects that failed for want of a local port or descriptor.
    pub exhausted: u64,
    /// The most connections, control and data, that were open at once.
    pub open_max: u64,
    /// Descriptors that all processes together may have.
    pub descriptors: u64,
    /// The share of its threads' time that it computed.
    pub cpu_share: Option<f64>,
    /// The share of the machine's processor time that others had, the server among them if it runs here; `null`: not known.
    pub busy_share: Option<f64>,
    /// The share that the hypervisor took; `null`: not known.
    pub steal_share: Option<f64>,
    /// Threads that drove clients, over all processes.
    pub threads: u32,
    /// Processes.
    pub processes: u32,
    /// How long it ran, all replications together, seconds.
    pub ran_s: f64,
    /// Downloads that came whole, and whose content was checked.
    pub verified: u64,
    /// Downloads whose content was to be checked, and that did not come, or perhaps not whole.
    #[serde(default)]
    pub unverified: u64,
    /// Bytes of these that were not what they should be.
    pub corrupt_bytes: u64,
}
