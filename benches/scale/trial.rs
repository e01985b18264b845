//! One run of the workload: what its steady state cost, and what it held in memory.
//!
//! It is made in a process of its own, so that neither an allocator nor a page table remembers the run before.

use std::alloc::System;
use std::process::Command;
use std::{fs, io};

use crate::loss::loss;
use ftp421::sim::{self, Pending, Work};
use ftp421::time::{Duration, Instant};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike as _;
use serde::{Deserialize, Serialize};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

/// Counts what is allocated, and leaves the rest to the system.
#[global_allocator]
static COUNTING: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Virtual seconds for which the server fills: of sessions of 10.2 s that begin at once, 6 in 1 000 last longer.
pub const FILLING_S: u64 = 30;
/// So many sessions come in the stretch that is measured, of about 16 events each ..
const SESSIONS: u64 = 1_000_000;
/// .. but it is so many virtual seconds long at least.
const LEAST_S: u64 = 10;

/// What one run told: a line of `scale.csv`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Trial {
    /// Which of the tries, from 1. All sizes and both calendars have their turn in each.
    pub turn: usize,
    /// The limit on clients.
    pub clients: u64,
    /// The calendar.
    pub calendar: Calendar,
    /// Events of the measured stretch.
    pub events: u64,
    /// Commands that the server read in it.
    pub commands: u64,
    /// Processor time of it, user and system, seconds.
    pub cpu_s: f64,
    /// Processor time until it began, seconds.
    pub filling_cpu_s: f64,
    /// Connections at the server: the time-weighted mean of the measured stretch.
    pub connections: f64,
    /// Events that are pending at its end.
    pub pending: u64,
    /// Bytes that are allocated at its end beyond what was before the run: capacity, touched or not.
    pub allocated: u64,
    /// The most resident memory of the process beyond what it had before the run, bytes.
    pub resident: u64,
    /// Calls of the allocator in the measured stretch.
    pub allocations: u64,
    /// The digest of the run: the same on either calendar.
    pub digest: String,
}

/// The calendar of a run.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Calendar {
    /// Lanes and the wheel: ours.
    Wheel,
    /// The standard library's `BinaryHeap`.
    Heap,
}

impl Trial {
    /// Processor time of an event, nanoseconds.
    pub fn ns(&self) -> f64 {
        self.cpu_s * 1e9 / self.events as f64
    }

    /// Commands that the server reads in a second of processor time.
    pub fn commands_per_s(&self) -> f64 {
        self.commands as f64 / self.cpu_s
    }

    /// `whole` for each client that is there on average.
    pub fn each(&self, whole: u64) -> f64 {
        whole as f64 / self.connections
    }
}

/// The length of the measured stretch, virtual seconds.
pub fn measured_s(clients: u64) -> u64 {
    (SESSIONS * 10 / clients).max(LEAST_S)
}

/// What is noted as a mark goes by.
#[derive(Clone, Copy)]
struct Note {
    work: Work,
    pending: usize,
    cpu_s: f64,
    allocated: u64,
    allocations: u64,
}

/// Runs it in this process.
pub fn run(turn: usize, clients: u64, calendar: Calendar) -> Trial {
    let seconds = FILLING_S + measured_s(clients);
    let scenario = loss(clients, seconds, FILLING_S);
    let marks = [FILLING_S, seconds].map(|s| Instant::ZERO + Duration::from_secs(s));
    let resident = resident();
    let before = note(Work::default(), 0);
    let mut notes = Vec::with_capacity(marks.len());
    let pending = match calendar {
        Calendar::Wheel => Pending::Wheel,
        Calendar::Heap => Pending::Heap,
    };
    let finished =
        sim::run_marked(&scenario, pending, &marks, |work, pending| notes.push(note(work, pending)));
    let [begin, end] = notes[..] else { unreachable!("as many notes as marks") };
    let observed = Duration::from_secs(seconds - FILLING_S).as_nanos();
    Trial {
        turn,
        clients,
        calendar,
        events: end.work.events - begin.work.events,
        commands: end.work.commands - begin.work.commands,
        cpu_s: end.cpu_s - begin.cpu_s,
        filling_cpu_s: begin.cpu_s - before.cpu_s,
        connections: finished.recorder.connections().warm_integral_ns() as f64 / observed as f64,
        pending: end.pending as u64,
        allocated: end.allocated - before.allocated,
        resident: self::resident() - resident,
        allocations: end.allocations - begin.allocations,
        digest: format!("{:032x}", finished.digest),
    }
}

/// Runs it in a process of its own: this program again.
///
/// # Errors
/// If that cannot be started, or does not come to its end.
pub fn run_apart(turn: usize, clients: u64, calendar: Calendar) -> io::Result<Trial> {
    let name = if calendar == Calendar::Heap { "heap" } else { "wheel" };
    let (turn, many) = (turn.to_string(), clients.to_string());
    let mut again = Command::new(std::env::current_exe()?);
    let output = again.args(["--one", name, "--clients", &many, "--tries", &turn]).output()?;
    if !output.status.success() {
        let why = String::from_utf8_lossy(&output.stderr);
        return Err(io::Error::other(format!("{clients} clients on the {name}: {why}")));
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

fn note(work: Work, pending: usize) -> Note {
    let stats = COUNTING.stats();
    Note {
        work,
        pending,
        cpu_s: cpu_s(),
        allocated: (stats.bytes_allocated - stats.bytes_deallocated) as u64,
        allocations: (stats.allocations + stats.reallocations) as u64,
    }
}

/// Processor time of this process so far, seconds.
pub fn cpu_s() -> f64 {
    let usage = getrusage(UsageWho::RUSAGE_SELF).expect("the kernel counts");
    (usage.user_time() + usage.system_time()).num_microseconds() as f64 / 1e6
}

/// The most resident memory that this process has had, bytes. `getrusage` would count what its parent had, too.
fn resident() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let most =
        status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse().ok());
    most.map_or(0, |kib: u64| kib << 10)
}
