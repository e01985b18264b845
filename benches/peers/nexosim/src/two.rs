//! Two models, clients and server, and a message from one to the other for each that goes over a wire: what nexosim is made for.
//!
//! The way is on the sender's side: it schedules its own sending.

use std::time::Duration;

use nexosim::model::{Context, Model, schedulable};
use nexosim::ports::{EventSinkReader, EventSource, Output, SinkState, event_slot};
use nexosim::simulation::{Mailbox, SimInit, SimulationError};
use nexosim::time::MonotonicTime;
use serde::{Deserialize, Serialize};
use workload::{Answer, Dice, Load, THINKS, Tally, WAY_NS};

const WAY: Duration = Duration::from_nanos(WAY_NS);

/// What a client sends, and who it is.
#[derive(Clone, Copy, Serialize, Deserialize)]
enum ToServer {
    Syn(u32),
    Command(u32),
    Quit(u32),
}

/// What the server sends.
#[derive(Clone, Copy, Serialize, Deserialize)]
enum ToClient {
    Refused(u32),
    Reply(u32),
    Bye(u32),
}

/// What a client does with the next reply.
#[derive(Clone, Copy, Serialize, Deserialize)]
enum Wants {
    Greeting,
    User,
    /// To think so often.
    Think(u32),
}

#[derive(Serialize, Deserialize)]
struct Clients {
    wire: Output<ToServer>,
    counted: Output<(u64, u64)>,
    dice: Dice,
    events: u64,
    came: u64,
    wants: Vec<Wants>,
    free: Vec<u32>,
}

#[Model]
impl Clients {
    #[nexosim(init)]
    #[expect(clippy::unused_async, reason = "nexosim wants it")]
    async fn init(&mut self, cx: &Context<Self>, (): &mut ()) {
        self.expect(cx);
    }

    #[nexosim(schedulable)]
    fn comes(&mut self, (): (), cx: &Context<Self>) {
        self.events += 1;
        self.came += 1;
        self.expect(cx);
        let slot = self.open();
        send(cx, ToServer::Syn(slot));
    }

    #[nexosim(schedulable)]
    async fn arrive(&mut self, message: ToServer) {
        self.events += 1;
        self.wire.send(message).await;
    }

    #[nexosim(schedulable)]
    fn thought(&mut self, slot: u32, cx: &Context<Self>) {
        self.events += 1;
        let quit = matches!(self.wants[slot as usize], Wants::Think(0));
        send(cx, if quit { ToServer::Quit(slot) } else { ToServer::Command(slot) });
    }

    fn hear(&mut self, message: ToClient, cx: &Context<Self>) {
        let slot = match message {
            ToClient::Reply(slot) => slot,
            ToClient::Refused(slot) | ToClient::Bye(slot) => return self.free.push(slot),
        };
        let wants = &mut self.wants[slot as usize];
        match *wants {
            Wants::Greeting => {
                *wants = Wants::User;
                send(cx, ToServer::Command(slot));
            }
            Wants::User => {
                *wants = Wants::Think(THINKS);
                send(cx, ToServer::Command(slot));
            }
            Wants::Think(left) => {
                *wants = Wants::Think(left - 1);
                let think = Duration::from_nanos(self.dice.think_ns().max(1));
                cx.schedule_event(think, schedulable!(Self::thought), slot).expect("it is later");
            }
        }
    }

    async fn report(&mut self) {
        self.counted.send((self.events, self.came)).await;
    }

    fn expect(&mut self, cx: &Context<Self>) {
        let gap = Duration::from_nanos(self.dice.gap_ns().max(1)); // it refuses to schedule an event for now
        cx.schedule_event(gap, schedulable!(Self::comes), ()).expect("it is later");
    }

    fn open(&mut self) -> u32 {
        if let Some(slot) = self.free.pop() {
            self.wants[slot as usize] = Wants::Greeting;
            return slot;
        }
        self.wants.push(Wants::Greeting);
        self.wants.len() as u32 - 1
    }
}

fn send(cx: &Context<Clients>, message: ToServer) {
    cx.schedule_event(WAY, schedulable!(Clients::arrive), message).expect("it is later");
}

#[derive(Serialize, Deserialize)]
struct Server {
    wire: Output<ToClient>,
    answer: Output<Answer>,
    tally: Tally,
}

#[Model]
impl Server {
    fn hear(&mut self, message: ToServer, cx: &Context<Self>) {
        let now = cx.time().duration_since(MonotonicTime::EPOCH).as_nanos() as u64;
        let reply = match message {
            ToServer::Syn(slot) if self.tally.knock(now) => ToClient::Reply(slot),
            ToServer::Syn(slot) => ToClient::Refused(slot),
            ToServer::Command(slot) => ToClient::Reply(slot),
            ToServer::Quit(slot) => {
                self.tally.leave(now);
                ToClient::Bye(slot)
            }
        };
        cx.schedule_event(WAY, schedulable!(Self::arrive), reply).expect("it is later");
    }

    #[nexosim(schedulable)]
    async fn arrive(&mut self, message: ToClient) {
        self.tally.events += 1;
        self.wire.send(message).await;
    }

    async fn report(&mut self) {
        self.answer.send(self.tally.clone().answer()).await;
    }
}

/// Runs the load on one thread.
pub fn run(load: Load) -> Result<Answer, SimulationError> {
    let mut server = Server { wire: Output::default(), answer: Output::default(), tally: Tally::begin(load) };
    let mut clients = Clients {
        wire: Output::default(),
        counted: Output::default(),
        dice: Dice::new(load.seed, load.rate),
        events: 0,
        came: 0,
        wants: Vec::new(),
        free: Vec::new(),
    };
    let (clients_box, server_box) = (Mailbox::new(), Mailbox::new());
    clients.wire.connect(Server::hear, &server_box);
    server.wire.connect(Clients::hear, &clients_box);
    let (sink, mut answer) = event_slot(SinkState::Enabled);
    server.answer.connect_sink(sink);
    let (sink, mut counted) = event_slot(SinkState::Enabled);
    clients.counted.connect_sink(sink);
    let mut bench = SimInit::with_num_threads(1);
    let report_server = EventSource::new().connect(Server::report, &server_box).register(&mut bench);
    let report_clients = EventSource::new().connect(Clients::report, &clients_box).register(&mut bench);
    let mut simulation = bench
        .add_model(clients, clients_box, "clients")
        .add_model(server, server_box, "server")
        .init(MonotonicTime::EPOCH)?;
    simulation.step_until(Duration::from_nanos(load.end_ns() - 1))?;
    simulation.process_event(&report_server, ())?;
    simulation.process_event(&report_clients, ())?;
    let mut answer = answer.try_read().expect("it was just sent");
    let (events, came) = counted.try_read().expect("it was just sent");
    answer.events += events;
    answer.clients = came;
    Ok(answer)
}
