//! The server machine alone, and somebody who types: `desk.types(alice, "USER alice")` gives back what is heard.

use std::collections::BTreeMap;

use ftp421::ftp::{ArgId, Command, Verb};
use ftp421::id::{ConnId, PeerId, ServerId};
use ftp421::rng::Streams;
use ftp421::server::profile::{Lasting, Span};
use ftp421::server::{Action, Context, Control, Input, Overrides, Policy, Profile, Server, ServerStreams};
use ftp421::time::{Duration, Instant};

/// A server and its callers. Time stands still unless somebody waits, or waits for an answer.
pub struct Desk {
    server: Server,
    now: Instant,
    /// Firings: of a connection, or of the server.
    due: Vec<(Instant, Option<ConnId>)>,
    heard: BTreeMap<u32, Vec<String>>,
    /// When the last reply went out, by connection.
    spoke: BTreeMap<u32, Instant>,
    next: u32,
    listens: bool,
    names: Vec<String>,
    did: Vec<&'static str>,
}

/// A part of a profile as its file would say it.
pub fn part<T: serde::de::DeserializeOwned>(text: &str) -> T {
    toml::from_str(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// A time as a profile says it.
pub fn span(text: &str) -> Span {
    Span::try_from(text.to_owned()).expect("a time")
}

impl Desk {
    /// A server of `profile` with `keys` of its `[server]` table, whose answers cost no time.
    pub fn new(profile: &str, keys: &str) -> Self {
        Self::with(super::hour(&[super::server(profile, keys)]).servers[0].policy.clone())
    }

    /// A server of `profile` with changes, whose answers cost no time.
    pub fn like(profile: &str, change: impl FnOnce(&mut Profile, &mut Overrides)) -> Self {
        let mut profile = Profile::named(profile).expect("such a profile");
        let mut overrides = Overrides {
            greeting_cost: Some(Duration::ZERO),
            login_cost: Some(Duration::ZERO),
            command_cost: Some(Duration::ZERO),
            ..Overrides::default()
        };
        change(&mut profile, &mut overrides);
        Self::with(Policy::new(&profile, &overrides).expect("they fit"))
    }

    /// The same as [`Desk::new`], whose accept loop takes no time and whose slots are free after the mean of their law.
    pub fn exact(profile: &str, keys: &str) -> Self {
        let mut policy = super::hour(&[super::server(profile, keys)]).servers[0].policy.clone();
        policy.process.accept = Lasting::default();
        for time in [&mut policy.process.release, &mut policy.process.refused_release] {
            time.least = time.mean;
        }
        Self::with(policy)
    }

    pub fn with(policy: Policy) -> Self {
        Self {
            server: Server::new(
                ServerId(0),
                policy,
                ServerStreams::new(Streams::new(1, 0), ServerId(0)),
                &[],
            ),
            now: Instant::ZERO,
            due: Vec::new(),
            heard: BTreeMap::new(),
            spoke: BTreeMap::new(),
            next: 0,
            listens: true,
            names: Vec::new(),
            did: Vec::new(),
        }
    }

    /// Somebody connects from host number `host`.
    pub fn connect(&mut self, host: u32) -> ConnId {
        self.connect_from(host, 0)
    }

    /// Somebody connects from an address of class `class`.
    pub fn connect_from(&mut self, host: u32, class: u8) -> ConnId {
        let conn = ConnId(self.next);
        self.next += 1;
        self.give(Input::Accepted { conn, peer: PeerId(host), class });
        conn
    }

    /// Somebody connects where TLS begins with the first byte.
    pub fn connect_tls(&mut self, host: u32) -> ConnId {
        let conn = ConnId(self.next);
        self.next += 1;
        self.give(Input::AcceptedTls { conn, peer: PeerId(host), class: 0 });
        conn
    }

    /// Somebody connects and waits until he is greeted or sent away, a second at most: an accept loop takes its time, and that of
    /// `ProFTPD` stalls.
    pub fn call(&mut self, host: u32) -> ConnId {
        let conn = self.connect(host);
        let patience = self.now + Duration::from_secs(1);
        while !self.heard.contains_key(&conn.0) {
            let firings = self.due.iter().filter(|(at, conn)| conn.is_none() && *at <= patience);
            let Some(at) = firings.map(|(at, _)| *at).min() else { break };
            self.advance(at.max(self.now));
        }
        let answered = self.spoke.get(&conn.0).copied().unwrap_or_default();
        if answered <= patience {
            self.advance(self.now.max(answered));
        }
        conn
    }

    /// Calls, and says what is heard.
    pub fn knock(&mut self, host: u32) -> String {
        let conn = self.call(host);
        self.hears(conn)
    }

    /// Calls and logs in.
    pub fn log_in(&mut self, host: u32, user: &str) -> ConnId {
        let conn = self.call(host);
        self.hears(conn);
        self.types(conn, &format!("USER {user}"));
        let heard = self.types(conn, "PASS right");
        assert!(heard.starts_with("230"), "{user} is not let in: {heard}");
        conn
    }

    /// Sends a command, waits for its answer and gives that back.
    pub fn types(&mut self, conn: ConnId, line: &str) -> String {
        self.sends(conn, line);
        let answered = self.spoke.get(&conn.0).copied().unwrap_or_default();
        self.advance(self.now.max(answered));
        self.hears(conn)
    }

    /// Sends a command and does not wait.
    pub fn sends(&mut self, conn: ConnId, line: &str) {
        let (verb, arg) = line.split_once(' ').unwrap_or((line, ""));
        let verb = match verb {
            "USER" => Verb::User,
            "PASS" => Verb::Pass,
            "CWD" => Verb::Cwd,
            "PWD" => Verb::Pwd,
            "PASV" => Verb::Pasv,
            "PORT" => Verb::Port,
            "ABOR" => Verb::Abor,
            "LIST" => Verb::List,
            "RETR" => Verb::Retr,
            "STOR" => Verb::Stor,
            "NOOP" => Verb::Noop,
            "QUIT" => Verb::Quit,
            "SITE" => Verb::SiteIdle,
            "TYPE" => Verb::Type,
            "SIZE" => Verb::Size,
            "REST" => Verb::Rest,
            "NLST" => Verb::Nlst,
            "MLSD" => Verb::Mlsd,
            "AUTH" => Verb::Auth,
            "PBSZ" => Verb::Pbsz,
            "PROT" => Verb::Prot,
            _ => Verb::Other,
        };
        let arg = match (verb, arg) {
            (Verb::Pass, "right") => ArgId::RIGHT_PASSWORD,
            (Verb::User, "anonymous") => ArgId::ANONYMOUS,
            (Verb::User, name) => self.name(name),
            (Verb::SiteIdle, idle) => ArgId(idle.trim_start_matches("IDLE ").parse().expect("seconds")),
            (Verb::Type, "A") => ArgId::ASCII,
            (Verb::Type, "I") => ArgId::IMAGE,
            (Verb::Auth | Verb::Pbsz, _) | (Verb::Prot, "P") => ArgId::NONE,
            _ => ArgId::OTHER,
        };
        self.give(Input::Command { conn, command: Command { verb, arg } });
    }

    /// When the last reply to `conn` goes out, in seconds.
    pub fn answered(&self, conn: ConnId) -> f64 {
        self.spoke[&conn.0].as_secs_f64()
    }

    /// What the server has done about data connections since it was last asked.
    pub fn did(&mut self) -> String {
        std::mem::take(&mut self.did).join(" ")
    }

    fn name(&mut self, name: &str) -> ArgId {
        let place = self.names.iter().position(|n| n == name).unwrap_or_else(|| {
            self.names.push(name.to_owned());
            self.names.len() - 1
        });
        ArgId(10 + place as u16)
    }

    /// The data connection is there, or the transfer over it is done.
    pub fn data(&mut self, input: Input) {
        self.give(input);
    }

    /// The caller hangs up.
    pub fn hang_up(&mut self, conn: ConnId) {
        self.give(Input::Closed { conn });
    }

    pub fn control(&mut self, control: Control) {
        self.give(Input::Control(control));
    }

    /// Lets time pass.
    pub fn wait(&mut self, secs: f64) {
        self.advance(self.now + Duration::from_secs_f64(secs));
    }

    /// Seconds since the beginning.
    pub fn clock(&self) -> f64 {
        self.now.as_secs_f64()
    }

    /// How many slots are taken.
    pub fn slots(&self) -> u32 {
        self.server.slots()
    }

    /// How many connections wait to be accepted.
    pub fn queue_length(&self) -> usize {
        self.server.queue_length()
    }

    /// Is there room for one more?
    pub fn has_room(&self) -> bool {
        self.server.has_room(self.now)
    }

    /// Is the listener open?
    pub fn listens(&self) -> bool {
        self.listens
    }

    /// How long from now the last reply to `conn` goes out.
    pub fn spoke_at(&self, conn: ConnId) -> Duration {
        self.spoke[&conn.0].since(self.now)
    }

    /// What `conn` has heard since it was last asked.
    pub fn hears(&mut self, conn: ConnId) -> String {
        self.heard.remove(&conn.0).unwrap_or_default().join(" | ")
    }

    fn advance(&mut self, to: Instant) {
        while let Some(place) =
            (0..self.due.len()).min_by_key(|p| self.due[*p].0).filter(|p| self.due[*p].0 <= to)
        {
            let (at, conn) = self.due.swap_remove(place);
            self.now = self.now.max(at);
            self.give(conn.map_or(Input::ServerTimerFired, |conn| Input::TimerFired { conn }));
        }
        self.now = to;
    }

    fn give(&mut self, input: Input) {
        let mut out = Vec::new();
        self.server.handle(self.now, input, &mut out);
        for action in out {
            match action {
                Action::Reply { conn, reply, at } => {
                    let context = Context {
                        ip: "192.0.2.7",
                        cwd: "/",
                        user: "alice",
                        verb: "XYZZY",
                        path: "/",
                        bytes: 0,
                        connections: self.server.slots(),
                    };
                    let lines = self.server.policy().table.get(reply).lines(&context);
                    self.heard.entry(conn.0).or_default().extend(lines);
                    self.spoke.insert(conn.0, at);
                }
                Action::Listen { up } => self.listens = up,
                Action::Close { conn, how, .. } => {
                    self.heard.entry(conn.0).or_default().push(format!("({how})"));
                }
                Action::Arm { conn, at } => self.due.push((at, Some(conn))),
                Action::ArmServer { at } if self.due.contains(&(at, None)) => {}
                Action::ArmServer { at } => self.due.push((at, None)),
                Action::ConnectData { .. } => self.did.push("connects"),
                Action::AbortData { .. } => self.did.push("aborts"),
                Action::StartTransfer { .. } => self.did.push("starts"),
                _ => {}
            }
        }
    }
}
