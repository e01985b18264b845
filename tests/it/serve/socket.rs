//! Orders from the command line: `serve --at`, `serve --control`, and `ftp421 order`.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::process::Output;
use std::time::Duration;

use nix::sys::signal::Signal;

use super::command::Served;
use crate::support::{ftp421, stderr, stdout};

struct Controlled {
    dir: tempfile::TempDir,
    served: Served,
}

impl Controlled {
    fn start(args: &[&str]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let control = dir.path().join("ctl");
        let mut all = vec!["--control", control.to_str().unwrap()];
        all.extend(args);
        let served = Served::start(&all);
        Self { dir, served }
    }

    fn path(&self) -> std::path::PathBuf {
        self.dir.path().join("ctl")
    }

    fn order(&self, words: &[&str]) -> Output {
        let mut args = vec!["order", "ctl"];
        args.extend(words);
        ftp421(self.dir.path(), &args)
    }

    /// What is printed of an order that is carried out.
    fn does(&self, words: &[&str]) -> String {
        let done = self.order(words);
        assert_eq!(done.status.code(), Some(0), "{words:?}: {}", stderr(&done));
        stdout(&done).trim_end().to_owned()
    }

    fn talk(&self) -> BufReader<UnixStream> {
        let stream = UnixStream::connect(self.path()).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        BufReader::new(stream)
    }
}

fn line(talk: &mut BufReader<UnixStream>) -> String {
    let mut line = String::new();
    talk.read_line(&mut line).unwrap();
    line.trim_end().to_owned()
}

#[test]
fn an_order_is_carried_out_and_what_came_of_it_is_printed() {
    let server = Controlled::start(&["--profile", "vsftpd"]);
    assert_eq!(server.does(&["ban", "127.0.0.1", "10m"]), "127.0.0.1 is banned for 600 s");
    assert!(server.served.greets().1.starts_with("421 Service not available."));
    assert_eq!(server.does(&["unban 127.0.0.1"]), "127.0.0.1 is not banned");
    assert!(server.served.greets().1.starts_with("220"));
    let status: serde_json::Value = serde_json::from_str(&server.does(&["status"])).unwrap();
    assert_eq!((&status["profile"], &status["listens"]), (&"vsftpd".into(), &true.into()));
    assert_eq!(status["refused"][0], serde_json::json!({"cause": "banned", "phase": "greeting", "count": 1}));
}

#[test]
fn an_order_that_makes_no_sense_is_an_error_with_a_guess() {
    let server = Controlled::start(&[]);
    let wrong = server.order(&["shutdwon", "now"]);
    assert_eq!(wrong.status.code(), Some(1));
    assert!(stderr(&wrong).contains("did you mean \"shutdown\"?"), "{}", stderr(&wrong));
    let nobody = ftp421(server.dir.path(), &["order", "elsewhere", "status"]);
    assert_eq!(nobody.status.code(), Some(1));
    assert!(stderr(&nobody).contains("nobody takes orders at elsewhere"), "{}", stderr(&nobody));
}

#[test]
fn the_help_lists_every_order() {
    let help = stdout(&ftp421(Path::new("."), &["order", "--help"]));
    for (form, _) in ftp421::live::serve::orders::GRAMMAR {
        assert!(help.contains(form), "{form}: {help}");
    }
}

#[test]
fn the_socket_is_its_users_own_and_goes_with_the_server() {
    let mut server = Controlled::start(&[]);
    let mode = fs::symlink_metadata(server.path()).unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o600);
    assert_eq!(server.does(&["end"]), "ends");
    assert_eq!(server.served.ended().code, Some(0));
    assert!(!server.path().exists());
}

#[test]
fn it_goes_with_a_server_that_is_interrupted_too() {
    let mut server = Controlled::start(&[]);
    server.served.gets(Signal::SIGINT);
    assert_eq!(server.served.ended().code, Some(0));
    assert!(!server.path().exists());
}

#[test]
fn what_a_dead_server_left_is_replaced_and_what_another_one_has_is_not() {
    let dir = tempfile::tempdir().unwrap();
    let control = dir.path().join("ctl");
    drop(UnixListener::bind(&control).unwrap());
    assert!(control.exists(), "nobody listens there, and it is there");
    let args = ["--control", control.to_str().unwrap()];
    let mut served = Served::start(&args);
    assert_eq!(ftp421(dir.path(), &["order", "ctl", "help"]).status.code(), Some(0));
    let second = ftp421(dir.path(), &["serve", "--control", "ctl"]);
    assert_eq!(second.status.code(), Some(1));
    assert!(stderr(&second).contains("another server takes orders there"), "{}", stderr(&second));
    assert_eq!(ftp421(dir.path(), &["order", "ctl", "end"]).status.code(), Some(0));
    assert_eq!(served.ended().code, Some(0));
    fs::write(&control, "mine").unwrap();
    let third = ftp421(dir.path(), &["serve", "--control", "ctl"]);
    assert!(stderr(&third).contains("it is there, and no socket"), "{}", stderr(&third));
    assert_eq!(fs::read_to_string(&control).unwrap(), "mine");
}

#[test]
fn several_talk_at_once_and_each_gets_its_answers() {
    let server = Controlled::start(&["--profile", "vsftpd"]);
    let (mut one, mut other) = (server.talk(), server.talk());
    one.get_mut().write_all(b"wait connections 1 10s\n").unwrap();
    other.get_mut().write_all(b"set max_clients 7\n\nset max_clients\nset idle_").unwrap();
    assert_eq!(line(&mut other), "ok done");
    assert!(line(&mut other).starts_with("error `set` is not complete"));
    other.get_mut().write_all(b"timeout 9s\r\n").unwrap();
    assert_eq!(line(&mut other), "ok done");
    let _there = server.served.greets();
    assert_eq!(line(&mut one), "ok connections: 1");
}

#[test]
fn a_line_without_end_is_refused_and_too_many_are_sent_away() {
    let server = Controlled::start(&[]);
    let mut endless = server.talk();
    endless.get_mut().write_all(&[b'x'; 4_000]).unwrap();
    assert_eq!(line(&mut endless), "error an order is one line of at most 1000 bytes");
    assert_eq!(endless.read(&mut [0; 8]).unwrap_or(0), 0, "and that is the end");
    let mut all: Vec<_> = (0..16).map(|_| server.talk()).collect();
    for talk in &mut all {
        talk.get_mut().write_all(b"help\n").unwrap();
        assert!(line(talk).starts_with("ok "));
    }
    assert_eq!(line(&mut server.talk()), "error 16 others give orders already");
    drop(all);
    let let_in = (0..2_000).any(|_| server.order(&["help"]).status.code() == Some(0));
    assert!(let_in);
}

#[test]
fn orders_on_the_command_line_have_their_time() {
    let server = Controlled::start(&[
        "--at",
        "0s set max_clients 1",
        "--at",
        "0.3s shutdown announce 200ms",
        "--at",
        "1s up",
    ]);
    let (mut there, greeting) = server.served.greets();
    assert!(greeting.starts_with("220"));
    assert!(server.served.greets().1.starts_with("421"));
    assert!(there.hears().starts_with("421"), "the shutdown");
    assert_eq!(server.does(&["wait", "connections", "0"]), "connections: 0");
    let back = (0..20_000).any(|_| std::net::TcpStream::connect(server.served.address()).is_ok());
    assert!(back);
}

#[test]
fn what_is_wrong_with_an_order_on_the_command_line_is_said_before_anything_begins() {
    let dir = tempfile::tempdir().unwrap();
    for (at, says) in [
        ("now end", "--at: \"now\" is no time for an order"),
        ("5s", "--at: an order is missing"),
        ("5s set max_client 3", "did you mean \"max_clients\"?"),
        ("5s status", "nobody would hear the answer"),
    ] {
        let refused = ftp421(dir.path(), &["serve", "--profile", "vsftpd", "--at", at]);
        assert_eq!(refused.status.code(), Some(2), "{at}");
        assert!(stderr(&refused).contains(says), "{at}: {}", stderr(&refused));
    }
}
