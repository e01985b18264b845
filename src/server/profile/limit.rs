//! The form of a limit in a profile.

use serde::Deserialize;

use super::{Farewell, Span};
use crate::observe::Cause;

/// When a limit is checked.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// At accept, instead of the greeting.
    Accept,
    /// When USER comes, but told only as the answer to PASS, right or wrong (wu-ftpd).
    User,
    /// When PASS comes, before the password is looked at (bftpd).
    Password,
    /// When the right password has come.
    Login,
    /// When a download is asked for.
    Download,
}

/// What a limit counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Counts {
    /// Connections that were let in and whose slot is not yet free, logged in or not.
    Connections,
    /// Those, and processes that only refuse: all children of the listener until they are reaped.
    Processes,
    /// Those of the processes that were forked within the limit's `window` and are still alive.
    Recent,
    /// Control connections and open or listening data sockets.
    Sockets,
    /// Logged-in sessions.
    Sessions,
    /// Different addresses with logged-in sessions (ProFTPD's `MaxHostsPerUser`).
    Hosts,
    /// The host's load average over the last minute.
    Load,
}

/// Whose connections or sessions a limit counts together.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Per {
    /// All of the server's.
    Server,
    /// Those of one source address.
    Address,
    /// Those of one account.
    User,
    /// Those of one class of addresses, as the scenario defines them.
    Class,
}

/// For whom a limit is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Whom {
    /// Everybody.
    #[default]
    All,
    /// Users with an account.
    Named,
    /// Anonymous users.
    Anonymous,
}

/// A limit.
#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limit {
    /// The name that a scenario sets it by.
    pub knob: String,
    /// The server's own name for it.
    pub setting: String,
    /// Why a client that meets it is refused.
    pub cause: Cause,
    /// When it is checked.
    pub stage: Stage,
    /// What it counts.
    pub counts: Counts,
    /// Whose.
    pub per: Per,
    /// Who is checked.
    #[serde(default)]
    pub whom: Whom,
    /// Out of the box: this many are let in; 0 is no limit.
    pub default: u32,
    /// `recent`: within this time.
    #[serde(default)]
    pub window: Span,
    /// Places of the limit that the server itself takes (pyftpdlib counts its listening socket).
    #[serde(default)]
    pub reserved: u32,
    /// Passive ports that each client needs: the limit is never more than the ports divided by this (Pure-FTPd: 2).
    #[serde(default)]
    pub passive_ports_each: u32,
    /// Is it compared with `==` only, so that a limit that was lowered below the present number does not bind (bftpd)?
    #[serde(default)]
    pub only_when_equal: bool,
    /// `class`: do addresses of no class make up a class of their own? If not, the limit is not for them.
    #[serde(default)]
    pub classless_too: bool,
    /// What the refused client sees.
    pub refusal: Farewell,
    /// Where the fact comes from.
    pub from: String,
}

impl Stage {
    /// How many there are.
    pub const COUNT: usize = Self::Download as usize + 1;

    /// When, in words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Accept => "at accept",
            Self::User => "at USER, told after PASS",
            Self::Password => "at PASS, before the password is checked",
            Self::Login => "at login",
            Self::Download => "at a download",
        }
    }
}

impl Counts {
    /// What is counted, in words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Connections => "connections",
            Self::Processes => "processes until they are reaped",
            Self::Recent => "processes still alive that began a short time ago",
            Self::Sockets => "sockets, those for data too",
            Self::Sessions => "logged-in sessions",
            Self::Hosts => "hosts with sessions",
            Self::Load => "load average",
        }
    }

    /// Does it count what has logged in only?
    pub const fn is_of_sessions(self) -> bool {
        matches!(self, Self::Sessions | Self::Hosts)
    }
}

impl Per {
    /// Whose, in words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Server => "of the server",
            Self::Address => "of one address",
            Self::User => "of one user",
            Self::Class => "of one class of addresses",
        }
    }
}
