//! Instructions of fixed runs, counted by callgrind: a number that a busy machine does not change.
//!
//! It measures no time, and knows nothing of caches: `world` and `calendar` do.

mod callgrind;
mod runs;

use std::process::ExitCode;
use std::{env, fs};

use callgrind::{Profile, count, largest};

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match arguments[..] {
        ["--play", name] => play(name),
        ["--top"] => top("loss"),
        ["--top", name] => top(name),
        _ => Err("usage: --top [RUN]".to_owned()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("counted: {why}");
            ExitCode::FAILURE
        }
    }
}

/// This is what valgrind runs.
fn play(name: &str) -> Result<(), String> {
    let run =
        runs::RUNS.iter().find(|run| run.name == name).ok_or_else(|| format!("there is no run {name:?}"))?;
    println!("{}", (run.play)());
    Ok(())
}

/// Where the instructions of a run go.
fn top(name: &str) -> Result<(), String> {
    const ROWS: usize = 25;
    let (count, out) = count(name)?;
    let text = fs::read_to_string(&out).map_err(|why| why.to_string())?;
    let profile = Profile::parse(&text);
    let events = count.done.events as f64;
    println!(
        "{name}: {} events, {} instructions, {:.1} an event",
        count.done.events,
        count.instructions,
        count.instructions as f64 / events
    );
    for (title, table) in [("functions", &profile.functions), ("lines of source", &profile.lines)] {
        println!("\n{title}, instructions an event and share, without what they call:");
        for (what, cost) in largest(table).into_iter().take(ROWS) {
            let share = 100.0 * cost as f64 / count.instructions as f64;
            println!("{:9.1} {share:5.1} %  {what}", cost as f64 / events);
        }
    }
    Ok(())
}
