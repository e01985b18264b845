//! The server as a test drives it: a profile and a few settings, orders, and no sleep.

use std::io::ErrorKind;
use std::time::Duration;

use ftp421::live::Emulator;
use ftp421::live::serve::orders::Until;
use ftp421::observe::Cause;

use super::talk::Caller;

const SOON: Duration = Duration::from_secs(10);

#[test]
fn what_was_said_is_told_in_order_and_without_passwords() {
    let server = Emulator::profile("vsftpd").user("alice", "s3cret").start().unwrap();
    let mut alice = Caller::logged_in(&server, "alice", "s3cret");
    alice.says("QUIT");
    let told = server.dialogue().unwrap();
    assert!(!told.iter().any(|line| line.contains("s3cret")), "{told:#?}");
    assert_eq!(
        told,
        [
            "1 < 220 (vsFTPd 3.0.3)",
            "1 > USER alice",
            "1 < 331 Please specify the password.",
            "1 > PASS",
            "1 < 230 Login successful.",
            "1 > QUIT",
            "1 < 221 Goodbye.",
        ]
    );
}

#[test]
fn its_status_is_what_its_clients_know() {
    let setup =
        Emulator::profile("vsftpd").set("max_clients", 2).set("idle_timeout", "77s").user("alice", "a");
    let server = setup.start().unwrap();
    let _alice = Caller::logged_in(&server, "alice", "a");
    let _anonymous = Caller::logged_in(&server, "anonymous", "me@");
    assert!(Caller::of(&server).hears().starts_with("421"));
    server.wait(Until::Refusals(1), SOON).unwrap();
    let status = server.status().unwrap();
    assert_eq!((status.profile.as_str(), status.connections, status.sessions), ("vsftpd", 2, 2));
    assert_eq!((status.logins, status.accepted, status.refusals()), (2, 2, 1));
    assert_eq!(status.refused_for(Cause::MaxClients), 1);
    assert_eq!(status.by_address["127.0.0.1"], 2);
    assert_eq!((status.by_user["alice"], status.by_user["anonymous"]), (1, 1));
    assert_eq!((status.limits["max_clients"], status.timers["idle_timeout"]), (2, 77.0));
    assert!(status.listens && !status.hangs && !status.stalled && status.bans.is_empty());
    assert_eq!(status.address, server.address().to_string());
}

#[test]
fn waiting_ends_when_it_is_so_or_when_it_was_too_long() {
    let server = Emulator::profile("rfc959").start().unwrap();
    server.wait(Until::Connections(0), SOON).unwrap();
    let one = Caller::of(&server);
    assert_eq!(server.wait(Until::Connections(1), SOON).unwrap(), "connections: 1");
    let late = server.wait(Until::Connections(2), Duration::from_millis(50)).unwrap_err();
    assert_eq!(late.kind(), ErrorKind::InvalidInput);
    assert!(late.to_string().starts_with("connections: 1, and not what was waited for"), "{late}");
    let waits = std::thread::scope(|scope| {
        let waits = scope.spawn(|| server.wait(Until::Connections(0), SOON));
        drop(one);
        waits.join().unwrap()
    });
    assert_eq!(waits.unwrap(), "connections: 0");
}

#[test]
fn what_is_wrong_with_a_setting_is_said_as_in_a_scenario() {
    for (setup, says) in [
        (Emulator::profile("vsftp"), "did you mean \"vsftpd\"?"),
        (Emulator::profile("vsftpd").set("max_client", 3), "did you mean \"max_clients\"?"),
        (Emulator::profile("vsftpd").at("soon end"), "\"soon\" is no time"),
        (Emulator::profile("vsftpd").at("1s status"), "nobody would hear the answer"),
    ] {
        let error = setup.start().expect_err(says);
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert!(error.to_string().contains(says), "{error}");
    }
}

#[test]
fn it_shows_the_certificate_that_its_clients_are_to_trust() {
    let plain = Emulator::profile("vsftpd").start().unwrap();
    assert_eq!(plain.certificate(), None);
    assert!(plain.url().starts_with("ftp://127.0.0.1:"));
    let secure = Emulator::profile("vsftpd").implicit_tls().start().unwrap();
    assert!(secure.certificate().unwrap().starts_with("-----BEGIN CERTIFICATE-----"));
    assert!(secure.url().starts_with("ftps://"));
    assert!(Emulator::profile("proftpd").set("tls", "offered").start().unwrap().certificate().is_some());
}

#[test]
fn orders_have_their_times() {
    let server =
        Emulator::profile("vsftpd").at("100ms set max_clients 1").at("0s ban 127.0.0.9").start().unwrap();
    let _holder = Caller::logged_in(&server, "anonymous", "");
    let full = (0..2_000).any(|_| Caller::of(&server).hears().starts_with("421"));
    assert!(full);
    assert_eq!(server.status().unwrap().bans[0].address, Some("127.0.0.9".parse().unwrap()));
}

#[test]
fn stopped_it_says_what_it_measured_and_dropped_it_is_gone() {
    let server = Emulator::profile("vsftpd").start().unwrap();
    let address = server.address();
    let desk = server.desk().clone();
    drop(Caller::logged_in(&server, "anonymous", ""));
    server.wait(Until::Connections(0), SOON).unwrap();
    server.stop().unwrap();
    assert!(std::net::TcpStream::connect(address).is_err());
    assert_eq!(desk.say("status").unwrap_err().kind(), ErrorKind::BrokenPipe);
    let dropped = Emulator::profile("vsftpd").start().unwrap().address();
    assert!(std::net::TcpStream::connect(dropped).is_err());
}

#[test]
fn an_end_that_is_ordered_is_one() {
    let server = Emulator::profile("vsftpd").start().unwrap();
    server.order("end").unwrap();
    server.stop().unwrap();
}
