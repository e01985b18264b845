//! Which causes give a 421, and which do not.
//!
//! `stays`: the connection goes on. `close`: it ends without a word.

use ftp421::server::profile::Per;
use ftp421::server::{Control, HostSpec, Input, Profile, Signal};
use ftp421::time::Duration;

use super::super::desk::Desk;
use super::{enters, hold, is_closed, next_in_short, only_idle, short, transfers};

#[test]
fn limits() {
    hold(
        "
        too many                  | vsftpd       | proftpd      | pure-ftpd    | pyftpdlib    | unftp | inetutils | filezilla-0.9 | filezilla-1 | wu-ftpd        | bftpd    | iis
        in all                    | 421 greeting | 530 PASS     | 421 greeting | 421 greeting | -     | -         | 421 PASS      | -           | 530 stays PASS | 421 PASS | 421 greeting
        processes                 | -            | close        | -            | -            | -     | -         | -             | -           | -              | -        | -
        of one address            | 421 greeting | 530 greeting | 421 greeting | 421 greeting | -     | -         | 421 PASS      | -           | 530 stays PASS | 421 PASS | -
        sessions of one address   | -            | 530 PASS     | -            | -            | -     | -         | -             | -           | -              | -        | -
        of one account            | -            | 530 PASS     | 421 PASS     | -            | -     | -         | 421 PASS      | -           | -              | 421 PASS | -
        anonymous                 | -            | -            | 421 USER     | -            | -     | -         | -             | -           | -              | -        | -
        in a short time           | -            | close        | -            | -            | -     | -         | -             | -           | -              | -        | -
        ",
        |what, server| match what {
            "in all" => too_many(server, "max_clients"),
            "processes" => too_many(server, "max_instances"),
            "of one address" if server == "proftpd" => too_many(server, "max_connections_per_host"),
            "of one address" => too_many(server, "max_per_ip"),
            "sessions of one address" => too_many(server, "max_clients_per_host"),
            "of one account" => too_many(server, "max_per_user"),
            "anonymous" => too_many(server, "max_anonymous"),
            "in a short time" => too_many(server, "max_connection_rate"),
            _ => unreachable!("{what}"),
        },
    );
}

fn too_many(server: &str, knob: &str) -> String {
    let profile = Profile::named(server).expect("such a profile");
    let Some(limit) = profile.limits.iter().find(|limit| limit.knob == knob) else { return "-".to_owned() };
    let mut desk = Desk::new(server, &format!("{knob} = {}", 1 + limit.reserved));
    if knob == "max_anonymous" {
        assert_eq!(enters(&mut desk, 1, "anonymous"), "230 stays USER");
        return enters(&mut desk, 2, "anonymous");
    }
    desk.log_in(1, "alice");
    match limit.per {
        Per::Address => enters(&mut desk, 1, "bob"),
        Per::User => enters(&mut desk, 2, "alice"),
        _ => enters(&mut desk, 2, "bob"),
    }
}

#[test]
fn timers() {
    hold(
        "
        who                           | vsftpd    | proftpd | pure-ftpd | pyftpdlib | unftp | inetutils | filezilla-0.9 | filezilla-1 | wu-ftpd   | bftpd     | iis
        is silent before login        | 421       | 421     | 421       | 421       | 221   | 421       | 421           | 421         | 421       | 421       | 421
        is idle after it              | 421       | 421     | 421       | 421       | 221   | 421       | 421           | 421         | 421       | 421       | 421+421
        sends NOOPs each 2 of 5 s     | kept      | kept    | 421       | kept      | kept  | kept      | kept          | kept        | kept      | kept*     | kept*
        transfers nothing, with NOOPs | -         | 421     | -         | -         | -     | -         | 421           | -           | -         | -         | -
        downloads, and all stands     | 421       | close   | 150 stays | 421       | -     | -*        | 426+421       | 421         | 426 stays | 421       | 426 stays
        uploads, and all stands       | 421       | close   | 451 stays | 421       | -     | -*        | 426+421       | 421         | 426 stays | 421       | 426 stays
        never opens what PASV offers  | 425 stays | 421     | 421       | 421 stays | 221   | 421*      | 425 stays     | 425 stays   | 425 stays | 425 stays* | 425 stays*
        ",
        |who, server| {
            let timer = Profile::named(server).expect("such a profile").timer;
            match who {
                "is silent before login" => {
                    let mut desk = Desk::new(server, "");
                    let conn = desk.call(1);
                    desk.hears(conn);
                    next_in_short(&mut desk, conn)
                }
                "is idle after it" => {
                    let mut desk = Desk::new(server, only_idle(server));
                    let conn = desk.log_in(1, "alice");
                    next_in_short(&mut desk, conn)
                }
                "sends NOOPs each 2 of 5 s" => {
                    noops(server, &format!("idle_timeout = \"5s\"\n{}", only_idle(server)), 2.0, "kept")
                }
                "transfers nothing, with NOOPs" if timer.no_transfer.is_none() => "-".to_owned(),
                "transfers nothing, with NOOPs" => noops(server, "idle_timeout = \"0s\"", 60.0, "-"),
                "downloads, and all stands" => stands_still(server, "RETR"),
                "uploads, and all stands" => stands_still(server, "STOR"),
                "never opens what PASV offers" => {
                    let mut desk = Desk::new(server, "");
                    let conn = desk.log_in(1, "alice");
                    desk.types(conn, "PASV");
                    desk.types(conn, "RETR /file");
                    next_in_short(&mut desk, conn)
                }
                _ => unreachable!("{who}"),
            }
        },
    );
}

/// Twenty NOOPs.
fn noops(server: &str, keys: &str, each: f64, kept: &str) -> String {
    let mut desk = Desk::new(server, keys);
    let conn = desk.log_in(1, "alice");
    for _ in 0..20 {
        desk.wait(each);
        let heard = desk.types(conn, "NOOP");
        if !heard.starts_with("200") {
            return short(&heard);
        }
    }
    kept.to_owned()
}

fn stands_still(server: &str, verb: &str) -> String {
    let mut desk = Desk::new(server, "");
    let conn = transfers(&mut desk, 1, verb);
    desk.data(Input::Progress { conn, rate: 0 });
    next_in_short(&mut desk, conn)
}

#[test]
fn passwords_and_bans() {
    hold(
        "
        who                     | vsftpd | proftpd      | pure-ftpd | pyftpdlib | unftp          | inetutils | filezilla-0.9 | filezilla-1 | wu-ftpd | bftpd  | iis
        guesses on              | 530    | 530          | 530       | 530       | never          | 530+421   | never         | 530         | 530     | never* | never
        is banned and right now | -      | 530 greeting | -         | -         | 530 stays PASS | -         | 550 greeting  | close       | -       | -      | close
        ",
        |who, server| {
            if who == "guesses on" {
                let mut desk = Desk::new(server, "");
                return guesses(&mut desk, 10).unwrap_or("never".to_owned());
            }
            if Profile::named(server).expect("such a profile").ban.is_none() {
                return "-".to_owned();
            }
            let rule = "[server.ban]\nthreshold = 2\nwindow = \"60s\"\nduration = \"600s\"";
            let mut desk = Desk::new(server, rule);
            for _ in 0..4 {
                guesses(&mut desk, 5);
            }
            enters(&mut desk, 1, "alice")
        },
    );
}

/// Tries so many wrong passwords; what is heard at the end of the session, if it ends.
fn guesses(desk: &mut Desk, count: u32) -> Option<String> {
    let conn = desk.call(1);
    desk.hears(conn);
    (0..count).find_map(|_| {
        desk.types(conn, "USER alice");
        let heard = desk.types(conn, "PASS wrong");
        is_closed(&heard).then(|| short(&heard))
    })
}

/// `mod_load` of `ProFTPD` turns newcomers away; Pure-FTPd refuses downloads, and those of anonymous users only.
#[test]
fn load() {
    let desk = |server: &str| {
        Desk::like(server, |_, overrides| {
            overrides.limits = vec![("max_load".to_owned(), 2)];
            overrides.host = HostSpec { cores: 1, ..HostSpec::UNBOUNDED };
            overrides.login_cost = Some(Duration::from_secs(100));
        })
    };
    let busy = |desk: &mut Desk| {
        for host in 10..16 {
            let conn = desk.call(host);
            desk.sends(conn, "USER somebody");
            desk.sends(conn, "PASS right");
        }
        desk.wait(90.0);
    };
    let mut proftpd = desk("proftpd");
    busy(&mut proftpd);
    assert_eq!(proftpd.knock(1), "421 System busy, try again later | (fin)");
    let mut pure = desk("pure-ftpd");
    let [guest, alice] = ["anonymous", "alice"].map(|user| {
        let conn = pure.call(1);
        pure.hears(conn);
        if pure.types(conn, &format!("USER {user}")).starts_with("331") {
            pure.types(conn, "PASS right");
        }
        pure.types(conn, "PASV");
        pure.data(Input::DataOpened { conn });
        conn
    });
    busy(&mut pure);
    pure.sends(guest, "RETR /file");
    let heard = pure.hears(guest);
    assert!(heard.ends_with("550 allowed."), "{heard}");
    pure.sends(alice, "RETR /file");
    assert_eq!(pure.hears(alice), "150 Accepted data connection");
}

#[test]
fn going_down() {
    hold(
        "
        what                 | vsftpd  | proftpd      | pure-ftpd | pyftpdlib | unftp   | inetutils    | filezilla-0.9 | filezilla-1  | wu-ftpd      | bftpd   | iis
        SIGTERM before login | close   | close        | lives     | close     | close   | lives        | 421           | close        | lives        | close   | close
        SIGTERM in a session | lives   | close        | lives     | close     | close   | lives        | 421           | close        | lives        | close   | close
        announced, new       | refused | 500 greeting | refused   | refused   | refused | 530 greeting | 421 greeting  | 220 greeting | 500 greeting | refused | refused
        announced, live      | close*  | 421          | close*    | close*    | close*  | lives        | 421           | close*       | 221 at NOOP  | close*  | close*
        announced, anonymous | close*  | close        | close*    | close*    | close*  | lives        | 421           | close*       | 221 at NOOP  | close*  | close*
        down                 | refused | refused      | refused   | refused   | refused | refused      | refused       | refused      | refused      | refused | refused
        ",
        |what, server| {
            let mut desk = Desk::new(server, "");
            let conn = match what {
                "SIGTERM before login" => {
                    let conn = desk.call(1);
                    desk.hears(conn);
                    conn
                }
                "announced, anonymous" => {
                    let conn = desk.call(1);
                    desk.hears(conn);
                    desk.types(conn, "USER anonymous");
                    desk.types(conn, "PASS right");
                    conn
                }
                _ => desk.log_in(1, "alice"),
            };
            match what {
                "down" => desk.control(Control::StopListening),
                "announced, new" => desk.control(Control::Announce),
                "SIGTERM before login" | "SIGTERM in a session" => {
                    desk.control(Control::Signal(Signal::Term));
                }
                _ => {
                    desk.control(Control::Announce);
                    desk.wait(0.1);
                    desk.control(Control::CutAnnounced);
                }
            }
            desk.wait(5.0);
            if what == "down" || what == "announced, new" {
                return if desk.listens() { enters(&mut desk, 2, "bob") } else { "refused".to_owned() };
            }
            let heard = desk.hears(conn);
            let later = desk.types(conn, "NOOP");
            match (heard.is_empty(), later.starts_with('2') && !is_closed(&later)) {
                (false, _) => short(&heard),
                (true, false) if is_closed(&later) => format!("{} at NOOP", short(&later)),
                _ => "lives".to_owned(),
            }
        },
    );
}
