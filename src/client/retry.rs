//! What a client does after a refusal: whether it comes back, and after how long.
//!
//! It does not count attempts: a client does, and asks with the number.

use super::Sign;
use crate::dist::Dist;
use crate::observe::{Cause, Phase, Refusal};
use crate::rng::{Stream, unit};
use crate::time::Duration;

/// The rules of a population, tried in order: the first that matches decides. No match means no retry.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct RetryPolicy {
    /// The rules.
    pub rules: Vec<Rule>,
}

/// One rule: for these refusals, this backoff. Real clients go by signs, phases and texts; only a scenario that knows more than
/// any client does asks for causes.
#[derive(Clone, PartialEq, Debug)]
pub struct Rule {
    /// The signs it is for, one bit each by [`Sign::bit`].
    pub signs: u16,
    /// The texts it is for, one bit for each pattern of the population's [`Reading`](super::Reading); 0 for any text.
    pub words: u8,
    /// The causes it is for, one bit each by [`Cause::index`].
    pub causes: u32,
    /// The phases it is for, one bit each by [`Phase::index`].
    pub phases: u8,
    /// What to do; `None`: never come back.
    pub backoff: Option<Backoff>,
}

const _: () = assert!(Cause::COUNT <= 32 && Phase::COUNT <= 8);

/// How long to wait, and how often.
#[derive(Clone, PartialEq, Debug)]
pub struct Backoff {
    /// The shape of the waits.
    pub growth: Growth,
    /// The first wait.
    pub base: Dist,
    /// No wait is longer.
    pub cap: Duration,
    /// Is a wait cut to whole seconds?
    pub whole_seconds: bool,
    /// How a wait is spread.
    pub jitter: Jitter,
    /// The most attempts for one wanted session, the first included; 0 for no bound.
    pub attempts: u32,
    /// The probability to come back at all after each refusal.
    pub persistence: f64,
}

/// How waits grow from one retry to the next.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Growth {
    /// Every wait is the first wait.
    Fixed,
    /// The n-th wait is n times the first.
    Linear,
    /// Each wait is this times the one before.
    Exponential(f64),
}

/// How a wait `w` is spread, in the terms of Brooker, "Exponential Backoff And Jitter" (AWS Architecture Blog, 2015).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Jitter {
    /// Exactly `w`.
    None,
    /// Uniform from 0 to `w`.
    Full,
    /// Half of `w`, and uniform from 0 to the other half.
    Equal,
    /// Uniform from the first wait to three times the wait before, whatever the growth; the wait before the first retry is
    /// taken to have been the first wait.
    Decorrelated,
}

impl Rule {
    /// Every cause.
    pub const ALL_CAUSES: u32 = u32::MAX;
    /// Every phase.
    pub const ALL_PHASES: u8 = u8::MAX;
    /// Every sign.
    pub const ALL_SIGNS: u16 = u16::MAX;

    /// A rule for everything.
    pub const fn new(backoff: Option<Backoff>) -> Self {
        Self { signs: Self::ALL_SIGNS, words: 0, causes: Self::ALL_CAUSES, phases: Self::ALL_PHASES, backoff }
    }

    fn matches(&self, refusal: Refusal, words: u8) -> bool {
        self.signs & Sign::of(refusal).bit() != 0
            && self.causes & (1 << refusal.cause.index()) != 0
            && self.phases & (1 << refusal.phase.index()) != 0
            && (self.words == 0 || self.words & words != 0)
    }
}

/// What a wait is drawn with: the streams of a population, and the counter of one wanted session's attempt.
#[derive(Clone, Copy, Debug)]
pub struct Draw {
    /// The stream of waits.
    pub backoff: Stream,
    /// The stream of whether to come back.
    pub persistence: Stream,
    /// The client.
    pub entity: u64,
    /// The wanted session and the attempt.
    pub counter: u64,
}

impl RetryPolicy {
    /// The wait after attempt number `attempt` (from 1) ended with `refusal`, whose text said `words`, or `None` to give up.
    /// `previous` is the wait before this attempt, zero before the first.
    pub fn wait(
        &self,
        refusal: Refusal,
        words: u8,
        attempt: u32,
        previous: Duration,
        draw: Draw,
    ) -> Option<Duration> {
        let backoff = self.rules.iter().find(|rule| rule.matches(refusal, words))?.backoff.as_ref()?;
        if backoff.attempts != 0 && attempt >= backoff.attempts {
            return None;
        }
        if !draw.persistence.chance(backoff.persistence, draw.entity, draw.counter) {
            return None;
        }
        Some(backoff.wait(attempt, previous, draw))
    }
}

impl Backoff {
    fn wait(&self, attempt: u32, previous: Duration, draw: Draw) -> Duration {
        // Two words: one for the base, one for the jitter. The top bit of the counter's position is never an attempt's.
        let base = self.base.sample(draw.backoff.word(draw.entity, draw.counter)) as f64;
        let spread = unit(draw.backoff.word(draw.entity, draw.counter | 1 << 31));
        let cap = self.cap.as_nanos() as f64;
        let grown = match self.growth {
            Growth::Fixed => base,
            Growth::Linear => base * f64::from(attempt),
            Growth::Exponential(factor) => base * libm::pow(factor, f64::from(attempt.saturating_sub(1))),
        };
        let wait = grown.min(cap);
        let ns = match self.jitter {
            Jitter::None => wait,
            Jitter::Full => wait * spread,
            Jitter::Equal => wait / 2.0 + wait / 2.0 * spread,
            Jitter::Decorrelated => {
                let high = (previous.as_nanos() as f64).max(base) * 3.0;
                (base + (high - base) * spread).min(cap)
            }
        };
        let ns = ns.round() as u64;
        Duration::from_nanos(if self.whole_seconds { ns - ns % 1_000_000_000 } else { ns })
    }
}
