//! The machine itself: one input in, actions out.
//!
//! **The caller's law:** every connection id that comes in with [`Input::Accepted`] belongs to the machine until
//! [`Action::Free`] gives it back.

use super::ban::Peers;
use super::policy::{Ending, Policy, ReplyId};
use super::profile::{CutsLive, Per};
use super::session::{Session, Stage};
use super::{Action, Control, Input, ServerStreams};
use crate::ftp::{ArgId, Command, Verb};
use crate::id::{ConnId, ServerId};
use crate::observe::{Cause, CloseHow, Phase};
use crate::time::{Duration, Instant};

/// All connections of one server.
#[derive(Clone, Debug)]
pub struct Server {
    /// Its own number: connection ids bear it.
    pub(super) id: ServerId,
    pub(super) policy: Policy,
    /// By connection id.
    pub(super) sessions: Vec<Session>,
    pub(super) peers: Peers,
    /// Logged-in sessions by account.
    pub(super) users: Vec<u32>,
    /// Connections whose slot is not yet free.
    pub(super) slots: u32,
    /// Logged-in sessions.
    pub(super) logged_in: u32,
    pub(super) announcing: bool,
    pub(super) hung: bool,
    /// What came in while the server hung.
    pub(super) waiting: Vec<Input>,
    pub(super) streams: ServerStreams,
}

impl Server {
    /// Server number `id`, which listens. `reloads` are the controls that it may meet later, so that it knows what to
    /// remember.
    pub fn new(id: ServerId, policy: Policy, streams: ServerStreams, reloads: &[Control]) -> Self {
        let per_address =
            |check: u8| policy.checks.get(usize::from(check)).is_some_and(|c| c.per == Per::Address);
        let tracked = policy.needs_addresses()
            || reloads.iter().any(|c| matches!(c, Control::SetLimit { check, .. } if per_address(*check)));
        Self {
            id,
            policy,
            sessions: Vec::new(),
            peers: Peers::new(tracked),
            users: Vec::new(),
            slots: 0,
            logged_in: 0,
            announcing: false,
            hung: false,
            waiting: Vec::new(),
            streams,
        }
    }

    /// The policy in force.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Connections whose slot is not yet free.
    pub fn slots(&self) -> u32 {
        self.slots
    }

    /// When each open connection was accepted.
    pub fn open_connections(&self) -> impl Iterator<Item = Instant> {
        self.sessions.iter().filter(|s| s.is_open()).map(|s| s.opened)
    }

    /// When each logged-in session was logged in.
    pub fn open_sessions(&self) -> impl Iterator<Item = Instant> {
        self.sessions.iter().filter(|s| s.is_logged_in()).map(|s| s.logged_in)
    }

    /// Takes one input at `now` and appends what is to be done to `out`.
    pub fn handle(&mut self, now: Instant, input: Input, out: &mut Vec<Action>) {
        if self.hung && Self::waits(input) {
            self.waiting.push(input);
            return;
        }
        match input {
            Input::Accepted { conn, peer, .. } => self.accept(now, conn, peer, out),
            Input::Command { conn, command } => self.command(now, conn, command, out),
            Input::DataOpened { conn } => self.data_opened(conn),
            Input::TransferDone { conn } => self.transfer_done(now, conn, out),
            Input::Closed { conn } => self.closed(now, conn, out),
            Input::TimerFired { conn } => self.timer_fired(now, conn, out),
            Input::Bytes { .. }
            | Input::LineTooLong { .. }
            | Input::DataFailed { .. }
            | Input::Progress { .. }
            | Input::ServerTimerFired => {}
            Input::Control(control) => self.control(now, control, out),
        }
    }

    fn command(&mut self, now: Instant, conn: ConnId, command: Command, out: &mut Vec<Action>) {
        let Some(session) = self.live(conn) else { return };
        let peer = session.peer;
        if let Some(ban) = &self.policy.ban
            && ban.cuts_live != CutsLive::Never
            && self.peers.is_banned(peer, now)
        {
            let silent = Ending::silent(Cause::Banned, CloseHow::Fin);
            self.end(now, now, conn, silent.into(), out);
            return;
        }
        if let Some(timer) = self.policy.noop_idle_timer
            && self.is_stale(now, conn, command.verb, timer.after)
        {
            self.end(now, now, conn, timer.ending.into(), out);
            return;
        }
        let at =
            now + if command.verb == Verb::Pass { self.policy.login_cost } else { self.policy.command_cost };
        let session = &mut self.sessions[conn.slot()];
        session.last_command = at;
        if !command.verb.is_keep_alive() {
            session.last_deed = at;
        }
        match (session.stage, command.verb) {
            (_, Verb::Quit) => self.quit(now, at, conn, out),
            (Stage::Session, verb) => self.session_command(conn, verb, at, out),
            (Stage::Transfer, _) => {} // nothing is read until the transfer is over; ABOR comes with the sockets
            (_, Verb::User) => self.name_user(now, conn, command.arg, at, out),
            (Stage::Named, Verb::Pass) if command.arg == ArgId::RIGHT_PASSWORD => {
                self.log_in(now, conn, Phase::Pass, out);
            }
            (Stage::Named, Verb::Pass) => self.reject(now, conn, out),
            (_, Verb::Pass) => self.answer(conn, self.policy.replies.pass_first, at, out),
            _ if self.policy.login.locked => self.answer(conn, self.policy.replies.login_first, at, out),
            (_, Verb::Noop) => self.answer(conn, self.policy.replies.noop, at, out),
            (_, Verb::Other) => self.answer(conn, self.policy.replies.unknown, at, out),
            _ => self.answer(conn, self.policy.replies.login_first, at, out),
        }
    }

    /// Does `verb` only keep a session alive that has done nothing else for longer than `after`?
    fn is_stale(&self, now: Instant, conn: ConnId, verb: Verb, after: Duration) -> bool {
        verb.is_keep_alive() && now.since(self.sessions[conn.slot()].last_deed) > after
    }

    pub(super) fn answer(&mut self, conn: ConnId, reply: ReplyId, at: Instant, out: &mut Vec<Action>) {
        out.push(Action::Reply { conn, reply, at });
        self.arm(conn, out);
    }

    fn quit(&mut self, now: Instant, at: Instant, conn: ConnId, out: &mut Vec<Action>) {
        out.push(Action::Reply { conn, reply: self.policy.replies.quit, at });
        self.close_at(now, at, conn, CloseHow::Fin, None, out);
    }

    fn session_command(&mut self, conn: ConnId, verb: Verb, at: Instant, out: &mut Vec<Action>) {
        let replies = self.policy.replies;
        let session = &mut self.sessions[conn.slot()];
        let reply = match verb {
            Verb::Noop => replies.noop,
            Verb::Cwd => replies.cwd,
            Verb::Pwd => replies.pwd,
            Verb::Pasv => replies.pasv,
            Verb::Port => replies.port,
            Verb::Abor => replies.abor,
            Verb::User | Verb::Pass | Verb::Other | Verb::SiteIdle | Verb::Quit => replies.unknown,
            Verb::List | Verb::Retr | Verb::Stor if !session.data => replies.no_data,
            Verb::List | Verb::Retr | Verb::Stor => {
                session.stage = Stage::Transfer;
                session.listing = verb == Verb::List;
                out.push(Action::StartTransfer { conn, at });
                match verb {
                    Verb::List => replies.list,
                    Verb::Retr => replies.retr,
                    _ => replies.stor,
                }
            }
        };
        self.answer(conn, reply, at, out);
    }

    fn data_opened(&mut self, conn: ConnId) {
        if let Some(session) = self.live(conn) {
            session.data = true;
        }
    }

    fn transfer_done(&mut self, now: Instant, conn: ConnId, out: &mut Vec<Action>) {
        let replies = self.policy.replies;
        let Some(session) = self.live(conn).filter(|s| s.stage == Stage::Transfer) else { return };
        let reply = if session.listing { replies.listed } else { replies.transferred };
        session.stage = Stage::Session;
        session.data = false;
        session.last_command = now;
        session.last_deed = now;
        session.last_transfer = now;
        self.answer(conn, reply, now, out);
    }
}
