//! The load generator: the scenario's clients over real control and data connections, in real time.
//!
//! The clients are the machines of `client`, with the streams, arrivals and scripts that `sim` gives them. It does not count:
//! whatever is worth a number is handed to the caller as [`Heard`], in the order of its time.

mod actors;
mod collect;
mod data;
mod dialogue;
mod fleet;
mod health;
mod limits;
mod line;
mod marks;
mod refusals;
mod run;
mod schedule;
mod session;
mod shard;
mod sources;
mod spell;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use hdrhistogram::Histogram;

use crate::classify::Verdict;
use crate::id::PopulationId;
use crate::observe::{Observation, Refusal};
use crate::scenario::Scenario;
use crate::time::{Duration, Instant};

use super::clock::Epoch;
use super::tls::Terms;

pub use self::fleet::{Worker, work};
pub use self::limits::shortages;
pub use self::run::{lead, run};

/// Everything that a run under load must know.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Who comes, when, and what they do.
    pub scenario: Arc<Scenario>,
    /// Which replication's draws they make.
    pub replication: u32,
    /// When it begins.
    pub epoch: Epoch,
    /// Where the server is.
    pub target: Target,
    /// Where the clients come from.
    pub sources: Sources,
    /// Their passwords.
    pub accounts: Accounts,
    /// The server profile by whose texts refusals are told apart first; `None`: by all.
    pub profile: Option<String>,
    /// Is the target the scenario's own server? Then its texts, limits and timers are what refusals are told apart by.
    pub own: bool,
    /// Runtimes of this process, one thread each.
    pub threads: u32,
    /// Processes, this one included.
    pub processes: u32,
    /// Is the content of transfers checked?
    pub verify: bool,
    /// The client whose control connection is written down.
    pub dialogue: Option<(PopulationId, u32)>,
    /// How long clients that are still there at the end, or at an interrupt, have for their QUIT.
    pub grace: Duration,
}

/// Where the server is and how it is spoken to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Target {
    /// Its name as it was given, for TLS and for reports.
    pub host: String,
    /// Its address.
    pub address: SocketAddr,
    /// Does TLS begin with the first byte (`ftps://`)? Then it does for every client, whatever its population says.
    pub implicit_tls: bool,
    /// On what terms its clients speak TLS, if they do.
    pub tls: Terms,
    /// How the client asks for a data connection.
    pub data: DataForm,
}

/// How a client asks for a data connection. The machine only says: passive or active.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum DataForm {
    /// PASV and PORT over IPv4, EPSV and EPRT over IPv6.
    #[default]
    ByFamily,
    /// PASV and PORT.
    Classic,
    /// EPSV and EPRT (RFC 2428).
    Extended,
}

/// Where the clients come from: the map from the scenario's addresses to those of this machine.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Sources {
    /// All from wherever the kernel says.
    Kernel,
    /// The scenario's k-th address is the k-th of these, from `first` on; behind the last one it begins anew.
    Network {
        /// The first.
        first: IpAddr,
        /// How many there are.
        count: u32,
    },
}

/// The passwords of the scenario's accounts.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Accounts {
    /// Name and password. An account of the scenario that is not among them by name is one of them in turn; without any, it
    /// keeps its name, and its password is `ftp421`.
    pub listed: Vec<(String, String)>,
}

/// Nobody prints a password by mistake.
impl std::fmt::Debug for Accounts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Accounts").field("listed", &self.listed.len()).finish()
    }
}

/// What a run tells its caller.
#[derive(Clone, PartialEq, Debug, serde::Serialize, serde::Deserialize)]
pub enum Heard {
    /// Something worth a number. What belongs to the server in `sim` (connections, sessions, slots) is told from the clients'
    /// side.
    Mark {
        /// When, on the run's clock; never earlier than the mark before.
        at: Instant,
        /// What.
        observation: Observation,
        /// For [`Observation::Took`]: from the intended time, which it counts from, to the time at which it was really begun.
        late: Duration,
    },
    /// A refusal as it looked on the wire.
    Refusal {
        /// When.
        at: Instant,
        /// What it was taken for.
        refusal: Refusal,
        /// Why it was taken for that; `None`: the client itself knew (a timeout, a refused connect).
        verdict: Option<Verdict>,
        /// The reply's text, its lines joined by `\n`, without the codes; empty for none. At most 512 bytes.
        text: String,
    },
    /// The server said no to a login or to TLS, and that is no refusal: a wrong password, TLS that is not offered.
    No {
        /// When.
        at: Instant,
        /// What the client takes it for.
        refusal: Refusal,
        /// The reply's text, as that of a refusal.
        text: String,
    },
    /// The run is over: no mark follows. What is still there, for [`Recorder::finish`](crate::metrics::Recorder::finish).
    End {
        /// When: the scenario's end, or the interrupt.
        at: Instant,
        /// When the connections that are still open were opened.
        open_connections: Vec<Instant>,
        /// When the sessions that are still open were logged in.
        open_sessions: Vec<Instant>,
        /// The users that still want to be served, and since when.
        still_wanting: Vec<(PopulationId, Instant)>,
    },
    /// The control connection of [`Plan::dialogue`], behind the end.
    Dialogue(String),
}

impl Heard {
    /// When it happened.
    fn at(&self) -> Instant {
        match self {
            Self::Mark { at, .. } | Self::Refusal { at, .. } | Self::No { at, .. } | Self::End { at, .. } => {
                *at
            }
            Self::Dialogue(_) => Instant::NEVER,
        }
    }
}

/// How the generator itself fared.
#[derive(Clone, Debug)]
pub struct Health {
    /// From the intended to the real start of each attempt and each command, ns.
    pub late: Histogram<u64>,
    /// Wanted sessions that were not begun because the generator had no descriptor, port or place left.
    pub dropped: u64,
    /// Connects that failed for want of a local port or descriptor.
    pub exhausted: u64,
    /// The most connections that were open at once, control and data.
    pub open_max: u64,
    /// Descriptors that all processes together may have.
    pub descriptors: u64,
    /// Processor time of all processes of the generator, ns.
    pub cpu_ns: u64,
    /// Of the machine's processor time during the run, the share that was taken by others (`/proc/stat`), and by the hypervisor;
    /// `None`: not known.
    pub busy_share: Option<f64>,
    /// Stolen by the hypervisor.
    pub steal_share: Option<f64>,
    /// How long it ran, ns.
    pub wall_ns: u64,
    /// Threads that drove clients, over all processes.
    pub threads: u32,
    /// Processes.
    pub processes: u32,
    /// Bytes that were not what they should be, of the transfers whose content was checked.
    pub corrupt: u64,
    /// Downloads that came whole, and whose content was checked.
    pub verified: u64,
    /// Downloads whose content was to be checked, and that did not come, or perhaps not whole.
    pub unverified: u64,
}

/// What a run shows while it goes on: read by the progress line and, one day, by metrics.
#[derive(Debug, Default)]
#[expect(missing_docs, reason = "each is the number that its name says")]
pub struct Gauges {
    pub connections: AtomicU64,
    pub sessions: AtomicU64,
    pub attempts: AtomicU64,
    pub admitted: AtomicU64,
    pub turned_away: AtomicU64,
    pub cut: AtomicU64,
}

/// Why a run could not begin, or broke off.
#[derive(Debug)]
pub struct Trouble(pub String);
