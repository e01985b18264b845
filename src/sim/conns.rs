//! The wires: one entry for each connection, from the SYN's arrival until nothing that names it is under way.
//!
//! It knows delivery, not dialogue.

use super::deadline::Deadline;
use crate::id::{ConnId, PopulationId, ServerId};
use crate::prefetch::prefetch;
use crate::time::Instant;

/// No client is at the other end.
pub(super) const NOBODY: u32 = u32::MAX;

/// One connection: half a cache line.
#[derive(Clone, Debug)]
#[repr(C, align(32))]
pub(super) struct Wire {
    /// When the server wants to be told about it.
    pub deadline: Deadline,
    /// When the last message to the client arrives: none overtakes it.
    pub down_at: Instant,
    /// The client's slot, or [`NOBODY`] once it has let go.
    pub client: u32,
    /// The client's population: its way.
    pub population: PopulationId,
    /// A bit for each [`Fact`], and above them the number of events under way that name this connection. [`Wire::UNCOUNTED`] were too
    /// many to count: then it is never used again.
    state: u16,
}

const _: () = assert!(size_of::<Wire>() == 32);

/// What is true of a connection or is not.
#[derive(Clone, Copy, Debug)]
#[repr(u16)]
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
    /// One event under way.
    const ONE: u16 = 16;
    const UNCOUNTED: u16 = u16::MAX / Self::ONE;

    fn in_flight(&self) -> u16 {
        self.state / Self::ONE
    }

    /// An event that names it is entered.
    pub(super) fn depart(&mut self) {
        if self.in_flight() != Self::UNCOUNTED {
            self.state += Self::ONE;
        }
    }

    /// An event that names it has come.
    pub(super) fn arrive(&mut self) -> &Self {
        if self.in_flight() != Self::UNCOUNTED {
            self.state -= Self::ONE;
        }
        self
    }

    pub(super) fn is(&self, fact: Fact) -> bool {
        self.state & fact as u16 != 0
    }

    pub(super) fn note(&mut self, fact: Fact) {
        self.state |= fact as u16;
    }

    /// It is true no more. Was it?
    pub(super) fn take(&mut self, fact: Fact) -> bool {
        let was = self.is(fact);
        self.state &= !(fact as u16);
        was
    }
}

/// What a connection has of transfers, if it ever had one.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Load {
    /// The bytes that the next one moves.
    pub bytes: u64,
    /// Counts them, so that a firing for one that came to an untimely end is known.
    pub transfer: u16,
    /// What the client has prepared for the next one.
    pub plan: Plan,
}

/// What a connection over a rough way has more.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Jolts {
    /// When the last message to the server arrives: none overtakes it.
    pub up_at: Instant,
    /// Messages sent so far, either way: the counter of jitter.
    pub messages: u32,
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
    /// As far as there have been transfers.
    loads: Vec<Load>,
    /// As far as there have been rough ways.
    jolts: Vec<Jolts>,
}

impl Wires {
    /// None yet, at `server`.
    pub(super) fn new(server: ServerId) -> Self {
        Self { server, slots: Vec::new(), free: Vec::new(), loads: Vec::new(), jolts: Vec::new() }
    }

    /// Are they those of the first server?
    pub(super) fn is_first(&self) -> bool {
        self.server == ServerId(0)
    }

    /// A new connection of `client`.
    pub(super) fn open(&mut self, client: u32, population: PopulationId, now: Instant) -> ConnId {
        let fresh = |deadline| Wire { deadline, down_at: now, client, population, state: 0 };
        let Some(place) = self.free.pop() else {
            self.slots.push(fresh(Deadline::OFF));
            return ConnId::new(self.server, self.slots.len() as u32 - 1);
        };
        let slot = &mut self.slots[place as usize];
        *slot = fresh(slot.deadline); // what is left of it in the calendar serves the new connection
        if let Some(load) = self.loads.get_mut(place as usize) {
            *load = Load::default();
        }
        if let Some(jolts) = self.jolts.get_mut(place as usize) {
            *jolts = Jolts::default();
        }
        ConnId::new(self.server, place)
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

    /// It is needed soon.
    pub(super) fn prefetch(&self, conn: ConnId) {
        prefetch(&self.slots[conn.slot()]);
    }

    /// The client at the end of `conn`, or [`NOBODY`], and its population.
    pub(super) fn end(&self, conn: ConnId) -> (u32, PopulationId) {
        let wire = &self.slots[conn.slot()];
        (wire.client, wire.population)
    }

    pub(super) fn get(&mut self, conn: ConnId) -> &mut Wire {
        &mut self.slots[conn.slot()]
    }

    pub(super) fn load(&self, conn: ConnId) -> Load {
        self.loads.get(conn.slot()).copied().unwrap_or_default()
    }

    pub(super) fn load_mut(&mut self, conn: ConnId) -> &mut Load {
        if self.loads.len() <= conn.slot() {
            self.loads.resize(self.slots.len(), Load::default());
        }
        &mut self.loads[conn.slot()]
    }

    /// Over a rough way one more message is sent on `conn`. Its number.
    pub(super) fn count(&mut self, conn: ConnId) -> u32 {
        let jolts = self.jolts(conn);
        jolts.messages += 1;
        jolts.messages
    }

    /// Over a rough way a message would get to the server at `at`, if none were before it. When it does.
    pub(super) fn queue_up(&mut self, conn: ConnId, at: Instant) -> Instant {
        let jolts = self.jolts(conn);
        jolts.up_at = jolts.up_at.max(at);
        jolts.up_at
    }

    fn jolts(&mut self, conn: ConnId) -> &mut Jolts {
        if self.jolts.len() <= conn.slot() {
            self.jolts.resize(self.slots.len(), Jolts::default());
        }
        &mut self.jolts[conn.slot()]
    }

    /// Puts the slot back if both ends and everything under way have let go of it.
    pub(super) fn recycle(&mut self, conn: ConnId) {
        let wire = &mut self.slots[conn.slot()];
        if wire.is(Fact::Freed) && wire.client == NOBODY && wire.in_flight() == 0 {
            wire.deadline.clear();
            wire.take(Fact::Freed);
            self.free.push(conn.slot() as u32);
        }
    }
}
