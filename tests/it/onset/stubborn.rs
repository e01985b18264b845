//! Servers that give a search nothing to find, and targets that it leaves alone.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use crate::support::{ftp421, stderr};

/// A server on loopback that does `answer` with each connection, for as long as the test runs.
fn server(answer: fn(TcpStream)) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || listener.incoming().flatten().for_each(answer));
    address
}

fn onset(target: &str, args: &[&str]) -> Output {
    let dir = tempfile::tempdir().unwrap();
    ftp421(dir.path(), &[&["onset", "--target", target, "--json", "--repeats", "1"], args].concat())
}

#[test]
fn one_that_refuses_everybody_lets_none_in() {
    let address = server(|mut peer| {
        let _ = peer.write_all(b"421 Too many users, sorry.\r\n");
    });
    let done = onset(&format!("ftp://{address}"), &[]);
    assert!(done.status.success(), "{}", stderr(&done));
    let found: Value = serde_json::from_slice(&done.stdout).unwrap();
    assert_eq!((&found["admitted"], &found["first_refusal"]["attempt"]), (&Value::from(0), &Value::from(1)));
    assert_eq!(found["first_refusal"]["code"], 421);
    assert_eq!((&found["slot_release"], &found["rate"]), (&Value::Null, &Value::Null));
}

#[test]
fn one_that_answers_530_to_everything_has_another_password() {
    let address = server(|mut peer| {
        let _ = peer.write_all(b"220 Hello.\r\n");
        let mut bytes = [0; 512];
        while peer.read(&mut bytes).is_ok_and(|n| n > 0) {
            if peer.write_all(b"530 No.\r\n").is_err() {
                break;
            }
        }
    });
    let done = onset(&format!("ftp://{address}"), &[]);
    assert_eq!(done.status.code(), Some(1), "{}", stderr(&done));
    assert!(stderr(&done).contains("password is wrong"), "{}", stderr(&done));
}

#[test]
fn nobody_there_is_said_at_once() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let done = onset(&format!("ftp://{free}"), &[]);
    assert_eq!(done.status.code(), Some(1));
    assert!(stderr(&done).contains("connection_refused"), "{}", stderr(&done));
}

#[test]
fn other_machines_are_left_alone_unless_they_are_ones_own() {
    let done = onset("ftp://192.0.2.1:2121", &[]);
    assert_eq!(done.status.code(), Some(106), "{}", stderr(&done));
    assert_eq!(onset("gopher://127.0.0.1", &[]).status.code(), Some(2));
    assert_eq!(onset("ftp://127.0.0.1", &["--sim"]).status.code(), Some(2));
}

/// IPv6 has one address on loopback: what that leaves open is said.
#[test]
fn one_address_cannot_tell_limits_apart_by_itself() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("s.toml");
    let text = "schema = 1\nname = \"s\"\nduration = \"1h\"\n[server]\nmax_clients = 3\n";
    fs::write(&file, text).unwrap();
    let mut server = Command::new(env!("CARGO_BIN_EXE_ftp421"))
        .args(["serve", "--host", "::1", file.to_str().unwrap()])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(server.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let url = line.split_whitespace().find(|word| word.starts_with("ftp://")).map(str::to_owned);
    let done = url.as_ref().map(|url| onset(url.trim_end_matches('/'), &["--no-rate", "--cap", "9"]));
    let _ = server.kill();
    let _ = server.wait();
    let done = done.unwrap_or_else(|| panic!("{line:?}"));
    assert!(done.status.success(), "{}", stderr(&done));
    let found: Value = serde_json::from_slice(&done.stdout).unwrap();
    assert_eq!(found["admitted"], 3);
    assert_eq!(found["first_refusal"]["cause"], "max_clients", "by its text");
    assert_eq!(found["ramps"].as_array().unwrap().len(), 1);
    assert!(found["notes"].to_string().contains("one address"), "{}", found["notes"]);
}

#[test]
fn ctrl_c_keeps_what_was_found_until_then() {
    let dir = tempfile::tempdir().unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_ftp421"))
        .args(["onset", "--cap", "2000", "--gap", "30ms"])
        .current_dir(dir.path())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(child.stderr.take().unwrap()).lines();
    let begun = said.by_ref().map_while(Result::ok).any(|line| line.contains("a ramp from one address"));
    assert!(begun, "it never ramped");
    Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    said.by_ref().for_each(drop);
    assert_eq!(child.wait().unwrap().code(), Some(105));
    let found = fs::read(dir.path().join("ftp421-out/onset/onset.json")).unwrap();
    let found: Value = serde_json::from_slice(&found).unwrap();
    assert_eq!((&found["partial"], found["admitted"].as_u64() > Some(0)), (&Value::Bool(true), true));
}
