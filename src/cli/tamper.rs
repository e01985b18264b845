//! `--wire`: faults of the wire on the command line.
//!
//! It does not know their words: `chaos::wire` does.

use crate::chaos::wire::Rule;
use crate::scenario::Scenario;

#[derive(Debug, clap::Args)]
pub(super) struct WireArgs {
    /// What goes wrong on the wire, and where: 'RETR#2 reset after 64KiB', 'PASS delay 2s', 'greeting~5% 421'; repeatable
    #[arg(long, value_name = "RULE", value_parser = Rule::parse)]
    wire: Vec<Rule>,
}

impl WireArgs {
    /// Adds them to those of the (first) server of `scenario`.
    pub(super) fn add_to(&self, scenario: &mut Scenario) {
        scenario.servers[0].wire.extend(self.wire.iter().cloned());
    }
}

/// What is to be said where wire faults are not played, if there are any.
pub(super) fn not_played(scenario: &Scenario) -> Option<String> {
    let rules: usize = scenario.servers.iter().map(|server| server.wire.len()).sum();
    let are = if rules == 1 { "1 wire fault is" } else { &format!("{rules} wire faults are") };
    (rules > 0).then(|| format!("{are} not played: only a served model has a wire (`ftp421 serve`)"))
}
