//! The server machine on its own, and a record of everything that it does and when.
//!
//! It plays what a scene tells it to; what it plays it does not judge.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use ftp421::ftp::{ArgId, Command, Verb};
use ftp421::id::{ConnId, PeerId, ServerId};
use ftp421::observe::Observation;
use ftp421::rng::Streams;
use ftp421::server::{Action, Context, Control, Input, Policy, Server, ServerStreams};
use ftp421::time::{Duration, Instant};

pub const ALICE: ArgId = ArgId(100);
pub const BOB: ArgId = ArgId(101);
pub const MALLORY: ArgId = ArgId(102);

/// A connection that never was: there is nothing in its slot, nor will there be.
const NOBODY: ConnId = ConnId(1 << 20);

/// A server and the record.
pub struct Play {
    server: Server,
    now: Instant,
    due: BTreeMap<(Instant, u64), Option<ConnId>>,
    order: u64,
    next: u32,
    free: Vec<ConnId>,
    /// When the last reply to each connection goes out.
    spoke: BTreeMap<u32, Instant>,
    record: String,
    out: Vec<Action>,
}

impl Play {
    pub fn new(policy: Policy, reloads: &[Control]) -> Self {
        let streams = ServerStreams::new(Streams::new(1, 0), ServerId(0));
        Self {
            server: Server::new(ServerId(0), policy, streams, reloads),
            now: Instant::ZERO,
            due: BTreeMap::new(),
            order: 0,
            next: 0,
            free: Vec::new(),
            spoke: BTreeMap::new(),
            record: String::new(),
            out: Vec::new(),
        }
    }

    pub fn record(self) -> String {
        self.record
    }

    /// Somebody of class 1 connects from host number `host`.
    pub fn connect(&mut self, host: u32) -> ConnId {
        self.connect_as(host, 1)
    }

    pub fn connect_as(&mut self, host: u32, class: u8) -> ConnId {
        if !self.server.has_room(self.now) {
            let _ = writeln!(self.record, "{} no room for a SYN", self.now.as_nanos());
            return NOBODY;
        }
        let conn = self.free.pop().unwrap_or(ConnId(self.next));
        self.next = self.next.max(conn.0 + 1);
        self.spoke.remove(&conn.0);
        self.give(Input::Accepted { conn, peer: PeerId(host), class });
        conn
    }

    /// Connects and logs in, as far as the server lets it.
    pub fn log_in(&mut self, host: u32, user: ArgId) -> ConnId {
        let conn = self.connect(host);
        self.says(conn, Verb::User, user);
        if user != ArgId::ANONYMOUS || !self.server.policy().login.anonymous_without_password {
            self.says(conn, Verb::Pass, ArgId::RIGHT_PASSWORD);
        }
        conn
    }

    /// Sends a command, behind the greeting unless that takes very long, and waits until it is answered.
    pub fn says(&mut self, conn: ConnId, verb: Verb, arg: ArgId) {
        let patience = self.now + Duration::from_secs(1);
        while !self.spoke.contains_key(&conn.0) {
            let Some((&(at, _), _)) = self.due.first_key_value() else { break };
            if at > patience {
                break;
            }
            self.until(at);
        }
        self.sends(conn, verb, arg);
        let answered = self.spoke.get(&conn.0).copied().unwrap_or_default();
        if answered > self.now {
            self.until(answered);
        }
    }

    pub fn does(&mut self, conn: ConnId, verbs: &[Verb]) {
        for verb in verbs {
            self.says(conn, *verb, ArgId::OTHER);
        }
    }

    /// Sends a command and does not wait.
    pub fn sends(&mut self, conn: ConnId, verb: Verb, arg: ArgId) {
        self.give(Input::Command { conn, command: Command { verb, arg } });
    }

    /// A transfer over a passive connection begins.
    pub fn begins(&mut self, conn: ConnId, verb: Verb) {
        self.says(conn, Verb::Pasv, ArgId::NONE);
        self.give(Input::DataOpened { conn });
        self.says(conn, verb, ArgId::OTHER);
    }

    pub fn transfers(&mut self, conn: ConnId, verb: Verb) {
        self.begins(conn, verb);
        self.wait(1.0);
        self.give(Input::TransferDone { conn });
    }

    pub fn control(&mut self, control: Control) {
        self.give(Input::Control(control));
    }

    pub fn wait(&mut self, secs: f64) {
        self.until(self.now + Duration::from_secs_f64(secs));
    }

    pub fn give(&mut self, input: Input) {
        let mut out = std::mem::take(&mut self.out);
        self.server.handle(self.now, input, &mut out);
        for action in out.drain(..) {
            self.note(action);
        }
        self.out = out;
    }

    fn until(&mut self, to: Instant) {
        let mut fired = 0;
        while let Some((&(at, order), &conn)) = self.due.first_key_value().filter(|((at, _), _)| *at <= to) {
            self.due.remove(&(at, order));
            fired += 1;
            assert!(fired < 100_000, "a timer asks for itself again and again: {conn:?} at {at:?}");
            self.now = self.now.max(at);
            match conn {
                Some(conn) => self.give(Input::TimerFired { conn }),
                None => self.give(Input::ServerTimerFired),
            }
        }
        self.now = self.now.max(to);
    }

    fn note(&mut self, action: Action) {
        let now = self.now.as_nanos();
        match action {
            Action::Arm { conn, at } => self.arm(at, Some(conn)),
            Action::ArmServer { at } => self.arm(at, None),
            Action::Reply { conn, reply, at } => {
                self.spoke.insert(conn.0, at);
                let context = Context {
                    ip: "192.0.2.7",
                    cwd: "/",
                    user: "alice",
                    verb: "XYZZY",
                    path: "/file",
                    bytes: 7,
                    connections: self.server.slots(),
                };
                let entry = self.server.policy().table.get(reply);
                let (code, at) = (entry.code, at.as_nanos());
                // A short text needs no filling in; most do not.
                let lines = entry.lines(&context);
                let _ = writeln!(self.record, "{now} {} {at} {code} {}", conn.0, lines.join("|"));
            }
            Action::Observe(Observation::Refused { refusal, check }) => {
                let _ = writeln!(self.record, "{now} {refusal:?} {check:?}");
            }
            Action::Observe(_) => {}
            Action::Free { conn } => {
                self.free.push(conn);
                let _ = writeln!(self.record, "{now} free {}", conn.0);
            }
            Action::Close { conn, how, cause } => {
                self.spoke.insert(conn.0, self.now);
                let _ = writeln!(self.record, "{now} close {} {how:?} {cause:?}", conn.0);
            }
            other => {
                let _ = writeln!(self.record, "{now} {other:?}");
            }
        }
    }

    /// One firing for one time is enough: a driver remembers few of each machine.
    fn arm(&mut self, at: Instant, conn: Option<ConnId>) {
        let at = at.max(self.now);
        let asked = self.due.range((at, 0)..=(at, u64::MAX)).any(|(_, other)| *other == conn);
        if asked {
            return;
        }
        self.order += 1;
        self.due.insert((at, self.order), conn);
    }
}
