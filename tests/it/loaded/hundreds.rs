//! Hundreds of sessions at once, from a pool of addresses.

use ftp421::observe::{Cause, Class, Phase, Refusal};

use super::crowd::{is_answer, plan, until};
use crate::load::rig;
use crate::real::daemon::Daemon;

const ROOM: usize = 300;
const COME: usize = 312;
/// So many addresses they come from.
const POOL: u32 = 100;

/// More come than there is room for, and stay.
fn fill(daemon: &Daemon, profile: &str, text: &str) {
    let clients = format!(
        "[[clients]]\nname = \"hundreds\"\nuser = \"alice\"\naddresses = {{ nat = {POOL} }}\n\
         arrivals = {{ executor = \"burst\", at = \"0s\", count = {COME}, within = \"3s\" }}\n\
         script = [\"login\", {{ think = \"1h\" }}, \"quit\"]\n"
    );
    let plan = plan(rig::scenario("40s", &clients), daemon.address(), profile, POOL);
    let mut awaited = COME;
    let books = until(&plan, |heard| {
        awaited -= usize::from(is_answer(heard));
        awaited == 0
    });
    assert_eq!(
        (books.count(Class::Admitted), books.count(Class::TurnedAway)),
        (ROOM, COME - ROOM),
        "{books}"
    );
    books.all_refused(Refusal { cause: Cause::MaxClients, phase: Phase::Greeting, code: 421 }, text);
}

#[test]
fn pure_ftpd_holds_three_hundred() {
    let daemon = Daemon::pure_ftpd([44_000, 44_699], &["-c", "300", "-C", "4"]);
    fill(&daemon, "pure-ftpd", "300 users (the maximum) are already logged in, sorry");
}

#[test]
fn pyftpdlib_holds_three_hundred() {
    let daemon = Daemon::pyftpdlib("FTPServer.max_cons = 301\nFTPServer.max_cons_per_ip = 4");
    fill(&daemon, "pyftpdlib", "Too many connections. Service temporarily unavailable.");
}
