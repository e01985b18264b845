//! Carrying out orders: what the machine is told, and what its driver does itself.
//!
//! It reads no text.

use std::net::IpAddr;

use super::{GRAMMAR, Manner, Order};
use crate::id::PeerId;
use crate::live::serve::calendar::Event;
use crate::live::serve::station::Station;
use crate::server::{Control, Input};
use crate::time::{Duration, Instant};

/// The most that may wait for its time.
const MOST: u32 = 1_000;

/// A part of an order that has its time later.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(in crate::live::serve) struct Step {
    does: Does,
    /// It is done if its kind has had no other order since.
    of: u32,
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum Does {
    /// The machine is told this.
    Tell(Control),
    /// Transfers go on.
    Release,
}

/// What orders are under way.
#[derive(Debug, Default)]
pub(in crate::live::serve) struct Pending {
    /// How many steps wait for their time.
    waiting: u32,
    /// Orders to the process, and to its transfers, so far: a later one takes the place of what is left of an earlier one.
    process: u32,
    transfers: u32,
}

impl Station {
    /// Does what was ordered. Says what came of it, or why it cannot be.
    pub(in crate::live::serve) fn carry_out(&mut self, order: Order) -> Result<String, String> {
        let before = self.tally.connections;
        let mut told = match order {
            Order::Signal(signal) => {
                self.control(Control::Signal(signal));
                "signalled".to_owned()
            }
            Order::Control(control) => {
                self.control(control);
                "done".to_owned()
            }
            Order::End => {
                self.end();
                "ends".to_owned()
            }
            Order::Retire => {
                self.retiring = true;
                "ends with its last connection".to_owned()
            }
            Order::Shutdown(manner) => self.shut_down(manner)?,
            Order::Up { ready_in } => self.up(ready_in),
            Order::Resume => self.resume(),
            Order::Ban { address, lasts } => self.ban(address, lasts)?,
            Order::Unban(address) => {
                if let Some(peer) = self.peers.find(address) {
                    self.control(Control::Unban { peer });
                }
                format!("{address} is not banned")
            }
            Order::Part { address, reset } => self.part(address, reset),
            Order::Stall(lasts) => self.stall(lasts)?,
            Order::Bandwidth(bandwidth) => {
                self.lanes.set_bandwidth(bandwidth.unwrap_or(self.scenario.servers[0].bandwidth()));
                "done".to_owned()
            }
            Order::Status => return Ok(self.status_line()),
            Order::Dialogue => return self.minutes.told().ok_or_else(|| "nothing is kept".to_owned()),
            Order::Wait(..) => return Err("nobody waits here".to_owned()),
            Order::Help => return Ok(help()),
        };
        let after = self.tally.connections;
        if after < before {
            told.push_str(&format!("; connections: {before}, now {after}"));
        }
        Ok(told)
    }

    fn control(&mut self, control: Control) {
        self.tell(Input::Control(control));
    }

    fn shut_down(&mut self, manner: Manner) -> Result<String, String> {
        let at_once = Duration::ZERO;
        let (told, steps): (_, &[_]) = match manner {
            Manner::Now => (
                "shut down".to_owned(),
                &[(at_once, Control::StopListening), (at_once, Control::CutAnnounced)],
            ),
            Manner::Drain => ("listens no more".to_owned(), &[(at_once, Control::StopListening)]),
            Manner::Announce(notice) => (
                format!("shuts down in {notice}"),
                &[
                    (at_once, Control::Announce),
                    (notice, Control::CutAnnounced),
                    (notice, Control::StopListening),
                ],
            ),
            Manner::Cut => ("cut".to_owned(), &[(at_once, Control::StopListening), (at_once, Control::Cut)]),
            Manner::Crash => {
                ("crashed".to_owned(), &[(at_once, Control::StopListening), (at_once, Control::Crash)])
            }
            Manner::Hang(lasts) if lasts.is_forever() => {
                ("hangs until `resume`".to_owned(), &[(at_once, Control::Hang)])
            }
            Manner::Hang(lasts) => {
                (format!("hangs for {lasts}"), &[(at_once, Control::Hang), (lasts, Control::Resume)])
            }
        };
        let later = steps.iter().filter(|(after, _)| !after.is_zero()).count() as u32;
        self.has_room_for(later)?;
        self.pending.process += 1;
        let now = self.clock.now();
        for (after, control) in steps {
            if after.is_zero() {
                self.control(*control);
            } else {
                self.later(now + *after, Does::Tell(*control), self.pending.process);
            }
        }
        Ok(told)
    }

    fn up(&mut self, ready_in: Duration) -> String {
        self.pending.process += 1;
        match ready_in.as_nanos().div_ceil(1_000_000_000) {
            0 => {
                self.control(Control::Listen);
                "listens".to_owned()
            }
            secs => {
                self.control(Control::ListenNotReady { secs: secs as u32 }); // thirty days at most
                format!("listens, and is ready in {secs} s")
            }
        }
    }

    fn resume(&mut self) -> String {
        let (hung, stalled) = (self.server.hangs(), self.lanes.is_stalled());
        if hung {
            self.pending.process += 1;
            self.control(Control::Resume);
        }
        self.pending.transfers += 1;
        self.lanes.stall(false);
        if hung || stalled { "goes on" } else { "nothing hung or stood still" }.to_owned()
    }

    fn stall(&mut self, lasts: Duration) -> Result<String, String> {
        self.has_room_for(1)?;
        self.pending.transfers += 1;
        self.lanes.stall(true);
        if lasts.is_forever() {
            return Ok("transfers stand still until `resume`".to_owned());
        }
        self.later(self.clock.now() + lasts, Does::Release, self.pending.transfers);
        Ok(format!("transfers stand still for {lasts}"))
    }

    fn ban(&mut self, address: IpAddr, lasts: Duration) -> Result<String, String> {
        let Some(peer) = self.peers.known(address) else {
            return Err("too many addresses have come to tell this one from others".to_owned());
        };
        // Whole seconds, the next ones: a ban of nothing is none.
        let (secs, told) = if lasts.is_forever() {
            (u32::MAX, format!("{address} is banned until `unban`"))
        } else {
            let secs = lasts.as_nanos().div_ceil(1_000_000_000) as u32;
            (secs, format!("{address} is banned for {secs} s"))
        };
        self.control(Control::Ban { peer, secs });
        Ok(told)
    }

    fn part(&mut self, address: Option<IpAddr>, reset: bool) -> String {
        let control = match address.map(|address| self.peers.find(address)) {
            None if reset => Some(Control::Crash),
            None => Some(Control::Cut),
            Some(peer) => peer.map(|peer: PeerId| Control::Part { peer, reset }),
        };
        if let Some(control) = control {
            self.control(control);
        }
        if reset { "reset" } else { "cut" }.to_owned()
    }

    // ---- what has its time later ---------------------------------------------------------------------------------

    fn has_room_for(&self, steps: u32) -> Result<(), String> {
        if self.pending.waiting + steps > MOST {
            return Err(format!("{MOST} orders wait for their time already"));
        }
        Ok(())
    }

    fn later(&mut self, at: Instant, does: Does, of: u32) {
        self.pending.waiting += 1;
        self.calendar.enter(at, Event::Step(Step { does, of }));
    }

    /// The time of `step` has come.
    pub(in crate::live::serve) fn take_step(&mut self, step: Step) {
        self.pending.waiting -= 1;
        match step.does {
            Does::Tell(control) if step.of == self.pending.process => self.control(control),
            Does::Release if step.of == self.pending.transfers => self.lanes.stall(false),
            _ => {}
        }
    }
}

/// All orders, in a line.
fn help() -> String {
    let forms: Vec<&str> = GRAMMAR.iter().map(|(form, _)| *form).collect();
    forms.join("; ")
}
