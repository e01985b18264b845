//! Faults of the way between clients and servers: latency, loss, partitions, and a name that moves.
//!
//! What becomes of a message on such a way is the driver's business.

use super::{Form, Kind, Scene, Touches, Written, about_clients};
use crate::chaos::{Effect, Weather};
use crate::scenario::population::LOSSIEST;
use crate::scenario::reader::Read;
use crate::scenario::servers;
use crate::time::Duration;

/// More delay, or more loss.
pub(super) fn weather(form: &mut Form<'_, '_>, scene: &Scene<'_, '_>) -> Read<Written> {
    let clients = form.clients(scene)?;
    let (label, begin, end) = if form.kind == Kind::Latency {
        let add = form.table.require("add", "add = \"200ms\"", |v| v.some_time())?;
        // Half of it each way: what is added to the round trip is what a user writes down.
        let one_way = Duration::from_nanos(add.as_nanos() / 2);
        (format!("latency (+{add})"), Weather::Delay(one_way), Weather::Delay(Duration::ZERO))
    } else {
        let rate = form.table.require("rate", "rate = 0.02", |v| v.number(0.0, LOSSIEST))?;
        (format!("loss ({rate})"), Weather::Loss(rate), Weather::Loss(0.0))
    };
    let label = about_clients(label, clients, scene);
    let touches = Touches::Way(form.kind, clients);
    form.stretch(touches, label, Effect::Network(clients, begin), Effect::Network(clients, end))
}

/// Nothing gets through for a time.
pub(super) fn partition(form: &mut Form<'_, '_>, scene: &Scene<'_, '_>) -> Read<Written> {
    let clients = form.clients(scene)?;
    let Some(lasts) = form.lasts()? else {
        return Err(form.table.missing("lasts", "lasts = \"30s\": what was sent meanwhile comes after it"));
    };
    let until = form.at + lasts;
    let effects = vec![(Duration::ZERO, Effect::Network(clients, Weather::Partition { until }))];
    let fault = form.fault(about_clients("partition".to_owned(), clients, scene), effects, lasts);
    Ok(Written { touches: Touches::Way(form.kind, clients), restores: false, fault })
}

/// The name points to another server. It is over when the last resolver has forgotten where it pointed before.
pub(super) fn dns_move(form: &mut Form<'_, '_>, scene: &Scene<'_, '_>) -> Read<Written> {
    let to = form.table.require("to", "to = \"new\"", |v| servers::named(v, scene.servers))?;
    let Some(ttl) = scene.dns_ttl else {
        let hint = "write [dns] with ttl = \"5m\": how long resolvers keep the servers' name";
        return Err(form.table.problem("a name that is not there cannot move", hint));
    };
    let label = format!("DNS move (to {})", scene.servers[usize::from(to.0)].name);
    let fault = form.fault(label, vec![(Duration::ZERO, Effect::Dns(to))], ttl);
    Ok(Written { touches: Touches::Nothing, restores: false, fault })
}
