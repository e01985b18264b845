//! Every message of a run, one JSON object a line.
//!
//! It buffers nothing itself: hand it a buffered writer. A password is never written.

use std::io::{self, Write};

use super::tap::{Happening, Tap, Who};
use crate::ftp::Verb;
use crate::scenario::Scenario;
use crate::time::Instant;

/// Writes what happens to every client as newline-delimited JSON.
#[derive(Debug)]
pub struct Trace<'a, W> {
    scenario: &'a Scenario,
    out: W,
    error: Option<io::Error>,
}

impl<'a, W: Write> Trace<'a, W> {
    /// A trace of `scenario` to `out`.
    pub fn new(scenario: &'a Scenario, out: W) -> Self {
        Self { scenario, out, error: None }
    }

    /// Ends the trace.
    ///
    /// # Errors
    /// The first error that writing met.
    pub fn finish(mut self) -> io::Result<()> {
        self.error.map_or(Ok(()), Err)?;
        self.out.flush()
    }

    fn write(&mut self, now: Instant, who: Who, what: Happening<'_>) -> io::Result<()> {
        if matches!(what, Happening::Data { .. }) {
            return Ok(()); // the trace is that of the control connections
        }
        let population = &self.scenario.populations[usize::from(who.population.0)].name; // [a-z0-9 ()-]: nothing to escape
        write!(
            self.out,
            r#"{{"t_ns":{},"client":"{population}:{}","session":{},"#,
            now.as_nanos(),
            who.index,
            who.session
        )?;
        match what {
            Happening::Connect { to } => {
                write!(self.out, r#""what":"connect""#)?;
                if self.scenario.servers.len() > 1 {
                    write!(self.out, r#","server":"{}""#, self.scenario.servers[usize::from(to.0)].name)?;
                }
            }
            Happening::Connected => write!(self.out, r#""what":"connected""#)?,
            Happening::ConnectFailed(cause) => {
                write!(self.out, r#""what":"connect_failed","cause":"{cause}""#)?;
            }
            Happening::Command(command) => {
                write!(self.out, r#""what":"command","verb":"{}""#, command.verb.name())?;
                let arg = self.scenario.text(command.arg).filter(|a| !a.is_empty());
                if let Some(arg) = arg.filter(|_| command.verb != Verb::Pass) {
                    write!(self.out, r#","arg":{}"#, serde_json::Value::from(arg))?;
                }
            }
            Happening::Reply { reply, .. } => {
                write!(self.out, r#""what":"reply","code":{}"#, reply.code)?;
                if let Some(cause) = reply.cause {
                    write!(self.out, r#","cause":"{cause}""#)?;
                }
            }
            Happening::Closed { how, .. } => write!(self.out, r#""what":"closed","how":"{how}""#)?,
            Happening::Secured => write!(self.out, r#""what":"secured""#)?,
            Happening::Data { .. } => {}
            Happening::Disconnect => write!(self.out, r#""what":"disconnect""#)?,
            Happening::Vanish => write!(self.out, r#""what":"vanish""#)?,
            Happening::Finish => write!(self.out, r#""what":"finish""#)?,
        }
        self.out.write_all(b"}\n")
    }
}

impl<W: Write> Tap for Trace<'_, W> {
    fn happens(&mut self, now: Instant, who: Who, what: Happening<'_>) {
        if self.error.is_none() {
            self.error = self.write(now, who, what).err();
        }
    }
}
