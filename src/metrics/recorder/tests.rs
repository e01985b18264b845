use super::*;
use crate::metrics::summary::{Counts, TimelineRow};
use crate::observe::{Cause, Phase};
use proptest::prelude::*;

const US: PopulationId = PopulationId(0);

fn secs(s: u64) -> Instant {
    Instant::ZERO + Duration::from_secs(s)
}

fn recorder(warmup: u64) -> Recorder {
    Recorder::new(Shape { populations: 2, horizon: secs(60), warmup: Duration::from_secs(warmup) })
}

const FULL_HOUSE: Refusal = Refusal { cause: Cause::MaxClients, phase: Phase::Greeting, code: 421 };

fn started(first: bool, reconnect: bool) -> Observation {
    Observation::AttemptStarted { population: US, first, reconnect }
}

fn ended(started: u64, class: Class, first: bool) -> Observation {
    let refusal = (class == Class::TurnedAway).then_some(FULL_HOUSE);
    Observation::AttemptEnded {
        population: US,
        first,
        reconnect: false,
        started: secs(started),
        class,
        refusal,
    }
}

/// One user who is refused at 1 s, served at 11 s and cut at 20 s, comes back at 21 s and never ends; another waits.
fn told(warmup: u64) -> Recorder {
    let mut recorder = recorder(warmup);
    let cut = Observation::SessionEnded { population: US, end: SessionEnd::Cut, refusal: Some(FULL_HOUSE) };
    for (s, observation) in [
        (1, Observation::Wanted(US)),
        (1, started(true, false)),
        (1, Observation::ConnectionOpened),
        (1, ended(1, Class::TurnedAway, true)),
        (1, Observation::ConnectionClosed { opened: secs(1) }),
        (10, started(false, false)),
        (10, Observation::ConnectionOpened),
        (11, ended(10, Class::Admitted, false)),
        (11, Observation::SessionOpened),
        (11, Observation::Served { population: US, wanted_at: secs(1) }),
        (20, cut),
        (20, Observation::SessionClosed { opened: secs(11) }),
        (20, Observation::ConnectionClosed { opened: secs(10) }),
        (20, Observation::SlotFreed { held: Duration::from_secs(10), admitted: true }),
        (21, started(false, true)),
        (21, Observation::ConnectionOpened),
        (30, Observation::Wanted(PopulationId(1))),
    ] {
        recorder.record(secs(s), &observation);
    }
    recorder.finish(
        secs(60),
        [secs(21)].into_iter(),
        [].into_iter(),
        [(PopulationId(1), secs(30))].into_iter(),
    );
    recorder
}

#[test]
fn counts_tell_the_whole_story() {
    let got = told(0).counts();
    let expected = Counts {
        wanted: 2,
        attempts: 3,
        admitted: 1,
        turned_away: 1,
        open_at_end: 1,
        cut: 1,
        retries: 2,
        unserved: 1,
        waiting_at_end: 1,
        ..Counts::default()
    };
    assert_eq!(got, expected);
    assert_eq!(told(0).populations().map(|c| c.wanted).collect::<Vec<_>>(), [1, 1]);
    assert_eq!(
        told(0).refusals().iter().map(|(kind, n)| (kind.ended, n)).collect::<Vec<_>>(),
        [(Ended::TurnedAway, 1), (Ended::Cut, 1)]
    );
}

#[test]
fn littles_law_holds_with_some_still_there() {
    let recorder = told(0);
    assert_eq!(recorder.connections().integral_ns(), 49_000_000_000);
    assert_eq!(recorder.connections().overlap_ns(), 49_000_000_000);
    assert_eq!(recorder.sessions().integral_ns(), recorder.sessions().overlap_ns());
    assert_eq!(recorder.connections().max(), 1);
}

#[test]
fn the_warm_up_leaves_estimates_but_not_counts() {
    let (all, late) = (told(0), told(5));
    assert_eq!(all.counts(), late.counts());
    assert_eq!(all.refused_first(), Some(1.0));
    assert_eq!(late.refused_first(), None, "the only first attempt began before");
    assert_eq!(late.refused_attempt(), Some(0.0));
    assert_eq!(all.unserved(), Some(0.5));
    assert_eq!(late.unserved(), Some(1.0));
    assert_eq!(all.timing(Latency::TimeToService).histogram().len(), 1);
    assert_eq!(late.timing(Latency::TimeToService).histogram().len(), 0);
    assert_eq!(all.carried_erlangs(), Some(9.0 / 60.0));
    assert_eq!(late.offered_erlangs(), Some(1.0 / 55.0 * 10.0));
}

#[test]
fn the_series_adds_up_to_the_counts() {
    let rows = told(0).series().rows(secs(60), 1);
    let sum = |of: fn(&TimelineRow) -> f64| rows.iter().map(of).sum::<f64>();
    assert!((sum(|r| r.attempts) - 3.0).abs() < 1e-9);
    assert!((sum(|r| r.refused[Cause::MaxClients.index()]) - 2.0).abs() < 1e-9);
    assert!((sum(|r| r.connections_mean * r.width_s) - 49.0).abs() < 1e-6);
    assert_eq!(rows.iter().filter_map(|r| r.time_to_service_s).collect::<Vec<_>>(), [10.0]);
}

#[test]
fn merging_is_the_same_in_any_order() {
    let mut other = recorder(0);
    other.record(secs(7), &Observation::Took(Latency::Connect, Duration::from_millis(20)));
    other.record(secs(8), &Observation::Refused { refusal: FULL_HOUSE, check: Some(3) });
    other.finish(secs(60), [].into_iter(), [].into_iter(), [].into_iter());
    let merged = |runs: [&Recorder; 2]| {
        let mut sum = recorder(0);
        for run in runs {
            sum.merge(run);
        }
        sum
    };
    let (left, right) = (merged([&told(0), &other]), merged([&other, &told(0)]));
    assert_eq!(left.counts(), right.counts());
    assert_eq!(left.series(), right.series());
    assert_eq!(left.connections().integral_ns(), right.connections().integral_ns());
    assert_eq!((left.replications(), left.refused_by_check(3), left.refused_by_check(9)), (2, 1, 0));
    assert_eq!(left.timing(Latency::Connect), right.timing(Latency::Connect));
}

#[test]
fn from_the_sent_time_a_late_start_is_not_counted() {
    let mut recorder = recorder(0);
    assert!(recorder.timing_from_sent(Latency::Login).is_none(), "a simulated run has none");
    let took = Observation::Took(Latency::Login, Duration::from_millis(30));
    recorder.record_late(secs(1), &took, Duration::from_millis(20));
    recorder.record_late(secs(2), &took, Duration::from_millis(90));
    let range =
        |timing: &crate::metrics::Timing| timing.quantiles(&[]).min_s.zip(timing.quantiles(&[]).max_s);
    assert_eq!(range(recorder.timing(Latency::Login)), Some((0.03, 0.03)));
    let sent = recorder.timing_from_sent(Latency::Login).unwrap();
    assert_eq!(range(sent), Some((0.0, 0.01)), "it cannot be later than the whole");
    let mut both = recorder.clone();
    both.merge(&recorder);
    assert_eq!(both.timing_from_sent(Latency::Login).unwrap().histogram().len(), 4);
}

#[test]
fn onset_and_connections_at_it() {
    let first = told(0).onset().first().unwrap();
    assert_eq!((first.at, first.connections), (secs(1), 1));
    assert_eq!(told(0).episodes().kept().len(), 2, "19 s apart");
}

proptest! {
    /// Whoever comes and goes when: both sides of Little's law agree to the nanosecond.
    #[test]
    fn littles_law_always_holds(stays in prop::collection::vec((0_u64..100, 0_u64..100), 0..40)) {
        let mut events: Vec<(u64, Option<u64>)> = Vec::new();
        for (came, length) in &stays {
            events.push((*came, None));
            events.push((came + length, Some(*came)));
        }
        events.sort_unstable();
        let mut recorder = recorder(0);
        for (s, came) in events.into_iter().filter(|(s, _)| *s <= 90) {
            let observation = came.map_or(Observation::ConnectionOpened, |came| {
                Observation::ConnectionClosed { opened: secs(came) }
            });
            recorder.record(secs(s), &observation);
        }
        let open = stays.iter().filter(|(came, length)| *came <= 90 && came + length > 90).map(|(came, _)| secs(*came));
        recorder.finish(secs(90), open, [].into_iter(), [].into_iter());
        prop_assert_eq!(recorder.connections().integral_ns(), recorder.connections().overlap_ns());
    }
}
