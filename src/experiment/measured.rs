//! From what a run under load tells to what it measured: a recorder with balanced books, and a ledger of refusals.
//!
//! It opens no socket and reads no clock: a driver talks, and it listens.

use std::collections::BTreeMap;

use super::Study;
use crate::classify::{self, Basis, Confidence, Ledger, Verdict};
use crate::id::PopulationId;
use crate::live::load::{Health, Heard};
use crate::metrics::summary::{RefusalText, ToldApart};
use crate::metrics::{Recorder, Shape};
use crate::observe::{Cause, Observation};
use crate::scenario::Scenario;
use crate::time::Instant;

/// Listens to one replication under load.
///
/// The clocks of a machine are read by several threads, and a mark may reach the recorder with a later time than the machine
/// uttered it at. An end is therefore booked against the beginning as it was recorded: the books balance whatever the threads do.
#[derive(Clone, Debug)]
pub struct Measuring {
    recorder: Recorder,
    now: Instant,
    ended: Option<Instant>,
    connections: Open,
    sessions: Open,
    attempts: Open,
    wanting: Open,
    refusals: Refusals,
    dialogue: String,
}

/// What one replication under load measured.
#[derive(Clone, Debug)]
pub struct Measured {
    /// The numbers.
    pub recorder: Recorder,
    /// The refusals, with those of the replications before it.
    pub refusals: Refusals,
    /// One client's control connection, or empty.
    pub dialogue: String,
}

impl Measuring {
    /// A listener to a run of `scenario`; `before` are the refusals of the replications before it.
    pub fn new(scenario: &Scenario, before: Refusals) -> Self {
        let horizon = Instant::ZERO + scenario.duration;
        let shape = Shape { populations: scenario.populations.len(), horizon, warmup: scenario.warmup };
        Self {
            recorder: Recorder::new(shape),
            now: Instant::ZERO,
            ended: None,
            connections: Open::default(),
            sessions: Open::default(),
            attempts: Open::default(),
            wanting: Open::default(),
            refusals: before,
            dialogue: String::new(),
        }
    }

    /// Takes in what the run tells.
    pub fn hear(&mut self, heard: Heard) {
        match heard {
            Heard::Dialogue(text) => self.dialogue = text,
            _ if self.ended.is_some() => {} // on the way out
            Heard::Mark { at, observation, late } => {
                self.now = self.now.max(at);
                if let Some(observation) = self.booked(at, observation) {
                    self.recorder.record_late(self.now, &observation, late);
                }
            }
            Heard::Refusal { refusal, verdict, text, .. } => {
                self.refusals.note(refusal.cause, verdict);
                if refusal.code > 0 || !text.is_empty() {
                    self.refusals.texts.note(refusal, verdict, &text);
                }
            }
            Heard::No { refusal, text, .. } => self.refusals.texts.note(refusal, None, &text),
            Heard::End { at, .. } => self.ended = Some(at), // who is still there stands in the books
        }
    }

    /// Closes the books at the end that was heard; if the run broke down before, at the last that was.
    pub fn finish(self) -> Measured {
        let end = self.ended.unwrap_or(self.now);
        let Self { mut recorder, connections, sessions, wanting, refusals, dialogue, .. } = self;
        recorder.finish(
            end,
            connections.left_over().map(|(_, at)| at),
            sessions.left_over().map(|(_, at)| at),
            wanting.left_over().map(|(population, at)| (PopulationId(population), at)),
        );
        Measured { recorder, refusals, dialogue }
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
            Observation::Served { population, wanted_at }
            | Observation::Unserved { population, wanted_at } => {
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

/// Refusals by what they were taken for, and by their texts.
#[derive(Clone, Debug, Default)]
pub struct Refusals {
    told: BTreeMap<(Cause, Option<(Confidence, u8)>), ToldApart>,
    texts: Ledger,
}

impl Refusals {
    fn note(&mut self, cause: Cause, verdict: Option<Verdict>) {
        let key = (cause, verdict.map(|verdict| (verdict.confidence, verdict.basis as u8)));
        let told = self.told.entry(key).or_insert_with(|| {
            let (confidence, basis) = words(verdict);
            let word = |word: &str| word.to_owned();
            ToldApart {
                cause: word(cause.name()),
                confidence: word(confidence),
                basis: word(basis),
                count: 0,
            }
        });
        told.count += 1;
    }

    /// What refusals were taken for, the most frequent first.
    pub fn told_apart(&self) -> Vec<ToldApart> {
        let mut all: Vec<ToldApart> = self.told.values().cloned().collect();
        all.sort_by_key(|one| std::cmp::Reverse(one.count));
        all
    }

    /// The texts, the most frequent first; those that found no room last, as one without a code.
    pub fn texts(&self) -> Vec<RefusalText> {
        let texts = self.texts.clone().finish();
        let one = |kind: classify::RefusalText| {
            let (confidence, basis) = words(kind.verdict);
            RefusalText {
                code: kind.code,
                text: kind.text,
                phase: kind.phase.name().to_owned(),
                cause: kind.cause.name().to_owned(),
                confidence: confidence.to_owned(),
                basis: basis.to_owned(),
                known: kind.known,
                count: kind.count,
            }
        };
        let mut all: Vec<RefusalText> = texts.kinds.into_iter().map(one).collect();
        if texts.others > 0 {
            let text = "(texts for which there was no room)".to_owned();
            all.push(RefusalText { text, count: texts.others, ..RefusalText::default() });
        }
        all
    }
}

fn words(verdict: Option<Verdict>) -> (&'static str, &'static str) {
    let Some(verdict) = verdict else { return ("known", "client") };
    let confidence = match verdict.confidence {
        Confidence::Guess => "guess",
        Confidence::Likely => "likely",
        Confidence::Certain => "certain",
    };
    let basis = match verdict.basis {
        Basis::Text => "text",
        Basis::Words => "words",
        Basis::Timing => "timing",
        Basis::Position => "position",
        Basis::Network => "network",
    };
    (confidence, basis)
}

/// All replications of a run under load.
#[derive(Clone, Debug)]
pub struct Load {
    /// Their numbers.
    pub study: Study,
    /// Their refusals.
    pub refusals: Refusals,
    /// How the generator fared.
    pub health: Option<Health>,
    /// One client's control connection, in the first of them.
    pub dialogue: String,
}

impl Load {
    /// A run of `scenario` without a replication.
    pub fn new(scenario: &Scenario) -> Self {
        Self {
            study: Study::new(scenario),
            refusals: Refusals::default(),
            health: None,
            dialogue: String::new(),
        }
    }

    /// A listener to the next replication.
    pub fn begin(&mut self, scenario: &Scenario) -> Measuring {
        Measuring::new(scenario, std::mem::take(&mut self.refusals))
    }

    /// Adds the next replication.
    pub fn add(&mut self, measured: Measured, health: Health) {
        let number = self.study.runs.len() as u32;
        self.study.take(number, &measured.recorder, 0);
        self.refusals = measured.refusals;
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
    all.unverified += more.unverified;
    all.corrupt += more.corrupt;
    (all.busy_share, all.steal_share) = (busy, steal);
}

#[cfg(test)]
mod tests;
