//! What a scenario changes about a profile, and what it cannot change.
//!
//! It is read by `scenario` and compiled by [`Policy::new`](super::Policy::new).

use super::HostSpec;
use crate::id::UserId;
use crate::server::profile::{BanBy, Offence, TlsMode};
use crate::time::Duration;

/// What a scenario changes about a profile. `None` keeps the profile's own value.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Overrides {
    /// Limits by knob, as an administrator writes them; 0 is no limit.
    pub limits: Vec<(String, u32)>,
    /// The number of passive ports; `None`: they never run out.
    pub passive_ports: Option<u32>,
    /// The login timer; zero is off, as for each timer.
    pub login_timeout: Option<Duration>,
    /// The idle timer.
    pub idle_timeout: Option<Duration>,
    /// The timer of those who only keep alive.
    pub noop_idle_timeout: Option<Duration>,
    /// The timer of an unfinished line.
    pub line_timeout: Option<Duration>,
    /// The no-transfer timer.
    pub no_transfer_timeout: Option<Duration>,
    /// The session timer.
    pub session_timeout: Option<Duration>,
    /// The timer of a data connection that does not come.
    pub data_connect_timeout: Option<Duration>,
    /// The timer of a transfer without progress.
    pub stalled_timeout: Option<Duration>,
    /// Wrong passwords until the session ends.
    pub max_login_attempts: Option<u32>,
    /// The wait before the answer to a wrong password.
    pub login_fail_delay: Option<Duration>,
    /// Users that are not welcome.
    pub denied_users: Vec<UserId>,
    /// Are there addresses that are not welcome? Which they are, the driver knows.
    pub denied_addresses: bool,
    /// The ban rule.
    pub ban: Option<BanOverride>,
    /// The administrator's message in a shutdown or ban text.
    pub message: Option<String>,
    /// Times to answer; they replace the profile's three.
    pub greeting_cost: Option<Duration>,
    /// From PASS to the 230.
    pub login_cost: Option<Duration>,
    /// Any other command.
    pub command_cost: Option<Duration>,
    /// From a client's half of a TLS handshake to the server's.
    pub tls_cost: Option<Duration>,
    /// Does it speak TLS?
    pub tls: Option<TlsMode>,
    /// What all transfers together get each way, in bytes per second.
    pub bandwidth: Option<u64>,
    /// The host that it runs on.
    pub host: HostSpec,
}

/// A ban rule as a scenario writes it; what it leaves out is the profile's.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct BanOverride {
    /// What counts.
    pub offence: Option<Offence>,
    /// How many of them.
    pub threshold: Option<u32>,
    /// Within this time of the first.
    pub window: Option<Duration>,
    /// For this long.
    pub duration: Option<Duration>,
    /// Who is banned.
    pub by: Option<BanBy>,
}

/// Why an override does not fit its profile.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Misfit {
    /// The override's key.
    pub key: String,
    /// What the profile lacks, and what it has instead.
    pub why: String,
}
