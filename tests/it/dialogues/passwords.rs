//! Logging in: wrong passwords, how late they are answered, and how many a session may try.

use super::desk::{Desk, part};

#[test]
fn a_session_has_as_many_passwords_as_its_server_says() {
    for (profile, attempts, wrong, last) in [
        ("vsftpd", 3, "530 Login incorrect.", "530 Login incorrect. | (fin_then_rst)"),
        ("proftpd", 3, "530 Login incorrect.", "530 Login incorrect. | (fin)"),
        ("pure-ftpd", 6, "530 Login authentication failed", "530 Login authentication failed | (fin)"),
        ("pyftpdlib", 3, "530 Authentication failed.", "530 Authentication failed. Disconnecting. | (fin)"),
        (
            "rfc959",
            3,
            "530 Not logged in.",
            "421 Service not available, too many failed logins, closing control connection. | (fin)",
        ),
    ] {
        let mut desk = Desk::new(profile, "");
        let alice = desk.connect(1);
        desk.hears(alice);
        for _ in 1..attempts {
            desk.types(alice, "USER alice");
            assert_eq!(desk.types(alice, "PASS wrong"), wrong, "{profile}");
        }
        desk.types(alice, "USER alice");
        assert_eq!(desk.types(alice, "PASS wrong"), last, "{profile}");
    }
}

#[test]
fn a_wrong_password_is_answered_late() {
    for (profile, seconds) in [("vsftpd", 1.0), ("proftpd", 0.0), ("pyftpdlib", 3.0), ("rfc959", 0.0)] {
        let mut desk = Desk::new(profile, "");
        let alice = desk.connect(1);
        for attempt in 1..3 {
            desk.types(alice, "USER alice");
            desk.types(alice, "PASS wrong");
            assert!(
                (desk.clock() - seconds * f64::from(attempt)).abs() < 1e-9,
                "{profile}: {}",
                desk.clock()
            );
        }
    }
}

/// 3 s x n + U(0, 3) s: measured 6.4, 7.9, 13.3, 14.2, 17.5, 21.3 s, the password check included.
#[test]
fn wrong_passwords_are_answered_later_each_time_by_pure_ftpd() {
    let mut desk = Desk::new("pure-ftpd", "");
    let alice = desk.connect(1);
    let mut waits = Vec::new();
    for _ in 0..6 {
        desk.types(alice, "USER alice");
        let before = desk.clock();
        desk.types(alice, "PASS wrong");
        waits.push(desk.clock() - before);
    }
    for (n, wait) in (1..).zip(&waits) {
        let least = 3.0 * f64::from(n);
        assert!((least..=least + 3.0).contains(wait), "wait {n} is {wait} s");
    }
    assert!(waits.iter().any(|w| w % 3.0 > 0.1), "the random part is there: {waits:?}");
}

#[test]
fn the_right_password_after_a_wrong_one_logs_in() {
    let mut desk = Desk::new("vsftpd", "");
    let alice = desk.connect(1);
    desk.types(alice, "USER alice");
    desk.types(alice, "PASS wrong");
    assert_eq!(desk.types(alice, "PASS right"), "503 Login with USER first.");
    desk.types(alice, "USER alice");
    assert_eq!(desk.types(alice, "PASS right"), "230 Login successful.");
}

#[test]
fn nothing_but_the_login_is_answered_before_it() {
    for (profile, says) in [
        ("vsftpd", "530 Please login with USER and PASS."),
        ("proftpd", "530 Please login with USER and PASS"),
        ("pure-ftpd", "530 You aren't logged in"),
        ("pyftpdlib", "530 Log in with USER and PASS first."),
        ("rfc959", "530 Not logged in."),
    ] {
        let mut desk = Desk::new(profile, "");
        let alice = desk.connect(1);
        desk.hears(alice);
        for verb in ["PASV", "LIST", "RETR /file", "STOR /file"] {
            assert_eq!(desk.types(alice, verb), says, "{profile}: {verb}");
        }
    }
}

/// As many as a scenario may ask for.
#[test]
fn two_hundred_and_fifty_five_passwords_are_so_many_passwords() {
    let mut desk = Desk::new("rfc959", "max_login_attempts = 255\nlogin_timeout = \"0s\"");
    let alice = desk.connect(1);
    for attempt in 1..=255 {
        desk.types(alice, "USER alice");
        let heard = desk.types(alice, "PASS wrong");
        assert_eq!(heard.starts_with("421"), attempt == 255, "attempt {attempt}: {heard}");
    }
}

/// A client keeps its number of tries too, and then closes by itself.
#[test]
fn a_client_tries_as_often_over_one_connection_as_its_scenario_says() {
    let scenario = super::hour(&[
        super::server("vsftpd", "max_login_attempts = 0\nlogin_fail_delay = \"1s\""),
        super::client("alice", "0s", "wrong_password = 1.0\nlogin_tries = 255"),
    ]);
    let told = super::told(&scenario, "alice");
    assert_eq!(super::only(&told, &["PASS"]).len(), 255);
    assert_eq!(told[told.len() - 2..], ["255 S: 530 Login incorrect.", "255 -- client closes"]);
}
