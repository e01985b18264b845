//! What a ramp came to: how many were let in, and what the first who was not met.
//!
//! It compares no two ramps: [`limits`](super::limits) does.

use super::plan::{Kind, SUBJECT};
use super::trial::{Attempt, Log, Said};
use crate::observe::{Cause, Class, Phase, Refusal, SessionEnd};

/// What one ramp came to.
#[derive(Clone, PartialEq, Debug)]
pub struct Ramp {
    /// From where and as whom.
    pub kind: Kind,
    /// How many were let in, and stayed.
    pub admitted: u32,
    /// The number of the first attempt that was not let in, from 1; `None`: all were.
    pub attempt: Option<u32>,
    /// What it met.
    pub refused: Option<Met>,
    /// How many were let in although they came later than that one.
    pub admitted_after: u32,
    /// How many that were let in were cut or lost before the ramp ended.
    pub lost: u32,
    /// Each attempt that came to an end, in the order in which they began: the sessions that there were then, and the cause of those
    /// that were not let in.
    pub steps: Vec<(u32, Option<Cause>)>,
}

/// What the first who was not let in met.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Met {
    /// As it was counted.
    pub refusal: Refusal,
    /// As it looked, if the server said anything that was noted.
    pub said: Option<Said>,
    /// Was it taken for a wrong password? It was none: the same account had just been let in.
    pub mistaken: bool,
}

impl Ramp {
    /// What `log` says of a ramp of this kind.
    pub fn read(kind: Kind, log: &Log) -> Self {
        let attempts = log.attempts(SUBJECT);
        let first = attempts.iter().position(Attempt::is_refused);
        let before = |place: usize| first.is_none_or(|first| place < first);
        let admitted_at = |place: &(usize, &Attempt)| place.1.is_admitted();
        let all = attempts.iter().enumerate().filter(admitted_at).count();
        let early = attempts.iter().enumerate().filter(admitted_at).filter(|(i, _)| before(*i)).count();
        let lost =
            log.left(SUBJECT).filter(|(_, end)| matches!(end, SessionEnd::Cut | SessionEnd::Lost)).count();
        let mut held = 0;
        let steps = attempts
            .iter()
            .filter_map(|attempt| {
                let ended = attempt.ended?;
                held += u32::from(attempt.is_admitted());
                Some((held, attempt.is_refused().then(|| met_by(ended.class, ended.refusal).cause)))
            })
            .collect();
        Self {
            kind,
            admitted: all as u32,
            attempt: first.map(|first| first as u32 + 1),
            refused: first.and_then(|first| met(&attempts[first], log)),
            admitted_after: (all - early) as u32,
            lost: lost as u32,
            steps,
        }
    }

    /// Was a limit found, or the end of the ramp?
    pub fn is_reached(&self) -> bool {
        self.attempt.is_some()
    }
}

fn met(attempt: &Attempt, log: &Log) -> Option<Met> {
    let ended = attempt.ended?;
    let refusal = met_by(ended.class, ended.refusal);
    let said = log.said(refusal).cloned();
    Some(Met { refusal, said, mistaken: ended.class == Class::LoginFailed })
}

/// The refusal behind an attempt that was not let in. A client that takes it for a wrong password notes none.
fn met_by(class: Class, refusal: Option<Refusal>) -> Refusal {
    refusal.unwrap_or(match class {
        Class::LoginFailed => Refusal { cause: Cause::LoginAttempts, phase: Phase::Pass, code: 530 },
        _ => Refusal { cause: Cause::ConnectTimeout, phase: Phase::Accept, code: 0 },
    })
}
