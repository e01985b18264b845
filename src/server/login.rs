//! Logging in: USER, PASS, wrong passwords and their price, and the bans that they lead to.
//!
//! It does not decide who may connect.

use super::ending::LastWords;
use super::host::Work;
use super::policy::{Ending, ReplyId};
use super::profile::{BanBy, CutsLive, Hammer, Offence, Stage as CheckStage};
use super::session::{NO_VERDICT, Session, Stage, Who};
use super::{Action, Server};
use crate::ftp::ArgId;
use crate::id::{ConnId, PeerId, UserId};
use crate::observe::{Cause, CloseHow, Observation, Phase};
use crate::outbox::Outbox;
use crate::rng::unit;
use crate::time::{Duration, Instant};

/// What a failed login meets.
#[derive(Clone, Copy)]
struct Failure {
    /// The reply, unless the attempt was the last.
    reply: ReplyId,
    /// The end of the session, if it was.
    last: Ending,
    /// What has brought it about, if that was not the password.
    refusal: Option<(Ending, Option<u8>)>,
    /// Is the answer as late as that to a wrong password, and an offence?
    punished: bool,
}

impl Server {
    pub(super) fn name_user(
        &mut self,
        now: Instant,
        at: Instant,
        conn: ConnId,
        user: ArgId,
        out: &mut impl Outbox<Action>,
    ) {
        if self.demands_tls(now, at, conn, out) {
            return;
        }
        let session = &mut self.sessions[conn.slot()];
        session.user = UserId(user.0);
        session.stage = Stage::Named;
        let (who, fails) = (session.who(), session.fails);
        let at = at + self.policy.login.user_delay_growth * u64::from(fails);
        let place = self.exceeded(CheckStage::User, who).and_then(|(_, place)| place);
        self.sessions[conn.slot()].verdict = place.unwrap_or(NO_VERDICT);
        if self.policy.login.denied_at_user && self.policy.login.denies(who.user) {
            self.deny(now, at, conn, out);
        } else if user == ArgId::ANONYMOUS && self.policy.login.anonymous_without_password {
            let at = self.work(now, at, self.policy.login_cost, conn, Work::LogIn);
            self.check_password(now, at, conn, (true, Phase::User), out);
        } else {
            self.answer(conn, self.policy.replies.user, at, out);
        }
    }

    /// The password has come, and is right or not. `phase` is the command that is answered.
    pub(super) fn check_password(
        &mut self,
        now: Instant,
        at: Instant,
        conn: ConnId,
        (right, phase): (bool, Phase),
        out: &mut impl Outbox<Action>,
    ) {
        let session = &self.sessions[conn.slot()];
        let (who, verdict) = (session.who(), session.verdict);
        let at = at + self.policy.login.check_delay_growth * u64::from(session.fails);
        if let Some(check) = self.policy.checks.get(usize::from(verdict)) {
            let ending = check.ending;
            self.refuse_user(now, at, conn, (ending, Some(verdict)), out);
        } else if let Some((ending, check)) = self.exceeded(CheckStage::Password, who) {
            self.end(now, at, conn, LastWords { phase: Some(phase), check, ..ending.into() }, out);
        } else if let Some((ending, faked)) = self.banned_at_password(now, who) {
            if faked {
                self.refuse_user(now, at, conn, (ending, None), out);
            } else {
                self.end(now, at, conn, LastWords { phase: Some(phase), ..ending.into() }, out);
            }
        } else if self.policy.login.denies(who.user) {
            self.deny(now, at, conn, out);
        } else if right {
            self.log_in(now, at, conn, phase, out);
        } else {
            let login = &self.policy.login;
            let failure =
                Failure { reply: login.failed, last: login.exhausted, refusal: None, punished: true };
            self.fail(now, at, conn, failure, out);
        }
    }

    /// The user is who he says: lets him in, unless a limit has no room.
    fn log_in(
        &mut self,
        now: Instant,
        at: Instant,
        conn: ConnId,
        phase: Phase,
        out: &mut impl Outbox<Action>,
    ) {
        let who = self.sessions[conn.slot()].who();
        if let Some((ending, check)) = self.exceeded(CheckStage::Login, who) {
            self.end(now, at, conn, LastWords { phase: Some(phase), check, ..ending.into() }, out);
            return;
        }
        let session = &mut self.sessions[conn.slot()];
        session.stage = Stage::Session;
        session.logged_in = now;
        session.last_transfer = now;
        self.count_session(who, true);
        if let Some(rule) = &self.policy.ban {
            self.bans.succeeded(who, now, rule);
        }
        out.push(Action::Observe(Observation::SessionOpened));
        self.answer(conn, self.policy.replies.pass, at, out);
    }

    /// REIN: the session is over, and the connection is as after the greeting (RFC 959 section 4.1.1), but that wrong passwords stay
    /// counted.
    pub(super) fn log_out(&mut self, now: Instant, at: Instant, conn: ConnId, out: &mut impl Outbox<Action>) {
        self.drop_data(now, conn, out);
        self.forget_side(conn);
        let session = &mut self.sessions[conn.slot()];
        let (who, logged_in) = (session.who(), session.logged_in);
        session.stage = Stage::Greeted;
        session.logged_in = Instant::NEVER;
        session.idling_since = Instant::NEVER;
        session.last_transfer = at; // from here on the login timer runs
        session.verdict = NO_VERDICT;
        self.count_session(who, false);
        self.sessions[conn.slot()].user = UserId::default();
        out.push(Action::Observe(Observation::SessionClosed { opened: logged_in }));
        self.answer(conn, self.policy.replies.told, at, out);
    }

    /// A logged-in session begins or ends.
    pub(super) fn count_session(&mut self, who: Who, more: bool) {
        let change = |count: &mut u32| if more { *count += 1 } else { *count -= 1 };
        change(&mut self.logged_in);
        let peer = self.peers.change(who.peer, |peer| change(&mut peer.sessions));
        let host = peer.is_some_and(|peer| peer.sessions == u32::from(more));
        if host {
            change(&mut self.hosts_in);
        }
        if let Some(class) = self.classes.get_mut(who.class) {
            change(&mut class.sessions);
            if host {
                // An address that changes its class is against the rules, and must not break the books.
                class.hosts = if more { class.hosts + 1 } else { class.hosts.saturating_sub(1) };
            }
        }
        let place = usize::from(who.user.0);
        if place >= self.users.len() {
            self.users.resize(place + 1, 0);
        }
        change(&mut self.users[place]);
        if more {
            self.hosts.logged_in(who);
        } else {
            self.hosts.logged_out(who);
        }
    }

    /// Says what is wrong with a command before login; servers may count that like a wrong password.
    pub(super) fn object(
        &mut self,
        now: Instant,
        at: Instant,
        conn: ConnId,
        reply: ReplyId,
        out: &mut impl Outbox<Action>,
    ) {
        if self.policy.login.errors_count && self.policy.table.get(reply).code >= 500 {
            let last = self.policy.login.exhausted.saying(reply);
            self.fail(now, at, conn, Failure { reply, last, refusal: None, punished: false }, out);
        } else {
            self.answer(conn, reply, at, out);
        }
    }

    /// A user on the list of those who are not welcome.
    fn deny(&mut self, now: Instant, at: Instant, conn: ConnId, out: &mut impl Outbox<Action>) {
        let login = &self.policy.login;
        let last = login.exhausted.saying(login.denied);
        let failure = Failure { reply: login.denied, last, refusal: None, punished: true };
        self.fail(now, at, conn, failure, out);
    }

    /// A user who is refused at PASS as if the password were wrong.
    fn refuse_user(
        &mut self,
        now: Instant,
        at: Instant,
        conn: ConnId,
        (ending, check): (Ending, Option<u8>),
        out: &mut impl Outbox<Action>,
    ) {
        let login = &self.policy.login;
        if ending.close != CloseHow::None {
            self.end(now, at, conn, LastWords { phase: Some(Phase::Pass), check, ..ending.into() }, out);
            return;
        }
        let failure = Failure {
            reply: ending.reply.unwrap_or(login.failed),
            last: Ending { close: login.exhausted.close, ..ending },
            refusal: Some((ending, check)),
            punished: check.is_none(),
        };
        self.fail(now, at, conn, failure, out);
    }

    /// Counts a failed attempt, answers it, and ends the session if it was the last one allowed.
    fn fail(
        &mut self,
        now: Instant,
        at: Instant,
        conn: ConnId,
        failure: Failure,
        out: &mut impl Outbox<Action>,
    ) {
        let allowed = self.policy.login.max_attempts;
        let session = &mut self.sessions[conn.slot()];
        session.fails = session.fails.saturating_add(1);
        session.verdict = NO_VERDICT;
        let (who, fails, opened) = (session.who(), session.fails, session.opened);
        let mut at = at;
        let mut banned = false;
        if failure.punished {
            session.stage = Stage::Rejected;
            at += self.fail_delay(fails, who, opened);
            banned = failure.refusal.is_none() && self.offend(now, conn, who, Offence::BadPassword, out);
        } else if failure.refusal.is_some() {
            session.stage = Stage::Rejected;
        }
        self.sessions[conn.slot()].last_command = at;
        self.hammer(now, conn);
        if allowed > 0 && u32::from(fails) >= allowed {
            let check = failure.refusal.and_then(|(_, check)| check);
            let last = LastWords { phase: Some(Phase::Pass), check, banned, ..failure.last.into() };
            self.end(now, at, conn, last, out);
        } else if let Some((ending, check)) = failure.refusal {
            self.end(now, at, conn, LastWords { phase: Some(Phase::Pass), check, ..ending.into() }, out);
        } else if let Some(ending) = self.first_punishment(banned, failure.reply) {
            self.end(now, at, conn, LastWords { phase: Some(Phase::Pass), ..ending.into() }, out);
        } else {
            self.answer(conn, failure.reply, at, out);
        }
    }

    /// What the session that has just brought about a ban meets although it has attempts left.
    fn first_punishment(&self, banned: bool, reply: ReplyId) -> Option<Ending> {
        let rule = self.policy.ban.as_ref().filter(|_| banned)?;
        rule.trigger.or_else(|| {
            (rule.cuts_live == CutsLive::AtOnce)
                .then(|| Ending::silent(Cause::Banned, CloseHow::Fin).saying(reply))
        })
    }

    /// The wait before the answer to the wrong password number `fails` of a session.
    fn fail_delay(&self, fails: u8, who: Who, opened: Instant) -> Duration {
        let login = &self.policy.login;
        let counter = opened.as_nanos().wrapping_add(u64::from(fails));
        let share = unit(self.streams.delays.word(u64::from(who.peer.0), counter));
        let jitter = Duration::from_nanos((login.fail_delay_jitter.as_nanos() as f64 * share) as u64);
        login.fail_delay + login.fail_delay_growth * u64::from(fails - 1) + jitter
    }

    // ---- hammering ---------------------------------------------------------------------------------------------

    /// Makes the server more reluctant to read from `conn`.
    fn hammer(&mut self, now: Instant, conn: ConnId) {
        let Some(rule) = self.policy.login.hammer else { return };
        let side = self.side_mut(conn);
        side.hammer = (side.hammer - rule.decay * now.since(side.hammered).as_secs_f64()).max(0.0) + rule.add;
        side.hammered = now;
    }

    /// How late the server reads the next command of `conn`.
    #[inline(always)]
    pub(super) fn reluctance(&self, now: Instant, conn: ConnId) -> Duration {
        match &self.policy.login.hammer {
            Some(rule) => self.reluctance_by(rule, now, conn),
            None => Duration::ZERO,
        }
    }

    fn reluctance_by(&self, rule: &Hammer, now: Instant, conn: ConnId) -> Duration {
        let Some(side) = self.side(conn) else { return Duration::ZERO };
        let value = side.hammer - rule.decay * now.since(side.hammered).as_secs_f64();
        if value <= rule.above || side.hammer <= 0.0 {
            return Duration::ZERO;
        }
        Duration::from_secs_f64(libm::pow(rule.base, value / rule.divisor - rule.offset).clamp(0.0, 86_400.0))
    }

    // ---- bans --------------------------------------------------------------------------------------------------

    /// Is `who` refused at accept?
    pub(super) fn banned_at_accept(&mut self, now: Instant, who: Who) -> Option<Ending> {
        if let Some(rule) = self.policy.ban.as_ref().filter(|rule| !rule.at_password)
            && self.bans.is_banned(who, now, rule)
        {
            self.bans.tried_again(who, now, rule);
            return Some(rule.ending);
        }
        let by_hand = self.policy.by_hand;
        (!by_hand.at_password && self.bans.is_banned_by_hand(who.peer, now)).then_some(by_hand.ending)
    }

    fn banned_at_password(&mut self, now: Instant, who: Who) -> Option<(Ending, bool)> {
        if let Some(rule) = self.policy.ban.as_ref().filter(|rule| rule.at_password)
            && self.bans.is_banned(who, now, rule)
        {
            self.bans.tried_again(who, now, rule);
            return Some((rule.ending, rule.as_wrong_password));
        }
        let by_hand = self.policy.by_hand;
        let banned = by_hand.at_password && self.bans.is_banned_by_hand(who.peer, now);
        banned.then_some((by_hand.ending, by_hand.as_wrong_password))
    }

    /// Is `conn` cut at its next command because of a ban?
    #[inline(always)]
    pub(super) fn is_cut_by_ban(&self, now: Instant, conn: ConnId) -> bool {
        let who = || self.sessions[conn.slot()].who();
        let ruled = match &self.policy.ban {
            Some(rule) => rule.cuts_live != CutsLive::Never && self.bans.is_banned(who(), now, rule),
            None => false,
        };
        let by_hand = self.policy.by_hand.cuts_live != CutsLive::Never;
        ruled || (by_hand && self.bans.is_banned_by_hand(who().peer, now))
    }

    /// The administrator bans `peer`. If the profile ends its live sessions at once, so it does here.
    pub(super) fn ban_by_hand(
        &mut self,
        now: Instant,
        peer: PeerId,
        secs: u32,
        out: &mut impl Outbox<Action>,
    ) {
        let until =
            if secs == u32::MAX { Instant::NEVER } else { now + Duration::from_secs(u64::from(secs)) };
        self.bans.ban_by_hand(peer, now, until);
        if self.policy.by_hand.cuts_live == CutsLive::AtOnce {
            let who = Who { peer, user: UserId::default(), class: 0 };
            self.cut_live(now, None, who, BanBy::Address, out);
        }
    }

    /// Counts an offence of `who` on `conn`; true if that brings about a ban.
    pub(super) fn offend(
        &mut self,
        now: Instant,
        conn: ConnId,
        who: Who,
        offence: Offence,
        out: &mut impl Outbox<Action>,
    ) -> bool {
        let Some(rule) = self.policy.ban.as_ref().filter(|rule| rule.offence == offence) else {
            return false;
        };
        let Some(until) = self.bans.offend(who, now, rule) else { return false };
        out.push(Action::Observe(Observation::BanBegan { until }));
        if rule.cuts_live == CutsLive::AtOnce {
            let by = rule.by;
            self.cut_live(now, Some(conn), who, by, out);
        }
        true
    }

    /// Ends the (other) live sessions of somebody who has just been banned.
    fn cut_live(
        &mut self,
        now: Instant,
        but: Option<ConnId>,
        who: Who,
        by: BanBy,
        out: &mut impl Outbox<Action>,
    ) {
        let is_victim = |s: &Session| match by {
            BanBy::Address => s.peer == who.peer,
            BanBy::User => s.user == who.user,
            BanBy::Both => s.peer == who.peer && s.user == who.user,
        };
        for place in 0..self.sessions.len() {
            let conn = ConnId::new(self.id, place as u32);
            if but != Some(conn) && is_victim(&self.sessions[place]) && self.live(conn).is_some() {
                self.end(now, now, conn, Ending::silent(Cause::Banned, CloseHow::Fin).into(), out);
            }
        }
    }
}
