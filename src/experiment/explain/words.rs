//! The parts of a scenario as phrases.
//!
//! It computes nothing.

use std::fmt::Write as _;

use crate::client::{Growth, Jitter, RetryPolicy, Rule};
use crate::observe::{Cause, Phase};
use crate::server::Policy;
use crate::server::policy::{Check, Ending, Timer};
use crate::time::{Duration, Instant};
use crate::workload::{AddressBook, Addresses, Arrivals, Closed, Open, Pick, Spacing, Stages};

/// No more stages than this are told.
const SHOWN_STAGES: usize = 6;
/// No more rounds than this have their factors told.
const SHOWN_FACTORS: usize = 7;
/// A cap that no wait of a scenario reaches.
const NO_CAP: Duration = Duration::from_secs(366 * 86_400);

/// A rate in the unit that reads best.
pub(super) fn rate(per_second: f64) -> String {
    let (number, unit) = match per_second {
        r if r >= 1.0 || r == 0.0 => (r, "s"),
        r if r * 60.0 >= 1.0 => (r * 60.0, "m"),
        r => (r * 3_600.0, "h"),
    };
    format!("{}/{unit}", number_of(number))
}

/// A number with at most three significant decimals, and none that say nothing.
pub(super) fn number_of(x: f64) -> String {
    let decimals = if x >= 100.0 {
        0
    } else if x >= 10.0 {
        1
    } else {
        2
    };
    let text = format!("{x:.decimals$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// A share as a percentage.
pub(super) fn percent(share: f64) -> String {
    if share > 0.0 && share < 0.0001 {
        "less than 0.01 %".to_owned()
    } else {
        format!("{} %", number_of(share * 100.0))
    }
}

/// Seconds as a duration, to the millisecond.
pub(super) fn seconds(s: f64) -> String {
    Duration::from_millis(Duration::from_secs_f64(s).as_nanos() / 1_000_000).to_string()
}

/// `n` of a thing.
pub(super) fn count_of(n: f64, thing: &str) -> String {
    let plural = if n.total_cmp(&1.0).is_eq() { "" } else { "s" };
    format!("{} {thing}{plural}", number_of(n))
}

/// When clients come in a run that ends at `end`.
pub(super) fn arrivals(arrivals: &Arrivals, end: Instant) -> String {
    match arrivals {
        Arrivals::Open(Open { spacing, rate: stages }) => {
            let how = if *spacing == Spacing::Poisson { "at random (Poisson)" } else { "evenly" };
            format!("{how} {}", course(stages, end, rate))
        }
        Arrivals::Burst { at, count, within } if within.is_zero() => format!("{count} at once at {at}"),
        Arrivals::Burst { at, count, within } => format!("{count} from {at} on, over {within}"),
        Arrivals::Trace(_) => "as the log says".to_owned(),
        Arrivals::Closed(closed) => closed_population(closed, end),
    }
}

fn closed_population(closed: &Closed, end: Instant) -> String {
    let clients = course(&closed.clients, end, |n| format!("{n:.0}"));
    let pause = seconds(closed.pause.mean() / 1e9);
    let first = if closed.pause_first { ", and for the first time after such a pause" } else { "" };
    match closed.sessions {
        0 => format!("a closed population, {clients}: each comes again {pause} after a session{first}"),
        n => format!("a closed population, {clients}: each comes {n} times, {pause} apart{first}"),
    }
}

/// A value over time: from, then each turn.
fn course(stages: &Stages, run_end: Instant, show: impl Fn(f64) -> String) -> String {
    let Some(first) = stages.stages.first() else { return show(0.0) };
    let begin =
        if stages.start == Instant::ZERO { String::new() } else { format!(" from {} on", stages.start) };
    let end = if stages.end() >= run_end { String::new() } else { format!(" until {}", stages.end()) };
    if stages.stages.len() == 1 && stages.rounds.is_none() && first.from.total_cmp(&first.to).is_eq() {
        return format!("{}{begin}{end}", show(first.from));
    }
    let mut text = format!("{}{begin}", show(first.from));
    let mut t = stages.start;
    for stage in stages.stages.iter().take(SHOWN_STAGES) {
        t += stage.duration;
        let _ = write!(text, " → {} at {t}", show(stage.to)); // writing to a String cannot fail
    }
    if stages.stages.len() > SHOWN_STAGES {
        text.push_str(" → ..");
    }
    if let Some(rounds) = &stages.rounds {
        let _ = write!(text, ", again and again every {}", rounds.length());
        let factors: Vec<String> =
            rounds.factors().iter().take(SHOWN_FACTORS).map(|f| number_of(*f)).collect();
        if factors.len() > 1 {
            let more = if rounds.factors().len() > SHOWN_FACTORS { ", .." } else { "" };
            let _ = write!(text, ", times {}{more} in turn", factors.join(", "));
        }
    }
    text
}

/// Where clients come from.
pub(super) fn addresses(addresses: &Addresses, book: &AddressBook) -> String {
    let Addresses::Pool { peers, pick } = addresses else {
        return "each from an address of its own".to_owned();
    };
    let (Some(first), Some(last)) = (peers.first(), peers.last()) else { return "from nowhere".to_owned() };
    if peers.len() == 1 {
        return format!("all from {}", book.address(*first));
    }
    let how = match pick {
        Pick::InTurn => "in turn",
        Pick::Uniform => "at random",
        Pick::Zipf(_) => "a few of them most often (Zipf)",
    };
    format!("from {} addresses, {} to {}, {how}", peers.len(), book.address(*first), book.address(*last))
}

/// A limit: when, what and whose it counts, and what the next one meets.
pub(super) fn check(check: &Check, policy: &Policy) -> String {
    let (stage, counts, per) = (check.stage.words(), check.counts.words(), check.per.words());
    let why = match check.held_down_by_ports() {
        Some(ports) if check.configured > 0 => {
            format!(" ({} is set, but there are only {ports} passive ports)", check.configured)
        }
        Some(ports) => format!(" (of {ports} passive ports)"),
        None => String::new(),
    };
    format!("{stage}  {counts} {per}: {}{why}", ending(check.ending, policy))
}

fn ending(ending: Ending, policy: &Policy) -> String {
    match ending.reply {
        Some(reply) => format!("the next one gets {}", policy.table.get(reply).code),
        None => "the next one is closed without a word".to_owned(),
    }
}

/// The timers that are on.
pub(super) fn timers(policy: &Policy) -> String {
    let named = [
        ("login", policy.login_timer),
        ("idle", policy.idle_timer),
        ("nothing but keep-alives", policy.noop_idle_timer),
        ("unfinished line", policy.line_timer),
        ("no transfer", policy.no_transfer_timer),
        ("session", policy.session_timer),
        ("data connection", policy.data_connect_timer),
    ];
    let on = |timer: &Timer| !timer.after.is_forever();
    let mut words: Vec<String> = named
        .into_iter()
        .filter_map(|(name, timer)| timer.filter(on).map(|timer| format!("{name} {}", timer.after)))
        .collect();
    if let Some(timer) = policy.stalled_timer.filter(|timer| !timer.after.is_forever()) {
        words.push(format!("stalled transfer {}", timer.after));
    }
    if words.is_empty() { "none".to_owned() } else { words.join(", ") }
}

/// What of the listener a crowd may meet.
pub(super) fn listener(policy: &Policy) -> Option<String> {
    let process = &policy.process;
    let mut words = Vec::new();
    if process.backlog < u32::MAX {
        words.push(format!("{} connections may wait to be accepted", u64::from(process.backlog) + 1));
    }
    if !process.stall_after_exit.is_zero() {
        words.push(format!("none is accepted for {} after a session has ended", process.stall_after_exit));
    }
    (!words.is_empty()).then(|| words.join("; "))
}

/// What the host has.
pub(super) fn host(policy: &Policy) -> Option<String> {
    let host = policy.process.host;
    let mut words = Vec::new();
    if host.cores > 0 {
        let law = if host.exponential { ", exponential service times" } else { "" };
        let loads = [("greeting", policy.greeting_cost), ("login", policy.login_cost)];
        let costs: Vec<String> = loads.iter().map(|(what, cost)| format!("{what} {cost}")).collect();
        let each = (policy.greeting_cost + policy.login_cost).as_secs_f64();
        let cores = if policy.process.event_loop { 1 } else { host.cores };
        let bound = if each > 0.0 {
            format!(": at most {} of both", rate(f64::from(cores) / each))
        } else {
            String::new()
        };
        words.push(format!("{}{law} ({}{bound})", count_of(f64::from(host.cores), "core"), costs.join(", ")));
    }
    if host.memory_kib < u64::MAX {
        words.push(format!("{} MiB of memory", host.memory_kib / 1_024));
    }
    for (n, what) in [(host.descriptors, "descriptor"), (host.processes, "process slot")] {
        if n < u32::MAX {
            words.push(count_of(f64::from(n), what));
        }
    }
    (!words.is_empty()).then(|| words.join(", "))
}

/// The ban rule.
pub(super) fn ban(policy: &Policy) -> Option<String> {
    let ban = policy.ban.as_ref()?;
    let what = ban.offence.words();
    let whom = ban.by.words();
    Some(format!("{} {what} within {} ban {whom} for {}", ban.threshold, ban.window, ban.duration))
}

/// What clients do after a refusal.
pub(super) fn retry(policy: &RetryPolicy) -> String {
    if policy.rules.is_empty() {
        return "does not come back".to_owned();
    }
    policy.rules.iter().map(rule).collect::<Vec<_>>().join("; else ")
}

fn rule(rule: &Rule) -> String {
    let Some(backoff) = &rule.backoff else { return format!("does not come back{}", scope(rule)) };
    let grows = match backoff.growth {
        Growth::Fixed => String::new(),
        Growth::Linear => ", twice, three times that ..".to_owned(),
        Growth::Exponential(factor) => format!(", each wait {} times the last", number_of(factor)),
    };
    let capped = backoff.growth != Growth::Fixed && backoff.cap < NO_CAP;
    let cap = if capped { format!(" up to {}", backoff.cap) } else { String::new() };
    let jitter = match backoff.jitter {
        Jitter::None => "",
        Jitter::Full => ", full jitter",
        Jitter::Equal => ", equal jitter",
        Jitter::Decorrelated => ", decorrelated jitter",
    };
    let attempts = match backoff.attempts {
        0 => String::new(),
        n => format!(", at most {n} attempts"),
    };
    let persistence = if backoff.persistence < 1.0 {
        format!(", {} of the time", percent(backoff.persistence))
    } else {
        String::new()
    };
    let wait = seconds(backoff.base.mean() / 1e9);
    format!("comes back after {wait}{grows}{cap}{jitter}{attempts}{persistence}{}", scope(rule))
}

/// What a rule is for, unless it is for what every rule is for.
fn scope(rule: &Rule) -> String {
    let causes: Vec<&str> =
        Cause::ALL.iter().filter(|c| rule.causes & (1 << c.index()) != 0).map(|c| c.name()).collect();
    let phases: Vec<&str> =
        Phase::ALL.iter().filter(|p| rule.phases & (1 << p.index()) != 0).map(|p| p.name()).collect();
    let mut text = String::new();
    if causes.len() < Cause::COUNT - 1 {
        let _ = write!(text, " after {}", causes.join(", "));
    }
    if phases.len() < Phase::COUNT {
        let _ = write!(text, " in {}", phases.join(", "));
    }
    text
}
