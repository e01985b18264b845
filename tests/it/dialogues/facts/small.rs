//! Small replies of four servers, and how refusals and slots end.

use ftp421::id::ServerId;
use ftp421::rng::Streams;
use ftp421::server::{Action, Control, Input, Overrides, Policy, Profile, Server, ServerStreams};
use ftp421::time::{Duration, Instant};

use super::super::desk::Desk;
use super::{hold, short};

/// `150 stays`: it waits for what nobody opens.
#[test]
fn small_replies() {
    hold(
        "
        what                        | vsftpd    | proftpd   | pure-ftpd | pyftpdlib
        ABOR                        | 225 stays | 226 stays | 226 stays | 225 stays
        ABOR behind a PASV          | 225 stays | 226 stays | 226 stays | 225 stays
        SITE IDLE 60                | 550 stays | 500 stays | 200 stays | 500 stays
        RETR without PASV           | 425 stays | 425 stays | 425 stays | 150 stays
        PORT to nobody              | 200 stays | 200 stays | 200 stays | 425 stays
        RETR behind a PORT to nobody | 425 stays | 425 stays | 425 stays | 150 stays
        STOR to a full disk         | 451 stays | 452 stays | 451 stays | 426 stays
        a line too long             | 500       | -         | 421       | 500+500 stays
        ",
        |what, server| {
            let mut desk = Desk::new(server, "");
            let conn = desk.log_in(1, "alice");
            let passive = |desk: &mut Desk| {
                desk.types(conn, "PASV");
                desk.data(Input::DataOpened { conn });
            };
            let heard = match what {
                "ABOR behind a PASV" => {
                    desk.types(conn, "PASV");
                    desk.types(conn, "ABOR")
                }
                "RETR without PASV" => desk.types(conn, "RETR /file"),
                "PORT to nobody" | "RETR behind a PORT to nobody" => {
                    let mut heard = desk.types(conn, "PORT 1");
                    desk.data(Input::DataFailed { conn });
                    heard += &desk.hears(conn);
                    if what != "PORT to nobody" {
                        heard = desk.types(conn, "RETR /file");
                        desk.data(Input::DataFailed { conn });
                        heard += &desk.hears(conn);
                    }
                    heard
                }
                "STOR to a full disk" => {
                    desk.control(Control::FillDisk(true));
                    passive(&mut desk);
                    let heard = desk.types(conn, "STOR /file");
                    let (begins, ends) = heard.split_once(" | ").expect("two replies");
                    assert!(begins.starts_with('1'), "{server}: {begins}");
                    ends.to_owned()
                }
                "a line too long" => {
                    desk.data(Input::LineTooLong { conn });
                    desk.hears(conn)
                }
                line => desk.types(conn, line),
            };
            short(&heard)
        },
    );
}

/// Whoever has not sent anything sees a FIN behind the text everywhere. Whoever has: vsftpd sends a FIN and then a reset, Pure-FTPd
/// and pyftpdlib a bare reset, `ProFTPD` with `MaxInstances` a bare reset and no text.
#[test]
fn refusals_on_the_wire() {
    for (server, knob, limit, close) in [
        ("vsftpd", "max_clients", 1, "(fin_then_rst)"),
        ("pure-ftpd", "max_clients", 1, "(rst_if_unread)"),
        ("pyftpdlib", "max_clients", 2, "(rst_if_unread)"),
        ("proftpd", "max_instances", 1, "(rst_if_unread)"),
    ] {
        let mut desk = Desk::new(server, &format!("{knob} = {limit}"));
        desk.call(1);
        let heard = desk.knock(2);
        assert!(heard.ends_with(close), "{server}: {heard}");
        assert_eq!(heard.contains("421"), server != "proftpd");
    }
}

/// None delays its greeting by configuration: on an idle host nobody waits ten milliseconds for it, where no session has just ended.
#[test]
fn nobody_delays_the_greeting() {
    for name in Profile::names() {
        let profile = Profile::named(name).expect("such a profile");
        let policy = Policy::new(&profile, &Overrides::default()).expect("it fits itself");
        let streams = ServerStreams::new(Streams::new(1, 0), ServerId(0));
        let mut server = Server::new(ServerId(0), policy, streams, &[]);
        let mut out = Vec::new();
        let accepted = Input::Accepted { conn: ftp421::id::ConnId(0), peer: ftp421::id::PeerId(1), class: 0 };
        server.handle(Instant::ZERO, accepted, &mut out);
        let greeted = out.iter().find_map(|action| match action {
            Action::Reply { at, .. } => Some(at.since(Instant::ZERO)),
            _ => None,
        });
        assert!(greeted.is_some_and(|after| after < Duration::from_millis(10)), "{name}: {greeted:?}");
    }
}
