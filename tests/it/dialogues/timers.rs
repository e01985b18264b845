//! Timers: what starts them, what they let pass, and their last words.

use ftp421::id::ConnId;
use ftp421::server::Input;
use ftp421::time::Duration;

use super::desk::{Desk, part, span};
use super::{client, hour, only, server, told};

/// Measured 60.1 s for -I 1.
#[test]
fn the_classic_dialogue_of_a_user_who_was_away() {
    let scenario = hour(&[
        server("pure-ftpd", "idle_timeout = \"5m\""),
        client("alice", "0s", "script = [\"login\", { idle = \"6m\" }, \"noop\"]"),
    ]);
    let told = told(&scenario, "alice");
    assert_eq!(
        told[5..],
        [
            "0 C: USER alice",
            "0 S: 331 User alice OK. Password required",
            "0 C: PASS ********",
            "0 S: 230 OK. Current directory is /",
            "360 C: NOOP",
            "360 S: 421 Timeout - try typing a little faster next time",
            "360 -- server closes (fin)",
            "360 -- client closes",
        ]
    );
}

#[test]
fn a_client_that_watches_its_connection_reads_the_421_when_it_comes() {
    let scenario = hour(&[
        server("vsftpd", "idle_timeout = \"5m\""),
        client("alice", "0s", "script = [\"login\", { think = \"6m\" }, \"noop\"]"),
    ]);
    assert_eq!(told(&scenario, "alice")[6..], ["300 S: 421 Timeout.", "300 -- client closes"]);
}

#[test]
fn each_command_starts_the_idle_timer_again() {
    for profile in ["vsftpd", "pyftpdlib", "rfc959", "proftpd"] {
        let off = if profile == "proftpd" { "no_transfer_timeout = \"0s\"" } else { "" };
        let mut desk = Desk::new(profile, &format!("idle_timeout = \"5s\"\n{off}"));
        let alice = desk.log_in(1, "alice");
        for _ in 0..20 {
            desk.wait(4.9);
            assert!(desk.types(alice, "NOOP").starts_with("200"), "{profile}: NOOP defeats the idle timer");
        }
        desk.wait(6.0);
        assert!(desk.hears(alice).starts_with("421"), "{profile}");
    }
}

/// ftp_parser.c:19-28: the answer to the first keep-alive that comes more than twice the idle time after the first one. Measured at
/// 14 s for 5 s, with one each 2 s.
#[test]
fn pure_ftpd_cuts_a_keep_alive_client_at_twice_the_idle_time() {
    for keep_alive in ["NOOP", "PWD", "CWD /"] {
        let mut desk = Desk::new("pure-ftpd", "idle_timeout = \"5s\"");
        let alice = desk.log_in(1, "alice");
        for _ in 0..6 {
            desk.wait(2.0);
            assert!(desk.types(alice, keep_alive).starts_with('2'), "{keep_alive} at {}", desk.clock());
        }
        desk.wait(2.0);
        assert_eq!(desk.types(alice, keep_alive), "421 Timeout (no operation for 10 seconds) | (fin)");
    }
}

#[test]
fn a_transfer_or_a_listing_is_a_deed_and_a_keep_alive_is_not() {
    let mut desk = Desk::new("pure-ftpd", "idle_timeout = \"5s\"");
    let alice = desk.log_in(1, "alice");
    for _ in 0..4 {
        desk.wait(4.0);
        desk.types(alice, "NOOP");
        desk.wait(4.0);
        assert!(desk.types(alice, "PASV").starts_with("227"));
        desk.data(Input::DataOpened { conn: alice });
        assert!(desk.types(alice, "LIST").starts_with("150"));
        desk.data(Input::TransferDone { conn: alice });
        assert!(desk.hears(alice).starts_with("226-Options"));
    }
}

/// Also before login: measured at 150 s for a minute, with a NOOP every 15 s.
#[test]
fn pure_ftpd_counts_keep_alives_before_login_too() {
    let mut desk = Desk::new("pure-ftpd", "idle_timeout = \"60s\"");
    let alice = desk.connect(1);
    desk.hears(alice);
    for _ in 0..9 {
        desk.wait(15.0);
        assert!(!desk.types(alice, "NOOP").contains("421"), "at {}", desk.clock());
    }
    desk.wait(15.0);
    assert_eq!(desk.types(alice, "NOOP"), "421 Timeout (no operation for 120 seconds) | (fin)");
}

/// Measured 5.41 s for 5 s.
#[test]
fn proftpds_login_timer_is_not_extended_by_commands() {
    let mut desk = Desk::new("proftpd", "login_timeout = \"5s\"");
    let alice = desk.connect(1);
    desk.hears(alice);
    for _ in 0..5 {
        desk.wait(1.0);
        desk.types(alice, "USER alice");
    }
    desk.wait(0.399);
    assert_eq!(desk.hears(alice), "", "all its timers are late by 0.4 s");
    desk.wait(0.001);
    assert_eq!(desk.hears(alice), "421 Login timeout (5 seconds): closing control connection | (fin)");
}

#[test]
fn every_command_before_login_starts_the_login_timer_of_the_others_again() {
    for profile in ["vsftpd", "pure-ftpd", "pyftpdlib"] {
        let mut desk = Desk::new(profile, "idle_timeout = \"5s\"");
        let alice = desk.connect(1);
        desk.hears(alice);
        for _ in 0..4 {
            desk.wait(4.0);
            assert!(desk.types(alice, "USER alice").starts_with("331"), "{profile}");
        }
        desk.wait(5.0);
        assert!(desk.hears(alice).starts_with("421"), "{profile}: the login timer is the idle timer");
    }
}

/// Measured 5.40 s for 5 s, and 6.4 s for 6 s.
#[test]
fn proftpds_no_transfer_timer_does_not_care_for_noops() {
    let mut desk = Desk::new("proftpd", "no_transfer_timeout = \"6s\"\nidle_timeout = \"5s\"");
    let alice = desk.log_in(1, "alice");
    for _ in 0..3 {
        desk.wait(2.0);
        assert!(desk.types(alice, "NOOP").starts_with("200"));
    }
    desk.wait(0.4);
    assert_eq!(desk.hears(alice), "421 No transfer timeout (6 seconds): closing control connection | (fin)");
    let bob = desk.log_in(2, "bob");
    desk.wait(5.4);
    assert_eq!(desk.hears(bob), "421 Idle timeout (5 seconds): closing control connection | (fin)");
}

#[test]
fn a_transfer_starts_the_no_transfer_timer_again() {
    let mut desk = Desk::new("proftpd", "no_transfer_timeout = \"6s\"");
    let alice = desk.log_in(1, "alice");
    desk.wait(5.0);
    desk.types(alice, "PASV");
    desk.data(Input::DataOpened { conn: alice });
    desk.types(alice, "RETR /file");
    desk.data(Input::TransferDone { conn: alice });
    desk.hears(alice);
    desk.wait(6.3);
    assert_eq!(desk.hears(alice), "");
    desk.wait(0.1);
    assert!(desk.hears(alice).starts_with("421 No transfer timeout"));
}

#[test]
fn the_session_timer_cuts_even_the_busy() {
    let mut desk = Desk::new("proftpd", "session_timeout = \"6s\"");
    let alice = desk.log_in(1, "alice");
    for _ in 0..6 {
        desk.wait(1.0);
        assert!(desk.types(alice, "PASV").starts_with("227"));
    }
    desk.wait(0.4);
    assert_eq!(desk.hears(alice), "421 Session Timeout (6 seconds): closing control connection | (fin)");
}

/// 10 MiB at 10 KiB/s take 1024 s; the idle time of 300 s begins at their end.
#[test]
fn the_idle_timer_rests_during_a_transfer() {
    let scenario = hour(&[
        server("vsftpd", ""),
        client(
            "alice",
            "0s",
            "script = [\"login\", { retr = \"10MiB\" }, { think = \"10m\" }]\n\
             link = { rtt = \"0s\", bandwidth = \"10KiB/s\" }",
        ),
    ]);
    assert_eq!(
        told(&scenario, "alice")[8..],
        [
            "0 C: RETR /file",
            "0 S: 150 Opening BINARY mode data connection for /file (10485760 bytes).",
            "1024 S: 226 Transfer complete.",
            "1324 S: 421 Timeout.",
            "1324 -- client closes",
        ]
    );
}

#[test]
fn a_timer_of_zero_is_off() {
    let mut desk = Desk::new("vsftpd", "idle_timeout = \"0s\"");
    let alice = desk.log_in(1, "alice");
    desk.wait(1e6);
    assert_eq!(desk.types(alice, "NOOP"), "200 NOOP ok.");
}

/// The 900 s are the default; a ghost is a client that left without a FIN.
#[test]
fn a_ghost_holds_its_slot_until_the_idle_timer() {
    let bob = "retry = { backoff = \"fixed\", wait = \"100s\" }";
    let scenario = hour(&[
        server("pure-ftpd", "max_clients = 1"),
        client("ghost", "0s", "script = [\"login\", { think = \"1s\" }]\nvanish = 1.0"),
        client("bob", "1s", bob),
    ]);
    assert_eq!(told(&scenario, "ghost").last().unwrap(), "0 -- client vanishes without a word");
    let bob = only(&told(&scenario, "bob"), &["S: 421", "S: 230"]);
    assert_eq!(bob.len(), 10);
    assert_eq!(bob[8], "801 S: 421 1 users (the maximum) are already logged in, sorry");
    assert_eq!(bob[9], "901 S: 230 OK. Current directory is /");
}

/// Measured 10.0 s for 5 s: bytes put the idle timer off, and the line has twice its time.
#[test]
fn bytes_without_a_line_end_keep_pure_ftpd_waiting_for_twice_the_idle_time() {
    let mut desk = Desk::like("pure-ftpd", |profile, overrides| {
        overrides.idle_timeout = Some(Duration::from_secs(5));
        profile.timer.idle.as_mut().unwrap().rearmed_by_bytes = true;
        profile.timer.login.as_mut().unwrap().rearmed_by_bytes = true;
        profile.timer.line = Some(part(
            "times_idle = 2\nfrom = \"measured\"\n[refusal]\ncode = 421\ntext = \"Timeout\"\nclose = \"fin\"",
        ));
    });
    let alice = desk.log_in(1, "alice");
    let bob = desk.connect(2);
    desk.hears(bob);
    for _ in 0..5 {
        desk.data(Input::Bytes { conn: alice });
        desk.data(Input::Bytes { conn: bob });
        desk.wait(1.9);
    }
    assert_eq!(desk.hears(alice), "");
    desk.wait(0.5);
    assert_eq!(desk.hears(alice), "421 Timeout | (fin)");
    assert_eq!(desk.hears(bob), "421 Timeout | (fin)");
    let carol = desk.log_in(3, "carol");
    for _ in 0..8 {
        desk.data(Input::Bytes { conn: carol });
        desk.wait(3.0);
        assert!(desk.types(carol, "LIST").starts_with("425"), "a line that ends is a line");
    }
}

/// Measured: cut at 5.0 s, like pyftpdlib and unftp.
#[test]
fn bytes_without_a_line_end_are_nothing_to_the_others() {
    let mut desk = Desk::new("vsftpd", "idle_timeout = \"5s\"");
    let alice = desk.log_in(1, "alice");
    for _ in 0..2 {
        desk.wait(2.0);
        desk.data(Input::Bytes { conn: alice });
    }
    desk.wait(1.0);
    assert!(desk.hears(alice).starts_with("421"));
}

#[test]
fn site_idle_sets_the_idle_timer_and_what_follows_it() {
    let mut desk = Desk::like("pure-ftpd", |profile, _| {
        profile.timer.idle.as_mut().unwrap().site_idle_max = span("2520s");
    });
    let alice = desk.log_in(1, "alice");
    assert_eq!(desk.types(alice, "SITE IDLE 2521"), "500 Unknown command");
    assert!(desk.types(alice, "SITE IDLE 5").starts_with("200"));
    for _ in 0..4 {
        desk.wait(3.0);
        assert_eq!(desk.types(alice, "NOOP"), "200 Zzz...");
    }
    desk.wait(3.0);
    assert!(desk.types(alice, "NOOP").starts_with("421 Timeout (no operation"));
    let bob = desk.log_in(2, "bob");
    assert!(desk.types(bob, "SITE IDLE 5").starts_with("200"));
    desk.wait(5.0);
    assert!(desk.hears(bob).starts_with("421 Timeout - try typing"));
    let mut desk = Desk::new("vsftpd", "");
    let carol = desk.log_in(1, "carol");
    assert_eq!(desk.types(carol, "SITE IDLE 5"), "550 Permission denied.", "it has no such command");
}

/// Serv-U: "block anti time-out schemes".
#[test]
fn a_server_may_ignore_noops() {
    let mut desk = Desk::like("rfc959", |profile, overrides| {
        overrides.idle_timeout = Some(Duration::from_secs(5));
        profile.timer.idle.as_mut().unwrap().ignores_noop = true;
    });
    let alice = desk.log_in(1, "alice");
    desk.wait(3.0);
    assert!(desk.types(alice, "NOOP").starts_with("200"));
    desk.wait(1.0);
    assert!(desk.types(alice, "PWD").starts_with("257"));
    desk.wait(4.9);
    assert!(desk.types(alice, "NOOP").starts_with("200"));
    desk.wait(0.1);
    assert!(desk.hears(alice).starts_with("421"));
}

#[test]
fn a_server_without_a_login_timer_hurries_nobody() {
    let mut desk = Desk::like("rfc959", |profile, _| profile.timer.login = None);
    let alice = desk.connect(1);
    desk.hears(alice);
    desk.wait(1e6);
    assert_eq!(desk.hears(alice), "");
}

/// A transfer over PASV that moves for `moves` seconds and then stands still; what is heard, and after how many seconds.
fn stalls(desk: &mut Desk, command: &str, moves: f64) -> (String, f64) {
    let alice = desk.log_in(1, "alice");
    desk.types(alice, "PASV");
    desk.data(Input::DataOpened { conn: alice });
    desk.types(alice, command);
    let begin = desk.clock();
    desk.data(Input::Progress { conn: alice, rate: 1_000 });
    desk.wait(moves);
    desk.data(Input::Progress { conn: alice, rate: 0 });
    for _ in 0..1_000 {
        let heard = desk.hears(alice);
        if !heard.is_empty() {
            return (heard, ((desk.clock() - begin) * 10.0).round() / 10.0);
        }
        desk.wait(0.1);
    }
    (String::new(), f64::INFINITY)
}

fn stalled(profile: &str, how: &str) -> Desk {
    Desk::like(profile, |profile, _| {
        profile.timer.stalled = Some(part(&format!("from = \"measured\"\n{how}")));
    })
}

/// Measured 10.0 s (STOR) and 15.0 s (RETR) for a setting of 5 s: a tick with progress, a tick without, and for RETR one more in
/// close.
#[test]
fn vsftpd_finds_a_stalled_transfer_after_two_or_three_times_its_setting() {
    let says = "{ code = 421, text = \"Data timeout. Reconnect. Sorry.\", close = \"fin_then_rst\" }";
    let how =
        format!("after = \"5s\"\nticks = true\ndownload_lingers = 1\nupload = {says}\ndownload = {says}");
    let told = "421 Data timeout. Reconnect. Sorry. | (fin_then_rst)".to_owned();
    assert_eq!(stalls(&mut stalled("vsftpd", &how), "STOR /file", 1.0), (told.clone(), 10.0));
    assert_eq!(stalls(&mut stalled("vsftpd", &how), "RETR /file", 1.0), (told.clone(), 15.0));
    assert_eq!(stalls(&mut stalled("vsftpd", &how), "STOR /file", 0.0), (told, 5.0), "if it never moved");
}

/// Measured: the final reply of a stalled RETR has code 150; a stalled STOR is 451. Both sessions go on.
#[test]
fn pure_ftpd_goes_on_after_a_stalled_transfer() {
    let how = "times_idle = 1\nupload = { code = 451, text = \"Transfer aborted\", close = \"none\" }\n\
               download = { code = 150, text = \"0.000 seconds\", close = \"none\" }";
    for (command, says) in [("RETR /file", "150 0.000 seconds"), ("STOR /file", "451 Transfer aborted")] {
        let mut desk = Desk::like("pure-ftpd", |profile, overrides| {
            overrides.idle_timeout = Some(Duration::from_secs(5));
            profile.timer.stalled = Some(part(&format!("from = \"measured\"\n{how}")));
        });
        assert_eq!(stalls(&mut desk, command, 2.0), (says.to_owned(), 7.0));
        assert_eq!(desk.did(), "starts aborts");
        assert!(desk.types(ConnId(0), "NOOP").starts_with("200"));
    }
}

/// Measured 5.4 s for 5 s.
#[test]
fn proftpd_ends_a_stalled_transfer_without_a_word() {
    let how =
        "after = \"5s\"\nupload = { code = 0, close = \"fin\" }\ndownload = { code = 0, close = \"fin\" }";
    let mut desk = stalled("proftpd", how);
    assert_eq!(stalls(&mut desk, "RETR /file", 3.0), ("(fin)".to_owned(), 8.4));
    assert_eq!(desk.did(), "starts aborts", "the data connection goes too");
}

/// IIS: `minBytesPerSecond`.
#[test]
fn a_transfer_below_the_least_rate_makes_no_progress() {
    let says = "{ code = 426, text = \"Too slow.\", close = \"none\" }";
    let how = format!("after = \"5s\"\nleast_rate = 240\nupload = {says}\ndownload = {says}");
    let mut desk = stalled("rfc959", &how);
    let alice = desk.log_in(1, "alice");
    desk.types(alice, "PASV");
    desk.data(Input::DataOpened { conn: alice });
    desk.types(alice, "RETR /file");
    for rate in [240, 239, 241] {
        desk.data(Input::Progress { conn: alice, rate });
        desk.wait(4.9);
        assert_eq!(desk.hears(alice), "", "at {rate}");
    }
    desk.data(Input::Progress { conn: alice, rate: 239 });
    desk.wait(5.0);
    assert_eq!(desk.hears(alice), "426 Too slow.");
}

/// Measured for 31 s: only the idle time was short.
#[test]
fn a_stalled_transfer_never_ends_where_nobody_watches_it() {
    let mut desk = Desk::new("rfc959", "idle_timeout = \"5s\"");
    assert_eq!(stalls(&mut desk, "RETR /file", 1.0).0, "");
}
