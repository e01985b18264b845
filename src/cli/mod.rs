//! The command line: what was typed, what it means, and the exit code.
//!
//! It computes nothing of a result. One file a subcommand.

mod accounts;
mod caps;
mod check;
mod clients;
mod deliver;
mod exit;
mod fleet;
mod init;
mod interrupt;
mod load;
mod man;
mod manifest;
mod metrics;
mod onset;
mod orders;
mod output;
mod own_server;
mod profiles;
mod progress;
mod read;
mod report;
mod screen;
pub mod scribe;
mod serve;
mod sim;
mod tamper;
mod target;
mod unfinished;
mod verify;

use std::process::ExitCode;

use clap::{CommandFactory as _, Parser, Subcommand};

use exit::Failure;

/// When does an FTP server start saying 421, why, and what happens to the clients then?
#[derive(Debug, Parser)]
#[command(version, propagate_version = true, arg_required_else_help = true, max_term_width = 110)]
#[command(after_help = "Examples:
  ftp421 sim                                 simulate a built-in scenario and leave charts in ./ftp421-out
  ftp421 load                                half a minute on real sockets, against a server of our own
  ftp421 init > mine.toml                    a commented scenario to start from
  ftp421 check mine.toml                     what it will do, in words
  ftp421 sim mine.toml --json | jq .counts   the result for a machine

Exit codes: 0 fine, 1 the run failed, 2 usage, 99 a threshold failed, 104 the scenario is invalid,
105 interrupted (what was measured is kept), 106 the safety rule forbids it, 109 the result is not valid.")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Simulate a scenario: the main job
    Sim(sim::Args),
    /// Run a scenario's clients over real sockets, against a server or our own model of one
    Load(load::Args),
    /// Be the modelled server, for real clients
    Serve(serve::Args),
    /// Tell a served model what to do: shut down, ban somebody, change a limit, stall
    Order(orders::Args),
    /// Say in words what a scenario will do, or what is wrong with it
    Check(check::Args),
    /// Find where refusals begin, with intervals
    Onset(onset::Args),
    /// Write a commented scenario to start from
    Init(init::Args),
    /// Run a result again and compare digests
    Verify(verify::Args),
    /// Draw the charts of a result again, without running it
    Report(report::Args),
    /// Show what a server profile does, and where each fact comes from
    Profiles(profiles::Args),
    /// Print a completion script for a shell
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page (roff)
    Man,
}

/// Does what the command line says, and returns the exit code.
pub fn run() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Sim(args) => sim::run(&args),
        Command::Load(args) => load::run(&args),
        Command::Serve(args) => serve::run(&args),
        Command::Order(args) => orders::run(&args),
        Command::Check(args) => check::run(&args),
        Command::Onset(args) => onset::run(&args),
        Command::Init(args) => init::run(&args),
        Command::Verify(args) => verify::run(&args),
        Command::Report(args) => report::run(&args),
        Command::Profiles(args) => profiles::run(&args),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "ftp421", &mut script);
            output::print(&script).map(|()| exit::FINE)
        }
        Command::Man => man::run(Cli::command()),
    };
    outcome.unwrap_or_else(|failure: Failure| failure.report())
}
