//! What it costs to follow a run: the loss workload of `benches/loss.rs` as it is, with one client's dialogue, and with a trace.
//!
//! Every round runs each variant once, in turn; a ratio is that of one round, and its median over the rounds is told beside the least and
//! the greatest. Three times are told, each in nanoseconds for an event of the calendar: the wall clock's, the processor's for the thread
//! that simulates, and the processor's for the scribe, the thread that writes the trace. With a core for each the run takes as long as the
//! busier of the two; the wall clock shows it on a quiet machine only, the processor's times on any.
//!
//! What the kernel and the compressor take for themselves is told apart: the same bytes, once more, without a simulation.

mod loss;

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Instant as WallInstant;

use ftp421::cli::scribe::{Form, Scribe};
use ftp421::id::PopulationId;
use ftp421::scenario::Scenario;
use ftp421::sim::{self, Dialogue, Tap, Trace};
use ftp421::watch::Watch;
use nix::sys::resource::{Usage, UsageWho, getrusage};

/// Rounds; more are asked for by `cargo bench --bench trace -- ROUNDS`.
const ROUNDS: usize = 7;

/// What a variant took, in nanoseconds.
#[derive(Clone, Copy, Default)]
struct Took {
    wall: f64,
    simulating: f64,
    scribe: f64,
}

/// The processor's time of the whole process, and of this thread.
fn busy() -> (f64, f64) {
    let sum = |usage: Usage| {
        let both = [usage.user_time(), usage.system_time()];
        both.iter().map(|t| t.tv_sec() as f64 * 1e9 + t.tv_usec() as f64 * 1e3).sum()
    };
    let of = |who| getrusage(who).map(sum).expect("the system knows");
    (of(UsageWho::RUSAGE_SELF), of(UsageWho::RUSAGE_THREAD))
}

#[expect(clippy::disallowed_methods, reason = "a benchmark measures the wall clock")]
fn timed<R>(work: impl FnOnce() -> R) -> (R, Took) {
    let (begin, before) = (WallInstant::now(), busy());
    let result = work();
    let (wall, after) = (begin.elapsed(), busy());
    let simulating = after.1 - before.1;
    (result, Took { wall: wall.as_nanos() as f64, simulating, scribe: after.0 - before.0 - simulating })
}

/// Simulates with `tap` as the command line does where anything is followed: perhaps a dialogue, perhaps a trace.
fn simulate(scenario: &Scenario, mut tap: impl Tap) -> u64 {
    sim::run(scenario, 0, &mut tap, &Watch::default()).0.work.events
}

type Sheets = fn(&mut Vec<u8>) -> io::Result<()>;

fn with_trace(scenario: &Scenario, keep: impl FnMut(&mut Vec<u8>) -> io::Result<()>) {
    let mut trace = Trace::new(scenario, keep);
    let dialogue: Option<&mut Dialogue<'_>> = None;
    simulate(scenario, (dialogue, Some(&mut trace)));
    trace.finish().expect("it is kept");
}

fn with_scribe(scenario: &Scenario, form: Form, path: &Path) {
    let out = File::create(path).expect("the build's own folder can be written");
    let mut scribe = Scribe::start(form, out, || {}).expect("a thread");
    with_trace(scenario, |sheet| scribe.take(sheet));
    scribe.finish().expect("there is room");
}

const VARIANTS: [&str; 7] = [
    "not followed",
    "--dialogue 0",
    "--dialogue of nobody",
    "lines put together and thrown away",
    "--trace to /dev/null",
    "--trace to a file",
    "--trace=zst to a file",
];

fn variant(number: usize, scenario: &Scenario, file: &Path) {
    let dialogue = |index| {
        let mut dialogue = Dialogue::new(scenario, PopulationId(0), index);
        let trace: Option<&mut Trace<'_, Sheets>> = None;
        simulate(scenario, (Some(&mut dialogue), trace));
    };
    match number {
        0 => drop(simulate(scenario, ())),
        1 => dialogue(0),
        2 => dialogue(u32::MAX),
        3 => with_trace(scenario, |sheet| {
            sheet.clear();
            Ok(())
        }),
        4 => with_scribe(scenario, Form::Ndjson, Path::new("/dev/null")),
        5 => with_scribe(scenario, Form::Ndjson, file),
        _ => with_scribe(scenario, Form::Zst, file),
    }
}

/// The median, the least and the greatest.
fn spread(mut values: Vec<f64>) -> (f64, f64, f64) {
    values.sort_by(f64::total_cmp);
    (values[values.len() / 2], values[0], values[values.len() - 1])
}

fn main() {
    let rounds = std::env::args().find_map(|arg| arg.parse().ok()).unwrap_or(ROUNDS);
    let file = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("bench-trace");
    let scenario = loss::loss(10_000, 100, 0);
    let events = simulate(&scenario, ()) as f64;
    let mut all = Vec::new();
    with_trace(&scenario, |sheet| {
        all.append(sheet);
        Ok(())
    });
    let lines = all.split(|byte| *byte == b'\n').count() as f64 - 1.0;
    println!(
        "loss workload: {events} events, {lines} lines of {:.0} bytes; {rounds} rounds",
        all.len() as f64 / lines
    );
    println!(
        "{:36} {:>8} {:>8} {:>8}   {:>24}   {:>24}",
        "ns an event, medians", "wall", "sim", "scribe", "wall: ratio", "sim: ratio"
    );
    let mut took = vec![[Took::default(); VARIANTS.len()]; rounds];
    for round in &mut took {
        for (number, cell) in round.iter_mut().enumerate() {
            *cell = timed(|| variant(number, &scenario, &file)).1;
        }
    }
    for (number, name) in VARIANTS.iter().enumerate() {
        let column =
            |of: fn(&Took) -> f64| spread(took.iter().map(|round| of(&round[number]) / events).collect()).0;
        let ratio = |of: fn(&Took) -> f64| {
            let (median, least, most) =
                spread(took.iter().map(|round| of(&round[number]) / of(&round[0])).collect());
            format!("{median:.2} ({least:.2} .. {most:.2})")
        };
        let (wall, simulating, scribe) = (column(|t| t.wall), column(|t| t.simulating), column(|t| t.scribe));
        println!(
            "{name:36} {wall:8.1} {simulating:8.1} {scribe:8.1}   {:>24}   {:>24}",
            ratio(|t| t.wall),
            ratio(|t| t.simulating)
        );
    }
    alone(&all, &file, rounds, lines);
}

type Way<'a> = &'a dyn Fn(&Path);

/// What the kernel and the compressor take for the bytes of a trace.
fn alone(all: &[u8], file: &Path, rounds: usize, lines: f64) {
    let size = |path: &Path| std::fs::metadata(path).map_or(0, |data| data.len());
    let copied = |path: &Path| {
        let mut out = File::create(path).expect("the build's own folder can be written");
        all.chunks(256 * 1024).try_for_each(|sheet| out.write_all(sheet)).expect("there is room");
    };
    let packed = |_: &Path| {
        let out = zstd::encode_all(all, 1).expect("memory");
        std::fs::write(file, out).expect("there is room");
    };
    let ways: [(&str, &Path, Way<'_>); 3] = [
        ("write to /dev/null", Path::new("/dev/null"), &copied),
        ("write to a file", file, &copied),
        ("zstd and write to a file", file, &packed),
    ];
    for (name, path, way) in ways {
        let took = spread((0..rounds).map(|_| timed(|| way(path)).1.simulating / lines).collect());
        println!(
            "alone: {name:29} {:8.1} ns of the processor a line ({:.1} .. {:.1}), {} bytes",
            took.0,
            took.1,
            took.2,
            size(path)
        );
    }
    let _ = std::fs::remove_file(file);
}
