//! Trials in virtual time.
//!
//! Each begins with a server at rest: nothing of one trial is left in the next.

use std::sync::Arc;

use rayon::prelude::*;

use super::trial::{Ear, Log, Said, Trial, Trouble, World};
use crate::observe::{Observation, Phase, Refusal};
use crate::scenario::Scenario;
use crate::server::Context;
use crate::sim::{self, Happening, Tap, Who};
use crate::time::{Duration, Instant};
use crate::watch::Watch;

/// The simulator as a place for trials.
#[derive(Debug)]
pub struct SimWorld {
    watch: Arc<Watch>,
}

impl SimWorld {
    /// One that `watch` can stop.
    pub fn new(watch: Arc<Watch>) -> Self {
        Self { watch }
    }
}

impl World for SimWorld {
    fn name(&self) -> &'static str {
        "simulated"
    }

    fn is_real(&self) -> bool {
        false
    }

    fn is_stopped(&self) -> bool {
        self.watch.is_stopped()
    }

    fn addresses(&self) -> u32 {
        u32::MAX
    }

    fn spent(&self) -> Duration {
        Duration::ZERO
    }

    fn run(&mut self, trial: &Trial) -> Result<Log, Trouble> {
        Ok(simulate(trial, &self.watch))
    }

    fn run_all(&mut self, trials: &[Trial]) -> Result<Vec<Log>, Trouble> {
        Ok(trials.par_iter().map(|trial| simulate(trial, &self.watch)).collect())
    }
}

fn simulate(trial: &Trial, watch: &Watch) -> Log {
    let mut tap = EarTap { scenario: &trial.scenario, ear: Ear::new(trial) };
    let _ = sim::run(&trial.scenario, trial.replication, &mut tap, watch);
    tap.ear.finish(None)
}

/// An ear at the simulator's wires.
struct EarTap<'a> {
    scenario: &'a Scenario,
    ear: Ear,
}

impl Tap for EarTap<'_> {
    /// The text of a refusal. The simulator knows its cause; the phase is seen by who listens for the attempt's end.
    fn happens(&mut self, now: Instant, who: Who, what: Happening<'_>) {
        let Happening::Reply { reply, connections, bytes, .. } = what else { return };
        let Some(cause) = reply.cause else { return };
        let ip = self.scenario.addresses.address(who.peer).to_string();
        let population = &self.scenario.populations[usize::from(who.population.0)];
        let user = self.scenario.strings.get(usize::from(population.user(who.index).0));
        let context = Context {
            ip: &ip,
            cwd: "/",
            user: user.map_or("", String::as_str),
            verb: "",
            path: "/",
            bytes,
            connections,
        };
        let refusal = Refusal { cause, phase: Phase::Accept, code: reply.code };
        let text = reply.lines(&context).iter().map(|line| text_of(line)).collect::<Vec<_>>().join("\n");
        self.ear.said(now, Said { refusal, verdict: None, text });
    }

    fn observes(&mut self, now: Instant, what: &Observation) {
        self.ear.hear(now, what);
    }

    fn has_enough(&self) -> bool {
        self.ear.has_enough()
    }
}

/// A line of a reply without its code.
fn text_of(line: &str) -> &str {
    match line.as_bytes() {
        [a, b, c, b' ' | b'-', ..] if [a, b, c].iter().all(|d| d.is_ascii_digit()) => &line[4..],
        _ => line,
    }
}
