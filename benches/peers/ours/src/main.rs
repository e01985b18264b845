//! Our own whole model under the same load, on its calendar and on the standard library's heap; and the bare loop on our
//! calendar, which tells what of the cost is the queue's and what the model's.
//!
//! It decides nothing: the first argument names which.

use bare::Pending;
use ftp421::scenario::Scenario;
use ftp421::sim::{self, Calendar, Finished, Queue};
use ftp421::time::Instant;
use ftp421::watch::Watch;
use workload::{Answer, Load, Slice, WAY_NS, arguments, usage};

/// The bare loop's events on our calendar, which is told nothing of ways and thinks.
struct Ours(Calendar<u32>);

impl Pending for Ours {
    fn wire(&mut self, now: u64, what: u32) {
        self.later(now + WAY_NS, what);
    }

    fn later(&mut self, at: u64, what: u32) {
        self.0.schedule(Instant::from_nanos(at), what);
    }

    fn pop(&mut self) -> Option<(u64, u32)> {
        self.0.pop().map(|(at, what)| (at.as_nanos(), what))
    }
}

/// The whole model: a server with a policy and an idle timer for each session, clients with reply timeouts, refusals told by
/// cause and phase, histograms, a time series, a digest of every input and action.
fn scenario(load: Load) -> Scenario {
    let Load { seed, rate, limit, seconds, .. } = load;
    let text = format!(
        r#"
        schema = 1
        name = "loss"
        duration = "{seconds}s"
        seed = {seed}
        [server]
        profile = "rfc959"
        max_clients = {limit}
        idle_timeout = "300s"
        [[clients]]
        name = "clients"
        arrivals = {{ executor = "poisson", rate = "{rate}/s" }}
        link = {{ rtt = "50ms" }}
        script = [
            "login",
            {{ loop = 2, steps = [{{ think = {{ dist = "exponential", mean = "3.3s" }} }}, "noop"] }},
            {{ think = {{ dist = "exponential", mean = "3.3s" }} }},
        ]
        "#
    );
    Scenario::read("loss.toml", &text, &mut |name| Err(format!("no file {name}"))).expect("it is valid")
}

fn whole(load: Load, run: fn(&Scenario) -> Finished) -> Answer {
    let scenario = scenario(load);
    let (begin, _) = usage();
    let finished = run(&scenario);
    let (end, rss_kib) = usage();
    Answer {
        events: finished.work.events,
        clients: finished.recorder.counts().wanted,
        cpu_s: end - begin,
        rss_kib,
        slices: slices(load, &finished),
    }
}

/// The recorder's time series, whose stretches fit into the slices that are wanted.
fn slices(load: Load, finished: &Finished) -> Vec<Slice> {
    let mut slices = vec![Slice::default(); load.slices as usize];
    let slice_s = f64::from(load.seconds) / f64::from(load.slices);
    for row in finished.recorder.series().rows(finished.recorder.end(), 1) {
        let middle_s = row.begin_s + row.width_s / 2.0;
        let slice = &mut slices[(middle_s / slice_s) as usize];
        slice.arrived += row.attempts as u64;
        slice.refused += row.turned_away as u64;
        slice.busy += row.connections_mean * row.width_s / slice_s;
    }
    slices
}

fn main() {
    let (variant, load) = arguments(&["world", "heap", "bare"]);
    let answer = match variant.as_str() {
        "world" => whole(load, |scenario| sim::run(scenario, 0, &mut (), &Watch::default()).0),
        "heap" => whole(load, |scenario| sim::run_marked(scenario, sim::Pending::Heap, &[], |_, _| {})),
        _ => bare::run(load, Ours(Calendar::default())),
    };
    answer.print();
}
