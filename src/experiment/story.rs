//! The story of a result: about ten short lines, the conclusion first.
//!
//! It finds nothing out: every number in it stands in the [`Summary`] or in the recorders.

mod aftermath;
mod measured;
mod nobody;
mod served;

use std::collections::BTreeMap;

use crate::metrics::Recorder;
use crate::metrics::summary::{Estimate, Onset, Quantiles, Summary};
use crate::metrics::words::{count, percent, seconds, trimmed};
use crate::scenario::Scenario;
use crate::server::policy::Check;
use crate::server::profile::{Counts, Per};

pub(super) use measured::tell as tell_measured;
pub(crate) use nobody::nobody_let_in;
pub(super) use served::tell as tell_served;

/// Tells the story of `summary`, whose replications together are `merged`.
pub(super) fn tell(scenario: &Scenario, merged: &Recorder, summary: &Summary) -> Vec<String> {
    let lines = [
        Some(conclusion(scenario, merged, summary)),
        warnings(scenario, summary),
        probabilities(summary),
        onset(summary),
        concurrency(scenario, summary),
        load(summary),
        retries(summary),
        service(summary),
        queues(summary),
        unserved(summary),
        cuts(summary),
        transfers(summary),
        ghosts(summary),
        aftermath::faults(summary),
        aftermath::storms(summary),
        thresholds(summary),
    ];
    lines.into_iter().flatten().collect()
}

/// What turns clients away, or that nothing does.
fn conclusion(scenario: &Scenario, merged: &Recorder, summary: &Summary) -> String {
    let counts = &summary.counts;
    let Some((cause, refused)) = most(&summary.refused_by_cause.turned_away) else {
        return nobody(summary);
    };
    let whom = format!(
        "turned away {} of {}{}",
        count(refused),
        number(counts.attempts, "attempt", "attempts"),
        in_all(summary)
    );
    match binding(scenario, merged).filter(|check| check.ending.cause.name() == cause) {
        Some(check) => {
            let ports = check.held_down_by_ports();
            let why = ports.map(|ports| format!(" (of {ports} passive ports)")).unwrap_or_default();
            format!("{} = {}{why} binds: it {whom}.", check.knob, check.limit)
        }
        None => format!("{cause} {whom}."),
    }
}

/// The conclusion where nobody was turned away: what went wrong all the same.
fn nobody(summary: &Summary) -> String {
    let counts = &summary.counts;
    let lost = counts.network_failed + counts.lost;
    let troubles = [
        (summary.transfers.failed, "transfer failed", "transfers failed", ""),
        (counts.cut, "session was", "sessions were", " cut after login"),
        (lost, "connection failed", "connections failed", " for the network or a dead server"),
    ];
    let told: Vec<String> = troubles
        .iter()
        .filter(|(n, ..)| *n > 0)
        .map(|(n, one, many, how)| format!("{}{how}", number(*n, one, many)))
        .collect();
    let rest = match told.split_last() {
        None => format!("{} admitted", count(counts.admitted)),
        Some((only, [])) => format!("but {only}"),
        Some((end, others)) => format!("but {}, and {end}", others.join(", ")),
    };
    format!("Nobody was turned away: {}, {rest}.", number(counts.attempts, "attempt", "attempts"))
}

/// Counts are totals: says over how many replications, if there are several.
fn in_all(summary: &Summary) -> String {
    if summary.replications > 1 {
        format!(" in {} replications", summary.replications)
    } else {
        String::new()
    }
}

/// The limit that refused most, if any did.
fn binding<'a>(scenario: &'a Scenario, merged: &Recorder) -> Option<&'a Check> {
    if scenario.servers.len() > 1 {
        return None; // which server's it was is not counted
    }
    let refused = |place: usize| merged.refused_by_check(place);
    let (place, check) =
        scenario.policy().checks.iter().enumerate().rev().max_by_key(|(place, _)| refused(*place))?;
    (refused(place) > 0).then_some(check)
}

fn warnings(scenario: &Scenario, summary: &Summary) -> Option<String> {
    if !summary.little.holds {
        return Some(
            "Little's law does not hold: the books of this run are wrong, trust none of its numbers."
                .to_owned(),
        );
    }
    let (ended, asked) = (summary.replications, scenario.replications);
    summary.partial.then(|| format!("Interrupted: {ended} of {asked} replications ended."))
}

fn probabilities(summary: &Summary) -> Option<String> {
    let (first, all, unserved) =
        (summary.estimates.refused_first, summary.estimates.refused_attempt, summary.estimates.unserved);
    if summary.counts.turned_away == 0 {
        return None;
    }
    let parts = [(first, "of first attempts"), (all, "of all attempts")];
    let refused: Vec<String> =
        parts.iter().filter_map(|(e, of)| Some(format!("{} {of}", share(e)?))).collect();
    let unserved = share(&unserved).map(|share| match share.as_str() {
        "none" => "; every wanted session was served".to_owned(),
        share => format!("; {share} of wanted sessions were never served"),
    });
    let since = match summary.warmup_s {
        s if s > 0.0 => format!(" (from {} on)", seconds(s)),
        _ => String::new(),
    };
    let unserved = unserved.unwrap_or_default();
    (!refused.is_empty()).then(|| format!("Refused{since}: {}{unserved}.", refused.join(", ")))
}

fn onset(summary: &Summary) -> Option<String> {
    let first = summary.onset.first.as_ref()?;
    let load =
        first.offered_erlangs.map(|e| format!(" and {} erlangs offered", short(e))).unwrap_or_default();
    let connections = number(first.connections, "connection", "connections");
    let begin =
        format!("Refusals begin at {} with {connections}{load}{}", seconds(first.time_s), spread(first));
    Some(match &summary.onset.sustained {
        Some(sustained) => {
            format!("{begin}; they are more than chance from {} on.", seconds(sustained.time_s))
        }
        None => format!("{begin}; they never become more than chance."),
    })
}

fn spread(onset: &Onset) -> String {
    if onset.occurred < 2 {
        return String::new();
    }
    format!(
        " ({} to {} in {} replications)",
        seconds(onset.earliest_s),
        seconds(onset.latest_s),
        onset.occurred
    )
}

fn concurrency(scenario: &Scenario, summary: &Summary) -> Option<String> {
    let limit_on = |counts: Counts| {
        let checks = scenario.policy().checks.iter().filter(|check| {
            check.per == Per::Server && check.counts.is_of_sessions() == counts.is_of_sessions()
        });
        let limit = checks.map(|check| check.limit).min().filter(|limit| *limit != u32::MAX);
        limit.map(|limit| format!(" (limit {limit})")).unwrap_or_default()
    };
    let (connections, sessions) =
        (summary.concurrency.get("connections")?, summary.concurrency.get("sessions")?);
    Some(format!(
        "At most {}{} at once, {} on average; at most {}{}.",
        number(connections.max, "connection", "connections"),
        limit_on(Counts::Connections),
        short(connections.mean),
        number(sessions.max, "logged-in session", "logged-in sessions"),
        limit_on(Counts::Sessions),
    ))
}

fn load(summary: &Summary) -> Option<String> {
    let offered = summary.estimates.offered_erlangs.mean?;
    let carried = summary.estimates.carried_erlangs.mean?;
    Some(format!("Offered load {} erlangs, carried {} erlangs.", short(offered), short(carried)))
}

fn retries(summary: &Summary) -> Option<String> {
    let amplification = summary.estimates.amplification.mean?;
    let retries = number(summary.counts.retries, "retry", "retries");
    (summary.counts.retries > 0)
        .then(|| format!("Each wanted session cost {} attempts on average: {retries}.", short(amplification)))
}

fn service(summary: &Summary) -> Option<String> {
    let times = summary.latency.get("time_to_service")?;
    if times.count == 0 && !times.quantiles.is_empty() {
        return Some("Nobody was served.".to_owned());
    }
    let (median, tail) = (quantile(times, 0.5)?, quantile(times, 0.99)?);
    Some(format!("Time to service: median {median}, 99th percentile {tail}."))
}

/// The steps on the way to service for which some wait far longer than most: something is queued for.
fn queues(summary: &Summary) -> Option<String> {
    /// Less than this many seconds is no wait.
    const NOTABLE: f64 = 0.1;
    /// A 99th percentile of so many medians tells of a queue.
    const TIMES: f64 = 3.0;
    let told: Vec<String> = ["connect", "greeting", "login"]
        .into_iter()
        .filter_map(|name| {
            let times = summary.latency.get(name)?;
            let at = |q: f64| times.quantiles.iter().find(|told| (told.q - q).abs() < 1e-12);
            let (median, tail) = (at(0.5)?.s, at(0.99)?.s);
            (tail >= NOTABLE && tail > TIMES * median)
                .then(|| Some(format!("{name} {} and {}", quantile(times, 0.5)?, quantile(times, 0.99)?)))?
        })
        .collect();
    (!told.is_empty()).then(|| format!("Of that, median and 99th percentile: {}.", told.join("; ")))
}

/// A quantile in words; one among the censored is only known to be greater than what was recorded.
fn quantile(times: &Quantiles, q: f64) -> Option<String> {
    let found = times.quantiles.iter().find(|told| (told.q - q).abs() < 1e-12)?;
    Some(match found.above {
        true if times.count == 0 => "never".to_owned(),
        true => format!("more than {}", seconds(found.s)),
        false => seconds(found.s),
    })
}

fn unserved(summary: &Summary) -> Option<String> {
    let counts = &summary.counts;
    let waiting = match counts.waiting_at_end {
        0 => String::new(),
        n => format!(", {} of them still waiting at the end", count(n)),
    };
    let wanted = number(counts.wanted, "wanted session", "wanted sessions");
    if counts.unserved == counts.waiting_at_end {
        return (counts.unserved > 0).then(|| {
            format!("{} of {wanted} still waited to be served at the end.", count(counts.unserved))
        });
    }
    (counts.unserved > 0).then(|| format!("{} of {wanted} never served{waiting}.", count(counts.unserved)))
}

fn cuts(summary: &Summary) -> Option<String> {
    let (cause, most_of) = most(&summary.refused_by_cause.cut)?;
    let cut = number(summary.counts.cut, "session was", "sessions were");
    let for_it = match summary.counts.cut {
        1 => String::new(),
        all if all == most_of => "all ".to_owned(),
        _ => format!("{} of them ", count(most_of)),
    };
    Some(format!("{cut} cut by the server, {for_it}for {cause}."))
}

fn transfers(summary: &Summary) -> Option<String> {
    let moved = &summary.transfers;
    let code =
        |code: &String| if code == "0" { "no data connection".to_owned() } else { format!("code {code}") };
    let codes: Vec<String> = moved.failed_by_code.keys().map(code).collect();
    let failed = number(moved.failed, "transfer", "transfers");
    (moved.failed > 0).then(|| {
        format!(
            "{failed} failed while their sessions went on ({}); {} completed.",
            codes.join(", "),
            count(moved.count)
        )
    })
}

fn ghosts(summary: &Summary) -> Option<String> {
    if summary.counts.ghosts == 0 {
        return None;
    }
    let ghosts = &summary.ghosts;
    let vanished = number(summary.counts.ghosts, "client vanished", "clients vanished");
    let share = ghosts.slot_time_share.map(|share| format!(", {} of all slot time", percent(share)));
    let freed = most(&ghosts.freed_by).map(|(cause, _)| format!(", until {cause}")).unwrap_or_default();
    let held = format!("{} on average{}", short(ghosts.mean), share.unwrap_or_default());
    Some(format!(
        "{vanished} without closing: the ghosts held up to {} at once, {held}{freed}.",
        number(ghosts.max, "slot", "slots")
    ))
}

fn thresholds(summary: &Summary) -> Option<String> {
    let all = summary.thresholds.len();
    let broken: Vec<&str> =
        summary.thresholds.iter().filter(|v| !v.ok).map(|v| v.threshold.as_str()).collect();
    match (all, broken.len()) {
        (0, _) => None,
        (1, 0) => Some("The threshold holds.".to_owned()),
        (_, 0) => Some(format!("All {all} thresholds hold.")),
        (_, n) => Some(format!(
            "Broken: {} ({n} of {}).",
            broken.join("; "),
            number(all as u64, "threshold", "thresholds")
        )),
    }
}

/// The most frequent word and its count; the first in order, if several are.
fn most(words: &BTreeMap<String, u64>) -> Option<(&str, u64)> {
    words.iter().rev().max_by_key(|(_, count)| **count).map(|(word, count)| (word.as_str(), *count))
}

fn share(estimate: &Estimate) -> Option<String> {
    let mean = estimate.mean?;
    Some(match (estimate.low, estimate.high) {
        (_, high) if mean == 0.0 && high.unwrap_or(0.0) == 0.0 => "none".to_owned(),
        (Some(low), Some(high)) => format!("{} ({} to {})", percent(mean), percent(low), percent(high)),
        _ => percent(mean),
    })
}

/// A load or a mean number: three significant digits, no more than two behind the point.
fn short(x: f64) -> String {
    let digits = usize::from(x < 99.95) + usize::from(x < 9.995);
    match trimmed(format!("{x:.digits$}")).as_str() {
        "0" if x > 0.0 => "under 0.01".to_owned(),
        text => text.to_owned(),
    }
}

fn number(n: u64, one: &str, many: &str) -> String {
    format!("{} {}", count(n), if n == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loads_are_short() {
        for (x, expected) in
            [(0.0, "0"), (0.001, "under 0.01"), (1.234_5, "1.23"), (98.76, "98.8"), (1_234.5, "1234")]
        {
            assert_eq!(short(x), expected);
        }
        assert_eq!(number(1, "retry", "retries"), "1 retry");
    }

    #[test]
    fn what_never_happened_has_no_interval_of_no_width() {
        let never = Estimate { mean: Some(0.0), low: Some(0.0), high: Some(0.0) };
        assert_eq!(share(&never).as_deref(), Some("none"));
    }
}
