//! What is said of each verb: by the real daemon, and by the model of it.
//!
//! Transfers are tested by real clients; here no data connection is ever opened.

use std::fs::{self, Permissions};
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;
use std::time::Duration;

use ftp421::live::serve::{Emulator, Plan};
use ftp421::time;

use crate::real::daemon::Daemon;
use crate::support;

/// Before login.
const STRANGER: &[&str] =
    &["FEAT", "SYST", "HELP", "MKD a", "PWD", "CWD /", "RETR x", "PASV", "XYZZY", "ACCT x", "SIZE x"];

/// Logged in, in a folder that holds `file.bin` of 1000 bytes.
const SCRIPT: &[&str] = &[
    "SYST",
    "feat",
    "HELP",
    "STAT nope",
    "NOOP",
    "PWD",
    "XPWD",
    "TYPE",
    "TYPE A",
    "TYPE E",
    "SIZE file.bin",
    "TYPE I",
    "MODE",
    "MODE S",
    "MODE B",
    "MODE X",
    "STRU",
    "STRU F",
    "STRU R",
    "STRU X",
    "ALLO",
    "ALLO 100",
    "ACCT x",
    "SMNT x",
    "CWD nope",
    "CWD file.bin",
    "MKD",
    "MKD sub",
    "MKD sub",
    "MKD nope/x",
    "XMKD a\"b",
    "RMD",
    "RMD nope",
    "RMD file.bin",
    "RMD a\"b",
    "CWD sub",
    "PWD",
    "CDUP",
    "DELE",
    "DELE nope",
    "RNTO x",
    "RNFR",
    "RNFR nope",
    "RNFR file.bin",
    "NOOP",
    "RNTO file2.bin",
    "RNFR file.bin",
    "RNFR file2.bin",
    "RNTO nope/x",
    "RNFR file2.bin",
    "RNTO file.bin",
    "RNFR sub",
    "RNTO sub2",
    "XRMD sub2",
    "SIZE",
    "SIZE nope",
    "SIZE file.bin",
    "MDTM",
    "MDTM nope",
    "MDTM file.bin",
    "MLST nope",
    "REST",
    "REST x",
    "REST 10",
    "REST 0",
    "PORT 1,2",
    "PORT 127,0,0,1,256,1",
    "EPRT |3|127.0.0.1|2000|",
    "EPRT |1|1.2.3.4|2000|",
    "EPRT junk",
    "EPSV 2",
    "PASV",
    "RETR nope",
    "PASV",
    "STOR nope/x",
    "EPSV ALL",
    "PASV after EPSV ALL",
    "EPSV",
    "OPTS",
    "OPTS UTF8 ON",
    "opts utf8 x",
    "OPTS XYZZY",
    "SITE",
    "SITE HELP",
    "SITE XYZZY",
    "SITE CHMOD",
    "SITE CHMOD 644 nope",
    "AUTH X",
    "XYZZY x",
    "DELE file.bin",
    "ABOR",
    "PASS x",
    "QUIT",
];

/// What is known to be said otherwise, and why.
const DIFFER: &[(&str, &str, &str)] = &[
    (
        "pure-ftpd",
        "XYZZY",
        "the machine tells a stranger that a verb is not known, where Pure-FTPd tells him to log in",
    ),
    ("pure-ftpd", "EPRT |1|1.2.3.4|2000|", "ours names the port, too"),
    ("pure-ftpd", "PASV after EPSV ALL", "it lets PASV through, against RFC 2428"),
    ("pyftpdlib", "ABOR", "a data connection that is waited for counts as one there"),
];

/// Says each line of `script`, and gives what is answered.
fn answers(address: SocketAddr, script: &[&str]) -> Vec<String> {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
    let mut reply = || {
        let mut told: Vec<String> = Vec::new();
        loop {
            let Some(Ok(line)) = lines.next() else { return told.join("|") + "<end>" };
            let code =
                told.first().map_or(line.get(..3), |first| first.get(..3)).unwrap_or_default().to_owned();
            let last = line.strip_prefix(&code).is_some_and(|rest| rest.starts_with(' '));
            told.push(line);
            if last {
                return told.join("|");
            }
        }
    };
    reply();
    let say = |line: &&str| {
        (&stream).write_all(format!("{}\r\n", line.trim_end_matches(" after EPSV ALL")).as_bytes()).unwrap();
        constant(&reply())
    };
    script.iter().map(say).collect()
}

/// The reply without what is another one each time: ports and times.
fn constant(reply: &str) -> String {
    let mut told = String::new();
    let mut digits = String::new();
    for c in reply.chars().chain(['\n']) {
        if c.is_ascii_digit() || (c == ',' && !digits.is_empty()) {
            digits.push(c);
            continue;
        }
        let varies = digits.len() == 14 || digits.matches(',').count() == 5 || told.ends_with("|||");
        told.push_str(if varies && !digits.is_empty() { "#" } else { &digits });
        digits.clear();
        told.push(c);
    }
    told.trim_end().to_owned()
}

/// The model of a server, with the same file.
fn model(profile: &str, file: &str) -> Emulator {
    let text = format!(
        "schema = 1\nname = \"verbs\"\nduration = \"10m\"\n[server]\nprofile = \"{profile}\"\n[[clients]]\nname = \"a\"\n\
         user = \"alice\"\narrivals = {{ executor = \"constant-clients\", clients = 1 }}\n"
    );
    let plan = Plan { files: vec![(file.to_owned(), 1_000)], ..Plan::of(Arc::new(support::scenario(&text))) };
    Emulator::serve(plan, time::Duration::ZERO).expect("it listens")
}

/// Plays both scripts to `daemon` and to its model, in the folder `base`.
fn compare(daemon: &Daemon, user: [&str; 2], base: &str) {
    let file = daemon.root.join(base.trim_start_matches('/')).join("file.bin");
    fs::write(&file, vec![b'x'; 1_000]).unwrap();
    fs::set_permissions(&file, Permissions::from_mode(0o666)).unwrap();
    let model = model(daemon.name(), &format!("{}/file.bin", base.trim_end_matches('/')));
    let (login, goes) = ([format!("USER {}", user[0]), format!("PASS {}", user[1])], format!("CWD {base}"));
    let before = [&login[0][..], &login[1][..], &goes[..]];
    let logged_in = [&before[..], SCRIPT].concat();
    let mut wrong = Vec::new();
    for script in [STRANGER, &logged_in] {
        // The model's accounts have the password that the generator gives.
        let modelled: Vec<&str> =
            script.iter().map(|line| if *line == "PASS secret" { "PASS ftp421" } else { *line }).collect();
        let (real, ours) = (answers(daemon.address(), script), answers(model.address(), &modelled));
        for ((line, real), ours) in script.iter().zip(&real).zip(&ours) {
            let known = DIFFER.iter().any(|(name, told, _)| *name == daemon.name() && told == line);
            if (real != ours) != known {
                wrong.push(format!("{line}\n  real {real}\n  ours {ours}"));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{}: {} of {}\n{}",
        daemon.name(),
        wrong.len(),
        logged_in.len(),
        wrong.join("\n")
    );
}

#[test]
fn vsftpd_and_its_model_say_the_same_of_each_verb() {
    let daemon = Daemon::vsftpd(
        "anon_mkdir_write_enable=YES\nanon_other_write_enable=YES\nanon_world_readable_only=NO\nanon_umask=022",
    );
    compare(&daemon, ["anonymous", "me@example.org"], "/in");
}

#[test]
fn proftpd_and_its_model_say_the_same_of_each_verb() {
    compare(&Daemon::proftpd("DefaultRoot ~"), ["alice", "secret"], "/");
}

#[test]
fn pure_ftpd_and_its_model_say_the_same_of_each_verb() {
    compare(&Daemon::pure_ftpd([47_100, 47_119], &[]), ["alice", "secret"], "/");
}

#[test]
fn pyftpdlib_and_its_model_say_the_same_of_each_verb() {
    compare(&Daemon::pyftpdlib(""), ["alice", "secret"], "/");
}
