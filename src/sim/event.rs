//! What is entered in the calendar: the events of a world, eight bytes each.
//!
//! It does not say what follows from one: `world` does.

use crate::ftp::{Command, Verb};
use crate::id::{ConnId, PopulationId, ServerId};
use crate::observe::{Cause, CloseHow};

/// An entry of the calendar.
#[derive(Clone, Copy, Debug)]
pub(super) enum Event {
    /// The next client of a population comes.
    Arrive { population: PopulationId },
    /// The client that pauses at this place wants its next session.
    Again { population: PopulationId, place: u32 },
    /// A client's timer.
    ClientTimer { client: u32 },
    /// The timer of a user with several connections.
    ActorTimer { user: u32 },
    /// The server's timer for a connection.
    ConnTimer { conn: ConnId },
    /// A server's own timer.
    ServerTimer { server: ServerId },
    /// A SYN reaches a server's host.
    Syn { client: u32, serial: u16, syn: Syn },
    /// A connect fails at the client.
    ConnectFailed { client: u32, serial: u16, timed_out: bool },
    /// The handshake is complete at the client.
    Connected { conn: ConnId },
    /// A command reaches the server.
    CommandArrives { conn: ConnId, command: SmallCommand },
    /// A reply reaches the client.
    ReplyArrives { conn: ConnId, reply: u16 },
    /// The client's FIN reaches the server.
    ClosedByClient { conn: ConnId },
    /// The server's FIN or RST reaches the client.
    ClosedByServer { conn: ConnId, how: CloseHow, cause: Option<Cause> },
    /// The client's half of a TLS handshake reaches the server.
    TlsHello { conn: ConnId },
    /// The server's half reaches the client.
    TlsAnswered { conn: ConnId },
    /// The end of the handshake reaches the server.
    TlsFinished { conn: ConnId },
    /// A message of the handshake of a data connection reaches its other end; so many follow. The last one reaches the server.
    DataShakes { conn: ConnId, left: u8, serial: u16 },
    /// The data connection is established at the server.
    DataAtServer { conn: ConnId },
    /// The data connection is established at the client.
    DataAtClient { conn: ConnId },
    /// The server's SYN for a data connection reaches the client.
    DataSyn { conn: ConnId },
    /// The end of the data connection reaches the client.
    DataEnds { conn: ConnId, whole: bool },
    /// The bytes of a transfer begin to move.
    TransferBegins { conn: ConnId, serial: u16 },
    /// All bytes of a transfer are through.
    TransferDone { conn: ConnId, serial: u16 },
    /// The next transfer of a server is through.
    PipeDue { server: ServerId, up: bool },
    /// A partition is over for a population.
    PathOpens { population: PopulationId },
    /// A fault's next control.
    Fault { fault: u16, step: u16 },
}

/// Whose state an event is about to touch.
#[derive(Clone, Copy, Debug)]
pub(super) enum Whose {
    /// That of the client in this slot.
    Client(u32),
    /// That of the client at the end of this connection.
    Reader(ConnId),
    /// That of the server about this connection.
    Server(ConnId),
    /// Nobody's, or that of many.
    Nobody,
}

impl Event {
    /// Whose state it is about to touch.
    pub(super) const fn whose(self) -> Whose {
        match self {
            Self::ClientTimer { client } | Self::Syn { client, .. } | Self::ConnectFailed { client, .. } => {
                Whose::Client(client)
            }
            Self::Connected { conn }
            | Self::ReplyArrives { conn, .. }
            | Self::ClosedByServer { conn, .. }
            | Self::TlsAnswered { conn }
            | Self::DataAtClient { conn }
            | Self::DataSyn { conn }
            | Self::DataEnds { conn, .. } => Whose::Reader(conn),
            Self::ConnTimer { conn }
            | Self::CommandArrives { conn, .. }
            | Self::ClosedByClient { conn }
            | Self::TlsHello { conn }
            | Self::TlsFinished { conn }
            | Self::DataShakes { conn, .. }
            | Self::DataAtServer { conn }
            | Self::TransferBegins { conn, .. }
            | Self::TransferDone { conn, .. } => Whose::Server(conn),
            Self::Arrive { .. }
            | Self::Again { .. }
            | Self::ActorTimer { .. }
            | Self::ServerTimer { .. }
            | Self::PipeDue { .. }
            | Self::PathOpens { .. }
            | Self::Fault { .. } => Whose::Nobody,
        }
    }
}

/// A command without padding: a verb and an argument in three bytes.
#[derive(Clone, Copy, Debug)]
#[repr(Rust, packed)]
pub(super) struct SmallCommand {
    pub(super) arg: u16,
    pub(super) verb: Verb,
}

impl SmallCommand {
    /// This command.
    pub(super) const fn of(command: Command) -> Self {
        Self { arg: command.arg.0, verb: command.verb }
    }
}

/// Where a SYN goes, and how many went before it, in one byte.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Syn(u8);

impl Syn {
    /// SYN number `tries` (from 0) to `server`.
    pub(super) const fn new(server: ServerId, tries: u8) -> Self {
        Self(server.0 << 4 | tries)
    }

    /// Where it goes.
    pub(super) const fn server(self) -> ServerId {
        ServerId(self.0 >> 4)
    }

    /// How many went before it.
    pub(super) const fn tries(self) -> u8 {
        self.0 & 0xf
    }
}

const _: () = assert!(size_of::<Event>() == 8 && ServerId::MOST <= 16);
