//! Stages that repeat: a day's rhythm through a week, an hour's through a day.
//!
//! It knows no calendar: a round is as long as its stages, and the first begins when they do. It holds no values of its own but the
//! factor of each round.

use super::stages::{self, Stage};
use crate::time::{Duration, Instant};

/// How stages repeat.
#[derive(Clone, PartialEq, Debug)]
pub struct Rounds {
    /// What the values of each round are multiplied by, in turn: a cycle.
    factors: Vec<f64>,
    /// The sums of the factors before each round of a cycle, and of all of them.
    sums: Vec<f64>,
    /// How long a round takes.
    length: Duration,
    /// The integral over a round whose factor is 1.
    area: f64,
    /// When the last round is broken off.
    end: Instant,
}

impl Rounds {
    /// `stages` as one round.
    pub(super) fn of(stages: &[Stage], factors: Vec<f64>, end: Instant) -> Self {
        let length = stages::length(stages);
        assert!(!length.is_zero(), "a round takes time");
        assert!(!factors.is_empty() && factors.iter().all(|factor| *factor >= 0.0), "a round has a factor");
        let mut sums = vec![0.0];
        for factor in &factors {
            sums.push(sums[sums.len() - 1] + factor);
        }
        let area = stages::integral_to(stages, Instant::ZERO, Instant::ZERO + length);
        Self { factors, sums, length, area, end }
    }

    /// When the last round is broken off.
    pub fn end(&self) -> Instant {
        self.end
    }

    /// The greatest factor.
    pub fn most(&self) -> f64 {
        self.factors.iter().fold(0.0, |most, factor| factor.max(most))
    }

    /// What the values of each round are multiplied by, in turn.
    pub fn factors(&self) -> &[f64] {
        &self.factors
    }

    /// How long a round takes.
    pub fn length(&self) -> Duration {
        self.length
    }

    fn factor(&self, round: u64) -> f64 {
        self.factors[(round % self.factors.len() as u64) as usize]
    }

    /// The integral over a cycle.
    fn cycle(&self) -> f64 {
        self.sums[self.factors.len()] * self.area
    }

    /// The round that `t` belongs to, and when it begins. `t` is not before `start`.
    fn round_at(&self, start: Instant, t: Instant) -> (u64, Instant) {
        let round = t.since(start).as_nanos() / self.length.as_nanos();
        (round, start + self.length * round)
    }

    pub(super) fn value_at(&self, stages: &[Stage], start: Instant, t: Instant) -> f64 {
        if t < start || t >= self.end {
            return 0.0;
        }
        let (round, begin) = self.round_at(start, t);
        self.factor(round) * stages::value_at(stages, begin, t)
    }

    pub(super) fn integral_to(&self, stages: &[Stage], start: Instant, t: Instant) -> f64 {
        let t = t.min(self.end);
        let (round, begin) = self.round_at(start, t);
        let (cycles, place) = (round / self.factors.len() as u64, round % self.factors.len() as u64);
        let whole = cycles as f64 * self.cycle() + self.sums[place as usize] * self.area;
        whole + self.factor(round) * stages::integral_to(stages, begin, t)
    }

    pub(super) fn integral_reaches(&self, stages: &[Stage], start: Instant, amount: f64) -> Option<Instant> {
        let cycle = self.cycle();
        if cycle <= 0.0 {
            return None;
        }
        let cycles = (amount / cycle).floor().max(0.0);
        let rest = (amount - cycles * cycle).clamp(0.0, cycle);
        // The first round behind which the integral is at least so much; one that adds nothing is never the first.
        let behind = self.sums[1..].partition_point(|sum| sum * self.area < rest);
        let place = (behind..self.factors.len()).find(|place| self.factors[*place] > 0.0)?;
        let within = ((rest - self.sums[place] * self.area) / self.factors[place]).clamp(0.0, self.area);
        let begin = start + self.length * (cycles as u64 * self.factors.len() as u64 + place as u64);
        // Rounding may ask for a hair more than the round has.
        let at = stages::integral_reaches(stages, begin, within).unwrap_or(begin + self.length);
        Some(at).filter(|at| *at < self.end)
    }

    pub(super) fn reaches(
        &self,
        stages: &[Stage],
        start: Instant,
        level: f64,
        after: Instant,
    ) -> Option<Instant> {
        let (first, _) = self.round_at(start, after);
        // The rest of this round, and every round of a cycle once: what they do not reach is never reached.
        let rounds = (first..=first + self.factors.len() as u64).map(|round| (round, self.factor(round)));
        let mut found = rounds.filter(|(_, factor)| *factor > 0.0).filter_map(|(round, factor)| {
            stages::reaches(stages, start + self.length * round, level / factor, after)
        });
        found.next().filter(|at| *at < self.end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::Stages;

    fn at(secs: f64) -> Instant {
        Instant::ZERO + Duration::from_secs_f64(secs)
    }

    /// From 5 s to 100 s: rounds of 10 s with 20 in each second of their middle, times 1, 0 and 0.5 in turn.
    fn rounds() -> Stages {
        let stage = |secs, from, to| Stage { duration: Duration::from_secs(secs), from, to };
        let stages = vec![stage(2, 0.0, 0.0), stage(4, 0.0, 40.0), stage(0, 40.0, 0.0), stage(4, 0.0, 0.0)];
        Stages::once(at(5.0), stages).repeated(vec![1.0, 0.0, 0.5], at(100.0))
    }

    fn assert_close(found: [f64; 9], expected: [f64; 9]) {
        assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-9), "{found:?}, not {expected:?}");
    }

    #[test]
    fn the_stages_repeat_with_the_factor_of_each_round() {
        let values = [4.0, 6.0, 9.0, 19.0, 29.0, 39.0, 69.0, 99.0, 100.0];
        let expected = [0.0, 0.0, 20.0, 0.0, 10.0, 20.0, 20.0, 20.0, 0.0];
        assert_close(values.map(|t| rounds().value_at(at(t))), expected);
        assert_eq!((rounds().end(), rounds().most()), (at(100.0), 40.0));
    }

    #[test]
    fn the_integral_and_its_inverse_agree() {
        let areas =
            [4.0, 9.0, 15.0, 29.0, 35.0, 39.0, 95.0, 99.0, 200.0].map(|t| rounds().integral_to(at(t)));
        assert_close(areas, [0.0, 20.0, 80.0, 90.0, 120.0, 140.0, 360.0, 380.0, 405.0]);
        for secs in [8.0, 9.25, 10.999, 27.5, 30.0, 38.0, 67.25, 98.0] {
            let back = rounds().integral_reaches(rounds().integral_to(at(secs))).unwrap();
            assert!((back.as_secs_f64() - secs).abs() < 1e-6, "{secs}: {back}");
        }
        assert_eq!(rounds().integral_reaches(500.0), None);
    }

    #[test]
    fn a_level_is_looked_for_through_a_whole_cycle() {
        let found = |level, after| rounds().reaches(level, at(after)).map(Instant::as_secs_f64);
        assert_eq!(found(20.0, 0.0), Some(9.0));
        assert_eq!(found(20.0, 10.5), Some(10.5));
        assert_eq!(found(20.0, 12.0), Some(39.0), "half as much comes before, for no time at all");
        assert_eq!(found(30.0, 12.0), Some(40.0));
        assert_eq!((found(41.0, 0.0), found(20.0, 99.5)), (None, Some(99.5)));
    }

    #[test]
    fn a_year_of_hours_drifts_by_no_microsecond() {
        let stages = vec![Stage { duration: Duration::from_secs(3_600), from: 1.0, to: 3.0 }];
        let year = Instant::ZERO + Duration::from_secs(366 * 86_400);
        let rate = Stages::once(Instant::ZERO, stages).repeated(vec![1.0], year);
        let mut last = Instant::ZERO;
        for hour in 0..365 * 24_u64 {
            let t = rate.integral_reaches(7_200.0 * hour as f64 + 1.0).unwrap();
            let exact = 1_800.0 * ((1.0_f64 + 1.0 / 900.0).sqrt() - 1.0); // x + x^2 / 3600 = 1
            let off = t.since(Instant::ZERO + Duration::from_secs(3_600 * hour)).as_secs_f64() - exact;
            assert!(off.abs() < 1e-6 && t > last, "hour {hour}: {off}");
            last = t;
        }
    }
}
