//! The kernel's queue in front of a server's accept loop against queueing theory.
//!
//! The loop takes an exponential time for each connection and nothing else takes any: it is the one server of the theory. A connection is
//! let go by the loop as it begins its work for it, so that the time from SYN to greeting is the theory's wait, and not its sojourn. As
//! elsewhere, a test repeats a study a hundred times, with seeds fixed beforehand, and asks that at least 88 of its 95 % intervals cover the
//! exact value.

use std::collections::BTreeSet;

use ftp421::experiment::{Range, estimate};
use ftp421::scenario::Scenario;
use ftp421::server::profile::Lasting;
use ftp421::sim::{self, Happening, Tap, Who};
use ftp421::time::{Duration, Instant};
use ftp421::watch::Watch;

use crate::support;

const REPEATS: u64 = 100;
const ENOUGH: usize = 88;
/// The loop's mean time: rates are loads.
const MEAN: Duration = Duration::from_secs(1);
const WARM_UP: f64 = 50.0;
/// Who comes so shortly before the end is left out: his fate may still be open.
const COOL_DOWN: f64 = 20.0;

/// A server whose accept loop is slow, with room for `waiting` connections in the kernel's queue.
fn slow_listener(seed: u64, rate: f64, waiting: u32, secs: u32, clients: &str) -> Scenario {
    let mut scenario = support::scenario(&format!(
        r#"
        schema = 1
        name = "queue"
        seed = {seed}
        duration = "{secs}s"
        replications = 8
        [server]
        login_timeout = "0s"
        idle_timeout = "0s"
        [[clients]]
        name = "callers"
        arrivals = {{ executor = "poisson", rate = "{rate}/s" }}
        {clients}
        "#
    ));
    let process = &mut scenario.servers[0].policy.process;
    process.accept = Lasting { least: Duration::ZERO, mean: MEAN };
    process.backlog = waiting - 1; // Linux lets one more wait than the backlog says
    scenario
}

/// The share of those who came, and were not let in.
struct Fates {
    from: f64,
    to: f64,
    /// Who has come and whose fate is open.
    open: BTreeSet<u32>,
    came: u32,
    lost: u32,
}

impl Tap for Fates {
    fn happens(&mut self, now: Instant, who: Who, what: Happening<'_>) {
        match what {
            Happening::Connect { .. } if (self.from..self.to).contains(&now.as_secs_f64()) => {
                self.came += 1;
                self.open.insert(who.index);
            }
            Happening::Reply { .. } => {
                self.open.remove(&who.index);
            }
            Happening::ConnectFailed(_) | Happening::Disconnect | Happening::Finish => {
                self.lost += u32::from(self.open.remove(&who.index));
            }
            _ => {}
        }
    }
}

fn lost(scenario: &Scenario, replication: u32) -> f64 {
    let to = scenario.duration.as_secs_f64() - COOL_DOWN;
    let mut fates = Fates { from: WARM_UP, to, open: BTreeSet::new(), came: 0, lost: 0 };
    sim::run(scenario, replication, &mut fates, &Watch::default());
    f64::from(fates.lost) / f64::from(fates.came)
}

fn assert_lost(name: &str, exact: f64, scenario: impl Fn(u64) -> Scenario) {
    let (mut hits, mut sum) = (0, 0.0);
    for seed in 1..=REPEATS {
        let scenario = scenario(seed);
        let e = estimate((0..8).map(|replication| Some(lost(&scenario, replication))), Range::Probability);
        hits += usize::from(e.low <= Some(exact) && e.high >= Some(exact));
        sum += e.mean.unwrap_or(f64::NAN);
    }
    let mean = sum / REPEATS as f64;
    assert!(hits >= ENOUGH, "{name}: {hits} of {REPEATS} intervals cover {exact}; the mean of all is {mean}");
}

/// M/M/1/K: a full queue drops the SYN, and who waits for less than the second until the kernel sends it again is lost. With K - 1 places to
/// wait and a load of rho that is (1 - rho) rho^K / (1 - rho^(K + 1)) of all (Kleinrock, "Queueing systems", volume 1, section 3.6).
#[test]
fn a_full_queue_loses_what_the_finite_queue_loses() {
    for (rho, k) in [(0.8_f64, 3), (0.8, 5), (1.5, 4)] {
        let exact = (1.0 - rho) * rho.powi(k) / (1.0 - rho.powi(k + 1));
        assert_lost(&format!("rho={rho}, K={k}"), exact, |seed| {
            let clients = r#"link = { rtt = "0s", connect_timeout = "900ms", reply_timeout = "1h" }"#;
            slow_listener(seed, rho, k as u32 - 1, 470, clients)
        });
    }
}

/// M/M/1 with customers who lose patience, and whose place is served all the same: the kernel keeps a closed connection in its queue, and
/// the loop accepts it before it finds out. So patience changes nobody else's wait, which is that of M/M/1 (Kleinrock, section 5.12): none
/// with probability 1 - rho, and else exponential with rate mu - lambda. This is exact, and loses more than the Erlang A queue, whose
/// impatient customers leave at once.
#[test]
fn patience_runs_out_in_the_queue_as_the_waits_of_mm1_say() {
    for (rho, name, link, patience, exact) in [
        // P(W > 3)
        (0.6_f64, "all wait for 3 s", "3s", "", 0.6 * libm::exp(-0.4 * 3.0)),
        // P(W > exponential patience): rho theta / (mu - lambda + theta), by the transform of W.
        (
            0.6,
            "4 s on average",
            "1h",
            r#"patience = { dist = "exponential", mean = "4s" }"#,
            0.6 * 0.25 / (0.4 + 0.25),
        ),
    ] {
        assert_lost(name, exact, |seed| {
            let clients = format!(
                r#"link = {{ rtt = "0s", connect_timeout = "1h", reply_timeout = "{link}" }}{}{patience}"#,
                "\n"
            );
            slow_listener(seed, rho, 1_000_000, 1_070, &clients)
        });
    }
}
