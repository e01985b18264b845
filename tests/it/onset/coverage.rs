//! The intervals of the search, held against truths that are known: a 95 % interval covers in at least 181 of 200 repeats.
//!
//! The seeds are fixed beforehand. An exact interval passes with a probability of 0.998. An interval that covers because it is endless
//! proves nothing: each has its ends, and they are no further apart than is asked.

use std::sync::Arc;

use ftp421::experiment::onset::{Ask, Finding, SimWorld, find};
use ftp421::experiment::theory::erlangs_for;
use ftp421::scenario::Scenario;
use ftp421::server::profile::Lasting;
use ftp421::time::Duration;
use ftp421::watch::Watch;
use rayon::prelude::*;

use crate::support;

const REPEATS: u64 = 200;
const ENOUGH: usize = 181;

/// A server whose wire and work cost no time.
fn costless(limit: u32) -> Scenario {
    support::scenario(&format!(
        r#"
        schema = 1
        name = "oracle"
        duration = "1h"
        [server]
        max_clients = {limit}
        [[clients]]
        name = "nobody"
        arrivals = {{ executor = "poisson", rate = "1/s" }}
        link = {{ rtt = "0s" }}
        "#
    ))
}

/// A search that does what it must and no more.
fn plain(limit: u32) -> Ask {
    Ask { cap: limit + 10, repeats: 1, handovers: 2, level: None, ..Ask::new(costless(limit)) }
}

fn search(ask: &Ask, seed: u64) -> Finding {
    let ask = Ask { base: Scenario { seed, ..ask.base.clone() }, ..ask.clone() };
    find(&ask, &mut SimWorld::new(Arc::new(Watch::default())), &mut |_| {}).unwrap()
}

/// The intervals of all repeats; one without an end is endless.
fn intervals(ask: &Ask, of: impl Fn(&Finding) -> [Option<f64>; 2] + Sync) -> Vec<[f64; 2]> {
    let ends = |[low, high]: [Option<f64>; 2]| [low.unwrap_or(0.0), high.unwrap_or(f64::INFINITY)];
    (1..=REPEATS).into_par_iter().map(|seed| ends(of(&search(ask, seed)))).collect()
}

fn assert_covers(name: &str, truth: f64, widest: f64, intervals: &[[f64; 2]]) {
    let hits = intervals.iter().filter(|[low, high]| *low <= truth && truth <= *high).count();
    let mut widths: Vec<f64> = intervals.iter().map(|[low, high]| (high - low) / truth).collect();
    widths.sort_by(f64::total_cmp);
    let typical = widths[widths.len() / 2];
    assert!(hits >= ENOUGH, "{name}: {hits} of {REPEATS} intervals cover {truth}");
    assert!(typical <= widest, "{name}: half of the intervals are wider than {typical} of {truth}");
}

/// The slot is held for exactly as long as the session stays, so that Erlang's formula is exact: it does not ask how holding times are
/// distributed.
#[test]
fn the_interval_of_the_rate_covers_erlangs() {
    for (limit, sessions, widest) in [(1, 300, 1.0), (3, 200, 0.8), (20, 300, 0.3)] {
        let hold = Some(Duration::from_secs(1));
        let ask = Ask { hold, level: Some(0.01), design: (3, 5), sessions, ..plain(limit) };
        let all = intervals(&ask, |found| {
            let rate = found.rate.as_ref().expect("there is a limit");
            rate.per_s.map_or([None, Some(0.0)], |_| [rate.low_per_s, rate.high_per_s])
        });
        assert_covers(&format!("limit {limit}"), erlangs_for(limit, 0.01), widest, &all);
    }
}

/// A slot is released after 2 ms and an exponential time of 3 ms on average: half of them within 2 + 3 ln 2.
#[test]
fn the_interval_of_the_release_covers_its_median() {
    let mut ask = Ask { handovers: 15, knocks: vec![Duration::from_micros(500)], ..plain(3) };
    ask.base.servers[0].policy.process.release =
        Lasting { least: Duration::from_millis(2), mean: Duration::from_millis(5) };
    let all = intervals(&ask, |found| {
        let release = found.slot_release.as_ref().expect("there is a limit");
        [release.low_s, release.high_s]
    });
    assert_covers("release", 0.002 + 0.003 * std::f64::consts::LN_2, 1.5, &all);
}
