//! What the model claims, fact by fact, as dialogues in virtual time.
//!
//! A fact about one server is told at the [`desk`]: the server machine, and somebody who types. A fact about clients, links
//! and faults is a small scenario, and what one of its clients said and heard.

mod bans;
mod cells;
mod clients;
mod data_connections;
pub mod desk;
mod facts;
mod faults;
mod host;
mod hostile;
mod limits;
mod listener;
mod mended;
mod names;
mod network;
mod ordered;
mod passwords;
mod retries;
mod signals;
mod timers;
mod tls;
mod total;
mod transfers;
mod wire;

use ftp421::id::PopulationId;
use ftp421::scenario::Scenario;
use ftp421::sim::{self, Dialogue};
use ftp421::watch::Watch;

use crate::support;

/// A server that answers in no time, so that the times in a dialogue are those of its rules. `keys` follow the profile.
fn server(profile: &str, keys: &str) -> String {
    format!(
        "[server]\nprofile = \"{profile}\"\ngreeting_time = \"0s\"\nlogin_time = \"0s\"\ncommand_time = \"0s\"\n{keys}\n"
    )
}

/// One client called `name` who comes at `at` over no distance at all. `keys` say what it does.
fn client(name: &str, at: &str, keys: &str) -> String {
    clients(name, 1, at, keys)
}

/// As many clients at once.
fn clients(name: &str, count: u32, at: &str, keys: &str) -> String {
    let link = if keys.contains("link") { "" } else { "link = { rtt = \"0s\" }\n" };
    format!(
        "[[clients]]\nname = \"{name}\"\nuser = \"{name}\"\n\
         arrivals = {{ executor = \"burst\", at = \"{at}\", count = {count} }}\n{link}{keys}\n"
    )
}

/// A fault at `at`.
fn fault(at: &str, keys: &str) -> String {
    format!("[[faults]]\nat = \"{at}\"\n{keys}\n")
}

/// An hour of these.
fn hour(parts: &[String]) -> Scenario {
    support::scenario(&format!("schema = 1\nname = \"hour\"\nduration = \"1h\"\n{}", parts.concat()))
}

/// What the first client of `population` said and heard, a line each: seconds, then the line.
fn told(scenario: &Scenario, population: &str) -> Vec<String> {
    told_by(scenario, population, 0)
}

/// What client number `index` of `population` said and heard.
fn told_by(scenario: &Scenario, population: &str, index: u32) -> Vec<String> {
    let place = scenario.populations.iter().position(|p| p.name == population).expect("such a population");
    let mut tap = Dialogue::new(scenario, PopulationId(place as u16), index);
    sim::run(scenario, 0, &mut tap, &Watch::default());
    tap.text()
        .lines()
        .map(|line| {
            let (time, what) = line.trim_start().split_once("  ").expect("a time and a line");
            let time = time.trim_end_matches('0').trim_end_matches('.');
            let what =
                what.split(" from ").next().filter(|_| what.starts_with("-- connects")).unwrap_or(what);
            format!("{time} {what}")
        })
        .collect()
}

/// The lines of `told` that hold one of `words`.
fn only(told: &[String], words: &[&str]) -> Vec<String> {
    told.iter().filter(|line| words.iter().any(|word| line.contains(word))).cloned().collect()
}
