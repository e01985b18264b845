//! Transfers against queueing theory: a bandwidth that is shared is a processor-sharing queue.
//!
//! M/G/1 processor sharing has one of the few results that ask nothing of the law of the service: the mean sojourn is
//! E[S] / (1 - rho), and that of a job of size x is x / (1 - rho) (Kleinrock, *Journal of the ACM* 14(2), 1967; Sakata, Noguchi and
//! Oizumi, *Operations Research* 19(2), 1971). As for the other oracles, a hundred repeats with seeds fixed beforehand must cover
//! the value with at least 88 of their 95 % intervals.
//!
//! Sojourns are correlated, so an interval is of batch means: one long run in pieces that hardly know of each other.
//! Nothing costs time but the transfer (`rfc959`, no round trip), and a mean transfer alone takes 1 ms: rates are rho x 1000.

use ftp421::experiment::{Range, estimate};
use ftp421::ftp::Verb;
use ftp421::id::PopulationId;
use ftp421::metrics::summary::Estimate;
use ftp421::scenario::Scenario;
use ftp421::sim::{self, Happening, Tap, Watch, Who};
use ftp421::time::{Duration, Instant};

use crate::support;

const REPEATS: u64 = 100;
const ENOUGH: usize = 88;
const BATCHES: usize = 8;

/// 1 MB at 1 GB/s: a millisecond.
fn scenario(seed: u64, seconds: u32, clients: &str) -> Scenario {
    support::scenario(&format!(
        r#"
        schema = 1
        name = "sharing"
        seed = {seed}
        duration = "{seconds}s"
        [server]
        bandwidth = "1GB/s"
        login_timeout = "0s"
        idle_timeout = "0s"
        {clients}
        "#
    ))
}

fn population(name: &str, rate: f64, size: &str) -> String {
    format!(
        r#"
        [[clients]]
        name = "{name}"
        link = {{ rtt = "0s" }}
        arrivals = {{ executor = "poisson", rate = "{rate}/s" }}
        script = ["login", {{ retr = {size} }}]
        "#
    )
}

/// How long the transfers of one population took, in batches by when they began.
struct Sojourns {
    population: PopulationId,
    /// When the first batch begins.
    from: Instant,
    /// How long a batch is.
    batch: Duration,
    /// When each client of it said RETR.
    begun: Vec<Instant>,
    /// Sum in nanoseconds and number.
    batches: [(u128, u64); BATCHES],
}

impl Sojourns {
    fn record(&mut self, begun: Instant, took: Duration) {
        let place = begun.since(self.from).as_nanos() / self.batch.as_nanos();
        if begun >= self.from
            && let Some(batch) = self.batches.get_mut(place as usize)
        {
            batch.0 += u128::from(took.as_nanos());
            batch.1 += 1;
        }
    }
}

impl Tap for Sojourns {
    fn happens(&mut self, now: Instant, who: Who, what: Happening<'_>) {
        if who.population != self.population {
            return;
        }
        let client = who.index as usize;
        match what {
            Happening::Command(command) if command.verb == Verb::Retr => {
                self.begun.resize(self.begun.len().max(client + 1), Instant::NEVER);
                self.begun[client] = now;
            }
            Happening::Reply { reply, .. } if reply.code == 226 => {
                self.record(self.begun[client], now.since(self.begun[client]));
            }
            _ => {}
        }
    }
}

/// The mean sojourn of population number `population`, in milliseconds, from one long run: a tenth to warm up, eight batches, and
/// a tenth in which the last of them end.
fn mean_sojourn(scenario: &Scenario, population: u16) -> Estimate {
    let batch = Duration::from_nanos(scenario.duration.as_nanos() / (BATCHES as u64 + 2));
    let mut tap = Sojourns {
        population: PopulationId(population),
        from: Instant::ZERO + batch,
        batch,
        begun: Vec::new(),
        batches: [(0, 0); BATCHES],
    };
    sim::run(scenario, 0, &mut tap, &Watch::default());
    let mean = |(sum, count): (u128, u64)| Some(sum as f64 / count as f64 / 1e6);
    estimate(tap.batches.map(mean), Range::Positive)
}

fn assert_covered(name: &str, exact: f64, estimate: impl Fn(u64) -> Estimate) {
    let (mut hits, mut sum) = (0, 0.0);
    for seed in 1..=REPEATS {
        let e = estimate(seed);
        hits += usize::from(e.low <= Some(exact) && e.high >= Some(exact));
        sum += e.mean.expect("several replications");
    }
    let mean = sum / REPEATS as f64;
    assert!(hits >= ENOUGH, "{name}: {hits} of {REPEATS} intervals cover {exact}; the mean of all is {mean}");
}

const LAWS: [(&str, &str); 2] = [
    ("exponential", r#"{ dist = "exponential", mean = "1MB" }"#),
    ("lognormal", r#"{ dist = "lognormal", mean = "1MB", cv = 1.5 }"#),
];

#[test]
fn the_mean_sojourn_at_load_0_8_is_five_services_whatever_their_law() {
    for (name, size) in LAWS {
        assert_covered(name, 5.000_000_000_000_001, |seed| {
            mean_sojourn(&scenario(seed, 40, &population("callers", 800.0, size)), 0)
        });
    }
}

#[test]
fn the_mean_sojourn_at_load_0_9_is_ten_services() {
    let (name, size) = LAWS[1];
    assert_covered(name, 10.000_000_000_000_002, |seed| {
        mean_sojourn(&scenario(seed, 25, &population("callers", 900.0, size)), 0)
    });
}

/// E[T | x] = x / (1 - rho): a probe of 2 MB among others at a total load of 0.8 takes 10 ms on average.
#[test]
fn the_mean_sojourn_of_a_size_is_proportional_to_it() {
    let (name, size) = LAWS[1];
    let clients = population("callers", 700.0, size) + &population("probes", 50.0, "\"2MB\"");
    assert_covered(name, 10.0, |seed| mean_sojourn(&scenario(seed, 40, &clients), 1));
}
