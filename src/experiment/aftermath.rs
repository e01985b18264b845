//! Over all replications: whether the system recovers from each fault, and which retry storms outlive one.
//!
//! What one replication did is found by [`aftermaths`](crate::metrics::aftermaths); here it is only put together.

use super::interval::{Range, estimate};
use super::study::Study;
use crate::chaos::{Effect, Fault};
use crate::id::ServerId;
use crate::metrics::summary::{FaultFact, Recovery, StormFact};
use crate::metrics::{Aftermath, Storm, Sums, Trouble, rounded};
use crate::scenario::Scenario;
use crate::server::Control;
use crate::server::profile::Per;
use crate::time::{Duration, Instant};

/// From when to when each fault is in force; what lasts longer than the run ends with it.
pub(super) fn troubles(scenario: &Scenario) -> Vec<Trouble> {
    let end = Instant::ZERO + scenario.duration;
    let trouble = |fault: &Fault| Trouble {
        begin: fault.at,
        end: (fault.at + fault.lasts).max(limits_are_back(scenario, fault, end)).min(end.max(fault.at)),
    };
    scenario.faults.iter().map(trouble).collect()
}

/// A limit that `fault` lowers is lowered until another fault sets it as high as it was, or for the rest of the run.
fn limits_are_back(scenario: &Scenario, fault: &Fault, end: Instant) -> Instant {
    let mut back = fault.at;
    for (after, effect) in &fault.effects {
        let &Effect::Server(server, Control::SetLimit { check, limit }) = effect else { continue };
        let Some(check) = Limit::of(scenario, server, check) else { continue };
        let at = fault.at + *after;
        let before = check.before(at);
        if check.obeyed(limit) < before {
            let restored = check.reloads.iter().find(|(when, to)| *when > at && check.obeyed(*to) >= before);
            back = back.max(restored.map_or(end, |(when, _)| *when));
        }
    }
    back
}

/// A limit of one server over the run.
struct Limit<'a> {
    scenario: &'a Scenario,
    server: ServerId,
    place: usize,
    /// When it is set, in order, and to what its administrator writes.
    reloads: Vec<(Instant, u32)>,
}

impl<'a> Limit<'a> {
    fn of(scenario: &'a Scenario, server: ServerId, check: u8) -> Option<Self> {
        let place = usize::from(check);
        scenario.servers.get(usize::from(server.0))?.policy.checks.get(place)?;
        let controls =
            scenario.faults.iter().flat_map(|f| f.controls(server).map(|(after, c)| (f.at + after, c)));
        let mut reloads: Vec<(Instant, u32)> = controls
            .filter_map(|(at, control)| match control {
                Control::SetLimit { check: c, limit } if c == check => Some((at, limit)),
                _ => None,
            })
            .collect();
        reloads.sort_by_key(|(at, _)| *at);
        Some(Self { scenario, server, place, reloads })
    }

    /// What the machine obeys when its administrator writes `configured`.
    fn obeyed(&self, configured: u32) -> u32 {
        let mut policy = self.scenario.servers[usize::from(self.server.0)].policy.clone();
        policy.set_limit(self.place, configured);
        policy.checks[self.place].limit
    }

    /// What it obeys just before `at`.
    fn before(&self, at: Instant) -> u32 {
        let own = self.scenario.servers[usize::from(self.server.0)].policy.checks[self.place].limit;
        self.reloads.iter().rfind(|(when, _)| *when < at).map_or(own, |(_, to)| self.obeyed(*to))
    }
}

/// The faults, and whether the system recovers from each.
pub(super) fn faults(scenario: &Scenario, study: &Study) -> Vec<FaultFact> {
    let fact = |(place, (fault, trouble)): (usize, (&Fault, &Trouble))| FaultFact {
        label: fault.label.clone(),
        begin_s: rounded(trouble.begin.as_secs_f64()),
        end_s: rounded(trouble.end.as_secs_f64()),
        recovery: recovery(study, place),
    };
    scenario.faults.iter().zip(&study.troubles).enumerate().map(fact).collect()
}

/// What came after the fault at `place`, in each replication that can tell.
fn of_fault(study: &Study, place: usize) -> Vec<Aftermath> {
    study.aftermaths.iter().filter_map(|run| *run.get(place)?).collect()
}

fn recovery(study: &Study, place: usize) -> Option<Recovery> {
    let judged = of_fault(study, place);
    let baseline = judged.iter().fold(Sums::default(), |sum, one| sum.with(&one.baseline));
    let after = || judged.iter().map(|one| one.recovered_after);
    let mut sorted: Vec<Duration> = after().map(|wait| wait.unwrap_or(Duration::FOREVER)).collect();
    sorted.sort_unstable();
    let median = sorted.get(sorted.len().checked_sub(1)? / 2).filter(|wait| !wait.is_forever());
    let seconds = |wait: Duration| rounded(wait.as_secs_f64());
    Some(Recovery {
        judged: judged.len() as u32,
        recovered: after().flatten().count() as u32,
        after_s: median.copied().map(seconds),
        soonest_s: after().flatten().min().map(seconds),
        latest_s: after().flatten().max().map(seconds),
        mean: estimate(after().map(|wait| wait.map(Duration::as_secs_f64)), Range::Positive),
        window_s: seconds(study.merged.series().width()),
        baseline_failing: share(baseline.failed, baseline.trials).unwrap_or(0.0),
    })
}

/// The retry storms that outlived a fault, in the order of the faults.
pub(super) fn storms(scenario: &Scenario, study: &Study) -> Vec<StormFact> {
    (0..scenario.faults.len()).filter_map(|place| storm(scenario, study, place)).collect()
}

fn storm(scenario: &Scenario, study: &Study, place: usize) -> Option<StormFact> {
    let judged = of_fault(study, place);
    let had: Vec<(Aftermath, Storm)> = judged.iter().filter_map(|one| Some((*one, one.storm?))).collect();
    let (sums, baseline) =
        had.iter().fold((Sums::default(), Sums::default()), |(sums, baseline), (one, storm)| {
            (sums.with(&storm.sums), baseline.with(&one.baseline))
        });
    let mut lengths: Vec<Duration> = had.iter().map(|(_, storm)| storm.sums.length).collect();
    lengths.sort_unstable();
    let over = study.troubles[place].end;
    Some(StormFact {
        after: scenario.faults[place].label.clone(),
        begin_s: rounded(over.as_secs_f64()),
        outlived_s: rounded(lengths.get(lengths.len().checked_sub(1)? / 2)?.as_secs_f64()),
        longest_s: rounded(lengths.last()?.as_secs_f64()),
        occurred: had.len() as u32,
        to_the_end: had.iter().filter(|(_, storm)| storm.to_the_end).count() as u32,
        amplification: share(sums.attempts, sums.wanted),
        baseline_amplification: share(baseline.attempts, baseline.wanted),
        failing: share(sums.failed, sums.trials).unwrap_or(0.0),
        sessions_mean: mean_sessions(&sums),
        baseline_sessions_mean: mean_sessions(&baseline),
        limit: limit_at(scenario, over),
    })
}

/// The limit on all clients of the first server that is in force from `at` on.
fn limit_at(scenario: &Scenario, at: Instant) -> Option<u32> {
    let place = scenario.policy().checks.iter().position(|check| check.per == Per::Server)?;
    let check = Limit::of(scenario, ServerId(0), u8::try_from(place).ok()?)?;
    Some(check.before(at + Duration::from_nanos(1))).filter(|limit| *limit != u32::MAX)
}

fn mean_sessions(sums: &Sums) -> f64 {
    let length = sums.length.as_nanos();
    if length == 0 { 0.0 } else { rounded(sums.sessions_ns as f64 / length as f64) }
}

fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| rounded(part as f64 / whole as f64))
}

#[cfg(test)]
mod tests;
