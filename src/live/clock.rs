//! The wall clock: the only place of this module that reads one.
//!
//! A run begins at an [`Epoch`], which processes of one machine agree on; from then on time is an [`Instant`] like everywhere.

#![expect(clippy::disallowed_methods, reason = "the one clock of the live world")]

use nix::time::{ClockId, clock_gettime};

use crate::time::{Duration, Instant};

/// When a run begins: nanoseconds of the machine's monotonic clock, the same for all of its processes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Epoch(pub u64);

impl Epoch {
    /// So long from now.
    pub fn after(wait: Duration) -> Self {
        Self(monotonic_ns().saturating_add(wait.as_nanos()))
    }
}

fn monotonic_ns() -> u64 {
    // Linux has had this clock since 2.6; if it failed, everything would happen at once.
    clock_gettime(ClockId::CLOCK_MONOTONIC)
        .map_or(0, |t| t.tv_sec() as u64 * 1_000_000_000 + t.tv_nsec() as u64)
}

/// The same length for those who wait in the standard library's terms.
pub(super) fn span(length: Duration) -> std::time::Duration {
    std::time::Duration::from_nanos(length.as_nanos())
}

impl From<std::time::Duration> for Duration {
    /// The same length; longer than 584 years is [`Duration::FOREVER`].
    fn from(length: std::time::Duration) -> Self {
        Self::from_nanos(u64::try_from(length.as_nanos()).unwrap_or(u64::MAX))
    }
}

/// What is never reached, ns: thirty years.
const FAR: u64 = 30 * 365 * 86_400 * 1_000_000_000;

/// Time as a run counts it. Before the run begins it stands at zero.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    began: std::time::Instant,
    epoch: Epoch,
}

impl Clock {
    /// The clock of the run that begins at `epoch`.
    pub fn of(epoch: Epoch) -> Self {
        let (here, now) = (std::time::Instant::now(), monotonic_ns());
        let began = match epoch.0.checked_sub(now) {
            Some(ahead) => here + std::time::Duration::from_nanos(ahead),
            None => here.checked_sub(std::time::Duration::from_nanos(now - epoch.0)).unwrap_or(here),
        };
        Self { began, epoch }
    }

    /// Now.
    pub fn now(&self) -> Instant {
        let since = std::time::Instant::now().saturating_duration_since(self.began);
        Instant::from_nanos(since.as_nanos() as u64)
    }

    /// The same point on the machine's monotonic clock.
    pub(super) fn monotonic(&self, at: Instant) -> std::time::Duration {
        std::time::Duration::from_nanos(self.epoch.0.saturating_add(at.as_nanos()).min(FAR))
    }

    /// The same point for tokio's timers, whose grain is a millisecond. What is never reached is in thirty years.
    pub fn deadline(&self, at: Instant) -> tokio::time::Instant {
        (self.began + std::time::Duration::from_nanos(at.as_nanos().min(FAR))).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_stands_at_zero_until_the_run_begins() {
        assert_eq!(Clock::of(Epoch::after(Duration::from_secs(3_600))).now(), Instant::ZERO);
        let begun = Clock::of(Epoch(Epoch::after(Duration::ZERO).0 - 5_000_000_000));
        assert!(begun.now() >= Instant::ZERO + Duration::from_secs(5));
    }
}
