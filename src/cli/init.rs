//! `ftp421 init`: a commented scenario to start from.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;

use super::exit::{FINE, Failure};
use super::output;
use crate::scenario;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ftp421 init > mine.toml
  ftp421 init mine.toml && ftp421 check mine.toml && ftp421 sim mine.toml")]
pub(super) struct Args {
    /// Where to write it; a file that is there already is not touched. Without it: standard output
    file: Option<PathBuf>,
}

pub(super) fn run(args: &Args) -> Result<ExitCode, Failure> {
    let text = scenario::template();
    let Some(file) = &args.file else {
        output::print(text.as_bytes())?;
        return Ok(FINE);
    };
    let mut out = OpenOptions::new().write(true).create_new(true).open(file).with_context(|| {
        format!("cannot create {} (an existing file is never overwritten)", file.display())
    })?;
    out.write_all(text.as_bytes()).with_context(|| format!("cannot write {}", file.display()))?;
    eprintln!("wrote {}; next: ftp421 check {0}", file.display());
    Ok(FINE)
}
