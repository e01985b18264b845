//! The machine itself: one input in, actions out.
//!
//! **The caller's law:** every connection id that comes in with [`Input::Accepted`] belongs to the machine until
//! [`Action::Free`] gives it back.

use super::ban::{Bans, Peers};
use super::hang::Backlog;
use super::host::{Host, Work};
use super::listener::{Listener, Waiting};
use super::policy::{Check, Ending, Policy, ReplyId};
use super::profile::{Counts, Per, Stage as CheckStage};
use super::session::{Session, Stage};
use super::shutdown::Down;
use super::side::{NO_SIDE, Sides};
use super::tally::{Classes, Hosts, Ports, may_bind};
use super::tls::{Guard, Guards};
use super::{Action, Control, Input, ServerStreams};
use crate::ftp::{ArgId, Command, Verb};
use crate::id::{ConnId, ServerId};
use crate::observe::{Cause, CloseHow, Phase};
use crate::outbox::Outbox;
use crate::prefetch::prefetch;
use crate::time::{Duration, Instant};

/// All connections of one server.
#[derive(Clone, Debug)]
pub struct Server {
    /// Its own number: connection ids bear it.
    pub(super) id: ServerId,
    pub(super) policy: Policy,
    /// Has the policy limits of each stage?
    pub(super) checked: [bool; CheckStage::COUNT],
    /// By connection id.
    pub(super) sessions: Vec<Session>,
    pub(super) peers: Peers,
    /// Logged-in sessions by account.
    pub(super) users: Vec<u32>,
    /// Connections whose slot is not yet free, refused ones too if a process of their own refuses them.
    pub(super) slots: u32,
    /// Those of them that are refused.
    pub(super) refused: u32,
    /// Logged-in sessions.
    pub(super) logged_in: u32,
    /// Different addresses with sessions, if addresses are remembered.
    pub(super) hosts_in: u32,
    pub(super) hosts: Hosts,
    pub(super) classes: Classes,
    pub(super) bans: Bans,
    /// Sockets of data connections.
    pub(super) data_sockets: u32,
    pub(super) ports: Ports,
    pub(super) sides: Sides,
    pub(super) guards: Guards,
    pub(super) hung: bool,
    /// What came in while the server hung.
    pub(super) backlog: Backlog,
    pub(super) listener: Listener,
    pub(super) host: Host,
    pub(super) down: Down,
    pub(super) streams: ServerStreams,
}

impl Server {
    /// Server number `id`, which listens. `reloads` are the controls that it may meet later, so that it knows what to
    /// remember.
    pub fn new(id: ServerId, policy: Policy, streams: ServerStreams, reloads: &[Control]) -> Self {
        let reloaded: Vec<u8> = reloads
            .iter()
            .filter_map(|control| match control {
                Control::SetLimit { check, .. } => Some(*check),
                _ => None,
            })
            .collect();
        let counts = |what: fn(&Check) -> bool| {
            let checks = policy.checks.iter().enumerate();
            checks.filter(|(_, check)| what(check)).any(|(place, check)| may_bind(check, place, &reloaded))
        };
        let tracked =
            policy.needs_addresses() || counts(|c| c.per == Per::Address || c.counts == Counts::Hosts);
        let (hosts, classes) = (counts(|c| c.counts == Counts::Hosts), counts(|c| c.per == Per::Class));
        let window = policy.checks.iter().find(|check| check.counts == Counts::Recent);
        let listener = Listener::new(policy.process.backlog, window.map(|check| check.window));
        let mut checked = [false; CheckStage::COUNT];
        policy.checks.iter().for_each(|check| checked[check.stage as usize] = true);
        let counts_load = policy.checks.iter().any(|check| check.counts == Counts::Load);
        Self {
            id,
            listener,
            host: Host::new(&policy.process, counts_load),
            down: Down::NOT,
            checked,
            policy,
            sessions: Vec::new(),
            peers: Peers::new(tracked),
            users: Vec::new(),
            slots: 0,
            refused: 0,
            logged_in: 0,
            hosts_in: 0,
            hosts: Hosts::new(hosts),
            classes: Classes::new(classes),
            bans: Bans::default(),
            data_sockets: 0,
            ports: Ports::default(),
            sides: Sides::default(),
            guards: Guards::default(),
            hung: false,
            backlog: Backlog::default(),
            streams,
        }
    }

    /// The policy in force.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Connections whose slot is not yet free, those included that a process of their own refuses.
    pub fn slots(&self) -> u32 {
        self.slots
    }

    /// Has a command of `conn` the data connection, or does it wait for it?
    pub fn is_in_transfer(&self, conn: ConnId) -> bool {
        self.sessions.get(conn.slot()).is_some_and(|session| session.stage == Stage::Transfer)
    }

    /// Does the driver have to cipher the data connections of `conn`?
    pub fn protects_data(&self, conn: ConnId) -> bool {
        self.guards.get(conn) == Guard::Data
    }

    /// What is known of `conn` is needed soon.
    pub fn prefetch(&self, conn: ConnId) {
        self.sessions.get(conn.slot()).into_iter().for_each(prefetch);
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
    #[inline(always)]
    pub fn handle(&mut self, now: Instant, input: Input, out: &mut impl Outbox<Action>) {
        if self.hung && self.keeps(input) {
            return;
        }
        match input {
            Input::Accepted { conn, peer, class } => {
                self.arrive(now, Waiting { conn, peer, class, gone: false, tls: false, hello: false }, out);
            }
            Input::AcceptedTls { conn, peer, class } => {
                self.arrive(now, Waiting { conn, peer, class, gone: false, tls: true, hello: false }, out);
            }
            Input::TlsHello { conn } => self.tls_hello(now, conn, out),
            Input::TlsDone { conn } => self.tls_done(now, conn, out),
            Input::TlsFailed { conn } => self.tls_failed(now, conn, out),
            Input::Command { conn, command } => self.command(now, conn, command, out),
            Input::Bytes { conn } => self.bytes(now, conn, out),
            Input::LineTooLong { conn } => self.line_too_long(now, conn, out),
            Input::DataOpened { conn } => {
                self.data_opened(now, conn, out);
                self.obey_kept(now, conn, out); // PORT may have been waiting for it
            }
            Input::DataFailed { conn } => {
                self.data_failed(now, conn, out);
                self.obey_kept(now, conn, out);
            }
            Input::StoreFull { conn } => {
                self.store_full(now, conn, out);
                self.obey_kept(now, conn, out);
            }
            Input::Progress { conn, rate } => self.progress(now, conn, rate, out),
            Input::TransferDone { conn } => {
                self.transfer_done(now, conn, out);
                self.obey_kept(now, conn, out);
            }
            Input::Closed { conn } => self.closed(now, conn, out),
            Input::TimerFired { conn } => {
                self.timer_fired(now, conn, out);
                self.obey_kept(now, conn, out);
            }
            Input::ServerTimerFired => self.server_timer_fired(now, out),
            Input::Control(control) => self.control(now, control, out),
        }
    }

    #[inline(always)]
    fn command(&mut self, now: Instant, conn: ConnId, command: Command, out: &mut impl Outbox<Action>) {
        if self.guards.get(conn) == Guard::Begun {
            return; // a handshake is under way, and this was none
        }
        let Some(session) = self.live(conn) else { return };
        let in_transfer = session.stage == Stage::Transfer;
        if session.side != NO_SIDE {
            self.side_mut(conn).line_since = Instant::NEVER;
        }
        match command.verb {
            Verb::Abor if in_transfer => {
                self.abort(now, conn, out);
                self.obey_kept(now, conn, out);
            }
            _ if in_transfer => self.keep(conn, command),
            _ => self.obey(now, conn, command, out),
        }
    }

    /// A line that is longer than the server reads.
    fn line_too_long(&mut self, now: Instant, conn: ConnId, out: &mut impl Outbox<Action>) {
        if self.live(conn).is_none() {
            return;
        }
        match self.policy.line_too_long {
            Some(ending) => {
                let at = self.turn(now, conn);
                self.end(now, at, conn, ending.into(), out);
            }
            None => self.command(now, conn, Command { verb: Verb::Other, arg: ArgId::OTHER }, out),
        }
    }

    /// Obeys what came during a transfer that is over now, until there is another.
    fn obey_kept(&mut self, now: Instant, conn: ConnId, out: &mut impl Outbox<Action>) {
        while let Some(session) = self.live(conn) {
            if session.side == NO_SIDE || session.stage == Stage::Transfer {
                return;
            }
            let Some(command) = self.take_kept(conn) else {
                self.tidy_side(conn);
                return;
            };
            self.obey(now, conn, command, out);
        }
    }

    /// When the next command of `conn` has its turn: no reply is sent before the one before it.
    #[inline(always)]
    pub(super) fn turn(&self, now: Instant, conn: ConnId) -> Instant {
        now.max(self.sessions[conn.slot()].ends)
    }

    fn obey(&mut self, now: Instant, conn: ConnId, command: Command, out: &mut impl Outbox<Action>) {
        let turn = self.turn(now, conn) + self.reluctance(now, conn);
        if self.down.tells(self.sessions[conn.slot()].opened) {
            self.end(now, turn, conn, self.policy.process.down.live.into(), out);
            return;
        }
        if self.is_cut_by_ban(now, conn) {
            self.end(now, turn, conn, Ending::silent(Cause::Banned, CloseHow::Fin).into(), out);
            return;
        }
        if let Some(timer) = self.policy.noop_idle_timer
            && command.verb.is_keep_alive()
            && self.is_stale(now, conn)
        {
            self.sessions[conn.slot()].idling_since = now; // if the session outlives it
            self.end(now, turn, conn, timer.ending.into(), out);
            return;
        }
        let (cost, what) = match command.verb {
            Verb::Pass => (self.policy.login_cost, Work::LogIn),
            _ => (self.policy.command_cost, Work::Answer),
        };
        let at = self.work(now, turn, cost, conn, what);
        let ignored =
            self.policy.idle_timer.is_some_and(|timer| timer.ignores_noop) && command.verb == Verb::Noop;
        let session = &mut self.sessions[conn.slot()];
        if !ignored || session.logged_in.is_never() {
            session.last_command = at;
        }
        let idling = command.verb.is_keep_alive();
        session.idling_since = if idling { session.idling_since.min(at) } else { Instant::NEVER };
        let replies = &self.policy.replies;
        match (session.stage, command.verb) {
            (_, Verb::Quit) => self.quit(now, at, conn, out),
            (_, Verb::Auth | Verb::Pbsz | Verb::Prot) => self.protect(now, at, conn, command, out),
            (_, Verb::ToldAnybody) => self.answer(conn, replies.told, at, out),
            (Stage::Session, _) => self.session_command(now, at, conn, command, out),
            (_, Verb::User) => self.name_user(now, at, conn, command.arg, out),
            (Stage::Named, Verb::Pass) => {
                let right = command.arg == ArgId::RIGHT_PASSWORD;
                self.check_password(now, at, conn, (right, Phase::Pass), out);
            }
            (_, Verb::Pass) => self.object(now, at, conn, replies.pass_first, out),
            _ if self.policy.login.locked => self.object(now, at, conn, replies.login_first, out),
            (_, Verb::Noop) => self.answer(conn, replies.noop, at, out),
            (_, Verb::Other) => self.object(now, at, conn, replies.unknown, out),
            _ => self.object(now, at, conn, replies.login_first, out),
        }
    }

    #[inline]
    pub(super) fn answer(
        &mut self,
        conn: ConnId,
        reply: ReplyId,
        at: Instant,
        out: &mut impl Outbox<Action>,
    ) {
        out.push(Action::Reply { conn, reply, at });
        self.sessions[conn.slot()].ends = at;
        self.arm(conn, out);
    }

    fn quit(&mut self, now: Instant, at: Instant, conn: ConnId, out: &mut impl Outbox<Action>) {
        out.push(Action::Reply { conn, reply: self.policy.replies.quit, at });
        self.close_at(now, at, conn, CloseHow::Fin, None, out);
    }

    fn session_command(
        &mut self,
        now: Instant,
        at: Instant,
        conn: ConnId,
        command: Command,
        out: &mut impl Outbox<Action>,
    ) {
        let replies = &self.policy.replies;
        let reply = match command.verb {
            Verb::Noop => replies.noop,
            Verb::Cwd => replies.cwd,
            Verb::Pwd => replies.pwd,
            Verb::Abor => replies.abor,
            Verb::SiteIdle => self.set_idle(conn, command.arg),
            Verb::Type if command.arg == ArgId::ASCII => replies.type_ascii,
            Verb::Type => replies.type_image,
            Verb::Size => replies.size,
            Verb::Rest => replies.rest,
            Verb::User | Verb::Pass | Verb::Other | Verb::Quit | Verb::Auth | Verb::Pbsz | Verb::Prot => {
                replies.unknown
            }
            Verb::Told | Verb::ToldAnybody => replies.told,
            Verb::Rein => return self.log_out(now, at, conn, out),
            Verb::Refused => return self.refuse_transfer(now, at, conn, out),
            Verb::Pasv => return self.listen_for_data(now, at, conn, out),
            Verb::Port => return self.note_port(now, at, conn, out),
            Verb::List | Verb::Nlst | Verb::Mlsd | Verb::Retr | Verb::Stor => {
                return self.transfer(now, at, conn, command.verb, out);
            }
        };
        self.answer(conn, reply, at, out);
    }

    /// SITE IDLE, where the server has it and the time is not too long.
    fn set_idle(&mut self, conn: ConnId, secs: ArgId) -> ReplyId {
        let time = Duration::from_secs(u64::from(secs.0));
        if self.policy.site_idle_max.is_zero() {
            return self.policy.replies.site_idle; // which says no
        }
        if time.is_zero() || time > self.policy.site_idle_max {
            return self.policy.replies.unknown;
        }
        self.side_mut(conn).idle = time;
        self.policy.replies.site_idle
    }
}
