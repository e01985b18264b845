//! A study: replications of a scenario, added up in whatever order they end.
//!
//! It keeps a few numbers of each replication and the sum of all, so that ten thousand cost little more memory than ten. It runs
//! nothing: [`replicate`](super::replicate()) does.

use serde::{Deserialize, Serialize};

use super::aftermath::troubles;
use crate::metrics::{Aftermath, Beginning, Episodes, Recorder, Shape, Trouble, aftermaths};
use crate::scenario::Scenario;
use crate::sim::{Finished, Work};
use crate::time::Instant;

/// What is kept of one replication.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct Run {
    /// Its number, from 0.
    pub number: u32,
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

/// Some or all replications of a scenario.
///
/// What is written of it (serde) is what another study needs to go on with them, and nothing that the scenario says.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Study {
    /// All of them together.
    pub merged: Recorder,
    /// What is kept of each, in the order of their numbers.
    pub runs: Vec<Run>,
    /// The episodes of the one with the least number.
    pub episodes: Episodes,
    /// From when to when each fault of the scenario is in force.
    #[serde(skip)]
    pub troubles: Vec<Trouble>,
    /// What came after each of them, in each replication.
    pub aftermaths: Vec<Vec<Option<Aftermath>>>,
    /// The most ghosts at once is in `merged`; how many were left at the end of all replications together.
    pub ghosts_left: u64,
    /// What they took; of maxima the greatest.
    pub work: Work,
    /// Was it stopped before all of them had ended?
    #[serde(skip)]
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

    /// Adds the simulated replication `number`.
    pub fn add(&mut self, number: u32, finished: &Finished) {
        self.take(number, &finished.recorder, finished.digest);
        self.add_work(finished.work);
    }

    /// Adds the other replications of `other`. Sums and maxima of whole numbers, and a list that is sorted: neither order nor
    /// grouping changes the study that comes of it.
    ///
    /// # Panics
    /// If it is of another scenario.
    pub fn merge(&mut self, other: Self) {
        if self.runs.first().map_or(u32::MAX, |run| run.number)
            > other.runs.first().map_or(u32::MAX, |run| run.number)
        {
            self.episodes = other.episodes;
        }
        let is_in_order = self.runs.last().map(|run| run.number) < other.runs.first().map(|run| run.number);
        self.runs.extend(other.runs);
        self.aftermaths.extend(other.aftermaths);
        if !is_in_order {
            let mut all: Vec<_> = self.runs.drain(..).zip(self.aftermaths.drain(..)).collect();
            all.sort_by_key(|(run, _)| run.number);
            (self.runs, self.aftermaths) = all.into_iter().unzip();
        }
        self.ghosts_left += other.ghosts_left;
        self.add_work(other.work);
        self.merged.merge(&other.merged);
    }

    /// Is this a part of a study of `scenario`, with replications that `others` does not have? What was read from a file need not be.
    pub fn fits(&self, scenario: &Scenario, others: &Self) -> bool {
        let is_new = |run: &Run| others.runs.binary_search_by_key(&run.number, |other| other.number).is_err();
        self.merged.fits(others.merged.shape(), self.runs.len())
            && self.runs.is_sorted_by(|a, b| a.number < b.number)
            && self.runs.iter().all(|run| run.number < scenario.replications && is_new(run))
            && self.aftermaths.len() == self.runs.len()
            && self.aftermaths.iter().all(|run| run.len() <= others.troubles.len())
    }

    fn add_work(&mut self, work: Work) {
        self.work.events += work.events;
        self.work.commands += work.commands;
        self.work.pending_max = self.work.pending_max.max(work.pending_max);
        self.work.clients_max = self.work.clients_max.max(work.clients_max);
        self.work.connections_max = self.work.connections_max.max(work.connections_max);
    }

    /// Adds what replication `number`, simulated or measured, has recorded; a measured one has no digest, 0. Its number is greater
    /// than those that are there.
    pub fn take(&mut self, number: u32, recorder: &Recorder, digest: u128) {
        if self.runs.is_empty() {
            self.episodes = recorder.episodes().clone();
        }
        self.runs.push(Run {
            number,
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
