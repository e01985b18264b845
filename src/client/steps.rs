//! The steps of a session: commands, transfers, pauses, and the timers that watch over them.
//!
//! It does not log in, and it does not decide whether to come back.

use super::dialogue::{Told, is_network};
use super::machine::{Client, Facts, Mark, State};
use super::script::Step;
use super::{Action, DataMode, Env};
use crate::dist::Dist;
use crate::ftp::{Command, Severity, Verb};
use crate::observe::{Cause, Class, Observation, Refusal, SessionEnd};
use crate::outbox::Outbox;
use crate::rng::counter;
use crate::time::{Duration, Instant};

impl Client {
    pub(super) fn next_step(&mut self, now: Instant, env: &Env<'_>, out: &mut impl Outbox<Action>) {
        self.step += 1;
        self.run(now, env, out);
    }

    /// Begins the step of the script that comes next.
    pub(super) fn run(&mut self, now: Instant, env: &Env<'_>, out: &mut impl Outbox<Action>) {
        self.sent_at = now;
        match env.behaviour.script.step(self.step) {
            Step::Login => self.next_step(now, env, out),
            Step::Command(command) | Step::Rest { command, .. } => {
                self.send(now, *command, State::AwaitReply, env, out);
            }
            Step::Transfer { .. } => self.prepare_data(now, env, out),
            Step::Think(time) => self.pause(now, time, State::Pausing, env, out),
            Step::Idle(time) if env.behaviour.keepalive.is_some() => {
                self.pause(now, time, State::Pausing, env, out);
            }
            Step::Idle(time) => {
                if self.state != State::Away {
                    self.unread = None; // what was read is not unread
                }
                self.pause(now, time, State::Away, env, out);
            }
            Step::Quit => self.send(now, Command::bare(Verb::Quit), State::AwaitQuit, env, out),
            Step::Close => self.completed(env, out),
        }
    }

    /// Sends a command and waits for its answer. One that came unasked before is taken for it.
    fn send(
        &mut self,
        now: Instant,
        command: Command,
        state: State,
        env: &Env<'_>,
        out: &mut impl Outbox<Action>,
    ) {
        out.push(Action::Send(command));
        self.enter(state, env, out);
        if self.facts.is(Facts::KEEPS)
            && let Some(stale) = self.stale.take()
        {
            self.replied(now, stale, env, out);
        }
    }

    pub(super) fn pause(
        &mut self,
        now: Instant,
        time: &Dist,
        state: State,
        env: &Env<'_>,
        out: &mut impl Outbox<Action>,
    ) {
        let word = env.streams.think.word(u64::from(self.index), self.step_counter());
        self.until = now + Duration::from_nanos(time.sample(word));
        self.enter(state, env, out);
    }

    /// Asks the server to listen for the data connection, or listens and tells it where.
    fn prepare_data(&mut self, now: Instant, env: &Env<'_>, out: &mut impl Outbox<Action>) {
        let verb = match env.behaviour.data {
            DataMode::Passive => Verb::Pasv,
            DataMode::Active => {
                if !self.has_no_data(env) {
                    self.open_data(env, out);
                }
                Verb::Port
            }
        };
        self.send(now, Command::bare(verb), State::AwaitPasv, env, out);
    }

    /// PASV or PORT was answered with a 2yz.
    pub(super) fn ready_for_data(
        &mut self,
        now: Instant,
        told: Told,
        env: &Env<'_>,
        out: &mut impl Outbox<Action>,
    ) {
        match env.behaviour.data {
            DataMode::Active => self.transfer(now, env, out),
            // No address can be read from any other reply.
            DataMode::Passive if !matches!(told.code, 227..=229) => {
                self.transfer_failed(now, told.cause, told.code, env, out);
            }
            DataMode::Passive if self.has_no_data(env) => self.transfer(now, env, out),
            DataMode::Passive => {
                self.open_data(env, out);
                self.enter(State::OpeningData, env, out);
            }
        }
    }

    /// The transfer of this step comes to nothing: the server said no (`code`), or there was no data connection to be had (0).
    pub(super) fn transfer_failed(
        &mut self,
        now: Instant,
        cause: Option<Cause>,
        code: u16,
        env: &Env<'_>,
        out: &mut impl Outbox<Action>,
    ) {
        out.push(Action::Observe(Observation::TransferFailed { cause, code }));
        self.next_step(now, env, out);
    }

    /// Does the data connection of this step never come?
    fn has_no_data(&self, env: &Env<'_>) -> bool {
        env.streams.no_data.chance(env.behaviour.no_data, u64::from(self.index), self.mishap_counter())
    }

    const fn step_counter(&self) -> u64 {
        counter(self.session, self.step)
    }

    /// The counter of what may go wrong at a step: other than what the step is, it is drawn anew when another attempt comes to it
    /// again, or a client that comes back for the rest of its script would meet the same mishap for ever.
    const fn mishap_counter(&self) -> u64 {
        const STRIDE: u32 = 0x9E37_79B9; // odd and large: no attempt's steps are another one's
        counter(self.session, self.step.wrapping_add(self.attempt.wrapping_sub(1).wrapping_mul(STRIDE)))
    }

    fn open_data(&self, env: &Env<'_>, out: &mut impl Outbox<Action>) {
        let Step::Transfer { command, .. } = env.behaviour.script.step(self.step) else { return };
        let stalls =
            env.streams.stall.chance(env.behaviour.stall, u64::from(self.index), self.mishap_counter());
        let active = env.behaviour.data == DataMode::Active;
        out.push(Action::OpenData { verb: command.verb, active, stalls, bytes: self.size(env) });
    }

    pub(super) fn transfer(&mut self, now: Instant, env: &Env<'_>, out: &mut impl Outbox<Action>) {
        if let Step::Transfer { command, abort, .. } = env.behaviour.script.step(self.step) {
            self.sent_at = now;
            self.until = abort.map_or(Instant::NEVER, |after| now + after);
            self.send(now, *command, State::AwaitTransfer, env, out);
        }
    }

    /// The bytes that the transfer under way moves: those of its file, or what a REST in the step before it has left of them.
    pub(super) fn size(&self, env: &Env<'_>) -> u64 {
        let Step::Transfer { size, .. } = env.behaviour.script.step(self.step) else { return 0 };
        let whole = size.sample(env.streams.size.word(u64::from(self.index), self.step_counter()));
        match env.behaviour.script.step(self.step.wrapping_sub(1)) {
            Step::Rest { bytes, .. } if self.mark == Mark::Restarted => whole.saturating_sub(*bytes),
            _ => whole,
        }
    }

    /// The step was answered so: if it was REST, the transfer that comes next begins where it says, or not.
    pub(super) fn note_restart(&mut self, severity: Severity, env: &Env<'_>) {
        let asked = matches!(env.behaviour.script.step(self.step), Step::Rest { .. });
        let agreed = asked && severity == Severity::Intermediate;
        self.mark = if agreed { Mark::Restarted } else { Mark::Nothing };
    }

    pub(super) fn completed(&mut self, env: &Env<'_>, out: &mut impl Outbox<Action>) {
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
        words: u8,
        env: &Env<'_>,
        out: &mut impl Outbox<Action>,
    ) {
        let observation =
            Observation::SessionEnded { population: env.population, end, refusal: Some(refusal) };
        out.push(Action::Observe(observation));
        if env.behaviour.reconnect {
            self.streak = self.streak.max(1); // the session that was lost is the first failure of a new row, or one more
            self.come_back_or_leave(now, refusal, words, env, out);
        } else {
            out.push(Action::Disconnect);
            self.leave(env, out);
        }
    }

    /// Changes what the client is doing, and asks for a firing when that has lasted too long.
    #[inline]
    pub(super) fn enter(&mut self, state: State, env: &Env<'_>, out: &mut impl Outbox<Action>) {
        self.state = state;
        let at = self.deadline(env);
        if !at.is_never() {
            out.push(Action::Arm { at });
        }
    }

    #[inline]
    pub(super) fn deadline(&self, env: &Env<'_>) -> Instant {
        let own = match self.state {
            State::Done => return Instant::NEVER,
            State::Queued => Instant::NEVER, // its turn comes
            State::AwaitGreeting => self.until + env.reply_timeout,
            State::Connecting => self.attempt_at + env.connect_timeout,
            // A transfer lasts as long as it does: one that has stopped moving is the server's business, whose timers see it. Once
            // the bytes are through (or never will be), the last reply must come within the client's reply timeout.
            State::AwaitTransfer | State::AwaitCompletion | State::Away | State::BackingOff => self.until,
            State::Pausing if self.mark == Mark::KeptAlive => self.sent_at + env.reply_timeout,
            State::Pausing => self.until.min(self.keepalive_due(env)),
            _ => self.sent_at + env.reply_timeout,
        };
        own.min(self.patience_ends(env))
    }

    /// When the next keep-alive is to be sent.
    fn keepalive_due(&self, env: &Env<'_>) -> Instant {
        env.behaviour.keepalive.map_or(Instant::NEVER, |every| self.sent_at + every)
    }

    /// When the user gives up waiting to be served. A function of the wanted session, so it is not remembered.
    #[inline]
    pub(super) fn patience_ends(&self, env: &Env<'_>) -> Instant {
        match &env.behaviour.patience {
            Some(patience) if !self.is_served() => self.loses_patience(patience, env),
            _ => Instant::NEVER,
        }
    }

    fn loses_patience(&self, patience: &Dist, env: &Env<'_>) -> Instant {
        let word = env.streams.patience.word(u64::from(self.index), counter(self.session, 0));
        self.wanted_at + Duration::from_nanos(patience.sample(word))
    }

    pub(super) fn timer_fired(&mut self, now: Instant, env: &Env<'_>, out: &mut impl Outbox<Action>) {
        let due = self.deadline(env);
        if now < due {
            self.enter(self.state, env, out);
        } else if now >= self.patience_ends(env) {
            self.abandon(env, out);
        } else {
            match self.state {
                State::BackingOff => self.attempt(now, env, out),
                State::Pausing if self.mark == Mark::KeptAlive => self.timed_out(now, env, out),
                State::Pausing => self.watch_pause(now, env, out),
                State::Away => self.come_back_to_keyboard(now, env, out),
                State::AwaitTransfer => self.abort(now, env, out),
                State::Queued => self.enter(State::Queued, env, out), // out of patience, if anything
                _ => self.timed_out(now, env, out),
            }
        }
    }

    /// In a pause: sends the next keep-alive, ends the pause, or waits on. A client has one command under way at a time, so a
    /// pause lasts at least until its last keep-alive is answered.
    pub(super) fn watch_pause(&mut self, now: Instant, env: &Env<'_>, out: &mut impl Outbox<Action>) {
        if now >= self.until {
            self.progressed(now, env, out);
        } else if now >= self.keepalive_due(env) {
            self.sent_at = now;
            self.mark = Mark::KeptAlive;
            self.send(now, Command::bare(Verb::Noop), State::Pausing, env, out);
        } else {
            self.enter(State::Pausing, env, out);
        }
    }

    /// The user has no patience with this transfer any more. Two replies follow: the transfer's and ABOR's own (RFC 959, section
    /// 4.1.3).
    fn abort(&mut self, now: Instant, env: &Env<'_>, out: &mut impl Outbox<Action>) {
        self.sent_at = now;
        self.send(now, Command::bare(Verb::Abor), State::AwaitAbort, env, out);
    }

    /// The user is back: types the next command, and only then reads what the server said meanwhile. If he is away again, it
    /// waits on; if he only thinks, he sees it at once.
    fn come_back_to_keyboard(&mut self, now: Instant, env: &Env<'_>, out: &mut impl Outbox<Action>) {
        let goes_away = matches!(env.behaviour.script.step(self.step + 1), Step::Idle(_));
        let unread = if goes_away { None } else { self.unread.take() };
        if unread.is_some() {
            self.stale = None; // he reads on, up to the end
        }
        self.next_step(now, env, out);
        if let Some(refusal) = unread {
            let end = if is_network(refusal.cause) { SessionEnd::Lost } else { SessionEnd::Cut };
            self.session_ended(now, end, refusal, 0, env, out);
        }
    }

    /// The handshake, the greeting or a reply never came.
    pub(super) fn timed_out(&mut self, now: Instant, env: &Env<'_>, out: &mut impl Outbox<Action>) {
        let refusal = Refusal { cause: Cause::ConnectTimeout, phase: self.phase(false), code: 0 };
        if refusal.phase.is_logged_in() {
            self.session_ended(now, SessionEnd::Lost, refusal, 0, env, out);
        } else {
            self.attempt_failed(now, Class::NetworkFailed, refusal, 0, env, out);
        }
    }
}
