//! Transfers in virtual time: when the bytes of a data connection are through, and when they stop moving.
//!
//! It knows neither what is in them nor what the machines make of it, and how a bandwidth is shared `network` knows.
//!
//! Links are full-duplex: a server's bandwidth is there twice, once for what it sends (RETR, LIST) and once for what it receives
//! (STOR), and so is each client's. Where nothing is shared and nothing on the way changes, a transfer is one event and no pipe is
//! made: it takes as long as it takes.

use super::calendar::Queue;
use super::conns::{Fact, Load, NOBODY, Plan};
use super::tap::Tap;
use super::world::{Event, World};
use crate::chaos::Effect;
use crate::id::{ConnId, PopulationId, ServerId};
use crate::network::loss::{self, Stretch};
use crate::network::{FlowId, Link, Pipe, UNCAPPED};
use crate::scenario::Scenario;
use crate::server;
use crate::time::{Duration, Instant};
use crate::timer::{Firing, Timer};

/// The bandwidth of one server, both ways, and the transfers that share it.
pub(super) struct Pipes {
    down: Direction,
    up: Direction,
    /// The transfers that are in a pipe, by connection.
    flights: Vec<Option<Flight>>,
}

struct Direction {
    pipe: Pipe,
    timer: Timer,
}

#[derive(Clone, Copy)]
struct Flight {
    flow: FlowId,
    up: bool,
}

impl Pipes {
    /// The pipes of server number `id`, or `None` if no transfer can change another one's time.
    pub(super) fn of(scenario: &Scenario, id: ServerId) -> Option<Self> {
        let bandwidth = scenario.servers[usize::from(id.0)].bandwidth();
        let changes = |effect: &Effect| match effect {
            Effect::Bandwidth(server, _) => *server == id,
            Effect::Network(..) => true,
            Effect::Server(..) | Effect::Dns(_) => false,
        };
        let faults = scenario.faults.iter().flat_map(|fault| &fault.effects);
        let direction = || Direction { pipe: Pipe::new(bandwidth), timer: Timer::OFF };
        (bandwidth > 0 || faults.map(|(_, effect)| effect).any(changes)).then(|| Self {
            down: direction(),
            up: direction(),
            flights: Vec::new(),
        })
    }

    fn direction(&mut self, up: bool) -> &mut Direction {
        if up { &mut self.up } else { &mut self.down }
    }

    fn take_off(&mut self, conn: ConnId, flight: Flight) {
        if self.flights.len() <= conn.slot() {
            self.flights.resize(conn.slot() + 1, None);
        }
        self.flights[conn.slot()] = Some(flight);
    }
}

impl Direction {
    /// When its owner must look at it, if that must be entered in the calendar.
    fn look_again(&mut self) -> Option<Instant> {
        let next = self.pipe.next();
        if next.is_never() {
            self.timer.disarm();
            return None;
        }
        self.timer.arm(next)
    }
}

impl<T: Tap, Q: Queue<Event>> World<'_, T, Q> {
    /// The server begins to move the data of this connection's transfer at `at`.
    pub(super) fn start_transfer(&mut self, now: Instant, conn: ConnId, at: Instant) {
        let shared = self.pipes(conn.server()).is_some();
        let wire = self.wire(conn);
        wire.note(Fact::Moving);
        let (client, serial) = (wire.client, self.load(conn).transfer);
        let event = if client == NOBODY || (shared && (at > now || self.is_closed(now, client))) {
            Event::TransferBegins { conn, serial }
        } else if shared {
            return self.share(now, conn);
        } else {
            let takes = transmission(self.to_move(conn), self.cap(at, client));
            return self.schedule_for(conn, at + takes, Event::TransferDone { conn, serial });
        };
        self.schedule_for(conn, at.max(now), event);
    }

    /// The same where the data connection is under TLS, of version 1.3: the client's half of the handshake came behind its half of TCP's,
    /// if it was the client that connected, and is answered now; the bytes move when its end has come, a round trip later. If it was
    /// the server that connected, the client hears of it half a round trip later and only then begins.
    pub(super) fn shake_data(&mut self, now: Instant, conn: ConnId, at: Instant) {
        let wire = self.wire(conn);
        wire.note(Fact::Moving);
        let load = self.load(conn);
        let (left, serial) = (if load.plan.is_active() { 4 } else { 2 }, load.transfer);
        if at > now {
            // No message waits meanwhile: what is said on the control connection would not overtake it.
            self.schedule_for(conn, at, Event::DataShakes { conn, left, serial });
        } else {
            self.data_shakes(now, conn, left, serial);
        }
    }

    /// A message of such a handshake has come, or its first can go out; `left` more follow.
    pub(super) fn data_shakes(&mut self, now: Instant, conn: ConnId, left: u8, serial: u16) {
        let under_way = self.load(conn).transfer;
        let wire = self.wire(conn);
        if wire.is(Fact::Freed) || !wire.is(Fact::Moving) || under_way != serial {
            return; // the transfer came to an end before it began
        }
        let next = |left| Event::DataShakes { conn, left, serial };
        match left {
            0 => self.start_transfer(now, conn, now),
            _ if wire.client == NOBODY => self.stall_transfer(now, conn),
            _ if left.is_multiple_of(2) => self.send_down(now, now, conn, next(left - 1)),
            _ => self.send_up(now, conn, next(left - 1)),
        }
    }

    fn schedule_for(&mut self, conn: ConnId, at: Instant, event: Event) {
        self.wire(conn).depart();
        self.core.calendar.schedule(at, event);
    }

    /// The data of a transfer could move now.
    pub(super) fn transfer_begins(&mut self, now: Instant, conn: ConnId) {
        let client = self.wire(conn).client;
        if client == NOBODY {
            self.stall_transfer(now, conn);
        } else if self.pipes(conn.server()).is_some() {
            self.share(now, conn);
            if self.is_closed(now, client) {
                self.hold(now, conn);
            }
        }
    }

    /// The transfer joins the others of its server.
    fn share(&mut self, now: Instant, conn: ConnId) {
        let wire = self.wire(conn);
        let (client, up) = (wire.client, self.load(conn).plan.is_upload());
        let bytes = self.to_move(conn);
        let cap = self.cap(now, client);
        let Some(pipes) = self.pipes(conn.server()) else { return };
        let flow = pipes.direction(up).pipe.begin(now, bytes, cap, conn.0);
        pipes.take_off(conn, Flight { flow, up });
        self.look_at_pipe(conn.server(), up);
    }

    /// The most that a transfer of `client` gets: what its link has, and what TCP makes of a lossy one.
    fn cap(&self, now: Instant, client: u32) -> u64 {
        let crowd = &self.crowds[usize::from(self.slots[client as usize].population.0)];
        cap(&crowd.spec.link, crowd.path.weather(now))
    }

    fn is_closed(&self, now: Instant, client: u32) -> bool {
        let population = self.slots[client as usize].population;
        self.crowds[usize::from(population.0)].path.weather(now).closed_until > now
    }

    /// The transfer of this connection, if there is one, has come to an end before its time: the others get what it had.
    pub(super) fn stop_transfer(&mut self, now: Instant, conn: ConnId) {
        let wire = self.wire(conn);
        if !wire.take(Fact::Moving) {
            return;
        }
        let load = self.load_mut(conn);
        load.plan = Plan::default();
        load.transfer = load.transfer.wrapping_add(1); // a firing that is still under way is not for the next one
        if let Some((pipe, Flight { flow, up })) = self.flow(conn) {
            pipe.remove(now, flow);
            self.land(conn);
            self.look_at_pipe(conn.server(), up);
        }
    }

    /// Whoever was at the other end does not read or send any more, and does not say so. The server finds that nothing moves.
    pub(super) fn stall_transfer(&mut self, now: Instant, conn: ConnId) {
        if self.wire(conn).is(Fact::Moving) {
            self.stop_transfer(now, conn);
            self.tell_server(now, conn.server(), server::Input::Progress { conn, rate: 0 });
        }
    }

    /// The transfer stands still for a while.
    fn hold(&mut self, now: Instant, conn: ConnId) {
        if let Some((pipe, Flight { flow, up })) = self.flow(conn)
            && pipe.pause(now, flow)
        {
            self.look_at_pipe(conn.server(), up);
            self.tell_server(now, conn.server(), server::Input::Progress { conn, rate: 0 });
        }
    }

    /// And goes on.
    fn release(&mut self, now: Instant, conn: ConnId) {
        if let Some((pipe, Flight { flow, up })) = self.flow(conn)
            && pipe.go_on(now, flow)
        {
            let rate = u32::try_from(pipe.rate(flow)).unwrap_or(u32::MAX);
            self.look_at_pipe(conn.server(), up);
            self.tell_server(now, conn.server(), server::Input::Progress { conn, rate });
        }
    }

    /// The transfer of this connection and the pipe that it is in.
    fn flow(&mut self, conn: ConnId) -> Option<(&mut Pipe, Flight)> {
        let pipes = self.pipes(conn.server())?;
        let flight = (*pipes.flights.get(conn.slot())?)?;
        Some((&mut pipes.direction(flight.up).pipe, flight))
    }

    /// Notes when the next transfer is through.
    fn look_at_pipe(&mut self, server: ServerId, up: bool) {
        let due = self.pipes(server).and_then(|pipes| pipes.direction(up).look_again());
        if let Some(at) = due {
            self.core.calendar.schedule(at, Event::PipeDue { server, up });
        }
    }

    /// Some transfers are through, or the firing came early.
    pub(super) fn pipe_due(&mut self, now: Instant, server: ServerId, up: bool) {
        let Some(pipes) = self.pipes(server) else { return };
        match pipes.direction(up).timer.fire(now) {
            Firing::Due => {}
            Firing::Again(at) => return self.core.calendar.schedule(at, Event::PipeDue { server, up }),
            Firing::Dropped => return,
        }
        while let Some(conn) = self.pipes(server).and_then(|pipes| pipes.direction(up).pipe.finish(now)) {
            let conn = ConnId(conn);
            self.land(conn);
            self.transfer_done(now, conn);
        }
        self.look_at_pipe(server, up);
    }

    /// All bytes of the transfer are through, or all that will ever be.
    pub(super) fn transfer_done(&mut self, now: Instant, conn: ConnId) {
        let load = self.load_mut(conn);
        if load.plan.stalls() {
            return self.tell_server(now, conn.server(), server::Input::Progress { conn, rate: 0 });
        }
        load.plan = Plan::default();
        load.transfer = load.transfer.wrapping_add(1);
        self.wire(conn).take(Fact::Moving);
        self.send_down(now, now, conn, Event::DataEnds { conn, whole: true });
        self.tell_server(now, conn.server(), server::Input::TransferDone { conn });
    }

    // ---- faults ------------------------------------------------------------------------------------------------

    /// From now on all transfers of a server share this bandwidth, each way.
    pub(super) fn set_bandwidth(&mut self, now: Instant, server: ServerId, bandwidth: u64) {
        for up in [false, true] {
            if let Some(pipes) = self.pipes(server) {
                pipes.direction(up).pipe.set_bandwidth(now, bandwidth);
            }
            self.look_at_pipe(server, up);
        }
    }

    /// The way of a population, or of all, is another one: what moves over it gets more or less, or stands still in a partition.
    pub(super) fn weather_changes(&mut self, now: Instant, whose: Option<PopulationId>) {
        for place in 0..self.crowds.len() {
            let population = PopulationId(place as u16);
            if self.crowds[place].spec.shares_way(population, whose) {
                self.reconsider(now, population);
                let until = self.crowds[place].path.weather(now).closed_until;
                if until > now {
                    self.core.calendar.schedule(until, Event::PathOpens { population });
                }
            }
        }
    }

    /// What the weather does to the transfers of a population that are under way.
    pub(super) fn reconsider(&mut self, now: Instant, population: PopulationId) {
        let crowd = &self.crowds[usize::from(population.0)];
        let weather = crowd.path.weather(now);
        let cap = cap(&crowd.spec.link, weather);
        for conn in self.transfers_of(population) {
            if let Some((pipe, Flight { flow, up })) = self.flow(conn) {
                pipe.set_cap(now, flow, cap);
                self.look_at_pipe(conn.server(), up);
            }
            if weather.closed_until > now {
                self.hold(now, conn);
            } else {
                self.release(now, conn);
            }
        }
    }

    /// The transfer of this connection is in a pipe no more.
    fn land(&mut self, conn: ConnId) {
        if let Some(pipes) = self.pipes(conn.server()) {
            pipes.flights[conn.slot()] = None;
        }
    }

    /// The connections of a population that have a transfer in a pipe.
    fn transfers_of(&mut self, population: PopulationId) -> Vec<ConnId> {
        let mut conns: Vec<ConnId> = self
            .stations
            .iter()
            .filter_map(|station| station.pipes.as_ref())
            .flat_map(|pipes| pipes.down.pipe.flows().chain(pipes.up.pipe.flows()))
            .map(|(conn, _)| ConnId(conn))
            .collect();
        conns.retain(|conn| {
            let client = self.wire(*conn).client as usize;
            self.slots.get(client).is_some_and(|slot| slot.population == population)
        });
        conns
    }

    /// What of a transfer moves: a client that stalls stops half way.
    fn to_move(&self, conn: ConnId) -> u64 {
        let Load { bytes, plan, .. } = self.load(conn);
        if plan.stalls() { bytes / 2 } else { bytes }
    }

    fn pipes(&mut self, server: ServerId) -> Option<&mut Pipes> {
        self.station(server).pipes.as_mut()
    }
}

/// The most that a transfer over this link gets in this weather.
fn cap(link: &Link, weather: Stretch) -> u64 {
    let own = if link.bandwidth == 0 { UNCAPPED } else { link.bandwidth };
    own.min(loss::mathis_rate((link.delay + weather.delay) * 2, weather.loss))
}

/// How long `bytes` take at `rate` bytes per second, rounded up to the nanosecond.
fn transmission(bytes: u64, rate: u64) -> Duration {
    if rate == UNCAPPED {
        return Duration::ZERO;
    }
    let ns = (u128::from(bytes) * 1_000_000_000).div_ceil(u128::from(rate.max(1)));
    Duration::from_nanos(u64::try_from(ns).unwrap_or(u64::MAX))
}
