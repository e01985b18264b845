//! The machine itself: one client's wanted sessions, attempt by attempt.
//!
//! It has one control connection at a time. Whether another session follows is its driver's business.

use super::dialogue::Told;
use super::retry::Draw;
use super::{Action, Env, Input, Tls};
use crate::observe::{Cause, Class, Latency, Observation, Phase, Refusal};
use crate::outbox::Outbox;
use crate::rng::counter;
use crate::time::{Duration, Instant};

/// What a client is doing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    /// Nothing: it has not begun, or it is done.
    Done,
    /// Waiting until one connection less of its user is open.
    Queued,
    /// Waiting for the TCP handshake.
    Connecting,
    /// TLS from the first byte on: waiting for its handshake.
    SecuringFirst,
    /// Waiting for the 220.
    AwaitGreeting,
    /// Waiting for the answer to AUTH TLS.
    AwaitAuth,
    /// AUTH TLS was answered with 234: waiting for the handshake.
    Securing,
    /// Waiting for the answer to PBSZ.
    AwaitPbsz,
    /// Waiting for the answer to PROT.
    AwaitProt,
    /// Waiting for the answer to USER.
    AwaitUser,
    /// Waiting for the answer to PASS.
    AwaitPass,
    /// Waiting for the answer to a command that one reply completes.
    AwaitReply,
    /// Waiting for the answer to PASV or PORT.
    AwaitPasv,
    /// Waiting for the data connection.
    OpeningData,
    /// Waiting for the end of a transfer.
    AwaitTransfer,
    /// All bytes are through; waiting for the reply that says so.
    AwaitCompletion,
    /// ABOR is sent; waiting for the end of the transfer, and then for the answer to ABOR.
    AwaitAbort,
    /// Thinking; the control connection is watched.
    Pausing,
    /// Away; nobody reads the control connection.
    Away,
    /// Waiting for the answer to QUIT.
    AwaitQuit,
    /// Waiting to try again.
    BackingOff,
}

/// One client: what every step of a session needs comes first, what only logins and failures need behind it.
#[derive(Clone, Debug)]
#[repr(C)]
pub struct Client {
    /// When the last command was sent, or the connection was established.
    pub(super) sent_at: Instant,
    /// When the pause or the backoff ends; when a transfer is aborted, or its completion reply is given up; since when a greeting
    /// is waited for. During a login: when that began, with USER, or under TLS with the command before it that secures the session.
    pub(super) until: Instant,
    /// The step of the script that comes next or is under way.
    pub(super) step: u32,
    /// Its number in its population.
    pub(super) index: u32,
    /// Which of its wanted sessions this is, from 0.
    pub(super) session: u32,
    pub(super) state: State,
    /// Passwords tried over this connection.
    pub(super) tries: u8,
    pub(super) facts: Facts,
    pub(super) mark: Mark,
    /// Attempts in a row that were not admitted, this one included.
    pub(super) streak: u32,
    /// Which attempt at this session, from 1.
    pub(super) attempt: u32,
    /// The wait before this attempt.
    pub(super) waited: Duration,
    /// The refusal that nobody has read yet, or that was read and not understood: the reason of the close that may follow.
    pub(super) unread: Option<Refusal>,
    /// A reply that came unasked: the client will take it for the answer to its next command.
    pub(super) stale: Option<Told>,
    /// When its user first wanted the session.
    pub(super) wanted_at: Instant,
    /// When the attempt began.
    pub(super) attempt_at: Instant,
}

/// What is true of a client or is not: a bit each.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Facts(u8);

impl Facts {
    pub const NONE: Self = Self(0);
    /// This wanted session has been logged in once.
    pub const SERVED: u8 = 1;
    /// Something is, or was, in [`Client::unread`] or [`Client::stale`]: who knows that nothing is need not look there.
    pub const KEEPS: u8 = 2;

    pub const fn is(self, fact: u8) -> bool {
        self.0 & fact != 0
    }

    pub const fn note(&mut self, fact: u8) {
        self.0 |= fact;
    }

    pub const fn forget(&mut self, fact: u8) {
        self.0 &= !fact;
    }
}

/// What is remembered across a command or two.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) enum Mark {
    #[default]
    Nothing,
    /// The answer to a keep-alive NOOP is still to come.
    KeptAlive,
    /// The server has agreed to REST: the transfer that follows moves what remains.
    Restarted,
}

const _: () = assert!(size_of::<Client>() <= 72);

impl Client {
    /// The last of what every step of a session needs, as it lies in memory: for whoever has it fetched.
    pub const fn hot_end(&self) -> &u32 {
        &self.attempt
    }

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
            stale: None,
            state: State::Done,
            tries: 0,
            facts: Facts::NONE,
            mark: Mark::Nothing,
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

    /// When its user first wanted the session that it is at.
    pub fn wanted_at(&self) -> Instant {
        self.wanted_at
    }

    /// When the attempt that it is at began.
    pub fn attempt_at(&self) -> Instant {
        self.attempt_at
    }

    /// Has the session that it is at been logged in once?
    pub(super) const fn is_served(&self) -> bool {
        self.facts.is(Facts::SERVED)
    }

    /// Remembers a refusal that nobody has read or understood, if nobody remembers an earlier one.
    pub(super) fn keep_unread(&mut self, refusal: Refusal) {
        self.facts.note(Facts::KEEPS);
        self.unread.get_or_insert(refusal);
    }

    /// Since when its user has been waiting to be served, if he still is.
    pub fn still_wants(&self) -> Option<Instant> {
        (self.state != State::Done && !self.is_served()).then_some(self.wanted_at)
    }

    /// Takes one input at `now` and appends what is to be done to `out`.
    #[inline(always)]
    pub fn handle(&mut self, now: Instant, input: Input, env: &Env<'_>, out: &mut impl Outbox<Action>) {
        match (self.state, input) {
            (State::Done, Input::Start { session, entry }) => self.start(now, session, entry, env, out),
            (State::Queued, Input::Turn) => self.connect(now, env, out),
            (State::Connecting, Input::Connected) => self.connected(now, env, out),
            (State::Connecting, Input::ConnectFailed { cause }) => {
                self.attempt_failed(
                    now,
                    Class::NetworkFailed,
                    Refusal { cause, phase: Phase::Accept, code: 0 },
                    0,
                    env,
                    out,
                );
            }
            (
                State::Done | State::BackingOff | State::Queued | State::Connecting,
                Input::Reply { .. } | Input::Closed { .. },
            ) => {}
            (State::SecuringFirst | State::Securing, Input::Reply { cause, .. }) => {
                self.not_secured(now, cause.unwrap_or(Cause::CriticalError), env, out);
            }
            (_, Input::Reply { code, cause, words }) => {
                self.replied(now, Told { code, cause, words }, env, out);
            }
            (_, Input::Closed { cause }) => self.closed(now, cause, env, out),
            (State::SecuringFirst | State::Securing, Input::TlsDone) => self.secured(now, env, out),
            (State::SecuringFirst | State::Securing, Input::TlsFailed { cause }) => {
                let refusal = Refusal { cause, phase: self.phase(false), code: 0 };
                self.attempt_failed(now, Class::NetworkFailed, refusal, 0, env, out);
            }
            (State::OpeningData, Input::DataOpened) => self.transfer(now, env, out),
            (State::OpeningData, Input::DataFailed) => self.transfer_failed(now, None, 0, env, out),
            (State::AwaitTransfer, Input::DataDone | Input::DataFailed) => {
                self.until = now + env.reply_timeout;
                self.enter(State::AwaitCompletion, env, out);
            }
            (_, Input::TimerFired) => self.timer_fired(now, env, out),
            _ => {}
        }
    }

    pub(super) fn start(
        &mut self,
        now: Instant,
        session: u32,
        entry: u32,
        env: &Env<'_>,
        out: &mut impl Outbox<Action>,
    ) {
        *self = Self { wanted_at: now, session, step: entry, ..Self::new(self.index) };
        out.push(Action::Observe(Observation::Wanted(env.population)));
        self.attempt(now, env, out);
    }

    /// Tries again, or for the first time: at once, unless its user's other connections come first.
    pub(super) fn attempt(&mut self, now: Instant, env: &Env<'_>, out: &mut impl Outbox<Action>) {
        if env.behaviour.parallel > 1 {
            self.enter(State::Queued, env, out);
            out.push(Action::Ask);
        } else {
            self.connect(now, env, out);
        }
    }

    fn connect(&mut self, now: Instant, env: &Env<'_>, out: &mut impl Outbox<Action>) {
        self.attempt += 1;
        self.streak += 1;
        self.attempt_at = now;
        self.tries = 0;
        self.mark = Mark::Nothing;
        self.unread = None;
        self.stale = None;
        self.facts.forget(Facts::KEEPS);
        out.push(Action::Observe(Observation::AttemptStarted {
            population: env.population,
            first: self.attempt == 1,
            reconnect: self.is_served(),
        }));
        out.push(Action::Connect);
        self.enter(State::Connecting, env, out);
    }

    pub(super) fn connected(&mut self, now: Instant, env: &Env<'_>, out: &mut impl Outbox<Action>) {
        out.push(Action::Observe(Observation::Took(Latency::Connect, now.since(self.attempt_at))));
        self.sent_at = now;
        self.until = now;
        if env.behaviour.tls == Tls::Implicit {
            out.push(Action::StartTls);
            self.enter(State::SecuringFirst, env, out);
        } else {
            self.enter(State::AwaitGreeting, env, out);
        }
    }

    /// The attempt came to its class.
    pub(super) fn attempt_ended(
        &self,
        class: Class,
        refusal: Option<Refusal>,
        env: &Env<'_>,
        out: &mut impl Outbox<Action>,
    ) {
        out.push(Action::Observe(Observation::AttemptEnded {
            population: env.population,
            first: self.attempt == 1,
            reconnect: self.is_served(),
            started: self.attempt_at,
            class,
            refusal,
        }));
    }

    pub(super) fn attempt_failed(
        &mut self,
        now: Instant,
        class: Class,
        refusal: Refusal,
        words: u8,
        env: &Env<'_>,
        out: &mut impl Outbox<Action>,
    ) {
        self.attempt_ended(class, Some(refusal), env, out);
        self.come_back_or_leave(now, refusal, words, env, out);
    }

    pub(super) fn come_back_or_leave(
        &mut self,
        now: Instant,
        refusal: Refusal,
        words: u8,
        env: &Env<'_>,
        out: &mut impl Outbox<Action>,
    ) {
        out.push(Action::Disconnect);
        let draw = Draw {
            backoff: env.streams.backoff,
            persistence: env.streams.persistence,
            entity: u64::from(self.index),
            counter: counter(self.session, self.attempt),
        };
        match env.behaviour.retry.wait(refusal, words, self.streak, self.waited, draw) {
            Some(wait) => {
                self.waited = wait;
                self.until = now + wait;
                self.enter(State::BackingOff, env, out);
            }
            None => self.leave(env, out),
        }
    }

    /// This wanted session is over, served or not.
    pub(super) fn leave(&mut self, env: &Env<'_>, out: &mut impl Outbox<Action>) {
        if !self.is_served() {
            out.push(Action::Observe(Observation::Unserved {
                population: env.population,
                wanted_at: self.wanted_at,
            }));
        }
        self.state = State::Done;
        out.push(Action::Finish);
    }

    pub(super) fn abandon(&mut self, env: &Env<'_>, out: &mut impl Outbox<Action>) {
        if !matches!(self.state, State::BackingOff | State::Queued) {
            self.attempt_ended(Class::Abandoned, None, env, out);
            out.push(Action::Disconnect);
        }
        self.leave(env, out);
    }
}
