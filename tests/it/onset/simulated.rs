//! The search in virtual time: what it finds is what the profile says.

use serde_json::Value;

use crate::support::{ftp421, stderr, stdout};

/// What `ftp421 onset --sim` finds at this server.
fn onset(server: &str, args: &[&str]) -> Value {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("s.toml");
    let text = format!(
        r#"
        schema = 1
        name = "s"
        duration = "1h"
        [server]
        {server}
        [[clients]]
        name = "nobody"
        arrivals = {{ executor = "poisson", rate = "1/s" }}
        "#
    );
    std::fs::write(&file, text).unwrap();
    let plain = ["onset", file.to_str().unwrap(), "--sim", "--json", "--repeats", "2"];
    let cap: &[&str] = if args.contains(&"--cap") { &[] } else { &["--cap", "60"] };
    let done = ftp421(dir.path(), &[&plain[..], cap, args].concat());
    assert!(done.status.success(), "{server}: {}", stderr(&done));
    assert!(stderr(&done).starts_with("seed 42"), "{}", stderr(&done));
    for file in ["onset.json", "charts/onset.svg", "charts/onset.png"] {
        assert!(dir.path().join("ftp421-out/onset").join(file).is_file(), "{file}");
    }
    assert_eq!(done.stdout, std::fs::read(dir.path().join("ftp421-out/onset/onset.json")).unwrap());
    serde_json::from_slice(&done.stdout).unwrap()
}

/// The limits that were found: on all clients, on one address, on one user.
fn limits(found: &Value) -> [Option<u64>; 3] {
    ["max_clients", "max_per_ip", "max_per_user"].map(|name| found["limits"][name]["value"].as_u64())
}

/// Number admitted, and what the first one met who was not: attempt, cause, phase, code.
fn first(found: &Value) -> (u64, u64, &str, &str, u64) {
    let met = &found["first_refusal"];
    let word = |name: &str| met[name].as_str().unwrap();
    let number = |value: &Value| value.as_u64().unwrap();
    (number(&found["admitted"]), number(&met["attempt"]), word("cause"), word("phase"), number(&met["code"]))
}

#[test]
fn vsftpd_says_421_instead_of_the_greeting() {
    let found = onset("profile = \"vsftpd\"\nmax_clients = 7\nmax_per_ip = 3", &["--no-rate"]);
    assert_eq!(limits(&found), [Some(7), Some(3), None]);
    assert_eq!(first(&found), (3, 4, "max_per_ip", "greeting", 421));
    assert_eq!(found["first_refusal"]["text"], "There are too many connections from your internet address.");
    assert_eq!(found["limits"]["max_per_user"]["at_least"], 7);
}

#[test]
fn proftpd_says_530_in_answer_to_pass() {
    let server = "profile = \"proftpd\"\nmax_clients = 6\nmax_clients_per_host = 4\nmax_per_user = 2";
    let found = onset(server, &["--no-rate"]);
    assert_eq!(limits(&found), [Some(6), Some(4), Some(2)]);
    assert_eq!(first(&found), (2, 3, "max_per_user", "pass", 530));
}

#[test]
fn a_silent_close_has_a_cause_too() {
    let found = onset("profile = \"proftpd\"\nmax_instances = 5", &["--no-rate"]);
    assert_eq!(limits(&found), [Some(5), None, None]);
    assert_eq!(first(&found), (5, 6, "max_clients", "accept", 0));
    assert_eq!(found["first_refusal"]["text"], "");
}

#[test]
fn pure_ftpds_passive_ports_are_a_limit() {
    let server = "profile = \"pure-ftpd\"\nmax_clients = 50\npassive_ports = 18\nmax_per_ip = 4";
    let found = onset(server, &["--no-rate"]);
    assert_eq!(limits(&found), [Some(9), Some(4), None]);
    assert_eq!(first(&found), (4, 5, "max_per_ip", "greeting", 421));
}

#[test]
fn pyftpdlib_counts_its_own_listener() {
    let found = onset("profile = \"pyftpdlib\"\nmax_clients = 8\nmax_per_ip = 5", &["--no-rate"]);
    assert_eq!(limits(&found), [Some(7), Some(5), None]);
    assert_eq!(first(&found), (5, 6, "max_per_ip", "greeting", 421));
}

#[test]
fn filezilla_looks_at_its_limits_when_the_password_has_come() {
    let server = "profile = \"filezilla-0.9\"\nmax_clients = 9\nmax_per_user = 6\nmax_per_ip = 5";
    let found = onset(server, &["--no-rate"]);
    assert_eq!(limits(&found), [Some(9), Some(5), Some(6)]);
    assert_eq!(first(&found), (5, 6, "max_per_ip", "pass", 421));
}

#[test]
fn equal_limits_are_one_limit_on_all_and_a_limit_of_one_is_found() {
    let found = onset("profile = \"rfc959\"\nmax_clients = 4\nmax_per_ip = 4", &["--no-rate"]);
    assert_eq!(limits(&found), [Some(4), None, None]);
    let found = onset("profile = \"vsftpd\"\nmax_clients = 1\nmax_per_ip = 0", &[]);
    assert_eq!(limits(&found), [Some(1), None, None]);
    assert!(found["slot_release"]["variants"][0]["handovers"].as_u64().unwrap() >= 6);
    assert!(found["rate"]["per_s"].as_f64().unwrap() > 0.0);
}

#[test]
fn no_limit_is_an_answer_and_says_how_far_it_looked() {
    let found = onset("profile = \"unftp\"", &["--cap", "40"]);
    assert_eq!(limits(&found), [None; 3]);
    assert_eq!(found["admitted"], 40);
    assert_eq!(found["first_refusal"], Value::Null);
    assert_eq!(found["limits"]["max_clients"]["at_least"], 40);
    assert!(found["story"][0].as_str().unwrap().contains("No limit was reached"), "{}", found["story"]);
    assert_eq!((&found["slot_release"], &found["rate"]), (&Value::Null, &Value::Null));
}

/// One user from many hosts is let in fewer times than from one.
#[test]
fn hosts_of_one_user_are_told_from_his_sessions() {
    let found = onset("profile = \"proftpd\"\nmax_hosts_per_user = 3\nmax_clients = 8", &["--no-rate"]);
    assert_eq!(found["limits"]["hosts_per_user"], 3);
    assert_eq!(limits(&found), [Some(8), None, None]);
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let server = "profile = \"vsftpd\"\nmax_clients = 4\nmax_per_ip = 2";
    let (one, two) = (onset(server, &["--seed", "42"]), onset(server, &[]));
    assert_eq!(one.to_string(), two.to_string());
    let story = one["story"].as_array().unwrap();
    assert!((5..=12).contains(&story.len()), "{story:?}");
}

#[test]
fn the_story_is_told_without_json_and_nothing_if_quiet() {
    let dir = tempfile::tempdir().unwrap();
    let args = ["onset", "--sim", "--no-rate", "--repeats", "1", "--cap", "120"];
    let told = stdout(&ftp421(dir.path(), &args));
    assert!(told.contains("Limits: max_clients = 100"), "{told}");
    assert!(stdout(&ftp421(dir.path(), &[&args[..], &["--quiet"]].concat())).is_empty());
}
