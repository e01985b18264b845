//! Wire faults on real sockets: what each does to the bytes, the segments and the end of a connection.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use ftp421::live::serve::Emulator;
use ftp421::live::serve::orders::Order;
use ftp421::live::serve::tamper::WireOrder;

use super::server;

const PATIENCE: Duration = Duration::from_secs(10);
const FILE: usize = 200_000;

fn spoiled(rules: &[&str]) -> Emulator {
    server(&format!("wire = {rules:?}"), &format!("{{ retr = \"{FILE}B\", path = \"/file\" }}"))
}

/// A client that reads bytes, not lines.
struct Raw(TcpStream);

impl Raw {
    fn to(server: &Emulator) -> Self {
        let stream = TcpStream::connect(server.address()).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Self(stream)
    }

    fn logged_in(server: &Emulator) -> Self {
        let mut raw = Self::to(server);
        assert!(raw.hears().starts_with("220"));
        assert!(raw.says("USER alice").starts_with("331"));
        assert!(raw.says("PASS ftp421").starts_with("230"));
        raw
    }

    fn sends(&mut self, line: &str) {
        self.0.write_all(format!("{line}\r\n").as_bytes()).unwrap();
    }

    /// Sends a line, and hears the next one.
    fn says(&mut self, line: &str) -> String {
        self.sends(line);
        self.hears()
    }

    /// The next line with its end, or what there is of it when the connection ends.
    fn hears(&mut self) -> String {
        let mut line = Vec::new();
        let mut byte = [0];
        while !line.ends_with(b"\n") {
            match self.0.read(&mut byte) {
                Ok(0) => break,
                Ok(_) => line.push(byte[0]),
                Err(error) if error.kind() == ErrorKind::ConnectionReset => {
                    line.extend_from_slice(b"(reset)");
                    break;
                }
                Err(error) => panic!("{error} behind {:?}", String::from_utf8_lossy(&line)),
            }
        }
        String::from_utf8_lossy(&line).into_owned()
    }

    /// Says something, and hears what comes within so long.
    fn says_and_hears_for(&mut self, line: &str, long: Duration) -> Vec<u8> {
        self.sends(line);
        let mut all = Vec::new();
        let until = Instant::now() + long;
        while let Some(left) = until.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
            self.0.set_read_timeout(Some(left)).unwrap();
            let mut part = [0; 4_096];
            match self.0.read(&mut part) {
                Ok(0) => break,
                Ok(count) => all.extend_from_slice(&part[..count]),
                Err(error) => assert!(matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)),
            }
        }
        self.0.set_read_timeout(Some(PATIENCE)).unwrap();
        all
    }

    /// Where PASV says that the data connection is.
    fn place(&mut self) -> SocketAddr {
        let told = self.says("PASV");
        let numbers = told.split(['(', ')']).nth(1).expect("six numbers");
        let n: Vec<u8> = numbers.split(',').map(|n| n.parse().unwrap()).collect();
        SocketAddr::from(([n[0], n[1], n[2], n[3]], u16::from_be_bytes([n[4], n[5]])))
    }

    /// Fetches the file: what came of it, and was it reset?
    fn fetches(&mut self) -> (Vec<u8>, bool) {
        let mut data = TcpStream::connect(self.place()).unwrap();
        data.set_read_timeout(Some(PATIENCE)).unwrap();
        assert!(self.says("RETR /file").starts_with("150"));
        let mut all = Vec::new();
        let reset = match data.read_to_end(&mut all) {
            Ok(_) => false,
            Err(error) if error.kind() == ErrorKind::ConnectionReset => true,
            Err(error) => panic!("{error}"),
        };
        (all, reset)
    }
}

fn took(of: impl FnOnce()) -> Duration {
    let began = Instant::now();
    of();
    began.elapsed()
}

fn right(data: &[u8]) -> bool {
    ftp421::live::content::Content::of(42, "/file").wrong(0, data) == 0
}

// ---- replies -----------------------------------------------------------------------------------------------------

#[test]
fn a_reply_is_late_at_the_use_that_the_rule_names_and_at_no_other() {
    let server = spoiled(&["NOOP#2 delay 400ms"]);
    let mut client = Raw::logged_in(&server);
    let mut noop = || took(|| assert!(client.says("NOOP").starts_with("200")));
    assert!(noop() < Duration::from_millis(300));
    assert!(noop() >= Duration::from_millis(390));
    assert!(noop() < Duration::from_millis(300));
}

#[test]
fn uses_are_counted_over_all_sessions_or_in_each() {
    let server = spoiled(&["NOOP#2 451 all", "PWD#2/session 451 each", "SYST#2- 451 later"]);
    let (mut a, mut b) = (Raw::logged_in(&server), Raw::logged_in(&server));
    assert!(a.says("NOOP").starts_with("200"));
    assert_eq!(b.says("NOOP"), "451 all\r\n");
    assert!(a.says("NOOP").starts_with("200"));
    for client in [&mut a, &mut b] {
        assert!(client.says("PWD").starts_with("257"));
        assert_eq!(client.says("PWD"), "451 each\r\n");
        assert!(client.says("PWD").starts_with("257"));
    }
    assert!(a.says("SYST").starts_with("215"));
    for _ in 0..3 {
        assert_eq!(b.says("SYST"), "451 later\r\n");
    }
}

#[test]
fn a_chance_is_decided_by_the_seed() {
    let hits = || {
        let server = spoiled(&["NOOP~30% 451"]);
        let mut client = Raw::logged_in(&server);
        (0..60).map(|_| client.says("NOOP").starts_with("451")).collect::<Vec<bool>>()
    };
    let first = hits();
    let count = first.iter().filter(|hit| **hit).count();
    assert!((5..40).contains(&count), "{count}");
    assert_eq!(first, hits());
}

#[test]
fn a_rule_may_be_for_one_address() {
    let server = spoiled(&["NOOP from 127.0.0.9 451"]);
    assert!(Raw::logged_in(&server).says("NOOP").starts_with("200"));
    let server = spoiled(&["NOOP from 127.0.0.1 451"]);
    assert!(Raw::logged_in(&server).says("NOOP").starts_with("451"));
}

#[test]
fn the_greeting_is_like_a_command() {
    let server = spoiled(&[
        "greeting#1 421 \"Too busy\" and close after reply",
        "greeting#2 close",
        "greeting#3 reset",
    ]);
    let mut client = Raw::to(&server);
    assert_eq!((client.hears(), client.hears()), ("421 Too busy\r\n".to_owned(), String::new()));
    assert_eq!(Raw::to(&server).hears(), "");
    assert_eq!(Raw::to(&server).hears(), "(reset)");
    assert!(Raw::to(&server).hears().starts_with("220"));
}

#[test]
fn a_command_that_is_refused_is_not_carried_out_and_another_word_for_yes_changes_nothing() {
    let server = spoiled(&["PASS#1 430 \"no such luck\"", "PASS#2 232 fine"]);
    let mut client = Raw::to(&server);
    assert!(client.hears().starts_with("220"));
    assert!(client.says("USER alice").starts_with("331"));
    assert_eq!(client.says("PASS ftp421"), "430 no such luck\r\n");
    assert!(!client.says("PWD").starts_with("257"), "nobody is logged in");
    assert!(client.says("USER alice").starts_with("331"));
    assert_eq!(client.says("PASS ftp421"), "232 fine\r\n");
    assert!(client.says("PWD").starts_with("257"));
}

#[test]
fn the_bytes_of_a_reply_come_slowly_or_in_pieces() {
    let server = spoiled(&["NOOP#1 drip 50B/s", "NOOP#2 split 4B"]);
    let mut client = Raw::logged_in(&server);
    let length = Raw::logged_in(&spoiled(&[])).says("NOOP").len() as u32;
    let slow = took(|| assert_eq!(client.says("NOOP").len() as u32, length));
    let least = Duration::from_millis(20) * (length - 2);
    assert!(slow >= least && slow < least * 3, "{slow:?} for {length} bytes");
    client.sends("NOOP");
    let (mut parts, mut all) = (Vec::new(), 0);
    while all < length as usize {
        let mut part = [0; 100];
        parts.push(client.0.read(&mut part).unwrap());
        all += parts.last().unwrap();
    }
    assert!(parts.len() >= 3 && parts[0] == 4, "{parts:?}");
}

#[test]
fn a_reply_may_be_cut_off_doubled_unended_or_nonsense() {
    let server = spoiled(&[
        "NOOP#1 twice",
        "NOOP#2 no newline",
        "NOOP#3 lf",
        "NOOP#4 garbage 40B",
        "NOOP#5 no reply",
        "NOOP#6 partial 5B",
    ]);
    let mut client = Raw::logged_in(&server);
    let whole = Raw::logged_in(&spoiled(&[])).says("NOOP");
    let short = Duration::from_millis(300);
    let mut heard = || String::from_utf8_lossy(&client.says_and_hears_for("NOOP", short)).into_owned();
    assert_eq!(heard(), format!("{whole}{whole}"));
    assert_eq!(heard(), whole.trim_end());
    assert_eq!(heard(), whole.replace("\r\n", "\n"));
    let garbage = client.says_and_hears_for("NOOP", short);
    assert!(garbage.len() == 42 && garbage.ends_with(b"\r\n"), "{garbage:?}");
    assert!(client.says_and_hears_for("NOOP", short).is_empty());
    assert_eq!(client.says_and_hears_for("NOOP", short), whole.as_bytes()[..5]);
    assert!(client.says_and_hears_for("NOOP", short).is_empty(), "and nothing ever after");
}

#[test]
fn a_reply_that_never_ends_is_stopped_by_the_client() {
    let server = spoiled(&["NOOP#1 endless 5ms"]);
    let mut client = Raw::logged_in(&server);
    assert!(client.says("NOOP").starts_with("200-"));
    for _ in 0..20 {
        assert!(client.hears().starts_with("200-"));
    }
    drop(client);
    assert!(Raw::logged_in(&server).says("NOOP").starts_with("200 "), "the others are served");
}

#[test]
fn a_connection_ends_before_or_behind_a_reply_with_a_fin_or_a_reset() {
    for (rule, heard) in [
        ("NOOP close", &[""][..]),
        ("NOOP close after reply", &["200", ""]),
        ("NOOP reset", &["(reset)"]),
        ("NOOP reset after reply", &["200", "(reset)"]),
        ("NOOP partial 3B and close after reply", &["200"]),
    ] {
        let server = spoiled(&[rule]);
        let mut client = Raw::logged_in(&server);
        client.sends("NOOP");
        for heard in heard {
            let line = client.hears();
            assert!(line.starts_with(heard) && line.is_empty() == heard.is_empty(), "{rule}: {line:?}");
        }
    }
}

#[test]
fn the_server_knows_that_a_connection_is_gone_which_a_fault_has_ended() {
    let server = server("max_clients = 1\nwire = [\"NOOP close\"]", "\"quit\"");
    let mut client = Raw::logged_in(&server);
    assert_eq!(client.says("NOOP"), "");
    assert!(Raw::to(&server).hears().starts_with("220"), "there is room again");
}

// ---- the way to a data connection --------------------------------------------------------------------------------

#[test]
fn a_data_connection_is_refused_or_never_answered() {
    let server = spoiled(&["PASV#1 refuse data", "PASV#2 no accept", "passive#3 no data"]);
    let mut client = Raw::logged_in(&server);
    let refused = TcpStream::connect(client.place()).map(drop).map_err(|error| error.kind());
    assert_eq!(refused, Err(ErrorKind::ConnectionRefused));
    let place = client.place();
    let hung = TcpStream::connect_timeout(&place, Duration::from_millis(500))
        .map(drop)
        .map_err(|error| error.kind());
    assert_eq!(hung, Err(ErrorKind::TimedOut));
    let mut unserved = TcpStream::connect(client.place()).unwrap();
    unserved.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
    client.sends("RETR /file");
    assert!(unserved.read(&mut [0]).is_err());
    assert_eq!(client.fetches_after_abort(), FILE);
}

impl Raw {
    /// Breaks off what is under way, and fetches the file: its size.
    fn fetches_after_abort(&mut self) -> usize {
        self.sends("ABOR");
        self.sends("NOOP");
        while !self.hears().starts_with("200") {}
        let (data, _) = self.fetches();
        assert!(self.hears().starts_with("226"));
        data.len()
    }
}

#[test]
fn a_client_is_told_the_wrong_address() {
    let server = spoiled(&[
        "PASV#1 wrong address",
        "PASV#2 wrong address 127.0.0.7:2001",
        "PASV#3 wrong address 10.1.2.3",
        "EPSV wrong port 2002",
    ]);
    let mut client = Raw::logged_in(&server);
    assert_eq!(client.place(), "192.0.2.1:1".parse().unwrap());
    assert_eq!(client.place(), "127.0.0.7:2001".parse().unwrap());
    assert_eq!(client.place().ip().to_string(), "10.1.2.3");
    assert!(client.says("EPSV").contains("(|||2002|)"));
}

#[test]
fn an_active_client_is_never_called() {
    let server = spoiled(&["RETR#1 no data"]);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut client = Raw::logged_in(&server);
    let port_is = format!("PORT 127,0,0,1,{},{}", port / 256, port % 256);
    assert!(client.says(&port_is).starts_with("200"));
    client.says_and_hears_for("RETR /file", Duration::from_millis(300));
    listener.set_nonblocking(true).unwrap();
    assert_eq!(listener.accept().map(drop).map_err(|error| error.kind()), Err(ErrorKind::WouldBlock));
}

// ---- transfers ---------------------------------------------------------------------------------------------------

#[test]
fn a_transfer_is_answered_by_an_error_in_its_place() {
    for code in ["425", "426", "450", "451", "452", "550", "552"] {
        let server = spoiled(&[&format!("RETR#1 {code}")]);
        let mut client = Raw::logged_in(&server);
        let _data = TcpStream::connect(client.place()).unwrap();
        assert!(client.says("RETR /file").starts_with(code));
        let (data, reset) = client.fetches();
        assert!(data.len() == FILE && !reset && client.hears().starts_with("226"), "{code}");
    }
}

#[test]
fn a_transfer_breaks_behind_so_many_bytes() {
    for (rule, bytes, is_reset, end) in [
        ("RETR reset after 65536B", 65_536, true, "426"),
        ("RETR close after 64KiB", 65_536, false, "426"),
        ("RETR truncate after 1000B", 1_000, false, "226"),
        ("RETR 451 after 3B \"disk on fire\"", 3, false, "451 disk on fire"),
        ("RETR 426 after 0B", 0, false, "426"),
        ("RETR reset after 200001B", FILE, false, "226"),
        ("transfer truncate after 200000B", FILE, false, "226"),
    ] {
        let server = spoiled(&[rule]);
        let mut client = Raw::logged_in(&server);
        let (data, reset) = client.fetches();
        assert!(data.len() == bytes && right(&data), "{rule}: {}", data.len());
        assert_eq!(reset, is_reset, "{rule}");
        let told = client.hears();
        assert!(told.starts_with(end), "{rule}: {told}");
        assert!(client.says("NOOP").starts_with("200"), "{rule}");
    }
}

#[test]
fn an_upload_breaks_behind_so_many_bytes() {
    for (rule, end) in [
        ("STOR reset after 1000B", "426"),
        ("STOR truncate after 1000B", "226"),
        ("STOR 452 after 10B", "452"),
    ] {
        let server = spoiled(&[rule]);
        let mut client = Raw::logged_in(&server);
        let mut data = TcpStream::connect(client.place()).unwrap();
        assert!(client.says("STOR /up").starts_with("150"));
        let _ = data.write_all(&vec![7; 1_000_000]); // it may break, and is meant to
        let told = client.hears();
        assert!(told.starts_with(end), "{rule}: {told}");
    }
}

#[test]
fn a_byte_is_wrong_and_no_other() {
    let server = spoiled(&["RETR corrupt after 100KB"]);
    let mut client = Raw::logged_in(&server);
    let (mut data, _) = client.fetches();
    assert!(data.len() == FILE && !right(&data));
    data[100_000] = !data[100_000];
    assert!(right(&data));
}

#[test]
fn data_is_slow_or_stands_still() {
    let server =
        spoiled(&["RETR#1 slow 400KB/s", "RETR#2 stall after 1000B for 400ms", "RETR#3 stall after 70000B"]);
    let mut client = Raw::logged_in(&server);
    for _ in 0..2 {
        let took = took(|| assert!(right(&client.fetches().0)));
        assert!(took >= Duration::from_millis(390) && took < Duration::from_secs(4), "{took:?}");
        assert!(client.hears().starts_with("226"));
    }
    let mut data = TcpStream::connect(client.place()).unwrap();
    assert!(client.says("RETR /file").starts_with("150"));
    let mut first = vec![0; 70_000];
    data.set_read_timeout(Some(PATIENCE)).unwrap();
    data.read_exact(&mut first).unwrap();
    data.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
    assert!(right(&first) && data.read(&mut [0]).is_err(), "nothing more comes");
    assert_eq!(client.fetches_after_abort(), FILE);
}

#[test]
fn the_reply_that_ends_a_transfer_never_comes_or_comes_first() {
    let server = spoiled(&[
        "RETR#1 no 226",
        "RETR#2 early 226 by 300ms",
        "RETR.226#3 delay 300ms",
        "RETR.226#4 451 sorry",
    ]);
    let mut client = Raw::logged_in(&server);
    assert_eq!(client.fetches().0.len(), FILE);
    assert!(client.says("NOOP").starts_with("200"), "no 226 stands in between");
    let mut data = TcpStream::connect(client.place()).unwrap();
    assert!(client.says("RETR /file").starts_with("150"));
    assert!(client.hears().starts_with("226"));
    data.set_nonblocking(true).unwrap();
    assert_eq!(data.read(&mut [0]).map_err(|error| error.kind()), Err(ErrorKind::WouldBlock));
    data.set_nonblocking(false).unwrap();
    let mut all = Vec::new();
    data.read_to_end(&mut all).unwrap();
    assert!(right(&all) && all.len() == FILE);
    assert!(client.says("NOOP").starts_with("200"), "no second 226 comes");
    client.fetches();
    let late = took(|| assert!(client.hears().starts_with("226")));
    assert!(late >= Duration::from_millis(200), "{late:?}");
    client.fetches();
    assert_eq!(client.hears(), "451 sorry\r\n");
}

// ---- orders ------------------------------------------------------------------------------------------------------

#[test]
fn a_fault_can_be_ordered_and_called_off_while_the_server_runs() {
    let server = spoiled(&[]);
    let mut client = Raw::logged_in(&server);
    let order = |text| server.desk().give(Order::Wire(WireOrder::parse(text).unwrap())).unwrap();
    assert!(client.says("NOOP").starts_with("200"));
    order("NOOP#2- 451");
    assert!(client.says("NOOP").starts_with("200"), "it counts from here");
    assert!(client.says("NOOP").starts_with("451"));
    assert_eq!(order(""), "NOOP#2- 451: 2 uses, 1 hits");
    order("off");
    assert!(client.says("NOOP").starts_with("200"));
}

// ---- what clients make of it -------------------------------------------------------------------------------------

fn curl(server: &Emulator, args: &[&str]) -> (Option<i32>, Vec<u8>) {
    let url = format!("ftp://{}/file", server.address());
    let mut curl = std::process::Command::new("curl");
    curl.args(["--silent", "--max-time", "20", "--user", "alice:ftp421"]).args(args).arg(url);
    let done = curl.output().expect("curl is there");
    (done.status.code(), done.stdout)
}

/// The exit codes are curl's own (its manual): 8 a weird reply, 18 a partial file, 28 a timeout, which a 421 is to it, 56 a failure
/// to receive, 67 no login, 78 no such file.
#[test]
fn curl_tells_one_wire_fault_from_another() {
    let expected = [
        ("greeting 421", 28),
        ("greeting 500", 8),
        ("PASS 530", 67),
        ("RETR 550", 78),
        ("RETR truncate after 1000B", 18),
        ("RETR reset after 1000B", 56),
        ("RETR stall after 1000B", 28),
        ("NOOP 451", 0),
    ];
    let found = expected.map(|(rule, _)| {
        let (code, _) = curl(&spoiled(&[rule]), &["--max-time", "2"]);
        (rule, code.unwrap_or(-1))
    });
    assert_eq!(found, expected);
}

#[test]
fn curl_comes_again_and_gets_the_whole_file() {
    let server = spoiled(&["RETR#1 426 after 1000B", "EPSV#2 refuse data"]);
    let (code, data) = curl(&server, &["--retry", "4", "--retry-all-errors", "--retry-delay", "1"]);
    assert_eq!(code, Some(0));
    assert!(data.len() >= FILE, "{}", data.len());
}
