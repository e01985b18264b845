//! `manifest.json`: the machine, the day and the command of a run. What a result says about itself is in `summary.json`;
//! nothing in there depends on what stands here.

#![expect(clippy::disallowed_methods, reason = "the one place that may look at the date")]

use std::path::Path;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use super::accounts;
use crate::sim::Work;

/// The machine, the day and the command.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Manifest {
    /// Name and version of the tool.
    pub tool: String,
    /// The scenario's file, absolute, or `(built-in)`.
    pub scenario_file: String,
    /// The seed that was used.
    pub seed: u64,
    /// The replications that were asked for.
    pub replications: u32,
    /// Of these, taken over from an earlier run of the same command that was ended.
    #[serde(default)]
    pub resumed: u32,
    /// The command line, the program's own name and passwords left out.
    pub command: Vec<String>,
    /// When it began, seconds since 1970.
    pub began_unix_s: u64,
    /// How long it took, seconds.
    pub took_s: f64,
    /// Threads that it ran on.
    pub threads: usize,
    /// Operating system and processor.
    pub machine: String,
    /// Calendar events of all replications.
    pub events: u64,
    /// Commands that the server read.
    pub commands: u64,
    /// The most events that were pending at once in one replication.
    pub pending_max: usize,
}

/// A run that is being timed.
#[derive(Debug)]
pub(super) struct Began {
    at: Instant,
    unix_s: u64,
}

impl Began {
    /// Now.
    pub(super) fn now() -> Self {
        let unix_s = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs());
        Self { at: Instant::now(), unix_s }
    }

    /// The manifest of the run that ends now.
    pub(super) fn ended(
        &self,
        scenario: &crate::scenario::Scenario,
        file: Option<&Path>,
        threads: usize,
        work: Work,
    ) -> Manifest {
        let absolute = |file: &Path| std::path::absolute(file).unwrap_or_else(|_| file.to_path_buf());
        Manifest {
            tool: concat!(env!("CARGO_PKG_NAME"), " ", env!("CARGO_PKG_VERSION")).to_owned(),
            scenario_file: file
                .map_or_else(|| "(built-in)".to_owned(), |f| absolute(f).display().to_string()),
            seed: scenario.seed,
            replications: scenario.replications,
            resumed: 0,
            command: accounts::masked(std::env::args_os().skip(1)),
            began_unix_s: self.unix_s,
            took_s: self.at.elapsed().as_secs_f64(),
            threads,
            machine: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
            events: work.events,
            commands: work.commands,
            pending_max: work.pending_max,
        }
    }
}
