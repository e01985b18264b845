//! What is known of the server that was named: its texts, its timers, and its ways to end a connection.
//!
//! It weighs these against nothing else.

use super::evidence::Evidence;
use super::texts::{Causes, Texts};
use crate::observe::{Cause, CloseHow, Phase};
use crate::server::Policy;
use crate::server::policy::Ending;
use crate::server::profile::{CutsLive, Fate, Stage};
use crate::time::Duration;

/// What is known of the server that was named.
#[derive(Clone, Debug)]
pub(super) struct Own {
    /// What it says.
    pub(super) texts: Texts,
    /// What it has a reply for, by code.
    spoken: Vec<(u16, Cause)>,
    /// What it ends a connection for without a word: behind the greeting and before it, in order and by a reset.
    silent: [[Causes; 2]; 2],
    /// Limits that it has, and that are off.
    off: Causes,
    /// How long its timers are.
    timers: [Option<Duration>; Cause::COUNT],
    /// How many wrong passwords end a session; 0: any number.
    pub(super) attempts: u32,
}

/// What the named server is known to do is worth so much.
const OWN_WAY: i32 = 3;

impl Own {
    /// `configured`: the limits that are off in `policy` are off at the server.
    pub(super) fn new(policy: &Policy, configured: bool) -> Self {
        let spoken = policy.table.entries().iter().filter_map(|entry| Some((entry.code, entry.cause?)));
        let mut off = Causes::default();
        let is_on =
            |cause: Cause| policy.checks.iter().any(|c| c.ending.cause == cause && c.limit != u32::MAX);
        for cause in policy.checks.iter().map(|check| check.ending.cause).filter(|_| configured) {
            if !is_on(cause) {
                off.add(Some(cause));
            }
        }
        let mut timers = [None; Cause::COUNT];
        let mut set = |cause: Cause, after: Option<Duration>| {
            timers[cause.index()] = after.filter(|after| !after.is_forever() && !after.is_zero());
        };
        set(Cause::LoginTimeout, policy.login_timer.map(|timer| timer.after));
        set(Cause::IdleTimeout, policy.idle_timer.map(|timer| timer.after));
        set(Cause::NoopIdleTimeout, policy.noop_idle_timer.map(|timer| timer.after));
        set(Cause::NoTransferTimeout, policy.no_transfer_timer.map(|timer| timer.after));
        set(Cause::SessionTimeout, policy.session_timer.map(|timer| timer.after));
        set(Cause::DataConnectTimeout, policy.data_connect_timer.map(|timer| timer.after));
        set(Cause::StalledTransfer, policy.stalled_timer.map(|timer| timer.after));
        Self {
            texts: Texts::of(policy),
            spoken: spoken.collect(),
            silent: silent_ends(policy),
            off,
            timers,
            attempts: policy.login.max_attempts,
        }
    }

    /// The points of its known ways for `cause`.
    pub(super) fn habit(&self, e: &Evidence<'_>, cause: Cause) -> i32 {
        let door = matches!(e.phase, Phase::Accept | Phase::Greeting);
        let silently = self.silent.map(|ways| ways.map(|causes| causes.has(cause)));
        let (known, worth) = match e.code {
            // There are few ways to end without a word.
            0 => (silently[usize::from(door)][usize::from(e.close == Some(CloseHow::Rst))], 2 * OWN_WAY),
            code => (self.spoken.contains(&(code, cause)), OWN_WAY),
        };
        let otherwise = !known
            && (silently.as_flattened().contains(&true)
                || self.spoken.iter().any(|(_, spoken)| *spoken == cause));
        // It lets one guess more often than that, or for ever.
        let patient =
            cause == Cause::LoginAttempts && (self.attempts == 0 || u32::from(e.tries) < self.attempts);
        if self.off.has(cause) {
            return -2 * OWN_WAY;
        }
        i32::from(known) * worth - (i32::from(otherwise) + i32::from(patient)) * OWN_WAY
    }

    /// How long its timer for `cause` is.
    pub(super) fn nominal(&self, cause: Cause) -> Option<Duration> {
        self.timers[cause.index()]
    }
}

/// The ways of `policy` to end a connection without a word.
fn silent_ends(policy: &Policy) -> [[Causes; 2]; 2] {
    let mut silent = [[Causes::default(); 2]; 2];
    let mut note = |door: bool, ending: &Ending| {
        let ways = &mut silent[usize::from(door)];
        match ending.close {
            _ if ending.reply.is_some() => {}
            CloseHow::Fin | CloseHow::FinThenRst => ways[0].add(Some(ending.cause)),
            CloseHow::Rst => ways[1].add(Some(ending.cause)),
            CloseHow::RstIfUnread => ways.iter_mut().for_each(|way| way.add(Some(ending.cause))),
            CloseHow::None => {}
        }
    };
    let (process, login) = (&policy.process, &policy.login);
    for check in &policy.checks {
        note(check.stage == Stage::Accept, &check.ending);
    }
    for ending in policy.stalled_timer.iter().flat_map(|timer| [&timer.upload, &timer.download]) {
        note(false, ending);
    }
    for ending in [&process.no_room].into_iter().chain(&login.denied_address) {
        note(true, ending);
    }
    for ending in [&process.no_descriptor, &process.down.live] {
        note(false, ending);
    }
    if let Some(ban) = &policy.ban {
        note(!ban.at_password, &ban.ending);
        if let Some(ending) = &ban.trigger {
            note(false, ending);
        }
        if ban.cuts_live != CutsLive::Never {
            note(false, &Ending::silent(Cause::Banned, CloseHow::Fin));
        }
    }
    if process.down.signals.iter().any(|on| on.session == Fate::Silent) {
        note(false, &Ending::silent(Cause::ShuttingDown, CloseHow::Fin));
    }
    silent
}
