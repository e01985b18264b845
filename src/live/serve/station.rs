//! The served server: the machine and what its driver keeps with it. Inputs go in, and what the machine wants done is done.
//!
//! It decides nothing about FTP, as `sim`'s stations do not. It never waits: tasks and the calendar call it.

use std::cell::RefCell;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::rc::{Rc, Weak};
use std::sync::Arc;

use super::calendar::{Calendar, Event};
use super::closing;
use super::conns::{Conns, Key, Link, SERVER, Shaking};
use super::data::{Lanes, Scratch};
use super::ledger::{Ledger, Served};
use super::lines::Lines;
use super::listener::Door;
use super::minutes::Minutes;
use super::news::{News, What};
use super::orders::{Pending, Timed, Waiters};
use super::peers::Peers;
use super::ports::Ports;
use super::status::Tally;
use super::store::Store;
use super::tamper::{Piece, Tamper};
use super::tape::Tape;
use super::{Plan, control, texts};
use crate::chaos::Effect;
use crate::id::{ConnId, PeerId};
use crate::live::accounts::Register;
use crate::live::tls::Acceptor;
use crate::live::{Clock, Epoch, Wire};
use crate::observe::CloseHow;
use crate::rng::Streams;
use crate::scenario::Scenario;
use crate::server::{Action, Control, Input, ReplyId, Server, ServerStreams};
use crate::time::{Duration, Instant};
use crate::timer::{Firing, Timer};

/// A handle that tasks hold.
pub(super) type Shared = Rc<RefCell<Station>>;

/// How often somebody who wants to stop is looked for.
const LOOK: Duration = Duration::from_millis(20);

/// The longest that a TLS handshake may take. It is the driver's own bound: the login timer of a profile runs on in a handshake, but
/// a scenario may have none, and a transfer's timers may be off.
pub(super) const HANDSHAKE: Duration = Duration::from_secs(60);

/// The server and its driver's side.
pub(super) struct Station {
    me: Weak<RefCell<Station>>,
    pub(super) scenario: Arc<Scenario>,
    pub(super) server: Server,
    timer: Timer,
    pub(super) clock: Clock,
    pub(super) calendar: Calendar,
    pub(super) conns: Conns,
    pub(super) peers: Peers,
    pub(super) store: Store,
    pub(super) door: Door,
    pub(super) lanes: Lanes,
    pub(super) ports: Ports,
    pub(super) scratch: Scratch,
    /// The addresses that stand for those of the scenario, in order.
    network: Option<(IpAddr, u32)>,
    /// Who may log in.
    pub(super) register: Register,
    /// Does TLS begin with the first byte?
    implicit_tls: bool,
    /// The server's end of TLS, if it speaks it.
    pub(super) acceptor: Option<Acceptor>,
    /// Data connections so far.
    pub(super) transfers: u64,
    pub(super) ledger: Ledger,
    pub(super) news: Option<News>,
    pub(super) tape: Tape,
    pub(super) tamper: Tamper,
    pub(super) tally: Tally,
    pub(super) waiters: Waiters,
    pub(super) pending: Pending,
    pub(super) minutes: Minutes,
    /// Was the end ordered?
    over: bool,
    /// Does it end with its last connection, once it does not listen?
    pub(super) retiring: bool,
    /// Connections that the machine has done with, and that are still told something.
    pub(super) leaving: u32,
    actions: Vec<Action>,
}

impl Station {
    pub(super) fn new(plan: &Plan, door: Door, epoch: Epoch) -> io::Result<Shared> {
        let scenario = Arc::clone(&plan.scenario);
        let streams = Streams::new(scenario.seed, plan.replication);
        let mut policy = scenario.servers[0].policy.clone();
        // Any limit may be ordered.
        let limits = (0..=u8::MAX).zip(&policy.checks);
        let controls: Vec<Control> = limits.map(|(check, _)| Control::SetLimit { check, limit: 1 }).collect();
        // A real handshake takes what it takes.
        (policy.tls.cost, policy.tls.resumed_cost) = (Duration::ZERO, Duration::ZERO);
        let acceptor = match &plan.acceptor {
            _ if !plan.speaks_tls() => None,
            Some(acceptor) => Some(acceptor.clone()),
            None => Some(Acceptor::own().map_err(io::Error::other)?),
        };
        let server = Server::new(SERVER, policy, ServerStreams::new(streams, SERVER), &controls);
        let store = Store::new(plan, streams, Clock::of(epoch))?;
        let register = Register::new(&plan.guests, &scenario);
        let station = |me: &Weak<RefCell<Self>>| {
            RefCell::new(Self {
                me: me.clone(),
                server,
                timer: Timer::OFF,
                clock: Clock::of(epoch),
                calendar: Calendar::new(),
                conns: Conns::default(),
                peers: Peers::default(),
                store,
                door,
                ports: Ports::new(plan.passive_ports),
                lanes: Lanes::new(scenario.servers[0].bandwidth()),
                scratch: Scratch::default(),
                network: plan.network,
                register,
                implicit_tls: plan.implicit_tls,
                acceptor,
                transfers: 0,
                ledger: Ledger::new(
                    if plan.length.is_forever() { Instant::NEVER } else { Instant::ZERO + plan.length },
                    plan.meter.clone(),
                ),
                news: plan.news.clone(),
                tape: Tape::new(plan.recorder.as_ref(), Clock::of(epoch)),
                tamper: Tamper::new(&scenario.servers[0].wire, streams),
                tally: Tally::new(),
                waiters: Waiters::default(),
                pending: Pending::default(),
                minutes: Minutes::new(plan.minutes),
                over: false,
                retiring: false,
                leaving: 0,
                actions: Vec::new(),
                scenario,
            })
        };
        let station = Rc::new_cyclic(station);
        station.borrow_mut().begin(&plan.timed);
        Ok(station)
    }

    fn begin(&mut self, timed: &[Timed]) {
        for Timed { at, order } in timed {
            self.calendar.enter(*at, Event::Order(Box::new(order.clone())));
        }
        for (place, fault) in self.scenario.faults.iter().enumerate() {
            if let Some((after, _)) = fault.effects.first() {
                self.calendar.enter(fault.at + *after, Event::Fault { fault: place as u16, step: 0 });
            }
        }
        self.calendar.enter(self.clock.now() + LOOK, Event::Look);
    }

    /// Is it over: is it `end`, or was that ordered, or does it retire and is nobody left?
    pub(super) fn is_over(&self, end: Instant) -> bool {
        self.over || self.clock.now() >= end || (self.retiring && self.is_deserted())
    }

    /// Is nobody here, and will nobody come?
    fn is_deserted(&self) -> bool {
        !self.door.wanted && self.server.slots() == 0 && self.leaving == 0
    }

    /// Ends as soon as everybody has had his turn.
    pub(super) fn end(&mut self) {
        self.over = true;
        self.calendar.enter(self.clock.now(), Event::Look);
    }

    /// What was measured up to now.
    pub(super) fn close_books(&mut self) -> Served {
        let server = &self.server;
        self.ledger.close(self.clock.now(), server.open_connections(), server.open_sessions())
    }

    /// A handle for a task.
    pub(super) fn shared(&self) -> Option<Shared> {
        self.me.upgrade()
    }

    // ---- time --------------------------------------------------------------------------------------------------

    /// Does all that is due.
    pub(super) fn ring(&mut self) {
        let now = self.clock.now();
        while let Some((at, event)) = self.calendar.due(now) {
            self.happen(at, event);
        }
    }

    fn happen(&mut self, at: Instant, event: Event) {
        match event {
            Event::ConnTimer { slot } => {
                let Some(timer) = self.conns.timer(slot) else { return };
                match timer.fire(at) {
                    Firing::Due => self.tell(Input::TimerFired { conn: ConnId::new(SERVER, slot) }),
                    Firing::Again(at) => self.calendar.enter(at, event),
                    Firing::Dropped => {}
                }
            }
            Event::ServerTimer => match self.timer.fire(at) {
                Firing::Due => self.tell(Input::ServerTimerFired),
                Firing::Again(at) => self.calendar.enter(at, event),
                Firing::Dropped => {}
            },
            Event::Reply(key) => self.send_due(key),
            Event::Fault { fault, step } => self.fault(fault, step),
            Event::Wake(waker) => waker.wake(),
            Event::Handshake(key) => self.give_up_handshake(key),
            Event::Listen => self.open_door(),
            Event::Step(step) => self.take_step(step),
            // It was looked at before; what is wrong with it now, nobody asks.
            Event::Order(order) => drop(self.carry_out(&order)),
            Event::Look => {
                let now = self.clock.now();
                self.tape.look();
                self.waiters.look(now, &self.tally);
                self.calendar.enter(at.max(now) + LOOK, Event::Look);
            }
        }
    }

    fn fault(&mut self, fault: u16, step: u16) {
        let scenario = Arc::clone(&self.scenario);
        let spec = &scenario.faults[usize::from(fault)];
        let (_, effect) = spec.effects[usize::from(step)];
        if let (0, Some(news)) = (step, &self.news) {
            news.tell(self.clock.now(), What::Fault(spec.label.clone()));
        }
        if let Some((after, _)) = spec.effects.get(usize::from(step) + 1) {
            self.calendar.enter(spec.at + *after, Event::Fault { fault, step: step + 1 });
        }
        match effect {
            Effect::Server(SERVER, control) => self.tell(Input::Control(control)),
            Effect::Bandwidth(SERVER, bandwidth) => self.lanes.set_bandwidth(bandwidth),
            // Other servers are not there, and the way is the real one.
            Effect::Server(..) | Effect::Bandwidth(..) | Effect::Network(..) | Effect::Dns(_) => {}
        }
    }

    // ---- the machine -------------------------------------------------------------------------------------------

    /// Hands `input` to the machine and does what it wants done. False if it wanted nothing.
    pub(super) fn told(&mut self, input: Input) -> bool {
        let now = self.clock.now();
        let mut actions = std::mem::take(&mut self.actions);
        self.server.handle(now, input, &mut actions);
        let heard = !actions.is_empty();
        self.spread(now, &actions);
        for action in &actions {
            self.act(now, action);
        }
        self.ledger.settle(input.conn().map(ConnId::slot));
        actions.clear();
        self.actions = actions;
        if matches!(input, Input::Control(_)) {
            self.door.set_backlog(self.server.backlog());
            self.conns.wake_all(); // it may hang no more
        }
        self.door.nudge(self.server.queue_length() == 0);
        if !self.waiters.is_empty() {
            self.waiters.look(now, &self.tally);
        }
        heard
    }

    /// The same, where nobody asks.
    pub(super) fn tell(&mut self, input: Input) {
        self.told(input);
    }

    fn act(&mut self, now: Instant, action: &Action) {
        match *action {
            Action::Observe(observation) => {
                self.tally.observe(&observation);
                self.ledger.observe(now, &observation);
            }
            Action::AnswerHello { .. } => {} // it comes only where a handshake is a model
            Action::Arm { conn, at } => {
                // A deadline may have gone by while the server hung.
                let slot = conn.slot() as u32;
                if let Some(at) = self.conns.timer(slot).and_then(|timer| timer.arm(at.max(now))) {
                    self.calendar.enter(at, Event::ConnTimer { slot });
                }
            }
            Action::ArmServer { at } => {
                if let Some(at) = self.timer.arm(at.max(now)) {
                    self.calendar.enter(at, Event::ServerTimer);
                }
            }
            Action::Reply { conn, reply, at } => self.reply(now, conn, reply, at),
            Action::StartTls { conn, .. } => {
                if let Some(link) = self.conns.of(conn).and_then(|entry| entry.link.as_mut()) {
                    link.tls = Shaking::Due;
                }
                self.start_tls(conn);
            }
            Action::Close { conn, how, cause } => {
                if how != CloseHow::None {
                    self.ledger.closed(now, conn.slot(), cause);
                }
                self.close(conn, how);
            }
            Action::StartTransfer { conn, at } => self.start_transfer(conn, at),
            Action::AbortData { conn } => self.abort_data(conn),
            Action::ConnectData { conn, at } => self.connect_data(conn, at),
            Action::Free { conn } => {
                self.abort_data(conn);
                self.conns.free(conn);
            }
            Action::Listen { up } => {
                self.door.wanted = up;
                if up {
                    self.open_door();
                } else {
                    self.door.close();
                }
            }
        }
    }

    fn open_door(&mut self) {
        if self.door.wanted && !self.door.open(self.server.backlog()) {
            // Somebody else has the port just now.
            self.calendar.enter(self.clock.now() + Duration::from_millis(20), Event::Listen);
        }
    }

    // ---- connections -------------------------------------------------------------------------------------------

    /// The kernel has a new connection.
    pub(super) fn accepted(&mut self, wire: Wire, peer: SocketAddr, local: IpAddr) {
        let ip = peer.ip().to_canonical();
        let number = self.peers.of(ip);
        let class = self.class_of(ip);
        let key = self.conns.open(wire, SocketAddr::new(ip, peer.port()), local.to_canonical());
        let voice = self.tape.opened(peer);
        if let Some(link) = self.conns.get(key).and_then(|conn| conn.link.as_mut()) {
            link.voice = voice;
        }
        self.minutes.opened(key);
        self.ledger.came(self.clock.now(), key.conn().slot());
        if let Some(shared) = self.shared() {
            tokio::task::spawn_local(control::read(shared, key));
        }
        self.meets_ills(key, None);
        let (conn, peer) = (key.conn(), number);
        self.tell(if self.implicit_tls {
            Input::AcceptedTls { conn, peer, class }
        } else {
            Input::Accepted { conn, peer, class }
        });
    }

    /// Begins TLS on a connection where that is due and everything is said that comes before. What was read so far was in the clear, and
    /// is forgotten (RFC 4217, section 15).
    fn start_tls(&mut self, conn: ConnId) {
        let (Some(acceptor), Some(entry)) = (&self.acceptor, self.conns.of(conn)) else { return };
        let Some(link) =
            entry.link.as_mut().filter(|link| link.tls == Shaking::Due && link.outbox.is_empty())
        else {
            return;
        };
        entry.lines = Lines::default();
        link.tls = Shaking::Begun;
        if let Ok(tls) = acceptor.accept() {
            let _ = link.wire.start_tls(tls); // if it is broken, its reader finds out
        }
        if let Some(waker) = &entry.waker {
            waker.wake_by_ref();
        }
        if let Some(key) = self.conns.key(conn) {
            self.calendar.enter(self.clock.now() + HANDSHAKE, Event::Handshake(key));
        }
    }

    /// A handshake has had its time, if it is still under way.
    fn give_up_handshake(&mut self, key: Key) {
        let Some(link) = self.conns.get(key).and_then(|conn| conn.link.as_mut()) else { return };
        if link.tls == Shaking::Begun {
            self.tell(Input::TlsFailed { conn: key.conn() });
        }
    }

    /// The class of an address: that of the address of the scenario which it stands for, if it does.
    fn class_of(&self, ip: IpAddr) -> u8 {
        let classes = &self.scenario.servers[0].classes;
        if classes.is_empty() {
            return 0;
        }
        let meant = self.network.and_then(|(first, count)| {
            let place = place_in(first, ip)?;
            (place < count).then(|| self.scenario.addresses.address(PeerId(place)))
        });
        classes.of(meant.unwrap_or(ip))
    }

    /// A reply, to be sent at `at` and not before the one before it.
    fn reply(&mut self, now: Instant, conn: ConnId, reply: ReplyId, at: Instant) {
        let Some(bytes) = self.say(conn, reply) else { return };
        self.ledger.answered(
            (now, at.max(now)),
            conn.slot(),
            code_of(&bytes),
            self.server.is_logged_in(conn),
        );
        let Some(key) = self.conns.key(conn) else { return };
        let Some(entry) = self.conns.of(conn) else { return };
        // What it has said in a transfer may have its turn.
        if (!std::mem::replace(&mut entry.greeted, true) || entry.lines.holds_line())
            && let Some(waker) = &entry.waker
        {
            waker.wake_by_ref();
        }
        let bytes = match self.spoil(conn, bytes, at.max(now)) {
            Ok(pieces) => return self.post(key, pieces),
            Err(bytes) => bytes,
        };
        self.minutes.said(key, &bytes);
        let Some(entry) = self.conns.of(conn) else { return };
        let Some(link) = &mut entry.link else { return };
        if link.outbox.is_empty() && at <= now {
            // Whoever reads the connection finds out that it is broken, or has something unsent.
            link.send(Piece::Bytes(bytes));
            if link.wire.unsent()
                && let Some(waker) = &entry.waker
            {
                waker.wake_by_ref();
            }
            return;
        }
        let at = link.outbox.back().map_or(at, |(last, _)| at.max(*last));
        link.outbox.push_back((at, Piece::Bytes(bytes)));
        self.calendar.enter(at, Event::Reply(key));
    }

    /// The bytes of a reply.
    pub(super) fn say(&mut self, conn: ConnId, reply: ReplyId) -> Option<Vec<u8>> {
        if reply == self.server.policy().replies.pasv {
            return self.listen_for_data(conn);
        }
        if let Some(bytes) = self.fulfil(conn, reply) {
            return Some(bytes);
        }
        let entry = self.conns.of(conn)?;
        let connections = self.server.slots();
        Some(texts::reply(self.server.policy().table.get(reply), &entry.client, entry.peer.ip(), connections))
    }

    /// Sends what is due.
    fn send_due(&mut self, key: Key) {
        let now = self.clock.now();
        let Some(conn) = self.conns.get(key) else { return };
        let Some(link) = &mut conn.link else { return };
        if let Some(more) = link.send_due(now) {
            self.calendar.enter(more, Event::Reply(key));
        }
        if let Some(how) = link.cut {
            return self.cut(key, how);
        }
        if let Some(waker) = &conn.waker {
            waker.wake_by_ref(); // there is room for more commands
        }
        self.start_tls(key.conn());
    }

    /// TCP ends behind the last reply.
    fn close(&mut self, conn: ConnId, how: CloseHow) {
        self.abort_data(conn);
        let Some(entry) = self.conns.of(conn) else { return };
        let Some(mut link) = entry.link.take() else { return };
        link.unread |= entry.lines.holds_line();
        if let Some(waker) = entry.waker.take() {
            waker.wake();
        }
        if let (Err(link), Some(shared)) = (closing::at_once(link, how), self.shared()) {
            self.leaving += 1;
            tokio::task::spawn_local(closing::when_all_is_said(shared, link, how));
        }
    }

    /// The client is gone, or cannot be reached any more.
    pub(super) fn lost(&mut self, key: Key) {
        let Some(conn) = self.conns.get(key) else { return };
        if conn.link.take().is_some() {
            self.ledger.left(self.clock.now(), key.conn().slot());
            self.tell(Input::Closed { conn: key.conn() });
        }
    }
}

impl Link {
    /// Sends the replies whose time has come. When the rest of one is due, which goes out bit by bit.
    pub(super) fn send_due(&mut self, now: Instant) -> Option<Instant> {
        while self.outbox.front().is_some_and(|(at, _)| *at <= now) {
            let (_, piece) = self.outbox.pop_front()?;
            if let Some((later, rest)) = self.send(piece) {
                self.outbox.push_front((now + later, rest));
                return Some(now + later);
            }
            if self.cut.is_some() {
                self.outbox.clear();
            }
        }
        None
    }
}

/// The code of a reply, 0 if there is none.
fn code_of(bytes: &[u8]) -> u16 {
    bytes.get(..3).and_then(|code| str::from_utf8(code).ok()?.parse().ok()).unwrap_or(0)
}

/// How many addresses `ip` is behind `first`.
fn place_in(first: IpAddr, ip: IpAddr) -> Option<u32> {
    match (first, ip) {
        (IpAddr::V4(first), IpAddr::V4(ip)) => ip.to_bits().checked_sub(first.to_bits()),
        (IpAddr::V6(first), IpAddr::V6(ip)) => u32::try_from(ip.to_bits().checked_sub(first.to_bits())?).ok(),
        _ => None,
    }
}
