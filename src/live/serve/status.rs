//! What somebody outside sees of a served model while it runs: how many are connected, who is banned, what was refused.
//!
//! It is a look, not the measurement: that is the ledger's.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::station::Station;
use crate::observe::{Cause, Observation, Phase};
use crate::server::{Banned, Knob};
use crate::time::Instant;

/// Names, addresses or bans of a kind that are told; of more, the first.
const TOLD: usize = 100;

/// What was counted so far.
#[derive(Clone, Debug)]
pub(super) struct Tally {
    /// Open connections, refused ones not counted.
    pub(super) connections: u64,
    /// Logged-in sessions.
    pub(super) sessions: u64,
    /// Connections that were let in so far.
    accepted: u64,
    /// Logins so far.
    pub(super) logins: u64,
    /// By cause and phase.
    refused: [[u64; Phase::COUNT]; Cause::COUNT],
}

impl Tally {
    pub(super) const fn new() -> Self {
        let refused = [[0; Phase::COUNT]; Cause::COUNT];
        Self { connections: 0, sessions: 0, accepted: 0, logins: 0, refused }
    }

    /// The machine observes something.
    pub(super) fn observe(&mut self, observation: &Observation) {
        match observation {
            Observation::ConnectionOpened => {
                self.connections += 1;
                self.accepted += 1;
            }
            Observation::ConnectionClosed { .. } => self.connections -= 1,
            Observation::SessionOpened => {
                self.sessions += 1;
                self.logins += 1;
            }
            Observation::SessionClosed { .. } => self.sessions -= 1,
            Observation::Refused { refusal, .. } => {
                self.refused[refusal.cause.index()][refusal.phase.index()] += 1;
            }
            _ => {}
        }
    }

    /// Refusals so far.
    pub(super) fn refusals(&self) -> u64 {
        self.refused.iter().flatten().sum()
    }
}

/// A served model at a moment.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Status {
    /// Seconds since the time of its faults began.
    pub time: f64,
    /// What it is a model of.
    pub profile: String,
    /// Where it is, or was.
    pub address: String,
    /// Does it listen?
    pub listens: bool,
    /// Does it answer nobody?
    pub hangs: bool,
    /// Do its transfers stand still?
    pub stalled: bool,
    /// Open connections, refused ones not counted.
    pub connections: u64,
    /// Those of them that are logged in.
    pub sessions: u64,
    /// Connections whose place is not free yet, refused ones included, as its limits may count them.
    pub slots: u32,
    /// Connections that were let in so far.
    pub accepted: u64,
    /// Logins so far.
    pub logins: u64,
    /// Open connections by address. A hundred of them at most, as in each list here.
    pub by_address: BTreeMap<String, u32>,
    /// Logged-in sessions by account.
    pub by_user: BTreeMap<String, u32>,
    /// The bans in force.
    pub bans: Vec<BanInForce>,
    /// The limits by their keys; 0: there is none.
    pub limits: BTreeMap<String, u32>,
    /// The timers by their keys, in seconds; 0: it is off.
    pub timers: BTreeMap<String, f64>,
    /// What was refused so far.
    pub refused: Vec<Refused>,
}

/// A ban that is in force.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct BanInForce {
    /// The address that is banned.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub address: Option<IpAddr>,
    /// The account that is banned.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub user: Option<String>,
    /// Seconds that it has left; `None`: it lasts until it is lifted.
    pub left: Option<f64>,
}

/// Refusals of one kind.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Refused {
    /// Why.
    pub cause: Cause,
    /// Where the dialogue stood.
    pub phase: Phase,
    /// How many.
    pub count: u64,
}

impl Status {
    /// All refusals so far.
    pub fn refusals(&self) -> u64 {
        self.refused.iter().map(|refused| refused.count).sum()
    }

    /// Those for `cause`.
    pub fn refused_for(&self, cause: Cause) -> u64 {
        self.refused.iter().filter(|refused| refused.cause == cause).map(|refused| refused.count).sum()
    }
}

impl Station {
    /// What it looks like, as a line of JSON.
    pub(super) fn status_line(&mut self) -> String {
        // Plain numbers, texts and maps of texts.
        serde_json::to_string(&self.status()).unwrap_or_default()
    }

    fn status(&mut self) -> Status {
        let now = self.clock.now();
        let (by_address, by_user) = self.who_is_in();
        let bans = self.server.bans(now).take(TOLD).map(|(who, until)| self.ban_in_force(now, who, until));
        let bans = bans.collect();
        let policy = self.server.policy();
        let limits = policy.checks.iter().map(|check| (check.knob.clone(), check.configured));
        let timers = Knob::ALL.into_iter().filter_map(|(name, knob)| {
            let after = policy.timer_length(knob)?;
            Some((name.to_owned(), if after.is_forever() { 0.0 } else { after.as_secs_f64() }))
        });
        Status {
            time: now.as_secs_f64(),
            profile: policy.profile.clone(),
            address: self.door.address().to_string(),
            listens: self.door.wanted,
            hangs: self.server.hangs(),
            stalled: self.lanes.is_stalled(),
            connections: self.tally.connections,
            sessions: self.tally.sessions,
            slots: self.server.slots(),
            accepted: self.tally.accepted,
            logins: self.tally.logins,
            by_address,
            by_user,
            bans,
            limits: limits.collect(),
            timers: timers.collect(),
            refused: self.refused(),
        }
    }

    /// Connections by address, and sessions by account.
    fn who_is_in(&mut self) -> (BTreeMap<String, u32>, BTreeMap<String, u32>) {
        let (mut addresses, mut users) = (BTreeMap::new(), BTreeMap::new());
        for seen in self.server.connections() {
            let Some(entry) = self.conns.of(seen.conn) else { continue };
            count(&mut addresses, entry.peer.ip(), |ip| ip.to_string());
            if seen.is_logged_in {
                count(&mut users, entry.client.user.as_str(), str::to_owned);
            }
        }
        (addresses, users)
    }

    fn ban_in_force(&self, now: Instant, who: Banned, until: Instant) -> BanInForce {
        let (peer, user) = match who {
            Banned::Address(peer) => (Some(peer), None),
            Banned::User(user) => (None, Some(user)),
            Banned::Both(user, peer) => (Some(peer), Some(user)),
        };
        let named = |user: crate::id::UserId| self.scenario.strings.get(usize::from(user.0)).cloned();
        let left = (!until.is_never()).then(|| until.since(now).as_secs_f64());
        BanInForce {
            address: peer.and_then(|peer| self.peers.address(peer)),
            user: user.and_then(named),
            left,
        }
    }

    fn refused(&self) -> Vec<Refused> {
        let mut all = Vec::new();
        for (cause, row) in Cause::ALL.iter().zip(&self.tally.refused) {
            for (phase, count) in Phase::ALL.iter().zip(row).filter(|(_, count)| **count > 0) {
                all.push(Refused { cause: *cause, phase: *phase, count: *count });
            }
        }
        all
    }
}

/// One more of `key`, unless it would be one too many kinds.
fn count<K>(counts: &mut BTreeMap<String, u32>, key: K, name: impl Fn(K) -> String) {
    let name = name(key);
    if counts.len() < TOLD || counts.contains_key(&name) {
        *counts.entry(name).or_insert(0) += 1;
    }
}
