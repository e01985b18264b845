//! The arrival rate at which a share of sessions is refused.
//!
//! First it looks for the place, by runs at a higher rate, where refusals are many and soon counted: by Erlang's loss formula they tell
//! how long a session holds its slot, and so the rate that is wanted. Then a design that is made beforehand: runs at rates around
//! that, each with draws of its own, and a regression over them ([`fit`](super::fit)) that takes from Erlang no more than the shape.
//! The runs that looked for the place are not used again, or the estimate would follow their luck.

use super::fit::{self, Count};
use super::plan::{Kind, SUBJECT, Stand};
use super::trial::{Log, Trial, Trouble, World};
use crate::experiment::theory;
use crate::observe::Class;
use crate::time::{Duration, Instant};

/// What is looked for, and with how much effort.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Quest {
    /// The share of sessions refused.
    pub level: f64,
    /// From where and as whom they come.
    pub kind: Kind,
    /// How many places there are, as far as is known.
    pub limit: u32,
    /// How long each session stays.
    pub hold: Duration,
    /// How long it holds its place, login and release included, as far as is known.
    pub slot: Duration,
    /// Sessions of each run of the design.
    pub sessions: u32,
    /// Rates of the design.
    pub rates: u32,
    /// Runs at each rate.
    pub runs: u32,
    /// Each run is counted in so many batches, which are long beside a slot and so as good as runs of their own (Law & Kelton,
    /// section 9.5.3): they need one warm-up between them.
    pub batches: u32,
    /// No rate is higher, per second.
    pub most: f64,
    /// No run is longer.
    pub longest: Duration,
}

/// What the search for the rate came to.
#[derive(Clone, PartialEq, Debug)]
pub struct Rated {
    /// The design's runs.
    pub runs: Vec<Count>,
    /// Where the share reaches the level; `None`: nowhere that was tried, or too few runs show it.
    pub crossing: Option<Reached>,
    /// How long a session holds its slot, as the runs that looked for the place have it, seconds.
    pub slot: f64,
    /// The highest rate that was tried.
    pub most: f64,
    /// Sessions that the generator could not begin.
    pub dropped: u64,
    /// How late the generator was, seconds.
    pub late_s: f64,
}

/// Where the share reaches the level, sessions per second.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Reached {
    /// The estimate.
    pub rate: f64,
    /// The lower end of its 95 % interval.
    pub low: Option<f64>,
    /// The upper end.
    pub high: Option<f64>,
    /// By how many per cent the share grows for each per cent that Erlang's formula has it grow.
    pub exponent: f64,
    /// Was that taken for granted, since the runs do not show it?
    pub as_theory: bool,
    /// By how much runs of one rate vary more than by chance.
    pub dispersion: f64,
}

/// The runs that look for the place, and the share of refusals that they look at.
pub const PILOTS: u32 = 3;
const PILOT_SHARE: f64 = 0.1;
/// A slot is not more than so many times longer or shorter than was thought, and each pilot goes no further.
const STEP: f64 = 4.0;
/// The lowest and the highest share of the design, as multiples of the level.
const LOWEST: f64 = 0.5;
const HIGHEST: f64 = 4.0;
/// Draws of the pilots and of the design: replications from these numbers on.
const FIRST_PILOT: u32 = 1_000;
const FIRST_RUN: u32 = 2_000;

/// Looks for the rate of `quest`.
///
/// # Errors
/// Those of the world.
pub fn search(stand: &Stand, quest: &Quest, world: &mut dyn World) -> Result<Rated, Trouble> {
    let slot = quest.slot.as_secs_f64().max(1e-6);
    let mut out = Rated { runs: Vec::new(), crossing: None, slot, most: 0.0, dropped: 0, late_s: 0.0 };
    pilots(stand, quest, world, &mut out)?;
    let mut trials = Vec::new();
    let mut rates = Vec::new();
    // Run by run over all rates, so that what changes with time changes all of them.
    for run in 0..quest.runs {
        for place in 0..quest.rates {
            let rate = quest.rate_for(share(quest, place), out.slot);
            rates.push(rate);
            trials.push(trial(stand, quest, rate, FIRST_RUN + run * quest.rates + place));
        }
    }
    for (log, rate) in world.run_all(&trials)?.iter().zip(rates) {
        if world.is_stopped() {
            return Ok(out);
        }
        out.watch(log, rate);
        let expected = libm::log(theory::erlang_b(quest.limit, rate * out.slot).max(1e-300));
        for batch in 0..quest.batches.max(1) {
            let (tried, refused) = counts(quest, log, rate, Some(batch));
            out.runs.push(Count { rate, expected, tried, refused });
        }
    }
    let back = |x: f64| theory::erlangs_for(quest.limit, libm::exp(x.min(-1e-9))) / out.slot;
    let free = fit::crossing(&out.runs, quest.level).filter(|c| c.low.is_some() && c.high.is_some());
    let as_theory = free.is_none();
    let found = free.or_else(|| fit::crossing_as_theory(&out.runs, quest.level));
    out.crossing = found.map(|found| Reached {
        rate: back(found.at),
        low: found.low.map(back),
        high: found.high.map(back),
        exponent: found.exponent,
        as_theory,
        dispersion: found.dispersion,
    });
    Ok(out)
}

/// The share of refusals that rate number `place` of the design is to have: evenly spread, as ratios.
fn share(quest: &Quest, place: u32) -> f64 {
    let part = f64::from(place) / f64::from(quest.rates.max(2) - 1);
    (quest.level * LOWEST * libm::pow(HIGHEST / LOWEST, part)).min(0.5)
}

impl Quest {
    /// The rate at which Erlang's formula refuses `share` of sessions that hold a slot for `slot` seconds.
    fn rate_for(&self, share: f64, slot: f64) -> f64 {
        (theory::erlangs_for(self.limit, share) / slot).clamp(1e-9, self.most)
    }
}

/// Runs at which about one in ten is refused, and what they tell of the slot: the length with which Erlang's formula expects as many
/// refusals as all of them together had.
fn pilots(stand: &Stand, quest: &Quest, world: &mut dyn World, rated: &mut Rated) -> Result<(), Trouble> {
    let mut runs: Vec<(f64, f64)> = Vec::new();
    let mut refused = 0.5; // none seen is few, not none
    for pilot in 0..PILOTS {
        let rate = quest.rate_for(PILOT_SHARE.max(quest.level), rated.slot);
        let log = world.run(&trial(stand, quest, rate, FIRST_PILOT + pilot))?;
        if world.is_stopped() {
            return Ok(());
        }
        rated.watch(&log, rate);
        let seen = counts(quest, &log, rate, None);
        runs.push((rate, seen.0));
        refused += seen.1;
        let expected = |slot: f64| -> f64 {
            runs.iter().map(|(rate, tried)| tried * theory::erlang_b(quest.limit, rate * slot)).sum()
        };
        let (mut low, mut high) = (rated.slot / STEP, rated.slot * STEP);
        for _ in 0..60 {
            let middle = f64::midpoint(low, high);
            if expected(middle) < refused { low = middle } else { high = middle }
        }
        rated.slot = f64::midpoint(low, high);
    }
    Ok(())
}

/// One run at `rate`: long enough for the sessions of the quest behind its warm-up.
fn trial(stand: &Stand, quest: &Quest, rate: f64, number: u32) -> Trial {
    let tail = stand.delay() * 10 + Duration::from_millis(100);
    let length = warmup(quest) + counted(quest, rate);
    stand.stream(quest.kind, rate, quest.hold, [length, tail], number)
}

/// How much of a run at `rate` is counted.
fn counted(quest: &Quest, rate: f64) -> Duration {
    Duration::from_secs_f64(f64::from(quest.sessions) / rate).min(quest.longest)
}

/// Sessions are all equally long, so that a server that refuses hardly anybody is as full as it ever will be once the first have left.
fn warmup(quest: &Quest) -> Duration {
    quest.slot + Duration::from_nanos(quest.slot.as_nanos() / 2)
}

/// How many came in this batch (or in all of them), and how many of them were refused.
fn counts(quest: &Quest, log: &Log, rate: f64, batch: Option<u32>) -> (f64, f64) {
    let begin = Instant::ZERO + warmup(quest);
    let each = Duration::from_nanos(counted(quest, rate).as_nanos() / u64::from(quest.batches.max(1)));
    let (from, to) = match batch {
        Some(batch) => (begin + each * u64::from(batch), begin + each * u64::from(batch + 1)),
        None => (begin, Instant::NEVER),
    };
    let attempts = log.attempts(SUBJECT);
    let here = || attempts.iter().filter(|a| a.started >= from && a.started < to).filter_map(|a| a.ended);
    let refused = here().filter(|ended| ended.class != Class::Admitted).count();
    (here().count() as f64, refused as f64)
}

impl Rated {
    fn watch(&mut self, log: &Log, rate: f64) {
        self.most = self.most.max(rate);
        if let Some(generator) = log.generator {
            self.dropped = self.dropped.saturating_add(generator.dropped);
            self.late_s = self.late_s.max(generator.late_s);
        }
    }
}
