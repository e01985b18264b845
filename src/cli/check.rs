//! `ftp421 check`: what a scenario will do, in words.

use std::path::PathBuf;
use std::process::ExitCode;

use super::exit::{FINE, Failure};
use super::{output, read};
use crate::experiment;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ftp421 check scenarios/busy-evening.toml")]
pub(super) struct Args {
    /// The scenario
    scenario: PathBuf,
}

pub(super) fn run(args: &Args) -> Result<ExitCode, Failure> {
    let scenario = read::scenario(Some(&args.scenario))?;
    output::print(experiment::explain(&scenario).as_bytes())?;
    Ok(FINE)
}
