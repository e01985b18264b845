//! `ftp421 verify`: runs a result again and compares digests.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;

use super::exit::{FINE, Failure, NOT_VALID};
use super::manifest::Manifest;
use super::{interrupt, output, progress, read};
use crate::experiment;
use crate::metrics::summary::Summary;
use crate::report::json;
use crate::scenario::Scenario;
use crate::sim::Watch;

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
    let text = read::bounded(&args.dir.join("summary.json")).context("not a result folder")?;
    let stored = json::read_summary(text.as_bytes()).map_err(|why| anyhow::anyhow!("summary.json: {why}"))?;
    anyhow_ensure(!stored.partial, "this result is partial: an interrupted run cannot be repeated")?;
    let mut scenario = read::scenario(scenario_file(args)?.as_deref())?;
    if scenario.hash != stored.scenario_hash {
        return Ok(told(NOT_VALID, "the scenario has changed since: its hash is not that of the result"));
    }
    as_stored(&mut scenario, &stored);
    let watch = Arc::new(Watch::default());
    interrupt::stops(&watch)?;
    let total = scenario.duration.as_nanos().saturating_mul(u64::from(scenario.replications));
    let study =
        progress::shown(&watch, total, args.quiet, || experiment::replicate(&scenario, &mut (), &watch));
    anyhow_ensure(!study.partial, "interrupted: nothing was verified")?;
    let again = experiment::summarise(&scenario, &study).summary;
    let hint = if again.tool == stored.tool { "" } else { "; another version of the tool wrote it" };
    if again.digest != stored.digest {
        let why =
            format!("different: the result says digest {}, this run {}{hint}", stored.digest, again.digest);
        return Ok(told(NOT_VALID, &why));
    }
    if let Some(field) = first_difference(&stored, again)? {
        let why = format!("the digest is the same, but \"{field}\" is not what this run gives{hint}");
        return Ok(told(NOT_VALID, &why));
    }
    output::print(
        format!("same: digest {} over {} replications\n", stored.digest, stored.replications).as_bytes(),
    )?;
    Ok(FINE)
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

/// What the flags of the stored run had overridden.
fn as_stored(scenario: &mut Scenario, stored: &Summary) {
    scenario.seed = stored.seed;
    scenario.replications = stored.replications;
}

fn anyhow_ensure(holds: bool, why: &'static str) -> anyhow::Result<()> {
    anyhow::ensure!(holds, why);
    Ok(())
}

fn told(code: u8, why: &str) -> ExitCode {
    eprintln!("error: {why}");
    code.into()
}
