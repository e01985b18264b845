//! Floods, against the real program in a process of its own: its memory and its descriptors stay bounded, and whoever behaves well is
//! served meanwhile, within a bounded time.

use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::time::{Duration, Instant};

use super::command::Served;

const PATIENCE: Duration = Duration::from_secs(20);
/// What a flood may make of the server's memory.
const GROWTH_KIB: u64 = 24 << 10;
/// How long whoever behaves well may have to wait for his whole session. It takes milliseconds on a quiet machine.
const WAIT: Duration = Duration::from_secs(5);

const SCENARIO: &str = "
schema = 1
name = \"flood\"
duration = \"10m\"
[server]
profile = \"rfc959\"
tls = \"offered\"
max_clients = 0
max_per_ip = 0
max_per_user = 0
[[clients]]
name = \"a\"
user = \"alice\"
arrivals = { executor = \"constant-clients\", clients = 1 }
script = [\"login\", { retr = \"100MB\", path = \"/big\" }, { retr = \"1000B\", path = \"/small\" }]
";

/// The program under a flood.
struct Flooded {
    served: Served,
    port: u16,
    _dir: tempfile::TempDir,
    before: u64,
}

impl Flooded {
    fn start(flags: &[&str]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("flood.toml");
        fs::write(&file, SCENARIO).unwrap();
        let served = Served::start(&[&[file.to_str().unwrap()], flags].concat());
        let port = served.address().rsplit_once(':').unwrap().1.parse().unwrap();
        let mut flooded = Self { served, port, _dir: dir, before: 0 };
        if flags.is_empty() {
            flooded.serves_others();
        }
        flooded.before = flooded.kib();
        flooded
    }

    fn proc(&self) -> std::path::PathBuf {
        Path::new("/proc").join(self.served.pid().to_string())
    }

    fn kib(&self) -> u64 {
        let status = fs::read_to_string(self.proc().join("status")).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }

    fn descriptors(&self) -> usize {
        fs::read_dir(self.proc().join("fd")).unwrap().count()
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(Duration::from_millis(300))).unwrap();
        stream
    }

    /// A session of somebody who is about to misbehave.
    fn logged_in(&self) -> TcpStream {
        let mut stream = self.connect();
        assert!(line(&mut stream).starts_with("220"));
        for (said, heard) in [("USER alice", "331"), ("PASS ftp421", "230")] {
            let told = ask(&mut stream, said);
            assert!(told.starts_with(heard), "{said}: {told}");
        }
        stream
    }

    /// Somebody logs in, fetches a file and leaves, in time.
    fn serves_others(&self) {
        let began = Instant::now();
        let mut talk = self.logged_in();
        let port = passive(&mut talk);
        talk.write_all(b"RETR /small\r\n").unwrap();
        let mut data = Vec::new();
        TcpStream::connect(("127.0.0.1", port)).unwrap().read_to_end(&mut data).unwrap();
        assert_eq!(data.len(), 1_000);
        assert!(line(&mut talk).starts_with("150") && line(&mut talk).starts_with("226"));
        assert!(ask(&mut talk, "QUIT").starts_with("221"));
        assert!(began.elapsed() < WAIT, "others wait for {:?}", began.elapsed());
    }

    /// It has stood the flood.
    fn stands(&self, what: &str) {
        self.serves_others();
        let grown = self.kib().saturating_sub(self.before);
        assert!(grown < GROWTH_KIB, "{what}: {grown} KiB more");
    }
}

/// A line, byte for byte: nothing behind it is taken.
fn line(stream: &mut TcpStream) -> String {
    let mut line = Vec::new();
    let mut byte = [0];
    while !line.ends_with(b"\n") {
        match stream.read(&mut byte) {
            Ok(1) => line.push(byte[0]),
            Ok(_) => break,
            Err(error) => panic!("{error} behind {:?}", String::from_utf8_lossy(&line)),
        }
    }
    String::from_utf8(line).expect("a reply is UTF-8")
}

fn ask(stream: &mut TcpStream, said: &str) -> String {
    stream.write_all(format!("{said}\r\n").as_bytes()).unwrap();
    line(stream)
}

fn passive(stream: &mut TcpStream) -> u16 {
    let told = ask(stream, "EPSV");
    told.split('|').nth(3).unwrap_or_else(|| panic!("{told}")).parse().unwrap()
}

/// Writes until the other side takes no more, or `most` bytes. True if it was stopped.
fn stuffs(stream: &mut TcpStream, what: &[u8], most: usize) -> bool {
    let mut sent = 0;
    while sent < most {
        match stream.write(what) {
            Ok(wrote) => sent += wrote,
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => return true,
            Err(_) => return false, // it was thrown out
        }
    }
    false
}

#[test]
fn who_does_not_read_is_not_read() {
    let flooded = Flooded::start(&[]);
    let flood = "FEAT\r\n".repeat(10_000);
    let mut deaf: Vec<_> = (0..8).map(|_| flooded.logged_in()).collect();
    for stream in &mut deaf {
        assert!(stuffs(stream, flood.as_bytes(), 64 << 20), "it reads on for ever");
    }
    flooded.stands("deaf clients");
}

#[test]
fn a_flood_of_commands_leaves_others_their_turn() {
    let flooded = Flooded::start(&[]);
    let flood = "NOOP\r\nCWD /x\r\nPWD\r\nNO\0\r\n\u{ff}\u{fe}\r\n".repeat(2_000);
    let streams: Vec<_> = (0..6).map(|_| flooded.logged_in()).collect();
    std::thread::scope(|scope| {
        for stream in &streams {
            let (mut ears, mut mouth) = (stream, stream);
            scope.spawn(move || while ears.read(&mut [0; 16_000]).is_ok_and(|read| read > 0) {});
            let flood = &flood;
            scope.spawn(move || while mouth.write_all(flood.as_bytes()).is_ok() {});
        }
        std::thread::sleep(Duration::from_millis(300)); // the flood is what they do meanwhile
        flooded.stands("floods of commands");
        for stream in &streams {
            let _ = stream.shutdown(std::net::Shutdown::Both);
        }
    });
}

#[test]
fn connections_that_say_nothing_or_half_a_line_cost_little() {
    let flooded = Flooded::start(&[]);
    let mut held: Vec<_> = (0..400).map(|_| flooded.connect()).collect();
    for (number, stream) in held.iter_mut().enumerate() {
        assert!(line(stream).starts_with("220"));
        stream.write_all(&b"USER a-name-that-comes-slowly"[..number % 25]).unwrap();
    }
    flooded.stands("half lines");
}

#[test]
fn handshakes_that_are_never_completed_cost_little() {
    let flooded = Flooded::start(&[]);
    // The beginning of a record that says to be longer.
    let half = [22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3];
    let mut held: Vec<_> = (0..200).map(|_| flooded.connect()).collect();
    for (number, stream) in held.iter_mut().enumerate() {
        assert!(line(stream).starts_with("220") && ask(stream, "AUTH TLS").starts_with("234"));
        stream.write_all(&half[..number % half.len()]).unwrap();
    }
    flooded.stands("explicit");
    let implicit = Flooded::start(&["--implicit-tls"]);
    let mut held: Vec<_> = (0..200).map(|_| implicit.connect()).collect();
    for (number, stream) in held.iter_mut().enumerate() {
        stream.write_all(&half[..number % half.len()]).unwrap();
    }
    let mut garbage = implicit.connect();
    garbage.write_all(b"USER alice\r\nPASS ftp421\r\n").unwrap();
    let mut heard = Vec::new();
    let _ = garbage.read_to_end(&mut heard); // an alert, or a reset
    assert!(heard.len() < 100, "{heard:?}");
    let grown = implicit.kib().saturating_sub(implicit.before);
    assert!(grown < GROWTH_KIB, "implicit: {grown} KiB more");
}

#[test]
fn data_connections_that_nobody_uses_are_one_a_session() {
    let flooded = Flooded::start(&[]);
    let before = flooded.descriptors();
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = nobody.local_addr().unwrap().port();
    let mut held: Vec<_> = (0..10).map(|_| flooded.logged_in()).collect();
    for stream in &mut held {
        for _ in 0..100 {
            passive(stream);
        }
        for _ in 0..100 {
            assert!(ask(stream, &format!("EPRT |1|127.0.0.1|{port}|")).starts_with("200"));
        }
        passive(stream);
    }
    let grown = flooded.descriptors() - before;
    assert!(grown <= 3 * held.len(), "{grown} descriptors for {} sessions", held.len());
    flooded.stands("PASV and PORT");
}

#[test]
fn downloads_that_nobody_reads_do_not_slow_down_others() {
    let flooded = Flooded::start(&[]);
    let mut held = Vec::new();
    for _ in 0..30 {
        let mut talk = flooded.logged_in();
        let data = TcpStream::connect(("127.0.0.1", passive(&mut talk))).unwrap();
        assert!(ask(&mut talk, "RETR /big").starts_with("150"));
        held.push((talk, data));
    }
    flooded.stands("unread downloads");
    // Each is under way still, and may be broken off.
    for (talk, data) in &mut held {
        talk.write_all(b"ABOR\r\n").unwrap();
        let told = line(talk);
        assert!(told.starts_with("426") || told.starts_with("226"), "{told}");
        drop(data.shutdown(std::net::Shutdown::Both));
    }
}

#[test]
fn thousands_of_addresses_and_names_are_remembered_within_bounds() {
    let flooded = Flooded::start(&[]);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().unwrap();
    for number in 0..3_000_u32 {
        let stream = runtime.block_on(async {
            let socket = tokio::net::TcpSocket::new_v4().unwrap();
            let [_, a, b, c] = (number + 2).to_be_bytes();
            socket.bind(std::net::SocketAddr::from(([127, a + 1, b, c], 0))).unwrap();
            socket.connect(([127, 0, 0, 1], flooded.port).into()).await.unwrap().into_std().unwrap()
        });
        stream.set_nonblocking(false).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut stream = stream;
        assert!(line(&mut stream).starts_with("220"));
        assert!(ask(&mut stream, &format!("USER {number}{}", "n".repeat(3_000))).starts_with("331"));
    }
    flooded.stands("addresses and names");
}

#[test]
fn what_is_no_text_is_answered_line_for_line_with_text() {
    let flooded = Flooded::start(&[]);
    let mut talk = flooded.logged_in();
    for bytes in [
        &b"\0\0\0\0"[..],
        b"NO\0OP",
        b"\x01\x02",
        b"\xfe\xed",
        b"CWD \x1b[2J\x07",
        b"RETR \xc3\x28\r",
        b"",
        b" ",
    ] {
        talk.write_all(bytes).unwrap();
        talk.write_all(b"\r\n").unwrap();
        let told = line(&mut talk);
        let is_reply = told.len() > 4 && told.as_bytes()[..3].iter().all(u8::is_ascii_digit);
        assert!(is_reply && !told.trim_end().contains(char::is_control), "{bytes:?}: {told:?}");
    }
    assert!(ask(&mut talk, "NOOP").starts_with("200"), "as many replies as lines");
}
