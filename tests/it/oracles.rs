//! The simulator against queueing theory.
//!
//! Each value was computed from a closed form or from the stationary distribution of the Markov chain, apart from this
//! project. A test repeats a study a hundred times, with seeds fixed beforehand, and asks that the study's 95 % interval covers
//! the value in at least 88 of them: a simulator and an interval that are both exact pass with probability 0.998.
//!
//! The wire costs no time here (`rfc959`, no round trip), so that a session holds its slot for its think time alone. The mean
//! session is one second: rates are erlangs.

use ftp421::dist::Dist;
use ftp421::experiment::{Range, estimate};
use ftp421::id::{ConnId, PeerId, ServerId};
use ftp421::metrics::summary::Estimate;
use ftp421::rng::{Purpose, Streams};
use ftp421::server::{Action, Input, Server, ServerStreams};
use ftp421::time::{Duration, Instant};

use crate::support;

const REPEATS: u64 = 100;
const ENOUGH: usize = 88;

/// A server with room for `limit`, and one population.
fn loss_system(seed: u64, limit: u32, duration: &str, replications: u32, clients: &str) -> String {
    format!(
        r#"
        schema = 1
        name = "oracle"
        seed = {seed}
        duration = "{duration}"
        warmup = "20s"
        replications = {replications}
        [server]
        max_clients = {limit}
        login_timeout = "0s"
        idle_timeout = "0s"
        [[clients]]
        name = "callers"
        link = {{ rtt = "0s" }}
        {clients}
        "#
    )
}

/// How many of the repeats' intervals cover `exact`, and their mean.
fn covered(exact: f64, estimate: impl Fn(u64) -> Estimate) -> (usize, f64) {
    let mut hits = 0;
    let mut sum = 0.0;
    for seed in 1..=REPEATS {
        let e = estimate(seed);
        let (low, high) = (e.low.expect("several replications"), e.high.expect("several replications"));
        hits += usize::from(low <= exact && exact <= high);
        sum += e.mean.expect("several replications");
    }
    (hits, sum / REPEATS as f64)
}

fn assert_covered(name: &str, exact: f64, estimate: impl Fn(u64) -> Estimate) {
    let (hits, mean) = covered(exact, estimate);
    assert!(hits >= ENOUGH, "{name}: {hits} of {REPEATS} intervals cover {exact}; the mean of all is {mean}");
}

/// Erlang B is insensitive to the law of the session length: it must hold for all four alike.
#[test]
fn without_retries_first_refusals_are_erlang_b_whatever_the_session_length() {
    for (name, think) in [
        ("exponential", r#"{ dist = "exponential", mean = "1s" }"#),
        ("deterministic", r#""1s""#),
        ("lognormal", r#"{ dist = "lognormal", mean = "1s", cv = 1.2 }"#),
        ("Pareto", r#"{ dist = "pareto", mean = "1s", shape = 2.5 }"#),
    ] {
        let clients = format!(
            r#"arrivals = {{ executor = "poisson", rate = "8/s" }}
               script = ["login", {{ think = {think} }}, "quit"]"#
        );
        assert_covered(name, 0.121_661_064_252_951_5, |seed| {
            support::outcome(&loss_system(seed, 10, "140s", 8, &clients)).summary.estimates.refused_first
        });
    }
}

#[test]
fn erlang_b_holds_for_other_limits_and_loads() {
    for (limit, rate, exact) in [(10, 5, 0.018_384_570_336_648_14), (100, 90, 0.026_957_380_464_359_214)] {
        let clients = format!(
            r#"arrivals = {{ executor = "poisson", rate = "{rate}/s" }}
               script = ["login", {{ think = {{ dist = "exponential", mean = "1s" }} }}, "quit"]"#
        );
        assert_covered(&format!("c={limit}, a={rate}"), exact, |seed| {
            support::outcome(&loss_system(seed, limit, "100s", 8, &clients)).summary.estimates.refused_first
        });
    }
}

/// Every refused client retries after an exponential wait, for ever: the M/M/c/c retrial queue.
#[test]
fn with_endless_retries_first_refusals_are_those_of_the_retrial_queue() {
    for (limit, rate, wait, exact) in [
        (5, 3, "1s", 0.182_751_128_559_527_24),
        (5, 3, "100ms", 0.218_382_447_760_974_12),
        (10, 7, "1s", 0.143_285_539_209_838_28),
    ] {
        let clients = format!(
            r#"arrivals = {{ executor = "poisson", rate = "{rate}/s" }}
               script = ["login", {{ think = {{ dist = "exponential", mean = "1s" }} }}, "quit"]
               retry = {{ backoff = "fixed", wait = {{ dist = "exponential", mean = "{wait}" }}, cap = "1h" }}"#
        );
        assert_covered(&format!("c={limit}, lambda={rate}, wait={wait}"), exact, |seed| {
            support::outcome(&loss_system(seed, limit, "220s", 8, &clients)).summary.estimates.refused_first
        });
    }
}

/// Half of the refused come back after an exponential wait.
#[test]
fn with_a_return_probability_all_attempts_follow_the_retrial_queue() {
    let clients = r#"arrivals = { executor = "poisson", rate = "9/s" }
               script = ["login", { think = { dist = "exponential", mean = "1s" } }, "quit"]
               retry = { backoff = "fixed", wait = { dist = "exponential", mean = "1s" }, persistence = 0.5, cap = "1h" }"#;
    assert_covered("c=10, lambda=9, half come back", 0.233_176_133_826_466_74, |seed| {
        support::outcome(&loss_system(seed, 10, "150s", 8, clients)).summary.estimates.refused_attempt
    });
}

/// A closed population that comes again after an exponential pause: Engset's call congestion.
#[test]
fn a_closed_population_meets_engsets_call_congestion() {
    let clients = r#"arrivals = { executor = "constant-clients", clients = 20, pause = { dist = "exponential", mean = "2s" } }
               script = ["login", { think = { dist = "exponential", mean = "1s" } }, "quit"]"#;
    assert_covered("N=20, c=10, alpha=0.5", 0.041_698_150_851_449_72, |seed| {
        support::outcome(&loss_system(seed, 10, "170s", 8, clients)).summary.estimates.refused_attempt
    });
}

/// The times of the first refusal in 400 replications of a system that starts empty.
fn first_refusals(seed: u64, limit: u32, duration: &str, arrivals: &str) -> Vec<f64> {
    let clients = format!(
        r#"arrivals = {arrivals}
           script = ["login", {{ think = {{ dist = "exponential", mean = "1s" }} }}, "quit"]"#
    );
    let text =
        loss_system(seed, limit, duration, 400, &clients).replace(r#"warmup = "20s""#, r#"warmup = "0s""#);
    let scenario = support::scenario(&text);
    support::study(&scenario)
        .runs
        .iter()
        .map(|run| run.first_refusal.expect("it is refused in the end").at.as_secs_f64())
        .collect()
}

/// The mean time to the first refusal from an empty server: a birth-death chain's first passage.
#[test]
fn the_first_refusal_at_a_constant_rate_has_its_exact_mean() {
    for (limit, rate, duration, exact) in
        [(10, 12, "60s", 1.657_260_526_736_468_2), (50, 45, "90s", 4.352_385_193_838_7)]
    {
        let (mut hits, mut sum) = (0, 0.0);
        for seed in 1..=20 {
            let arrivals = format!(r#"{{ executor = "poisson", rate = "{rate}/s" }}"#);
            let times = first_refusals(seed, limit, duration, &arrivals);
            let e = estimate(times.into_iter().map(Some), Range::Positive);
            hits += usize::from(e.low <= Some(exact) && e.high >= Some(exact));
            sum += e.mean.unwrap_or(f64::NAN);
        }
        // Of 20 exact intervals at least 16 cover with probability 0.997.
        assert!(hits >= 16, "c={limit}: {hits} of 20 cover {exact}; mean {}", sum / 20.0);
    }
}

/// The law of the first refusal on a ramp lambda(t) = r t, from the Kolmogorov equations of the absorbing chain: its 5 % point
/// and its median are where 5 % and 50 % of the refusals must have come, up to four binomial standard deviations.
#[test]
fn the_first_refusal_on_a_ramp_follows_its_exact_law() {
    for (limit, slope, seconds, points) in [
        (10, 1.0, 60, [(0.05, 6.041_60), (0.5, 8.840_24)]),
        (50, 5.0, 40, [(0.95, 11.838_29), (0.95, 11.838_29)]),
        (50, 0.5, 200, [(0.05, 67.091_12), (0.95, 88.606_19)]),
    ] {
        let target = slope * f64::from(seconds);
        let arrivals = format!(
            r#"{{ executor = "ramping-arrival-rate", poisson = true, start_rate = "0/s",
                  stages = [{{ duration = "{seconds}s", target = "{target}/s" }}] }}"#
        )
        .replace('\n', " ");
        let times: Vec<f64> =
            (1..=5).flat_map(|seed| first_refusals(seed, limit, &format!("{seconds}s"), &arrivals)).collect();
        let n = times.len() as f64;
        for (p, at) in points {
            let share = times.iter().filter(|t| **t <= at).count() as f64 / n;
            let four_sigma = 4.0 * (p * (1.0 - p) / n).sqrt();
            assert!(
                (share - p).abs() <= four_sigma,
                "c={limit}, r={slope}: {share} of {n} before {at}, not {p}"
            );
        }
    }
}

/// How long newcomers wait for a core, on average, in units of the mean service: `cores` of them, with `busy` of them busy on average.
fn waiting_for_a_core(seed: u64, cores: u32, busy: f64) -> Estimate {
    const SERVICE: Duration = Duration::from_secs(1);
    let text = format!(
        "schema = 1\nname = \"oracle\"\nduration = \"1h\"\n[server]\n\
         greeting_time = \"1s\"\nhost = {{ cores = {cores}, service = \"exponential\" }}"
    );
    let policy = support::scenario(&text).servers[0].policy.clone();
    let gaps = Dist::Exponential { mean: SERVICE.as_nanos() as f64 / busy };
    let means = (0..8).map(|replication| {
        let streams = Streams::new(seed, replication);
        let arrivals = streams.stream(Purpose::Arrival, 0);
        let mut server =
            Server::new(ServerId(0), policy.clone(), ServerStreams::new(streams, ServerId(0)), &[]);
        let (mut now, mut out, mut sojourn) = (Instant::ZERO, Vec::new(), 0.0);
        for index in 0..12_000_u32 {
            now += Duration::from_nanos(gaps.sample(arrivals.word(0, u64::from(index))));
            let conn = ConnId(index);
            server.handle(now, Input::Accepted { conn, peer: PeerId(0), class: 0 }, &mut out);
            for action in out.drain(..) {
                if let Action::Reply { at, .. } = action
                    && index >= 2_000
                {
                    sojourn += at.since(now).as_secs_f64();
                }
            }
        }
        Some(sojourn / 10_000.0 - 1.0)
    });
    estimate(means, Range::Positive)
}

/// Erlang C: the mean wait of M/M/c, in units of the mean service.
#[test]
fn greetings_wait_for_a_core_as_in_the_queue_of_erlang_c() {
    for (cores, busy, exact) in [(1, 0.8, 4.0), (5, 4.0, 0.554_112_554_112_554_3)] {
        let (mut hits, mut sum) = (0, 0.0);
        for seed in 1..=20 {
            let e = waiting_for_a_core(seed, cores, busy);
            hits += usize::from(e.low <= Some(exact) && e.high >= Some(exact));
            sum += e.mean.unwrap_or(f64::NAN);
        }
        assert!(hits >= 16, "c={cores}: {hits} of 20 cover {exact}; mean {}", sum / 20.0);
    }
}
