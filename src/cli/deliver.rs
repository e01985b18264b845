//! Delivering a result: its files into their folder, its story or its JSON onto standard output.
//!
//! It chooses no exit code: that is the command's.

use anyhow::Context as _;

use super::exit::Failure;
use super::interrupt::Keeping;
use super::manifest::Manifest;
use super::output::{self, Folder};
use super::report;
use super::scribe::Form;
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
    /// What Ctrl-C has to know, and knows.
    pub keeping: &'a Keeping,
}

/// Writes the numbers of `outcome`, tells its story, and draws its charts: in this order, since a chart can be drawn again.
pub(super) fn deliver(
    mut folder: Folder,
    outcome: &Outcome,
    manifest: &Manifest,
    manner: Manner<'_>,
) -> Result<(), Failure> {
    let mut files = report::numbers(outcome);
    files.extend(manner.dialogue.map(|text| ("dialogue.txt".to_owned(), text.as_bytes().to_vec())));
    let manifest = serde_json::to_vec_pretty(manifest).context("cannot write the manifest")?;
    files.push(("manifest.json".to_owned(), manifest));
    folder.forget(&["dialogue.txt"]);
    folder.forget(&Form::FILES);
    folder.commit_some(|name| !report::is_chart(name), &files)?;
    manner.keeping.keep();
    let told = tell(&folder, outcome, manner); // whoever reads no more of it still gets his charts
    if manner.keeping.hurries() {
        return told;
    }
    let charts = report::drawn(outcome);
    if !manner.keeping.hurries() {
        let path = folder.path().display().to_string();
        let again = || format!("the numbers are in {path}/, and `ftp421 report` draws the charts again");
        folder.commit(&charts).with_context(again)?;
    }
    told
}

/// Says on standard output what was asked for.
fn tell(folder: &Folder, outcome: &Outcome, manner: Manner<'_>) -> Result<(), Failure> {
    if manner.json {
        return output::print(&json::summary(&outcome.summary));
    }
    if let Some(text) = manner.dialogue {
        let missing = "That client never came: the first one is 0, and --help of --dialogue says how others are named.\n";
        output::print(if text.is_empty() { missing.as_bytes() } else { text.as_bytes() })?;
    }
    if !manner.quiet {
        let story = text::text(&outcome.summary, report::wants_colour());
        output::print(format!("{story}\nResults: {}/\n", folder.path().display()).as_bytes())?;
    }
    Ok(())
}
