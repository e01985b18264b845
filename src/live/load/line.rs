//! A control connection as its shard keeps it: the wire, what was heard of it, and what telling its refusals apart needs.
//!
//! It tells nobody anything.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::os::fd::AsRawFd as _;
use std::task::Waker;

use super::data::Data;
use super::{Plan, spell};
use crate::classify::Verdict;
use crate::ftp::{ArgId, Command, Hearing, Severity, Verb};
use crate::live::Wire;
use crate::live::content::{self, Content};
use crate::live::tls::Session;
use crate::observe::CloseHow;
use crate::time::{Duration, Instant};

/// A control connection, from the socket on.
pub(super) struct Line {
    /// `None` until it is established.
    pub wire: Option<Wire>,
    /// Wakes the task that attends to it.
    pub waker: Option<Waker>,
    pub hearing: Hearing,
    /// The server's address.
    pub over: IpAddr,
    /// When it was established.
    pub opened: Instant,
    /// When its session was logged in.
    pub session: Option<Instant>,
    pub talk: Talk,
    /// What the last reply was taken for, if it refused something; when it came; and whether it is known to be the last one of all.
    pub said: Option<(Instant, bool, Verdict)>,
    /// Was there ever a reply?
    pub replied: bool,
    /// Is there more behind the reply that is being heard?
    pub more: bool,
    /// What was said that is no reply, since the last one.
    pub noise: String,
    /// How the server has ended it.
    pub ends: Option<CloseHow>,
    /// Does that count as a session that was cut already?
    pub cut: bool,
    /// The port of the last passive reply.
    pub passive: Option<u16>,
    /// Its transfer: under way, or about to be.
    pub data: Option<Data>,
    /// Replies that wait for the end of the data connection.
    pub held: VecDeque<(u16, String)>,
    /// Since when the first of them does.
    pub held_at: Instant,
    /// The bytes of the last transfer.
    pub moved: u64,
    /// When it ended; before the first one, when the client logged in.
    pub moved_at: Instant,
    /// The working directory, as far as it is known.
    pub directory: Option<Box<str>>,
    /// Replies since the last command.
    pub replies: u32,
    /// Its TLS, from the beginning of the handshake on.
    pub tls: Option<Session>,
    /// Does the machine wait for the end of the handshake?
    pub shakes: bool,
    /// Has it said QUIT because the run is over?
    pub leaves: bool,
}

/// What was said last, and when.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Talk {
    /// The command whose reply is still to come.
    pub asked: Option<Verb>,
    /// Its argument.
    pub arg: ArgId,
    /// When the last command was really sent, or the connection was established.
    pub sent_at: Instant,
    /// The same, commands that only keep a session alive left out.
    pub busy_at: Instant,
    /// Passwords tried.
    pub tries: u8,
    /// Was the last one wrong, on purpose?
    pub mistyped: bool,
}

impl Line {
    /// More replies to one command are nonsense.
    pub const REPLIES: u32 = 1_000;
    /// No more replies are held back.
    pub const HELD: usize = 8;
    /// No more of what is no reply is kept, bytes; but the line that is too much is.
    const NOISE: usize = 512;
    /// An end that comes so long behind a reply has another reason.
    const BEHIND: Duration = Duration::from_millis(400);

    /// One that is not established yet.
    pub fn new(over: IpAddr) -> Self {
        Self {
            wire: None,
            waker: None,
            hearing: Hearing::default(),
            over,
            opened: Instant::NEVER,
            session: None,
            talk: Talk {
                asked: None,
                arg: ArgId::NONE,
                sent_at: Instant::ZERO,
                busy_at: Instant::ZERO,
                tries: 0,
                mistyped: false,
            },
            said: None,
            replied: false,
            more: false,
            noise: String::new(),
            ends: None,
            cut: false,
            passive: None,
            data: None,
            held: VecDeque::new(),
            held_at: Instant::ZERO,
            moved: 0,
            moved_at: Instant::NEVER,
            directory: None,
            replies: 0,
            tls: None,
            shakes: false,
            leaves: false,
        }
    }

    /// It was established at `now`.
    pub fn open(&mut self, now: Instant, wire: Option<Wire>) {
        self.wire = wire;
        self.opened = now;
        (self.talk.sent_at, self.talk.busy_at) = (now, now);
    }

    /// `command` goes out at `now`.
    pub fn sends(&mut self, now: Instant, command: Command) {
        let talk = &mut self.talk;
        (talk.asked, talk.arg) = (Some(command.verb), command.arg);
        talk.sent_at = now;
        if !command.verb.is_keep_alive() {
            talk.busy_at = now;
        }
        if command.verb == Verb::Pass {
            talk.tries = talk.tries.saturating_add(1);
            talk.mistyped = command.arg != ArgId::RIGHT_PASSWORD;
        }
        self.said = self.said.filter(|(_, last, _)| *last);
        self.replies = 0;
        // ABOR, and whatever else is no transfer, ends one.
        if !command.verb.is_transfer() && !matches!(command.verb, Verb::Pasv | Verb::Port) {
            self.data = None;
        }
    }

    /// Says QUIT, if it is logged in and not in the middle of something.
    pub fn takes_leave(&mut self) {
        let polite = self.session.is_some() && !self.talk.asked.is_some_and(Verb::is_transfer);
        self.leaves = polite && self.wire.as_mut().is_some_and(|wire| wire.write(b"QUIT\r\n").is_ok());
        self.wake();
    }

    /// The transfer that the last command began, if it did, gets to know its file.
    pub fn begins(&self, plan: &Plan) {
        let (Some(data), Some(verb @ (Verb::Retr | Verb::Stor))) = (&self.data, self.talk.asked) else {
            return;
        };
        if verb == Verb::Stor || plan.verify {
            let path = plan.scenario.text(self.talk.arg).unwrap_or_default();
            let path = content::absolute(self.directory.as_deref().unwrap_or("/"), path);
            data.flow.content.set(Some(Content::of(plan.scenario.seed, &path)));
        }
    }

    /// A reply is heard. Returns the command that it answers.
    pub fn hears(&mut self, now: Instant, plan: &Plan, code: u16, text: &str) -> Option<Verb> {
        let verb = self.talk.asked?;
        if Severity::of(code) == Severity::Preliminary {
            if let Some(data) = self.data.as_ref().filter(|_| verb.is_transfer()) {
                data.flow.announced.set(spell::announced(text));
                data.flow.go.notify_one();
            }
            return Some(verb);
        }
        self.talk.asked = None;
        match verb {
            Verb::Pasv => self.passive = spell::passive_port(code, text),
            Verb::Cwd if code < 300 => {
                let path = plan.scenario.text(self.talk.arg).unwrap_or_default();
                let path = content::absolute(self.directory.as_deref().unwrap_or("/"), path);
                self.directory = plan.verify.then(|| path.into());
            }
            verb if verb.is_transfer() => {
                (self.moved, self.moved_at) = (self.bytes(), now);
            }
            _ => {}
        }
        Some(verb)
    }

    /// The bytes of the transfer under way.
    fn bytes(&self) -> u64 {
        self.data.as_ref().map_or(0, |data| data.flow.moved.get())
    }

    /// Does a reply of this code have to wait? A server may say that a transfer is complete before its client has read it all.
    pub fn holds(&self, code: u16) -> bool {
        let late = self.talk.asked.is_some_and(Verb::is_transfer) && (200..300).contains(&code);
        let reads = |data: &Data| !data.upload && !data.stalls && data.flow.whole.get().is_none();
        let waits = late && self.data.as_ref().is_some_and(reads);
        (waits || !self.held.is_empty()) && self.held.len() < Self::HELD
    }

    /// The last refusal, if it can be the reason of an end that comes now. A 421 says so; anything else was one if the end is right
    /// behind it.
    pub fn said_why(&self, now: Instant) -> Option<Verdict> {
        self.said.filter(|(at, last, _)| *last || now.since(*at) <= Self::BEHIND).map(|said| said.2)
    }

    /// Keeps a line that is no reply, if there is room.
    pub fn keeps(&mut self, noise: &str) {
        if self.noise.len() < Self::NOISE {
            let end = if self.noise.is_empty() { "" } else { "\n" };
            self.noise.extend([end, noise]);
        }
    }

    /// What was said, and is no reply.
    pub fn unheard(&self) -> String {
        let mut all = self.noise.clone();
        let rest = self.hearing.unfinished();
        if !all.is_empty() && !rest.is_empty() {
            all.push('\n');
        }
        all + &rest
    }

    /// Is whoever speaks here no FTP server, as far as anybody can tell?
    pub fn is_nonsense(&self) -> bool {
        !self.replied && !self.noise.is_empty()
    }

    /// Has the peer ended the connection behind the last thing that was read? A reply and the end behind it mean something else than
    /// the reply alone. Under TLS nobody can look.
    pub fn is_ended(&self) -> Option<CloseHow> {
        use nix::sys::socket::{MsgFlags, recv};
        let wire = self.wire.as_ref().filter(|wire| wire.tls().is_none() && !self.more)?;
        match recv(wire.socket().as_raw_fd(), &mut [0], MsgFlags::MSG_PEEK | MsgFlags::MSG_DONTWAIT) {
            Ok(0) => Some(CloseHow::Fin),
            Err(nix::errno::Errno::ECONNRESET) => Some(CloseHow::Rst),
            _ => None,
        }
    }

    /// Wakes its task, so that it looks at it again.
    pub fn wake(&self) {
        if let Some(waker) = &self.waker {
            waker.wake_by_ref();
        }
    }
}
