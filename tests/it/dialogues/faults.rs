//! Faults: what the living and the newcomers meet when a server goes down, hangs, or comes back.

use ftp421::server::Control;

use super::desk::Desk;
use super::{client, fault, hour, only, server, told};

/// Measured: SIGTERM ends the listener of Pure-FTPd, and every session lives on, even one that has not logged in.
#[test]
fn drain_lets_live_sessions_go_on() {
    let scenario = hour(&[
        server("pure-ftpd", ""),
        client("alice", "9s", "script = [\"login\", { think = \"60s\" }, \"noop\"]"),
        client("bob", "11s", "retry = { backoff = \"fixed\", wait = \"70s\" }"),
        fault("10s", "kind = \"shutdown\"\nform = \"drain\"\ndown = \"60s\""),
    ]);
    assert_eq!(
        only(&told(&scenario, "alice"), &["NOOP", "Zzz", "221"])[..2],
        ["69 C: NOOP", "69 S: 200 Zzz..."]
    );
    let bob = told(&scenario, "bob");
    assert_eq!(bob[..3], ["11 -- connects", "11 -- connection_refused", "81 -- connects"]);
    assert_eq!(only(&bob, &["S: 230"]), ["81 S: 230 OK. Current directory is /"]);
}

#[test]
fn announce_tells_new_and_live_clients() {
    let scenario = hour(&[
        server("rfc959", "message = \"back at six\""),
        client("alice", "0s", "script = [\"login\", { think = \"60s\" }, \"noop\"]"),
        client("bob", "15s", ""),
        client("carol", "31s", ""),
        client("dave", "51s", ""),
        fault("10s", "kind = \"shutdown\"\nform = \"announce\"\nnotice = \"20s\"\ndown = \"20s\""),
    ]);
    assert_eq!(
        told(&scenario, "alice")[6..],
        [
            "30 S: 421 Service not available, shutting down (back at six), closing control connection.",
            "30 -- client closes"
        ]
    );
    assert_eq!(
        told(&scenario, "bob")[1..],
        [
            "15 S: 421 Service not available, shutting down (back at six), closing control connection.",
            "15 -- client closes"
        ]
    );
    assert_eq!(told(&scenario, "carol")[1..], ["31 -- connection_refused"]);
    assert!(told(&scenario, "dave")[1].starts_with("51 S: 220"));
}

/// /etc/shutmsg of `ProFTPD`: 500 for the new once it is noticed, after 4.4 s; and since it is noticed before its time, nobody who is
/// there is ever told or cut.
#[test]
fn proftpd_announces_to_the_new_and_forgets_the_living() {
    let scenario = hour(&[
        server("proftpd", "message = \"back at six\""),
        client("alice", "0s", "script = [\"login\", { think = \"40s\" }, \"noop\"]"),
        client("early", "14s", ""),
        client("bob", "15s", ""),
        fault("10s", "kind = \"shutdown\"\nform = \"announce\"\nnotice = \"20s\"\ndown = \"20s\""),
    ]);
    assert!(told(&scenario, "early")[1].starts_with("14 S: 220"), "it has not noticed yet");
    assert_eq!(
        told(&scenario, "bob")[1..],
        ["15 S: 500 FTP server shut down (back at six) -- please try again later", "15 -- client closes"]
    );
    assert_eq!(only(&told(&scenario, "alice"), &["40 S:"])[0], "40 S: 200 NOOP command successful");
}

#[test]
fn a_server_without_words_for_a_shutdown_closes_its_listener_and_then_every_session() {
    let scenario = hour(&[
        server("vsftpd", ""),
        client("alice", "0s", "script = [\"login\", { think = \"60s\" }, \"noop\"]"),
        client("bob", "15s", ""),
        fault("10s", "kind = \"shutdown\"\nform = \"announce\"\nnotice = \"20s\""),
    ]);
    assert_eq!(told(&scenario, "alice")[6..], ["30 -- server closes (fin)", "30 -- client closes"]);
    assert_eq!(told(&scenario, "bob")[1..], ["15 -- connection_refused"]);
}

#[test]
fn a_cut_is_a_fin_without_a_word_for_everybody() {
    let scenario = hour(&[
        server("pyftpdlib", ""),
        client("alice", "0s", "script = [\"login\", { think = \"60s\" }, \"noop\"]"),
        fault("10s", "kind = \"shutdown\"\nform = \"cut\"\ndown = \"20s\""),
    ]);
    assert_eq!(told(&scenario, "alice")[6..], ["10 -- server closes (fin)", "10 -- client closes"]);
}

#[test]
fn a_crash_resets_everybody_and_refuses_until_it_is_up() {
    let retry = "retry = { backoff = \"fixed\", wait = \"25s\" }";
    let scenario = hour(&[
        server("proftpd", ""),
        client(
            "alice",
            "0s",
            &format!("script = [\"login\", {{ think = \"60s\" }}]\nreconnect = true\n{retry}"),
        ),
        client("bob", "11s", retry),
        fault("10s", "kind = \"shutdown\"\nform = \"crash\"\ndown = \"60s\""),
    ]);
    let alice = told(&scenario, "alice");
    assert_eq!(
        alice[6..12],
        [
            "10 -- server closes (rst)",
            "10 -- client closes",
            "35 -- connects",
            "35 -- connection_refused",
            "60 -- connects",
            "60 -- connection_refused",
        ]
    );
    assert_eq!(only(&alice, &["S: 230"]).last().unwrap(), "85 S: 230 User alice logged in");
    assert_eq!(
        only(&told(&scenario, "bob"), &["refused", "S: 230"]),
        [
            "11 -- connection_refused",
            "36 -- connection_refused",
            "61 -- connection_refused",
            "86 S: 230 User bob logged in",
        ]
    );
}

#[test]
fn a_hung_server_accepts_and_says_nothing_then_answers_what_waited() {
    let scenario = hour(&[
        server("vsftpd", ""),
        client("alice", "0s", "script = [\"login\", { think = \"20s\" }, \"noop\"]"),
        client("bob", "15s", ""),
        fault("10s", "kind = \"shutdown\"\nform = \"hang\"\nlasts = \"30s\""),
    ]);
    assert_eq!(told(&scenario, "alice")[6..8], ["20 C: NOOP", "40 S: 200 NOOP ok."]);
    assert_eq!(told(&scenario, "bob")[..3], ["15 -- connects", "40 S: 220 (vsFTPd 3.0.3)", "40 C: USER bob"]);
}

#[test]
fn a_client_gives_up_on_a_hung_server_after_its_reply_timeout() {
    let scenario = hour(&[
        server("vsftpd", ""),
        client(
            "bob",
            "15s",
            "link = { rtt = \"0s\", reply_timeout = \"5s\" }\nretry = { backoff = \"fixed\", wait = \"1s\", attempts = 2 }",
        ),
        client(
            "alice",
            "13s",
            "link = { rtt = \"0s\", reply_timeout = \"5s\" }\nscript = [\"login\", { think = \"3s\" }, \"noop\"]",
        ),
        fault("14s", "kind = \"shutdown\"\nform = \"hang\""),
    ]);
    assert_eq!(
        told(&scenario, "bob"),
        ["15 -- connects", "20 -- client closes", "21 -- connects", "26 -- client closes"]
    );
    assert_eq!(told(&scenario, "alice")[6..], ["16 C: NOOP", "21 -- client closes"]);
}

/// Who left while the server hung is no client of the server that goes on.
#[test]
fn what_has_gone_while_the_server_hung_takes_no_slot_for_long() {
    let mut desk = Desk::new("rfc959", "max_clients = 2");
    desk.control(Control::Hang);
    let gone = desk.connect(1);
    desk.hang_up(gone);
    let there = desk.connect(2);
    desk.control(Control::Resume);
    assert_eq!(desk.hears(there), "220 Service ready.");
    assert_eq!(desk.slots(), 1);
    assert!(desk.knock(3).starts_with("220"));
}

#[test]
fn a_timer_that_ran_out_during_a_hang_cuts_when_the_server_wakes() {
    let mut desk = Desk::new("rfc959", "idle_timeout = \"5s\"");
    let (alice, bob) = (desk.log_in(1, "alice"), desk.log_in(2, "bob"));
    desk.control(Control::Hang);
    desk.wait(1.0);
    assert_eq!(desk.types(bob, "NOOP"), "");
    desk.wait(60.0);
    assert_eq!(desk.hears(alice), "", "nobody looks at the clock");
    desk.control(Control::Resume);
    assert!(desk.hears(alice).starts_with("421 Service not available, idle for 5 seconds"));
    assert_eq!(desk.hears(bob), "200 Command okay.", "its command came in time");
}

#[test]
fn a_crash_of_a_hung_server_resets_those_that_it_never_greeted() {
    let mut desk = Desk::new("vsftpd", "");
    let alice = desk.log_in(1, "alice");
    desk.control(Control::Hang);
    let bob = desk.connect(2);
    desk.types(alice, "NOOP");
    desk.control(Control::Crash);
    assert_eq!((desk.hears(alice), desk.hears(bob)), ("(rst)".to_owned(), "(rst)".to_owned()));
    desk.control(Control::Resume);
    desk.wait(1.0);
    assert_eq!(desk.slots(), 0, "and a resume that comes too late wakes nobody");
    assert_eq!(desk.knock(3), "220 (vsFTPd 3.0.3)");
}

/// A hung process reads no configuration and no shutdown message, either.
#[test]
fn what_an_administrator_tells_a_hung_server_waits_too() {
    let mut desk = Desk::new("rfc959", "max_clients = 3\nmessage = \"gone\"");
    let alice = desk.log_in(1, "alice");
    desk.control(Control::Hang);
    desk.control(Control::Announce);
    desk.control(Control::CutAnnounced);
    desk.control(Control::SetLimit { check: 0, limit: 1 });
    assert_eq!(desk.hears(alice), "", "it cannot say 421 while it hangs");
    desk.control(Control::Resume);
    assert_eq!(
        desk.hears(alice),
        "421 Service not available, shutting down (gone), closing control connection. | (fin)"
    );
    desk.control(Control::Listen);
    assert!(desk.knock(1).starts_with("220"));
    assert!(desk.knock(2).contains("too many connections (1)"));
}

#[test]
fn a_server_that_hangs_while_it_announces_still_announces_when_it_wakes() {
    let mut desk = Desk::new("proftpd", "message = \"back at six\"");
    desk.control(Control::Announce);
    desk.wait(5.0);
    desk.control(Control::Hang);
    let bob = desk.connect(1);
    assert_eq!(desk.hears(bob), "");
    desk.control(Control::Resume);
    assert!(desk.hears(bob).starts_with("500 FTP server shut down (back at six)"));
}

/// The login timer of `ProFTPD` is not extended by the USER that waited, and has run out long ago.
#[test]
fn time_does_not_go_back_to_a_deadline_that_went_by_during_a_hang() {
    let link = "link = { rtt = \"40ms\", reply_timeout = \"1h\" }";
    let scenario = hour(&[
        server("proftpd", ""),
        client("alice", "9.98s", link),
        fault("10.01s", "kind = \"shutdown\"\nform = \"hang\"\nlasts = \"10m\""),
    ]);
    assert_eq!(
        told(&scenario, "alice")[2..],
        [
            "10.02 C: USER alice",
            "610.03 S: 331 Password required for alice",
            "610.03 C: PASS ********",
            "610.03 S: 421 Login timeout (300 seconds): closing control connection",
            "610.03 -- client closes",
        ]
    );
}

#[test]
fn a_resume_without_a_hang_changes_nothing() {
    let mut desk = Desk::new("vsftpd", "");
    let alice = desk.log_in(1, "alice");
    desk.control(Control::Resume);
    assert_eq!(desk.types(alice, "NOOP"), "200 NOOP ok.");
}

#[test]
fn faults_at_one_time_happen_in_the_order_of_the_file() {
    let at_ten = |limit| fault("10s", &format!("kind = \"reload\"\nmax_clients = {limit}"));
    let bob = |first, second| {
        let scenario = hour(&[
            server("rfc959", "max_clients = 5"),
            client("alice", "0s", "script = [\"login\", { think = \"60s\" }]"),
            client("bob", "11s", ""),
            at_ten(first),
            at_ten(second),
        ]);
        told(&scenario, "bob")[1].clone()
    };
    assert!(bob(1, 5).contains("S: 220"));
    assert!(bob(5, 1).contains("S: 421"));
}
