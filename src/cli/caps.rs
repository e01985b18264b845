//! How much a load may be: the caps on sessions, rate and duration, held against what a scenario will want.
//!
//! It looks before the run and stops nothing during it. What nobody can know beforehand (retries, how often the clients of a closed
//! population come again) is in no number here.

use super::exit::Failure;
use crate::metrics::words::count;
use crate::scenario::Scenario;
use crate::time::{Duration, Instant};
use crate::workload::{Arrivals, Population, Rounds, Stages};

/// The arguments of every command that makes load.
#[derive(Debug, clap::Args)]
#[expect(clippy::struct_field_names, reason = "a field is called as its flag, among those of other groups")]
pub(super) struct CapArgs {
    /// The most users that the scenario may bring: those who come, and the clients of closed populations, with all of their
    /// parallel connections
    #[arg(long, value_name = "N", default_value_t = 20_000)]
    max_sessions: u64,
    /// The most of them in any second
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    max_rate: u64,
    /// The longest run
    #[arg(long, value_name = "TIME", default_value = "1h", value_parser = time)]
    max_duration: Duration,
}

/// Reads a length of time, for clap.
pub(super) fn time(text: &str) -> Result<Duration, String> {
    Duration::parse(text).map_err(|why| format!("{why}: \"90s\", \"15m\", \"1h30m\""))
}

/// What a scenario will want of a server, as far as it does not depend on it.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Demand {
    /// Users, each with its parallel connections.
    pub sessions: f64,
    /// The most of them in any second.
    pub rate: f64,
}

impl CapArgs {
    /// Does `scenario` stay below the caps?
    pub(super) fn check(&self, scenario: &Scenario) -> Result<Demand, Failure> {
        let demand = Demand::of(scenario);
        let sessions = demand.sessions.ceil() as u64;
        let rate = demand.rate.ceil() as u64;
        let over = |what: String, flag: &str, value: String| {
            Err(Failure::NotAllowed(format!(
                "{what}, more than {flag} {value}: nothing was sent; if the server can take it and its owner wants it, raise {flag}"
            )))
        };
        if scenario.duration > self.max_duration {
            let what = format!("the run lasts {}", scenario.duration);
            return over(what, "--max-duration", written(self.max_duration))
                .map_err(|failure| shorter(failure, self.max_duration));
        }
        if sessions > self.max_sessions {
            let what = format!("the scenario brings about {} users", count(sessions));
            return over(what, "--max-sessions", self.max_sessions.to_string());
        }
        if rate > self.max_rate {
            let what = format!("the scenario brings up to {} users in a second", count(rate));
            return over(what, "--max-rate", self.max_rate.to_string());
        }
        Ok(demand)
    }
}

/// As it is typed.
fn written(length: Duration) -> String {
    length.to_string().replace(' ', "")
}

/// A run that is too long can also be cut short.
fn shorter(failure: Failure, most: Duration) -> Failure {
    match failure {
        Failure::NotAllowed(why) => {
            Failure::NotAllowed(format!("{why}, or cut it with --duration {}", written(most)))
        }
        other => other,
    }
}

impl Demand {
    /// That of `scenario`, up to its end.
    pub(super) fn of(scenario: &Scenario) -> Self {
        let end = Instant::ZERO + scenario.duration;
        let each = |of: fn(&Population, Instant) -> f64| -> f64 {
            scenario.populations.iter().map(|p| of(p, end) * f64::from(p.behaviour.parallel)).sum()
        };
        Self { sessions: each(sessions), rate: each(rate) }
    }
}

fn sessions(population: &Population, end: Instant) -> f64 {
    let closed = |most: u32| f64::from(most);
    match &population.arrivals {
        Arrivals::Closed(clients) => closed(clients.most),
        open => open.expected_until(end).unwrap_or(0.0),
    }
}

fn rate(population: &Population, end: Instant) -> f64 {
    let second = Duration::from_secs(1);
    match &population.arrivals {
        Arrivals::Open(open) => greatest(&open.rate, end),
        Arrivals::Burst { at, .. } if *at >= end => 0.0,
        Arrivals::Burst { count, within, .. } => f64::from(*count) / within.as_secs_f64().max(1.0),
        Arrivals::Trace(list) => {
            let within = |from: usize| list[from..].partition_point(|a| a.at < list[from].at + second);
            (0..list.len()).filter(|i| list[*i].at < end).map(within).max().unwrap_or(0) as f64
        }
        Arrivals::Closed(closed) => {
            // A step is everybody at once; a slope is what it brings in a second.
            let mut before = 0.0;
            let mut most: f64 = 0.0;
            for stage in &closed.clients.stages {
                let slope = (stage.to - stage.from) / stage.duration.as_secs_f64().max(1.0);
                most = most.max(stage.from - before).max(slope);
                before = stage.to;
            }
            most * closed.clients.rounds.as_ref().map_or(1.0, Rounds::most)
        }
    }
}

/// The greatest value of `rate` before `end`; of one that repeats, the greatest that it ever has.
fn greatest(rate: &Stages, end: Instant) -> f64 {
    if rate.rounds.is_some() {
        return rate.most();
    }
    let mut begin = rate.start;
    let mut most: f64 = 0.0;
    for stage in &rate.stages {
        if begin >= end {
            break;
        }
        let behind = begin + stage.duration;
        let last = if behind <= end { stage.to } else { rate.value_at(end) };
        most = most.max(stage.from).max(last);
        begin = behind;
    }
    most
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scenario(arrivals: &str) -> Scenario {
        let text = format!(
            "schema = 1\nname = \"x\"\nduration = \"100s\"\n[server]\n[[clients]]\nname = \"a\"\narrivals = {arrivals}\n\
             script = [\"login\"]\n"
        );
        Scenario::read("x", &text, &mut |_: &str| Err(String::new()))
            .unwrap_or_else(|problem| panic!("{problem}"))
    }

    fn demand(arrivals: &str) -> (f64, f64) {
        let demand = Demand::of(&scenario(arrivals));
        (demand.sessions.round(), demand.rate.round())
    }

    #[test]
    fn what_will_be_wanted_is_known_before() {
        let ramp = r#"{ executor = "ramping-arrival-rate", stages = [{ duration = "50s", target = "20/s" }, { duration = "1h", target = "20/s" }] }"#;
        assert_eq!(demand(ramp), (1_500.0, 20.0));
        assert_eq!(
            demand(r#"{ executor = "burst", at = "1s", count = 500, within = "10s" }"#),
            (500.0, 50.0)
        );
        assert_eq!(demand(r#"{ executor = "constant-clients", clients = 70 }"#), (70.0, 70.0));
    }

    #[test]
    fn what_is_too_much_is_refused_with_its_flag() {
        let caps = CapArgs { max_sessions: 1_000, max_rate: 40, max_duration: Duration::from_secs(100) };
        let told = |arrivals: &str, seconds: u64| {
            let scenario = Scenario { duration: Duration::from_secs(seconds), ..scenario(arrivals) };
            match caps.check(&scenario) {
                Err(Failure::NotAllowed(why)) => why,
                other => format!("{:?}", other.is_ok()),
            }
        };
        assert_eq!(told(r#"{ executor = "poisson", rate = "5/s" }"#, 100), "true");
        assert!(told(r#"{ executor = "poisson", rate = "5/s" }"#, 101).contains("--max-duration 1m40s"));
        assert!(told(r#"{ executor = "poisson", rate = "15/s" }"#, 100).contains("--max-sessions"));
        assert!(told(r#"{ executor = "burst", at = "1s", count = 500 }"#, 100).contains("--max-rate"));
    }
}
