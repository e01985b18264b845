//! The clients' side of the world: each client machine, and what follows from what it wants done.
//!
//! It does not say when a client comes: `arrivals` does.

use super::calendar::Queue;
use super::conns::{Fact, NOBODY, Plan};
use super::core::Core;
use super::deadline::Deadline;
use super::delivery::enter_up;
use super::event::{Event, SmallCommand, Syn};
use super::path::Path;
use super::stations::Station;
use super::tap::{Happening, Tap};
use super::world::{NO_CONN, World, enter_client};
use crate::client::{Action, Input, actor};
use crate::ftp::Verb;
use crate::id::{ClientId, ConnId};
use crate::observe::Observation;
use crate::outbox::Outbox;
use crate::time::Instant;

/// What a client wants done. What it tells and what it waits for is seen to at once, and so is a command that goes over a smooth way
/// while nobody listens; the rest is kept until it has said all.
struct Wishes<'a, 'w, T, Q> {
    now: Instant,
    client: u32,
    conn: ConnId,
    deadline: &'a mut Deadline,
    path: &'a Path,
    stations: &'a mut [Station],
    /// How many things others want done that are not done yet.
    before: usize,
    core: &'a mut Core<'w, T, Q>,
}

impl<T: Tap, Q: Queue<Event>> Wishes<'_, '_, T, Q> {
    /// Is nothing in the way of a message? Nobody listens, nothing else is to be done first, and what it meets is known.
    fn may_send(&self) -> bool {
        !T::LISTENS && self.core.client_actions.len() == self.before && self.path.rough.is_none()
    }
}

impl<T: Tap, Q: Queue<Event>> Outbox<Action> for Wishes<'_, '_, T, Q> {
    #[inline(always)]
    fn push(&mut self, action: Action) {
        action.fold(&mut self.core.digest);
        match action {
            Action::Observe(observation) => {
                if T::LISTENS {
                    self.core.tap.observes(self.now, &observation);
                }
                self.core.recorder.record(self.now, &observation);
            }
            Action::Arm { at } => {
                if let Some(at) = self.deadline.set(at.max(self.now), self.core.sweeps.next) {
                    enter_client(&mut self.core.calendar, at, self.client);
                }
            }
            Action::Send(command) if self.may_send() && self.conn != NO_CONN => {
                let conn = self.conn;
                let event = Event::CommandArrives { conn, command: SmallCommand::of(command) };
                let wire = self.stations[usize::from(conn.server().0)].wires.get(conn);
                enter_up(&mut self.core.calendar, wire, self.now + self.path.delay, event);
            }
            rest => self.core.client_actions.push(rest),
        }
    }
}

impl<T: Tap, Q: Queue<Event>> World<'_, T, Q> {
    #[inline(always)]
    pub(super) fn tell_client(&mut self, now: Instant, client: u32, input: Input) {
        let slot = &mut self.slots[client as usize];
        let crowd = &self.crowds[usize::from(slot.population.0)];
        input.fold(now, client, &mut self.core.digest);
        let before = self.core.client_actions.len();
        let mut out = Wishes {
            now,
            client,
            conn: slot.conn,
            deadline: &mut slot.deadline,
            path: &crowd.path,
            stations: &mut self.stations,
            before,
            core: &mut self.core,
        };
        slot.client.handle(now, input, &crowd.env, &mut out);
        if self.core.client_actions.len() > before {
            self.do_for_client(now, client, before);
        }
    }

    /// Does what this client wants done. What one of these brings about may tell clients more: that comes and goes behind them.
    #[inline(never)]
    fn do_for_client(&mut self, now: Instant, client: u32, from: usize) {
        for place in from..self.core.client_actions.len() {
            self.do_one_for_client(now, client, self.core.client_actions[place]);
        }
        self.core.client_actions.truncate(from);
    }

    fn do_one_for_client(&mut self, now: Instant, client: u32, action: Action) {
        match action {
            Action::Send(command) => {
                self.note(now, client, Happening::Command(command));
                if let Some(conn) = self.slots[client as usize].conn() {
                    let command = SmallCommand::of(command);
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
                self.core.recorder.record(now, &Observation::GhostBegan);
            }
        }
        self.wire(conn).client = NOBODY;
        self.recycle(conn);
    }
}
