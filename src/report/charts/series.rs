//! What the charts plot: the numbers of `timeline.csv` and `summary.json`, picked and divided, but not yet placed.
//!
//! It draws nothing and knows no colour; a test reads the files back and compares them with these values.

use crate::metrics::summary::{Quantiles, Summary, TimelineRow};
use crate::metrics::wilson;
use crate::observe::{Cause, Latency};

/// The value of each stretch of time.
#[derive(Clone, PartialEq, Debug)]
pub struct Series {
    /// Its name in legends.
    pub name: String,
    /// In the order of time.
    pub points: Vec<Point>,
}

/// The value of one stretch of time.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Point {
    /// When the stretch begins, seconds.
    pub begin_s: f64,
    /// Its length, seconds.
    pub width_s: f64,
    /// The value; nothing if there is none or it is not finite.
    pub value: Option<f64>,
}

/// Who was at the server, and who was refused.
#[derive(Clone, PartialEq, Debug)]
pub struct Concurrency {
    /// Time-weighted means of connections.
    pub connections: Series,
    /// The greatest numbers of connections.
    pub peak: Series,
    /// Time-weighted means of logged-in sessions.
    pub sessions: Series,
    /// The limit on all clients.
    pub limit: Series,
    /// Refusals in each stretch of each cause that occurred, in the order of [`Cause::ALL`].
    pub refused: Vec<(Cause, Series)>,
}

/// How likely an attempt was to be turned away.
#[derive(Clone, PartialEq, Debug)]
pub struct Refusals {
    /// Attempts turned away, of those that came to an end or to a login in the stretch.
    pub share: Series,
    /// The lower end of the Wilson 95 % interval.
    pub low: Series,
    /// Its upper end.
    pub high: Series,
}

/// What retries did to the load.
#[derive(Clone, PartialEq, Debug)]
pub struct Retries {
    /// Attempts so far for each session wanted so far.
    pub so_far: Series,
    /// Attempts for each session wanted, in the stretch alone; nothing where hardly anyone came.
    pub within: Series,
    /// Sessions wanted in each stretch.
    pub wanted: Series,
    /// Retries in each stretch.
    pub retries: Series,
}

/// The quantiles of one latency.
#[derive(Clone, PartialEq, Debug)]
pub struct Curve {
    /// Which latency.
    pub latency: Latency,
    /// How many were recorded.
    pub count: u64,
    /// How many never came to an end.
    pub censored: u64,
    /// `1 / (1 - q)` and seconds of each quantile that is known, rising.
    pub points: Vec<(f64, f64)>,
    /// Where the censored begin: `1 / (1 - q)`, and the greatest recorded value, seconds.
    pub cliff: Option<(f64, f64)>,
}

/// What the chart `concurrency` plots.
pub fn concurrency(rows: &[TimelineRow]) -> Concurrency {
    let occurred = |cause: Cause| rows.iter().any(|row| refused(row, cause) > 0.0);
    Concurrency {
        connections: series("connections, mean", rows, |row| Some(row.connections_mean)),
        peak: series("connections, greatest", rows, |row| Some(row.connections_max)),
        sessions: series("logged in, mean", rows, |row| Some(row.sessions_mean)),
        limit: series("limit", rows, |row| row.limit),
        refused: Cause::ALL
            .iter()
            .filter(|cause| occurred(**cause))
            .map(|&cause| (cause, series(cause.name(), rows, |row| Some(refused(row, cause)))))
            .collect(),
    }
}

/// What the chart `refusals` plots. Rows are means, so that `replications` of them stand behind each interval. Where nobody was
/// turned away there is none: it would only show how few came.
pub fn refusals(rows: &[TimelineRow], replications: u32) -> Refusals {
    let interval = |row: &TimelineRow| {
        let n = ended(row) * f64::from(replications.max(1));
        (n > 0.0 && row.turned_away > 0.0).then(|| wilson(row.turned_away / ended(row), n))
    };
    let share = |row: &TimelineRow| (ended(row) > 0.0).then(|| row.turned_away / ended(row));
    Refusals {
        share: series("attempts turned away", rows, share),
        low: series("95 % interval, lower end", rows, |row| Some(interval(row)?.0)),
        high: series("95 % interval, upper end", rows, |row| Some(interval(row)?.1)),
    }
}

/// With fewer wanted sessions than this behind it, over all replications, a stretch has no amplification of its own: clients who
/// came long before retry in it, and it would only tell how few are new.
const FEWEST_WANTED: f64 = 5.0;

/// What the chart `retries` plots. Rows are means over `replications`.
pub fn retries(rows: &[TimelineRow], replications: u32) -> Retries {
    let enough = |row: &TimelineRow| row.wanted * f64::from(replications.max(1)) >= FEWEST_WANTED;
    let ratio = |attempts: f64, wanted: f64| (wanted > 0.0).then(|| attempts / wanted);
    let (mut attempts, mut wanted) = (0.0, 0.0);
    let so_far = |row: &TimelineRow| {
        attempts += row.attempts;
        wanted += row.wanted;
        ratio(attempts, wanted)
    };
    Retries {
        so_far: series("amplification since the run began", rows, so_far),
        within: series("amplification at the time", rows, |row| {
            enough(row).then(|| ratio(row.attempts, row.wanted)).flatten()
        }),
        wanted: series("sessions wanted", rows, |row| Some(row.wanted)),
        retries: series("retries", rows, |row| Some(row.retries)),
    }
}

/// What the chart `time-to-service` plots: each latency of which something was recorded or censored.
pub fn time_to_service(summary: &Summary) -> Vec<Curve> {
    [Latency::TimeToService, Latency::Login, Latency::Greeting, Latency::Connect, Latency::Command]
        .into_iter()
        .filter_map(|latency| curve(latency, summary.latency.get(latency.name())?))
        .collect()
}

/// The latencies of a measured run without the time for which its generator was late, where that makes a difference to the eye.
pub fn from_sent(summary: &Summary) -> Vec<Curve> {
    /// So much of a value is a difference that shows.
    const SHOWS: f64 = 0.1;
    let Some(sent) = &summary.latency_from_sent else { return Vec::new() };
    let curve_of = |latency: Latency| {
        let (intended, sent) = (summary.latency.get(latency.name())?, sent.get(latency.name())?);
        let mut pairs = intended.quantiles.iter().zip(&sent.quantiles);
        pairs.any(|(i, s)| i.s - s.s > SHOWS * i.s).then(|| curve(latency, sent))?
    };
    [Latency::Login, Latency::Greeting, Latency::Connect, Latency::Command]
        .into_iter()
        .filter_map(curve_of)
        .collect()
}

/// How long those waited who were first served at the time.
#[derive(Clone, PartialEq, Debug)]
pub struct Waits {
    /// Their mean.
    pub mean: Series,
    /// The longest of all replications.
    pub longest: Series,
}

/// What the chart `time-to-service` plots over time, where there are faults.
pub fn waits(rows: &[TimelineRow]) -> Waits {
    Waits {
        mean: series("mean of those served at the time", rows, |row| row.time_to_service_s),
        longest: series("the longest", rows, |row| row.time_to_service_max_s),
    }
}

fn curve(latency: Latency, quantiles: &Quantiles) -> Option<Curve> {
    let (count, censored) = (quantiles.count, quantiles.censored);
    let total = count as f64 + censored as f64;
    if total <= 0.0 {
        return None;
    }
    let known =
        quantiles.quantiles.iter().filter(|q| !q.above && q.s.is_finite() && (0.0..1.0).contains(&q.q));
    let mut points: Vec<(f64, f64)> = known.map(|q| (1.0 / (1.0 - q.q), q.s)).collect();
    points.sort_by(|a, b| a.0.total_cmp(&b.0));
    points.retain(|p| p.0 <= total.max(10.0) * 1.001); // beyond one in `total` there is nothing to see
    let greatest = quantiles.max_s.filter(|s| s.is_finite()).unwrap_or(0.0);
    let cliff = (censored > 0).then(|| (total / censored as f64, greatest));
    Some(Curve { latency, count, censored, points, cliff })
}

fn series(name: &str, rows: &[TimelineRow], mut value: impl FnMut(&TimelineRow) -> Option<f64>) -> Series {
    let mut point = |row: &TimelineRow| Point {
        begin_s: row.begin_s,
        width_s: row.width_s,
        value: value(row).filter(|v| v.is_finite()),
    };
    Series { name: name.to_owned(), points: rows.iter().map(&mut point).collect() }
}

fn refused(row: &TimelineRow, cause: Cause) -> f64 {
    row.refused.get(cause.index()).copied().unwrap_or(0.0)
}

/// Attempts that came to their class in this stretch.
fn ended(row: &TimelineRow) -> f64 {
    row.admitted + row.turned_away + row.login_failed + row.network_failed + row.abandoned
}

impl Series {
    /// The greatest value, 0 if there is none.
    pub fn greatest(&self) -> f64 {
        self.points.iter().filter_map(|p| p.value).fold(0.0, f64::max)
    }
}
