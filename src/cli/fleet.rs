//! The processes of a load beyond the first: this program again, with the same arguments and a number.
//!
//! They know their scenario from the same files. What the first process alone knows (where its own server listens, when the run
//! begins) it tells them in one line; then their standard output belongs to the engine. They end when their standard input does.

use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, bail};

use crate::live::Epoch;
use crate::live::load::{self, Plan, Trouble, Worker};

/// The argument that makes a process a worker.
const WORKER: &str = "--worker";

/// The workers of one run. When it is dropped they have ended.
#[derive(Debug, Default)]
pub(super) struct Fleet {
    children: Vec<Child>,
}

impl Fleet {
    /// Starts the workers that `plan` wants, and gives the engine's ends of their pipes.
    pub(super) fn start(plan: &Plan) -> anyhow::Result<(Self, Vec<Worker>)> {
        let program = std::env::current_exe().context("cannot find this program to start more processes")?;
        let (mut fleet, mut workers) = (Self::default(), Vec::new());
        for number in 1..plan.processes {
            let mut child = Command::new(&program)
                .args(std::env::args_os().skip(1))
                .args([WORKER, &number.to_string()])
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .process_group(0) // the Ctrl-C on our terminal is for us: we tell them
                .spawn()
                .context("cannot start another process")?;
            let pipes = (child.stdin.take(), child.stdout.take());
            fleet.children.push(child);
            let (Some(mut hears), Some(says)) = pipes else { bail!("another process has no pipes") };
            writeln!(hears, "{} {} {}", plan.epoch.0, plan.target.address, plan.replication)
                .context("another process has gone")?;
            workers.push(Worker { says: Box::new(says), hears: Box::new(hears) });
        }
        Ok((fleet, workers))
    }
}

impl Drop for Fleet {
    /// Their pipes are closed by now, which ends them.
    fn drop(&mut self) {
        for child in &mut self.children {
            let _ = child.wait(); // it cannot be waited for twice
        }
    }
}

/// This process is worker `number`: it does its part of `plan`, as far as the first process completes it.
pub(super) fn work(mut plan: Plan, number: u32) -> anyhow::Result<()> {
    let mut orders = BufReader::new(std::io::stdin());
    let mut line = String::new();
    orders.read_line(&mut line).context("the first process has gone")?;
    let words: Vec<&str> = line.split_whitespace().collect();
    let [epoch, address, replication] = words[..] else { bail!("the first process says {line:?}") };
    plan.epoch = Epoch(epoch.parse()?);
    plan.target.address = address.parse()?;
    plan.replication = replication.parse()?;
    load::work(&plan, number, orders, &mut std::io::stdout().lock())
        .map_err(|Trouble(why)| anyhow::anyhow!("{why}"))
}
