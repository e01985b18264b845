//! The wires: one entry for each connection, from the SYN's arrival until nothing that names it is under way.
//!
//! It knows delivery, not dialogue.

use super::deadline::Deadline;
use crate::id::{ConnId, PopulationId, ServerId};
use crate::time::Instant;

/// No client is at the other end.
pub(super) const NOBODY: u32 = u32::MAX;

/// One connection.
#[derive(Clone, Debug)]
pub(super) struct Wire {
    /// When the server wants to be told about it.
    pub deadline: Deadline,
    /// When the last message to the client arrives: none overtakes it.
    pub down_at: Instant,
    /// When the last message to the server arrives.
    pub up_at: Instant,
    /// The client's slot, or [`NOBODY`] once it has let go.
    pub client: u32,
    /// Messages sent so far, either way: the counter of jitter.
    pub messages: u32,
    /// The client's population: its way.
    pub population: PopulationId,
    /// Events under way that name this connection. [`Wire::UNCOUNTED`] were too many to count: then it is never used again.
    in_flight: u16,
    /// Counts its transfers, so that a firing for one that came to an untimely end is known.
    pub transfer: u16,
    /// What the client has prepared for its next transfer.
    pub plan: Plan,
    /// One bit for each [`Fact`].
    facts: u8,
}

const _: () = assert!(size_of::<Wire>() == 48);

/// What is true of a connection or is not.
#[derive(Clone, Copy, Debug)]
#[repr(u8)]
pub(super) enum Fact {
    /// The server has given the id back.
    Freed = 1,
    /// The bytes of a transfer move, or are about to.
    Moving = 2,
    /// Its client vanished without a word, and the server does not know.
    Ghost = 4,
    /// It is under TLS, its data connections included.
    Secured = 8,
}

impl Wire {
    const UNCOUNTED: u16 = u16::MAX;

    /// An event that names it is entered.
    pub(super) fn depart(&mut self) {
        self.in_flight = self.in_flight.saturating_add(1);
    }

    /// An event that names it has come.
    pub(super) fn arrive(&mut self) -> &Self {
        self.in_flight -= u16::from(self.in_flight != Self::UNCOUNTED);
        self
    }

    pub(super) fn is(&self, fact: Fact) -> bool {
        self.facts & fact as u8 != 0
    }

    pub(super) fn note(&mut self, fact: Fact) {
        self.facts |= fact as u8;
    }

    /// It is true no more. Was it?
    pub(super) fn take(&mut self, fact: Fact) -> bool {
        let was = self.is(fact);
        self.facts &= !(fact as u8);
        was
    }
}

/// What a client has prepared for a transfer, in one byte. By default nothing.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Plan(u8);

impl Plan {
    const UPLOAD: u8 = 1;
    const ACTIVE: u8 = 2;
    const STALLS: u8 = 4;

    pub(super) fn new(upload: bool, active: bool, stalls: bool) -> Self {
        let bit = |yes, bit| if yes { bit } else { 0 };
        Self(bit(upload, Self::UPLOAD) | bit(active, Self::ACTIVE) | bit(stalls, Self::STALLS))
    }

    /// Does the transfer go to the server?
    pub(super) fn is_upload(self) -> bool {
        self.0 & Self::UPLOAD != 0
    }

    /// Does the client listen for the data connection?
    pub(super) fn is_active(self) -> bool {
        self.0 & Self::ACTIVE != 0
    }

    /// Does it stop half way, for good?
    pub(super) fn stalls(self) -> bool {
        self.0 & Self::STALLS != 0
    }
}

/// All connections of one server, in reused slots.
#[derive(Debug)]
pub(super) struct Wires {
    server: ServerId,
    slots: Vec<Wire>,
    free: Vec<u32>,
    /// The bytes that the next transfer of each connection moves, as far as there have been transfers.
    bytes: Vec<u64>,
}

impl Wires {
    /// None yet, at `server`.
    pub(super) fn new(server: ServerId) -> Self {
        Self { server, slots: Vec::new(), free: Vec::new(), bytes: Vec::new() }
    }

    /// A new connection of `client`.
    pub(super) fn open(&mut self, client: u32, population: PopulationId, now: Instant) -> ConnId {
        let fresh = |deadline| Wire {
            deadline,
            down_at: now,
            up_at: now,
            client,
            messages: 0,
            population,
            in_flight: 0,
            transfer: 0,
            plan: Plan::default(),
            facts: 0,
        };
        if let Some(place) = self.free.pop() {
            let slot = &mut self.slots[place as usize];
            let deadline = slot.deadline;
            *slot = fresh(deadline); // what is left of it in the calendar serves the new connection
            ConnId::new(self.server, place)
        } else {
            self.slots.push(fresh(Deadline::OFF));
            ConnId::new(self.server, self.slots.len() as u32 - 1)
        }
    }

    /// The most connections that there ever were at once.
    pub(super) fn most(&self) -> usize {
        self.slots.len()
    }

    /// Every connection that ever was, and its wire.
    pub(super) fn all(&mut self) -> impl Iterator<Item = (ConnId, &mut Wire)> {
        let server = self.server;
        (0..).zip(&mut self.slots).map(move |(place, wire)| (ConnId::new(server, place), wire))
    }

    /// Reads it, so that its memory is near when it is needed. The client at its end.
    pub(super) fn touch(&self, conn: ConnId) -> u32 {
        self.slots[conn.slot()].client
    }

    /// The next transfer of `conn` moves so many bytes.
    pub(super) fn load(&mut self, conn: ConnId, bytes: u64) {
        if self.bytes.len() <= conn.slot() {
            self.bytes.resize(self.slots.len(), 0);
        }
        self.bytes[conn.slot()] = bytes;
    }

    /// So many bytes does the transfer of `conn` move.
    pub(super) fn bytes(&self, conn: ConnId) -> u64 {
        self.bytes.get(conn.slot()).copied().unwrap_or(0)
    }

    pub(super) fn get(&mut self, conn: ConnId) -> &mut Wire {
        &mut self.slots[conn.slot()]
    }

    /// Puts the slot back if both ends and everything under way have let go of it.
    pub(super) fn recycle(&mut self, conn: ConnId) {
        let wire = &mut self.slots[conn.slot()];
        if wire.is(Fact::Freed) && wire.client == NOBODY && wire.in_flight == 0 {
            wire.deadline.clear();
            wire.take(Fact::Freed);
            self.free.push(conn.slot() as u32);
        }
    }
}
