//! The story of a served run: who came, whom the model turned away, what it cut, and how long things took.
//!
//! It finds nothing out: every number in it stands in the [`Summary`].

use super::{aftermath, cuts, measured, most, number, quantile, transfers};
use crate::metrics::summary::Summary;
use crate::metrics::words::{count, seconds};

/// Tells the story of `summary`, that of a served run.
pub(in super::super) fn tell(summary: &Summary) -> Vec<String> {
    let lines = [
        Some(conclusion(summary)),
        others(summary),
        first(summary),
        measured::concurrency(summary).filter(|_| summary.counts.attempts > 0),
        latency(summary),
        cuts(summary),
        transfers(summary),
        aftermath::faults(summary),
    ];
    lines.into_iter().flatten().collect()
}

fn conclusion(summary: &Summary) -> String {
    let counts = &summary.counts;
    let time = seconds(summary.duration_s);
    if counts.attempts == 0 {
        return format!("Nobody came in {time}.");
    }
    let came = number(counts.attempts, "connection", "connections");
    let away = match most(&summary.refused_by_cause.turned_away) {
        None => "nobody was turned away".to_owned(),
        Some((cause, most_of)) if most_of == counts.turned_away => {
            format!("{} turned away, by {cause}", count(counts.turned_away))
        }
        Some((cause, most_of)) => {
            format!("{} turned away, {} of them by {cause}", count(counts.turned_away), count(most_of))
        }
    };
    format!("{came} in {time}: {} logged in, {away}.", count(counts.admitted))
}

/// What became of the rest.
fn others(summary: &Summary) -> Option<String> {
    let counts = &summary.counts;
    let parts: Vec<String> = [
        (counts.login_failed, "failed for wrong passwords"),
        (counts.abandoned, "left before login"),
        (counts.open_at_end, "neither logged in nor gone at the end"),
    ]
    .into_iter()
    .filter(|(n, _)| *n > 0)
    .map(|(n, what)| format!("{} {what}", count(n)))
    .collect();
    (!parts.is_empty()).then(|| format!("Of the others {}.", parts.join(", ")))
}

fn first(summary: &Summary) -> Option<String> {
    let first = summary.onset.first.as_ref()?;
    let code = if first.code == 0 { "no word".to_owned() } else { first.code.to_string() };
    Some(format!(
        "The first refusal came at {} with {} open: {code}, {} phase, {}.",
        seconds(first.time_s),
        number(first.connections, "connection", "connections"),
        first.phase,
        first.cause
    ))
}

fn latency(summary: &Summary) -> Option<String> {
    let told: Vec<String> = ["greeting", "login", "command", "transfer"]
        .into_iter()
        .filter_map(|name| {
            let times = summary.latency.get(name)?;
            Some(format!("{name} {} / {}", quantile(times, 0.5)?, quantile(times, 0.99)?))
        })
        .collect();
    (!told.is_empty())
        .then(|| format!("Median / 99th percentile as the server sees them: {}.", told.join("; ")))
}
