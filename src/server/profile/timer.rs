//! The form of the timers in a profile.

use serde::Deserialize;

use super::{Farewell, Span};

/// The timers. A missing one is a timer that the server does not have.
#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Timers {
    /// How late every timer fires.
    #[serde(default)]
    pub lateness: Span,
    /// Where the lateness is known from.
    #[serde(default)]
    pub lateness_from: String,
    /// From the accepted connection to the login. Missing: nobody is hurried.
    pub login: Option<Timer>,
    /// Without a command, logged in.
    pub idle: Option<Timer>,
    /// With nothing but keep-alive commands (NOOP, PWD, CWD, TYPE, REST): the answer to the next of them.
    pub noop_idle: Option<Timer>,
    /// From the last reply to the end of a line that has begun.
    pub line: Option<Timer>,
    /// Without a transfer.
    pub no_transfer: Option<Timer>,
    /// From login, whatever happens.
    pub session: Option<Timer>,
    /// From the command that needs it, or from PASV, to the data connection.
    pub data_connect: Option<Timer>,
    /// Without progress in a transfer.
    pub stalled: Option<Stalled>,
}

/// A timer.
#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct Timer {
    /// Out of the box; `"0s"` is off. A timer that follows another has none of its own.
    #[serde(default)]
    pub after: Span,
    /// It is this many times the idle timer, whatever that is set to; 0 if it is a timer of its own.
    #[serde(default)]
    pub times_idle: u64,
    /// Login timer: does each command start it again? (The idle timer always is, the session timer never.)
    #[serde(default)]
    pub rearmed_by_command: bool,
    /// Idle timer: does a NOOP not start it again?
    #[serde(default)]
    pub ignores_noop: bool,
    /// Idle and login timers: do bytes without a line end start it again?
    #[serde(default)]
    pub rearmed_by_bytes: bool,
    /// Idle timer: the most that a client may set by SITE IDLE; zero: there is no such command.
    #[serde(default)]
    pub site_idle_max: Span,
    /// Data-connection timer: does it run from PASV on, and not from the command that needs the connection?
    #[serde(default)]
    pub from_pasv: bool,
    /// What the client sees.
    pub refusal: Farewell,
    /// Data-connection timer: what it sees if the server was to connect to it. Missing: the same.
    pub refusal_active: Option<Farewell>,
    /// Where the fact comes from.
    pub from: String,
}

/// The timer of a transfer without progress.
#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stalled {
    /// Out of the box; `"0s"` is off.
    #[serde(default)]
    pub after: Span,
    /// It is this many times the idle timer; 0 if it is a timer of its own.
    #[serde(default)]
    pub times_idle: u64,
    /// Is progress looked at every `after` from the transfer's beginning? It then fires at the first look that finds none since
    /// the look before, 1 to 2 times `after` behind the last byte. If not, it fires `after` behind the last byte.
    #[serde(default)]
    pub ticks: bool,
    /// So many more times `after` until the end of a download is told (vsftpd lingers in close).
    #[serde(default)]
    pub download_lingers: u64,
    /// A transfer below this many bytes a second makes no progress.
    #[serde(default)]
    pub least_rate: u32,
    /// What a stalled upload meets.
    pub upload: Farewell,
    /// What a stalled download or listing meets.
    pub download: Farewell,
    /// Where the fact comes from.
    pub from: String,
}
