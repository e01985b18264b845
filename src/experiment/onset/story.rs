//! The story of a search: about ten lines, the conclusion first.
//!
//! It finds nothing out: it reads the numbers and says them.

use super::result::{Finding, LimitFound, RampFound, RateFound, SlotRelease};
use crate::metrics::words::{counted, percent, seconds};
use crate::observe::{Phase, Refusal};

/// The conclusion in a few words, for a title.
pub fn title(found: &Finding) -> String {
    match &found.first_refusal {
        _ if found.ramps.is_empty() => "Nothing was found out".to_owned(),
        None => format!("No limit was reached: {} let in", found.admitted),
        Some(met) => {
            let code = if met.code == 0 { "no reply".to_owned() } else { met.code.to_string() };
            format!("{} let in, number {} was not: {} ({code})", found.admitted, met.attempt, met.cause)
        }
    }
}

/// The lines.
pub(super) fn story(found: &Finding) -> Vec<String> {
    let mut lines = vec![headline(found)];
    lines.extend(
        found
            .first_refusal
            .as_ref()
            .filter(|met| !met.text.is_empty())
            .map(|met| format!("It said: {}", said(met.code, &met.text))),
    );
    if found.ramps.is_empty() {
        return lines;
    }
    lines.push(limits(found));
    lines.push(ramp(&found.ramp));
    lines.extend(found.slot_release.as_ref().map(slot_release));
    lines.extend(found.rate.as_ref().map(rate));
    lines.extend(found.notes.iter().map(|note| format!("Note: {note}.")));
    lines
}

/// A refusal in a few words: `max_per_ip, 421 instead of the greeting`.
pub(super) fn refusal(met: Refusal) -> String {
    let where_ = match met.phase {
        Phase::Accept => "right after the connect",
        Phase::Greeting => "instead of the greeting",
        Phase::PreLogin => "behind the greeting",
        Phase::User => "in answer to USER",
        Phase::Pass => "in answer to PASS",
        Phase::Session | Phase::Transfer => "in the session",
    };
    match met.code {
        0 => format!("{}, closed without a word {where_}", met.cause),
        code => format!("{}, {code} {where_}", met.cause),
    }
}

fn headline(found: &Finding) -> String {
    let was = |n: u32| format!("{} let in", counted(u64::from(n), "connection"));
    match &found.first_refusal {
        _ if found.ramps.is_empty() => {
            "Nothing was found out: the search ended before its first ramp.".to_owned()
        }
        None => {
            format!("No limit was reached: {} from one address, and nobody was refused.", was(found.admitted))
        }
        Some(met) => format!(
            "{}, and the first refusal came at number {}: {} ({}, {}).",
            was(found.admitted),
            met.attempt,
            met.cause,
            if met.code == 0 { "no reply".to_owned() } else { met.code.to_string() },
            phase(&met.phase),
        ),
    }
}

fn phase(name: &str) -> &str {
    match name {
        "accept" => "closed right after the connect",
        "greeting" => "instead of the greeting",
        "user" => "in answer to USER",
        "pass" => "in answer to PASS",
        other => other,
    }
}

fn limits(found: &Finding) -> String {
    let limits = &found.limits;
    let one = |name: &str, limit: &LimitFound| match limit.value {
        Some(value) => format!("{name} = {value}{}", range(limit.low, limit.high)),
        None => format!("{name}: none up to {}", limit.at_least),
    };
    let mut all = vec![
        one("max_clients", &limits.max_clients),
        one("max_per_ip", &limits.max_per_ip),
        one("max_per_user", &limits.max_per_user),
    ];
    all.extend(limits.hosts_per_user.map(|hosts| format!("hosts of one user = {hosts}")));
    format!("Limits: {}.", all.join("; "))
}

fn range(low: Option<u32>, high: Option<u32>) -> String {
    match (low, high) {
        (Some(low), Some(high)) if low < high => format!(" ({low} to {high})"),
        _ => String::new(),
    }
}

fn ramp(ramp: &RampFound) -> String {
    let repeats = ramp.repeats.len();
    let times = if repeats == 1 { "once".to_owned() } else { format!("{repeats} times") };
    let gave = match (ramp.low, ramp.high) {
        _ if repeats == 1 => String::new(),
        (low, high) if low == high => format!(", {low} each time ({} confidence)", percent(ramp.confidence)),
        (low, high) => format!(", {low} to {high} ({} confidence)", percent(ramp.confidence)),
    };
    let confirmed = match ramp.confirmed {
        0 => String::new(),
        n => format!("; confirmed {n} times: full, one left, one more fitted"),
    };
    format!(
        "The ramp: an arrival every {} from one address as one user, each stays; {times}{gave}{confirmed}.",
        seconds(ramp.gap_s)
    )
}

fn slot_release(release: &SlotRelease) -> String {
    let interval = match (release.low_s, release.high_s) {
        (Some(low), Some(high)) => {
            format!(" ({} to {}, 95 %)", seconds(low), seconds(high))
        }
        _ => " (too few for an interval)".to_owned(),
    };
    let close = release.variants.iter().filter(|v| v.leaving == "close").find_map(|v| v.median_s);
    let close = close.map_or(String::new(), |s| format!("; {} after a close without QUIT", seconds(s)));
    format!(
        "A slot is free {} after a QUIT{interval}{close}; knocked every {}.",
        seconds(release.median_s),
        seconds(release.resolution_s)
    )
}

fn rate(rate: &RateFound) -> String {
    let [addresses, users] = [("address", &rate.addresses), ("user", &rate.users)].map(several);
    let what = format!("sessions of {} from {addresses} as {users}", seconds(rate.session_s));
    let Some(at) = rate.per_s else {
        return no_rate(rate, &what);
    };
    let interval = match (rate.low_per_s, rate.high_per_s) {
        (Some(low), Some(high)) => format!(" ({} to {}, 95 %)", short(low), short(high)),
        _ => " (no interval: too noisy)".to_owned(),
    };
    format!(
        "{} of {what} are refused at {}/s{interval}; Erlang B for {} of {} says {}/s.",
        percent(rate.level),
        short(at),
        counted(u64::from(rate.places), "place"),
        seconds(rate.slot_s),
        short(rate.erlang_b_per_s)
    )
}

/// What can be said where no rate was found: what the highest one came to.
fn no_rate(rate: &RateFound, what: &str) -> String {
    let level = percent(rate.level);
    let top = rate.points.iter().filter(|point| point.tried > 0).max_by(|a, b| a.per_s.total_cmp(&b.per_s));
    match top {
        Some(top) => format!(
            "The runs do not tell at which rate {level} of {what} are refused: at the highest, {}/s, {} of {} were.",
            short(top.per_s),
            top.refused,
            top.tried
        ),
        None => format!("No run tells at which rate {level} of {what} are refused."),
    }
}

/// The words of a refusal in one line of bearable length.
fn said(code: u16, text: &str) -> String {
    const LONGEST: usize = 160;
    let mut line = text.replace('\n', " / ");
    if let Some((end, _)) = line.char_indices().nth(LONGEST) {
        line.truncate(end);
        line.push_str(" ..");
    }
    if code == 0 { line } else { format!("{code} {line}") }
}

/// `one address`, `many addresses`.
fn several((noun, number): (&str, &String)) -> String {
    match (number.as_str(), noun) {
        ("one", _) => format!("one {noun}"),
        (_, "address") => "many addresses".to_owned(),
        _ => format!("many {noun}s"),
    }
}

/// Three significant digits.
pub fn short(x: f64) -> String {
    match x.abs() {
        a if a >= 100.0 => format!("{x:.0}"),
        a if a >= 10.0 => format!("{x:.1}"),
        a if a >= 1.0 => format!("{x:.2}"),
        a if a >= 0.1 => format!("{x:.3}"),
        _ => format!("{x:.2e}"),
    }
}
