//! The timers of open connections: when the next one is due, and what happens then.
//!
//! They are hints (law 4): a firing only makes the machine look what is due.

use super::ending::LastWords;
use super::policy::{Ending, Stalled, Timer};
use super::session::{Session, Stage};
use super::side::{DataState, Side};
use super::{Action, Server};
use crate::ftp::Verb;
use crate::id::ConnId;
use crate::observe::CloseHow;
use crate::outbox::Outbox;
use crate::time::{Duration, Instant};

/// Which timer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Login,
    Idle,
    Line,
    NoTransfer,
    Session,
    DataConnect,
    Stalled,
}

/// The earliest of several deadlines.
#[derive(Clone, Copy)]
struct Next {
    at: Instant,
    kind: Kind,
}

impl Next {
    fn earlier(&mut self, at: Instant, kind: Kind) {
        if at < self.at {
            *self = Self { at, kind };
        }
    }
}

impl Server {
    /// Asks for a firing when the next timer of `conn` is due.
    #[inline(always)]
    pub(super) fn arm(&self, conn: ConnId, out: &mut impl Outbox<Action>) {
        let session = &self.sessions[conn.slot()];
        let at = if session.is_at_rest() { self.rest_ends(session) } else { self.next_timer(session).at };
        if !at.is_never() {
            out.push(Action::Arm { conn, at });
        }
    }

    pub(super) fn timer_fired(&mut self, now: Instant, conn: ConnId, out: &mut impl Outbox<Action>) {
        let Some(session) = self.sessions.get(conn.slot()) else { return };
        match session.stage {
            Stage::Free => {}
            Stage::Ending | Stage::Refusing | Stage::Reaping | Stage::Refused if now < session.ends => {
                out.push(Action::Arm { conn, at: session.ends });
            }
            Stage::Ending => self.close_now(now, conn, out),
            Stage::Refusing => self.close_refused(now, conn, out),
            Stage::Reaping | Stage::Refused => self.free(now, conn, out),
            _ => match self.next_timer(session) {
                next if now >= next.at => self.expire(now, conn, next.kind, out),
                _ => self.arm(conn, out),
            },
        }
    }

    /// Bytes without a line end.
    pub(super) fn bytes(&mut self, now: Instant, conn: ConnId, out: &mut impl Outbox<Action>) {
        let policy = &self.policy;
        let (idle, login, line) = (policy.idle_timer, policy.login_timer, policy.line_timer);
        let Some(session) = self.live(conn).filter(|s| s.stage != Stage::Transfer) else { return };
        let timer = if session.logged_in.is_never() { login } else { idle };
        let since = session.last_command;
        if timer.is_some_and(|timer| timer.rearmed_by_bytes) {
            session.last_command = session.last_command.max(now);
        }
        if line.is_some_and(|timer| !timer.after.is_forever()) {
            let side = self.side_mut(conn);
            if side.line_since.is_never() {
                side.line_since = since;
                self.arm(conn, out);
            }
        }
    }

    /// Has `conn` done nothing but keep itself alive for too long?
    pub(super) fn is_stale(&self, now: Instant, conn: ConnId) -> bool {
        let session = &self.sessions[conn.slot()];
        let since = session.idling_since;
        self.policy.noop_idle_timer.is_some_and(|timer| {
            !since.is_never() && now.since(since) > length(&timer, self.sides.get(session.side))
        })
    }

    fn expire(&mut self, now: Instant, conn: ConnId, kind: Kind, out: &mut impl Outbox<Action>) {
        let Some(ending) = self.ending_of(conn, kind) else { return };
        let at = self.turn(now, conn);
        if ending.close == CloseHow::None {
            self.begin_anew(now, conn, kind, out);
        }
        self.end(now, at, conn, LastWords::from(ending), out);
    }

    /// The session outlives this timer, which must not fire again at once.
    fn begin_anew(&mut self, now: Instant, conn: ConnId, kind: Kind, out: &mut impl Outbox<Action>) {
        match kind {
            Kind::NoTransfer => self.sessions[conn.slot()].last_transfer = now,
            Kind::Line => self.side_mut(conn).line_since = Instant::NEVER,
            Kind::DataConnect | Kind::Stalled => self.drop_data(now, conn, out),
            Kind::Idle | Kind::Login | Kind::Session => {} // its end is a command's end
        }
    }

    fn ending_of(&self, conn: ConnId, kind: Kind) -> Option<Ending> {
        let policy = &self.policy;
        let side = self.side(conn);
        let timer = match kind {
            Kind::Login => policy.login_timer,
            Kind::Idle => policy.idle_timer,
            Kind::Line => policy.line_timer,
            Kind::NoTransfer => policy.no_transfer_timer,
            Kind::Session => policy.session_timer,
            Kind::DataConnect => {
                let timer = policy.data_connect_timer?;
                return timer.active.filter(|_| !side.is_some_and(|s| s.passive)).or(Some(timer.ending));
            }
            Kind::Stalled => {
                let timer = policy.stalled_timer?;
                let upload = side.is_some_and(|s| s.verb == Verb::Stor);
                return Some(if upload { timer.upload } else { timer.download });
            }
        };
        timer.map(|timer| timer.ending)
    }

    /// The earliest timer of a session under which nothing is under way, and which has no timer of its own: as nearly all, nearly
    /// always.
    #[inline(always)]
    fn rest_ends(&self, s: &Session) -> Instant {
        let policy = &self.policy;
        let ends = |from: Instant, timer: &Option<Timer>| {
            timer.as_ref().map_or(Instant::NEVER, |timer| later(from, timer.after, policy.lateness))
        };
        let idle = ends(s.last_command, &policy.idle_timer);
        let no_transfer = ends(s.last_transfer, &policy.no_transfer_timer);
        idle.min(no_transfer).min(ends(s.logged_in, &policy.session_timer))
    }

    /// The earliest timer of an open connection. The idle and no-transfer timers rest during a transfer and begin anew at its
    /// end; a session that waits for its data connection is not in a transfer yet.
    fn next_timer(&self, s: &Session) -> Next {
        let mut next = Next { at: Instant::NEVER, kind: Kind::Idle };
        let policy = &self.policy;
        let side = self.sides.get(s.side);
        let mut watch = |from: Instant, timer: &Option<Timer>, kind| {
            if let Some(timer) = timer {
                next.earlier(later(from, length(timer, side), policy.lateness), kind);
            }
        };
        let line_since = side.map_or(Instant::NEVER, |side| side.line_since);
        if s.logged_in.is_never() {
            let from = match &policy.login_timer {
                Some(timer) if timer.rearmed_by_command || timer.rearmed_by_bytes => s.last_command,
                // REIN begins it anew; who has never logged in has no last transfer.
                _ => self.listener.attends(s.opened).max(s.last_transfer),
            };
            watch(from, &policy.login_timer, Kind::Login);
            watch(line_since, &policy.line_timer, Kind::Line);
            return next;
        }
        watch(s.logged_in, &policy.session_timer, Kind::Session);
        if let Some(side) = side
            && !side.began.is_never()
        {
            if let Some(timer) = &policy.stalled_timer {
                next.earlier(stalls(timer, side, policy.lateness), Kind::Stalled);
            }
            return next;
        }
        let in_command = s.stage == Stage::Transfer;
        let awaited = match (side, &policy.data_connect_timer) {
            (Some(side), Some(timer)) => {
                let coming = matches!(side.data, DataState::Listening | DataState::Connecting);
                let awaited = coming && (timer.from_pasv || in_command);
                if awaited {
                    watch(side.since, &policy.data_connect_timer, Kind::DataConnect);
                }
                awaited && !timer.after.is_forever()
            }
            _ => false,
        };
        watch(s.last_transfer, &policy.no_transfer_timer, Kind::NoTransfer);
        if !(awaited && in_command) {
            let own = side.map_or(Duration::ZERO, |side| side.idle);
            match &policy.idle_timer {
                Some(_) if !own.is_zero() => {
                    next.earlier(later(s.last_command, own, policy.lateness), Kind::Idle);
                }
                timer => watch(s.last_command, timer, Kind::Idle),
            }
        }
        if !line_since.is_never()
            && let Some(timer) = &policy.line_timer
        {
            next.earlier(later(line_since, length(timer, side), policy.lateness), Kind::Line);
        }
        next
    }
}

/// How long a timer runs for a connection with this side entry.
fn length(timer: &Timer, side: Option<&Side>) -> Duration {
    follows(timer.after, timer.times_idle, side)
}

/// A timer of `after`, or so many times the idle timer that the client has set.
fn follows(after: Duration, times_idle: u64, side: Option<&Side>) -> Duration {
    match side {
        Some(side) if times_idle > 0 && !side.idle.is_zero() => side.idle * times_idle,
        _ => after,
    }
}

/// When a transfer is found to have stalled; never, while it moves.
fn stalls(timer: &Stalled, side: &Side, lateness: Duration) -> Instant {
    if side.slow_since.is_never() || timer.after.is_forever() {
        return Instant::NEVER;
    }
    let after = follows(timer.after, timer.times_idle, Some(side));
    let slow = side.slow_since.max(side.began);
    let from = if timer.ticks {
        // The look that ends the first whole tick without progress.
        let ticks = slow.since(side.began).as_nanos().div_ceil(after.as_nanos().max(1));
        side.began + after * ticks
    } else {
        slow
    };
    let lingers = if side.verb == Verb::Stor { 0 } else { timer.download_lingers };
    later(from, after * (1 + lingers), lateness)
}

/// `from` plus `after` plus the lateness of the server's timers; never, if the timer is off (it lasts for ever) or does not run (it
/// begins never): sums saturate.
fn later(from: Instant, after: Duration, lateness: Duration) -> Instant {
    from + after + lateness
}
