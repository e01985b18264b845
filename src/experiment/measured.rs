//! From what a run under load tells to what it measured: a recorder with balanced books, and a ledger of refusals.
//!
//! It opens no socket and reads no clock: a driver talks, and it listens.

use std::collections::BTreeMap;

use super::Study;
use crate::classify::{Basis, Confidence};
use crate::id::PopulationId;
use crate::live::load::{Health, Heard};
use crate::metrics::summary::{RefusalText, ToldApart};
use crate::metrics::{Recorder, Shape};
use crate::observe::{Observation, Refusal};
use crate::scenario::Scenario;
use crate::time::Instant;

/// Listens to one replication under load.
///
/// The clocks of a machine are read by several threads, and a mark may reach the recorder with a later time than the machine
/// uttered it at. An end is therefore booked against the beginning as it was recorded: the books balance whatever the threads do.
#[derive(Clone, Debug)]
pub struct Measuring {
    recorder: Recorder,
    /// What happens later is no part of the run.
    until: Instant,
    now: Instant,
    connections: Open,
    sessions: Open,
    attempts: Open,
    wanting: Open,
    ledger: Ledger,
    dialogue: String,
}

/// What one replication under load measured.
#[derive(Clone, Debug)]
pub struct Measured {
    /// The numbers.
    pub recorder: Recorder,
    /// The refusals.
    pub ledger: Ledger,
    /// One client's control connection, or empty.
    pub dialogue: String,
}

impl Measuring {
    /// A listener to a run of `scenario`.
    pub fn new(scenario: &Scenario) -> Self {
        let horizon = Instant::ZERO + scenario.duration;
        let shape =
            Shape { populations: scenario.populations.len(), horizon, warmup: scenario.warmup };
        Self {
            recorder: Recorder::new(shape),
            until: horizon,
            now: Instant::ZERO,
            connections: Open::default(),
            sessions: Open::default(),
            attempts: Open::default(),
            wanting: Open::default(),
            ledger: Ledger::default(),
            dialogue: String::new(),
        }
    }

    /// The run is over at `at`, if that is earlier than its scenario's end. What was heard before stays.
    pub fn stop(&mut self, at: Instant) {
        self.until = self.until.min(at.max(self.now));
    }

    /// Takes in what the run tells.
    pub fn hear(&mut self, heard: Heard) {
        match heard {
            Heard::Mark { at, observation, late } if at <= self.until => {
                let claimed = at;
                self.now = self.now.max(at);
                if let Some(observation) = self.booked(claimed, observation) {
                    self.recorder.record_late(self.now, &observation, late);
                }
            }
            Heard::Refusal { at, refusal, verdict, text } if at <= self.until => {
                let told = verdict.map(|verdict| (verdict.confidence, verdict.basis));
                self.ledger.add(refusal, told, &text);
            }
            Heard::Dialogue(text) => self.dialogue = text,
            Heard::Mark { .. } | Heard::Refusal { .. } => {} // on the way out
        }
    }

    /// Closes the books at `end`, or where [`stop`](Self::stop) said.
    pub fn finish(self, end: Instant) -> Measured {
        let Self { mut recorder, until, connections, sessions, wanting, ledger, dialogue, .. } = self;
        let whose = |(population, at)| (PopulationId(population), at);
        recorder.finish(
            end.min(until),
            connections.left_over().map(|(_, at)| at),
            sessions.left_over().map(|(_, at)| at),
            wanting.left_over().map(whose),
        );
        Measured { recorder, ledger, dialogue }
    }

    /// `observation` with the beginning that it ends as it was recorded; `None` for an end that has none.
    fn booked(&mut self, claimed: Instant, mut observation: Observation) -> Option<Observation> {
        let now = self.now;
        match &mut observation {
            Observation::Wanted(population) => self.wanting.came(population.0, claimed, now),
            Observation::AttemptStarted { population, .. } => self.attempts.came(population.0, claimed, now),
            Observation::ConnectionOpened => self.connections.came(0, claimed, now),
            Observation::SessionOpened => self.sessions.came(0, claimed, now),
            Observation::AttemptEnded { population, started, .. } => {
                *started = self.attempts.went(population.0, *started)?;
            }
            Observation::ConnectionClosed { opened } => *opened = self.connections.went(0, *opened)?,
            Observation::SessionClosed { opened } => *opened = self.sessions.went(0, *opened)?,
            // The time that they were wanted at is the intended one, and stays.
            Observation::Served { population, wanted_at } | Observation::Unserved { population, wanted_at } => {
                self.wanting.went(population.0, *wanted_at)?;
            }
            _ => {}
        }
        Some(observation)
    }
}

/// What has begun and not ended: by population, then by the time that its end will name, the times that were recorded.
#[derive(Clone, Debug, Default)]
struct Open(BTreeMap<(u16, Instant), Vec<Instant>>);

impl Open {
    fn came(&mut self, whose: u16, claimed: Instant, recorded: Instant) {
        self.0.entry((whose, claimed)).or_default().push(recorded);
    }

    /// Takes out what began at `claimed`, or next to it, and says when that was recorded.
    fn went(&mut self, whose: u16, claimed: Instant) -> Option<Instant> {
        let before = self.0.range((whose, Instant::ZERO)..=(whose, claimed)).next_back();
        let behind = || self.0.range((whose, claimed)..=(whose, Instant::NEVER)).next();
        let key = before.or_else(behind).map(|(key, _)| *key)?;
        let recorded = self.0.get_mut(&key)?;
        let at = recorded.pop();
        if recorded.is_empty() {
            self.0.remove(&key);
        }
        at
    }

    fn left_over(&self) -> impl Iterator<Item = (u16, Instant)> {
        self.0.iter().flat_map(|((whose, _), at)| at.iter().map(|at| (*whose, *at)))
    }
}

/// How a refusal was told apart: how surely, and by what; `None` if the client itself knew.
type Told = Option<(Confidence, Basis)>;

/// Refusals by what they were taken for, and by their texts.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Ledger {
    told: BTreeMap<(usize, u8), (ToldApart, u64)>,
    texts: BTreeMap<(u16, usize, usize, u8, String), (RefusalText, u64)>,
    /// Refusals whose text found no room.
    others: u64,
}

/// The most different texts that are kept: a server may put a clock or a counter into each.
const TEXTS: usize = 200;
/// The most bytes of one.
const LONGEST: usize = 512;

impl Ledger {
    /// Counts a refusal with its text.
    fn add(&mut self, refusal: Refusal, told: Told, text: &str) {
        let (confidence, basis) = words(told);
        let cause = refusal.cause.name().to_owned();
        let rank = rank(told);
        let entry = self.told.entry((refusal.cause.index(), rank)).or_insert_with(|| {
            let (confidence, basis, cause) = (confidence.to_owned(), basis.to_owned(), cause.clone());
            (ToldApart { cause, confidence, basis, count: 0 }, 0)
        });
        entry.1 += 1;
        let text = escaped(text);
        let key = (refusal.code, refusal.phase.index(), refusal.cause.index(), rank, text.clone());
        if self.texts.len() >= TEXTS && !self.texts.contains_key(&key) {
            self.others += 1;
            return;
        }
        let entry = self.texts.entry(key).or_insert_with(|| {
            let phase = refusal.phase.name().to_owned();
            let (confidence, basis) = (confidence.to_owned(), basis.to_owned());
            (RefusalText { code: refusal.code, text, phase, cause, confidence, basis, count: 0 }, 0)
        });
        entry.1 += 1;
    }

    /// Adds another replication's.
    fn merge(&mut self, other: &Self) {
        for (key, (one, n)) in &other.told {
            self.told.entry(*key).or_insert_with(|| (one.clone(), 0)).1 += n;
        }
        for (key, (one, n)) in &other.texts {
            if self.texts.len() >= TEXTS && !self.texts.contains_key(key) {
                self.others += n;
            } else {
                self.texts.entry(key.clone()).or_insert_with(|| (one.clone(), 0)).1 += n;
            }
        }
        self.others += other.others;
    }

    /// What refusals were taken for, the most frequent first.
    pub fn told_apart(&self) -> Vec<ToldApart> {
        let mut all: Vec<ToldApart> =
            self.told.values().map(|(one, n)| ToldApart { count: *n, ..one.clone() }).collect();
        all.sort_by_key(|one| std::cmp::Reverse(one.count));
        all
    }

    /// The texts, the most frequent first; those that found no room last, as one without text.
    pub fn texts(&self) -> Vec<RefusalText> {
        let mut all: Vec<RefusalText> =
            self.texts.values().map(|(one, n)| RefusalText { count: *n, ..one.clone() }).collect();
        all.sort_by_key(|one| std::cmp::Reverse(one.count));
        if self.others > 0 {
            let text = format!("(texts beyond the first {TEXTS} different ones)");
            all.push(RefusalText { text, count: self.others, ..RefusalText::default() });
        }
        all
    }
}

fn rank(told: Told) -> u8 {
    told.map_or(0, |(confidence, basis)| 1 + confidence as u8 * 8 + basis as u8)
}

fn words(told: Told) -> (&'static str, &'static str) {
    let Some((confidence, basis)) = told else { return ("known", "client") };
    let confidence = match confidence {
        Confidence::Guess => "guess",
        Confidence::Likely => "likely",
        Confidence::Certain => "certain",
    };
    let basis = match basis {
        Basis::Text => "text",
        Basis::Words => "words",
        Basis::Timing => "timing",
        Basis::Position => "position",
        Basis::Network => "network",
    };
    (confidence, basis)
}

/// `text` as a terminal and a line of CSV can carry it.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        if c.is_control() { out.extend(c.escape_default()) } else { out.push(c) }
        if out.len() >= LONGEST {
            break;
        }
    }
    out
}

/// All replications of a run under load.
#[derive(Clone, Debug)]
pub struct Load {
    /// Their numbers.
    pub study: Study,
    /// Their refusals.
    pub ledger: Ledger,
    /// How the generator fared.
    pub health: Option<Health>,
    /// One client's control connection, in the first of them.
    pub dialogue: String,
}

impl Load {
    /// A run of `scenario` without a replication.
    pub fn new(scenario: &Scenario) -> Self {
        Self { study: Study::new(scenario), ledger: Ledger::default(), health: None, dialogue: String::new() }
    }

    /// Adds the next replication.
    pub fn add(&mut self, measured: Measured, health: Health) {
        self.study.take(&measured.recorder, 0);
        self.ledger.merge(&measured.ledger);
        if self.study.runs.len() == 1 {
            self.dialogue = measured.dialogue;
        }
        match &mut self.health {
            None => self.health = Some(health),
            Some(all) => add_health(all, &health),
        }
    }
}

/// Adds how the generator fared in a further replication. Shares are weighted by how long each ran.
fn add_health(all: &mut Health, more: &Health) {
    let weigh = |a: Option<f64>, b: Option<f64>| {
        let (whole, part) = ((all.wall_ns + more.wall_ns) as f64, more.wall_ns as f64);
        a.zip(b).filter(|_| whole > 0.0).map(|(a, b)| a + (b - a) * part / whole)
    };
    let (busy, steal) = (weigh(all.busy_share, more.busy_share), weigh(all.steal_share, more.steal_share));
    // Histograms of the one generator have the same bounds; if they had not, the one that is there is kept.
    let _ = all.late.add(&more.late);
    all.dropped += more.dropped;
    all.exhausted += more.exhausted;
    all.open_max = all.open_max.max(more.open_max);
    all.cpu_ns += more.cpu_ns;
    all.wall_ns += more.wall_ns;
    all.verified += more.verified;
    all.corrupt += more.corrupt;
    (all.busy_share, all.steal_share) = (busy, steal);
}

#[cfg(test)]
mod tests;
