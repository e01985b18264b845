//! A study: the replications of a scenario, added up one after the other.
//!
//! It keeps a few numbers of each replication and the sum of all, so that ten thousand cost no more memory than ten.

use super::aftermath::troubles;
use crate::metrics::{Aftermath, Beginning, Episodes, Recorder, Shape, Trouble, aftermaths};
use crate::scenario::Scenario;
use crate::sim::{Finished, Work};
use crate::time::Instant;

/// What is kept of one replication.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Run {
    /// The digest of every input and action of its machines.
    pub digest: u128,
    /// Its end: earlier than the scenario's if it was cut short.
    pub end: Instant,
    /// First attempts turned away, of those that ended or logged in.
    pub refused_first: Option<f64>,
    /// Attempts turned away, of those that ended or logged in.
    pub refused_attempt: Option<f64>,
    /// Wanted sessions never served, of all wanted.
    pub unserved: Option<f64>,
    /// Attempts for each wanted session.
    pub amplification: Option<f64>,
    /// Wanted sessions per second x mean slot hold.
    pub offered_erlangs: Option<f64>,
    /// The mean number of logged-in sessions.
    pub carried_erlangs: Option<f64>,
    /// The mean slot hold of an admitted session, seconds.
    pub mean_hold_s: Option<f64>,
    /// The first attempt turned away.
    pub first_refusal: Option<Beginning>,
    /// Where refusals are more than chance.
    pub sustained_refusal: Option<Beginning>,
}

/// The replications of a scenario, in the order of their numbers.
#[derive(Clone, Debug)]
pub struct Study {
    /// All of them together.
    pub merged: Recorder,
    /// What is kept of each.
    pub runs: Vec<Run>,
    /// The episodes of the first.
    pub episodes: Episodes,
    /// From when to when each fault of the scenario is in force.
    pub troubles: Vec<Trouble>,
    /// What came after each of them, in each replication.
    pub aftermaths: Vec<Vec<Option<Aftermath>>>,
    /// The most ghosts at once is in `merged`; how many were left at the end of all replications together.
    pub ghosts_left: u64,
    /// What they took; of maxima the greatest.
    pub work: Work,
    /// Was it stopped before all of them had ended?
    pub partial: bool,
}

impl Study {
    /// A study of `scenario` without a replication.
    pub fn new(scenario: &Scenario) -> Self {
        let shape = Shape {
            populations: scenario.populations.len(),
            horizon: Instant::ZERO + scenario.duration,
            warmup: scenario.warmup,
        };
        Self {
            merged: Recorder::new(shape),
            runs: Vec::new(),
            episodes: Episodes::default(),
            troubles: troubles(scenario),
            aftermaths: Vec::new(),
            ghosts_left: 0,
            work: Work::default(),
            partial: false,
        }
    }

    /// Adds the next simulated replication.
    pub fn add(&mut self, finished: &Finished) {
        let Finished { recorder, digest, work } = finished;
        self.take(recorder, *digest);
        self.work.events += work.events;
        self.work.commands += work.commands;
        self.work.pending_max = self.work.pending_max.max(work.pending_max);
        self.work.clients_max = self.work.clients_max.max(work.clients_max);
        self.work.connections_max = self.work.connections_max.max(work.connections_max);
    }

    /// Adds what the next replication, simulated or measured, has recorded; a measured one has no digest, 0.
    pub fn take(&mut self, recorder: &Recorder, digest: u128) {
        if self.runs.is_empty() {
            self.episodes = recorder.episodes().clone();
        }
        self.runs.push(Run {
            digest,
            end: recorder.end(),
            refused_first: recorder.refused_first(),
            refused_attempt: recorder.refused_attempt(),
            unserved: recorder.unserved(),
            amplification: recorder.amplification(),
            offered_erlangs: recorder.offered_erlangs(),
            carried_erlangs: recorder.carried_erlangs(),
            mean_hold_s: recorder.mean_hold_s(),
            first_refusal: recorder.onset().first(),
            sustained_refusal: recorder.onset().sustained(),
        });
        let warm = Instant::ZERO + recorder.shape().warmup;
        self.aftermaths.push(aftermaths(recorder.series(), warm, recorder.end(), &self.troubles));
        self.ghosts_left += recorder.ghosts().value();
        self.merged.merge(recorder);
    }
}
