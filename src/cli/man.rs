//! `ftp421 man`: the manual page.

use std::process::ExitCode;

use anyhow::Context as _;

use super::exit::{FINE, Failure};
use super::output;

pub(super) fn run(command: clap::Command) -> Result<ExitCode, Failure> {
    let mut page = Vec::new();
    clap_mangen::Man::new(command).render(&mut page).context("cannot render the manual page")?;
    output::print(&page)?;
    Ok(FINE)
}
