//! One profile as a page of text: every fact of its file, the important ones in words and in a readable order.
//!
//! It cannot forget a fact: what has been told in words is taken out of the file's tree, and the rest is told as it is written.

use std::fmt::Write as _;

use toml::{Table, Value};

use crate::ftp::wire;
use crate::server::Profile;
use crate::server::profile::Limit;

/// The sections of a page: a table of the file, its heading, and what comes first in it.
const SECTIONS: &[(&str, &str, &[&str])] = &[
    ("login", "Login", &["max_attempts", "failed", "exhausted"]),
    ("ban", "Bans, off until a scenario switches them on", &["offence", "threshold", "window", "duration"]),
    ("shutdown", "Going down", &["new", "live", "sigterm", "sighup", "sigkill"]),
    ("listener", "The listener", &["backlog"]),
    ("slot", "When a slot is free again", &["release"]),
    ("cost", "What it takes of an idle host", &["greeting", "login", "command"]),
    ("data", "Data connections", &["no_port"]),
    ("tls", "TLS", &["default", "auth", "pbsz", "prot", "auth_first", "required"]),
    ("exhausted", "When the host has no more to give", &["accept", "data", "disk"]),
    ("line_too_long", "A line that is longer than it reads", &[]),
    (
        "reply",
        "Replies of an untroubled session",
        &["greeting", "user", "pass", "pass_first", "login_first", "cwd", "pwd", "pasv", "port"],
    ),
];

/// The timers in the order of a session's life.
const TIMERS: &[&str] =
    &["login", "idle", "noop_idle", "line", "no_transfer", "session", "data_connect", "stalled"];

/// Keys that a reader understands better in words.
const WORDS: &[(&str, &str)] = &[
    ("refusal", "refused by"),
    ("cause", "cause"),
    ("reserved", "places that the server itself takes"),
    ("passive_ports_each", "passive ports that each client needs"),
    ("only_when_equal", "binds only when exactly reached"),
    ("classless_too", "addresses of no class are one"),
    ("whom", "for"),
    ("window", "within"),
    ("lateness", "every timer is late by"),
    ("lateness_from", "lateness"),
    ("rearmed_by_command", "started again by each command"),
    ("rearmed_by_bytes", "started again by bytes without a line end"),
    ("ignores_noop", "not started again by a NOOP"),
    ("site_idle_max", "a client may set it by SITE IDLE up to"),
    ("ticks", "looked at in ticks of that length"),
    ("download_lingers", "more ticks until a download's end is told"),
    ("least_rate", "bytes a second that count as progress"),
    ("max_attempts", "wrong passwords until the end (0: any)"),
    ("errors_count", "each 5yz before login counts as one"),
    ("fail_delay", "the answer to a wrong password waits"),
    ("fail_delay_growth", "longer each time by"),
    ("fail_delay_jitter", "and at random up to"),
    ("check_delay_growth", "each makes the next check wait longer by"),
    ("user_delay_growth", "each makes the next USER wait longer by"),
    ("hammer", "each makes the next reads wait"),
    ("locked", "only USER, PASS and QUIT before login"),
    ("failed", "a wrong password"),
    ("offence", "counts"),
    ("by", "bans the"),
    ("from_last_attempt", "runs from the last attempt"),
    ("success_resets", "a login wipes the slate clean"),
    ("refuses_at_password", "refused as the answer to PASS"),
    ("cuts_live", "live sessions are cut"),
    ("tells_offender", "the offender is told too"),
    ("trigger", "the offender meets"),
    ("new", "announced: a new connection"),
    ("live", "announced: a live session"),
    ("live_at_next_command", "told at the next command"),
    ("anonymous_silently", "anonymous sessions are cut silently"),
    ("transfer", "a session in a transfer"),
    ("noticed_after", "noticed late by"),
    ("forgets_deadline", "noticed before the deadline, cuts nobody"),
    ("not_ready", "up and not ready"),
    ("backlog", "backlog (0: not known)"),
    ("accept", "accept"),
    ("stall_after_exit", "accepts nothing after a session's end for"),
    ("release", "after a session's close"),
    ("refused_release", "after a refusal by a process of its own"),
    ("event_loop", "one thread does it all"),
    ("memory_kib", "KiB of memory for each session"),
    ("descriptors", "descriptors for each session"),
    ("processes", "processes for each session"),
    ("no_port", "PASV without a free port"),
    ("no_socket", "PASV at a limit on sockets"),
    ("refused", "a refused data connection"),
    ("default", "out of the box"),
    ("auth", "AUTH TLS"),
    ("auth_first", "PBSZ or PROT without TLS"),
    ("required", "where it is required, USER without TLS"),
    ("tls", "a TLS handshake"),
    ("tls_resumed", "one of a data connection"),
    ("port_rests", "a port rests after use for"),
];

/// The page of `profile`, whose file says `facts`. Writing to a `String` cannot fail, so results of `write!` are dropped.
pub(super) fn page(profile: &Profile, mut facts: Table) -> String {
    let mut out = String::new();
    let known = profile.provenance;
    let _ = writeln!(out, "{}: {} ({known})\n\n{}", profile.name, profile.title, profile.about.trim());
    for told in ["name", "title", "provenance", "about"] {
        facts.remove(told);
    }
    out.push_str("\nLimits, in the order in which they are checked\n");
    let limits = match facts.remove("limit") {
        Some(Value::Array(limits)) => limits,
        _ => Vec::new(),
    };
    for (limit, facts) in profile.limits.iter().zip(limits) {
        tell_limit(&mut out, limit, facts);
    }
    if profile.limits.is_empty() {
        out.push_str("  none\n");
    }
    if let Some(Value::Table(timers)) = facts.remove("timer") {
        tell_timers(&mut out, timers);
    }
    for (section, heading, first) in SECTIONS {
        match facts.remove(*section) {
            Some(Value::Table(table)) => {
                let _ = writeln!(out, "\n{heading}");
                if is_reply(&table) {
                    tell(&mut out, 2, section, &Value::Table(table));
                } else {
                    tell_table(&mut out, 2, table, first);
                }
            }
            None if *section == "ban" => out.push_str("\nBans\n  no ban logic\n"),
            _ => {}
        }
    }
    if !facts.is_empty() {
        out.push_str("\nBesides\n");
        tell_table(&mut out, 2, facts, &[]);
    }
    out
}

fn tell_limit(out: &mut String, limit: &Limit, facts: Value) {
    let Value::Table(mut facts) = facts else { return };
    let (counts, per, stage) = (limit.counts.words(), limit.per.words(), limit.stage.words());
    let default = if limit.default == 0 { "off".to_owned() } else { limit.default.to_string() };
    let _ = writeln!(out, "  {} ({}): {default}; {counts} {per}, {stage}", limit.knob, limit.setting);
    for told in ["knob", "setting", "counts", "per", "stage", "default"] {
        facts.remove(told);
    }
    tell_table(out, 6, facts, &["refusal"]);
}

fn tell_timers(out: &mut String, mut timers: Table) {
    out.push_str("\nTimers\n");
    for name in TIMERS {
        let Some(Value::Table(mut timer)) = timers.remove(*name) else { continue };
        let after = timer.remove("after");
        let after = match (timer.remove("times_idle").and_then(|n| n.as_integer()), after) {
            (Some(1), _) => "as the idle timer".to_owned(),
            (Some(n), _) => format!("{n} x the idle timer"),
            (None, Some(after)) if after.as_str() == Some("0s") => "off (0s)".to_owned(),
            (None, Some(after)) => plain(&after),
            (None, None) => "off".to_owned(),
        };
        let _ = writeln!(out, "  {}: {after}", name.replace('_', " "));
        tell_table(out, 6, timer, &["refusal", "upload", "download"]);
    }
    tell_table(out, 2, timers, &["lateness"]);
}

/// All of `table`: what is `first` first, and where it is known from last.
fn tell_table(out: &mut String, indent: usize, mut table: Table, first: &[&str]) {
    let from = table.remove("from");
    for key in first {
        if let Some(value) = table.remove(*key) {
            tell(out, indent, key, &value);
        }
    }
    for (key, value) in &table {
        tell(out, indent, key, value);
    }
    if let Some(from) = from {
        let _ = writeln!(out, "{:indent$}from: {}", "", plain(&from));
    }
}

fn tell(out: &mut String, indent: usize, key: &str, value: &Value) {
    let label = WORDS
        .iter()
        .find(|(k, _)| *k == key)
        .map_or_else(|| key.replace('_', " "), |(_, words)| (*words).to_owned());
    let _ = writeln!(out, "{:indent$}{label}: {}", "", plain(value));
}

fn is_reply(table: &Table) -> bool {
    table.contains_key("code")
}

/// A value on one line.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.trim().replace('\n', " "),
        Value::Boolean(yes) => if *yes { "yes" } else { "no" }.to_owned(),
        Value::Table(table) if is_reply(table) => reply(table.clone()),
        Value::Table(table) => {
            let all: Vec<String> = table
                .iter()
                .map(|(key, value)| format!("{} {}", key.replace('_', " "), plain(value)))
                .collect();
            all.join(", ")
        }
        other => other.to_string(),
    }
}

/// A reply as it stands on the wire, and what else is known of it.
fn reply(mut table: Table) -> String {
    let code = table.remove("code").and_then(|code| code.as_integer()).unwrap_or_default();
    let text = table.remove("text").unwrap_or_else(|| Value::String(String::new()));
    let mut said = match text.as_str() {
        _ if code == 0 => "nothing is sent".to_owned(),
        text => format!("\"{}\"", wire(code as u16, text.unwrap_or_default()).join(" | ")),
    };
    if let Some(then) = table.remove("then") {
        let _ = write!(said, ", then {}", plain(&then));
    }
    match table.remove("close").as_ref().and_then(Value::as_str) {
        Some("none") => said.push_str(", and the connection stays open (none)"),
        Some(how) => said = format!("{said}, {how}"),
        None => {}
    }
    if table.remove("forks").is_some_and(|forks| forks.as_bool() == Some(true)) {
        said.push_str(", by a process of its own");
    }
    let from = table.remove("from");
    for (key, value) in &table {
        let _ = write!(said, ", {} {}", key.replace('_', " "), plain(value));
    }
    if let Some(from) = from {
        let _ = write!(said, " ({})", plain(&from));
    }
    said
}
