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
    /// By population.
    attempts: [u64; 2],
    admitted: [u64; 2],
    turned_away: BTreeMap<String, u64>,
    cut: BTreeMap<String, u64>,
}

/// Forty users in four seconds, of whom each stays for about 0.6 s; there is room for five.
fn text(profile: &str, limit: &str) -> String {
    let clients = |name: &str, client: &str, arrivals: &str| {
        format!(
            "[[clients]]\nname = \"{name}\"\nclient = \"{client}\"\nuser = \"alice\"\nlink = {{ rtt = \"100us\" }}\n\
             arrivals = {{ executor = \"burst\", {arrivals} }}\n\
             script = [\"login\", {{ think = {{ dist = \"exponential\", mean = \"900ms\" }} }}, \"pwd\", \"quit\"]\n"
        )
    };
    format!(
        "schema = 1\nname = \"same\"\nduration = \"9s\"\n[server]\nprofile = \"{profile}\"\n{limit}\n{}{}",
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

/// The same draws in all worlds: what differs is what a few milliseconds of the machine do, once somebody finds another place taken.
/// A tenth, or four of them.
fn agree(what: &str, a: &Fate, b: &Fate) {
    let near = |x: u64, y: u64| x.abs_diff(y) <= (x.max(y) / 10).max(4);
    let all = |x: &[u64; 2], y: &[u64; 2]| near(x[0], y[0]) && near(x[1], y[1]);
    let causes = a.turned_away.keys().eq(b.turned_away.keys())
        && a.turned_away.iter().all(|(cause, count)| near(*count, b.turned_away[cause]));
    assert!(
        all(&a.attempts, &b.attempts) && all(&a.admitted, &b.admitted) && causes && a.cut == b.cut,
        "{what}: {a:#?}\n{b:#?}"
    );
}

#[test]
fn the_same_becomes_of_the_same_clients_in_all_worlds() {
    thread::scope(|scope| {
        scope.spawn(|| {
            let text = text("pure-ftpd", "max_clients = 5\npassive_ports = 50");
            let daemon = Daemon::pure_ftpd([43_400, 43_449], &["-c", "5"]);
            compare("pure-ftpd", &text, daemon.address());
        });
        scope.spawn(|| {
            let text = text("pyftpdlib", "max_clients = 6");
            let daemon = Daemon::pyftpdlib("FTPServer.max_cons = 6");
            compare("pyftpdlib", &text, daemon.address());
        });
    });
}

fn compare(profile: &str, text: &str, real: SocketAddr) {
    let scenario = Arc::new(support::scenario(text));
    let model = Emulator::start(Arc::clone(&scenario)).unwrap();
    let (on_the_real, on_the_model) = thread::scope(|scope| {
        let real = scope.spawn(|| measured(&scenario, real, profile, None));
        let model = measured(&scenario, model.address(), profile, Some(Accounts::default()));
        (real.join().unwrap(), model)
    });
    let simulated = simulated(text);
    eprintln!("{profile}: {simulated:?}\nreal {on_the_real:?}\nmodel {on_the_model:?}");
    assert!(simulated.turned_away["max_clients"] > 10, "{simulated:#?}");
    agree(&format!("{profile}, real"), &on_the_real, &simulated);
    agree(&format!("{profile}, model"), &on_the_model, &simulated);
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
    let done = support::ftp421(
        dir.path(),
        &[
            "load",
            "stay.toml",
            "--target",
            &target,
            "--source",
            "127.0.9.0/28",
            "--users",
            "users.csv",
            "--profile",
            profile,
            "--json",
            "--quiet",
        ],
    );
    assert_eq!(done.status.code(), Some(0), "{}{}", support::stderr(&done), support::stdout(&done));
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
