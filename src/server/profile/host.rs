//! The form of what a server takes of its host in a profile: slots, the listener, costs, data connections, exhaustion.

use serde::Deserialize;

use super::{Farewell, Lasting, Line, Span};

/// The slot of a connection.
#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Slot {
    /// From the close to the free slot (the child is reaped).
    #[serde(default)]
    pub release: Lasting,
    /// The same for a connection that was refused by a process of its own.
    #[serde(default)]
    pub refused_release: Lasting,
    /// Where the facts come from.
    pub from: String,
}

/// The listening socket and the loop that accepts from it, one connection after the other.
#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listener {
    /// The backlog that the server asks for; Linux lets one more wait. 0: no bound is known.
    pub backlog: u32,
    /// One more for each so many clients of the limit on all clients (Pure-FTPd: 8); 0: the backlog is what it is.
    #[serde(default)]
    pub clients_each: u32,
    /// From one accept to the next: what the loop itself does for each connection, the fork included.
    #[serde(default)]
    pub accept: Lasting,
    /// How long it accepts nothing after a session's process has ended (ProFTPD).
    #[serde(default)]
    pub stall_after_exit: Span,
    /// Where the facts come from.
    pub from: String,
}

/// What the server takes of its host. The times are those of an idle host.
#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cost {
    /// From accept to the greeting.
    #[serde(default)]
    pub greeting: Span,
    /// From PASS to the 230.
    #[serde(default)]
    pub login: Span,
    /// Any other command.
    #[serde(default)]
    pub command: Span,
    /// A TLS handshake of a control connection: a signature, mostly.
    #[serde(default)]
    pub tls: Span,
    /// One of a data connection, which goes on with the session of the control connection.
    #[serde(default)]
    pub tls_resumed: Span,
    /// Does one thread do it all? If not, each session has a process or thread of its own and they share the host's cores.
    #[serde(default)]
    pub event_loop: bool,
    /// Kibibytes of memory for each session.
    #[serde(default)]
    pub memory_kib: u32,
    /// Descriptors of the listening process for each session; 0 if each session has a process, and descriptors, of its own.
    #[serde(default)]
    pub descriptors: u32,
    /// Processes for each session.
    #[serde(default)]
    pub processes: u32,
    /// Where the facts come from.
    pub from: String,
}

/// Data connections.
#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Data {
    /// The answer to PASV when every passive port is in use. Missing: the server takes a port outside of its range.
    pub no_port: Option<Farewell>,
    /// The answer to PASV when a limit that counts sockets is reached. Missing: the server has none.
    pub no_socket: Option<Farewell>,
    /// A transfer whose data connection was refused by the client's host.
    pub refused: Farewell,
    /// What a transfer command is told at once if its data connection is still to come; nothing more is then said when it does.
    /// Missing: nothing is said until it is there.
    pub early: Option<Line>,
    /// Is the data connection opened when PORT comes, which is answered when that has succeeded or failed (pyftpdlib)? If not, it
    /// is opened when a transfer needs it.
    #[serde(default)]
    pub connects_at_port: bool,
    /// Is a transfer without a data connection told so before its file is looked for?
    #[serde(default)]
    pub looked_at_first: bool,
    /// Does a data connection, or what listens for it, stay when a transfer is refused for want of a file?
    #[serde(default)]
    pub outlives_refusal: bool,
    /// How long a passive port cannot be used again after its connection has ended.
    #[serde(default)]
    pub port_rests: Span,
    /// Where the facts come from.
    pub from: String,
}

/// What is said when the host has no more to give.
#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exhausted {
    /// No descriptor, process or memory for a new connection.
    pub accept: Farewell,
    /// No descriptor for a data connection.
    pub data: Farewell,
    /// An upload to a full disk.
    pub disk: Farewell,
    /// Does the whole server die when memory runs out?
    #[serde(default)]
    pub crashes: bool,
    /// Where the facts come from.
    pub from: String,
}
