//! A control connection as its shard keeps it: the wire, what was heard of it, and what telling its refusals apart needs.
//!
//! It tells nobody anything.

use std::net::IpAddr;
use std::task::Waker;

use crate::classify::Verdict;
use crate::ftp::{ArgId, Command, Hearing, Verb};
use crate::live::Wire;
use crate::time::Instant;

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
    /// The refusal that the server has said and not yet followed by an end.
    pub said: Option<(u16, Verdict)>,
    /// The port of the last passive reply.
    pub passive: Option<u16>,
    /// Replies that nobody asked for since the last command.
    pub unasked: u32,
    /// Has it said QUIT because the run is over?
    pub leaves: bool,
}

/// What was said last, and when.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Talk {
    /// The command whose reply is still to come.
    pub asked: Option<Verb>,
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
    /// More replies in a row that nobody asked for are nonsense.
    pub const UNASKED: u32 = 1_000;

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
                sent_at: Instant::ZERO,
                busy_at: Instant::ZERO,
                tries: 0,
                mistyped: false,
            },
            said: None,
            passive: None,
            unasked: 0,
            leaves: false,
        }
    }

    /// It was established at `now`.
    pub fn open(&mut self, now: Instant, wire: Wire) {
        self.wire = Some(wire);
        self.opened = now;
        (self.talk.sent_at, self.talk.busy_at) = (now, now);
    }

    /// `command` goes out at `now`.
    pub fn sends(&mut self, now: Instant, command: Command) {
        let talk = &mut self.talk;
        talk.asked = Some(command.verb);
        talk.sent_at = now;
        if !command.verb.is_keep_alive() {
            talk.busy_at = now;
        }
        if command.verb == Verb::Pass {
            talk.tries = talk.tries.saturating_add(1);
            talk.mistyped = command.arg != ArgId::RIGHT_PASSWORD;
        }
        self.said = None;
        self.unasked = 0;
    }

    /// Says QUIT, if it is logged in and not in the middle of something.
    pub fn takes_leave(&mut self) {
        let polite = self.session.is_some() && !self.talk.asked.is_some_and(Verb::is_transfer);
        self.leaves = polite && self.wire.as_mut().is_some_and(|wire| wire.write(b"QUIT\r\n").is_ok());
        self.wake();
    }

    /// Wakes its task, so that it looks at it again.
    pub fn wake(&self) {
        if let Some(waker) = &self.waker {
            waker.wake_by_ref();
        }
    }
}
