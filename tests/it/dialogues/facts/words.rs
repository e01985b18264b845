//! After how many seconds each server ends what, if nobody has set anything, and with which words.

use ftp421::id::ConnId;
use ftp421::server::{Input, Profile};

use super::super::desk::Desk;
use super::{next, only_idle, transfers};

#[test]
fn every_timer_at_its_default_and_its_words() {
    let mut found = String::new();
    for server in Profile::names() {
        let timer = Profile::named(server).expect("such a profile").timer;
        found += &format!("{server}\n");
        let mut tell = |what: &str, told: Option<(f64, String)>| {
            found += &match told {
                Some((after, heard)) => format!("    {what} {after}: {heard}\n"),
                None => format!("    {what} never\n"),
            };
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
";
