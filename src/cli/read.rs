//! Reads a scenario, and the files that it names, from the disk.

use std::path::{Path, PathBuf};

use anyhow::Context as _;

use super::exit::Failure;
use crate::scenario::{self, Scenario};

/// The largest file that is read, in bytes: a scenario or a trace beyond it is a mistake.
const LARGEST: u64 = 256 << 20;

/// Reads the scenario in `file`, or the built-in one.
pub(super) fn scenario(file: Option<&Path>) -> Result<Scenario, Failure> {
    let Some(file) = file else {
        let mut none = |name: &str| Err(format!("the built-in scenario has no file {name}"));
        return Ok(Scenario::read("(built-in)", scenario::BUILT_IN, &mut none)?);
    };
    let text = bounded(file)?;
    let folder = file.parent().map_or_else(PathBuf::new, Path::to_path_buf);
    let mut open = |name: &str| bounded(&folder.join(name)).map_err(|error| format!("{error:#}"));
    Ok(Scenario::read(&file.display().to_string(), &text, &mut open)?)
}

/// The same where time is real: the built-in one is short.
pub(super) fn live_scenario(file: Option<&Path>) -> Result<Scenario, Failure> {
    let Some(file) = file else {
        let mut none = |name: &str| Err(format!("the built-in scenario has no file {name}"));
        return Ok(Scenario::read("(built-in)", scenario::BUILT_IN_LIVE, &mut none)?);
    };
    scenario(Some(file))
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
