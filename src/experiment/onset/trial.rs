//! A trial: a small scenario that is run once, and the log of what its clients met.
//!
//! It runs nothing itself: a [`World`] does, in virtual or in real time.

use std::sync::Arc;

use crate::classify::Verdict;
use crate::id::PopulationId;
use crate::observe::{Class, Observation, Refusal, SessionEnd};
use crate::scenario::Scenario;
use crate::time::{Duration, Instant};

/// The most events of a log; a trial is over when there are so many. Memory must be bounded whatever a server does.
pub const MOST: usize = 1 << 21;

/// One run that the search asks for.
#[derive(Clone, Debug)]
pub struct Trial {
    /// Who comes, when, and what they do.
    pub scenario: Arc<Scenario>,
    /// Which replication's draws they make.
    pub replication: u32,
    /// When enough was seen.
    pub until: Until,
}

/// When a trial is over before its scenario is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Until {
    /// It is not.
    End,
    /// So many attempts of this population have ended without a login.
    Refused(PopulationId, u32),
    /// So many sessions of this population have ended, or never began.
    Over(PopulationId, u32),
}

/// What happened, in the order of time.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Log {
    /// The events.
    pub events: Vec<Event>,
    /// How the generator itself fared; nothing in virtual time.
    pub generator: Option<Generator>,
}

/// Something that a client met.
#[derive(Clone, PartialEq, Debug)]
pub struct Event {
    /// When.
    pub at: Instant,
    /// What.
    pub what: What,
}

/// What a client met.
#[derive(Clone, PartialEq, Debug)]
pub enum What {
    /// An attempt began.
    Began(PopulationId),
    /// Some client was greeted.
    Greeted,
    /// An attempt came to its class.
    Ended {
        /// Whose.
        population: PopulationId,
        /// When it began.
        started: Instant,
        /// What became of it.
        class: Class,
        /// The refusal that ended it.
        refusal: Option<Refusal>,
    },
    /// A session ended.
    Left {
        /// Whose.
        population: PopulationId,
        /// How.
        end: SessionEnd,
    },
    /// A refusal as it looked on the wire.
    Said(Said),
}

/// A refusal as it looked on the wire.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Said {
    /// What it was taken for.
    pub refusal: Refusal,
    /// How sure that is and what it rests on; `None`: it is known, not told from outside.
    pub verdict: Option<Verdict>,
    /// The reply's text, its lines joined by `\n`; empty for none.
    pub text: String,
}

/// How the generator of a trial in real time fared.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Generator {
    /// Sessions that were not begun for want of a descriptor, port or place.
    pub dropped: u64,
    /// The 99 % quantile of late starts, seconds.
    pub late_s: f64,
}

/// Why a search cannot go on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Trouble {
    /// The world could not run a trial.
    World(String),
    /// The server does not answer as an FTP server, or not at all.
    Dead(String),
    /// Nobody could log in: the accounts are wrong.
    Password(String),
}

/// Where trials are run.
pub trait World {
    /// `simulated` or `measured`.
    fn name(&self) -> &'static str;

    /// Does time cost anything here?
    fn is_real(&self) -> bool;

    /// Has somebody asked to stop?
    fn is_stopped(&self) -> bool;

    /// How many different addresses clients can come from.
    fn addresses(&self) -> u32;

    /// How much real time has gone by since the search began.
    fn spent(&self) -> Duration;

    /// Those whom a trial left behind seem to have been there still when the next one began: from now on there is more time between
    /// two.
    fn rest_longer(&mut self) {}

    /// Runs one trial. What an earlier one left behind at the server is gone when it begins.
    ///
    /// # Errors
    /// [`Trouble::World`].
    fn run(&mut self, trial: &Trial) -> Result<Log, Trouble>;

    /// Runs trials that do not depend on each other.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    fn run_all(&mut self, trials: &[Trial]) -> Result<Vec<Log>, Trouble> {
        trials.iter().map(|trial| self.run(trial)).collect()
    }
}

/// Keeps the log of a trial under way, and knows when it has seen enough.
#[derive(Clone, Debug)]
pub struct Ear {
    log: Log,
    until: Until,
    seen: u32,
}

impl Ear {
    /// One for `trial`.
    pub fn new(trial: &Trial) -> Self {
        Self { log: Log::default(), until: trial.until, seen: 0 }
    }

    /// Takes in what a client said.
    pub fn hear(&mut self, at: Instant, observation: &Observation) {
        let what = match *observation {
            Observation::AttemptStarted { population, .. } => What::Began(population),
            Observation::AttemptEnded { population, started, class, refusal, .. } => {
                let counts = match self.until {
                    Until::Refused(whose, _) => whose == population && class != Class::Admitted,
                    _ => false,
                };
                self.seen += u32::from(counts);
                What::Ended { population, started, class, refusal }
            }
            Observation::SessionEnded { population, end, .. } => {
                self.over(population);
                What::Left { population, end }
            }
            Observation::Unserved { population, .. } => return self.over(population),
            Observation::Took(crate::observe::Latency::Greeting, _) => What::Greeted,
            _ => return,
        };
        self.push(at, what);
    }

    /// Takes in a refusal as it looked.
    pub fn said(&mut self, at: Instant, said: Said) {
        self.push(at, What::Said(said));
    }

    /// Was that enough?
    pub fn has_enough(&self) -> bool {
        match self.until {
            Until::End => false,
            Until::Refused(_, most) | Until::Over(_, most) => self.seen >= most,
        }
        .max(self.log.events.len() >= MOST)
    }

    /// The log.
    pub fn finish(self, generator: Option<Generator>) -> Log {
        Log { generator, ..self.log }
    }

    fn over(&mut self, population: PopulationId) {
        self.seen += u32::from(matches!(self.until, Until::Over(whose, _) if whose == population));
    }

    fn push(&mut self, at: Instant, what: What) {
        if self.log.events.len() < MOST {
            self.log.events.push(Event { at, what });
        }
    }
}

impl Log {
    /// The attempts of `population` in the order in which they began.
    pub fn attempts(&self, population: PopulationId) -> Vec<Attempt> {
        let mut attempts: Vec<Attempt> = self
            .events
            .iter()
            .filter_map(|event| match event.what {
                What::Began(whose) if whose == population => Some(Attempt { started: event.at, ended: None }),
                _ => None,
            })
            .collect();
        for event in &self.events {
            let What::Ended { population: whose, started, class, refusal } = event.what else { continue };
            if whose != population {
                continue;
            }
            // Several may begin at one instant: the first of them that is still open.
            let first = attempts.partition_point(|a| a.started < started);
            let same = attempts[first..].iter_mut().take_while(|a| a.started == started);
            if let Some(attempt) = same.into_iter().find(|a| a.ended.is_none()) {
                attempt.ended = Some(Ended { at: event.at, class, refusal });
            }
        }
        attempts
    }

    /// How many sessions were there when it ended.
    pub fn open_at_end(&self) -> u32 {
        let change = |event: &Event| match event.what {
            What::Ended { class: Class::Admitted, .. } => 1,
            What::Left { .. } => -1,
            _ => 0,
        };
        u32::try_from(self.events.iter().map(change).sum::<i64>()).unwrap_or(0)
    }

    /// What the server said when it refused somebody as `refusal` says; else the first thing that it ever said.
    pub fn said(&self, refusal: Refusal) -> Option<&Said> {
        let all = || {
            self.events.iter().filter_map(|event| match &event.what {
                What::Said(said) => Some(said),
                _ => None,
            })
        };
        let same = |said: &&Said| said.refusal.code == refusal.code && said.refusal.cause == refusal.cause;
        all().find(same).or_else(|| all().next())
    }

    /// When sessions of `population` ended, and how.
    pub fn left(&self, population: PopulationId) -> impl Iterator<Item = (Instant, SessionEnd)> {
        self.events.iter().filter_map(move |event| match event.what {
            What::Left { population: whose, end } if whose == population => Some((event.at, end)),
            _ => None,
        })
    }
}

/// One attempt of a log.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Attempt {
    /// When it began.
    pub started: Instant,
    /// What became of it, unless it was still open when the trial ended.
    pub ended: Option<Ended>,
}

/// What became of an attempt.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Ended {
    /// When.
    pub at: Instant,
    /// What.
    pub class: Class,
    /// The refusal that ended it.
    pub refusal: Option<Refusal>,
}

impl Attempt {
    /// Was it let in?
    pub fn is_admitted(&self) -> bool {
        self.ended.is_some_and(|ended| ended.class == Class::Admitted)
    }

    /// Was it not, for whatever reason?
    pub fn is_refused(&self) -> bool {
        self.ended.is_some_and(|ended| ended.class != Class::Admitted)
    }
}
