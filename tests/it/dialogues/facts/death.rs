//! How five servers die, and what is left of them.
//!
//! `close 0.8`: the end without a word, 0.8 s after the signal.

use ftp421::server::{Control, Input, Signal};

use super::super::desk::Desk;
use super::{enters, hold, transfers};

#[test]
fn death() {
    hold(
        "
        signal: whom            | vsftpd  | proftpd   | pure-ftpd | pyftpdlib | unftp
        SIGTERM: before login   | close 0 | close 0.8 | lives     | close 0   | close 0.005
        SIGTERM: session        | lives   | close 0.8 | lives     | close 0   | close 0.005
        SIGTERM: download       | lives   | close 0.8 | lives     | close 0   | close 0.005
        SIGTERM: new connection | refused | refused   | refused   | refused   | refused
        SIGKILL: before login   | close 0 | lives     | lives     | close 0   | close 0
        SIGKILL: session        | lives   | lives     | lives     | close 0   | close 0
        SIGKILL: download       | lives   | lives     | lives     | close 0   | close 0
        SIGKILL: new connection | refused | refused   | hangs     | refused   | refused
        SIGHUP: session         | lives   | lives     | lives     | close 0   | close 0
        SIGHUP: new connection  | let in  | let in    | refused   | refused   | let in
        ",
        |what, server| {
            let (signal, whom) = what.split_once(": ").expect("a signal and its victim");
            let signal = match signal {
                "SIGTERM" => Signal::Term,
                "SIGKILL" => Signal::Kill,
                _ => Signal::Hup,
            };
            let mut desk = Desk::new(server, "");
            let conn = match whom {
                "before login" => desk.call(1),
                "download" => transfers(&mut desk, 1, "RETR"),
                _ => desk.log_in(1, "alice"),
            };
            desk.hears(conn);
            desk.control(Control::Signal(signal));
            if whom == "new connection" {
                return if desk.listens() { enters(&mut desk, 2, "bob") } else { "refused".to_owned() };
            }
            for milliseconds in 0..2_000 {
                match desk.hears(conn).as_str() {
                    "" => desk.wait(0.001),
                    heard => {
                        assert!(heard.starts_with('('), "{server} says nothing, not {heard}");
                        return format!("close {}", f64::from(milliseconds) / 1e3);
                    }
                }
            }
            if whom == "download" {
                desk.data(Input::TransferDone { conn });
                assert!(desk.hears(conn).starts_with("226"), "{server} finishes it");
            }
            "lives".to_owned()
        },
    );
}

#[test]
fn the_queue_of_a_frozen_server() {
    hold(
        "
        what                  | vsftpd  | proftpd | pure-ftpd | pyftpdlib | unftp
        has room for          | 33      | 129     | 10        | 101       | 129
        when it goes on       | greeted | greeted | greeted   | greeted   | greeted
        when its listener dies | reset  | reset   | reset     | reset     | reset
        ",
        |what, server| {
            let mut desk = Desk::new(server, "");
            desk.control(Control::Hang);
            let mut waiting = Vec::new();
            while desk.has_room() {
                waiting.push(desk.connect(waiting.len() as u32));
            }
            let (control, sign, word) = match what {
                "has room for" => return waiting.len().to_string(),
                "when it goes on" => (Control::Resume, "220", "greeted"),
                _ => (Control::StopListening, "(rst)", "reset"),
            };
            desk.control(control);
            desk.wait(1.0);
            let all = waiting.iter().all(|conn| desk.hears(*conn).starts_with(sign));
            if all { word } else { "not all" }.to_owned()
        },
    );
}

/// None of them says 421 when it is told to end.
#[test]
fn no_measured_server_says_421_on_sigterm() {
    for server in ["vsftpd", "proftpd", "pure-ftpd", "pyftpdlib", "unftp"] {
        let mut desk = Desk::new(server, "");
        let (alice, bob) = (desk.log_in(1, "alice"), desk.call(2));
        desk.hears(bob);
        desk.control(Control::Signal(Signal::Term));
        desk.wait(5.0);
        assert!(!(desk.hears(alice) + &desk.hears(bob)).contains("421"), "{server}");
    }
}
