//! Logging in: wrong passwords, how late they are answered, and how many a session may try.

use ftp421::id::{ConnId, UserId};
use ftp421::time::Duration;

use super::desk::{Desk, part, span};

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

/// Types USER and PASS; says what is heard and how many seconds the PASS has taken.
fn tries(desk: &mut Desk, conn: ConnId, password: &str) -> (String, f64) {
    desk.types(conn, "USER alice");
    let before = desk.clock();
    let heard = desk.types(conn, &format!("PASS {password}"));
    (heard, ((desk.clock() - before) * 1e3).round() / 1e3)
}

/// GNU inetutils, measured: n - 1 seconds before the n-th password is looked at; the sixth failure has two lines.
#[test]
fn inetutils_looks_at_each_password_a_second_later_and_says_530_and_421_at_the_sixth() {
    let mut desk = Desk::like("rfc959", |profile, _| {
        profile.login.max_attempts = 6;
        profile.login.check_delay_growth = span("1s");
        profile.login.failed = part("code = 530\ntext = \"Login incorrect.\"");
        profile.login.exhausted = part(
            "code = 530\ntext = \"Login incorrect.\"\nclose = \"fin\"\nthen = { code = 421, text = \"Service not available, closing control connection.\" }",
        );
    });
    let alice = desk.connect(1);
    desk.hears(alice);
    for seconds in [0.0, 1.0, 2.0, 3.0, 4.0] {
        assert_eq!(tries(&mut desk, alice, "wrong"), ("530 Login incorrect.".to_owned(), seconds));
    }
    let last = "530 Login incorrect. | 421 Service not available, closing control connection. | (fin)";
    assert_eq!(tries(&mut desk, alice, "wrong"), (last.to_owned(), 5.0));
    let bob = desk.connect(2);
    tries(&mut desk, bob, "wrong");
    let (_, waited) = tries(&mut desk, bob, "right");
    assert!((waited - 1.0).abs() < 1e-9, "a right password waits like a wrong one: {waited}");
}

/// wu-ftpd.
#[test]
fn each_wrong_password_may_make_the_answer_to_user_later() {
    let mut desk = Desk::like("rfc959", |profile, _| profile.login.user_delay_growth = span("2s"));
    let alice = desk.connect(1);
    tries(&mut desk, alice, "wrong");
    tries(&mut desk, alice, "wrong");
    let before = desk.clock();
    assert!(desk.types(alice, "USER alice").starts_with("331"));
    assert!((desk.clock() - before - 4.0).abs() < 1e-9);
}

/// FileZilla Server 0.9: 1.3 ^ (v / 400 - 5) s once v is above 2000; 400 more for each wrong password, 1 less each second.
#[test]
fn filezilla_server_reads_a_hammering_client_ever_more_slowly() {
    let mut desk = Desk::like("rfc959", |profile, overrides| {
        overrides.max_login_attempts = Some(0);
        overrides.login_timeout = Some(Duration::ZERO);
        profile.login.hammer =
            Some(part("add = 400.0\ndecay = 1.0\nabove = 2000.0\nbase = 1.3\ndivisor = 400.0\noffset = 5.0"));
    });
    let alice = desk.connect(1);
    desk.hears(alice);
    for _ in 0..5 {
        tries(&mut desk, alice, "wrong");
    }
    assert!(desk.clock() < 1e-9, "2000 is not above 2000");
    tries(&mut desk, alice, "wrong");
    let before = desk.clock();
    desk.types(alice, "NOOP");
    assert!((desk.clock() - before - 1.3).abs() < 0.01, "{}", desk.clock());
    desk.wait(400.0);
    let before = desk.clock();
    desk.types(alice, "NOOP");
    assert!((desk.clock() - before).abs() < 1e-9, "it forgives");
}

/// FileZilla Server 1.x: five 5yz replies before login end the connection.
#[test]
fn every_error_before_login_may_count_like_a_wrong_password() {
    let mut desk = Desk::like("rfc959", |profile, _| {
        profile.login.errors_count = true;
        profile.login.max_attempts = 5;
    });
    let alice = desk.connect(1);
    desk.hears(alice);
    for line in ["XYZZY", "LIST", "PASS right", "CWD /"] {
        assert!(desk.types(alice, line).starts_with('5'), "{line}");
    }
    desk.types(alice, "USER alice");
    let last = desk.types(alice, "PASS wrong");
    assert!(last.starts_with("421") && last.ends_with("(fin)"), "{last}");
    let bob = desk.connect(2);
    desk.hears(bob);
    for _ in 0..4 {
        desk.types(bob, "XYZZY");
    }
    let last = desk.types(bob, "XYZZY");
    assert!(last.starts_with('5') && last.ends_with(" | (fin)"), "its own reply, and the end: {last}");
}

/// vsftpd's `userlist_deny`: right after USER, and it counts.
#[test]
fn a_user_who_is_not_welcome_is_told_after_user_or_after_pass() {
    for (at_user, user, pass) in [(true, "530 Permission denied.", "503"), (false, "331", "530")] {
        let mut desk = Desk::like("vsftpd", |profile, overrides| {
            overrides.denied_users = vec![UserId(10)]; // the first name at a desk
            profile.login.denied_user = Some(part(&format!(
                "at_user = {at_user}\nreply = {{ code = 530, text = \"Permission denied.\" }}"
            )));
        });
        let bob = desk.connect(1);
        desk.hears(bob);
        for _ in 0..2 {
            let heard = desk.types(bob, "USER bob");
            assert!(heard.starts_with(user), "{heard}");
            let heard = desk.types(bob, "PASS right");
            assert!(heard.starts_with(pass), "{heard}");
        }
        desk.types(bob, "USER bob");
        desk.types(bob, "PASS right");
        assert!((desk.clock() - 3.0).abs() < 1e-9, "as late as a wrong password");
        assert_eq!(desk.slots(), 1, "reaped a little later");
        desk.wait(1.0);
        assert_eq!(desk.slots(), 0, "the third was the last");
        desk.log_in(2, "alice");
    }
}

/// FileZilla Server's IP filter.
#[test]
fn an_address_that_is_not_welcome_is_told_instead_of_the_greeting() {
    let mut desk = Desk::like("rfc959", |profile, overrides| {
        overrides.denied_addresses = true;
        profile.login.denied_address =
            Some(part("code = 550\ntext = \"No connections allowed from your IP\"\nclose = \"fin\""));
    });
    let conn = desk.connect_from(1, ftp421::server::DENIED);
    assert_eq!(desk.hears(conn), "550 No connections allowed from your IP | (fin)");
    assert!(desk.knock(2).starts_with("220"));
}
