//! The verdict of a [`Threshold`] on a result.
//!
//! It changes nothing, and it knows nothing that the result does not say.

use std::cmp::Ordering;

use super::{Estimated, Filter, Level, OfTimes, Quantity, Threshold, Total};
use crate::metrics::refusals::Ended;
use crate::metrics::rounded;
use crate::metrics::summary::{Estimate, Quantiles, RefusalCount, Summary, Verdict};
use crate::observe::Latency;

/// A value, and whether it is only a lower bound.
type Found = (f64, bool);

impl Threshold {
    /// Judges `summary`.
    pub fn judge(&self, summary: &Summary) -> Verdict {
        let found = self.find(summary);
        let ok = found.is_some_and(|(value, above)| self.accepts(value, above));
        let above = found.is_some_and(|(_, above)| above);
        Verdict { threshold: self.text.clone(), value: found.map(|(value, _)| value), above, ok }
    }

    /// Of a value that is only a lower bound, no more is known than that it is greater.
    fn accepts(&self, value: f64, above: bool) -> bool {
        let order = value.total_cmp(&self.bound);
        if above { order.is_ge() && self.op.accepts(Ordering::Greater) } else { self.op.accepts(order) }
    }

    fn find(&self, summary: &Summary) -> Option<Found> {
        let exact = |value: f64| Some((value, false));
        match self.quantity {
            Quantity::Estimate(which) => self.of_estimate(estimate(summary, which)).and_then(exact),
            Quantity::Total(which) => exact(total(summary, which) as f64),
            Quantity::Refusals(filter) => exact(filter.count(summary) as f64),
            Quantity::RefusalRate(filter) => filter.rate(summary).and_then(exact),
            Quantity::LevelMean(level) => summary.concurrency.get(level.name()).and_then(|c| exact(c.mean)),
            Quantity::LevelMax(level) => {
                summary.concurrency.get(level.name()).and_then(|c| exact(c.max as f64))
            }
            Quantity::Time(what, which) => of_times(summary, what, which),
        }
    }

    fn of_estimate(&self, estimate: Estimate) -> Option<f64> {
        match (self.by_interval, self.op.greater_is_worse()) {
            (false, _) => estimate.mean,
            (true, Some(true)) => estimate.high,
            (true, Some(false)) => estimate.low,
            (true, None) => None,
        }
    }
}

impl Level {
    fn name(self) -> &'static str {
        match self {
            Self::Connections => "connections",
            Self::Sessions => "sessions",
        }
    }
}

impl Filter {
    fn takes(self, refusal: &RefusalCount) -> bool {
        refusal.ended == self.ended.name()
            && self.cause.is_none_or(|cause| refusal.cause == cause.name())
            && self.phase.is_none_or(|phase| refusal.phase == phase.name())
            && self.code.is_none_or(|code| refusal.code == code)
    }

    /// Without tags, the count of the class: it holds also those whose server gave no reason.
    fn count(self, summary: &Summary) -> u64 {
        if (self.cause, self.phase, self.code) == (None, None, None) {
            let counts = &summary.counts;
            return match self.ended {
                Ended::TurnedAway => counts.turned_away,
                Ended::Cut => counts.cut,
                Ended::LoginFailed => counts.login_failed,
                Ended::Network => counts.network_failed + counts.lost,
                Ended::Transfer => summary.transfers.failed,
            };
        }
        summary.refusals.iter().filter(|refusal| self.takes(refusal)).map(|refusal| refusal.count).sum()
    }

    fn rate(self, summary: &Summary) -> Option<f64> {
        let counts = &summary.counts;
        let whole = match self.ended {
            Ended::Cut => counts.admitted,
            Ended::Transfer => summary.transfers.count + summary.transfers.failed,
            _ => counts.attempts - counts.open_at_end.min(counts.attempts),
        };
        (whole > 0).then(|| rounded(self.count(summary) as f64 / whole as f64))
    }
}

fn estimate(summary: &Summary, which: Estimated) -> Estimate {
    let estimates = &summary.estimates;
    match which {
        Estimated::RefusedFirst => estimates.refused_first,
        Estimated::RefusedAttempt => estimates.refused_attempt,
        Estimated::Unserved => estimates.unserved,
        Estimated::Amplification => estimates.amplification,
        Estimated::OfferedErlangs => estimates.offered_erlangs,
        Estimated::CarriedErlangs => estimates.carried_erlangs,
    }
}

fn total(summary: &Summary, which: Total) -> u64 {
    let counts = &summary.counts;
    match which {
        Total::Wanted => counts.wanted,
        Total::Attempts => counts.attempts,
        Total::Admitted => counts.admitted,
        Total::Abandoned => counts.abandoned,
        Total::Completed => counts.completed,
        Total::Lost => counts.lost,
        Total::Ghosts => counts.ghosts,
        Total::Retries => counts.retries,
        Total::Unserved => counts.unserved,
        Total::OpenAtEnd => counts.open_at_end,
    }
}

fn of_times(summary: &Summary, what: Latency, which: OfTimes) -> Option<Found> {
    let times = summary.latency.get(what.name())?;
    match which {
        OfTimes::Quantile(q) => quantile(times, q),
        OfTimes::Mean => times.mean_s.map(|s| (s, false)),
        OfTimes::Min => times.min_s.map(|s| (s, false)),
        OfTimes::Max => times.max_s.map(|s| (s, false)),
    }
}

fn quantile(times: &Quantiles, q: f64) -> Option<Found> {
    times.quantiles.iter().find(|told| (told.q - q).abs() < 1e-12).map(|told| (told.s, told.above))
}
