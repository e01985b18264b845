//! Every message of a run, one JSON object a line.
//!
//! It knows no file: whole lines are handed to whoever keeps them. A password is never written.

mod pieces;

use std::io;

use super::tap::{Happening, Tap, Who};
use crate::scenario::Scenario;
use crate::time::Instant;
use pieces::{Line, Pieces};

/// Lines are put together until there are about so many bytes of them: few enough to stay in a core's own cache, and enough that
/// handing them on costs nothing beside them.
const SHEET: usize = 256 * 1024;

/// No line that a shipped scenario brings forth comes near this; a longer one makes the sheet grow.
const LINE: usize = 2 * 1024;

/// Writes what happens to every client as newline-delimited JSON.
///
/// `keep` takes the lines out of the buffer that it is given, as many as there are, always whole ones, and leaves an empty one.
#[derive(Debug)]
pub struct Trace<'a, K> {
    pieces: Pieces<'a>,
    sheet: Vec<u8>,
    keep: K,
    error: Option<io::Error>,
}

impl<'a, K: FnMut(&mut Vec<u8>) -> io::Result<()>> Trace<'a, K> {
    /// A trace of `scenario`, whose lines go to `keep`.
    pub fn new(scenario: &'a Scenario, keep: K) -> Self {
        Self { pieces: Pieces::new(scenario), sheet: Vec::with_capacity(SHEET), keep, error: None }
    }

    /// Hands on the last lines.
    ///
    /// # Errors
    /// The first error that `keep` met.
    pub fn finish(mut self) -> io::Result<()> {
        if self.error.is_none() {
            self.hand_on();
        }
        self.error.map_or(Ok(()), Err)
    }

    #[cold]
    #[inline(never)]
    fn hand_on(&mut self) {
        self.error = (self.keep)(&mut self.sheet).err();
        self.sheet.clear();
        self.sheet.reserve(SHEET);
    }
}

impl<K: FnMut(&mut Vec<u8>) -> io::Result<()>> Tap for Trace<'_, K> {
    fn happens(&mut self, now: Instant, who: Who, what: Happening<'_>) {
        if matches!(what, Happening::Data { .. }) {
            return; // the trace is that of the control connections
        }
        let pieces = &mut self.pieces;
        let mut line = Line(&mut self.sheet);
        pieces.begin(&mut line, now, who);
        match what {
            Happening::Connect { to } => pieces.connect(&mut line, to),
            Happening::Connected => line.put(&pieces.connected),
            Happening::ConnectFailed(cause) => pieces.connect_failed(&mut line, cause),
            Happening::Command(command) => pieces.command(&mut line, command),
            Happening::Reply { reply, .. } => pieces.reply(&mut line, reply.code, reply.cause),
            Happening::Closed { how, .. } => pieces.closed(&mut line, how),
            Happening::Secured => line.put(&pieces.secured),
            Happening::Data { .. } => {}
            Happening::Disconnect => line.put(&pieces.disconnect),
            Happening::Vanish => line.put(&pieces.vanish),
            Happening::Finish => line.put(&pieces.finish),
        }
        if self.sheet.len() > SHEET - LINE {
            self.hand_on();
        }
    }

    /// What cannot be kept need not be simulated.
    fn has_enough(&self) -> bool {
        self.error.is_some()
    }
}
