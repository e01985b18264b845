//! The story of a run under load: whether it can be believed, then where refusals began, which they were, and how long things took.
//!
//! It finds nothing out: every number in it stands in the [`Summary`].

use super::nobody::{no_tls, nobody_let_in};
use super::{aftermath, cuts, ghosts, in_all, most, nobody, number, probabilities, quantile, retries};
use super::{service, short, spread, thresholds, transfers, unserved};
use crate::metrics::summary::{Generator, Quantiles, Summary, TargetFacts, ToldApart};
use crate::metrics::words::{count, percent, seconds};

/// Tells the story of `summary`, that of a run under load.
pub(in super::super) fn tell(summary: &Summary) -> Vec<String> {
    let lines = [
        trust(summary),
        Some(conclusion(summary)),
        probabilities(summary),
        onset(summary),
        certainty(summary),
        concurrency(summary),
        retries(summary),
        service(summary),
        latency(summary),
        unserved(summary),
        cuts(summary),
        transfers(summary),
        content(summary),
        ghosts(summary),
        aftermath::faults(summary),
        aftermath::storms(summary),
        summary.generator.as_ref().map(generator),
        thresholds(summary).filter(|_| summary.counts.attempts > 0), // of nobody nothing can be judged
    ];
    lines.into_iter().flatten().collect()
}

/// What stands in the way of believing the rest.
fn trust(summary: &Summary) -> Option<String> {
    if !summary.little.holds {
        return Some("The books of this run do not balance: trust none of its numbers.".to_owned());
    }
    let limits = summary.generator.as_ref().map(|g| g.limited_by.join("; ")).unwrap_or_default();
    let limit = (!limits.is_empty()).then(|| {
        format!("The generator was the limit: {limits}. What follows tells of it more than of the server.")
    });
    let interrupted =
        summary.partial.then(|| "Interrupted: this is what was measured until then.".to_owned());
    match (limit, interrupted) {
        (Some(limit), Some(interrupted)) => Some(format!("{limit} {interrupted}")),
        (limit, interrupted) => limit.or(interrupted),
    }
}

/// What turned clients away, or that nothing did.
fn conclusion(summary: &Summary) -> String {
    let (counts, target) = (&summary.counts, url(summary));
    let attempts = number(counts.attempts, "attempt", "attempts");
    if let Some(told) = nobody_let_in(summary).or_else(|| no_tls(summary)) {
        return told;
    }
    if counts.turned_away == 0 && counts.login_failed > counts.admitted {
        return format!(
            "{} of {attempts} failed for wrong passwords: are the accounts those of {target}? (--user, --users)",
            count(counts.login_failed)
        );
    }
    if counts.network_failed > counts.turned_away {
        let why = most(&summary.refused_by_cause.network)
            .map(|(cause, _)| format!(", most of them by {cause}"))
            .unwrap_or_default();
        let away = match counts.turned_away {
            0 => "nobody was turned away".to_owned(),
            n => format!("{} turned away", number(n, "was", "were")),
        };
        return format!(
            "{} of {attempts} failed for the network or a dead server{why}; {away}.",
            count(counts.network_failed)
        );
    }
    let Some((cause, refused)) = most(&summary.refused_by_cause.turned_away) else { return nobody(summary) };
    let whom = format!("turned away {} of {attempts}{}", count(refused), in_all(summary));
    if is_guess(summary, cause) {
        return format!("Something {whom}; the best guess is {cause}.");
    }
    match summary.server.limits.get(cause) {
        Some(limit) => format!("{cause} = {limit} of the modelled server binds: it {whom}."),
        None => format!("{cause} {whom}."),
    }
}

/// Was more than half of what is counted as `cause` only guessed?
fn is_guess(summary: &Summary, cause: &str) -> bool {
    let of = |sure: bool| -> u64 {
        let told = summary.told_apart.iter().flatten();
        told.filter(|one| one.cause == cause && (one.confidence != "guess") == sure)
            .map(|one| one.count)
            .sum()
    };
    of(false) > of(true)
}

pub(super) fn url(summary: &Summary) -> &str {
    summary.target.as_ref().map_or("the target", |TargetFacts { url, .. }| url)
}

/// Where refusals begin: how many connections this run had open, and what it was told.
fn onset(summary: &Summary) -> Option<String> {
    let first = summary.onset.first.as_ref()?;
    let code = if first.code == 0 { "no word".to_owned() } else { first.code.to_string() };
    let begin = format!(
        "The first refusal came at {} with {} open here, itself included: {code}, {} phase, {}{}",
        seconds(first.time_s),
        number(first.connections, "connection", "connections"),
        first.phase,
        first.cause,
        spread(first)
    );
    let (window, runs) = (summary.onset.window, u64::from(summary.replications.max(1)));
    Some(match &summary.onset.sustained {
        Some(sustained) => {
            let since = seconds(sustained.time_s);
            format!("{begin}; of the {window} attempts from {since} on more are refused than by chance.")
        }
        None if summary.counts.attempts / runs < u64::from(window) => {
            format!("{begin}; fewer than {window} attempts are too few to say whether by chance.")
        }
        None => format!("{begin}; refusals never become more than chance."),
    })
}

/// So many kinds of refusal are named.
const NAMED: usize = 3;

/// How surely refusals were told apart. Those that the client itself knew need no word.
fn certainty(summary: &Summary) -> Option<String> {
    let told = summary.told_apart.as_ref()?;
    let mut parts: Vec<(String, u64)> = Vec::new();
    for ToldApart { cause, confidence, basis, count } in told.iter().filter(|one| one.confidence != "known") {
        let words = format!("{cause} {confidence} by {basis}");
        match parts.iter_mut().find(|(known, _)| *known == words) {
            Some((_, n)) => *n += count,
            None => parts.push((words, *count)),
        }
    }
    let more = parts.len().saturating_sub(NAMED);
    let named: Vec<String> =
        parts.iter().take(NAMED).map(|(words, n)| format!("{} {words}", count(*n))).collect();
    let more = if more > 0 {
        format!(", and {}", number(more as u64, "other kind", "other kinds"))
    } else {
        String::new()
    };
    (!named.is_empty()).then(|| format!("Told apart: {}{more}.", named.join(", ")))
}

pub(super) fn concurrency(summary: &Summary) -> Option<String> {
    let (connections, sessions) =
        (summary.concurrency.get("connections")?, summary.concurrency.get("sessions")?);
    Some(format!(
        "At most {} open at once, {} on average; at most {}, {} on average.",
        number(connections.max, "connection", "connections"),
        short(connections.mean),
        number(sessions.max, "logged-in session", "logged-in sessions"),
        short(sessions.mean),
    ))
}

/// The login's and the commands' times from both of their beginnings.
fn latency(summary: &Summary) -> Option<String> {
    let sent = summary.latency_from_sent.as_ref()?;
    let told: Vec<String> = ["connect", "login", "command"]
        .into_iter()
        .filter_map(|name| {
            let words =
                |times: &Quantiles| Some(format!("{} / {}", quantile(times, 0.5)?, quantile(times, 0.99)?));
            let (intended, sent) = (words(summary.latency.get(name)?)?, words(sent.get(name)?)?);
            Some(if intended == sent {
                format!("{name} {intended}")
            } else {
                format!("{name} {intended} ({sent} from when it was sent)")
            })
        })
        .collect();
    (!told.is_empty())
        .then(|| format!("Median / 99th percentile from the intended time: {}.", told.join("; ")))
}

/// What became of the contents of transfers, if anybody looked.
fn content(summary: &Summary) -> Option<String> {
    let g = summary.generator.as_ref().filter(|g| g.verified > 0)?;
    let checked = number(g.verified, "transfer", "transfers");
    Some(match g.corrupt_bytes {
        0 => format!("The content of {checked} was checked, and is right."),
        n => format!("The content of {checked} was checked: {} wrong.", number(n, "byte is", "bytes are")),
    })
}

/// The generator's health in a line.
fn generator(g: &Generator) -> String {
    let late = |q: f64| match g.late.quantiles.iter().find(|told| (told.q - q).abs() < 1e-12) {
        Some(told) if told.s >= 1e-6 => seconds(told.s),
        _ => "nothing".to_owned(), // the clock's grain
    };
    let times = ["median", "99th percentile", "most"].into_iter().zip([0.5, 0.99, 1.0]);
    let late: Vec<String> = times
        .map(|(what, q)| format!("{} ({what})", late(q)))
        .skip_while(|told| told.starts_with("nothing"))
        .collect();
    let late = if late.is_empty() { "never late".to_owned() } else { format!("late by {}", late.join(", ")) };
    let cpu = g.cpu_share.map(|share| format!(", {} busy", percent(share))).unwrap_or_default();
    let steal =
        g.steal_share.filter(|s| *s > 0.001).map(|s| format!(", {} stolen", percent(s))).unwrap_or_default();
    let processes = if g.processes > 1 { format!(" in {} processes", g.processes) } else { String::new() };
    let verdict = if g.limited_by.is_empty() { "kept up" } else { "did not keep up" };
    format!(
        "The generator {verdict}: {late}; {}{processes}{cpu}{steal}; at most {} of {} \
         descriptors.",
        number(u64::from(g.threads), "thread", "threads"),
        count(g.open_max),
        count(g.descriptors),
    )
}
