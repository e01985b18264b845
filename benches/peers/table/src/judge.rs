//! Do the programs model the same? Each against theory, and those with the same dice against each other.
//!
//! It knows no CPU time.

use workload::{Load, Slice};

use crate::runs::Run;
use crate::theory::{erlang_b, fluid_refused};

/// How many standard errors a mean may be away from what it should be: 6 in 100 000 are, by chance.
const AWAY: f64 = 4.0;

/// A mean, and what it should be.
#[derive(Clone, Copy)]
pub struct Mean {
    /// What was seen.
    pub seen: f64,
    /// Its standard error.
    pub error: f64,
    /// What theory says.
    pub theory: f64,
}

impl Mean {
    /// How many standard errors it is away.
    pub fn away(self) -> f64 {
        (self.seen - self.theory) / self.error
    }

    /// Is that too many?
    pub fn is_wrong(self) -> bool {
        self.away().is_nan() || self.away().abs() > AWAY
    }
}

/// The refused fraction, and the mean of slots in use.
#[derive(Clone, Copy)]
pub struct Verdict {
    /// Of the clients that came.
    pub refused: Mean,
    /// Averaged over time.
    pub busy: Mean,
}

/// In the steady state: all slices of all runs but the first `warmup` of each, taken as independent.
pub fn steady(load: Load, runs: &[Run], warmup: usize) -> Verdict {
    let slices: Vec<Slice> =
        runs.iter().flat_map(|run| run.answer.slices[warmup..].iter().copied()).collect();
    let n = slices.len() as f64;
    let sum = |of: &dyn Fn(&Slice) -> f64| slices.iter().map(of).sum::<f64>();
    let arrived = sum(&|s| s.arrived as f64);
    let refused = sum(&|s| s.refused as f64) / arrived;
    let residual = sum(&|s| (s.refused as f64 - refused * s.arrived as f64).powi(2));
    let busy = sum(&|s| s.busy) / n;
    let spread = sum(&|s| (s.busy - busy).powi(2));
    let lost = erlang_b(load.offered(), load.limit);
    Verdict {
        refused: Mean { seen: refused, error: (residual * n / (n - 1.0)).sqrt() / arrived, theory: lost },
        busy: Mean {
            seen: busy,
            error: (spread / (n - 1.0) / n).sqrt(),
            theory: load.offered() * (1.0 - lost),
        },
    }
}

/// After `from_s` of a run that fills an empty server: the refused fraction against the fluid limit, with the error that it
/// would have if arrivals and departures were Poisson processes, which is too much rather than too little.
pub fn filling(load: Load, runs: &[Run], from_s: u32) -> Verdict {
    let slices: Vec<Slice> =
        runs.iter().flat_map(|run| run.answer.slices[from_s as usize..].iter().copied()).collect();
    let arrived = slices.iter().map(|s| s.arrived as f64).sum::<f64>();
    let refused = slices.iter().map(|s| s.refused as f64).sum::<f64>() / arrived;
    let (came, turned_away) = fluid_refused(load, f64::from(from_s));
    let busy = slices.iter().map(|s| s.busy).sum::<f64>() / slices.len() as f64;
    Verdict {
        refused: Mean { seen: refused, error: (2.0 * arrived).sqrt() / arrived, theory: turned_away / came },
        busy: Mean { seen: busy, error: f64::INFINITY, theory: busy },
    }
}

/// Did both, of the same seeds, refuse equally many in each slice?
pub fn refuse_alike(a: &[Run], b: &[Run]) -> bool {
    let refused = |runs: &[Run]| -> Vec<(u64, u64)> {
        runs.iter().flat_map(|run| &run.answer.slices).map(|s| (s.arrived, s.refused)).collect()
    };
    refused(a) == refused(b)
}
