//! What an administrator, a signal or a fault does to the whole server.
//!
//! It says nothing about when: the timeline of faults does.

use super::policy::Ending;
use super::{Action, Control, Input, Server};
use crate::observe::{Cause, CloseHow};
use crate::time::Instant;

impl Server {
    /// Does `input` wait until a server that hangs goes on? It reads neither a socket nor a shutdown message nor its
    /// configuration. What its kernel does goes on: the listener can be closed and opened again, and the process killed.
    pub(super) fn waits(input: Input) -> bool {
        match input {
            Input::Control(control) => matches!(
                control,
                Control::Announce | Control::CutAnnounced | Control::Hang | Control::SetLimit { .. }
            ),
            _ => true,
        }
    }

    pub(super) fn control(&mut self, now: Instant, control: Control, out: &mut Vec<Action>) {
        let silent = |cause, close| Ending::silent(cause, close);
        match control {
            Control::StopListening => out.push(Action::Listen { up: false }),
            Control::Listen => {
                self.announcing = false;
                self.waiting.retain(|input| *input != Input::Control(Control::Announce)); // it is withdrawn
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
            Control::ListenNotReady { .. }
            | Control::Signal(_)
            | Control::SetBacklog(_)
            | Control::SetSlowness(_)
            | Control::LeakDescriptors(_)
            | Control::FillDisk(_) => {}
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
                Input::TimerFired { conn } if self.is_reaping(conn) => self.handle(now, input, out),
                // The server that comes next reads the configuration as it is then.
                Input::Closed { .. } | Input::Control(Control::SetLimit { .. }) => {
                    self.handle(now, input, out);
                }
                _ => {}
            }
        }
    }
}
