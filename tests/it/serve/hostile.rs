//! Hostile peers: whatever one does, others are served, and the server's memory is bounded.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use ftp421::live::serve::Emulator;

use super::server;

const PATIENCE: Duration = Duration::from_secs(10);

struct Talk(BufReader<TcpStream>);

impl Talk {
    fn to(server: &Emulator) -> Self {
        let stream = TcpStream::connect(server.address()).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut talk = Self(BufReader::new(stream));
        assert!(talk.hears().starts_with("220"));
        talk
    }

    fn hears(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).unwrap();
        line
    }

    fn says(&mut self, line: &str) -> String {
        self.0.get_mut().write_all(format!("{line}\r\n").as_bytes()).unwrap();
        self.hears()
    }

    fn logs_in(mut self) -> Self {
        assert!(self.says("USER alice").starts_with("331"));
        assert!(self.says("PASS ftp421").starts_with("230"));
        self
    }
}

fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[test]
fn a_client_that_does_not_read_is_not_read() {
    let server = server("", "\"quit\"");
    let mut deaf = Talk::to(&server).logs_in();
    let stream = deaf.0.get_mut();
    stream.set_write_timeout(Some(Duration::from_millis(500))).unwrap();
    let flood = "FEAT\r\n".repeat(10_000);
    let before = resident_kib();
    let mut sent = 0;
    let stuck = loop {
        match stream.write(flood.as_bytes()) {
            Ok(wrote) => sent += wrote,
            Err(error) => break error.kind(),
        }
        assert!(sent < 100 << 20, "it reads on for ever");
    };
    assert!(matches!(stuck, ErrorKind::WouldBlock | ErrorKind::TimedOut), "{stuck:?}");
    let grown = resident_kib().saturating_sub(before);
    assert!(grown < 32 << 10, "{grown} KiB more");
    assert!(Talk::to(&server).logs_in().says("NOOP").starts_with("200"), "others are served");
}

#[test]
fn a_line_without_an_end_costs_nothing_and_is_told_once() {
    let server = server("", "\"quit\"");
    let mut talk = Talk::to(&server).logs_in();
    let before = resident_kib();
    for _ in 0..200 {
        talk.0.get_mut().write_all(&vec![b'x'; 64 << 10]).unwrap();
    }
    assert!(talk.says("\r\nNOOP").starts_with("500"));
    assert!(talk.hears().starts_with("200"), "what comes behind the line is read");
    let grown = resident_kib().saturating_sub(before);
    assert!(grown < 8 << 10, "{grown} KiB more");
}

#[test]
fn slow_bytes_are_not_a_command_and_the_timers_go_on() {
    let server = server("profile = \"vsftpd\"\nidle_timeout = \"1s\"", "\"quit\"");
    let mut talk = Talk::to(&server).logs_in();
    let began = Instant::now();
    let stream = talk.0.get_ref().try_clone().unwrap();
    let dripping = std::thread::spawn(move || {
        while began.elapsed() < PATIENCE && (&stream).write_all(b"N").is_ok() {
            std::thread::sleep(Duration::from_millis(100)); // it is what this peer does
        }
    });
    assert!(talk.hears().starts_with("421"), "bytes without a line end do not start vsftpd's timer again");
    assert!((900..3_000).contains(&began.elapsed().as_millis()), "{:?}", began.elapsed());
    drop(talk);
    dripping.join().unwrap();
}

#[test]
fn a_flood_of_connections_is_refused_one_by_one() {
    let server = server("max_clients = 5", "\"quit\"");
    let held: Vec<_> = (0..5).map(|_| Talk::to(&server)).collect();
    for _ in 0..500 {
        let mut heard = String::new();
        let stream = TcpStream::connect(server.address()).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        BufReader::new(stream).read_line(&mut heard).unwrap();
        assert!(heard.starts_with("421"), "{heard}");
    }
    drop(held);
}

#[test]
fn a_data_connection_goes_nowhere_but_to_the_client() {
    let server = server("", "\"list\"");
    let mut talk = Talk::to(&server).logs_in();
    let elsewhere = TcpListener::bind("127.0.0.2:0").unwrap();
    let port = elsewhere.local_addr().unwrap().port();
    let (high, low) = (port / 256, port % 256);
    for bounce in [
        format!("PORT 127,0,0,2,{high},{low}"),
        format!("EPRT |1|127.0.0.2|{port}|"),
        "PORT 127,0,0,1,0,25".to_owned(),
        "PORT 192,0,2,1,10,10".to_owned(),
        "PORT 1,2,3".to_owned(),
    ] {
        let told = talk.says(&bounce);
        assert!(told.starts_with("500") || told.starts_with("501"), "{bounce}: {told}");
    }
    assert!(talk.says("LIST").starts_with("425"), "there is nowhere to connect to");
}

#[test]
fn a_data_connection_from_elsewhere_is_not_the_clients() {
    let server = server("", "{ retr = \"1000B\", path = \"/file\" }");
    let mut talk = Talk::to(&server).logs_in();
    let told = talk.says("EPSV");
    let port: u16 = told.split('|').nth(3).unwrap().parse().unwrap();
    let thief = connect_from("127.0.0.3", port);
    talk.0.get_mut().write_all(b"RETR /file\r\n").unwrap();
    let mut stolen = Vec::new();
    let _ = thief.take(10).read_to_end(&mut stolen);
    assert!(stolen.is_empty(), "{stolen:?}");
    let mut own = TcpStream::connect((server.address().ip(), port)).unwrap();
    let mut data = Vec::new();
    own.read_to_end(&mut data).unwrap();
    assert_eq!(data.len(), 1_000);
    assert!(talk.hears().starts_with("150") && talk.hears().starts_with("226"));
}

/// A connection to `port` of this machine from `address`.
fn connect_from(address: &str, port: u16) -> TcpStream {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().unwrap();
    let stream = runtime.block_on(async {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind(format!("{address}:0").parse().unwrap()).unwrap();
        socket.connect(([127, 0, 0, 1], port).into()).await.unwrap()
    });
    let stream = stream.into_std().unwrap();
    stream.set_nonblocking(false).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}
