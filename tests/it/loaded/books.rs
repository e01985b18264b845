//! What a run came to, by population: who was let in, who was refused, and how.

use std::collections::BTreeMap;
use std::fmt;

use ftp421::classify::Confidence;
use ftp421::live::load::Heard;
use ftp421::observe::{Class, Observation, Refusal, SessionEnd};

use crate::load::rig::Outcome;

/// The books of a run. Times are in seconds since its beginning.
#[derive(Default)]
pub struct Books {
    /// By the place of the population: each attempt that came to its end, in the order of the ends.
    pub attempts: Vec<Vec<Attempt>>,
    /// By the place of the population: each session that ended, why, and when.
    pub ends: Vec<Vec<(f64, SessionEnd, Option<Refusal>)>>,
    /// What was refused, as it looked on the wire.
    pub words: Vec<Words>,
    /// When somebody logged in.
    pub logins: Vec<f64>,
    /// When a command was answered.
    pub answers: Vec<f64>,
    /// The bytes of each transfer.
    pub moved: Vec<u64>,
}

/// An attempt that came to its end.
#[derive(Debug)]
pub struct Attempt {
    pub at: f64,
    pub class: Class,
    pub refusal: Option<Refusal>,
}

/// What a refusal ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    Attempt(Class),
    Session(SessionEnd),
}

/// A refusal on the wire.
#[derive(Debug)]
pub struct Words {
    pub refusal: Refusal,
    pub text: String,
    /// How sure the classifier is.
    pub sure: Option<Confidence>,
}

impl Books {
    /// Those of `outcome`.
    pub fn of(outcome: &Outcome) -> Self {
        let mut books = Self::default();
        for heard in &outcome.heard {
            match heard {
                Heard::Mark { at, observation, .. } => books.note(at.as_secs_f64(), *observation),
                Heard::Refusal { refusal, verdict, text, .. } => {
                    let sure = verdict.map(|verdict| verdict.confidence);
                    books.words.push(Words { refusal: *refusal, text: text.clone(), sure });
                }
                _ => {}
            }
        }
        books
    }

    fn note(&mut self, at: f64, observation: Observation) {
        match observation {
            Observation::AttemptEnded { population, class, refusal, .. } => {
                place(&mut self.attempts, population.0).push(Attempt { at, class, refusal });
            }
            Observation::SessionEnded { population, end, refusal } => {
                place(&mut self.ends, population.0).push((at, end, refusal));
            }
            Observation::SessionOpened => self.logins.push(at),
            Observation::Took(ftp421::observe::Latency::Command, _) => self.answers.push(at),
            Observation::Moved { bytes } => self.moved.push(bytes),
            _ => {}
        }
    }

    /// How many attempts of all populations came to `class`.
    pub fn count(&self, class: Class) -> usize {
        self.attempts.iter().flatten().filter(|attempt| attempt.class == class).count()
    }

    /// Of the population at `place`, so many were let in, and all who came behind them, as many as `refused`, were refused.
    #[track_caller]
    pub fn let_in(&self, place: usize, admitted: usize, refused: usize) {
        let found: Vec<Class> = self.attempts[place].iter().map(|attempt| attempt.class).collect();
        let mut expected = vec![Class::Admitted; admitted];
        expected.extend(vec![Class::TurnedAway; refused]);
        assert_eq!(found, expected, "population {place}: {self}");
    }

    /// How many of the refusals that ended an attempt or a session are like this, by cause.
    pub fn by_cause(&self, like: impl Fn(Kind) -> bool) -> BTreeMap<String, u64> {
        let attempts =
            self.attempts.iter().flatten().filter_map(|a| Some((Kind::Attempt(a.class), a.refusal?)));
        let ends = self.ends.iter().flatten().filter_map(|(_, end, r)| Some((Kind::Session(*end), (*r)?)));
        let mut causes = BTreeMap::new();
        for (kind, refusal) in attempts.chain(ends) {
            if like(kind) {
                *causes.entry(refusal.cause.name().to_owned()).or_default() += 1;
            }
        }
        causes
    }

    /// Everybody who was refused was refused like this, surely; nobody was cut.
    #[track_caller]
    pub fn all_refused(&self, refusal: Refusal, text: &str) {
        let attempts = self.attempts.iter().flatten().filter_map(|attempt| attempt.refusal);
        assert!(attempts.clone().all(|found| found == refusal), "{refusal:?} expected: {self}");
        assert_eq!(attempts.count(), self.words.len(), "one text for each refusal: {self}");
        for found in &self.words {
            assert_eq!((found.refusal, found.text.as_str()), (refusal, text), "{self}");
            // Who closes without a word can only be guessed at.
            assert!(refusal.code == 0 || found.sure >= Some(Confidence::Likely), "{self}");
        }
        assert!(self.ends.iter().all(Vec::is_empty), "{self}");
    }
}

fn place<T: Default>(all: &mut Vec<T>, place: u16) -> &mut T {
    let place = usize::from(place);
    if all.len() <= place {
        all.resize_with(place + 1, T::default);
    }
    &mut all[place]
}

/// For a person who reads a failure.
impl fmt::Display for Books {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, attempts) in self.attempts.iter().enumerate() {
            let one = |a: &Attempt| format!("{:.2} s {} {}", a.at, a.class, called(a.refusal));
            writeln!(f, "population {place}: {}", attempts.iter().map(one).collect::<Vec<_>>().join(", "))?;
        }
        for (place, ends) in self.ends.iter().enumerate() {
            let one = |(at, end, refusal): &(f64, SessionEnd, Option<Refusal>)| {
                format!("{at:.2} s {end} {}", called(*refusal))
            };
            writeln!(f, "ends {place}: {}", ends.iter().map(one).collect::<Vec<_>>().join(", "))?;
        }
        for text in &self.words {
            writeln!(f, "{} {:?}: {:?}", called(Some(text.refusal)), text.sure, text.text)?;
        }
        Ok(())
    }
}

fn called(refusal: Option<Refusal>) -> String {
    refusal.map_or_else(String::new, |r| format!("({}, {}, {})", r.cause, r.phase, r.code))
}
