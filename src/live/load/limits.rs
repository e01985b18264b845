//! What the machine allows a generator: descriptors and ports, foreseen from a plan before it is run.
//!
//! It refuses nothing: it says what will run out, and the run itself counts what did.

use nix::sys::resource::{Resource, getrlimit, setrlimit};

use super::{Plan, Trouble};
use crate::client::{Behaviour, Step};
use crate::time::{Duration, Instant};
use crate::workload::{Arrivals, Closed};

/// Descriptors of a process that no connection gets: standard streams, each runtime's own, files.
const OWN: u64 = 32;

/// Ports that the kernel gives to connects from one address to one server (`ip_local_port_range`: 32768 to 60999).
const PORTS: u64 = 28_232;

/// A port is not given again to the same server for so long after its connection was closed by this end (`TIME_WAIT`).
const TIME_WAIT: Duration = Duration::from_secs(60);

/// How many users a plan brings at once, as far as it can be known.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Demand {
    /// Clients that are there at the same time at most, if nobody is refused and each session lasts as long as its pauses: a lower
    /// bound of what a slow server brings about.
    pub together: u64,
    /// Connects of the whole run at least.
    pub connects: u64,
    /// The most descriptors that a client needs.
    pub each: u64,
}

/// What will run out if `plan` is run on this machine, a sentence each.
///
/// # Errors
/// The kernel does not say what there is.
pub fn shortages(plan: &Plan) -> Result<Vec<String>, Trouble> {
    Ok(Demand::of(plan).shortages(plan, raise()?))
}

/// Raises the limit on descriptors of this process to what it may be.
///
/// # Errors
/// The kernel does not say what it is.
pub(super) fn raise() -> Result<u64, Trouble> {
    let trouble = |error| Trouble(format!("the limit on open files is not known: {error}"));
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).map_err(trouble)?;
    if soft < hard && setrlimit(Resource::RLIMIT_NOFILE, hard, hard).is_ok() {
        return Ok(hard);
    }
    Ok(soft)
}

/// The connections that a process may have with so many descriptors and threads: each thread's runtime has a few of its own.
pub(super) fn room(descriptors: u64, threads: u32) -> u64 {
    descriptors.saturating_sub(OWN + 8 * u64::from(threads))
}

impl Demand {
    /// What `plan` brings.
    pub(super) fn of(plan: &Plan) -> Self {
        let end = Instant::ZERO + plan.scenario.duration;
        let mut all = Self { together: 0, connects: 0, each: 1 };
        for population in &plan.scenario.populations {
            let behaviour = &population.behaviour;
            let length = session_length(behaviour);
            let parallel = u64::from(behaviour.parallel);
            let (together, connects) = match &population.arrivals {
                Arrivals::Closed(Closed { most, .. }) => (u64::from(*most), u64::from(*most)),
                open => {
                    (most_at_once(open, length, end), open.expected_until(end).unwrap_or(0.0).ceil() as u64)
                }
            };
            all.together += together * parallel;
            all.connects += connects * parallel;
            let moves = behaviour.script.steps.iter().any(|step| matches!(step, Step::Transfer { .. }));
            all.each = all.each.max(if moves { 3 } else { 1 }); // the data connection, and the listener of an active one
        }
        all
    }

    /// What will run out, a sentence each.
    fn shortages(&self, plan: &Plan, descriptors: u64) -> Vec<String> {
        let mut notes = Vec::new();
        let room = room(descriptors, plan.threads) * u64::from(plan.processes.max(1));
        let needed = self.together * self.each.min(2);
        if needed > room {
            notes.push(format!(
                "{} clients at once need about {needed} descriptors, and {room} are there: more processes, or a higher limit",
                self.together
            ));
        }
        let addresses = u64::from(plan.sources.count());
        if self.together > PORTS * addresses {
            notes.push(format!(
                "{} clients at once from {addresses} source addresses, and each has {PORTS} ports: more source addresses",
                self.together
            ));
        } else if !plan.target.address.ip().is_loopback() {
            // Over loopback the kernel uses a port again at once (`tcp_tw_reuse`).
            let lasting = self.connects.min(rate_of(self.connects, plan.scenario.duration));
            if lasting > PORTS * addresses {
                notes.push(format!(
                    "about {lasting} connects a minute from {addresses} source addresses, each of which has {PORTS} ports and does \
                     not use one again for a minute: more source addresses"
                ));
            }
        }
        notes
    }
}

/// How many of `connects` fall into the time for which a port is not used again, at an even rate.
fn rate_of(connects: u64, run: Duration) -> u64 {
    let share = TIME_WAIT.as_secs_f64() / run.as_secs_f64().max(TIME_WAIT.as_secs_f64());
    (connects as f64 * share) as u64
}

/// How long a session lasts at least: the mean of its pauses.
fn session_length(behaviour: &Behaviour) -> Duration {
    let pauses = behaviour.script.session(0).map(|step| match step {
        Step::Think(time) | Step::Idle(time) => time.mean(),
        _ => 0.0,
    });
    Duration::from_secs_f64(pauses.sum::<f64>() / 1e9)
}

/// The most arrivals within `length`, looked at in a hundred places.
fn most_at_once(arrivals: &Arrivals, length: Duration, end: Instant) -> u64 {
    let by = |t: Instant| arrivals.expected_until(t).unwrap_or(0.0);
    let step = Duration::from_nanos(end.as_nanos() / 100);
    let mut most = 0.0_f64;
    let mut t = Instant::ZERO;
    for _ in 0..=100 {
        let until = (t + length).min(end);
        most = most.max(by(until) - if t == Instant::ZERO { 0.0 } else { by(t) });
        t += step;
    }
    most.ceil() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_descriptors_are_nobodys() {
        assert!(raise().is_ok_and(|limit| limit >= 256));
        assert_eq!((room(1_024, 2), room(10, 1)), (976, 0));
    }
}
