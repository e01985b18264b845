//! The summary on the terminal: the seed first, then the story with its conclusion first, then the numbers.
//!
//! It decides nothing about the terminal; whether colours are welcome is an argument.

mod measured;

use std::fmt::Write as _;

use super::words::{count, counted, percent, seconds};
use crate::metrics::summary::{Counts, Episode, Estimate, Summary, Verdict};
use crate::observe::Cause;

/// No more episodes than this are shown.
const EPISODES: usize = 10;
/// No more ways to be refused that were not reached than this are named.
const MISSED: usize = 5;
/// The width of the longest bar, characters.
const BAR: u64 = 24;
const BOLD: &str = "1";
const DIM: &str = "2";
const RED: &str = "31";
const GREEN: &str = "32";

/// The terminal's summary, about 25 lines; with `colour`, in ANSI colours.
pub fn text(summary: &Summary, colour: bool) -> String {
    let paint = Paint(colour);
    let mut out = format!("{}\n", paint.with(BOLD, &head(summary)));
    for (i, line) in summary.story.iter().enumerate() {
        let _ = writeln!(out, "{}", if i == 0 { paint.with(BOLD, line) } else { line.clone() });
    }
    out.push('\n');
    totals(&mut out, &summary.counts, summary.is_served());
    populations(&mut out, summary);
    estimates(&mut out, summary);
    refusals(&mut out, summary, paint);
    measured::texts(&mut out, summary, paint);
    coverage(&mut out, summary);
    episodes(&mut out, summary, paint);
    thresholds(&mut out, &summary.thresholds, paint);
    out
}

/// Colours, or their absence.
#[derive(Clone, Copy)]
struct Paint(bool);

impl Paint {
    fn with(self, code: &str, text: &str) -> String {
        if self.0 { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

fn head(s: &Summary) -> String {
    let replications = counted(u64::from(s.replications), "replication");
    let interrupted = if s.partial { ", interrupted" } else { "" };
    let warm = if s.warmup_s > 0.0 {
        format!(" · estimates from {} on", seconds(s.warmup_s))
    } else {
        String::new()
    };
    let server = match s.server.servers.as_slice() {
        [] => String::new(),
        [first, others @ ..] => format!(" ({first}, first of {})", others.len() + 1),
    };
    let (world, length) = (&s.world, seconds(s.duration_s));
    let profile = &s.server.profile;
    let whom = match &s.target {
        Some(target) if s.is_served() => format!("served as {profile} at {}", target.url),
        Some(target) if target.own => format!("{world} at an own {profile} server"),
        Some(target) => format!("{world} at {}", target.url),
        None => format!("profile {profile}{server}"),
    };
    let world = if s.target.is_some() { String::new() } else { format!(" · {world}") };
    if s.is_served() {
        return format!("seed {} · {} · {whom} · {length}", s.seed, s.scenario);
    }
    format!(
        "seed {} · {} · {whom} · {replications} of {length}{warm}{world}{interrupted}",
        s.seed, s.scenario
    )
}

/// Two lines of counts, then one for each end that occurred and is not good.
fn totals(out: &mut String, c: &Counts, served: bool) {
    let cell = |name: &str, n: u64| format!("{name:<12}{:>11}", count(n));
    let rows = if served {
        [
            [("connections", c.attempts), ("logged in", c.admitted), ("turned away", c.turned_away)],
            [("completed", c.completed), ("cut", c.cut), ("bad password", c.login_failed)],
            [("gave up", c.abandoned), ("network", c.network_failed), ("ghosts", c.ghosts)],
            [("", 0); 3],
        ]
    } else {
        [
            [("wanted", c.wanted), ("attempts", c.attempts), ("retries", c.retries)],
            [("admitted", c.admitted), ("turned away", c.turned_away), ("never served", c.unserved)],
            [("completed", c.completed), ("cut", c.cut), ("ghosts", c.ghosts)],
            [("bad password", c.login_failed), ("network", c.network_failed), ("gave up", c.abandoned)],
        ]
    };
    for row in rows.iter().filter(|row| row.iter().any(|(_, n)| *n > 0)) {
        let _ = writeln!(out, "  {}", row.map(|(name, n)| cell(name, n)).join("   "));
    }
    let sessions_ended =
        [c.completed, c.cut, c.lost, c.ghosts].iter().fold(0, |sum: u64, n| sum.saturating_add(*n));
    let ends = [
        ("lost", c.lost),
        ("logged in at the end", c.admitted.saturating_sub(sessions_ended)),
        ("not yet logged in", c.open_at_end),
        ("still waiting to be served", c.waiting_at_end),
    ];
    let told: Vec<String> =
        ends.iter().filter(|(_, n)| *n > 0).map(|(name, n)| format!("{name} {}", count(*n))).collect();
    if !told.is_empty() {
        let _ = writeln!(out, "  {}", told.join(" · "));
    }
}

/// A line for each population, if there are several.
fn populations(out: &mut String, summary: &Summary) {
    if summary.populations.len() < 2 {
        return;
    }
    let widest = summary.populations.keys().map(|name| name.chars().count()).max().unwrap_or(0);
    let line = |name: &str, cells: [String; 6]| {
        cells.iter().fold(format!("  {name:<widest$}"), |line, cell| line + &format!("{cell:>14}"))
    };
    let heads = ["wanted", "never served", "attempts", "turned away", "bad password", "cut"];
    let _ = writeln!(out, "\n{}", line("", heads.map(str::to_owned)));
    for (name, c) in &summary.populations {
        let numbers = [c.wanted, c.unserved, c.attempts, c.turned_away, c.login_failed, c.cut];
        let _ = writeln!(out, "{}", line(name, numbers.map(count)));
    }
    out.push('\n');
}

fn estimates(out: &mut String, summary: &Summary) {
    if summary.is_served() {
        return; // one run, and whoever came
    }
    let share = |e: &Estimate| ranged(e, percent);
    let e = &summary.estimates;
    let lines = [
        ("first attempts turned away", share(&e.refused_first)),
        ("sessions never served", share(&e.unserved)),
    ];
    for (name, text) in lines {
        let _ = writeln!(out, "  {name:<28}{text}");
    }
    if let Some(waits) = summary.latency.get("time_to_service").filter(|w| !w.quantiles.is_empty()) {
        let chosen =
            waits.quantiles.iter().filter(|q| [0.5, 0.9, 0.99].iter().any(|p| (q.q - p).abs() < 1e-9));
        let words =
            chosen.map(|q| format!("p{} {}{}", q.q * 100.0, if q.above { "> " } else { "" }, seconds(q.s)));
        let words = if waits.count == 0 {
            "nobody was served".to_owned()
        } else {
            words.collect::<Vec<_>>().join("   ")
        };
        let _ = writeln!(out, "  {:<28}{words}", "time to service");
    }
}

/// A mean with its interval, if it has one.
fn ranged(e: &Estimate, words: impl Fn(f64) -> String) -> String {
    match (e.mean, e.low, e.high) {
        (Some(mean), _, high) if mean == 0.0 && high.unwrap_or(0.0) == 0.0 => "none".to_owned(),
        (Some(mean), Some(low), Some(high)) => format!("{} ({} to {})", words(mean), words(low), words(high)),
        (Some(mean), ..) => words(mean),
        (None, ..) => "nothing to estimate from".to_owned(),
    }
}

/// A line for each cause that occurred, the most frequent first.
fn refusals(out: &mut String, summary: &Summary, paint: Paint) {
    let by = &summary.refused_by_cause;
    let ends = [
        (&by.turned_away, "turned away"),
        (&by.cut, "cut"),
        (&by.login_failed, "password"),
        (&by.network, "network"),
        (&by.transfer, "transfer"),
    ];
    let of = |cause: &str| ends.map(|(map, _)| map.get(cause).copied().unwrap_or(0));
    let total = |cause: &str| of(cause).iter().fold(0, |a: u64, n| a.saturating_add(*n));
    let mut causes: Vec<&str> =
        Cause::ALL.iter().map(|cause| cause.name()).filter(|cause| total(cause) > 0).collect();
    if causes.is_empty() {
        return;
    }
    causes.sort_by_key(|cause| std::cmp::Reverse(total(cause)));
    let shown: Vec<usize> =
        (0..ends.len()).filter(|&i| causes.iter().any(|cause| of(cause)[i] > 0)).collect();
    let cells = |cell: &dyn Fn(usize) -> String| -> String {
        shown.iter().fold(String::new(), |line, &i| line + &format!("{:>13}", cell(i)))
    };
    let _ = writeln!(
        out,
        "\n  {}",
        paint.with(DIM, &format!("{:<22}{}", "refused by", cells(&|i| ends[i].1.to_owned())))
    );
    let greatest = total(causes[0]);
    for cause in causes {
        let cells = cells(&|i| count(of(cause)[i]));
        let _ = writeln!(out, "  {cause:<22}{cells}  {}", paint.with(RED, &bar(total(cause), greatest)));
    }
}

/// One line: how much of what its servers can say this run reached.
fn coverage(out: &mut String, summary: &Summary) {
    let coverage = &summary.coverage;
    let (reached, missed) = (coverage.reached.len(), coverage.not_reached.len());
    let unknown = summary.target.as_ref().is_some_and(|target| !target.own); // what it could say besides
    if reached + missed == 0 || unknown {
        return;
    }
    let ways = counted(reached as u64, "way");
    let mut words: Vec<String> = Vec::new();
    for missed in &coverage.not_reached {
        let code = if missed.code == 0 { String::new() } else { format!(" {}", missed.code) };
        words.push(format!("{}{code}", missed.cause));
    }
    words.dedup();
    let more = words.len().saturating_sub(MISSED);
    words.truncate(MISSED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let missed = match missed {
        0 => "no other was possible".to_owned(),
        _ => format!("not reached: {}{more}", words.join(", ")),
    };
    let _ = writeln!(out, "\n  coverage: {ways} to be refused; {missed}");
}

/// The longest episodes in the order in which they began.
fn episodes(out: &mut String, summary: &Summary, paint: Paint) {
    let mut longest: Vec<&Episode> = summary.episodes.iter().collect();
    longest.sort_by(|a, b| (b.end_s - b.begin_s).total_cmp(&(a.end_s - a.begin_s)));
    let more = summary.episodes_dropped + longest.len().saturating_sub(EPISODES) as u64;
    longest.truncate(EPISODES);
    longest.sort_by(|a, b| a.begin_s.total_cmp(&b.begin_s));
    if longest.is_empty() {
        return;
    }
    let others = if more > 0 { format!(", the longest; {} more", count(more)) } else { String::new() };
    let of = if summary.replications > 1 { " (first replication)" } else { "" };
    let _ = writeln!(out, "\n  {}", paint.with(DIM, &format!("episodes{of}{others}")));
    for Episode { cause, begin_s, end_s, refusals } in longest {
        let when = match (seconds(*begin_s), seconds(*end_s)) {
            (begin, end) if begin == end => format!("at {begin}"),
            (begin, end) => format!("{begin} to {end}"),
        };
        let _ = writeln!(out, "  {cause:<22}{when:<24}{:>11}", counted(*refusals, "refusal"));
    }
}

/// A bar of `n` where `greatest` is [`BAR`] characters long, in eighths of a character.
fn bar(n: u64, greatest: u64) -> String {
    const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let eighths = (u128::from(n) * u128::from(BAR * 8)).div_ceil(u128::from(greatest.max(1))) as usize;
    format!("{}{}", "█".repeat(eighths / 8), EIGHTHS[eighths % 8])
}

fn thresholds(out: &mut String, verdicts: &[Verdict], paint: Paint) {
    if !verdicts.is_empty() {
        out.push('\n');
    }
    for verdict in verdicts {
        let word = match (verdict.ok, verdict.value) {
            (true, _) => paint.with(GREEN, "ok    "),
            (false, None) => paint.with(RED, "------"),
            (false, _) => paint.with(RED, "FAILED"),
        };
        let above = if verdict.above { "> " } else { "" };
        let found =
            verdict.value.map_or("nothing to judge".to_owned(), |v| format!("{above}{}", four_digits(v)));
        let _ = writeln!(out, "  {word}  {}  ({found})", verdict.threshold);
    }
}

/// About four significant digits, for values of any unit.
fn four_digits(v: f64) -> String {
    match v.abs() {
        _ if !v.is_finite() => "unknown".to_owned(),
        a if a >= 1000.0 || a == 0.0 => format!("{v:.0}"),
        a if a >= 1.0 => format!("{v:.2}"),
        a if a >= 0.000_1 => format!("{v:.4}"),
        _ => format!("{v:.1e}"),
    }
}
