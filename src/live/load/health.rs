//! The generator's own health: how late it was, and what it and the machine had left.
//!
//! It judges nothing: whoever reports does.

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

use super::Health;
use crate::time::Duration;

/// What one shard knows of it.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub(super) struct Part {
    /// Lateness in nanoseconds, rounded up as [`lateness`] does, and how often.
    pub late: Vec<(u64, u64)>,
    pub dropped: u64,
    pub exhausted: u64,
    pub open_max: u64,
    pub corrupt: u64,
    pub verified: u64,
    pub unverified: u64,
}

/// An empty histogram of lateness: up to an hour, three digits.
pub(super) fn lateness() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 3_600_000_000_000, 3).expect("the bounds are in order")
}

/// Records that something began so late.
pub(super) fn record(histogram: &mut Histogram<u64>, late: Duration) {
    histogram.saturating_record(late.as_nanos().max(1));
}

/// What `histogram` holds, for the way to another process.
pub(super) fn counts(histogram: &Histogram<u64>) -> Vec<(u64, u64)> {
    histogram.iter_recorded().map(|step| (step.value_iterated_to(), step.count_at_value())).collect()
}

/// Adds a shard's part.
pub(super) fn add(health: &mut Health, part: &Part) {
    for (value, count) in &part.late {
        health.late.saturating_record_n(*value, *count);
    }
    health.dropped += part.dropped;
    health.exhausted += part.exhausted;
    health.open_max += part.open_max;
    health.corrupt += part.corrupt;
    health.verified += part.verified;
    health.unverified += part.unverified;
}

/// The processor time of this process, ns.
pub(super) fn cpu_ns() -> u64 {
    use nix::sys::resource::{UsageWho, getrusage};
    getrusage(UsageWho::RUSAGE_SELF).map_or(0, |usage| {
        let (user, system) = (usage.user_time(), usage.system_time());
        let ns = |s: i64, us: i64| s as u64 * 1_000_000_000 + us as u64 * 1_000;
        ns(user.tv_sec(), user.tv_usec()) + ns(system.tv_sec(), system.tv_usec())
    })
}

/// The processor time of the whole machine since it was started, in ticks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Machine {
    all: u64,
    idle: u64,
    steal: u64,
}

impl Machine {
    /// As `/proc/stat` says; `None` where there is none.
    pub(super) fn now() -> Option<Self> {
        Self::parse(&std::fs::read_to_string("/proc/stat").ok()?)
    }

    /// proc(5): user, nice, system, idle, iowait, irq, softirq, steal; the times of guests are in user and nice.
    fn parse(stat: &str) -> Option<Self> {
        let line = stat.lines().find_map(|line| line.strip_prefix("cpu "))?;
        let ticks: Vec<u64> = line.split_whitespace().map_while(|word| word.parse().ok()).take(8).collect();
        let &[_, _, _, idle, iowait, _, _, steal] = ticks.as_slice() else { return None };
        Some(Self { all: ticks.iter().sum(), idle: idle + iowait, steal })
    }

    /// Since `earlier`, the shares of what all its processors could have done that went to others than us, who have used `ours_ns`
    /// of `cores` processors for `wall_ns`, and to the hypervisor.
    pub(super) fn shares(self, earlier: Self, ours_ns: u64, wall_ns: u64, cores: u64) -> Option<(f64, f64)> {
        let all = self.all.checked_sub(earlier.all).filter(|all| *all > 0)? as f64;
        let share = |later: u64, earlier: u64| later.saturating_sub(earlier) as f64 / all;
        let (idle, steal) = (share(self.idle, earlier.idle), share(self.steal, earlier.steal));
        let ours = ours_ns as f64 / (wall_ns.max(1) * cores.max(1)) as f64;
        Some(((1.0 - idle - steal - ours).clamp(0.0, 1.0), steal.clamp(0.0, 1.0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_took_is_what_neither_we_nor_idleness_did() {
        let stat = |line: &str| Machine::parse(&format!("cpu  {line} 0 0\ncpu0 1 2\n"));
        let (before, after) =
            (stat("100 0 100 800 0 0 0 0").unwrap(), stat("150 0 120 920 0 0 0 10").unwrap());
        // Of 200 ticks 120 were idle, 10 stolen; we had 0.4 s of two processors for 1 s.
        let (busy, steal) = after.shares(before, 400_000_000, 1_000_000_000, 2).unwrap();
        assert!((busy - 0.15).abs() < 1e-9 && (steal - 0.05).abs() < 1e-9, "{busy} {steal}");
        assert_eq!(stat("1 2 3"), None);
    }
}
