//! The wires: one entry for each connection, from the SYN's arrival until nothing that names it is under way.
//!
//! It knows delivery, not dialogue.

use std::hint::black_box;

use crate::id::{ConnId, ServerId};
use crate::time::Instant;
use crate::timer::Timer;

/// No client is at the other end.
pub(super) const NOBODY: u32 = u32::MAX;

/// One connection.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(super) struct Wire {
    /// The client's slot, or [`NOBODY`] once it has let go.
    pub client: u32,
    /// Events under way that name this connection.
    pub in_flight: u32,
    /// When the last message to the client arrives: none overtakes it.
    pub down_at: Instant,
    /// When the last message to the server arrives.
    pub up_at: Instant,
    /// The bytes that the next transfer moves.
    pub bytes: u64,
    /// The server's timer for this connection.
    pub timer: Timer,
    /// Messages sent so far, either way: the counter of jitter.
    pub messages: u32,
    /// Has the server given the id back?
    pub freed: bool,
    /// Do the bytes of a transfer move, or are they about to?
    pub moving: bool,
    /// What the client has prepared for its next transfer.
    pub plan: Plan,
    /// Counts its transfers, so that a firing for one that came to an untimely end is known.
    pub transfer: u16,
    /// Did its client vanish without a word, and does the server not know?
    pub ghost: bool,
    /// Is it under TLS, its data connections included?
    pub secured: bool,
}

const _: () = assert!(size_of::<Wire>() == 80);

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
}

impl Wires {
    /// None yet, at `server`.
    pub(super) fn new(server: ServerId) -> Self {
        Self { server, slots: Vec::new(), free: Vec::new() }
    }

    /// A new connection of `client`.
    pub(super) fn open(&mut self, client: u32, now: Instant) -> ConnId {
        let fresh = |timer| Wire {
            client,
            in_flight: 0,
            down_at: now,
            up_at: now,
            bytes: 0,
            timer,
            messages: 0,
            freed: false,
            moving: false,
            plan: Plan::default(),
            transfer: 0,
            ghost: false,
            secured: false,
        };
        if let Some(place) = self.free.pop() {
            let slot = &mut self.slots[place as usize];
            let timer = slot.timer;
            *slot = fresh(timer); // what is left of the timer in the calendar serves the new connection
            ConnId::new(self.server, place)
        } else {
            self.slots.push(fresh(Timer::OFF));
            ConnId::new(self.server, self.slots.len() as u32 - 1)
        }
    }

    /// The most connections that there ever were at once.
    pub(super) fn most(&self) -> usize {
        self.slots.len()
    }

    /// Reads all of its memory, so that it is near when it is needed. The client at its end.
    pub(super) fn touch(&self, conn: ConnId) -> u32 {
        let wire = &self.slots[conn.slot()];
        black_box(wire.timer.touch() ^ wire.down_at.as_nanos() ^ u64::from(wire.transfer));
        wire.client
    }

    pub(super) fn get(&mut self, conn: ConnId) -> &mut Wire {
        &mut self.slots[conn.slot()]
    }

    /// Puts the slot back if both ends and everything under way have let go of it.
    pub(super) fn recycle(&mut self, conn: ConnId) {
        let wire = &mut self.slots[conn.slot()];
        if wire.freed && wire.client == NOBODY && wire.in_flight == 0 {
            wire.timer.disarm();
            wire.freed = false;
            self.free.push(conn.slot() as u32);
        }
    }
}
