//! The server-PI: the policy machine for all connections of one server, without a clock or a socket.
//!
//! It never sends a byte: its driver does, as its [`Action`]s say.

mod admission;
mod ban;
mod data;
mod ending;
mod hang;
mod host;
mod knob;
mod listener;
mod login;
mod machine;
pub mod policy;
pub mod profile;
mod session;
mod shutdown;
mod side;
mod tally;
mod texts;
mod timers;
mod tls;
mod view;

pub use knob::Knob;
pub use machine::Server;
pub use policy::{BanOverride, HostSpec, Misfit, Overrides, Policy, ReplyEntry, ReplyId, ReplyTable, Word};
pub use profile::{Offence, Profile};
pub use texts::{Context, filled};
pub use view::{Banned, Seen};

use crate::digest::Digest;
use crate::ftp::Command;
use crate::id::{ConnId, PeerId, ServerId};
use crate::observe::{Cause, CloseHow, Observation};
use crate::rng::{Purpose, Stream, Streams};
use crate::time::Instant;

/// The class of addresses that the scenario calls unwelcome.
pub const DENIED: u8 = u8::MAX;

/// The random streams of a server.
#[derive(Clone, Copy, Debug)]
pub struct ServerStreams {
    /// Its delays of failed logins.
    pub delays: Stream,
    /// How long its own work takes.
    pub work: Stream,
}

impl ServerStreams {
    /// The streams of server number `server`.
    pub fn new(streams: Streams, server: ServerId) -> Self {
        let stream = |purpose| streams.stream(purpose, u32::from(server.0));
        Self { delays: stream(Purpose::LoginDelay), work: stream(Purpose::ServerWork) }
    }
}

/// What happens to a server.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Input {
    /// The kernel has a new connection from `peer`; it is called `conn` from now on.
    Accepted {
        /// The connection.
        conn: ConnId,
        /// The address that it comes from.
        peer: PeerId,
        /// The class of that address, as the scenario numbers them from 1; 0 for none, [`DENIED`] for one that is not welcome.
        class: u8,
    },
    /// The same at the port where TLS begins with the first byte.
    AcceptedTls {
        /// The connection.
        conn: ConnId,
        /// The address that it comes from.
        peer: PeerId,
        /// The class of that address.
        class: u8,
    },
    /// The client's half of a TLS handshake has come. A driver whose handshakes are real, and cost what they cost, does not say so.
    TlsHello {
        /// On which connection.
        conn: ConnId,
    },
    /// The TLS handshake is complete.
    TlsDone {
        /// On which connection.
        conn: ConnId,
    },
    /// It failed.
    TlsFailed {
        /// On which connection.
        conn: ConnId,
    },
    /// A complete command line was read.
    Command {
        /// On which connection.
        conn: ConnId,
        /// What it says.
        command: Command,
    },
    /// Bytes without a line end were read.
    Bytes {
        /// On which connection.
        conn: ConnId,
    },
    /// A line that is longer than this server reads has come.
    LineTooLong {
        /// On which connection.
        conn: ConnId,
    },
    /// The data connection is established.
    DataOpened {
        /// Of which control connection.
        conn: ConnId,
    },
    /// The client's host refused the data connection, or it broke.
    DataFailed {
        /// Of which control connection.
        conn: ConnId,
    },
    /// The files have no room for the rest of the upload.
    StoreFull {
        /// Of which control connection.
        conn: ConnId,
    },
    /// The transfer moves at another rate from now on. One that was never heard of moves well.
    Progress {
        /// Of which control connection.
        conn: ConnId,
        /// Bytes per second; 0: it stands still.
        rate: u32,
    },
    /// The transfer is complete and its data connection closed.
    TransferDone {
        /// Of which control connection.
        conn: ConnId,
    },
    /// The peer has closed or reset the connection, or it was found dead.
    Closed {
        /// Which.
        conn: ConnId,
    },
    /// A firing that was asked for, or any other: timers are hints.
    TimerFired {
        /// Of which connection.
        conn: ConnId,
    },
    /// The same for a firing of the server as a whole.
    ServerTimerFired,
    /// Somebody tells the server something.
    Control(Control),
}

/// What a server wants done.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Action {
    /// Send a reply, not before `at`. Replies of one connection go out in order.
    Reply {
        /// On which connection.
        conn: ConnId,
        /// Which reply of the policy's table.
        reply: ReplyId,
        /// When.
        at: Instant,
    },
    /// Begin TLS behind the last reply, which goes out at `at`, and hand in [`Input::TlsDone`] or [`Input::TlsFailed`].
    StartTls {
        /// On which connection.
        conn: ConnId,
        /// When.
        at: Instant,
    },
    /// The server's half of the handshake is ready at `at`: the answer to [`Input::TlsHello`].
    AnswerHello {
        /// On which connection.
        conn: ConnId,
        /// When.
        at: Instant,
    },
    /// Close the connection behind its last reply.
    Close {
        /// Which.
        conn: ConnId,
        /// How.
        how: CloseHow,
        /// Why, if it was refused or cut. No peer learns it from the wire; a simulated client is told for the statistics.
        cause: Option<Cause>,
    },
    /// Hand in [`Input::TimerFired`] at `at`, or at once if that is past.
    Arm {
        /// For which connection.
        conn: ConnId,
        /// When.
        at: Instant,
    },
    /// Hand in [`Input::ServerTimerFired`] at `at`, or at once if that is past.
    ArmServer {
        /// When.
        at: Instant,
    },
    /// Open the data connection to the client, which has said PORT, at `at`.
    ConnectData {
        /// Of which control connection.
        conn: ConnId,
        /// When.
        at: Instant,
    },
    /// Close the data connection, whatever it has moved.
    AbortData {
        /// Of which control connection.
        conn: ConnId,
    },
    /// Begin to move the data of the transfer that was just answered with 150, at `at`.
    StartTransfer {
        /// Of which control connection.
        conn: ConnId,
        /// When.
        at: Instant,
    },
    /// The slot is free: the id may be used again.
    Free {
        /// Which.
        conn: ConnId,
    },
    /// Open or close the listener.
    Listen {
        /// Open?
        up: bool,
    },
    /// Something worth a number has happened.
    Observe(Observation),
}

const _: () = assert!(size_of::<Input>() <= 16 && size_of::<Action>() <= 56);

/// What an administrator, a signal or a fault tells the server.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Control {
    /// Close the listener: new connections are refused by TCP. Live sessions go on.
    StopListening,
    /// Open it again.
    Listen,
    /// Announce a shutdown: new connections meet the profile's shutdown reply.
    Announce,
    /// End all live sessions as an announced shutdown does at its deadline.
    CutAnnounced,
    /// End all live sessions with a FIN.
    Cut,
    /// End all live sessions with a reset.
    Crash,
    /// Stop answering: connections are still accepted by the kernel, and nothing is read.
    Hang,
    /// Answer again, first what has waited.
    Resume,
    /// Open the listener, but greet with 120 for so long: the server is up and not ready (RFC 959 section 5.4).
    ListenNotReady {
        /// Seconds.
        secs: u32,
    },
    /// A signal to the listening process; what it does stands in the profile.
    Signal(Signal),
    /// Set the listen backlog; `u32::MAX`: the profile's own.
    SetBacklog(u32),
    /// Whatever the server's processors do takes so many per cent of its usual time; 100 is usual.
    SetSlowness(u32),
    /// So many of the host's descriptors are taken by nobody's session.
    LeakDescriptors(u32),
    /// The disk is full, or no longer.
    FillDisk(bool),
    /// Set the limit at this place in check order, as an administrator writes it (0 is no limit).
    SetLimit {
        /// Its place in check order.
        check: u8,
        /// The new limit.
        limit: u32,
    },
    /// Set something else of the configuration. It holds for live sessions, too.
    SetKnob {
        /// What.
        knob: Knob,
        /// Its value, in the knob's own unit.
        value: u32,
    },
    /// Ban an address. Who comes from there meets what the profile's ban is, or its list of unwelcome addresses; if it has neither, a
    /// reset, as a packet filter's.
    Ban {
        /// The address.
        peer: PeerId,
        /// For so many seconds; `u32::MAX`: for good.
        secs: u32,
    },
    /// Lift each ban of an address and forget its offences.
    Unban {
        /// The address.
        peer: PeerId,
    },
    /// End the live sessions from an address with a FIN, or with a reset, as an administrator can from outside of the server.
    Part {
        /// The address.
        peer: PeerId,
        /// By a reset?
        reset: bool,
    },
}

/// A signal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Signal {
    /// Please end.
    Term,
    /// The terminal is gone, or: read the configuration again.
    Hup,
    /// End at once.
    Kill,
}

impl Input {
    /// The connection that it is about, if it is about one.
    pub const fn conn(&self) -> Option<ConnId> {
        match *self {
            Self::Accepted { conn, .. }
            | Self::AcceptedTls { conn, .. }
            | Self::TlsHello { conn }
            | Self::TlsDone { conn }
            | Self::TlsFailed { conn }
            | Self::Command { conn, .. }
            | Self::Bytes { conn }
            | Self::LineTooLong { conn }
            | Self::DataOpened { conn }
            | Self::DataFailed { conn }
            | Self::Progress { conn, .. }
            | Self::StoreFull { conn }
            | Self::TransferDone { conn }
            | Self::Closed { conn }
            | Self::TimerFired { conn } => Some(conn),
            Self::ServerTimerFired | Self::Control(_) => None,
        }
    }

    /// Takes the input that comes at `now` into the digest of the run.
    #[inline(always)]
    pub fn fold(&self, now: Instant, digest: &mut Digest) {
        let mut word = |tag: u64, conn: ConnId, more: u64| {
            digest.pair(now.as_nanos(), tag << 56 | more << 32 | u64::from(conn.0));
        };
        match *self {
            Self::Accepted { conn, peer, class } => {
                word(1, conn, u64::from(class));
                digest.word(u64::from(peer.0));
            }
            Self::Command { conn, command } => {
                word(2, conn, (command.verb as u64) << 16 | u64::from(command.arg.0));
            }
            Self::DataOpened { conn } => word(3, conn, 0),
            Self::TransferDone { conn } => word(4, conn, 0),
            Self::Closed { conn } => word(5, conn, 0),
            Self::TimerFired { conn } => word(6, conn, 0),
            Self::Bytes { conn } => word(9, conn, 0),
            Self::LineTooLong { conn } => word(10, conn, 0),
            Self::DataFailed { conn } => word(11, conn, 0),
            Self::StoreFull { conn } => word(29, conn, 0),
            Self::Progress { conn, rate } => {
                word(12, conn, 0);
                digest.word(u64::from(rate));
            }
            Self::ServerTimerFired => word(13, ConnId(0), 0),
            Self::AcceptedTls { conn, peer, class } => {
                word(14, conn, u64::from(class));
                digest.word(u64::from(peer.0));
            }
            Self::TlsHello { conn } => word(15, conn, 0),
            Self::TlsDone { conn } => word(16, conn, 0),
            Self::TlsFailed { conn } => word(26, conn, 0),
            Self::Control(Control::SetLimit { check, limit }) => word(7, ConnId(limit), u64::from(check)),
            Self::Control(control) => {
                let (kind, value) = control.numbers();
                word(8, ConnId(value), kind);
                if let Control::Ban { secs, .. } = control {
                    digest.word(u64::from(secs));
                }
            }
        }
    }
}

impl Control {
    /// A number for each kind of control, and its value.
    const fn numbers(self) -> (u64, u32) {
        match self {
            Self::StopListening => (0, 0),
            Self::Listen => (1, 0),
            Self::Announce => (2, 0),
            Self::CutAnnounced => (3, 0),
            Self::Cut => (4, 0),
            Self::Crash => (5, 0),
            Self::Hang => (6, 0),
            Self::Resume => (7, 0),
            Self::SetLimit { limit, .. } => (8, limit),
            Self::ListenNotReady { secs } => (9, secs),
            Self::Signal(signal) => (10, signal as u32),
            Self::SetBacklog(backlog) => (11, backlog),
            Self::SetSlowness(percent) => (12, percent),
            Self::LeakDescriptors(count) => (13, count),
            Self::FillDisk(full) => (14, full as u32),
            Self::Ban { peer, .. } => (15, peer.0),
            Self::Unban { peer } => (16, peer.0),
            Self::Part { peer, reset } => (17 + reset as u64, peer.0),
            Self::SetKnob { knob, value } => (32 + knob as u64, value),
        }
    }
}

impl Action {
    /// Takes the action into the digest of the run. An observation changes nothing and is left out.
    #[inline(always)]
    pub fn fold(&self, digest: &mut Digest) {
        let mut pair = |tag: u64, conn: ConnId, more: u64, other: u64| {
            digest.pair(tag << 56 | more << 32 | u64::from(conn.0), other);
        };
        match *self {
            Self::Reply { conn, reply, at } => pair(17, conn, u64::from(reply.0), at.as_nanos()),
            Self::Close { conn, how, cause } => {
                pair(18, conn, (how as u64) << 8 | cause.map_or(0xff, |c| c.index() as u64), 0);
            }
            Self::Arm { conn, at } => pair(19, conn, 0, at.as_nanos()),
            Self::StartTransfer { conn, at } => pair(20, conn, 0, at.as_nanos()),
            Self::ArmServer { at } => pair(23, ConnId(0), 0, at.as_nanos()),
            Self::ConnectData { conn, at } => pair(24, conn, 0, at.as_nanos()),
            Self::AbortData { conn } => pair(25, conn, 0, 0),
            Self::StartTls { conn, at } => pair(27, conn, 0, at.as_nanos()),
            Self::AnswerHello { conn, at } => pair(28, conn, 0, at.as_nanos()),
            Self::Free { conn } => pair(21, conn, 0, 0),
            Self::Listen { up } => pair(22, ConnId(u32::from(up)), 0, 0),
            Self::Observe(_) => {}
        }
    }
}
