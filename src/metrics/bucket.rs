//! What happened in one stretch of time.
//!
//! It does not know which stretch: the series does.

use super::level::Span;
use super::rounded;
use super::summary::TimelineRow;
use crate::observe::{Cause, Class};
use crate::time::{Duration, Instant};

/// A level that a series follows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Followed {
    /// Connections at the server.
    Connections,
    /// Logged-in sessions.
    Sessions,
}

/// What happened in one stretch of time.
#[derive(Clone, PartialEq, Eq, Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct Bucket {
    /// Wanted sessions that began.
    pub wanted: u64,
    /// Attempts that began.
    pub attempts: u64,
    /// Of these, not the first of their wanted session.
    pub retries: u64,
    /// Attempts that came to each class.
    pub classes: [u64; Class::COUNT],
    /// Sessions cut.
    pub cut: u64,
    /// Sessions lost to the network.
    pub lost: u64,
    /// Wanted sessions that were given up unserved.
    pub given_up: u64,
    /// Refusals by cause, whatever they ended.
    pub refused: [u64; Cause::COUNT],
    /// Sessions served for the first time.
    pub served: u64,
    /// The sum of their times to service.
    pub service_ns: u128,
    /// The greatest of them.
    pub service_max_ns: u64,
    integrals: [u128; 2],
    maxima: [u64; 2],
}

impl Bucket {
    /// A level stayed at one value for a span within this bucket.
    pub fn hold(&mut self, which: Followed, span: Span) {
        self.integrals[which as usize] += span.area();
        self.peak(which, span.value);
    }

    /// A level reached `value`.
    pub fn peak(&mut self, which: Followed, value: u64) {
        self.maxima[which as usize] = self.maxima[which as usize].max(value);
    }

    /// Adds another bucket.
    pub fn absorb(&mut self, other: &Self) {
        self.wanted += other.wanted;
        self.attempts += other.attempts;
        self.retries += other.retries;
        self.classes.iter_mut().zip(other.classes).for_each(|(a, b)| *a += b);
        self.cut += other.cut;
        self.lost += other.lost;
        self.given_up += other.given_up;
        self.refused.iter_mut().zip(other.refused).for_each(|(a, b)| *a += b);
        self.served += other.served;
        self.service_ns += other.service_ns;
        self.service_max_ns = self.service_max_ns.max(other.service_max_ns);
        self.integrals.iter_mut().zip(other.integrals).for_each(|(a, b)| *a += b);
        self.maxima.iter_mut().zip(other.maxima).for_each(|(a, b)| *a = (*a).max(b));
    }

    /// What happened here, on average over `replications` runs that were merged.
    pub fn row(&self, begin: Instant, width: Duration, replications: u32) -> TimelineRow {
        let n = f64::from(replications.max(1));
        let mean = |count: u64| rounded(count as f64 / n);
        let class = |class: Class| mean(self.classes[class.index()]);
        let seconds = width.as_secs_f64();
        let level = |which: Followed| {
            if width.is_zero() {
                0.0
            } else {
                rounded(self.integrals[which as usize] as f64 / 1e9 / seconds / n)
            }
        };
        let served = self.served > 0;
        TimelineRow {
            begin_s: rounded(begin.as_secs_f64()),
            width_s: rounded(seconds),
            wanted: mean(self.wanted),
            attempts: mean(self.attempts),
            retries: mean(self.retries),
            admitted: class(Class::Admitted),
            turned_away: class(Class::TurnedAway),
            login_failed: class(Class::LoginFailed),
            network_failed: class(Class::NetworkFailed),
            abandoned: class(Class::Abandoned),
            cut: mean(self.cut),
            connections_mean: level(Followed::Connections),
            connections_max: self.maxima[Followed::Connections as usize] as f64,
            sessions_mean: level(Followed::Sessions),
            limit: None, // no observation tells of it: the scenario does
            time_to_service_s: served.then(|| rounded(self.service_ns as f64 / 1e9 / self.served as f64)),
            time_to_service_max_s: served.then(|| rounded(self.service_max_ns as f64 / 1e9)),
            refused: self.refused.iter().map(|count| mean(*count)).collect(),
        }
    }

    /// The integral of a level over the bucket, in nanoseconds.
    pub fn integral_ns(&self, which: Followed) -> u128 {
        self.integrals[which as usize]
    }

    #[cfg(test)]
    pub fn max(&self, which: Followed) -> u64 {
        self.maxima[which as usize]
    }
}
