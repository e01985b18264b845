//! Max-min fair sharing of a bandwidth: who gets how much of a pipe, and who is through next, in whole numbers.
//!
//! It knows flows, not files or connections, and no calendar: its owner asks when to look again.
//!
//! A flow never gets more than its cap. What one cannot use, the others share, until all have their cap or the pipe is full:
//! there is one *level*, and each flow gets the lesser of its cap and the level (water-filling; Bertsekas and Gallager, *Data
//! Networks*, section 6.5.2). Flows of one cap therefore always move at one rate, and a class of them needs a single number: the
//! bytes that a flow of this class has received since the class began. A flow is through when that number reaches its *mark*, so
//! that an arrival or a departure costs the number of classes plus the logarithm of the flows, however many rates it changes
//! (the virtual time of processor sharing; Parekh and Gallager, *IEEE/ACM Transactions on Networking* 1(3), 1993).

mod marks;
#[cfg(test)]
mod tests;

use self::marks::{Mark, Marks};
use crate::time::{Duration, Instant};

/// A flow without a cap.
pub const UNCAPPED: u64 = u64::MAX;

/// Rates are bytes per second with so many bits behind the point, rounded down by less than 10^-6 bytes per second: whole
/// rates, such as caps, are exact. What is received is a rate times nanoseconds, so that nothing is rounded there: with the
/// largest bandwidth for a year it needs 125 bits.
const POINT: u32 = 20;
const LARGEST: u64 = 1 << 50;
/// A byte, in the unit of what is received.
const BYTE: u128 = 1_000_000_000 << POINT;
/// The rate of a class that nothing holds back.
const UNBOUNDED: u128 = u128::MAX;

/// A flow's slot in its pipe. Reused when it is through or taken out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FlowId(u32);

/// A bandwidth and the flows that share it.
#[derive(Clone, Debug)]
pub struct Pipe {
    /// Bytes per second; 0 is unlimited.
    bandwidth: u64,
    classes: Vec<Class>,
    /// The classes' places by their caps, the least first.
    by_cap: Vec<u32>,
    flows: Vec<Flow>,
    free: Vec<u32>,
    /// Flows that move.
    moving: u64,
    /// Flows that came so far: of two that are through at the same time, the older one is told first.
    came: u64,
}

/// The flows of one cap.
#[derive(Clone, Debug)]
struct Class {
    cap: u64,
    /// What each flow of it has received by `since`; see [`BYTE`].
    received: u128,
    since: Instant,
    /// Bytes per second for each flow, with [`POINT`] bits behind the point.
    rate: u128,
    /// When its first flow is through.
    due: Instant,
    marks: Marks,
}

/// One flow.
#[derive(Clone, Copy, Debug)]
struct Flow {
    /// What its owner calls it.
    tag: u32,
    class: u32,
    /// Its place among the marks of its class, if it moves.
    place: u32,
    age: u64,
    /// What is left of it, if it stands still.
    left: u128,
}

/// The place of a flow that stands still.
const STILL: u32 = u32::MAX;
/// The class of a slot without a flow.
const NOBODY: u32 = u32::MAX;

impl Pipe {
    /// A pipe of so many bytes per second, 0 for unlimited.
    pub fn new(bandwidth: u64) -> Self {
        Self {
            bandwidth: bandwidth.min(LARGEST),
            classes: Vec::new(),
            by_cap: Vec::new(),
            flows: Vec::new(),
            free: Vec::new(),
            moving: 0,
            came: 0,
        }
    }

    /// From now on it has this bandwidth.
    pub fn set_bandwidth(&mut self, now: Instant, bandwidth: u64) {
        self.bandwidth = bandwidth.min(LARGEST);
        self.share(now);
    }

    /// A flow of `bytes` that may get at most `cap` bytes per second begins.
    pub fn begin(&mut self, now: Instant, bytes: u64, cap: u64, tag: u32) -> FlowId {
        let flow = Flow {
            tag,
            class: self.class(now, cap),
            place: STILL,
            age: self.came,
            left: u128::from(bytes) * BYTE,
        };
        self.came += 1;
        let id = if let Some(place) = self.free.pop() {
            self.flows[place as usize] = flow;
            FlowId(place)
        } else {
            self.flows.push(flow);
            FlowId(self.flows.len() as u32 - 1)
        };
        self.go_on(now, id);
        id
    }

    /// The flow stands still: the others get what it had. False if it stood already.
    pub fn pause(&mut self, now: Instant, id: FlowId) -> bool {
        let Some(flow) = self.live(id).filter(|flow| flow.place != STILL) else { return false };
        let class = &mut self.classes[flow.class as usize];
        let mark = class.marks.remove(flow.place, &mut self.flows);
        let received = class.received_by(now);
        class.look_ahead();
        let flow = &mut self.flows[id.0 as usize];
        flow.place = STILL;
        flow.left = mark.saturating_sub(received);
        self.moving -= 1;
        self.share(now);
        true
    }

    /// A flow that stood still goes on with what is left of it. False if it moved already.
    pub fn go_on(&mut self, now: Instant, id: FlowId) -> bool {
        let Some(flow) = self.live(id).filter(|flow| flow.place == STILL) else { return false };
        let class = &mut self.classes[flow.class as usize];
        if class.marks.is_empty() {
            class.restart(now);
        }
        let mark = Mark { at: class.received_by(now) + flow.left, age: flow.age, flow: id.0 };
        class.marks.insert(mark, &mut self.flows);
        class.look_ahead();
        self.moving += 1;
        self.share(now);
        true
    }

    /// From now on the flow may get at most `cap`.
    pub fn set_cap(&mut self, now: Instant, id: FlowId, cap: u64) {
        let Some(flow) = self.live(id) else { return };
        if self.classes[flow.class as usize].cap == cap {
            return;
        }
        let moves = self.pause(now, id);
        self.flows[id.0 as usize].class = self.class(now, cap);
        if moves {
            self.go_on(now, id);
        }
    }

    /// Takes the flow out, however much of it is left.
    pub fn remove(&mut self, now: Instant, id: FlowId) {
        if self.live(id).is_none() {
            return;
        }
        self.pause(now, id);
        self.flows[id.0 as usize].class = NOBODY;
        self.free.push(id.0);
    }

    /// When the next flow is through, if nothing changes until then; never if none moves.
    pub fn next(&self) -> Instant {
        self.classes.iter().map(|class| class.due).min().unwrap_or(Instant::NEVER)
    }

    /// Takes out a flow that is through by `now`, and gives back what its owner calls it.
    pub fn finish(&mut self, now: Instant) -> Option<u32> {
        let class = self.classes.iter().filter(|class| class.due <= now).min_by_key(|class| class.due)?;
        let id = FlowId(class.marks.first()?.flow);
        let tag = self.flows[id.0 as usize].tag;
        self.remove(now, id);
        Some(tag)
    }

    /// What the flow gets just now, in bytes per second, rounded down; `u64::MAX` if nothing holds it back.
    pub fn rate(&self, id: FlowId) -> u64 {
        match self.live(id) {
            Some(flow) if flow.place != STILL => match self.classes[flow.class as usize].rate {
                UNBOUNDED => u64::MAX,
                rate => (rate >> POINT) as u64,
            },
            _ => 0,
        }
    }

    /// How many flows move.
    pub fn moving(&self) -> u64 {
        self.moving
    }

    /// All flows, those that stand still too, in the order of their slots: what the owner calls them, and which they are.
    pub fn flows(&self) -> impl Iterator<Item = (u32, FlowId)> {
        let taken = self.flows.iter().enumerate().filter(|(_, flow)| flow.class != NOBODY);
        taken.map(|(place, flow)| (flow.tag, FlowId(place as u32)))
    }

    fn live(&self, id: FlowId) -> Option<Flow> {
        self.flows.get(id.0 as usize).copied().filter(|flow| flow.class != NOBODY)
    }

    /// The class with this cap: there are as many as there were caps, which are few (one for each kind of link).
    fn class(&mut self, now: Instant, cap: u64) -> u32 {
        let cap = if cap == UNCAPPED { cap } else { cap.clamp(1, LARGEST) };
        match self.by_cap.binary_search_by_key(&cap, |place| self.classes[*place as usize].cap) {
            Ok(place) => self.by_cap[place],
            Err(place) => {
                let class = self.classes.len() as u32;
                self.classes.push(Class::new(now, cap));
                self.by_cap.insert(place, class);
                class
            }
        }
    }

    /// Finds the level, and gives each class its rate.
    fn share(&mut self, now: Instant) {
        let unlimited = self.bandwidth == 0;
        let (mut left, mut flows) = (u128::from(self.bandwidth), u128::from(self.moving));
        let mut level = None;
        for place in &self.by_cap {
            let class = &mut self.classes[*place as usize];
            if class.marks.is_empty() {
                continue;
            }
            let fits = unlimited || (level.is_none() && u128::from(class.cap) * flows <= left);
            let rate = if fits {
                let count = class.marks.len() as u128;
                left = left.saturating_sub(u128::from(class.cap) * count);
                flows -= count;
                class.own_rate()
            } else {
                // However many share it, there is something for each: nothing waits for ever.
                *level.get_or_insert_with(|| ((left << POINT) / flows).max(1))
            };
            class.set_rate(now, rate);
        }
    }
}

impl Class {
    fn new(now: Instant, cap: u64) -> Self {
        Self { cap, received: 0, since: now, rate: 0, due: Instant::NEVER, marks: Marks::default() }
    }

    /// The rate of a flow that only its cap holds back.
    fn own_rate(&self) -> u128 {
        if self.cap == UNCAPPED { UNBOUNDED } else { u128::from(self.cap) << POINT }
    }

    /// Without flows its count may begin anew.
    fn restart(&mut self, now: Instant) {
        (self.received, self.since, self.rate) = (0, now, 0);
    }

    /// What each flow of it has received by `now`. A flow that nothing holds back is through at once: by the next nanosecond all
    /// of them are, and until then they have received nothing.
    fn received_by(&self, now: Instant) -> u128 {
        let ns = now.since(self.since).as_nanos();
        if self.rate == UNBOUNDED || ns == 0 {
            return self.received;
        }
        self.received.saturating_add(self.rate.saturating_mul(u128::from(ns)))
    }

    fn set_rate(&mut self, now: Instant, rate: u128) {
        if self.rate != rate {
            self.received = self.received_by(now);
            self.since = now;
            self.rate = rate;
            self.look_ahead();
        }
    }

    /// Finds out when its first flow is through: at the first nanosecond at which all of it has been received.
    fn look_ahead(&mut self) {
        self.due = match (self.marks.first(), self.rate) {
            (None, _) | (_, 0) => Instant::NEVER,
            (_, UNBOUNDED) => self.since,
            (Some(mark), rate) => {
                let ns = mark.at.saturating_sub(self.received).div_ceil(rate);
                self.since + Duration::from_nanos(u64::try_from(ns).unwrap_or(u64::MAX))
            }
        };
    }
}
