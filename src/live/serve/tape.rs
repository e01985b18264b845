//! The recording of a served model: who said what, and when, as lines of text for whoever keeps them.
//!
//! It changes nothing, keeps no password, and writes no file.

use std::cell::{Cell, RefCell};
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use super::verbs;
use crate::ftp::show;
use crate::live::Clock;

/// So much text is handed on at once, at the latest, in bytes.
const CHUNK: usize = 64 << 10;
/// So many chunks may wait to be written; then the server waits.
const WAITING: usize = 16;
/// A line of this many bytes is broken off, and goes on in the next.
const WIDEST: usize = 8 << 10;
/// What stands in the place of a password.
const MASK: &str = "********";

/// Where the lines go, in chunks. The lines of a recording:
///
/// ```text
/// #1   0.020000  came 127.0.0.1:40000
/// #1   0.020722  C: USER alice
/// #1   0.020901  S: 331 Please specify the password.
/// #1   0.100000  S- 230 Lo
/// #1   0.200000  gone
/// #0   1.000000  O: set max_clients 1
/// ```
///
/// First the number of the connection, in order of accept, and the seconds since the ready line. `C:` is a line of the client, `S:` one of
/// the server that ended with CR LF, `S-` a piece of one that has not ended (yet), `O:` an order. A backslash, a control character
/// and a byte that is no UTF-8 are escaped as in Rust.
#[derive(Clone, Debug)]
pub struct Recorder(SyncSender<String>);

/// A recorder, and who gets what it records. That ends with the server.
pub fn recorder() -> (Recorder, Receiver<String>) {
    let (to, from) = sync_channel(WAITING);
    (Recorder(to), from)
}

/// Takes down what is said, if it runs.
#[derive(Default)]
pub(super) struct Tape(Option<Rc<Reel>>);

struct Reel {
    to: Recorder,
    clock: Clock,
    /// What is not yet handed on.
    text: RefCell<String>,
    came: Cell<u64>,
}

/// The lines of one connection; with it the connection ends.
pub(super) struct Voice {
    reel: Rc<Reel>,
    number: u64,
    /// What was sent of a line that has not ended.
    begun: Vec<u8>,
}

impl Tape {
    pub(super) fn new(recorder: Option<&Recorder>, clock: Clock) -> Self {
        let reel = |to: &Recorder| {
            Rc::new(Reel { to: to.clone(), clock, text: RefCell::default(), came: Cell::new(0) })
        };
        Self(recorder.map(reel))
    }

    /// A client has come.
    pub(super) fn opened(&self, peer: SocketAddr) -> Option<Voice> {
        let reel = self.0.clone()?;
        let number = reel.came.get() + 1;
        reel.came.set(number);
        reel.line(number, "came ", peer.to_string().as_bytes());
        Some(Voice { reel, number, begun: Vec::new() })
    }

    /// Something was ordered.
    pub(super) fn ordered(&self, order: &str) {
        if let Some(reel) = &self.0 {
            reel.line(0, "O: ", order.as_bytes());
        }
    }

    /// Hands on what there is.
    pub(super) fn look(&self) {
        if let Some(reel) = &self.0 {
            reel.hand_on();
        }
    }
}

impl Reel {
    fn line(&self, number: u64, mark: &str, said: &[u8]) {
        let seconds = self.clock.now().as_nanos() as f64 / 1e9;
        let mut text = self.text.borrow_mut();
        // Writing to a String cannot fail.
        let _ = writeln!(text, "#{number:<4} {seconds:>10.6}  {mark}{}", escaped(said));
        let full = text.len() >= CHUNK;
        drop(text);
        if full {
            self.hand_on();
        }
    }

    fn hand_on(&self) {
        let text = self.text.take();
        if !text.is_empty() {
            let _ = self.to.0.send(text); // if nobody keeps it, that is his
        }
    }
}

impl Drop for Reel {
    fn drop(&mut self) {
        self.hand_on();
    }
}

impl Voice {
    /// The client has said this line.
    pub(super) fn heard(&mut self, line: &str) {
        self.break_off();
        let request = verbs::split(line);
        let masked = format!("{} {MASK}", request.called);
        let secret = is_secret(&request.verb) && !request.argument.is_empty();
        self.reel.line(self.number, "C: ", if secret { &masked } else { line }.as_bytes());
    }

    /// These bytes go out to the client.
    pub(super) fn said(&mut self, bytes: &[u8]) {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.begun.extend_from_slice(piece);
            if let Some(line) = self.begun.strip_suffix(b"\r\n") {
                self.reel.line(self.number, "S: ", line);
                self.begun.clear();
            } else if self.begun.ends_with(b"\n") || self.begun.len() >= WIDEST {
                self.break_off();
            }
        }
    }

    fn break_off(&mut self) {
        // The CR may still have its LF.
        if !self.begun.is_empty() {
            self.reel.line(self.number, "S- ", &self.begun);
            self.begun.clear();
        }
    }
}

impl Drop for Voice {
    fn drop(&mut self) {
        self.break_off();
        self.reel.line(self.number, "gone", b"");
    }
}

/// Is what follows this verb a secret?
fn is_secret(verb: &str) -> bool {
    // Some clients put telnet's bytes before a verb.
    verb.ends_with("PASS") || verb.ends_with("ACCT")
}

/// `bytes` as text on one line, from which they can be told.
fn escaped(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '\\' => text.push_str("\\\\"),
                c => show(c, &mut text),
            }
        }
        for byte in chunk.invalid() {
            let _ = write!(text, "\\x{byte:02x}"); // to a String
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::live::Epoch;
    use crate::time::Duration;

    fn taken(talk: impl FnOnce(&mut Voice)) -> String {
        let (to, from) = recorder();
        let tape = Tape::new(Some(&to), Clock::of(Epoch::after(Duration::ZERO)));
        let mut voice = tape.opened(SocketAddr::from(([127, 0, 0, 1], 9))).unwrap();
        talk(&mut voice);
        drop((voice, tape, to));
        let all: String = from.iter().collect();
        all.lines().flat_map(|line| [&line[18..], "\n"]).collect()
    }

    #[test]
    fn each_line_is_told_with_its_end() {
        let told = taken(|voice| {
            voice.said(b"220-a\r\n220 b\\\r\n331 par");
            voice.said(b"tial\r");
            voice.said(b"\n230 bare\n\xff");
        });
        let lines = [
            "came 127.0.0.1:9",
            "S: 220-a",
            "S: 220 b\\\\",
            "S: 331 partial",
            "S- 230 bare\\n",
            "S- \\xff",
            "gone",
        ];
        assert_eq!(told, format!("{}\n", lines.join("\n")));
    }

    #[test]
    fn no_password_is_kept() {
        let told = taken(|voice| {
            for line in
                ["PASS geheim", "pass geheim", "  PASS  geheim geheim", "ACCT geheim", "\u{fffd}PASS geheim"]
            {
                voice.heard(line);
            }
            voice.heard("PASS");
            voice.heard("NOOP");
        });
        assert!(!told.contains("geheim") && told.contains("C: NOOP") && told.contains("C: PASS\n"), "{told}");
    }
}
