//! What the server remembers of addresses and accounts: connections, offences, bans.
//!
//! It does not decide what an offence is, nor what somebody banned is told.

use std::collections::BTreeMap;

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

use super::policy::Ban;
use super::profile::BanBy;
use super::session::Who;
use super::view::Banned;
use crate::id::{PeerId, UserId};
use crate::time::Instant;

/// One address.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
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

/// The addresses that have something: an address is forgotten with the last of what it has, so that there are never more of them than
/// connections. A policy that asks nothing of addresses remembers none.
///
/// A hash table that nobody walks through, so that its order cannot reach a result. Addresses are dense numbers of the driver's, which
/// no client chooses: the hash needs no key.
#[derive(Clone, Debug)]
pub(super) struct Peers {
    table: HashTable<(PeerId, Peer)>,
    tracked: bool,
}

/// Fibonacci hashing (Knuth, TAOCP 3, section 6.4): numbers in a row are spread as evenly as can be.
fn hash(peer: PeerId) -> u64 {
    u64::from(peer.0).wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

impl Peers {
    pub(super) fn new(tracked: bool) -> Self {
        Self { table: HashTable::new(), tracked }
    }

    /// Changes what `peer` has, if addresses are remembered at all. What it has then.
    pub(super) fn change(&mut self, peer: PeerId, change: impl FnOnce(&mut Peer)) -> Option<Peer> {
        if !self.tracked {
            return None;
        }
        let mut entry =
            match self.table.entry(hash(peer), |(known, _)| *known == peer, |(known, _)| hash(*known)) {
                Entry::Occupied(entry) => entry,
                Entry::Vacant(entry) => entry.insert((peer, Peer::default())),
            };
        let (_, has) = entry.get_mut();
        change(has);
        let has = *has;
        if has == Peer::default() {
            entry.remove();
        }
        Some(has)
    }

    /// For how many addresses there is room: twice as many as ever had something at once, or so.
    pub(super) fn room(&self) -> usize {
        self.table.capacity()
    }

    /// What `peer` has.
    pub(super) fn get(&self, peer: PeerId) -> Peer {
        let found = self.table.find(hash(peer), |(known, _)| *known == peer);
        found.map(|(_, has)| *has).unwrap_or_default()
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

/// All offences and bans, by number. What is over is forgotten now and then, so that memory is for those who have offended of late.
#[derive(Clone, Debug, Default)]
pub(super) struct Bans {
    addresses: BTreeMap<PeerId, Record>,
    /// So many addresses may be remembered before those are forgotten whose offences are over.
    room: usize,
    users: Vec<Record>,
    pairs: BTreeMap<(UserId, PeerId), Record>,
    /// Bans that an administrator ordered, with their ends.
    by_hand: BTreeMap<PeerId, Instant>,
}

impl Bans {
    /// The most pairs that are remembered. When there are so many, those whose offences are over are forgotten; if that is none, a
    /// newcomer's offence is not counted.
    const PAIRS: usize = 1 << 16;

    /// So many addresses are remembered before it is looked whether their offences are over.
    const ROOM: usize = 1 << 10;

    fn get(&self, who: Who, by: BanBy) -> Option<&Record> {
        match by {
            BanBy::Address => self.addresses.get(&who.peer),
            BanBy::User => self.users.get(usize::from(who.user.0)),
            BanBy::Both => self.pairs.get(&(who.user, who.peer)),
        }
    }

    fn get_mut(&mut self, who: Who, now: Instant, rule: &Ban) -> Option<&mut Record> {
        match rule.by {
            BanBy::Address => {
                if self.addresses.len() >= self.room.max(Self::ROOM)
                    && !self.addresses.contains_key(&who.peer)
                {
                    self.addresses.retain(|_, record| !record.is_over(now, rule));
                    self.room = 2 * self.addresses.len();
                }
                Some(self.addresses.entry(who.peer).or_insert(Record::CLEAN))
            }
            _ if who.user == UserId::default() => None, // nobody is named yet
            BanBy::User => {
                let place = usize::from(who.user.0);
                if place >= self.users.len() {
                    self.users.resize(place + 1, Record::CLEAN);
                }
                Some(&mut self.users[place])
            }
            BanBy::Both => {
                let key = (who.user, who.peer);
                if self.pairs.len() >= Self::PAIRS && !self.pairs.contains_key(&key) {
                    self.pairs.retain(|_, record| !record.is_over(now, rule));
                    if self.pairs.len() >= Self::PAIRS {
                        return None;
                    }
                }
                Some(self.pairs.entry(key).or_insert(Record::CLEAN))
            }
        }
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
            && self.get(who, rule.by).is_some()
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
        self.addresses.remove(&peer);
        self.pairs.retain(|(_, from), _| *from != peer);
    }

    /// How many addresses are remembered.
    pub(super) fn addresses(&self) -> usize {
        self.addresses.len() + self.pairs.len() + self.by_hand.len()
    }

    /// The bans that are in force, and when each is over.
    pub(super) fn in_force(&self, now: Instant) -> impl Iterator<Item = (Banned, Instant)> {
        let by_hand = self.by_hand.iter().map(|(peer, until)| (Banned::Address(*peer), *until));
        let addresses = self.addresses.iter().map(|(peer, record)| (Banned::Address(*peer), record));
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
