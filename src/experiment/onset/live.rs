//! Trials in real time, at a real server.
//!
//! The load generator runs them; here its words become a log.

use std::sync::Arc;

use super::trial::{Ear, Generator, Log, Said, Trial, Trouble, World};
use crate::live::load::{self, Accounts, Gauges, Heard, Plan, Sources, Target};
use crate::live::{Clock, Epoch};
use crate::time::{Duration, Instant};
use crate::watch::Watch;

/// What a server is given to see to those whom a trial left behind, before the next one begins.
#[derive(Clone, Copy, Debug)]
pub struct Rest {
    /// At least so long.
    least: Duration,
    /// How many sessions the last trial left behind.
    left: u32,
}

impl Rest {
    /// Longer for each session: vsftpd, the slowest that was measured, reaps 2 000 in 0.7 s.
    const EACH: Duration = Duration::from_millis(1);
    /// It never gets longer than this.
    const LONGEST: Duration = Duration::from_secs(2);

    fn length(self) -> Duration {
        self.least + Self::EACH * u64::from(self.left)
    }
}

impl Default for Rest {
    fn default() -> Self {
        Self { least: Duration::from_millis(150), left: 0 }
    }
}

/// A real server as a place for trials.
#[derive(Debug)]
pub struct LiveWorld {
    /// Where it is.
    pub target: Target,
    /// Where clients come from.
    pub sources: Sources,
    /// Their passwords.
    pub accounts: Accounts,
    /// The profile by whose texts refusals are told apart first.
    pub profile: Option<String>,
    /// Between two trials.
    pub rest: Rest,
    /// Counts from the beginning of the search.
    pub clock: Clock,
    /// How long clients have for their QUIT.
    pub grace: Duration,
    /// Stops it all.
    pub watch: Arc<Watch>,
}

impl World for LiveWorld {
    fn name(&self) -> &'static str {
        "measured"
    }

    fn is_real(&self) -> bool {
        true
    }

    fn is_stopped(&self) -> bool {
        self.watch.is_stopped()
    }

    fn addresses(&self) -> u32 {
        match self.sources {
            Sources::Kernel => 1,
            Sources::Network { count, .. } => count,
        }
    }

    fn spent(&self) -> Duration {
        self.clock.now().since(Instant::ZERO)
    }

    fn rest_longer(&mut self) {
        self.rest.least = (self.rest.least * 4).min(Rest::LONGEST);
    }

    fn run(&mut self, trial: &Trial) -> Result<Log, Trouble> {
        let plan = Plan {
            scenario: Arc::clone(&trial.scenario),
            replication: trial.replication,
            epoch: Epoch::after(self.rest.length()),
            target: self.target.clone(),
            sources: self.sources.clone(),
            accounts: self.accounts.clone(),
            profile: self.profile.clone(),
            own: false,
            threads: 1,
            processes: 1,
            verify: false,
            dialogue: None,
            grace: self.grace,
        };
        let watch = Watch::under(&self.watch);
        let mut ear = Ear::new(trial);
        let mut hear = |heard: Heard| {
            match heard {
                Heard::Mark { at, observation, .. } => ear.hear(at, &observation),
                Heard::Refusal { at, refusal, verdict, text } => {
                    ear.said(at, Said { refusal, verdict, text });
                }
                Heard::No { .. } | Heard::Dialogue(_) | Heard::End { .. } => {}
            }
            if ear.has_enough() {
                watch.ask_to_stop();
            }
        };
        let health = load::run(&plan, &watch, &Arc::new(Gauges::default()), &mut hear)
            .map_err(|load::Trouble(why)| Trouble::World(why))?;
        let late_s = health.late.value_at_quantile(0.99) as f64 / 1e9;
        let log =
            ear.finish(Some(Generator { dropped: health.dropped.saturating_add(health.exhausted), late_s }));
        self.rest.left = log.open_at_end();
        Ok(log)
    }
}
