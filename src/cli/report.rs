//! `ftp421 report`: the charts of a result, drawn again; and the list of files that a result has.

use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;

use super::exit::{FINE, Failure};
use super::output::{self, Folder};
use super::read;
use crate::experiment::Outcome;
use crate::metrics::summary::Summary;
use crate::report::{charts, csv, hlog, json, text};

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ftp421 report ftp421-out/busy-evening")]
pub(super) struct Args {
    /// A folder with summary.json and timeline.csv
    dir: PathBuf,
}

pub(super) fn run(args: &Args) -> Result<ExitCode, Failure> {
    let summary = read::bounded(&args.dir.join("summary.json")).context("not a result folder")?;
    let summary = json::read_summary(summary.as_bytes())
        .map_err(|why| anyhow::anyhow!("{}: {why}", args.dir.join("summary.json").display()))?;
    let timeline = read::bounded(&args.dir.join("timeline.csv"))?;
    let timeline = csv::read_timeline(timeline.as_bytes())
        .map_err(|why| anyhow::anyhow!("{}: {why}", args.dir.join("timeline.csv").display()))?;
    let names: Vec<String> = chart_names(charts::names(&summary), true).collect();
    let folder = Folder::open(&args.dir, &names)?;
    let drawn = charts::charts(&summary, &timeline);
    folder.commit(&chart_files(drawn))?;
    output::print(text::text(&summary, wants_colour()).as_bytes())?;
    output::print(format!("\nCharts: {}/charts/\n", args.dir.display()).as_bytes())?;
    Ok(FINE)
}

/// The files of a result: the numbers, `summary.json` last among them, since whoever finds it finds them all; then the charts, which
/// can be drawn from them again.
pub(super) fn file_names(png: bool) -> Vec<String> {
    number_names().chain(chart_names(charts::NAMES.into_iter(), png)).collect()
}

/// The same for the result that `summary` is of.
pub(super) fn file_names_of(summary: &Summary) -> Vec<String> {
    number_names().chain(chart_names(charts::names(summary), true)).collect()
}

fn number_names() -> impl Iterator<Item = String> {
    ["timeline.csv", "refusals.csv", "latency.hlog", "summary.json"].into_iter().map(str::to_owned)
}

/// Is the file `name` of a result a chart?
pub(super) fn is_chart(name: &str) -> bool {
    name.starts_with("charts/")
}

fn chart_names(names: impl Iterator<Item = &'static str>, png: bool) -> impl Iterator<Item = String> {
    let png = move |name: &str| png.then(|| format!("charts/{name}.png"));
    names.flat_map(move |name| [Some(format!("charts/{name}.svg")), png(name)]).flatten()
}

fn chart_files(drawn: Vec<charts::Chart>) -> Vec<(String, Vec<u8>)> {
    drawn
        .into_iter()
        .flat_map(|chart| {
            let name = chart.name;
            [
                (format!("charts/{name}.svg"), chart.svg.into_bytes()),
                (format!("charts/{name}.png"), chart.png),
            ]
        })
        .collect()
}

/// The contents of the files with a result's numbers.
pub(super) fn numbers(outcome: &Outcome) -> Vec<(String, Vec<u8>)> {
    let summary = &outcome.summary;
    vec![
        ("summary.json".to_owned(), json::summary(summary)),
        ("timeline.csv".to_owned(), csv::timeline(&outcome.timeline)),
        ("refusals.csv".to_owned(), csv::refusals(summary)),
        ("latency.hlog".to_owned(), hlog::hlog(&outcome.histograms, summary.duration_s)),
    ]
}

/// The contents of its charts.
pub(super) fn drawn(outcome: &Outcome) -> Vec<(String, Vec<u8>)> {
    chart_files(charts::charts(&outcome.summary, &outcome.timeline))
}

/// Is standard output a terminal whose user has not set `NO_COLOR`?
pub(super) fn wants_colour() -> bool {
    std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty())
}
