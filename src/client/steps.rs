//! The steps of a session: commands, transfers, pauses, and the timers that watch over them.
//!
//! It does not log in, and it does not decide whether to come back.

use super::dialogue::is_network;
use super::machine::{Client, State};
use super::script::Step;
use super::{Action, Env};
use crate::dist::Dist;
use crate::ftp::{Command, Verb};
use crate::observe::{Cause, Class, Observation, Refusal, SessionEnd};
use crate::rng::counter;
use crate::time::{Duration, Instant};

impl Client {
    pub(super) fn next_step(&mut self, now: Instant, env: &Env<'_>, out: &mut Vec<Action>) {
        self.step += 1;
        self.run(now, env, out);
    }

    /// Begins the step of the script that comes next.
    pub(super) fn run(&mut self, now: Instant, env: &Env<'_>, out: &mut Vec<Action>) {
        self.sent_at = now;
        match env.behaviour.script.step(self.step) {
            Step::Login => self.next_step(now, env, out),
            Step::Command(command) => self.send(*command, State::AwaitReply, env, out),
            Step::Transfer { .. } => self.send(Command::bare(Verb::Pasv), State::AwaitPasv, env, out),
            Step::Think(time) => self.pause(now, time, State::Pausing, env, out),
            Step::Idle(time) if env.behaviour.keepalive.is_some() => {
                self.pause(now, time, State::Pausing, env, out);
            }
            Step::Idle(time) => self.pause(now, time, State::Away, env, out),
            Step::Quit => self.send(Command::bare(Verb::Quit), State::AwaitQuit, env, out),
        }
    }

    pub(super) fn send(&mut self, command: Command, state: State, env: &Env<'_>, out: &mut Vec<Action>) {
        out.push(Action::Send(command));
        self.enter(state, env, out);
    }

    pub(super) fn pause(
        &mut self,
        now: Instant,
        time: &Dist,
        state: State,
        env: &Env<'_>,
        out: &mut Vec<Action>,
    ) {
        let word = env.streams.think.word(u64::from(self.index), counter(self.session, self.step));
        self.until = now + Duration::from_nanos(time.sample(word));
        self.enter(state, env, out);
    }

    pub(super) fn open_data(&mut self, env: &Env<'_>, out: &mut Vec<Action>) {
        if let Step::Transfer { command, .. } = env.behaviour.script.step(self.step) {
            out.push(Action::OpenData { verb: command.verb, bytes: self.size(env) });
            self.enter(State::OpeningData, env, out);
        }
    }

    pub(super) fn transfer(&mut self, now: Instant, env: &Env<'_>, out: &mut Vec<Action>) {
        if let Step::Transfer { command, .. } = env.behaviour.script.step(self.step) {
            self.sent_at = now;
            self.send(*command, State::AwaitTransfer, env, out);
        }
    }

    /// The bytes that the transfer under way moves.
    pub(super) fn size(&self, env: &Env<'_>) -> u64 {
        match env.behaviour.script.step(self.step) {
            Step::Transfer { size, .. } => {
                size.sample(env.streams.size.word(u64::from(self.index), counter(self.session, self.step)))
            }
            _ => 0,
        }
    }

    pub(super) fn completed(&mut self, env: &Env<'_>, out: &mut Vec<Action>) {
        out.push(Action::Observe(Observation::SessionEnded {
            population: env.population,
            end: SessionEnd::Completed,
            refusal: None,
        }));
        out.push(Action::Disconnect);
        self.leave(env, out);
    }

    pub(super) fn session_ended(
        &mut self,
        now: Instant,
        end: SessionEnd,
        refusal: Refusal,
        env: &Env<'_>,
        out: &mut Vec<Action>,
    ) {
        let observation =
            Observation::SessionEnded { population: env.population, end, refusal: Some(refusal) };
        out.push(Action::Observe(observation));
        if env.behaviour.reconnect {
            self.streak = 1; // the session that was lost is the first failure of a new row
            self.come_back_or_leave(now, refusal, env, out);
        } else {
            out.push(Action::Disconnect);
            self.leave(env, out);
        }
    }

    /// Changes what the client is doing, and asks for a firing when that has lasted too long.
    pub(super) fn enter(&mut self, state: State, env: &Env<'_>, out: &mut Vec<Action>) {
        self.state = state;
        let at = self.deadline(env);
        if !at.is_never() {
            out.push(Action::Arm { at });
        }
    }

    pub(super) fn deadline(&self, env: &Env<'_>) -> Instant {
        let own = match self.state {
            State::Done => return Instant::NEVER,
            State::Connecting => self.attempt_at + env.connect_timeout,
            State::AwaitTransfer => Instant::NEVER, // a transfer lasts as long as it does
            State::Pausing if self.kept_alive => self.sent_at + env.reply_timeout,
            State::Pausing => self.until.min(self.keepalive_due(env)),
            State::Away | State::BackingOff => self.until,
            _ => self.sent_at + env.reply_timeout,
        };
        own.min(self.patience_ends(env))
    }

    /// When the next keep-alive is to be sent.
    fn keepalive_due(&self, env: &Env<'_>) -> Instant {
        env.behaviour.keepalive.map_or(Instant::NEVER, |every| self.sent_at + every)
    }

    /// When the user gives up waiting to be served. A function of the wanted session, so it is not remembered.
    pub(super) fn patience_ends(&self, env: &Env<'_>) -> Instant {
        match &env.behaviour.patience {
            Some(patience) if !self.served => {
                let word = env.streams.patience.word(u64::from(self.index), counter(self.session, 0));
                self.wanted_at + Duration::from_nanos(patience.sample(word))
            }
            _ => Instant::NEVER,
        }
    }

    pub(super) fn timer_fired(&mut self, now: Instant, env: &Env<'_>, out: &mut Vec<Action>) {
        let due = self.deadline(env);
        if now < due {
            self.enter(self.state, env, out);
        } else if now >= self.patience_ends(env) {
            self.abandon(env, out);
        } else {
            match self.state {
                State::BackingOff => self.attempt(now, env, out),
                State::Pausing if self.kept_alive => self.timed_out(now, env, out),
                State::Pausing => self.watch_pause(now, env, out),
                State::Away => self.come_back_to_keyboard(now, env, out),
                _ => self.timed_out(now, env, out),
            }
        }
    }

    /// In a pause: sends the next keep-alive, ends the pause, or waits on. A client has one command under way at a time, so a
    /// pause lasts at least until its last keep-alive is answered.
    pub(super) fn watch_pause(&mut self, now: Instant, env: &Env<'_>, out: &mut Vec<Action>) {
        if now >= self.until {
            self.next_step(now, env, out);
        } else if now >= self.keepalive_due(env) {
            self.sent_at = now;
            self.kept_alive = true;
            self.send(Command::bare(Verb::Noop), State::Pausing, env, out);
        } else {
            self.enter(State::Pausing, env, out);
        }
    }

    /// The user is back: types the next command, and only then reads what the server said meanwhile. If he is away again, it
    /// waits on; if he only thinks, he sees it at once.
    fn come_back_to_keyboard(&mut self, now: Instant, env: &Env<'_>, out: &mut Vec<Action>) {
        let goes_away = matches!(env.behaviour.script.step(self.step + 1), Step::Idle(_));
        let unread = if goes_away { None } else { self.unread.take() };
        self.next_step(now, env, out);
        if let Some(refusal) = unread {
            let end = if is_network(refusal.cause) { SessionEnd::Lost } else { SessionEnd::Cut };
            self.session_ended(now, end, refusal, env, out);
        }
    }

    /// The handshake, the greeting or a reply never came.
    pub(super) fn timed_out(&mut self, now: Instant, env: &Env<'_>, out: &mut Vec<Action>) {
        let refusal = Refusal { cause: Cause::ConnectTimeout, phase: self.phase(false), code: 0 };
        if refusal.phase.is_logged_in() {
            self.session_ended(now, SessionEnd::Lost, refusal, env, out);
        } else {
            self.attempt_failed(now, Class::NetworkFailed, refusal, env, out);
        }
    }
}
