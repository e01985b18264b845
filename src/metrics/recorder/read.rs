//! What a recorder has added up.
//!
//! It divides nothing: see `estimators`.

use super::{Recorder, Shape};
use crate::metrics::bucket::Followed;
use crate::metrics::summary::{Counts, Transfers};
use crate::metrics::tally::{Tally, Warm};
use crate::metrics::{Episodes, Level, OnsetWatch, RefusalTable, Series, Timing};
use crate::observe::{Cause, Latency};
use crate::time::Instant;

impl Recorder {
    /// When the run ended; the latest end of merged runs.
    pub fn end(&self) -> Instant {
        self.end
    }

    /// How many finished runs are in here.
    pub fn replications(&self) -> u32 {
        self.replications
    }

    /// The counts of each population, in the scenario's order.
    pub fn populations(&self) -> impl Iterator<Item = Counts> {
        self.populations.iter().map(|tally| tally.counts)
    }

    /// The counts of all populations together.
    pub fn counts(&self) -> Counts {
        self.total().counts
    }

    /// Refusals by kind.
    pub fn refusals(&self) -> &RefusalTable {
        &self.refusals
    }

    /// How often the server's check at place `check` in check order refused someone.
    pub fn refused_by_check(&self, check: usize) -> u64 {
        self.by_check.get(check).copied().unwrap_or(0)
    }

    /// Connections at the server.
    pub fn connections(&self) -> &Level {
        &self.levels[Followed::Connections as usize]
    }

    /// Logged-in sessions.
    pub fn sessions(&self) -> &Level {
        &self.levels[Followed::Sessions as usize]
    }

    /// What it was told of the run.
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// Is this the sum of so many runs of this shape? What was read from a file need not be.
    pub fn fits(&self, shape: Shape, runs: usize) -> bool {
        self.shape == shape
            && self.replications as usize == runs
            && self.populations.len() == shape.populations
            && self.by_check.len() <= usize::from(u8::MAX) + 1
            && self.series.fits(shape.horizon)
    }

    /// The bytes that it takes, with all that it points to. Only the ban table of the servers, and the number of populations, can
    /// make it grow: see the bound at [`Recorder`].
    pub fn size(&self) -> usize {
        let lists = size_of_val(&*self.populations)
            + size_of_val(&*self.by_check)
            + self.bans_until.len() * size_of::<Instant>()
            + size_of_val(&*self.failed_transfers);
        let tables = self.refusals.size() + self.series.size() + self.onset.size() + self.episodes.size();
        let from_sent = self.from_sent.as_deref().map_or(0, size_of_val);
        let timings = self.timings.iter().chain(self.from_sent.iter().flat_map(|timings| timings.iter()));
        size_of::<Self>() + lists + tables + from_sent + timings.map(Timing::size).sum::<usize>()
    }

    /// Bans in force.
    pub fn bans(&self) -> &Level {
        &self.bans
    }

    /// The time series.
    pub fn series(&self) -> &Series {
        &self.series
    }

    /// The lengths of time called `what`, without those that began before the warm-up was over.
    pub fn timing(&self, what: Latency) -> &Timing {
        &self.timings[what.index()]
    }

    /// The same without the time for which a load generator was late: from the sent time, where [`timing`](Self::timing) counts
    /// from the intended one. `None` if nothing of the kind was recorded.
    pub fn timing_from_sent(&self, what: Latency) -> Option<&Timing> {
        self.from_sent.as_deref().map(|timings| &timings[what.index()])
    }

    /// Files moved.
    pub fn transfers(&self) -> Transfers {
        self.transfers.clone()
    }

    /// Transfers that failed while their session went on, by the reply's code, 0 for none.
    pub fn failed_transfers(&self) -> &[(u16, u64)] {
        &self.failed_transfers
    }

    /// Connections whose client has vanished.
    pub fn ghosts(&self) -> &Level {
        &self.ghosts
    }

    /// How many ghosts' connections the server closed, by cause; `None` for those without one.
    pub fn ghosts_ended(&self) -> impl Iterator<Item = (Option<Cause>, u64)> {
        let causes = Cause::ALL.iter().copied().map(Some).chain([None]);
        causes.zip(self.ghosts_ended).filter(|(_, n)| *n > 0)
    }

    /// Where refusals begin in this run.
    pub fn onset(&self) -> &OnsetWatch {
        &self.onset
    }

    /// Stretches of refusals in this run.
    pub fn episodes(&self) -> &Episodes {
        &self.episodes
    }

    /// What began after the warm-up, over all populations.
    pub(super) fn warm(&self) -> Warm {
        self.total().warm
    }

    fn total(&self) -> Tally {
        let mut total = Tally::default();
        self.populations.iter().for_each(|tally| total += tally);
        total
    }
}
