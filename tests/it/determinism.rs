//! A run is (scenario, seed, build): the same three give the same bytes.

use std::fs;

use crate::support::{self, ftp421, project};

const BUSY: &str = "scenarios/busy-evening.toml";

/// Every file of a result but its manifest, which tells of the machine and the day.
fn files(dir: &std::path::Path) -> Vec<(String, Vec<u8>)> {
    let mut all = Vec::new();
    for folder in [dir.to_path_buf(), dir.join("charts")] {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() && path.file_name().unwrap() != "manifest.json" {
                let name = path.strip_prefix(dir).unwrap().display().to_string();
                all.push((name, fs::read(&path).unwrap()));
            }
        }
    }
    all.sort();
    all
}

pub fn assert_same(a: &std::path::Path, b: &std::path::Path) {
    let (a, b) = (files(a), files(b));
    assert!(a.len() > 8, "a result has more files than {}", a.len());
    for ((name, left), (other, right)) in a.iter().zip(&b) {
        assert_eq!(name, other);
        assert!(left == right, "{name} differs");
    }
    assert_eq!(a.len(), b.len());
}

#[test]
fn any_number_of_threads_gives_the_same_bytes() {
    let dir = tempfile::tempdir().unwrap();
    for threads in ["1", "2", "5"] {
        let out = dir.path().join(threads);
        let done =
            ftp421(project(), &["sim", BUSY, "--threads", threads, "--out", out.to_str().unwrap(), "-q"]);
        assert!(matches!(done.status.code(), Some(0 | 99)), "{}", support::stderr(&done));
    }
    assert_same(&dir.path().join("1"), &dir.path().join("2"));
    assert_same(&dir.path().join("1"), &dir.path().join("5"));
}

#[test]
fn another_seed_gives_another_digest() {
    let text = fs::read_to_string(project().join(BUSY)).unwrap();
    let mut scenario = support::scenario(&text);
    let digest = |scenario: &ftp421::scenario::Scenario| support::study(scenario).runs[0].digest;
    let first = digest(&scenario);
    assert_eq!(first, digest(&scenario));
    scenario.seed += 1;
    assert_ne!(first, digest(&scenario));
}

/// `results/` is written by `sim --bless` in release mode; here the same scenarios run in the profile of the tests, with its
/// assertions and overflow checks. Of a long one this holds for its first day: see below.
#[test]
fn the_results_in_the_repository_are_what_the_scenarios_give() {
    for entry in fs::read_dir(project().join("scenarios")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|e| e != "toml") {
            continue;
        }
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        if support::LONG.contains(&name.as_str()) {
            continue;
        }
        let dir = tempfile::tempdir().unwrap();
        let out = dir.path().join(&name);
        let done = ftp421(project(), &["sim", path.to_str().unwrap(), "--out", out.to_str().unwrap(), "-q"]);
        assert!(matches!(done.status.code(), Some(0 | 99)), "{name}: {}", support::stderr(&done));
        let blessed = project().join("results").join(&name);
        assert!(
            blessed.is_dir(),
            "no results/{name}: run `cargo run --release -- sim scenarios/{name}.toml --bless`"
        );
        for (file, expected) in files(&blessed) {
            let got = fs::read(out.join(&file)).unwrap_or_default();
            assert!(
                got == expected,
                "results/{name}/{file} is not what {name} gives now: look at the difference, and if it is meant, run \
                 `cargo run --release -- sim scenarios/{name}.toml --bless`"
            );
        }
    }
}

/// Somebody who hears everything and makes nothing of it.
struct Idle;

impl ftp421::sim::Tap for Idle {
    fn happens(
        &mut self,
        _now: ftp421::time::Instant,
        _who: ftp421::sim::Who,
        _what: ftp421::sim::Happening<'_>,
    ) {
    }
}

/// While nobody listens, messages go straight to their lanes, and the lanes are the wheel's; a heap has neither.
#[test]
fn neither_a_listener_nor_the_calendar_changes_what_happens() {
    use ftp421::sim::{Pending, run, run_marked};
    let watch = ftp421::watch::Watch::default();
    let mut seen = 0;
    for entry in fs::read_dir(project().join("scenarios")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        if path.extension().is_none_or(|e| e != "toml") || support::LONG.contains(&name.as_str()) {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let mut open = |file: &str| {
            fs::read_to_string(project().join("scenarios").join(file)).map_err(|why| why.to_string())
        };
        let scenario = ftp421::scenario::Scenario::read(&name, &text, &mut open).unwrap();
        let (alone, _) = run(&scenario, 0, &mut (), &watch);
        let (heard, _) = run(&scenario, 0, &mut Idle, &watch);
        let on_heap = run_marked(&scenario, Pending::Heap, &[], |_, _| ());
        let written = serde_json::to_string(&alone.recorder).unwrap();
        for (what, other) in [("a listener", heard), ("a heap", on_heap)] {
            assert_eq!(alone.digest, other.digest, "{name} with {what}");
            assert_eq!(alone.work, other.work, "{name} with {what}");
            assert!(
                written == serde_json::to_string(&other.recorder).unwrap(),
                "{name} with {what}: other numbers"
            );
        }
        seen += 1;
    }
    assert!(seen > 30, "{seen} scenarios");
}

/// Somebody who has heard enough after a day.
#[derive(Default)]
struct FirstDay {
    is_over: bool,
}

impl FirstDay {
    const HOURS: usize = 24;
}

impl ftp421::sim::Tap for FirstDay {
    fn happens(
        &mut self,
        now: ftp421::time::Instant,
        _who: ftp421::sim::Who,
        _what: ftp421::sim::Happening<'_>,
    ) {
        self.is_over |= now.as_secs_f64() > 3_600.0 * Self::HOURS as f64;
    }

    fn has_enough(&self) -> bool {
        self.is_over
    }
}

#[test]
fn the_first_day_of_a_long_result_is_what_its_scenario_gives() {
    for name in support::LONG {
        let text = fs::read_to_string(project().join(format!("scenarios/{name}.toml"))).unwrap();
        let scenario = support::scenario(&text);
        let told = fs::read(project().join(format!("results/{name}/timeline.csv"))).unwrap();
        let told = &ftp421::report::csv::read_timeline(&told).unwrap()[..FirstDay::HOURS];
        let watch = ftp421::watch::Watch::default();
        let (found, complete) = ftp421::sim::run(&scenario, 0, &mut FirstDay::default(), &watch);
        assert!(!complete && told.iter().all(|row| row.width_s.to_bits() == 3_600_f64.to_bits()));
        let mut rows = found.recorder.series().rows(found.recorder.end(), 1);
        rows.truncate(FirstDay::HOURS);
        // The limit is not observed: the summary takes it from the scenario.
        rows.iter_mut().zip(told).for_each(|(row, told)| row.limit = told.limit);
        let bytes = |rows| String::from_utf8(ftp421::report::csv::timeline(rows)).unwrap();
        assert_eq!(
            bytes(&rows),
            bytes(told),
            "results/{name}/timeline.csv: if that is meant, `sim --bless` it"
        );
    }
}

#[test]
fn verify_tells_a_true_result_from_a_forged_one() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("r");
    let out = out.to_str().unwrap();
    let scenario = "scenarios/idle-client.toml";
    assert!(ftp421(project(), &["sim", scenario, "--out", out, "-q", "--seed", "77"]).status.success());
    let same = ftp421(project(), &["verify", out]);
    assert!(same.status.success(), "{}", support::stderr(&same));
    let summary = dir.path().join("r/summary.json");
    let told = fs::read_to_string(&summary).unwrap();
    let digest =
        serde_json::from_str::<serde_json::Value>(&told).unwrap()["digest"].as_str().unwrap().to_owned();
    let forged = told.replacen(&digest, &digest.chars().rev().collect::<String>(), 1);
    fs::write(&summary, forged).unwrap();
    assert_eq!(ftp421(project(), &["verify", out]).status.code(), Some(109));
}

/// Common random numbers: a server limit changes no client's arrival, password or think time.
#[test]
fn a_limit_changes_no_clients_arrivals_passwords_or_think_times() {
    let text = |limit: u32| {
        format!(
            r#"
            schema = 1
            name = "crn"
            duration = "10m"
            seed = 5
            [server]
            max_clients = {limit}
            [[clients]]
            name = "people"
            arrivals = {{ executor = "poisson", rate = "1/s" }}
            script = ["login", {{ think = {{ dist = "exponential", mean = "9s" }} }}, "noop", "quit"]
            wrong_password = 0.3
            login_tries = 2
            retry = {{ backoff = "exponential", wait = "2s", jitter = "full", attempts = 4 }}
            "#
        )
    };
    let plenty = behaviour(&support::scenario(&text(1_000)));
    let few = behaviour(&support::scenario(&text(8)));
    assert_eq!(plenty.arrivals, few.arrivals);
    assert!(few.thinks.len() < plenty.thinks.len() * 9 / 10, "the limit must bite for this to say anything");
    for (client, think) in &few.thinks {
        assert_eq!(plenty.thinks.get(client), Some(think), "client {client}");
    }
}

#[derive(Default)]
struct Behaviour {
    arrivals: Vec<(u32, u64)>,
    /// By client, of those who logged in at their first attempt: the passwords, and the time from login to the next command.
    thinks: std::collections::BTreeMap<u32, (Vec<u16>, u64)>,
    passwords: std::collections::BTreeMap<u32, Vec<u16>>,
    logged_in: std::collections::BTreeMap<u32, u64>,
    connects: std::collections::BTreeMap<u32, u32>,
}

impl ftp421::sim::Tap for Behaviour {
    fn happens(
        &mut self,
        now: ftp421::time::Instant,
        who: ftp421::sim::Who,
        what: ftp421::sim::Happening<'_>,
    ) {
        use ftp421::ftp::Verb;
        use ftp421::sim::Happening;
        match what {
            Happening::Connect { .. } => {
                let connects = self.connects.entry(who.index).or_default();
                *connects += 1;
                if *connects == 1 {
                    self.arrivals.push((who.index, now.as_nanos()));
                }
            }
            Happening::Command(c) if c.verb == Verb::Pass => {
                self.passwords.entry(who.index).or_default().push(c.arg.0);
            }
            Happening::Reply { reply, .. } if reply.code == 230 => {
                self.logged_in.insert(who.index, now.as_nanos());
            }
            Happening::Command(c) if c.verb == Verb::Noop && self.connects[&who.index] == 1 => {
                let think = now.as_nanos() - self.logged_in[&who.index];
                self.thinks.insert(who.index, (self.passwords[&who.index].clone(), think));
            }
            _ => {}
        }
    }
}

fn behaviour(scenario: &ftp421::scenario::Scenario) -> Behaviour {
    let mut tap = Behaviour::default();
    ftp421::sim::run(scenario, 0, &mut tap, &ftp421::watch::Watch::default());
    tap
}
