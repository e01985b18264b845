//! Replications: the same scenario with independent streams, on all cores, added up as they end.
//!
//! It draws no conclusions: [`summarise`](super::summarise) does. It writes nothing: what is to survive a killed process it hands to
//! a [`Keep`].

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use rayon::prelude::*;

use super::Study;
use crate::scenario::Scenario;
use crate::sim::{self, Finished, Tap};
use crate::watch::Watch;

/// Somebody who keeps sums of replications that have ended, so that a study that is killed can go on from them.
pub trait Keep: Sync {
    /// Keeps `part`. Each replication comes once, in the part that one thread has added up since it was last here.
    fn keep(&self, part: &Study);
}

/// What a study begins with, and who keeps what comes of it.
#[derive(Clone, Copy)]
pub struct Shelf<'a> {
    /// Who keeps it.
    pub keeper: &'a dyn Keep,
    /// How many calendar events a part is worth, at least. A number of events and not of seconds: this module reads no clock.
    pub every: u64,
}

impl std::fmt::Debug for Shelf<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shelf").field("every", &self.every).finish_non_exhaustive()
    }
}

/// Runs all replications of `scenario` on the current rayon pool. `tap` listens to replication 0.
///
/// If `watch` stops the run, the replications that had not ended are dropped; if none had, what replication 0 has measured
/// until then is kept.
pub fn replicate<T: Tap + Send>(scenario: &Scenario, tap: &mut T, watch: &Watch) -> Study {
    go_on(Study::new(scenario), scenario, tap, watch, None)
}

/// The same for the replications that `earlier` does not have. If somebody listens, replication 0 is run for him in any case.
///
/// Each thread takes the next number as soon as it is done with one, and adds up what it has run: nobody waits for anybody, and there
/// are never more recorders than three for each thread, however many replications there are. Since sums do not depend on their order
/// ([`Study::merge`]), neither the number of threads nor who was faster can be seen in the result.
pub fn go_on<T: Tap + Send>(
    earlier: Study,
    scenario: &Scenario,
    tap: &mut T,
    watch: &Watch,
    shelf: Option<Shelf<'_>>,
) -> Study {
    let mut study = earlier;
    let is_there = |number: &u32| study.runs.binary_search_by_key(number, |run| run.number).is_ok();
    if T::LISTENS && is_there(&0) {
        let _ = sim::run(scenario, 0, tap, watch); // its numbers are there
    }
    let todo: Vec<u32> = (0..scenario.replications).filter(|number| !is_there(number)).collect();
    let threads = rayon::current_num_threads().min(todo.len());
    let round = Round {
        scenario,
        watch,
        shelf,
        is_shelved: AtomicBool::new(false),
        next: AtomicUsize::new(0),
        todo,
        tap: Mutex::new(Some(tap)),
        cut: Mutex::new(None),
    };
    let sums: Vec<Study> = (0..threads).into_par_iter().with_max_len(1).map(|_| round.work()).collect();
    for sum in sums {
        study.merge(sum);
    }
    study.partial = study.runs.len() < scenario.replications as usize;
    if study.runs.is_empty()
        && let Some(cut) = round.cut.into_inner().unwrap_or_else(PoisonError::into_inner)
    {
        study.add(0, &cut);
        study.partial = true;
    }
    study
}

/// The replications that are to be run.
struct Round<'a, T> {
    scenario: &'a Scenario,
    watch: &'a Watch,
    shelf: Option<Shelf<'a>>,
    /// Has anything been kept of this round?
    is_shelved: AtomicBool,
    /// The place in `todo` of the next that nobody has taken.
    next: AtomicUsize,
    todo: Vec<u32>,
    /// Who listens to replication 0.
    tap: Mutex<Option<&'a mut T>>,
    /// Replication 0, if it was cut short.
    cut: Mutex<Option<Finished>>,
}

impl<T: Tap + Send> Round<'_, T> {
    /// One thread's share: whatever nobody else has taken.
    fn work(&self) -> Study {
        let (mut sum, mut fresh) = (Study::new(self.scenario), Study::new(self.scenario));
        while let Some(number) = self.take() {
            let (finished, is_complete) = self.simulate(number);
            if is_complete {
                fresh.add(number, &finished);
            } else if number == 0 {
                *self.cut.lock().unwrap_or_else(PoisonError::into_inner) = Some(finished);
            }
            if self.shelf.is_some_and(|shelf| fresh.work.events >= shelf.every) {
                self.keep(&fresh);
                sum.merge(std::mem::replace(&mut fresh, Study::new(self.scenario)));
            }
        }
        // A study that ends before its first part is not worth a file, unless somebody stops it.
        if self.watch.is_stopped() || self.is_shelved.load(Ordering::Relaxed) {
            self.keep(&fresh);
        }
        sum.merge(fresh);
        sum
    }

    /// The next number; the first one even if the run is stopped already, so that there is something.
    fn take(&self) -> Option<u32> {
        let place = self.next.fetch_add(1, Ordering::Relaxed);
        let number = *self.todo.get(place)?;
        (number == 0 || !self.watch.is_stopped()).then_some(number)
    }

    fn simulate(&self, number: u32) -> (Finished, bool) {
        let tap =
            if number == 0 { self.tap.lock().unwrap_or_else(PoisonError::into_inner).take() } else { None };
        match tap {
            Some(tap) => sim::run(self.scenario, 0, tap, self.watch),
            None => sim::run(self.scenario, number, &mut (), self.watch),
        }
    }

    fn keep(&self, part: &Study) {
        if let Some(shelf) = self.shelf
            && !part.runs.is_empty()
        {
            shelf.keeper.keep(part);
            self.is_shelved.store(true, Ordering::Relaxed);
        }
    }
}
