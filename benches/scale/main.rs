//! The scale curve: what an event and a client cost from a hundred concurrent clients to a million, on the wheel and on the standard
//! library's heap.
//!
//! ```sh
//! cargo bench --bench scale                              # measures and tells
//! cargo bench --bench scale -- --clients 10000,1000000   # only these sizes
//! ```
//!
//! The workload is the FTP loss workload (see `trial`), scaled by rate and limit. Each run fills up for 30 virtual seconds and is
//! measured behind them, in a process of its own, by processor time. Calendars take turns, and medians are told: on a machine
//! that others use only the ratios mean much.

mod trial;

use std::process::ExitCode;

use clap::Parser;
use ftp421::sim::Pending;
use trial::Trial;

#[derive(Debug, Parser)]
struct Args {
    /// Sizes: concurrent clients
    #[arg(long, value_delimiter = ',', default_value = "100,1000,10000,100000,1000000")]
    clients: Vec<u64>,
    /// Runs of each calendar of which the median is told
    #[arg(long, default_value_t = 5)]
    tries: usize,
    /// Leave out the heap
    #[arg(long)]
    wheel_only: bool,
    /// Run once and print JSON: what this program calls itself with
    #[arg(long, hide = true)]
    one: Option<String>,
    /// Given by cargo
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> ExitCode {
    let args = Args::parse();
    if let Some(calendar) = &args.one {
        let pending = if calendar == "heap" { Pending::Heap } else { Pending::Wheel };
        let told = serde_json::to_string(&trial::run(args.clients[0], pending)).expect("numbers are JSON");
        println!("{told}");
        return ExitCode::SUCCESS;
    }
    match measure(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

fn measure(args: &Args) -> std::io::Result<()> {
    println!(
        "clients | ns an event: wheel, heap (each try) | heap/wheel | M events/CPU-s | M commands/CPU-s | mean connections | pending/client | bytes a client: allocated, resident | allocator calls"
    );
    for &clients in &args.clients {
        let mut wheel: Vec<Trial> = Vec::new();
        let mut heap: Vec<Trial> = Vec::new();
        for _ in 0..args.tries {
            wheel.push(trial::run_apart(clients, Pending::Wheel)?);
            if !args.wheel_only {
                heap.push(trial::run_apart(clients, Pending::Heap)?);
            }
        }
        let ns = |t: &Trial| t.cpu_s * 1e9 / t.events as f64;
        let all = |ts: &[Trial]| ts.iter().map(|t| format!("{:.0}", ns(t))).collect::<Vec<_>>().join(" ");
        let med = |ts: &[Trial]| {
            let mut v: Vec<f64> = ts.iter().map(ns).collect();
            v.sort_by(f64::total_cmp);
            v.get(v.len() / 2).copied().unwrap_or(f64::NAN)
        };
        let t = &wheel[0];
        println!(
            "{clients} | {:.1} ({}), {:.1} ({}) | {:.2} | {:.2} | {:.2} | {:.0} | {:.2} | {:.0}, {:.0} | {}",
            med(&wheel),
            all(&wheel),
            med(&heap),
            all(&heap),
            med(&heap) / med(&wheel),
            1e3 / med(&wheel),
            t.commands as f64 / t.events as f64 * 1e3 / med(&wheel),
            t.connections,
            t.pending as f64 / t.connections,
            t.allocated as f64 / t.connections,
            t.resident as f64 / t.connections,
            t.allocations,
        );
    }
    Ok(())
}
