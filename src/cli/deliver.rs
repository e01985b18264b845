//! Delivering a result: its files into their folder, its story or its JSON onto standard output.
//!
//! It chooses no exit code: that is the command's.

use anyhow::Context as _;

use super::exit::Failure;
use super::manifest::Manifest;
use super::output::{self, Folder};
use super::report;
use crate::experiment::Outcome;
use crate::report::{json, text};

/// Where a result goes besides its folder.
#[derive(Clone, Copy, Debug)]
pub(super) struct Manner<'a> {
    /// `summary.json` on standard output, and nothing else.
    pub json: bool,
    /// Nothing on standard output but what was asked for by name.
    pub quiet: bool,
    /// One client's control connection, if it was asked for.
    pub dialogue: Option<&'a str>,
}

/// Writes the files of `outcome` and tells its story.
pub(super) fn deliver(
    folder: Folder,
    outcome: &Outcome,
    manifest: &Manifest,
    manner: Manner<'_>,
) -> Result<(), Failure> {
    let mut files = report::files(outcome);
    files.extend(manner.dialogue.map(|text| ("dialogue.txt".to_owned(), text.as_bytes().to_vec())));
    let manifest = serde_json::to_vec_pretty(manifest).context("cannot write the manifest")?;
    files.push(("manifest.json".to_owned(), manifest));
    let path = folder.path().display().to_string();
    folder.forget(&["dialogue.txt", "trace.ndjson"]);
    folder.commit(&files)?;

    if manner.json {
        return output::print(&json::summary(&outcome.summary));
    }
    if let Some(text) = manner.dialogue {
        let missing = "That client never came: see --dialogue in `ftp421 sim --help`.\n";
        output::print(if text.is_empty() { missing.as_bytes() } else { text.as_bytes() })?;
    }
    if !manner.quiet {
        let story = text::text(&outcome.summary, report::wants_colour());
        output::print(format!("{story}\nResults: {path}/\n").as_bytes())?;
    }
    Ok(())
}
