//! Runs all peers in turn, holds each against theory, and prints the tables in Markdown.
//!
//! It builds nothing: `../run` does, and says where the programs are. A peer that models something else than theory says makes
//! it fail; no time does.

mod judge;
mod peers;
mod runs;
mod theory;

use std::process::ExitCode;

use judge::{Verdict, filling, refuse_alike, steady};
use peers::PEERS;
use runs::{Program, Run, in_turn};
use workload::Load;

/// Ten thousand clients for a thousand seconds: a million arrivals, in slices of 40 s, of which the first two fill the server.
const TEN_THOUSAND: Load = Load { seed: 0, rate: 1000.0, limit: 10_000, seconds: 1000, slices: 25 };

/// A tenth of that, to see whether all is well.
const THOUSAND: Load = Load { seed: 0, rate: 100.0, limit: 1000, seconds: 1000, slices: 25 };

const WARMUP: usize = 2;

/// A million clients: three million arrivals, of which two million fill the server.
const MILLION: Load = Load { seed: 0, rate: 100_000.0, limit: 1_000_000, seconds: 30, slices: 30 };

const FILLED_S: u32 = 20;

/// `ROUNDS MILLION_ROUNDS quick|full KEY=WORD|WORD.. ..`
fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match run(&args) {
        Ok(wrong) if wrong.is_empty() => ExitCode::SUCCESS,
        Ok(wrong) => {
            for line in wrong {
                eprintln!("WRONG: {line}");
            }
            ExitCode::FAILURE
        }
        Err(why) => {
            eprintln!("error: {why}");
            ExitCode::FAILURE
        }
    }
}

/// What is wrong, if anything is.
fn run(args: &[String]) -> Result<Vec<String>, String> {
    let [rounds, million_rounds, size, programs @ ..] = args else {
        return Err("wanted ROUNDS MILLION_ROUNDS quick|full KEY=WORD|WORD..".into());
    };
    let number = |text: &str| text.parse::<u64>().map_err(|_| format!("{text:?} is no number of rounds"));
    let (rounds, million_rounds) = (number(rounds)?, number(million_rounds)?);
    let programs: Vec<Program> = PEERS.iter().filter_map(|peer| program(peer, programs)).collect();
    let all: Vec<&Program> = programs.iter().collect();
    print_units(&all);
    let mut wrong = Vec::new();
    if rounds > 0 {
        let load = if size == "quick" { THOUSAND } else { TEN_THOUSAND };
        let runs = in_turn(&all, load, rounds, None)?;
        println!("\n#### {} clients at once, {rounds} rounds\n", grouped(load.limit.into()));
        println!(
            "{} arrivals/s for {} s, limit {}, E[S] = 3 x 3.3 s + 10 x 0.025 s = 10.15 s: {} erlangs offered. Refused and in use: \
             after the first {} s.\n",
            load.rate,
            load.seconds,
            grouped(load.limit.into()),
            grouped(load.offered().round() as u64),
            WARMUP as u32 * load.seconds / load.slices,
        );
        let verdicts: Vec<Verdict> = runs.iter().map(|runs| steady(load, runs, WARMUP)).collect();
        print_table(&all, &runs, &verdicts, "Erlang B");
        wrong.extend(disagreements(&all, &runs, &verdicts, |peer| peer.same_dice));
    }
    if million_rounds > 0 {
        let able: Vec<&Program> =
            programs.iter().filter(|program| program.peer.no_million.is_none()).collect();
        let runs = in_turn(&able, MILLION, million_rounds, Some(FILLED_S))?;
        println!("\n#### A million clients at once, {million_rounds} rounds\n");
        println!(
            "{} arrivals/s, limit {}. Only the last {} s of {} are counted: the server is filled by then.\n",
            MILLION.rate,
            grouped(MILLION.limit.into()),
            MILLION.seconds - FILLED_S,
            MILLION.seconds,
        );
        let verdicts: Vec<Verdict> = runs.iter().map(|runs| filling(MILLION, runs, FILLED_S)).collect();
        print_table(&able, &runs, &verdicts, "the fluid limit");
        for program in &programs {
            if let Some(why) = program.peer.no_million {
                println!("\nLeft out here: {}, {why}.", program.peer.name);
            }
        }
        wrong.extend(disagreements(&able, &runs, &verdicts, |peer| peer.same_dice_at_a_million));
    }
    Ok(wrong)
}

fn program(peer: &'static peers::Peer, given: &[String]) -> Option<Program> {
    let words = given.iter().find_map(|word| word.strip_prefix(peer.key)?.strip_prefix('='))?;
    Some(Program { peer, command: words.split('|').map(str::to_owned).collect() })
}

/// What the programs are: the same for every load.
fn print_units(programs: &[&Program]) {
    println!("| program | models | one event is |\n|---|---|---|");
    for Program { peer, .. } in programs {
        println!("| {} | {} | {} |", peer.name, peer.models, peer.event);
    }
    println!();
}

fn print_table(programs: &[&Program], runs: &[Vec<Run>], verdicts: &[Verdict], theory: &str) {
    println!(
        "| program | events a session | CPU ns an event | CPU ns a session | x ftp421's | refused, % | off {theory}, standard errors | \
         slots in use | peak MiB |\n|---|--:|--:|--:|--:|--:|--:|--:|--:|"
    );
    let per_session = |run: &Run| run.cpu_s * 1e9 / run.clients;
    for ((program, its), verdict) in programs.iter().zip(runs).zip(verdicts) {
        let each = |of: &dyn Fn(&Run) -> f64| Spread::of(its.iter().map(of));
        let ratio =
            Spread::of(its.iter().zip(&runs[0]).map(|(run, ours)| per_session(run) / per_session(ours)));
        println!(
            "| {} | {:.1} | {} | {} | {} | {:.2} ± {:.2} | {:+.1} | {} | {:.0} |",
            program.peer.name,
            each(&|run| run.events / run.clients).median,
            each(&|run| run.cpu_s * 1e9 / run.events).show(),
            each(&per_session).show(),
            if programs[0].peer.key == "ours" { ratio.show() } else { "-".into() },
            verdict.refused.seen * 100.0,
            verdict.refused.error * 100.0,
            verdict.refused.away(),
            grouped(verdict.busy.seen.round() as u64),
            each(&|run| run.answer.rss_kib as f64 / 1024.0).median,
        );
    }
    println!("\nOf {theory}: {:.3} % refused.", verdicts[0].refused.theory * 100.0);
}

fn disagreements(
    programs: &[&Program],
    runs: &[Vec<Run>],
    verdicts: &[Verdict],
    same_dice: impl Fn(&peers::Peer) -> bool,
) -> Vec<String> {
    let mut wrong = Vec::new();
    for (program, verdict) in programs.iter().zip(verdicts) {
        for (what, mean) in [("refused fraction", verdict.refused), ("slots in use", verdict.busy)] {
            if mean.is_wrong() {
                wrong.push(format!(
                    "{}: {what} {:.5} is {:+.1} standard errors off {:.5}: it models something else",
                    program.peer.name,
                    mean.seen,
                    mean.away(),
                    mean.theory
                ));
            }
        }
    }
    let alike: Vec<usize> = (0..programs.len()).filter(|place| same_dice(programs[*place].peer)).collect();
    for place in &alike {
        if !refuse_alike(&runs[*place], &runs[alike[0]]) {
            wrong.push(format!(
                "{} and {} have the same dice and do not refuse the same clients",
                programs[*place].peer.name, programs[alike[0]].peer.name
            ));
        }
    }
    if wrong.is_empty() {
        println!(
            "All agree with it; the {} with the same dice refuse the same clients, slice by slice.",
            alike.len()
        );
    }
    wrong
}

/// A median, and what is around it.
struct Spread {
    least: f64,
    median: f64,
    most: f64,
}

impl Spread {
    fn of(values: impl Iterator<Item = f64>) -> Self {
        let mut values: Vec<f64> = values.collect();
        values.sort_by(f64::total_cmp);
        let middle = values.len() / 2;
        let median =
            if values.len() % 2 == 1 { values[middle] } else { values[middle - 1].midpoint(values[middle]) };
        Self { least: values[0], median, most: values[values.len() - 1] }
    }

    fn show(&self) -> String {
        format!("{} ({} - {})", digits(self.median), digits(self.least), digits(self.most))
    }
}

/// Three digits that count.
fn digits(x: f64) -> String {
    match x.abs() {
        x if x >= 1000.0 => grouped(x.round() as u64),
        x if x >= 100.0 => format!("{x:.0}"),
        x if x >= 10.0 => format!("{x:.1}"),
        x => format!("{x:.2}"),
    }
}

/// With a space between thousands.
fn grouped(n: u64) -> String {
    if n < 1000 { n.to_string() } else { format!("{} {:03}", grouped(n / 1000), n % 1000) }
}
