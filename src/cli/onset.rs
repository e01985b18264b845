//! `ftp421 onset`: where refusals begin.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use super::exit::{FINE, Failure, INTERRUPTED, NOT_VALID};
use super::output::{self, Folder};
use super::own_server::OwnServer;
use super::{accounts, caps, interrupt, read, target};
use crate::experiment::onset::{self, Ask, Finding, LiveWorld, SimWorld, Trouble, World};
use crate::live::load::{Accounts, Target};
use crate::live::tls::Trust;
use crate::live::{Clock, Epoch};
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
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the command line")]
pub(super) struct Args {
    /// The scenario whose server it is, with --sim or without a target; without it a built-in one
    scenario: Option<PathBuf>,
    /// In virtual time, at the simulated server of the scenario
    #[arg(long, conflicts_with = "target")]
    sim: bool,
    #[command(flatten)]
    target: target::TargetArgs,
    #[command(flatten)]
    accounts: accounts::AccountArgs,
    /// No ramp goes further than to so many sessions [default: 300, in virtual time 5000]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=20_000))]
    cap: Option<u32>,
    /// Between two arrivals of a ramp [default: twice what a login takes, at least 10ms]
    #[arg(long, value_name = "TIME", value_parser = caps::time)]
    gap: Option<Duration>,
    /// Repeats of each ramp, as long as there is time for them; six give an interval of 95 %
    #[arg(long, value_name = "N", default_value_t = 6, value_parser = clap::value_parser!(u32).range(1..=100))]
    repeats: u32,
    /// How long the sessions stay whose rate is looked for [default: as the limit suggests]
    #[arg(long, value_name = "TIME", value_parser = caps::time)]
    hold: Option<Duration>,
    /// The share of sessions refused that the rate is looked for at
    #[arg(long, value_name = "SHARE", default_value_t = 0.01, value_parser = share)]
    level: f64,
    /// No rate is higher, sessions per second
    #[arg(long, value_name = "N", default_value_t = 600, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    max_rate: u32,
    /// Do not look for the rate
    #[arg(long)]
    no_rate: bool,
    /// About how long it may take in real time
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = caps::time)]
    budget: Duration,
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

/// Reads a share, for clap.
fn share(text: &str) -> Result<f64, String> {
    let share: f64 = text.parse().map_err(|_| "a number such as 0.01".to_owned())?;
    if (0.000_1..=0.5).contains(&share) { Ok(share) } else { Err("from 0.0001 to 0.5".to_owned()) }
}

/// The files of a result, the last of which is there only if all are.
const FILES: [&str; 3] = ["charts/onset.svg", "charts/onset.png", "onset.json"];

/// How long clients have for their QUIT.
const GRACE: Duration = Duration::from_secs(1);

pub(super) fn run(args: &Args) -> Result<ExitCode, Failure> {
    let file = args.scenario.as_deref();
    let mut base = if args.sim { read::scenario(file)? } else { read::live_scenario(file)? };
    base.seed = args.seed.unwrap_or(base.seed);
    let target = if args.sim { None } else { args.target.target()? };
    let accounts = args.accounts.accounts(None)?;
    let mut ask = ask(args, base, &accounts);
    let path = args.out.clone().unwrap_or_else(|| Path::new("ftp421-out").join("onset"));
    let folder = Folder::open(&path, &FILES.map(str::to_owned))?;
    let watch = Arc::new(Watch::default());
    interrupt::stops(&watch)?;
    if !args.quiet {
        eprintln!("seed {}", ask.base.seed);
    }
    if args.sim {
        let mut world = SimWorld::new(watch);
        return search(args, folder, &ask, &mut world);
    }
    let mut own = if target.is_none() { Some(OwnServer::start(file, ask.base.seed, &watch)?) } else { None };
    if let Some(server) = &mut own {
        server.begin(Epoch::after(Duration::ZERO))?; // nobody is answered before
    }
    let profile = match target {
        Some(_) => args.target.profile(None)?,
        None => args.target.profile(Some(&ask.base))?,
    };
    let target = target.unwrap_or_else(|| own_target(args, own.as_ref()));
    if own.is_some() {
        ask.accounts = users(&ask.base);
        ask.server = format!("own {} server", ask.server);
    } else {
        ask.server = format!("{}:{}", target.host, target.address.port());
    }
    // The search brings its own clients.
    ask.base.populations.clear();
    let (sources, _) = args.target.sources(&ask.base, target.address.ip())?;
    let mut world = LiveWorld {
        target,
        sources,
        accounts,
        profile,
        rest: onset::Rest::default(),
        clock: Clock::of(Epoch::after(Duration::ZERO)),
        grace: GRACE,
        watch,
    };
    search(args, folder, &ask, &mut world)
}

fn search(args: &Args, folder: Folder, ask: &Ask, world: &mut dyn World) -> Result<ExitCode, Failure> {
    let mut tell = |line: &str| {
        if !args.quiet {
            eprintln!("{line}");
        }
    };
    let found = onset::find(ask, world, &mut tell).map_err(|trouble| failure(ask, trouble))?;
    finish(args, folder, &found)
}

/// What the command line asks.
fn ask(args: &Args, base: Scenario, accounts: &Accounts) -> Ask {
    let plain = if args.sim { Ask { cap: 5_000, ..Ask::new(base) } } else { Ask::real(base) };
    Ask {
        accounts: accounts.listed.iter().map(|(name, _)| name.clone()).collect(),
        cap: args.cap.unwrap_or(plain.cap),
        gap: args.gap,
        hold: args.hold,
        repeats: args.repeats,
        level: (!args.no_rate).then_some(args.level),
        most_per_s: f64::from(args.max_rate),
        budget: args.budget,
        ..plain
    }
}

fn own_target(args: &Args, own: Option<&OwnServer>) -> Target {
    let address = own.map_or(std::net::SocketAddr::from(([127, 0, 0, 1], 0)), |server| server.address);
    Target {
        host: "127.0.0.1".to_owned(),
        address,
        implicit_tls: false,
        tls: Trust::Anybody.into(),
        data: args.target.data(),
    }
}

/// The accounts that the server of `scenario` tells apart: those that it names.
fn users(scenario: &Scenario) -> Vec<String> {
    let mut names: Vec<String> = scenario
        .populations
        .iter()
        .flat_map(|population| &population.users)
        .filter_map(|user| scenario.strings.get(usize::from(user.0)).cloned())
        .collect();
    names.sort();
    names.dedup();
    names
}

fn failure(ask: &Ask, trouble: Trouble) -> Failure {
    Failure::Other(match trouble {
        Trouble::World(why) => anyhow::anyhow!("cannot run: {why}"),
        Trouble::Dead(why) | Trouble::Password(why) => anyhow::anyhow!("{}: {why}", ask.server),
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
