//! What the server remembers of addresses and accounts: connections, offences, bans.
//!
//! It does not decide what an offence is, nor what somebody banned is told.

use std::collections::BTreeMap;

use super::policy::Ban;
use super::profile::BanBy;
use super::session::Who;
use super::view::Banned;
use crate::id::{PeerId, UserId};
use crate::time::Instant;

/// One address.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Peer {
    /// Connections whose slot is not yet free.
    pub connections: u32,
    /// Those of them that are refused.
    pub refused: u32,
    /// Logged-in sessions.
    pub sessions: u32,
    /// Data sockets.
    pub sockets: u32,
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
            self.table.resize(place + 1, Peer::default());
        }
        Some(&mut self.table[place])
    }

    /// What `peer` has.
    pub(super) fn get(&self, peer: PeerId) -> Peer {
        self.table.get(peer.0 as usize).copied().unwrap_or_default()
    }
}

/// What one possible victim has done.
#[derive(Clone, Copy, Debug)]
struct Record {
    /// Offences within the window that began at `since`.
    offences: u32,
    since: Instant,
    banned_until: Instant,
}

impl Record {
    const CLEAN: Self = Self { offences: 0, since: Instant::ZERO, banned_until: Instant::ZERO };

    fn offend(&mut self, now: Instant, rule: &Ban) -> Option<Instant> {
        if now < self.banned_until {
            return None;
        }
        if self.offences == 0 || now.since(self.since) > rule.window {
            self.offences = 0;
            self.since = now;
        }
        self.offences += 1;
        if self.offences < rule.threshold {
            return None;
        }
        self.offences = 0;
        self.banned_until = now + rule.duration;
        Some(self.banned_until)
    }

    fn is_over(&self, now: Instant, rule: &Ban) -> bool {
        now >= self.banned_until && (self.offences == 0 || now.since(self.since) > rule.window)
    }
}

/// All offences and bans. Addresses and accounts are numbers; a pair of them is looked up.
#[derive(Clone, Debug, Default)]
pub(super) struct Bans {
    addresses: Vec<Record>,
    users: Vec<Record>,
    pairs: BTreeMap<(UserId, PeerId), Record>,
    /// Bans that an administrator ordered, with their ends.
    by_hand: BTreeMap<PeerId, Instant>,
}

impl Bans {
    /// The most pairs that are remembered. When there are so many, those whose offences are over are forgotten; if that is none, a
    /// newcomer's offence is not counted.
    const PAIRS: usize = 1 << 16;

    fn get(&self, who: Who, by: BanBy) -> Option<&Record> {
        match by {
            BanBy::Address => self.addresses.get(who.peer.0 as usize),
            BanBy::User => self.users.get(usize::from(who.user.0)),
            BanBy::Both => self.pairs.get(&(who.user, who.peer)),
        }
    }

    fn get_mut(&mut self, who: Who, now: Instant, rule: &Ban) -> Option<&mut Record> {
        let (table, place) = match rule.by {
            BanBy::Address => (&mut self.addresses, who.peer.0 as usize),
            _ if who.user == UserId::default() => return None, // nobody is named yet
            BanBy::User => (&mut self.users, usize::from(who.user.0)),
            BanBy::Both => {
                let key = (who.user, who.peer);
                if self.pairs.len() >= Self::PAIRS && !self.pairs.contains_key(&key) {
                    self.pairs.retain(|_, record| !record.is_over(now, rule));
                    if self.pairs.len() >= Self::PAIRS {
                        return None;
                    }
                }
                return Some(self.pairs.entry(key).or_insert(Record::CLEAN));
            }
        };
        if place >= table.len() {
            table.resize(place + 1, Record::CLEAN);
        }
        Some(&mut table[place])
    }

    /// Is the victim that `who` is, or has, banned at `now`?
    pub(super) fn is_banned(&self, who: Who, now: Instant, rule: &Ban) -> bool {
        self.get(who, rule.by).is_some_and(|record| now < record.banned_until)
    }

    /// Counts an offence; if it brings about a ban, says until when. The window begins with the first offence and does not
    /// slide, as `mod_ban`'s does.
    pub(super) fn offend(&mut self, who: Who, now: Instant, rule: &Ban) -> Option<Instant> {
        self.get_mut(who, now, rule)?.offend(now, rule)
    }

    /// Somebody banned has come again.
    pub(super) fn tried_again(&mut self, who: Who, now: Instant, rule: &Ban) {
        if rule.from_last_attempt
            && let Some(record) = self.get_mut(who, now, rule).filter(|record| now < record.banned_until)
        {
            record.banned_until = now + rule.duration;
        }
    }

    /// Bans `peer` until then, whatever it has done. When there are [`PAIRS`](Self::PAIRS) such bans, those that are over are forgotten;
    /// if that is none, nobody else is banned.
    pub(super) fn ban_by_hand(&mut self, peer: PeerId, now: Instant, until: Instant) {
        if self.by_hand.len() >= Self::PAIRS && !self.by_hand.contains_key(&peer) {
            self.by_hand.retain(|_, until| now < *until);
            if self.by_hand.len() >= Self::PAIRS {
                return;
            }
        }
        self.by_hand.insert(peer, until);
    }

    /// Did an administrator ban `peer`?
    pub(super) fn is_banned_by_hand(&self, peer: PeerId, now: Instant) -> bool {
        !self.by_hand.is_empty() && self.by_hand.get(&peer).is_some_and(|until| now < *until)
    }

    /// `peer` is as if it had never done anything.
    pub(super) fn lift(&mut self, peer: PeerId) {
        self.by_hand.remove(&peer);
        if let Some(record) = self.addresses.get_mut(peer.0 as usize) {
            *record = Record::CLEAN;
        }
        self.pairs.retain(|(_, from), _| *from != peer);
    }

    /// The bans that are in force, and when each is over.
    pub(super) fn in_force(&self, now: Instant) -> impl Iterator<Item = (Banned, Instant)> {
        let by_hand = self.by_hand.iter().map(|(peer, until)| (Banned::Address(*peer), *until));
        let addresses = (0..).zip(&self.addresses).map(|(i, record)| (Banned::Address(PeerId(i)), record));
        let users = (0..).zip(&self.users).map(|(i, record)| (Banned::User(UserId(i)), record));
        let pairs = self.pairs.iter().map(|((user, peer), record)| (Banned::Both(*user, *peer), record));
        let ruled = addresses.chain(users).chain(pairs).map(|(who, record)| (who, record.banned_until));
        by_hand.chain(ruled).filter(move |(_, until)| now < *until)
    }

    /// A login has succeeded.
    pub(super) fn succeeded(&mut self, who: Who, now: Instant, rule: &Ban) {
        if rule.success_resets
            && self.get(who, rule.by).is_some()
            && let Some(record) = self.get_mut(who, now, rule)
        {
            record.offences = 0;
        }
    }
}
