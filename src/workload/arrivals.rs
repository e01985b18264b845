//! Arrival processes: when the k-th client of a population comes.
//!
//! An open process says when users want a session, whatever the server does; a closed one has a number of clients that
//! come again when they are done. It says nothing of what they do then.

use super::stages::Stages;
use crate::dist::Dist;
use crate::id::PeerId;
use crate::rng::Stream;
use crate::time::{Duration, Instant};

/// When the clients of a population come.
#[derive(Clone, PartialEq, Debug)]
pub enum Arrivals {
    /// At a rate, whatever becomes of them (k6: `constant-arrival-rate`, `ramping-arrival-rate`).
    Open(Open),
    /// `count` at once, or evenly spread over `within`.
    Burst {
        /// When the first comes.
        at: Instant,
        /// How many.
        count: u32,
        /// Over how long.
        within: Duration,
    },
    /// As a log says.
    Trace(Vec<TraceArrival>),
    /// A number of clients that come again (k6: `constant-vus`, `ramping-vus`, `per-vu-iterations`).
    Closed(Closed),
}

/// An open arrival process.
#[derive(Clone, PartialEq, Debug)]
pub struct Open {
    /// Evenly spaced, or a Poisson process.
    pub spacing: Spacing,
    /// Arrivals per second.
    pub rate: Stages,
}

/// How arrivals are spaced under a rate.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Spacing {
    /// The k-th comes when the integral of the rate reaches k.
    Even,
    /// The k-th comes when the integral of the rate reaches the sum of k unit exponentials: a Poisson process of that rate
    /// (Cinlar 1975; Law & Kelton, section 8.6.2).
    Poisson,
}

/// One arrival of a trace.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TraceArrival {
    /// When.
    pub at: Instant,
    /// From where; `None`: from the population's addresses.
    pub peer: Option<PeerId>,
    /// The step of the script at which its session begins.
    pub entry: u32,
}

/// A closed population.
#[derive(Clone, PartialEq, Debug)]
pub struct Closed {
    /// How many clients there are, over time. Client i (from 0) is there while this is at least i + 1.
    pub clients: Stages,
    /// The most that there ever are.
    pub most: u32,
    /// Sessions of each client, 0 for no bound.
    pub sessions: u32,
    /// The pause between the end of a session and the next.
    pub pause: Dist,
    /// Does each begin with a pause, as if it had just had a session?
    pub pause_first: bool,
}

impl Closed {
    /// When connection number `index` of the population comes for session number `session` (both from 0), if the one before ended at
    /// `ended`, and its user has `parallel` connections; `None` if it never does.
    pub fn next_session(
        &self,
        (index, parallel): (u32, u32),
        session: u32,
        ended: Instant,
        pauses: Stream,
    ) -> Option<Instant> {
        if self.sessions != 0 && session >= self.sessions {
            return None;
        }
        let word = pauses.word(u64::from(index), u64::from(session));
        let at = ended + Duration::from_nanos(self.pause.sample(word));
        self.clients.reaches(f64::from(index / parallel) + 1.0, at)
    }
}

/// One client that comes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Arrival {
    /// When it means to start.
    pub at: Instant,
    /// Its number in its population, from 0.
    pub index: u32,
    /// From where, if the trace says so.
    pub peer: Option<PeerId>,
    /// Where its script begins.
    pub entry: u32,
}

impl Arrivals {
    /// Arrivals per second at `t`, where the process has a rate: an open one.
    pub fn rate_at(&self, t: Instant) -> Option<f64> {
        match self {
            Self::Open(open) => Some(open.rate.value_at(t)),
            _ => None,
        }
    }

    /// The expected number of wanted sessions up to `end`, where it does not depend on the server.
    pub fn expected_until(&self, end: Instant) -> Option<f64> {
        match self {
            Self::Open(open) => Some(open.rate.integral_to(end)),
            Self::Burst { at, count, within } => Some(burst_until(*at, *count, *within, end)),
            Self::Trace(list) => Some(list.partition_point(|a| a.at <= end) as f64),
            Self::Closed(_) => None,
        }
    }
}

/// The k-th of `count` evenly spread over `within`.
fn burst_time(at: Instant, count: u32, within: Duration, k: u32) -> Instant {
    at + Duration::from_nanos(
        (u128::from(within.as_nanos()) * u128::from(k) / u128::from(count.max(1))) as u64,
    )
}

/// How many of a burst have come by `t`: the inverse of [`burst_time`].
fn burst_until(at: Instant, count: u32, within: Duration, t: Instant) -> f64 {
    if t < at {
        return 0.0;
    }
    let passed = u128::from(t.since(at).as_nanos()) + 1;
    let come = match u128::from(within.as_nanos()) {
        0 => u128::from(count),
        within => (passed * u128::from(count)).div_ceil(within).min(u128::from(count)),
    };
    come as f64
}

/// Hands out the arrivals of one population in order of time.
#[derive(Clone, Debug)]
pub struct ArrivalSource {
    next: u32,
    unit_sum: f64,
    /// When the last one came: rounding may not turn the order of two that come together.
    last: Instant,
    gaps: Stream,
}

impl ArrivalSource {
    /// A source whose random gaps come from `gaps`.
    pub fn new(gaps: Stream) -> Self {
        Self { next: 0, unit_sum: 0.0, last: Instant::ZERO, gaps }
    }

    /// The next arrival, or `None` when there are no more. For a closed population: the first coming of each client.
    pub fn next(&mut self, arrivals: &Arrivals) -> Option<Arrival> {
        let index = self.next;
        let plain = |at| Arrival { at, index, peer: None, entry: 0 };
        let arrival = match arrivals {
            Arrivals::Open(open) => {
                let area = match open.spacing {
                    Spacing::Even => f64::from(index),
                    Spacing::Poisson => {
                        self.unit_sum -= libm::log(self.gaps.unit(u64::from(index), 0));
                        self.unit_sum
                    }
                };
                let at = open.rate.integral_reaches(area)?.max(self.last);
                plain((at < open.rate.end()).then_some(at)?)
            }
            Arrivals::Burst { at, count, within } => {
                plain((index < *count).then(|| burst_time(*at, *count, *within, index))?)
            }
            Arrivals::Trace(list) => {
                let a = list.get(index as usize)?;
                Arrival { at: a.at, index, peer: a.peer, entry: a.entry }
            }
            Arrivals::Closed(closed) => {
                if index >= closed.most {
                    return None;
                }
                plain(closed.clients.reaches(f64::from(index + 1), Instant::ZERO)?)
            }
        };
        self.next += 1;
        self.last = arrival.at;
        Some(arrival)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Purpose, Streams};

    fn source() -> ArrivalSource {
        ArrivalSource::new(Streams::new(3, 0).stream(Purpose::Arrival, 0))
    }

    fn times(arrivals: &Arrivals) -> Vec<f64> {
        let mut source = source();
        std::iter::from_fn(|| source.next(arrivals)).map(|a| a.at.as_secs_f64()).collect()
    }

    #[test]
    fn an_even_rate_does_not_drift() {
        let rate = Stages::constant(Instant::ZERO, Duration::from_secs(3_600), 3.0);
        let got = times(&Arrivals::Open(Open { spacing: Spacing::Even, rate }));
        assert_eq!(got.len(), 10_800);
        assert!((got[10_799] - 10_799.0 / 3.0).abs() < 1e-8);
    }

    /// The count of a Poisson process over [0, T] has mean and variance lambda T: five standard deviations.
    #[test]
    fn a_poisson_process_has_its_rate() {
        let rate = Stages::constant(Instant::ZERO, Duration::from_secs(1_000), 50.0);
        let got = times(&Arrivals::Open(Open { spacing: Spacing::Poisson, rate }));
        assert!((got.len() as f64 - 50_000.0).abs() < 5.0 * 50_000_f64.sqrt(), "{}", got.len());
        assert!(got.is_sorted());
    }

    #[test]
    fn a_burst_is_spread_evenly() {
        let burst = |secs| Arrivals::Burst { at: Instant::ZERO, count: 4, within: Duration::from_secs(secs) };
        assert_eq!(times(&burst(0)), [0.0; 4]);
        assert_eq!(times(&burst(8)), [0.0, 2.0, 4.0, 6.0]);
        let by = |secs: u64| burst(8).expected_until(Instant::ZERO + Duration::from_millis(secs * 1_000));
        assert_eq!([by(0), by(1), by(2), by(5), by(6), by(99)], [1.0, 1.0, 2.0, 3.0, 4.0, 4.0].map(Some));
    }
}
