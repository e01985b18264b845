//! `ftp421 order`: gives an order to a served model, and says what came of it.
//!
//! It does not know what can be ordered: the server says.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;

use super::listed;
use crate::cli::exit::{FINE, Failure};
use crate::cli::output;

/// The longest answer that is read, bytes.
const LONGEST: u64 = 4 << 20;
/// How long an answer is waited for: longer than the longest `wait`.
const PATIENCE: Duration = Duration::from_secs(660);

#[derive(Debug, clap::Args)]
#[command(after_help = after_help())]
pub(in crate::cli) struct Args {
    /// The socket that the server was given by --control
    path: PathBuf,
    /// The order, in one argument or in several
    #[arg(required = true, allow_hyphen_values = true)]
    order: Vec<String>,
}

fn after_help() -> String {
    format!(
        "Orders:\n{}\nExamples:
  ftp421 serve --profile vsftpd --port 2121 --control ctl &
  ftp421 order ctl set max_clients 1
  ftp421 order ctl ban 127.0.0.1 10m
  ftp421 order ctl wait refusals 3 30s
  ftp421 order ctl status | jq .refused

It is also a socket to talk to: a line in, `ok ...` or `error ...` out. The exit code is 0 or 1, as the answer is.",
        listed()
    )
}

pub(in crate::cli) fn run(args: &Args) -> Result<ExitCode, Failure> {
    match ask(args)?.split_once(' ') {
        Some(("ok", told)) => output::print(format!("{told}\n").as_bytes())?,
        Some(("error", why)) => return Err(Failure::Other(anyhow::anyhow!("{why}"))),
        _ => return Err(Failure::Other(anyhow::anyhow!("{} has no order socket", args.path.display()))),
    }
    Ok(FINE)
}

fn ask(args: &Args) -> anyhow::Result<String> {
    let path = args.path.display();
    let mut stream = UnixStream::connect(&args.path)
        .with_context(|| format!("nobody takes orders at {path} (`ftp421 serve --control {path}` does)"))?;
    let talk = |stream: &mut UnixStream| {
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.write_all(format!("{}\n", args.order.join(" ")).as_bytes())?;
        let mut line = String::new();
        BufReader::new(stream.take(LONGEST)).read_line(&mut line)?;
        Ok::<_, std::io::Error>(line)
    };
    let line = talk(&mut stream).with_context(|| format!("no answer from {path}"))?;
    anyhow::ensure!(line.ends_with('\n'), "no answer from {path}: the server has ended");
    Ok(line.trim_end().to_owned())
}
