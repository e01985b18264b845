//! Telling refusals apart from outside: from what a client saw of one to its most likely cause.
//!
//! It knows the texts of the server profiles; it does not know what any server really thought. Every verdict says how sure it is
//! and what it rests on.

use crate::ftp::Verb;
use crate::observe::{Cause, CloseHow, Phase};
use crate::time::Duration;

/// What a client saw of something that may be a refusal.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Evidence<'a> {
    /// The reply's code, 0 for none: the connection ended without a word.
    pub code: u16,
    /// The reply's text, its lines joined by `\n`, without the codes.
    pub text: &'a str,
    /// Where the dialogue stood.
    pub phase: Phase,
    /// The command that it answers; `None`: nobody had asked.
    pub answers: Option<Verb>,
    /// How the connection ended, if it did.
    pub close: Option<CloseHow>,
    /// From the established connection to now.
    pub connected: Duration,
    /// From the last command that was sent, or the established connection, to now.
    pub quiet: Duration,
    /// The same, commands that only keep a session alive left out.
    pub idle: Duration,
    /// Did the client itself send a wrong password last?
    pub mistyped: bool,
    /// How many passwords it has tried over this connection.
    pub tries: u8,
    /// Connections that this generator has open: in all, from this address, and logged in as this user.
    pub open: u32,
    /// From this address.
    pub open_here: u32,
    /// Sessions as this user.
    pub open_user: u32,
    /// Attempts that began within the last second from this address.
    pub recent_here: u32,
    /// Wrong passwords that were sent from this address before.
    pub mistyped_here: u32,
    /// Sessions of others that ended within the last second without having asked for it.
    pub cut_beside: u32,
}

/// What a refusal was taken for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub struct Verdict {
    /// The cause.
    pub cause: Cause,
    /// How sure that is.
    pub confidence: Confidence,
    /// What it rests on.
    pub basis: Basis,
}

/// How sure a verdict is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Confidence {
    /// Some cause had to be named.
    Guess,
    /// It fits well, and little else does.
    Likely,
    /// A server says this for nothing else.
    Certain,
}

/// What a verdict rests on.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// A known server's text.
    Text,
    /// Words that any server may use.
    Words,
    /// When it came.
    Timing,
    /// Where it came, and what else was open.
    Position,
    /// What TCP did.
    Network,
}

/// Tells refusals apart.
#[derive(Clone, Debug, Default)]
pub struct Classifier {}

impl Classifier {
    /// One that looks at the texts of `profile` before those of all others; `None`: at all alike.
    pub fn new(profile: Option<&str>) -> Self {
        let _ = profile;
        Self {}
    }

    /// What `evidence` is to be taken for; `None`: it refuses nothing.
    pub fn judge(&self, evidence: &Evidence<'_>) -> Option<Verdict> {
        (evidence.code == 0 || evidence.code >= 400).then_some(Verdict {
            cause: Cause::CriticalError,
            confidence: Confidence::Guess,
            basis: Basis::Position,
        })
    }
}
