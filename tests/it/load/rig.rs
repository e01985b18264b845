//! The rig: one run of the load engine, and all that it heard.

use std::net::SocketAddr;
use std::sync::Arc;

use ftp421::id::PopulationId;
use ftp421::live::load::{self, Accounts, DataForm, Gauges, Health, Heard, Plan, Sources, Target};
use ftp421::live::{Clock, Epoch};
use ftp421::metrics::{Recorder, Shape};
use ftp421::observe::Observation;
use ftp421::scenario::Scenario;
use ftp421::time::{Duration, Instant};
use ftp421::watch::Watch;

/// What a run came to.
pub struct Outcome {
    pub heard: Vec<Heard>,
    pub health: Health,
    pub dialogue: String,
}

/// A scenario from its text behind the usual head.
pub fn scenario(duration: &str, rest: &str) -> Scenario {
    let text = format!("schema = 1\nname = \"rig\"\nduration = \"{duration}\"\n{rest}");
    Scenario::read("rig.toml", &text, &mut |_| Err("no files".to_owned())).unwrap_or_else(|p| panic!("{p}"))
}

/// The plan to load `address` with `scenario`, from `sources` addresses of 127/8 on one thread. Alice's password is `secret`.
pub fn plan(scenario: Scenario, address: SocketAddr, sources: u32) -> Plan {
    let first = "127.0.9.1".parse().unwrap();
    Plan {
        scenario: Arc::new(scenario),
        replication: 0,
        epoch: Epoch::after(Duration::from_millis(50)),
        target: Target {
            host: address.ip().to_string(),
            address,
            implicit_tls: false,
            tls: ftp421::live::tls::Trust::Anybody.into(),
            data: DataForm::ByFamily,
        },
        sources: if sources == 0 { Sources::Kernel } else { Sources::Network { first, count: sources } },
        accounts: Accounts { listed: vec![("alice".to_owned(), "secret".to_owned())] },
        profile: None,
        own: false,
        threads: 1,
        processes: 1,
        verify: false,
        dialogue: Some((PopulationId(0), 0)),
        grace: Duration::from_secs(2),
    }
}

/// Runs it, and checks what holds for every run: marks in order of time, books that balance, nobody left behind.
pub fn run(plan: &Plan) -> Outcome {
    run_and(plan, |_, _| ())
}

/// The same, with somebody who looks at each thing that is heard and may stop the run.
pub fn run_and(plan: &Plan, mut look: impl FnMut(&Heard, &Watch)) -> Outcome {
    let (watch, gauges) = (Watch::default(), Arc::new(Gauges::default()));
    let mut heard = Vec::new();
    let health = load::run(plan, &watch, &gauges, &mut |one| {
        look(&one, &watch);
        heard.push(one);
    })
    .unwrap_or_else(|trouble| panic!("{}", trouble.0));
    let took = Clock::of(plan.epoch).now().since(Instant::ZERO);
    assert!(
        took < plan.scenario.duration + plan.grace + Duration::from_secs(1),
        "it took {} s",
        took.as_secs_f64()
    );
    let mut recorder = Recorder::new(Shape {
        populations: plan.scenario.populations.len(),
        horizon: Instant::ZERO + plan.scenario.duration,
        warmup: Duration::ZERO,
    });
    let (mut last, mut ended, mut dialogue) = (Instant::ZERO, false, String::new());
    for one in &heard {
        match one {
            Heard::Mark { at, observation, .. } => {
                assert!(*at >= last && !ended, "{observation:?} at {at} comes behind {last}");
                last = *at;
                recorder.record(*at, observation);
            }
            Heard::Refusal { at, text, .. } | Heard::No { at, text, .. } => {
                assert!(*at >= last && text.len() <= 512);
            }
            Heard::End { at, open_connections, open_sessions, still_wanting } => {
                recorder.finish(
                    *at,
                    open_connections.iter().copied(),
                    open_sessions.iter().copied(),
                    still_wanting.iter().copied(),
                );
                ended = true;
            }
            Heard::Dialogue(text) => dialogue.clone_from(text),
        }
    }
    assert!(ended, "a run ends");
    assert_eq!(
        gauges.connections.load(std::sync::atomic::Ordering::Relaxed),
        0,
        "connections are left behind"
    );
    Outcome { heard, health, dialogue }
}

impl Outcome {
    /// How many marks there are like this.
    pub fn count(&self, like: impl Fn(&Observation) -> bool) -> usize {
        let marks = self.heard.iter().filter_map(|heard| match heard {
            Heard::Mark { observation, .. } => Some(observation),
            _ => None,
        });
        marks.filter(|observation| like(observation)).count()
    }

    /// The refusals as they looked on the wire: phase, code, text.
    pub fn refusals(&self) -> Vec<(String, u16, String)> {
        let refusals = self.heard.iter().filter_map(|heard| match heard {
            Heard::Refusal { refusal, text, .. } => Some(words(*refusal, text)),
            _ => None,
        });
        refusals.collect()
    }

    /// The same of what was said no to and is no refusal.
    pub fn noes(&self) -> Vec<(String, u16, String)> {
        let noes = self.heard.iter().filter_map(|heard| match heard {
            Heard::No { refusal, text, .. } => Some(words(*refusal, text)),
            _ => None,
        });
        noes.collect()
    }
}

fn words(refusal: ftp421::observe::Refusal, text: &str) -> (String, u16, String) {
    (refusal.phase.name().to_owned(), refusal.code, text.to_owned())
}
