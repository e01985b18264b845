//! What limits count: sessions by account, by class of addresses and by host, and the sockets and ports of data connections.
//!
//! It compares nothing with a limit: `admission` does. What an address has stands in `ban`, with its offences.

use std::collections::{BTreeMap, VecDeque};

use super::policy::{Check, Data};
use super::session::Who;
use crate::id::{PeerId, UserId};
use crate::time::Instant;

/// What one class of addresses has.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Count {
    /// Connections whose slot is not yet free.
    pub connections: u32,
    /// Those of them that are refused.
    pub refused: u32,
    /// Logged-in sessions.
    pub sessions: u32,
    /// Data sockets.
    pub sockets: u32,
    /// Different addresses with sessions.
    pub hosts: u32,
}

/// The counts of classes. Empty unless a limit asks for them.
#[derive(Clone, Debug, Default)]
pub(super) struct Classes {
    counts: Vec<Count>,
}

impl Classes {
    pub(super) fn new(counted: bool) -> Self {
        Self { counts: if counted { vec![Count::default(); 1 << u8::BITS] } else { Vec::new() } }
    }

    pub(super) fn get(&self, class: u8) -> Count {
        self.counts.get(usize::from(class)).copied().unwrap_or_default()
    }

    pub(super) fn get_mut(&mut self, class: u8) -> Option<&mut Count> {
        self.counts.get_mut(usize::from(class))
    }
}

/// Sessions by account and address, for limits that count hosts. Bounded by the sessions there are.
#[derive(Clone, Debug, Default)]
pub(super) struct Hosts {
    counted: bool,
    sessions: BTreeMap<(UserId, PeerId), u32>,
}

impl Hosts {
    pub(super) fn new(counted: bool) -> Self {
        Self { counted, sessions: BTreeMap::new() }
    }

    pub(super) fn logged_in(&mut self, who: Who) {
        if self.counted {
            *self.sessions.entry((who.user, who.peer)).or_default() += 1;
        }
    }

    pub(super) fn logged_out(&mut self, who: Who) {
        if let Some(count) = self.sessions.get_mut(&(who.user, who.peer)) {
            *count -= 1;
            if *count == 0 {
                self.sessions.remove(&(who.user, who.peer));
            }
        }
    }

    /// From how many other addresses the account is logged in.
    pub(super) fn others(&self, who: Who) -> u32 {
        let all = (who.user, PeerId(0))..=(who.user, PeerId(u32::MAX));
        self.sessions.range(all).filter(|((_, peer), _)| *peer != who.peer).count() as u32
    }
}

/// Passive ports: those in use, and those that rest behind a connection that was closed (`TIME_WAIT`).
#[derive(Clone, Debug, Default)]
pub(super) struct Ports {
    used: u32,
    /// When each resting port can be used again, soonest first.
    resting: VecDeque<Instant>,
}

impl Ports {
    /// Takes a port, if one is free.
    pub(super) fn take(&mut self, now: Instant, data: &Data) -> bool {
        while self.resting.front().is_some_and(|at| *at <= now) {
            self.resting.pop_front();
        }
        let free = u64::from(self.used) + (self.resting.len() as u64) < u64::from(data.ports);
        self.used += u32::from(free);
        free
    }

    /// Gives a port back, which rests if there was a connection.
    pub(super) fn give_back(&mut self, now: Instant, connected: bool, data: &Data) {
        self.used -= 1;
        if connected && data.ports != u32::MAX && !data.port_rests.is_zero() {
            self.resting.push_back(now + data.port_rests);
        }
    }
}

/// Is `check` in force, or may it come into force later?
pub(super) fn may_bind(check: &Check, place: usize, reloaded: &[u8]) -> bool {
    check.limit != u32::MAX || reloaded.iter().any(|r| usize::from(*r) == place)
}
