//! What the server remembers of an address: its connections, its offences, its ban.
//!
//! It does not decide what an offence is, nor what a banned address is told.

use super::policy::Ban;
use crate::id::PeerId;
use crate::time::Instant;

/// One address.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peer {
    /// Connections whose slot is not yet free.
    pub connections: u32,
    /// Logged-in sessions.
    pub sessions: u32,
    /// Offences within the window that began at `since`.
    offences: u32,
    since: Instant,
    banned_until: Instant,
}

const _: () = assert!(size_of::<Peer>() == 32);

impl Peer {
    const UNKNOWN: Self =
        Self { connections: 0, sessions: 0, offences: 0, since: Instant::ZERO, banned_until: Instant::ZERO };
}

/// All addresses, by number. A policy that asks nothing of addresses remembers none.
#[derive(Clone, Debug)]
pub(super) struct Peers {
    table: Vec<Peer>,
    tracked: bool,
}

impl Peers {
    pub(super) fn new(tracked: bool) -> Self {
        Self { table: Vec::new(), tracked }
    }

    /// The entry of `peer`, if addresses are remembered at all.
    pub(super) fn get_mut(&mut self, peer: PeerId) -> Option<&mut Peer> {
        if !self.tracked {
            return None;
        }
        let place = peer.0 as usize;
        if place >= self.table.len() {
            self.table.resize(place + 1, Peer::UNKNOWN);
        }
        Some(&mut self.table[place])
    }

    /// Connections of `peer` whose slot is not yet free.
    pub(super) fn connections(&self, peer: PeerId) -> u32 {
        self.table.get(peer.0 as usize).map_or(0, |p| p.connections)
    }

    /// Logged-in sessions of `peer`.
    pub(super) fn sessions(&self, peer: PeerId) -> u32 {
        self.table.get(peer.0 as usize).map_or(0, |p| p.sessions)
    }

    /// Is `peer` banned at `now`?
    pub(super) fn is_banned(&self, peer: PeerId, now: Instant) -> bool {
        self.table.get(peer.0 as usize).is_some_and(|p| now < p.banned_until)
    }

    /// Counts an offence of `peer`; if it brings about a ban, says until when. The window begins with the first offence and does not
    /// slide, as `mod_ban`'s does.
    pub(super) fn offend(&mut self, peer: PeerId, now: Instant, rule: &Ban) -> Option<Instant> {
        let entry = self.get_mut(peer)?;
        if now < entry.banned_until {
            return None;
        }
        if entry.offences == 0 || now.since(entry.since) > rule.window {
            entry.offences = 0;
            entry.since = now;
        }
        entry.offences += 1;
        if entry.offences < rule.threshold {
            return None;
        }
        entry.offences = 0;
        entry.banned_until = now + rule.duration;
        Some(entry.banned_until)
    }
}
