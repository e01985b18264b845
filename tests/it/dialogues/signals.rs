//! Signals, announced shutdowns and the 120 of a server that is not ready.

use ftp421::server::profile::{Fate, InTransfer, Lasting, ListenerFate, OnSignal};
use ftp421::server::{Control, Input, Signal};
use ftp421::time::Duration;

use super::desk::Desk;

fn desk(profile: &str, change: impl FnOnce(&mut ftp421::server::policy::GoingDown)) -> Desk {
    let mut policy =
        super::hour(&[super::server(profile, "message = \"maintenance\"")]).servers[0].policy.clone();
    policy.process.accept = Lasting::default();
    policy.process.stall_after_exit = Duration::ZERO;
    change(&mut policy.process.down);
    Desk::with(policy)
}

fn in_transfer(desk: &mut Desk, host: u32, user: &str) -> ftp421::id::ConnId {
    let conn = desk.log_in(host, user);
    desk.types(conn, "PASV");
    desk.data(Input::DataOpened { conn });
    desk.types(conn, "RETR file");
    conn
}

const TERM: Control = Control::Signal(Signal::Term);
const HUP: Control = Control::Signal(Signal::Hup);
const KILL: Control = Control::Signal(Signal::Kill);

/// Measured: SIGTERM ends those that have not logged in with a silent FIN; sessions live on and transfers finish. Not one of the five
/// servers says 421.
#[test]
fn vsftpd_lets_sessions_live_when_its_listener_is_terminated() {
    for signal in [TERM, KILL] {
        let mut desk = desk("vsftpd", |_| {});
        let (bob, alice) = (desk.connect(2), desk.log_in(1, "alice"));
        desk.hears(bob);
        let carol = in_transfer(&mut desk, 3, "carol");
        desk.control(signal);
        assert!(!desk.listens());
        assert_eq!(desk.hears(bob), "(fin)");
        assert_eq!(desk.types(alice, "NOOP"), "200 NOOP ok.");
        desk.data(Input::TransferDone { conn: carol });
        assert!(desk.hears(carol).starts_with("226"));
    }
}

/// Measured: every session of Pure-FTPd lives on after SIGTERM; after SIGKILL the socket lives on in its children, so that connects
/// succeed and hang.
#[test]
fn a_killed_pure_ftpd_leaves_a_listener_behind_that_never_greets() {
    let mut desk = desk("pure-ftpd", |down| {
        let lives = OnSignal {
            listener: ListenerFate::HalfDead,
            pre_login: Fate::Lives,
            session: Fate::Lives,
            transfer: Fate::Lives,
            after: down.signals[0].after,
        };
        down.signals[2] = lives;
    });
    let alice = desk.log_in(1, "alice");
    desk.control(KILL);
    assert!(desk.listens());
    let bob = desk.connect(2);
    desk.wait(30.0);
    assert_eq!(desk.hears(bob), "", "connected, and nobody greets");
    assert_eq!(desk.queue_length(), 1);
    assert_eq!(desk.types(alice, "NOOP"), "200 Zzz...");
    desk.control(Control::Listen);
    assert_eq!(desk.hears(bob), "(rst)", "the new server has a socket of its own");
    assert!(desk.knock(3).starts_with("220"));
}

/// Measured: 0.8 s from SIGTERM to the FIN of each session of `ProFTPD`, and a SIGHUP only makes it read its configuration.
#[test]
fn proftpd_ends_its_sessions_a_little_after_the_signal() {
    let mut desk = desk("proftpd", |_| {});
    let alice = desk.log_in(1, "alice");
    desk.control(HUP);
    assert_eq!((desk.types(alice, "NOOP").as_str(), desk.listens()), ("200 NOOP command successful", true));
    desk.control(TERM);
    assert!(!desk.listens());
    desk.wait(0.7);
    assert_eq!(desk.hears(alice), "");
    desk.wait(0.2);
    assert_eq!(desk.hears(alice), "(fin)");
}

/// SIGTERM waits for a frozen process, SIGKILL does not.
#[test]
fn only_sigkill_reaches_a_frozen_server() {
    let mut desk = desk("vsftpd", |_| {});
    let bob = desk.connect(1);
    desk.hears(bob);
    desk.control(Control::Hang);
    desk.control(TERM);
    assert_eq!((desk.hears(bob).as_str(), desk.listens()), ("", true));
    let carol = desk.connect(2);
    desk.control(KILL);
    assert_eq!(desk.hears(carol), "(rst)", "queued, never accepted, listener killed");
    assert!(desk.hears(bob).ends_with("(fin)"));
}

#[test]
fn a_session_that_may_finish_its_transfer_is_told_after_it() {
    let mut desk = desk("proftpd", |down| {
        down.transfer = InTransfer::Finishes;
        down.forgets_deadline = false;
        down.noticed_after = Duration::ZERO;
    });
    let alice = in_transfer(&mut desk, 1, "alice");
    desk.control(Control::Announce);
    desk.control(Control::CutAnnounced);
    assert_eq!(desk.hears(alice), "");
    desk.data(Input::TransferDone { conn: alice });
    let heard = desk.hears(alice);
    assert!(
        heard.starts_with("226") && heard.ends_with("421 FTP server shutting down - maintenance | (fin)"),
        "{heard}"
    );
}

/// Measured: a shutdown of `ProFTPD` tells local users and those before login, and cuts anonymous and transferring sessions silently.
#[test]
fn an_announced_shutdown_may_be_silent_for_some() {
    let mut desk = desk("proftpd", |down| {
        down.transfer = InTransfer::Silent;
        down.anonymous_silently = true;
        down.forgets_deadline = false;
        down.noticed_after = Duration::ZERO;
    });
    let (alice, guest) = (desk.log_in(1, "alice"), desk.log_in(2, "anonymous"));
    let carol = in_transfer(&mut desk, 3, "carol");
    desk.control(Control::Announce);
    desk.control(Control::CutAnnounced);
    assert!(desk.hears(alice).starts_with("421 FTP server shutting down"));
    assert_eq!((desk.hears(guest), desk.hears(carol)), ("(fin)".to_owned(), "(fin)".to_owned()));
}

/// Measured: if `ProFTPD` first sees the shutdown file before its time, live sessions are never told or cut.
#[test]
fn a_server_that_noticed_the_shutdown_too_early_never_cuts_anybody() {
    for (notice, cut) in [(20.0, false), (2.0, true)] {
        let mut desk = desk("proftpd", |down| {
            down.forgets_deadline = true;
            down.noticed_after = Duration::from_millis(4_400);
        });
        let alice = desk.log_in(1, "alice");
        desk.control(Control::Announce);
        assert!(desk.knock(2).starts_with("220"), "it has not noticed yet");
        desk.wait(notice);
        desk.control(Control::CutAnnounced);
        desk.wait(14.0);
        assert!(desk.knock(3).starts_with("500 FTP server shut down"));
        assert_eq!(desk.hears(alice).starts_with("421"), cut, "with a notice of {notice} s");
    }
}

/// wu-ftpd: `221 Server shutting down` is the answer to the next command.
#[test]
fn a_live_session_may_hear_of_the_shutdown_at_its_next_command() {
    let mut desk = desk("rfc959", |down| down.at_next_command = true);
    let alice = desk.log_in(1, "alice");
    desk.control(Control::Announce);
    desk.control(Control::CutAnnounced);
    desk.wait(60.0);
    assert_eq!(desk.hears(alice), "");
    assert!(desk.types(alice, "NOOP").contains("shutting down"));
}

/// RFC 959 section 5.4: 120, and then 220.
#[test]
fn a_server_that_is_not_ready_says_for_how_many_minutes() {
    let mut desk = Desk::new("rfc959", "max_clients = 2");
    desk.control(Control::ListenNotReady { secs: 150 });
    let alice = desk.connect(1);
    assert!(desk.hears(alice).starts_with("120 "), "at once");
    let words = |minutes: u32| format!("{minutes} minutes");
    desk.wait(60.0);
    let bob = desk.connect(2);
    assert!(desk.hears(bob).contains(&words(2)), "90 s are two minutes");
    assert!(desk.knock(3).starts_with("421"), "limits are checked as usual");
    desk.wait(90.0);
    desk.hang_up(alice);
    let carol = desk.knock(4);
    assert!(carol.starts_with("220"), "{carol}");
}

#[test]
fn a_second_listen_makes_it_ready() {
    let mut desk = Desk::new("rfc959", "");
    desk.control(Control::ListenNotReady { secs: 600 });
    assert!(desk.knock(1).starts_with("120"));
    desk.control(Control::Listen);
    assert!(desk.knock(2).starts_with("220"));
}
