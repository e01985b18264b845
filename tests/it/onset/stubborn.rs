//! Servers that give a search nothing to find, and targets that it leaves alone.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::Output;

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
