//! What comes in while a server hangs, and what becomes of it when the server goes on.
//!
//! It does not hold the connections that wait to be accepted: those are the listener's.

use super::session::Stage;
use super::{Action, Control, Input, Server, Signal};
use crate::id::ConnId;
use crate::outbox::Outbox;
use crate::time::Instant;

/// The most inputs of one connection that wait: its socket's buffer is bounded, too.
const MOST_OF_ONE: u8 = 8;
/// The peer has closed the connection; nothing that comes later matters.
const CLOSED: u8 = 0x80;

/// What waits for a server that hangs. It is bounded by the number of live connections.
#[derive(Clone, Debug, Default)]
pub(super) struct Backlog {
    inputs: Vec<Input>,
    controls: Vec<Control>,
    /// How many inputs of each connection are kept, by slot.
    of: Vec<u8>,
}

impl Backlog {
    fn keep(&mut self, conn: ConnId, input: Input) {
        if conn.slot() >= self.of.len() {
            self.of.resize(conn.slot() + 1, 0);
        }
        let count = &mut self.of[conn.slot()];
        match input {
            Input::Closed { .. } => *count |= CLOSED,
            // A driver says each of these once for a data connection, and a firing once for each that was asked for.
            Input::DataOpened { .. }
            | Input::DataFailed { .. }
            | Input::StoreFull { .. }
            | Input::TransferDone { .. }
            | Input::TimerFired { .. } => {}
            _ if *count & !CLOSED >= MOST_OF_ONE => return,
            _ => *count += 1,
        }
        self.inputs.push(input);
    }

    /// `conn` is given back without ever having been seen: what it said is nobody's.
    pub(super) fn forget(&mut self, conn: ConnId) {
        self.inputs.retain(|input| named(*input) != Some(conn));
        if let Some(count) = self.of.get_mut(conn.slot()) {
            *count = 0;
        }
    }

    /// Each kind of control waits once: the last word counts.
    fn keep_control(&mut self, control: Control) {
        let same = |other: &Control| match (control, *other) {
            (Control::SetLimit { check: a, .. }, Control::SetLimit { check: b, .. }) => a == b,
            (Control::SetKnob { knob: a, .. }, Control::SetKnob { knob: b, .. }) => a == b,
            (
                Control::Ban { peer: a, .. } | Control::Unban { peer: a },
                Control::Ban { peer: b, .. } | Control::Unban { peer: b },
            ) => a == b,
            (a, b) => a == b,
        };
        self.controls.retain(|other| !same(other));
        self.controls.push(control);
    }

    /// An announcement that has not been read is withdrawn.
    pub(super) fn withdraw(&mut self) {
        self.controls.retain(|control| *control != Control::Announce);
    }
}

impl Server {
    /// Keeps `input` if the server hangs and does not see it. It reads neither a socket nor a shutdown message nor its
    /// configuration, and no signal but the one that kills. What its kernel does goes on: connections wait to be accepted, the
    /// listener can be closed and opened again, and the process killed.
    pub(super) fn keeps(&mut self, input: Input) -> bool {
        let conn = match input {
            Input::Accepted { .. } | Input::AcceptedTls { .. } => return false,
            Input::ServerTimerFired => return true, // it is asked for again
            Input::Control(control) => {
                let waits = matches!(
                    control,
                    Control::Announce
                        | Control::CutAnnounced
                        | Control::SetLimit { .. }
                        | Control::SetKnob { .. }
                        | Control::Ban { .. }
                        | Control::Unban { .. }
                        | Control::Signal(Signal::Term | Signal::Hup)
                );
                if waits {
                    self.backlog.keep_control(control);
                }
                return waits || control == Control::Hang;
            }
            other => match named(other) {
                Some(conn) => conn,
                None => return true,
            },
        };
        let leaves = matches!(input, Input::Closed { .. });
        let is_known = self.sessions.get(conn.slot()).is_some_and(|session| session.stage != Stage::Free);
        // Whoever speaks before the greeting is read when it is accepted; what names nobody is nothing.
        if is_known || (!leaves && self.waits_in_queue(conn)) {
            self.backlog.keep(conn, input);
        } else if leaves {
            self.leaves_queue(conn);
        }
        true
    }

    /// The server answers again: first what its administrator said, then who waited to be accepted, then what has waited, in the order
    /// in which it came.
    pub(super) fn resume(&mut self, now: Instant, out: &mut impl Outbox<Action>) {
        if !std::mem::take(&mut self.hung) {
            return;
        }
        let Backlog { inputs, controls, of } = std::mem::take(&mut self.backlog);
        for control in controls {
            self.handle(now, Input::Control(control), out);
        }
        self.accept_waiting(now, out);
        for input in inputs {
            self.handle(now, input, out);
        }
        for conn in self.unkept(&of) {
            self.timer_fired(now, conn, out);
        }
    }

    /// The connections of which a firing may not have been kept: too much came before it, or the close of a peer, which says nothing
    /// about a process that is still to be reaped.
    fn unkept(&self, of: &[u8]) -> Vec<ConnId> {
        let slots = (0..of.len()).filter(|slot| of[*slot] >= MOST_OF_ONE); // CLOSED is more, too
        slots.map(|slot| ConnId::new(self.id, slot as u32)).collect()
    }

    /// A server that may hang is ended: connections that it never saw are reset by its kernel, and nothing else that waited
    /// matters any more but who has left meanwhile.
    pub(super) fn drop_backlog(&mut self, now: Instant, out: &mut impl Outbox<Action>) {
        self.reset_waiting(out);
        self.hung = false;
        let Backlog { inputs, controls, of } = std::mem::take(&mut self.backlog);
        for input in inputs {
            match input {
                Input::TimerFired { conn } if !self.is_reaping(conn) => {}
                Input::Closed { .. } | Input::TimerFired { .. } => self.handle(now, input, out),
                _ => {}
            }
        }
        for conn in self.unkept(&of) {
            if self.is_reaping(conn) {
                self.timer_fired(now, conn, out);
            }
        }
        for control in controls {
            // The server that comes next reads the configuration as it is then.
            if !matches!(control, Control::Announce | Control::CutAnnounced | Control::Signal(_)) {
                self.control(now, control, out);
            }
        }
    }
}

/// The connection that `input` names and that was handed in before.
const fn named(input: Input) -> Option<ConnId> {
    match input {
        Input::TlsHello { conn }
        | Input::TlsDone { conn }
        | Input::TlsFailed { conn }
        | Input::Command { conn, .. }
        | Input::Bytes { conn }
        | Input::LineTooLong { conn }
        | Input::DataOpened { conn }
        | Input::DataFailed { conn }
        | Input::StoreFull { conn }
        | Input::Progress { conn, .. }
        | Input::TransferDone { conn }
        | Input::Closed { conn }
        | Input::TimerFired { conn } => Some(conn),
        Input::Accepted { .. } | Input::AcceptedTls { .. } | Input::ServerTimerFired | Input::Control(_) => {
            None
        }
    }
}
