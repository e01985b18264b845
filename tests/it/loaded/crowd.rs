//! Crowds: populations in short, and runs that end as soon as everybody has what he came for.
//!
//! It does not say what they must find.

use std::net::SocketAddr;

use ftp421::live::load::{Accounts, Heard, Plan};
use ftp421::observe::Observation;
use ftp421::scenario::Scenario;

use super::books::Books;
use crate::load::rig;

/// Clients of one address who come one after the other and stay.
pub struct Crowd<'a> {
    pub user: &'a str,
    pub count: u32,
    /// When the first of them comes, ms.
    pub from: u32,
}

impl Crowd<'_> {
    /// From one client to the next, ms. A server that forks has counted the one before by then, also on a busy machine.
    const GAP: u32 = 100;

    fn table(&self, place: usize) -> String {
        let Self { user, count, from } = self;
        format!(
            "[[clients]]\nname = \"crowd{place}\"\nuser = \"{user}\"\naddresses = {{ nat = 1 }}\n\
             arrivals = {{ executor = \"burst\", at = \"{from}ms\", count = {count}, within = \"{}ms\" }}\n\
             script = [\"login\", {{ think = \"1h\" }}, \"quit\"]\n",
            count * Self::GAP
        )
    }
}

/// The crowds as a scenario that would last for half a minute.
pub fn scenario(crowds: &[Crowd<'_>]) -> Scenario {
    let tables = crowds.iter().enumerate().map(|(place, crowd)| crowd.table(place));
    rig::scenario("30s", &tables.collect::<String>())
}

/// The plan to load the server at `address`, which is known to be a `profile`, with `scenario`: from 127.0.9.1 on if there are `sources`.
pub fn plan(scenario: Scenario, address: SocketAddr, profile: &str, sources: u32) -> Plan {
    let known = ["alice", "bob", "carol"].map(|name| (name.to_owned(), "secret".to_owned()));
    Plan {
        profile: Some(profile.to_owned()),
        own: false,
        accounts: Accounts { listed: known.to_vec() },
        ..rig::plan(scenario, address, sources)
    }
}

/// Runs `plan` until `enough` of what has been heard, and checks that this was before the scenario's end.
pub fn until(plan: &Plan, mut enough: impl FnMut(&Heard) -> bool) -> Books {
    let mut stopped = false;
    let outcome = rig::run_and(plan, |heard, watch| {
        if !stopped && enough(heard) {
            stopped = true;
            watch.ask_to_stop();
        }
    });
    let books = Books::of(&outcome);
    assert!(stopped, "what was waited for never came: {books}\n{}", outcome.dialogue);
    assert_eq!((outcome.health.dropped, outcome.health.exhausted), (0, 0), "{books}");
    books
}

/// Fills the server at `address` with `crowds`, until the last of them knows whether he may stay.
pub fn fill(crowds: &[Crowd<'_>], address: SocketAddr, profile: &str) -> Books {
    let mut awaited = crowds.iter().map(|crowd| crowd.count).sum::<u32>();
    until(&plan(scenario(crowds), address, profile, crowds.len() as u32), |heard| {
        awaited -= u32::from(is_answer(heard));
        awaited == 0
    })
}

/// Has an attempt come to its end?
pub fn is_answer(heard: &Heard) -> bool {
    matches!(heard, Heard::Mark { observation: Observation::AttemptEnded { .. }, .. })
}
