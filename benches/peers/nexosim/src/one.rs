//! One model that schedules its own events: the least that nexosim can be asked for.
//!
//! It sends no message, so that nothing of the ports is measured.

use std::time::Duration;

use nexosim::model::{Context, Model, schedulable};
use nexosim::ports::{EventSinkReader, EventSource, Output, SinkState, event_slot};
use nexosim::simulation::{Mailbox, SimInit, SimulationError};
use nexosim::time::MonotonicTime;
use serde::{Deserialize, Serialize};
use workload::{Answer, Dice, Load, REFUSED, STEPS, Step, Tally, WAY_NS};

const WAY: Duration = Duration::from_nanos(WAY_NS);

/// Clients, wires and server.
#[derive(Serialize, Deserialize)]
struct Ftp {
    answer: Output<Answer>,
    tally: Tally,
    dice: Dice,
    steps: Vec<u8>,
    free: Vec<u32>,
}

#[Model]
impl Ftp {
    #[nexosim(init)]
    #[expect(clippy::unused_async, reason = "nexosim wants it")]
    async fn init(&mut self, cx: &Context<Self>, (): &mut ()) {
        self.expect(cx);
    }

    #[nexosim(schedulable)]
    fn comes(&mut self, (): (), cx: &Context<Self>) {
        self.tally.events += 1;
        self.tally.clients += 1;
        self.expect(cx);
        let slot = self.open();
        later(cx, WAY, slot);
    }

    #[nexosim(schedulable)]
    fn step(&mut self, slot: u32, cx: &Context<Self>) {
        self.tally.events += 1;
        let place = &mut self.steps[slot as usize];
        let step = STEPS[usize::from(*place)];
        *place += 1;
        match step {
            Step::Knock => {
                if !self.tally.knock(now(cx)) {
                    *place = REFUSED;
                }
                later(cx, WAY, slot);
            }
            Step::Pass | Step::Act => later(cx, WAY, slot),
            Step::Read => later(cx, Duration::from_nanos(self.dice.think_ns()), slot),
            Step::Leave => {
                self.tally.leave(now(cx));
                later(cx, WAY, slot);
            }
            Step::End => self.free.push(slot),
        }
    }

    async fn report(&mut self) {
        self.answer.send(self.tally.clone().answer()).await;
    }

    fn expect(&mut self, cx: &Context<Self>) {
        let gap = Duration::from_nanos(self.dice.gap_ns().max(1)); // it refuses to schedule an event for now
        cx.schedule_event(gap, schedulable!(Self::comes), ()).expect("it is later");
    }

    fn open(&mut self) -> u32 {
        if let Some(slot) = self.free.pop() {
            self.steps[slot as usize] = 0;
            return slot;
        }
        self.steps.push(0);
        self.steps.len() as u32 - 1
    }
}

fn later(cx: &Context<Ftp>, after: Duration, slot: u32) {
    cx.schedule_event(after.max(Duration::from_nanos(1)), schedulable!(Ftp::step), slot)
        .expect("it is later");
}

fn now(cx: &Context<Ftp>) -> u64 {
    cx.time().duration_since(MonotonicTime::EPOCH).as_nanos() as u64
}

/// Runs the load on one thread.
pub fn run(load: Load) -> Result<Answer, SimulationError> {
    let mut model = Ftp {
        answer: Output::default(),
        tally: Tally::begin(load),
        dice: Dice::new(load.seed, load.rate),
        steps: Vec::new(),
        free: Vec::new(),
    };
    let mailbox = Mailbox::new();
    let (sink, mut answer) = event_slot(SinkState::Enabled);
    model.answer.connect_sink(sink);
    let mut bench = SimInit::with_num_threads(1);
    let report = EventSource::new().connect(Ftp::report, &mailbox).register(&mut bench);
    let mut simulation = bench.add_model(model, mailbox, "ftp").init(MonotonicTime::EPOCH)?;
    simulation.step_until(Duration::from_nanos(load.end_ns() - 1))?;
    simulation.process_event(&report, ())?;
    Ok(answer.try_read().expect("it was just sent"))
}
