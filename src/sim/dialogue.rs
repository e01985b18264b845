//! One client's control connection as a dialogue: `C:` and `S:` lines with virtual times.
//!
//! It shows what the client sees, when it sees it. A password is never shown.

use std::fmt::Write as _;

use super::tap::{Happening, Tap, Who};
use crate::ftp::{ArgId, Verb};
use crate::id::PopulationId;
use crate::scenario::Scenario;
use crate::server::Context;
use crate::time::Instant;

/// A dialogue with this many lines is cut off: a client of a closed population could go on for ever.
const MAX_LINES: usize = 20_000;

/// Writes down what one client says and hears.
#[derive(Clone, Debug)]
pub struct Dialogue<'a> {
    scenario: &'a Scenario,
    population: PopulationId,
    index: u32,
    user: &'a str,
    verb: Verb,
    path: &'a str,
    text: String,
    lines: usize,
    unread: Vec<String>,
}

impl<'a> Dialogue<'a> {
    /// The dialogue of client `index` (from 0) of `population`.
    pub fn new(scenario: &'a Scenario, population: PopulationId, index: u32) -> Self {
        Self {
            scenario,
            population,
            index,
            user: "",
            verb: Verb::Other,
            path: "/",
            text: String::new(),
            lines: 0,
            unread: Vec::new(),
        }
    }

    /// What was written down; empty if the client never came.
    pub fn text(&self) -> &str {
        &self.text
    }

    fn line(&mut self, now: Instant, what: &str) {
        self.lines += 1;
        match self.lines.cmp(&MAX_LINES) {
            std::cmp::Ordering::Less => {
                let _ = writeln!(self.text, "{:>12.6}  {what}", now.as_secs_f64()); // writing to a String cannot fail
            }
            std::cmp::Ordering::Equal => self.text.push_str("              ... and so on\n"),
            std::cmp::Ordering::Greater => {}
        }
    }

    fn command(&mut self, now: Instant, verb: Verb, arg: ArgId) {
        let strings: &'a [String] = &self.scenario.strings;
        let arg = strings.get(usize::from(arg.0)).map_or("?", String::as_str);
        self.verb = verb;
        match verb {
            Verb::User => self.user = arg,
            Verb::Pass => {}
            _ if arg.is_empty() => self.path = "/",
            _ => self.path = arg,
        }
        let line = match verb {
            Verb::Pass => "C: PASS ********".to_owned(),
            _ if arg.is_empty() => format!("C: {}", verb.name()),
            _ => format!("C: {} {arg}", verb.name()),
        };
        self.line(now, &line);
        for line in std::mem::take(&mut self.unread) {
            self.line(now, &line);
        }
    }

    /// Shows a line now, or behind the next command if nobody looks.
    fn hear(&mut self, now: Instant, line: String, unread: bool) {
        if unread {
            self.unread.push(line);
        } else {
            self.line(now, &line);
        }
    }
}

impl Tap for Dialogue<'_> {
    fn happens(&mut self, now: Instant, who: Who, what: Happening<'_>) {
        if who.population != self.population || who.index != self.index {
            return;
        }
        match what {
            Happening::Connect { to } => {
                let ip = self.scenario.addresses.address(who.peer);
                let servers = &self.scenario.servers;
                let to = if servers.len() > 1 {
                    format!(" to {}", servers[usize::from(to.0)].name)
                } else {
                    String::new()
                };
                self.line(now, &format!("-- connects{to} from {ip} (session {})", who.session + 1));
            }
            Happening::ConnectFailed(cause) => self.line(now, &format!("-- {cause}")),
            Happening::Command(command) => self.command(now, command.verb, command.arg),
            Happening::Reply { reply, connections, bytes, unread } => {
                let ip = self.scenario.addresses.address(who.peer).to_string();
                let context = Context {
                    ip: &ip,
                    user: self.user,
                    verb: self.verb.name(),
                    path: self.path,
                    bytes,
                    connections,
                };
                for line in reply.lines(&context) {
                    self.hear(now, format!("S: {line}"), unread);
                }
            }
            Happening::Closed { how, unread } => self.hear(now, format!("-- server closes ({how})"), unread),
            Happening::Disconnect => self.line(now, "-- client closes"),
            Happening::Vanish => self.line(now, "-- client vanishes without a word"),
            Happening::Connected | Happening::Finish => {}
        }
    }
}
