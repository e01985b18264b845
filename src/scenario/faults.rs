//! Reading `[[faults]]`: what goes wrong, and when.
//!
//! It turns a fault into its effects on a timeline, or into a population of its own, and does nothing of it.

mod crowds;
mod host;
mod shutdown;
mod way;

use super::Station;
use super::draft::Draft;
use super::reader::{Read, Reader};
use super::servers;
use super::source::suggestion;
use super::value::Value;
use crate::chaos::{Effect, Fault};
use crate::id::{PopulationId, ServerId};
use crate::server::Control;
use crate::time::{Duration, Instant};
use crate::workload::Population;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Shutdown,
    Signal,
    Reload,
    SlowCpu,
    Bandwidth,
    Latency,
    Loss,
    Partition,
    Backlog,
    DescriptorLeak,
    DiskFull,
    DnsMove,
    FlashCrowd,
    BruteForce,
}

const KINDS: [(&str, Kind); 14] = [
    ("shutdown", Kind::Shutdown),
    ("signal", Kind::Signal),
    ("reload", Kind::Reload),
    ("slow_cpu", Kind::SlowCpu),
    ("bandwidth", Kind::Bandwidth),
    ("latency", Kind::Latency),
    ("loss", Kind::Loss),
    ("partition", Kind::Partition),
    ("backlog", Kind::Backlog),
    ("descriptor_leak", Kind::DescriptorLeak),
    ("disk_full", Kind::DiskFull),
    ("dns_move", Kind::DnsMove),
    ("flash_crowd", Kind::FlashCrowd),
    ("brute_force", Kind::BruteForce),
];

/// What faults are about: the rest of the scenario.
pub(super) struct Scene<'s, 'o> {
    /// How long the run lasts, its strings and its addresses.
    pub draft: &'s mut Draft<'o>,
    /// The servers.
    pub servers: &'s [Station],
    /// How long resolvers keep the servers' name, if they have one.
    pub dns_ttl: Option<Duration>,
    /// The populations; a fault that is a crowd adds one.
    pub populations: &'s mut Vec<Population>,
}

/// A fault as it was read, with what it touches.
struct Written {
    touches: Touches,
    /// Does its last effect restore what is usual?
    restores: bool,
    fault: Fault,
}

/// What a fault changes. Two that change the same at the same time are worth a note.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Touches {
    /// The listener, the process or the limits of a server.
    Process(ServerId),
    /// Something else about a server.
    Server(Kind, ServerId),
    /// The way of a population or of all.
    Way(Kind, Option<PopulationId>),
    /// Nothing that another fault changes.
    Nothing,
}

/// All faults in the order of their times.
pub(super) fn read_all(root: &mut Reader<'_>, scene: &mut Scene<'_, '_>) -> Read<Vec<Fault>> {
    let tables = root.get("faults", |v| v.tables(1_000, "[[faults]]"))?.unwrap_or_default();
    let mut faults = tables.into_iter().map(|table| read(table, scene)).collect::<Read<Vec<_>>>()?;
    faults.sort_by_key(|written| written.fault.at);
    let notes = settle_overlaps(&mut faults);
    scene.draft.notes.extend(notes);
    Ok(faults.into_iter().map(|written| written.fault).collect())
}

/// A note for each fault that begins before an earlier one about the same is over. What both tell a server takes effect in order of
/// time; of two that restore the usual at their end, the later one does.
fn settle_overlaps(faults: &mut [Written]) -> Vec<String> {
    let mut notes = Vec::new();
    for i in 0..faults.len() {
        let (earlier, later) = faults.split_at_mut(i + 1);
        let first = &mut earlier[i];
        let end = first.fault.at + first.fault.lasts;
        let same = |next: &&Written| {
            next.fault.at < end && next.touches == first.touches && first.touches != Touches::Nothing
        };
        let mut outlasted = false;
        for next in later.iter().filter(same) {
            outlasted |= next.fault.at + next.fault.lasts >= end;
            let (label, at) = (&next.fault.label, next.fault.at);
            let restores = if first.restores { " The later one's end restores the usual." } else { "" };
            notes.push(format!(
                "The {label} at {at} begins before the {} at {} is over.{restores}",
                first.fault.label, first.fault.at
            ));
        }
        if outlasted && std::mem::take(&mut first.restores) {
            first.fault.effects.pop();
        }
    }
    notes
}

fn read(mut table: Reader<'_>, scene: &mut Scene<'_, '_>) -> Read<Written> {
    table.rename("[[faults]]");
    let end = scene.draft.end;
    let at = table.require("at", "at = \"20m\"", |v| v.instant_before(end))?;
    let kind = table.require("kind", "kind = \"shutdown\"", |v| v.one_of(&KINDS))?;
    let rest = (Instant::ZERO + end).since(at);
    let mut form = Form { table: &mut table, kind, at, rest };
    let written = match kind {
        Kind::Shutdown => shutdown::shutdown(&mut form, scene)?,
        Kind::Signal => shutdown::signal(&mut form, scene)?,
        Kind::Reload => shutdown::reload(&mut form, scene)?,
        Kind::SlowCpu | Kind::Backlog | Kind::DiskFull | Kind::Bandwidth => host::pressed(&mut form, scene)?,
        Kind::DescriptorLeak => host::leak(&mut form, scene)?,
        Kind::Latency | Kind::Loss => way::weather(&mut form, scene)?,
        Kind::Partition => way::partition(&mut form, scene)?,
        Kind::DnsMove => way::dns_move(&mut form, scene)?,
        Kind::FlashCrowd => crowds::flash_crowd(&mut form, scene)?,
        Kind::BruteForce => crowds::brute_force(&mut form, scene)?,
    };
    table.finish()?;
    Ok(written)
}

/// A fault's table while it is read.
struct Form<'r, 't> {
    table: &'r mut Reader<'t>,
    kind: Kind,
    at: Instant,
    /// What is left of the run.
    rest: Duration,
}

impl Form<'_, '_> {
    /// The server that it is about: the first, unless it says.
    fn server(&mut self, scene: &Scene<'_, '_>) -> Read<ServerId> {
        Ok(self.table.get("server", |v| servers::named(v, scene.servers))?.unwrap_or_default())
    }

    /// The population that it is about, if it says.
    fn clients(&mut self, scene: &Scene<'_, '_>) -> Read<Option<PopulationId>> {
        self.table.get("clients", |v| population(v, scene.populations))
    }

    /// How long it lasts; `None` for as long as the run does.
    fn lasts(&mut self) -> Read<Option<Duration>> {
        let rest = self.rest;
        self.table.get("lasts", |v| {
            let lasts = v.some_time()?;
            if lasts > rest {
                let hint = format!("{rest} of the run are left; leave it out to last until then");
                return Err(v.wrong("goes beyond the end", hint));
            }
            Ok(lasts)
        })
    }

    /// The fault `label` with these effects.
    fn fault(&self, label: String, effects: Vec<(Duration, Effect)>, lasts: Duration) -> Fault {
        Fault { at: self.at, label, effects, lasts: if lasts < self.rest { lasts } else { self.rest } }
    }

    /// A fault that begins with one effect and ends with another one, if it ends.
    fn stretch(&mut self, touches: Touches, label: String, begin: Effect, end: Effect) -> Read<Written> {
        let lasts = self.lasts()?;
        let mut effects = vec![(Duration::ZERO, begin)];
        effects.extend(lasts.map(|lasts| (lasts, end)));
        let fault = self.fault(label, effects, lasts.unwrap_or(self.rest));
        Ok(Written { touches, restores: lasts.is_some(), fault })
    }
}

/// What `server` is told.
fn told(server: ServerId, controls: Vec<(Duration, Control)>) -> Vec<(Duration, Effect)> {
    controls.into_iter().map(|(after, control)| (after, Effect::Server(server, control))).collect()
}

/// `what`, with the server's name if there are several.
fn about_server(what: String, server: ServerId, scene: &Scene<'_, '_>) -> String {
    if scene.servers.len() == 1 {
        return what;
    }
    format!("{what} of {}", scene.servers[usize::from(server.0)].name)
}

/// `what`, with the population's name if it is about one.
fn about_clients(what: String, clients: Option<PopulationId>, scene: &Scene<'_, '_>) -> String {
    match clients {
        Some(id) => format!("{what} for {}", scene.populations[usize::from(id.0)].name),
        None => what,
    }
}

/// The population that `value` names.
fn population(value: Value<'_>, populations: &[Population]) -> Read<PopulationId> {
    let name = value.text()?;
    let names: Vec<&str> = populations.iter().map(|population| population.name.as_str()).collect();
    match names.iter().position(|known| *known == name) {
        Some(place) => Ok(PopulationId(place as u16)),
        None => Err(value.wrong("is no population of this scenario", suggestion(name, &names))),
    }
}

#[cfg(test)]
mod tests;
