//! Where randomness comes from: one stream, drawn from in the order of events.
//!
//! The C++ loop has the same generator and the same transform, so that the programs which keep time in nanoseconds must agree on
//! every single refusal.

use rand_core::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use serde::{Deserialize, Serialize};

use crate::THINK_S;

/// The dice of a run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Dice {
    words: Xoshiro256PlusPlus,
    gap_ns: f64,
}

impl Dice {
    /// Those of `seed`, for `rate` arrivals a second.
    pub fn new(seed: u64, rate: f64) -> Self {
        Self { words: Xoshiro256PlusPlus::seed_from_u64(seed), gap_ns: 1e9 / rate }
    }

    /// Until the next client comes, ns.
    pub fn gap_ns(&mut self) -> u64 {
        (self.gap_ns * self.exponential()) as u64
    }

    /// How long a client thinks, ns.
    pub fn think_ns(&mut self) -> u64 {
        (THINK_S * 1e9 * self.exponential()) as u64
    }

    /// Exponential with mean 1, by inversion of the upper 53 bits of a word.
    #[expect(clippy::disallowed_methods, reason = "the C++ loop has the platform's logarithm, too")]
    fn exponential(&mut self) -> f64 {
        -(1.0 - (self.words.next_u64() >> 11) as f64 / (1_u64 << 53) as f64).ln()
    }
}
