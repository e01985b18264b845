//! `ftp421 serve`: the modelled server for real clients.

use std::io::{BufRead as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use anyhow::Context as _;

use super::exit::{FINE, Failure};
use super::tamper::WireArgs;
use super::{interrupt, read};
use crate::live::Epoch;
use crate::live::serve::{self, Plan};
use crate::time::Duration;
use crate::watch::Watch;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ftp421 serve --port 2121 &
  curl ftp://127.0.0.1:2121/
  ftp421 serve scenarios/planned-restart.toml --port 2121

Every account of the scenario has the password ftp421; anonymous may say anything. What is in the files is made up as it is
sent, and what is uploaded is thrown away. It serves this machine only, and ends with Ctrl-C.")]
pub(super) struct Args {
    /// The scenario: its (first) server and its faults are played; without it a built-in one
    scenario: Option<PathBuf>,
    /// Where it listens; 0 picks a free port
    #[arg(long, env = "FTP421_PORT", default_value_t = 0)]
    port: u16,
    /// The address that it listens on: one of this machine's own
    #[arg(long, default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    host: IpAddr,
    /// Seed of all random streams, instead of the scenario's
    #[arg(long, env = "FTP421_SEED")]
    seed: Option<u64>,
    #[command(flatten)]
    wire: WireArgs,
    /// The time of its faults begins when standard input says so; ends with standard input
    #[arg(long, hide = true)]
    child: bool,
}

pub(super) fn run(args: &Args) -> Result<ExitCode, Failure> {
    if !args.host.is_loopback() {
        return Err(Failure::NotAllowed(format!(
            "{} is not an address of this machine only: a model that anybody can reach is a server that anybody can reach",
            args.host
        )));
    }
    let mut scenario = read::live_scenario(args.scenario.as_deref())?;
    scenario.seed = args.seed.unwrap_or(scenario.seed);
    args.wire.add_to(&mut scenario);
    let listen = SocketAddr::new(args.host, args.port);
    let plan = Plan { listen, ..Plan::of(Arc::new(scenario)) };
    let watch = Arc::new(Watch::default());
    interrupt::stops(&watch)?;
    let own = plan.notes();
    // Whoever started a child has told them.
    for note in plan.scenario.notes.iter().chain(&own).filter(|_| !args.child) {
        eprintln!("note: {note}");
    }
    let mut ready = |address: SocketAddr| {
        // Whoever started it may not care to read this.
        let mut out = std::io::stdout().lock();
        let _ = writeln!(out, "ready ftp://{address}").and_then(|()| out.flush());
        if args.child { begun(&watch) } else { Epoch::after(Duration::ZERO) }
    };
    let (_desk, orders) = serve::orders::desk();
    serve::run(&plan, &watch, orders, &mut ready).with_context(|| format!("cannot serve at {listen}"))?;
    Ok(FINE)
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
