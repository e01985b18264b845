//! The arrival rate at which a share of sessions is refused.
//!
//! First it brackets: single runs, each at a rate that the one before suggests. Then a design that is made beforehand: runs at several
//! rates around that, each with draws of its own, and a regression over them ([`fit`](super::fit)). The runs that looked for the
//! place are not used again, or the estimate would follow their luck.

use super::fit::{self, Count, Crossing};
use super::plan::{Kind, Stand, SUBJECT};
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
    /// Where the share reaches the level.
    pub crossing: Option<Crossing>,
    /// The rate around which the design was laid; the highest tried if the level was never reached.
    pub centre: f64,
    /// Was the level reached at all?
    pub reached: bool,
    /// The worst of the generator over all runs: sessions dropped, and how late it was, seconds.
    pub dropped: u64,
    /// How late the generator was, seconds.
    pub late_s: f64,
}

/// The runs that look for the place.
const PILOTS: u32 = 9;
/// Draws of the pilots and of the design: replications from these numbers on.
const FIRST_PILOT: u32 = 1_000;
const FIRST_RUN: u32 = 2_000;

/// Looks for the rate of `quest`.
///
/// # Errors
/// Those of the world.
pub fn search(stand: &Stand, quest: &Quest, world: &mut dyn World) -> Result<Rated, Trouble> {
    let mut rated =
        Rated { runs: Vec::new(), crossing: None, centre: 0.0, reached: false, dropped: 0, late_s: 0.0 };
    let Some(centre) = bracket(stand, quest, world, &mut rated)? else { return Ok(rated) };
    rated.centre = centre;
    rated.reached = true;
    let mut trials = Vec::new();
    let mut rates = Vec::new();
    // Run by run over all rates, so that what changes with time changes all of them.
    for run in 0..quest.runs {
        for place in 0..quest.rates {
            let rate = centre * libm::exp(spread(quest) * offset(place, quest.rates));
            rates.push(rate);
            trials.push(trial(stand, quest, rate, quest.sessions, FIRST_RUN + run * quest.rates + place));
        }
    }
    for (log, rate) in world.run_all(&trials)?.iter().zip(rates) {
        rated.runs.push(count(quest, log, rate));
        rated.watch(log);
    }
    rated.crossing = fit::crossing(&rated.runs, quest.level);
    Ok(rated)
}

/// From -1 to 1, evenly.
fn offset(place: u32, of: u32) -> f64 {
    if of < 2 { 0.0 } else { 2.0 * f64::from(place) / f64::from(of - 1) - 1.0 }
}

/// How fast the share grows with the rate where it is small: Erlang's B(n, a) goes as a^(n - a (1 - B)).
fn slope(quest: &Quest) -> f64 {
    let erlangs = theory::erlangs_for(quest.limit, quest.level);
    (f64::from(quest.limit) - erlangs * (1.0 - quest.level)).max(1.0)
}

/// The reach of the design: from half to twice the share, as theory has it.
fn spread(quest: &Quest) -> f64 {
    0.7 / slope(quest)
}

/// A rate at which about the level is refused; `None`: it is not at the highest either.
fn bracket(
    stand: &Stand,
    quest: &Quest,
    world: &mut dyn World,
    rated: &mut Rated,
) -> Result<Option<f64>, Trouble> {
    let slot = quest.slot.as_secs_f64().max(1e-6);
    let mut rate = (theory::erlangs_for(quest.limit, quest.level) / slot).clamp(1e-6, quest.most);
    let (slope, mut known_high) = (slope(quest), false);
    for pilot in 0..PILOTS {
        rated.centre = rate;
        let sessions = quest.sessions.max(300);
        let log = world.run(&trial(stand, quest, rate, sessions, FIRST_PILOT + pilot))?;
        if world.is_stopped() {
            return Ok(None);
        }
        rated.watch(&log);
        let seen = count(quest, &log, rate);
        // Half a refusal more: none seen is few, not none.
        let off = libm::log((seen.refused + 0.5) / (seen.tried + 1.0) / quest.level);
        known_high |= seen.refused > 0.0;
        let step = (-off / slope).clamp(-1.4, 1.4);
        if seen.refused > 0.0 && off.abs() < 0.8 {
            return Ok(Some((rate * libm::exp(step)).min(quest.most)));
        }
        if rate >= quest.most && off < 0.0 {
            return Ok(known_high.then_some(rate));
        }
        rate = (rate * libm::exp(step)).min(quest.most);
    }
    Ok(known_high.then_some(rate))
}

/// One run at `rate`: long enough for `sessions` behind its warm-up.
fn trial(stand: &Stand, quest: &Quest, rate: f64, sessions: u32, number: u32) -> Trial {
    let length = warmup(quest) + Duration::from_secs_f64(f64::from(sessions) / rate).min(quest.longest);
    let tail = stand.delay() * 10 + Duration::from_millis(100);
    stand.stream(quest.kind, rate, quest.hold, [length, tail], number)
}

/// Sessions are all equally long, so that a server that nobody is ever refused at is as full as it will be once the first have left. Two
/// more lengths for those who are refused.
fn warmup(quest: &Quest) -> Duration {
    quest.slot * 3
}

/// Who came after the warm-up, and who of them was refused.
fn count(quest: &Quest, log: &Log, rate: f64) -> Count {
    let from = Instant::ZERO + warmup(quest);
    let attempts = log.attempts(SUBJECT);
    let counted = || attempts.iter().filter(|a| a.started >= from).filter_map(|a| a.ended);
    let refused = counted().filter(|ended| ended.class != Class::Admitted).count();
    Count { rate, tried: counted().count() as f64, refused: refused as f64 }
}

impl Rated {
    fn watch(&mut self, log: &Log) {
        if let Some(generator) = log.generator {
            self.dropped = self.dropped.saturating_add(generator.dropped);
            self.late_s = self.late_s.max(generator.late_s);
        }
    }
}
