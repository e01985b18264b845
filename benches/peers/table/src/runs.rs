//! Runs the programs in turn and keeps what they answer.
//!
//! It judges nothing.

use std::process::{Command, Stdio};

use workload::{Answer, Load};

use crate::peers::Peer;

/// A program that is there.
pub struct Program {
    /// What it is.
    pub peer: &'static Peer,
    /// Its words.
    pub command: Vec<String>,
}

impl Program {
    /// One run; a program that fails is an error.
    fn run(&self, load: Load) -> Result<Answer, String> {
        let failed = |why: String| format!("{} failed: {why}", self.peer.name);
        let output = Command::new(&self.command[0])
            .args(&self.command[1..])
            .args(load.to_args())
            .stderr(Stdio::inherit())
            .output()
            .map_err(|e| failed(e.to_string()))?;
        if !output.status.success() {
            return Err(failed(output.status.to_string()));
        }
        serde_json::from_slice(&output.stdout).map_err(|e| failed(e.to_string()))
    }
}

/// What counts of one run, or of the end of one.
pub struct Run {
    /// Events.
    pub events: f64,
    /// Clients that came.
    pub clients: f64,
    /// CPU time, s.
    pub cpu_s: f64,
    /// The whole answer.
    pub answer: Answer,
}

/// `rounds` runs of each program, one after the other in each round, each round beginning with another program, each with the
/// round's number as its seed. If `from_s` is given, only what is done after that virtual second counts: a second run that ends
/// there is taken off.
pub fn in_turn(
    programs: &[&Program],
    load: Load,
    rounds: u64,
    from_s: Option<u32>,
) -> Result<Vec<Vec<Run>>, String> {
    let mut runs: Vec<Vec<Run>> = programs.iter().map(|_| Vec::new()).collect();
    for round in 0..rounds {
        for turn in 0..programs.len() {
            let place = (turn + round as usize) % programs.len();
            let load = Load { seed: round + 1, ..load };
            eprint!("\rround {} of {rounds}: {:<45}", round + 1, programs[place].peer.name);
            let answer = programs[place].run(load)?;
            let before = match from_s {
                Some(seconds) => programs[place].run(Load { seconds, slices: seconds, ..load })?,
                None => Answer { events: 0, clients: 0, cpu_s: 0.0, rss_kib: 0, slices: Vec::new() },
            };
            runs[place].push(Run {
                events: (answer.events - before.events) as f64,
                clients: (answer.clients - before.clients) as f64,
                cpu_s: answer.cpu_s - before.cpu_s,
                answer,
            });
        }
    }
    eprintln!("\r{:60}", "");
    Ok(runs)
}
