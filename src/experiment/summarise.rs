//! From finished replications to an [`Outcome`].
//!
//! It runs nothing, and it gives no advice: that takes further runs.

use std::collections::BTreeMap;

use super::coverage::coverage;
use super::generator::generator;
use super::interval::{Range, estimate, method};
use super::{Load, Outcome, Run, Study, aftermath, story};
use crate::chaos::Fault;
use crate::digest::Digest;
use crate::id::ServerId;
use crate::live::serve::Served;
use crate::metrics::summary::{
    Concurrency, Episode, Estimate, Estimates, Ghosts, Little, Onset, Onsets, Quantiles, SCHEMA, ServerFacts,
    Summary, TargetFacts, TimelineRow, Transfers,
};
use crate::metrics::{Beginning, Episodes, LEVEL, Level, Recorder, Threshold, WINDOW, rounded};
use crate::observe::{Cause, Latency};
use crate::scenario::Scenario;
use crate::server::Control;
use crate::server::profile::{Counts, Per};
use crate::time::{Duration, Instant};
use crate::workload::Arrivals;

/// Summarises `study`, which is one of `scenario`.
pub fn summarise(scenario: &Scenario, study: &Study) -> Outcome {
    let merged = &study.merged;
    let mut summary = summary(scenario, study);
    summary.thresholds = scenario.thresholds.iter().map(|threshold| threshold.judge(&summary)).collect();
    summary.story = story::tell(scenario, merged, &summary);
    Outcome {
        summary,
        timeline: with_limits(scenario, merged.series().rows(merged.end(), merged.replications())),
        histograms: Latency::ALL.iter().map(|what| (*what, merged.timing(*what).histogram())).collect(),
    }
}

/// Summarises `load`, which is a run of `scenario` against `target`.
pub fn summarise_load(scenario: &Scenario, load: &Load, target: TargetFacts) -> Outcome {
    let mut outcome = summarise(scenario, &load.study);
    let merged = &load.study.merged;
    let summary = &mut outcome.summary;
    "measured".clone_into(&mut summary.world);
    summary.digest.clear();
    if !target.own {
        // What the scenario says of its server is not what is known of this one.
        summary.server.limits.clear();
        summary.server.servers.clear();
        summary.coverage.not_reached.clear();
        outcome.timeline.iter_mut().for_each(|row| row.limit = None);
    }
    summary.target = Some(target);
    let sent = |what: &Latency| {
        let timing = merged.timing_from_sent(*what)?;
        Some((what.name().to_owned(), timing.quantiles(&[])))
    };
    let from_sent = Latency::ALL.iter().filter(|what| **what != Latency::TimeToService).filter_map(sent);
    summary.latency_from_sent = Some(from_sent.collect());
    summary.told_apart = Some(load.refusals.told_apart());
    summary.refusal_texts = Some(load.refusals.texts());
    summary.generator = load.health.as_ref().map(generator);
    summary.story = story::tell_measured(summary);
    outcome
}

/// Summarises what the first server of `scenario`, served at `target`, has seen of its clients. It knows connections, and nothing of
/// who stands behind them: what would need that is left out.
pub fn summarise_served(scenario: &Scenario, served: &Served, target: TargetFacts) -> Outcome {
    let mut scenario = scenario.clone();
    scenario.servers.truncate(1);
    scenario.populations.truncate(1);
    if let Some(all) = scenario.populations.first_mut() {
        "clients".clone_into(&mut all.name);
    }
    scenario.thresholds.clear();
    let begun = |fault: &Fault| fault.at < served.end;
    scenario.faults.retain(begun);
    (scenario.duration, scenario.warmup) = (served.end.since(Instant::ZERO), Duration::ZERO);
    let mut study = Study::new(&scenario);
    study.merged = Recorder::new(served.recorder.shape());
    study.take(0, &served.recorder, 0);
    let mut outcome = summarise(&scenario, &study);
    let summary = &mut outcome.summary;
    "measured".clone_into(&mut summary.world);
    summary.digest.clear();
    summary.latency.remove(Latency::TimeToService.name());
    outcome.histograms.retain(|(what, _)| *what != Latency::TimeToService);
    let estimates = &mut summary.estimates;
    for unknown in [&mut estimates.unserved, &mut estimates.amplification, &mut estimates.offered_erlangs] {
        *unknown = Estimate::default();
    }
    summary.target = Some(target);
    summary.story = story::tell_served(summary);
    outcome
}

/// Adds to each row the limit on all clients: what the server begins with, and what reloads make of it.
fn with_limits(scenario: &Scenario, mut rows: Vec<TimelineRow>) -> Vec<TimelineRow> {
    let checks = scenario.policy().checks.iter().enumerate();
    let heads = checks.filter(|(_, check)| {
        check.per == Per::Server && !matches!(check.counts, Counts::Load | Counts::Recent)
    });
    let Some((place, _)) = heads.min_by_key(|(_, check)| check.limit) else { return rows };
    let mut policy = scenario.policy().clone();
    let mut reloads = scenario
        .faults
        .iter()
        .flat_map(|fault| {
            fault.controls(ServerId(0)).filter_map(|(after, control)| match control {
                Control::SetLimit { check, limit } if usize::from(check) == place => {
                    Some((fault.at + after, limit))
                }
                _ => None,
            })
        })
        .peekable();
    for row in &mut rows {
        let begin = Instant::ZERO + Duration::from_secs_f64(row.begin_s);
        while let Some((_, limit)) = reloads.next_if(|(at, _)| *at <= begin) {
            policy.set_limit(place, limit);
        }
        let limit = policy.checks[place].limit;
        row.limit = (limit != u32::MAX).then_some(f64::from(limit));
    }
    rows
}

fn summary(scenario: &Scenario, study: &Study) -> Summary {
    let merged = &study.merged;
    let names = scenario.populations.iter().map(|population| population.name.clone());
    Summary {
        schema: SCHEMA,
        tool: concat!(env!("CARGO_PKG_NAME"), " ", env!("CARGO_PKG_VERSION")).to_owned(),
        world: "simulated".to_owned(),
        scenario: scenario.name.clone(),
        question: scenario.question.clone(),
        scenario_hash: scenario.hash.clone(),
        seed: scenario.seed,
        replications: merged.replications(),
        duration_s: rounded(scenario.duration.as_secs_f64()),
        warmup_s: rounded(scenario.warmup.as_secs_f64()),
        partial: study.partial,
        digest: digest(&study.runs),
        story: Vec::new(),
        server: server(scenario),
        counts: merged.counts(),
        populations: names.zip(merged.populations()).collect(),
        refused_by_cause: merged.refusals().by_cause(),
        refused_by_phase: merged.refusals().by_phase(),
        refusals: merged.refusals().listed(),
        estimates: estimates(scenario, &study.runs),
        onset: onsets(scenario, &study.runs),
        latency: latency(scenario, merged),
        transfers: transfers(merged),
        ghosts: ghosts(study),
        concurrency: concurrencies(study),
        episodes: episodes(&study.episodes),
        episodes_dropped: study.episodes.dropped(),
        faults: aftermath::faults(scenario, study),
        storms: aftermath::storms(scenario, study),
        little: little(merged),
        coverage: coverage(scenario, merged),
        thresholds: Vec::new(),
        advice: None,
        target: None,
        latency_from_sent: None,
        told_apart: None,
        refusal_texts: None,
        generator: None,
    }
}

/// The digest of the replications' digests, in order.
fn digest(runs: &[Run]) -> String {
    let mut digest = Digest::default();
    for run in runs {
        digest.bytes(&run.digest.to_le_bytes());
    }
    digest.hex()
}

fn server(scenario: &Scenario) -> ServerFacts {
    let on = scenario.policy().checks.iter().filter(|check| check.limit != u32::MAX);
    let several = scenario.servers.len() > 1;
    ServerFacts {
        servers: scenario.servers.iter().filter(|_| several).map(|server| server.name.clone()).collect(),
        profile: scenario.policy().profile.clone(),
        limits: on.map(|check| (check.knob.clone(), check.limit)).collect(),
    }
}

fn estimates(scenario: &Scenario, runs: &[Run]) -> Estimates {
    let over = |value: fn(&Run) -> Option<f64>, range| estimate(runs.iter().map(value), range);
    let open = scenario.populations.iter().all(|p| !matches!(p.arrivals, Arrivals::Closed(_)));
    Estimates {
        method: method(runs.len()),
        refused_first: over(|run| run.refused_first, Range::Probability),
        refused_attempt: over(|run| run.refused_attempt, Range::Probability),
        unserved: over(|run| run.unserved, Range::Probability),
        amplification: over(|run| run.amplification, Range::Positive),
        offered_erlangs: over(if open { |run| run.offered_erlangs } else { |_| None }, Range::Positive),
        carried_erlangs: over(|run| run.carried_erlangs, Range::Positive),
    }
}

fn onsets(scenario: &Scenario, runs: &[Run]) -> Onsets {
    Onsets {
        first: onset(scenario, runs, |run| run.first_refusal),
        sustained: onset(scenario, runs, |run| run.sustained_refusal),
        window: WINDOW as u32,
        level: LEVEL,
    }
}

/// The onset of the replication that is the lower median by time, of those that have one; ties by number.
fn onset(scenario: &Scenario, runs: &[Run], of: impl Fn(&Run) -> Option<Beginning>) -> Option<Onset> {
    let mut found: Vec<(Beginning, &Run)> = runs.iter().filter_map(|run| Some((of(run)?, run))).collect();
    found.sort_by_key(|(begin, _)| begin.at);
    let (earliest, latest) = (found.first()?.0.at, found.last()?.0.at);
    let (median, run) = found[(found.len() - 1) / 2];
    let rate = arrival_rate(scenario, median.at);
    Some(Onset {
        time_s: rounded(median.at.as_secs_f64()),
        earliest_s: rounded(earliest.as_secs_f64()),
        latest_s: rounded(latest.as_secs_f64()),
        occurred: found.len() as u32,
        connections: median.connections,
        offered_erlangs: rate.zip(run.mean_hold_s).map(|(rate, hold)| rounded(rate * hold)),
        cause: median.refusal.cause.name().to_owned(),
        phase: median.refusal.phase.name().to_owned(),
        code: median.refusal.code,
    })
}

/// Arrivals per second at `at` of all populations that have a rate. One closed population, and there is no such number.
fn arrival_rate(scenario: &Scenario, at: Instant) -> Option<f64> {
    let arrivals = || scenario.populations.iter().map(|population| &population.arrivals);
    if arrivals().any(|a| matches!(a, Arrivals::Closed(_))) {
        return None;
    }
    arrivals().filter_map(|a| a.rate_at(at)).reduce(|sum, rate| sum + rate)
}

/// Quantiles by name; those that a threshold asks for are among them.
fn latency(scenario: &Scenario, merged: &Recorder) -> BTreeMap<String, Quantiles> {
    let asked = |what: Latency| -> Vec<f64> {
        let quantiles = scenario.thresholds.iter().filter_map(Threshold::quantile);
        quantiles.filter(|(of, _)| *of == what).map(|(_, q)| q).collect()
    };
    Latency::ALL
        .iter()
        .map(|what| (what.name().to_owned(), merged.timing(*what).quantiles(&asked(*what))))
        .collect()
}

fn concurrencies(study: &Study) -> BTreeMap<String, Concurrency> {
    let merged = &study.merged;
    let levels =
        [("connections", merged.connections()), ("sessions", merged.sessions()), ("bans", merged.bans())];
    let of = |level: &Level| concurrency(&study.runs, merged, level);
    levels.into_iter().map(|(name, level)| (name.to_owned(), of(level))).collect()
}

fn concurrency(runs: &[Run], merged: &Recorder, level: &Level) -> Concurrency {
    let warmup = Instant::ZERO + merged.shape().warmup;
    let observed: u128 = runs.iter().map(|run| u128::from(run.end.since(warmup).as_nanos())).sum();
    let mean = level.warm_integral_ns() as f64 / observed as f64;
    Concurrency { mean: if observed == 0 { 0.0 } else { rounded(mean) }, max: level.max() }
}

fn episodes(episodes: &Episodes) -> Vec<Episode> {
    let told = episodes.kept().iter().map(|stretch| Episode {
        cause: stretch.cause.name().to_owned(),
        begin_s: rounded(stretch.begin.as_secs_f64()),
        end_s: rounded(stretch.end.as_secs_f64()),
        refusals: stretch.refusals,
    });
    told.collect()
}

fn little(merged: &Recorder) -> Little {
    let (connections, sessions) = (merged.connections(), merged.sessions());
    Little {
        connections_integral_ns: connections.integral_ns().to_string(),
        connections_overlap_ns: connections.overlap_ns().to_string(),
        sessions_integral_ns: sessions.integral_ns().to_string(),
        sessions_overlap_ns: sessions.overlap_ns().to_string(),
        holds: [connections, sessions].into_iter().all(|level| level.integral_ns() == level.overlap_ns()),
    }
}

/// What vanished clients left behind.
fn ghosts(study: &Study) -> Ghosts {
    let (level, connections) = (study.merged.ghosts(), study.merged.connections());
    let Concurrency { mean, max } = concurrency(&study.runs, &study.merged, level);
    let freed =
        study.merged.ghosts_ended().map(|(cause, n)| (cause.map_or("none", Cause::name).to_owned(), n));
    let all = connections.integral_ns();
    Ghosts {
        mean,
        max,
        slot_time_share: (all > 0).then(|| rounded(level.integral_ns() as f64 / all as f64)),
        freed_by: freed.collect(),
        held_at_end: study.ghosts_left,
    }
}

fn transfers(merged: &Recorder) -> Transfers {
    let by_code = merged.failed_transfers().iter().map(|(code, n)| (code.to_string(), *n));
    Transfers { failed_by_code: by_code.collect(), ..merged.transfers() }
}

#[cfg(test)]
mod tests;
