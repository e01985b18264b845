//! The host under a server: cores that its work waits for, the load average, and what can run out.
//!
//! It does not know what the work is for, nor what is said when something has run out.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::Server;
use super::policy::{HostSpec, Process};
use super::profile::Lasting;
use crate::dist::Dist;
use crate::id::ConnId;
use crate::time::{Duration, Instant};

/// What a piece of work is for. Each draws its times for itself.
#[derive(Clone, Copy)]
pub(super) enum Work {
    /// Accepting a connection.
    Accept = 0,
    /// Greeting it, or sending it away.
    Greet = 1,
    /// Answering a command.
    Answer = 2,
    /// Looking up a user, and all that a login takes.
    LogIn = 3,
    /// Ending the session's process and reaping it.
    Reap = 4,
}

/// The state of a host.
#[derive(Clone, Debug)]
pub(super) struct Host {
    exponential: bool,
    /// When each core is free; empty if nothing ever waits for one.
    cores: BinaryHeap<Reverse<Instant>>,
    /// Per cent of the usual time that work takes.
    slowness: u32,
    /// Does every piece of work begin at once, take its usual time, and leave no trace?
    plain: bool,
    /// Descriptors that are taken for nothing.
    pub leaked: u32,
    pub disk_full: bool,
    load: Option<Load>,
}

impl Host {
    /// The host of a server with this `process`. Its load average is kept only if something `counts_load`.
    pub(super) fn new(process: &Process, counts_load: bool) -> Self {
        let HostSpec { cores, exponential, .. } = process.host;
        let cores = if process.event_loop { cores.min(1) } else { cores };
        let mut host = Self {
            exponential,
            cores: (0..cores).map(|_| Reverse(Instant::ZERO)).collect(),
            slowness: 100,
            plain: false,
            leaked: 0,
            disk_full: false,
            load: counts_load.then(Load::default),
        };
        host.set_slowness(100);
        host
    }

    /// From now on work takes so many per cent of its usual time.
    pub(super) fn set_slowness(&mut self, percent: u32) {
        self.slowness = percent;
        self.plain = self.cores.is_empty() && percent == 100 && self.load.is_none() && !self.exponential;
    }

    /// When work that comes at `now` and takes `service` is done: first come, first served, by the core that is free first (the
    /// recursion of Kiefer and Wolfowitz, "On the theory of queues with many servers", 1955).
    fn serve(&mut self, now: Instant, service: Duration) -> Instant {
        if service.is_zero() {
            return now;
        }
        let service = if self.slowness == 100 {
            service
        } else {
            Duration::from_nanos(scaled(service.as_nanos(), self.slowness))
        };
        let done = match self.cores.peek_mut() {
            Some(mut core) => {
                core.0 = core.0.max(now) + service;
                core.0
            }
            None => now + service,
        };
        if let Some(load) = &mut self.load {
            load.sample(now);
            load.jobs.push(Reverse(done));
        }
        done
    }

    /// What was to be done will not be done.
    pub(super) fn forget_work(&mut self, now: Instant) {
        self.cores = self.cores.drain().map(|Reverse(free)| Reverse(free.min(now))).collect();
        if let Some(load) = &mut self.load {
            load.sample(now);
            load.jobs.clear();
        }
    }

    /// Brings the load average up to `now`.
    pub(super) fn sample(&mut self, now: Instant) {
        if let Some(load) = &mut self.load {
            load.sample(now);
        }
    }

    /// The load average when it was last sampled, rounded down to whole jobs.
    pub(super) fn whole_load(&self) -> u32 {
        self.load.as_ref().map_or(0, |load| (load.average >> Load::SHIFT) as u32)
    }

    /// The same, exactly.
    fn load(&self) -> f64 {
        self.load.as_ref().map_or(0.0, |load| load.average as f64 / f64::from(1 << Load::SHIFT))
    }

    /// How many pieces of work wait for a core or are being done at `now`: as far as cores tell, the busy ones.
    pub(super) fn busy_cores(&self, now: Instant) -> usize {
        self.cores.iter().filter(|core| core.0 > now).count()
    }
}

/// `nanos` times `percent` / 100.
fn scaled(nanos: u64, percent: u32) -> u64 {
    u64::try_from(u128::from(nanos) * u128::from(percent) / 100).unwrap_or(u64::MAX)
}

/// Linux's load average of the last minute (`kernel/sched/loadavg.c`): every five seconds the number of jobs that run or wait, in
/// fixed point.
#[derive(Clone, Debug, Default)]
struct Load {
    average: u64,
    /// When the last sample was taken.
    sampled: Instant,
    /// When each job is done.
    jobs: BinaryHeap<Reverse<Instant>>,
}

impl Load {
    const SHIFT: u32 = 11;
    const ONE: u64 = 1 << Self::SHIFT;
    /// exp(-5 s / 1 min) in fixed point.
    const DECAY: u64 = 1_884;
    const EVERY: Duration = Duration::from_secs(5);

    fn sample(&mut self, now: Instant) {
        while self.sampled + Self::EVERY <= now {
            self.sampled += Self::EVERY;
            while self.jobs.peek().is_some_and(|done| done.0 <= self.sampled) {
                self.jobs.pop();
            }
            let active = self.jobs.len() as u64 * Self::ONE;
            let round_up = if active >= self.average { Self::ONE - 1 } else { 0 };
            self.average =
                (self.average * Self::DECAY + active * (Self::ONE - Self::DECAY) + round_up) / Self::ONE;
            if self.average == 0 && self.jobs.is_empty() {
                let periods = now.since(self.sampled).as_nanos() / Self::EVERY.as_nanos();
                self.sampled += Self::EVERY * periods;
            }
        }
    }
}

/// What a host may lack for one more connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Lack {
    Memory,
    Processes,
    Descriptors,
}

impl Server {
    /// When work for `conn` that comes at `now`, has its turn at `turn` and takes `cost` on average is done. It takes its place in the
    /// queue for a core when it comes, and waits for a later turn without one.
    #[inline(always)]
    pub(super) fn work(
        &mut self,
        now: Instant,
        turn: Instant,
        cost: Duration,
        conn: ConnId,
        what: Work,
    ) -> Instant {
        if self.host.plain {
            return turn + cost;
        }
        let service = if self.host.exponential && !cost.is_zero() {
            let mean = cost.as_nanos() as f64;
            Duration::from_nanos(Dist::Exponential { mean }.sample(self.word(now, conn, what)))
        } else {
            cost
        };
        turn + self.host.serve(now, service).since(now)
    }

    /// The same for work whose time has a law of its own.
    pub(super) fn work_lasting(&mut self, now: Instant, time: Lasting, conn: ConnId, what: Work) -> Instant {
        let service = if time.is_constant() { time.mean } else { time.draw(self.word(now, conn, what)) };
        if self.host.plain { now + service } else { self.host.serve(now, service) }
    }

    fn word(&self, now: Instant, conn: ConnId, what: Work) -> u64 {
        self.streams.work.word((what as u64) << 32 | u64::from(conn.0), now.as_nanos())
    }

    /// What the host lacks for one more connection, if anything.
    pub(super) fn lack(&self) -> Option<Lack> {
        let process = &self.policy.process;
        let spec = process.host;
        if spec == HostSpec::UNBOUNDED {
            return None;
        }
        let after = u64::from(self.slots) + 1;
        let descriptors =
            u64::from(self.slots) * u64::from(process.descriptors) + u64::from(process.descriptors.max(1));
        if after * u64::from(process.memory_kib) > spec.memory_kib {
            Some(Lack::Memory)
        } else if after * u64::from(process.processes) > u64::from(spec.processes) {
            Some(Lack::Processes)
        } else if descriptors + u64::from(self.host.leaked) + self.descriptors_for_data()
            > u64::from(spec.descriptors)
        {
            Some(Lack::Descriptors)
        } else {
            None
        }
    }

    /// The descriptors of the listening process that data connections take: none where sessions are processes of their own.
    fn descriptors_for_data(&self) -> u64 {
        if self.policy.process.descriptors == 0 { 0 } else { u64::from(self.data_sockets) }
    }

    /// Is a descriptor left for a data connection? A process for each session brings its own, unless the whole host has none left.
    pub(super) fn has_descriptor_for_data(&self) -> bool {
        let process = &self.policy.process;
        if process.host.descriptors == u32::MAX {
            return true;
        }
        if process.descriptors == 0 {
            return self.host.leaked < process.host.descriptors; // then the sessions' processes find none either
        }
        let taken = u64::from(self.slots) * u64::from(process.descriptors) + self.descriptors_for_data();
        taken + u64::from(self.host.leaked) < u64::from(process.host.descriptors)
    }

    /// The load average of the host over the last minute, as Linux reckons it; 0 if no limit counts it.
    pub fn load(&mut self, now: Instant) -> f64 {
        self.host.sample(now);
        self.host.load()
    }

    /// How many of the host's cores work at `now`.
    pub fn busy_cores(&self, now: Instant) -> usize {
        self.host.busy_cores(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One job that never ends: after a minute the average is 1 - 1/e, as the manual page of `getloadavg` says.
    #[test]
    fn the_load_average_is_that_of_linux() {
        let mut load = Load::default();
        load.jobs.push(Reverse(Instant::NEVER));
        load.sample(Instant::ZERO + Duration::from_secs(60));
        let average = load.average as f64 / Load::ONE as f64;
        assert!((average - 0.632).abs() < 0.01, "{average}");
        load.jobs.clear();
        load.sample(Instant::ZERO + Duration::from_secs(3_600));
        assert_eq!(load.average, 0);
        assert_eq!(load.sampled, Instant::ZERO + Duration::from_secs(3_600));
    }
}
