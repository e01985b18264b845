//! A shard: some of a run's clients, driven by one thread. It does with each machine's actions what `sim`'s world does.
//!
//! It is a driver: whatever it decides is about delivery (sockets, timers, slots), never about FTP.

use std::cell::RefCell;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::rc::Weak;
use std::sync::Arc;
use std::task::Waker;

use hdrhistogram::Histogram;
use tokio::net::TcpListener;

use super::collect::Outbox;
use super::line::Line;
use super::schedule::{Coming, Schedule, Share};
use super::{Gauges, Plan, health};
use crate::classify::{Around, Classifier};
use crate::client::actor::Actors;
use crate::client::{self, Behaviour, Client, ClientStreams, Env, actor};
use crate::ftp::ArgId;
use crate::id::{ClientId, PeerId, PopulationId};
use crate::live::Clock;
use crate::live::tls::Connector;
use crate::rng::{Purpose, Stream, Streams};
use crate::time::{Duration, Instant};
use crate::timer::{Firing, Timer};
use crate::transcript::Transcript;
use crate::workload::{Arrivals, Population};

/// A time as a machine is told it, and how much later it really is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Moment {
    pub at: Instant,
    pub late: Duration,
}

/// What is due at a time.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Due {
    /// A client's timer.
    Client(u32),
    /// A client of a closed population wants its next session.
    Again(u32),
    /// A client of a closed population that began with a pause wants its first session.
    First(u32),
    /// The timer of a user with several connections.
    Actor(u32),
    /// A client tries once more to get a socket for its connect number `serial`.
    Connect { client: u32, serial: u32 },
    /// A reply has been held back for long enough.
    Held { client: u32, serial: u32 },
}

/// A client and what its driver keeps with it.
pub(super) struct Slot {
    pub client: Client,
    pub timer: Timer,
    /// The last time that its machine was told: no later one may be earlier.
    pub told: Instant,
    pub peer: PeerId,
    /// The place of its source address.
    pub place: u32,
    pub population: PopulationId,
    /// Counts its connects, so that a task whose client has let go is known.
    pub serial: u32,
    pub entry: u32,
    pub taken: bool,
    /// Is it still without a socket for its connect?
    pub starved: bool,
    pub line: Option<Box<Line>>,
    pub late: Late,
}

/// How late a client's steps were really begun.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Late {
    pub session: Duration,
    pub login: Duration,
    pub sent: Duration,
}

/// What a population's clients share.
struct Crowd {
    streams: ClientStreams,
    pauses: Stream,
    /// Do they read any text?
    reads: bool,
}

pub(super) struct Shard {
    pub plan: Arc<Plan>,
    pub clock: Clock,
    pub me: Weak<RefCell<Shard>>,
    crowds: Vec<Crowd>,
    pub schedule: Schedule,
    pub slots: Vec<Slot>,
    free: Vec<u32>,
    pub actors: Actors,
    due: BinaryHeap<Reverse<(Instant, u64, Due)>>,
    entered: u64,
    /// Until when the driving task sleeps, and what wakes it before.
    pub sleeps_until: Instant,
    pub sleeper: Option<Waker>,
    pub outbox: Outbox,
    pub classifier: Classifier,
    /// What the classifier may know of all clients together.
    pub around: Around,
    /// Connections that are open, ghosts included.
    pub open: u64,
    pub gauges: Arc<Gauges>,
    pub transcript: Option<Transcript>,
    /// Connections whose client has vanished, by number.
    pub ghosts: BTreeMap<u64, (Instant, Option<Instant>)>,
    pub late: Histogram<u64>,
    pub part: health::Part,
    /// The run is over: nothing is told to any machine any more.
    pub over: bool,
    /// What is read goes here first.
    pub scratch: Vec<u8>,
    pub spelled: String,
    /// What data connections bring.
    pub bulk: Vec<u8>,
    /// Where a connect is neither accepted nor refused, what fills its queue, and its port.
    pub hole: Option<(TcpListener, std::net::TcpStream, u16)>,
    /// What the TLS of its clients has in common, if they speak it.
    pub connector: Option<Connector>,
    actions: Vec<client::Action>,
}

impl Shard {
    /// What one read takes at most.
    const SCRATCH: usize = 16 * 1024;
    /// The same over a data connection.
    const BULK: usize = 256 * 1024;

    pub(super) fn new(
        plan: Arc<Plan>,
        share: Share,
        me: Weak<RefCell<Self>>,
        outbox: Outbox,
        gauges: Arc<Gauges>,
        connector: Option<Connector>,
    ) -> Self {
        let scenario = &plan.scenario;
        let streams = Streams::new(scenario.seed, plan.replication);
        let crowds = scenario.populations.iter().enumerate().map(|(place, spec)| Crowd {
            streams: ClientStreams::new(streams, PopulationId(place as u16)),
            pauses: streams.stream(Purpose::Pause, place as u32),
            reads: spec.behaviour.heeds_120 || spec.behaviour.reading != client::Reading::default(),
        });
        Self {
            clock: Clock::of(plan.epoch),
            me,
            crowds: crowds.collect(),
            schedule: Schedule::new(scenario, plan.replication, share),
            slots: Vec::new(),
            free: Vec::new(),
            actors: Actors::default(),
            due: BinaryHeap::new(),
            entered: 0,
            sleeps_until: Instant::ZERO,
            sleeper: None,
            outbox,
            classifier: if plan.own {
                Classifier::expecting(plan.scenario.policy())
            } else {
                Classifier::new(plan.profile.as_deref())
            },
            around: Around::default(),
            open: 0,
            gauges,
            transcript: None,
            ghosts: BTreeMap::new(),
            late: health::lateness(),
            part: health::Part::default(),
            over: false,
            scratch: vec![0; Self::SCRATCH],
            spelled: String::new(),
            bulk: vec![0; Self::BULK],
            hole: None,
            connector,
            actions: Vec::with_capacity(16),
            plan,
        }
    }

    // ---- time --------------------------------------------------------------------------------------------------

    /// A moment that was not intended: something came over the network.
    pub(super) fn now(&self) -> Moment {
        Moment { at: self.clock.now(), late: Duration::ZERO }
    }

    /// Enters `due` at `at`, and wakes the driving task if it would sleep on.
    pub(super) fn schedule(&mut self, at: Instant, due: Due) {
        self.due.push(Reverse((at, self.entered, due)));
        self.entered += 1;
        if at < self.sleeps_until
            && let Some(sleeper) = &self.sleeper
        {
            sleeper.wake_by_ref();
        }
    }

    /// When something is due next.
    pub(super) fn next_at(&self) -> Instant {
        let due = self.due.peek().map_or(Instant::NEVER, |Reverse((at, ..))| *at);
        due.min(self.schedule.next_at())
    }

    /// Does what is due by now, but not very much at once: what the network brings has its turn in between. Returns when
    /// something is due next.
    pub(super) fn serve(&mut self, most: usize) -> Instant {
        for _ in 0..most {
            let next = self.next_at();
            let now = self.clock.now();
            if next > now {
                break;
            }
            let moment = Moment { at: next, late: now.since(next) };
            if self.schedule.next_at() == next {
                self.arrive(moment);
            } else if let Some(Reverse((_, _, due))) = self.due.pop() {
                self.happen(moment, due);
            }
        }
        self.next_at()
    }

    fn happen(&mut self, moment: Moment, due: Due) {
        match due {
            Due::Client(client) => match self.slots[client as usize].timer.fire(moment.at) {
                Firing::Due => self.tell(moment, client, client::Input::TimerFired),
                Firing::Again(at) => self.schedule(at, due),
                Firing::Dropped => {}
            },
            Due::Again(client) => {
                let slot = &self.slots[client as usize];
                let input = client::Input::Start { session: slot.client.session() + 1, entry: slot.entry };
                self.tell(moment, client, input);
            }
            Due::First(client) => {
                let entry = self.slots[client as usize].entry;
                self.tell(moment, client, client::Input::Start { session: 0, entry });
            }
            Due::Actor(user) => self.tell_actor(moment, user, actor::Input::TimerFired),
            Due::Connect { client, serial } => {
                let slot = &self.slots[client as usize];
                if slot.serial == serial && slot.starved {
                    self.connect(moment, client);
                }
            }
            Due::Held { client, serial } => self.held_long(moment, client, serial),
        }
    }

    // ---- clients come and go -----------------------------------------------------------------------------------

    fn arrive(&mut self, moment: Moment) {
        let plan = Arc::clone(&self.plan);
        let Some(Coming { population, arrival, peer }) = self.schedule.take(&plan.scenario) else { return };
        let parallel = plan.scenario.populations[usize::from(population.0)].behaviour.parallel;
        if parallel == 1 {
            let client = self.take_slot(population, arrival.index, arrival.entry, peer);
            self.begin(moment, client);
            return;
        }
        let user = self.actors.come(parallel);
        for connection in 0..parallel {
            let index = arrival.index.wrapping_mul(parallel).wrapping_add(connection);
            let client = self.take_slot(population, index, arrival.entry, peer);
            self.actors.belongs(client, user);
            self.begin(moment, client);
        }
    }

    /// A client that has just come begins with a session, or with a pause.
    fn begin(&mut self, moment: Moment, client: u32) {
        let slot = &self.slots[client as usize];
        let (population, entry) = (usize::from(slot.population.0), slot.entry);
        let spec = &self.plan.scenario.populations[population];
        match &spec.arrivals {
            Arrivals::Closed(closed) if closed.pause_first => {
                let who = (slot.client.index(), spec.behaviour.parallel);
                match closed.next_session(who, 0, moment.at, self.crowds[population].pauses) {
                    Some(at) => self.schedule(at, Due::First(client)),
                    None => self.leaves(client),
                }
            }
            _ => self.tell(moment, client, client::Input::Start { session: 0, entry }),
        }
    }

    fn take_slot(&mut self, population: PopulationId, index: u32, entry: u32, peer: PeerId) -> u32 {
        let place = self.plan.sources.place(peer);
        let fresh = |timer, serial| Slot {
            client: Client::new(index),
            timer,
            told: Instant::ZERO,
            peer,
            place,
            population,
            serial,
            entry,
            taken: true,
            starved: false,
            line: None,
            late: Late::default(),
        };
        if let Some(free) = self.free.pop() {
            let slot = &mut self.slots[free as usize];
            *slot = fresh(slot.timer, slot.serial);
            return free;
        }
        self.slots.push(fresh(Timer::OFF, 0));
        self.slots.len() as u32 - 1
    }

    /// A client is done with a wanted session: one of a closed population pauses and comes again.
    fn finished(&mut self, moment: Moment, client: u32) {
        let parallel = self.is_parallel(client);
        if parallel {
            self.tell_actor_of(moment, client, actor::Input::GaveUp(ClientId(client))); // if it still waited for its turn
        }
        let slot = &mut self.slots[client as usize];
        slot.timer.disarm();
        let spec = &self.plan.scenario.populations[usize::from(slot.population.0)];
        let next = match &spec.arrivals {
            Arrivals::Closed(closed) => {
                let who = (slot.client.index(), spec.behaviour.parallel);
                let pauses = self.crowds[usize::from(slot.population.0)].pauses;
                closed.next_session(who, slot.client.session() + 1, moment.at, pauses)
            }
            _ => None,
        };
        if let Some(at) = next {
            self.schedule(at, Due::Again(client));
        } else {
            self.leaves(client);
        }
    }

    /// A client will not come again.
    fn leaves(&mut self, client: u32) {
        self.slots[client as usize].taken = false;
        self.free.push(client);
        if self.is_parallel(client) {
            self.actors.left(client);
        }
    }

    // ---- the machines ------------------------------------------------------------------------------------------

    fn spec(&self, client: u32) -> &Population {
        &self.plan.scenario.populations[usize::from(self.slots[client as usize].population.0)]
    }

    pub(super) fn behaviour(&self, client: u32) -> &Behaviour {
        &self.spec(client).behaviour
    }

    /// The account of `client`.
    pub(super) fn user(&self, client: u32) -> ArgId {
        self.spec(client).user(self.slots[client as usize].client.index())
    }

    pub(super) fn reply_timeout(&self, client: u32) -> Duration {
        self.spec(client).link.reply_timeout
    }

    /// The bytes per second of a client's way, 0 for no bound.
    pub(super) fn bandwidth(&self, client: u32) -> u64 {
        self.spec(client).link.bandwidth
    }

    /// What a text says to `client`.
    pub(super) fn words(&self, client: u32, code: u16, text: &str) -> u8 {
        let slot = &self.slots[client as usize];
        let reads = self.crowds[usize::from(slot.population.0)].reads;
        if reads { self.behaviour(client).reading.words(code, text) } else { 0 }
    }

    /// Tells `client` its input, and does what it wants done.
    pub(super) fn tell(&mut self, moment: Moment, client: u32, input: client::Input) {
        if self.over {
            return;
        }
        let slot = &mut self.slots[client as usize];
        let real = moment.at + moment.late;
        let at = moment.at.max(slot.told);
        let moment = Moment { at, late: real.since(at) };
        slot.told = at;
        if let client::Input::Start { .. } = input {
            slot.late.session = moment.late;
        }
        let crowd = &self.crowds[usize::from(slot.population.0)];
        let spec = &self.plan.scenario.populations[usize::from(slot.population.0)];
        let env = Env {
            population: slot.population,
            behaviour: &spec.behaviour,
            streams: &crowd.streams,
            users: &spec.users,
            connect_timeout: spec.link.connect_timeout,
            reply_timeout: spec.link.reply_timeout,
        };
        let mut actions = std::mem::take(&mut self.actions);
        slot.client.handle(at, input, &env, &mut actions);
        for action in &actions {
            self.act(moment, client, action);
        }
        actions.clear();
        self.actions = actions;
    }

    fn act(&mut self, moment: Moment, client: u32, action: &client::Action) {
        match *action {
            client::Action::Observe(ref observation) => self.observe(moment, client, observation),
            client::Action::Arm { at } => {
                if let Some(at) = self.slots[client as usize].timer.arm(at.max(moment.at)) {
                    self.schedule(at, Due::Client(client));
                }
            }
            client::Action::Send(command) => {
                health::record(&mut self.late, moment.late);
                let late = &mut self.slots[client as usize].late;
                late.sent = moment.late;
                if command.verb == crate::ftp::Verb::User {
                    late.login = moment.late;
                }
                self.send(moment, client, command);
            }
            client::Action::StartTls => self.start_tls(client),
            client::Action::OpenData { .. } => self.open_data(moment, client, action),
            client::Action::Ask => self.tell_actor_of(moment, client, actor::Input::Asked(ClientId(client))),
            client::Action::Lower => {
                if self.is_parallel(client) {
                    self.tell_actor_of(moment, client, actor::Input::Lowered);
                }
            }
            client::Action::Connect => {
                health::record(&mut self.late, moment.late);
                let slot = &mut self.slots[client as usize];
                slot.serial = slot.serial.wrapping_add(1);
                slot.late.sent = moment.late;
                self.around.attempt(moment.at + moment.late, self.whose(client));
                self.connect(moment, client);
            }
            client::Action::Disconnect | client::Action::Vanish => {
                self.let_go(moment, client, *action == client::Action::Disconnect);
                if self.is_parallel(client) {
                    self.tell_actor_of(moment, client, actor::Input::Ended);
                }
            }
            client::Action::Finish => self.finished(moment, client),
        }
    }
}
