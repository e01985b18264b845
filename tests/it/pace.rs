//! How far a replication is said to be, against how far it is.

use std::fs;

use ftp421::experiment::Pace;
use ftp421::scenario::Scenario;
use ftp421::sim::{self, Happening, Tap, Who};
use ftp421::time::Instant;
use ftp421::watch::Watch;

use crate::support::{project, scenario};

/// When each message was sent or heard: what a run costs is in proportion to their number.
#[derive(Default)]
struct Times(Vec<Instant>);

impl Tap for Times {
    fn happens(&mut self, now: Instant, _: Who, _: Happening<'_>) {
        self.0.push(now);
    }
}

/// When a quarter, half and three quarters of a replication's messages are through: the share that its pace tells, and that of its
/// virtual time.
fn told(scenario: &Scenario) -> [(f64, f64, f64); 3] {
    let mut times = Times::default();
    sim::run(scenario, 0, &mut times, &Watch::default());
    let pace = Pace::of(scenario);
    [0.25, 0.5, 0.75].map(|done| {
        let at = times.0[(times.0.len() as f64 * done) as usize];
        (done, pace.share(at), at.as_secs_f64() / scenario.duration.as_secs_f64())
    })
}

/// Nights and days: between 2 and 40 sessions a minute, a limit that is met at noon, and retries.
const DAYS: &str = r#"
schema = 1
name = "days"
duration = "2d"
[server]
max_clients = 45
[[clients]]
name = "people"
arrivals = { executor = "ramping-arrival-rate", poisson = true, start_rate = "2/m", stages = [
    { duration = "12h", target = "40/m" }, { duration = "12h", target = "2/m" },
    { duration = "12h", target = "40/m" }, { duration = "12h", target = "2/m" },
] }
script = ["login", { think = { dist = "exponential", mean = "60s" } }, { retr = "1MiB" }, "quit"]
retry = { backoff = "fixed", wait = "20s", attempts = 3 }
"#;

#[test]
fn a_quarter_a_half_and_three_quarters_are_told_as_such() {
    let file = |name: &str| {
        let path = project().join("scenarios").join(name);
        let open = |name: &str| fs::read_to_string(project().join("scenarios").join(name));
        let text = fs::read_to_string(path).unwrap();
        Scenario::read(name, &text, &mut |name| open(name).map_err(|why| why.to_string())).unwrap()
    };
    for scenario in
        [scenario(DAYS), file("ramp-onset.toml"), file("release-day.toml"), file("busy-evening.toml")]
    {
        for (done, told, time) in told(&scenario) {
            println!("{}: {done} done, told {told:.3}, virtual time {time:.3}", scenario.name);
            assert!((told - done).abs() < 0.1, "{}: {told} told, {done} done", scenario.name);
        }
    }
}

#[test]
fn a_pace_goes_from_nothing_to_all_and_never_back() {
    for text in [DAYS.to_owned(), DAYS.replace("2/m", "0/m").replace("40/m", "0.000001/m")] {
        let scenario = scenario(&text);
        let pace = Pace::of(&scenario);
        let at = |i: u64| pace.share(Instant::from_nanos(scenario.duration.as_nanos() / 1_000 * i));
        assert!(at(0).abs() < 1e-9 && (at(1_000) - 1.0).abs() < 1e-9);
        assert!((0..1_000).all(|i| at(i) <= at(i + 1)));
    }
}
