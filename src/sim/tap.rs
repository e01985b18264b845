//! A tap on the wires: what a person would see of a run, told as it happens.
//!
//! It changes nothing, and costs nothing when nobody listens.

use crate::ftp::Command;
use crate::id::{PeerId, PopulationId, ServerId};
use crate::observe::{Cause, CloseHow, Observation};
use crate::server::ReplyEntry;
use crate::time::Instant;

/// The client that something happens to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Who {
    /// Its population.
    pub population: PopulationId,
    /// Its number there.
    pub index: u32,
    /// Which of its wanted sessions.
    pub session: u32,
    /// Its address.
    pub peer: PeerId,
}

/// What happens, at the client's end of the wire.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Happening<'a> {
    /// It sends its first SYN.
    Connect {
        /// The server that the name points to, as this client knows it.
        to: ServerId,
    },
    /// The connection is established.
    Connected,
    /// It is not.
    ConnectFailed(Cause),
    /// It sends a command.
    Command(Command),
    /// A reply arrives. `unread`: nobody looks at it before the next command.
    Reply {
        /// The reply.
        reply: &'a ReplyEntry,
        /// Connections at the server just now.
        connections: u32,
        /// The bytes of the connection's transfer, if there is one.
        bytes: u64,
        /// Does it wait to be read?
        unread: bool,
    },
    /// The server's close arrives.
    Closed {
        /// How.
        how: CloseHow,
        /// Why, if the server had a reason: no client knows it.
        cause: Option<Cause>,
        /// Does it wait to be noticed?
        unread: bool,
    },
    /// The TLS handshake of the control connection is complete.
    Secured,
    /// The data connection is established, or has come to its end, at the client's end.
    Data {
        /// Is it open from now on?
        open: bool,
    },
    /// It closes the connection.
    Disconnect,
    /// It vanishes.
    Vanish,
    /// It is done with this wanted session.
    Finish,
}

/// Somebody who listens.
pub trait Tap {
    /// False if nobody does, so that nothing is even put together.
    const LISTENS: bool = true;

    /// Does it want to hear of this client? It is asked first, so that nothing is put together in vain. Of whom it is told all the
    /// same it makes nothing.
    fn wants(&self, _population: PopulationId, _index: u32) -> bool {
        true
    }

    /// Something happens.
    fn happens(&mut self, now: Instant, who: Who, what: Happening<'_>);

    /// A client says something that is worth a number.
    fn observes(&mut self, _now: Instant, _what: &Observation) {}

    /// Has it heard enough? The run then ends before its next event.
    fn has_enough(&self) -> bool {
        false
    }
}

/// Nobody.
impl Tap for () {
    const LISTENS: bool = false;

    fn happens(&mut self, _: Instant, _: Who, _: Happening<'_>) {}
}

/// Perhaps somebody.
impl<T: Tap> Tap for Option<T> {
    fn wants(&self, population: PopulationId, index: u32) -> bool {
        self.as_ref().is_some_and(|tap| tap.wants(population, index))
    }

    fn happens(&mut self, now: Instant, who: Who, what: Happening<'_>) {
        if let Some(tap) = self {
            tap.happens(now, who, what);
        }
    }

    fn observes(&mut self, now: Instant, what: &Observation) {
        if let Some(tap) = self {
            tap.observes(now, what);
        }
    }

    fn has_enough(&self) -> bool {
        self.as_ref().is_some_and(Tap::has_enough)
    }
}

/// Somebody else's listener.
impl<T: Tap> Tap for &mut T {
    fn wants(&self, population: PopulationId, index: u32) -> bool {
        (**self).wants(population, index)
    }

    fn happens(&mut self, now: Instant, who: Who, what: Happening<'_>) {
        (**self).happens(now, who, what);
    }

    fn observes(&mut self, now: Instant, what: &Observation) {
        (**self).observes(now, what);
    }

    fn has_enough(&self) -> bool {
        (**self).has_enough()
    }
}

/// Two listeners.
impl<A: Tap, B: Tap> Tap for (A, B) {
    fn wants(&self, population: PopulationId, index: u32) -> bool {
        self.0.wants(population, index) || self.1.wants(population, index)
    }

    fn happens(&mut self, now: Instant, who: Who, what: Happening<'_>) {
        self.0.happens(now, who, what);
        self.1.happens(now, who, what);
    }

    fn observes(&mut self, now: Instant, what: &Observation) {
        self.0.observes(now, what);
        self.1.observes(now, what);
    }

    fn has_enough(&self) -> bool {
        self.0.has_enough() || self.1.has_enough()
    }
}
