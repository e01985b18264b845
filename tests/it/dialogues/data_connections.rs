//! Data connections and transfers: who opens them, who waits for whom, and what ends them.

use ftp421::id::ConnId;
use ftp421::server::Input;
use ftp421::time::Duration;

use super::desk::{Desk, part, span};

fn open(desk: &mut Desk, conn: ConnId) {
    desk.data(Input::DataOpened { conn });
}

/// Has PASV and the data connection.
fn passive(desk: &mut Desk, conn: ConnId) {
    assert!(desk.types(conn, "PASV").starts_with("227"));
    open(desk, conn);
}

#[test]
fn the_server_connects_when_a_transfer_needs_what_port_has_named() {
    let mut desk = Desk::new("vsftpd", "");
    let alice = desk.log_in(1, "alice");
    assert_eq!(desk.types(alice, "PORT 1"), "200 PORT command successful. Consider using PASV.");
    assert_eq!(desk.did(), "");
    assert_eq!(desk.types(alice, "RETR /file"), "", "nothing is said before it is there");
    assert_eq!(desk.did(), "connects");
    open(&mut desk, alice);
    assert!(desk.hears(alice).starts_with("150"));
    desk.data(Input::TransferDone { conn: alice });
    assert_eq!(desk.hears(alice), "226 Transfer complete.");
    assert_eq!(desk.types(alice, "RETR /file"), "425 Use PORT or PASV first.", "one for each transfer");
}

/// ProFTPD, measured: PORT to a closed port.
#[test]
fn a_data_connection_that_the_clients_host_refuses_is_425_and_the_session_stays() {
    let mut desk = Desk::new("proftpd", "");
    let alice = desk.log_in(1, "alice");
    desk.types(alice, "PORT 1");
    desk.types(alice, "LIST");
    desk.data(Input::DataFailed { conn: alice });
    assert_eq!(desk.hears(alice), "425 Unable to build data connection: Connection refused");
    assert!(desk.types(alice, "NOOP").starts_with("200"));
}

/// pyftpdlib, measured: a PORT that fails answers 425 at PORT time; the later RETR gets 150 and nothing more.
#[test]
fn pyftpdlib_connects_when_port_comes_and_waits_for_ever_for_what_nobody_opens() {
    let mut desk = Desk::like("pyftpdlib", |profile, _| {
        profile.data.connects_at_port = true;
        profile.reply.no_data =
            part("code = 150\ntext = \"File status okay. About to open data connection.\"");
    });
    let alice = desk.log_in(1, "alice");
    assert_eq!(desk.types(alice, "PORT 1"), "");
    assert_eq!(desk.did(), "connects");
    open(&mut desk, alice);
    assert_eq!(desk.hears(alice), "200 Active data connection established.");
    assert!(desk.types(alice, "RETR /file").starts_with("125"));
    desk.data(Input::TransferDone { conn: alice });
    desk.hears(alice);
    desk.types(alice, "PORT 1");
    desk.data(Input::DataFailed { conn: alice });
    assert_eq!(desk.hears(alice), "425 Can't connect to specified address.");
    assert!(desk.types(alice, "RETR /file").starts_with("150"));
    desk.wait(40.0);
    assert_eq!(desk.hears(alice), "");
}

#[test]
fn a_server_may_say_150_before_the_data_connection_is_there_and_then_says_nothing_more() {
    let mut desk = Desk::like("rfc959", |profile, _| {
        profile.data.early = Some(part("code = 150\ntext = \"About to open it.\""));
    });
    let alice = desk.log_in(1, "alice");
    desk.types(alice, "PASV");
    assert_eq!(desk.types(alice, "STOR /file"), "150 About to open it.");
    open(&mut desk, alice);
    assert_eq!((desk.hears(alice), desk.did()), (String::new(), "starts".to_owned()));
    desk.data(Input::TransferDone { conn: alice });
    assert_eq!(desk.hears(alice), "226 Closing data connection.");
}

/// Measured 4.0 s for an accept timeout of 4 s: from the command, not from PASV.
#[test]
fn vsftpd_says_425_when_the_data_connection_never_comes_and_stays() {
    let mut desk = Desk::like("vsftpd", |profile, _| {
        profile.timer.data_connect = Some(part(
            "after = \"60s\"\nfrom = \"measured\"\n[refusal]\ncode = 425\ntext = \"Failed to establish connection.\"\nclose = \"none\"",
        ));
    });
    let alice = desk.log_in(1, "alice");
    desk.types(alice, "PASV");
    desk.wait(100.0);
    assert_eq!(desk.types(alice, "RETR /file"), "");
    desk.wait(59.9);
    assert_eq!(desk.hears(alice), "");
    desk.wait(0.1);
    assert_eq!(desk.hears(alice), "425 Failed to establish connection.");
    assert_eq!(desk.did(), "aborts");
    assert_eq!(desk.types(alice, "NOOP"), "200 NOOP ok.");
    open(&mut desk, alice);
    assert_eq!(desk.types(alice, "RETR /file"), "425 Use PORT or PASV first.", "it comes too late");
}

/// Measured: the 421 after a bare PASV leaves the session usable. PORT has a text of its own.
#[test]
fn pyftpdlibs_data_channel_421_leaves_the_session_usable() {
    let mut desk = Desk::like("pyftpdlib", |profile, _| {
        profile.data.connects_at_port = true;
        profile.timer.data_connect = Some(part(
            "after = \"30s\"\nfrom_pasv = true\nfrom = \"measured\"\n\
             [refusal]\ncode = 421\ntext = \"Passive data channel timed out.\"\nclose = \"none\"\n\
             [refusal_active]\ncode = 421\ntext = \"Active data channel timed out.\"\nclose = \"none\"",
        ));
    });
    let alice = desk.log_in(1, "alice");
    desk.types(alice, "PASV");
    desk.wait(29.9);
    assert_eq!(desk.hears(alice), "");
    desk.wait(0.1);
    assert_eq!(desk.hears(alice), "421 Passive data channel timed out.", "unsolicited");
    assert!(desk.types(alice, "NOOP").starts_with("200"));
    desk.types(alice, "PASV");
    desk.wait(20.0);
    desk.types(alice, "RETR /file");
    desk.wait(10.0);
    assert_eq!(desk.hears(alice), "421 Passive data channel timed out.", "it runs from PASV on");
    assert!(desk.types(alice, "NOOP").starts_with("200"));
    assert_eq!(desk.types(alice, "PORT 1"), "");
    desk.wait(30.0);
    assert_eq!(desk.hears(alice), "421 Active data channel timed out.");
    assert!(desk.types(alice, "NOOP").starts_with("200"));
}

#[test]
fn pure_ftpd_closes_after_the_idle_time_when_the_data_connection_never_comes() {
    let mut desk = Desk::like("pure-ftpd", |profile, overrides| {
        overrides.idle_timeout = Some(Duration::from_secs(5));
        profile.timer.data_connect = Some(part(
            "times_idle = 1\nfrom = \"measured\"\n[refusal]\ncode = 421\ntext = \"Timeout\"\nclose = \"fin\"",
        ));
    });
    let alice = desk.log_in(1, "alice");
    desk.types(alice, "PASV");
    desk.types(alice, "RETR /file");
    desk.wait(5.0);
    assert_eq!(desk.hears(alice), "421 Timeout | (fin)");
}

/// ProFTPD and unftp, measured: they have no timer of their own for it.
#[test]
fn without_such_a_timer_another_one_ends_the_wait() {
    let mut desk = Desk::new("proftpd", "no_transfer_timeout = \"6s\"");
    let alice = desk.log_in(1, "alice");
    desk.types(alice, "PASV");
    desk.types(alice, "RETR /file");
    desk.wait(6.4);
    assert_eq!(desk.hears(alice), "421 No transfer timeout (6 seconds): closing control connection | (fin)");
    let mut desk = Desk::new("rfc959", "idle_timeout = \"10s\"");
    let bob = desk.log_in(1, "bob");
    desk.types(bob, "PASV");
    desk.wait(4.0);
    desk.types(bob, "RETR /file");
    desk.wait(10.0);
    assert!(desk.hears(bob).starts_with("421"), "the idle timer runs while nothing is transferred");
}

#[test]
fn abor_is_answered_twice_in_a_transfer_and_once_without() {
    let mut desk = Desk::new("rfc959", "");
    let alice = desk.log_in(1, "alice");
    let idle = desk.types(alice, "ABOR");
    assert_eq!(idle.split(" | ").count(), 1, "{idle}");
    passive(&mut desk, alice);
    desk.types(alice, "RETR /file");
    desk.did();
    let heard = desk.types(alice, "ABOR");
    assert!(heard.starts_with("426") && heard.contains(" | 226"), "{heard}");
    assert_eq!(desk.did(), "aborts");
    desk.data(Input::TransferDone { conn: alice });
    assert_eq!(desk.hears(alice), "", "it is over already");
    assert!(desk.types(alice, "NOOP").starts_with("200"));
}

#[test]
fn commands_in_a_transfer_are_answered_behind_it_in_order() {
    let mut desk = Desk::new("vsftpd", "");
    let alice = desk.log_in(1, "alice");
    passive(&mut desk, alice);
    desk.types(alice, "RETR /file");
    for line in ["PWD", "NOOP", "CWD /"] {
        assert_eq!(desk.types(alice, line), "");
    }
    assert_eq!(desk.types(alice, "QUIT"), "", "a transfer ends before its session (RFC 959)");
    desk.data(Input::TransferDone { conn: alice });
    assert_eq!(
        desk.hears(alice),
        "226 Transfer complete. | 257 \"/\" is the current directory | 221 Goodbye. | (fin)",
        "two are kept, and a QUIT in place of the last"
    );
}

#[test]
fn a_kept_transfer_waits_for_its_own_data_connection() {
    let mut desk = Desk::new("vsftpd", "");
    let alice = desk.log_in(1, "alice");
    passive(&mut desk, alice);
    desk.types(alice, "LIST");
    desk.types(alice, "PASV");
    desk.types(alice, "RETR /file");
    desk.data(Input::TransferDone { conn: alice });
    assert!(desk.hears(alice).ends_with("227 Entering Passive Mode (127,0,0,1,195,80)."));
    open(&mut desk, alice);
    assert!(desk.hears(alice).starts_with("150"));
}

#[test]
fn a_data_connection_that_breaks_is_426() {
    let mut desk = Desk::new("vsftpd", "");
    let alice = desk.log_in(1, "alice");
    passive(&mut desk, alice);
    desk.types(alice, "STOR /file");
    desk.data(Input::DataFailed { conn: alice });
    assert_eq!(desk.hears(alice), "426 Failure writing network stream.");
    assert_eq!(desk.types(alice, "NOOP"), "200 NOOP ok.");
}

#[test]
fn no_reply_comes_before_the_one_before() {
    let mut desk = Desk::like("vsftpd", |_, overrides| {
        overrides.command_cost = Some(Duration::from_secs(1));
    });
    let alice = desk.log_in(1, "alice");
    let begin = desk.clock();
    for (count, line) in [(1.0, "NOOP"), (2.0, "PWD"), (3.0, "NOOP")] {
        desk.sends(alice, line);
        assert!((desk.answered(alice) - begin - count).abs() < 1e-9, "{line}: each has its turn");
    }
    assert!((desk.clock() - begin).abs() < 1e-9);
}

#[test]
fn passive_ports_run_out_and_rest_behind_a_connection() {
    let mut desk = Desk::like("rfc959", |profile, overrides| {
        overrides.passive_ports = Some(2);
        profile.data.port_rests = span("60s");
    });
    let [alice, bob, carol] = ["alice", "bob", "carol"].map(|name| desk.log_in(1, name));
    passive(&mut desk, alice);
    assert!(desk.types(bob, "PASV").starts_with("227"));
    assert_eq!(desk.types(carol, "PASV"), "425 Can't open data connection.");
    assert!(desk.types(bob, "PASV").starts_with("227"), "the port of the PASV before is free at once");
    desk.types(alice, "RETR /file");
    desk.data(Input::TransferDone { conn: alice });
    desk.hears(alice);
    assert!(desk.types(carol, "PASV").starts_with("425"), "it rests");
    desk.wait(60.0);
    assert!(desk.types(carol, "PASV").starts_with("227"));
    desk.hang_up(bob);
    assert!(desk.types(alice, "PASV").starts_with("227"), "nobody came to bob's");
}

#[test]
fn a_line_that_is_too_long_ends_the_session_or_is_one_more_unknown_command() {
    for (profile, says) in [
        ("vsftpd", "500 Input line too long. | (fin_then_rst)"),
        ("pure-ftpd", "421 Line too long | (rst_if_unread)"),
        ("pyftpdlib", "500 Command too long. | 500 Command \"\" not understood."),
        ("proftpd", ""),
        ("rfc959", "500 Syntax error, command unrecognized."),
    ] {
        let mut desk = Desk::new(profile, "");
        let alice = desk.log_in(1, "alice");
        desk.data(Input::LineTooLong { conn: alice });
        assert_eq!(desk.hears(alice), says, "{profile}");
        let goes_on = if says.ends_with(')') { "" } else { "200" };
        assert!(desk.types(alice, "NOOP").starts_with(goes_on), "{profile}");
    }
}
