//! What a client makes of what the server says, up to the login.
//!
//! It does not choose the next step: the script does.

use super::machine::{Client, Facts, Mark, State};
use super::{Action, Env, Fresh, Tls};
use crate::ftp::{ArgId, Command, Severity, Verb};
use crate::observe::{Cause, Class, Latency, Observation, Phase, Refusal, SessionEnd};
use crate::outbox::Outbox;
use crate::rng::counter;
use crate::time::{Duration, Instant};

/// A reply as a client has it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Told {
    pub code: u16,
    /// For the statistics, and for rules that ask for it.
    pub cause: Option<Cause>,
    pub words: u8,
}

const _: () = assert!(size_of::<Option<Told>>() == 4);

impl Client {
    /// A reply was read. What follows hangs on its code alone: 421 is the end, whether the server means it or not, and any other
    /// code is the answer to the last command, whatever brought it about.
    pub(super) fn replied(&mut self, now: Instant, told: Told, env: &Env<'_>, out: &mut impl Outbox<Action>) {
        let severity = Severity::of(told.code);
        if severity == Severity::Preliminary {
            self.wait_for_more(now, told, env, out);
            return;
        }
        if told.code == 421 {
            if told.words & env.behaviour.lowering != 0 {
                out.push(Action::Lower);
            }
            let cause = told.cause.unwrap_or(Cause::CriticalError);
            self.refused(now, Refusal { cause, phase: self.phase(true), code: 421 }, told.words, env, out);
            return;
        }
        if self.mark == Mark::KeptAlive {
            self.mark = Mark::Nothing;
            self.took(Latency::Command, now, out);
            self.watch_pause(now, env, out);
            return;
        }
        if matches!(self.state, State::Pausing | State::Away | State::OpeningData) {
            self.facts.note(Facts::KEEPS);
            self.stale.get_or_insert(told);
            return;
        }
        let refusal = self.as_refusal(told);
        if refusal.is_some() || self.facts.is(Facts::KEEPS) {
            self.facts.note(Facts::KEEPS);
            self.unread = refusal;
        }
        let done = severity == Severity::Completion;
        match self.state {
            State::AwaitGreeting if done => {
                self.took(Latency::Greeting, now, out);
                self.begin_login(now, env, out);
            }
            State::AwaitGreeting => {
                let cause = told.cause.unwrap_or(Cause::CriticalError);
                let refusal = Refusal { cause, phase: Phase::Greeting, code: told.code };
                self.attempt_failed(now, class_of(refusal), refusal, told.words, env, out);
            }
            State::AwaitAuth if done => {
                self.sent_at = now;
                out.push(Action::StartTls);
                self.enter(State::Securing, env, out);
            }
            State::AwaitPbsz => self.security(now, Verb::Prot, State::AwaitProt, env, out),
            State::AwaitProt if done => self.name_user(now, env, out),
            State::AwaitAuth | State::AwaitProt => {
                let cause = told.cause.unwrap_or(Cause::CriticalError);
                let refusal = Refusal { cause, phase: Phase::PreLogin, code: told.code };
                self.attempt_failed(now, class_of(refusal), refusal, told.words, env, out);
            }
            State::AwaitUser if severity == Severity::Intermediate => self.give_password(now, env, out),
            State::AwaitUser | State::AwaitPass if done => self.logged_in(now, env, out),
            State::AwaitUser | State::AwaitPass => self.login_failed(now, told, env, out),
            State::AwaitReply => {
                self.took(Latency::Command, now, out);
                self.note_restart(severity, env);
                self.progressed(now, env, out);
            }
            State::AwaitPasv if done => self.ready_for_data(now, told, env, out),
            State::AwaitTransfer | State::AwaitCompletion if done => {
                self.took(Latency::Transfer, now, out);
                out.push(Action::Observe(Observation::Moved { bytes: self.size(env) }));
                self.progressed(now, env, out);
            }
            State::AwaitPasv | State::AwaitTransfer | State::AwaitCompletion => {
                self.transfer_failed(now, told.cause, told.code, env, out);
            }
            // What the transfer came to; the answer to ABOR itself is still to come.
            State::AwaitAbort => {
                self.sent_at = now;
                self.enter(State::AwaitReply, env, out);
            }
            State::AwaitQuit => self.completed(env, out),
            _ => {}
        }
    }

    /// The refusal that a reply is if its reason is known.
    fn as_refusal(&self, told: Told) -> Option<Refusal> {
        told.cause.map(|cause| Refusal { cause, phase: self.phase(true), code: told.code })
    }

    /// A 1yz: the reply that counts is still to come. Before the greeting it is a 120, and says when.
    fn wait_for_more(&mut self, now: Instant, told: Told, env: &Env<'_>, out: &mut impl Outbox<Action>) {
        if self.state == State::AwaitGreeting {
            let minutes = if env.behaviour.heeds_120 { u64::from(told.words) } else { 0 };
            self.until = now + Duration::from_secs(60 * minutes);
            self.enter(State::AwaitGreeting, env, out);
        }
    }

    /// A step of the script is done. A row of failures ends here, where it has not ended at the login.
    pub(super) fn progressed(&mut self, now: Instant, env: &Env<'_>, out: &mut impl Outbox<Action>) {
        self.forget_failures();
        self.next_step(now, env, out);
    }

    /// The row of failures is over. Where there is none there was no wait either, and nothing to be written.
    fn forget_failures(&mut self) {
        if self.streak != 0 {
            self.streak = 0;
            self.waited = Duration::ZERO;
        }
    }

    pub(super) fn took(&self, latency: Latency, now: Instant, out: &mut impl Outbox<Action>) {
        out.push(Action::Observe(Observation::Took(latency, now.since(self.sent_at))));
    }

    /// The server says that it will not go on.
    fn refused(
        &mut self,
        now: Instant,
        refusal: Refusal,
        words: u8,
        env: &Env<'_>,
        out: &mut impl Outbox<Action>,
    ) {
        match self.state {
            State::Away => {
                self.keep_unread(refusal);
            }
            State::AwaitQuit => self.completed(env, out),
            _ if refusal.phase.is_logged_in() => {
                self.session_ended(now, SessionEnd::Cut, refusal, words, env, out);
            }
            _ => self.attempt_failed(now, class_of(refusal), refusal, words, env, out),
        }
    }

    pub(super) fn closed(
        &mut self,
        now: Instant,
        cause: Option<Cause>,
        env: &Env<'_>,
        out: &mut impl Outbox<Action>,
    ) {
        let bare = Refusal { cause: cause.unwrap_or(Cause::SilentClose), phase: self.phase(false), code: 0 };
        // A reply that the client did not understand may have said why.
        let said = self.unread.or_else(|| self.as_refusal(self.stale?));
        let refusal = said.filter(|said| cause.is_none_or(|cause| cause == said.cause)).unwrap_or(bare);
        match self.state {
            State::Away => {
                self.keep_unread(refusal);
            }
            State::AwaitQuit => self.completed(env, out),
            _ if bare.phase.is_logged_in() => {
                let end = if is_network(refusal.cause) { SessionEnd::Lost } else { SessionEnd::Cut };
                self.session_ended(now, end, refusal, 0, env, out);
            }
            _ => self.attempt_failed(now, class_of(refusal), refusal, 0, env, out),
        }
    }

    /// Where the dialogue stands, for a refusal that came with a reply (`answered`) or with a bare close.
    pub fn phase(&self, answered: bool) -> Phase {
        match self.state {
            State::SecuringFirst | State::AwaitGreeting if answered => Phase::Greeting,
            State::Done
            | State::BackingOff
            | State::Queued
            | State::Connecting
            | State::SecuringFirst
            | State::AwaitGreeting => Phase::Accept,
            State::AwaitUser if self.tries > 0 => Phase::Pass,
            State::AwaitUser if answered => Phase::User,
            State::AwaitAuth | State::Securing | State::AwaitPbsz | State::AwaitProt | State::AwaitUser => {
                Phase::PreLogin
            }
            State::AwaitPass => Phase::Pass,
            State::AwaitTransfer | State::AwaitCompletion | State::AwaitAbort => Phase::Transfer,
            _ => Phase::Session,
        }
    }

    /// The server has greeted: names the user, or sees to the protection of the session first (RFC 4217).
    fn begin_login(&mut self, now: Instant, env: &Env<'_>, out: &mut impl Outbox<Action>) {
        self.until = now;
        match env.behaviour.tls {
            Tls::None => self.name_user(now, env, out),
            Tls::Explicit => self.security(now, Verb::Auth, State::AwaitAuth, env, out),
            Tls::Implicit => self.security(now, Verb::Pbsz, State::AwaitPbsz, env, out),
        }
    }

    fn security(
        &mut self,
        now: Instant,
        verb: Verb,
        state: State,
        env: &Env<'_>,
        out: &mut impl Outbox<Action>,
    ) {
        self.sent_at = now;
        out.push(Action::Send(Command::bare(verb)));
        self.enter(state, env, out);
    }

    /// The handshake is complete: the greeting is still to come, or the data connections are to be protected, too.
    pub(super) fn secured(&mut self, now: Instant, env: &Env<'_>, out: &mut impl Outbox<Action>) {
        if self.state == State::SecuringFirst {
            self.until = now;
            self.enter(State::AwaitGreeting, env, out);
        } else {
            self.security(now, Verb::Pbsz, State::AwaitPbsz, env, out);
        }
    }

    /// The server said something in the clear where a handshake should be: nobody can read it.
    pub(super) fn not_secured(
        &mut self,
        now: Instant,
        cause: Cause,
        env: &Env<'_>,
        out: &mut impl Outbox<Action>,
    ) {
        let refusal = Refusal { cause, phase: self.phase(true), code: 0 };
        self.attempt_failed(now, class_of(refusal), refusal, 0, env, out);
    }

    pub(super) fn name_user(&mut self, now: Instant, env: &Env<'_>, out: &mut impl Outbox<Action>) {
        self.sent_at = now;
        if self.tries > 0 {
            self.until = now; // a login begins anew with each password
        }
        out.push(Action::Send(Command { verb: Verb::User, arg: env.user(self.index) }));
        self.enter(State::AwaitUser, env, out);
    }

    pub(super) fn give_password(&mut self, now: Instant, env: &Env<'_>, out: &mut impl Outbox<Action>) {
        self.sent_at = now;
        let position = self.attempt << 8 | u32::from(self.tries);
        let counter = counter(self.session, position);
        let mistyped =
            env.streams.password.chance(env.behaviour.wrong_password, u64::from(self.index), counter);
        self.tries = self.tries.saturating_add(1);
        let arg = if mistyped { ArgId::OTHER } else { ArgId::RIGHT_PASSWORD };
        out.push(Action::Send(Command { verb: Verb::Pass, arg }));
        self.enter(State::AwaitPass, env, out);
    }

    /// The answer to USER or PASS was no. The client takes it for a wrong password, whatever the reason is: it tries again over
    /// this connection, or its attempt is over.
    fn login_failed(&mut self, now: Instant, told: Told, env: &Env<'_>, out: &mut impl Outbox<Action>) {
        let phase = self.phase(true);
        if self.state == State::AwaitUser {
            self.tries = self.tries.saturating_add(1); // or a server that denies USER itself would be asked for ever
        }
        if u32::from(self.tries) < env.behaviour.login_tries && self.tries < u8::MAX {
            self.name_user(now, env, out);
            return;
        }
        let refusal = Refusal { cause: told.cause.unwrap_or(Cause::LoginAttempts), phase, code: told.code };
        self.attempt_ended(class_of(refusal), told.cause.map(|_| refusal), env, out);
        self.come_back_or_leave(now, refusal, told.words, env, out);
    }

    pub(super) fn logged_in(&mut self, now: Instant, env: &Env<'_>, out: &mut impl Outbox<Action>) {
        out.push(Action::Observe(Observation::Took(Latency::Login, now.since(self.until))));
        self.attempt_ended(Class::Admitted, None, env, out);
        if !self.is_served() {
            out.push(Action::Observe(Observation::Took(Latency::TimeToService, now.since(self.wanted_at))));
            out.push(Action::Observe(Observation::Served {
                population: env.population,
                wanted_at: self.wanted_at,
            }));
        }
        self.facts.note(Facts::SERVED);
        if env.behaviour.fresh == Fresh::Login {
            self.forget_failures();
        }
        if env.streams.vanish.chance(
            env.behaviour.vanish,
            u64::from(self.index),
            counter(self.session, self.attempt),
        ) {
            let observation = Observation::SessionEnded {
                population: env.population,
                end: SessionEnd::Vanished,
                refusal: None,
            };
            out.push(Action::Observe(observation));
            out.push(Action::Vanish);
            self.leave(env, out);
        } else {
            self.run(now, env, out);
        }
    }
}

/// What an attempt came to that ended so before its login. It is told by the true cause, whatever the client took it for.
const fn class_of(refusal: Refusal) -> Class {
    match refusal.cause {
        Cause::LoginAttempts => Class::LoginFailed,
        cause if refusal.code == 0 && is_network(cause) => Class::NetworkFailed,
        _ => Class::TurnedAway,
    }
}

/// Is it the network's or a dead server's doing, rather than a decision of the server?
pub(super) const fn is_network(cause: Cause) -> bool {
    matches!(cause, Cause::ConnectionRefused | Cause::ConnectTimeout | Cause::Reset | Cause::SilentClose)
}
