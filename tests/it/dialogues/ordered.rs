//! What an administrator orders: bans, timers, the end of somebody's connections. Each meets what the profile has for it.

use ftp421::id::PeerId;
use ftp421::server::profile::CutsLive;
use ftp421::server::{Control, Knob};

use super::desk::{Desk, part};

const FOR_GOOD: u32 = u32::MAX;

fn ban(host: u32, secs: u32) -> Control {
    Control::Ban { peer: PeerId(host), secs }
}

fn set(knob: Knob, value: u32) -> Control {
    Control::SetKnob { knob, value }
}

#[test]
fn a_ban_needs_no_rule_and_lasts_as_long_as_it_is_to() {
    let mut desk = Desk::new("proftpd", "");
    desk.control(ban(1, 60));
    assert_eq!(desk.knock(1), "530 Host 192.0.2.7 has been banned | (fin)");
    assert!(desk.knock(2).starts_with("220"));
    desk.wait(59.0);
    assert!(desk.knock(1).starts_with("530"));
    desk.wait(1.0);
    assert!(desk.knock(1).starts_with("220"));
    desk.control(ban(1, FOR_GOOD));
    desk.wait(1e9);
    assert!(desk.knock(1).starts_with("530"));
    desk.control(Control::Unban { peer: PeerId(1) });
    assert!(desk.knock(1).starts_with("220"));
}

#[test]
fn a_server_without_bans_has_a_list_of_unwelcome_addresses_or_a_packet_filter() {
    for (profile, says) in [
        ("vsftpd", "421 Service not available. | (fin_then_rst)"),
        ("pure-ftpd", "(rst)"),
        ("pyftpdlib", "(rst)"),
        ("unftp", "220"),
    ] {
        let mut desk = Desk::new(profile, "");
        desk.control(ban(1, FOR_GOOD));
        assert!(desk.knock(1).starts_with(says), "{profile}");
    }
}

#[test]
fn who_is_refused_at_the_password_when_banned_is_so_by_order_too() {
    let mut desk = Desk::new("unftp", "");
    desk.control(ban(1, FOR_GOOD));
    let conn = desk.call(1);
    desk.hears(conn);
    desk.types(conn, "USER alice");
    assert!(desk.types(conn, "PASS right").starts_with("530 Authentication failed"));
}

#[test]
fn a_ban_ends_live_sessions_as_the_profile_s_own_does() {
    for (cuts, at_once, next) in
        [(CutsLive::Never, "", "200"), (CutsLive::NextCommand, "", "(fin)"), (CutsLive::AtOnce, "(fin)", "")]
    {
        let mut desk = Desk::like("rfc959", |profile, _| {
            profile.ban.as_mut().expect("it has one").cuts_live = cuts;
        });
        let alice = desk.log_in(1, "alice");
        let other = desk.log_in(2, "bob");
        desk.control(ban(1, FOR_GOOD));
        assert_eq!(desk.hears(alice), at_once);
        assert!(desk.types(alice, "NOOP").starts_with(next), "{cuts:?}");
        assert!(desk.types(other, "NOOP").starts_with("200"));
    }
}

#[test]
fn an_earned_ban_and_what_led_to_it_are_forgotten_with_an_unban() {
    let mut desk = Desk::new(
        "rfc959",
        "[server.ban]\nthreshold = 2\nwindow = \"1h\"\nduration = \"1h\"\non = \"connect\"",
    );
    desk.knock(1);
    desk.control(Control::Unban { peer: PeerId(1) });
    assert!(desk.knock(1).starts_with("220"), "the first connect is forgotten");
    assert!(desk.knock(1).starts_with("421"), "and the third is the second");
    desk.control(Control::Unban { peer: PeerId(1) });
    assert!(desk.knock(1).starts_with("220"));
}

#[test]
fn a_timer_that_is_set_holds_for_those_who_are_there() {
    let mut desk = Desk::new("vsftpd", "");
    let alice = desk.log_in(1, "alice");
    desk.wait(100.0);
    desk.control(set(Knob::IdleTimeout, 90_000));
    desk.wait(0.01);
    assert_eq!(desk.hears(alice), "421 Timeout. | (fin_then_rst)", "she had been idle for longer");
    let bob = desk.log_in(1, "bob");
    desk.wait(60.0);
    desk.control(set(Knob::IdleTimeout, 200_000));
    desk.wait(60.0);
    assert_eq!(desk.hears(bob), "");
    desk.control(set(Knob::IdleTimeout, 0));
    desk.wait(1e6);
    assert_eq!(desk.hears(bob), "", "0 is off");
}

#[test]
fn what_follows_the_idle_timer_follows_it_still_and_texts_name_the_new_time() {
    let mut desk = Desk::new("proftpd", "");
    let alice = desk.log_in(1, "alice");
    desk.control(set(Knob::IdleTimeout, 7_000));
    desk.wait(10.0);
    assert!(desk.hears(alice).starts_with("421 Idle timeout (7 seconds)"));
    let mut desk = Desk::new("pure-ftpd", "");
    desk.control(set(Knob::IdleTimeout, 120_000));
    assert!(desk.knock(1).contains("disconnected after 2 minutes"));
    let mut desk = Desk::like("rfc959", |profile, _| {
        profile.timer.noop_idle = Some(part(
            "times_idle = 2\nfrom = \"ours\"\nrefusal = { code = 421, text = \"Not even {secs} s.\", close = \"fin\" }",
        ));
    });
    let alice = desk.log_in(1, "alice");
    desk.control(set(Knob::IdleTimeout, 10_000));
    for _ in 0..4 {
        desk.wait(6.0);
        assert!(desk.types(alice, "NOOP").starts_with("200"));
    }
    desk.wait(6.0);
    assert_eq!(desk.types(alice, "NOOP"), "421 Not even 20 s. | (fin)");
}

#[test]
fn a_timer_that_the_profile_lacks_stays_away() {
    let mut desk = Desk::new("vsftpd", "");
    let alice = desk.log_in(1, "alice");
    desk.control(set(Knob::NoTransferTimeout, 1_000));
    desk.wait(60.0);
    assert_eq!(desk.hears(alice), "");
}

#[test]
fn passwords_have_the_tries_and_the_delay_that_are_set() {
    let mut desk = Desk::new("rfc959", "");
    desk.control(set(Knob::MaxLoginAttempts, 1));
    desk.control(set(Knob::LoginFailDelay, 4_000));
    let conn = desk.call(1);
    desk.hears(conn);
    desk.types(conn, "USER alice");
    let before = desk.clock();
    assert!(desk.types(conn, "PASS wrong").ends_with("(fin)"));
    assert!((desk.answered(conn) - before - 4.0).abs() < 0.01);
}

#[test]
fn the_connections_of_one_address_end_wherever_they_stand() {
    for (reset, how) in [(false, "(fin)"), (true, "(rst)")] {
        let mut desk = Desk::new("rfc959", "");
        let (new, in_session, other) = (desk.call(1), desk.log_in(1, "alice"), desk.log_in(2, "bob"));
        let in_transfer = desk.log_in(1, "carol");
        desk.hears(new);
        desk.types(in_transfer, "PASV");
        desk.types(in_transfer, "RETR f");
        desk.control(Control::Part { peer: PeerId(1), reset });
        for conn in [new, in_session, in_transfer] {
            assert_eq!(desk.hears(conn), how);
        }
        assert!(desk.types(other, "NOOP").starts_with("200"));
        assert!(desk.knock(1).starts_with("220"));
        assert!(desk.did().contains("aborts"));
    }
}

#[test]
fn a_server_that_hangs_loses_connections_and_hears_of_the_rest_when_it_goes_on() {
    let mut desk = Desk::new("rfc959", "");
    let (alice, bob) = (desk.log_in(1, "alice"), desk.log_in(2, "bob"));
    desk.control(Control::Hang);
    desk.sends(alice, "NOOP");
    desk.control(Control::Part { peer: PeerId(1), reset: true });
    assert_eq!(desk.hears(alice), "(rst)", "that needs nobody's consent");
    desk.control(ban(3, FOR_GOOD));
    desk.control(set(Knob::IdleTimeout, 5_000));
    desk.control(ban(4, FOR_GOOD));
    desk.control(Control::Unban { peer: PeerId(4) });
    desk.wait(10.0);
    assert_eq!(desk.hears(bob), "");
    desk.control(Control::Resume);
    desk.wait(0.1);
    assert!(desk.hears(bob).starts_with("421"), "the timer");
    assert!(desk.knock(3).contains("banned"));
    assert!(desk.knock(4).starts_with("220"), "the last word counts");
}

#[test]
fn what_was_ordered_of_a_server_that_hung_holds_when_it_was_killed_instead() {
    let mut desk = Desk::new("rfc959", "");
    desk.control(Control::Hang);
    desk.control(ban(1, FOR_GOOD));
    desk.control(Control::StopListening);
    desk.control(Control::Crash);
    desk.control(Control::Listen);
    assert!(desk.knock(1).contains("banned"));
}
