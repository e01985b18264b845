//! The results of a served run: the folder of the other modes, and its story.
//!
//! It measures nothing: what the model has seen comes from `live::serve`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;

use crate::cli::deliver::{Manner, deliver};
use crate::cli::exit::Failure;
use crate::cli::interrupt::Keeping;
use crate::cli::manifest::Began;
use crate::cli::output::Folder;
use crate::cli::report;
use crate::experiment::{Outcome, summarise_served};
use crate::live::serve::Served;
use crate::metrics::summary::TargetFacts;
use crate::scenario::Scenario;
use crate::sim::Work;

#[derive(Debug, clap::Args)]
pub(super) struct ResultArgs {
    /// Folder of the results
    #[arg(long, env = "FTP421_OUT", value_name = "DIR")]
    out: Option<PathBuf>,
    /// Write no results
    #[arg(long, conflicts_with_all = ["out", "json"])]
    no_results: bool,
    /// Print summary.json on standard output at the end instead of the summary
    #[arg(long)]
    json: bool,
}

/// A run whose results are wanted.
#[derive(Debug)]
pub(super) struct Results {
    path: PathBuf,
    json: bool,
    began: Began,
}

impl ResultArgs {
    /// Makes sure that the results of `scenario` can be written, before anybody is served. `None`: nobody wants them.
    pub(super) fn begin(&self, scenario: &Scenario, child: bool) -> anyhow::Result<Option<Results>> {
        if self.no_results || child {
            return Ok(None);
        }
        let default = || Path::new("ftp421-out").join(format!("{}-serve", scenario.name));
        let path = self.out.clone().unwrap_or_else(default);
        // Nobody is served whose results could not be written. Another run may be writing there just now.
        std::fs::create_dir_all(&path)
            .with_context(|| format!("cannot create the folder {}", path.display()))?;
        Ok(Some(Results { path, json: self.json, began: Began::now() }))
    }
}

impl Results {
    /// Writes and tells what was `served` at `url`.
    pub(super) fn deliver(
        &self,
        (scenario, file): (&Scenario, Option<&Path>),
        served: &Served,
        url: &str,
        quiet: bool,
    ) -> Result<(), Failure> {
        let address = url.split_once("://").map_or(url, |(_, address)| address).to_owned();
        let sources = "whoever came".to_owned();
        let target = TargetFacts { url: url.to_owned(), address, own: true, sources };
        let outcome: Outcome = summarise_served(scenario, served, target);
        let mut names = vec!["manifest.json".to_owned()];
        names.extend(report::file_names_of(&outcome.summary));
        let folder = patiently(|| Folder::open(&self.path, &names))?;
        let manifest = self.began.ended(scenario, file, 1, Work::default());
        let keeping = Arc::new(Keeping::default());
        deliver(
            folder,
            &outcome,
            &manifest,
            Manner { json: self.json, quiet, dialogue: None, keeping: &keeping },
        )
    }
}

/// Opens a folder that another run may be writing to for a moment: of two that are served at a time and end together, the one that
/// ends last leaves its results.
fn patiently(open: impl Fn() -> anyhow::Result<Folder>) -> anyhow::Result<Folder> {
    const TRIES: u32 = 250;
    for _ in 1..TRIES {
        if let Ok(folder) = open() {
            return Ok(folder);
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    open()
}
