//! Real servers' own refusals, each taken for what it is.

use std::time::Duration;

use ftp421::observe::Cause;

use super::caller::Crowd;
use crate::real::daemon::Daemon;
use crate::support::project;

const ALICE: (&str, &str) = ("alice", "secret");
const BOB: (&str, &str) = ("bob", "secret");

#[test]
fn the_refusals_of_vsftpd() {
    let guessers = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(guessers.path(), "guess@example.org\n").unwrap();
    let daemon = Daemon::vsftpd(&format!(
        "max_clients=4\nmax_per_ip=2\nidle_session_timeout=2\ndeny_email_enable=YES\nbanned_email_file={}\nmax_login_fails=2\ndelay_failed_login=0",
        guessers.path().display()
    ));
    let mut crowd = Crowd::new("vsftpd", daemon.port);
    let mut first = crowd.enters(2, 0);
    let mut second = crowd.enters(2, 0);
    crowd.call(2, 0).1.is(Cause::MaxPerIp);
    assert_eq!(crowd.logs_in(&mut second, "anonymous", "me@example.org").code, 230);
    let mut third = crowd.enters(3, 0);
    crowd.guesses(&mut third, "anonymous").is_harmless();
    crowd.guesses(&mut third, "anonymous").is(Cause::LoginAttempts);
    crowd.waits(&mut first).is(Cause::LoginTimeout);
    crowd.waits(&mut second).is(Cause::IdleTimeout);
    let all: Vec<_> = (2..6).map(|address| crowd.enters(address, 0)).collect();
    crowd.call(7, 0).1.is(Cause::MaxClients);
    drop(all);
}

#[test]
fn the_limits_of_proftpd() {
    for (limits, cause) in [
        ("MaxClients 2", Cause::MaxClients),
        ("MaxClientsPerHost 2", Cause::MaxPerIp),
        ("MaxClientsPerUser 2", Cause::MaxPerUser),
    ] {
        let daemon = Daemon::proftpd(limits);
        let mut crowd = Crowd::new("proftpd", daemon.port);
        let mut callers: Vec<_> = (0..3).map(|_| crowd.enters(2, 1)).collect();
        for caller in &mut callers[..2] {
            let heard = crowd.logs_in(caller, ALICE.0, ALICE.1);
            assert_eq!(heard.code, 230);
            heard.is_harmless();
        }
        crowd.logs_in(&mut callers[2], ALICE.0, ALICE.1).is(cause);
    }
    let daemon = Daemon::proftpd("MaxConnectionsPerHost 1");
    let mut crowd = Crowd::new("proftpd", daemon.port);
    let first = crowd.enters(2, 1);
    crowd.call(2, 1).1.is(Cause::MaxPerIp);
    drop(first);
    let daemon = Daemon::proftpd("MaxInstances 2");
    let mut crowd = Crowd::new("proftpd", daemon.port);
    let both = [crowd.enters(2, 1), crowd.enters(3, 1)];
    let (_, silent) = crowd.call(4, 1);
    assert_eq!(silent.code, 0);
    silent.is(Cause::MaxClients);
    drop(both);
}

#[test]
fn the_timers_and_the_attempts_of_proftpd() {
    let daemon = Daemon::proftpd("MaxLoginAttempts 2\nTimeoutLogin 2\nTimeoutIdle 4");
    let mut crowd = Crowd::new("proftpd", daemon.port);
    let mut guesser = crowd.enters(2, 1);
    crowd.guesses(&mut guesser, ALICE.0).is_harmless();
    crowd.guesses(&mut guesser, ALICE.0).is(Cause::LoginAttempts);
    let mut silent = crowd.enters(2, 1);
    let mut idle = crowd.enters(2, 1);
    assert_eq!(crowd.logs_in(&mut idle, ALICE.0, ALICE.1).code, 230);
    crowd.waits(&mut silent).is(Cause::LoginTimeout);
    crowd.waits(&mut idle).is(Cause::IdleTimeout);
    let daemon = Daemon::proftpd("TimeoutNoTransfer 2\nTimeoutIdle 100");
    let mut crowd = Crowd::new("proftpd", daemon.port);
    let mut lazy = crowd.enters(2, 1);
    assert_eq!(crowd.logs_in(&mut lazy, BOB.0, BOB.1).code, 230);
    crowd.says(&mut lazy, "RETR nothing").is_harmless();
    crowd.says(&mut lazy, "XYZZY").is_harmless();
    crowd.waits(&mut lazy).is(Cause::NoTransferTimeout);
    let daemon = Daemon::proftpd("TimeoutSession 2");
    let mut crowd = Crowd::new("proftpd", daemon.port);
    let mut long = crowd.enters(2, 1);
    assert_eq!(crowd.logs_in(&mut long, ALICE.0, ALICE.1).code, 230);
    crowd.waits(&mut long).is(Cause::SessionTimeout);
}

#[test]
fn the_refusals_of_pure_ftpd() {
    let daemon = Daemon::pure_ftpd([42_400, 42_449], &["-c", "3", "-C", "2", "-y", "1:1"]);
    let mut crowd = Crowd::new("pure-ftpd", daemon.port);
    let mut first = crowd.enters(2, 1);
    let mut second = crowd.enters(2, 1);
    crowd.call(2, 1).1.is(Cause::MaxPerIp);
    let third = crowd.enters(3, 1);
    crowd.call(4, 1).1.is(Cause::MaxClients);
    drop(third);
    // It counts the sessions of all its daemons on a host together: other tests are alice, and nobody else is bob.
    assert_eq!(crowd.logs_in(&mut first, BOB.0, BOB.1).code, 230);
    crowd.logs_in(&mut second, BOB.0, BOB.1).is(Cause::MaxPerUser);
    assert_eq!(crowd.says(&mut first, "SITE IDLE 2").code, 200);
    crowd.waits(&mut first).is(Cause::IdleTimeout);
}

#[test]
fn pure_ftpd_sees_through_noops() {
    let daemon = Daemon::pure_ftpd([42_450, 42_499], &[]);
    let mut crowd = Crowd::new("pure-ftpd", daemon.port);
    let mut caller = crowd.enters(2, 1);
    assert_eq!(crowd.logs_in(&mut caller, ALICE.0, ALICE.1).code, 230);
    assert_eq!(crowd.says(&mut caller, "SITE IDLE 2").code, 200);
    for _ in 0..20 {
        let heard = crowd.says(&mut caller, "NOOP");
        if heard.code == 421 {
            return heard.is(Cause::NoopIdleTimeout);
        }
        heard.is_harmless();
        caller.pauses(Duration::from_millis(700));
    }
    panic!("twenty NOOPs and no 421");
}

#[test]
fn the_refusals_of_pyftpdlib() {
    let daemon = Daemon::pyftpdlib(
        "FTPServer.max_cons = 4\nFTPServer.max_cons_per_ip = 2\nFTPHandler.timeout = 3\nFTPHandler.max_login_attempts = 2\nFTPHandler.auth_failed_timeout = 0.1\nFTPHandler.passive_dtp.timeout = 1",
    );
    let mut crowd = Crowd::new("pyftpdlib", daemon.port);
    let mut first = crowd.enters(2, 1);
    let mut second = crowd.enters(2, 1);
    crowd.call(2, 1).1.is(Cause::MaxPerIp);
    let mut third = crowd.enters(3, 1);
    crowd.call(4, 1).1.is(Cause::MaxClients);
    crowd.guesses(&mut third, ALICE.0).is_harmless();
    crowd.guesses(&mut third, ALICE.0).is(Cause::LoginAttempts);
    assert_eq!(crowd.logs_in(&mut second, ALICE.0, ALICE.1).code, 230);
    assert_eq!(crowd.says(&mut second, "PASV").code, 227);
    let stays = crowd.waits(&mut second);
    assert_eq!((stays.code, stays.close), (421, None), "{}", stays.text);
    stays.is(Cause::DataConnectTimeout);
    crowd.waits(&mut first).is(Cause::LoginTimeout);
    crowd.waits(&mut second).is(Cause::IdleTimeout);
}

#[test]
fn the_bans_of_proftpd() {
    let scratch = tempfile::tempdir().unwrap();
    let modules = project().join(".cache/daemons/proftpd-core/usr/lib/proftpd");
    for (message, code) in [("BanMessage \"Host %a has been banned\"", 530), ("", 0)] {
        let daemon = Daemon::proftpd(&format!(
            "ModulePath {}\nLoadModule mod_ban.c\nBanEngine on\nBanLog none\nBanTable {}/bans{code}\nMaxLoginAttempts 3\n\
             BanOnEvent MaxLoginAttempts 1/00:10:00 00:10:00\n{message}",
            modules.display(),
            scratch.path().display()
        ));
        let mut crowd = Crowd::new("proftpd", daemon.port);
        let mut guesser = crowd.enters(2, 1);
        for _ in 0..2 {
            crowd.guesses(&mut guesser, ALICE.0).is_harmless();
        }
        let last = crowd.guesses(&mut guesser, ALICE.0);
        assert_eq!(last.named.map(|verdict| verdict.cause), Some(Cause::LoginAttempts), "{last:?}");
        if code != 0 {
            crowd.waits(&mut guesser).is(Cause::Banned); // a second 530 behind the first
        }
        let (_, heard) = crowd.call(2, 1);
        assert_eq!(heard.code, code, "{heard:?}");
        heard.is(Cause::Banned);
        crowd.enters(3, 1);
    }
}
