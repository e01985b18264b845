//! Admission: who is let in at accept and who is sent away, and what limits find present.
//!
//! It logs nobody in, and does not end sessions that were let in.

use super::host::{Lack, Work};
use super::policy::{Check, Ending};
use super::profile::{Counts, Offence, Per, Stage as CheckStage, Whom};
use super::session::{Session, Stage, Who};
use super::{Action, Control, DENIED, Server};
use crate::ftp::ArgId;
use crate::id::{ConnId, PeerId, UserId};
use crate::observe::{Cause, CloseHow, Observation, Phase, Refusal};
use crate::outbox::Outbox;
use crate::time::Instant;

/// An ending and the place of the check that brought it about.
type Verdict = (Ending, Option<u8>);

impl Server {
    pub(super) fn accept(
        &mut self,
        now: Instant,
        conn: ConnId,
        (peer, class, tls): (PeerId, u8, bool),
        out: &mut impl Outbox<Action>,
    ) {
        let who = Who { peer, user: UserId::default(), class };
        let place = conn.slot();
        if place >= self.sessions.len() {
            self.sessions.resize(place + 1, Session::FREE);
        }
        let banned = self.offend(now, conn, who, Offence::Connect, out);
        self.listener.recent.expire(now, &self.sessions);
        self.host.sample(now);
        let lack = self.lack();
        if lack == Some(Lack::Memory) && self.policy.process.crashes {
            self.control(now, Control::StopListening, out);
            self.crash(now, out);
            out.push(Action::Close { conn, how: CloseHow::Rst, cause: Some(Cause::ResourceExhausted) });
            out.push(Action::Free { conn });
            return;
        }
        let no_room = lack.map(|_| (self.policy.process.no_room, None));
        if let Some(verdict) = no_room.or_else(|| self.refused_at_accept(now, who)) {
            self.turn_away(now, conn, who, (verdict, banned), out);
            return;
        }
        let at = if tls { now } else { self.prepare_greeting(now, conn, out) };
        self.sessions[place] = Session::accepted(now, peer, class, at);
        self.take_slot(now, conn, who);
        out.push(Action::Observe(Observation::ConnectionOpened));
        if tls {
            self.await_handshake(now, conn, out);
        } else {
            self.answer(conn, self.policy.replies.greeting, at, out);
        }
    }

    /// When the 220 goes out. A server that is not ready says so first.
    fn prepare_greeting(&mut self, now: Instant, conn: ConnId, out: &mut impl Outbox<Action>) -> Instant {
        let at = self.work(now, now, self.policy.greeting_cost, conn, Work::Greet);
        let Some(wait) = self.not_ready(now) else { return at };
        out.push(Action::Reply { conn, reply: wait, at });
        at.max(self.listener.ready_at)
    }

    /// Greets a connection whose TLS handshake is complete.
    pub(super) fn greet(&mut self, now: Instant, conn: ConnId, out: &mut impl Outbox<Action>) {
        let at = self.prepare_greeting(now, conn, out);
        let session = &mut self.sessions[conn.slot()];
        session.stage = Stage::Greeted;
        session.last_command = at;
        self.answer(conn, self.policy.replies.greeting, at, out);
    }

    fn refused_at_accept(&mut self, now: Instant, who: Who) -> Option<Verdict> {
        if self.down.announces(now)
            && let Some(ending) = self.policy.process.down.new
        {
            return Some((ending, None));
        }
        if who.class == DENIED
            && let Some(ending) = self.policy.login.denied_address
        {
            return Some((ending, None));
        }
        if let Some(ending) = self.banned_at_accept(now, who) {
            return Some((ending, None));
        }
        self.exceeded(CheckStage::Accept, who)
    }

    /// The first limit of `stage` that has no room for one more.
    #[inline]
    pub(super) fn exceeded(&self, stage: CheckStage, who: Who) -> Option<Verdict> {
        if self.checked[stage as usize] { self.first_exceeded(stage, who) } else { None }
    }

    fn first_exceeded(&self, stage: CheckStage, who: Who) -> Option<Verdict> {
        let checks = self.policy.checks.iter().enumerate();
        checks
            .filter(|(_, check)| check.stage == stage && check.limit != u32::MAX)
            .filter(|(_, check)| concerns(check, who))
            .find(|(_, check)| check.is_met_by(self.present(check, who)))
            .map(|(place, check)| (check.ending, u8::try_from(place).ok()))
    }

    /// How many of what `check` counts there are besides the newcomer: at accept it has no slot yet, and later its session is not
    /// yet counted.
    pub(super) fn present(&self, check: &Check, who: Who) -> u32 {
        let address = || self.peers.get(who.peer);
        let class = self.classes.get(who.class);
        let user = self.users.get(usize::from(who.user.0)).copied().unwrap_or(0);
        match (check.counts, check.per) {
            (Counts::Sessions, Per::Server) => self.logged_in,
            (Counts::Sessions, Per::Address) => address().sessions,
            (Counts::Sessions, Per::Class) => class.sessions,
            (Counts::Hosts, Per::User) => self.hosts.others(who),
            (Counts::Hosts, Per::Address) => 0,
            (Counts::Hosts, per) => {
                let all = if per == Per::Class { class.hosts } else { self.hosts_in };
                all.saturating_sub(u32::from(address().sessions > 0))
            }
            (Counts::Load, _) => self.host.whole_load(),
            (Counts::Recent, _) => self.listener.recent.alive(),
            (_, Per::User) => user,
            (Counts::Sockets, Per::Server) => self.slots - self.refused + self.data_sockets,
            (Counts::Sockets, Per::Address) => {
                let address = address();
                address.connections + address.sockets
            }
            (Counts::Sockets, Per::Class) => class.connections + class.sockets,
            (counts, per) => {
                let (all, refused) = match per {
                    Per::Address => {
                        let address = address();
                        (address.connections, address.refused)
                    }
                    Per::Class => (class.connections, class.refused),
                    _ => (self.slots, self.refused),
                };
                let all = if counts == Counts::Processes { all } else { all - refused };
                all.saturating_sub(u32::from(check.stage != CheckStage::Accept))
            }
        }
    }

    /// Refuses a connection at accept. It may hold a slot until its child is reaped.
    fn turn_away(
        &mut self,
        now: Instant,
        conn: ConnId,
        who: Who,
        (verdict, mut banned): (Verdict, bool),
        out: &mut impl Outbox<Action>,
    ) {
        let (mut ending, check) = verdict;
        if let Some(offence) = Offence::of(ending.cause) {
            banned |= self.offend(now, conn, who, offence, out);
        }
        if banned && let Some(trigger) = self.policy.ban.as_ref().and_then(|rule| rule.trigger) {
            ending = trigger;
        }
        let (phase, code) = match ending.reply {
            Some(reply) => (Phase::Greeting, self.policy.table.get(reply).code),
            None => (Phase::Accept, 0),
        };
        out.push(Action::Observe(Observation::Refused {
            refusal: Refusal { cause: ending.cause, phase, code },
            check,
        }));
        let at = self.work(now, now, ending.delay, conn, Work::Greet);
        for reply in ending.reply.into_iter().chain(ending.then) {
            out.push(Action::Reply { conn, reply, at });
        }
        if !ending.forks {
            self.listener.busy_until(at); // the loop says it itself
            out.push(Action::Close { conn, how: ending.close, cause: Some(ending.cause) });
            out.push(Action::Free { conn });
            return;
        }
        self.sessions[conn.slot()] = Session {
            stage: Stage::Refusing,
            close: ending.close,
            cause: Some(ending.cause),
            ends: at,
            ..Session::accepted(now, who.peer, who.class, at)
        };
        self.take_slot(now, conn, who);
        self.count_refused(who, true);
        if at > now {
            out.push(Action::Arm { conn, at });
        } else {
            self.close_refused(now, conn, out);
        }
    }

    /// A process that only refuses begins or ends.
    pub(super) fn count_refused(&mut self, who: Who, more: bool) {
        let change = |count: &mut u32| if more { *count += 1 } else { *count -= 1 };
        change(&mut self.refused);
        self.peers.change(who.peer, |peer| change(&mut peer.refused));
        if let Some(class) = self.classes.get_mut(who.class) {
            change(&mut class.refused);
        }
    }

    fn take_slot(&mut self, now: Instant, conn: ConnId, who: Who) {
        self.slots += 1;
        self.listener.recent.forked(now, conn, &self.sessions);
        self.peers.change(who.peer, |peer| peer.connections += 1);
        if let Some(class) = self.classes.get_mut(who.class) {
            class.connections += 1;
        }
    }
}

/// Is `check` for somebody like `who`?
fn concerns(check: &Check, who: Who) -> bool {
    let anonymous = who.user == UserId(ArgId::ANONYMOUS.0);
    let whom = match check.whom {
        Whom::All => true,
        Whom::Anonymous => anonymous,
        Whom::Named => !anonymous,
    };
    whom && (check.per != Per::Class || check.classless_too || who.class != 0)
}
