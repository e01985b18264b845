//! What a recorder and a study keep: bounded, and the same bytes in whatever order it is added up.

use ftp421::experiment::Study;
use ftp421::id::PopulationId;
use ftp421::metrics::{Recorder, Shape};
use ftp421::observe::{Cause, Class, Latency, Observation, Phase, Refusal};
use ftp421::scenario::Scenario;
use ftp421::sim::{self, Finished};
use ftp421::time::{Duration, Instant};
use ftp421::watch::Watch;
use proptest::prelude::*;

use crate::support::scenario;

/// Something of everything: refusals of several causes, bans, transfers that fail, a crash, ghosts.
fn mixed(duration: &str, rate: &str) -> Scenario {
    scenario(&format!(
        r#"
        schema = 1
        name = "mixed"
        duration = "{duration}"
        warmup = "10s"
        [server]
        profile = "proftpd"
        max_clients = 10
        max_clients_per_host = 4
        [[clients]]
        name = "people"
        arrivals = {{ executor = "poisson", rate = "{rate}" }}
        addresses = {{ nat = 5 }}
        script = ["login", {{ think = {{ dist = "exponential", mean = "4s" }} }}, {{ retr = "1MiB" }}, "quit"]
        wrong_password = 0.3
        login_tries = 3
        vanish = 0.02
        retry = {{ backoff = "exponential", wait = "1s", jitter = "full", attempts = 3 }}
        [[faults]]
        at = "1m"
        kind = "shutdown"
        form = "crash"
        down = "20s"
        "#
    ))
}

fn runs(scenario: &Scenario, n: u32) -> Vec<Finished> {
    (0..n).map(|number| sim::run(scenario, number, &mut (), &Watch::default()).0).collect()
}

/// A study of the replications with these numbers.
fn study(scenario: &Scenario, runs: &[Finished], numbers: &[usize]) -> Study {
    let mut study = Study::new(scenario);
    for number in numbers {
        study.add(*number as u32, &runs[*number]);
    }
    study
}

fn bytes(of: &impl serde::Serialize) -> Vec<u8> {
    postcard::to_stdvec(of).unwrap()
}

#[test]
fn a_study_is_the_same_bytes_in_any_order_and_grouping() {
    let scenario = mixed("3m", "1/s");
    let runs = runs(&scenario, 6);
    let one_by_one = bytes(&study(&scenario, &runs, &[0, 1, 2, 3, 4, 5]));
    let groupings: [&[&[usize]]; 4] = [
        &[&[0, 1, 2], &[3, 4, 5]],
        &[&[5], &[4], &[3], &[2], &[1], &[0]],
        &[&[1, 3, 5], &[0, 2, 4]],
        &[&[2], &[0, 5], &[], &[1, 4], &[3]],
    ];
    for grouping in groupings {
        let mut left = Study::new(&scenario);
        for numbers in grouping {
            left.merge(study(&scenario, &runs, numbers));
        }
        assert_eq!(bytes(&left), one_by_one, "{grouping:?}, from the left");
        let right = grouping.iter().rev().fold(Study::new(&scenario), |right, numbers| {
            let mut group = study(&scenario, &runs, numbers);
            group.merge(right);
            group
        });
        assert_eq!(bytes(&right), one_by_one, "{grouping:?}, from the right");
    }
    let read: Study = postcard::from_bytes(&one_by_one).unwrap();
    assert!(read.fits(&scenario_of(&scenario, 6), &Study::new(&scenario)));
    assert_eq!(bytes(&read), one_by_one, "what is written is all of it");
}

fn scenario_of(scenario: &Scenario, replications: u32) -> Scenario {
    Scenario { replications, ..scenario.clone() }
}

#[test]
fn what_fits_no_study_is_not_taken_for_a_part_of_it() {
    let scenario = scenario_of(&mixed("3m", "1/s"), 6);
    let runs = runs(&scenario, 3);
    let none = Study::new(&scenario);
    let part = study(&scenario, &runs, &[0, 2]);
    assert!(part.fits(&scenario, &none) && part.fits(&scenario, &study(&scenario, &runs, &[1])));
    assert!(!part.fits(&scenario, &study(&scenario, &runs, &[2])), "nothing counts twice");
    assert!(!part.fits(&scenario_of(&scenario, 2), &none), "there is no replication 2 of two");
    let longer = mixed("4m", "1/s");
    assert!(!part.fits(&longer, &Study::new(&longer)));
}

/// The greatest size of a recorder of one population, in bytes: 240 time buckets and a spare one, six histograms, and a few lists.
const BOUND: usize = 1_640 << 10;

#[test]
fn neither_a_longer_run_nor_more_clients_make_a_recorder_grow() {
    let size = |duration: &str, rate: &str| {
        let finished = &runs(&mixed(duration, rate), 1)[0];
        (finished.recorder.counts().wanted, finished.recorder.size())
    };
    let (few, small) = size("4m", "1/s");
    for (duration, rate) in [("40m", "1/s"), ("4m", "10/s")] {
        let (many, size) = size(duration, rate);
        assert!(many > 8 * few, "{many} after {few}");
        assert!(size <= BOUND, "{duration} at {rate}: {size} bytes");
        // Histograms reach as far as the longest length; nothing else may be more.
        assert!(size < small + 300_000, "{small} bytes, and {size} with {duration} at {rate}");
    }
}

const US: PopulationId = PopulationId(0);

/// What happens in a run: how long after the one before, what becomes of an attempt, and by which code.
type Story = Vec<(u64, u8, u16)>;

fn recorded(story: &Story) -> Recorder {
    let mut recorder =
        Recorder::new(Shape { populations: 1, horizon: Instant::NEVER, warmup: Duration::from_secs(3) });
    let mut now = Instant::ZERO;
    for (gap, what, code) in story {
        let began = now;
        now += Duration::from_millis(*gap);
        let refusal = Refusal {
            cause: Cause::ALL[usize::from(*what) % Cause::COUNT],
            phase: Phase::Greeting,
            code: *code,
        };
        let class = if what % 3 == 0 { Class::TurnedAway } else { Class::Abandoned };
        for (at, observation) in [
            (began, Observation::Wanted(US)),
            (began, Observation::AttemptStarted { population: US, first: true, reconnect: false }),
            (began, Observation::ConnectionOpened),
            (
                now,
                Observation::Took(
                    Latency::ALL[usize::from(*what) % Latency::COUNT],
                    Duration::from_millis(*gap),
                ),
            ),
            (now, Observation::TransferFailed { cause: None, code: *code }),
            (now, Observation::Refused { refusal, check: Some(what % 5) }),
            (now, Observation::ConnectionClosed { opened: began }),
            (now, Observation::BanBegan { until: now + Duration::from_secs(60) }),
            (
                now,
                Observation::AttemptEnded {
                    population: US,
                    first: true,
                    reconnect: false,
                    started: began,
                    class,
                    refusal: (class == Class::TurnedAway).then_some(refusal),
                },
            ),
            (now, Observation::Unserved { population: US, wanted_at: began }),
        ] {
            recorder.record(at, &observation);
        }
    }
    recorder.finish(now, [].into_iter(), [].into_iter(), [].into_iter());
    recorder
}

fn story() -> impl Strategy<Value = Story> {
    // Some runs are so much longer than others that their time buckets are coarser.
    prop::collection::vec((prop_oneof![1_u64..2_000, 1_u64..10_000_000], any::<u8>(), 420_u16..430), 0..12)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn merging_recorders_is_commutative_and_associative_in_its_bytes(a in story(), b in story(), c in story()) {
        let of = |story: &Story| recorded(story);
        let sum = |parts: &[&Recorder]| {
            let mut sum = Recorder::new(parts[0].shape());
            for part in parts {
                sum.merge(part);
            }
            sum
        };
        let (a, b, c) = (of(&a), of(&b), of(&c));
        let all = bytes(&sum(&[&a, &b, &c]));
        prop_assert_eq!(&bytes(&sum(&[&c, &a, &b])), &all);
        prop_assert_eq!(&bytes(&sum(&[&sum(&[&a, &b]), &c])), &all);
        prop_assert_eq!(&bytes(&sum(&[&a, &sum(&[&c, &b])])), &all);
    }
}
