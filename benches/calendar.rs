//! The hold model: with n events pending, take out the next and enter another one an exponential time later.
//!
//! `sim::Calendar` stands beside the standard library's heap with the same entries in the same run: on a shared machine only
//! their ratio says anything. The random increments come from a table, so that their making is not measured.

use std::hint::black_box;
use std::time::Duration as WallTime;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ftp421::rng::{Purpose, Streams};
use ftp421::sim::{Calendar, Heap, Queue};
use ftp421::time::{Duration, Instant};

/// How many increments there are before they repeat. A power of two.
const INCREMENTS: usize = 1 << 16;

/// As large as an event of the simulator.
type Event = u64;

/// Exponential with a mean of a second.
fn increments() -> Vec<Duration> {
    let stream = Streams::new(1, 0).stream(Purpose::Think, 0);
    (0..INCREMENTS as u64).map(|i| Duration::from_secs_f64(-libm::log(stream.unit(i, 0)))).collect()
}

/// `pending` events whose times are those of a hold model that has gone on for ever.
fn filled<Q: Queue<Event>>(pending: usize) -> Q {
    let stream = Streams::new(2, 0).stream(Purpose::Think, 0);
    let mut queue = Q::default();
    for i in 0..pending as u64 {
        queue.schedule(Instant::ZERO + Duration::from_secs_f64(-libm::log(stream.unit(i, 0))), i);
    }
    queue
}

fn hold<Q: Queue<Event>>(c: &mut Criterion, name: &str, pending: usize, increments: &[Duration]) {
    let mut group = c.benchmark_group(format!("hold/{pending}"));
    group.throughput(Throughput::Elements(1)).sample_size(30);
    group.warm_up_time(WallTime::from_secs(1)).measurement_time(WallTime::from_secs(2));
    let mut queue: Q = filled(pending);
    let mut turn = 0;
    group.bench_function(name, |b| {
        b.iter(|| {
            let (at, event) = queue.pop().expect("as many are entered as taken out");
            turn = (turn + 1) % INCREMENTS;
            queue.schedule(at + increments[turn], black_box(event));
        });
    });
    group.finish();
}

fn calendars(c: &mut Criterion) {
    let increments = increments();
    for pending in [1_000, 100_000, 1_000_000] {
        hold::<Heap<Event>>(c, "std BinaryHeap", pending, &increments);
        hold::<Calendar<Event>>(c, "sim::Calendar", pending, &increments);
    }
}

criterion_group!(benches, calendars);
criterion_main!(benches);
