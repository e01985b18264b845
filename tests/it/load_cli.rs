//! `ftp421 load` as its user meets it: what it refuses to do, what it says, what it leaves behind.

#![expect(clippy::disallowed_methods, reason = "a test looks at the real clock")]

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::support::{ftp421, stderr, stdout};

/// Five places, for which about nine people ask at a time.
const SMALL: &str = r#"
schema = 1
name = "small"
duration = "5s"
[server]
profile = "vsftpd"
max_clients = 5
[[clients]]
name = "people"
arrivals = { executor = "constant-arrival-rate", rate = "15/s" }
user = "alice"
script = ["login", { think = "600ms" }, { retr = "8KiB", path = "/file" }, "quit"]
"#;

fn scenario(dir: &Path, text: &str) -> String {
    let file = dir.join("s.toml");
    fs::write(&file, text).unwrap();
    file.to_str().unwrap().to_owned()
}

fn summary(dir: &Path) -> Value {
    serde_json::from_slice(&fs::read(dir.join("summary.json")).unwrap()).unwrap()
}

/// A port of loopback at which nobody listens.
fn nobody() -> String {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    format!("ftp://127.0.0.1:{port}")
}

/// `load` with `args` does not begin: it exits with `code`, says each of `words`, and leaves nothing.
#[track_caller]
fn refused(text: &str, args: &[&str], code: i32, words: &[&str]) {
    let dir = tempfile::tempdir().unwrap();
    let file = scenario(dir.path(), text);
    let all: Vec<&str> = ["load", &file].into_iter().chain(args.iter().copied()).collect();
    let done = ftp421(dir.path(), &all);
    let told = stderr(&done);
    assert_eq!(done.status.code(), Some(code), "{args:?}: {told}");
    for word in words {
        assert!(told.contains(word), "{args:?} does not say {word:?}: {told}");
    }
    assert!(!dir.path().join("ftp421-out").exists(), "{args:?}");
}

#[test]
fn only_loopback_is_loaded_unless_the_owner_names_the_host() {
    refused(
        SMALL,
        &["--target", "ftp://192.0.2.1"],
        106,
        &["192.0.2.1 is not this machine", "--i-own 192.0.2.1"],
    );
    refused(SMALL, &["--target", "ftp://[2001:db8::1]:2121"], 106, &["--i-own 2001:db8::1"]);
    let wrong = ["--target", "ftp://192.0.2.1", "--i-own", "192.0.2.2"];
    refused(SMALL, &wrong, 106, &["not the target's host"]);
}

#[test]
fn a_load_has_caps_that_are_known_before_it() {
    refused(SMALL, &["--max-sessions", "74"], 106, &["75 users", "raise --max-sessions"]);
    refused(SMALL, &["--max-rate", "10"], 106, &["up to 15 users in a second", "--max-rate 10"]);
    refused(SMALL, &["--max-duration", "4s"], 106, &["lasts 5s", "--duration 4s"]);
    refused(&SMALL.replace("5s", "2h"), &[], 106, &["lasts 2h", "--max-duration 1h"]);
}

#[test]
fn what_cannot_be_is_told_before_anything_is_sent() {
    refused(SMALL, &["--target", "localhost:21"], 2, &["ftp://HOST:PORT"]);
    refused(SMALL, &["--target", "ftp://bob:sesame@localhost"], 2, &["--user"]);
    refused(SMALL, &["--i-own", "example.org"], 2, &["--target"]);
    refused(SMALL, &["--duration", "6s"], 2, &["at most 5s"]);
    refused(SMALL, &["--duration", "soon"], 2, &["--duration"]);
    refused(SMALL, &["--source", "192.0.2.0/24"], 2, &["192.0.2.1 is not an address of this machine"]);
    refused(SMALL, &["--source", "::1"], 2, &["two families"]);
    refused(SMALL, &["--profile", "vsftp", "--target", &nobody()], 2, &["ftp421 profiles"]);
    refused(SMALL, &["--target", &nobody(), "--user", "alice"], 2, &["FTP421_PASSWORD"]);
    refused(SMALL, &["--dialogue", "bob"], 2, &["bob"]);
    refused(&SMALL.replace("max_clients", "max_client"), &[], 104, &["max_clients"]);
    let pool = SMALL.replace("user = ", "addresses = { nat = 3 }\nuser = ");
    refused(&pool, &["--target", "ftp://[::1]:2121"], 2, &["3 addresses", "::1"]);
}

/// The run of a newcomer: no target, no accounts, nothing prepared.
#[test]
fn without_a_target_the_model_of_the_server_is_loaded() {
    let dir = tempfile::tempdir().unwrap();
    let threshold = "\n[[thresholds]]\nrequire = \"refused_first rate < 0.01\"\n";
    let file = scenario(dir.path(), &format!("{SMALL}{threshold}"));
    let done = ftp421(dir.path(), &["load", &file, "--json", "--out", "r", "--dialogue", "0"]);
    assert_eq!(done.status.code(), Some(99), "a threshold fails: {}{}", stderr(&done), stdout(&done));
    for word in ["seed 42: small for 5s, own vsftpd server at ftp://127.0.0.1:", "addresses: ", "127.1.0.1"] {
        assert!(stderr(&done).contains(word), "{}", stderr(&done));
    }
    let out = dir.path().join("r");
    assert_eq!(done.stdout, fs::read(out.join("summary.json")).unwrap());
    let told = summary(&out);
    assert_eq!(
        (&told["world"], &told["digest"], &told["partial"]),
        (&"measured".into(), &"".into(), &false.into())
    );
    assert_eq!(told["target"]["own"], true);
    let of = |name: &str| told["counts"][name].as_u64().unwrap();
    let classes = ["admitted", "turned_away", "login_failed", "network_failed", "abandoned", "open_at_end"];
    assert_eq!(of("attempts"), classes.iter().map(|class| of(class)).sum::<u64>());
    assert_eq!((of("wanted"), of("login_failed"), of("network_failed")), (75, 0, 0), "{told}");
    assert!(of("turned_away") > 10 && of("admitted") > 20, "{told}");
    assert_eq!(told["onset"]["first"]["cause"], "max_clients");
    assert_eq!(told["onset"]["first"]["connections"], 6, "five and the one that is refused");
    assert_eq!(told["refusal_texts"][0]["text"], "There are too many connected users, please try later.");
    assert_eq!(told["told_apart"][0]["confidence"], "certain");
    assert!(told["transfers"]["bytes"].as_u64().unwrap() >= 20 * 8_192);
    assert_eq!(told["little"]["holds"], true);
    assert!(told["generator"]["late"]["count"].as_u64().unwrap() > 75);
    let login = |field: &str| told[field]["login"]["mean_s"].as_f64().unwrap();
    assert!(login("latency_from_sent") > 0.0 && login("latency_from_sent") <= login("latency"));
    let dialogue = fs::read_to_string(out.join("dialogue.txt")).unwrap();
    assert!(dialogue.contains("C: USER alice") && dialogue.contains("C: PASS ********"), "{dialogue}");
    assert!(!dialogue.contains("PASS ftp421"), "{dialogue}");

    let chart = out.join("charts/concurrency.svg");
    let drawn = fs::read_to_string(&chart).unwrap();
    assert!(drawn.contains("Measured: max_clients = 5"), "{drawn}");
    fs::remove_file(&chart).unwrap();
    let again = ftp421(dir.path(), &["report", "r"]);
    assert!(
        again.status.success() && stdout(&again).contains("max_clients = 5 of the modelled server"),
        "{}",
        stderr(&again)
    );
    assert_eq!(fs::read_to_string(&chart).unwrap(), drawn);
    let verified = ftp421(dir.path(), &["verify", "r"]);
    assert_eq!(verified.status.code(), Some(1));
    assert!(stderr(&verified).contains("measured on real sockets"), "{}", stderr(&verified));
}

/// Who typed the wrong port learns it, and no password is in anything that is left behind.
#[test]
fn where_nobody_listens_the_result_says_so_and_no_password_is_in_it() {
    let dir = tempfile::tempdir().unwrap();
    let faults = "\n[[faults]]\nat = \"1s\"\nkind = \"shutdown\"\nform = \"cut\"\ndown = \"1s\"\n";
    let file = scenario(dir.path(), &format!("{SMALL}{faults}"));
    fs::write(dir.path().join("users.csv"), "bob,\"open,sesame\"\n").unwrap();
    let target = nobody();
    let done = ftp421(
        dir.path(),
        &[
            "load",
            &file,
            "--target",
            &target,
            "--user",
            "alice:sesame",
            "--users",
            "users.csv",
            "--duration",
            "2s",
            "--out",
            "r",
        ],
    );
    assert_eq!(done.status.code(), Some(1), "{}", stderr(&done));
    assert!(stderr(&done).contains("not played: shutdown (cut)"), "{}", stderr(&done));
    let first = stdout(&done).lines().nth(1).unwrap().to_owned();
    assert!(first.starts_with(&format!("No FTP server answered at {target}")), "{first}");
    assert!(first.contains("connection_refused"), "{first}");
    let told = summary(&dir.path().join("r"));
    assert!(told["counts"]["network_failed"].as_u64().unwrap() > 20, "{told}");
    assert_eq!(told["duration_s"], 2.0);
    assert_eq!(
        told["server"]["limits"],
        Value::Object(serde_json::Map::new()),
        "of this server nothing is known"
    );
    assert_eq!(told["faults"], Value::Array(Vec::new()));
    for (name, bytes) in everything(dir.path().join("r").as_path()) {
        assert!(!String::from_utf8_lossy(&bytes).contains("sesame"), "{name}");
    }
    assert!(!(stdout(&done) + &stderr(&done)).contains("sesame"));
    let manifest = fs::read_to_string(dir.path().join("r/manifest.json")).unwrap();
    assert!(manifest.contains("alice:********"), "{manifest}");
}

fn everything(dir: &Path) -> Vec<(String, Vec<u8>)> {
    let entries = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| {
            if path.is_dir() {
                everything(&path)
            } else {
                vec![(path.display().to_string(), fs::read(&path).unwrap())]
            }
        })
        .collect()
}

/// The first Ctrl-C ends a long run: what was measured is kept, and our own server goes with it.
#[test]
fn ctrl_c_ends_politely_and_keeps_what_was_measured() {
    let dir = tempfile::tempdir().unwrap();
    let file = scenario(dir.path(), &SMALL.replace("5s", "10m"));
    let mut child = Command::new(env!("CARGO_BIN_EXE_ftp421"))
        .args(["load", &file, "--out", "r", "--dialogue", "50"])
        .current_dir(dir.path())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(child.stderr.take().unwrap()).lines();
    let mut heard = Vec::new();
    let shown = said.by_ref().map_while(Result::ok).find(|line| {
        heard.push(line.clone());
        line.contains(" left · ")
    });
    let shown = shown.unwrap_or_else(|| panic!("no progress: {heard:?}"));
    assert!(shown.contains("attempts/s") && shown.contains("refused: max_clients"), "{shown}");
    assert!(!dir.path().join("r/summary.json").exists(), "nothing is half written");
    let began = std::time::Instant::now();
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let rest: Vec<String> = said.map_while(Result::ok).collect(); // until it and its server have closed their ends
    assert_eq!(child.wait().unwrap().code(), Some(105), "{rest:?}");
    assert!(began.elapsed().as_secs() < 60, "it does not play ten minutes");
    assert!(
        rest.iter().any(|line| line.starts_with("closing ") && line.contains("again to end at once")),
        "{rest:?}"
    );
    let told = summary(&dir.path().join("r"));
    assert_eq!(told["partial"], true);
    assert!(told["counts"]["admitted"].as_u64().unwrap() > 10, "{told}");
    assert_eq!(told["little"]["holds"], true);
    assert!(told["story"][0].as_str().unwrap().starts_with("Interrupted"), "{}", told["story"]);
    assert!(dir.path().join("r/charts/refusals.png").is_file());
}

/// Fewer descriptors than clients: it is foreseen, it is counted, and the result says first that it is not to be believed.
#[test]
fn a_generator_that_was_the_limit_says_so_and_exits_with_109() {
    let dir = tempfile::tempdir().unwrap();
    let file = scenario(dir.path(), &SMALL.replace("600ms", "10s"));
    let silent = TcpListener::bind("127.0.0.1:0").unwrap(); // the kernel connects, and nobody greets
    let target = format!("ftp://{}", silent.local_addr().unwrap());
    let load = r#"ulimit -n 40 && exec "$0" load "$1" --target "$2" --duration 2s --out r"#;
    let done = Command::new("sh")
        .args(["-c", load, env!("CARGO_BIN_EXE_ftp421"), &file, &target])
        .current_dir(dir.path())
        .output()
        .unwrap();
    assert_eq!(done.status.code(), Some(109), "{}{}", stderr(&done), stdout(&done));
    assert!(stderr(&done).contains("note: ") && stderr(&done).contains("descriptors"), "{}", stderr(&done));
    let told = summary(&dir.path().join("r"));
    let first = told["story"][0].as_str().unwrap();
    assert!(first.starts_with("The generator was the limit: "), "{first}");
    assert_eq!(told["generator"]["descriptors"], 40);
    let missed = ["dropped", "exhausted"].map(|name| told["generator"][name].as_u64().unwrap());
    assert!(missed.iter().sum::<u64>() > 5, "{told}");
}

#[test]
fn several_runs_give_intervals() {
    let dir = tempfile::tempdir().unwrap();
    let file = scenario(dir.path(), SMALL);
    let done =
        ftp421(dir.path(), &["load", &file, "--out", "r", "--duration", "2s", "--replications", "3", "-q"]);
    assert_eq!(done.status.code(), Some(0), "{}", stderr(&done));
    assert!(done.stdout.is_empty() && done.stderr.is_empty(), "{}{}", stdout(&done), stderr(&done));
    let told = summary(&dir.path().join("r"));
    assert_eq!((&told["replications"], &told["partial"]), (&3.into(), &false.into()));
    assert!(told["estimates"]["refused_first"]["high"].as_f64().is_some());
    assert!(told["generator"]["ran_s"].as_f64().unwrap() > 6.0);
}

/// Somebody kills our own server: the run does not go on against nobody, and the result says why it ended.
#[test]
fn the_death_of_our_own_server_ends_the_run() {
    let dir = tempfile::tempdir().unwrap();
    let file = scenario(dir.path(), &SMALL.replace("5s", "10m"));
    let mut child = Command::new(env!("CARGO_BIN_EXE_ftp421"))
        .args(["load", &file, "--out", "r"])
        .current_dir(dir.path())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
    assert!(said.by_ref().any(|line| line.contains(" left · ")), "no progress");
    let ours = child.id().to_string();
    let found = Command::new("ps").args(["-o", "pid=", "--ppid", &ours]).output().unwrap();
    let server = stdout(&found).trim().to_owned();
    assert!(Command::new("kill").args(["-KILL", &server]).status().unwrap().success(), "{server:?}");
    let rest: Vec<String> = said.collect();
    assert_eq!(child.wait().unwrap().code(), Some(1), "{rest:?}");
    let told = rest.join("\n");
    assert!(told.contains("our own server has died") && told.contains("signal: 9"), "{told}");
    assert_eq!(summary(&dir.path().join("r"))["partial"], true, "what was measured is kept");
}

/// A server that greets everybody with `greeting`, and answers each line as `answer` says, until a client closes.
fn says(greeting: &'static str, answer: fn(&str) -> &'static str) -> String {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("ftp://{}", server.local_addr().unwrap());
    std::thread::spawn(move || {
        for mut client in server.incoming().map_while(Result::ok) {
            std::thread::spawn(move || {
                let lines = BufReader::new(client.try_clone().unwrap()).lines();
                let first = if greeting.is_empty() { Ok(()) } else { client.write_all(greeting.as_bytes()) };
                if first.is_err() || !greeting.starts_with("220") {
                    return;
                }
                for line in lines.map_while(Result::ok) {
                    if client.write_all(answer(&line).as_bytes()).is_err() {
                        return;
                    }
                }
            });
        }
    });
    url
}

/// What a load of `text` against `target` says first, with exit code 1.
#[track_caller]
fn fails(text: &str, target: &str, args: &[&str]) -> String {
    let dir = tempfile::tempdir().unwrap();
    let file = scenario(dir.path(), text);
    let all = ["load", &file, "--target", target, "--duration", "1s", "--out", "r"];
    let done = ftp421(dir.path(), &[&all[..], args].concat());
    assert_eq!(done.status.code(), Some(1), "{}{}", stdout(&done), stderr(&done));
    stdout(&done).lines().nth(1).unwrap().to_owned()
}

#[test]
fn who_is_no_ftp_server_is_told_with_his_words() {
    let told = fails(SMALL, &says("HTTP/1.1 400 Bad Request\r\nServer: x\r\n\r\n", |_| ""), &[]);
    assert!(
        told.starts_with("No FTP server answered") && told.contains("HTTP/1.1 400 Bad Request"),
        "{told}"
    );
}

#[test]
fn a_server_without_tls_is_told_from_a_full_one() {
    let tls = SMALL.replace("user = ", "tls = \"explicit\"\nuser = ");
    let told =
        fails(&tls, &says("220 hello\r\n", |_| "500 This security scheme is not implemented\r\n"), &[]);
    assert!(told.contains("does not offer TLS") && told.contains("500 This security scheme"), "{told}");
}

/// A scenario that names no users logs in as those given; when they are wrong, the server's words say so.
#[test]
fn given_accounts_are_used_and_wrong_ones_told() {
    let server = || {
        says("220 hello\r\n", |line| match line.split_once(' ') {
            Some(("USER", "bob")) => "331 go on\r\n",
            Some(("PASS", _)) => "530 Not you, Bob.\r\n",
            _ => "530 Who is that?\r\n",
        })
    };
    let nobody = SMALL.replace("user = \"alice\"\n", "");
    let told = fails(&nobody, &server(), &["--user", "bob:sesame"]);
    assert!(
        told.contains("15 of 15 attempts failed for wrong passwords") && told.contains("530 Not you, Bob."),
        "{told}"
    );
    let told = fails(&nobody, &server(), &[]);
    assert!(told.contains("530 Who is that?"), "{told}");
}

#[test]
fn what_would_be_ignored_is_refused() {
    refused(SMALL, &["--users", "nofile"], 2, &["--target"]);
    refused(SMALL, &["--user", "bob:sesame"], 2, &["--target"]);
    refused(SMALL, &["--tls-insecure"], 2, &["--target"]);
    refused(SMALL, &["--tls-ca", "nofile"], 2, &["--target"]);
}
