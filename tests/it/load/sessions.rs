//! Sessions with real servers: logins, commands, pauses, QUIT, refusals and retries.

use ftp421::observe::{Class, Observation, SessionEnd};

use super::rig::{plan, run, scenario};
use crate::real::daemon::Daemon;

fn at(daemon: &Daemon) -> std::net::SocketAddr {
    ([127, 0, 0, 1], daemon.port).into()
}

fn class(which: Class) -> impl Fn(&Observation) -> bool {
    move |observation| matches!(observation, Observation::AttemptEnded { class, .. } if *class == which)
}

fn ended(which: SessionEnd) -> impl Fn(&Observation) -> bool {
    move |observation| matches!(observation, Observation::SessionEnded { end, .. } if *end == which)
}

#[test]
fn open_arrivals_log_in_and_out_at_a_real_server() {
    let daemon = Daemon::pyftpdlib("");
    let scenario = scenario(
        "2s",
        "[[clients]]\nname = \"c\"\nuser = \"alice\"\n\
         arrivals = { executor = \"constant-arrival-rate\", rate = \"20/s\", duration = \"1500ms\" }\n\
         script = [\"login\", \"pwd\", { think = \"50ms\" }, \"noop\", \"quit\"]\n",
    );
    let outcome = run(&plan(scenario, at(&daemon), 4));
    assert_eq!((outcome.health.dropped, outcome.health.exhausted), (0, 0));
    assert_eq!(outcome.count(|o| matches!(o, Observation::Wanted(_))), 30);
    assert_eq!(outcome.count(class(Class::Admitted)), 30);
    assert_eq!(outcome.count(ended(SessionEnd::Completed)), 30);
    assert_eq!(outcome.count(|o| matches!(o, Observation::ConnectionClosed { .. })), 30);
    assert!(outcome.dialogue.contains("C: PASS ********\n") && outcome.dialogue.contains("S: 221 "));
    assert!(!outcome.dialogue.contains("secret"));
}

#[test]
fn a_limit_refuses_and_those_who_come_again_are_served() {
    let daemon = Daemon::vsftpd("max_clients=3\n");
    let scenario = scenario(
        "4s",
        "[[clients]]\nname = \"c\"\n\
         arrivals = { executor = \"burst\", at = \"0s\", count = 5, within = \"100ms\" }\n\
         script = [\"login\", { think = \"1s\" }, \"noop\", \"quit\"]\n\
         retry = { backoff = \"fixed\", wait = \"1500ms\", attempts = 4 }\n",
    );
    let outcome = run(&plan(scenario, at(&daemon), 2));
    let refusals = outcome.refusals();
    assert_eq!(refusals.len(), 2, "{refusals:?}");
    for (phase, code, text) in refusals {
        assert_eq!((phase.as_str(), code), ("greeting", 421));
        assert_eq!(text, "There are too many connected users, please try later.");
    }
    assert_eq!(outcome.count(class(Class::TurnedAway)), 2);
    assert_eq!(outcome.count(ended(SessionEnd::Completed)), 5);
}

#[test]
fn a_closed_population_comes_again_and_a_wrong_password_is_a_failed_login() {
    let daemon = Daemon::pyftpdlib("FTPHandler.auth_failed_timeout = 0.1");
    let scenario = scenario(
        "3s",
        "[[clients]]\nname = \"c\"\nuser = \"alice\"\nwrong_password = 0.3\n\
         arrivals = { executor = \"constant-clients\", clients = 4, pause = \"100ms\" }\n\
         script = [\"login\", \"noop\", \"quit\"]\n",
    );
    let outcome = run(&plan(scenario, at(&daemon), 0));
    assert!(outcome.count(class(Class::Admitted)) > 20);
    assert!(outcome.count(class(Class::LoginFailed)) > 2);
    assert_eq!(outcome.refusals(), [], "nobody was refused");
}

#[test]
fn nobody_listens() {
    let scenario = scenario(
        "1s",
        "[[clients]]\nname = \"c\"\narrivals = { executor = \"burst\", at = \"0s\", count = 3, within = \"0s\" }\n",
    );
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let outcome = run(&plan(scenario, free, 1));
    assert_eq!(outcome.count(class(Class::NetworkFailed)), 3);
    assert!(outcome.dialogue.ends_with("-- connection_refused\n"), "{}", outcome.dialogue);
}
