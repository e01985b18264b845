//! Replications: the same scenario with independent streams, on all cores, added up in the order of their numbers.
//!
//! It draws no conclusions: [`summarise`](super::summarise) does.

use rayon::prelude::*;

use super::Study;
use crate::scenario::Scenario;
use crate::sim::{self, Finished, Tap};
use crate::watch::Watch;

/// So many replications are under way or waiting to be added up at once: a bound on memory.
const BATCH: u32 = 64;

/// Runs all replications of `scenario` on the current rayon pool. `tap` listens to replication 0.
///
/// If `watch` stops the run, the replications that had not ended are dropped; if none had, what replication 0 has measured
/// until then is kept.
pub fn replicate<T: Tap + Send>(scenario: &Scenario, tap: &mut T, watch: &Watch) -> Study {
    let mut study = Study::new(scenario);
    let (first, batch) = rayon::join(
        || sim::run(scenario, 0, tap, watch),
        || batch(scenario, 1, BATCH.min(scenario.replications), watch),
    );
    let (zero, is_complete) = first;
    let none_ended = !is_complete && batch.iter().all(|(_, complete)| !complete);
    add(&mut study, [(zero, is_complete || none_ended)]);
    add(&mut study, batch);
    let mut next = BATCH;
    while next < scenario.replications && !watch.is_stopped() {
        let end = next.saturating_add(BATCH).min(scenario.replications);
        add(&mut study, self::batch(scenario, next, end, watch));
        next = end;
    }
    study.partial = none_ended || study.runs.len() < scenario.replications as usize;
    study
}

/// Replications `from..to`, each with whether it came to its end.
fn batch(scenario: &Scenario, from: u32, to: u32, watch: &Watch) -> Vec<(Finished, bool)> {
    (from..to).into_par_iter().map(|number| sim::run(scenario, number, &mut (), watch)).collect()
}

/// Adds those that are to be kept.
fn add(study: &mut Study, runs: impl IntoIterator<Item = (Finished, bool)>) {
    runs.into_iter().filter(|(_, keep)| *keep).for_each(|(finished, _)| study.add(&finished));
}
