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
}

/// The processor time of this process, and of its children that have ended, ns.
pub(super) fn cpu_ns() -> u64 {
    use nix::sys::resource::{UsageWho, getrusage};
    let of = |who| {
        getrusage(who).map_or(0, |usage| {
            let (user, system) = (usage.user_time(), usage.system_time());
            let ns = |s: i64, us: i64| s as u64 * 1_000_000_000 + us as u64 * 1_000;
            ns(user.tv_sec(), user.tv_usec()) + ns(system.tv_sec(), system.tv_usec())
        })
    };
    of(UsageWho::RUSAGE_SELF) + of(UsageWho::RUSAGE_CHILDREN)
}
