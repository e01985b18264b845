//! `ftp421 profiles`: what a server profile does, and where each fact comes from. Those of clients are told by [`super::clients`].

use std::fmt::Write as _;
use std::process::ExitCode;

use super::exit::{FINE, Failure};
use super::output;
use crate::server::Profile;
use crate::server::profile::{CutsLive, Farewell, Limit, Provenance, Timer};
use crate::time::Duration;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ftp421 profiles
  ftp421 profiles pure-ftpd")]
pub(super) struct Args {
    /// A profile; without it all are listed
    name: Option<String>,
}

pub(super) fn run(args: &Args) -> Result<ExitCode, Failure> {
    let text = match &args.name {
        None => format!("Servers\n{}\nClients\n{}", list(), super::clients::list()),
        Some(name) => {
            let page = Profile::named(name).map(|server| describe(&server));
            page.or_else(|| super::clients::page(name)).ok_or_else(|| {
                let names: Vec<&str> = Profile::names().chain(super::clients::names()).collect();
                anyhow::anyhow!("no profile {name:?}; there are: {}", names.join(", "))
            })?
        }
    };
    output::print(text.as_bytes())?;
    Ok(FINE)
}

fn list() -> String {
    Profile::names().filter_map(Profile::named).fold(String::new(), |mut out, profile| {
        let known = provenance(profile.provenance);
        let _ = writeln!(out, "{:<12} {:<62} {known}", profile.name, profile.title);
        out
    })
}

const fn provenance(p: Provenance) -> &'static str {
    match p {
        Provenance::Measured => "measured",
        Provenance::Source => "source",
        Provenance::Documentation => "documentation",
        Provenance::Ours => "ours",
    }
}

/// One profile as a page. Writing to a `String` cannot fail, so results of `write!` are dropped.
fn describe(p: &Profile) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "{}: {} ({})\n\n{}\n", p.name, p.title, provenance(p.provenance), p.about.trim());
    out.push_str("Limits, in the order in which they are checked\n");
    for limit in &p.limits {
        describe_limit(&mut out, limit);
    }
    if p.limits.is_empty() {
        out.push_str("  none\n");
    }
    out.push_str("\nTimers\n");
    timer(&mut out, "login", p.timer.login.as_ref());
    timer(&mut out, "idle", p.timer.idle.as_ref());
    timer(&mut out, "keep-alives only", p.timer.noop_idle.as_ref());
    timer(&mut out, "no transfer", p.timer.no_transfer.as_ref());
    timer(&mut out, "session", p.timer.session.as_ref());
    if !p.timer.lateness.0.is_zero() {
        let _ = writeln!(out, "  all fire {} late\n      {}", p.timer.lateness.0, p.timer.lateness_from);
    }
    describe_login(&mut out, p);
    describe_rest(&mut out, p);
    out
}

fn describe_limit(out: &mut String, limit: &Limit) {
    let (counted, whose, when) = (limit.counts.words(), limit.per.words(), limit.stage.words());
    let default = if limit.default == 0 { "off".to_owned() } else { limit.default.to_string() };
    let _ = writeln!(
        out,
        "  {:<26} {} {counted} {whose}, {when}; by default {default}",
        limit.knob, limit.setting
    );
    if limit.reserved > 0 {
        let _ = writeln!(out, "      the server itself takes {} of them", limit.reserved);
    }
    if limit.passive_ports_each > 0 {
        let _ = writeln!(out, "      never more than passive_ports / {}", limit.passive_ports_each);
    }
    let _ = writeln!(out, "      {}\n      {}", farewell(&limit.refusal), limit.from);
}

fn farewell(f: &Farewell) -> String {
    if f.code == 0 {
        format!("nothing is sent; {}", f.close)
    } else {
        format!("\"{} {}\"; {}", f.code, f.text, f.close)
    }
}

fn timer(out: &mut String, name: &str, timer: Option<&Timer>) {
    let Some(timer) = timer else { return };
    let after = match (timer.times_idle, timer.after.0) {
        (1, _) => "as idle".to_owned(),
        (n @ 2.., _) => format!("{n} x idle"),
        (0, Duration::ZERO) => "off".to_owned(),
        (0, after) => after.to_string(),
    };
    let again = if timer.rearmed_by_command { ", started again by each command" } else { "" };
    let _ = writeln!(
        out,
        "  {name:<18} {after}{again}\n      {}\n      {}",
        farewell(&timer.refusal),
        timer.from
    );
}

fn describe_login(out: &mut String, p: &Profile) {
    let login = &p.login;
    let attempts =
        if login.max_attempts == 0 { "any number of".to_owned() } else { login.max_attempts.to_string() };
    let _ = writeln!(out, "\nLogin\n  {attempts} wrong passwords; then {}", farewell(&login.exhausted));
    if !login.fail_delay.0.is_zero() {
        let growth = login.fail_delay_growth.0;
        let jitter = login.fail_delay_jitter.0;
        let _ = write!(out, "  a wrong password is answered after {}", login.fail_delay.0);
        if !growth.is_zero() {
            let _ = write!(out, ", {growth} later each time");
        }
        if !jitter.is_zero() {
            let _ = write!(out, ", plus up to {jitter} at random");
        }
        out.push('\n');
    }
    if login.anonymous_without_password {
        out.push_str("  anonymous users are logged in by USER alone\n");
    }
    let _ = writeln!(out, "      {}", login.from);
    match &p.ban {
        None => out.push_str("  no ban logic\n"),
        Some(ban) => {
            let live = match ban.cuts_live {
                CutsLive::NextCommand => "; live sessions of the address are cut at their next command",
                CutsLive::AtOnce => "; live sessions of the address are cut at once",
                CutsLive::Never => "",
            };
            let _ = writeln!(
                out,
                "  bans (off by default): {}{live}\n      {}",
                farewell(&ban.refusal),
                ban.from
            );
        }
    }
}

fn describe_rest(out: &mut String, p: &Profile) {
    let said = |f: Option<&Farewell>, nothing: &str| f.map_or_else(|| nothing.to_owned(), farewell);
    let _ = writeln!(
        out,
        "\nShutdown, announced\n  new connections: {}\n  live sessions at the deadline: {}\n      {}",
        said(p.shutdown.new.as_ref(), "refused by TCP"),
        said(p.shutdown.live.as_ref(), "a FIN, no word"),
        p.shutdown.from
    );
    let held = if p.limits.iter().any(|limit| limit.refusal.forks) {
        "a refused connection holds a slot too"
    } else {
        "a refused connection holds none"
    };
    let _ = writeln!(
        out,
        "\nSlots\n  free {} after the close; {held}\n      {}",
        p.slot.release.mean, p.slot.from
    );
    let _ = writeln!(
        out,
        "\nTimes to answer\n  greeting {}, login {}, other commands {}\n      {}",
        p.cost.greeting.0, p.cost.login.0, p.cost.command.0, p.cost.from
    );
}
