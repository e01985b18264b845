//! How the work of a replication is spread over its virtual time, as far as the scenario tells: for whoever waits for it.
//!
//! It measures nothing, and no result depends on it.

use super::explain::{Hold, concurrent};
use crate::scenario::Scenario;
use crate::time::{Duration, Instant};
use crate::workload::Population;

/// So many points of the run are looked at.
const POINTS: u64 = 512;

/// The share of a replication's calendar events that lies before each point of its virtual time, by expectation.
///
/// Virtual time itself would be a bad measure: the night of a diurnal load costs nothing, and the end of a ramp nearly all. Half of a
/// session's events are taken to come with its client, the other half evenly while it lasts; refusals and retries are not foreseen.
#[derive(Clone, PartialEq, Debug)]
pub struct Pace {
    step_ns: u64,
    /// The share before each point, from 0 to 1, ascending.
    shares: Vec<f64>,
}

impl Pace {
    /// What can be expected of `scenario`.
    pub fn of(scenario: &Scenario) -> Self {
        let step = Duration::from_nanos((scenario.duration.as_nanos() / POINTS).max(1));
        let crowds: Vec<(&Population, Hold)> = scenario
            .populations
            .iter()
            .map(|p| (p, Hold::of(p, scenario.policy(), scenario.duration)))
            .collect();
        let mut sums = vec![0.0];
        for point in 0..POINTS {
            let from = Instant::from_nanos(point.saturating_mul(step.as_nanos()));
            let within = |(population, hold): &(&Population, Hold)| within(population, hold, from, step);
            let here: f64 = crowds.iter().map(within).sum();
            sums.push(
                sums.last().copied().unwrap_or(0.0) + if here.is_finite() { here.max(0.0) } else { 0.0 },
            );
        }
        let all = sums.last().copied().unwrap_or(0.0);
        let even = |place: usize| place as f64 / POINTS as f64;
        let share = |(place, sum): (usize, f64)| if all > 0.0 { sum / all } else { even(place) };
        Self { step_ns: step.as_nanos(), shares: sums.into_iter().enumerate().map(share).collect() }
    }

    /// The share of the work before `at`, from 0 to 1.
    pub fn share(&self, at: Instant) -> f64 {
        let place = (at.as_nanos() / self.step_ns) as usize;
        let part = (at.as_nanos() % self.step_ns) as f64 / self.step_ns as f64;
        match (self.shares.get(place), self.shares.get(place + 1)) {
            (Some(below), Some(above)) => below + (above - below) * part,
            _ => 1.0,
        }
    }
}

/// Events of `population` from `from` on, in one step; in the unit of half a round trip.
fn within(population: &Population, hold: &Hold, from: Instant, step: Duration) -> f64 {
    let to = from + step;
    let length = hold.mean().max(1e-9);
    let there = f64::midpoint(concurrent(population, length, from), concurrent(population, length, to));
    let going_on = there * step.as_secs_f64() / length;
    let begun = match (population.arrivals.expected_until(from), population.arrivals.expected_until(to)) {
        (Some(before), Some(after)) => (after - before) * f64::from(population.behaviour.parallel),
        _ => going_on, // each session of a closed population that ends makes room for another
    };
    hold.trips * (begun + going_on)
}
