//! One scenario in virtual time, on the modelled server and on the real one: what becomes of its clients is the same.
//!
//! Also the command line: what `ftp421 load --json` says of a real server.

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread;

use ftp421::live::load::Accounts;
use ftp421::live::serve::Emulator;
use ftp421::observe::Class;
use ftp421::scenario::Scenario;
use serde_json::Value;

use super::books::{Books, Kind};
use super::crowd::plan;
use crate::load::rig;
use crate::real::daemon::Daemon;
use crate::support;

/// What became of the clients.
#[derive(PartialEq, Eq, Debug)]
struct Fate {
    /// Of those who come again at once, and of those who do not.
    attempts: [u64; 2],
    admitted: [u64; 2],
    turned_away: BTreeMap<String, u64>,
    cut: BTreeMap<String, u64>,
}

/// Forty users in four seconds, of whom each stays for about 0.9 s; there is room for five.
fn text(server: &str, link: &str) -> String {
    let clients = |name: &str, client: &str, arrivals: &str| {
        format!(
            "[[clients]]\nname = \"{name}\"\nclient = \"{client}\"\nuser = \"alice\"\nlink = {{ {link} }}\n\
             arrivals = {{ executor = \"burst\", {arrivals} }}\n\
             script = [\"login\", {{ think = {{ dist = \"exponential\", mean = \"900ms\" }} }}, \"pwd\", \"quit\"]\n"
        )
    };
    format!(
        "schema = 1\nname = \"same\"\nduration = \"9s\"\n[server]\n{server}\n{}{}",
        clients("stubborn", "curl-retry", "at = \"0s\", count = 30, within = \"4070ms\""),
        clients("patient", "polite", "at = \"60ms\", count = 10, within = \"4100ms\"")
    )
}

fn simulated(text: &str) -> Fate {
    let summary = support::outcome(text).summary;
    let both = |of: fn(&ftp421::metrics::summary::Counts) -> u64| {
        [of(&summary.populations["stubborn"]), of(&summary.populations["patient"])]
    };
    Fate {
        attempts: both(|counts| counts.attempts),
        admitted: both(|counts| counts.admitted),
        turned_away: summary.refused_by_cause.turned_away.clone(),
        cut: summary.refused_by_cause.cut.clone(),
    }
}

fn measured(scenario: &Scenario, address: SocketAddr, profile: &str, accounts: Option<Accounts>) -> Fate {
    let mut plan = plan(scenario.clone(), address, profile, 64);
    plan.accounts = accounts.unwrap_or(plan.accounts);
    fate(&rig::run(&plan))
}

fn fate(outcome: &rig::Outcome) -> Fate {
    let books = Books::of(outcome);
    let all = |place: usize| books.attempts[place].len() as u64;
    let admitted = |place: usize| {
        books.attempts[place].iter().filter(|attempt| attempt.class == Class::Admitted).count() as u64
    };
    Fate {
        attempts: [all(0), all(1)],
        admitted: [admitted(0), admitted(1)],
        turned_away: books.by_cause(|kind| kind == Kind::Attempt(Class::TurnedAway)),
        cut: books.by_cause(|kind| matches!(kind, Kind::Session(_))),
    }
}

/// What the model says: the least and the most of each number, over ways from quick and even to [`SLOWEST`]. The draws are the same
/// in all worlds, but who finds the last place free is a matter of milliseconds, and everything behind it follows from that.
struct Range {
    fates: Vec<Fate>,
}

/// What a busy machine adds to a message, on average, us; exponential.
const SLOWEST: u32 = 16_000;
/// So many ways.
const WAYS: u32 = 40;
/// Outside of the range by no more than this is within it, sessions.
const SLACK: u64 = 4;

impl Range {
    fn of(server: &str) -> Self {
        let way = |step| {
            let mean = step * SLOWEST / WAYS;
            format!("rtt = \"100us\", jitter = {{ dist = \"exponential\", mean = \"{mean}us\" }}")
        };
        Self { fates: (1..=WAYS).map(|step| simulated(&text(server, &way(step)))).collect() }
    }

    #[track_caller]
    fn holds(&self, what: &str, fate: &Fate) {
        let check = |name: &str, of: &dyn Fn(&Fate) -> u64| {
            let least = self.fates.iter().map(of).min().unwrap();
            let most = self.fates.iter().map(of).max().unwrap();
            let found = of(fate);
            assert!(
                (least.saturating_sub(SLACK)..=most + SLACK).contains(&found),
                "{what}: {name} is {found}, and in the model {least} to {most}: {fate:?}"
            );
            eprintln!("{what}: {name} is {found}, in the model {least} to {most}");
        };
        for (place, name) in ["stubborn", "patient"].into_iter().enumerate() {
            check(&format!("attempts of the {name}"), &|fate| fate.attempts[place]);
            check(&format!("admitted of the {name}"), &|fate| fate.admitted[place]);
        }
        check("turned away for max_clients", &|fate| fate.turned_away["max_clients"]);
        assert!(fate.turned_away.len() == 1 && fate.cut.is_empty(), "{what}: {fate:?}");
    }
}

#[test]
fn the_same_becomes_of_the_same_clients_in_all_worlds() {
    thread::scope(|scope| {
        scope.spawn(|| {
            let daemon = Daemon::pure_ftpd([43_400, 43_449], &["-c", "5"]);
            compare(&daemon, "profile = \"pure-ftpd\"\nmax_clients = 5\npassive_ports = 50");
        });
        scope.spawn(|| {
            let daemon = Daemon::pyftpdlib("FTPServer.max_cons = 6");
            compare(&daemon, "profile = \"pyftpdlib\"\nmax_clients = 6");
        });
    });
}

fn compare(daemon: &Daemon, server: &str) {
    let (scenario, range) =
        (Arc::new(support::scenario(&text(server, "rtt = \"100us\""))), Range::of(server));
    assert!(range.fates.iter().all(|fate| fate.turned_away["max_clients"] > 10 && fate.cut.is_empty()));
    let model = Emulator::start(Arc::clone(&scenario)).unwrap();
    let (real, modelled) = thread::scope(|scope| {
        let real = scope.spawn(|| measured(&scenario, daemon.address(), daemon.name(), None));
        let modelled = measured(&scenario, model.address(), daemon.name(), Some(Accounts::default()));
        (real.join().unwrap(), modelled)
    });
    range.holds(&format!("{}, real", daemon.name()), &real);
    range.holds(&format!("{}, modelled", daemon.name()), &modelled);
}

/// Runs the binary for two seconds against `daemon`: seven come, and stay.
fn command(daemon: &Daemon, user: &str, profile: &str) -> Value {
    let text = format!(
        "schema = 1\nname = \"stay\"\nduration = \"2s\"\n[[clients]]\nname = \"c\"\nuser = \"{user}\"\n\
         addresses = {{ nat = 3 }}\narrivals = {{ executor = \"burst\", at = \"0s\", count = 7, within = \"900ms\" }}\n\
         script = [\"login\", {{ think = \"1h\" }}, \"quit\"]\n"
    );
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("stay.toml"), text).unwrap();
    fs::write(dir.path().join("users.csv"), "alice,secret\n").unwrap();
    let target = daemon.url("");
    let mut args = vec!["load", "stay.toml", "--target", &target, "--source", "127.0.9.0/28"];
    args.extend(["--profile", profile, "--json", "--quiet"]);
    if user != "anonymous" {
        args.extend(["--users", "users.csv"]); // accounts that are given are used
    }
    let done = support::ftp421(dir.path(), &args);
    // On a busy machine one late start is enough for it to call itself the limit; the books are right all the same.
    let told = support::stderr(&done) + &support::stdout(&done);
    assert!(matches!(done.status.code(), Some(0 | 109)), "{:?}: {told}", done.status);
    serde_json::from_slice(&done.stdout).unwrap()
}

fn check(told: &Value, admitted: u64, refusal: (&str, &str, u16, &str)) {
    let (cause, phase, code, text) = refusal;
    let counts = &told["counts"];
    assert_eq!((&counts["attempts"], &counts["admitted"]), (&7.into(), &admitted.into()), "{told:#}");
    let refused = &told["refusals"].as_array().unwrap()[..];
    let [one] = refused else { panic!("{told:#}") };
    assert_eq!((&one["ended"], &one["cause"]), (&"turned_away".into(), &cause.into()), "{told:#}");
    assert_eq!((&one["phase"], &one["code"]), (&phase.into(), &code.into()), "{told:#}");
    assert_eq!(one["count"], 7 - admitted, "{told:#}");
    assert_eq!(told["refusal_texts"][0]["text"], text, "{told:#}");
    assert_eq!(told["onset"]["first"]["cause"], cause, "{told:#}");
    assert_eq!(told["world"], "measured");
}

#[test]
fn the_command_says_what_real_servers_refuse() {
    thread::scope(|scope| {
        scope.spawn(|| {
            let told = command(&Daemon::proftpd("MaxClients 5"), "alice", "proftpd");
            let text = "Sorry, the maximum number of allowed clients (5) are already connected.";
            check(&told, 5, ("max_clients", "pass", 530, text));
        });
        scope.spawn(|| {
            let told = command(&Daemon::vsftpd("max_per_ip=2\n"), "anonymous", "vsftpd");
            let text = "There are too many connections from your internet address.";
            check(&told, 6, ("max_per_ip", "greeting", 421, text));
        });
    });
}
