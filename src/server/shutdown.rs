//! What an administrator, a signal or a fault does to the whole server.
//!
//! It says nothing about when: the timeline of faults does.

use super::policy::Ending;
use super::profile::{Fate, InTransfer, ListenerFate, OnSignal};
use super::session::Stage;
use super::{Action, Control, Server, Signal};
use crate::ftp::ArgId;
use crate::id::{ConnId, PeerId, UserId};
use crate::observe::{Cause, CloseHow};
use crate::outbox::Outbox;
use crate::time::{Duration, Instant};

/// A server on its way down.
#[derive(Clone, Copy, Debug)]
pub(super) struct Down {
    /// When it notices that a shutdown was announced.
    noticed: Instant,
    /// When it cuts its sessions for it.
    cuts: Instant,
    /// When it closes its listener for it.
    closes: Instant,
    /// A signal that was given at the first time, and whose victims end at the second.
    signal: Option<(Instant, Instant, OnSignal)>,
    /// Sessions that were accepted until then are told at their next command.
    telling: Option<Instant>,
    /// The same at the end of their transfer.
    finishing: Option<Instant>,
}

impl Down {
    /// It stays up.
    pub(super) const NOT: Self = Self {
        noticed: Instant::NEVER,
        cuts: Instant::NEVER,
        closes: Instant::NEVER,
        signal: None,
        telling: None,
        finishing: None,
    };

    /// Does it know of an announced shutdown?
    pub(super) fn announces(&self, now: Instant) -> bool {
        self.noticed <= now
    }

    /// When something is due next.
    pub(super) fn next(&self) -> Instant {
        let signal = self.signal.map_or(Instant::NEVER, |(_, at, _)| at);
        self.cuts.min(self.closes).min(signal)
    }

    /// Is a session that was accepted at `opened` to be told at its next command?
    pub(super) fn tells(&self, opened: Instant) -> bool {
        self.telling.is_some_and(|until| opened <= until)
    }

    /// Is it to be told when its transfer is over?
    pub(super) fn ends_after_transfer(&self, opened: Instant) -> bool {
        self.finishing.is_some_and(|until| opened <= until)
    }
}

const SILENT: Ending = Ending::silent(Cause::ShuttingDown, CloseHow::Fin);

impl Server {
    pub(super) fn control(&mut self, now: Instant, control: Control, out: &mut impl Outbox<Action>) {
        match control {
            Control::StopListening => self.stop_listening(out),
            Control::Listen => self.listen(now, 0, out),
            Control::ListenNotReady { secs } => self.listen(now, secs, out),
            Control::Announce => self.announce(now, out),
            Control::CutAnnounced => self.deadline(now, out),
            Control::Cut => {
                self.drop_backlog(now, out);
                self.drop_work(now);
                self.end_all(now, SILENT, out);
            }
            Control::Crash => self.crash(now, out),
            Control::Hang => self.hung = true,
            Control::Resume => self.resume(now, out),
            Control::Signal(signal) => self.signal(now, signal, out),
            Control::SetBacklog(u32::MAX) => self.listener.backlog = self.policy.process.backlog,
            Control::SetBacklog(backlog) => self.listener.backlog = backlog,
            Control::SetSlowness(percent) => self.host.set_slowness(percent),
            Control::LeakDescriptors(count) => self.host.leaked = count,
            Control::FillDisk(full) => self.host.disk_full = full,
            Control::SetLimit { check, limit } => self.policy.set_limit(usize::from(check), limit),
            Control::SetKnob { knob, value } => self.set_knob(knob, value, out),
            Control::Ban { peer, secs } => self.ban_by_hand(now, peer, secs, out),
            Control::Unban { peer } => self.bans.lift(peer),
            Control::Part { peer, reset } => self.part(now, peer, reset, out),
        }
    }

    /// The server's own timer has fired: does what is due.
    pub(super) fn server_timer_fired(&mut self, now: Instant, out: &mut impl Outbox<Action>) {
        self.do_due(now, out);
        self.accept_waiting(now, out); // which asks for the next firing
    }

    fn stop_listening(&mut self, out: &mut impl Outbox<Action>) {
        self.listener.orphaned = false;
        out.push(Action::Listen { up: false });
        self.reset_waiting(out);
    }

    /// A server listens (again), and greets properly after `secs`.
    fn listen(&mut self, now: Instant, secs: u32, out: &mut impl Outbox<Action>) {
        self.backlog.withdraw();
        if std::mem::take(&mut self.listener.orphaned) {
            self.reset_waiting(out); // those waited for a listener that is no more
        }
        let Down { telling, finishing, .. } = self.down; // what the sessions of before were promised holds
        self.down = Down { telling, finishing, ..Down::NOT };
        self.listener.up(now, now + Duration::from_secs(u64::from(secs)));
        out.push(Action::Listen { up: true });
    }

    /// All is lost, at once.
    pub(super) fn crash(&mut self, now: Instant, out: &mut impl Outbox<Action>) {
        self.drop_backlog(now, out);
        self.drop_work(now);
        self.end_all(now, Ending::silent(Cause::Reset, CloseHow::Rst), out);
    }

    /// The connections from `peer` end. Nobody asks the server, so one that hangs loses them, too.
    fn part(&mut self, now: Instant, peer: PeerId, reset: bool, out: &mut impl Outbox<Action>) {
        let (cause, how) =
            if reset { (Cause::Reset, CloseHow::Rst) } else { (Cause::SilentClose, CloseHow::Fin) };
        for place in 0..self.sessions.len() {
            let session = &mut self.sessions[place];
            if session.peer != peer || session.stage == Stage::Free {
                continue;
            }
            if session.stage == Stage::Ending && reset {
                session.close = how;
            }
            let conn = ConnId::new(self.id, place as u32);
            self.backlog.forget(conn);
            self.end_whatever(now, conn, Ending::silent(cause, how), out);
        }
    }

    /// The processes are gone, and what they had to do with them.
    fn drop_work(&mut self, now: Instant) {
        self.host.forget_work(now);
        self.listener.forget_work(now);
    }

    // ---- an announced shutdown -----------------------------------------------------------------------------------

    fn announce(&mut self, now: Instant, out: &mut impl Outbox<Action>) {
        if self.down.noticed.is_never() {
            self.down.noticed = now + self.policy.process.down.noticed_after;
            if self.policy.process.down.new.is_none() {
                self.down.closes = self.down.noticed;
            }
            self.go_down(now, out);
        }
    }

    /// The deadline of the announcement has come. It passes unseen while nobody has noticed the announcement, and a server may
    /// have noticed it too early.
    fn deadline(&mut self, now: Instant, out: &mut impl Outbox<Action>) {
        let noticed = self.down.noticed;
        let down = &self.policy.process.down;
        // Who notices an announcement at once has always noticed it too early.
        if down.forgets_deadline && (noticed < now || down.noticed_after.is_zero()) {
            return;
        }
        self.down.cuts = if noticed.is_never() { now } else { noticed.max(now) };
        self.go_down(now, out);
    }

    /// Does what is due of going down, and asks for a firing for the rest.
    fn go_down(&mut self, now: Instant, out: &mut impl Outbox<Action>) {
        self.do_due(now, out);
        self.arm_server(now, out);
    }

    fn do_due(&mut self, now: Instant, out: &mut impl Outbox<Action>) {
        if self.down.closes <= now {
            self.down.closes = Instant::NEVER;
            self.stop_listening(out);
        }
        if self.down.cuts <= now {
            self.down.cuts = Instant::NEVER;
            self.cut_announced(now, out);
        }
        if let Some((given, at, on)) = self.down.signal.filter(|(_, at, _)| *at <= now) {
            self.down.signal = None;
            debug_assert!(given <= at, "a signal is given before it takes effect");
            self.end_signalled(now, given, on, out);
        }
    }

    fn cut_announced(&mut self, now: Instant, out: &mut impl Outbox<Action>) {
        let down = &self.policy.process.down;
        let (live, transfer) = (down.live, down.transfer);
        let (at_next_command, anonymous_silently) = (down.at_next_command, down.anonymous_silently);
        for place in 0..self.sessions.len() {
            let conn = ConnId::new(self.id, place as u32);
            let session = self.sessions[place];
            let anonymous = session.is_logged_in() && session.user == UserId(ArgId::ANONYMOUS.0);
            match (session.stage, transfer) {
                (Stage::Free | Stage::Reaping | Stage::Refusing | Stage::Refused, _) => {}
                (Stage::Ending, _) => self.close_now(now, conn, out),
                (Stage::Transfer, InTransfer::Finishes) => self.down.finishing = Some(now),
                (Stage::Transfer, InTransfer::Silent) => self.end(now, now, conn, SILENT.into(), out),
                _ if anonymous && anonymous_silently => self.end(now, now, conn, SILENT.into(), out),
                _ if at_next_command => self.down.telling = Some(now),
                _ => self.end(now, now, conn, live.into(), out),
            }
        }
    }

    // ---- signals -------------------------------------------------------------------------------------------------

    fn signal(&mut self, now: Instant, signal: Signal, out: &mut impl Outbox<Action>) {
        let on = self.policy.process.down.on(signal);
        match on.listener {
            ListenerFate::Stays => {}
            ListenerFate::Closes => self.stop_listening(out),
            ListenerFate::HalfDead => self.listener.orphaned = true,
        }
        // Only SIGKILL reaches a server that hangs. Its sessions' processes do not hang any more, if they live on.
        let fates = [on.pre_login, on.session, on.transfer];
        if fates.iter().all(|fate| *fate == Fate::Silent) {
            self.drop_backlog(now, out);
        } else {
            self.resume(now, out);
        }
        if fates.iter().any(|fate| *fate != Fate::Lives) {
            self.down.signal = Some((now, now + on.after.0, on)); // one that harms nobody does not undo one that does
        }
        self.go_down(now, out);
    }

    /// The sessions that were there when a signal was `given` meet their fates.
    fn end_signalled(&mut self, now: Instant, given: Instant, on: OnSignal, out: &mut impl Outbox<Action>) {
        for place in 0..self.sessions.len() {
            let conn = ConnId::new(self.id, place as u32);
            let session = self.sessions[place];
            if !session.is_open() || session.opened > given {
                continue;
            }
            let fate = match session.stage {
                Stage::Transfer => on.transfer,
                _ if session.is_logged_in() => on.session,
                _ => on.pre_login,
            };
            match (session.stage, fate) {
                (_, Fate::Lives) => {}
                (Stage::Ending, _) => self.close_now(now, conn, out),
                (_, Fate::Silent) => self.end(now, now, conn, SILENT.into(), out),
                (Stage::Transfer, Fate::Finishes) => self.down.finishing = Some(given),
                (_, Fate::Told | Fate::Finishes) => {
                    let live = self.policy.process.down.live;
                    self.end(now, now, conn, live.into(), out);
                }
            }
        }
    }
}
