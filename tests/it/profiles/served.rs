//! What a profile says to real clients only: played to one, who uses every verb in every wrong way.
//!
//! All texts are marked at once, each with a mark of its own, and are alive if their mark is heard. What is no text is changed alone.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use ftp421::live::serve::{Emulator, Plan};
use ftp421::server::profile::TlsMode;
use ftp421::server::{Overrides, Policy, Profile};
use ftp421::time;
use toml::{Table, Value};

use super::leaves::{self, Path};
use crate::support;

/// Words that need a handshake first.
const UNDER_TLS: &str = "verbs.PROT.done";

/// What a stranger says.
const STRANGER: &[&str] = &[
    "FEAT",
    "SYST",
    "HELP",
    "STAT",
    "OPTS",
    "OPTS X",
    "OPTS UTF8 ON",
    "OPTS MLST type;",
    "ACCT x",
    "SMNT x",
    "REIN",
    "CLNT x",
    "MODE S",
    "STRU F",
    "SITE HELP",
    "AUTH X",
    "CCC",
    "USER",
    "MKD a",
    "QUIT",
];

/// What is said behind a login. `PASV!` is followed by a connection.
const SCRIPT: &[&str] = &[
    "FEAT",
    "SYST",
    "HELP",
    "STAT",
    "STAT /",
    "STAT file.bin",
    "STAT nope",
    "OPTS",
    "OPTS X",
    "OPTS UTF8 ON",
    "OPTS UTF8 x",
    "OPTS UTF8 OFF",
    "OPTS MLST type;",
    "ACCT x",
    "SMNT x",
    "ALLO",
    "ALLO 1",
    "CLNT x",
    "TYPE",
    "TYPE E",
    "TYPE A",
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
    "CWD",
    "CWD nope",
    "CDUP",
    "MKD",
    "MKD sub",
    "MKD sub",
    "RMD",
    "RMD nope",
    "DELE",
    "DELE nope",
    "DELE sub",
    "RNTO x",
    "RNFR",
    "RNFR nope",
    "RNFR sub",
    "RNTO",
    "RNTO no/x",
    "RNFR sub",
    "RNTO sub2",
    "SIZE",
    "SIZE nope",
    "SIZE sub2",
    "MDTM",
    "MDTM nope",
    "MDTM sub2",
    "MDTM file.bin",
    "MLST nope",
    "MLST file.bin",
    "REST",
    "REST x",
    "RETR",
    "RETR nope",
    "STOR",
    "APPE",
    "PORT",
    "PORT 1,2",
    "PORT 9,9,9,9,9,9",
    "EPRT",
    "EPRT junk",
    "EPRT |3|127.0.0.1|2000|",
    "EPRT |1|9.9.9.9|2000|",
    "EPSV",
    "EPSV 2",
    "SITE",
    "SITE X",
    "SITE HELP",
    "SITE CHMOD",
    "SITE CHMOD x y",
    "SITE CHMOD 600 nope",
    "SITE CHMOD 600 file.bin",
    "AUTH X",
    "CCC",
    "PROT X",
    "PASV",
    "RETR nope",
    "RETR sub2",
    "STOR no/x",
    "STOR sub2",
    "APPE no/x",
    "APPE sub2",
    "PASV!",
    "LIST nope",
    "PASV!",
    "NLST nope",
    "PASV!",
    "MLSD nope",
    "PASV!",
    "STOU x",
    "RMD sub2",
    "DELE file.bin",
    "EPSV ALL",
    "PASV",
    "PORT 127,0,0,1,7,208",
    "USER alice",
    "PASS x",
    "REIN",
    "SYST",
    "QUIT",
];

/// Is this a fact that only a real client learns?
pub fn tells(path: &Path) -> bool {
    path[0] == "verbs"
}

/// The facts of these that change no dialogue.
pub fn dead(facts: &Table) -> Vec<String> {
    let paths: Vec<Path> =
        leaves::of(facts).into_iter().filter(|path| tells(path) && !leaves::is_prose(path)).collect();
    if paths.is_empty() {
        return Vec::new();
    }
    let mut marked = Value::Table(facts.clone());
    let mut marks = Vec::new();
    let (texts, switches): (Vec<_>, Vec<_>) =
        paths.into_iter().partition(|path| leaves::get(facts, path).is_str());
    for (number, path) in texts.into_iter().enumerate() {
        let place = path.iter().fold(&mut marked, |value, key| &mut value[key.as_str()]);
        let Value::String(text) = place else { unreachable!() };
        let mark = format!(" <{number}>");
        text.push_str(&mark);
        marks.push((path, mark));
    }
    let Value::Table(marked) = marked else { unreachable!() };
    let heard = played(&Profile::from_facts(marked).unwrap());
    let mute = marks
        .into_iter()
        .filter(|(_, mark)| !heard.contains(mark.as_str()))
        .map(|(path, _)| leaves::told(&path));
    let mut dead: Vec<String> = mute.filter(|path| path != UNDER_TLS).collect();
    let before = played(&Profile::from_facts(facts.clone()).unwrap());
    for path in switches {
        if leaves::changed(facts, &path).iter().all(|other| played(other) == before) {
            dead.push(leaves::told(&path));
        }
    }
    dead
}

/// Everything that a served model of `profile` says to both.
fn played(profile: &Profile) -> String {
    let text = format!(
        "schema = 1\nname = \"words\"\nduration = \"10m\"\n[server]\nprofile = \"{}\"\n[[clients]]\nname = \"a\"\nuser = \"alice\"\n\
         arrivals = {{ executor = \"constant-clients\", clients = 1 }}\n",
        profile.name
    );
    let mut scenario = support::scenario(&text);
    let overrides = Overrides { tls: profile.tls.as_ref().map(|_| TlsMode::Offered), ..Overrides::default() };
    scenario.servers[0].policy = Policy::new(profile, &overrides).expect("it fits");
    let files = vec![("/file.bin".to_owned(), 1_000)];
    let server =
        Emulator::serve(Plan { files, ..Plan::of(Arc::new(scenario)) }, time::Duration::ZERO).unwrap();
    let stranger = says(&server, STRANGER);
    let login: &[&str] = &["USER alice", "PASS ftp421"];
    let nothing = ["", "USER alice\r\nPASS ftp421\r\n"].map(|login| says_nothing(&server, login)).concat();
    stranger + &nothing + &says(&server, &[login, SCRIPT].concat())
}

/// What is said to somebody who sends an empty line, which may not be answered.
fn says_nothing(server: &Emulator, login: &str) -> String {
    let mut stream = TcpStream::connect(server.address()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    stream.write_all(format!("{login}\r\nQUIT\r\n").as_bytes()).unwrap();
    let mut told = String::new();
    stream.read_to_string(&mut told).unwrap();
    told
}

/// Says each line behind the answer to the one before.
fn says(server: &Emulator, script: &[&str]) -> String {
    let stream = TcpStream::connect(server.address()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    stream.set_nodelay(true).unwrap();
    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
    let mut told = String::new();
    let mut hear = |told: &mut String| {
        let mut code = String::new();
        while let Some(Ok(line)) = lines.next() {
            if code.is_empty() {
                line[..3].clone_into(&mut code);
            }
            told.push_str(&line);
            told.push('\n');
            if line.strip_prefix(&code).is_some_and(|rest| rest.starts_with(' ')) {
                return (code, line);
            }
        }
        (String::new(), String::new())
    };
    hear(&mut told);
    let mut data = None;
    for line in script {
        let (line, connects) = line.strip_suffix('!').map_or((*line, false), |line| (line, true));
        (&stream).write_all(format!("{line}\r\n").as_bytes()).unwrap();
        let (code, last) = hear(&mut told);
        if connects {
            let numbers: Vec<u16> =
                last.split(|c: char| !c.is_ascii_digit()).filter_map(|n| n.parse().ok()).collect();
            assert!(numbers.len() > 6, "{line}: {last}\n{told}");
            let port = numbers[numbers.len() - 2] * 256 + numbers[numbers.len() - 1];
            data = TcpStream::connect(("127.0.0.1", port)).ok();
        }
        if code == "150" {
            data = None; // the upload, or the listing, is at its end
            hear(&mut told);
        }
    }
    drop(data);
    masked(&told)
}

/// Without the ports that the kernel picks.
fn masked(told: &str) -> String {
    let lines = told.lines().filter(|line| !line.starts_with("22") || line.contains('<'));
    lines.collect::<Vec<_>>().join("\n")
}
