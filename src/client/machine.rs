//! The machine itself: one client's wanted sessions, attempt by attempt.
//!
//! It has one control connection at a time. Whether another session follows is its driver's business.

use super::retry::Draw;
use super::script::Step;
use super::{Action, Env, Input};
use crate::dist::Dist;
use crate::ftp::{ArgId, Command, Severity, Verb};
use crate::observe::{Cause, Class, Latency, Observation, Phase, Refusal, SessionEnd};
use crate::rng::counter;
use crate::time::{Duration, Instant};

/// What a client is doing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    /// Nothing: it has not begun, or it is done.
    Done,
    /// Waiting for the TCP handshake.
    Connecting,
    /// Waiting for the 220.
    AwaitGreeting,
    /// Waiting for the answer to USER.
    AwaitUser,
    /// Waiting for the answer to PASS.
    AwaitPass,
    /// Waiting for the answer to a command that one reply completes.
    AwaitReply,
    /// Waiting for the answer to PASV.
    AwaitPasv,
    /// Waiting for the data connection.
    OpeningData,
    /// Waiting for the end of a transfer.
    AwaitTransfer,
    /// Thinking; the control connection is watched.
    Pausing,
    /// Away; nobody reads the control connection.
    Away,
    /// Waiting for the answer to QUIT.
    AwaitQuit,
    /// Waiting to try again.
    BackingOff,
}

/// One client.
#[derive(Clone, Debug)]
pub struct Client {
    /// When its user first wanted the session.
    wanted_at: Instant,
    /// When the attempt began.
    attempt_at: Instant,
    /// When the last command was sent, or the connection was established.
    sent_at: Instant,
    /// When the pause or the backoff ends.
    until: Instant,
    /// The wait before this attempt.
    waited: Duration,
    /// Its number in its population.
    index: u32,
    /// Which of its wanted sessions this is, from 0.
    session: u32,
    /// Which attempt at this session, from 1.
    attempt: u32,
    /// Attempts in a row that were not admitted, this one included.
    streak: u32,
    /// The step of the script that comes next or is under way.
    step: u32,
    /// The refusal that nobody has read yet.
    unread: Option<Refusal>,
    state: State,
    /// Passwords tried over this connection.
    tries: u8,
    /// Has this wanted session been logged in once?
    served: bool,
    /// Is the answer to a keep-alive NOOP still to come?
    kept_alive: bool,
}

const _: () = assert!(size_of::<Client>() <= 72);

impl Client {
    /// Client number `index` of its population.
    pub const fn new(index: u32) -> Self {
        Self {
            wanted_at: Instant::ZERO,
            attempt_at: Instant::ZERO,
            sent_at: Instant::ZERO,
            until: Instant::NEVER,
            waited: Duration::ZERO,
            index,
            session: 0,
            attempt: 0,
            streak: 0,
            step: 0,
            unread: None,
            state: State::Done,
            tries: 0,
            served: false,
            kept_alive: false,
        }
    }

    /// What it is doing.
    pub fn state(&self) -> State {
        self.state
    }

    /// Its number in its population.
    pub fn index(&self) -> u32 {
        self.index
    }

    /// Which of its wanted sessions it is at, from 0.
    pub fn session(&self) -> u32 {
        self.session
    }

    /// Attempts at this wanted session so far.
    pub fn attempts(&self) -> u32 {
        self.attempt
    }

    /// Since when its user has been waiting to be served, if he still is.
    pub fn still_wants(&self) -> Option<Instant> {
        (self.state != State::Done && !self.served).then_some(self.wanted_at)
    }

    /// Takes one input at `now` and appends what is to be done to `out`.
    pub fn handle(&mut self, now: Instant, input: Input, env: &Env<'_>, out: &mut Vec<Action>) {
        match (self.state, input) {
            (State::Done, Input::Start { session, entry }) => self.start(now, session, entry, env, out),
            (State::Connecting, Input::Connected) => self.connected(now, env, out),
            (State::Connecting, Input::ConnectFailed { cause }) => {
                self.attempt_failed(
                    now,
                    Class::NetworkFailed,
                    Refusal { cause, phase: Phase::Accept, code: 0 },
                    env,
                    out,
                );
            }
            (
                State::Done | State::BackingOff | State::Connecting,
                Input::Reply { .. } | Input::Closed { .. },
            ) => {}
            (_, Input::Reply { code, cause }) => self.replied(now, code, cause, env, out),
            (_, Input::Closed { cause }) => self.closed(now, cause, env, out),
            (State::OpeningData, Input::DataOpened) => self.transfer(now, env, out),
            (_, Input::TimerFired) => self.timer_fired(now, env, out),
            _ => {}
        }
    }

    // ---- attempts ----------------------------------------------------------------------------------------------

    fn start(&mut self, now: Instant, session: u32, entry: u32, env: &Env<'_>, out: &mut Vec<Action>) {
        *self = Self { wanted_at: now, session, step: entry, ..Self::new(self.index) };
        out.push(Action::Observe(Observation::Wanted(env.population)));
        self.attempt(now, env, out);
    }

    fn attempt(&mut self, now: Instant, env: &Env<'_>, out: &mut Vec<Action>) {
        self.attempt += 1;
        self.streak += 1;
        self.attempt_at = now;
        self.tries = 0;
        self.kept_alive = false;
        self.unread = None;
        out.push(Action::Observe(Observation::AttemptStarted {
            population: env.population,
            first: self.attempt == 1,
            reconnect: self.served,
        }));
        out.push(Action::Connect);
        self.enter(State::Connecting, env, out);
    }

    fn connected(&mut self, now: Instant, env: &Env<'_>, out: &mut Vec<Action>) {
        out.push(Action::Observe(Observation::Took(Latency::Connect, now.since(self.attempt_at))));
        self.sent_at = now;
        self.enter(State::AwaitGreeting, env, out);
    }

    /// The attempt came to its class.
    fn attempt_ended(&self, class: Class, refusal: Option<Refusal>, env: &Env<'_>, out: &mut Vec<Action>) {
        out.push(Action::Observe(Observation::AttemptEnded {
            population: env.population,
            first: self.attempt == 1,
            reconnect: self.served,
            started: self.attempt_at,
            class,
            refusal,
        }));
    }

    fn attempt_failed(
        &mut self,
        now: Instant,
        class: Class,
        refusal: Refusal,
        env: &Env<'_>,
        out: &mut Vec<Action>,
    ) {
        self.attempt_ended(class, Some(refusal), env, out);
        self.come_back_or_leave(now, refusal, env, out);
    }

    fn come_back_or_leave(&mut self, now: Instant, refusal: Refusal, env: &Env<'_>, out: &mut Vec<Action>) {
        out.push(Action::Disconnect);
        let draw = Draw {
            backoff: env.streams.backoff,
            persistence: env.streams.persistence,
            entity: u64::from(self.index),
            counter: counter(self.session, self.attempt),
        };
        match env.behaviour.retry.wait(refusal, self.streak, self.waited, draw) {
            Some(wait) => {
                self.waited = wait;
                self.until = now + wait;
                self.enter(State::BackingOff, env, out);
            }
            None => self.leave(env, out),
        }
    }

    /// This wanted session is over, served or not.
    fn leave(&mut self, env: &Env<'_>, out: &mut Vec<Action>) {
        if !self.served {
            out.push(Action::Observe(Observation::Unserved {
                population: env.population,
                wanted_at: self.wanted_at,
            }));
        }
        self.state = State::Done;
        out.push(Action::Finish);
    }

    fn abandon(&mut self, env: &Env<'_>, out: &mut Vec<Action>) {
        if self.state != State::BackingOff {
            self.attempt_ended(Class::Abandoned, None, env, out);
            out.push(Action::Disconnect);
        }
        self.leave(env, out);
    }

    // ---- the dialogue ------------------------------------------------------------------------------------------

    fn replied(
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
            self.enter(self.state, env, out); // the next one may be due before this answer would have been overdue
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
            State::AwaitUser if severity == Severity::Intermediate => self.give_password(env, out),
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
            State::AwaitPasv | State::AwaitTransfer => self.next_step(now, env, out),
            State::AwaitQuit => self.completed(env, out),
            _ => {}
        }
    }

    fn took(&self, latency: Latency, now: Instant, out: &mut Vec<Action>) {
        out.push(Action::Observe(Observation::Took(latency, now.since(self.sent_at))));
    }

    /// The server says that it will not go on.
    fn refused(&mut self, now: Instant, refusal: Refusal, env: &Env<'_>, out: &mut Vec<Action>) {
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

    fn closed(&mut self, now: Instant, cause: Option<Cause>, env: &Env<'_>, out: &mut Vec<Action>) {
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
    fn phase(&self, answered: bool) -> Phase {
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

    // ---- login -------------------------------------------------------------------------------------------------

    fn name_user(&mut self, now: Instant, env: &Env<'_>, out: &mut Vec<Action>) {
        self.sent_at = now;
        out.push(Action::Send(Command { verb: Verb::User, arg: env.user }));
        self.enter(State::AwaitUser, env, out);
    }

    fn give_password(&mut self, env: &Env<'_>, out: &mut Vec<Action>) {
        let position = self.attempt << 8 | u32::from(self.tries);
        let counter = counter(self.session, position);
        let mistyped =
            env.streams.password.chance(env.behaviour.wrong_password, u64::from(self.index), counter);
        self.tries = self.tries.saturating_add(1);
        let arg = if mistyped { ArgId::OTHER } else { ArgId::RIGHT_PASSWORD };
        out.push(Action::Send(Command { verb: Verb::Pass, arg }));
        self.enter(State::AwaitPass, env, out);
    }

    fn login_failed(&mut self, now: Instant, code: u16, env: &Env<'_>, out: &mut Vec<Action>) {
        if u32::from(self.tries) < env.behaviour.login_tries && self.tries < u8::MAX {
            self.name_user(now, env, out);
            return;
        }
        self.attempt_ended(Class::LoginFailed, None, env, out);
        let refusal = Refusal { cause: Cause::LoginAttempts, phase: Phase::Pass, code };
        self.come_back_or_leave(now, refusal, env, out);
    }

    fn logged_in(&mut self, now: Instant, env: &Env<'_>, out: &mut Vec<Action>) {
        self.took(Latency::Login, now, out);
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

    // ---- the script --------------------------------------------------------------------------------------------

    fn next_step(&mut self, now: Instant, env: &Env<'_>, out: &mut Vec<Action>) {
        self.step += 1;
        self.run(now, env, out);
    }

    /// Begins the step of the script that comes next.
    fn run(&mut self, now: Instant, env: &Env<'_>, out: &mut Vec<Action>) {
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

    fn send(&mut self, command: Command, state: State, env: &Env<'_>, out: &mut Vec<Action>) {
        out.push(Action::Send(command));
        self.enter(state, env, out);
    }

    fn pause(&mut self, now: Instant, time: &Dist, state: State, env: &Env<'_>, out: &mut Vec<Action>) {
        let word = env.streams.think.word(u64::from(self.index), counter(self.session, self.step));
        self.until = now + Duration::from_nanos(time.sample(word));
        self.enter(state, env, out);
    }

    fn open_data(&mut self, env: &Env<'_>, out: &mut Vec<Action>) {
        if let Step::Transfer { command, .. } = env.behaviour.script.step(self.step) {
            out.push(Action::OpenData { verb: command.verb, bytes: self.size(env) });
            self.enter(State::OpeningData, env, out);
        }
    }

    fn transfer(&mut self, now: Instant, env: &Env<'_>, out: &mut Vec<Action>) {
        if let Step::Transfer { command, .. } = env.behaviour.script.step(self.step) {
            self.sent_at = now;
            self.send(*command, State::AwaitTransfer, env, out);
        }
    }

    /// The bytes that the transfer under way moves.
    fn size(&self, env: &Env<'_>) -> u64 {
        match env.behaviour.script.step(self.step) {
            Step::Transfer { size, .. } => {
                size.sample(env.streams.size.word(u64::from(self.index), counter(self.session, self.step)))
            }
            _ => 0,
        }
    }

    fn completed(&mut self, env: &Env<'_>, out: &mut Vec<Action>) {
        out.push(Action::Observe(Observation::SessionEnded {
            population: env.population,
            end: SessionEnd::Completed,
            refusal: None,
        }));
        out.push(Action::Disconnect);
        self.leave(env, out);
    }

    fn session_ended(
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

    // ---- timers ------------------------------------------------------------------------------------------------

    /// Changes what the client is doing, and asks for a firing when that has lasted too long.
    fn enter(&mut self, state: State, env: &Env<'_>, out: &mut Vec<Action>) {
        self.state = state;
        let at = self.deadline(env);
        if !at.is_never() {
            out.push(Action::Arm { at });
        }
    }

    fn deadline(&self, env: &Env<'_>) -> Instant {
        let own = match self.state {
            State::Done => return Instant::NEVER,
            State::Connecting => self.attempt_at + env.connect_timeout,
            State::AwaitTransfer => Instant::NEVER, // a transfer lasts as long as it does
            State::Pausing => self.until.min(self.keepalive_due(env)),
            State::Away | State::BackingOff => self.until,
            _ => self.sent_at + env.reply_timeout,
        };
        own.min(self.patience_ends(env))
    }

    /// When the next keep-alive is to be sent, or the answer to the last one is overdue.
    fn keepalive_due(&self, env: &Env<'_>) -> Instant {
        match env.behaviour.keepalive {
            Some(_) if self.kept_alive => self.sent_at + env.reply_timeout,
            Some(every) => self.sent_at + every,
            None => Instant::NEVER,
        }
    }

    /// When the user gives up waiting to be served. A function of the wanted session, so it is not remembered.
    fn patience_ends(&self, env: &Env<'_>) -> Instant {
        match &env.behaviour.patience {
            Some(patience) if !self.served => {
                let word = env.streams.patience.word(u64::from(self.index), counter(self.session, 0));
                self.wanted_at + Duration::from_nanos(patience.sample(word))
            }
            _ => Instant::NEVER,
        }
    }

    fn timer_fired(&mut self, now: Instant, env: &Env<'_>, out: &mut Vec<Action>) {
        let due = self.deadline(env);
        if now < due {
            self.enter(self.state, env, out);
        } else if now >= self.patience_ends(env) {
            self.abandon(env, out);
        } else {
            match self.state {
                State::BackingOff => self.attempt(now, env, out),
                State::Pausing if now < self.until && !self.kept_alive => self.keep_alive(now, env, out),
                State::Pausing if now < self.until => self.timed_out(now, env, out),
                State::Pausing => self.next_step(now, env, out),
                State::Away => self.come_back_to_keyboard(now, env, out),
                _ => self.timed_out(now, env, out),
            }
        }
    }

    fn keep_alive(&mut self, now: Instant, env: &Env<'_>, out: &mut Vec<Action>) {
        self.sent_at = now;
        self.kept_alive = true;
        self.send(Command::bare(Verb::Noop), State::Pausing, env, out);
    }

    /// The user types the next command, and only then is read what the server said meanwhile.
    fn come_back_to_keyboard(&mut self, now: Instant, env: &Env<'_>, out: &mut Vec<Action>) {
        let unread = self.unread.take();
        self.next_step(now, env, out);
        if let Some(refusal) = unread {
            let end = if is_network(refusal.cause) { SessionEnd::Lost } else { SessionEnd::Cut };
            self.session_ended(now, end, refusal, env, out);
        }
    }

    /// The handshake, the greeting or a reply never came.
    fn timed_out(&mut self, now: Instant, env: &Env<'_>, out: &mut Vec<Action>) {
        let refusal = Refusal { cause: Cause::ConnectTimeout, phase: self.phase(false), code: 0 };
        if refusal.phase.is_logged_in() {
            self.session_ended(now, SessionEnd::Lost, refusal, env, out);
        } else {
            self.attempt_failed(now, Class::NetworkFailed, refusal, env, out);
        }
    }
}

/// Is it the network's or a dead server's doing, rather than a decision of the server?
const fn is_network(cause: Cause) -> bool {
    matches!(cause, Cause::ConnectionRefused | Cause::ConnectTimeout | Cause::Reset | Cause::SilentClose)
}
