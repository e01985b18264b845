//! What a client makes of what the server says, up to the login.
//!
//! It does not choose the next step: the script does.

use super::machine::{Client, State};
use super::{Action, Env};
use crate::ftp::{ArgId, Command, Severity, Verb};
use crate::observe::{Cause, Class, Latency, Observation, Phase, Refusal, SessionEnd};
use crate::rng::counter;
use crate::time::{Duration, Instant};

impl Client {
    pub(super) fn replied(
        &mut self,
        now: Instant,
        code: u16,
        cause: Option<Cause>,
        env: &Env<'_>,
        out: &mut Vec<Action>,
    ) {
        let severity = Severity::of(code);
        if severity == Severity::Preliminary {
            return;
        }
        if cause.is_some() || code == 421 {
            let cause = cause.unwrap_or(Cause::CriticalError);
            self.refused(now, Refusal { cause, phase: self.phase(true), code }, env, out);
            return;
        }
        if std::mem::take(&mut self.kept_alive) {
            self.took(Latency::Command, now, out);
            self.watch_pause(now, env, out);
            return;
        }
        let done = severity == Severity::Completion;
        match self.state {
            State::AwaitGreeting if done => {
                self.took(Latency::Greeting, now, out);
                self.name_user(now, env, out);
            }
            State::AwaitGreeting => {
                let refusal = Refusal { cause: Cause::CriticalError, phase: Phase::Greeting, code };
                self.attempt_failed(now, Class::TurnedAway, refusal, env, out);
            }
            State::AwaitUser if severity == Severity::Intermediate => self.give_password(now, env, out),
            State::AwaitUser | State::AwaitPass if done => self.logged_in(now, env, out),
            State::AwaitUser | State::AwaitPass => self.login_failed(now, code, env, out),
            State::AwaitReply => {
                self.took(Latency::Command, now, out);
                self.next_step(now, env, out);
            }
            State::AwaitPasv if done => self.open_data(env, out),
            State::AwaitTransfer if done => {
                self.took(Latency::Transfer, now, out);
                out.push(Action::Observe(Observation::Moved { bytes: self.size(env) }));
                self.next_step(now, env, out);
            }
            State::AwaitPasv | State::AwaitTransfer => {
                out.push(Action::Observe(Observation::TransferFailed { cause: None, code }));
                self.next_step(now, env, out);
            }
            State::AwaitQuit => self.completed(env, out),
            _ => {}
        }
    }

    pub(super) fn took(&self, latency: Latency, now: Instant, out: &mut Vec<Action>) {
        out.push(Action::Observe(Observation::Took(latency, now.since(self.sent_at))));
    }

    /// The server says that it will not go on.
    pub(super) fn refused(&mut self, now: Instant, refusal: Refusal, env: &Env<'_>, out: &mut Vec<Action>) {
        match self.state {
            State::Away => self.unread = Some(refusal),
            State::AwaitQuit => self.completed(env, out),
            _ if refusal.phase.is_logged_in() => self.session_ended(now, SessionEnd::Cut, refusal, env, out),
            _ if refusal.cause == Cause::LoginAttempts => {
                self.attempt_failed(now, Class::LoginFailed, refusal, env, out);
            }
            _ => self.attempt_failed(now, Class::TurnedAway, refusal, env, out),
        }
    }

    pub(super) fn closed(
        &mut self,
        now: Instant,
        cause: Option<Cause>,
        env: &Env<'_>,
        out: &mut Vec<Action>,
    ) {
        let cause = cause.unwrap_or(Cause::SilentClose);
        let refusal = Refusal { cause, phase: self.phase(false), code: 0 };
        match self.state {
            State::Away => {
                self.unread.get_or_insert(refusal);
            }
            State::AwaitQuit => self.completed(env, out),
            _ if refusal.phase.is_logged_in() => {
                let end = if is_network(cause) { SessionEnd::Lost } else { SessionEnd::Cut };
                self.session_ended(now, end, refusal, env, out);
            }
            _ if is_network(cause) => self.attempt_failed(now, Class::NetworkFailed, refusal, env, out),
            _ => self.attempt_failed(now, Class::TurnedAway, refusal, env, out),
        }
    }

    /// Where the dialogue stands, for a refusal that came with a reply (`answered`) or with a bare close.
    pub(super) fn phase(&self, answered: bool) -> Phase {
        match self.state {
            State::AwaitGreeting if answered => Phase::Greeting,
            State::Done | State::BackingOff | State::Connecting | State::AwaitGreeting => Phase::Accept,
            State::AwaitUser if self.tries > 0 => Phase::Pass,
            State::AwaitUser if answered => Phase::User,
            State::AwaitUser => Phase::PreLogin,
            State::AwaitPass => Phase::Pass,
            State::AwaitTransfer => Phase::Transfer,
            _ => Phase::Session,
        }
    }

    pub(super) fn name_user(&mut self, now: Instant, env: &Env<'_>, out: &mut Vec<Action>) {
        self.sent_at = now;
        self.login_at = now;
        out.push(Action::Send(Command { verb: Verb::User, arg: env.user }));
        self.enter(State::AwaitUser, env, out);
    }

    pub(super) fn give_password(&mut self, now: Instant, env: &Env<'_>, out: &mut Vec<Action>) {
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

    pub(super) fn login_failed(&mut self, now: Instant, code: u16, env: &Env<'_>, out: &mut Vec<Action>) {
        if u32::from(self.tries) < env.behaviour.login_tries && self.tries < u8::MAX {
            self.name_user(now, env, out);
            return;
        }
        self.attempt_ended(Class::LoginFailed, None, env, out);
        let refusal = Refusal { cause: Cause::LoginAttempts, phase: Phase::Pass, code };
        self.come_back_or_leave(now, refusal, env, out);
    }

    pub(super) fn logged_in(&mut self, now: Instant, env: &Env<'_>, out: &mut Vec<Action>) {
        out.push(Action::Observe(Observation::Took(Latency::Login, now.since(self.login_at))));
        self.attempt_ended(Class::Admitted, None, env, out);
        if !self.served {
            out.push(Action::Observe(Observation::Took(Latency::TimeToService, now.since(self.wanted_at))));
            out.push(Action::Observe(Observation::Served {
                population: env.population,
                wanted_at: self.wanted_at,
            }));
        }
        self.served = true;
        self.streak = 0;
        self.waited = Duration::ZERO;
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

/// Is it the network's or a dead server's doing, rather than a decision of the server?
pub(super) const fn is_network(cause: Cause) -> bool {
    matches!(cause, Cause::ConnectionRefused | Cause::ConnectTimeout | Cause::Reset | Cause::SilentClose)
}
