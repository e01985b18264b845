//! What a scenario asks of its server: how long a session holds a slot, and how many there would be at a time without limits.
//!
//! Means only, by formula: it draws nothing and simulates nothing.

use super::limits::Demand;
use crate::client::{Behaviour, DataMode, Step, Tls};
use crate::id::PeerId;
use crate::scenario::Scenario;
use crate::server::Policy;
use crate::server::policy::Timer;
use crate::time::{Duration, Instant};
use crate::workload::{Addresses, Arrivals, Pick, Population};

use std::collections::BTreeMap;

/// The mean time for which an untroubled session holds its slot, in seconds, by its parts.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub(in crate::experiment) struct Hold {
    /// Thinking and idling.
    pub pauses: f64,
    /// Round trips.
    pub trips: f64,
    /// All round trips together.
    pub travel: f64,
    /// The server's own work, and the release of the slot.
    pub server: f64,
    /// Bytes at the client's bandwidth.
    pub transfers: f64,
    /// The share of clients that vanish, and how long each then holds its slot: the idle timer, or the run if that is off.
    pub ghosts: (f64, f64),
    /// What transfers that stop half way, and data connections that never come, add on average.
    pub stuck: f64,
}

impl Hold {
    /// The mean over the sessions of `population` in a run of this length.
    pub fn of(population: &Population, policy: &Policy, run: Duration) -> Self {
        let mut sum = Self::default();
        let mut sessions = 0_u32;
        let entries: Vec<u32> = match &population.arrivals {
            Arrivals::Trace(list) if list.iter().any(|a| a.entry != 0) => {
                list.iter().map(|a| a.entry).collect()
            }
            _ => vec![0],
        };
        for entry in entries {
            sum.add(&Self::of_session(population, policy, entry, run));
            sessions += 1;
        }
        sum.divide(f64::from(sessions.max(1)));
        sum.ghosts = (
            population.behaviour.vanish,
            policy.idle_timer.map_or(run, |timer| timer.after.min(run)).as_secs_f64(),
        );
        sum
    }

    fn of_session(population: &Population, policy: &Policy, entry: u32, run: Duration) -> Self {
        let seconds = |d: Duration| d.as_secs_f64();
        let command = seconds(policy.command_cost);
        // QUIT is one trip; its answer ends the session.
        let mut hold =
            Self { trips: 1.0, server: command + seconds(policy.process.release.mean), ..Self::default() };
        let (secures, shakes) = tls_trips(&population.behaviour);
        for step in population.behaviour.script.session(entry) {
            match step {
                Step::Login => {
                    hold.trips += 2.0 + secures;
                    hold.server += seconds(policy.greeting_cost) + command + seconds(policy.login_cost);
                }
                Step::Command(_) | Step::Rest { .. } => {
                    hold.trips += 1.0;
                    hold.server += command;
                }
                Step::Transfer { size, .. } => {
                    hold.trips += 3.0 + shakes; // PASV, the data connection, the command
                    hold.server += 2.0 * command;
                    hold.stuck += stuck(population, policy, run);
                    if population.link.bandwidth > 0 {
                        hold.transfers += size.mean() / population.link.bandwidth as f64;
                    }
                }
                Step::Think(pause) | Step::Idle(pause) => hold.pauses += pause.mean() / 1e9,
                Step::Quit | Step::Close => {}
            }
        }
        let jitter = population.link.jitter.as_ref().map_or(0.0, |jitter| jitter.mean() / 1e9);
        hold.travel = hold.trips * 2.0 * (seconds(population.link.delay) + jitter);
        hold
    }

    fn add(&mut self, other: &Self) {
        self.pauses += other.pauses;
        self.trips += other.trips;
        self.travel += other.travel;
        self.server += other.server;
        self.transfers += other.transfers;
        self.stuck += other.stuck;
    }

    fn divide(&mut self, n: f64) {
        for part in [
            &mut self.pauses,
            &mut self.trips,
            &mut self.travel,
            &mut self.server,
            &mut self.transfers,
            &mut self.stuck,
        ] {
            *part /= n;
        }
    }

    /// A session that ends as its script says, in seconds.
    pub fn untroubled(&self) -> f64 {
        self.pauses + self.travel + self.server + self.transfers
    }

    /// The mean of those, of those that are stuck and of the ghosts, in seconds.
    pub fn mean(&self) -> f64 {
        let (share, held) = self.ghosts;
        (1.0 - share) * (self.untroubled() + self.stuck) + share * held
    }
}

/// The round trips that TLS adds to a login, and to each transfer: AUTH, PBSZ, PROT and one for each handshake, to which the client
/// of an active data connection must be called first.
const fn tls_trips(behaviour: &Behaviour) -> (f64, f64) {
    let login = match behaviour.tls {
        Tls::None => return (0.0, 0.0),
        Tls::Explicit => 4.0,
        Tls::Implicit => 3.0,
    };
    match behaviour.data {
        DataMode::Passive => (login, 1.0),
        DataMode::Active => (login, 2.0),
    }
}

/// What the risk to stop half way, or never to begin, adds to a transfer, in seconds: the server's timers for it, or the run.
fn stuck(population: &Population, policy: &Policy, run: Duration) -> f64 {
    let seconds = |after: Option<Duration>| after.map_or(run, |after| after.min(run)).as_secs_f64();
    let on = |timer: Option<Timer>| timer.map(|timer| timer.after).filter(|after| !after.is_forever());
    let waits = [policy.data_connect_timer, policy.no_transfer_timer, policy.session_timer];
    let stalled = policy.stalled_timer.map(|timer| timer.after).filter(|after| !after.is_forever());
    let behaviour = &population.behaviour;
    behaviour.stall * seconds(stalled) + behaviour.no_data * seconds(waits.into_iter().filter_map(on).min())
}

/// The expected number of sessions of `population` at `t` if nobody is refused.
///
/// Open: the mean of the infinite-server queue for a constant hold S, Lambda(t) - Lambda(t - S). Closed: the clients that are
/// there, times the share S / (S + pause) of their time.
pub(in crate::experiment) fn concurrent(population: &Population, hold: f64, t: Instant) -> f64 {
    let users = match &population.arrivals {
        Arrivals::Closed(closed) => {
            let cycle = hold + closed.pause.mean() / 1e9;
            let share = if cycle > 0.0 { hold / cycle } else { 0.0 };
            closed.clients.value_at(t) * share
        }
        open => {
            let until = |t| open.expected_until(t).unwrap_or(0.0);
            let begun = t - Duration::from_secs_f64(hold);
            if begun == Instant::ZERO { until(t) } else { until(t) - until(begun) }
        }
    };
    users * f64::from(population.behaviour.parallel) // each connection is a wanted session of its own
}

/// No more corners of arrivals than this are looked at.
const MOST_CORNERS: usize = 8_000;

/// When and how high the sum of what `populations` want peaks, of a thousand even points and the corners of the arrivals.
pub(super) fn peak(populations: &[(&Population, f64)], end: Duration) -> (Instant, f64) {
    let even = (0..1_000_u64).map(|i| Instant::from_nanos(end.as_nanos() / 1_000 * i));
    let corners = populations.iter().flat_map(|(population, _)| corners(population)).take(MOST_CORNERS);
    let mut best = (Instant::ZERO, 0.0);
    let mut times: Vec<Instant> = even.chain(corners).filter(|t| *t < Instant::ZERO + end).collect();
    times.sort_unstable();
    for t in times {
        let now: f64 = populations.iter().map(|(population, hold)| concurrent(population, *hold, t)).sum();
        if now > best.1 * 1.000_001 {
            best = (t, now);
        }
    }
    best
}

/// Where the arrivals of `population` change their course.
fn corners(population: &Population) -> Vec<Instant> {
    let stages = match &population.arrivals {
        Arrivals::Open(open) => &open.rate,
        Arrivals::Closed(closed) => &closed.clients,
        Arrivals::Burst { at, within, .. } => return vec![*at, *at + *within],
        Arrivals::Trace(_) => return Vec::new(),
    };
    stages.corners(MOST_CORNERS).collect()
}

/// The address of a pool behind which most sessions may be at a time, with an upper estimate of how many: the sum of its
/// shares of all populations' peaks.
pub(super) fn busiest_address(scenario: &Scenario, peaks: &[f64]) -> Option<(PeerId, Demand)> {
    let mut behind: BTreeMap<PeerId, Demand> = BTreeMap::new();
    for (population, peak) in scenario.populations.iter().zip(peaks) {
        let Addresses::Pool { peers, pick } = &population.addresses else { continue };
        let mut before = 0.0;
        for (i, peer) in peers.iter().enumerate() {
            let share = match pick {
                Pick::InTurn | Pick::Uniform => 1.0 / peers.len() as f64,
                Pick::Zipf(sums) => {
                    let share = sums[i] - before;
                    before = sums[i];
                    share
                }
            };
            behind.entry(*peer).or_insert(Demand::NONE).add(population, *peak, share);
        }
    }
    behind.into_iter().max_by(|a, b| a.1.reach().total_cmp(&b.1.reach()))
}
