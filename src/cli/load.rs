//! `ftp421 load`: the same scenario on real sockets.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use anyhow::Context as _;

use super::deliver::{Manner, deliver};
use super::exit::{FAILED, FINE, Failure, INTERRUPTED, NOT_VALID, THRESHOLD};
use super::fleet::{self, Fleet};
use super::interrupt::Keeping;
use super::manifest::Began;
use super::metrics::MetricsArgs;
use super::output::Folder;
use super::own_server::OwnServer;
use super::screen::Screen;
use super::sim::client_named;
use super::{accounts, caps, read, report, tamper, target};
use crate::chaos::{Effect, Fault};
use crate::experiment::{self, Load, Outcome};
use crate::id::ServerId;
use crate::live::load::{self, Accounts, DataForm, Gauges, Plan, Target, Trouble};
use crate::live::scrape::{Meter, Side};
use crate::live::{Clock, Epoch};
use crate::metrics::summary::{Summary, TargetFacts};
use crate::metrics::words::counted;
use crate::scenario::Scenario;
use crate::sim::Work;
use crate::time::{Duration, Instant};
use crate::watch::Watch;

/// The longest that clients have for their QUIT.
const GRACE: Duration = Duration::from_secs(2);
/// A run begins so long after everything is ready.
const RUN_UP: Duration = Duration::from_millis(200);
/// The same where other processes have to come up first.
const FLEET_RUN_UP: Duration = Duration::from_millis(1_500);

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ftp421 load                          half a minute against a server of our own
  ftp421 load scenarios/load-nat.toml --seed 7
  ftp421 load mine.toml --target ftp://127.0.0.1:2121 --users accounts.csv --duration 1m
  ftp421 load mine.toml --target ftp://ftp.example.org --i-own ftp.example.org --max-rate 20
  ftp421 load --dialogue 0 --quiet
  ftp421 load mine.toml --target ftp://127.0.0.1:2121 --json | jq '.onset.first, .generator.limited_by'

The clients are those that `ftp421 sim` simulates with the same seed: they come at the same times, think as long, mistype the
same passwords. Network delays, loss and the names of [dns] are not made: the way is the real one. Accounts without a password of
their own have the password ftp421, and anonymous gives an e-mail address.

Only loopback is talked to, unless --i-own names the target; --max-sessions, --max-rate and --max-duration bound what a scenario
may bring. Ctrl-C ends the run politely and keeps what was measured, a second one ends it at once. The results go to
./ftp421-out/<scenario>-load/; `generator` in summary.json says whether the load generator kept up. If it did not, the exit code
is 109; if the safety rule forbids the run it is 106, and 1 if nobody
answered.")]
pub(super) struct Args {
    /// The scenario; without it a built-in one of half a minute
    scenario: Option<PathBuf>,
    #[command(flatten)]
    target: target::TargetArgs,
    #[command(flatten)]
    accounts: accounts::AccountArgs,
    #[command(flatten)]
    caps: caps::CapArgs,
    #[command(flatten)]
    metrics: MetricsArgs,
    /// Seed of all random streams, instead of the scenario's
    #[arg(long, env = "FTP421_SEED")]
    seed: Option<u64>,
    /// Runs one after the other, each with other clients: two or more give confidence intervals
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    replications: u32,
    /// Cut the scenario short, such as to 30s
    #[arg(long, value_name = "TIME", value_parser = caps::time)]
    duration: Option<Duration>,
    /// Check the content of transfers: what our own server sends, or what was uploaded before
    #[arg(long)]
    verify: bool,
    /// Folder of the results
    #[arg(long, env = "FTP421_OUT", value_name = "DIR")]
    out: Option<PathBuf>,
    /// Print summary.json on standard output instead of the summary
    #[arg(long)]
    json: bool,
    /// No progress, no summary: only results and errors
    #[arg(long, short)]
    quiet: bool,
    /// Show one client's control connection: its number (from 0) in the first population, or POPULATION:NUMBER
    #[arg(long, value_name = "CLIENT")]
    dialogue: Option<String>,
    /// Threads of each process; 0: as many as the load needs, at most one for each core
    #[arg(long, env = "FTP421_THREADS", default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=256))]
    threads: u32,
    /// Processes: each has descriptors of its own
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=64))]
    processes: u32,
    /// This process is one of those, and not the first
    #[arg(long, hide = true)]
    worker: Option<u32>,
}

pub(super) fn run(args: &Args) -> Result<ExitCode, Failure> {
    let mut scenario = read::live_scenario(args.scenario.as_deref())?;
    overridden(&mut scenario, args)?;
    let demand = args.caps.check(&scenario)?;
    let target = args.target.target()?;
    let mut notes = scenario.notes.clone();
    // What the scenario says of its own server is not said of this one.
    notes.retain(|note| target.is_none() || !note.contains("TLS"));
    notes.extend(what_cannot_be(&mut scenario, target.is_some()));
    notes.extend(target.as_ref().and_then(|_| tamper::not_played(&scenario)));
    let dialogue = args.dialogue.as_deref().map(|name| client_named(&scenario, name)).transpose();
    let dialogue = dialogue.map_err(|why| Failure::Usage(format!("--dialogue: {why:#}")))?;
    let loopback = std::net::IpAddr::from([127, 0, 0, 1]);
    let (sources, map) =
        args.target.sources(&scenario, target.as_ref().map_or(loopback, |t| t.address.ip()))?;
    let accounts = match &target {
        Some(_) => args.accounts.accounts(Some(&scenario))?,
        None if args.accounts.are_given() => {
            let why =
                "--user and --users are for a --target: the server of our own knows the scenario's users";
            return Err(Failure::Usage(why.to_owned()));
        }
        None => Accounts::default(),
    };
    notes.extend(accounts::hand_out(&mut scenario, &accounts));
    let profile = args.target.profile(Some(&scenario))?;
    let folder = args.worker.is_none().then(|| open_folder(&scenario, args)).transpose()?;
    let watch = Arc::new(Watch::default());
    let gauges = Arc::new(Gauges::default());
    let keeping = Keeping::stops(&watch, closing(&gauges))?;
    let began = Began::now();
    let plan = Plan {
        replication: 0,
        epoch: Epoch(0),
        target: target.clone().unwrap_or_else(|| own_target(args.target.data())),
        sources,
        accounts,
        profile,
        own: target.is_none(),
        threads: threads(args.threads, demand),
        processes: args.processes,
        verify: args.verify,
        dialogue,
        grace: GRACE,
        scenario: Arc::new(scenario),
    };
    let (None, Some(folder)) = (args.worker, folder) else {
        fleet::work(plan, args.worker.unwrap_or_default())?;
        return Ok(ExitCode::SUCCESS);
    };
    let known = if target.is_none() { plan.scenario.policy().profile.clone() } else { String::new() };
    let meter = args.metrics.open(Side::Clients, known, args.quiet)?;
    notes.extend(load::shortages(&plan).map_err(broken)?);
    if !args.quiet {
        for note in &notes {
            eprintln!("note: {note}");
        }
        eprintln!("addresses: {map}");
    }
    let Ran { load, target, death } =
        replicate(args, plan.clone(), target.is_none(), (&watch, &gauges, meter.as_deref()), &map)?;
    let scenario = &plan.scenario;
    let outcome = experiment::summarise_load(scenario, &load, target);
    let work =
        Work { connections_max: load.health.as_ref().map_or(0, |h| h.open_max as usize), ..Work::default() };
    let threads = (plan.threads * plan.processes) as usize;
    let manifest = began.ended(scenario, args.scenario.as_deref(), threads, work);
    let dialogue = args.dialogue.as_ref().map(|_| load.dialogue.as_str());
    deliver(
        folder,
        &outcome,
        &manifest,
        Manner { json: args.json, quiet: args.quiet, dialogue, keeping: &keeping },
    )?;
    if let Some(how) = death {
        let why =
            format!("our own server has died in the middle of the run ({how}): what was measured ends there");
        return Err(Failure::Other(anyhow::anyhow!("{why}")));
    }
    Ok(verdict(&outcome))
}

/// What is said at a Ctrl-C.
fn closing(gauges: &Arc<Gauges>) -> impl Fn() -> String + Send + 'static {
    let gauges = Arc::clone(gauges);
    move || {
        let sessions = gauges.sessions.load(Ordering::Relaxed);
        format!("closing {}, and keeping what was measured", counted(sessions, "session"))
    }
}

/// Applies what flags and environment say over the file.
fn overridden(scenario: &mut Scenario, args: &Args) -> Result<(), Failure> {
    scenario.seed = args.seed.unwrap_or(scenario.seed);
    scenario.replications = args.replications;
    if let Some(duration) = args.duration {
        if duration > scenario.duration || duration <= scenario.warmup {
            return Err(Failure::Usage(format!(
                "--duration {duration} cuts the scenario short: it must be longer than {}, its warm-up, and at most {}, as long as \
                 it lasts",
                scenario.warmup, scenario.duration
            )));
        }
        scenario.duration = duration;
    }
    Ok(())
}

/// Strikes from `scenario` what real sockets do not do, and says so.
fn what_cannot_be(scenario: &mut Scenario, foreign: bool) -> Vec<String> {
    let mut notes = Vec::new();
    let end = Instant::ZERO + scenario.duration;
    scenario.faults.retain(|fault| fault.at < end); // the run may have been cut short
    let plays = |fault: &Fault| {
        let ours = |effect: &Effect| !foreign && matches!(effect, Effect::Server(ServerId(0), _));
        fault.effects.is_empty() || fault.effects.iter().any(|(_, effect)| ours(effect))
    };
    let left_out: Vec<String> =
        scenario.faults.iter().filter(|fault| !plays(fault)).map(|fault| fault.label.clone()).collect();
    scenario.faults.retain(plays);
    if !left_out.is_empty() {
        let why = if foreign {
            "the target's faults are its own, and the network is the real one"
        } else {
            "the network is the real one"
        };
        notes.push(format!("not played: {}; {why}", left_out.join(", ")));
    }
    if scenario.servers.len() > 1 {
        notes.push(
            "of the scenario's servers only the first is loaded, and its name does not move".to_owned(),
        );
        scenario.servers.truncate(1);
    }
    notes
}

/// The target that a server of our own will be.
fn own_target(data: DataForm) -> Target {
    let address = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
    // Its certificate is one of its own making.
    let tls = crate::live::tls::Trust::Anybody.into();
    Target { host: "127.0.0.1".to_owned(), address, implicit_tls: false, tls, data }
}

/// As many threads as are asked for; otherwise as the load needs: a core of this kind drives some thousand sessions a second,
/// and a second thread only takes time from a server on the same machine.
fn threads(asked: u32, demand: caps::Demand) -> u32 {
    /// So many users a second are one thread's.
    const RATE: f64 = 500.0;
    /// So many that are there at once.
    const SESSIONS: f64 = 10_000.0;
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get) as u32;
    let needed = (demand.rate / RATE).max(demand.sessions / SESSIONS).ceil() as u32;
    if asked > 0 { asked } else { needed.clamp(1, cores) }
}

/// What was run.
struct Ran {
    load: Load,
    target: TargetFacts,
    /// How our own server ended, if it did so before the run.
    death: Option<String>,
}

/// Runs the replications one after the other, each against a new server if it is our own.
fn replicate(
    args: &Args,
    mut plan: Plan,
    own: bool,
    (watch, gauges, meter): (&Arc<Watch>, &Arc<Gauges>, Option<&Meter>),
    map: &str,
) -> Result<Ran, Failure> {
    let mut load = Load::new(&plan.scenario);
    let wanted = plan.scenario.replications;
    let mut death = None;
    for number in 0..wanted {
        let mut server =
            own.then(|| OwnServer::start(args.scenario.as_deref(), plan.scenario.seed, watch)).transpose()?;
        if let Some(server) = &server {
            plan.target.address = server.address;
        }
        if !args.quiet {
            say_begin(&plan, own, number);
        }
        plan.replication = number;
        plan.dialogue = plan.dialogue.filter(|_| number == 0);
        plan.epoch = Epoch::after(if plan.processes > 1 { FLEET_RUN_UP } else { RUN_UP });
        if let Some(server) = &mut server {
            server.begin(plan.epoch)?;
        }
        let watched = server.as_ref().map_or(watch, |server| &server.watch);
        let cut = one(&plan, (watched, gauges, meter), args.quiet, &mut load)?;
        death = server.as_mut().and_then(OwnServer::death);
        if cut || death.is_some() || (watch.is_stopped() && number + 1 < wanted) {
            break;
        }
    }
    load.study.partial |= load.study.runs.len() < wanted as usize;
    Ok(Ran { load, target: facts(&plan.target, own, map), death })
}

/// Runs one replication; says whether it was cut short. One that was is kept only if there is no whole one.
fn one(
    plan: &Plan,
    (watch, gauges, meter): (&Watch, &Arc<Gauges>, Option<&Meter>),
    quiet: bool,
    load: &mut Load,
) -> Result<bool, Failure> {
    gauges.reset();
    meter.inspect(|meter| meter.begin());
    let screen = Screen::new(plan.scenario.duration);
    let mut measuring = load.begin(&plan.scenario);
    let (_fleet, workers) = Fleet::start(plan)?;
    let health = screen.shown(gauges, Clock::of(plan.epoch), watch, quiet, || {
        load::lead(plan, workers, watch, gauges, &mut |heard| {
            screen.hear(&heard);
            meter.inspect(|meter| meter.hear(&heard));
            measuring.hear(heard);
        })
    });
    let health = health.map_err(broken)?;
    let measured = measuring.finish();
    let cut = measured.recorder.end() < Instant::ZERO + plan.scenario.duration;
    if !cut || load.study.runs.is_empty() {
        load.add(measured, health);
        load.study.partial = cut;
    }
    Ok(cut)
}

fn broken(Trouble(why): Trouble) -> Failure {
    Failure::Other(anyhow::anyhow!("{why}"))
}

fn say_begin(plan: &Plan, own: bool, number: u32) {
    let of = match plan.scenario.replications {
        1 => String::new(),
        all => format!(", run {} of {all}", number + 1),
    };
    let what =
        if own { format!("own {} server", plan.scenario.policy().profile) } else { "target".to_owned() };
    let at = url(&plan.target);
    eprintln!(
        "seed {}: {} for {}, {what} at {at}{of}",
        plan.scenario.seed, plan.scenario.name, plan.scenario.duration
    );
}

fn url(target: &Target) -> String {
    let scheme = if target.implicit_tls { "ftps" } else { "ftp" };
    let host = if target.host.contains(':') { format!("[{}]", target.host) } else { target.host.clone() };
    format!("{scheme}://{host}:{}", target.address.port())
}

fn facts(target: &Target, own: bool, sources: &str) -> TargetFacts {
    TargetFacts {
        url: url(target),
        address: target.address.ip().to_string(),
        own,
        sources: sources.to_owned(),
    }
}

fn open_folder(scenario: &Scenario, args: &Args) -> anyhow::Result<Folder> {
    let default = || Path::new("ftp421-out").join(format!("{}-load", scenario.name));
    let path = args.out.clone().unwrap_or_else(default);
    let mut names = vec!["manifest.json".to_owned()];
    names.extend(args.dialogue.as_ref().map(|_| "dialogue.txt".to_owned()));
    names.extend(report::file_names(true));
    Folder::open(&path, &names).context("nothing was sent")
}

/// The exit code: whether it was whole, then whether it can be believed, then what it says.
fn verdict(outcome: &Outcome) -> ExitCode {
    let summary: &Summary = &outcome.summary;
    if summary.partial {
        INTERRUPTED.into()
    } else if summary.generator.as_ref().is_some_and(|generator| !generator.limited_by.is_empty()) {
        NOT_VALID.into()
    } else if experiment::nobody_let_in(summary).is_some() {
        FAILED.into()
    } else if summary.thresholds.iter().any(|threshold| !threshold.ok) {
        THRESHOLD.into()
    } else {
        FINE
    }
}
