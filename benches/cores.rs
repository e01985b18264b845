//! What a second core is worth to a study, and all of them.
//!
//! Three studies: many short replications, some long ones, and a few whose lengths differ by a factor of fifty (a storm of retries in some of
//! them and not in others). Each is run on 1, 2 and all threads in turn, several rounds in one process, and the medians are told:
//!
//! - *wall*: seconds from the call of `replicate` to its study;
//! - *speed-up*: the wall time on one thread, divided by this one;
//! - *CPU*: seconds of processor time of all threads together. If it grows with the threads, they are in each other's way (memory,
//!   allocation, cache lines);
//! - *path*: processor seconds of the busiest thread, and of whoever called. It is what the wall time would be if nobody else had the
//!   machine, so one thread's CPU divided by it is the speed-up that the structure allows, also where the wall tells of neighbours.

mod loss;

use std::time::{Duration, Instant};

use ftp421::experiment::replicate;
use ftp421::scenario::Scenario;
use ftp421::watch::Watch;
use nix::time::{ClockId, clock_gettime};

const ROUNDS: usize = 5;

fn studies() -> Vec<(&'static str, Scenario)> {
    let text = |duration: &str, replications: u32, rest: &str| {
        format!(
            "schema = 1\nname = \"cores\"\nduration = \"{duration}\"\nseed = 1\nreplications = {replications}\n{rest}"
        )
    };
    let people = r#"
        [server]
        max_clients = 1
        [[clients]]
        name = "people"
        arrivals = { executor = "poisson", rate = "6/m" }
        script = ["login", { think = "30s" }, "quit"]
    "#;
    // A crowd of fifty where one is let in: who is refused comes again at once, until the few are served.
    let uneven = r#"
        [server]
        max_clients = 12
        [[clients]]
        name = "people"
        arrivals = { executor = "poisson", rate = "0.5/s" }
        script = ["login", { think = { dist = "pareto", mean = "20s", shape = 1.2 } }, "quit"]
        retry = { backoff = "fixed", wait = "200ms", attempts = 400 }
    "#;
    let read = |name: &str, text: &str| {
        let read = Scenario::read(name, text, &mut |file| Err(format!("no file {file}")));
        read.unwrap_or_else(|problem| panic!("{problem}"))
    };
    vec![
        ("2000 short", read("short.toml", &text("10m", 2_000, people))),
        ("12 long", Scenario { replications: 12, ..loss::loss(1_000, 200, 0) }),
        ("25 uneven", read("uneven.toml", &text("2h", 25, uneven))),
    ]
}

/// One run on so many threads.
#[derive(Clone, Copy)]
struct Took {
    wall: f64,
    cpu: f64,
    path: f64,
}

#[expect(clippy::disallowed_methods, reason = "a benchmark measures the wall clock")]
fn timed(scenario: &Scenario, pool: &rayon::ThreadPool) -> (Took, Vec<u128>) {
    let own = || cpu(ClockId::CLOCK_THREAD_CPUTIME_ID);
    let (all, mine, each) = (cpu(ClockId::CLOCK_PROCESS_CPUTIME_ID), own(), pool.broadcast(|_| own()));
    let begin = Instant::now();
    let study = pool.install(|| replicate(scenario, &mut (), &Watch::default()));
    let wall = begin.elapsed().as_secs_f64();
    let busiest = pool.broadcast(|_| own()).into_iter().zip(each).map(|(after, before)| after - before);
    let path = busiest.fold(0.0, f64::max) + own() - mine;
    let took = Took { wall, cpu: cpu(ClockId::CLOCK_PROCESS_CPUTIME_ID) - all, path };
    (took, study.runs.iter().map(|run| run.digest).collect())
}

fn cpu(clock: ClockId) -> f64 {
    let now = clock_gettime(clock).expect("the clock is there");
    Duration::from(now).as_secs_f64()
}

fn median(mut of: Vec<f64>) -> f64 {
    of.sort_by(f64::total_cmp);
    of[of.len() / 2]
}

fn main() {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let mut threads = vec![1, 2, cores];
    threads.dedup();
    let pools: Vec<rayon::ThreadPool> = threads
        .iter()
        .map(|n| rayon::ThreadPoolBuilder::new().num_threads(*n).build().expect("threads can be started"))
        .collect();
    println!(
        "{cores} cores; medians of {ROUNDS} rounds in turn; speed-up: wall of 1 thread / wall; by structure: CPU of 1 thread / path"
    );
    for (name, scenario) in studies() {
        let mut took: Vec<Vec<Took>> = vec![Vec::new(); pools.len()];
        let mut digests = None;
        for _ in 0..ROUNDS {
            for (pool, took) in pools.iter().zip(&mut took) {
                let (one, found) = timed(&scenario, pool);
                took.push(one);
                assert_eq!(
                    digests.get_or_insert_with(|| found.clone()),
                    &found,
                    "the same on any number of threads"
                );
            }
        }
        let of = |place: usize, what: fn(&Took) -> f64| median(took[place].iter().map(what).collect());
        for (place, n) in threads.iter().enumerate() {
            let (wall, cpu, path) = (of(place, |t| t.wall), of(place, |t| t.cpu), of(place, |t| t.path));
            let ratios = took[0].iter().zip(&took[place]);
            let (speed_up, structure): (Vec<f64>, Vec<f64>) =
                ratios.map(|(one, this)| (one.wall / this.wall, one.cpu / this.path)).unzip();
            println!(
                "{name:>11}, {n} threads: wall {wall:6.3} s, CPU {cpu:6.3} s, path {path:6.3} s, speed-up {:.2}, by structure {:.2}",
                median(speed_up),
                median(structure),
            );
        }
    }
}
