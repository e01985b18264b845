//! Transfers with real servers: every byte is what it should be, on both sides, over both families and both kinds of data connection.

use std::fs;

use ftp421::live::content::Content;
use ftp421::observe::{Observation, SessionEnd};

use super::crowd::plan;
use crate::load::rig;
use crate::real::daemon::{Daemon, V6};

/// The scenario's seed: the files' content depends on it.
const SEED: u64 = 42;
const DOWN: usize = 1_234_567;
const UP: usize = 700 << 10;

fn content(path: &str, size: usize) -> Vec<u8> {
    let mut bytes = vec![0; size];
    Content::of(SEED, path).fill(0, &mut bytes);
    bytes
}

/// A passive and an active client list, fetch and store.
fn transfers(daemon: &Daemon, user: &str, profile: &str, folder: &str, commands: [&str; 2]) {
    fs::write(daemon.root.join("file"), content("/file", DOWN)).unwrap();
    for (mode, command) in ["passive", "active"].into_iter().zip(commands) {
        let path = format!("{folder}/{mode}");
        let clients = format!(
            "seed = {SEED}\n[[clients]]\nname = \"c\"\nuser = \"{user}\"\ndata = \"{mode}\"\n\
             arrivals = {{ executor = \"per-client-sessions\", clients = 1, sessions = 1 }}\n\
             script = [\"login\", {{ type = \"I\" }}, {{ list = \"1KiB\", path = \"/\" }}, {{ retr = \"1MiB\", path = \"/file\" }}, \
             {{ stor = \"700KiB\", path = \"{path}\" }}, \"quit\"]\n"
        );
        let sources = u32::from(daemon.address().is_ipv4());
        let mut plan = plan(rig::scenario("20s", &clients), daemon.address(), profile, sources);
        plan.verify = true;
        let outcome = rig::run_and(&plan, |heard, watch| {
            use ftp421::live::load::Heard::Mark;
            if let Mark { observation: Observation::SessionEnded { .. }, .. } = heard {
                watch.ask_to_stop();
            }
        });
        let words = &outcome.dialogue;
        let completed =
            |o: &Observation| matches!(o, Observation::SessionEnded { end: SessionEnd::Completed, .. });
        assert_eq!(outcome.count(completed), 1, "{words}");
        assert_eq!(words.matches(&format!("C: {command}")).count(), 3, "{words}");
        let moved = |bytes: usize| outcome.count(|o| *o == Observation::Moved { bytes: bytes as u64 });
        assert_eq!((moved(DOWN), moved(UP)), (1, 1), "{words}");
        assert_eq!(
            outcome.count(|o| matches!(o, Observation::Moved { bytes: 1..10_000 })),
            1,
            "a listing: {words}"
        );
        assert_eq!(
            (outcome.health.verified, outcome.health.corrupt),
            (1, 0),
            "what was fetched is right: {words}"
        );
        let stored = fs::read(daemon.root.join(path.trim_start_matches('/'))).unwrap();
        assert!(stored == content(&path, UP), "what was stored is wrong, {} bytes: {words}", stored.len());
        assert_eq!(outcome.refusals(), []);
    }
}

#[test]
fn proftpd_gets_and_gives_every_byte() {
    transfers(&Daemon::proftpd("DefaultRoot ~"), "alice", "proftpd", "", ["PASV", "PORT"]);
}

#[test]
fn pure_ftpd_gets_and_gives_every_byte() {
    transfers(&Daemon::pure_ftpd([43_300, 43_349], &[]), "alice", "pure-ftpd", "", ["PASV", "PORT"]);
}

#[test]
fn vsftpd_gets_and_gives_every_byte_over_ipv6() {
    let daemon = Daemon::vsftpd_on(V6, "");
    assert!(daemon.address().is_ipv6());
    transfers(&daemon, "anonymous", "vsftpd", "/in", ["EPSV", "EPRT |2|::1|"]);
}
