//! The search at real servers, with limits that differ from any default: what it finds is what is configured.

use serde_json::Value;

use crate::real::daemon::Daemon;
use crate::support::{ftp421, stderr};

/// What `ftp421 onset` finds at `daemon`.
fn onset(daemon: &Daemon, args: &[&str]) -> Value {
    let dir = tempfile::tempdir().unwrap();
    let target = format!("ftp://127.0.0.1:{}", daemon.port);
    let plain = ["onset", "--target", &target, "--json", "--repeats", "2", "--budget", "50s"];
    let cap: &[&str] = if args.contains(&"--cap") { &[] } else { &["--cap", "30"] };
    let done = ftp421(dir.path(), &[&plain[..], cap, args].concat());
    // A busy test machine may be too slow for a rate; what is asked here is about numbers.
    assert!(matches!(done.status.code(), Some(0 | 109)), "{}", stderr(&done));
    let found: Value = serde_json::from_slice(&done.stdout).unwrap();
    assert_eq!(found["world"], "measured");
    assert!(!String::from_utf8_lossy(&done.stdout).contains("secret"), "a password is in the result");
    found
}

fn limits(found: &Value) -> [Option<u64>; 3] {
    ["max_clients", "max_per_ip", "max_per_user"].map(|name| found["limits"][name]["value"].as_u64())
}

fn first(found: &Value) -> (u64, u64, &str, &str, u64) {
    let met = &found["first_refusal"];
    let word = |name: &str| met[name].as_str().unwrap();
    let number = |value: &Value| value.as_u64().unwrap();
    (number(&found["admitted"]), number(&met["attempt"]), word("cause"), word("phase"), number(&met["code"]))
}

/// Its place changed hands often enough, and soon.
fn assert_released(found: &Value, within_s: f64, least: u64) {
    let release = &found["slot_release"];
    let median = release["median_s"].as_f64().unwrap_or_else(|| panic!("no release: {found}"));
    assert!((0.0..=within_s).contains(&median), "{release}");
    assert!(release["variants"][0]["handovers"].as_u64() >= Some(least), "{release}");
}

#[test]
fn vsftpd() {
    let daemon = Daemon::vsftpd("max_clients=7\nmax_per_ip=3");
    let found = onset(&daemon, &["--no-rate"]);
    assert_eq!(limits(&found), [Some(7), Some(3), None], "{}", found["story"]);
    assert_eq!(first(&found), (3, 4, "max_per_ip", "greeting", 421));
    assert_eq!(found["first_refusal"]["text"], "There are too many connections from your internet address.");
    assert_released(&found, 0.2, 6);
}

/// Three limits, each found by who is refused beside whom: the 530 reads like a wrong password.
#[test]
fn proftpd() {
    let daemon = Daemon::proftpd("MaxClients 6\nMaxClientsPerHost 4\nMaxClientsPerUser 2");
    let users = ["alice", "bob", "carol", "dave"].map(|name| format!("--user={name}:secret"));
    let mut args: Vec<&str> = users.iter().map(String::as_str).collect();
    args.push("--no-rate");
    let found = onset(&daemon, &args);
    assert_eq!(limits(&found), [Some(6), Some(4), Some(2)], "{}", found["story"]);
    assert_eq!(first(&found), (2, 3, "max_per_user", "pass", 530));
    let text = found["first_refusal"]["text"].as_str().unwrap();
    assert!(text.contains("maximum number of clients (2) for this user"), "{text}");
    assert_released(&found, 2.0, 2); // each knock makes it sleep for up to 0.4 s
}

#[test]
fn proftpd_that_closes_without_a_word() {
    let daemon = Daemon::proftpd("MaxInstances 5");
    let found = onset(&daemon, &["--no-rate", "--user", "alice:secret"]);
    assert_eq!(limits(&found), [Some(5), None, None], "{}", found["story"]);
    assert_eq!(first(&found), (5, 6, "max_clients", "accept", 0));
}

#[test]
fn pure_ftpd() {
    let daemon = Daemon::pure_ftpd([49_500, 49_599], &["-c", "9", "-C", "4"]);
    let found = onset(&daemon, &["--no-rate", "--user", "alice:secret"]);
    assert_eq!(limits(&found), [Some(9), Some(4), None], "{}", found["story"]);
    assert_eq!(first(&found), (4, 5, "max_per_ip", "greeting", 421));
    assert_eq!(found["first_refusal"]["text"], "Too many connections (4) from this IP");
    assert_released(&found, 0.2, 6);
}

/// `max_cons` counts the listener, too.
#[test]
fn pyftpdlib_and_its_rate() {
    let daemon = Daemon::pyftpdlib("FTPServer.max_cons = 8\nFTPServer.max_cons_per_ip = 5");
    let found = onset(&daemon, &["--user", "alice:secret"]);
    assert_eq!(limits(&found), [Some(7), Some(5), None], "{}", found["story"]);
    assert_eq!(first(&found), (5, 6, "max_per_ip", "greeting", 421));
    assert_released(&found, 0.2, 6);
    let rate = &found["rate"];
    assert_eq!(rate["places"], 7);
    assert!(rate["points"].as_array().unwrap().len() == 3, "{rate}");
}

#[test]
fn a_server_with_more_room_than_was_looked_for() {
    let daemon = Daemon::pyftpdlib("");
    let found = onset(&daemon, &["--user", "alice:secret", "--cap", "25"]);
    assert_eq!(limits(&found), [None; 3]);
    assert_eq!((&found["admitted"], &found["first_refusal"]), (&Value::from(25), &Value::Null));
}

/// The password is wrong, and the server says so.
#[test]
fn a_wrong_password_is_no_limit() {
    let daemon = Daemon::pyftpdlib("FTPHandler.auth_failed_timeout = 0.2");
    let dir = tempfile::tempdir().unwrap();
    let target = format!("ftp://127.0.0.1:{}", daemon.port);
    let done = ftp421(dir.path(), &["onset", "--target", &target, "--user", "alice:wrong"]);
    assert_eq!(done.status.code(), Some(1));
    let said = stderr(&done);
    assert!(said.contains("alice") && said.contains("password"), "{said}");
    assert!(!said.contains("wrong\"") && !said.contains("alice:wrong"), "{said}");
    assert!(!dir.path().join("ftp421-out/onset/onset.json").exists());
}
