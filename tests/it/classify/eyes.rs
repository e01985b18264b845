//! What the clients of a simulated run see of refusals, as evidence, beside what the model knows to be true.
//!
//! It judges nothing, and it sees no more than a generator with real sockets does.

use std::collections::BTreeMap;

use ftp421::classify::{Around, Data, Evidence, Whose};
use ftp421::ftp::{ArgId, Verb};
use ftp421::observe::{Cause, CloseHow, Phase};
use ftp421::scenario::Scenario;
use ftp421::server::Context;
use ftp421::sim::{self, Happening, Tap, Who};
use ftp421::time::{Duration, Instant};
use ftp421::watch::Watch;

/// Something that may be a refusal, and what it is.
#[derive(Clone, Debug)]
pub struct Case {
    /// All but the text.
    pub evidence: Evidence<'static>,
    /// Its lines.
    pub text: String,
    /// What the model says; `None`: nothing was refused.
    pub truth: Option<Cause>,
}

impl Case {
    /// The evidence, with `text` for its text.
    pub fn with<'a>(&'a self, text: &'a str) -> Evidence<'a> {
        Evidence { text, ..self.evidence }
    }
}

/// One control connection.
#[derive(Clone, Debug)]
struct Conn {
    whose: Whose,
    connected: Instant,
    established: bool,
    greeted: bool,
    logged_in: Option<Instant>,
    sent: Instant,
    busy: Instant,
    transferred: Instant,
    awaiting: Option<Verb>,
    moves: Option<Verb>,
    passive_since: Option<Instant>,
    data_since: Option<Instant>,
    tries: u8,
    mistyped: bool,
    /// Its last reply: when, and the place of its case.
    heard: Option<(Instant, usize)>,
}

/// The eyes of all clients together.
pub struct Eyes<'s> {
    scenario: &'s Scenario,
    /// Every reply and every close that nobody had asked for.
    pub cases: Vec<Case>,
    conns: BTreeMap<(u16, u32), Conn>,
    around: Around,
}

impl<'s> Eyes<'s> {
    /// Runs the first replication of `scenario` and says what was seen.
    pub fn watch(scenario: &'s Scenario) -> Vec<Case> {
        let mut eyes =
            Eyes { scenario, cases: Vec::new(), conns: BTreeMap::new(), around: Around::default() };
        sim::run(scenario, 0, &mut eyes, &Watch::default());
        eyes.cases
    }

    fn evidence(&self, now: Instant, key: (u16, u32), code: u16, answers: Option<Verb>) -> Evidence<'static> {
        let conn = &self.conns[&key];
        let data = match (conn.data_since, conn.passive_since) {
            (Some(since), _) => Data::Open { still: self.still(now, key, since) },
            (None, Some(since)) => Data::Awaited { since: now.since(since) },
            (None, None) => Data::None,
        };
        let mut evidence = Evidence {
            code,
            phase: phase(conn, code != 0),
            answers,
            connected: now.since(conn.connected),
            logged_in: conn.logged_in.map_or(Duration::ZERO, |at| now.since(at)),
            quiet: now.since(conn.sent),
            idle: now.since(conn.busy),
            no_transfer: conn.logged_in.map_or(Duration::ZERO, |at| now.since(at.max(conn.transferred))),
            data,
            mistyped: conn.mistyped,
            tries: conn.tries,
            ..Evidence::default()
        };
        self.around.complete(now, conn.whose, (conn.established, conn.logged_in.is_some()), &mut evidence);
        evidence
    }

    /// Since when no byte has moved. The tap does not see bytes: a transfer that takes much longer than its bytes need over the
    /// client's own link has stopped when they should have been through.
    fn still(&self, now: Instant, key: (u16, u32), since: Instant) -> Duration {
        let population = &self.scenario.populations[usize::from(key.0)];
        let open = now.since(since);
        if population.behaviour.stall >= 1.0 {
            return open; // half of nothing much: it stood still nearly from the beginning
        }
        if population.behaviour.stall > 0.0 && open > Duration::from_secs(120) {
            open
        } else {
            Duration::ZERO
        }
    }

    fn gone(&mut self, key: (u16, u32)) {
        let Some(conn) = self.conns.remove(&key) else { return };
        if conn.established {
            self.around.closed(conn.whose);
        }
        if conn.logged_in.is_some() {
            self.around.logged_out(conn.whose);
        }
    }

    fn replied(&mut self, now: Instant, key: (u16, u32), code: u16, said: (String, Option<Cause>)) {
        let answers = self.conns[&key].awaiting;
        if answers == Some(Verb::Quit) {
            return; // it has what it came for
        }
        let evidence = self.evidence(now, key, code, answers);
        let place = self.cases.len();
        let (text, truth) = said;
        self.cases.push(Case { evidence, text, truth });
        let Some(conn) = self.conns.get_mut(&key) else { return };
        conn.heard = Some((now, place));
        if truth.is_some() && conn.logged_in.is_none() {
            self.around.refused(now, conn.whose, evidence.phase);
        }
        if code < 200 {
            return;
        }
        match (code, conn.awaiting.take()) {
            (220, None) => {
                conn.greeted = true;
                self.around.greeted(now, conn.whose);
            }
            (230, _) => {
                conn.logged_in = Some(now);
                conn.transferred = now;
                conn.mistyped = false;
                self.around.logged_in(now, conn.whose);
            }
            (227 | 200, Some(Verb::Pasv | Verb::Port)) => conn.passive_since = Some(now),
            (_, Some(verb)) if verb.is_transfer() => {
                if code == 226 {
                    conn.transferred = now;
                }
                conn.moves = None;
                (conn.passive_since, conn.data_since) = (None, None);
            }
            (421, None) if conn.logged_in.is_some() => self.around.cut(now, conn.whose),
            _ => {}
        }
    }

    fn closed(&mut self, now: Instant, key: (u16, u32), how: CloseHow, cause: Option<Cause>) {
        let conn = &self.conns[&key];
        let answers = conn.awaiting;
        // A close behind a refusal is part of it.
        if let Some((at, place)) = conn.heard
            && now.since(at) <= Duration::from_millis(400)
        {
            let reply = &mut self.cases[place];
            if reply.truth.is_some() {
                reply.evidence.close = Some(how);
                return;
            }
        }
        if answers == Some(Verb::Quit) {
            return;
        }
        let wire = if how == CloseHow::Rst { CloseHow::Rst } else { CloseHow::Fin };
        let evidence = Evidence { close: Some(wire), ..self.evidence(now, key, 0, answers) };
        let truth = Some(cause.unwrap_or(Cause::SilentClose));
        self.cases.push(Case { evidence, text: String::new(), truth });
        if conn.logged_in.is_some() {
            self.around.cut(now, conn.whose);
        } else {
            self.around.refused(now, conn.whose, evidence.phase);
        }
    }
}

impl Tap for Eyes<'_> {
    fn happens(&mut self, now: Instant, who: Who, what: Happening<'_>) {
        let key = (who.population.0, who.index);
        if let Happening::Connect { .. } = what {
            let behind = Conn {
                whose: Whose {
                    address: who.peer.0,
                    user: self.scenario.populations[usize::from(key.0)].user(who.index).0,
                },
                connected: now,
                established: false,
                greeted: false,
                logged_in: None,
                sent: now,
                busy: now,
                transferred: now,
                awaiting: None,
                moves: None,
                passive_since: None,
                data_since: None,
                tries: 0,
                mistyped: false,
                heard: None,
            };
            self.gone(key);
            self.around.attempt(now, behind.whose);
            self.conns.insert(key, behind);
            return;
        }
        let Some(conn) = self.conns.get_mut(&key) else { return };
        match what {
            Happening::Connected => {
                (conn.established, conn.connected, conn.sent, conn.busy) = (true, now, now, now);
                self.around.opened(conn.whose);
            }
            Happening::Command(command) => {
                conn.sent = now;
                if !command.verb.is_keep_alive() {
                    conn.busy = now;
                }
                if command.verb == Verb::Pass {
                    conn.tries += 1;
                    conn.mistyped = command.arg != ArgId::RIGHT_PASSWORD;
                    if conn.mistyped {
                        self.around.mistyped(conn.whose);
                    }
                }
                if command.verb.is_transfer() {
                    conn.moves = Some(command.verb);
                }
                conn.awaiting = Some(command.verb);
            }
            Happening::Data { open } => {
                conn.data_since = conn.data_since.or(open.then_some(now));
            }
            Happening::Reply { reply, connections, bytes, .. } => {
                let ip = self.scenario.addresses.address(who.peer).to_string();
                let context = Context {
                    ip: &ip,
                    cwd: "/",
                    user: "user1",
                    verb: "XYZZY",
                    path: "/f",
                    bytes,
                    connections,
                };
                let lines = reply.lines(&context);
                let text: Vec<&str> = lines.iter().map(|line| &line[4..]).collect();
                let said = (text.join("\n"), reply.cause);
                self.replied(now, key, reply.code, said);
            }
            Happening::Closed { how, cause, .. } => {
                self.closed(now, key, how, cause);
                self.gone(key);
            }
            Happening::ConnectFailed(_) | Happening::Disconnect | Happening::Vanish | Happening::Finish => {
                self.gone(key);
            }
            Happening::Connect { .. } | Happening::Secured => {}
        }
    }
}

/// As the client machine has it.
fn phase(conn: &Conn, answered: bool) -> Phase {
    match conn {
        Conn { logged_in: Some(_), moves: Some(_), .. } => Phase::Transfer,
        Conn { logged_in: Some(_), .. } => Phase::Session,
        Conn { greeted: false, .. } if answered => Phase::Greeting,
        Conn { greeted: false, .. } => Phase::Accept,
        Conn { tries: 1.., .. } => Phase::Pass,
        Conn { .. } if answered => Phase::User,
        _ => Phase::PreLogin,
    }
}
