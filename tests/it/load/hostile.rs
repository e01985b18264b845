//! Peers that are no FTP servers, or very bad ones: each costs a client its attempt, and the generator next to nothing.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use ftp421::live::content::Content;
use ftp421::live::load::Heard;
use ftp421::observe::{Cause, Class, Observation, SessionEnd};
use nix::sys::socket::{setsockopt, sockopt};

use super::rig::{Outcome, plan, run, scenario};

/// A peer that treats each connection alike, at a port of its own.
struct Peer {
    at: SocketAddr,
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Peer {
    /// `treat` gets each connection. It must come to an end when the client closes.
    fn new(treat: impl Fn(TcpStream) + Send + Sync + 'static) -> Self {
        Self::at("127.0.0.1:0", treat)
    }

    fn at(address: &str, treat: impl Fn(TcpStream) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind(address).unwrap();
        let (at, over, treat) =
            (listener.local_addr().unwrap(), Arc::new(AtomicBool::new(false)), Arc::new(treat));
        let stop = Arc::clone(&over);
        let thread = thread::spawn(move || {
            let mut all = Vec::new();
            for stream in listener.incoming().map_while(Result::ok) {
                if stop.load(Ordering::Relaxed) {
                    break;
                }
                stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
                stream.set_write_timeout(Some(Duration::from_secs(10))).unwrap();
                let treat = Arc::clone(&treat);
                all.push(thread::spawn(move || treat(stream)));
            }
            for one in all {
                one.join().unwrap();
            }
        });
        Self { at, over, thread: Some(thread) }
    }

    /// What becomes of three clients who come here.
    fn meets(&self, extra: &str) -> Outcome {
        let clients = format!(
            "[[clients]]\nname = \"c\"\n{extra}\nlink = {{ connect_timeout = \"300ms\", reply_timeout = \"300ms\" }}\n\
             arrivals = {{ executor = \"burst\", at = \"0s\", count = 3, within = \"100ms\" }}\n"
        );
        run(&plan(scenario("1500ms", &clients), self.at, u32::from(self.at.is_ipv4())))
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        drop(TcpStream::connect(self.at));
        let ended = self.thread.take().unwrap().join();
        assert!(ended.is_ok() || thread::panicking(), "the peer broke down");
    }
}

/// Says `what` again and again until the client has had enough.
fn endlessly(mut stream: TcpStream, what: &[u8]) {
    while stream.write_all(what).is_ok() {}
}

/// Reads until the client closes.
fn listens(mut stream: TcpStream) {
    while matches!(stream.read(&mut [0; 512]), Ok(1..)) {}
}

fn attempts(outcome: &Outcome, which: Class) -> usize {
    outcome.count(|o| matches!(o, Observation::AttemptEnded { class, .. } if *class == which))
}

#[test]
fn lines_without_end_are_nonsense() {
    for what in [
        b"x".repeat(999),
        b"no reply at all\r\n".repeat(99),
        b"220-and so on\r\n".repeat(99),
        b"\n".repeat(999),
    ] {
        let peer = Peer::new(move |stream| endlessly(stream, &what));
        let outcome = peer.meets("");
        assert_eq!(attempts(&outcome, Class::TurnedAway), 3, "{}", outcome.dialogue);
        assert!(outcome.dialogue.contains("-- server speaks nonsense"), "{}", outcome.dialogue);
        assert_eq!(outcome.refusals().len(), 3);
    }
}

#[test]
fn replies_without_end_are_nonsense_too() {
    for what in ["220 hello\r\n", "120 ready in 200 minutes\r\n", "331 password\r\n"] {
        let peer = Peer::new(move |stream| endlessly(stream, what.repeat(50).as_bytes()));
        let outcome = peer.meets("");
        let ended = outcome.count(|o| matches!(o, Observation::AttemptEnded { .. }));
        assert_eq!(ended, 3, "{what}: {}", outcome.dialogue);
    }
}

#[test]
fn silence_is_a_timeout_wherever_it_begins() {
    let silent = Peer::new(listens).meets("");
    assert_eq!(attempts(&silent, Class::NetworkFailed), 3, "{}", silent.dialogue);
    let halfway = Peer::new(|mut stream| {
        stream.write_all(b"220 hello\r\n331-what\r\n").unwrap();
        listens(stream);
    });
    let outcome = halfway.meets("");
    assert_eq!(attempts(&outcome, Class::NetworkFailed), 3, "{}", outcome.dialogue);
    assert_eq!(
        outcome.refusals().iter().filter(|(phase, code, _)| phase == "pre_login" && *code == 0).count(),
        3
    );
}

#[test]
fn an_end_in_the_middle_of_a_reply_is_an_end() {
    let peer = Peer::new(|mut stream| drop(stream.write_all(b"220-hel")));
    let outcome = peer.meets("");
    assert_eq!(outcome.count(|o| matches!(o, Observation::AttemptEnded { .. })), 3);
    assert!(outcome.dialogue.contains("-- server closes (fin)"), "{}", outcome.dialogue);
}

#[test]
fn a_reset_is_told_from_an_end() {
    let peer = Peer::new(|stream| {
        let abrupt = nix::libc::linger { l_onoff: 1, l_linger: 0 };
        setsockopt(&stream.as_fd(), sockopt::Linger, &abrupt).unwrap();
    });
    let outcome = peer.meets("");
    assert!(outcome.dialogue.contains("-- server closes (rst)"), "{}", outcome.dialogue);
    assert_eq!(attempts(&outcome, Class::NetworkFailed), 3);
}

#[test]
fn bytes_that_come_one_by_one_are_a_dialogue() {
    let peer = Peer::new(|mut stream| {
        stream.set_nodelay(true).unwrap();
        let mut heard = [0; 512];
        for said in ["220-a\r\n220 b\r\n", "331 c\r\n", "230 d\n", "221 e\r\n"] {
            for byte in said.bytes() {
                stream.write_all(&[byte]).unwrap();
            }
            if !said.starts_with("221") && stream.read(&mut heard).unwrap_or(0) == 0 {
                return;
            }
        }
    });
    let outcome = peer.meets("");
    assert_eq!(
        outcome.count(|o| matches!(o, Observation::SessionEnded { end: SessionEnd::Completed, .. })),
        3
    );
    assert!(outcome.dialogue.contains("S: 220-a\n") && outcome.dialogue.contains("S: 220 b\n"));
}

/// A server of three words: greets, logs in, and answers the commands of a transfer with `replies`.
fn answers(stream: TcpStream, replies: &[(&str, &str)]) {
    let mut lines = std::io::BufReader::new(stream.try_clone().unwrap());
    let (mut out, mut line) = (stream, String::new());
    out.write_all(b"220 hi\r\n").unwrap();
    while matches!(std::io::BufRead::read_line(&mut lines, &mut line), Ok(1..)) {
        let verb = line.split_whitespace().next().unwrap_or("");
        let reply = match verb {
            "USER" => "331 who",
            "PASS" => "230 in",
            "QUIT" => "221 out",
            _ => replies.iter().find(|(known, _)| *known == verb).map_or("500 what", |(_, reply)| *reply),
        };
        let _ = out.write_all(format!("{reply}\r\n").as_bytes());
        line.clear();
    }
}

#[test]
fn passive_replies_that_lead_nowhere_cost_a_transfer_and_no_session() {
    let script = "script = [\"login\", \"list\", \"quit\"]";
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_be_bytes();
    let closed = format!("227 here (127,0,0,1,{},{})", nobody[0], nobody[1]);
    for (passive, why) in [
        ("227 nonsense", "no port can be read from the reply"),
        ("227 (1,2,3,4,5,600)", "no port can be read from the reply"),
        (&closed, "connection refused"),
        ("200 yes", ""),
    ] {
        let passive = passive.to_owned();
        let peer = Peer::new(move |stream| answers(stream, &[("PASV", &passive), ("LIST", "425 no")]));
        let outcome = peer.meets(script);
        let completed =
            |o: &Observation| matches!(o, Observation::SessionEnded { end: SessionEnd::Completed, .. });
        assert_eq!(outcome.count(completed), 3, "{}", outcome.dialogue);
        let code = if why.is_empty() { 200 } else { 0 };
        let failed = Observation::TransferFailed { cause: None, code };
        assert_eq!(outcome.count(|o| *o == failed), 3, "{}", outcome.dialogue);
        let noted = outcome.dialogue.contains(&format!("-- no data connection: {why}\n"));
        assert_eq!(noted, !why.is_empty(), "{}", outcome.dialogue);
    }
}

/// The reply waits for the end of the data, but not for ever.
#[test]
fn a_transfer_that_is_complete_and_never_ends_is_given_up() {
    let data = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = data.local_addr().unwrap().port().to_be_bytes();
    let passive = format!("227 here (127,0,0,1,{},{})", port[0], port[1]);
    let peer = Peer::new(move |stream| answers(stream, &[("PASV", &passive), ("LIST", "226 done")]));
    let outcome = peer.meets("script = [\"login\", \"list\", \"quit\"]");
    let completed =
        |o: &Observation| matches!(o, Observation::SessionEnded { end: SessionEnd::Completed, .. });
    assert_eq!(outcome.count(completed), 3, "{}", outcome.dialogue);
    assert_eq!(outcome.count(|o| *o == Observation::Moved { bytes: 0 }), 3);
    drop(data);
}

#[test]
fn ipv6_is_spoken_with_its_own_commands() {
    for (mode, wanted) in [("", "C: EPSV\n"), ("data = \"active\"\n", "C: EPRT |2|::1|")] {
        let replies = [("EPSV", "229 (|||1|)"), ("EPRT", "200 ok"), ("LIST", "425 no")];
        let peer = Peer::at("[::1]:0", move |stream| answers(stream, &replies));
        let outcome = peer.meets(&format!("{mode}script = [\"login\", \"list\", \"quit\"]"));
        let completed =
            |o: &Observation| matches!(o, Observation::SessionEnded { end: SessionEnd::Completed, .. });
        assert_eq!(outcome.count(completed), 3, "{}", outcome.dialogue);
        assert!(outcome.dialogue.contains(wanted), "{}", outcome.dialogue);
    }
}

/// What a run with `--verify` says of a server that announces `announced` for a file of 4,096 bytes, sends the first `sent` of them,
/// and then says `end`: downloads that were checked, bytes of them that were wrong, and downloads that could not be checked.
fn verified(announced: &str, sent: usize, end: &'static str) -> (u64, u64, u64) {
    let data = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = data.local_addr().unwrap().port().to_be_bytes();
    let passive = format!("227 here (127,0,0,1,{},{})", port[0], port[1]);
    let said = if sent > 0 { format!("150 now {announced}\r\n{end}") } else { end.to_owned() };
    let peer = Peer::new(move |stream| answers(stream, &[("PASV", &passive), ("RETR", &said)]));
    let feeder = thread::spawn(move || {
        let mut bytes = vec![0; sent];
        Content::of(42, "/file").fill(0, &mut bytes);
        for stream in data.incoming().take(3) {
            stream.unwrap().write_all(&bytes).unwrap();
        }
    });
    let clients = "seed = 42\n[[clients]]\nname = \"c\"\narrivals = { executor = \"burst\", at = \"0s\", count = 3 }\n\
                   script = [\"login\", { retr = \"4KiB\", path = \"/file\" }, \"quit\"]\n";
    let plan = ftp421::live::load::Plan { verify: true, ..plan(scenario("1s", clients), peer.at, 1) };
    let health = run(&plan).health;
    feeder.join().unwrap();
    (health.verified, health.corrupt, health.unverified)
}

#[test]
fn only_what_came_whole_is_checked() {
    assert_eq!(verified("", 4_096, "226 done"), (3, 0, 0));
    assert_eq!(
        verified("(3000 bytes)", 3_000, "226 done"),
        (3, 0, 0),
        "the server knows how long its file is"
    );
    assert_eq!(verified("", 3_000, "226 done"), (0, 0, 3), "it may have been cut off");
    assert_eq!(verified("(4096 bytes)", 3_000, "226 done"), (0, 0, 3), "it was cut off");
    assert_eq!(verified("", 4_096, "426 broken off"), (0, 0, 3));
    assert_eq!(verified("", 0, "550 no such file"), (0, 0, 3));
}

#[test]
fn nothing_that_a_server_says_moves_the_cursor_of_a_terminal() {
    let peer = Peer::new(|mut stream| drop(stream.write_all(b"421 zu sp\xe4t \x1b[31m\x00\x9b2J\r\n")));
    let outcome = peer.meets("");
    assert!(outcome.dialogue.contains("S: 421 zu spät \\u{1b}[31m\\u{0}\\u{9b}2J\n"), "{}", outcome.dialogue);
    let harmless = |c: char| !c.is_control() || c == '\n';
    assert!(outcome.dialogue.chars().all(harmless), "{:?}", outcome.dialogue);
}

/// The causes of what was heard, each once, in order.
fn causes(outcome: &Outcome) -> Vec<Cause> {
    let heard = outcome.heard.iter().filter_map(|heard| match heard {
        Heard::Refusal { refusal, .. } | Heard::No { refusal, .. } => Some(refusal.cause),
        _ => None,
    });
    let mut causes: Vec<Cause> = heard.collect();
    causes.sort_unstable();
    causes.dedup();
    causes
}

#[test]
fn what_is_no_reply_is_kept_and_is_nobodys_limit() {
    let http =
        Peer::new(|mut stream| drop(stream.write_all(b"HTTP/1.1 400 Bad Request\r\nServer: x\r\n\r\n")));
    let outcome = http.meets("");
    let said = "HTTP/1.1 400 Bad Request\nServer: x".to_owned();
    assert_eq!(outcome.refusals(), vec![("accept".to_owned(), 0, said); 3], "{}", outcome.dialogue);
    assert_eq!(causes(&outcome), [Cause::CriticalError]);
    assert!(outcome.dialogue.contains("S: HTTP/1.1 400 Bad Request\n"), "{}", outcome.dialogue);

    let odd = Peer::new(|mut stream| {
        stream.write_all(b"220 hi\r\n").unwrap();
        let _ = stream.read(&mut [0; 99]);
        let _ = stream.write_all(b"999 what\r\n");
        listens(stream);
    });
    let outcome = odd.meets("");
    assert_eq!(outcome.refusals(), vec![("pre_login".to_owned(), 0, "999 what".to_owned()); 3]);
    assert!(outcome.dialogue.contains("S: 999 what\n"), "{}", outcome.dialogue);

    let endless = Peer::new(|stream| endlessly(stream, &b"no reply at all\r\n".repeat(99)));
    assert!(
        endless.meets("").refusals().iter().all(|(_, _, text)| text.starts_with("no reply at all\nno reply"))
    );
}

#[test]
fn who_greets_and_closes_has_one_cause_and_it_is_no_limit() {
    let peer = Peer::new(|mut stream| drop(stream.write_all(b"220 hi\r\n")));
    let outcome = peer.meets("");
    let causes = causes(&outcome);
    assert!(causes.iter().all(|cause| [Cause::SilentClose, Cause::Reset].contains(cause)), "{causes:?}");
}

#[test]
fn a_server_without_tls_turns_nobody_away() {
    let peer = Peer::new(|stream| answers(stream, &[("AUTH", "500 Unknown command")]));
    let outcome = peer.meets("tls = \"explicit\"");
    assert_eq!(causes(&outcome), [Cause::CriticalError], "{}", outcome.dialogue);
    let said = ("pre_login".to_owned(), 500, "Unknown command".to_owned());
    assert_eq!((outcome.noes(), outcome.refusals()), (vec![said; 3], vec![]));
    assert_eq!(outcome.count(|o| matches!(o, Observation::Refused { .. })), 0, "as in the model");
}

#[test]
fn the_end_behind_a_reply_belongs_to_it() {
    let peer = Peer::new(|stream| {
        let mut lines = std::io::BufReader::new(stream.try_clone().unwrap());
        let mut line = String::new();
        for (reply, last) in
            [("220 hi\r\n", false), ("331 who\r\n", false), ("530 Login incorrect.\r\n", true)]
        {
            // The end comes in the same segment as the last reply.
            let more = if last { nix::libc::MSG_MORE } else { 0 };
            let flags = nix::sys::socket::MsgFlags::from_bits_retain(more);
            nix::sys::socket::send(std::os::fd::AsRawFd::as_raw_fd(&stream), reply.as_bytes(), flags)
                .unwrap();
            if !last {
                std::io::BufRead::read_line(&mut lines, &mut line).unwrap();
            }
        }
    });
    let outcome = peer.meets("wrong_password = 1.0\nlogin_tries = 3");
    let said = ("pass".to_owned(), 530, "Login incorrect.".to_owned());
    assert_eq!(outcome.refusals(), vec![said; 3], "{}", outcome.dialogue);
    assert_eq!(causes(&outcome), [Cause::LoginAttempts]);
}

#[test]
fn sessions_that_end_together_have_one_cause() {
    let together = std::sync::Mutex::new(Vec::new());
    let peer = Peer::new(move |mut stream| {
        for reply in ["220 hi\r\n", "331 who\r\n", "230 in\r\n"] {
            stream.write_all(reply.as_bytes()).unwrap();
            if !reply.starts_with("230") {
                let _ = stream.read(&mut [0; 99]);
            }
        }
        let mut all = together.lock().unwrap();
        all.push(stream);
        if all.len() == 3 {
            all.clear();
        }
    });
    let outcome = peer.meets("script = [\"login\", { think = \"1s\" }, \"quit\"]");
    assert_eq!(outcome.refusals().len(), 3, "{}", outcome.dialogue);
    assert_eq!(causes(&outcome), [Cause::ShuttingDown], "{}", outcome.dialogue);
}
