//! Signals to `ftp421 serve`: SIGTERM and SIGHUP do what they do to the real server, and whoever wants the end gets it.

use std::net::TcpStream;

use nix::sys::signal::Signal;

use super::command::Served;

fn is_refused(served: &Served) -> bool {
    TcpStream::connect(served.address()).is_err()
}

/// Waits until its listener is gone.
fn has_closed(served: &mut Served) -> bool {
    let tries = 0..2_000;
    tries.into_iter().any(|_| {
        std::thread::yield_now();
        !served.runs() || is_refused(served)
    })
}

#[test]
fn ctrl_c_ends_it_whoever_is_there() {
    let mut served = Served::start(&["--profile", "vsftpd"]);
    let _there = served.logged_in("ftp421", "ftp421");
    served.gets(Signal::SIGINT);
    assert_eq!(served.ended().code, Some(0));
}

#[test]
fn the_sessions_of_vsftpd_outlive_its_listener_and_it_ends_with_the_last() {
    let mut served = Served::start(&["--profile", "vsftpd"]);
    let mut session = served.logged_in("ftp421", "ftp421");
    let (mut early, _) = served.greets();
    served.gets(Signal::SIGTERM);
    assert!(has_closed(&mut served));
    assert!(early.hears().contains("Ok(0)"), "who is not logged in is cut without a word");
    assert!(session.says("PWD").starts_with("257") && served.runs());
    assert!(session.says("QUIT").starts_with("221"));
    let ended = served.ended();
    assert_eq!(ended.code, Some(0));
    assert!(ended.told.contains("SIGTERM: vsftpd does not listen any more"), "{}", ended.told);
}

#[test]
fn a_second_sigterm_ends_what_the_first_left_alive() {
    let mut served = Served::start(&["--profile", "pure-ftpd"]);
    let mut session = served.logged_in("ftp421", "ftp421");
    served.gets(Signal::SIGTERM);
    assert!(has_closed(&mut served));
    assert!(session.says("NOOP").starts_with("200") && served.runs());
    served.gets(Signal::SIGTERM);
    assert_eq!(served.ended().code, Some(0));
}

#[test]
fn a_server_that_tells_its_sessions_of_a_sigterm_does_so_and_ends() {
    let mut served = Served::start(&["--profile", "rfc959"]);
    let mut session = served.logged_in("ftp421", "ftp421");
    served.gets(Signal::SIGTERM);
    assert!(session.hears().starts_with("421"));
    assert_eq!(served.ended().code, Some(0));
}

#[test]
fn nobody_is_waited_for_where_nobody_is() {
    for profile in ["vsftpd", "proftpd", "pure-ftpd", "pyftpdlib", "rfc959"] {
        let mut served = Served::start(&["--profile", profile]);
        served.gets(Signal::SIGTERM);
        assert_eq!(served.ended().code, Some(0), "{profile}");
    }
}

#[test]
fn a_hangup_is_what_the_server_makes_of_it() {
    let mut served = Served::start(&["--profile", "vsftpd"]);
    let mut session = served.logged_in("ftp421", "ftp421");
    served.gets(Signal::SIGHUP);
    assert!(session.says("NOOP").starts_with("200"));
    assert!(served.greets().1.starts_with("220") && served.runs(), "it reads its configuration again");
    drop(served);
    let mut served = Served::start(&["--profile", "pyftpdlib"]);
    let mut session = served.logged_in("ftp421", "ftp421");
    served.gets(Signal::SIGHUP);
    assert!(session.hears().contains("Ok(0)"));
    assert_eq!(served.ended().code, Some(0));
}
