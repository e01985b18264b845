//! The world: the machines of one replication, wired together by the calendar.
//!
//! It is a driver: whatever it decides is about delivery (delays, order, slots), never about FTP.

use super::calendar::{Calendar, Heap, Queue};
use super::conns::{Fact, NOBODY, Wire};
use super::core::Core;
use super::crowd::{Crowd, Own};
use super::deadline::Deadline;
use super::names::Names;
use super::parked::Parked;
use super::stations::Station;
use super::tap::{Happening, Tap, Who};
use crate::chaos::Effect;
use crate::client::actor::Actors;
use crate::client::{self, Client, State, actor};
use crate::ftp::{ArgId, Command, Verb};
use crate::id::{ConnId, PeerId, PopulationId, ServerId};
use crate::metrics::{Recorder, Shape};
use crate::observe::Cause;
use crate::prefetch::{CAN_PREFETCH, prefetch};
use crate::scenario::Scenario;
use crate::server::{self, ReplyId};
use crate::time::Instant;
use crate::timer::Firing;
use crate::watch::Watch;

use super::event::Whose;
pub(super) use super::event::{Event, SmallCommand, Syn};

/// What a replication has come to.
#[derive(Clone, Debug)]
pub struct Finished {
    /// What was measured.
    pub recorder: Recorder,
    /// The digest of every input and action of the machines.
    pub digest: u128,
    /// What it took.
    pub work: Work,
}

/// What a replication took, for benchmarks.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct Work {
    /// Events taken from the calendar.
    pub events: u64,
    /// Commands that the server read.
    pub commands: u64,
    /// The most events that were pending at once.
    pub pending_max: usize,
    /// The most clients that had a session under way, or waited to try again, at once.
    pub clients_max: usize,
    /// The most clients that paused between two sessions at once.
    pub pausing_max: usize,
    /// The addresses that all servers have room for at the end, or remember offences of.
    pub addresses: usize,
    /// The most connections that were there at once, ghosts included.
    pub connections_max: usize,
}

/// So many clients are near enough in the processor's caches: asking ahead for them costs more than it brings.
const MANY: usize = 1 << 14;

/// How many events go by between two looks at the [`Watch`].
const WATCH_EVERY: u64 = 4_096;

/// A client and what its driver keeps with it: what each event needs comes first.
#[derive(Clone, Debug)]
#[repr(C, align(32))]
pub(super) struct Slot {
    pub(super) deadline: Deadline,
    /// Its connection, once its SYN has arrived; before that [`NO_CONN`].
    pub(super) conn: ConnId,
    pub(super) population: PopulationId,
    /// Counts its connects, so that a SYN whose client has given up is known.
    pub(super) serial: u16,
    pub(super) client: Client,
}

const _: () = assert!(size_of::<Slot>() == 96);

/// No connection.
pub(super) const NO_CONN: ConnId = ConnId(u32::MAX);

impl Slot {
    /// Its connection, if it has one.
    pub(super) fn conn(&self) -> Option<ConnId> {
        (self.conn != NO_CONN).then_some(self.conn)
    }

    /// What each event needs of it is needed soon: one line of memory, or two.
    fn prefetch(&self) {
        prefetch(&self.deadline);
        prefetch(self.client.hot_end());
    }
}

pub(super) struct World<'a, T, Q> {
    pub(super) scenario: &'a Scenario,
    pub(super) crowds: Vec<Crowd<'a>>,
    pub(super) core: Core<'a, T, Q>,
    pub(super) stations: Vec<Station>,
    /// What the name points to; `None`: always to the first server.
    pub(super) names: Option<Names>,
    pub(super) slots: Vec<Slot>,
    /// Where the client in each slot comes from.
    pub(super) peers: Vec<PeerId>,
    pub(super) free: Vec<u32>,
    pub(super) parked: Parked,
    pub(super) actors: Actors,
    pub(super) own_addresses: u32,
    pub(super) work: Work,
    /// Whose memory was asked for and leads to more: connections with something to read, and clients with timers.
    readers: Vec<ConnId>,
    timed: Vec<u32>,
}

/// Simulates replication `replication` (from 0) of `scenario`. Returns early, with what was measured so far and `false`, if
/// `watch` says stop or `tap` has heard enough.
pub fn run<T: Tap>(scenario: &Scenario, replication: u32, tap: &mut T, watch: &Watch) -> (Finished, bool) {
    run_on::<T, Calendar<Event>>(scenario, replication, tap, watch)
}

/// The calendar of a run that the benches measure. The events and the results are the same with either.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Pending {
    /// Lanes and the wheel, as in [`run`].
    Wheel,
    /// The standard library's heap: what the wheel is held against.
    Heap,
}

/// Simulates replication 0 of `scenario` for the benches, on the calendar that they name. `passed` hears what it took until each of
/// `marks`, which come in order of time, and how many events are pending then: so the steady state is told from the filling.
pub fn run_marked(
    scenario: &Scenario,
    pending: Pending,
    marks: &[Instant],
    passed: impl FnMut(Work, usize),
) -> Finished {
    match pending {
        Pending::Wheel => run_past::<Calendar<Event>>(scenario, marks, passed),
        Pending::Heap => run_past::<Heap<Event>>(scenario, marks, passed),
    }
}

fn run_past<Q: Queue<Event>>(
    scenario: &Scenario,
    marks: &[Instant],
    mut passed: impl FnMut(Work, usize),
) -> Finished {
    let watch = Watch::default();
    let mut nobody = ();
    let own = Own::new(scenario, 0);
    let mut world = World::<(), Q>::new(scenario, &own, &mut nobody);
    world.begin();
    for mark in marks {
        world.run_to(*mark, &watch);
        passed(world.work, world.core.calendar.len());
    }
    let (end, _) = world.run_to(Instant::ZERO + scenario.duration, &watch);
    world.finish(end)
}

fn run_on<T: Tap, Q: Queue<Event>>(
    scenario: &Scenario,
    replication: u32,
    tap: &mut T,
    watch: &Watch,
) -> (Finished, bool) {
    let own = Own::new(scenario, replication);
    let mut world = World::<T, Q>::new(scenario, &own, tap);
    world.begin();
    let (end, complete) = world.run_to(Instant::ZERO + scenario.duration, watch);
    (world.finish(end), complete)
}

impl<'a, T: Tap, Q: Queue<Event>> World<'a, T, Q> {
    fn new(scenario: &'a Scenario, own: &'a Own, tap: &'a mut T) -> Self {
        let streams = own.streams;
        let stations: Vec<Station> = (0..scenario.servers.len())
            .map(|place| Station::new(scenario, ServerId(place as u8), streams))
            .collect();
        let crowds: Vec<Crowd<'a>> = scenario
            .populations
            .iter()
            .zip(&own.clients)
            .enumerate()
            .map(|(place, (spec, own))| {
                Crowd::new(spec, PopulationId(place as u16), scenario, &stations, streams, own)
            })
            .collect();
        let shape = Shape {
            populations: crowds.len(),
            horizon: Instant::ZERO + scenario.duration,
            warmup: scenario.warmup,
        };
        Self {
            scenario,
            crowds,
            core: Core::new(shape, tap),
            stations,
            names: Names::new(scenario),
            slots: Vec::new(),
            peers: Vec::new(),
            free: Vec::new(),
            parked: Parked::default(),
            actors: Actors::default(),
            own_addresses: 0,
            work: Work::default(),
            readers: Vec::new(),
            timed: Vec::new(),
        }
    }

    /// Enters the first arrival of each population and the first control of each fault.
    fn begin(&mut self) {
        for (place, fault) in self.scenario.faults.iter().enumerate() {
            if let Some((after, _)) = fault.effects.first() {
                self.core.calendar.schedule(fault.at + *after, Event::Fault { fault: place as u16, step: 0 });
            }
        }
        for place in 0..self.crowds.len() {
            self.expect_arrival(PopulationId(place as u16));
        }
    }

    fn run_to(&mut self, horizon: Instant, watch: &Watch) -> (Instant, bool) {
        let lane = watch.follow();
        let mut last = Instant::ZERO;
        let (mut until, mut look) = (horizon.min(self.core.sweeps.next), 0);
        loop {
            let pending = self.core.calendar.len();
            let Some((now, event)) = self.core.calendar.pop_until(until) else {
                if until >= horizon {
                    break;
                }
                self.sweep(until);
                until = horizon.min(self.core.sweeps.next);
                continue;
            };
            if self.work.events >= look {
                if self.work.events.is_multiple_of(WATCH_EVERY) {
                    lane.is_at(now.as_nanos());
                    if watch.is_stopped() {
                        return (now, false);
                    }
                }
                if self.work.events >= self.core.sweeps.overdue() {
                    self.sweep(now);
                    until = horizon.min(self.core.sweeps.next);
                }
                look = (self.work.events + 1).next_multiple_of(WATCH_EVERY).min(self.core.sweeps.overdue());
            }
            self.work.pending_max = self.work.pending_max.max(pending);
            assert!(now >= last, "virtual time goes back from {last} to {now}");
            last = now;
            self.work.events += 1;
            if CAN_PREFETCH && self.slots.len() > MANY && self.core.calendar.has_news() {
                self.fetch_next();
            }
            self.happen(now, event);
            if T::LISTENS && self.core.tap.has_enough() {
                return (now, false);
            }
        }
        lane.end();
        (horizon, true)
    }

    /// Has the memory fetched that the next events are about, while others happen. What is behind what was asked for is asked for in the
    /// next round.
    #[inline(never)]
    fn fetch_next(&mut self) {
        let Self { core: Core { calendar, .. }, slots, stations, readers, timed, .. } = self;
        for conn in readers.drain(..) {
            let client = stations[usize::from(conn.server().0)].wires.end(conn).0;
            slots.get(client as usize).into_iter().for_each(Slot::prefetch);
        }
        for client in timed.drain(..) {
            if let Some(conn) = slots.get(client as usize).and_then(Slot::conn) {
                stations[usize::from(conn.server().0)].wires.prefetch(conn);
            }
        }
        calendar.show_next(|event| match event.whose() {
            Whose::Client(client) => {
                slots.get(client as usize).into_iter().for_each(Slot::prefetch);
                timed.push(client);
            }
            Whose::Reader(conn) => {
                stations[usize::from(conn.server().0)].wires.prefetch(conn);
                readers.push(conn);
            }
            Whose::Server(conn) => {
                let station = &stations[usize::from(conn.server().0)];
                station.wires.prefetch(conn);
                station.server.prefetch(conn);
            }
            Whose::Nobody => {}
        });
    }

    // ---- deadlines ---------------------------------------------------------------------------------------------

    /// How many deadlines there may be.
    fn deadlines(&self) -> usize {
        self.slots.len() + self.stations.iter().map(|station| station.wires.most()).sum::<usize>()
    }

    /// Enters all deadlines that come before the next sweep.
    #[inline(never)]
    fn sweep(&mut self, now: Instant) {
        let next = self.core.sweeps.plan(now, self.work.events, self.deadlines());
        let Self { core: Core { calendar, .. }, slots, stations, .. } = self;
        for (client, slot) in (0..).zip(slots) {
            if let Some(at) = slot.deadline.enter(next) {
                enter_client(calendar, at, client);
            }
        }
        for station in stations {
            for (conn, wire) in station.wires.all() {
                if let Some(at) = wire.deadline.enter(next) {
                    enter_conn(calendar, at, conn);
                }
            }
        }
    }

    fn finish(mut self, end: Instant) -> Finished {
        let still_wanting: Vec<(PopulationId, Instant)> = self
            .slots
            .iter()
            .filter_map(|slot| Some((slot.population, slot.client.still_wants()?)))
            .collect();
        self.core.recorder.finish(
            end,
            self.stations.iter().flat_map(|station| station.server.open_connections()),
            self.stations.iter().flat_map(|station| station.server.open_sessions()),
            still_wanting.into_iter(),
        );
        let work = Work {
            connections_max: self.stations.iter().map(|s| s.wires.most()).sum(),
            pausing_max: self.parked.most(),
            addresses: self.stations.iter().map(|station| station.server.addresses()).sum(),
            ..self.work
        };
        Finished { recorder: self.core.recorder, digest: self.core.digest.value(), work }
    }

    // ---- events ------------------------------------------------------------------------------------------------

    /// Each arm is a call, so that none pays for what another one needs.
    #[inline]
    fn happen(&mut self, now: Instant, event: Event) {
        match event {
            Event::Arrive { population } => self.arrive(now, population),
            Event::Again { population, place } => self.again(now, population, place),
            Event::ClientTimer { client } => self.client_timer(now, client),
            Event::ActorTimer { user } => self.tell_actor(now, user, actor::Input::TimerFired),
            Event::ConnTimer { conn } => self.conn_timer(now, conn),
            Event::ServerTimer { server } => self.server_timer(now, server),
            Event::Syn { client, serial, syn } => self.syn_arrives(now, client, serial, syn),
            Event::ConnectFailed { client, serial, timed_out } => {
                self.connect_fails(now, client, serial, timed_out);
            }
            Event::Fault { fault, step } => self.fault(now, fault, step),
            Event::PipeDue { server, up } => self.pipe_due(now, server, up),
            Event::PathOpens { population } => self.reconsider(now, population),
            Event::ReplyArrives { conn, reply } => self.deliver_reply(now, conn, ReplyId(reply)),
            Event::CommandArrives { conn, command } => self.deliver_command(now, conn, command),
            Event::Connected { conn }
            | Event::ClosedByServer { conn, .. }
            | Event::DataSyn { conn }
            | Event::DataEnds { conn, .. }
            | Event::TlsAnswered { conn }
            | Event::DataAtClient { conn } => self.deliver_to_client(now, conn, event),
            Event::DataShakes { conn, left, serial } => {
                self.wire(conn).arrive();
                self.data_shakes(now, conn, left, serial);
                self.recycle(conn);
            }
            Event::ClosedByClient { conn }
            | Event::TlsHello { conn }
            | Event::TlsFinished { conn }
            | Event::DataAtServer { conn }
            | Event::TransferBegins { conn, .. }
            | Event::TransferDone { conn, .. } => self.deliver_to_server(now, conn, event),
        }
    }

    #[inline(never)]
    fn client_timer(&mut self, now: Instant, client: u32) {
        let slot = &mut self.slots[client as usize];
        match slot.deadline.come(now, self.core.sweeps.next) {
            Firing::Due => self.tell_client(now, client, client::Input::TimerFired),
            Firing::Again(at) => enter_client(&mut self.core.calendar, at, client),
            Firing::Dropped => {}
        }
    }

    #[inline(never)]
    fn conn_timer(&mut self, now: Instant, conn: ConnId) {
        let sweep = self.core.sweeps.next;
        match self.wire(conn).deadline.come(now, sweep) {
            Firing::Due => self.tell_server(now, conn.server(), server::Input::TimerFired { conn }),
            Firing::Again(at) => enter_conn(&mut self.core.calendar, at, conn),
            Firing::Dropped => {}
        }
    }

    #[inline(never)]
    fn server_timer(&mut self, now: Instant, server: ServerId) {
        match self.station(server).timer.fire(now) {
            Firing::Due => self.tell_server(now, server, server::Input::ServerTimerFired),
            Firing::Again(at) => self.core.calendar.schedule(at, Event::ServerTimer { server }),
            Firing::Dropped => {}
        }
    }

    #[inline(never)]
    fn connect_fails(&mut self, now: Instant, client: u32, serial: u16, timed_out: bool) {
        if self.slots[client as usize].serial == serial {
            let cause = if timed_out { Cause::ConnectTimeout } else { Cause::ConnectionRefused };
            self.note(now, client, Happening::ConnectFailed(cause));
            self.tell_client(now, client, client::Input::ConnectFailed { cause });
        }
    }

    #[inline(never)]
    fn deliver_reply(&mut self, now: Instant, conn: ConnId, reply: ReplyId) {
        let Station { server, wires, .. } = &mut self.stations[usize::from(conn.server().0)];
        let &Wire { client, population, .. } = wires.get(conn).arrive();
        if client == NOBODY {
            return wires.recycle(conn);
        }
        let entry = server.policy().table.get(reply);
        let crowd = &self.crowds[usize::from(population.0)];
        let words = crowd.words.of(conn.server(), reply, entry, crowd.env.behaviour);
        let input = client::Input::Reply { code: entry.code, cause: entry.cause, words };
        self.overhear_reply(now, client, conn, reply);
        self.tell_client(now, client, input);
    }

    #[inline(never)]
    fn deliver_command(&mut self, now: Instant, conn: ConnId, command: SmallCommand) {
        if self.wire(conn).arrive().is(Fact::Freed) {
            return self.recycle(conn);
        }
        self.work.commands += 1;
        let (verb, arg) = (command.verb, ArgId(command.arg));
        let arg = if verb == Verb::SiteIdle { self.scenario.idle_seconds(arg) } else { arg };
        self.tell_server(now, conn.server(), server::Input::Command { conn, command: Command { verb, arg } });
    }

    #[inline(never)]
    fn deliver_to_client(&mut self, now: Instant, conn: ConnId, event: Event) {
        let client = self.wire(conn).arrive().client;
        if client == NOBODY {
            return self.recycle(conn); // whoever lets go of the connection meanwhile puts it back himself
        }
        match event {
            Event::Connected { .. } => {
                self.note(now, client, Happening::Connected);
                self.tell_client(now, client, client::Input::Connected);
            }
            Event::ClosedByServer { how, cause, .. } => {
                let unread = self.slots[client as usize].client.state() == State::Away;
                self.note(now, client, Happening::Closed { how, cause, unread });
                self.tell_client(now, client, client::Input::Closed { cause });
            }
            // Behind a NAT nobody listens, and nobody says so.
            Event::DataSyn { conn } if self.load(conn).plan.is_active() => {
                self.note(now, client, Happening::Data { open: true });
                self.send_up(now, conn, Event::DataAtServer { conn });
            }
            Event::TlsAnswered { conn } => {
                self.note(now, client, Happening::Secured);
                self.send_up(now, conn, Event::TlsFinished { conn });
                self.tell_client(now, client, client::Input::TlsDone);
            }
            Event::DataEnds { whole, .. } => {
                self.note(now, client, Happening::Data { open: false });
                let input = if whole { client::Input::DataDone } else { client::Input::DataFailed };
                self.tell_client(now, client, input);
            }
            Event::DataAtClient { .. } => {
                self.note(now, client, Happening::Data { open: true });
                self.tell_client(now, client, client::Input::DataOpened);
            }
            _ => {}
        }
    }

    #[inline(never)]
    fn deliver_to_server(&mut self, now: Instant, conn: ConnId, event: Event) {
        if self.wire(conn).arrive().is(Fact::Freed) {
            return self.recycle(conn);
        }
        let server = conn.server();
        match event {
            Event::ClosedByClient { conn } => self.tell_server(now, server, server::Input::Closed { conn }),
            Event::TlsHello { conn } => self.tell_server(now, server, server::Input::TlsHello { conn }),
            Event::TlsFinished { conn } => {
                self.wire(conn).note(Fact::Secured);
                self.tell_server(now, server, server::Input::TlsDone { conn });
            }
            Event::DataAtServer { conn } => {
                if !self.load(conn).plan.is_active() {
                    self.send_down(now, now, conn, Event::DataAtClient { conn });
                }
                self.tell_server(now, server, server::Input::DataOpened { conn });
            }
            Event::TransferBegins { conn, serial } if self.load(conn).transfer == serial => {
                self.transfer_begins(now, conn);
            }
            Event::TransferDone { conn, serial } if self.load(conn).transfer == serial => {
                self.transfer_done(now, conn);
            }
            _ => {}
        }
    }

    fn fault(&mut self, now: Instant, fault: u16, step: u16) {
        let spec = &self.scenario.faults[usize::from(fault)];
        let effects = &spec.effects;
        let (_, effect) = effects[usize::from(step)];
        if let Some((after, _)) = effects.get(usize::from(step) + 1) {
            self.core.calendar.schedule(spec.at + *after, Event::Fault { fault, step: step + 1 });
        }
        match effect {
            Effect::Server(server, control) => {
                self.tell_server(now, server, server::Input::Control(control));
            }
            Effect::Bandwidth(server, bandwidth) => self.set_bandwidth(now, server, bandwidth),
            // The ways and the name are functions of time: `path` and `names` have read the timeline. But transfers are under way.
            Effect::Network(whose, _) => self.weather_changes(now, whose),
            Effect::Dns(_) => {}
        }
    }

    // ---- the tap -----------------------------------------------------------------------------------------------

    /// Who that is, if anybody wants to hear of him.
    fn heard(&self, client: u32) -> Option<Who> {
        let slot = T::LISTENS.then(|| &self.slots[client as usize])?;
        let (population, index, peer) = (slot.population, slot.client.index(), self.peers[client as usize]);
        let wants = self.core.tap.wants(population, index);
        wants.then(|| Who { population, index, session: slot.client.session(), peer })
    }

    fn overhear_reply(&mut self, now: Instant, client: u32, conn: ConnId, reply: ReplyId) {
        let Some(who) = self.heard(client) else { return };
        let Station { server, wires, .. } = &self.stations[usize::from(conn.server().0)];
        let (reply, connections) = (server.policy().table.get(reply), server.slots());
        let (bytes, unread) =
            (wires.load(conn).bytes, self.slots[client as usize].client.state() == State::Away);
        self.core.tap.happens(now, who, Happening::Reply { reply, connections, bytes, unread });
    }

    pub(super) fn note(&mut self, now: Instant, client: u32, what: Happening<'_>) {
        if let Some(who) = self.heard(client) {
            self.core.tap.happens(now, who, what);
        }
    }
}

pub(super) fn enter_client(calendar: &mut impl Queue<Event>, at: Instant, client: u32) {
    calendar.schedule_last(at, u64::from(client), Event::ClientTimer { client });
}

pub(super) fn enter_conn(calendar: &mut impl Queue<Event>, at: Instant, conn: ConnId) {
    calendar.schedule_last(at, 1 << 32 | u64::from(conn.0), Event::ConnTimer { conn });
}
