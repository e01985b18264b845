//! Bans: what counts, how the banned are refused, and who suffers with them.

use super::desk::{Desk, part};
use super::{client, hour, only, server, told};

const TWO_IN_A_MINUTE: &str = "[server.ban]\nthreshold = 2\nwindow = \"60s\"\nduration = \"10m\"";

/// Tries all three passwords of a session.
fn guess(desk: &mut Desk, host: u32) -> String {
    let conn = desk.connect(host);
    desk.hears(conn);
    for _ in 0..2 {
        desk.types(conn, "USER alice");
        desk.types(conn, "PASS wrong");
    }
    desk.types(conn, "USER alice");
    desk.types(conn, "PASS wrong")
}

#[test]
fn mod_ban_counts_sessions_not_passwords() {
    let mut desk = Desk::new("proftpd", TWO_IN_A_MINUTE);
    assert_eq!(guess(&mut desk, 1), "530 Login incorrect. | (fin)", "three passwords are one offence");
    assert!(desk.knock(1).starts_with("220"));
}

#[test]
fn the_session_that_triggers_the_ban_gets_two_lines() {
    let mut desk = Desk::new("proftpd", TWO_IN_A_MINUTE);
    guess(&mut desk, 1);
    assert_eq!(guess(&mut desk, 1), "530 Login incorrect. | 530 Host 192.0.2.7 has been banned | (fin)");
    assert_eq!(desk.knock(1), "530 Host 192.0.2.7 has been banned | (fin)");
    assert!(desk.knock(2).starts_with("220"), "another host is not");
}

#[test]
fn a_ban_for_a_login_timeout_is_told_behind_its_421() {
    let mut desk =
        Desk::new("proftpd", &format!("login_timeout = \"5s\"\n{TWO_IN_A_MINUTE}\non = \"login_timeout\""));
    let first = desk.connect(1);
    desk.hears(first);
    desk.wait(5.4);
    assert_eq!(desk.hears(first), "421 Login timeout (5 seconds): closing control connection | (fin)");
    let second = desk.connect(1);
    desk.hears(second);
    desk.wait(5.4);
    assert_eq!(
        desk.hears(second),
        "421 Login timeout (5 seconds): closing control connection | 530 Host 192.0.2.7 has been banned | (fin)"
    );
}

/// `ClientConnectRate 5/10` bans on the fifth connect.
#[test]
fn a_connect_rate_bans_on_the_very_connect_that_is_too_many() {
    let rule = "[server.ban]\non = \"connect\"\nthreshold = 5\nwindow = \"10s\"\nduration = \"1h\"";
    let mut desk = Desk::new("proftpd", rule);
    for _ in 0..4 {
        assert!(desk.knock(1).starts_with("220"));
        desk.wait(1.0);
    }
    assert_eq!(desk.knock(1), "530 Host 192.0.2.7 has been banned | (fin)");
}

#[test]
fn offences_outside_the_window_begin_a_new_one() {
    let mut desk = Desk::new("proftpd", TWO_IN_A_MINUTE);
    guess(&mut desk, 1);
    desk.wait(60.001);
    assert_eq!(guess(&mut desk, 1), "530 Login incorrect. | (fin)");
    desk.wait(60.0);
    assert!(guess(&mut desk, 1).contains("banned"), "sixty seconds are still within the window");
}

#[test]
fn a_ban_runs_out() {
    let mut desk = Desk::new("proftpd", TWO_IN_A_MINUTE);
    guess(&mut desk, 1);
    guess(&mut desk, 1);
    desk.wait(599.999);
    assert!(desk.knock(1).starts_with("530 Host"));
    desk.wait(0.001);
    assert!(desk.knock(1).starts_with("220"));
}

/// The bans in force are a time-weighted mean: one ban of ten minutes in an hour, then none.
#[test]
fn a_ban_that_ran_out_is_not_in_force_any_more() {
    let text = format!(
        "schema = 1\nname = \"hour\"\nduration = \"1h\"\n{}{}",
        server(
            "proftpd",
            "[server.ban]\non = \"bad_password\"\nthreshold = 1\nwindow = \"1m\"\nduration = \"6m\""
        ),
        client("guesser", "10m", "wrong_password = 1.0"),
    );
    let summary = crate::support::outcome(&text).summary;
    let bans = &serde_json::to_value(&summary).unwrap()["concurrency"]["bans"];
    assert_eq!(bans["max"], 1, "{bans}");
    assert!((bans["mean"].as_f64().unwrap() - 0.1).abs() < 1e-9, "{bans}");
}

#[test]
fn a_banned_hosts_live_session_is_cut_silently_at_its_next_command() {
    let mut desk = Desk::new("proftpd", TWO_IN_A_MINUTE);
    let logged_in = desk.log_in(1, "neighbour");
    let greeted = desk.connect(1);
    desk.hears(greeted);
    guess(&mut desk, 1);
    guess(&mut desk, 1);
    desk.wait(1.0);
    assert_eq!(desk.hears(logged_in), "", "not before it says something");
    assert_eq!(desk.types(logged_in, "NOOP"), "(fin)");
    assert_eq!(desk.types(greeted, "USER bob"), "(fin)");
}

#[test]
fn the_idealised_server_lets_a_banned_hosts_live_session_go_on() {
    let mut desk = Desk::new("rfc959", TWO_IN_A_MINUTE);
    let neighbour = desk.log_in(1, "neighbour");
    guess(&mut desk, 1);
    guess(&mut desk, 1);
    assert_eq!(desk.types(neighbour, "NOOP"), "200 Command okay.");
    assert!(desk.knock(1).starts_with("421 Service not available, your address"));
}

#[test]
fn neighbours_behind_the_banned_address_are_refused_too() {
    let behind = "addresses = { cidr = \"198.51.100.7/32\" }";
    let scenario = hour(&[
        server("proftpd", TWO_IN_A_MINUTE),
        client(
            "guesser",
            "10s",
            &format!(
                "{behind}\nwrong_password = 1.0\nlogin_tries = 3\nretry = {{ backoff = \"fixed\", wait = \"5s\", attempts = 2, on = [\"login_attempts\"] }}"
            ),
        ),
        client("neighbour", "20s", &format!("{behind}\nretry = {{ backoff = \"fixed\", wait = \"400s\" }}")),
        client("stranger", "20s", ""),
    ]);
    assert_eq!(
        only(&told(&scenario, "neighbour"), &["S: 530", "S: 230"]),
        [
            "20 S: 530 Host 198.51.100.7 has been banned",
            "420 S: 530 Host 198.51.100.7 has been banned",
            "820 S: 230 User neighbour logged in",
        ]
    );
    assert_eq!(
        only(&told(&scenario, "stranger"), &["S: 530", "S: 230"]),
        ["20 S: 230 User stranger logged in"]
    );
}
