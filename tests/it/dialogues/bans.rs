//! Bans: what counts, how the banned are refused, and who suffers with them.

use ftp421::id::ConnId;
use ftp421::server::profile::BanBy;
use ftp421::server::{BanOverride, Offence};
use ftp421::time::Duration;

use super::desk::{Desk, part, span};
use super::{client, hour, only, server, told};

const TWO_IN_A_MINUTE: &str = "[server.ban]\nthreshold = 2\nwindow = \"60s\"\nduration = \"10m\"";

/// Tries all three passwords of a session.
fn guess(desk: &mut Desk, host: u32) -> String {
    let conn = desk.call(host);
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
        client("stranger", "25s", ""),
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
        ["25 S: 230 User stranger logged in"]
    );
}

/// A server with this ban logic, switched on.
fn banning(logic: &str) -> Desk {
    banning_by(logic, BanOverride::default())
}

fn banning_by(logic: &str, own: BanOverride) -> Desk {
    Desk::like("rfc959", |profile, overrides| {
        overrides.ban = Some(own);
        overrides.max_login_attempts = Some(0);
        overrides.login_timeout = Some(Duration::ZERO);
        profile.ban = Some(part(&format!(
            "from = \"test\"\noffence = \"bad_password\"\nthreshold = 3\nwindow = \"30s\"\nduration = \"300s\"\n{logic}"
        )));
        profile.login.fail_delay = span("1500ms");
    })
}

const REFUSES: &str = "\n[refusal]\ncode = 421\ntext = \"Banned.\"\nclose = \"fin\"";

fn tries(desk: &mut Desk, conn: ConnId, user: &str, password: &str) -> String {
    desk.types(conn, &format!("USER {user}"));
    desk.types(conn, &format!("PASS {password}"))
}

#[test]
fn a_profiles_own_threshold_window_and_duration_hold_unless_the_scenario_says_otherwise() {
    let mut desk = banning(REFUSES);
    let alice = desk.connect(1);
    for _ in 0..3 {
        tries(&mut desk, alice, "alice", "wrong");
    }
    assert_eq!(desk.knock(1), "421 Banned. | (fin)");
    desk.wait(300.0);
    assert!(desk.knock(1).starts_with("220"));
    let mut desk = banning_by(REFUSES, BanOverride { threshold: Some(1), ..BanOverride::default() });
    let alice = desk.connect(1);
    tries(&mut desk, alice, "alice", "wrong");
    assert_eq!(desk.knock(1), "421 Banned. | (fin)");
}

/// unftp, measured: while blocked, the right password gets the 530 of a wrong one after the usual delay.
#[test]
fn unftp_answers_a_banned_clients_right_password_like_a_wrong_one() {
    let logic = "refuses_at_password = true\n[refusal]\ncode = 530\ntext = \"Authentication failed\"\nclose = \"none\"";
    let mut desk = banning(logic);
    let alice = desk.connect(1);
    for _ in 0..3 {
        assert!(tries(&mut desk, alice, "alice", "wrong").ends_with("530 Not logged in."));
    }
    let before = desk.clock();
    assert_eq!(tries(&mut desk, alice, "alice", "right"), "530 Authentication failed");
    assert!((desk.clock() - before - 1.5).abs() < 1e-9);
    assert!(desk.knock(1).starts_with("220"), "it is let in, and that is all");
    desk.wait(300.0);
    assert!(tries(&mut desk, alice, "alice", "right").starts_with("230"));
}

/// `--failed-logins-policy ip | user | combination`.
#[test]
fn a_ban_is_on_the_address_the_account_or_the_account_at_the_address() {
    for (by, others_here, same_elsewhere) in
        [(BanBy::Address, false, true), (BanBy::User, true, false), (BanBy::Both, true, true)]
    {
        let mut desk = banning_by(REFUSES, BanOverride { by: Some(by), ..BanOverride::default() });
        let alice = desk.connect(1);
        let bob = desk.connect(1);
        for _ in 0..3 {
            tries(&mut desk, alice, "alice", "wrong");
        }
        let at = if by == BanBy::Address { "at accept" } else { "at PASS" };
        let again = desk.connect(1);
        let heard = desk.hears(again) + &tries(&mut desk, again, "alice", "right");
        assert!(heard.contains("421 Banned. | (fin)"), "{by:?} {at}: {heard}");
        let stranger = desk.connect(1);
        let heard = desk.hears(stranger) + &tries(&mut desk, stranger, "bob", "right");
        assert_eq!(heard.contains("230"), others_here, "{by:?}: {heard}");
        let elsewhere = desk.connect(2);
        assert_eq!(
            tries(&mut desk, elsewhere, "alice", "right").contains("230"),
            same_elsewhere,
            "{by:?}: the same account from elsewhere"
        );
        assert!(tries(&mut desk, bob, "bob", "right").contains("230"), "a live session is let alone");
    }
}

/// Serv-U.
#[test]
fn a_login_may_wipe_the_slate_clean() {
    for resets in [false, true] {
        let mut desk = banning(&format!("success_resets = {resets}{REFUSES}"));
        let alice = desk.connect(1);
        tries(&mut desk, alice, "alice", "wrong");
        tries(&mut desk, alice, "alice", "wrong");
        desk.log_in(1, "bob");
        tries(&mut desk, alice, "alice", "wrong");
        assert_eq!(desk.knock(1).starts_with("220"), resets);
    }
}

#[test]
fn a_ban_may_run_from_the_last_attempt() {
    let mut desk = banning(&format!("from_last_attempt = true{REFUSES}"));
    let alice = desk.connect(1);
    for _ in 0..3 {
        tries(&mut desk, alice, "alice", "wrong");
    }
    for _ in 0..3 {
        desk.wait(298.0);
        assert_eq!(desk.knock(1), "421 Banned. | (fin)");
    }
    desk.wait(300.0);
    assert!(desk.knock(1).starts_with("220"));
}

/// FileZilla Server 1.x: live sessions of the address are shut down too.
#[test]
fn a_ban_may_end_its_victims_live_sessions_at_once() {
    let mut desk = banning(&format!("cuts_live = \"at_once\"{REFUSES}"));
    let neighbour = desk.log_in(1, "neighbour");
    let stranger = desk.log_in(2, "stranger");
    let alice = desk.connect(1);
    desk.hears(alice);
    tries(&mut desk, alice, "alice", "wrong");
    tries(&mut desk, alice, "alice", "wrong");
    assert_eq!(desk.hears(neighbour), "");
    assert_eq!(tries(&mut desk, alice, "alice", "wrong"), "530 Not logged in. | (fin)");
    assert_eq!(desk.hears(neighbour), "(fin)");
    assert!(desk.types(stranger, "NOOP").starts_with("200"));
}

/// FileZilla Server 0.9.
#[test]
fn the_session_that_triggers_a_ban_may_meet_a_line_of_its_own() {
    let mut desk = banning(&format!(
        "[trigger]\ncode = 421\ntext = \"Temporarily banned for too many failed login attempts\"\nclose = \"fin\"{REFUSES}"
    ));
    let alice = desk.connect(1);
    desk.hears(alice);
    tries(&mut desk, alice, "alice", "wrong");
    tries(&mut desk, alice, "alice", "wrong");
    assert_eq!(
        tries(&mut desk, alice, "alice", "wrong"),
        "421 Temporarily banned for too many failed login attempts | (fin)"
    );
    assert_eq!(desk.knock(1), "421 Banned. | (fin)");
}

#[test]
fn timeouts_and_limits_may_be_offences() {
    let on = |offence| BanOverride { offence: Some(offence), threshold: Some(1), ..BanOverride::default() };
    let mut desk = banning_by(REFUSES, on(Offence::IdleTimeout));
    desk.log_in(1, "alice");
    desk.wait(300.0);
    assert_eq!(desk.knock(1), "421 Banned. | (fin)");
    let limited = |offence, knob: &str| {
        let mut desk = Desk::like("rfc959", |profile, overrides| {
            overrides.ban = Some(on(offence));
            overrides.limits = vec![(knob.to_owned(), 1)];
            profile.ban = Some(part(&format!(
                "from = \"test\"\noffence = \"connect\"\nwindow = \"30s\"\nduration = \"300s\"{REFUSES}"
            )));
        });
        desk.log_in(1, "alice");
        desk
    };
    let mut desk = limited(Offence::MaxPerIp, "max_per_ip");
    assert!(desk.knock(1).contains("from your address"));
    assert_eq!(desk.knock(1), "421 Banned. | (fin)");
    let mut desk = limited(Offence::MaxPerUser, "max_per_user");
    let again = desk.connect(2);
    tries(&mut desk, again, "alice", "right");
    assert_eq!(desk.knock(2), "421 Banned. | (fin)");
}
