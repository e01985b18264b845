//! `ftp421 serve`, the command.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::support::{ftp421, stderr};

struct Served(Child);

impl Served {
    fn start(args: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ftp421"));
        command.arg("serve").args(args).stdin(Stdio::piped()).stdout(Stdio::piped());
        Self(command.spawn().expect("the binary was built"))
    }

    /// The first line that it prints, without the word `ready`.
    fn address(&mut self) -> String {
        let mut line = String::new();
        BufReader::new(self.0.stdout.take().unwrap()).read_line(&mut line).unwrap();
        line.trim().strip_prefix("ready ftp://").expect("a ready line").to_owned()
    }

    /// Its exit code, if it ends in time.
    fn ends(mut self) -> Option<i32> {
        let began = Instant::now();
        while began.elapsed() < Duration::from_secs(10) {
            if let Some(status) = self.0.try_wait().unwrap() {
                return status.code();
            }
            std::thread::yield_now();
        }
        None
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn greeting(address: &str) -> String {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line).unwrap();
    line
}

#[test]
fn it_says_where_it_listens_and_ends_by_a_signal() {
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        let mut served = Served::start(&[]);
        assert!(greeting(&served.address()).starts_with("220"));
        kill(Pid::from_raw(served.0.id().cast_signed()), signal).unwrap();
        assert_eq!(served.ends(), Some(0), "{signal}");
    }
}

#[test]
fn a_child_begins_when_it_is_told_and_ends_with_its_standard_input() {
    let mut served = Served::start(&["--child"]);
    let address = served.address();
    let mut told = served.0.stdin.take().unwrap();
    told.write_all(b"begin 1\n").unwrap();
    assert!(greeting(&address).starts_with("220"));
    drop(told);
    assert_eq!(served.ends(), Some(0));
    let mut unwanted = Served::start(&["--child"]);
    unwanted.address();
    drop(unwanted.0.stdin.take());
    assert_eq!(unwanted.ends(), Some(0));
}

#[test]
fn it_serves_nobody_but_this_machine() {
    let dir = tempfile::tempdir().unwrap();
    for host in ["0.0.0.0", "::", "192.0.2.1"] {
        let refused = ftp421(dir.path(), &["serve", "--host", host]);
        assert_eq!(refused.status.code(), Some(106), "{}", stderr(&refused));
    }
}
