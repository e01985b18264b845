//! What `serve` says to people: what is served, and with --verbose what happens, a line each.
//!
//! It is all on standard error: programs read the ready line, and results.

use std::fmt::Write as _;
use std::sync::mpsc::Receiver;
use std::thread::JoinHandle;

use super::guests;
use crate::experiment;
use crate::live::serve::Plan;
use crate::live::serve::news::{Happened, What};
use crate::observe::Phase;

/// What is served, and what of the scenario is not.
pub(super) fn introduced(plan: &Plan, url: &str) -> String {
    let scenario = &plan.scenario;
    let mut text = format!("seed {}: {} at {url}\n", scenario.seed, scenario.name);
    text.push_str(&experiment::explain_server(scenario));
    // Writing to a String cannot fail.
    let _ = writeln!(text, "users       {}", guests::words(&plan.guests, scenario));
    for note in scenario.notes.iter().chain(&plan.notes()) {
        let _ = writeln!(text, "note: {note}");
    }
    text
}

/// Says what happens, as it does, in a thread that ends when nobody tells any more.
pub(super) fn spoken(news: Receiver<Happened>) -> std::io::Result<JoinHandle<()>> {
    let speak = move || news.iter().for_each(|happened| eprintln!("{}", words(&happened)));
    std::thread::Builder::new().name("news".to_owned()).spawn(speak)
}

fn words(Happened { at, what }: &Happened) -> String {
    // Seconds below each other are easier to compare than "1m 2.5s".
    let seconds = at.as_nanos() as f64 / 1e9;
    let what = match what {
        What::Fault(label) => format!("fault: {label}"),
        What::Refused { peer, refusal } => {
            let who = peer.map_or_else(|| "somebody".to_owned(), |peer| peer.to_string());
            let code = match refusal.code {
                0 => "without a word".to_owned(),
                code => format!("with {code}"),
            };
            let what = match refusal.phase {
                Phase::Session | Phase::Transfer => "cut",
                _ => "refused",
            };
            format!("{who} {what} {code}: {} at {}", refusal.cause.name(), refusal.phase.name())
        }
    };
    format!("{seconds:>9.3}s {what}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observe::{Cause, Phase, Refusal};
    use crate::time::{Duration, Instant};

    #[test]
    fn a_refusal_is_a_line() {
        let refusal = Refusal { cause: Cause::MaxClients, phase: Phase::Greeting, code: 421 };
        let at = Instant::ZERO + Duration::from_millis(62_500);
        let peer = "127.0.0.1:9".parse().ok();
        let told = words(&Happened { at, what: What::Refused { peer, refusal } });
        assert_eq!(told, "   62.500s 127.0.0.1:9 refused with 421: max_clients at greeting");
        let told = words(&Happened { at, what: What::Fault("SIGTERM".to_owned()) });
        assert_eq!(told, "   62.500s fault: SIGTERM");
    }
}
