//! `serve --record` and `--replay`: the same script sees the same bytes again, and what differs is told.
//!
//! What a comparison makes of two texts is tested where it is made.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use super::clients::run::shell;
use super::command::Served;
use crate::support::{ftp421, stderr};

const PATIENCE: Duration = Duration::from_secs(10);
const SECRET: &str = "geheim-4711";

/// A day of ftplib that shows every byte of every reply, and of every listing.
const SCRIPT: &str = r#"
import ftplib, io, sys
ftp = ftplib.FTP(timeout=20)
ftp.set_debuglevel(2)
ftp.connect(sys.argv[1], int(sys.argv[2]))
ftp.login("alice", sys.argv[3])
ftp.set_pasv("active" not in sys.argv)
ftp.storbinary("STOR new", io.BytesIO(b"some bytes" * 1000))
for command in "MDTM new", "MLST new", "SIZE new", "STAT", "SYST", "HELP", "FEAT", "NONSENSE \xff", "CWD /pub", "PWD":
    try:
        ftp.sendcmd(command)
    except ftplib.Error as error:
        print(error)
ftp.retrlines("LIST /")
try:
    ftp.retrlines("MLSD /")
except ftplib.Error as error:
    print(error)
ftp.retrbinary("RETR /new", lambda data: None)
ftp.quit()
"#;

/// What a client of Python and curl see of `served`, byte for byte but for the ports that they choose.
fn sees(dir: &Path, served: &Served, ways: &[&str]) -> String {
    fs::write(dir.join("script.py"), SCRIPT).unwrap();
    fs::write(dir.join("up"), "a line\n").unwrap();
    let (host, port) = served.address().rsplit_once(':').unwrap();
    let mut seen = String::new();
    for way in ways {
        let ran = shell(dir, 30, &format!("$PYTHON script.py {host} {port} {SECRET} {way}"));
        assert_eq!(ran.code, Some(0), "{}", ran.said);
        let curl = "curl -sS -v --user alice:";
        let ran_curl = shell(dir, 30, &format!("{curl}{SECRET} -T up {0}/up {0}/pub/ 2>&1", served.url));
        assert_eq!(ran_curl.code, Some(0), "{}", ran_curl.said);
        let replies = ran_curl.said.lines().filter(|line| line.starts_with("< ") || line.starts_with("> "));
        let replies: Vec<&str> = replies.collect();
        seen += &ran.said;
        seen += &replies.join("\n");
    }
    seen.lines()
        .filter(|line| !line.contains("PORT ") && !line.contains("EPRT "))
        .collect::<Vec<_>>()
        .join("\n")
}

/// Starts what `command` says behind the flags of a test.
fn starts(dir: &Path, flags: &[&str]) -> Served {
    let out = dir.join("out");
    let common = ["--out", out.to_str().unwrap(), "--quiet"];
    Served::start(&[flags, &common].concat())
}

fn ends(mut served: Served) -> (Option<i32>, String) {
    served.gets(Signal::SIGINT);
    let ended = served.ended();
    (ended.code, ended.told)
}

/// A folder for a recording, as a word.
fn folder(dir: &Path) -> String {
    dir.join("rec").to_str().unwrap().to_owned()
}

/// No file in `folder` has the password.
fn keeps_no_secret(folder: &str) {
    for file in fs::read_dir(folder).unwrap() {
        let file = file.unwrap().path();
        let text = fs::read_to_string(&file).unwrap();
        assert!(!text.contains(SECRET), "{}: {text}", file.display());
    }
}

#[test]
fn the_same_scripts_see_the_same_bytes_again() {
    let ports = ["--", "22000-22099", "22100-22199", "22200-22299", "22300-22399"];
    for (profile, ports) in ["vsftpd", "proftpd", "pure-ftpd", "pyftpdlib", "rfc959"].into_iter().zip(ports) {
        let dir = tempfile::tempdir().unwrap();
        let rec = folder(dir.path());
        let account = format!("alice:{SECRET}");
        let range = format!("--passive-ports={ports}");
        // The first has those of a recording that says nothing.
        let range = if ports.starts_with("--") { "--max-clients=9" } else { &range };
        let flags = ["--profile", profile, "--user", &account, "--seed", "7", range];
        let served = starts(dir.path(), &[&flags[..], &["--record", &rec]].concat());
        let first = sees(dir.path(), &served, &["passive", "active"]);
        assert_eq!(ends(served), (Some(0), String::new()), "{profile}");
        keeps_no_secret(&rec);

        let served = starts(dir.path(), &["--replay", &rec, "--user", &account]);
        let again = sees(dir.path(), &served, &["passive", "active"]);
        let (code, told) = ends(served);
        assert_eq!(code, Some(0), "{profile}: {told}");
        assert_eq!(first, again, "{profile}");
        keeps_no_secret(&rec);
    }
}

#[test]
fn faults_of_the_wire_and_the_scenario_are_played_again() {
    let dir = tempfile::tempdir().unwrap();
    let (rec, file) = (folder(dir.path()), dir.path().join("s.toml"));
    let text = "schema = 1\nname = \"s\"\nduration = \"1m\"\nseed = 3\n[server]\nprofile = \"vsftpd\"\nmax_clients = 3\n";
    fs::write(&file, text).unwrap();
    let wire = ["--wire", "PWD~50% garbage 20", "--wire", "SYST#1 lf"];
    let served = starts(dir.path(), &[&[file.to_str().unwrap(), "--record", &rec], &wire[..]].concat());
    let talks = |served: &Served| {
        let mut talk = served.logged_in("anonymous", "me@");
        for _ in 0..20 {
            talk.sends("PWD"); // what comes may be no reply
        }
        talk.sends("SYST");
        talk.sends("QUIT");
        talk.hears_the_end();
    };
    talks(&served);
    assert_eq!(ends(served), (Some(0), String::new()));
    fs::remove_file(&file).unwrap();
    assert_eq!(fs::read_to_string(dir.path().join("rec/scenario.toml")).unwrap(), text);
    let dialogue = fs::read_to_string(dir.path().join("rec/dialogue.txt")).unwrap();
    assert!(dialogue.contains("  S- 215 UNIX Type: L8\\n"), "as it was sent: {dialogue}");

    let served = starts(dir.path(), &["--replay", &rec]);
    talks(&served);
    assert_eq!(ends(served), (Some(0), String::new()));
}

#[test]
fn another_limit_is_told_with_the_reply_that_differs() {
    let dir = tempfile::tempdir().unwrap();
    let rec = folder(dir.path());
    let talks = |served: &Served| {
        let _first = served.logged_in("anonymous", "me@");
        drop(served.greets());
    };
    let served = starts(dir.path(), &["--profile", "vsftpd", "--max-clients", "2", "--record", &rec]);
    talks(&served);
    assert_eq!(ends(served).0, Some(0));
    let served = starts(dir.path(), &["--replay", &rec, "--max-clients", "1"]);
    talks(&served);
    let (code, told) = ends(served);
    assert_eq!(code, Some(109), "{told}");
    let full = "now      `421 There are too many connected users, please try later.`";
    assert!(
        told.contains("connection 2 differs in its greeting (dialogue.txt, line ") && told.contains(full),
        "{told}"
    );

    // An edited recording is another one.
    let file = dir.path().join("rec/dialogue.txt");
    let edited = fs::read_to_string(&file).unwrap().replace("230 Login successful.", "230 Come in.");
    fs::write(&file, edited).unwrap();
    let served = starts(dir.path(), &["--replay", &rec]);
    talks(&served);
    let (code, told) = ends(served);
    assert_eq!(code, Some(109), "{told}");
    assert!(told.contains("recorded `230 Come in.`\n  now      `230 Login successful.`"), "{told}");
}

#[test]
fn a_client_that_does_something_else_is_not_the_servers_difference() {
    let dir = tempfile::tempdir().unwrap();
    let rec = folder(dir.path());
    let served = starts(dir.path(), &["--profile", "proftpd", "--record", &rec]);
    served.logged_in("anonymous", "me@").says("PWD");
    assert_eq!(ends(served).0, Some(0));
    let served = starts(dir.path(), &["--replay", &rec]);
    served.logged_in("anonymous", "me@").says("NOOP");
    let (code, told) = ends(served);
    assert_eq!(code, Some(1), "{told}");
    assert!(
        told.contains("connection 1 has another client: its command 3 was `PWD`, and is `NOOP`"),
        "{told}"
    );
}

#[test]
fn a_run_that_is_killed_keeps_what_it_has() {
    let dir = tempfile::tempdir().unwrap();
    let rec = folder(dir.path());
    let mut served = starts(dir.path(), &["--profile", "proftpd", "--record", &rec]);
    let talk = served.logged_in("anonymous", "me@");
    let (dialogue, began) = (dir.path().join("rec/dialogue.txt"), Instant::now());
    while !fs::read_to_string(&dialogue).unwrap().contains("  S: 230 ") {
        assert!(began.elapsed() < PATIENCE, "it is not written");
    }
    served.gets(Signal::SIGKILL);
    assert_eq!(served.ended().code, None);
    drop(talk);
    let served = starts(dir.path(), &["--replay", &rec]);
    served.logged_in("anonymous", "me@").says("PWD");
    assert_eq!(ends(served).0, Some(0), "what came behind is not known");
}

#[test]
fn what_is_not_kept_must_be_said_again() {
    let dir = tempfile::tempdir().unwrap();
    let rec = folder(dir.path());
    let root = dir.path().to_str().unwrap();
    let account = format!("alice:{SECRET}");
    let flags = ["--record", &rec, "--root", root, "--writable", "--user", &account];
    assert_eq!(ends(starts(dir.path(), &flags)).0, Some(0));
    let refused = ftp421(dir.path(), &["serve", "--replay", &rec, "--user", &account]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(stderr(&refused).contains("recorded with --writable, which is not kept: say it again"));
    keeps_no_secret(&rec);
    let nothing = ftp421(dir.path(), &["serve", "--replay", root]);
    assert_eq!(nothing.status.code(), Some(1), "{}", stderr(&nothing));
    assert!(stderr(&nothing).contains("--replay wants the folder of a --record"), "{}", stderr(&nothing));
}
