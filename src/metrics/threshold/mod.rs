//! Thresholds: what must hold of a result, in k6's grammar.
//!
//! It measures nothing: a [`Threshold`] reads a [`Summary`](super::summary::Summary) and says whether it holds.
//!
//! ```text
//! threshold = quantity op bound | "ci(" quantity ")" op bound
//! quantity  = metric [ "{" tag "=" value { "," tag "=" value } "}" ] aggregate
//! op        = "<" | "<=" | ">" | ">=" | "==" | "!="
//! ```
//!
//! | metric | aggregates | bound |
//! |---|---|---|
//! | `refused_first` `refused_attempt` `unserved` | `rate`: the estimate of that name | `0.01` or `1%` |
//! | `amplification` `offered_erlangs` `carried_erlangs` | `value`: the estimate of that name | a number |
//! | `refused` `login_failed` | `count`; `rate`: of all attempts that came to an end or to a login | |
//! | `cut` | `count`; `rate`: of all admitted sessions | |
//! | `transfer_failed` | `count`; `rate`: of all transfers | |
//! | `network` | `count`: attempts and sessions that the network or a dead server ended | |
//! | `wanted` `attempts` `admitted` `abandoned` `completed` `lost` `ghosts` `retries` `unserved` `open_at_end` | `count` | a number |
//! | `connections` `sessions` | `avg` over time, `max` | a number |
//! | `time_to_service` `connect` `greeting` `login` `command` `transfer` | `p(99)`, `med`, `avg`, `min`, `max` | `2s`, `250ms` |
//!
//! `refused`, `cut`, `login_failed`, `transfer_failed` and `network` take the tags `cause`, `phase` and `code`. Counts are totals over all
//! replications and know no warm-up. A quantile counts those who were never served, as greater than every recorded time;
//! `avg`, `min` and `max` are of the recorded times. `ci(..)` asks that the worse end of the 95 % interval holds. Where
//! there is nothing to judge (no interval, no time recorded), a threshold does not hold: it wants to be shown.

mod judge;
mod parse;
mod scan;

use std::cmp::Ordering;

use crate::observe::{Cause, Latency, Phase};

use super::refusals::Ended;

/// A threshold, parsed.
#[derive(Clone, PartialEq, Debug)]
pub struct Threshold {
    text: String,
    quantity: Quantity,
    by_interval: bool,
    op: Op,
    bound: f64,
}

/// Why a text is no threshold.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ThresholdProblem {
    /// Where in the text, in bytes.
    pub at: usize,
    /// What is wrong and what is allowed.
    pub why: String,
}

impl Threshold {
    /// As it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The quantile that a summary must tell, so that this threshold can be judged.
    pub fn quantile(&self) -> Option<(Latency, f64)> {
        match self.quantity {
            Quantity::Time(what, OfTimes::Quantile(q)) => Some((what, q)),
            _ => None,
        }
    }
}

/// What a threshold is about.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Quantity {
    Estimate(Estimated),
    Total(Total),
    Refusals(Filter),
    RefusalRate(Filter),
    LevelMean(Level),
    LevelMax(Level),
    Time(Latency, OfTimes),
}

/// An estimate by name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Estimated {
    RefusedFirst,
    RefusedAttempt,
    Unserved,
    Amplification,
    OfferedErlangs,
    CarriedErlangs,
}

/// A total by name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Total {
    Wanted,
    Attempts,
    Admitted,
    Abandoned,
    Completed,
    Lost,
    Ghosts,
    Retries,
    Unserved,
    OpenAtEnd,
}

/// A level by name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Level {
    Connections,
    Sessions,
}

/// Which number of many times.
#[derive(Clone, Copy, PartialEq, Debug)]
enum OfTimes {
    Quantile(f64),
    Mean,
    Min,
    Max,
}

/// Which refusals.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Filter {
    ended: Ended,
    cause: Option<Cause>,
    phase: Option<Phase>,
    code: Option<u16>,
}

/// A comparison.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Op {
    Below,
    AtMost,
    Above,
    AtLeast,
    Equal,
    Unequal,
}

impl Op {
    fn accepts(self, order: Ordering) -> bool {
        match self {
            Self::Below => order.is_lt(),
            Self::AtMost => order.is_le(),
            Self::Above => order.is_gt(),
            Self::AtLeast => order.is_ge(),
            Self::Equal => order.is_eq(),
            Self::Unequal => order.is_ne(),
        }
    }

    /// Is it worse to be greater? `None` if neither side is.
    fn greater_is_worse(self) -> Option<bool> {
        match self {
            Self::Below | Self::AtMost => Some(true),
            Self::Above | Self::AtLeast => Some(false),
            Self::Equal | Self::Unequal => None,
        }
    }
}

#[cfg(test)]
mod tests;
