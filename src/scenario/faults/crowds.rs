//! Faults that are people: a flash crowd, and somebody who tries passwords. Each becomes a population of its own.
//!
//! What they do to the server is no effect of the fault: they are clients as others are.

use super::{Form, Scene, Touches, Written, population};
use crate::client::{Behaviour, RetryPolicy};
use crate::dist::Dist;
use crate::network::Link;
use crate::scenario::addresses;
use crate::scenario::reader::Read;
use crate::scenario::script;
use crate::time::Duration;
use crate::workload::{Addresses, Arrivals, Closed, Population, Stages};

/// The most clients of a crowd.
const MOST: u32 = 10_000_000;
/// The pause between two connections of one attacker, if the scenario does not say.
const INTERVAL: Dist = Dist::Constant(100_000_000);
/// The passwords that an attacker tries over one connection: as many as the server lets him.
const TRIES: u32 = 255;

/// Many more of a population at once: the same behaviour, in a burst.
pub(super) fn flash_crowd(form: &mut Form<'_, '_>, scene: &mut Scene<'_, '_>) -> Read<Written> {
    let whose =
        form.table.require("clients", "clients = \"readers\"", |v| population(v, scene.populations))?;
    let count = form.table.require("count", "count = 500", |v| v.count(1..=MOST))?;
    let within = form.table.get_or("within", Duration::ZERO, |v| v.duration())?;
    let model = &scene.populations[usize::from(whose.0)];
    let label = format!("flash crowd ({count} more {})", model.name);
    let crowd = Population {
        name: free_name(format!("{} (flash crowd)", model.name), scene.populations),
        arrivals: Arrivals::Burst { at: form.at, count, within },
        like: Some(whose),
        ..model.clone()
    };
    scene.populations.push(crowd);
    let fault = form.fault(label, Vec::new(), within);
    Ok(Written { touches: Touches::Nothing, restores: false, fault })
}

/// Clients who try one wrong password after the other, and connect again as soon as the server has had enough of them.
pub(super) fn brute_force(form: &mut Form<'_, '_>, scene: &mut Scene<'_, '_>) -> Read<Written> {
    let clients = form.table.require("clients", "clients = 20", |v| v.count(1..=MOST))?;
    let lasts = form.lasts()?.unwrap_or(form.rest);
    let addresses = form.table.get("addresses", |v| addresses::read(v, &mut scene.draft.places))?;
    let user = form.table.get("user", |v| scene.draft.strings.named(v, v.line()?))?;
    let user = user.or_else(|| scene.draft.strings.intern("admin"));
    let pause = form.table.get_or("interval", INTERVAL, |v| v.pauses())?;
    let stages = Stages::constant(form.at, lasts, f64::from(clients));
    let crowd = Population {
        name: free_name(format!("brute force at {}", form.at), scene.populations),
        arrivals: Arrivals::Closed(Closed {
            clients: stages,
            most: clients,
            sessions: 0,
            pause,
            pause_first: false,
        }),
        addresses: addresses.unwrap_or(Addresses::Unique),
        users: user.into_iter().collect(),
        behaviour: Behaviour {
            script: script::just_login(),
            wrong_password: 1.0,
            login_tries: TRIES,
            retry: RetryPolicy::default(), // the next connection is the next session of a closed population
            ..Behaviour::default()
        },
        link: Link::default(),
        like: None,
    };
    if crowd.users.is_empty() {
        return Err(form
            .table
            .problem("its user is one name too many", "use fewer different names and paths"));
    }
    scene.populations.push(crowd);
    let plural = if clients == 1 { "" } else { "s" };
    let fault = form.fault(format!("brute force ({clients} client{plural})"), Vec::new(), lasts);
    Ok(Written { touches: Touches::Nothing, restores: false, fault })
}

/// `name`, or the first of `name 2`, `name 3` and so on that no population has.
fn free_name(name: String, populations: &[Population]) -> String {
    let taken = |name: &str| populations.iter().any(|population| population.name == name);
    if !taken(&name) {
        return name;
    }
    (2..=populations.len() + 2)
        .map(|number| format!("{name} {number}"))
        .find(|name| !taken(name))
        .unwrap_or(name)
}
