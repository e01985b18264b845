//! The listener: the kernel's queue of connections that are not yet accepted, and the loop that accepts them, one after the other.
//!
//! It does not decide who is let in.

use std::collections::VecDeque;

use super::host::Work;
use super::policy::ReplyId;
use super::session::{Session, Stage};
use super::{Action, Server};
use crate::id::{ConnId, PeerId};
use crate::observe::{Cause, CloseHow};
use crate::outbox::Outbox;
use crate::time::{Duration, Instant};

/// A connection that waits to be accepted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Waiting {
    pub conn: ConnId,
    pub peer: PeerId,
    pub class: u8,
    /// Has its client closed or reset it? The kernel keeps it in the queue all the same.
    pub gone: bool,
    /// Does TLS begin with the first byte?
    pub tls: bool,
    /// Has its client begun the handshake?
    pub hello: bool,
}

/// The listening socket and its loop.
#[derive(Clone, Debug)]
pub(super) struct Listener {
    queue: VecDeque<Waiting>,
    /// One more than this may wait.
    pub backlog: u32,
    /// When the loop is done with the last one.
    free_at: Instant,
    /// Until when it stalls, and from when on a signal may end that.
    stalls_until: Instant,
    woken_from: Instant,
    /// Is the socket open and nobody there who accepts from it?
    pub orphaned: bool,
    /// From then on it listens again, and until the second time a new connection is told to wait.
    up_at: Instant,
    pub ready_at: Instant,
    /// The last reply that told somebody so, and the minutes in it.
    not_ready: Option<(u64, ReplyId)>,
    pub recent: Recent,
}

impl Listener {
    pub(super) fn new(backlog: u32, window: Option<Duration>) -> Self {
        Self {
            queue: VecDeque::new(),
            backlog,
            free_at: Instant::ZERO,
            stalls_until: Instant::ZERO,
            woken_from: Instant::ZERO,
            orphaned: false,
            up_at: Instant::ZERO,
            ready_at: Instant::ZERO,
            not_ready: None,
            recent: Recent { window, forks: VecDeque::new(), alive: 0 },
        }
    }

    /// Whoever was busy or stalled is gone.
    pub(super) fn forget_work(&mut self, now: Instant) {
        self.free_at = self.free_at.min(now);
        self.stalls_until = self.stalls_until.min(now);
    }

    /// It listens (again), and is ready at `ready_at`.
    pub(super) fn up(&mut self, now: Instant, ready_at: Instant) {
        (self.up_at, self.ready_at) = (now, ready_at);
    }

    /// When the server has time for a connection that was accepted at `opened`: at once, unless it was told to wait.
    pub(super) fn attends(&self, opened: Instant) -> Instant {
        if opened >= self.up_at { opened.max(self.ready_at) } else { opened }
    }

    /// Nothing is accepted before `at`.
    pub(super) fn busy_until(&mut self, at: Instant) {
        self.free_at = self.free_at.max(at);
    }

    /// A process has ended at `now`: nothing is accepted for the time of `stall`. Another one that ends meanwhile cuts the stall
    /// short, though not below a half: ProFTPD sleeps twice, and a signal ends a sleep, or keeps the second from beginning.
    fn stall(&mut self, now: Instant, stall: Duration) {
        if self.stalls_until <= now {
            self.stalls_until = now + stall;
            self.woken_from = now + Duration::from_nanos(stall.as_nanos() / 2);
        } else {
            self.stalls_until = self.stalls_until.min(self.woken_from.max(now));
        }
    }

    /// When the loop can take the next one.
    fn free_at(&self) -> Instant {
        self.free_at.max(self.stalls_until)
    }
}

/// The processes that were forked within a window and are still alive. Without a window none are remembered.
#[derive(Clone, Debug)]
pub(super) struct Recent {
    window: Option<Duration>,
    /// When each was forked, in order, those that have ended meanwhile included.
    forks: VecDeque<(Instant, ConnId)>,
    alive: u32,
}

impl Recent {
    /// How many there are, once [`Recent::expire`] has run.
    pub(super) const fn alive(&self) -> u32 {
        self.alive
    }

    fn is_alive(sessions: &[Session], (forked, conn): (Instant, ConnId)) -> bool {
        sessions.get(conn.slot()).is_some_and(|s| s.stage != Stage::Free && s.opened == forked)
    }

    /// Forgets those whose window is over at `now`.
    pub(super) fn expire(&mut self, now: Instant, sessions: &[Session]) {
        let Some(window) = self.window else { return };
        while let Some(fork) = self.forks.front().copied().filter(|(forked, _)| *forked + window <= now) {
            self.forks.pop_front();
            self.alive = self.alive.saturating_sub(u32::from(Self::is_alive(sessions, fork)));
        }
    }

    pub(super) fn forked(&mut self, now: Instant, conn: ConnId, sessions: &[Session]) {
        if self.window.is_none() {
            return;
        }
        if self.forks.len() > 2 * self.alive as usize + 64 {
            self.forks.retain(|fork| Self::is_alive(sessions, *fork)); // bounded by those that live
        }
        self.forks.push_back((now, conn));
        self.alive += 1;
    }

    /// A process that was forked at `forked` has ended.
    pub(super) fn ended(&mut self, now: Instant, forked: Instant) {
        if self.window.is_some_and(|window| forked + window > now) {
            self.alive = self.alive.saturating_sub(1);
        }
    }
}

impl Server {
    /// Has the kernel's queue room for one more connection? If not, it drops the SYN, and the client's kernel tries again later.
    pub fn has_room(&self, _now: Instant) -> bool {
        self.listener.queue.len() as u64 <= u64::from(self.listener.backlog)
    }

    /// How many connections wait to be accepted.
    pub fn queue_length(&self) -> usize {
        self.listener.queue.len()
    }

    /// The backlog in force: one more than this may wait.
    pub fn backlog(&self) -> u32 {
        self.listener.backlog
    }

    /// Does nobody accept, although the socket is open?
    fn accepts_nothing(&self) -> bool {
        self.hung || self.listener.orphaned
    }

    /// The handshake with `waiting` is complete: it is accepted at once if the loop is free, and else waits.
    pub(super) fn arrive(&mut self, now: Instant, waiting: Waiting, out: &mut impl Outbox<Action>) {
        let listener = &mut self.listener;
        if listener.queue.is_empty() && listener.free_at() <= now && !self.hung && !listener.orphaned {
            self.take(now, waiting, out);
        } else if self.has_room(now) {
            self.listener.queue.push_back(waiting);
            self.arm_server(now, out);
        } else {
            reset(waiting.conn, out); // its driver did not ask
        }
    }

    /// Takes `waiting` out of the kernel's hands.
    fn take(&mut self, now: Instant, waiting: Waiting, out: &mut impl Outbox<Action>) {
        let Waiting { conn, peer, class, gone, tls, hello } = waiting;
        let accept = self.policy.process.accept;
        if !accept.mean.is_zero() {
            self.listener.free_at = self.work_lasting(now, accept, conn, Work::Accept);
        }
        self.accept(now, conn, (peer, class, tls), out);
        if hello {
            self.tls_hello(now, conn, out);
        }
        if gone {
            self.closed(now, conn, out);
        }
    }

    /// Accepts what can be accepted at `now`, and asks for a firing if more waits.
    pub(super) fn accept_waiting(&mut self, now: Instant, out: &mut impl Outbox<Action>) {
        while self.listener.free_at() <= now && !self.accepts_nothing() {
            let Some(waiting) = self.listener.queue.pop_front() else { break };
            self.take(now, waiting, out);
        }
        self.arm_server(now, out);
    }

    /// Does `conn` wait to be accepted?
    pub(super) fn waits_in_queue(&self, conn: ConnId) -> bool {
        self.listener.queue.iter().any(|waiting| waiting.conn == conn)
    }

    /// The client of a connection that may still wait has begun its TLS handshake.
    pub(super) fn hello_in_queue(&mut self, conn: ConnId) {
        if let Some(waiting) = self.listener.queue.iter_mut().find(|waiting| waiting.conn == conn) {
            waiting.hello = true;
        }
    }

    /// The client of a connection that may still wait has left.
    pub(super) fn leaves_queue(&mut self, conn: ConnId) {
        if let Some(waiting) = self.listener.queue.iter_mut().find(|waiting| waiting.conn == conn) {
            waiting.gone = true;
        }
    }

    /// The listening socket is closed: the kernel resets whoever waits.
    pub(super) fn reset_waiting(&mut self, out: &mut impl Outbox<Action>) {
        for waiting in self.listener.queue.drain(..) {
            self.backlog.forget(waiting.conn);
            reset(waiting.conn, out);
        }
    }

    /// A process has ended: what waited for its descriptors can be accepted, and the loop of some servers stalls for it.
    pub(super) fn process_ended(&mut self, now: Instant, out: &mut impl Outbox<Action>) {
        let stall = self.policy.process.stall_after_exit;
        if !stall.is_zero() {
            self.listener.stall(now, stall);
        }
        if !self.listener.queue.is_empty() {
            self.arm_server(now, out);
        }
    }

    /// Asks for the next firing of the server as a whole, if it needs one.
    pub(super) fn arm_server(&self, now: Instant, out: &mut impl Outbox<Action>) {
        let mut at = self.down.next();
        if !self.listener.queue.is_empty() && !self.accepts_nothing() {
            at = at.min(self.listener.free_at().max(now));
        }
        if !at.is_never() {
            out.push(Action::ArmServer { at });
        }
    }

    /// The 120 that a connection hears at `now`, with the minutes that are left, rounded up; `None` if the server is ready.
    pub(super) fn not_ready(&mut self, now: Instant) -> Option<ReplyId> {
        const MINUTE: u64 = 60_000_000_000;
        if self.listener.ready_at <= now {
            return None;
        }
        let minutes = self.listener.ready_at.since(now).as_nanos().div_ceil(MINUTE);
        if let Some((_, reply)) = self.listener.not_ready.filter(|(told, _)| *told == minutes) {
            return Some(reply);
        }
        let reply = self.policy.table.add_not_ready(&self.policy.process.down.not_ready, minutes)?;
        self.listener.not_ready = Some((minutes, reply));
        Some(reply)
    }
}

/// The kernel resets a connection that was never accepted.
fn reset(conn: ConnId, out: &mut impl Outbox<Action>) {
    out.push(Action::Close { conn, how: CloseHow::Rst, cause: Some(Cause::Reset) });
    out.push(Action::Free { conn });
}
