//! Replications: the same scenario with independent streams, on all cores, merged in the order of their numbers.
//!
//! It draws no conclusions: [`summarise`](super::summarise) does.

use rayon::prelude::*;

use crate::scenario::Scenario;
use crate::sim::{self, Finished, Tap, Watch, Work};

/// All replications that ended, in the order of their numbers.
#[derive(Debug)]
pub struct Study {
    /// The replications.
    pub finished: Vec<Finished>,
    /// Did the watch stop the run before all of them had ended?
    pub partial: bool,
}

impl Study {
    /// What all replications took together; of maxima the greatest.
    pub fn work(&self) -> Work {
        self.finished.iter().fold(Work::default(), |sum, f| Work {
            events: sum.events + f.work.events,
            commands: sum.commands + f.work.commands,
            pending_max: sum.pending_max.max(f.work.pending_max),
            clients_max: sum.clients_max.max(f.work.clients_max),
            connections_max: sum.connections_max.max(f.work.connections_max),
        })
    }
}

/// Runs all replications of `scenario` on the current rayon pool. `tap` listens to replication 0.
///
/// If `watch` stops the run, the replications that had not ended are dropped; if none had, what replication 0 has measured
/// until then is kept.
pub fn replicate<T: Tap + Send>(scenario: &Scenario, tap: &mut T, watch: &Watch) -> Study {
    let (first, rest) = rayon::join(
        || sim::run(scenario, 0, tap, watch),
        || {
            (1..scenario.replications)
                .into_par_iter()
                .map(|number| sim::run(scenario, number, &mut (), watch))
                .collect::<Vec<_>>()
        },
    );
    let first_complete = first.1;
    let mut finished = Vec::with_capacity(rest.len() + 1);
    let any = first_complete || rest.iter().any(|(_, complete)| *complete);
    for (number, (one, complete)) in std::iter::once(first).chain(rest).enumerate() {
        if complete || (number == 0 && !any) {
            finished.push(one);
        }
    }
    let partial = finished.len() < scenario.replications as usize || !any;
    Study { finished, partial }
}
