//! Which ways to be refused a study reached, and which others its servers have.
//!
//! It counts nothing: how often each occurred stands in the table of refusals.

use std::collections::BTreeSet;

use crate::metrics::Recorder;
use crate::metrics::summary::{Coverage, Covered};
use crate::observe::{Cause, Phase, Refusal};
use crate::scenario::Scenario;
use crate::server::Policy;
use crate::server::policy::{Ending, ReplyId};
use crate::server::profile::Stage;

/// What `merged` reached, and what it did not of what the servers of `scenario` could have said.
pub(super) fn coverage(scenario: &Scenario, merged: &Recorder) -> Coverage {
    let met: BTreeSet<Key> = merged.refusals().iter().map(|(kind, _)| key(kind.refusal)).collect();
    let said: BTreeSet<Key> = scenario.servers.iter().flat_map(|server| repertoire(&server.policy)).collect();
    let (causes, causes_missed): (Vec<Cause>, Vec<Cause>) =
        Cause::ALL.iter().partition(|cause| met.iter().any(|(place, ..)| *place == cause.index()));
    let phases = Phase::ALL.iter().filter(|phase| met.iter().any(|(_, place, _)| *place == phase.index()));
    let words = |causes: Vec<Cause>| causes.into_iter().map(|cause| cause.name().to_owned()).collect();
    Coverage {
        causes: words(causes),
        phases: phases.map(|phase| phase.name().to_owned()).collect(),
        causes_missed: words(causes_missed),
        reached: met.iter().map(covered).collect(),
        not_reached: said
            .iter()
            .filter(|one| !met.iter().any(|other| is_same(one, other)))
            .map(covered)
            .collect(),
    }
}

/// A refusal in an order of its own: cause, phase, code.
type Key = (usize, usize, u16);

fn key(refusal: Refusal) -> Key {
    (refusal.cause.index(), refusal.phase.index(), refusal.code)
}

fn covered(key: &Key) -> Covered {
    Covered {
        cause: Cause::ALL[key.0].name().to_owned(),
        phase: Phase::ALL[key.1].name().to_owned(),
        code: key.2,
    }
}

/// The place of a refusal in the dialogue is told here once for each, and a client may meet it a reply earlier or later: only
/// which side of the login it is on counts.
fn is_same(said: &Key, met: &Key) -> bool {
    let side = |place: usize| Phase::ALL[place].is_logged_in();
    said.0 == met.0 && said.2 == met.2 && side(said.1) == side(met.1)
}

/// Every way in which a server that obeys `policy` can refuse: all replies with a cause and all silent ends, but for those of
/// limits and timers that are off.
fn repertoire(policy: &Policy) -> Vec<Key> {
    let mut said = Vec::new();
    let mut placed: Vec<ReplyId> = Vec::new();
    let mut place = |ending: Ending, phase: Phase, is_on: bool| {
        placed.extend(ending.reply);
        let code = ending.reply.map_or(0, |reply| policy.table.get(reply).code);
        // Instead of a greeting without a word is before it.
        let phase = if code == 0 && phase == Phase::Greeting { Phase::Accept } else { phase };
        if is_on {
            said.push((ending.cause.index(), phase.index(), code));
        }
    };
    for check in &policy.checks {
        let phase = match check.stage {
            Stage::Accept => Phase::Greeting,
            Stage::User | Stage::Password | Stage::Login => Phase::Pass,
            Stage::Download => Phase::Transfer,
        };
        place(check.ending, phase, check.limit != u32::MAX);
    }
    let timers = [
        (policy.login_timer, Phase::PreLogin),
        (policy.idle_timer, Phase::Session),
        (policy.noop_idle_timer, Phase::Session),
        (policy.no_transfer_timer, Phase::Session),
        (policy.session_timer, Phase::Session),
    ];
    for (timer, phase) in timers.into_iter().filter_map(|(timer, phase)| Some((timer?, phase))) {
        place(timer.ending, phase, !timer.after.is_forever());
    }
    place(policy.login.exhausted, Phase::Pass, policy.login.max_attempts > 0);
    if let Some(ban) = &policy.ban {
        place(ban.ending, Phase::Greeting, true);
    }
    if let Some(new) = policy.process.down.new {
        place(new, Phase::Greeting, true);
    }
    place(policy.process.down.live, Phase::Session, true);
    let entries = policy.table.entries().iter().zip(0_u16..);
    for (entry, _) in entries.filter(|(_, place)| !placed.contains(&ReplyId(*place))) {
        if let Some(cause) = entry.cause {
            said.push((cause.index(), usual_phase(cause).index(), entry.code));
        }
    }
    said
}

/// Where a refusal for `cause` is met, unless its knob says it.
const fn usual_phase(cause: Cause) -> Phase {
    match cause {
        Cause::MaxClients
        | Cause::MaxPerIp
        | Cause::RateLimit
        | Cause::Banned
        | Cause::Overload
        | Cause::ShuttingDown => Phase::Greeting,
        Cause::ConnectionRefused | Cause::ConnectTimeout | Cause::Reset | Cause::SilentClose => Phase::Accept,
        Cause::LoginTimeout => Phase::PreLogin,
        Cause::MaxPerUser | Cause::LoginAttempts => Phase::Pass,
        Cause::IdleTimeout
        | Cause::NoopIdleTimeout
        | Cause::NoTransferTimeout
        | Cause::SessionTimeout
        | Cause::CriticalError => Phase::Session,
        Cause::StalledTransfer | Cause::DataConnectTimeout | Cause::ResourceExhausted => Phase::Transfer,
    }
}
