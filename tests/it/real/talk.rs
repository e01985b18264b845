//! A control connection to a real server, by hand.
//!
//! It follows no script, and opens no data connection.

use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::time::Duration;

pub struct Talk(BufReader<TcpStream>);

impl Talk {
    /// Connects to this port of 127.0.0.1. `patience` is how long it waits for each line.
    pub fn connect(port: u16, patience: Duration) -> Self {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(patience)).unwrap();
        Self(BufReader::new(stream))
    }

    /// The last line of the next reply; empty if none comes in time, and what happened instead if the connection is over.
    pub fn hears(&mut self) -> String {
        loop {
            let mut line = String::new();
            match self.0.read_line(&mut line) {
                Ok(1..) => {}
                Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                    return String::new();
                }
                end => return format!("{end:?}"),
            }
            if line.as_bytes().get(3) == Some(&b' ') && line.bytes().take(3).all(|b| b.is_ascii_digit()) {
                return line.trim_end().to_owned();
            }
        }
    }

    /// Sends a command and gives back the last line of its reply.
    pub fn says(&mut self, line: &str) -> String {
        self.0.get_mut().write_all(format!("{line}\r\n").as_bytes()).unwrap();
        self.hears()
    }

    /// Sends a command, and leaves its reply to be read.
    pub fn sends(&mut self, line: &str) {
        self.0.get_mut().write_all(format!("{line}\r\n").as_bytes()).unwrap();
    }

    /// Logs in with this name and password.
    pub fn logs_in(&mut self, (user, password): (&str, &str)) {
        let asks = self.says(&format!("USER {user}"));
        assert!(asks.starts_with("331"), "{asks}");
        let lets_in = self.says(&format!("PASS {password}"));
        assert!(lets_in.starts_with("230"), "{lets_in}");
    }

    /// Reads until the server closes.
    pub fn hears_the_end(&mut self) {
        while matches!(self.0.read_until(b'\n', &mut Vec::new()), Ok(1..)) {} // it need not be text
    }
}
