//! Each real server is loaded until it refuses: the number let in, the cause, the phase, the code and the text are the configured ones.

use ftp421::observe::{Cause, Phase, Refusal};

use super::crowd::{Crowd, fill};
use crate::real::daemon::Daemon;

const ALICE: &str = "alice";
const BOB: &str = "bob";
const ANONYMOUS: &str = "anonymous";

/// Instead of the greeting.
const GREETING: Phase = Phase::Greeting;

fn crowd(user: &str, count: u32) -> Crowd<'_> {
    Crowd { user, count, from: 0 }
}

/// Behind the first crowd.
fn later(user: &str, count: u32) -> Crowd<'_> {
    Crowd { user, count, from: 700 }
}

const fn refusal(cause: Cause, phase: Phase, code: u16) -> Refusal {
    Refusal { cause, phase, code }
}

#[test]
fn vsftpd_lets_in_as_many_as_it_is_told_to() {
    let daemon = Daemon::vsftpd("max_clients=7\nmax_per_ip=0\n");
    let books = fill(&[crowd(ANONYMOUS, 4), later(ANONYMOUS, 5)], daemon.address(), "vsftpd");
    books.let_in(0, 4, 0);
    books.let_in(1, 3, 2);
    books.all_refused(
        refusal(Cause::MaxClients, GREETING, 421),
        "There are too many connected users, please try later.",
    );
}

#[test]
fn vsftpd_counts_by_address() {
    let daemon = Daemon::vsftpd("max_clients=50\nmax_per_ip=3\n");
    let books = fill(&[crowd(ANONYMOUS, 5), later(ANONYMOUS, 3)], daemon.address(), "vsftpd");
    books.let_in(0, 3, 2);
    books.let_in(1, 3, 0);
    books.all_refused(
        refusal(Cause::MaxPerIp, GREETING, 421),
        "There are too many connections from your internet address.",
    );
}

#[test]
fn proftpd_lets_in_as_many_as_it_is_told_to_and_says_so_behind_the_password() {
    let daemon = Daemon::proftpd("MaxClients 4");
    let books = fill(&[crowd(ALICE, 3), later(BOB, 3)], daemon.address(), "proftpd");
    books.let_in(0, 3, 0);
    books.let_in(1, 1, 2);
    books.all_refused(
        refusal(Cause::MaxClients, Phase::Pass, 530),
        "Sorry, the maximum number of allowed clients (4) are already connected.",
    );
}

#[test]
fn proftpd_counts_by_address() {
    let daemon = Daemon::proftpd("MaxClients 20\nMaxClientsPerHost 3");
    let books = fill(&[crowd(ALICE, 5), later(ALICE, 2)], daemon.address(), "proftpd");
    books.let_in(0, 3, 2);
    books.let_in(1, 2, 0);
    books.all_refused(
        refusal(Cause::MaxPerIp, Phase::Pass, 530),
        "Sorry, the maximum number of clients (3) from your host are already connected.",
    );
}

#[test]
fn proftpd_counts_by_account() {
    let daemon = Daemon::proftpd("MaxClients 20\nMaxClientsPerUser 2");
    let books = fill(&[crowd(ALICE, 4), later(BOB, 2), later(ALICE, 1)], daemon.address(), "proftpd");
    books.let_in(0, 2, 2);
    books.let_in(1, 2, 0);
    books.let_in(2, 0, 1);
    books.all_refused(
        refusal(Cause::MaxPerUser, Phase::Pass, 530),
        "Sorry, the maximum number of clients (2) for this user are already connected.",
    );
}

#[test]
fn proftpd_counts_connections_by_address_before_it_greets() {
    let daemon = Daemon::proftpd("MaxConnectionsPerHost 3");
    let books = fill(&[crowd(ALICE, 5), later(ALICE, 2)], daemon.address(), "proftpd");
    books.let_in(0, 3, 2);
    books.let_in(1, 2, 0);
    books.all_refused(
        refusal(Cause::MaxPerIp, GREETING, 530),
        "Sorry, the maximum number of connections (3) for your host are already connected.",
    );
}

#[test]
fn proftpd_out_of_instances_just_closes() {
    let daemon = Daemon::proftpd("MaxInstances 4");
    let books = fill(&[crowd(ALICE, 6)], daemon.address(), "proftpd");
    books.let_in(0, 4, 2);
    books.all_refused(refusal(Cause::MaxClients, Phase::Accept, 0), "");
}

#[test]
fn pure_ftpd_lets_in_as_many_as_it_is_told_to() {
    let daemon = Daemon::pure_ftpd([43_000, 43_049], &["-c", "6"]);
    let books = fill(&[crowd(ALICE, 4), later(ALICE, 4)], daemon.address(), "pure-ftpd");
    books.let_in(0, 4, 0);
    books.let_in(1, 2, 2);
    books.all_refused(
        refusal(Cause::MaxClients, GREETING, 421),
        "6 users (the maximum) are already logged in, sorry",
    );
}

#[test]
fn pure_ftpd_counts_by_address() {
    let daemon = Daemon::pure_ftpd([43_050, 43_099], &["-c", "20", "-C", "3"]);
    let books = fill(&[crowd(ALICE, 5), later(ALICE, 2)], daemon.address(), "pure-ftpd");
    books.let_in(0, 3, 2);
    books.let_in(1, 2, 0);
    books.all_refused(refusal(Cause::MaxPerIp, GREETING, 421), "Too many connections (3) from this IP");
}

#[test]
fn pure_ftpd_counts_by_account() {
    let daemon = Daemon::pure_ftpd([43_100, 43_149], &["-c", "20", "-y", "2:2"]);
    // It counts the sessions of all its daemons on a host together: carol is nobody else's.
    let books = fill(&[crowd("carol", 4)], daemon.address(), "pure-ftpd");
    books.let_in(0, 2, 2);
    books.all_refused(
        refusal(Cause::MaxPerUser, Phase::Pass, 421),
        "I can't accept more than 2 connections as the same user",
    );
}

/// It counts its own listening socket.
#[test]
fn pyftpdlib_lets_in_one_less_than_it_is_told_to() {
    let daemon = Daemon::pyftpdlib("FTPServer.max_cons = 7");
    let books = fill(&[crowd(ALICE, 4), later(ALICE, 4)], daemon.address(), "pyftpdlib");
    books.let_in(0, 4, 0);
    books.let_in(1, 2, 2);
    books.all_refused(
        refusal(Cause::MaxClients, GREETING, 421),
        "Too many connections. Service temporarily unavailable.",
    );
}

#[test]
fn pyftpdlib_counts_by_address() {
    let daemon = Daemon::pyftpdlib("FTPServer.max_cons_per_ip = 4");
    let books = fill(&[crowd(ALICE, 6), later(ALICE, 2)], daemon.address(), "pyftpdlib");
    books.let_in(0, 4, 2);
    books.let_in(1, 2, 0);
    books.all_refused(
        refusal(Cause::MaxPerIp, GREETING, 421),
        "Too many connections from the same IP address.",
    );
}
