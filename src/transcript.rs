//! A transcript: what one client and its server said to each other, as `C:` and `S:` lines with their times.
//!
//! It writes down what it is told; a password it never writes, whoever tells it, and nothing that could move a terminal's cursor.

use std::fmt::Write as _;

use crate::ftp;
use crate::time::Instant;

/// A transcript with this many lines is cut off: a client of a closed population could go on for ever.
const MAX_LINES: usize = 20_000;

/// What was said over a control connection, at the client's end.
#[derive(Clone, Debug, Default)]
pub struct Transcript {
    text: String,
    lines: usize,
    unread: Vec<String>,
}

impl Transcript {
    /// What was written down; empty if nothing ever was.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The client sends `line`. What it had not read until then, it reads now.
    pub fn sends(&mut self, now: Instant, line: &str) {
        let masked = line.get(..5).is_some_and(|verb| verb.eq_ignore_ascii_case("PASS "));
        self.note(now, &format!("C: {}", if masked { "PASS ********" } else { line }));
        for line in std::mem::take(&mut self.unread) {
            self.note(now, &line);
        }
    }

    /// `what` comes from the server. If nobody looks, it is shown behind the client's next command.
    pub fn hears(&mut self, now: Instant, what: String, unread: bool) {
        if unread {
            self.unread.push(what);
        } else {
            self.note(now, &what);
        }
    }

    /// Something happens that is no line of the dialogue, such as `-- client closes`.
    pub fn note(&mut self, now: Instant, what: &str) {
        self.lines += 1;
        match self.lines.cmp(&MAX_LINES) {
            std::cmp::Ordering::Less => {
                let _ = writeln!(self.text, "{:>12.6}  {}", now.as_secs_f64(), ftp::shown(what)); // writing to a String cannot fail
            }
            std::cmp::Ordering::Equal => self.text.push_str("              ... and so on\n"),
            std::cmp::Ordering::Greater => {}
        }
    }
}
