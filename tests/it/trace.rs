//! The trace of a run: each line is what a JSON library would write, whole, and the same bytes however it is written.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::Path;
use std::process::{Command, Stdio};

use ftp421::ftp::Verb;
use ftp421::scenario::Scenario;
use ftp421::sim::{self, Happening, Tap, Trace, Who};
use ftp421::time::Instant;
use ftp421::watch::Watch;
use serde_json::Value;

use crate::support::{self, ftp421, project, stderr};

/// The same lines by the plain way.
struct Plain<'a> {
    scenario: &'a Scenario,
    lines: String,
    left: u32,
}

impl Tap for Plain<'_> {
    fn happens(&mut self, now: Instant, who: Who, what: Happening<'_>) {
        let json = |text: &str| Value::from(text).to_string();
        let what = match what {
            Happening::Connect { to } if self.scenario.servers.len() > 1 => {
                format!(r#""connect","server":{}"#, json(&self.scenario.servers[usize::from(to.0)].name))
            }
            Happening::Connect { .. } => r#""connect""#.to_owned(),
            Happening::Connected => r#""connected""#.to_owned(),
            Happening::ConnectFailed(cause) => format!(r#""connect_failed","cause":"{cause}""#),
            Happening::Command(command) => {
                let verb = command.verb.name();
                match self
                    .scenario
                    .text(command.arg)
                    .filter(|arg| !arg.is_empty() && command.verb != Verb::Pass)
                {
                    Some(arg) => format!(r#""command","verb":"{verb}","arg":{}"#, json(arg)),
                    None => format!(r#""command","verb":"{verb}""#),
                }
            }
            Happening::Reply { reply, .. } => match reply.cause {
                Some(cause) => format!(r#""reply","code":{},"cause":"{cause}""#, reply.code),
                None => format!(r#""reply","code":{}"#, reply.code),
            },
            Happening::Closed { how, .. } => format!(r#""closed","how":"{how}""#),
            Happening::Secured => r#""secured""#.to_owned(),
            Happening::Data { .. } => return,
            Happening::Disconnect => r#""disconnect""#.to_owned(),
            Happening::Vanish => r#""vanish""#.to_owned(),
            Happening::Finish => r#""finish""#.to_owned(),
        };
        let client =
            json(&format!("{}:{}", self.scenario.populations[usize::from(who.population.0)].name, who.index));
        let (t, session) = (now.as_nanos(), who.session);
        writeln!(self.lines, r#"{{"t_ns":{t},"client":{client},"session":{session},"what":{what}}}"#)
            .unwrap();
        self.left = self.left.saturating_sub(1);
    }

    fn has_enough(&self) -> bool {
        self.left == 0
    }
}

/// The first lines of the trace of `scenario`, as it is written and the plain way.
fn both(scenario: &Scenario) -> (String, String) {
    let mut lines = Vec::new();
    let trace = Trace::new(scenario, |sheet: &mut Vec<u8>| {
        assert!(sheet.is_empty() || sheet.ends_with(b"}\n"), "only whole lines are handed on");
        lines.append(sheet);
        Ok(())
    });
    let mut taps = (trace, Plain { scenario, lines: String::new(), left: 20_000 });
    sim::run(scenario, 0, &mut taps, &Watch::default());
    let (trace, plain) = taps;
    trace.finish().unwrap();
    (String::from_utf8(lines).unwrap(), plain.lines)
}

fn assert_same(name: &str, (fast, plain): (String, String)) {
    for (fast, plain) in fast.lines().zip(plain.lines()) {
        assert_eq!(fast, plain, "{name}");
    }
    assert_eq!(fast.len(), plain.len(), "{name}");
}

#[test]
fn every_line_is_what_a_json_library_would_write() {
    for entry in fs::read_dir(project().join("scenarios")).unwrap() {
        let path = entry.unwrap().path();
        let long = path.file_stem().is_some_and(|name| support::LONG.iter().any(|long| name == *long));
        if path.extension().is_some_and(|e| e == "toml") && !long {
            let mut open = |name: &str| {
                fs::read_to_string(project().join("scenarios").join(name)).map_err(|e| e.to_string())
            };
            let text = fs::read_to_string(&path).unwrap();
            let scenario =
                Scenario::read("s.toml", &text, &mut open).unwrap_or_else(|problem| panic!("{problem}"));
            assert_same(&path.display().to_string(), both(&scenario));
        }
    }
}

#[test]
fn what_stands_in_a_name_breaks_no_line() {
    let path = format!("/\\\"}}{{\u{2028}\u{fffd}{}\\", "\u{1f984}".repeat(45));
    let text = format!(
        r#"
        schema = 1
        name = "odd"
        duration = "1000000s"
        [[clients]]
        name = "a-name-that-is-as-long-as-a-name-may-be-which-is-64-characters-x"
        arrivals = {{ executor = "constant-clients", clients = 20, pause = "10h" }}
        user = '\"' 
        script = ["login", {{ retr = "1MiB", path = {path:?} }}, "quit"]
        "#
    );
    let text = text.replace("\\u{2028}", "\\u2028").replace("\\u{fffd}", "\\uFFFD");
    let scenario = support::scenario(&text);
    let (fast, plain) = both(&scenario);
    let paths = fast.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    assert!(paths.filter(|line| line["arg"] == path.as_str()).count() > 20, "{fast}");
    assert_same("odd", (fast, plain));
}

#[test]
fn the_first_error_of_who_keeps_the_lines_ends_the_run_and_is_told() {
    let scenario = support::scenario(LONG);
    let mut sheets = 0;
    let mut trace = Trace::new(&scenario, |sheet: &mut Vec<u8>| {
        sheets += 1;
        sheet.clear();
        if sheets == 2 { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    });
    let (_, complete) = sim::run(&scenario, 0, &mut trace, &Watch::default());
    assert!(!complete);
    assert_eq!(trace.finish().unwrap_err().kind(), io::ErrorKind::StorageFull);
    assert_eq!(sheets, 2, "nobody asks again");
}

const LONG: &str = r#"
schema = 1
name = "long"
duration = "300d"
replications = 3
[[clients]]
name = "people"
arrivals = { executor = "constant-clients", clients = 100 }
script = ["login", { think = "30s" }, "quit"]
"#;

const SHORT: &str = r#"
schema = 1
name = "short"
duration = "20m"
replications = 3
[server]
max_clients = 10
[[clients]]
name = "people"
arrivals = { executor = "poisson", rate = "1/s" }
script = ["login", { think = "30s" }, "quit"]
"#;

#[test]
fn a_trace_is_the_same_bytes_in_each_form_and_on_any_number_of_threads() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("s.toml"), SHORT).unwrap();
    let written = |form: &str, threads: &str, file: &str| {
        let done = ftp421(
            dir.path(),
            &["sim", "s.toml", form, "--threads", threads, "--out", "r", "-q", "--no-advice"],
        );
        assert!(done.status.success(), "{}", stderr(&done));
        let other = if file == "trace.ndjson" { "trace.ndjson.zst" } else { "trace.ndjson" };
        assert!(!dir.path().join("r").join(other).exists(), "that was an earlier result's");
        fs::read(dir.path().join("r").join(file)).unwrap()
    };
    let plain = written("--trace", "1", "trace.ndjson");
    let packed = written("--trace=zst", "1", "trace.ndjson.zst");
    assert!(plain.len() > 300_000, "more than one sheet: {}", plain.len());
    assert!(packed.len() < plain.len() / 5);
    assert!(zstd::decode_all(&packed[..]).unwrap() == plain);
    assert!(written("--trace=ndjson", "2", "trace.ndjson") == plain);
    assert!(written("--trace=zst", "2", "trace.ndjson.zst") == packed);
    assert!(ftp421(dir.path(), &["sim", "s.toml", "--out", "r", "-q", "--no-advice"]).status.success());
    assert!(!dir.path().join("r/trace.ndjson.zst").exists());
}

/// The name that the file has until it is whole is made to lead to a device that is always full.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_ends_the_run_at_once_and_leaves_no_result() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("s.toml"), LONG).unwrap();
    for (form, file) in [("--trace", "trace.ndjson"), ("--trace=zst", "trace.ndjson.zst")] {
        let out = dir.path().join(file);
        fs::create_dir(&out).unwrap();
        std::os::unix::fs::symlink("/dev/full", out.join(format!(".{file}.partial"))).unwrap();
        let done = ftp421(dir.path(), &["sim", "s.toml", form, "--out", file]);
        assert_eq!(done.status.code(), Some(1));
        let said = stderr(&done);
        assert!(said.contains(&format!("cannot write {file}: No space left on device")), "{said}");
        for name in [file, "summary.json"] {
            assert!(!out.join(name).exists(), "{name}");
        }
    }
}

#[test]
fn an_interrupted_run_leaves_a_trace_of_whole_lines() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("s.toml"), LONG).unwrap();
    for (form, file) in [("--trace", "trace.ndjson"), ("--trace=zst", "trace.ndjson.zst")] {
        let out = dir.path().join(file);
        let child = Command::new(env!("CARGO_BIN_EXE_ftp421"))
            .args(["sim", "s.toml", form, "--out", file, "-q"])
            .current_dir(dir.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        wait_for(&out.join(format!(".{file}.partial")), 20_000);
        assert!(!out.join(file).exists(), "it has its name when it is whole");
        assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
        assert_eq!(child.wait_with_output().unwrap().status.code(), Some(105));
        let bytes = fs::read(out.join(file)).unwrap();
        let bytes = if file.ends_with("zst") { zstd::decode_all(&bytes[..]).unwrap() } else { bytes };
        assert!(bytes.ends_with(b"}\n"));
        let last = bytes[..bytes.len() - 1].rsplit(|b| *b == b'\n').next().unwrap();
        assert!(serde_json::from_slice::<Value>(last).unwrap()["t_ns"].as_u64() > Some(0));
    }
}

/// Waits until `file` has so many bytes, a minute at most.
fn wait_for(file: &Path, bytes: u64) {
    for _ in 0..600 {
        if fs::metadata(file).is_ok_and(|data| data.len() > bytes) {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    panic!("{} stays below {bytes} bytes", file.display());
}
