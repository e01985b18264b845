//! What a cache miss costs on this machine: alone, and in company.
//!
//! A cycle in random order runs through every cache line of a piece of memory. One walker on it waits for each line before it knows
//! the next; 32 walkers at once let the memory fetch 32 lines at a time. It knows nothing of the simulator.

use std::hint::black_box;

use serde::{Deserialize, Serialize};

use crate::trial::cpu_s;

/// Bytes that walkers wander through: well within the first cache, the second, the third, and twice beyond all of them.
const REACHES: [usize; 5] = [16 << 10, 256 << 10, 8 << 20, 128 << 20, 512 << 20];
/// Walkers at once: as many events as the calendar shows before they are due.
const WALKERS: usize = 32;
/// Steps of all walkers together.
const STEPS: usize = 1 << 23;
/// A cache line.
const LINE: usize = 64;

/// What a load cost within one reach: a line of `memory.csv`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Load {
    /// Which of the tries, from 1.
    pub turn: usize,
    /// Bytes that are wandered through.
    pub reach: usize,
    /// Nanoseconds a load of a walker alone.
    pub alone_ns: f64,
    /// Nanoseconds a load of 32 walkers at once.
    pub together_ns: f64,
}

/// A line of which one word names the next.
#[derive(Clone, Copy)]
#[repr(align(64))]
struct Line(u32);

const _: () = assert!(size_of::<Line>() == LINE);

/// Measures every reach once.
pub fn loads(turn: usize) -> Vec<Load> {
    REACHES.map(|reach| measured(turn, reach)).to_vec()
}

fn measured(turn: usize, reach: usize) -> Load {
    let cycle = cycle(reach / LINE);
    let mut alone = [0_u32];
    let mut together: [u32; WALKERS] = std::array::from_fn(|i| (i * cycle.len() / WALKERS) as u32);
    walk(&cycle, &mut together, STEPS / 8); // so that the pages are there
    let alone_ns = walk(&cycle, &mut alone, STEPS);
    let together_ns = walk(&cycle, &mut together, STEPS);
    Load { turn, reach, alone_ns, together_ns }
}

/// Nanoseconds a load of `steps` by all walkers.
fn walk<const N: usize>(cycle: &[Line], walkers: &mut [u32; N], steps: usize) -> f64 {
    let begin = cpu_s();
    for _ in 0..steps / N {
        for place in &mut *walkers {
            *place = cycle[*place as usize].0;
        }
    }
    black_box(walkers);
    (cpu_s() - begin) * 1e9 / (steps / N * N) as f64
}

/// One cycle through all of `lines` lines in random order (Sattolo's shuffle).
fn cycle(lines: usize) -> Vec<Line> {
    let mut next: Vec<Line> = (0..lines as u32).map(Line).collect();
    let mut word = 1_u64;
    for i in (1..lines).rev() {
        word = word.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let other = (u128::from(word) * i as u128 >> 64) as usize; // below i
        next.swap(i, other);
    }
    next
}
