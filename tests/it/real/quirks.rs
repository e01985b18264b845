//! Peculiarities of single servers: the real one and the simulated one, side by side.

use std::thread;
use std::time::{Duration, Instant};

use super::daemon::Daemon;
use super::ears::Ears;
use super::talk::Talk;
use crate::dialogues::desk::Desk;
use crate::support;

const PATIENCE: Duration = Duration::from_secs(5);
const ALICE: (&str, &str) = ("alice", "secret");
/// When others connect, in milliseconds behind the end of the first session.
const CALLERS: [u64; 3] = [30, 60, 90];

/// After a session has ended, ProFTPD's parent sleeps twice for 0.2 s before it accepts again; the end of another session ends the sleep in
/// which it falls. It may give one of those who waited a stall of its own, so it is the one in the middle who counts. Bounds are as
/// wide as a busy machine needs, and so that one case cannot pass for another.
#[test]
fn proftpd_accepts_nobody_after_a_session_as_in_the_simulator() {
    let daemon = Daemon::proftpd("");
    for (second_ends, from, to) in [(None, 0.37, 0.55), (Some(110), 0.17, 0.33), (Some(300), 0.27, 0.365)] {
        let simulated = greeted_in_the_simulator(second_ends);
        assert!((from..to).contains(&simulated), "simulated, second end {second_ends:?}: {simulated} s");
        // A caller may come before the parent has heard of the end, and a busy machine may be late: one of three must do.
        let real: Vec<f64> = (0..3).map(|_| greeted_behind_the_first_end(&daemon, second_ends)).collect();
        eprintln!(
            "ProFTPD, second end {second_ends:?} ms: greeted at {real:.3?} s; simulated {simulated:.3}"
        );
        assert!(real.iter().any(|at| (from..to).contains(at)), "second end {second_ends:?}: {real:?} s");
    }
}

/// How long after the first session's end the caller in the middle is greeted. A second session ends meanwhile, or none.
fn greeted_behind_the_first_end(daemon: &Daemon, second_ends: Option<u64>) -> f64 {
    thread::sleep(Duration::from_millis(900)); // an earlier stall is over
    let mut sessions = [Talk::connect(daemon.port, PATIENCE), Talk::connect(daemon.port, PATIENCE)];
    for session in &mut sessions {
        assert!(session.hears().starts_with("220"));
    }
    let [mut first, mut second] = sessions;
    first.says("QUIT");
    first.hears_the_end();
    let end = Instant::now();
    let until =
        |ms| thread::sleep((end + Duration::from_millis(ms)).saturating_duration_since(Instant::now()));
    let (mut greeted, calls) = thread::scope(|scope| {
        let callers = CALLERS.map(|at| {
            scope.spawn(move || {
                until(at);
                let mut caller = Talk::connect(daemon.port, PATIENCE);
                assert!(caller.hears().starts_with("220"));
                (end.elapsed().as_secs_f64(), caller)
            })
        });
        if let Some(at) = second_ends {
            until(at);
            second.says("QUIT");
            second.hears_the_end();
        }
        callers.map(|caller| caller.join().unwrap()).into_iter().unzip::<_, _, Vec<_>, Vec<_>>()
    });
    drop(calls);
    greeted.sort_by(f64::total_cmp);
    greeted[1]
}

fn greeted_in_the_simulator(second_ends: Option<u64>) -> f64 {
    let population = |name: &str, at_ms: u64, stays_ms: u64| {
        format!(
            "[[clients]]\nname = \"{name}\"\narrivals = {{ executor = \"burst\", at = \"{at_ms}ms\", count = 1 }}\n\
             script = [\"login\", {{ think = \"{stays_ms}ms\" }}, \"quit\"]\nlink = {{ rtt = \"60us\" }}\n"
        )
    };
    let server = "schema = 1\nname = \"stall\"\nduration = \"1m\"\n[server]\nprofile = \"proftpd\"\n\
                  greeting_time = \"0s\"\nlogin_time = \"0s\"\ncommand_time = \"0s\"\n";
    let second = population("second", 1_000, second_ends.map_or(50_000, |ms| 1_000 + ms));
    let callers = CALLERS.map(|ms| population(&format!("caller{ms}"), 2_000 + ms, 10_000)).concat();
    let text = server.to_owned() + &population("first", 1_000, 1_000) + &second + &callers;
    let heard = Ears::hear(&support::scenario(&text));
    let end = heard.sessions.iter().find(|s| s.population == 0).and_then(|s| s.ended).expect("it ends");
    let mut greeted: Vec<f64> =
        heard.sessions.iter().filter(|s| s.population >= 2).map(|s| s.greeted - end).collect();
    greeted.sort_by(f64::total_cmp);
    assert_eq!(greeted.len(), CALLERS.len());
    greeted[1]
}

/// Pure-FTPd lets in half as many as it has passive ports, and says that number.
#[test]
fn ten_passive_ports_make_pure_ftpd_a_server_for_five_as_in_the_simulator() {
    let daemon = Daemon::pure_ftpd([42_300, 42_309], &["-c", "50"]);
    let expected = (5, "421 5 users (the maximum) are already logged in, sorry".to_owned());
    assert_eq!(let_in(&daemon, 6), expected);
    assert_eq!(let_in_by_the_simulator("pure-ftpd", "max_clients = 50\npassive_ports = 10", 6), expected);
}

/// pyftpdlib counts its own listening socket.
#[test]
fn pyftpdlib_lets_in_one_less_than_its_limit_as_in_the_simulator() {
    let daemon = Daemon::pyftpdlib("FTPServer.max_cons = 3");
    let expected = (2, "421 Too many connections. Service temporarily unavailable.".to_owned());
    assert_eq!(let_in(&daemon, 3), expected);
    assert_eq!(let_in_by_the_simulator("pyftpdlib", "max_clients = 3", 3), expected);
}

/// So many connect one after the other and stay: how many are greeted, and what the last one is told.
fn let_in(daemon: &Daemon, callers: usize) -> (usize, String) {
    let mut talks: Vec<Talk> = (0..callers).map(|_| Talk::connect(daemon.port, PATIENCE)).collect();
    let heard: Vec<String> = talks.iter_mut().map(Talk::hears).collect();
    (heard.iter().filter(|line| line.starts_with("220")).count(), heard[callers - 1].clone())
}

fn let_in_by_the_simulator(profile: &str, keys: &str, callers: usize) -> (usize, String) {
    let text = format!(
        "schema = 1\nname = \"full\"\nduration = \"1m\"\n[server]\nprofile = \"{profile}\"\n{keys}\n[[clients]]\n\
         name = \"callers\"\narrivals = {{ executor = \"burst\", at = \"1s\", count = {callers} }}\n\
         script = [\"login\", {{ think = \"30s\" }}, \"quit\"]\n"
    );
    let heard = Ears::hear(&support::scenario(&text));
    (heard.sessions.len(), heard.refusals.into_iter().next_back().expect("one is refused").1)
}

/// A 421 that closes nothing: pyftpdlib says it when nobody comes to its passive port, and the session goes on.
#[test]
fn a_421_for_the_data_channel_leaves_pyftpdlibs_session_usable_as_in_the_simulator() {
    let daemon = Daemon::pyftpdlib("FTPHandler.passive_dtp.timeout = 1");
    let mut real = Talk::connect(daemon.port, PATIENCE);
    assert!(real.hears().starts_with("220"));
    real.logs_in(ALICE);
    assert!(real.says("PASV").starts_with("227"));
    let told = Instant::now();
    let real_421 = real.hears();
    assert!((0.9..2.5).contains(&told.elapsed().as_secs_f64()), "{:?}", told.elapsed());
    let real_noop = real.says("NOOP");

    let mut desk = Desk::new("pyftpdlib", "");
    let simulated = desk.log_in(1, "alice");
    assert!(desk.types(simulated, "PASV").starts_with("227"));
    desk.wait(31.0); // a scenario does not set this timer: it is the 30 s of the box
    let simulated_421 = desk.hears(simulated);
    assert_eq!(real_421, "421 Passive data channel timed out.");
    assert_eq!(simulated_421, real_421);
    assert!(real_noop.starts_with("200"), "{real_noop}");
    assert_eq!(desk.types(simulated, "NOOP"), real_noop);
}
