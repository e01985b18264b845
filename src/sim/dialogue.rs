//! One client's control connection as a dialogue: `C:` and `S:` lines with virtual times.
//!
//! It shows what the client sees, when it sees it. A password is never shown.

use super::tap::{Happening, Tap, Who};
use crate::ftp::{ArgId, Verb};
use crate::id::PopulationId;
use crate::scenario::Scenario;
use crate::server::Context;
use crate::time::Instant;
use crate::transcript::Transcript;

/// Writes down what one client says and hears.
#[derive(Clone, Debug)]
pub struct Dialogue<'a> {
    scenario: &'a Scenario,
    population: PopulationId,
    index: u32,
    user: &'a str,
    verb: Verb,
    path: &'a str,
    written: Transcript,
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
            written: Transcript::default(),
        }
    }

    /// What was written down; empty if the client never came.
    pub fn text(&self) -> &str {
        self.written.text()
    }

    fn command(&mut self, now: Instant, verb: Verb, arg: ArgId) {
        let scenario: &'a Scenario = self.scenario;
        let arg = scenario.text(arg).unwrap_or("?");
        self.verb = verb;
        match verb {
            Verb::User => self.user = arg,
            Verb::Pass => {}
            _ if arg.is_empty() => self.path = "/",
            _ => self.path = arg,
        }
        let line = match verb {
            Verb::Pass => "PASS ?".to_owned(),
            _ if arg.is_empty() => verb.name().to_owned(),
            _ => format!("{} {arg}", verb.name()),
        };
        self.written.sends(now, &line);
    }

    /// Rare, and so apart: whoever is not listened to passes by with two comparisons.
    #[cold]
    #[inline(never)]
    fn write(&mut self, now: Instant, who: Who, what: Happening<'_>) {
        match what {
            Happening::Connect { to } => {
                let ip = self.scenario.addresses.address(who.peer);
                let servers = &self.scenario.servers;
                let to = if servers.len() > 1 {
                    format!(" to {}", servers[usize::from(to.0)].name)
                } else {
                    String::new()
                };
                self.written.note(now, &format!("-- connects{to} from {ip} (session {})", who.session + 1));
            }
            Happening::ConnectFailed(cause) => self.written.note(now, &format!("-- {cause}")),
            Happening::Command(command) => self.command(now, command.verb, command.arg),
            Happening::Reply { reply, connections, bytes, unread } => {
                let ip = self.scenario.addresses.address(who.peer).to_string();
                let asks = self.verb == Verb::Size;
                let bytes = if asks { self.scenario.file_size(self.path) } else { bytes };
                let context = Context {
                    ip: &ip,
                    cwd: "/",
                    user: self.user,
                    verb: self.verb.word(),
                    path: self.path,
                    bytes,
                    connections,
                };
                for line in reply.lines(&context) {
                    self.written.hears(now, format!("S: {line}"), unread);
                }
            }
            Happening::Closed { how, unread, .. } => {
                self.written.hears(now, format!("-- server closes ({how})"), unread);
            }
            Happening::Secured => self.written.note(now, "-- TLS"),
            Happening::Disconnect => self.written.note(now, "-- client closes"),
            Happening::Vanish => self.written.note(now, "-- client vanishes without a word"),
            Happening::Connected | Happening::Data { .. } | Happening::Finish => {}
        }
    }
}

impl Tap for Dialogue<'_> {
    #[inline]
    fn wants(&self, population: PopulationId, index: u32) -> bool {
        index == self.index && population == self.population
    }

    #[inline]
    fn happens(&mut self, now: Instant, who: Who, what: Happening<'_>) {
        if self.wants(who.population, who.index) {
            self.write(now, who, what);
        }
    }
}
