//! The end of connections: last words, closes, and the slot that outlives them.
//!
//! It does not decide who is let in, nor when a timer is due.

use super::host::Work;
use super::policy::Ending;
use super::profile::{Lasting, Offence};
use super::session::{Session, Stage};
use super::tls::Guard;
use super::{Action, Server};
use crate::id::ConnId;
use crate::observe::{Cause, CloseHow, Observation, Phase, Refusal};
use crate::outbox::Outbox;
use crate::time::Instant;

/// How a connection is refused or cut.
#[derive(Clone, Copy)]
pub(super) struct LastWords {
    pub ending: Ending,
    /// The phase, if it is not the one where the connection stands.
    pub phase: Option<Phase>,
    /// The place of the limit in check order, if a limit brought it about.
    pub check: Option<u8>,
    /// Has it just brought about a ban?
    pub banned: bool,
}

impl From<Ending> for LastWords {
    fn from(ending: Ending) -> Self {
        Self { ending, phase: None, check: None, banned: false }
    }
}

impl Server {
    /// The session behind `conn`, if its dialogue is still going on.
    #[inline(always)]
    pub(super) fn live(&mut self, conn: ConnId) -> Option<&mut Session> {
        self.sessions.get_mut(conn.slot()).filter(|s| s.is_open() && s.stage != Stage::Ending)
    }

    /// Is `conn` over, and only its slot not yet free?
    pub(super) fn is_reaping(&self, conn: ConnId) -> bool {
        self.sessions.get(conn.slot()).is_some_and(|s| !s.is_open() && s.stage != Stage::Free)
    }

    /// Refuses or cuts `conn`: its last reply goes out at `at`, and then the connection closes.
    pub(super) fn end(
        &mut self,
        now: Instant,
        at: Instant,
        conn: ConnId,
        last: LastWords,
        out: &mut impl Outbox<Action>,
    ) {
        let LastWords { mut ending, phase, check, mut banned } = last;
        let session = &self.sessions[conn.slot()];
        let (phase, who) = (phase.unwrap_or(session.phase()), session.who());
        if let Some(offence) = Offence::of(ending.cause) {
            banned |= self.offend(now, conn, who, offence, out);
        }
        let mut notice = None;
        if let Some(rule) = self.policy.ban.as_ref().filter(|_| banned) {
            if let Some(trigger) = rule.trigger {
                ending = trigger;
            } else if rule.tells_offender {
                notice = rule.ending.reply;
            }
        }
        let turn = if ending.reply.is_some() { self.turn(at, conn) } else { at };
        let at = turn + ending.delay;
        let code = ending.reply.map_or(0, |reply| self.policy.table.get(reply).code);
        out.push(Action::Observe(Observation::Refused {
            refusal: Refusal { cause: ending.cause, phase, code },
            check,
        }));
        for reply in ending.reply.into_iter().chain(ending.then).chain(notice) {
            out.push(Action::Reply { conn, reply, at });
        }
        if ending.close == CloseHow::None {
            self.go_on(now, at, conn, out);
            return;
        }
        if self.sessions[conn.slot()].stage == Stage::Transfer {
            self.drop_data(now, conn, out);
        }
        self.close_at(now, at, conn, ending.close, Some(ending.cause), out);
    }

    /// A refusal that leaves the session as it was, but for what it was about.
    fn go_on(&mut self, now: Instant, at: Instant, conn: ConnId, out: &mut impl Outbox<Action>) {
        let session = &mut self.sessions[conn.slot()];
        match session.stage {
            Stage::Transfer => {
                self.drop_data(now, conn, out);
                self.leave_transfer(now, conn);
            }
            Stage::Named => session.stage = Stage::Rejected,
            _ => {}
        }
        let session = &mut self.sessions[conn.slot()];
        session.ends = at;
        session.last_command = at;
        self.arm(conn, out);
    }

    /// Closes `conn` when its last reply is out, at `at`.
    pub(super) fn close_at(
        &mut self,
        now: Instant,
        at: Instant,
        conn: ConnId,
        how: CloseHow,
        cause: Option<Cause>,
        out: &mut impl Outbox<Action>,
    ) {
        let session = &mut self.sessions[conn.slot()];
        session.close = how;
        session.cause = cause;
        if at > now {
            session.stage = Stage::Ending;
            session.ends = at;
            out.push(Action::Arm { conn, at });
        } else {
            self.close_now(now, conn, out);
        }
    }

    pub(super) fn close_now(&mut self, now: Instant, conn: ConnId, out: &mut impl Outbox<Action>) {
        let session = self.sessions[conn.slot()];
        out.push(Action::Close { conn, how: session.close, cause: session.cause });
        self.release(now, conn, out);
    }

    /// The connection is over: counts it out, and frees its slot or waits until it is reaped.
    fn release(&mut self, now: Instant, conn: ConnId, out: &mut impl Outbox<Action>) {
        self.release_data(now, conn);
        self.forget_side(conn);
        let session = self.sessions[conn.slot()];
        if !session.logged_in.is_never() {
            self.count_session(session.who(), false);
            out.push(Action::Observe(Observation::SessionClosed { opened: session.logged_in }));
        }
        out.push(Action::Observe(Observation::ConnectionClosed { opened: session.opened }));
        self.reap(now, conn, self.policy.process.release, Stage::Reaping, out);
    }

    /// All is said to a connection that a process of its own has turned away: that process ends, too.
    pub(super) fn close_refused(&mut self, now: Instant, conn: ConnId, out: &mut impl Outbox<Action>) {
        let Session { close, cause, .. } = self.sessions[conn.slot()];
        out.push(Action::Close { conn, how: close, cause });
        self.reap(now, conn, self.policy.process.refused_release, Stage::Refused, out);
    }

    /// Frees the slot of a connection that is over, after the profile's time to do so.
    fn reap(
        &mut self,
        now: Instant,
        conn: ConnId,
        time: Lasting,
        stage: Stage,
        out: &mut impl Outbox<Action>,
    ) {
        let at = self.work_lasting(now, time, conn, Work::Reap);
        let session = &mut self.sessions[conn.slot()];
        session.stage = stage;
        session.ends = at;
        if at > now {
            out.push(Action::Arm { conn, at });
        } else {
            self.free(now, conn, out);
        }
    }

    pub(super) fn free(&mut self, now: Instant, conn: ConnId, out: &mut impl Outbox<Action>) {
        self.listener.recent.expire(now, &self.sessions); // before one of them is no longer alive
        let session = std::mem::replace(&mut self.sessions[conn.slot()], Session::FREE);
        self.guards.set(conn, Guard::None);
        self.slots -= 1;
        if session.stage == Stage::Refused {
            self.count_refused(session.who(), false);
        }
        self.listener.recent.ended(now, session.opened);
        self.peers.change(session.peer, |peer| peer.connections -= 1);
        if let Some(class) = self.classes.get_mut(session.class) {
            class.connections -= 1;
        }
        let admitted = !session.logged_in.is_never();
        out.push(Action::Observe(Observation::SlotFreed { held: now.since(session.opened), admitted }));
        out.push(Action::Free { conn });
        self.process_ended(now, out);
    }

    /// The peer has closed or reset the connection.
    pub(super) fn closed(&mut self, now: Instant, conn: ConnId, out: &mut impl Outbox<Action>) {
        if self.sessions.get(conn.slot()).is_some_and(Session::is_open) {
            self.release(now, conn, out);
        } else {
            self.leaves_queue(conn);
        }
    }

    /// Ends every open connection: with `ending` if its dialogue is still going on, and what was ending anyway at once.
    pub(super) fn end_all(&mut self, now: Instant, ending: Ending, out: &mut impl Outbox<Action>) {
        for place in 0..self.sessions.len() {
            self.end_whatever(now, ConnId::new(self.id, place as u32), ending, out);
        }
    }

    /// The same for one connection, wherever it stands.
    pub(super) fn end_whatever(
        &mut self,
        now: Instant,
        conn: ConnId,
        ending: Ending,
        out: &mut impl Outbox<Action>,
    ) {
        match self.sessions[conn.slot()].stage {
            Stage::Free | Stage::Reaping | Stage::Refused => {}
            Stage::Refusing => self.close_refused(now, conn, out),
            Stage::Ending => self.close_now(now, conn, out),
            _ => self.end(now, now, conn, ending.into(), out),
        }
    }
}
