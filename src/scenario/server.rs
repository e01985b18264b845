//! Reading `[server]`: a profile and what the scenario changes about it.
//!
//! It does not compile the policy: `server::policy` does, and says what does not fit.

use super::Problem;
use super::addresses;
use super::draft::Strings;
use super::reader::{Read, Reader};
use super::source::suggestion;
use super::value::Value;
use crate::chaos::wire::Rule;
use crate::id::UserId;
use crate::server::profile::{BanBy, TlsMode};
use crate::server::{BanOverride, DENIED, Misfit, Offence, Overrides, Policy, Profile};
use crate::workload::Classes;

/// The profile of a scenario that names none.
const DEFAULT_PROFILE: &str = "rfc959";
/// The highest limit that a scenario may set.
const MOST_CLIENTS: u32 = 10_000_000;

/// The most classes of addresses.
const MOST_CLASSES: usize = 200;

/// The policy, what the scenario changed, the classes of addresses, and the faults of the wire.
type Parts = (Policy, Overrides, Classes, Vec<Rule>);

/// The parts of the only server.
pub(super) fn read(root: &mut Reader<'_>, strings: &mut Strings) -> Read<Parts> {
    let Some(value) = root.value("server") else {
        let overrides = Overrides::default();
        let policy = Profile::named(DEFAULT_PROFILE).map(|p| Policy::new(&p, &overrides));
        return match policy {
            Some(Ok(policy)) => Ok((policy, overrides, Classes::default(), Vec::new())),
            _ => Err(root.missing("server", "a table [server] with a profile")),
        };
    };
    read_table(value.table("[server]")?, "[server]", strings)
}

/// The same from the table of a server, which problems call `name`.
pub(super) fn read_table(mut table: Reader<'_>, name: &str, strings: &mut Strings) -> Read<Parts> {
    let profile = read_profile(&mut table)?;
    table.rename(format!("{name} with the profile {}", profile.name));
    let mut overrides = read_overrides(&mut table, &profile)?;
    overrides.denied_users = table.get("denied_users", |v| read_names(&v, strings))?.unwrap_or_default();
    let mut classes = Classes::default();
    for network in table.get("denied_addresses", addresses::networks)?.unwrap_or_default() {
        overrides.denied_addresses = true;
        classes.put(network, DENIED);
    }
    if let Some(mut named) = table.get("classes", |v| v.table("[server.classes]"))? {
        read_classes(&mut named, &mut classes)?;
        named.finish()?;
    }
    let wire = table.get("wire", super::wire::read)?.unwrap_or_default();
    let policy = Policy::new(&profile, &overrides).map_err(|misfit| misfit_at(&mut table, &misfit))?;
    table.finish_with(|key| limit_of_another(key, &profile))?;
    Ok((policy, overrides, classes, wire))
}

/// `office = "10.0.0.0/8"`, or a list: classes are numbered from 1 in the order of the file.
fn read_classes(table: &mut Reader<'_>, classes: &mut Classes) -> Read<()> {
    let names = table.keys();
    if names.len() > MOST_CLASSES {
        return Err(table.problem("there are too many classes", format!("at most {MOST_CLASSES} fit")));
    }
    for (number, name) in (1_u8..).zip(names) {
        for network in table.get(name, addresses::networks)?.unwrap_or_default() {
            classes.put(network, number);
        }
    }
    Ok(())
}

fn read_names(value: &Value<'_>, strings: &mut Strings) -> Read<Vec<UserId>> {
    value.list(10_000)?.iter().map(|v| Ok(UserId(strings.named(*v, v.text()?)?.0))).collect()
}

/// The limits of `table` that the profile of `policy` has, as (its place in check order, the new limit).
pub(super) fn read_limits(table: &mut Reader<'_>, policy: &Policy) -> Read<Vec<(u8, u32)>> {
    let mut limits = Vec::new();
    for (place, check) in policy.checks.iter().enumerate() {
        if let Some(limit) = table.get(&check.knob, |v| v.count(0..=MOST_CLIENTS))? {
            limits.push((place as u8, limit));
        }
    }
    Ok(limits)
}

fn read_profile(table: &mut Reader<'_>) -> Read<Profile> {
    let Some(value) = table.value("profile") else {
        return Profile::named(DEFAULT_PROFILE)
            .ok_or_else(|| table.missing("profile", "profile = \"vsftpd\""));
    };
    let name = value.text()?;
    let names: Vec<&str> = Profile::names().collect();
    Profile::named(name).ok_or_else(|| value.wrong("is unknown", suggestion(name, &names)))
}

fn read_overrides(table: &mut Reader<'_>, profile: &Profile) -> Read<Overrides> {
    let mut limits = Vec::new();
    for limit in &profile.limits {
        if let Some(value) = table.get(&limit.knob, |v| v.count(0..=MOST_CLIENTS))? {
            limits.push((limit.knob.clone(), value));
        }
    }
    Ok(Overrides {
        limits,
        passive_ports: table.get("passive_ports", |v| v.count(1..=65_535))?,
        login_timeout: table.get("login_timeout", |v| v.duration())?,
        idle_timeout: table.get("idle_timeout", |v| v.duration())?,
        noop_idle_timeout: table.get("noop_idle_timeout", |v| v.duration())?,
        line_timeout: table.get("line_timeout", |v| v.duration())?,
        no_transfer_timeout: table.get("no_transfer_timeout", |v| v.duration())?,
        session_timeout: table.get("session_timeout", |v| v.duration())?,
        data_connect_timeout: table.get("data_connect_timeout", |v| v.duration())?,
        stalled_timeout: table.get("stalled_timeout", |v| v.duration())?,
        max_login_attempts: table.get("max_login_attempts", |v| v.count(0..=255))?,
        login_fail_delay: table.get("login_fail_delay", |v| v.duration())?,
        denied_users: Vec::new(),
        denied_addresses: false,
        ban: table.get("ban", |v| read_ban(v, profile))?,
        message: table.get("message", |v| v.line().map(str::to_owned))?,
        greeting_cost: table.get("greeting_time", |v| v.duration())?,
        login_cost: table.get("login_time", |v| v.duration())?,
        command_cost: table.get("command_time", |v| v.duration())?,
        tls_cost: table.get("tls_time", |v| v.duration())?,
        tls: table.get("tls", |v| v.one_of(&TlsMode::ALL))?,
        bandwidth: table.get("bandwidth", |v| v.bandwidth())?,
        host: table.get("host", super::host::read)?.unwrap_or_default(),
    })
}

/// What the profile does not say itself, the scenario must.
fn read_ban(value: Value<'_>, profile: &Profile) -> Read<BanOverride> {
    let mut table = value.table("[server.ban]")?;
    let known = profile.ban.as_ref();
    let ban = BanOverride {
        offence: table.get("on", |v| v.one_of(&Offence::ALL))?,
        threshold: table.get("threshold", |v| v.count(1..=1_000_000))?,
        window: table.get("window", |v| v.some_time())?,
        duration: table.get("duration", |v| v.some_time())?,
        by: table.get("by", |v| v.one_of(&BanBy::ALL))?,
    };
    for (key, example, said) in [
        ("threshold", "threshold = 3", ban.threshold.is_some() || known.is_none_or(|b| b.threshold > 0)),
        ("window", "window = \"10m\"", ban.window.is_some() || known.is_none_or(|b| !b.window.0.is_zero())),
        (
            "duration",
            "duration = \"1h\"",
            ban.duration.is_some() || known.is_none_or(|b| !b.duration.0.is_zero()),
        ),
    ] {
        if !said {
            return Err(table.missing(key, example));
        }
    }
    table.finish()?;
    Ok(ban)
}

/// An override that the profile refuses, at its key.
fn misfit_at(table: &mut Reader<'_>, misfit: &Misfit) -> Problem {
    let hint = "`ftp421 profiles NAME` shows what a profile has";
    match table.value(&misfit.key) {
        Some(value) => value.wrong(&format!("does not fit: {}", misfit.why), hint),
        None => table.problem(misfit.why.clone(), hint),
    }
}

/// A hint for a limit that this profile lacks and another has.
fn limit_of_another(key: &str, own: &Profile) -> Option<String> {
    let owner = Profile::names()
        .filter_map(Profile::named)
        .find(|profile| profile.limits.iter().any(|limit| limit.knob == key))?;
    let knobs: Vec<&str> = own.limits.iter().map(|limit| limit.knob.as_str()).collect();
    let has = if knobs.is_empty() { "none".to_owned() } else { knobs.join(", ") };
    Some(format!("{key} is a limit of {}; the limits of {} are: {has}", owner.name, own.name))
}
