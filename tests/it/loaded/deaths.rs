//! Real servers are ended halfway, by SIGTERM and by SIGKILL: who is cut, who lives on, and what those find who come afterwards.

use std::collections::BTreeMap;
use std::thread;

use ftp421::live::load::Heard;
use ftp421::observe::{Class, Observation, SessionEnd};

use super::books::Books;
use super::crowd::{plan, until};
use crate::load::rig;
use crate::real::daemon::Daemon;
use crate::support;

/// So many are there when the signal comes.
const THERE: u32 = 5;
/// So many come afterwards before the run is over.
const AFTERWARDS: u32 = 3;
/// So many commands are answered behind the signal to somebody who lives on.
const ANSWERS: u32 = 6;

/// Clients who read for an hour.
const SILENT: &str = "{ think = \"1h\" }";
/// Clients who say something five times a second.
const LIVELY: &str = "{ loop = 500, steps = [{ think = \"200ms\" }, \"noop\"] }";

fn clients(user: &str, script: &str) -> String {
    let clients = format!(
        "user = \"{user}\"\nlink = {{ connect_timeout = \"1s\", reply_timeout = \"1s\", rtt = \"100us\" }}\n"
    );
    format!(
        "[[clients]]\nname = \"there\"\n{clients}\
         arrivals = {{ executor = \"burst\", at = \"0s\", count = {THERE}, within = \"300ms\" }}\n\
         script = [\"login\", {script}, \"quit\"]\n\
         [[clients]]\nname = \"afterwards\"\n{clients}\
         arrivals = {{ executor = \"constant-arrival-rate\", rate = \"5/s\", start = \"1s\" }}\n"
    )
}

/// What becomes of the sessions of a daemon that is sent a signal.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Then {
    /// They outlive it.
    Live,
    /// They end with it.
    End,
}

/// Loads `daemon`, sends it the signal `name` as soon as everybody is there, and goes on until it is clear that what follows is `then`.
fn dies(daemon: &Daemon, user: &str, script: &str, name: &str, then: Then) -> Books {
    let plan = plan(rig::scenario("30s", &clients(user, script)), daemon.address(), daemon.name(), 0);
    let (mut there, mut failed, mut cut, mut answered) = (0, 0, 0, 0);
    until(&plan, |heard| {
        let Heard::Mark { observation, .. } = heard else { return false };
        match observation {
            Observation::AttemptEnded { class: Class::Admitted, population, .. } if population.0 == 0 => {
                there += 1;
                if there == THERE {
                    daemon.signal(name);
                    answered = 0;
                }
            }
            Observation::AttemptEnded { class: Class::NetworkFailed, .. } => failed += 1,
            Observation::SessionEnded { population, .. } if population.0 == 0 => cut += 1,
            Observation::Took(ftp421::observe::Latency::Command, _) => answered += 1,
            _ => {}
        }
        let known = if then == Then::Live { answered >= THERE * ANSWERS } else { cut >= THERE };
        there >= THERE && failed >= AFTERWARDS && known
    })
}

/// The same, and checks that it is what the profile says.
fn dies_like_its_model(daemon: &Daemon, user: &str, name: &str, then: Then) {
    let script = if then == Then::Live { LIVELY } else { SILENT };
    let (profile, books) = (daemon.name(), dies(daemon, user, script, name, then));
    let says = simulated(profile, name, &clients(user, script));
    let cut = if then == Then::Live { 0 } else { u64::from(THERE) };
    assert_eq!(says.0, (cut, 0), "the model of {profile}, SIG{name}");
    assert_eq!(cut_of(&books), says.0, "{profile}, SIG{name}: {books}");
    let last: Vec<_> = books.attempts[1].iter().rev().take(AFTERWARDS as usize).collect();
    for attempt in last {
        let cause = attempt.refusal.map(|refusal| refusal.cause.name());
        assert!(cause.is_some_and(|cause| says.1.contains_key(cause)), "{cause:?}, {says:?}: {books}");
    }
}

/// What became of those who were there: by cause, and how many of them the server cut.
fn cut_of(books: &Books) -> (u64, u64) {
    let there = books.ends.first().map_or(&[][..], Vec::as_slice);
    let count = |end| there.iter().filter(|(_, how, _)| *how == end).count() as u64;
    (count(SessionEnd::Cut), count(SessionEnd::Lost))
}

/// What the profile says: how many of those who were there are cut and lost, and what ends the attempts of the others.
fn simulated(profile: &str, name: &str, clients: &str) -> ((u64, u64), BTreeMap<String, u64>) {
    let text = format!(
        "schema = 1\nname = \"death\"\nduration = \"5s\"\n[server]\nprofile = \"{profile}\"\n{clients}\
         [[faults]]\nat = \"1s\"\nkind = \"signal\"\nsignal = \"{name}\"\n"
    );
    let summary = support::outcome(&text).summary;
    let there = summary.populations["there"];
    ((there.cut, there.lost), summary.refused_by_cause.network)
}

/// Both signals that end a server, each for a daemon of its own.
fn both(dies: impl Fn(&str) + Sync) {
    thread::scope(|scope| {
        scope.spawn(|| dies("TERM"));
        scope.spawn(|| dies("KILL"));
    });
}

#[test]
fn the_sessions_of_vsftpd_outlive_it() {
    both(|name| dies_like_its_model(&Daemon::vsftpd("max_clients=30\n"), "anonymous", name, Then::Live));
}

#[test]
fn proftpd_takes_its_sessions_with_it_if_it_is_asked_to_end() {
    dies_like_its_model(&Daemon::proftpd("MaxInstances 30"), "alice", "TERM", Then::End);
}

#[test]
fn the_sessions_of_a_killed_proftpd_live_on() {
    dies_like_its_model(&Daemon::proftpd("MaxInstances 30"), "alice", "KILL", Then::Live);
}

/// It takes most of a second, in which nothing is read: who says something meanwhile is reset.
#[test]
fn who_speaks_while_proftpd_ends_is_reset() {
    let books = dies(&Daemon::proftpd("MaxInstances 30"), "alice", LIVELY, "TERM", Then::End);
    let (cut, lost) = cut_of(&books);
    assert!(cut + lost == u64::from(THERE) && lost > 0, "{books}");
}

#[test]
fn the_sessions_of_pure_ftpd_outlive_it() {
    let daemon = Daemon::pure_ftpd([43_150, 43_199], &["-c", "20"]);
    dies_like_its_model(&daemon, "alice", "TERM", Then::Live);
}

/// Its children keep the listening socket: whoever comes is connected, and never greeted.
#[test]
fn a_killed_pure_ftpd_leaves_a_listener_that_nobody_attends_to() {
    let daemon = Daemon::pure_ftpd([43_200, 43_249], &["-c", "20"]);
    dies_like_its_model(&daemon, "alice", "KILL", Then::Live);
}

#[test]
fn pyftpdlib_takes_its_sessions_with_it() {
    both(|name| {
        let daemon = Daemon::pyftpdlib("FTPServer.max_cons = 30");
        dies_like_its_model(&daemon, "alice", name, Then::End);
    });
}
