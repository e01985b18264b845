//! Reads a scenario, and the files that it names, from the disk.

use std::path::{Path, PathBuf};

use anyhow::Context as _;

use super::exit::Failure;
use crate::scenario::{self, Scenario, Setting};

/// The largest file that is read, in bytes: a scenario or a trace beyond it is a mistake.
const LARGEST: u64 = 256 << 20;

/// Reads the scenario in `file`, or the built-in one.
pub(super) fn scenario(file: Option<&Path>) -> Result<Scenario, Failure> {
    match file {
        None => built_in(scenario::BUILT_IN, &[]),
        Some(file) => scenario_under(&[], file),
    }
}

/// Reads the scenario in `file`, with `settings` over what it says of its server.
pub(super) fn scenario_under(settings: &[Setting], file: &Path) -> Result<Scenario, Failure> {
    let text = bounded(file)?;
    let folder = file.parent().map_or_else(PathBuf::new, Path::to_path_buf);
    let mut open = |name: &str| bounded(&folder.join(name)).map_err(|error| format!("{error:#}"));
    Ok(Scenario::read_under(settings, &file.display().to_string(), &text, &mut open)?)
}

/// Reads a scenario that is no file, with `settings` over what it says of its server.
pub(super) fn built_in(text: &str, settings: &[Setting]) -> Result<Scenario, Failure> {
    let mut none = |name: &str| Err(format!("the built-in scenario has no file {name}"));
    Ok(Scenario::read_under(settings, "(built-in)", text, &mut none)?)
}

/// The same where time is real: the built-in one is short.
pub(super) fn live_scenario(file: Option<&Path>) -> Result<Scenario, Failure> {
    match file {
        None => built_in(scenario::BUILT_IN_LIVE, &[]),
        Some(file) => scenario_under(&[], file),
    }
}

/// The text of a regular file that is not too large.
pub(super) fn bounded(file: &Path) -> anyhow::Result<String> {
    let text = || {
        let known = std::fs::metadata(file)?;
        anyhow::ensure!(known.is_file(), "not a regular file");
        anyhow::ensure!(
            known.len() <= LARGEST,
            "{} bytes are more than the {LARGEST} that are read",
            known.len()
        );
        Ok(String::from_utf8(std::fs::read(file)?)?)
    };
    text().with_context(|| format!("cannot read {}", file.display()))
}
