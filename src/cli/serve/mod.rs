//! `ftp421 serve`: the modelled server for real clients.
//!
//! Each group of flags has a file of its own, which says what they mean; here they become one [`Plan`].

mod door;
mod files;
mod guests;
mod model;
mod ready;
mod results;
mod signals;
mod talk;
mod tape;

use std::io::BufRead as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;

use anyhow::Context as _;

use super::exit::{FINE, Failure};
use super::metrics::MetricsArgs;
use super::orders::OrderArgs;
use super::tamper::WireArgs;
use super::{caps, interrupt};
use crate::live::Epoch;
use crate::live::scrape::Side;
use crate::live::serve::{self, Plan};
use crate::time::Duration;
use crate::watch::Watch;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ftp421 serve --port 2121 &
  curl ftp://127.0.0.1:2121/
  ftp421 serve --profile vsftpd --max-clients 3 --idle-timeout 5s --port 2121
  ftp421 serve --profile pure-ftpd --max-per-ip 2 --user alice:secret --no-anonymous
  ftp421 serve --tls required --cert-out cert.pem --ready-file ready
  ftp421 serve --profile vsftpd --at '10s shutdown announce 5s' --at '20s up'
  ftp421 serve scenarios/load-restart.toml --verbose --port 2121

Its first line on standard output is `ready ftp://ADDRESS`. SIGTERM and SIGHUP do what they do to the real server: the sessions of
vsftpd, for one, live on, and it ends with the last of them. Ctrl-C or a second SIGTERM ends it at once.

Who may log in: anonymous, and ftp421 with the password ftp421; of a scenario its users, with that password; where --user or
--users is given, those. It serves this machine only.")]
pub(super) struct Args {
    #[command(flatten)]
    model: model::ModelArgs,
    #[command(flatten)]
    door: door::DoorArgs,
    #[command(flatten)]
    guests: guests::GuestArgs,
    #[command(flatten)]
    files: files::FileArgs,
    #[command(flatten)]
    orders: OrderArgs,
    #[command(flatten)]
    wire: WireArgs,
    #[command(flatten)]
    metrics: MetricsArgs,
    #[command(flatten)]
    tape: tape::TapeArgs,
    #[command(flatten)]
    results: results::ResultArgs,
    /// End by itself after this time, such as 10m
    #[arg(long, value_name = "TIME", value_parser = caps::time)]
    duration: Option<Duration>,
    /// Write the URL to this file as soon as it listens, and remove it at the end
    #[arg(long, value_name = "FILE")]
    ready_file: Option<PathBuf>,
    /// Say nothing but the ready line and errors
    #[arg(long, short)]
    quiet: bool,
    /// Say what happens as it does: a line for each refusal and each fault
    #[arg(long, short, conflicts_with = "quiet")]
    verbose: bool,
    /// The time of its faults begins when standard input says so; ends with standard input
    #[arg(long, hide = true)]
    child: bool,
}

pub(super) fn run(args: &Args) -> Result<ExitCode, Failure> {
    match args.tape.recorded()? {
        Some(args) => serve(&args),
        None => serve(args),
    }
}

fn serve(args: &Args) -> Result<ExitCode, Failure> {
    let listen = args.door.listen()?;
    let mut scenario = args.model.scenario(args.child)?;
    args.wire.add_to(&mut scenario);
    let guests = args.guests.guests(&scenario, args.model.file().is_some() || args.child)?;
    let timed = args.orders.timed(scenario.policy())?;
    let plan = Plan {
        listen,
        timed,
        length: args.duration.unwrap_or(Duration::FOREVER),
        implicit_tls: args.door.implicit_tls(),
        acceptor: args.door.acceptor(&scenario)?,
        guests,
        ..Plan::of(Arc::new(scenario))
    };
    let plan = args.files.of(plan)?;
    let meter = args.metrics.open(Side::Server, plan.scenario.policy().profile.clone(), args.quiet)?;
    let plan = Plan { meter, ..plan };
    let (plan, recording) = args.tape.of(plan, args.model.file())?;
    let (plan, talk) = if args.verbose { told(plan)? } else { (plan, None) };
    let results = args.results.begin(&plan.scenario, args.child)?;
    let watch = Arc::new(Watch::default());
    let (desk, orders) = serve::orders::desk();
    let _socket = args.orders.socket(&desk)?;
    // Whoever started a child has told his user everything, and has the Ctrl-C.
    let quiet = args.quiet || args.child;
    if args.child {
        interrupt::stops(&watch)?;
    } else {
        let say = move |words: &str| {
            if !quiet {
                eprintln!("{words}");
            }
        };
        signals::obey(&watch, desk, plan.scenario.policy(), say)?;
    }
    let ready = ready::Ready::new(args.ready_file.clone())?;
    let mut untold = None;
    let mut url = String::new();
    let mut begin = |address: SocketAddr| {
        url = args.door.url(address);
        if !quiet {
            eprint!("{}", talk::introduced(&plan, &url));
        }
        let recorded =
            recording.as_ref().map_or(Ok(()), |it| it.listens(address, args.model.file().is_some()));
        if let Err(error) = recorded.and_then(|()| ready.tell(&url)) {
            untold = Some(error);
            watch.ask_to_stop();
        }
        if args.child { begun(&watch) } else { Epoch::after(Duration::ZERO) }
    };
    let served =
        serve::run(&plan, &watch, orders, &mut begin).with_context(|| format!("cannot serve at {listen}"))?;
    let scenario = Arc::clone(&plan.scenario);
    drop(plan);
    talk.map(JoinHandle::join); // it has nothing more to hear; a panic there has been told
    if let Some(error) = untold {
        return Err(error.into());
    }
    if let Some(results) = results {
        results.deliver((&scenario, args.model.file()), &served, &url, args.quiet)?;
    }
    if let Some(recording) = recording {
        recording.ended(args.quiet)?;
    }
    Ok(FINE)
}

/// The same plan, of which somebody hears the news.
fn told(plan: Plan) -> anyhow::Result<(Plan, Option<JoinHandle<()>>)> {
    let (news, heard) = serve::news::news();
    let talk = talk::spoken(heard).context("cannot start a thread")?;
    Ok((Plan { news: Some(news), ..plan }, Some(talk)))
}

/// Waits for `begin <epoch>` on standard input. When that ends, so does the server.
fn begun(watch: &Arc<Watch>) -> Epoch {
    let mut line = String::new();
    let read = std::io::stdin().lock().read_line(&mut line).unwrap_or(0);
    let epoch = line.trim().strip_prefix("begin ").and_then(|ns| ns.parse().ok());
    if read == 0 || epoch.is_none() {
        watch.stop.store(true, Ordering::Relaxed);
    }
    let watch = Arc::clone(watch);
    std::thread::spawn(move || {
        let mut rest = String::new();
        while std::io::stdin().lock().read_line(&mut rest).is_ok_and(|read| read > 0) {
            rest.clear();
        }
        watch.stop.store(true, Ordering::Relaxed);
    });
    Epoch(epoch.unwrap_or(0))
}
