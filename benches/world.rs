//! The whole simulator on the FTP loss workload: policy, timers, metrics, refusals and digest.
//!
//! Poisson arrivals at 1000 a second meet a limit of 10 000; one-way delay 25 ms; greeting, USER, PASS, three thinks of
//! Exp(3.3 s), each followed by a command, QUIT; an idle timer for each session. A session holds its slot for a round trip
//! for each of greeting, USER, PASS, three commands and QUIT, and for three thinks: 10.25 s, which makes 10 250 erlangs.
//!
//! Events per second alone would reward needless events, so each run also tells its commands and what was pending.

use std::time::{Duration as WallTime, Instant as WallInstant};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ftp421::scenario::Scenario;
use ftp421::sim::{self, Work};
use ftp421::watch::Watch;

/// Virtual seconds: 100 000 arrivals, 30 s of which fill the server.
const SECONDS: u32 = 100;

/// Runs whose median is told beside criterion's.
const RUNS: usize = 5;

fn workload() -> Scenario {
    let text = format!(
        r#"
        schema = 1
        name = "loss"
        duration = "{SECONDS}s"
        seed = 1
        [server]
        profile = "rfc959"
        max_clients = 10000
        idle_timeout = "300s"
        [[clients]]
        name = "clients"
        arrivals = {{ executor = "poisson", rate = "1000/s" }}
        link = {{ rtt = "50ms" }}
        script = [
            "login",
            {{ loop = 3, steps = [{{ think = {{ dist = "exponential", mean = "3.3s" }} }}, "noop"] }},
        ]
        "#
    );
    Scenario::read("loss.toml", &text, &mut |name| Err(format!("no file {name}"))).expect("it is valid")
}

fn simulate(scenario: &Scenario) -> Work {
    sim::run(scenario, 0, &mut (), &Watch::default()).0.work
}

#[expect(clippy::disallowed_methods, reason = "a benchmark measures the wall clock")]
fn timed(scenario: &Scenario) -> (Work, WallTime) {
    let begin = WallInstant::now();
    let work = simulate(scenario);
    (work, begin.elapsed())
}

fn world(c: &mut Criterion) {
    let scenario = workload();
    let mut runs: Vec<(Work, WallTime)> = (0..RUNS).map(|_| timed(&scenario)).collect();
    runs.sort_by_key(|(_, took)| *took);
    let (work, took) = runs[RUNS / 2];
    println!(
        "loss workload, {SECONDS} s: {} events, {} commands, {:.1} ns an event, {:.0} served commands a second; at most {} \
         clients, {} pending ({:.2} a client)",
        work.events,
        work.commands,
        took.as_nanos() as f64 / work.events as f64,
        work.commands as f64 / took.as_secs_f64(),
        work.clients_max,
        work.pending_max,
        work.pending_max as f64 / work.clients_max as f64,
    );
    let mut group = c.benchmark_group("world");
    group.sample_size(10).throughput(Throughput::Elements(work.events));
    group.bench_function("loss, 100 000 arrivals", |b| b.iter(|| simulate(&scenario)));
    group.finish();
}

criterion_group!(benches, world);
criterion_main!(benches);
