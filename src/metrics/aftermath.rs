//! What comes after a fault: whether a run recovers from it, after how long, and whether a retry storm outlives it.
//!
//! It reads one run's time series and knows nothing of what a fault does. What it says of a run has a fixed size.

use super::bucket::{Bucket, Followed};
use super::series::Series;
use super::wilson::wilson;
use crate::observe::Cause;
use crate::time::{Duration, Instant};

/// A baseline looks back no further than this many windows: a quarter of the series.
pub const BASELINE: usize = 60;

/// A run has recovered when so many windows in a row are healthy.
pub const HELD: usize = 10;

/// At the end of what is left, so many are enough; and so many failing ones make a storm.
pub const LEAST: usize = 3;

/// A baseline of fewer attempts is none.
const FEWEST: u64 = 10;

/// From when to when something was wrong.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Trouble {
    /// Its beginning.
    pub begin: Instant,
    /// Its end.
    pub end: Instant,
}

/// What happened in several windows.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct Sums {
    /// How long they are together.
    pub length: Duration,
    /// Wanted sessions that began.
    pub wanted: u64,
    /// Attempts that began.
    pub attempts: u64,
    /// Attempts admitted, turned away, failed by the network or abandoned, and sessions cut or lost.
    pub trials: u64,
    /// All of these but the admitted.
    pub failed: u64,
    /// Refusals for a ban: their cause is not over while it is in force.
    pub banned: u64,
    /// The integral of logged-in sessions, nanoseconds.
    pub sessions_ns: u128,
}

/// What came after one fault, in one run.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub struct Aftermath {
    /// What it was before.
    pub baseline: Sums,
    /// From the fault's end to the recovery.
    pub recovered_after: Option<Duration>,
    /// The storm that outlived it.
    pub storm: Option<Storm>,
}

/// A retry storm, in one run.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub struct Storm {
    /// Did it last to the end of the run?
    pub to_the_end: bool,
    /// What happened in it; its length is how long it outlived its cause.
    pub sums: Sums,
}

/// One bucket as a window of the judgement.
struct Window {
    begin: Instant,
    end: Instant,
    sums: Sums,
    /// Users who wait to be served, at its end.
    waiting: u64,
}

/// A time before or between troubles.
struct Quiet {
    begin: Instant,
    end: Instant,
}

/// Of one trouble: how it was before, when the run had recovered, and the storm.
type Judged = (Baseline, Option<Instant>, Option<Storm>);

/// How it was before.
#[derive(Clone, Copy)]
struct Baseline {
    sums: Sums,
    /// The most who waited at the end of one of its windows.
    waiting: u64,
}

/// What came after each of `troubles` in a run that ended at `end`, in their order; `None` where there is nothing to judge by.
pub fn aftermaths(
    series: &Series,
    warmup: Instant,
    end: Instant,
    troubles: &[Trouble],
) -> Vec<Option<Aftermath>> {
    let windows = windows(series, end);
    let blocks = blocks(troubles);
    let mut baseline = None;
    let mut fine_from = Some(warmup);
    let mut before = Instant::ZERO;
    let mut judged: Vec<Option<Judged>> = Vec::new();
    for (i, block) in blocks.iter().enumerate() {
        let fresh = fine_from.and_then(|from| Baseline::of(within(&windows, from, block.begin)));
        let first = || Baseline::of(within(&windows, before, block.begin)).filter(|_| i == 0);
        baseline = fresh.or(baseline).or_else(first);
        let quiet =
            Quiet { begin: block.end, end: blocks.get(i + 1).map_or(end, |next| next.begin.min(end)) };
        let left = within(&windows, quiet.begin, quiet.end);
        judged.push(baseline.filter(|_| !left.is_empty() || i + 1 < blocks.len()).map(|baseline| {
            let recovered = recovery(left, &baseline);
            let storm = storm(&left[..recovered.unwrap_or(left.len())], &baseline, quiet.begin, end);
            let at = recovered.map(|place| if place == 0 { quiet.begin } else { left[place].begin });
            (baseline, at, storm)
        }));
        fine_from = judged.last().copied().flatten().and_then(|(_, at, _)| at);
        before = block.end;
    }
    let of = |trouble: &Trouble| {
        let place = blocks.iter().position(|block| trouble.begin <= block.end)?;
        let (baseline, _, storm) = judged[place]?;
        let recovered = judged[place..].iter().find_map(|later| later.and_then(|(_, at, _)| at));
        Some(Aftermath {
            baseline: baseline.sums,
            recovered_after: recovered.map(|at| at.since(trouble.end)),
            storm: storm.filter(|_| trouble.end == blocks[place].end),
        })
    };
    troubles.iter().map(of).collect()
}

/// Troubles in the order of time, those that overlap as one.
fn blocks(troubles: &[Trouble]) -> Vec<Trouble> {
    let mut sorted = troubles.to_vec();
    sorted.sort_by_key(|trouble| (trouble.begin, trouble.end));
    let mut blocks: Vec<Trouble> = Vec::new();
    for trouble in sorted {
        match blocks.last_mut() {
            Some(last) if trouble.begin <= last.end => last.end = last.end.max(trouble.end),
            _ => blocks.push(trouble),
        }
    }
    blocks
}

/// The place of the first window of the recovery in `left`.
fn recovery(left: &[Window], baseline: &Baseline) -> Option<usize> {
    let mut from = 0;
    for (place, window) in left.iter().enumerate() {
        if baseline.fails(&window.sums) || window.waiting > baseline.most_waiting() {
            from = place + 1;
        } else if place + 1 - from == HELD {
            return Some(from);
        }
    }
    (left.len() - from >= LEAST).then_some(from)
}

/// The storm in `left`, the windows after the trouble that ended at `over` and before the recovery.
fn storm(left: &[Window], baseline: &Baseline, over: Instant, run_end: Instant) -> Option<Storm> {
    let failing = || left.iter().enumerate().filter(|(_, window)| baseline.fails(&window.sums));
    let (last, window) = failing().next_back()?;
    if failing().count() < LEAST {
        return None;
    }
    let mut sums = left[..=last].iter().fold(Sums::default(), Sums::plus);
    let usual = sums.wanted as f64 * baseline.sums.length.as_secs_f64()
        <= 1.5 * baseline.sums.wanted as f64 * sums.length.as_secs_f64();
    let inflated = u128::from(sums.attempts) * u128::from(baseline.sums.wanted.max(1))
        >= 2 * u128::from(baseline.sums.attempts.max(1)) * u128::from(sums.wanted);
    let mostly = baseline.fails(&sums) && 2 * sums.failed.saturating_sub(sums.banned) >= sums.trials;
    sums.length = window.end.since(over);
    (usual && inflated && mostly).then_some(Storm {
        to_the_end: last + LEAST >= left.len() && left[left.len() - 1].end == run_end,
        sums,
    })
}

impl Baseline {
    fn of(windows: &[Window]) -> Option<Self> {
        let windows = &windows[windows.len().saturating_sub(BASELINE)..];
        let sums = windows.iter().fold(Sums::default(), Sums::plus);
        let waiting = windows.iter().map(|window| window.waiting).max()?;
        (sums.trials >= FEWEST).then_some(Self { sums, waiting })
    }

    /// Is the share of failures significantly above the baseline's?
    fn fails(&self, sums: &Sums) -> bool {
        let interval = |of: &Sums| wilson(of.failed as f64 / of.trials as f64, of.trials as f64);
        sums.trials > 0 && interval(sums).0 > interval(&self.sums).1
    }

    /// How many may wait without being a sign of trouble.
    fn most_waiting(&self) -> u64 {
        2 * self.waiting + 2
    }
}

impl Sums {
    fn of(bucket: &Bucket, length: Duration) -> Self {
        let [admitted, turned_away, _, network_failed, abandoned] = bucket.classes;
        let failed = turned_away + network_failed + abandoned + bucket.cut + bucket.lost;
        Self {
            length,
            wanted: bucket.wanted,
            attempts: bucket.attempts,
            trials: admitted + failed,
            failed,
            banned: bucket.refused[Cause::Banned.index()],
            sessions_ns: bucket.integral_ns(Followed::Sessions),
        }
    }

    fn plus(self, window: &Window) -> Self {
        self.with(&window.sums)
    }

    /// Both together.
    #[must_use]
    pub fn with(self, other: &Self) -> Self {
        Self {
            length: self.length + other.length,
            wanted: self.wanted + other.wanted,
            attempts: self.attempts + other.attempts,
            trials: self.trials + other.trials,
            failed: self.failed + other.failed,
            banned: self.banned + other.banned,
            sessions_ns: self.sessions_ns + other.sessions_ns,
        }
    }
}

fn windows(series: &Series, end: Instant) -> Vec<Window> {
    let (mut waiting, mut begin) = (0_u64, Instant::ZERO);
    let window = |bucket: &Bucket| {
        let from = begin;
        begin = (begin + series.width()).min(end.max(from));
        waiting = (waiting + bucket.wanted).saturating_sub(bucket.served + bucket.given_up);
        Window { begin: from, end: begin, sums: Sums::of(bucket, begin.since(from)), waiting }
    };
    series.buckets().iter().map(window).collect()
}

/// The windows that lie wholly between two times.
fn within(windows: &[Window], from: Instant, to: Instant) -> &[Window] {
    let first = windows.partition_point(|window| window.begin < from);
    let last = windows.partition_point(|window| window.end <= to);
    &windows[first.min(last)..last]
}

#[cfg(test)]
mod tests;
