//! Admission: who is let in at accept, who at login, and who is sent away.
//!
//! It does not end sessions that were let in.

use super::policy::{Ending, ReplyId};
use super::profile::{Counts, Offence, Per, Stage as CheckStage};
use super::session::{Session, Stage};
use super::{Action, Server};
use crate::ftp::ArgId;
use crate::id::{ConnId, PeerId, UserId};
use crate::observe::{Observation, Phase, Refusal};
use crate::rng::unit;
use crate::server::ending::LastWords;
use crate::time::{Duration, Instant};

/// An ending and the place of the check that brought it about.
type Verdict = (Ending, Option<u8>);

impl Server {
    pub(super) fn accept(&mut self, now: Instant, conn: ConnId, peer: PeerId, out: &mut Vec<Action>) {
        let place = conn.slot();
        if place >= self.sessions.len() {
            self.sessions.resize(place + 1, Session::FREE);
        }
        self.offend(now, peer, Offence::Connect, out);
        if let Some(verdict) = self.refused_at_accept(now, peer) {
            self.turn_away(now, conn, peer, verdict, out);
            return;
        }
        let at = now + self.policy.greeting_cost;
        self.sessions[place] = Session::accepted(now, peer, at);
        self.take_slot(peer);
        out.push(Action::Observe(Observation::ConnectionOpened));
        self.answer(conn, self.policy.replies.greeting, at, out);
    }

    fn refused_at_accept(&self, now: Instant, peer: PeerId) -> Option<Verdict> {
        if self.announcing
            && let Some(ending) = self.policy.shutdown_new
        {
            return Some((ending, None));
        }
        if let Some(ban) = &self.policy.ban
            && self.peers.is_banned(peer, now)
        {
            return Some((ban.ending, None));
        }
        self.exceeded(CheckStage::Accept, peer, UserId(0))
    }

    /// The first limit of `stage` that has no room for one more.
    fn exceeded(&self, stage: CheckStage, peer: PeerId, user: UserId) -> Option<Verdict> {
        let checks = self.policy.checks.iter().enumerate();
        checks.filter(|(_, check)| check.stage == stage && check.limit != u32::MAX).find_map(
            |(place, check)| {
                let present = match (check.per, check.counts) {
                    (Per::Server, Counts::Sessions) => self.logged_in,
                    (Per::Address, Counts::Sessions) => self.peers.sessions(peer),
                    (Per::User, _) => self.users.get(usize::from(user.0)).copied().unwrap_or(0),
                    (Per::Address, _) => self.peers.connections(peer),
                    _ => self.slots,
                };
                // At accept the new connection has no slot yet; at login the new session is not yet counted.
                (present >= check.limit).then_some((check.ending, u8::try_from(place).ok()))
            },
        )
    }

    /// Refuses a connection at accept. It may hold a slot until its child is reaped.
    fn turn_away(
        &mut self,
        now: Instant,
        conn: ConnId,
        peer: PeerId,
        verdict: Verdict,
        out: &mut Vec<Action>,
    ) {
        let (ending, check) = verdict;
        let (phase, code) = match ending.reply {
            Some(reply) => (Phase::Greeting, self.policy.table.get(reply).code),
            None => (Phase::Accept, 0),
        };
        out.push(Action::Observe(Observation::Refused {
            refusal: Refusal { cause: ending.cause, phase, code },
            check,
        }));
        if let Some(reply) = ending.reply {
            out.push(Action::Reply { conn, reply, at: now });
        }
        out.push(Action::Close { conn, how: ending.close, cause: Some(ending.cause) });
        if ending.forks {
            self.sessions[conn.slot()] = Session::accepted(now, peer, now);
            self.take_slot(peer);
            self.reap(now, conn, out);
        } else {
            out.push(Action::Free { conn });
        }
    }

    fn take_slot(&mut self, peer: PeerId) {
        self.slots += 1;
        if let Some(peer) = self.peers.get_mut(peer) {
            peer.connections += 1;
        }
    }

    pub(super) fn name_user(
        &mut self,
        now: Instant,
        conn: ConnId,
        user: ArgId,
        at: Instant,
        out: &mut Vec<Action>,
    ) {
        let session = &mut self.sessions[conn.slot()];
        session.user = UserId(user.0);
        session.stage = Stage::Named;
        if user == ArgId::ANONYMOUS && self.policy.login.anonymous_without_password {
            self.log_in(now, conn, Phase::User, out);
        } else {
            self.answer(conn, self.policy.replies.user, at, out);
        }
    }

    /// The user is who he says: lets him in, unless a limit has no room. `phase` is the command that this answers.
    pub(super) fn log_in(&mut self, now: Instant, conn: ConnId, phase: Phase, out: &mut Vec<Action>) {
        let at = now + self.policy.login_cost;
        let Session { peer, user, .. } = self.sessions[conn.slot()];
        if let Some((ending, check)) = self.exceeded(CheckStage::Login, peer, user) {
            self.end(now, at, conn, LastWords { phase: Some(phase), check, ..ending.into() }, out);
            return;
        }
        let session = &mut self.sessions[conn.slot()];
        session.stage = Stage::Session;
        session.logged_in = now;
        session.last_transfer = now;
        self.logged_in += 1;
        if let Some(peer) = self.peers.get_mut(peer) {
            peer.sessions += 1;
        }
        let place = usize::from(user.0);
        if place >= self.users.len() {
            self.users.resize(place + 1, 0);
        }
        self.users[place] += 1;
        out.push(Action::Observe(Observation::SessionOpened));
        self.answer(conn, self.policy.replies.pass, at, out);
    }

    /// Answers a wrong password, late, and ends the session if it was the last one allowed.
    pub(super) fn reject(&mut self, now: Instant, conn: ConnId, out: &mut Vec<Action>) {
        let session = &mut self.sessions[conn.slot()];
        session.fails = session.fails.saturating_add(1);
        session.stage = Stage::Rejected;
        let (fails, peer, opened) = (session.fails, session.peer, session.opened);
        let at = now + self.fail_delay(fails, peer, opened);
        self.sessions[conn.slot()].last_command = at;
        let mut banned = self.offend(now, peer, Offence::BadPassword, out);
        let allowed = self.policy.login.max_attempts;
        if allowed == 0 || u32::from(fails) < allowed {
            self.answer(conn, self.policy.login.failed, at, out);
            return;
        }
        banned |= self.offend(now, peer, Offence::LoginAttempts, out);
        let ending = self.policy.login.exhausted;
        self.end(now, at, conn, LastWords { more: self.ban_notice(banned), ..ending.into() }, out);
    }

    /// The wait before the answer to the wrong password number `fails` of a session.
    fn fail_delay(&self, fails: u8, peer: PeerId, opened: Instant) -> Duration {
        let login = &self.policy.login;
        let counter = opened.as_nanos().wrapping_add(u64::from(fails));
        let share = unit(self.streams.delays.word(u64::from(peer.0), counter));
        let jitter = Duration::from_nanos((login.fail_delay_jitter.as_nanos() as f64 * share) as u64);
        login.fail_delay + login.fail_delay_growth * u64::from(fails - 1) + jitter
    }

    /// Counts an offence of `peer`; true if it is banned for it.
    pub(super) fn offend(
        &mut self,
        now: Instant,
        peer: PeerId,
        offence: Offence,
        out: &mut Vec<Action>,
    ) -> bool {
        let Some(rule) = self.policy.ban.as_ref().filter(|rule| rule.offence == offence) else {
            return false;
        };
        let banned = self.peers.offend(peer, now, rule);
        if let Some(until) = banned {
            out.push(Action::Observe(Observation::BanBegan { until }));
        }
        banned.is_some()
    }

    /// What a session that has just brought about a ban is told about it.
    pub(super) fn ban_notice(&self, banned: bool) -> Option<ReplyId> {
        self.policy
            .ban
            .as_ref()
            .filter(|rule| banned && rule.tells_offender)
            .and_then(|rule| rule.ending.reply)
    }
}
