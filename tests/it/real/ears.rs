//! What simulated clients hear of a server, in the terms of the tests against real ones.
//!
//! It changes nothing about the run.

use std::collections::BTreeMap;

use ftp421::scenario::Scenario;
use ftp421::server::Context;
use ftp421::sim::{self, Happening, Tap, Who};
use ftp421::time::Instant;
use ftp421::watch::Watch;

/// All of it, in seconds since the beginning.
#[derive(Default)]
pub struct Ears {
    /// Greeted connections.
    pub sessions: Vec<Session>,
    /// When a 421 was heard, and what it said.
    pub refusals: Vec<(f64, String)>,
    /// By population and client: when it connected, and its session if it was greeted.
    clients: BTreeMap<(u16, u32), (f64, Option<usize>)>,
}

/// A connection that was greeted.
pub struct Session {
    /// The place of its population in the scenario.
    pub population: u16,
    pub connects: f64,
    pub greeted: f64,
    /// None if it is still there at the end of the run.
    pub ended: Option<f64>,
}

impl Ears {
    /// Runs the first replication of `scenario`.
    pub fn hear(scenario: &Scenario) -> Self {
        let mut ears = Self::default();
        sim::run(scenario, 0, &mut ears, &Watch::default());
        ears
    }
}

impl Tap for Ears {
    fn happens(&mut self, now: Instant, who: Who, what: Happening<'_>) {
        let now = now.as_secs_f64();
        let (connects, session) = self.clients.entry((who.population.0, who.index)).or_default();
        match what {
            Happening::Connect { .. } => (*connects, *session) = (now, None),
            Happening::Reply { reply, .. } if reply.code == 220 => {
                *session = Some(self.sessions.len());
                let (population, connects) = (who.population.0, *connects);
                self.sessions.push(Session { population, connects, greeted: now, ended: None });
            }
            Happening::Reply { reply, connections, .. } if reply.code == 421 => {
                let context = Context {
                    ip: "127.0.0.1",
                    cwd: "/",
                    user: "",
                    verb: "",
                    path: "/",
                    bytes: 0,
                    connections,
                };
                self.refusals.push((now, reply.lines(&context).pop().unwrap_or_default()));
            }
            Happening::Disconnect | Happening::Closed { .. } => {
                if let Some(place) = session.take() {
                    self.sessions[place].ended = Some(now);
                }
            }
            _ => {}
        }
    }
}
