//! The dialogue so far, for whoever drives the server from a test: who said what, the last few thousand lines.
//!
//! It keeps no password, and nothing at all unless somebody wants it.

use std::collections::VecDeque;

use super::conns::Key;
use crate::ftp::shown;

/// Lines that are kept; the oldest go first.
const MOST: usize = 4_000;
/// Characters of a line that are kept.
const WIDEST: usize = 500;

/// The last lines, if they are kept.
#[derive(Debug, Default)]
pub(super) struct Minutes {
    lines: Option<VecDeque<String>>,
    /// The number of the connection in each slot, from 1 in the order in which they came.
    numbers: Vec<u64>,
    came: u64,
}

impl Minutes {
    pub(super) fn new(kept: bool) -> Self {
        Self { lines: kept.then(VecDeque::new), ..Self::default() }
    }

    /// A client has come.
    pub(super) fn opened(&mut self, key: Key) {
        if self.lines.is_none() {
            return;
        }
        self.came += 1;
        let slot = key.slot as usize;
        if slot >= self.numbers.len() {
            self.numbers.resize(slot + 1, 0);
        }
        self.numbers[slot] = self.came;
    }

    /// A client has said this line.
    pub(super) fn heard(&mut self, key: Key, line: &str) {
        if self.lines.is_some() {
            let verb = line.trim_start().get(..4).unwrap_or_default();
            let secret = verb.eq_ignore_ascii_case("PASS") || verb.eq_ignore_ascii_case("ACCT");
            self.keep(key, ">", if secret { verb } else { line });
        }
    }

    /// This was sent to a client.
    pub(super) fn said(&mut self, key: Key, bytes: &[u8]) {
        if self.lines.is_some() {
            for line in String::from_utf8_lossy(bytes).lines() {
                self.keep(key, "<", line);
            }
        }
    }

    fn keep(&mut self, key: Key, side: &str, line: &str) {
        let number = self.numbers.get(key.slot as usize).copied().unwrap_or_default();
        let Some(lines) = &mut self.lines else { return };
        if lines.len() >= MOST {
            lines.pop_front();
        }
        let line: String = line.chars().take(WIDEST).collect();
        lines.push_back(format!("{number} {side} {}", shown(&line)));
    }

    /// All of it as a JSON list, if it is kept.
    pub(super) fn told(&self) -> Option<String> {
        serde_json::to_string(self.lines.as_ref()?).ok()
    }
}
