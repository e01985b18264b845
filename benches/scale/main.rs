//! The scale curve: what an event and a client cost from a hundred concurrent clients to a million, on the wheel and on the standard
//! library's heap.
//!
//! ```sh
//! cargo bench --bench scale                                          # measures and tells
//! cargo bench --bench scale -- --clients 10000 --tries 3 --wheel-only  # one size, ours alone
//! cargo bench --bench scale -- --bless                               # measures, and writes docs/scale/*, docs/scale.md
//! cargo bench --bench scale -- --draw                                # writes chart and tables again from docs/scale/*.csv
//! ```
//!
//! The workload is the FTP loss workload (see `loss`), scaled by rate and limit. Each run fills up for 30 virtual seconds and is
//! measured behind them, in a process of its own, by processor time. Sizes and calendars take turns, and medians are told: on a
//! machine that others use only the ratios mean much. What the numbers mean stands in docs/scale.md.

#[path = "../loss.rs"]
mod loss;
mod memory;
mod page;
mod table;
mod trial;

use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::{fs, io};

use clap::Parser;
use memory::Load;
use page::Measured;
use trial::{Calendar, Trial};

#[derive(Debug, Parser)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the command line")]
struct Args {
    /// Sizes: concurrent clients, a multiple of ten each
    #[arg(long, value_delimiter = ',', default_value = "100,1000,10000,100000,1000000")]
    clients: Vec<u64>,
    /// Runs of each size on each calendar, of which the median is told
    #[arg(long, default_value_t = 5)]
    tries: usize,
    /// Leave out the heap
    #[arg(long)]
    wheel_only: bool,
    /// Write what was measured to docs/scale, and the chart and the tables
    #[arg(long)]
    bless: bool,
    /// Measure nothing: write the chart and the tables again
    #[arg(long, conflicts_with = "bless")]
    draw: bool,
    /// Also write the chart as a bitmap
    #[arg(long, value_name = "FILE")]
    png: Option<PathBuf>,
    /// Run once and print JSON: what this program calls itself with. `tries` is then the number of the try
    #[arg(long, hide = true)]
    one: Option<Calendar>,
    /// Given by cargo
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let done = match args.one {
        Some(calendar) => tell(&trial::run(args.tries, args.clients[0], calendar)),
        None if args.draw => Measured::read().and_then(|measured| measured.draw(args.png.as_ref())),
        None => measure(&args),
    };
    if let Err(why) = done {
        eprintln!("scale: {why}");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

fn tell(trial: &Trial) -> io::Result<()> {
    println!("{}", serde_json::to_string(trial)?);
    Ok(())
}

fn measure(args: &Args) -> io::Result<()> {
    let (mut trials, mut loads): (Vec<Trial>, Vec<Load>) = (Vec::new(), Vec::new());
    for turn in 1..=args.tries {
        loads.extend(memory::loads(turn));
        for &clients in &args.clients {
            let wheel = one(turn, clients, Calendar::Wheel)?;
            if !args.wheel_only {
                let heap = one(turn, clients, Calendar::Heap)?;
                assert_eq!(
                    wheel.digest, heap.digest,
                    "the calendar changes what happens, at {clients} clients"
                );
                trials.push(heap);
            }
            trials.push(wheel);
        }
    }
    let measured = Measured { machine: machine(), trials, loads };
    print!("{}", measured.tables());
    if args.bless {
        measured.write()?;
        measured.draw(args.png.as_ref())?;
    }
    Ok(())
}

fn one(turn: usize, clients: u64, calendar: Calendar) -> io::Result<Trial> {
    let trial = trial::run_apart(turn, clients, calendar)?;
    eprintln!("try {turn}: {clients} clients on the {calendar:?}: {:.1} ns an event", trial.ns());
    Ok(trial)
}

/// The processor, its cores and the day.
fn machine() -> String {
    let cpus = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpus
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(':'))
        .map(|(_, name)| name.trim());
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let day = Command::new("date")
        .args(["-u", "+%F"])
        .output()
        .map(|out| String::from_utf8_lossy(&out.stdout).trim().to_owned());
    format!("{}, {cores} cores, {}", model.unwrap_or("an unknown processor"), day.unwrap_or_default())
}
