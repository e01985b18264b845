//! After how many seconds each server ends what, if nobody has set anything, and with which words.

use std::fmt::Write;

use ftp421::id::ConnId;
use ftp421::server::{Input, Profile};

use super::super::desk::Desk;
use super::{next, only_idle, transfers};

#[test]
fn every_timer_at_its_default_and_its_words() {
    let mut found = String::new();
    for server in Profile::names() {
        let timer = Profile::named(server).expect("such a profile").timer;
        writeln!(found, "{server}").expect("room");
        let mut tell = |what: &str, told: Option<(f64, String)>| {
            match told {
                Some((after, heard)) => writeln!(found, "    {what} {after}: {heard}"),
                None => writeln!(found, "    {what} never"),
            }
            .expect("room");
        };
        let mut desk = Desk::new(server, "");
        let conn = desk.call(1);
        desk.hears(conn);
        tell("login", next(&mut desk, conn));
        let mut desk = Desk::new(server, only_idle(server));
        let conn = desk.log_in(1, "alice");
        tell("idle", next(&mut desk, conn));
        if timer.no_transfer.is_some() {
            let mut desk = Desk::new(server, "idle_timeout = \"0s\"");
            let conn = desk.log_in(1, "alice");
            tell("no transfer", next(&mut desk, conn));
        }
        if timer.data_connect.is_some() {
            let mut desk = Desk::new(server, "");
            let conn = desk.log_in(1, "alice");
            desk.types(conn, "PASV");
            desk.types(conn, "RETR /file");
            tell("no data connection", next(&mut desk, conn));
        }
        for (what, verb) in [("download", "RETR"), ("upload", "STOR")] {
            if timer.stalled.is_some() {
                let mut desk = Desk::new(server, "");
                let conn = transfers(&mut desk, 1, verb);
                tell(what, stalls_after_a_while(&mut desk, conn));
            }
        }
    }
    assert_eq!(found, WORDS);
}

/// A transfer that moves for its first second.
fn stalls_after_a_while(desk: &mut Desk, conn: ConnId) -> Option<(f64, String)> {
    desk.wait(1.0);
    desk.data(Input::Progress { conn, rate: 0 });
    next(desk, conn)
}

const WORDS: &str = "\
vsftpd
    login 300: 421 Timeout. | (fin_then_rst)
    idle 300: 421 Timeout. | (fin_then_rst)
    no data connection 60: 425 Failed to establish connection.
    download 899: 421 Data timeout. Reconnect. Sorry. | (fin_then_rst)
    upload 599: 421 Data timeout. Reconnect. Sorry. | (fin_then_rst)
proftpd
    login 300.4: 421 Login timeout (300 seconds): closing control connection | (fin)
    idle 600.4: 421 Idle timeout (600 seconds): closing control connection | (fin)
    no transfer 300.4: 421 No transfer timeout (300 seconds): closing control connection | (fin)
    download 3600.4: (fin)
    upload 3600.4: (fin)
proftpd-debian
    login 300.4: 421 Login timeout (300 seconds): closing control connection | (fin)
    idle 1200.4: 421 Idle timeout (1200 seconds): closing control connection | (fin)
    no transfer 600.4: 421 No transfer timeout (600 seconds): closing control connection | (fin)
    download 600.4: (fin)
    upload 600.4: (fin)
pure-ftpd
    login 900: 421 Timeout - try typing a little faster next time | (fin)
    idle 900: 421 Timeout - try typing a little faster next time | (fin)
    no data connection 900: 421 Timeout | (fin)
    download 900: 150 900.009 seconds (measured here), 0.00 bytes per second
    upload 900: 451-Timeout | 451-Transfer aborted | 451 900.000 seconds (measured here), 0.00 bytes per second
pure-ftpd-debian
    login 900: 421 Timeout - try typing a little faster next time | (fin)
    idle 900: 421 Timeout - try typing a little faster next time | (fin)
    no data connection 900: 421 Timeout | (fin)
    download 900: 150 900.009 seconds (measured here), 0.00 bytes per second
    upload 900: 451-Timeout | 451-Transfer aborted | 451 900.000 seconds (measured here), 0.00 bytes per second
pyftpdlib
    login 300: 421 Control connection timed out. | (fin)
    idle 300: 421 Control connection timed out. | (fin)
    no data connection 30: 421 Passive data channel timed out.
    download 599: 421 Data connection timed out. | (fin)
    upload 599: 421 Data connection timed out. | (fin)
unftp
    login 600: 221 Session timed out. Closing control connection | (rst_if_unread)
    idle 600: 221 Session timed out. Closing control connection | (rst_if_unread)
    no data connection 600: 221 Session timed out. Closing control connection | (rst_if_unread)
inetutils
    login 900: 421 Timeout (900 seconds): closing control connection. | (fin)
    idle 900: 421 Timeout (900 seconds): closing control connection. | (fin)
filezilla-0.9
    login 60: 421 Login time exceeded. Closing control connection. | (fin)
    idle 120: 421 Connection timed out. | (fin)
    no transfer 120: 421 No-transfer-time exceeded. Closing control connection. | (fin)
    no data connection 10: 425 Can't open data connection.
    download 120: 426 Connection timed out, aborting transfer of \"/\" | 421 Connection timed out. | (fin)
    upload 120: 426 Connection timed out, aborting transfer of \"/\" | 421 Connection timed out. | (fin)
filezilla-1
    login 60: 421 Login time exceeded. Closing control connection. | (fin)
    idle 3600: 421 Activity timeout. | (fin)
    no data connection 30: 425 Can't open data connection.
    download 3600: 421 Activity timeout. | (fin)
    upload 3600: 421 Activity timeout. | (fin)
wu-ftpd
    login 900: 421 Timeout (900 seconds): closing control connection. | (fin)
    idle 900: 421 Timeout (900 seconds): closing control connection. | (fin)
    no data connection 120: 425 Can't build data connection: Connection timed out.
    download 1200: 426 Data connection timeout
    upload 1200: 426 Data connection timeout
bftpd
    login 300: 421 Kicked from the server due to control connection timeout. | (fin)
    idle 300: 421 Kicked from the server due to control connection timeout. | (fin)
    no data connection 300: 425 Can't open data connection.
    download 300: 421 Kicked from the server due to data connection timeout. | (fin)
    upload 300: 421 Kicked from the server due to data connection timeout. | (fin)
iis
    login 30: 421 Timeout (30 seconds): closing control connection. | (fin)
    idle 120: 421 Timeout (120 seconds): closing control connection. | 421 Terminating connection. | (fin)
    no data connection 30: 425 Cannot open data connection.
    download 30: 426 Connection closed; transfer aborted.
    upload 30: 426 Connection closed; transfer aborted.
serv-u
    login 600: 421 Connection timed out - closing. | (fin)
    idle 600: 421 Connection timed out - closing. | (fin)
rfc959
    login 60: 421 Service not available, no login within 60 seconds, closing control connection. | (fin)
    idle 300: 421 Service not available, idle for 300 seconds, closing control connection. | (fin)
    no transfer never
";
