//! The end of connections: timers, last words, closes, and the slot that outlives them.
//!
//! It does not decide who is let in.

use super::policy::{Ending, ReplyId, Timer};
use super::profile::Offence;
use super::session::{Session, Stage};
use super::{Action, Server};
use crate::id::ConnId;
use crate::observe::{Cause, CloseHow, Observation, Phase, Refusal};
use crate::time::{Duration, Instant};

/// How a connection is refused or cut.
#[derive(Clone, Copy)]
pub(super) struct LastWords {
    pub ending: Ending,
    /// The phase, if it is not the one where the connection stands.
    pub phase: Option<Phase>,
    /// The place of the limit in check order, if a limit brought it about.
    pub check: Option<u8>,
    /// A second reply behind the ending's own.
    pub more: Option<ReplyId>,
}

impl From<Ending> for LastWords {
    fn from(ending: Ending) -> Self {
        Self { ending, phase: None, check: None, more: None }
    }
}

impl Server {
    /// The session behind `conn`, if its dialogue is still going on.
    pub(super) fn live(&mut self, conn: ConnId) -> Option<&mut Session> {
        self.sessions
            .get_mut(conn.slot())
            .filter(|s| !matches!(s.stage, Stage::Free | Stage::Ending | Stage::Reaping))
    }

    /// Is `conn` closed, and only its slot not yet free?
    pub(super) fn is_reaping(&self, conn: ConnId) -> bool {
        self.sessions.get(conn.slot()).is_some_and(|s| s.stage == Stage::Reaping)
    }

    /// Refuses or cuts `conn`: its last reply goes out at `at`, and then the connection closes.
    pub(super) fn end(
        &mut self,
        now: Instant,
        at: Instant,
        conn: ConnId,
        last: LastWords,
        out: &mut Vec<Action>,
    ) {
        let LastWords { ending, phase, check, more } = last;
        let session = &mut self.sessions[conn.slot()];
        let phase = phase.unwrap_or(session.phase());
        let code = ending.reply.map_or(0, |reply| self.policy.table.get(reply).code);
        out.push(Action::Observe(Observation::Refused {
            refusal: Refusal { cause: ending.cause, phase, code },
            check,
        }));
        for reply in ending.reply.into_iter().chain(more) {
            out.push(Action::Reply { conn, reply, at });
        }
        self.close_at(now, at, conn, ending.close, Some(ending.cause), out);
    }

    /// Closes `conn` when its last reply is out, at `at`.
    pub(super) fn close_at(
        &mut self,
        now: Instant,
        at: Instant,
        conn: ConnId,
        how: CloseHow,
        cause: Option<Cause>,
        out: &mut Vec<Action>,
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

    fn close_now(&mut self, now: Instant, conn: ConnId, out: &mut Vec<Action>) {
        let session = self.sessions[conn.slot()];
        out.push(Action::Close { conn, how: session.close, cause: session.cause });
        self.release(now, conn, out);
    }

    /// The connection is over: counts it out, and frees its slot or waits until it is reaped.
    fn release(&mut self, now: Instant, conn: ConnId, out: &mut Vec<Action>) {
        let session = self.sessions[conn.slot()];
        if !session.logged_in.is_never() {
            self.logged_in -= 1;
            if let Some(peer) = self.peers.get_mut(session.peer) {
                peer.sessions -= 1;
            }
            self.users[usize::from(session.user.0)] -= 1;
            out.push(Action::Observe(Observation::SessionClosed { opened: session.logged_in }));
        }
        out.push(Action::Observe(Observation::ConnectionClosed { opened: session.opened }));
        self.reap(now, conn, out);
    }

    /// Frees the slot of a connection that is over, after the profile's time to do so.
    pub(super) fn reap(&mut self, now: Instant, conn: ConnId, out: &mut Vec<Action>) {
        let session = &mut self.sessions[conn.slot()];
        session.stage = Stage::Reaping;
        session.ends = now + self.policy.slot_release;
        if session.ends > now {
            let at = session.ends;
            out.push(Action::Arm { conn, at });
        } else {
            self.free(now, conn, out);
        }
    }

    fn free(&mut self, now: Instant, conn: ConnId, out: &mut Vec<Action>) {
        let session = std::mem::replace(&mut self.sessions[conn.slot()], Session::FREE);
        self.slots -= 1;
        if let Some(peer) = self.peers.get_mut(session.peer) {
            peer.connections -= 1;
        }
        let admitted = !session.logged_in.is_never();
        out.push(Action::Observe(Observation::SlotFreed { held: now.since(session.opened), admitted }));
        out.push(Action::Free { conn });
    }

    /// The peer has closed or reset the connection.
    pub(super) fn closed(&mut self, now: Instant, conn: ConnId, out: &mut Vec<Action>) {
        if self.sessions.get(conn.slot()).is_some_and(Session::is_open) {
            self.release(now, conn, out);
        }
    }

    /// Ends every open connection: with `ending` if its dialogue is still going on, and what was ending anyway at once.
    pub(super) fn end_all(&mut self, now: Instant, ending: Ending, out: &mut Vec<Action>) {
        for place in 0..self.sessions.len() {
            let conn = ConnId::new(self.id, place as u32);
            match self.sessions[place].stage {
                Stage::Free | Stage::Reaping => {}
                Stage::Ending => self.close_now(now, conn, out),
                _ => self.end(now, now, conn, ending.into(), out),
            }
        }
    }

    // ---- timers ------------------------------------------------------------------------------------------------

    /// Asks for a firing when the next timer of `conn` is due.
    pub(super) fn arm(&self, conn: ConnId, out: &mut Vec<Action>) {
        let (at, _) = self.next_timer(&self.sessions[conn.slot()]);
        if !at.is_never() {
            out.push(Action::Arm { conn, at });
        }
    }

    pub(super) fn timer_fired(&mut self, now: Instant, conn: ConnId, out: &mut Vec<Action>) {
        let Some(session) = self.sessions.get(conn.slot()) else { return };
        match session.stage {
            Stage::Free => {}
            Stage::Ending | Stage::Reaping if now < session.ends => {
                out.push(Action::Arm { conn, at: session.ends });
            }
            Stage::Ending => self.close_now(now, conn, out),
            Stage::Reaping => self.free(now, conn, out),
            _ => match self.next_timer(session) {
                (at, Some(timer)) if now >= at => self.expire(now, conn, timer, out),
                _ => self.arm(conn, out),
            },
        }
    }

    fn expire(&mut self, now: Instant, conn: ConnId, timer: Timer, out: &mut Vec<Action>) {
        let peer = self.sessions[conn.slot()].peer;
        let late = timer.ending.cause == Cause::LoginTimeout;
        let banned = late && self.offend(now, peer, Offence::LoginTimeout, out);
        self.end(now, now, conn, LastWords { more: self.ban_notice(banned), ..timer.ending.into() }, out);
    }

    /// When the earliest timer of an open connection is due, and which it is. The idle and no-transfer timers rest during a
    /// transfer and begin anew at its end.
    fn next_timer(&self, s: &Session) -> (Instant, Option<Timer>) {
        let policy = &self.policy;
        let due = |from: Instant, timer: Timer| (later(from, timer.after, policy.lateness), Some(timer));
        let earlier = |a: (Instant, Option<Timer>), b: Option<(Instant, Option<Timer>)>| match b {
            Some(b) if b.0 < a.0 => b,
            _ => a,
        };
        if s.logged_in.is_never() {
            let Some(timer) = policy.login_timer else { return (Instant::NEVER, None) };
            return due(if timer.rearmed_by_command { s.last_command } else { s.opened }, timer);
        }
        let session = policy.session_timer.map(|timer| due(s.logged_in, timer));
        if s.stage == Stage::Transfer {
            return session.unwrap_or((Instant::NEVER, None));
        }
        let no_transfer = policy.no_transfer_timer.map(|timer| due(s.last_transfer, timer));
        let idle = policy.idle_timer.map(|timer| due(s.last_command, timer));
        earlier(earlier(idle.unwrap_or((Instant::NEVER, None)), no_transfer), session)
    }
}

/// `from` plus `after` plus the lateness of the server's timers; never, if the timer is off.
fn later(from: Instant, after: Duration, lateness: Duration) -> Instant {
    if after.is_forever() { Instant::NEVER } else { from + after + lateness }
}
