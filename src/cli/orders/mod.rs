//! Orders to a served model from the command line: `serve --at`, `serve --control`, and `ftp421 order`, which talks to the latter.
//!
//! What an order means stands in `live::serve::orders`.

mod client;
mod socket;

use std::path::PathBuf;

use super::exit::Failure;
use crate::live::serve::orders::{Desk, GRAMMAR, Timed};
use crate::server::Policy;

pub(super) use client::{Args, run};
pub(super) use socket::Socket;

/// The flags of `serve` about orders.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Orders")]
pub(super) struct OrderArgs {
    /// Do something so long after the start, such as --at '10s shutdown announce 5s' --at '20s up'. `ftp421 order --help` lists what can
    /// be ordered. May be said again
    #[arg(long, value_name = "TIME ORDER")]
    at: Vec<String>,
    /// Take orders at this Unix-domain socket, from this user only: see `ftp421 order`
    #[arg(long, value_name = "PATH", env = "FTP421_CONTROL")]
    control: Option<PathBuf>,
}

impl OrderArgs {
    /// The orders of `--at`, for a server of `policy`.
    pub(super) fn timed(&self, policy: &Policy) -> Result<Vec<Timed>, Failure> {
        let parsed = self.at.iter().map(|text| Timed::parse(text, policy));
        let timed: Result<Vec<Timed>, String> = parsed.collect();
        timed.map_err(|why| Failure::Usage(format!("--at: {why}")))
    }

    /// The socket of `--control`, open until it is dropped.
    pub(super) fn socket(&self, desk: &Desk) -> Result<Option<Socket>, Failure> {
        let open = |path: &PathBuf| Socket::open(path, desk.clone());
        self.control.as_ref().map(open).transpose().map_err(Failure::Other)
    }
}

/// All orders with what they do, for help texts.
fn listed() -> String {
    let widest = GRAMMAR.iter().map(|(form, _)| form.len()).filter(|wide| *wide < 32).max().unwrap_or(0);
    let line = |(form, does): &(&str, &str)| match form.len() <= widest {
        true => format!("  {form:widest$}  {does}\n"),
        false => format!("  {form}\n  {:widest$}  {does}\n", ""),
    };
    GRAMMAR.iter().map(line).collect()
}
