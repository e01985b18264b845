//! What a chart shows, in one sentence: its title.
//!
//! It finds nothing of its own: it reads the summary and says it.

use crate::metrics::summary::{Quantiles, Summary};
use crate::report::words::{count, counted, percent, seconds};

/// Who was turned away, and by what.
pub fn concurrency(summary: &Summary) -> String {
    let counts = &summary.counts;
    if counts.attempts == 0 {
        return "Nothing happened: no client came".to_owned();
    }
    if counts.turned_away == 0 {
        let others = match (counts.cut, counts.network_failed) {
            (0, 0) if summary.transfers.failed > 0 => {
                format!(", but {} failed", counted(summary.transfers.failed, "transfer"))
            }
            (0, 0) => String::new(),
            (0, n) => format!(", but {} failed on the network", counted(n, "attempt")),
            (1, _) => ", but 1 session was cut".to_owned(),
            (n, _) => format!(", but {} sessions were cut", count(n)),
        };
        return format!("No client was turned away{others}");
    }
    if counts.network_failed > counts.turned_away {
        let failed = counted(counts.network_failed, "attempt");
        return format!("{failed} met a dead server or network; {} turned away", were(counts.turned_away));
    }
    let by = &summary.refused_by_cause.turned_away;
    let Some((cause, _)) = by.iter().max_by(|a, b| a.1.cmp(b.1).then(b.0.cmp(a.0))) else {
        return format!("{} turned away", counted(counts.turned_away, "attempt"));
    };
    let limit = summary
        .server
        .limits
        .get(cause)
        .map_or(cause.clone(), |limit| format!("{cause} = {}", count(u64::from(*limit))));
    let alone = by.values().filter(|n| **n > 0).count() == 1;
    let what = match summary.estimates.refused_first.mean.filter(|share| *share > 0.0) {
        Some(share) => format!("{} of first attempts", percent(share)),
        None => counted(counts.turned_away, "attempt"),
    };
    match (alone, summary.server.limits.contains_key(cause)) {
        (true, true) => format!("{limit} turned away {what}"),
        (true, false) => format!("The server turned away {what}: {limit}"),
        (false, _) => format!("The server turned away {what}, mostly for {limit}"),
    }
}

/// When refusals set in.
pub fn refusals(summary: &Summary) -> String {
    let onset = &summary.onset;
    let level = percent(onset.level);
    match (&onset.first, &onset.sustained) {
        (_, Some(at)) => {
            format!("Sustained refusals (at least {level} of attempts) began at {}", seconds(at.time_s))
        }
        (Some(at), None) => {
            format!("Refusals began at {}, but never reached {level} for long", seconds(at.time_s))
        }
        (None, None) if summary.counts.attempts == 0 => "Nothing happened: no client came".to_owned(),
        (None, None) if summary.counts.turned_away > 0 => {
            format!("{} turned away", counted(summary.counts.turned_away, "attempt"))
        }
        (None, None) => "No attempt was turned away".to_owned(),
    }
}

/// How long clients waited.
pub fn time_to_service(summary: &Summary) -> String {
    let Some(waits) = summary.latency.get("time_to_service").filter(|w| w.count > 0 || w.censored > 0) else {
        return "Nobody waited for service".to_owned();
    };
    let never = match waits.censored {
        0 => String::new(),
        n if n == summary.counts.waiting_at_end => format!("; {} still waited at the end", count(n)),
        n => format!("; {} {} never served", counted(n, "session"), if n == 1 { "was" } else { "were" }),
    };
    match (quantile(waits, 0.5), quantile(waits, 0.99)) {
        (Some(half), Some(most)) if half == most => format!("99 % were served within {most}{never}"),
        (Some(half), Some(most)) => format!("Half were served within {half}, 99 % within {most}{never}"),
        (Some(half), None) => format!("Half were served within {half}{never}"),
        _ if waits.censored > waits.count => format!(
            "Most were never served: {} of {}",
            count(waits.censored),
            count(waits.censored.saturating_add(waits.count))
        ),
        _ => format!("{} served{never}", counted(waits.count, "session")),
    }
}

/// How much load retries made.
pub fn retries(summary: &Summary) -> String {
    let counts = &summary.counts;
    if counts.attempts == 0 {
        return "Nothing happened: no client came".to_owned();
    }
    if counts.retries == 0 {
        return "No client tried twice".to_owned();
    }
    match summary.estimates.amplification.mean.filter(|mean| mean.is_finite()) {
        Some(mean) => format!("Each wanted session cost {mean:.2} attempts: {}", retried(counts.retries)),
        None => retried(counts.retries),
    }
}

fn were(n: u64) -> String {
    format!("{} {}", count(n), if n == 1 { "was" } else { "were" })
}

fn retried(n: u64) -> String {
    if n == 1 { "1 retry".to_owned() } else { format!("{} retries", count(n)) }
}

fn quantile(of: &Quantiles, q: f64) -> Option<String> {
    let found = of.quantiles.iter().find(|found| (found.q - q).abs() < 1e-9)?;
    (!found.above).then(|| seconds(found.s))
}
