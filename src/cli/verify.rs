//! `ftp421 verify`: runs a result again and compares digests.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;

use super::exit::{FINE, Failure};
use super::manifest::Manifest;
use super::progress::{Phase, Teller, When};
use super::{interrupt, output, read};
use crate::experiment::{self, Pace};
use crate::metrics::summary::Summary;
use crate::report::json;
use crate::scenario::Scenario;
use crate::watch::Watch;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ftp421 verify ftp421-out/busy-evening
  ftp421 verify results/busy-evening --scenario scenarios/busy-evening.toml")]
pub(super) struct Args {
    /// A result folder
    dir: PathBuf,
    /// The scenario that it is a result of; without it the file that its manifest names
    #[arg(long)]
    scenario: Option<PathBuf>,
    /// No progress
    #[arg(long, short)]
    quiet: bool,
}

pub(super) fn run(args: &Args) -> Result<ExitCode, Failure> {
    let stored = stored(args)?;
    let mut scenario = read::scenario(scenario_file(args)?.as_deref())?;
    if scenario.hash != stored.scenario_hash {
        let why = "the scenario has changed since, or another build wrote the result: its hash is not this scenario's";
        return Err(Failure::NotValid(why.to_owned()));
    }
    scenario.seed = stored.seed; // what the flags of the stored run had overridden
    scenario.replications = stored.replications;
    let again = run_again(args, &scenario)?;
    let hint = if again.tool == stored.tool { "" } else { "; another version of the tool wrote it" };
    if again.digest != stored.digest {
        let (told, found) = (&stored.digest, &again.digest);
        let why = format!("different: the result says digest {told}, this run {found}{hint}");
        return Err(Failure::NotValid(why));
    }
    if let Some(field) = first_difference(&stored, again)? {
        let why = format!("the digest is the same, but \"{field}\" is not what this run gives{hint}");
        return Err(Failure::NotValid(why));
    }
    let same = format!("same: digest {} over {} replications\n", stored.digest, stored.replications);
    output::print(same.as_bytes())?;
    Ok(FINE)
}

fn stored(args: &Args) -> anyhow::Result<Summary> {
    let text = read::bounded(&args.dir.join("summary.json")).context("not a result folder")?;
    let stored = json::read_summary(text.as_bytes()).map_err(|why| anyhow::anyhow!("summary.json: {why}"))?;
    anyhow::ensure!(
        stored.world != "measured",
        "this result was measured on real sockets: no run repeats it byte for byte; `ftp421 sim` results can be verified"
    );
    anyhow::ensure!(!stored.partial, "this result is partial: an interrupted run cannot be repeated");
    Ok(stored)
}

fn run_again(args: &Args, scenario: &Scenario) -> anyhow::Result<Summary> {
    let watch = Arc::new(Watch::default());
    interrupt::stops(&watch)?;
    let teller = Teller::begin(When::Auto, args.quiet);
    let (pace, replications) = (Pace::of(scenario), scenario.replications);
    teller.tell(Phase::Simulation { watch: Arc::clone(&watch), pace, replications, earlier: 0 });
    let study = experiment::replicate(scenario, &mut (), &watch);
    drop(teller);
    anyhow::ensure!(!study.partial, "interrupted: nothing was verified");
    Ok(experiment::summarise(scenario, &study).summary)
}

/// The first field in which two summaries of the same run differ. Advice takes further runs, and is not repeated here.
fn first_difference(stored: &Summary, mut again: Summary) -> anyhow::Result<Option<String>> {
    again.story.clone_from(&stored.story);
    again.advice.clone_from(&stored.advice);
    let (stored, again) = (serde_json::to_value(stored)?, serde_json::to_value(&again)?);
    let fields = stored.as_object().into_iter().flatten();
    Ok(fields.filter(|(field, value)| again.get(field) != Some(value)).map(|(field, _)| field.clone()).next())
}

/// The scenario's file: as given, or as the manifest says; `None` is the built-in one.
fn scenario_file(args: &Args) -> anyhow::Result<Option<PathBuf>> {
    if let Some(file) = &args.scenario {
        return Ok(Some(file.clone()));
    }
    let text =
        read::bounded(&args.dir.join("manifest.json")).context("no manifest: say which --scenario it is")?;
    let manifest: Manifest = serde_json::from_str(&text).context("manifest.json")?;
    Ok((manifest.scenario_file != "(built-in)").then(|| Path::new(&manifest.scenario_file).to_path_buf()))
}
