//! What a simulation will take of the machine: events, processor time, memory. Orders of magnitude, by formula.
//!
//! It measures nothing: its constants are what the scale bench measured (docs/scale.md), on a machine that is not the reader's.

use super::demand::{Hold, peak};
use super::words::number_of;
use crate::client::{Behaviour, Step};
use crate::metrics::words::count;
use crate::scenario::Scenario;
use crate::time::Instant;
use crate::workload::{Arrivals, Population};

/// Nanoseconds of processor time an event, up to so many clients at a time: the measured ones, doubled, for machines and days differ.
const EVENT_NS: [(f64, f64); 3] = [(10_000.0, 200.0), (100_000.0, 300.0), (f64::INFINITY, 400.0)];
/// Bytes of a client that is there, its connection and its events included.
const CLIENT_BYTES: f64 = 400.0;
/// Bytes of a client that pauses between two sessions: what is remembered of it, and its entry in the calendar.
const PAUSING_BYTES: f64 = 40.0;
/// Bytes of a run without clients: histograms, series, the wheel's days.
const RUN_BYTES: f64 = 4e6;

/// A run of more bytes than this is worth a warning.
const MANY_BYTES: f64 = 1e9;
/// And one of more seconds of processor time.
const MANY_SECONDS: f64 = 600.0;

/// What one replication will take if nobody is refused: means, no more than orders of magnitude.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Cost {
    /// Events of its calendar.
    pub events: f64,
    /// Processor time, seconds.
    pub cpu_s: f64,
    /// Memory, bytes.
    pub bytes: f64,
}

impl Cost {
    /// What a replication of `scenario` will take.
    pub fn of(scenario: &Scenario) -> Self {
        let hold = |p: &Population| Hold::of(p, scenario.policy(), scenario.duration).mean();
        let each: Vec<(&Population, f64)> = scenario.populations.iter().map(|p| (p, hold(p))).collect();
        let at_once = peak(&each, scenario.duration).1.max(each.iter().map(|(p, _)| who_begins(p)).sum());
        let end = Instant::ZERO + scenario.duration;
        let events = each.iter().map(|(p, hold)| sessions(p, *hold, end) * events_of_session(p)).sum();
        let ns = EVENT_NS.iter().find(|(most, _)| at_once <= *most).map_or(0.0, |(_, ns)| *ns);
        let pausing: f64 = each.iter().map(|(p, _)| closed(p)).sum();
        let bytes = RUN_BYTES + CLIENT_BYTES * at_once + PAUSING_BYTES * pausing;
        Self { events, cpu_s: events * ns / 1e9, bytes }
    }

    /// What `runs` of them will take, so many at a time.
    pub fn words(&self, runs: u32, at_a_time: u32) -> String {
        let Self { events, cpu_s, bytes } = *self;
        let (all, side_by_side) = (f64::from(runs), f64::from(at_a_time.min(runs)));
        format!(
            "about {} events, {} of one core, {} of memory",
            amount(events * all),
            span(cpu_s * all),
            size(bytes * side_by_side)
        )
    }

    /// Is it more than somebody would expect who has just started it?
    pub fn is_much(&self, runs: u32, at_a_time: u32) -> bool {
        let (all, side_by_side) = (f64::from(runs), f64::from(at_a_time.min(runs)));
        self.bytes * side_by_side > MANY_BYTES || self.cpu_s * all / side_by_side.max(1.0) > MANY_SECONDS
    }
}

/// Clients that may all be there at once, since all begin with a session.
fn who_begins(population: &Population) -> f64 {
    match &population.arrivals {
        Arrivals::Closed(clients) if !clients.pause_first => closed(population),
        _ => 0.0,
    }
}

/// Clients that come again.
fn closed(population: &Population) -> f64 {
    match &population.arrivals {
        Arrivals::Closed(closed) => f64::from(closed.most) * f64::from(population.behaviour.parallel),
        _ => 0.0,
    }
}

/// Sessions of the whole run, if nobody is refused.
fn sessions(population: &Population, hold: f64, end: Instant) -> f64 {
    let users = match &population.arrivals {
        Arrivals::Closed(closed) => {
            // Those that take no time at all go on without end: a millisecond is less than any of them takes.
            let cycle = (hold + closed.pause.mean() / 1e9).max(1e-3);
            let wanted = closed.clients.integral_to(end) / cycle;
            let most = if closed.sessions == 0 { f64::INFINITY } else { f64::from(closed.sessions) };
            wanted.min(most * f64::from(closed.most))
        }
        open => open.expected_until(end).unwrap_or(0.0),
    };
    users * f64::from(population.behaviour.parallel)
}

/// Events of an untroubled session: it comes, is let in and greeted; each command goes there and its answer back; pauses end; both
/// ends close.
fn events_of_session(population: &Population) -> f64 {
    let entries: Vec<u32> = match &population.arrivals {
        Arrivals::Trace(list) if list.iter().any(|a| a.entry != 0) => list.iter().map(|a| a.entry).collect(),
        _ => vec![0],
    };
    let script = &population.behaviour.script;
    let steps = entries
        .iter()
        .flat_map(|entry| script.session(*entry))
        .map(|step| events_of_step(step, &population.behaviour));
    8.0 + steps.sum::<f64>() / entries.len().max(1) as f64
}

fn events_of_step(step: &Step, behaviour: &Behaviour) -> f64 {
    match step {
        Step::Login => 4.0,
        Step::Command(_) | Step::Rest { .. } => 2.0,
        Step::Transfer { .. } => 10.0, // PASV, the command and its 226; the data connection opens, moves and ends
        Step::Think(pause) | Step::Idle(pause) => 1.0 + keepalives(pause.mean(), behaviour),
        Step::Quit | Step::Close => 0.0,
    }
}

/// A timer, a NOOP and its answer for each.
fn keepalives(pause_ns: f64, behaviour: &Behaviour) -> f64 {
    behaviour.keepalive.map_or(0.0, |every| 3.0 * (pause_ns / every.as_nanos().max(1) as f64).floor())
}

/// `25 million`.
fn amount(n: f64) -> String {
    match n {
        n if n >= 1e9 => format!("{} billion", number_of(two_digits(n / 1e9))),
        n if n >= 1e6 => format!("{} million", number_of(two_digits(n / 1e6))),
        n => count(two_digits(n).round() as u64),
    }
}

fn span(s: f64) -> String {
    match s {
        s if s < 1.0 => "less than a second".to_owned(),
        s if s < 120.0 => format!("{} s", number_of(two_digits(s))),
        s if s < 7_200.0 => format!("{} minutes", number_of(two_digits(s / 60.0))),
        s => format!("{} hours", number_of(two_digits(s / 3_600.0))),
    }
}

fn size(bytes: f64) -> String {
    match bytes {
        b if b >= 1e9 => format!("{} GB", number_of(two_digits(b / 1e9))),
        b => format!("{} MB", number_of(two_digits(b / 1e6))),
    }
}

/// No more digits than an order of magnitude has.
fn two_digits(x: f64) -> f64 {
    if x <= 0.0 || !x.is_finite() {
        return 0.0;
    }
    let unit = libm::pow(10.0, libm::floor(libm::log10(x)) - 1.0);
    (x / unit).round() * unit
}
