//! Instructions of fixed runs, counted by callgrind and held against `counted.toml`: a busy machine does not change them.
//!
//! It measures no time and knows nothing of caches: the other benches do.
//!
//! `cargo bench --locked --profile counted --bench counted` compares and fails if a run has become dearer; with
//! `-- --record` it writes the record anew, with `-- --top RUN` it shows where the instructions of a run go.

mod callgrind;
#[path = "../loss.rs"]
mod loss;
mod record;
mod runs;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::{env, fs};

use callgrind::{Profile, first_line, largest};
use record::{Count, Place, Record, Verdict};
use runs::RUNS;

const USAGE: &str = "after `--`: [--record | --top [RUN] | RUN...]";

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let is_bench = arguments.iter().any(|argument| argument == "--bench");
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).filter(|a| *a != "--bench").collect();
    let done = match arguments[..] {
        ["--play", name] => play(name),
        _ if !is_bench => said("not counted: this was not run as a bench"), // `cargo test --all-targets`
        _ if first_line("valgrind", &["--version"]).is_none() => {
            said("NOT COUNTED: this machine has no valgrind.")
        }
        ["--record"] => renew(),
        ["--top"] => top("loss"),
        ["--top", name] => top(name),
        [] => compare(&RUNS.iter().map(|run| run.name).collect::<Vec<_>>()),
        ref names if !names.iter().any(|name| name.starts_with('-')) => compare(names),
        _ => Err(USAGE.to_owned()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("\ncounted: {why}");
            ExitCode::FAILURE
        }
    }
}

/// Whoever has stopped listening, as `head` does, has heard enough.
#[expect(clippy::unnecessary_wraps, reason = "what is said last is how it went")]
fn said(text: &str) -> Result<(), String> {
    let _ = writeln!(io::stdout(), "{text}");
    Ok(())
}

/// This is what valgrind runs.
fn play(name: &str) -> Result<(), String> {
    said(&(find(name)?.play)().to_string())
}

fn find(name: &str) -> Result<&'static runs::Run, String> {
    RUNS.iter().find(|run| run.name == name).ok_or_else(|| {
        let names: Vec<&str> = RUNS.iter().map(|run| run.name).collect();
        format!("there is no run {name:?}, only {}", names.join(", "))
    })
}

fn file() -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "benches", "counted", "counted.toml"].iter().collect()
}

fn recorded() -> Result<Record, String> {
    let text = fs::read_to_string(file()).map_err(|why| why.to_string());
    text.and_then(|text| Record::parse(&text)).map_err(|why| format!("{}: {why}", file().display()))
}

/// Where this is, as far as counts depend on it.
fn here() -> Result<Place, String> {
    let rustc = env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    let answer =
        |command: &str, args: &[&str]| first_line(command, args).unwrap_or_else(|| "unknown".to_owned());
    Ok(Place {
        kind: format!("{} {}", env::consts::ARCH, env::consts::OS),
        rustc: first_line(&rustc, &["--version"]).ok_or("rustc does not say who it is")?,
        libc: answer("getconf", &["GNU_LIBC_VERSION"]),
        valgrind: answer("valgrind", &["--version"]),
    })
}

/// Was this program built as the recorded ones are? Cargo tells no program so, but for the folder it puts it in.
fn of_the_profile() -> bool {
    let folder = |path: PathBuf| path.parent()?.parent()?.file_name().map(|name| name == "counted");
    env::current_exe().ok().and_then(folder).unwrap_or(false)
}

fn compare(names: &[&str]) -> Result<(), String> {
    let (record, here) = (recorded()?, here()?);
    let (mut tolerance, mut note) = record.tolerance_at(&here);
    if !of_the_profile() {
        (tolerance, note) = (None, "NOT COMPARED: not built with --profile counted.".to_owned());
    }
    println!("{}, {}, {}, {}; recorded {}", here.kind, here.rustc, here.libc, here.valgrind, record.date);
    println!(
        "\n{:8} {:>9} {:>14} {:>9} {:>9} {:>7}",
        "run", "events", "instructions", "an event", "recorded", "ratio"
    );
    let (mut failures, mut gains) = (Vec::new(), Vec::new());
    for name in names {
        let now = callgrind::count(find(name)?.name)?.0;
        let (was, ratio) = record.runs.get(*name).map_or((f64::NAN, f64::NAN), |was| {
            (was.per_event(), now.instructions as f64 / was.instructions as f64)
        });
        let (events, instructions) = (now.events, now.instructions);
        println!("{name:8} {events:9} {instructions:14} {:9.1} {was:9.1} {ratio:7.4}", now.per_event());
        match tolerance.map(|tolerance| record.judge(name, &now, tolerance)) {
            Some(Verdict::Fails(why)) => failures.push(why),
            Some(Verdict::Better(why)) => gains.push(why),
            Some(Verdict::Same) | None => {}
        }
    }
    println!("An event's and the recorded event's instructions; the ratio is that of all instructions.");
    for note in [note].iter().filter(|note| !note.is_empty()).chain(&gains) {
        println!("\n{note}");
    }
    if failures.is_empty() { Ok(()) } else { Err(failures.join("\n")) }
}

fn renew() -> Result<(), String> {
    if !of_the_profile() {
        return Err(format!("what is recorded is built so: {}", record::RENEW));
    }
    let old = fs::read_to_string(file()).ok().and_then(|text| Record::parse(&text).ok());
    let (tolerance, tolerance_elsewhere) =
        old.as_ref().map_or((0.03, 0.10), |old| (old.tolerance, old.tolerance_elsewhere));
    let mut runs = BTreeMap::new();
    for run in RUNS {
        let (count, _) = callgrind::count(run.name)?;
        let was = old.as_ref().and_then(|old| old.runs.get(run.name));
        let was = was.map_or("new".to_owned(), |was| format!("was {:.1}", was.per_event()));
        println!("{}: {:.1} instructions an event, {was}", run.name, count.per_event());
        runs.insert(run.name.to_owned(), count);
    }
    let date = first_line("date", &["-u", "+%F"]).unwrap_or_default();
    let record = Record { date, tolerance, tolerance_elsewhere, place: here()?, runs };
    fs::write(file(), record.text()).map_err(|why| format!("{}: {why}", file().display()))
}

/// Where the instructions of a run go.
fn top(name: &str) -> Result<(), String> {
    const ROWS: usize = 25;
    let (count, out) = callgrind::count(find(name)?.name)?;
    let text = fs::read_to_string(&out).map_err(|why| format!("{}: {why}", out.display()))?;
    let profile = Profile::parse(&text);
    let Count { events, instructions, .. } = count;
    let each = count.per_event();
    let mut page = format!("{name}: {events} events, {instructions} instructions, {each:.1} an event\n");
    for (title, table) in [("functions", &profile.functions), ("lines of source", &profile.lines)] {
        let _ = write!(page, "\n{title}, instructions an event and share, without what they call:\n");
        for (what, cost) in largest(table).into_iter().take(ROWS) {
            let share = 100.0 * cost as f64 / instructions as f64;
            let _ = writeln!(page, "{:9.1} {share:5.1} %  {what}", cost as f64 / events as f64);
        }
    }
    said(&format!("{page}\nAll of it, for callgrind_annotate or KCachegrind: {}", out.display()))
}
