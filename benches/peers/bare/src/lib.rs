//! A bare loop: the FTP loss workload and nothing else, over whatever keeps events in order.
//!
//! It has no server, no client, no text and no metric but the books that every peer keeps.

mod queues;

pub use queues::{Days, Heap, Lanes, Pending};
use workload::{Answer, Dice, Load, REFUSED, STEPS, Step, Tally};

/// What is said in the place of a session's slot when the next client comes.
const COMES: u32 = u32::MAX;

/// Runs the load over `pending`.
pub fn run(load: Load, pending: impl Pending) -> Answer {
    let mut tally = Tally::begin(load);
    let mut dice = Dice::new(load.seed, load.rate);
    let mut sessions = Sessions { pending, steps: Vec::new(), free: Vec::new() };
    let first = dice.gap_ns();
    sessions.pending.later(first, COMES);
    let end = load.end_ns();
    while let Some((now, slot)) = sessions.pending.pop().filter(|(now, _)| *now < end) {
        tally.events += 1;
        if slot == COMES {
            tally.clients += 1;
            let next = now + dice.gap_ns();
            sessions.pending.later(next, COMES);
            let slot = sessions.open();
            sessions.pending.wire(now, slot);
        } else {
            sessions.step(now, slot, &mut tally, &mut dice);
        }
    }
    tally.answer()
}

struct Sessions<P> {
    pending: P,
    /// The next step of each, as its place in [`STEPS`].
    steps: Vec<u8>,
    free: Vec<u32>,
}

impl<P: Pending> Sessions<P> {
    fn open(&mut self) -> u32 {
        if let Some(slot) = self.free.pop() {
            self.steps[slot as usize] = 0;
            return slot;
        }
        self.steps.push(0);
        self.steps.len() as u32 - 1
    }

    fn step(&mut self, now: u64, slot: u32, tally: &mut Tally, dice: &mut Dice) {
        let place = &mut self.steps[slot as usize];
        let step = STEPS[usize::from(*place)];
        *place += 1;
        match step {
            Step::Knock => {
                if !tally.knock(now) {
                    *place = REFUSED;
                }
                self.pending.wire(now, slot);
            }
            Step::Pass | Step::Act => self.pending.wire(now, slot),
            Step::Read => self.pending.later(now + dice.think_ns(), slot),
            Step::Leave => {
                tally.leave(now);
                self.pending.wire(now, slot);
            }
            Step::End => self.free.push(slot),
        }
    }
}
