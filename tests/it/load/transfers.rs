//! Transfers with real servers: both ways, over passive and active data connections.

use std::fs;

use ftp421::live::load::DataForm;
use ftp421::observe::{Latency, Observation, SessionEnd};

use super::rig::{Outcome, plan, run, scenario};
use crate::real::daemon::Daemon;

const SCRIPT: &str = "script = [\"login\", \"list\", { retr = \"300KiB\", path = \"/file\" }, \
                      { stor = \"100KiB\", path = \"/in/up\" }, \"noop\", \"quit\"]\n";

/// One client after the other, `count` of them.
fn transfers(
    daemon: &Daemon,
    user: &str,
    extra: &str,
    change: impl FnOnce(&mut ftp421::live::load::Plan),
) -> Outcome {
    let clients = format!(
        "[[clients]]\nname = \"c\"\nuser = \"{user}\"\n{extra}\
         arrivals = {{ executor = \"per-client-sessions\", clients = 1, sessions = 2, pause = \"10ms\" }}\n{SCRIPT}"
    );
    fs::write(daemon.root.join("file"), vec![b'x'; 200_000]).unwrap();
    let mut plan = plan(scenario("3s", &clients), ([127, 0, 0, 1], daemon.port).into(), 1);
    change(&mut plan);
    run(&plan)
}

fn check(outcome: &Outcome) {
    let completed =
        |o: &Observation| matches!(o, Observation::SessionEnded { end: SessionEnd::Completed, .. });
    assert_eq!(outcome.count(completed), 2, "{}", outcome.dialogue);
    assert_eq!(
        outcome.count(|o| matches!(o, Observation::Took(Latency::Transfer, _))),
        6,
        "{}",
        outcome.dialogue
    );
    // What was moved is what the server had, whatever the script thought.
    assert_eq!(outcome.count(|o| *o == Observation::Moved { bytes: 200_000 }), 2, "{}", outcome.dialogue);
    assert_eq!(outcome.count(|o| *o == Observation::Moved { bytes: 100 << 10 }), 2, "{}", outcome.dialogue);
    assert_eq!(outcome.count(|o| matches!(o, Observation::Moved { bytes: 1..1_000 })), 2, "two listings");
    assert_eq!(outcome.refusals(), []);
}

#[test]
fn passive_and_active_transfers_move_what_the_server_has() {
    let daemon = Daemon::pyftpdlib("");
    fs::create_dir(daemon.root.join("in")).unwrap();
    for (form, extra) in [
        (DataForm::ByFamily, ""),
        (DataForm::Extended, ""),
        (DataForm::ByFamily, "data = \"active\"\n"),
        (DataForm::Extended, "data = \"active\"\n"),
    ] {
        let outcome = transfers(&daemon, "alice", extra, |plan| plan.target.data = form);
        check(&outcome);
        // Nobody has said TYPE I: a CRLF by chance is a line end.
        let stored = fs::metadata(daemon.root.join("in/up")).unwrap().len();
        assert!((102_300..=102_400).contains(&stored), "{stored}");
    }
}

#[test]
fn a_real_server_that_forks_moves_the_same() {
    let daemon = Daemon::vsftpd("anon_other_write_enable=YES\nanon_umask=022\n");
    check(&transfers(&daemon, "anonymous", "", |_| ()));
}
