//! What the refused fraction must be: Erlang's loss formula for the steady state, and the fluid limit for the filling.
//!
//! It knows the workload's numbers, and no program.

use workload::{Load, THINK_S, WAY_NS, WAYS};

/// The probability that all of `limit` slots are taken when `offered` erlangs are (A. K. Erlang, 1917). Only the mean of the
/// holding time matters (B. A. Sevast'yanov, 1957), and only if clients come as a Poisson process and do not come again.
pub fn erlang_b(offered: f64, limit: u32) -> f64 {
    let mut inverse = 1.0;
    for slots in 1..=limit {
        inverse = 1.0 + inverse * f64::from(slots) / offered;
    }
    1.0 / inverse
}

/// How finely the fluid is followed, s.
const STEP_S: f64 = 0.005;

/// The fluid limit of a server that is empty at first: clients that come and clients that are refused in [`from_s`, end).
///
/// It is exact as rate and limit grow together; at a limit of a million and 1.5 % too much load it is 0.5 % off.
pub fn fluid_refused(load: Load, from_s: f64) -> (f64, f64) {
    let steps = (f64::from(load.seconds) / STEP_S).round() as usize;
    let held: Vec<f64> = (0..=steps).map(|k| hold_cdf((k as f64 + 0.5) * STEP_S)).collect();
    let shares: Vec<f64> = held.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let coming = load.rate * STEP_S;
    let (mut admitted, mut busy) = (Vec::with_capacity(steps), 0.0);
    let (mut came, mut refused) = (0.0, 0.0);
    for now in 0..steps {
        let leaving: f64 = admitted.iter().rev().zip(&shares).map(|(a, share)| a * share).sum();
        let coming = if now as f64 * STEP_S < WAY_NS as f64 / 1e9 { 0.0 } else { coming };
        let let_in = coming.min(f64::from(load.limit) - busy + leaving);
        busy += let_in - leaving;
        admitted.push(let_in);
        if now as f64 * STEP_S >= from_s {
            came += coming;
            refused += coming - let_in;
        }
    }
    (came, refused)
}

/// The probability that a slot is held for no longer than `seconds`: ten ways, and three thinks, whose sum is Erlang's
/// distribution of order three.
#[expect(clippy::disallowed_methods, reason = "nothing is repeated to the byte here")]
fn hold_cdf(seconds: f64) -> f64 {
    let x = (seconds - f64::from(WAYS) * WAY_NS as f64 / 1e9).max(0.0) / THINK_S;
    1.0 - (-x).exp() * (1.0 + x + x * x / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn erlang_b_is_that_of_the_tables() {
        assert!((erlang_b(5.0, 10) - 0.018_385).abs() < 1e-6);
        assert!((erlang_b(100.0, 100) - 0.075_7).abs() < 1e-4);
    }

    #[test]
    fn the_fluid_settles_at_what_does_not_fit() {
        let load = Load { seed: 0, rate: 1000.0, limit: 10_000, seconds: 80, slices: 1 };
        let (came, refused) = fluid_refused(load, 70.0);
        assert!((refused / came - (1.0 - 10_000.0 / load.offered())).abs() < 1e-4);
    }
}
