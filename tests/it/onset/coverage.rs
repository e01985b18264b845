//! The intervals of the search, held against truths that are known: a 95 % interval covers in at least 181 of 200 repeats.
//!
//! The seeds are fixed beforehand. An exact interval passes with a probability of 0.998.

use std::sync::Arc;

use ftp421::experiment::onset::{Ask, Finding, SimWorld, find};
use ftp421::experiment::theory::erlangs_for;
use ftp421::scenario::Scenario;
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

fn search(ask: &Ask) -> Finding {
    let mut world = SimWorld::new(Arc::new(Watch::default()));
    find(ask, &mut world, &mut |_| {}).unwrap()
}

/// How many of the repeats' intervals cover what they are to cover.
fn covered(ask: &Ask, covers: impl Fn(&Finding) -> bool + Sync) -> usize {
    (1..=REPEATS)
        .into_par_iter()
        .filter(|seed| {
            let base = Scenario { seed: *seed, ..ask.base.clone() };
            covers(&search(&Ask { base, ..ask.clone() }))
        })
        .count()
}

/// The slot is held for exactly as long as the session stays, so that Erlang's formula is exact: it does not ask how holding times are
/// distributed.
#[test]
fn the_interval_of_the_rate_covers_erlangs() {
    for (limit, sessions) in [(1, 300), (3, 200), (20, 300)] {
        let ask = Ask {
            cap: 30,
            repeats: 1,
            handovers: 2,
            hold: Some(Duration::from_secs(1)),
            design: (3, 5),
            sessions,
            ..Ask::new(costless(limit))
        };
        let truth = erlangs_for(limit, 0.01);
        let mut sum = 0.0;
        let one = search(&ask).rate.unwrap();
        sum += one.per_s.unwrap_or(0.0);
        let hits = covered(&ask, |found| {
            let rate = found.rate.as_ref().unwrap();
            let (Some(low), Some(high)) = (rate.low_per_s, rate.high_per_s) else { return true };
            low <= truth && truth <= high
        });
        eprintln!("limit {limit}: {hits} of {REPEATS} cover {truth}; {one:?} {sum}");
        assert!(hits >= ENOUGH, "limit {limit}: {hits} of {REPEATS} intervals cover {truth}");
    }
}
