//! The clients' side of the world: each client machine, and what follows from what it wants done.
//!
//! It does not say when a client comes: `arrivals` does.

use super::calendar::Queue;
use super::conns::{Fact, NOBODY, Plan};
use super::deadline::Deadline;
use super::event::{Event, SmallCommand, Syn};
use super::tap::{Happening, Tap};
use super::world::{NO_CONN, World, enter_client};
use crate::client::{Action, Input, actor};
use crate::digest::Digest;
use crate::ftp::Verb;
use crate::id::ClientId;
use crate::metrics::Recorder;
use crate::observe::Observation;
use crate::outbox::Outbox;
use crate::time::Instant;

/// What a client wants done. What it tells and what it waits for is seen to at once; the rest is kept until it has said all.
struct Wishes<'a, T, Q> {
    now: Instant,
    client: u32,
    sweep: Instant,
    deadline: &'a mut Deadline,
    calendar: &'a mut Q,
    recorder: &'a mut Recorder,
    digest: &'a mut Digest,
    tap: &'a mut T,
    rest: &'a mut Vec<Action>,
}

impl<T: Tap, Q: Queue<Event>> Outbox<Action> for Wishes<'_, T, Q> {
    #[expect(
        clippy::inline_always,
        reason = "which action it is is known where it is made, and nowhere else"
    )]
    #[inline(always)]
    fn push(&mut self, action: Action) {
        action.fold(self.digest);
        match action {
            Action::Observe(observation) => {
                if T::LISTENS {
                    self.tap.observes(self.now, &observation);
                }
                self.recorder.record(self.now, &observation);
            }
            Action::Arm { at } => {
                if let Some(at) = self.deadline.set(at.max(self.now), self.sweep) {
                    enter_client(self.calendar, at, self.client);
                }
            }
            rest => self.rest.push(rest),
        }
    }
}

impl<T: Tap, Q: Queue<Event>> World<'_, T, Q> {
    pub(super) fn tell_client(&mut self, now: Instant, client: u32, input: Input) {
        let slot = &mut self.slots[client as usize];
        let crowd = &self.crowds[usize::from(slot.population.0)];
        input.fold(now, client, &mut self.digest);
        let from = self.client_actions.len();
        let mut out = Wishes {
            now,
            client,
            sweep: self.sweeps.next,
            deadline: &mut slot.deadline,
            calendar: &mut self.calendar,
            recorder: &mut self.recorder,
            digest: &mut self.digest,
            tap: self.tap,
            rest: &mut self.client_actions,
        };
        slot.client.handle(now, input, &crowd.env, &mut out);
        // What one of these brings about may tell clients more: that comes and goes behind them.
        for place in from..self.client_actions.len() {
            self.do_for_client(now, client, self.client_actions[place]);
        }
        self.client_actions.truncate(from);
    }

    fn do_for_client(&mut self, now: Instant, client: u32, action: Action) {
        match action {
            Action::Send(command) => {
                self.note(now, client, Happening::Command(command));
                let command = SmallCommand { arg: command.arg.0, verb: command.verb };
                if let Some(conn) = self.slots[client as usize].conn() {
                    self.send_up(now, conn, Event::CommandArrives { conn, command });
                }
            }
            Action::OpenData { verb, active, stalls, bytes } => {
                if let Some(conn) = self.slots[client as usize].conn() {
                    let load = self.load_mut(conn);
                    load.bytes = bytes;
                    load.plan = Plan::new(verb == Verb::Stor, active, stalls);
                    if !active {
                        self.send_up(now, conn, Event::DataAtServer { conn });
                    }
                }
            }
            Action::StartTls => {
                if let Some(conn) = self.slots[client as usize].conn() {
                    self.send_up(now, conn, Event::TlsHello { conn });
                }
            }
            Action::Ask => self.tell_actor_of(now, client, actor::Input::Asked(ClientId(client))),
            Action::Lower if self.is_parallel(client) => {
                self.tell_actor_of(now, client, actor::Input::Lowered);
            }
            // Who has one connection cannot open fewer. What was told and waited for is seen to.
            Action::Lower | Action::Observe(_) | Action::Arm { .. } => {}
            Action::Connect => self.connect(now, client),
            Action::Disconnect | Action::Vanish => {
                self.let_go(now, client, action == Action::Disconnect);
                if self.is_parallel(client) {
                    self.tell_actor_of(now, client, actor::Input::Ended);
                }
            }
            Action::Finish => self.finished(now, client),
        }
    }

    fn connect(&mut self, now: Instant, client: u32) {
        let server = self.look_up(now, client);
        self.note(now, client, Happening::Connect { to: server });
        let slot = &mut self.slots[client as usize];
        slot.serial = slot.serial.wrapping_add(1);
        self.send_syn(now, client, Syn::new(server, 0));
    }

    /// The client gives up its connection, if it has one: with a FIN, or without a word.
    fn let_go(&mut self, now: Instant, client: u32, fin: bool) {
        let slot = &mut self.slots[client as usize];
        slot.serial = slot.serial.wrapping_add(1);
        let Some(conn) = slot.conn() else { return };
        slot.conn = NO_CONN;
        self.note(now, client, if fin { Happening::Disconnect } else { Happening::Vanish });
        if !self.wire(conn).is(Fact::Freed) {
            if fin {
                self.stop_transfer(now, conn);
                self.send_up(now, conn, Event::ClosedByClient { conn });
            } else {
                self.stall_transfer(now, conn);
                self.wire(conn).note(Fact::Ghost);
                self.recorder.record(now, &Observation::GhostBegan);
            }
        }
        self.wire(conn).client = NOBODY;
        self.recycle(conn);
    }
}
