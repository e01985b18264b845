//! A run: its threads, each with a runtime and a shard, from the first arrival to the last QUIT.
//!
//! It counts nothing and knows no FTP but the QUIT of clients that are still there at the end.

use std::cell::RefCell;
use std::future::poll_fn;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Sender};
use std::task::Poll;
use std::thread::{self, JoinHandle};

use tokio::task::LocalSet;
use tokio::time::sleep_until;

use super::collect::{Ending, Frame, Outbox, merge};
use super::fleet::{Spent, Worker, follow};
use super::health::Machine;
use super::schedule::Share;
use super::shard::Shard;
use super::{Gauges, Health, Heard, Plan, Trouble, health, limits};
use crate::client::Tls;
use crate::live::tls::Connector;
use crate::live::{Alarm, Clock};
use crate::time::{Duration, Instant};
use crate::watch::Watch;

/// So often marks are handed over, and interrupts looked for.
const EVERY: Duration = Duration::from_millis(50);
/// So many due things are done before the network has its turn.
const SERVED: usize = 64;

/// Runs `plan` until its scenario is over or `watch` says stop, and hands all that it hears to `hear`.
///
/// # Errors
/// What the machine refuses before the run: threads, processes, addresses.
pub fn run(
    plan: &Plan,
    watch: &Watch,
    gauges: &Arc<Gauges>,
    hear: &mut dyn FnMut(Heard),
) -> Result<Health, Trouble> {
    lead(plan, Vec::new(), watch, gauges, hear)
}

/// The same with `workers`: processes of the same plan, the first of which is number 1. They have to be one less than
/// [`Plan::processes`].
///
/// # Errors
/// What the machine refuses before the run, and a worker that is lost: then nothing that was measured is whole.
pub fn lead(
    plan: &Plan,
    workers: Vec<Worker>,
    watch: &Watch,
    gauges: &Arc<Gauges>,
    hear: &mut dyn FnMut(Heard),
) -> Result<Health, Trouble> {
    let processes = plan.processes.max(1);
    if workers.len() as u32 + 1 != processes {
        return Err(Trouble(format!("{processes} processes are to run, and {} do", workers.len() + 1)));
    }
    let stop = Arc::new(AtomicBool::new(false));
    let (to, frames) = mpsc::channel();
    let clock = Clock::of(plan.epoch);
    let mut spent = Spent { cpu_ns: 0, descriptors: limits::raise()? };
    let (machine, cpu_before) = (Machine::now(), health::cpu_ns());
    let threads = start(plan, Part::of_process(plan, 0), gauges, &stop, &to)?;
    let (mut ends, mut readers) = (Vec::new(), Vec::new());
    for Worker { says, hears } in workers {
        let (gauges, to) = (Arc::clone(gauges), to.clone());
        readers.push(thread::spawn(move || follow(says, &gauges, &to)));
        ends.push(hears);
    }
    drop(to);
    let shards = processes * plan.threads.max(1);
    let endings = merge(shards, &frames, hear, &mut || {
        if watch.is_stopped() {
            stop.store(true, Ordering::Relaxed);
            ends.clear(); // a worker stops when nobody is there to tell it anything
        }
    });
    join(threads)?;
    for worker in join(readers)? {
        spent.cpu_ns += worker.cpu_ns;
        spent.descriptors += worker.descriptors;
    }
    spent.cpu_ns += health::cpu_ns() - cpu_before;
    let mut health = Health {
        late: health::lateness(),
        dropped: 0,
        exhausted: 0,
        open_max: 0,
        descriptors: spent.descriptors,
        cpu_ns: spent.cpu_ns,
        busy_share: None,
        steal_share: None,
        wall_ns: clock.now().as_nanos(),
        threads: shards,
        processes,
        corrupt: 0,
        verified: 0,
        unverified: 0,
    };
    let cores = thread::available_parallelism().map_or(1, std::num::NonZero::get) as u64;
    if let (Some(before), Some(after)) = (machine, Machine::now()) {
        let others = after.shares(before, health.cpu_ns, health.wall_ns, cores);
        (health.busy_share, health.steal_share) = others.unzip();
    }
    for ending in &endings {
        health::add(&mut health, &ending.part);
    }
    tell_end(endings, hear);
    Ok(health)
}

/// The shards of one process among all.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Part {
    first: u32,
    count: u32,
    of: u32,
}

impl Part {
    /// The shards of process number `process`.
    pub(super) fn of_process(plan: &Plan, process: u32) -> Self {
        let count = plan.threads.max(1);
        Self { first: process * count, count, of: plan.processes.max(1) * count }
    }
}

type Shards = Vec<JoinHandle<Result<(), Trouble>>>;

/// Starts a thread for each shard of `part`.
pub(super) fn start(
    plan: &Plan,
    part: Part,
    gauges: &Arc<Gauges>,
    stop: &Arc<AtomicBool>,
    to: &Sender<Frame>,
) -> Result<Shards, Trouble> {
    let plan = Arc::new(as_target_says(plan));
    let speaks = plan.scenario.populations.iter().any(|spec| spec.behaviour.tls != Tls::None);
    let connector = speaks.then(|| Connector::new(&plan.target.tls, &plan.target.host));
    let connector = connector.transpose().map_err(|why| Trouble(format!("TLS: {why}")))?;
    let mut threads = Vec::new();
    for shard in part.first..part.first + part.count {
        let (plan, gauges, stopped, to) =
            (Arc::clone(&plan), Arc::clone(gauges), Arc::clone(stop), to.clone());
        let (connector, share) = (connector.clone(), Share { shard, of: part.of });
        let thread = thread::Builder::new()
            .name(format!("shard {shard}"))
            .spawn(move || shard_thread(&plan, share, to, &gauges, &stopped, connector))
            .map_err(|error| Trouble(format!("no thread for shard {shard}: {error}")));
        match thread {
            Ok(thread) => threads.push(thread),
            Err(trouble) => {
                stop.store(true, Ordering::Relaxed);
                return Err(trouble);
            }
        }
    }
    Ok(threads)
}

/// Waits for the end of `threads`, and gives what they came to.
pub(super) fn join<T>(threads: Vec<JoinHandle<Result<T, Trouble>>>) -> Result<Vec<T>, Trouble> {
    let broken = || Trouble("a thread of the generator broke down".to_owned());
    threads.into_iter().map(|thread| thread.join().map_err(|_| broken())?).collect()
}

/// The plan with clients who speak as its target does: where TLS begins with the first byte, it does so for everybody.
fn as_target_says(plan: &Plan) -> Plan {
    let mut plan = plan.clone();
    if plan.target.implicit_tls {
        let scenario = Arc::make_mut(&mut plan.scenario);
        scenario.populations.iter_mut().for_each(|spec| spec.behaviour.tls = Tls::Implicit);
    }
    plan
}

/// Puts together what the shards had left at the end.
fn tell_end(endings: Vec<Ending>, hear: &mut dyn FnMut(Heard)) {
    let mut all = Ending::default();
    for mut ending in endings {
        all.at = all.at.max(ending.at);
        all.connections.append(&mut ending.connections);
        all.sessions.append(&mut ending.sessions);
        all.wanting.append(&mut ending.wanting);
        all.dialogue = all.dialogue.or(ending.dialogue);
    }
    hear(Heard::End {
        at: all.at,
        open_connections: all.connections,
        open_sessions: all.sessions,
        still_wanting: all.wanting,
    });
    all.dialogue.into_iter().for_each(|text| hear(Heard::Dialogue(text)));
}

/// One thread: a runtime, and a shard that lives in it.
fn shard_thread(
    plan: &Arc<Plan>,
    part: Share,
    to: Sender<Frame>,
    gauges: &Arc<Gauges>,
    stop: &AtomicBool,
    connector: Option<Connector>,
) -> Result<(), Trouble> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Trouble(format!("no runtime for shard {}: {error}", part.shard)))?;
    let shard = Rc::new_cyclic(|me| {
        let outbox = Outbox::new(part.shard, to);
        RefCell::new(Shard::new(Arc::clone(plan), part, me.clone(), outbox, Arc::clone(gauges), connector))
    });
    LocalSet::new().block_on(&runtime, async {
        let mut alarm = Alarm::new(Clock::of(plan.epoch))
            .map_err(|error| Trouble(format!("no timer for shard {}: {error}", part.shard)))?;
        let end = drive(&shard, &mut alarm, stop).await;
        let mut ending = shard.borrow_mut().end(end);
        take_leave(&shard, plan.grace).await;
        ending.dialogue = shard.borrow_mut().transcript.take().map(|transcript| transcript.text().to_owned());
        shard.borrow_mut().outbox.finish(ending);
        Ok(())
    })
}

/// Does what is due, until the scenario is over or somebody says stop. Returns when that was.
async fn drive(shard: &Rc<RefCell<Shard>>, alarm: &mut Alarm, stop: &AtomicBool) -> Instant {
    let (clock, end) = {
        let shard = shard.borrow();
        (shard.clock, Instant::ZERO + shard.plan.scenario.duration)
    };
    sleep_until(clock.deadline(Instant::ZERO)).await; // before, the clock stands still
    let mut flush_at = Instant::ZERO;
    loop {
        let next = shard.borrow_mut().serve(SERVED);
        let now = clock.now();
        if now >= end || stop.load(Ordering::Relaxed) {
            return now.min(end);
        }
        if now >= flush_at {
            shard.borrow_mut().outbox.flush(next.min(now));
            flush_at = now + EVERY;
        }
        if next <= now {
            tokio::task::yield_now().await;
        } else {
            sleep(shard, alarm, next.min(flush_at).min(end)).await;
        }
    }
}

/// Sleeps until `until`, or until something is due before.
async fn sleep(shard: &Rc<RefCell<Shard>>, alarm: &mut Alarm, until: Instant) {
    shard.borrow_mut().sleeps_until = until;
    poll_fn(|cx| {
        let mut shard = shard.borrow_mut();
        shard.sleeper.get_or_insert_with(|| cx.waker().clone());
        if shard.next_at() < until { Poll::Ready(()) } else { alarm.poll(until, cx) }
    })
    .await;
    shard.borrow_mut().sleeps_until = Instant::ZERO;
}

/// Waits until the clients that were logged in have had the answer to their QUIT, or `grace` is over.
async fn take_leave(shard: &Rc<RefCell<Shard>>, grace: Duration) {
    let clock = shard.borrow().clock;
    let until = clock.now() + grace;
    while shard.borrow_mut().close_up(clock.now() >= until) {
        sleep_until(clock.deadline(clock.now() + Duration::from_millis(5))).await;
    }
}
