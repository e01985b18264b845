//! `ftp421 profiles`: what a client profile does, and where each fact comes from.
//!
//! It reads the profile as written and decides nothing.

use std::fmt::Write as _;

use crate::client::Profile;
use crate::client::profile::{RuleForm, Shape};

/// The names of all client profiles.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    Profile::names()
}

/// The facts of the profile of this name as they are written.
pub(super) fn facts(name: &str) -> Option<toml::Table> {
    Profile::facts(name)
}

/// A line for each. Writing to a `String` cannot fail, so results of `write!` are dropped.
pub(super) fn list() -> String {
    Profile::names().filter_map(Profile::named).fold(String::new(), |mut out, profile| {
        let known = profile.provenance;
        let _ = writeln!(out, "{:<12} {:<62} {known}", profile.name, profile.title);
        out
    })
}

/// The profile of this name as a page.
pub(super) fn page(name: &str) -> Option<String> {
    let p = Profile::named(name)?;
    let mut out = String::new();
    let _ = writeln!(out, "{}: {} ({})\n\n{}\n", p.name, p.title, p.provenance, p.about.trim());
    let _ = writeln!(
        out,
        "After a refusal; the first rule that fits decides, and without one it does not come back"
    );
    for rule in &p.rules {
        let _ = writeln!(out, "  {}: {}\n      {}", condition(rule), reaction(rule), rule.from);
    }
    if p.rules.is_empty() {
        out.push_str("  no rule\n");
    }
    let session = &p.session;
    out.push_str("\nSessions\n");
    let back = if session.reconnect { "comes back for the rest of its work" } else { "is over" };
    let _ = writeln!(
        out,
        "  a session that is cut {back}; passwords over one connection: {}",
        session.login_tries
    );
    if session.wrong_password > 0.0 {
        let _ = writeln!(out, "  a password is wrong with probability {}", session.wrong_password);
    }
    if let Some(every) = session.keepalive {
        let _ = writeln!(out, "  NOOP after {} without a command", every.0);
    }
    if session.heeds_120 {
        out.push_str("  waits for as long as a 120 says\n");
    }
    let _ = writeln!(out, "      {}", session.from);
    let connections = &p.connections;
    let _ = writeln!(out, "\nConnections of one user\n  {} at once", connections.parallel);
    if let Some(pattern) = &connections.lowered_by {
        let _ = writeln!(out, "  one less after a 421 like \"{pattern}\", one more every five minutes");
    }
    let _ = writeln!(out, "      {}", connections.from);
    Some(out)
}

fn condition(rule: &RuleForm) -> String {
    let signs = if rule.signs.is_empty() { "anything".to_owned() } else { rule.signs.join(", ") };
    let phases: Vec<&str> = rule.phases.iter().map(|phase| phase.name()).collect();
    let when = if phases.is_empty() { String::new() } else { format!(" in {}", phases.join(", ")) };
    let text = rule.text.as_ref().map_or_else(String::new, |text| format!(" with a text like \"{text}\""));
    format!("{signs}{when}{text}")
}

fn reaction(rule: &RuleForm) -> String {
    let first =
        rule.wait_to.map_or_else(|| rule.wait.0.to_string(), |to| format!("{} to {}", rule.wait.0, to.0));
    let waits = match rule.backoff {
        Shape::None => return "it gives up".to_owned(),
        Shape::Fixed => format!("again after {first}"),
        Shape::Linear => format!("again after {first}, and as much more each time"),
        Shape::Exponential => format!("again after {first}, and {} times as long each time", rule.factor),
    };
    let cap = rule.cap.map_or_else(String::new, |cap| format!(", at most {}", cap.0));
    let attempts =
        if rule.attempts == 0 { "for ever".to_owned() } else { format!("{} attempts in all", rule.attempts) };
    format!("{waits}{cap}; {attempts}")
}
