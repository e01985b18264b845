//! A piecewise linear function of time, given as stages: an arrival rate, or a number of clients.
//!
//! It draws nothing: the inverse of its integral turns the k-th arrival's number into its time, so that nothing drifts.

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

/// Stages one after the other. Before the first and behind the last the value is 0.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Stages {
    /// When the first begins.
    pub start: Instant,
    /// The stages.
    pub stages: Vec<Stage>,
}

impl Stages {
    /// One value from `start` for `duration`.
    pub fn constant(start: Instant, duration: Duration, value: f64) -> Self {
        Self { start, stages: vec![Stage { duration, from: value, to: value }] }
    }

    /// When the last stage ends.
    pub fn end(&self) -> Instant {
        self.stages.iter().fold(self.start, |t, s| t + s.duration)
    }

    /// The value at `t`; at a step between two stages, the later one's.
    pub fn value_at(&self, t: Instant) -> f64 {
        let mut begin = self.start;
        if t < begin {
            return 0.0;
        }
        for stage in &self.stages {
            let end = begin + stage.duration;
            if t < end {
                let share = t.since(begin).as_secs_f64() / stage.duration.as_secs_f64();
                return stage.from + (stage.to - stage.from) * share;
            }
            begin = end;
        }
        0.0
    }

    /// The integral of the value from the beginning to `t`, in value x seconds.
    pub fn integral_to(&self, t: Instant) -> f64 {
        let mut begin = self.start;
        let mut sum = 0.0;
        for stage in &self.stages {
            let length = stage.duration.as_secs_f64();
            let covered = t.since(begin).as_secs_f64().min(length);
            if length > 0.0 {
                sum += covered * (stage.from + (stage.to - stage.from) * covered / length / 2.0);
            }
            begin += stage.duration;
        }
        sum
    }

    /// The first time at which the integral reaches `amount`, or `None` if it never does.
    pub fn integral_reaches(&self, amount: f64) -> Option<Instant> {
        let mut begin = self.start;
        let mut rest = amount;
        for stage in &self.stages {
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

    /// The first time from `after` on at which the value is at least `level`, or `None` if it never is again.
    pub fn reaches(&self, level: f64, after: Instant) -> Option<Instant> {
        let mut begin = self.start;
        for stage in &self.stages {
            let end = begin + stage.duration;
            let from = begin.max(after);
            if from < end {
                if self.value_at(from) >= level {
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
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ramp() -> Stages {
        let stage = |secs, from, to| Stage { duration: Duration::from_secs(secs), from, to };
        Stages {
            start: Instant::from_nanos(5_000_000_000),
            stages: vec![stage(10, 0.0, 4.0), stage(10, 4.0, 4.0), stage(10, 4.0, 0.0)],
        }
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
