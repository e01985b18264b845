//! `ftp421 onset`: where refusals begin.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;


use super::exit::{FINE, Failure, INTERRUPTED, NOT_VALID};
use super::output::{self, Folder};
use super::{interrupt, read};
use crate::experiment::onset::{self, Ask, Finding, SimWorld, Trouble};
use crate::report;
use crate::scenario::Scenario;
use crate::time::Duration;
use crate::watch::Watch;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ftp421 onset --target ftp://127.0.0.1:2121
  ftp421 onset --target ftp://127.0.0.1:2121 --user alice:secret --user bob:secret
  ftp421 onset scenarios/office-nat.toml --sim
  ftp421 onset --sim --json | jq '.admitted, .first_refusal, .limits'

It ramps up sessions that stay, from one address and from many, as one user and as many (if several are given); at the limit
it measures how soon a slot is free; then it looks for the arrival rate at which 1 % of short sessions are refused. The
results go to ./ftp421-out/onset/: onset.json, charts/onset.svg and .png.")]
pub(super) struct Args {
    /// The scenario whose server it is, with --sim or without a target; without it a built-in one
    scenario: Option<PathBuf>,
    /// In virtual time, at the simulated server of the scenario
    #[arg(long)]
    sim: bool,
    /// An account, NAME:PASSWORD; several for limits on one account. Without any: anonymous
    #[arg(long = "user", value_name = "NAME:PASSWORD")]
    users: Vec<String>,
    /// No ramp goes further than to so many sessions [default: 300, in virtual time 5000]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=60_000))]
    cap: Option<u32>,
    /// Between two arrivals of a ramp [default: twice what a login takes, at least 10ms]
    #[arg(long, value_parser = Duration::parse)]
    gap: Option<Duration>,
    /// How long the sessions stay whose rate is searched [default: as the limit suggests]
    #[arg(long, value_parser = Duration::parse)]
    hold: Option<Duration>,
    /// Repeats of each ramp; six give an interval of 95 %
    #[arg(long, default_value_t = 6, value_parser = clap::value_parser!(u32).range(1..=100))]
    repeats: u32,
    /// Do not search for the rate
    #[arg(long)]
    no_rate: bool,
    /// Seed of all random streams, instead of the scenario's
    #[arg(long, env = "FTP421_SEED")]
    seed: Option<u64>,
    /// Folder of the results
    #[arg(long, env = "FTP421_OUT", value_name = "DIR")]
    out: Option<PathBuf>,
    /// Print onset.json on standard output instead of the story
    #[arg(long)]
    json: bool,
    /// No progress, no story: only results and errors
    #[arg(long, short)]
    quiet: bool,
}

/// The files of a result, the last of which is there only if all are.
const FILES: [&str; 3] = ["charts/onset.svg", "charts/onset.png", "onset.json"];

pub(super) fn run(args: &Args) -> Result<ExitCode, Failure> {
    let mut base = read::scenario(args.scenario.as_deref())?;
    base.seed = args.seed.unwrap_or(base.seed);
    let ask = ask(args, base);
    let path = args.out.clone().unwrap_or_else(|| Path::new("ftp421-out").join("onset"));
    let folder = Folder::open(&path, &FILES.map(str::to_owned))?;
    let watch = Arc::new(Watch::default());
    interrupt::stops(&watch)?;
    let mut tell = |line: &str| {
        if !args.quiet {
            eprintln!("{line}");
        }
    };
    if !args.quiet {
        eprintln!("seed {}", ask.base.seed);
    }
    let mut world = SimWorld::new(Arc::clone(&watch));
    let found = onset::find(&ask, &mut world, &mut tell).map_err(|trouble| failure(&ask, trouble))?;
    finish(args, folder, &found)
}

/// What the command line asks.
fn ask(args: &Args, base: Scenario) -> Ask {
    let accounts = args.users.iter().map(|user| user.split_once(':').map_or(user.as_str(), |(name, _)| name));
    let plain = Ask::new(base);
    Ask {
        accounts: accounts.map(str::to_owned).collect(),
        cap: args.cap.unwrap_or(if args.sim { 5_000 } else { plain.cap }),
        gap: args.gap,
        hold: args.hold,
        repeats: args.repeats,
        level: if args.no_rate { None } else { plain.level },
        ..plain
    }
}

fn failure(ask: &Ask, trouble: Trouble) -> Failure {
    Failure::Other(match trouble {
        Trouble::World(why) => anyhow::anyhow!("cannot run: {why}"),
        Trouble::Dead(why) => anyhow::anyhow!("{}: {why}", ask.server),
        Trouble::Password(why) => anyhow::anyhow!("{}: {why}", ask.server),
    })
}

fn finish(args: &Args, folder: Folder, found: &Finding) -> Result<ExitCode, Failure> {
    let chart = report::charts::onset(found);
    let json = report::json::onset(found);
    let path = folder.path().display().to_string();
    folder.commit(&[
        (FILES[0].to_owned(), chart.svg.into_bytes()),
        (FILES[1].to_owned(), chart.png),
        (FILES[2].to_owned(), json.clone()),
    ])?;
    if args.json {
        output::print(&json)?;
    } else if !args.quiet {
        let story = found.story.join("\n");
        output::print(format!("{story}\n\nResults: {path}/\n").as_bytes())?;
    }
    Ok(if found.partial {
        INTERRUPTED.into()
    } else if !found.valid {
        NOT_VALID.into()
    } else {
        FINE
    })
}
