//! The twin test: one script, played in virtual time and over real sockets, gives one transcript, line for line.
//!
//! The simulator's dialogue is held against that of the load generator, which talks to the modelled server. Both worlds drive the
//! same two machines, so what differs is a driver's doing. Ports and addresses are normalised, and so are times, which are compared
//! with a tolerance where they matter.

mod cases;
mod swarm;
mod transcript;

use std::sync::Arc;

use ftp421::id::PopulationId;
use ftp421::live::load::{self, Gauges, Heard, Sources, Target};
use ftp421::live::serve::{Emulator, Plan};
use ftp421::scenario::Scenario;
use ftp421::sim::{self, Dialogue};
use ftp421::time::Duration;
use ftp421::watch::Watch;

use crate::support;

/// From the start of both ends to the beginning of the run: what they need to be ready.
const WARM_UP: Duration = Duration::from_millis(400);

/// Who is listened to.
type Listened = (PopulationId, u32);

/// What the client hears and says in virtual time.
fn simulated(scenario: &Scenario, (population, index): Listened) -> String {
    let mut dialogue = Dialogue::new(scenario, population, index);
    sim::run(scenario, 0, &mut dialogue, &Watch::default());
    dialogue.text().to_owned()
}

/// The same over sockets.
fn real(scenario: &Arc<Scenario>, listened: Listened) -> String {
    const FIRST: std::net::IpAddr = std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);
    let plan = Plan { network: Some((FIRST, 16)), ..Plan::of(Arc::clone(scenario)) };
    let server = Emulator::serve(plan, WARM_UP).expect("it listens");
    let plan = load::Plan {
        scenario: Arc::clone(scenario),
        replication: 0,
        epoch: server.epoch(),
        target: Target {
            host: "127.0.0.1".to_owned(),
            address: server.address(),
            implicit_tls: false,
            tls: ftp421::live::tls::Trust::Anybody.into(),
            data: load::DataForm::ByFamily,
        },
        sources: Sources::Network { first: FIRST, count: 16 },
        accounts: load::Accounts::default(),
        profile: Some(scenario.policy().profile.clone()),
        own: true,
        threads: 1,
        processes: 1,
        verify: true,
        dialogue: Some(listened),
        grace: Duration::from_millis(200),
    };
    let mut dialogue = String::new();
    load::run(&plan, &Watch::default(), &Arc::new(Gauges::default()), &mut |heard| {
        if let Heard::Dialogue(text) = heard {
            dialogue = text;
        }
    })
    .expect("it runs");
    dialogue
}

/// Plays `text` in both worlds at once, and says where they differ.
fn differences(text: &str, listened: Listened, tolerance: f64) -> Option<String> {
    let scenario = Arc::new(support::scenario(text));
    let (ours, theirs) = (simulated(&scenario, listened), real(&scenario, listened));
    let end = scenario.duration.as_secs_f64();
    transcript::compare(&ours, &theirs, end, tolerance)
        .map(|why| format!("{why}\n-- in virtual time\n{ours}-- over sockets\n{theirs}"))
}
