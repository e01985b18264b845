//! Runs of a week, and populations of which few are there at a time.
//!
//! Nothing here asserts a time or a number of bytes: what is counted is what memory is proportional to.

use ftp421::rng::{Purpose, Streams};
use ftp421::scenario::Scenario;
use ftp421::sim::{self, Work};
use ftp421::time::{Duration, Instant};
use ftp421::watch::Watch;
use ftp421::workload::{ArrivalSource, Arrivals};

use crate::support;

fn with_arrivals(duration: &str, arrivals: &str, more: &str) -> Scenario {
    support::scenario(&format!(
        r#"
        schema = 1
        name = "long"
        duration = "{duration}"
        seed = 7
        [server]
        max_per_ip = 3
        [[clients]]
        name = "people"
        script = ["login", {{ think = "2s" }}]
        arrivals = {arrivals}
        {more}
        "#
    ))
}

fn work(scenario: &Scenario) -> Work {
    sim::run(scenario, 0, &mut (), &Watch::default()).0.work
}

/// Arrivals in each hour, and what the integral of the rate says of them.
fn by_hour(scenario: &Scenario) -> Vec<(f64, f64)> {
    let Arrivals::Open(open) = &scenario.populations[0].arrivals else { panic!("an open population") };
    let hours = scenario.duration.as_nanos() / 3_600_000_000_000;
    let border = |hour: u64| open.rate.integral_to(Instant::ZERO + Duration::from_secs(3_600 * hour));
    let mut counts: Vec<(f64, f64)> = (0..hours).map(|h| (0.0, border(h + 1) - border(h))).collect();
    let mut source = ArrivalSource::new(Streams::new(scenario.seed, 0).stream(Purpose::Arrival, 0));
    let mut last = Instant::ZERO;
    while let Some(arrival) = source.next(&scenario.populations[0].arrivals) {
        assert!(arrival.at >= last);
        last = arrival.at;
        counts[(arrival.at.as_nanos() / 3_600_000_000_000) as usize].0 += 1.0;
    }
    counts
}

const DAY: &str = r#"start_rate = "120/h", stages = [
    { duration = "6h", target = "30/h" }, { duration = "0s", target = "200/h" }, { duration = "14h", target = "400/h" },
    { duration = "4h", target = "120/h" },
], repeat = [1, 1.1, 1, 0.9, 1, 0.5, 0.4]"#;

/// The counts of a Poisson process in intervals apart are independent Poisson variables, whose mean and variance are the integral
/// of its rate there.
#[test]
fn every_hour_of_a_rhythm_brings_what_the_integral_of_its_rate_says() {
    let counts = by_hour(&with_arrivals("28d", &format!("{{ executor = \"poisson\", {DAY} }}"), ""));
    assert_eq!(counts.len(), 28 * 24);
    let mut chi_square = 0.0;
    for (hour, (came, expected)) in counts.iter().enumerate() {
        assert!((came - expected).abs() < 5.0 * expected.sqrt() + 1.0, "hour {hour}: {came} of {expected}");
        chi_square += (came - expected).powi(2) / expected;
    }
    let (freedom, deviation) = (counts.len() as f64, (2.0 * counts.len() as f64).sqrt());
    assert!((chi_square - freedom).abs() < 4.0 * deviation, "chi-square {chi_square} of {freedom}");
    // The same hour of two weeks expects the same, and a Sunday has 0.4 of a Monday.
    let monday: f64 = counts[..24].iter().map(|(_, expected)| expected).sum();
    let sunday: f64 = counts[6 * 24..7 * 24].iter().map(|(_, expected)| expected).sum();
    assert!((sunday / monday - 0.4).abs() < 1e-9 && (counts[30].1 - counts[7 * 24 + 30].1).abs() < 1e-6);
}

#[test]
fn an_even_rhythm_is_never_one_arrival_off() {
    let counts =
        by_hour(&with_arrivals("21d", &format!("{{ executor = \"ramping-arrival-rate\", {DAY} }}"), ""));
    let (mut came, mut expected) = (0.0, 0.0);
    for (hour, (n, area)) in counts.iter().enumerate() {
        came += n;
        expected += area;
        assert!((came - expected).abs() <= 1.0 + 1e-6, "by the end of hour {hour}: {came} of {expected}");
    }
}

/// 40 000 clients, each of whom is there for some seconds in three days. Those that come again only when the run is over do not even
/// pause: 1 - exp(-6/72) = 8 % are left, 3 198 of them.
#[test]
fn a_client_that_pauses_takes_no_slot() {
    let arrivals = r#"{ executor = "constant-clients", clients = 40000, pause = { dist = "exponential", mean = "3d" }, pause_first = true }"#;
    let done = work(&with_arrivals("6h", arrivals, ""));
    assert!((2_900..3_500).contains(&done.pausing_max), "{}", done.pausing_max);
    assert!(done.clients_max < 50, "about 0.4 at a time: {}", done.clients_max);
    assert!(done.connections_max < 50, "{}", done.connections_max);
    assert!(done.addresses < 100, "{}", done.addresses);
    assert!(
        done.pending_max < done.pausing_max + 4 * 50,
        "one entry for each that pauses: {}",
        done.pending_max
    );
    assert!(done.events > 20 * 2_000, "some thousand sessions: {} events", done.events);
}

#[test]
fn the_connections_of_one_user_pause_and_come_again_as_his() {
    let arrivals = r#"{ executor = "constant-clients", clients = 500, pause = { dist = "exponential", mean = "1h" }, pause_first = true }"#;
    let done = work(&with_arrivals("4h", arrivals, "parallel = 3"));
    assert!((1_400..=1_500).contains(&done.pausing_max), "{}", done.pausing_max);
    assert!((2..60).contains(&done.clients_max), "{}", done.clients_max);
    let limited = r#"{ executor = "per-client-sessions", sessions = 2, clients = 500, pause = "1h", pause_first = true }"#;
    let done = work(&with_arrivals("4h", limited, "parallel = 3"));
    assert_eq!(done.pausing_max, 1_500, "all of them begin with a pause");
}

/// Each client of an open population has an address of its own, which nobody remembers when it has gone.
#[test]
fn an_address_is_forgotten_with_the_last_of_what_it_has() {
    let done = work(&with_arrivals("10m", r#"{ executor = "poisson", rate = "30/s" }"#, ""));
    assert!(done.events > 200_000);
    assert!(done.clients_max < 200, "about 65 at a time: {}", done.clients_max);
    assert!(
        done.addresses <= 2 * done.connections_max + 16,
        "{} for {}",
        done.addresses,
        done.connections_max
    );
}

/// An offence is forgotten when it is over: of some ten thousand addresses that offend once, those of the last minute remain.
#[test]
fn offences_that_are_over_are_forgotten() {
    let ban = r#"wrong_password = 1.0
        [server.ban]
        on = "login_attempts"
        by = "address"
        threshold = 5
        window = "10s"
        duration = "20s""#;
    let scenario = with_arrivals("10m", r#"{ executor = "poisson", rate = "30/s" }"#, ban);
    let done = work(&scenario);
    assert!(done.events > 100_000);
    assert!(done.addresses < 4_096, "18 000 came: {}", done.addresses);
}
