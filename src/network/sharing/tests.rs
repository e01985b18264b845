//! The pipe against a simulation of the fluid that knows nothing of classes, marks or whole numbers.

use proptest::prelude::*;

use super::{FlowId, Pipe, UNCAPPED};
use crate::time::{Duration, Instant};

fn at(secs: f64) -> Instant {
    Instant::ZERO + Duration::from_secs_f64(secs)
}

/// When which flow is through, in order.
fn ends(pipe: &mut Pipe) -> Vec<(f64, u32)> {
    std::iter::from_fn(|| {
        let now = pipe.next();
        pipe.finish(now).map(|tag| (now.as_secs_f64(), tag))
    })
    .collect()
}

#[test]
fn two_flows_share_alike_and_the_one_that_stays_has_it_all() {
    let mut pipe = Pipe::new(10);
    pipe.begin(at(0.0), 10, UNCAPPED, 1);
    pipe.begin(at(0.0), 20, UNCAPPED, 2);
    assert_eq!(ends(&mut pipe), [(2.0, 1), (3.0, 2)]);
}

#[test]
fn what_a_capped_flow_leaves_the_others_share() {
    let mut pipe = Pipe::new(10);
    let slow = pipe.begin(at(0.0), 100, 1, 1);
    let fast = pipe.begin(at(0.0), 450, UNCAPPED, 2);
    let other = pipe.begin(at(0.0), 450, 5, 3);
    assert_eq!([slow, fast, other].map(|flow| pipe.rate(flow)), [1, 4, 4]); // 4.5, rounded down
    assert_eq!(ends(&mut pipe), [(100.0, 1), (100.0, 2), (100.0, 3)]);
}

#[test]
fn a_flow_that_stands_still_leaves_its_share_and_keeps_what_it_has() {
    let mut pipe = Pipe::new(10);
    let sleeper = pipe.begin(at(0.0), 10, UNCAPPED, 1);
    let other = pipe.begin(at(0.0), 35, UNCAPPED, 2);
    pipe.pause(at(1.0), sleeper);
    pipe.pause(at(1.0), sleeper);
    assert_eq!((pipe.rate(sleeper), pipe.rate(other), pipe.moving()), (0, 10, 1));
    pipe.go_on(at(3.0), sleeper);
    assert_eq!(ends(&mut pipe), [(4.0, 1), (4.5, 2)]);
}

#[test]
fn bandwidth_changes_in_the_middle_of_everything() {
    let mut pipe = Pipe::new(10);
    pipe.begin(at(0.0), 100, UNCAPPED, 1);
    pipe.set_bandwidth(at(5.0), 1);
    assert_eq!(pipe.next(), at(55.0));
    pipe.set_bandwidth(at(15.0), 0);
    assert_eq!(pipe.next(), at(15.0), "nothing holds it back");
    pipe.set_bandwidth(at(15.0), 4);
    assert_eq!(ends(&mut pipe), [(25.0, 1)]);
}

#[test]
fn without_a_bandwidth_each_has_its_cap() {
    let mut pipe = Pipe::new(0);
    pipe.begin(at(0.0), 100, 10, 1);
    pipe.begin(at(0.0), 100, 20, 2);
    pipe.begin(at(1.0), 1 << 50, UNCAPPED, 3);
    assert_eq!(ends(&mut pipe), [(1.0, 3), (5.0, 2), (10.0, 1)]);
}

#[test]
fn a_flow_may_be_empty_or_taken_out_and_its_slot_serves_again() {
    let mut pipe = Pipe::new(10);
    let gone = pipe.begin(at(0.0), 1_000, UNCAPPED, 1);
    pipe.begin(at(2.0), 0, UNCAPPED, 2);
    assert_eq!((pipe.next(), pipe.finish(at(2.0))), (at(2.0), Some(2)));
    pipe.remove(at(3.0), gone);
    pipe.remove(at(3.0), gone);
    assert_eq!((pipe.next(), pipe.finish(at(9.0))), (Instant::NEVER, None));
    pipe.begin(at(10.0), 10, 5, 3);
    assert_eq!((pipe.flows.len(), ends(&mut pipe)), (2, vec![(12.0, 3)]));
}

/// A pipe that is shared by many for long loses nothing: the last is through when all bytes would have been.
#[test]
fn the_bandwidth_is_used_up_to_the_last_byte() {
    let mut pipe = Pipe::new(1_000_003);
    for i in 0..10_000_u32 {
        pipe.begin(at(f64::from(i) / 1e4), 1_000 + u64::from(i * i % 7_919), UNCAPPED, i);
    }
    let bytes: u64 = (0..10_000_u64).map(|i| 1_000 + i * i % 7_919).sum();
    let last = ends(&mut pipe).last().expect("one is the last").0;
    assert!((last - bytes as f64 / 1_000_003.0).abs() < 1e-5, "{last}");
}

#[derive(Clone, Copy, Debug)]
enum Deed {
    Begin { bytes: u64, cap: u64 },
    Pause(usize),
    GoOn(usize),
    Remove(usize),
    SetCap(usize, u64),
    SetBandwidth(u64),
}

fn deeds() -> impl Strategy<Value = Vec<(u64, Deed)>> {
    let cap = || prop_oneof![Just(UNCAPPED), Just(7_u64), Just(100), 1..5_000_u64];
    let deed = prop_oneof![
        4 => (0..100_000_u64, cap()).prop_map(|(bytes, cap)| Deed::Begin { bytes, cap }),
        1 => (0..40_usize).prop_map(Deed::Pause),
        1 => (0..40_usize).prop_map(Deed::GoOn),
        1 => (0..40_usize).prop_map(Deed::Remove),
        1 => (0..40_usize, cap()).prop_map(|(flow, cap)| Deed::SetCap(flow, cap)),
        1 => (1..10_000_u64).prop_map(Deed::SetBandwidth),
    ];
    proptest::collection::vec((0..8_000_000_000_u64, deed), 1..60)
}

/// A flow of the fluid.
struct Drop {
    left: f64,
    cap: f64,
    moves: bool,
    id: FlowId,
    tag: u32,
}

/// The fair rates, found by raising all of them together until a cap or the bandwidth is met.
fn fluid_rates(drops: &[Drop], bandwidth: f64) -> Vec<f64> {
    let mut rates = vec![0.0; drops.len()];
    let mut open: Vec<usize> = (0..drops.len()).filter(|i| drops[*i].moves).collect();
    let mut left = bandwidth;
    while !open.is_empty() {
        let room = open.iter().map(|i| drops[*i].cap - rates[*i]).fold(left / open.len() as f64, f64::min);
        for i in &open {
            rates[*i] += room;
        }
        left -= room * open.len() as f64;
        if left <= bandwidth * 1e-12 {
            break;
        }
        open.retain(|i| drops[*i].cap - rates[*i] > 1e-9);
    }
    rates
}

/// Both worlds side by side.
struct Twins {
    pipe: Pipe,
    drops: Vec<Drop>,
    bandwidth: f64,
    now: Instant,
    came: u32,
}

impl Twins {
    fn check_rates(&self) -> Vec<f64> {
        let rates = fluid_rates(&self.drops, self.bandwidth);
        let mut sum = 0.0;
        for (drop, rate) in self.drops.iter().zip(&rates) {
            let own = self.pipe.rate(drop.id) as f64;
            assert!((own - rate).abs() <= 1.0 + rate * 1e-9, "{own} is not {rate}");
            sum += own;
        }
        assert!(sum <= self.bandwidth, "{sum} of {}", self.bandwidth);
        let greedy = |d: &Drop| d.moves && (self.pipe.rate(d.id) as f64) + 1.0 < d.cap;
        if self.drops.iter().any(greedy) {
            assert!(sum >= self.bandwidth - self.drops.len() as f64, "{sum} of {} is used", self.bandwidth);
        }
        rates
    }

    /// Lets time pass in both, completion by completion.
    fn advance(&mut self, to: Instant) {
        loop {
            let next = self.pipe.next().min(to);
            let rates = self.check_rates();
            let secs = next.since(self.now).as_secs_f64();
            for (drop, rate) in self.drops.iter_mut().zip(rates) {
                drop.left -= rate * secs;
                // A nanosecond of rounding for each event, at most 10 kB/s.
                assert!(drop.left > -0.1, "flow {} should have been through: {}", drop.tag, drop.left);
            }
            self.now = next;
            while let Some(tag) = self.pipe.finish(next) {
                let place = self.drops.iter().position(|d| d.tag == tag).expect("it is there");
                let drop = self.drops.swap_remove(place);
                assert!(drop.moves && drop.left.abs() < 0.1, "flow {tag} ends with {} left", drop.left);
            }
            if next >= to || self.pipe.next().is_never() {
                break;
            }
        }
        self.now = self.now.max(if to.is_never() { self.now } else { to });
    }

    fn do_it(&mut self, deed: Deed) {
        let count = self.drops.len();
        let now = self.now;
        let cap_of = |cap: u64| if cap == UNCAPPED { f64::INFINITY } else { cap as f64 };
        match deed {
            Deed::Begin { bytes, cap } => {
                let tag = self.came;
                self.came += 1;
                let id = self.pipe.begin(now, bytes, cap, tag);
                self.drops.push(Drop { left: bytes as f64, cap: cap_of(cap), moves: true, id, tag });
            }
            Deed::SetBandwidth(bandwidth) => {
                self.pipe.set_bandwidth(now, bandwidth);
                self.bandwidth = bandwidth as f64;
            }
            _ if count == 0 => {}
            Deed::Pause(flow) => {
                let drop = &mut self.drops[flow % count];
                self.pipe.pause(now, drop.id);
                drop.moves = false;
            }
            Deed::GoOn(flow) => {
                let drop = &mut self.drops[flow % count];
                self.pipe.go_on(now, drop.id);
                drop.moves = true;
            }
            Deed::Remove(flow) => {
                let drop = self.drops.swap_remove(flow % count);
                self.pipe.remove(now, drop.id);
            }
            Deed::SetCap(flow, cap) => {
                let drop = &mut self.drops[flow % count];
                self.pipe.set_cap(now, drop.id, cap);
                drop.cap = cap_of(cap);
            }
        }
    }
}

proptest! {
    /// Whatever happens, every flow ends with all of its bytes and nobody else's, at the fluid's time; nobody is over its cap, the
    /// pipe never gives more than it has, and gives all of it while somebody could use it.
    #[test]
    fn the_pipe_is_the_fluid(bandwidth in 1..10_000_u64, deeds in deeds()) {
        let (pipe, drops) = (Pipe::new(bandwidth), Vec::new());
        let mut twins = Twins { pipe, drops, bandwidth: bandwidth as f64, now: Instant::ZERO, came: 0 };
        for (after, deed) in deeds {
            twins.advance(twins.now + Duration::from_nanos(after));
            twins.do_it(deed);
        }
        twins.advance(Instant::NEVER);
        prop_assert!(twins.drops.iter().all(|d| !d.moves), "all that moved are through");
        prop_assert_eq!(twins.pipe.moving(), 0);
    }
}
