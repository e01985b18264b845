//! Somebody with a socket who types commands, for tests of orders.
//!
//! It checks nothing.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use ftp421::live::Emulator;

/// How long anything may take before a test is wrong.
const PATIENCE: Duration = Duration::from_secs(10);

pub struct Caller {
    stream: BufReader<TcpStream>,
}

impl Caller {
    /// Connects, and does not wait for the greeting.
    pub fn of(server: &Emulator) -> Self {
        Self::at(server.address())
    }

    pub fn at(address: SocketAddr) -> Self {
        Self::over(TcpStream::connect(address).expect("somebody listens"))
    }

    pub fn over(stream: TcpStream) -> Self {
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Self { stream: BufReader::new(stream) }
    }

    /// Connects, is greeted and logs in.
    pub fn logged_in(server: &Emulator, user: &str, password: &str) -> Self {
        let mut caller = Self::of(server);
        assert!(caller.hears().starts_with("220"));
        let mut told = caller.says(&format!("USER {user}"));
        if told.starts_with("331") {
            told = caller.says(&format!("PASS {password}")); // some let anonymous in without
        }
        assert!(told.starts_with("230"), "{user}: {told}");
        caller
    }

    /// The next reply, of several lines the last; `(end)` or `(reset)` where there is none any more, `(nothing)` after ten seconds.
    pub fn hears(&mut self) -> String {
        loop {
            let mut line = String::new();
            match self.stream.read_line(&mut line) {
                Ok(0) => return "(end)".to_owned(),
                Ok(_) if line.as_bytes().get(3) == Some(&b'-') || line.starts_with(' ') => {}
                Ok(_) => return line.trim_end().to_owned(),
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                    return "(nothing)".to_owned();
                }
                Err(_) => return "(reset)".to_owned(),
            }
        }
    }

    /// Sends a line, and does not wait.
    pub fn sends(&mut self, line: &str) {
        // Who has hung up is heard of later.
        let _ = self.stream.get_mut().write_all(format!("{line}\r\n").as_bytes());
    }

    /// Sends a line and hears the answer.
    pub fn says(&mut self, line: &str) -> String {
        self.sends(line);
        self.hears()
    }

    /// Is nothing said to it for so long?
    pub fn hears_nothing_for(&mut self, time: Duration) -> bool {
        self.stream.get_ref().set_read_timeout(Some(time)).unwrap();
        let heard = self.hears();
        self.stream.get_ref().set_read_timeout(Some(PATIENCE)).unwrap();
        heard == "(nothing)"
    }

    /// Asks for a passive data connection, and opens it.
    pub fn opens_data(&mut self) -> TcpStream {
        let told = self.says("EPSV");
        let port = told.rsplit('|').nth(1).and_then(|port| port.parse().ok()).expect("229 with a port");
        let mut place = self.stream.get_ref().peer_addr().unwrap();
        place.set_port(port);
        let data = TcpStream::connect(place).unwrap();
        data.set_read_timeout(Some(PATIENCE)).unwrap();
        data
    }
}

/// Reads at least `least` bytes.
pub fn reads(data: &mut TcpStream, least: usize) -> usize {
    let mut bytes = vec![0; 64 << 10];
    let mut all = 0;
    while all < least {
        match data.read(&mut bytes) {
            Ok(0) | Err(_) => break,
            Ok(read) => all += read,
        }
    }
    all
}
