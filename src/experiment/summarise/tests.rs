use super::*;
use crate::client::Behaviour;
use crate::dist::Dist;
use crate::id::PopulationId;
use crate::metrics::Shape;
use crate::network::Link;
use crate::observe::{Class, Observation, Phase, Refusal};
use crate::scenario::Station;
use crate::server::{Overrides, Policy, Profile};
use crate::sim::Finished;
use crate::time::Duration;
use crate::workload::{AddressBook, Addresses, Closed, Open, Population, Spacing, Stages};

const US: PopulationId = PopulationId(0);

fn secs(s: u64) -> Instant {
    Instant::ZERO + Duration::from_secs(s)
}

fn scenario(thresholds: &[&str]) -> Scenario {
    let overrides = Overrides { limits: vec![("max_clients".to_owned(), 10)], ..Overrides::default() };
    let rate = Stages::constant(Instant::ZERO, Duration::from_secs(100), 2.0);
    Scenario {
        name: "two".to_owned(),
        question: String::new(),
        hash: "h".to_owned(),
        duration: Duration::from_secs(100),
        seed: 7,
        replications: 2,
        warmup: Duration::ZERO,
        servers: vec![Station {
            name: "server".to_owned(),
            policy: Policy::new(&Profile::named("rfc959").unwrap(), &overrides).unwrap(),
            overrides,
            classes: crate::workload::Classes::default(),
            wire: Vec::new(),
        }],
        dns_ttl: None,
        populations: vec![Population {
            name: "staff".to_owned(),
            arrivals: Arrivals::Open(Open { spacing: Spacing::Poisson, rate }),
            addresses: Addresses::Unique,
            users: Vec::new(),
            behaviour: Behaviour::default(),
            link: Link::default(),
            like: None,
        }],
        faults: Vec::new(),
        thresholds: thresholds.iter().map(|text| Threshold::parse(text).unwrap()).collect(),
        addresses: AddressBook::default(),
        strings: Vec::new(),
        notes: Vec::new(),
    }
}

/// `served` users served after a second each, with a hold of 4 s, and one turned away at `refused_at`.
fn run(served: u64, refused_at: Option<u64>, digest: u128) -> Finished {
    let shape = Shape { populations: 1, horizon: secs(100), warmup: Duration::ZERO };
    let mut recorder = Recorder::new(shape);
    let began = Observation::AttemptStarted { population: US, first: true, reconnect: false };
    let ended = |started, class, refusal| Observation::AttemptEnded {
        population: US,
        first: true,
        reconnect: false,
        started,
        class,
        refusal,
    };
    for at in 0..served {
        let mut tell = |s: u64, what| recorder.record(secs(10 * at + s), &what);
        tell(0, Observation::Wanted(US));
        tell(0, began);
        tell(0, Observation::ConnectionOpened);
        tell(1, ended(secs(10 * at), Class::Admitted, None));
        tell(1, Observation::Served { population: US, wanted_at: secs(10 * at) });
        tell(4, Observation::ConnectionClosed { opened: secs(10 * at) });
        tell(4, Observation::SlotFreed { held: Duration::from_secs(4), admitted: true });
    }
    if let Some(s) = refused_at {
        let refusal = Refusal { cause: Cause::MaxClients, phase: Phase::Greeting, code: 421 };
        for what in [
            Observation::Wanted(US),
            began,
            Observation::Refused { refusal, check: Some(0) },
            ended(secs(s), Class::TurnedAway, Some(refusal)),
            Observation::Unserved { population: US, wanted_at: secs(s) },
        ] {
            recorder.record(secs(s), &what);
        }
    }
    recorder.finish(secs(100), [].into_iter(), [].into_iter(), [].into_iter());
    Finished { recorder, digest, work: crate::sim::Work::default() }
}

fn study(runs: &[Finished]) -> Study {
    let mut study = Study::new(&scenario(&[]));
    for (number, run) in (0..).zip(runs) {
        study.add(number, run);
    }
    study
}

#[test]
fn estimates_are_means_of_the_replications_ratios() {
    let runs = [run(3, Some(50), 1), run(1, Some(40), 2)];
    let Outcome { summary, timeline, histograms } = summarise(&scenario(&[]), &study(&runs));
    assert_eq!(summary.estimates.refused_first.mean, Some(0.375), "(1/4 + 1/2) / 2, not 2/6");
    assert_eq!(summary.estimates.refused_first.low, Some(0.0));
    assert_eq!(summary.estimates.offered_erlangs.mean, Some(0.12), "0.03 wanted a second x 4 s");
    assert_eq!((summary.counts.wanted, summary.populations["staff"].turned_away), (6, 2));
    assert_eq!(summary.latency["time_to_service"].censored, 2);
    assert!(summary.little.holds);
    assert_eq!(summary.little.connections_integral_ns, "16000000000");
    assert!((timeline.iter().map(|row| row.wanted).sum::<f64>() - 3.0).abs() < 1e-9);
    assert_eq!(histograms.len(), Latency::COUNT);
    assert_eq!(summary.server.limits["max_clients"], 10);
    assert_eq!(summary.coverage.causes, ["max_clients"]);
}

#[test]
fn the_onset_is_the_lower_median_replications() {
    let runs =
        [run(3, Some(50), 1), run(1, Some(40), 2), run(1, None, 3), run(2, Some(60), 4), run(2, Some(70), 5)];
    let onset = summarise(&scenario(&[]), &study(&runs)).summary.onset.first.unwrap();
    assert_eq!((onset.time_s, onset.earliest_s, onset.latest_s, onset.occurred), (50.0, 40.0, 70.0, 4));
    assert_eq!(onset.offered_erlangs, Some(8.0), "2 a second x 4 s");
    assert_eq!((onset.cause.as_str(), onset.code), ("max_clients", 421));
}

#[test]
fn thresholds_find_their_quantiles() {
    let scenario = scenario(&["time_to_service p(33.3) < 2s", "refused_first rate < 1%"]);
    let summary = summarise(&scenario, &study(&[run(3, Some(50), 1)])).summary;
    assert_eq!((summary.thresholds[0].value, summary.thresholds[0].ok), (Some(1.0), true));
    assert_eq!((summary.thresholds[1].value, summary.thresholds[1].ok), (Some(0.25), false));
}

#[test]
fn the_story_has_its_conclusion_first() {
    let story =
        summarise(&scenario(&["refused_first rate < 1%"]), &study(&[run(3, Some(50), 1)])).summary.story;
    assert_eq!(
        story,
        [
            "max_clients = 10 binds: it turned away 1 of 4 attempts.",
            "Refused: 25 % of first attempts, 25 % of all attempts; 25 % of wanted sessions were never served.",
            "Refusals begin at 50 s with 0 connections and 8 erlangs offered; they never become more than chance.",
            "At most 1 connection (limit 10) at once, 0.12 on average; at most 0 logged-in sessions.",
            "Offered load 0.16 erlangs, carried 0 erlangs.",
            "Time to service: median 1 s, 99th percentile more than 1 s.",
            "1 of 4 wanted sessions never served.",
            "Broken: refused_first rate < 1% (1 of 1 threshold).",
        ]
    );
    let calm = summarise(&scenario(&[]), &study(&[run(3, None, 1)])).summary.story;
    assert_eq!(calm[0], "Nobody was turned away: 3 attempts, 3 admitted.");
}

#[test]
fn the_digest_depends_on_the_order() {
    let of = |runs: &[Finished]| summarise(&scenario(&[]), &study(runs)).summary.digest;
    assert_ne!(of(&[run(1, None, 1), run(1, None, 2)]), of(&[run(1, None, 2), run(1, None, 1)]));
    assert_eq!(of(&[]).len(), 32);
}

#[test]
fn an_interrupted_run_without_a_replication_has_no_estimates() {
    let summary =
        summarise(&scenario(&["refused_first rate < 1%"]), &Study { partial: true, ..study(&[]) }).summary;
    assert_eq!((summary.replications, summary.estimates.refused_first.mean), (0, None));
    assert!(!summary.thresholds[0].ok);
    assert!(summary.story.iter().any(|line| line == "Interrupted: 0 of 2 replications ended."));
}

#[test]
fn a_closed_population_offers_no_erlangs() {
    let mut scenario = scenario(&[]);
    scenario.populations[0].arrivals = Arrivals::Closed(Closed {
        clients: Stages::default(),
        most: 1,
        sessions: 0,
        pause: Dist::Constant(0),
        pause_first: false,
    });
    let summary = summarise(&scenario, &study(&[run(1, Some(40), 1)])).summary;
    assert_eq!(summary.estimates.offered_erlangs.mean, None);
    assert_eq!(summary.onset.first.unwrap().offered_erlangs, None);
}
