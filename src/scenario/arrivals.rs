//! Reading `arrivals`: an executor, in k6's words, and its own keys.
//!
//! It does not compute when anybody comes: `workload::arrivals` does.

use super::draft::Draft;
use super::reader::{Read, Reader};
use super::traces::{self, Plan};
use super::value::Value;
use crate::dist::Dist;
use crate::time::{Duration, Instant};
use crate::workload::{Arrivals, Closed, Open, Spacing, Stage, Stages};

/// The most clients of a closed population.
const MOST: u32 = 100_000_000;
/// The most sessions that an open one is expected to want.
const MOST_SESSIONS: u32 = 1_000_000_000;
/// The most rounds of a cycle.
const MOST_ROUNDS: usize = 1_000;
/// The greatest factor of a round.
const GREATEST_FACTOR: f64 = 1_000.0;
/// The pause of a closed population that names none. It is never zero: clients that are refused would come again at the
/// same instant, for ever.
const PAUSE: Dist = Dist::Constant(1_000_000_000);

#[derive(Clone, Copy)]
enum Executor {
    Constant,
    Poisson,
    Ramping,
    Burst,
    Trace,
    ConstantClients,
    RampingClients,
    PerClient,
}

const EXECUTORS: [(&str, Executor); 8] = [
    ("constant-arrival-rate", Executor::Constant),
    ("poisson", Executor::Poisson),
    ("ramping-arrival-rate", Executor::Ramping),
    ("burst", Executor::Burst),
    ("trace", Executor::Trace),
    ("constant-clients", Executor::ConstantClients),
    ("ramping-clients", Executor::RampingClients),
    ("per-client-sessions", Executor::PerClient),
];

/// The arrivals of the population called `name`.
pub(super) fn read(value: Value<'_>, name: &str, draft: &mut Draft<'_>) -> Read<Plan> {
    let mut table = value.table(format!("the arrivals of {name:?}"))?;
    let executor = table.require("executor", "executor = \"poisson\"", |v| v.one_of(&EXECUTORS))?;
    let plan = read_executor(executor, &mut table, name, draft)?;
    table.finish()?;
    if let Plan::Scripted(arrivals) = &plan {
        check(value, arrivals, name, draft)?;
    }
    Ok(plan)
}

fn read_executor(
    executor: Executor,
    table: &mut Reader<'_>,
    name: &str,
    draft: &mut Draft<'_>,
) -> Read<Plan> {
    let end = draft.end;
    let open = |spacing, rate| Arrivals::Open(Open { spacing, rate });
    Ok(Plan::Scripted(match executor {
        Executor::Trace => return traces::read(table, name, draft),
        Executor::Constant => open(Spacing::Even, level(table, end)?),
        Executor::Poisson if table.value("stages").is_some() => {
            open(Spacing::Poisson, ramp(table, end, Rate)?)
        }
        Executor::Poisson => open(Spacing::Poisson, level(table, end)?),
        Executor::Ramping => {
            let poisson = table.get_or("poisson", false, |v| v.flag())?;
            open(if poisson { Spacing::Poisson } else { Spacing::Even }, ramp(table, end, Rate)?)
        }
        Executor::Burst => burst(table, end)?,
        Executor::ConstantClients => {
            let most = clients(table)?;
            closed(stretch(table, end, f64::from(most))?, 0, table)?
        }
        Executor::RampingClients => closed(ramp(table, end, Clients)?, 0, table)?,
        Executor::PerClient => per_client(table, end)?,
    }))
}

fn per_client(table: &mut Reader<'_>, end: Duration) -> Read<Arrivals> {
    let most = clients(table)?;
    let sessions = table.require("sessions", "sessions = 5", |v| v.count(1..=1_000_000))?;
    let start = start(table, end)?;
    let clients = Stages::constant(start, (Instant::ZERO + end).since(start), f64::from(most));
    closed(clients, sessions, table)
}

fn burst(table: &mut Reader<'_>, end: Duration) -> Read<Arrivals> {
    Ok(Arrivals::Burst {
        at: table.require("at", "at = \"5m\"", |v| v.instant_before(end))?,
        count: table.require("count", "count = 100", |v| v.count(1..=MOST_SESSIONS))?,
        within: table.get_or("within", Duration::ZERO, |v| v.duration())?,
    })
}

fn closed(clients: Stages, sessions: u32, table: &mut Reader<'_>) -> Read<Arrivals> {
    let most = clients.most() as u32;
    let pause = table.get_or("pause", PAUSE, |v| v.pauses())?;
    let pause_first = table.get_or("pause_first", false, |v| v.flag())?;
    Ok(Arrivals::Closed(Closed { clients, most, sessions, pause, pause_first }))
}

fn clients(table: &mut Reader<'_>) -> Read<u32> {
    table.require("clients", "clients = 100", |v| v.count(1..=MOST))
}

fn start(table: &mut Reader<'_>, end: Duration) -> Read<Instant> {
    table.get_or("start", Instant::ZERO, |v| v.instant_before(end))
}

/// One rate from `start` for `duration`.
fn level(table: &mut Reader<'_>, end: Duration) -> Read<Stages> {
    let rate = table.require("rate", "rate = \"5/s\"", |v| v.some_rate())?;
    stretch(table, end, rate)
}

/// One value from `start` for `duration`, or until the end of the run.
fn stretch(table: &mut Reader<'_>, end: Duration, value: f64) -> Read<Stages> {
    let start = start(table, end)?;
    let rest = (Instant::ZERO + end).since(start);
    let duration = table.get_or("duration", rest, |v| v.some_time())?;
    Ok(Stages::constant(start, duration, value))
}

/// What a ramp ramps.
trait Ramped: Copy {
    const START: &'static str;
    const EXAMPLE: &'static str;
    fn read(self, value: Value<'_>) -> Read<f64>;
}

#[derive(Clone, Copy)]
struct Rate;

impl Ramped for Rate {
    const START: &'static str = "start_rate";
    const EXAMPLE: &'static str = "target = \"20/s\"";

    fn read(self, value: Value<'_>) -> Read<f64> {
        value.rate()
    }
}

#[derive(Clone, Copy)]
struct Clients;

impl Ramped for Clients {
    const START: &'static str = "start_clients";
    const EXAMPLE: &'static str = "target = 100";

    fn read(self, value: Value<'_>) -> Read<f64> {
        value.count(0..=MOST).map(f64::from)
    }
}

/// Stages from `start` on, each from where the one before ended to its target. A stage of no time is a jump.
fn ramp<R: Ramped>(table: &mut Reader<'_>, end: Duration, ramped: R) -> Read<Stages> {
    let start = start(table, end)?;
    let mut from = table.get_or(R::START, 0.0, |v| ramped.read(v))?;
    let example = "stages = [{ duration = \"10m\", target = .. }]";
    let tables = table.require("stages", example, |v| match v.list(1_000)? {
        list if list.is_empty() => Err(v.wrong("is empty", format!("write {example}"))),
        list => list.into_iter().map(|stage| stage.table("a stage")).collect::<Read<Vec<_>>>(),
    })?;
    let mut stages = Vec::new();
    for mut table in tables {
        let duration = table.require("duration", "duration = \"10m\"", |v| v.duration())?;
        let to = table.require("target", R::EXAMPLE, |v| ramped.read(v))?;
        table.finish()?;
        stages.push(Stage { duration, from, to });
        from = to;
    }
    let stages = Stages::once(start, stages);
    let Some(factors) = table.get("repeat", |v| repeats(v, &stages))?.flatten() else { return Ok(stages) };
    Ok(stages.repeated(factors, Instant::ZERO + end))
}

/// The factor of each round of `stages`, if they repeat.
fn repeats(value: Value<'_>, stages: &Stages) -> Read<Option<Vec<f64>>> {
    let hint = "write repeat = true, or a factor for each round in turn: repeat = [1, 1, 0.6]";
    let factors = match value.list(MOST_ROUNDS) {
        Ok(list) if list.is_empty() => return Err(value.wrong("is empty", hint)),
        Ok(list) => list.iter().map(|v| v.number(0.0, GREATEST_FACTOR)).collect::<Read<Vec<f64>>>()?,
        Err(too_long) if value.is_list() => return Err(too_long),
        Err(_) => match value.flag() {
            Ok(true) => vec![1.0],
            Ok(false) => return Ok(None),
            Err(_) => return Err(value.wrong("does not say how the stages repeat", hint)),
        },
    };
    if stages.end() == stages.start {
        return Err(value.wrong("repeats stages that take no time", "give one of them a duration"));
    }
    Ok(Some(factors))
}

/// Refuses arrivals that never come or are too many, and notes those that the end cuts off.
fn check(value: Value<'_>, arrivals: &Arrivals, name: &str, draft: &mut Draft<'_>) -> Read<()> {
    let end = Instant::ZERO + draft.end;
    let last = match arrivals {
        Arrivals::Open(open) => open.rate.end(),
        Arrivals::Closed(closed) => closed.clients.end(),
        Arrivals::Burst { at, within, .. } => *at + *within,
        Arrivals::Trace(_) => Instant::ZERO,
    };
    if last > end {
        draft.notes.push(format!("The arrivals of {name:?} go on until {last}, and the run ends at {end}."));
    }
    let nobody = || value.wrong("lets nobody come", "let somebody come before the run is over");
    let too_many = |how_many: f64, most: u32| {
        value.wrong("lets too many come", format!("about {how_many:.0}, at most {most} are allowed"))
    };
    match (arrivals, arrivals.expected_until(end)) {
        (_, Some(expected)) if expected > f64::from(MOST_SESSIONS) => Err(too_many(expected, MOST_SESSIONS)),
        (_, Some(expected)) if expected <= 0.0 => Err(nobody()),
        (Arrivals::Closed(closed), _) if closed.most == 0 => Err(nobody()),
        (Arrivals::Closed(closed), _) if closed.most > MOST => Err(too_many(f64::from(closed.most), MOST)),
        _ => Ok(()),
    }
}
