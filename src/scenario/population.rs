//! Reading `[[clients]]`: a population's name, accounts, behaviour and link.
//!
//! Its arrivals, addresses, script and retry policy are read by the files of those names.

use super::draft::{Draft, Strings};
use super::reader::{Read, Reader};
use super::source::suggestion;
use super::traces::Plan;
use super::value::Value;
use super::{addresses, arrivals, retry, script};
use crate::client::{Behaviour, DataMode, Fresh, Profile, Resolve, Script, Tls};
use crate::ftp::ArgId;
use crate::network::Link;
use crate::time::{Duration, Instant};
use crate::workload::{Addresses, Arrivals, Population};

/// The most populations.
const MOST: usize = 1_000;
/// The most connections that all users of a population open, one after the other or at once: each has a number of 32 bits.
const MOST_CONNECTIONS: f64 = 4e9;
/// The most connections of one user.
const MOST_PARALLEL: u32 = 64;

/// The largest share of messages that a way may lose: with all of them lost nothing ever arrives, which is a partition.
pub(super) const LOSSIEST: f64 = 0.9;

/// All populations, in the order of the file.
pub(super) fn read_all(root: &mut Reader<'_>, draft: &mut Draft<'_>) -> Read<Vec<Population>> {
    let tables = root.get("clients", |v| v.tables(MOST, "[[clients]]"))?.unwrap_or_default();
    let mut populations: Vec<Population> = Vec::new();
    for mut table in tables {
        let name = table.require("name", "name = \"readers\"", |v| {
            let name = v.name()?;
            if populations.iter().any(|p| p.name == name) {
                return Err(v.wrong("is taken", "each population needs a name of its own"));
            }
            Ok(name)
        })?;
        populations.push(read(name, table, draft)?);
    }
    if populations.is_empty() {
        draft.notes.push("There are no [[clients]]: nobody comes.".to_owned());
    }
    Ok(populations)
}

fn read(name: String, mut table: Reader<'_>, draft: &mut Draft<'_>) -> Read<Population> {
    table.rename(format!("[[clients]] {name:?}"));
    let plan = table.require("arrivals", "arrivals = { executor = \"poisson\", rate = \"5/s\" }", |v| {
        arrivals::read(v, &name, draft)
    })?;
    let population = match plan {
        Plan::Scripted(arrivals) => scripted(name, arrivals, &mut table, draft)?,
        Plan::Logged(log) => {
            log_says(&mut table)?;
            // The log has each user's sessions one after the other, whatever client he has.
            let behaviour = Behaviour { parallel: 1, ..behaviour(&mut table, log.script)? };
            let link = link(&mut table)?;
            let arrivals = Arrivals::Trace(log.arrivals);
            Population {
                name,
                arrivals,
                addresses: Addresses::Unique,
                users: log.users,
                behaviour,
                link,
                like: None,
            }
        }
    };
    table.finish()?;
    Ok(population)
}

fn scripted(
    name: String,
    arrivals: Arrivals,
    table: &mut Reader<'_>,
    draft: &mut Draft<'_>,
) -> Read<Population> {
    let addresses =
        table.get("addresses", |v| addresses::read(v, &mut draft.places))?.unwrap_or(Addresses::Unique);
    let users = users(table, &mut draft.strings)?;
    let script = match table.value("script") {
        Some(value) => script::read(value, &mut draft.strings)?,
        None => script::just_login(),
    };
    let behaviour = behaviour(table, script)?;
    let clients = match &arrivals {
        Arrivals::Closed(closed) => f64::from(closed.most),
        open => open.expected_until(Instant::ZERO + draft.end).unwrap_or(0.0),
    };
    if clients * f64::from(behaviour.parallel) > MOST_CONNECTIONS
        && let Some(value) = table.value("parallel").or_else(|| table.value("client"))
    {
        return Err(value.wrong("makes too many connections", "all users together open at most 4000000000"));
    }
    Ok(Population { name, arrivals, addresses, users, behaviour, link: link(table)?, like: None })
}

/// Refuses the keys whose answers an xferlog has already given.
fn log_says(table: &mut Reader<'_>) -> Read<()> {
    for key in ["script", "user", "users", "addresses", "parallel"] {
        if let Some(value) = table.value(key) {
            return Err(value.wrong(
                "has no place beside an xferlog",
                "leave it out: the log says who did what from where",
            ));
        }
    }
    Ok(())
}

fn users(table: &mut Reader<'_>, strings: &mut Strings) -> Read<Vec<ArgId>> {
    let one = table.get("user", |v| strings.named(v, v.line()?))?;
    let many = table.get("users", |v| {
        if one.is_some() {
            return Err(v.wrong("stands beside `user`", "keep one of the two"));
        }
        (1..=v.count(1..=10_000)?).map(|i| strings.named(v, &format!("user{i}"))).collect()
    })?;
    match (many, one) {
        (Some(many), _) => Ok(many),
        (None, Some(one)) => Ok(vec![one]),
        (None, None) => Ok(strings.intern("anonymous").into_iter().collect()),
    }
}

/// How the clients behave: as the profile that `client` names, and as the keys beside it say.
fn behaviour(table: &mut Reader<'_>, script: Script) -> Read<Behaviour> {
    let plain = table.get("client", profile)?.unwrap_or_default();
    let mut reading = plain.reading;
    let retry = table.get("retry", |v| retry::read(v, &mut reading))?.unwrap_or(plain.retry);
    Ok(Behaviour {
        script,
        keepalive: table.get("keepalive", |v| v.pause())?.or(plain.keepalive),
        patience: table.get("patience", |v| v.pauses())?,
        wrong_password: table.get_or("wrong_password", plain.wrong_password, |v| v.probability())?,
        login_tries: table.get_or("login_tries", plain.login_tries, |v| v.count(1..=255))?,
        vanish: table.get_or("vanish", plain.vanish, |v| v.probability())?,
        reconnect: table.get_or("reconnect", plain.reconnect, |v| v.flag())?,
        retry,
        fresh: table.get_or("fresh", plain.fresh, |v| v.one_of(&Fresh::ALL))?,
        lowering: table.get("lowered_by", |v| retry::pattern(v, &mut reading))?.unwrap_or(plain.lowering),
        reading,
        parallel: table.get_or("parallel", plain.parallel, |v| v.count(1..=MOST_PARALLEL))?,
        heeds_120: table.get_or("heeds_120", plain.heeds_120, |v| v.flag())?,
        data: table.get_or("data", plain.data, |v| v.one_of(&DataMode::ALL))?,
        tls: table.get_or("tls", plain.tls, |v| v.one_of(&Tls::ALL))?,
        stall: table.get_or("stall", plain.stall, |v| v.probability())?,
        no_data: table.get_or("no_data", plain.no_data, |v| v.probability())?,
        resolve: table.get_or("resolve", plain.resolve, |v| v.one_of(&Resolve::ALL))?,
    })
}

/// The behaviour of the client profile that `value` names.
fn profile(value: Value<'_>) -> Read<Behaviour> {
    let name = value.text()?;
    let names: Vec<&str> = Profile::names().collect();
    let profile = Profile::named(name).ok_or_else(|| value.wrong("is unknown", suggestion(name, &names)))?;
    profile.behaviour().map_err(|why| value.wrong("cannot be used", why))
}

fn link(table: &mut Reader<'_>) -> Read<Link> {
    let plain = Link::default();
    let Some(mut link) = table.get("link", |v| v.table("link"))? else { return Ok(plain) };
    let half = |rtt: Duration| Duration::from_nanos(rtt.as_nanos() / 2);
    let read = Link {
        delay: link.get("rtt", |v| v.duration().map(half))?.unwrap_or(plain.delay),
        jitter: link.get("jitter", |v| v.times())?,
        loss: link.get_or("loss", plain.loss, |v| v.number(0.0, LOSSIEST))?,
        bandwidth: link.get_or("bandwidth", plain.bandwidth, |v| v.bandwidth())?,
        connect_timeout: link.get_or("connect_timeout", plain.connect_timeout, |v| v.some_time())?,
        reply_timeout: link.get_or("reply_timeout", plain.reply_timeout, |v| v.some_time())?,
    };
    link.finish()?;
    Ok(read)
}
