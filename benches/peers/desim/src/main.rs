//! The FTP loss workload in desim: a process for each client, as in `SimPy`.
//!
//! A process cannot create another one there, so whoever runs the simulation does it between two steps. The log of all events,
//! which desim keeps if it is let, is off.

#![feature(coroutines)]

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use desim::prelude::*;
use workload::{Answer, Dice, Load, THINKS, Tally, WAY_NS, arguments};

const WAY_S: f64 = WAY_NS as f64 / 1e9;

/// What a process yields: it waits, and nothing of it is logged.
#[derive(Clone, Copy)]
struct Unlogged(Effect);

impl SimState for Unlogged {
    fn get_effect(&self) -> Effect {
        self.0
    }

    fn set_effect(&mut self, effect: Effect) {
        self.0 = effect;
    }

    fn should_log(&self) -> bool {
        false
    }
}

fn wait(seconds: f64) -> Unlogged {
    Unlogged(Effect::TimeOut(seconds))
}

type Cx = SimContext<Unlogged>;

fn ns(cx: &Cx) -> u64 {
    (cx.time() * 1e9) as u64
}

/// What the processes share.
struct Shared {
    tally: RefCell<Tally>,
    dice: RefCell<Dice>,
    /// A client has come, and wants a process.
    came: Cell<bool>,
}

fn arrivals(shared: Rc<Shared>) -> Box<Process<Unlogged>> {
    Box::new(
        #[coroutine]
        move |_: Cx| {
            loop {
                let gap = shared.dice.borrow_mut().gap_ns() as f64 / 1e9;
                yield wait(gap);
                shared.came.set(true);
            }
        },
    )
}

fn client(shared: Rc<Shared>) -> Box<Process<Unlogged>> {
    Box::new(
        #[coroutine]
        move |mut cx: Cx| {
            // The process begins as the SYN arrives.
            if !shared.tally.borrow_mut().knock(ns(&cx)) {
                yield wait(WAY_S); // 421
                return;
            }
            yield wait(WAY_S); // greeting
            yield wait(WAY_S); // USER
            yield wait(WAY_S); // 331
            yield wait(WAY_S); // PASS
            for _ in 0..THINKS {
                yield wait(WAY_S); // reply
                let think = shared.dice.borrow_mut().think_ns() as f64 / 1e9;
                yield wait(think);
                cx = yield wait(WAY_S); // command
            }
            shared.tally.borrow_mut().leave(ns(&cx));
            yield wait(WAY_S); // 221
        },
    )
}

fn run(load: Load) -> Answer {
    let shared = Rc::new(Shared {
        tally: RefCell::new(Tally::begin(load)),
        dice: RefCell::new(Dice::new(load.seed, load.rate)),
        came: Cell::new(false),
    });
    let mut simulation = Simulation::new();
    let process = simulation.create_process(arrivals(Rc::clone(&shared)));
    simulation.schedule_event(0.0, process, wait(0.0));
    simulation.step(); // the process begins, and waits for the first client: no event of the workload
    let end = f64::from(load.seconds);
    let mut events = 0;
    loop {
        simulation.step();
        if simulation.time() >= end {
            break; // the only way to see that nothing is due before the end is to do what is due behind it
        }
        events += 1;
        if shared.came.take() {
            shared.tally.borrow_mut().clients += 1;
            let process = simulation.create_process(client(Rc::clone(&shared)));
            simulation.schedule_event(simulation.time() + WAY_S, process, wait(0.0));
        }
    }
    drop(simulation);
    let mut tally = Rc::into_inner(shared).expect("the processes are gone").tally.into_inner();
    tally.events = events;
    tally.answer()
}

fn main() {
    run(arguments(&[]).1).print();
}
