//! `timeline.csv` and `refusals.csv`: what happened when, and which refusals occurred.
//!
//! It rounds nothing: a number is written with as many digits as it takes to read the same number back.

use std::fmt::Write as _;

use crate::metrics::summary::{Summary, TimelineRow};
use crate::observe::Cause;

/// The columns before those of the causes, in the order of the fields of [`TimelineRow`].
const COLUMNS: [&str; 17] = [
    "begin_s",
    "width_s",
    "wanted",
    "attempts",
    "retries",
    "admitted",
    "turned_away",
    "login_failed",
    "network_failed",
    "abandoned",
    "cut",
    "connections_mean",
    "connections_max",
    "sessions_mean",
    "limit",
    "time_to_service_s",
    "time_to_service_max_s",
];

/// The bytes of `timeline.csv`: a header, then a line for each stretch of time.
pub fn timeline(rows: &[TimelineRow]) -> Vec<u8> {
    let mut out = header().join(",");
    out.push('\n');
    for row in rows {
        let causes = (0..Cause::COUNT).map(|i| Some(row.refused.get(i).copied().unwrap_or(0.0)));
        let cells: Vec<String> = plain(row).into_iter().chain(causes).map(cell).collect();
        out.push_str(&cells.join(","));
        out.push('\n');
    }
    out.into_bytes()
}

/// Reads the bytes of a `timeline.csv`.
///
/// # Errors
/// The first line and column that is not as [`timeline`] writes it.
pub fn read_timeline(bytes: &[u8]) -> Result<Vec<TimelineRow>, String> {
    let mut reader = ::csv::Reader::from_reader(bytes);
    let names = header();
    let found = reader.headers().map_err(|e| format!("this is no timeline: {e}"))?;
    if let Some(name) =
        names.iter().enumerate().find_map(|(i, name)| (found.get(i) != Some(name)).then_some(name))
    {
        return Err(format!(
            "this timeline lacks the column `{name}` in its place: it is of another version"
        ));
    }
    let mut rows = Vec::new();
    for (i, record) in reader.records().enumerate() {
        let line = i + 2;
        let record = record.map_err(|e| format!("line {line}: {e}"))?;
        let cells: Result<Vec<Option<f64>>, String> = names
            .iter()
            .zip(&record)
            .map(|(name, text)| number(text).ok_or_else(|| no_number(line, name, text)))
            .collect();
        rows.push(row(&cells?).ok_or_else(|| format!("line {line}: a number is missing"))?);
    }
    Ok(rows)
}

/// The bytes of `refusals.csv`: each combination that occurred.
pub fn refusals(summary: &Summary) -> Vec<u8> {
    let mut out = String::from("ended,cause,phase,code,count\n");
    for r in &summary.refusals {
        let _ = writeln!(out, "{},{},{},{},{}", r.ended, r.cause, r.phase, r.code, r.count);
    }
    out.into_bytes()
}

fn header() -> Vec<String> {
    let causes = Cause::ALL.iter().map(|cause| format!("refused_{cause}"));
    COLUMNS.iter().map(|&name| name.to_owned()).chain(causes).collect()
}

fn plain(row: &TimelineRow) -> [Option<f64>; COLUMNS.len()] {
    [
        Some(row.begin_s),
        Some(row.width_s),
        Some(row.wanted),
        Some(row.attempts),
        Some(row.retries),
        Some(row.admitted),
        Some(row.turned_away),
        Some(row.login_failed),
        Some(row.network_failed),
        Some(row.abandoned),
        Some(row.cut),
        Some(row.connections_mean),
        Some(row.connections_max),
        Some(row.sessions_mean),
        row.limit,
        row.time_to_service_s,
        row.time_to_service_max_s,
    ]
}

/// The row of `cells`, or `None` if one is empty that must not be.
fn row(cells: &[Option<f64>]) -> Option<TimelineRow> {
    let (plain, causes) = cells.split_at_checked(COLUMNS.len())?;
    let &[
        begin_s,
        width_s,
        wanted,
        attempts,
        retries,
        admitted,
        turned_away,
        login_failed,
        network_failed,
        abandoned,
        cut,
        connections_mean,
        connections_max,
        sessions_mean,
        limit,
        time_to_service_s,
        time_to_service_max_s,
    ] = plain
    else {
        return None;
    };
    Some(TimelineRow {
        begin_s: begin_s?,
        width_s: width_s?,
        wanted: wanted?,
        attempts: attempts?,
        retries: retries?,
        admitted: admitted?,
        turned_away: turned_away?,
        login_failed: login_failed?,
        network_failed: network_failed?,
        abandoned: abandoned?,
        cut: cut?,
        connections_mean: connections_mean?,
        connections_max: connections_max?,
        sessions_mean: sessions_mean?,
        limit,
        time_to_service_s,
        time_to_service_max_s,
        refused: causes.iter().copied().collect::<Option<_>>()?,
    })
}

/// The shortest digits that read back as the same number; nothing for nothing.
fn cell(value: Option<f64>) -> String {
    value.map_or(String::new(), |v| v.to_string())
}

/// The inner `None` for an empty cell, the outer one for what no cell can be: all of them are finite and at least 0.
#[expect(clippy::option_option, reason = "a cell is wrong, empty or a number")]
fn number(text: &str) -> Option<Option<f64>> {
    if text.is_empty() {
        return Some(None);
    }
    text.parse().ok().filter(|n: &f64| n.is_finite() && *n >= 0.0).map(Some)
}

/// What is said of a wrong cell; no more than 40 characters of it, and none that a terminal would obey.
fn no_number(line: usize, name: &str, text: &str) -> String {
    let shown: String = text.chars().take(40).map(|c| if c.is_control() { ' ' } else { c }).collect();
    let cut = if text.chars().nth(40).is_some() { "…" } else { "" };
    format!("line {line}, `{name}`: `{shown}{cut}` is no number of at least 0")
}
