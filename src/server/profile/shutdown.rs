//! The form of going down in a profile.

use serde::Deserialize;

use super::{Farewell, Line, Span};

/// Going down.
#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shutdown {
    /// An announced shutdown: what a new connection is told. Missing: it is refused by TCP.
    pub new: Option<Farewell>,
    /// An announced shutdown: what a live session is told at the deadline. Missing: nothing, a FIN.
    pub live: Option<Farewell>,
    /// Does a live session hear of it only as the answer to its next command (wu-ftpd)?
    #[serde(default)]
    pub live_at_next_command: bool,
    /// Are anonymous sessions cut without a word?
    #[serde(default)]
    pub anonymous_silently: bool,
    /// What becomes of a session in a transfer.
    #[serde(default)]
    pub transfer: InTransfer,
    /// How late the server notices that it was announced.
    #[serde(default)]
    pub noticed_after: Span,
    /// Does a server that notices the announcement before the deadline never cut anybody (ProFTPD)?
    #[serde(default)]
    pub forgets_deadline: bool,
    /// The greeting of a server that is up but not ready yet (RFC 959 section 5.4: 120); `{minutes}` is the wait.
    pub not_ready: Line,
    /// SIGTERM.
    pub sigterm: OnSignal,
    /// SIGHUP.
    pub sighup: OnSignal,
    /// SIGKILL of the listening process.
    pub sigkill: OnSignal,
    /// Where the facts come from.
    pub from: String,
}

/// What an announced shutdown does to a session in a transfer.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InTransfer {
    /// It is told and cut like the others.
    #[default]
    Told,
    /// It is cut without a word.
    Silent,
    /// It finishes its transfer first.
    Finishes,
}

/// What a signal does.
#[derive(Clone, Copy, PartialEq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OnSignal {
    /// The listening socket.
    pub listener: ListenerFate,
    /// Connections that have not logged in.
    pub pre_login: Fate,
    /// Sessions.
    pub session: Fate,
    /// Sessions in a transfer.
    pub transfer: Fate,
    /// From the signal to the end of those that end.
    #[serde(default)]
    pub after: Span,
}

/// What becomes of the listening socket.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ListenerFate {
    /// It stays; the configuration is read again.
    Stays,
    /// It is closed: new connections are refused.
    Closes,
    /// It stays open in the children: the kernel completes handshakes until the queue is full, and nobody greets.
    HalfDead,
}

/// What becomes of a connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// It lives on.
    Lives,
    /// It ends without a word.
    Silent,
    /// It is told as an announced shutdown tells it, and ends.
    Told,
    /// It finishes its transfer, and is then told and ended.
    Finishes,
}
