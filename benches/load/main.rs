//! What the load generator costs, each number beside the same work by a bare loop, in one run.
//!
//! The server is a process of its own, so the processor time of this one is the client's. Runs are taken in turn and told by
//! their median: only the ratios mean anything on a machine that others use too.

#![expect(clippy::disallowed_methods, reason = "a benchmark measures the wall clock")]

mod raw;
mod server;

use std::sync::Arc;
use std::time::Instant;

use ftp421::live::Epoch;
use ftp421::live::load::{self, Accounts, DataForm, Heard, Plan, Sources, Target};
use ftp421::observe::Observation;
use ftp421::scenario::Scenario;
use ftp421::time::Duration;
use ftp421::watch::Watch;
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike as _;

/// Pairs of runs of which the median is told.
const PAIRS: usize = 5;
/// Sessions of a run.
const SESSIONS: u32 = 20_000;
/// Of these at once.
const AT_ONCE: u32 = 100;
/// Sessions that are held for the memory of one.
const HELD: u32 = 19_000;

fn main() {
    server::serve_if_asked();
    let minimal = server::Minimal::start().expect("the minimal server starts");
    sessions(minimal.port);
    held(minimal.port);
    downloads(minimal.port);
}

/// Processor time of a session: log in, NOOP, QUIT.
fn sessions(port: u16) {
    let text = clients("sessions", SESSIONS / AT_ONCE, AT_ONCE, r#"["login", "noop", "quit"]"#);
    let mut pairs: Vec<(f64, f64)> = Vec::new();
    for _ in 0..PAIRS {
        let bare = cpu_us(|| raw::sessions(port, SESSIONS, AT_ONCE).expect("the bare client runs"));
        let mut completed = 0;
        let ours = cpu_us(|| completed = run(port, &text, ends(SESSIONS)));
        assert_eq!(completed, SESSIONS, "every session was served");
        pairs.push((bare / f64::from(SESSIONS), ours / f64::from(SESSIONS)));
    }
    let (bare, ours, ratio) = medians(&pairs);
    println!(
        "a session (login, NOOP, QUIT), {AT_ONCE} at once: bare epoll {bare:.1} us, ours {ours:.1} us of processor time: {ratio:.2}"
    );
}

/// Memory of a session that is held.
fn held(port: u16) {
    let text = clients("held", 1, HELD, r#"["login", { think = "60s" }, "quit"]"#);
    let before = resident();
    let (mut seen, mut after) = (0, before);
    run(port, &text, |observation| {
        seen += u32::from(matches!(observation, Observation::SessionOpened));
        if seen == HELD {
            after = resident();
        }
        seen == HELD
    });
    let each = after.saturating_sub(before) / u64::from(HELD);
    println!("a held session, of {HELD}: {each} bytes of resident memory, the kernel's own left out");
}

/// Downloads of one big file.
fn downloads(port: u16) {
    let text = clients("download", 1, 1, r#"["login", { retr = "1B" }, "quit"]"#);
    let mut pairs: Vec<(f64, f64)> = Vec::new();
    let mut cpu: Vec<(f64, f64)> = Vec::new();
    for _ in 0..PAIRS {
        let (mut bare, mut ours) = (0.0, 0.0);
        let bare_cpu = cpu_us(|| {
            bare = rate(|| assert_eq!(raw::download(port).expect("the bare client runs"), server::FILE));
        });
        let ours_cpu = cpu_us(|| ours = rate(|| assert_eq!(run(port, &text, ends(1)), 1)));
        pairs.push((bare, ours));
        cpu.push((bare_cpu, ours_cpu));
    }
    let (bare, ours, ratio) = medians(&pairs);
    println!(
        "a download: bare read loop {bare:.2} GB/s, ours {ours:.2} GB/s: {ratio:.2}; processor time {:.2} of it",
        medians(&cpu).2
    );
}

/// A scenario of `clients` clients with `sessions` sessions each.
fn clients(name: &str, sessions: u32, clients: u32, script: &str) -> String {
    format!(
        "schema = 1\nname = \"{name}\"\nduration = \"60s\"\n[server]\nprofile = \"rfc959\"\n[[clients]]\nname = \"clients\"\n\
         arrivals = {{ executor = \"per-client-sessions\", clients = {clients}, sessions = {sessions}, pause = \"1ms\" }}\nscript = {script}\n"
    )
}

/// Is this the end of the last of so many sessions?
fn ends(mut sessions: u32) -> impl FnMut(&Observation) -> bool {
    move |observation| {
        sessions -= u32::from(matches!(observation, Observation::SessionEnded { .. }));
        sessions == 0
    }
}

/// Runs a scenario and gives the number of sessions that did all of their script. `enough` ends it early.
fn run(port: u16, text: &str, mut enough: impl FnMut(&Observation) -> bool) -> u32 {
    let scenario =
        Scenario::read("bench.toml", text, &mut |name| Err(format!("no file {name}"))).expect("it is valid");
    let plan = Plan {
        scenario: Arc::new(scenario),
        replication: 0,
        epoch: Epoch::after(Duration::ZERO),
        target: Target {
            host: "127.0.0.1".to_owned(),
            address: ([127, 0, 0, 1], port).into(),
            implicit_tls: false,
            tls: ftp421::live::tls::Trust::Anybody.into(),
            data: DataForm::ByFamily,
        },
        sources: Sources::Kernel,
        accounts: Accounts::default(),
        profile: None,
        own: false,
        threads: 1,
        processes: 1,
        verify: false,
        dialogue: None,
        grace: Duration::from_secs(5),
    };
    let watch = Watch::default();
    let mut completed = 0;
    load::run(&plan, &watch, &Arc::default(), &mut |heard| {
        if let Heard::Mark { observation, .. } = heard {
            completed += u32::from(matches!(observation, Observation::SessionEnded { .. }));
            if enough(&observation) {
                watch.stop.store(true, std::sync::atomic::Ordering::Relaxed);
            }
        }
    })
    .expect("the load runs");
    completed
}

/// Processor time of this process for `work`, microseconds.
fn cpu_us(work: impl FnOnce()) -> f64 {
    let now = || {
        let usage = getrusage(UsageWho::RUSAGE_SELF).expect("Linux tells");
        (usage.user_time() + usage.system_time()).num_microseconds() as f64
    };
    let before = now();
    work();
    now() - before
}

/// Gigabytes a second of a download.
fn rate(download: impl FnOnce()) -> f64 {
    let began = Instant::now();
    download();
    server::FILE as f64 / 1e9 / began.elapsed().as_secs_f64()
}

/// Resident memory of this process, bytes.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux tells");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("Linux tells");
    line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number") * 1_024
}

/// The medians of both sides and of the ratios second to first.
fn medians(pairs: &[(f64, f64)]) -> (f64, f64, f64) {
    let median = |of: fn(&(f64, f64)) -> f64| {
        let mut values: Vec<f64> = pairs.iter().map(of).collect();
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    };
    (median(|p| p.0), median(|p| p.1), median(|p| p.1 / p.0))
}
