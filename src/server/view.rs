//! What an administrator sees of a server: who is connected, and who is banned.
//!
//! It changes nothing.

use super::Server;
use super::session::Session;
use crate::id::{ConnId, PeerId, UserId};
use crate::time::Instant;

/// An open connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Seen {
    /// Which.
    pub conn: ConnId,
    /// Its address.
    pub peer: PeerId,
    /// Is it logged in?
    pub is_logged_in: bool,
}

/// Who is banned.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Banned {
    /// An address.
    Address(PeerId),
    /// An account.
    User(UserId),
    /// An account from an address.
    Both(UserId, PeerId),
}

impl Server {
    /// Every open connection.
    pub fn connections(&self) -> impl Iterator<Item = Seen> {
        let open = (0..).zip(&self.sessions).filter(|(_, session)| session.is_open());
        open.map(|(place, session)| Seen {
            conn: ConnId::new(self.id, place),
            peer: session.peer,
            is_logged_in: session.is_logged_in(),
        })
    }

    /// For how many addresses it has room or remembers an offence: it follows those that are there, not those that ever came.
    pub fn addresses(&self) -> usize {
        self.peers.room() + self.bans.addresses()
    }

    /// The bans in force, and when each is over (never, for one that was ordered for good).
    pub fn bans(&self, now: Instant) -> impl Iterator<Item = (Banned, Instant)> {
        self.bans.in_force(now)
    }

    /// Is `conn` logged in?
    pub fn is_logged_in(&self, conn: ConnId) -> bool {
        self.sessions.get(conn.slot()).is_some_and(Session::is_logged_in)
    }

    /// Does it hang?
    pub fn hangs(&self) -> bool {
        self.hung
    }
}
