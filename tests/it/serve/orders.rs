//! Orders to a server under way, and what its clients see of them at once.

use std::net::{IpAddr, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use ftp421::live::Emulator;
use ftp421::live::serve::orders::Until;
use nix::sys::socket::{AddressFamily, SockFlag, SockType, SockaddrIn, bind, connect, socket};

use super::talk::{Caller, reads};

const SOON: Duration = Duration::from_secs(10);
const A_MOMENT: Duration = Duration::from_millis(150);

fn of(profile: &str) -> Emulator {
    Emulator::profile(profile).user("alice", "a").start().unwrap()
}

fn logged_in(server: &Emulator) -> Caller {
    Caller::logged_in(server, "alice", "a")
}

/// Somebody who comes from `from`, an address of this machine.
fn from(server: &Emulator, from: [u8; 4]) -> Caller {
    let own = socket(AddressFamily::Inet, SockType::Stream, SockFlag::empty(), None).unwrap();
    let [a, b, c, d] = from;
    bind(std::os::fd::AsRawFd::as_raw_fd(&own), &SockaddrIn::new(a, b, c, d, 0)).unwrap();
    let SocketAddr::V4(to) = server.address() else { panic!("an IPv4 server") };
    connect(std::os::fd::AsRawFd::as_raw_fd(&own), &SockaddrIn::from(to)).unwrap();
    Caller::over(TcpStream::from(own))
}

fn is_refused(server: &Emulator) -> bool {
    TcpStream::connect(server.address()).is_err()
}

/// A server with a file that is longer than a socket's buffers, and Alice about to fetch it.
fn with_file(profile: &str) -> (Emulator, Caller, TcpStream) {
    let server = Emulator::profile(profile).user("alice", "a").file("/big", 64 << 20).start().unwrap();
    let mut alice = logged_in(&server);
    alice.says("TYPE I");
    let data = alice.opens_data();
    (server, alice, data)
}

// ---- going down, and coming up again ----------------------------------------------------------------------------------

#[test]
fn a_shutdown_now_tells_live_sessions_what_the_profile_tells_them() {
    for (profile, says) in [
        ("rfc959", "421 Service not available, shutting down"),
        ("wu-ftpd", "221"),
        ("filezilla-0.9", "421 Server is going offline"),
    ] {
        let server = of(profile);
        let mut alice = logged_in(&server);
        server.order("shutdown now").unwrap();
        // WU-FTPD's sessions hear of it when they ask next.
        let heard = alice.says("NOOP");
        assert!(heard.starts_with(says) || heard.starts_with("221"), "{profile}: {heard}");
        assert!(is_refused(&server), "{profile}");
    }
}

#[test]
fn vsftpd_and_proftpd_go_down_now_and_come_up_again() {
    for profile in ["vsftpd", "proftpd", "pure-ftpd", "pyftpdlib"] {
        let server = of(profile);
        let mut alice = logged_in(&server);
        server.order("shutdown now").unwrap();
        alice.sends("NOOP");
        let heard = alice.hears();
        assert!(!heard.starts_with("200") && heard != "(nothing)", "{profile}: {heard}");
        assert!(is_refused(&server), "{profile}");
        server.order("up").unwrap();
        logged_in(&server);
    }
}

#[test]
fn an_announced_shutdown_refuses_newcomers_and_ends_the_rest_after_its_notice() {
    let server = of("rfc959");
    let mut alice = logged_in(&server);
    assert_eq!(server.order("shutdown announce 300ms").unwrap(), "shuts down in 300ms");
    let told = Caller::of(&server).hears();
    assert!(told.starts_with("421 Service not available, shutting down"), "{told}");
    assert!(alice.says("PWD").starts_with("257"), "she has until then");
    assert!(alice.hears().starts_with("421"));
    server.wait(Until::Connections(0), SOON).unwrap();
    assert!(is_refused(&server));
}

#[test]
fn who_comes_up_again_forgets_what_was_announced() {
    let server = of("rfc959");
    let mut alice = logged_in(&server);
    server.order("shutdown announce 200ms").unwrap();
    server.order("up").unwrap();
    assert!(alice.hears_nothing_for(2 * A_MOMENT));
    assert!(alice.says("NOOP").starts_with("200"));
    logged_in(&server);
}

#[test]
fn a_drain_lets_nobody_in_and_live_sessions_go_on() {
    let server = of("vsftpd");
    let mut alice = logged_in(&server);
    server.order("shutdown drain").unwrap();
    assert!(is_refused(&server));
    assert!(alice.says("NOOP").starts_with("200"));
    assert!(!server.status().unwrap().listens);
    server.order("listen").unwrap();
    logged_in(&server);
}

#[test]
fn a_cut_is_an_end_and_a_crash_is_a_reset() {
    for (order, heard) in [("shutdown cut", "(end)"), ("shutdown crash", "(reset)")] {
        let server = of("vsftpd");
        let mut alice = logged_in(&server);
        let told = server.order(order).unwrap();
        assert!(told.ends_with("; connections: 1, now 0"), "{told}");
        assert_eq!(alice.hears(), heard, "{order}");
        assert!(is_refused(&server), "{order}");
    }
}

#[test]
fn a_server_that_is_up_and_not_ready_says_120_first() {
    let server = of("rfc959");
    server.order("shutdown drain").unwrap();
    server.order("up 1s").unwrap();
    let mut caller = Caller::of(&server);
    assert!(caller.hears().starts_with("120"));
    assert!(caller.hears().starts_with("220"));
}

#[test]
fn a_server_that_hangs_accepts_and_says_nothing_until_it_goes_on() {
    let server = of("vsftpd");
    let mut alice = logged_in(&server);
    server.order("hang").unwrap();
    let mut newcomer = Caller::of(&server);
    alice.sends("NOOP");
    assert!(alice.hears_nothing_for(A_MOMENT) && newcomer.hears_nothing_for(A_MOMENT));
    assert!(server.status().unwrap().hangs);
    server.order("resume").unwrap();
    assert!(alice.hears().starts_with("200") && newcomer.hears().starts_with("220"));
    server.order("shutdown hang 100ms").unwrap();
    assert!(alice.says("NOOP").starts_with("200"), "it goes on by itself");
}

#[test]
fn a_signal_is_what_the_profile_makes_of_it_and_the_server_can_come_up_again() {
    let server = of("vsftpd");
    let mut alice = logged_in(&server);
    server.order("signal TERM").unwrap();
    assert!(alice.says("NOOP").starts_with("200"), "sessions of vsftpd live on");
    assert!(is_refused(&server));
    assert!(alice.says("QUIT").starts_with("221"));
    server.wait(Until::Connections(0), SOON).unwrap();
    server.order("up").unwrap();
    logged_in(&server);
}

// ---- bans -----------------------------------------------------------------------------------------------------------

#[test]
fn the_banned_meet_what_the_profile_has_for_them() {
    for (profile, says) in [
        ("vsftpd", "421 Service not available."),
        ("proftpd", "530 Host 127.0.0.1 has been banned"),
        ("rfc959", "421 Service not available, your address 127.0.0.1 is banned"),
        ("pyftpdlib", "(reset)"),
        ("filezilla-1", "(end)"),
    ] {
        let server = of(profile);
        server.order("ban 127.0.0.1").unwrap();
        let told = Caller::of(&server).hears();
        assert!(told.starts_with(says), "{profile}: {told}");
        assert!(
            from(&server, [127, 0, 0, 2]).hears().starts_with("220"),
            "{profile}: another address is not"
        );
        let ban = &server.status().unwrap().bans[0];
        assert_eq!((ban.address, ban.left), (Some(IpAddr::from([127, 0, 0, 1])), None));
        server.order("unban 127.0.0.1").unwrap();
        logged_in(&server);
    }
}

#[test]
fn a_ban_cuts_live_sessions_where_the_profile_s_bans_do() {
    let next_command = of("proftpd");
    let mut alice = logged_in(&next_command);
    next_command.order("ban 127.0.0.1").unwrap();
    assert!(alice.hears_nothing_for(A_MOMENT));
    assert_eq!(alice.says("NOOP"), "(end)");
    let at_once = of("filezilla-1");
    let mut alice = logged_in(&at_once);
    at_once.order("ban 127.0.0.1").unwrap();
    assert_eq!(alice.hears(), "(end)");
    let never = of("vsftpd");
    let mut alice = logged_in(&never);
    never.order("ban 127.0.0.1").unwrap();
    assert!(alice.says("NOOP").starts_with("200"));
}

#[test]
fn a_ban_of_a_second_is_over_after_it() {
    let server = of("rfc959");
    assert_eq!(server.order("ban 127.0.0.1 1s").unwrap(), "127.0.0.1 is banned for 1 s");
    let began = Instant::now();
    assert!(Caller::of(&server).hears().starts_with("421"));
    let back = (0..100_000).any(|_| Caller::of(&server).hears().starts_with("220"));
    assert!(back && began.elapsed() >= Duration::from_millis(900));
}

#[test]
fn a_ban_that_somebody_earned_is_lifted_too() {
    let setup = Emulator::profile("rfc959").user("alice", "a").set("max_login_attempts", 1);
    let server =
        setup.set("ban.threshold", 1).set("ban.window", "1m").set("ban.duration", "1h").start().unwrap();
    let mut guesser = Caller::of(&server);
    guesser.hears();
    guesser.says("USER alice");
    guesser.says("PASS wrong");
    assert!(Caller::of(&server).hears().contains("is banned"));
    let left = server.status().unwrap().bans[0].left.unwrap();
    assert!((3_500.0..=3_600.0).contains(&left), "{left}");
    server.order("unban 127.0.0.1").unwrap();
    logged_in(&server);
}

// ---- limits and timers ------------------------------------------------------------------------------------------------

#[test]
fn a_limit_that_is_set_holds_for_the_next_one() {
    let server = of("vsftpd");
    let _alice = logged_in(&server);
    server.order("set max_clients 1").unwrap();
    assert_eq!(Caller::of(&server).hears(), "421 There are too many connected users, please try later.");
    server.order("set max_clients=off").unwrap();
    logged_in(&server);
    server.order("set max_per_ip 1").unwrap();
    assert_eq!(Caller::of(&server).hears(), "421 There are too many connections from your internet address.");
    assert!(from(&server, [127, 0, 0, 2]).hears().starts_with("220"));
}

#[test]
fn a_timer_that_is_set_holds_for_live_sessions() {
    let server = of("vsftpd");
    let mut alice = logged_in(&server);
    server.order("set idle_timeout 300ms").unwrap();
    assert_eq!(alice.hears(), "421 Timeout.");
    server.order("set idle_timeout off").unwrap();
    let mut alice = logged_in(&server);
    assert!(alice.hears_nothing_for(5 * A_MOMENT));
}

#[test]
fn a_timer_that_is_longer_is_so_for_live_sessions_and_texts() {
    let server = Emulator::profile("pure-ftpd").set("idle_timeout", "1s").start().unwrap();
    let mut early = Caller::logged_in(&server, "anonymous", "");
    server.order("set idle_timeout 5m").unwrap();
    assert!(early.hears_nothing_for(Duration::from_millis(1_500)));
    drop(Caller::of(&server));
    server.wait(Until::Connections(1), SOON).unwrap();
    let mut greeted = Caller::of(&server);
    greeted.hears();
    let told = server.dialogue().unwrap();
    assert!(
        told.iter().any(|line| line.ends_with("disconnected after 5 minutes of inactivity.")),
        "{told:#?}"
    );
}

#[test]
fn passwords_have_as_many_tries_as_are_set() {
    let server = of("vsftpd");
    server.order("set max_login_attempts 1").unwrap();
    server.order("set login_fail_delay 0").unwrap();
    let mut guesser = Caller::of(&server);
    guesser.hears();
    guesser.says("USER alice");
    assert!(guesser.says("PASS wrong").starts_with("530"));
    assert_ne!(guesser.hears(), "(nothing)");
}

// ---- connections and transfers --------------------------------------------------------------------------------------

#[test]
fn the_connections_of_one_address_are_cut_or_reset_and_those_of_others_live() {
    for (order, heard) in [("cut 127.0.0.1", "(end)"), ("reset 127.0.0.1", "(reset)")] {
        let server = of("vsftpd");
        let mut here = logged_in(&server);
        let mut there = from(&server, [127, 0, 0, 2]);
        there.hears();
        server.order(order).unwrap();
        assert_eq!(here.hears(), heard, "{order}");
        assert!(there.says("USER alice").starts_with("331"), "{order}");
        logged_in(&server);
    }
}

#[test]
fn all_connections_are_cut_or_reset_and_the_server_stays_up() {
    for (order, heard) in [("cut", "(end)"), ("reset all", "(reset)")] {
        let server = of("vsftpd");
        let mut alice = logged_in(&server);
        server.order(order).unwrap();
        assert_eq!(alice.hears(), heard, "{order}");
        logged_in(&server);
    }
}

#[test]
fn a_server_that_hangs_loses_its_connections_all_the_same() {
    let server = of("vsftpd");
    let mut alice = logged_in(&server);
    server.order("hang").unwrap();
    alice.sends("NOOP");
    server.order("reset 127.0.0.1").unwrap();
    assert_eq!(alice.hears(), "(reset)");
    server.order("resume").unwrap();
    logged_in(&server);
}

#[test]
fn transfers_that_are_stalled_stand_still_while_commands_are_answered() {
    let (server, mut alice, mut data) = with_file("rfc959");
    let mut bob = logged_in(&server);
    server.order("stall").unwrap();
    assert!(alice.says("RETR /big").starts_with("150"));
    data.set_read_timeout(Some(A_MOMENT)).unwrap();
    assert_eq!(reads(&mut data, 1), 0);
    assert!(bob.says("NOOP").starts_with("200") && server.status().unwrap().stalled);
    assert_eq!(server.order("resume").unwrap(), "goes on");
    data.set_read_timeout(Some(SOON)).unwrap();
    assert_eq!(reads(&mut data, usize::MAX), 64 << 20);
    assert!(alice.hears().starts_with("226"));
    assert_eq!(server.order("resume").unwrap(), "nothing hung or stood still");
}

#[test]
fn a_stall_in_the_middle_ends_by_itself_or_by_the_server_s_own_timer() {
    let (server, mut alice, mut data) = with_file("vsftpd");
    assert!(alice.says("RETR /big").starts_with("150"));
    assert!(reads(&mut data, 1 << 20) >= 1 << 20);
    server.order("stall 200ms").unwrap();
    assert!(reads(&mut data, usize::MAX) > 32 << 20);
    assert!(alice.hears().starts_with("226"));
    let mut data = alice.opens_data();
    server.order("set data_connect_timeout 5s").unwrap_or_default();
    server.order("set stalled_timeout 300ms").unwrap_or_default();
    server.order("stall").unwrap();
    assert!(alice.says("RETR /big").starts_with("150"));
    let heard = alice.hears();
    assert!(!heard.starts_with("226"), "{heard}");
    reads(&mut data, 1);
}

#[test]
fn a_bandwidth_that_is_ordered_slows_transfers_down() {
    let (server, mut alice, mut data) = with_file("rfc959");
    server.order("bandwidth 1MiB/s").unwrap();
    alice.says("RETR /big");
    let began = Instant::now();
    reads(&mut data, 1 << 20);
    assert!(began.elapsed() >= Duration::from_millis(500), "{:?}", began.elapsed());
    server.order("bandwidth usual").unwrap();
    reads(&mut data, usize::MAX);
    assert!(alice.hears().starts_with("226"));
}

// ---- the host -------------------------------------------------------------------------------------------------------

#[test]
fn a_full_disk_refuses_uploads_until_it_has_room() {
    let server = of("vsftpd");
    let mut alice = logged_in(&server);
    server.order("disk full").unwrap();
    let data = alice.opens_data();
    let told = alice.says("STOR /x");
    drop(data);
    let told = if told.starts_with("150") { alice.hears() } else { told };
    assert!(told.starts_with('4') || told.starts_with('5'), "{told}");
    server.order("disk ok").unwrap();
    let data = alice.opens_data();
    assert!(alice.says("STOR /x").starts_with("150"));
    drop(data);
    assert!(alice.hears().starts_with("226"));
}

#[test]
fn lost_descriptors_refuse_newcomers() {
    let server = Emulator::profile("pyftpdlib").set("host.descriptors", 50).start().unwrap();
    assert!(Caller::of(&server).hears().starts_with("220"));
    server.order("descriptors 50").unwrap();
    let mut newcomer = Caller::of(&server);
    let is_let_in = !newcomer.hears_nothing_for(A_MOMENT) && newcomer.says("NOOP").starts_with("220");
    assert!(!is_let_in);
    server.order("descriptors 0").unwrap();
    assert!(Caller::of(&server).hears().starts_with("220"));
}

#[test]
fn slow_processors_answer_late() {
    let server =
        Emulator::profile("rfc959").set("command_time", "10ms").set("host.cores", 1).start().unwrap();
    let mut alice = Caller::logged_in(&server, "anonymous", "");
    server.order("slow 3000%").unwrap();
    let began = Instant::now();
    assert!(alice.says("NOOP").starts_with("200"));
    assert!(began.elapsed() >= Duration::from_millis(290), "{:?}", began.elapsed());
}

#[test]
fn what_is_wrong_with_an_order_is_told_to_whoever_gave_it() {
    let server = of("vsftpd");
    let error = server.order("bann 127.0.0.1").unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
    assert!(error.to_string().contains("did you mean \"ban\"?"), "{error}");
    assert!(server.order("help").unwrap().contains("shutdown announce [NOTICE]"));
}
