//! The load generator's own health: whether a result tells of the server, or of the generator.
//!
//! It measures nothing: the engine does.

use hdrhistogram::Histogram;

use crate::live::load::Health;
use crate::metrics::rounded;
use crate::metrics::summary::{Generator, Quantile, Quantiles};
use crate::metrics::words::{count, percent, seconds};

/// A generator whose 99th percentile of lateness is longer was the limit, seconds. A person would call that a pause, and every
/// server timer is longer.
pub const LATE_S: f64 = 0.1;
/// A generator from whose machine the hypervisor took more was the limit.
pub const STEAL: f64 = 0.2;

/// What `health` comes to, with what made the generator the limit.
pub(super) fn generator(health: &Health) -> Generator {
    let threads = health.wall_ns as f64 * f64::from(health.threads.max(1));
    let late = quantiles(&health.late);
    Generator {
        limited_by: limits(health, &late),
        late,
        dropped: health.dropped,
        exhausted: health.exhausted,
        open_max: health.open_max,
        descriptors: health.descriptors,
        cpu_share: (threads > 0.0).then(|| rounded(health.cpu_ns as f64 / threads)),
        busy_share: health.busy_share.map(rounded),
        steal_share: health.steal_share.map(rounded),
        threads: health.threads,
        processes: health.processes,
        ran_s: rounded(health.wall_ns as f64 / 1e9),
        verified: health.verified,
        unverified: health.unverified,
        corrupt_bytes: health.corrupt,
    }
}

fn limits(health: &Health, late: &Quantiles) -> Vec<String> {
    let mut found = Vec::new();
    if health.dropped > 0 {
        found.push(format!("it had no room for {} wanted sessions", count(health.dropped)));
    }
    if health.exhausted > 0 {
        found.push(format!("{} connects found no local port or descriptor", count(health.exhausted)));
    }
    if let Some(p99) =
        late.quantiles.iter().find(|q| q.q.to_bits() == 0.99_f64.to_bits()).filter(|q| q.s > LATE_S)
    {
        let (late, most) = (seconds(p99.s), seconds(LATE_S));
        found.push(format!("one start in a hundred was late by more than {late} (at most {most} is fine)"));
    }
    if let Some(steal) = health.steal_share.filter(|share| *share > STEAL) {
        let (steal, most) = (percent(steal), percent(STEAL));
        found.push(format!("the hypervisor took {steal} of its processor time (at most {most} is fine)"));
    }
    found
}

fn quantiles(late: &Histogram<u64>) -> Quantiles {
    let any = !late.is_empty();
    let s = |ns: u64| rounded(ns as f64 / 1e9);
    let told = [0.5, 0.9, 0.99, 0.999, 1.0];
    let of = |q: f64| Quantile { q, s: s(late.value_at_quantile(q)), above: false };
    Quantiles {
        count: late.len(),
        censored: 0,
        mean_s: any.then(|| rounded(late.mean() / 1e9)),
        min_s: any.then(|| s(late.min())),
        max_s: any.then(|| s(late.max())),
        quantiles: if any { told.map(of).into() } else { Vec::new() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn health(late_ms: &[u64]) -> Health {
        let mut late = Histogram::new_with_bounds(1_000, 3_600_000_000_000, 3).unwrap();
        for ms in late_ms {
            late.record(ms * 1_000_000).unwrap();
        }
        Health {
            late,
            dropped: 0,
            exhausted: 0,
            open_max: 10,
            descriptors: 100,
            cpu_ns: 1_000_000_000,
            busy_share: Some(0.5),
            steal_share: Some(0.01),
            wall_ns: 2_000_000_000,
            threads: 2,
            processes: 1,
            corrupt: 0,
            verified: 0,
            unverified: 0,
        }
    }

    #[test]
    fn a_generator_that_kept_time_was_not_the_limit() {
        let fine = generator(&health(&[1; 1_000]));
        assert_eq!(fine.limited_by, [""; 0]);
        assert_eq!(fine.cpu_share, Some(0.25), "one of four thread-seconds");
        assert!(generator(&health(&[])).late.quantiles.is_empty());
    }

    #[test]
    fn each_way_to_be_the_limit_is_told() {
        let late = [vec![1; 90], vec![150; 10]].concat();
        let of = |health: Health| generator(&health).limited_by.join("; ");
        assert!(of(health(&late)).contains("late by more than 150 ms"), "{}", of(health(&late)));
        assert!(of(Health { dropped: 3, ..health(&[1]) }).contains("3 wanted"));
        assert!(of(Health { exhausted: 1, ..health(&[1]) }).contains("local port"));
        assert!(of(Health { steal_share: Some(0.3), ..health(&[1]) }).contains("hypervisor took 30 %"));
    }
}
