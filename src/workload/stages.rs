//! A piecewise linear function of time, given as stages: an arrival rate, or a number of clients.
//!
//! It draws nothing: the inverse of its integral turns the k-th arrival's number into its time, so that nothing drifts.

use super::rounds::Rounds;
use crate::time::{Duration, Instant};

/// A stretch of time over which a value goes linearly from `from` to `to`.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Stage {
    /// How long.
    pub duration: Duration,
    /// The value at its beginning.
    pub from: f64,
    /// The value at its end.
    pub to: f64,
}

/// Stages one after the other, once or again and again. Before the first and behind the last the value is 0.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Stages {
    /// When the first begins.
    pub start: Instant,
    /// The stages.
    pub stages: Vec<Stage>,
    /// How they repeat; `None`: they do not.
    pub rounds: Option<Rounds>,
}

impl Stages {
    /// `stages` once, from `start` on.
    pub fn once(start: Instant, stages: Vec<Stage>) -> Self {
        Self { start, stages, rounds: None }
    }

    /// One value from `start` for `duration`.
    pub fn constant(start: Instant, duration: Duration, value: f64) -> Self {
        Self::once(start, vec![Stage { duration, from: value, to: value }])
    }

    /// The same stages again and again until `end`, round after round. The values of each round are multiplied by the next of `factors`,
    /// and behind the last of these the first comes again.
    ///
    /// # Panics
    /// If the stages take no time, there are no factors, or one is negative.
    #[must_use]
    pub fn repeated(mut self, factors: Vec<f64>, end: Instant) -> Self {
        self.rounds = Some(Rounds::of(&self.stages, factors, end));
        self
    }

    /// When the last stage ends, or the last round is broken off.
    pub fn end(&self) -> Instant {
        self.rounds.as_ref().map_or_else(|| self.start + length(&self.stages), Rounds::end)
    }

    /// The greatest value.
    pub fn most(&self) -> f64 {
        let once = self.stages.iter().fold(0.0, |most: f64, s| most.max(s.from).max(s.to));
        once * self.rounds.as_ref().map_or(1.0, Rounds::most)
    }

    /// Where its course changes: when it begins, and just before each stage ends; of one that repeats, in every round. At most `most`.
    pub fn corners(&self, most: usize) -> impl Iterator<Item = Instant> {
        let mut t = self.start;
        let until = self.rounds.as_ref().map_or(Instant::ZERO, Rounds::end);
        let once = self.stages.len();
        let again = if self.rounds.is_some() { most } else { once };
        let ends = self.stages.iter().cycle().take(again).enumerate().map_while(move |(place, stage)| {
            let goes_on = place < once || t < until;
            t += stage.duration;
            goes_on.then(|| t - Duration::from_nanos(1))
        });
        std::iter::once(self.start).chain(ends).take(most)
    }

    /// The value at `t`; at a step between two stages, the later one's.
    pub fn value_at(&self, t: Instant) -> f64 {
        match &self.rounds {
            None => value_at(&self.stages, self.start, t),
            Some(rounds) => rounds.value_at(&self.stages, self.start, t),
        }
    }

    /// The integral of the value from the beginning to `t`, in value x seconds.
    pub fn integral_to(&self, t: Instant) -> f64 {
        match &self.rounds {
            None => integral_to(&self.stages, self.start, t),
            Some(rounds) => rounds.integral_to(&self.stages, self.start, t),
        }
    }

    /// The first time at which the integral reaches `amount`, or `None` if it never does.
    pub fn integral_reaches(&self, amount: f64) -> Option<Instant> {
        match &self.rounds {
            None => integral_reaches(&self.stages, self.start, amount),
            Some(rounds) => rounds.integral_reaches(&self.stages, self.start, amount),
        }
    }

    /// The first time from `after` on at which the value is at least `level`, or `None` if it never is again.
    pub fn reaches(&self, level: f64, after: Instant) -> Option<Instant> {
        match &self.rounds {
            None => reaches(&self.stages, self.start, level, after),
            Some(rounds) => rounds.reaches(&self.stages, self.start, level, after),
        }
    }
}

// ---- the stages once, from `begin` on ------------------------------------------------------------------------------

/// How long they take.
pub(super) fn length(stages: &[Stage]) -> Duration {
    stages.iter().fold(Duration::ZERO, |sum, stage| sum + stage.duration)
}

pub(super) fn value_at(stages: &[Stage], mut begin: Instant, t: Instant) -> f64 {
    if t < begin {
        return 0.0;
    }
    for stage in stages {
        let end = begin + stage.duration;
        if t < end {
            let share = t.since(begin).as_secs_f64() / stage.duration.as_secs_f64();
            return stage.from + (stage.to - stage.from) * share;
        }
        begin = end;
    }
    0.0
}

pub(super) fn integral_to(stages: &[Stage], mut begin: Instant, t: Instant) -> f64 {
    let mut sum = 0.0;
    for stage in stages {
        let length = stage.duration.as_secs_f64();
        let covered = t.since(begin).as_secs_f64().min(length);
        if length > 0.0 {
            sum += covered * (stage.from + (stage.to - stage.from) * covered / length / 2.0);
        }
        begin += stage.duration;
    }
    sum
}

pub(super) fn integral_reaches(stages: &[Stage], mut begin: Instant, amount: f64) -> Option<Instant> {
    let mut rest = amount;
    for stage in stages {
        let length = stage.duration.as_secs_f64();
        let area = length * (stage.from + stage.to) / 2.0;
        if rest <= area && area > 0.0 {
            // rest = from x + slope x^2 / 2, solved without cancellation for a rising, a level and a falling stage
            let slope = (stage.to - stage.from) / length;
            let root = (stage.from * stage.from + 2.0 * slope * rest).max(0.0).sqrt();
            let x = if rest <= 0.0 { 0.0 } else { 2.0 * rest / (stage.from + root) };
            return Some(begin + Duration::from_secs_f64(x.min(length)));
        }
        rest -= area;
        begin += stage.duration;
    }
    None
}

pub(super) fn reaches(stages: &[Stage], mut begin: Instant, level: f64, after: Instant) -> Option<Instant> {
    for stage in stages {
        let end = begin + stage.duration;
        let from = begin.max(after);
        if from < end {
            let share = from.since(begin).as_secs_f64() / stage.duration.as_secs_f64();
            if stage.from + (stage.to - stage.from) * share >= level {
                return Some(from);
            }
            if stage.to >= level && stage.to > stage.from {
                let share = (level - stage.from) / (stage.to - stage.from);
                let at = begin + Duration::from_secs_f64(stage.duration.as_secs_f64() * share);
                if at < end {
                    return Some(at.max(from));
                }
            }
        }
        begin = end;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ramp() -> Stages {
        let stage = |secs, from, to| Stage { duration: Duration::from_secs(secs), from, to };
        let stages = vec![stage(10, 0.0, 4.0), stage(10, 4.0, 4.0), stage(10, 4.0, 0.0)];
        Stages::once(Instant::from_nanos(5_000_000_000), stages)
    }

    fn at(secs: f64) -> Instant {
        Instant::ZERO + Duration::from_secs_f64(secs)
    }

    #[test]
    fn the_integral_and_its_inverse_agree() {
        for secs in [5.5, 9.0, 15.0, 17.25, 25.0, 28.0, 34.9] {
            let back = ramp().integral_reaches(ramp().integral_to(at(secs))).unwrap();
            assert!((back.as_secs_f64() - secs).abs() < 1e-6, "{secs}: {back}");
        }
        assert!((ramp().integral_to(at(100.0)) - 80.0).abs() < 1e-9);
        assert_eq!(ramp().integral_reaches(80.1), None);
    }

    #[test]
    fn values_and_levels() {
        assert!((ramp().value_at(at(10.0)) - 2.0).abs() < 1e-9);
        assert!(ramp().value_at(at(4.0)).abs() < 1e-9);
        assert!(ramp().value_at(at(36.0)).abs() < 1e-9);
        assert_eq!(ramp().reaches(2.0, Instant::ZERO), Some(at(10.0)));
        assert_eq!(ramp().reaches(2.0, at(20.0)), Some(at(20.0)));
        assert_eq!(ramp().reaches(2.0, at(31.0)), None);
    }
}
