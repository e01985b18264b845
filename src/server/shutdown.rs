//! What an administrator, a signal or a fault does to the whole server.
//!
//! It says nothing about when: the timeline of faults does.

use super::policy::Ending;
use super::{Action, Control, Input, Server};
use crate::observe::{Cause, CloseHow};
use crate::time::Instant;

impl Server {
    pub(super) fn control(&mut self, now: Instant, control: Control, out: &mut Vec<Action>) {
        let silent = |cause, close| Ending { cause, reply: None, close };
        match control {
            Control::StopListening => out.push(Action::Listen { up: false }),
            Control::Listen => {
                self.announcing = false;
                out.push(Action::Listen { up: true });
            }
            Control::Announce if self.policy.shutdown_new.is_none() => out.push(Action::Listen { up: false }),
            Control::Announce => self.announcing = true,
            Control::CutAnnounced => self.end_all(now, self.policy.shutdown_live, out),
            Control::Cut => {
                self.drop_waiting(now, CloseHow::Fin, out);
                self.end_all(now, silent(Cause::ShuttingDown, CloseHow::Fin), out);
            }
            Control::Crash => {
                self.drop_waiting(now, CloseHow::Rst, out);
                self.end_all(now, silent(Cause::Reset, CloseHow::Rst), out);
            }
            Control::Hang => self.hung = true,
            Control::Resume => self.resume(now, out),
            Control::SetLimit { check, limit } => self.policy.set_limit(usize::from(check), limit),
        }
    }

    /// The server answers again: first what has waited, in the order in which it came.
    fn resume(&mut self, now: Instant, out: &mut Vec<Action>) {
        if !std::mem::take(&mut self.hung) {
            return;
        }
        for input in std::mem::take(&mut self.waiting) {
            self.handle(now, input, out);
        }
    }

    /// A server that hung is ended: connections that it never saw are closed by its kernel, and nothing else that waited
    /// matters any more but who has left meanwhile.
    fn drop_waiting(&mut self, now: Instant, how: CloseHow, out: &mut Vec<Action>) {
        self.hung = false;
        for input in std::mem::take(&mut self.waiting) {
            match input {
                Input::Accepted { conn, .. } => {
                    let cause = if how == CloseHow::Rst { Cause::Reset } else { Cause::ShuttingDown };
                    out.push(Action::Close { conn, how, cause: Some(cause) });
                    out.push(Action::Free { conn });
                }
                Input::Closed { .. } => self.handle(now, input, out),
                Input::TimerFired { conn } => out.push(Action::Arm { conn, at: now }),
                _ => {}
            }
        }
    }
}
