//! The binary as its user meets it: exit codes, streams, files, signals.

use std::fs;
use std::io::Read as _;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::support::{ftp421, project, stderr, stdout};

fn scenario(dir: &std::path::Path, text: &str) -> String {
    let file = dir.join("s.toml");
    fs::write(&file, text).unwrap();
    file.to_str().unwrap().to_owned()
}

const SMALL: &str = r#"
schema = 1
name = "small"
duration = "10m"
[server]
max_clients = 1
[[clients]]
name = "people"
arrivals = { executor = "poisson", rate = "6/m" }
script = ["login", { think = "30s" }, "quit"]
"#;

#[test]
fn without_a_file_a_built_in_scenario_runs() {
    let dir = tempfile::tempdir().unwrap();
    let done = ftp421(dir.path(), &["sim", "--replications", "2", "--no-advice"]);
    assert!(matches!(done.status.code(), Some(0 | 99)), "{}", stderr(&done));
    assert!(stdout(&done).starts_with("seed 42 "), "{}", stdout(&done));
    for file in ["summary.json", "manifest.json", "charts/concurrency.png", "latency.hlog"] {
        assert!(dir.path().join("ftp421-out/busy-evening").join(file).is_file(), "{file}");
    }
    let verified = ftp421(dir.path(), &["verify", "ftp421-out/busy-evening"]);
    assert!(verified.status.success(), "{}", stderr(&verified));
}

#[test]
fn json_is_all_that_stands_on_stdout_and_equals_the_file() {
    let dir = tempfile::tempdir().unwrap();
    let file = scenario(dir.path(), SMALL);
    let done = ftp421(dir.path(), &["sim", &file, "--json", "--out", "r"]);
    assert!(done.status.success(), "{}", stderr(&done));
    let summary: Value = serde_json::from_slice(&done.stdout).unwrap();
    assert_eq!(done.stdout, fs::read(dir.path().join("r/summary.json")).unwrap());
    let counts = &summary["counts"];
    let of = |name: &str| counts[name].as_u64().unwrap();
    let classes = ["admitted", "turned_away", "login_failed", "network_failed", "abandoned", "open_at_end"];
    assert_eq!(of("attempts"), classes.iter().map(|c| of(c)).sum::<u64>());
    assert!(of("turned_away") > 0);
    let by_cause = summary["refused_by_cause"]["turned_away"].as_object().unwrap();
    assert_eq!(by_cause.values().map(|n| n.as_u64().unwrap()).sum::<u64>(), of("turned_away"));
    assert_eq!(summary["estimates"]["refused_first"]["low"], Value::Null, "one replication has no interval");
    assert_eq!(summary["little"]["holds"], true);
    assert_eq!(summary["advice"]["binding"], "max_clients");
}

#[test]
fn a_failed_threshold_exits_with_99() {
    let dir = tempfile::tempdir().unwrap();
    let file =
        scenario(dir.path(), &format!("{SMALL}\n[[thresholds]]\nrequire = \"refused_first rate < 0.01\"\n"));
    assert_eq!(ftp421(dir.path(), &["sim", &file]).status.code(), Some(99));
}

#[test]
fn a_mistake_exits_with_104_names_its_place_and_leaves_nothing_behind() {
    let dir = tempfile::tempdir().unwrap();
    let file = scenario(dir.path(), &SMALL.replace("max_clients", "max_client"));
    for command in ["sim", "check"] {
        let done = ftp421(dir.path(), &[command, &file]);
        assert_eq!(done.status.code(), Some(104));
        assert!(stderr(&done).contains("s.toml:6:1"), "{}", stderr(&done));
        assert!(stderr(&done).contains("did you mean \"max_clients\""), "{}", stderr(&done));
        assert!(stdout(&done).is_empty());
    }
    assert!(!dir.path().join("ftp421-out").exists());
}

#[test]
fn wrong_arguments_exit_with_2_and_missing_files_with_1() {
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(ftp421(dir.path(), &["simulate"]).status.code(), Some(2));
    assert_eq!(ftp421(dir.path(), &["sim", "--replications", "0"]).status.code(), Some(2));
    let missing = ftp421(dir.path(), &["sim", "nowhere.toml"]);
    assert_eq!(missing.status.code(), Some(1));
    assert!(stderr(&missing).contains("nowhere.toml"), "{}", stderr(&missing));
    assert_eq!(ftp421(dir.path(), &["verify", "nowhere"]).status.code(), Some(1));
    assert_eq!(ftp421(dir.path(), &["profiles", "vsftp"]).status.code(), Some(1));
    let blocked = dir.path().join("file");
    fs::write(&blocked, "").unwrap();
    assert_eq!(ftp421(dir.path(), &["sim", "--out", blocked.to_str().unwrap()]).status.code(), Some(1));
}

#[test]
fn init_gives_a_scenario_that_check_and_sim_accept() {
    let dir = tempfile::tempdir().unwrap();
    assert!(ftp421(dir.path(), &["init", "mine.toml"]).status.success());
    assert_eq!(
        ftp421(dir.path(), &["init", "mine.toml"]).status.code(),
        Some(1),
        "a file is never overwritten"
    );
    let checked = ftp421(dir.path(), &["check", "mine.toml"]);
    assert!(checked.status.success(), "{}", stderr(&checked));
    assert!(stdout(&checked).contains("erlangs"), "{}", stdout(&checked));
    let done = ftp421(dir.path(), &["sim", "mine.toml", "-q"]);
    assert!(matches!(done.status.code(), Some(0 | 99)), "{}", stderr(&done));
    assert!(stdout(&done).is_empty());
}

#[test]
fn report_draws_the_same_charts_again_without_a_scenario() {
    let dir = tempfile::tempdir().unwrap();
    let file = scenario(dir.path(), SMALL);
    assert!(ftp421(dir.path(), &["sim", &file, "--out", "r", "-q"]).status.success());
    let chart = dir.path().join("r/charts/concurrency.svg");
    let before = fs::read(&chart).unwrap();
    fs::remove_file(&chart).unwrap();
    fs::remove_file(&file).unwrap();
    assert!(ftp421(dir.path(), &["report", "r"]).status.success());
    assert_eq!(before, fs::read(&chart).unwrap());
}

#[test]
fn no_password_is_ever_shown() {
    let dir = tempfile::tempdir().unwrap();
    let file = scenario(dir.path(), SMALL);
    let done = ftp421(dir.path(), &["sim", &file, "--dialogue", "people:0", "--trace", "--out", "r", "-q"]);
    let dialogue = stdout(&done);
    assert!(dialogue.contains("C: PASS ********\n"), "{dialogue}");
    assert_eq!(dialogue, fs::read_to_string(dir.path().join("r/dialogue.txt")).unwrap());
    let trace = fs::read_to_string(dir.path().join("r/trace.ndjson")).unwrap();
    let mut passwords = 0;
    for line in trace.lines() {
        let message: Value = serde_json::from_str(line).unwrap();
        if message["verb"] == "PASS" {
            passwords += 1;
            assert_eq!(message["arg"], Value::Null);
        }
    }
    assert!(passwords > 0);
}

#[test]
fn a_reader_that_has_had_enough_is_no_failure() {
    let dir = tempfile::tempdir().unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_ftp421"))
        .args(["profiles", "vsftpd"])
        .current_dir(dir.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert!(child.wait().unwrap().success());
    assert!(said.is_empty(), "{said}");
}

/// A run that would take hours is interrupted: what was measured is kept and marked.
#[test]
fn ctrl_c_keeps_what_was_measured_and_exits_with_105() {
    let dir = tempfile::tempdir().unwrap();
    let closed = r#"{ executor = "constant-clients", clients = 100 }"#;
    let text = SMALL.replace("10m", "300d").replace(r#"{ executor = "poisson", rate = "6/m" }"#, closed);
    let file = scenario(dir.path(), &text);
    let mut child = Command::new(env!("CARGO_BIN_EXE_ftp421"))
        .args(["sim", &file, "--out", "r"])
        .current_dir(dir.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    for _ in 0..100 {
        std::thread::sleep(std::time::Duration::from_millis(100));
        if dir.path().join("r/charts").is_dir() {
            break; // the folder is there before the run begins
        }
    }
    std::thread::sleep(std::time::Duration::from_secs(1));
    assert!(!dir.path().join("r/summary.json").exists(), "nothing is half written");
    let second = ftp421(dir.path(), &["sim", &file, "--out", "r"]);
    assert_eq!(second.status.code(), Some(1), "one run at a time writes to a folder");
    assert!(stderr(&second).contains("another run is writing"), "{}", stderr(&second));
    let killed = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(killed.success());
    assert_eq!(child.wait().unwrap().code(), Some(105));
    let summary: Value =
        serde_json::from_slice(&fs::read(dir.path().join("r/summary.json")).unwrap()).unwrap();
    assert_eq!(summary["partial"], true);
    assert!(summary["counts"]["wanted"].as_u64().unwrap() > 100);
    assert_eq!(summary["little"]["holds"], true);
}

#[test]
fn profiles_say_where_their_facts_come_from() {
    let listed = stdout(&ftp421(project(), &["profiles"]));
    for name in ["vsftpd", "proftpd", "pure-ftpd", "pyftpdlib", "rfc959"] {
        assert!(listed.contains(name));
        let page = stdout(&ftp421(project(), &["profiles", name]));
        assert!(page.contains("Limits, in the order in which they are checked"), "{page}");
        assert!(page.contains("measured") || page.contains("ours"), "{page}");
    }
}

#[test]
fn clients_have_profiles_too() {
    let listed = stdout(&ftp421(project(), &["profiles"]));
    for name in ["curl-retry", "lftp", "filezilla", "polite"] {
        assert!(listed.contains(name), "{listed}");
    }
    let page = stdout(&ftp421(project(), &["profiles", "wget"]));
    assert!(
        page.contains(
            "anything: again after 1s, and as much more each time, at most 10s; 20 attempts in all"
        ),
        "{page}"
    );
    assert!(page.contains("measured"), "{page}");
}

/// What the README shows is what the tool says.
#[test]
fn the_readme_quotes_what_is_printed() {
    let readme = fs::read_to_string(project().join("README.md")).unwrap();
    let quoted: Vec<&str> =
        readme.split("```text\n").skip(1).map(|part| part.split("```").next().unwrap()).collect();
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().to_str().unwrap();
    let evening = ftp421(project(), &["sim", "scenarios/busy-evening.toml", "--out", out]);
    let idle =
        ftp421(project(), &["sim", "scenarios/idle-client.toml", "--dialogue", "0", "--quiet", "--out", out]);
    for (quoted, printed) in quoted.iter().zip([stdout(&evening), stdout(&idle)]) {
        for line in quoted.lines() {
            let line = line.split("; ...").next().unwrap();
            assert!(printed.contains(line), "the README says {line:?}, the tool:\n{printed}");
        }
    }
    assert_eq!(quoted.len(), 2);
}
