//! The servers' side of the world: each server machine with its listener, its wires and its timer.
//!
//! It does not say which server a client goes to: `names` does.

use super::calendar::Queue;
use super::conns::{Fact, Load, NOBODY, Wire, Wires};
use super::core::Core;
use super::crowd::Crowd;
use super::delivery::enter_down;
use super::pipes::Pipes;
use super::tap::Tap;
use super::world::{Event, Syn, World, enter_conn};
use crate::client::Tls;
use crate::id::{ConnId, ServerId};
use crate::observe::Observation;
use crate::outbox::Outbox;
use crate::rng::Streams;
use crate::scenario::Scenario;
use crate::server::{self, Control, ReplyId, Server, ServerStreams};
use crate::time::Instant;
use crate::timer::Timer;

/// One server and what its driver keeps with it.
pub(super) struct Station {
    pub server: Server,
    pub listening: bool,
    pub wires: Wires,
    /// Where its transfers share a bandwidth; `None` if none can change another one's time.
    pub pipes: Option<Pipes>,
    /// The timer of the server as a whole.
    pub timer: Timer,
}

impl Station {
    /// Server number `id` of `scenario`, which listens.
    pub(super) fn new(scenario: &Scenario, id: ServerId, streams: Streams) -> Self {
        let controls: Vec<Control> =
            scenario.faults.iter().flat_map(|fault| fault.controls(id).map(|(_, control)| control)).collect();
        let policy = scenario.servers[usize::from(id.0)].policy.clone();
        Self {
            server: Server::new(id, policy, ServerStreams::new(streams, id), &controls),
            listening: true,
            wires: Wires::new(id),
            pipes: Pipes::of(scenario, id),
            timer: Timer::OFF,
        }
    }
}

/// What a server wants done. What it tells and what it waits for is seen to at once, and so is a reply that goes over a smooth way; the
/// rest is kept until it has said all.
struct Wishes<'a, 'w, T, Q> {
    now: Instant,
    wires: &'a mut Wires,
    crowds: &'a [Crowd<'w>],
    /// How many things others want done that are not done yet.
    before: usize,
    core: &'a mut Core<'w, T, Q>,
}

impl<T: Tap, Q: Queue<Event>> Wishes<'_, '_, T, Q> {
    /// Sends a reply, if nothing is to be done first and what it meets is known: its way is smooth.
    fn sends(&mut self, conn: ConnId, reply: ReplyId, at: Instant) -> bool {
        let wire = self.wires.get(conn);
        if wire.client == NOBODY || self.core.server_actions.len() != self.before {
            return false;
        }
        let path = &self.crowds[usize::from(wire.population.0)].path;
        if path.rough.is_some() {
            return false;
        }
        let event = Event::ReplyArrives { conn, reply: reply.0 };
        let prompt = at <= self.now + path.delay;
        enter_down(&mut self.core.calendar, wire, at + path.delay, prompt, event);
        true
    }
}

impl<T: Tap, Q: Queue<Event>> Outbox<server::Action> for Wishes<'_, '_, T, Q> {
    #[inline(always)]
    fn push(&mut self, action: server::Action) {
        action.fold(&mut self.core.digest);
        match action {
            server::Action::Observe(observation) => {
                // Counts are over all servers; a place in check order means something for the first one only, which reports are
                // about.
                let observation = match observation {
                    Observation::Refused { refusal, .. } if !self.wires.is_first() => {
                        Observation::Refused { refusal, check: None }
                    }
                    observation => observation,
                };
                self.core.recorder.record(self.now, &observation);
            }
            server::Action::Arm { conn, at } => {
                // It may have gone by while the server hung.
                let deadline = &mut self.wires.get(conn).deadline;
                if let Some(at) = deadline.set(at.max(self.now), self.core.sweeps.next) {
                    enter_conn(&mut self.core.calendar, at, conn);
                }
            }
            server::Action::Reply { conn, reply, at } if self.sends(conn, reply, at) => {}
            rest => self.core.server_actions.push(rest),
        }
    }
}

impl<T: Tap, Q: Queue<Event>> World<'_, T, Q> {
    pub(super) fn station(&mut self, server: ServerId) -> &mut Station {
        &mut self.stations[usize::from(server.0)]
    }

    pub(super) fn wire(&mut self, conn: ConnId) -> &mut Wire {
        self.station(conn.server()).wires.get(conn)
    }

    pub(super) fn load(&self, conn: ConnId) -> Load {
        self.stations[usize::from(conn.server().0)].wires.load(conn)
    }

    pub(super) fn load_mut(&mut self, conn: ConnId) -> &mut Load {
        self.station(conn.server()).wires.load_mut(conn)
    }

    pub(super) fn recycle(&mut self, conn: ConnId) {
        self.station(conn.server()).wires.recycle(conn);
    }

    /// A SYN meets a listener with room, a listener without (it is dropped and comes again), or none (a reset goes back).
    #[inline(never)]
    pub(super) fn syn_arrives(&mut self, now: Instant, client: u32, serial: u16, syn: Syn) {
        let slot = &mut self.slots[client as usize];
        if slot.serial != serial {
            return; // its client has given up meanwhile
        }
        let station = &mut self.stations[usize::from(syn.server().0)];
        if !station.listening {
            self.send_reset(now, client, syn);
            return;
        }
        if !station.server.has_room(now) {
            self.send_syn_again(now, client, syn);
            return;
        }
        let conn = station.wires.open(client, slot.population, now);
        slot.conn = conn;
        let peer = self.peers[client as usize];
        let behaviour = &self.crowds[usize::from(slot.population.0)].spec.behaviour;
        self.send_down(now, now, conn, Event::Connected { conn });
        let classes = &self.scenario.servers[usize::from(syn.server().0)].classes;
        let class = if classes.is_empty() { 0 } else { classes.of(self.scenario.addresses.address(peer)) };
        let accepted = if behaviour.tls == Tls::Implicit {
            server::Input::AcceptedTls { conn, peer, class }
        } else {
            server::Input::Accepted { conn, peer, class }
        };
        self.tell_server(now, syn.server(), accepted);
    }

    #[inline(always)]
    pub(super) fn tell_server(&mut self, now: Instant, server: ServerId, input: server::Input) {
        input.fold(now, &mut self.core.digest);
        let Station { server: machine, wires, .. } = &mut self.stations[usize::from(server.0)];
        let before = self.core.server_actions.len();
        let mut out = Wishes { now, wires, crowds: &self.crowds, before, core: &mut self.core };
        machine.handle(now, input, &mut out);
        if self.core.server_actions.len() > before {
            self.do_for_server(now, server, before);
        }
    }

    /// Does what this server wants done. What one of these brings about may tell servers more: that comes and goes behind them.
    #[inline(never)]
    fn do_for_server(&mut self, now: Instant, server: ServerId, from: usize) {
        for place in from..self.core.server_actions.len() {
            self.do_one_for_server(now, server, self.core.server_actions[place]);
        }
        self.core.server_actions.truncate(from);
    }

    fn do_one_for_server(&mut self, now: Instant, server: ServerId, action: server::Action) {
        match action {
            server::Action::ArmServer { at } => {
                if let Some(at) = self.station(server).timer.arm(at.max(now)) {
                    self.core.calendar.schedule(at, Event::ServerTimer { server });
                }
            }
            server::Action::Reply { conn, reply, at } => {
                self.send_down(now, at, conn, Event::ReplyArrives { conn, reply: reply.0 });
            }
            server::Action::Close { conn, how, cause } => {
                self.stop_transfer(now, conn);
                if self.wire(conn).take(Fact::Ghost) {
                    self.core.recorder.record(now, &Observation::GhostEnded { cause });
                }
                self.send_down(now, now, conn, Event::ClosedByServer { conn, how, cause });
            }
            // Its client begins TLS. What was told and waited for is seen to.
            server::Action::StartTls { .. } | server::Action::Observe(_) | server::Action::Arm { .. } => {}
            server::Action::AnswerHello { conn, at } => {
                self.send_down(now, at, conn, Event::TlsAnswered { conn });
            }
            server::Action::StartTransfer { conn, at } if self.wire(conn).is(Fact::Secured) => {
                self.shake_data(now, conn, at);
            }
            server::Action::StartTransfer { conn, at } => self.start_transfer(now, conn, at),
            server::Action::AbortData { conn } => {
                if self.wire(conn).is(Fact::Moving) {
                    self.send_down(now, now, conn, Event::DataEnds { conn, whole: false });
                }
                self.stop_transfer(now, conn);
            }
            server::Action::ConnectData { conn, at } => {
                self.send_down(now, at, conn, Event::DataSyn { conn });
            }
            server::Action::Free { conn } => {
                self.stop_transfer(now, conn);
                // It may have vanished when the server had just closed.
                if self.wire(conn).take(Fact::Ghost) {
                    self.core.recorder.record(now, &Observation::GhostEnded { cause: None });
                }
                self.wire(conn).note(Fact::Freed);
                self.recycle(conn);
            }
            server::Action::Listen { up } => self.station(server).listening = up,
        }
    }
}
