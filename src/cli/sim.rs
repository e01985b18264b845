//! `ftp421 sim`: the main job.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;

use super::deliver::{Manner, deliver};
use super::exit::{FINE, Failure, INTERRUPTED, THRESHOLD};
use super::interrupt::Keeping;
use super::manifest::{Began, Manifest};
use super::output::Folder;
use super::progress::{Phase, Teller, When};
use super::scribe::{Form, Scribe};
use super::unfinished::Unfinished;
use super::{read, report, tamper};
use crate::experiment::{self, Outcome, Pace, Shelf, Study};
use crate::id::PopulationId;
use crate::scenario::Scenario;
use crate::sim::{Dialogue, Trace};
use crate::watch::Watch;

#[derive(Debug, clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the command line")]
#[command(after_help = "Examples:
  ftp421 sim
  ftp421 sim scenarios/busy-evening.toml --seed 7 --replications 20
  ftp421 sim scenarios/idle-client.toml --dialogue 0
  ftp421 sim scenarios/office-nat.toml --dialogue office:3 --quiet
  ftp421 sim mine.toml --json | jq .estimates.refused_first

The results go to ./ftp421-out/<scenario>/: summary.json, timeline.csv, refusals.csv, latency.hlog, charts/*.svg and
*.png, manifest.json. A threshold that fails exits with 99.")]
pub(super) struct Args {
    /// The scenario; without it a built-in one
    scenario: Option<PathBuf>,
    /// Seed of all random streams, instead of the scenario's
    #[arg(long, env = "FTP421_SEED")]
    seed: Option<u64>,
    /// Independent replications, instead of the scenario's
    #[arg(long, env = "FTP421_REPLICATIONS", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    replications: Option<u32>,
    /// Folder of the results
    #[arg(long, env = "FTP421_OUT", value_name = "DIR")]
    out: Option<PathBuf>,
    /// Threads; 0 is one for each core. The results are the same bytes with any number
    #[arg(long, env = "FTP421_THREADS", default_value_t = 0)]
    threads: usize,
    /// Print summary.json on standard output instead of the summary
    #[arg(long)]
    json: bool,
    /// No progress, no summary: only results and errors
    #[arg(long, short)]
    quiet: bool,
    /// Say on standard error how far it is: a bar on a terminal, a line every few seconds elsewhere. `auto` is on a terminal only
    #[arg(
        long,
        env = "FTP421_PROGRESS",
        value_name = "WHEN",
        num_args = 0..=1,
        require_equals = true,
        default_value = "auto",
        default_missing_value = "always"
    )]
    progress: When,
    /// Begin anew, and do not go on from the replications that an earlier run of the same command left when it was ended
    #[arg(long)]
    fresh: bool,
    /// Keep replications for the next run, should this one be killed, whenever a thread has done so many calendar events
    #[arg(long, hide = true, value_name = "EVENTS", default_value_t = 40_000_000)]
    keep_every: u64,
    /// Show one client's control connection: its number (from 0) in the first population, or POPULATION:NUMBER
    #[arg(long, value_name = "CLIENT")]
    dialogue: Option<String>,
    /// Write every message of replication 0 to trace.ndjson, or compressed to trace.ndjson.zst
    #[arg(long, value_name = "FORM", num_args = 0..=1, require_equals = true, default_missing_value = "ndjson")]
    trace: Option<Form>,
    /// Do not search for the smallest change that would meet the thresholds
    #[arg(long)]
    no_advice: bool,
    /// Write to the repository's results/ folder: no manifest, charts as SVG only
    #[arg(long, hide = true, conflicts_with_all = ["out", "seed", "replications"])]
    bless: bool,
}

pub(super) fn run(args: &Args) -> Result<ExitCode, Failure> {
    let mut scenario = read::scenario(args.scenario.as_deref())?;
    overridden(&mut scenario, args);
    let watched = args.dialogue.as_deref().map(|name| client_named(&scenario, name)).transpose();
    let watched = watched.map_err(|why| Failure::Usage(format!("--dialogue: {why:#}")))?;
    let folder = open_folder(&scenario, args)?;
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads(args))
        .build_global()
        .context("cannot start threads")?;
    let watch = Arc::new(Watch::default());
    let keeping = Keeping::stops(&watch, || "ending, and keeping what was simulated".to_owned())?;
    let began = Began::now();
    for note in scenario.notes.iter().chain(&tamper::not_played(&scenario)) {
        eprintln!("note: {note}");
    }
    warn_if_big(&scenario, rayon::current_num_threads().min(scenario.replications as usize));

    let mut dialogue = watched.map(|(population, index)| Dialogue::new(&scenario, population, index));
    let mut scribe = start_scribe(args.trace, &folder, &watch)?;
    let mut trace =
        scribe.as_mut().map(|scribe| Trace::new(&scenario, |sheet: &mut Vec<u8>| scribe.take(sheet)));
    let (unfinished, earlier) = Unfinished::look(folder.path(), &scenario, args.fresh || args.bless);
    let resumed = earlier.runs.len() as u32;
    let shelf = (!args.bless).then_some(Shelf { keeper: &unfinished, every: args.keep_every });
    let teller = Teller::begin(args.progress, args.quiet);
    teller.tell(Phase::Simulation {
        watch: Arc::clone(&watch),
        pace: Pace::of(&scenario),
        replications: scenario.replications,
        earlier: resumed,
    });
    let study = match (&mut dialogue, &mut trace) {
        (None, None) => experiment::go_on(earlier, &scenario, &mut (), &watch, shelf),
        (dialogue, trace) => experiment::go_on(earlier, &scenario, &mut (dialogue, trace), &watch, shelf),
    };
    let mut outcome = experiment::summarise(&scenario, &study);
    if let (Some(trace), Some(form)) = (trace, args.trace) {
        let handed_on = trace.finish();
        let written = scribe.map_or(Ok(()), Scribe::finish); // if it failed, it knows why
        written.and(handed_on).with_context(|| format!("cannot write {}", form.file_name()))?;
    }
    if !args.no_advice && !study.partial {
        let mut tell = |trial| teller.tell(Phase::Advice(trial));
        experiment::advise(&scenario, &study, &mut outcome.summary, &watch, &mut tell);
        if watch.is_stopped() {
            eprintln!("note: interrupted while it searched for advice; the result itself is whole");
        }
    }
    drop(teller);
    let dialogue = dialogue.map(|d| d.text().to_owned());
    let manifest = began.ended(&scenario, args.scenario.as_deref(), rayon::current_num_threads(), study.work);
    let manifest = Manifest { resumed, ..manifest };
    let code = finish(args, folder, &study, &outcome, &manifest, dialogue.as_deref(), &keeping)?;
    if !study.partial {
        unfinished.remove();
    } else if unfinished.kept() > 0 {
        let (kept, all) = (unfinished.kept(), scenario.replications);
        eprintln!("note: {kept} of {all} replications are kept: the same command goes on from there");
    }
    Ok(code)
}

/// As many threads as are asked for or as there are cores. Those that find no replication to run sleep until there are charts to draw.
fn threads(args: &Args) -> usize {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let wanted = if args.threads == 0 { cores } else { args.threads };
    wanted.clamp(1, 256)
}

/// Nobody is to find out by his machine's swapping that he asked for ten million clients.
fn warn_if_big(scenario: &Scenario, threads: usize) {
    let (cost, threads) = (experiment::Cost::of(scenario), u32::try_from(threads).unwrap_or(u32::MAX));
    if cost.is_much(scenario.replications, threads) {
        eprintln!("note: this takes {}, in orders of magnitude", cost.words(scenario.replications, threads));
    }
}

/// Applies what flags and environment say over the file.
fn overridden(scenario: &mut Scenario, args: &Args) {
    scenario.seed = args.seed.unwrap_or(scenario.seed);
    scenario.replications = args.replications.unwrap_or(scenario.replications);
}

/// The client that `name` means: a number in the first population, or `population:number`.
pub(super) fn client_named(scenario: &Scenario, name: &str) -> anyhow::Result<(PopulationId, u32)> {
    let (population, number) = match name.rsplit_once(':') {
        Some((population, number)) => {
            let names = scenario.populations.iter().map(|p| p.name.as_str()).collect::<Vec<_>>();
            let place = names.iter().position(|n| *n == population);
            (
                place.with_context(|| {
                    format!("no population {population:?}; there are: {}", names.join(", "))
                })?,
                number,
            )
        }
        None => (0, name),
    };
    let number = number.parse().with_context(|| format!("{number:?} is no client's number: 0, 1, 2 .."))?;
    Ok((PopulationId(u16::try_from(population)?), number))
}

/// Starts the scribe that the trace is to have, if there is to be one. If it fails, nothing more is simulated.
fn start_scribe(form: Option<Form>, folder: &Folder, watch: &Arc<Watch>) -> anyhow::Result<Option<Scribe>> {
    let Some(form) = form else { return Ok(None) };
    let Some(file) = folder.stream(form.file_name())? else { return Ok(None) };
    let watch = Arc::clone(watch);
    Scribe::start(form, file, move || watch.ask_to_stop()).map(Some).context("cannot start a thread")
}

fn open_folder(scenario: &Scenario, args: &Args) -> anyhow::Result<Folder> {
    let path = match &args.out {
        _ if args.bless => Path::new("results").join(&scenario.name),
        Some(out) => out.clone(),
        None => Path::new("ftp421-out").join(&scenario.name),
    };
    let mut names = report::file_names(!args.bless);
    if args.dialogue.is_some() {
        names.insert(0, "dialogue.txt".to_owned());
    }
    if let Some(form) = args.trace {
        names.insert(0, form.file_name().to_owned());
    }
    if !args.bless {
        names.insert(0, "manifest.json".to_owned());
    }
    Folder::open(&path, &names)
}

/// Writes the files, tells the story, and chooses the exit code.
fn finish(
    args: &Args,
    folder: Folder,
    study: &Study,
    outcome: &Outcome,
    manifest: &Manifest,
    dialogue: Option<&str>,
    keeping: &Keeping,
) -> Result<ExitCode, Failure> {
    deliver(folder, outcome, manifest, Manner { json: args.json, quiet: args.quiet, dialogue, keeping })?;
    Ok(if study.partial {
        INTERRUPTED.into()
    } else if outcome.summary.thresholds.iter().any(|t| !t.ok) {
        THRESHOLD.into()
    } else {
        FINE
    })
}
