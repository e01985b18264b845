//! What starts the idle timer of five servers again, when that is five seconds.
//!
//! In `cut 5.4` the seconds are those since the beginning, or since the end of the download.

use ftp421::id::ConnId;
use ftp421::server::{Input, Profile};

use super::super::desk::Desk;
use super::{hold, is_closed, next, only_idle, transfers};

/// A download that ends was measured to leave `ProFTPD` 4.4 s and not 5.4; a NOOP came to Pure-FTPd each 2 s, the first at 2 s.
#[test]
fn what_starts_the_idle_timer_again() {
    hold(
        "
        each 2 s               | vsftpd  | proftpd | pure-ftpd | pyftpdlib | unftp
        NOOP                   | kept    | kept    | cut 14    | kept      | kept
        XYZZY                  | kept    | kept    | kept      | kept      | kept
        bytes without a newline | cut 5  | cut 5.4 | cut 10    | cut 5     | cut 5
        NOOP before login      | kept    | cut 5.4 | cut 14    | kept      | kept
        a slow download        | cut 5   | cut 5.4 | cut 5     | cut 5     | cut 5
        a stalled download     | kept    | kept    | 150 at 5  | kept      | kept
        ",
        |what, server| {
            let login = if server == "proftpd" { "login_timeout = \"5s\"\n" } else { "" };
            let patient = if Profile::named(server).expect("such a profile").timer.stalled.is_some()
                && server != "pure-ftpd"
            {
                "stalled_timeout = \"300s\"\n"
            } else {
                ""
            };
            let keys = format!("idle_timeout = \"5s\"\n{login}{patient}{}", only_idle(server));
            let mut desk = Desk::new(server, &keys);
            let start = desk.clock();
            match what {
                "NOOP before login" => {
                    let conn = desk.call(1);
                    desk.hears(conn);
                    kept(&mut desk, conn, start, |desk, conn| desk.sends(conn, "NOOP"))
                }
                "bytes without a newline" => {
                    let conn = desk.log_in(1, "alice");
                    kept(&mut desk, conn, start, |desk, conn| desk.data(Input::Bytes { conn }))
                }
                "a slow download" => {
                    let conn = transfers(&mut desk, 1, "RETR");
                    desk.wait(14.0);
                    assert_eq!(desk.hears(conn), "", "{server} rests in a transfer");
                    desk.data(Input::TransferDone { conn });
                    assert!(desk.hears(conn).starts_with("226"));
                    let (after, _) = next(&mut desk, conn).expect("it is cut");
                    format!("cut {after}")
                }
                "a stalled download" => {
                    let conn = transfers(&mut desk, 1, "RETR");
                    desk.data(Input::Progress { conn, rate: 0 });
                    match next(&mut desk, conn).filter(|(after, _)| *after < 31.0) {
                        Some((after, heard)) => format!("{} at {after}", &heard[..3]),
                        None => "kept".to_owned(),
                    }
                }
                line => {
                    let conn = desk.log_in(1, "alice");
                    kept(&mut desk, conn, start, |desk, conn| desk.sends(conn, line))
                }
            }
        },
    );
}

/// Is `conn` kept for 24 s if `deed` is done each two seconds?
fn kept(desk: &mut Desk, conn: ConnId, start: f64, deed: impl Fn(&mut Desk, ConnId)) -> String {
    for tenth in 1..=240 {
        desk.wait(start + f64::from(tenth) / 10.0 - desk.clock());
        if tenth % 20 == 0 {
            deed(desk, conn);
        }
        if is_closed(&desk.hears(conn)) {
            return format!("cut {}", f64::from(tenth) / 10.0);
        }
    }
    "kept".to_owned()
}
