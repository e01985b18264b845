//! How sessions end that do not end by themselves: idle timers, ghosts, a server that goes, an interrupt.

use std::sync::atomic::Ordering;

use ftp421::live::load::Heard;
use ftp421::observe::{Class, Observation, SessionEnd};
use ftp421::time::{Duration, Instant};

use super::rig::{plan, run, run_and, scenario};
use crate::real::daemon::Daemon;

fn at(daemon: &Daemon) -> std::net::SocketAddr {
    ([127, 0, 0, 1], daemon.port).into()
}

fn ended(which: SessionEnd) -> impl Fn(&Observation) -> bool {
    move |observation| matches!(observation, Observation::SessionEnded { end, .. } if *end == which)
}

fn burst(count: u32, more: &str) -> String {
    format!(
        "[[clients]]\nname = \"c\"\n{more}\n\
         arrivals = {{ executor = \"burst\", at = \"0s\", count = {count}, within = \"100ms\" }}\n"
    )
}

#[test]
fn an_idle_timer_cuts_those_who_say_nothing_and_nobody_else() {
    let daemon = Daemon::vsftpd("idle_session_timeout=1\n");
    let script = "script = [\"login\", { think = \"3s\" }, \"quit\"]\n";
    let outcome = run(&plan(scenario("4s", &burst(2, script)), at(&daemon), 2));
    assert_eq!(outcome.count(ended(SessionEnd::Cut)), 2, "{}", outcome.dialogue);
    for (phase, code, text) in outcome.refusals() {
        assert_eq!((phase.as_str(), code, text.as_str()), ("session", 421, "Timeout."));
    }
    let alive = format!("{script}keepalive = \"500ms\"");
    let outcome = run(&plan(scenario("4s", &burst(2, &alive)), at(&daemon), 2));
    assert_eq!(outcome.count(ended(SessionEnd::Completed)), 2, "{}", outcome.dialogue);
    assert_eq!(outcome.refusals(), []);
}

#[test]
fn a_ghost_holds_its_connection_until_the_server_closes_it() {
    let daemon = Daemon::pyftpdlib("FTPHandler.timeout = 1");
    let script = "user = \"alice\"\nvanish = 1.0\n";
    let outcome = run(&plan(scenario("4s", &burst(3, script)), at(&daemon), 0));
    assert_eq!(outcome.count(|o| *o == Observation::GhostBegan), 3);
    assert_eq!(outcome.count(|o| matches!(o, Observation::GhostEnded { .. })), 3);
    let held = |o: &Observation| matches!(o, Observation::SlotFreed { held, admitted: true } if *held >= Duration::from_millis(900));
    assert_eq!(outcome.count(held), 3);
    assert!(outcome.dialogue.ends_with("-- client vanishes without a word\n"), "{}", outcome.dialogue);
}

#[test]
fn a_server_that_goes_ends_its_sessions_and_refuses_those_who_come() {
    let mut daemon = Some(Daemon::pyftpdlib(""));
    let clients = "[[clients]]\nname = \"c\"\nuser = \"alice\"\n\
                   arrivals = { executor = \"constant-arrival-rate\", rate = \"10/s\" }\n\
                   script = [\"login\", { think = \"500ms\" }, \"quit\"]\n";
    let plan = plan(scenario("3s", clients), at(daemon.as_ref().unwrap()), 4);
    let half = Instant::ZERO + Duration::from_millis(1_500);
    let outcome = run_and(&plan, |heard, _| {
        if matches!(heard, Heard::Mark { at, .. } if *at > half) {
            daemon.take(); // SIGTERM
        }
    });
    assert!(outcome.count(ended(SessionEnd::Completed)) > 3);
    let network =
        |o: &Observation| matches!(o, Observation::AttemptEnded { class: Class::NetworkFailed, .. });
    assert!(outcome.count(network) > 3, "nobody listens any more");
    assert!(outcome.count(ended(SessionEnd::Lost)) + outcome.count(ended(SessionEnd::Cut)) > 1);
}

#[test]
fn an_interrupt_ends_a_run_early_and_politely() {
    let daemon = Daemon::pyftpdlib("");
    let script = "user = \"alice\"\nscript = [\"login\", { think = \"30s\" }, \"quit\"]\n";
    let plan = plan(scenario("60s", &burst(20, script)), at(&daemon), 4);
    let mut logged_in = 0;
    let outcome = run_and(&plan, |heard, watch| {
        logged_in += u32::from(matches!(heard, Heard::Mark { observation: Observation::SessionOpened, .. }));
        watch.stop.store(logged_in == 20, Ordering::Relaxed);
    });
    let Some(Heard::End { at, open_sessions, still_wanting, .. }) =
        outcome.heard.iter().find(|heard| matches!(heard, Heard::End { .. }))
    else {
        panic!("a run ends")
    };
    assert!(*at < Instant::ZERO + Duration::from_secs(10), "{at}");
    assert_eq!((open_sessions.len(), still_wanting.len()), (20, 0));
}
