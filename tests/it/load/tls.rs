//! TLS over real sockets: with the modelled server, with real ones, and with peers that do not get it right.

#![expect(clippy::disallowed_methods, reason = "a test looks at the real clock")]
#![expect(clippy::type_complexity, reason = "a table of cases")]

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ftp421::live::load::Plan;
use ftp421::live::serve::{self, Emulator};
use ftp421::live::tls::{Acceptor, Connector, Trust};
use ftp421::observe::{Class, Latency, Observation, SessionEnd};

use super::rig::{Outcome, plan, run, scenario};
use crate::real::daemon::{Daemon, module};

/// More than one record, one buffer and one turn.
const UP: u64 = 300 << 10;
const DOWN: u64 = 3 << 20;

/// Three downloads, and three uploads between them.
fn script(path: &str) -> String {
    format!(
        "script = [\"login\", {{ type = \"I\" }}, \"list\", {{ retr = \"3MiB\", path = \"/file\" }}, \
         {{ stor = \"300KiB\", path = \"{path}\" }}, {{ stor = \"300KiB\", path = \"{path}\" }}, \
         {{ stor = \"300KiB\", path = \"{path}\" }}, \"nlst\", \"quit\"]\n"
    )
}

/// Two sessions, one after the other, of one client.
fn sessions(at: SocketAddr, user: &str, keys: &str, change: impl FnOnce(&mut Plan)) -> Outcome {
    let clients = format!(
        "[[clients]]\nname = \"c\"\nuser = \"{user}\"\n\
         arrivals = {{ executor = \"per-client-sessions\", clients = 1, sessions = 2, pause = \"10ms\" }}\n{keys}\n"
    );
    let mut plan = plan(scenario("8s", &clients), at, 1);
    change(&mut plan);
    run(&plan)
}

fn check(outcome: &Outcome) {
    let completed =
        |o: &Observation| matches!(o, Observation::SessionEnded { end: SessionEnd::Completed, .. });
    assert_eq!(outcome.count(completed), 2, "{}", outcome.dialogue);
    let transfers = outcome.count(|o| matches!(o, Observation::Took(Latency::Transfer, _)));
    assert_eq!(transfers, 12, "{}", outcome.dialogue);
    assert_eq!(outcome.count(|o| *o == Observation::Moved { bytes: DOWN }), 2, "{}", outcome.dialogue);
    assert_eq!(outcome.count(|o| *o == Observation::Moved { bytes: UP }), 6, "{}", outcome.dialogue);
    assert_eq!(outcome.refusals(), []);
    assert!(outcome.dialogue.contains("-- TLS"), "{}", outcome.dialogue);
}

// ---- the modelled server -----------------------------------------------------------------------------------------

fn modelled(keys: &str, implicit_tls: bool, acceptor: Option<Acceptor>) -> Emulator {
    let clients = format!(
        "[server]\nprofile = \"vsftpd\"\ntls = \"required\"\n{keys}\n[[clients]]\nname = \"c\"\nuser = \"alice\"\n\
         arrivals = {{ executor = \"constant-clients\", clients = 1 }}\n{}",
        script("/up")
    );
    let plan = serve::Plan::of(Arc::new(scenario("1h", &clients)));
    Emulator::serve(serve::Plan { implicit_tls, acceptor, ..plan }, ftp421::time::Duration::ZERO).unwrap()
}

#[test]
fn the_modelled_server_and_the_engine_move_files_under_tls_and_the_files_are_right() {
    for (implicit, data) in [(false, "passive"), (false, "active"), (true, "passive"), (true, "active")] {
        let server = modelled("", implicit, None);
        let tls = if implicit { "implicit" } else { "explicit" };
        let keys = format!("tls = \"{tls}\"\ndata = \"{data}\"\n{}", script("/up"));
        let outcome = sessions(server.address(), "alice", &keys, |plan| {
            plan.verify = true;
            plan.accounts.listed.clear();
        });
        check(&outcome);
        assert_eq!((outcome.health.verified, outcome.health.corrupt), (2, 0), "{tls} {data}: both downloads");
    }
}

#[test]
fn a_target_that_begins_with_tls_makes_all_clients_do_so() {
    let server = modelled("", true, None);
    let outcome = sessions(server.address(), "alice", &script("/up"), |plan| {
        plan.target.implicit_tls = true;
        plan.accounts.listed.clear();
    });
    check(&outcome);
}

#[test]
fn a_certificate_is_believed_if_its_authority_is_and_the_name_fits() {
    let ours = Acceptor::self_signed(&["127.0.0.1"]).unwrap();
    let other = Acceptor::self_signed(&["127.0.0.1"]).unwrap();
    let server = modelled("", false, Some(ours.clone()));
    let authority = |acceptor: &Acceptor| Trust::Authorities(acceptor.certificate().to_owned());
    for (trust, host, admitted) in [
        (authority(&ours), "127.0.0.1", 2),
        (authority(&ours), "ftp.example.org", 0),
        (authority(&other), "127.0.0.1", 0),
        (Trust::Anybody, "ftp.example.org", 2),
    ] {
        let outcome =
            sessions(server.address(), "alice", "tls = \"explicit\"\nscript = [\"login\"]", |plan| {
                plan.target.tls = trust.clone().into();
                host.clone_into(&mut plan.target.host);
                plan.accounts.listed.clear();
            });
        let of = |class: Class| {
            outcome.count(|o| matches!(o, Observation::AttemptEnded { class: c, .. } if *c == class))
        };
        assert_eq!(
            (of(Class::Admitted), of(Class::NetworkFailed)),
            (admitted, 2 - admitted),
            "{}",
            outcome.dialogue
        );
        if admitted == 0 {
            let refusals = outcome.refusals();
            assert!(
                refusals.iter().all(|(phase, code, _)| phase == "pre_login" && *code == 0),
                "{refusals:?}"
            );
            assert!(refusals[0].2.contains("certificate"), "{refusals:?}");
        }
    }
}

#[test]
fn what_cannot_be_believed_is_said_before_the_run() {
    let none = Connector::new(&Trust::Authorities(String::new()).into(), "localhost").unwrap_err();
    assert_eq!(none, "there is no certificate in it");
    assert!(Connector::new(&Trust::Anybody.into(), "not a name").unwrap_err().contains("cannot be a name"));
    assert!(Connector::new(&Trust::Anybody.into(), "[::1]").is_ok());
}

/// The login timer runs on in a handshake that is never completed, and the slot is free again.
#[test]
fn a_handshake_that_is_never_completed_holds_a_slot_for_as_long_as_a_login_may_take() {
    for implicit in [false, true] {
        let server = modelled("idle_timeout = \"1s\"\nmax_clients = 3", implicit, None);
        let began = Instant::now();
        let mut all: Vec<TcpStream> = (0..3).map(|_| TcpStream::connect(server.address()).unwrap()).collect();
        for stream in &mut all {
            stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
            if !implicit {
                let mut lines = BufReader::new(stream.try_clone().unwrap());
                let mut line = String::new();
                lines.read_line(&mut line).unwrap();
                stream.write_all(b"AUTH TLS\r\n").unwrap();
                line.clear();
                lines.read_line(&mut line).unwrap();
                assert!(line.starts_with("234"), "{line}");
            }
            stream.write_all(&[0x16, 3, 1, 2, 0]).unwrap(); // the head of a hello of 512 bytes
        }
        for stream in &mut all {
            let mut rest = Vec::new();
            let _ = stream.read_to_end(&mut rest); // a reset is an end, too
        }
        let took = began.elapsed();
        assert!(took > Duration::from_millis(900) && took < Duration::from_secs(5), "{took:?}");
    }
}

#[test]
fn what_is_no_handshake_ends_the_connection_at_once() {
    for implicit in [false, true] {
        let server = modelled("", implicit, None);
        let mut stream = TcpStream::connect(server.address()).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        if !implicit {
            stream.write_all(b"AUTH TLS\r\n").unwrap();
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
            assert!(lines.next().unwrap().unwrap().starts_with("220"));
            assert!(lines.next().unwrap().unwrap().starts_with("234"));
        }
        let began = Instant::now();
        stream.write_all(&b"USER alice\r\n".repeat(50)).unwrap();
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest);
        assert!(began.elapsed() < Duration::from_secs(5));
        assert!(!String::from_utf8_lossy(&rest).contains("331"), "nobody obeys what was said in the clear");
    }
}

// ---- peers that do not get it right ------------------------------------------------------------------------------

/// What becomes of two sessions with a peer that answers AUTH with these bytes, and then does as `then` says.
fn with_peer(said: &'static [u8], then: impl Fn(TcpStream) + Send + 'static) -> Outcome {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = listener.local_addr().unwrap();
    let peer = std::thread::spawn(move || {
        for _ in 0..2 {
            let (mut stream, _) = listener.accept().unwrap();
            stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
            stream.write_all(b"220 Here.\r\n").unwrap();
            let mut line = String::new();
            BufReader::new(stream.try_clone().unwrap()).read_line(&mut line).unwrap();
            assert_eq!(line, "AUTH TLS\r\n");
            stream.write_all(said).unwrap();
            then(stream);
        }
    });
    let keys = "tls = \"explicit\"\nscript = [\"login\"]\nlink = { reply_timeout = \"500ms\" }";
    let outcome = sessions(at, "alice", keys, |_| ());
    peer.join().unwrap();
    outcome
}

fn waits(mut stream: TcpStream) {
    let _ = stream.read_to_end(&mut Vec::new());
}

#[test]
fn a_peer_that_does_not_keep_its_word_costs_an_attempt_and_no_time() {
    let cases: [(&str, &'static [u8], fn(TcpStream), Class); 6] = [
        ("says no", b"502 What?\r\n", waits, Class::TurnedAway),
        ("says more in the clear", b"234 Yes.\r\n230 And you are in.\r\n", waits, Class::NetworkFailed),
        (
            "speaks no TLS",
            b"234 Yes.\r\n",
            |mut stream| {
                let _ = stream.read(&mut [0; 1]);
                let _ = stream.write_all(&vec![b'x'; 20_000]);
                waits(stream);
            },
            Class::NetworkFailed,
        ),
        ("says nothing", b"234 Yes.\r\n", waits, Class::NetworkFailed),
        ("is gone", b"234 Yes.\r\n", drop, Class::NetworkFailed),
        (
            "trickles a record that never ends",
            b"234 Yes.\r\n",
            |mut stream| {
                let _ = stream.write_all(&[0x16, 3, 3, 0x3f, 0]);
                while stream.write_all(&[2]).is_ok() {
                    std::thread::yield_now();
                }
            },
            Class::NetworkFailed,
        ),
    ];
    for (name, said, then, class) in cases {
        let outcome = with_peer(said, then);
        let ended = outcome.count(|o| matches!(o, Observation::AttemptEnded { class: c, .. } if *c == class));
        assert_eq!(ended, 2, "{name}: {}", outcome.dialogue);
        assert_eq!(outcome.count(|o| matches!(o, Observation::Served { .. })), 0, "{name}");
        assert!(!outcome.dialogue.contains("USER"), "{name}: {}", outcome.dialogue);
    }
}

// ---- real servers ------------------------------------------------------------------------------------------------

/// A certificate and its key in a file of their own.
fn certificate(daemon_dir: &tempfile::TempDir) -> PathBuf {
    let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
    let file = daemon_dir.path().join("both.pem");
    fs::write(&file, made.cert.pem() + &made.signing_key.serialize_pem()).unwrap();
    file
}

fn with_files(daemon: &Daemon) {
    fs::write(daemon.root.join("file"), vec![b'x'; DOWN as usize]).unwrap();
}

#[test]
fn vsftpd_under_explicit_and_implicit_tls_with_data_connections_that_go_on_with_the_session() {
    let dir = tempfile::tempdir().unwrap();
    let pem = certificate(&dir);
    let pem = pem.display();
    for (tls, extra) in [("explicit", ""), ("implicit", "implicit_ssl=YES\n")] {
        // require_ssl_reuse is on by default.
        let daemon = Daemon::vsftpd(&format!(
            "ssl_enable=YES\nallow_anon_ssl=YES\nforce_anon_logins_ssl=YES\nforce_anon_data_ssl=YES\n\
             rsa_cert_file={pem}\nrsa_private_key_file={pem}\nanon_other_write_enable=YES\nanon_umask=022\n{extra}"
        ));
        with_files(&daemon);
        let address = ([127, 0, 0, 1], daemon.port).into();
        for data in ["passive", "active"] {
            let keys = format!("tls = \"{tls}\"\ndata = \"{data}\"\n{}", script("/in/up"));
            check(&sessions(address, "anonymous", &keys, |_| ()));
            assert_eq!(fs::metadata(daemon.root.join("in/up")).unwrap().len(), UP);
        }
        let plain = sessions(address, "anonymous", "script = [\"login\"]", |plan| {
            plan.grace = ftp421::time::Duration::ZERO;
        });
        assert_eq!(plain.count(|o| matches!(o, Observation::Served { .. })), 0, "{}", plain.dialogue);
    }
}

#[test]
fn pyftpdlib_under_explicit_tls() {
    let dir = tempfile::tempdir().unwrap();
    let daemon = Daemon::pyftpdlib_tls(
        &certificate(&dir),
        "FTPHandler.tls_control_required = True\nFTPHandler.tls_data_required = True",
    );
    with_files(&daemon);
    let address = ([127, 0, 0, 1], daemon.port).into();
    for data in ["passive", "active"] {
        let keys = format!("tls = \"explicit\"\ndata = \"{data}\"\n{}", script("/up"));
        check(&sessions(address, "alice", &keys, |_| ()));
        assert_eq!(fs::metadata(daemon.root.join("up")).unwrap().len(), UP);
    }
}

#[test]
fn pure_ftpd_under_explicit_tls() {
    let dir = tempfile::tempdir().unwrap();
    let pem = certificate(&dir).display().to_string();
    let daemon = Daemon::pure_ftpd([42_000, 42_020], &["-Y", "3", "-2", &pem]);
    with_files(&daemon);
    let keys = format!("tls = \"explicit\"\n{}", script("/up"));
    check(&sessions(([127, 0, 0, 1], daemon.port).into(), "alice", &keys, |_| ()));
    assert_eq!(fs::metadata(daemon.root.join("up")).unwrap().len(), UP);
}

#[test]
fn proftpd_under_explicit_and_implicit_tls() {
    let dir = tempfile::tempdir().unwrap();
    let pem = certificate(&dir);
    let pem = pem.display();
    for (tls, extra) in [("explicit", "TLSRequired on"), ("implicit", "TLSOptions UseImplicitSSL")] {
        let daemon = Daemon::proftpd(&format!(
            "DefaultRoot ~\nModulePath {}\nLoadModule mod_tls.c\nTLSEngine on\nTLSECCertificateFile {pem}\nTLSECCertificateKeyFile {pem}\n{extra}",
            module("proftpd-mod-crypto", "mod_tls.so").display()
        ));
        with_files(&daemon);
        // It wants every data connection to go on with the session, and gives two tickets for that.
        let keys = format!("tls = \"{tls}\"\n{}", script("/up"));
        let outcome =
            sessions(([127, 0, 0, 1], daemon.port).into(), "alice", &keys, |plan| plan.target.tls.old = true);
        check(&outcome);
        assert_eq!(fs::metadata(daemon.root.join("up")).unwrap().len(), UP);
    }
}
