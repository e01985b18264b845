//! An ordinary day of each client: it logs in, lists, fetches, goes on with a download and an upload, renames, deletes, makes and
//! removes folders, each way that it can go.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use ftp421::live::content::Content;
use ftp421::live::serve::{Emulator, Plan};
use ftp421::time::Duration;
use suppaftp::FtpStream;
use suppaftp::types::{FileType, Mode};

use super::run::{fill, shell};
use super::tools::{TOOLS, Tls, Tool, Way};
use crate::support::{self, project};

const PROFILES: [&str; 5] = ["vsftpd", "proftpd", "pure-ftpd", "pyftpdlib", "rfc959"];
/// The size of /pub/big.
const BIG: usize = 3_000_001;
/// How much of it is there already.
const PART: usize = 1_000_000;
/// What is stored, and how much of it comes first.
const UP: usize = 250_001;
const HALF: usize = 100_000;
/// Seconds.
const PATIENCE: u32 = 40;
/// Clients at a time.
const AT_ONCE: usize = 6;

/// One client's day.
struct Day {
    tool: &'static Tool,
    way: Way,
    profile: &'static str,
    named: bool,
}

/// Every client goes each way that it can, and meets each profile at least once.
fn days() -> Vec<Day> {
    let mut days = Vec::new();
    for (number, tool) in TOOLS.iter().enumerate() {
        let ways: Vec<Way> = Way::all().filter(|way| (tool.can)(*way)).collect();
        for turn in 0..ways.len().max(PROFILES.len()) {
            let profile = PROFILES[(turn + number) % PROFILES.len()];
            days.push(Day { tool, way: ways[turn % ways.len()], profile, named: turn % 3 != 0 });
        }
    }
    days
}

/// Lets each of `days` go, a few at a time, and says what is wrong.
fn all(days: &[Day], one: impl Fn(&Day) -> Result<(), String> + Sync) {
    let next = AtomicUsize::new(0);
    let worker = || {
        let mut wrong = Vec::new();
        while let Some(day) = days.get(next.fetch_add(1, Ordering::Relaxed)) {
            let Day { tool, way, profile, named } = day;
            if let Err(why) = one(day) {
                wrong.push(format!("{} at {profile}, {way:?}, named {named}: {why}", tool.name));
            }
        }
        wrong
    };
    let wrong: Vec<String> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..AT_ONCE).map(|_| scope.spawn(worker)).collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    });
    assert!(wrong.is_empty(), "{} of {}\n{}", wrong.len(), days.len(), wrong.join("\n\n"));
}

/// The model that it meets.
fn server(day: &Day) -> Emulator {
    let tls = if day.way.tls == Tls::No { "none" } else { "offered" };
    let text = format!(
        "schema = 1\nname = \"day\"\nduration = \"10m\"\n[server]\nprofile = \"{}\"\ntls = \"{tls}\"\n[[clients]]\nname = \"a\"\nuser = \"alice\"\n\
         arrivals = {{ executor = \"constant-clients\", clients = 1 }}\n\
         script = [\"login\", {{ cwd = \"/pub\" }}, \"list\", {{ retr = \"{BIG}B\", path = \"/pub/big\" }}, {{ retr = \"0B\", path = \"/pub/empty\" }}]\n",
        day.profile
    );
    let host: std::net::IpAddr = if day.way.v6 { "::1" } else { "127.0.0.1" }.parse().unwrap();
    let plan = Plan {
        listen: SocketAddr::new(host, 0),
        implicit_tls: day.way.tls == Tls::Implicit,
        ..Plan::of(Arc::new(support::scenario(&text)))
    };
    Emulator::serve(plan, Duration::ZERO).expect("it listens")
}

/// `line` with the values of the day.
fn told(line: &str, day: &Day, server: &Emulator) -> String {
    let (user, password) = if day.named { ("alice", "ftp421") } else { ("anonymous", "me") };
    let address = server.address();
    let scheme = match (day.way.tls, day.tool.name) {
        (Tls::Implicit, _) | (Tls::Explicit, "wget") => "ftps",
        _ => "ftp",
    };
    let values = [
        ("way", (day.tool.says)(day.way)),
        ("url", format!("{scheme}://{user}:{password}@{address}")),
        ("host", address.ip().to_string()),
        ("port", address.port().to_string()),
        ("user", user.to_owned()),
        ("password", password.to_owned()),
        ("day", "/day".to_owned()),
        ("days", project().join("tests/it/serve/clients/days").display().to_string()),
    ];
    format!("set -e\n{}", fill(line, &values))
}

fn bytes(length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    Content::of(7, "what is stored").fill(0, &mut bytes);
    bytes
}

fn big() -> Vec<u8> {
    let mut bytes = vec![0; BIG];
    Content::of(42, "/pub/big").fill(0, &mut bytes);
    bytes
}

/// A folder with what a client has in the morning.
fn morning() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let files = [
        ("up", bytes(UP)),
        ("half", bytes(HALF)),
        ("part", big()[..PART].to_vec()),
        ("begun", big()[..PART].to_vec()),
    ];
    for (name, bytes) in files {
        fs::write(dir.path().join(name), bytes).unwrap();
    }
    dir
}

/// Is `name` in `dir` just this?
fn holds(dir: &Path, name: &str, right: &[u8]) -> Result<(), String> {
    let found = fs::read(dir.join(name)).unwrap_or_default();
    let same = found.iter().zip(right).take_while(|(found, right)| found == right).count();
    if found == right {
        return Ok(());
    }
    Err(format!("{name} has {} bytes, and not {}; {same} are right", found.len(), right.len()))
}

#[test]
fn clients_list_and_fetch_and_go_on_with_a_download() {
    all(&days(), |day| {
        let (server, dir) = (server(day), morning());
        let ran = shell(dir.path(), PATIENCE, &told(day.tool.reads, day, &server));
        let list = fs::read_to_string(dir.path().join("list")).unwrap_or_default();
        let right = holds(dir.path(), "down", &big())
            .and_then(|()| holds(dir.path(), "part", &big()))
            .and_then(|()| {
                if list.contains("big") { Ok(()) } else { Err(format!("a listing without big: {list:?}")) }
            });
        right.map_err(|why| format!("{why}\n{ran:?}"))
    });
}

#[test]
fn clients_store_and_go_on_with_an_upload_and_tidy_up() {
    let writers: Vec<Day> = days().into_iter().filter(|day| !day.tool.writes.is_empty()).collect();
    all(&writers, |day| {
        let (server, dir) = (server(day), morning());
        let ran = shell(dir.path(), PATIENCE, &told(day.tool.writes, day, &server));
        let curl = Day { tool: &TOOLS[0], way: Way { active: false, ..day.way }, ..*day };
        let seen = shell(
            dir.path(),
            PATIENCE,
            &told(
                "alias c='curl -sS --max-time 10 {way}'; set +e
                    c -l {url}/day/ > names; c -o renamed {url}/day/renamed; c -o resumed {url}/day/resumed",
                &curl,
                &server,
            ),
        );
        let names = fs::read_to_string(dir.path().join("names")).unwrap_or_default();
        let mut names: Vec<&str> = names.lines().collect();
        names.sort_unstable();
        let right = holds(dir.path(), "renamed", &bytes(UP))
            .and_then(|()| holds(dir.path(), "resumed", &bytes(UP)))
            .and_then(|()| {
                if names == ["kept", "renamed", "resumed"] {
                    Ok(())
                } else {
                    Err(format!("/day holds {names:?}"))
                }
            });
        right.map_err(|why| format!("{why}\n{ran:?}\n{seen:?}"))
    });
}

#[test]
fn ftplib_breaks_off_a_download_and_goes_on() {
    let server = super::super::server(
        "profile = \"proftpd\"\nbandwidth = \"1MB/s\"",
        "{ retr = \"3000001B\", path = \"/pub/big\" }",
    );
    let dir = tempfile::tempdir().unwrap();
    let line = format!(
        "$PYTHON -c '
import ftplib
ftp = ftplib.FTP(timeout=20)
ftp.connect(\"{}\", {})
ftp.login(\"alice\", \"ftp421\")
data = ftp.transfercmd(\"RETR /pub/big\")
assert len(data.recv(1000)) > 0
try:
    ftp.abort()
except ftplib.all_errors as e:
    print(e)
data.close()
print(ftp.voidcmd(\"NOOP\"))
print(ftp.quit())'",
        server.address().ip(),
        server.address().port()
    );
    let ran = shell(dir.path(), PATIENCE, &line);
    assert!(ran.code == Some(0) && ran.said.contains("226"), "{ran:?}");
}

#[test]
fn suppaftp_lists_and_fetches_and_stores() {
    for (profile, way) in PROFILES.into_iter().zip(Way::all()) {
        let server = server(&Day { tool: &TOOLS[0], way, profile, named: true });
        let mut ftp = FtpStream::connect(server.address()).unwrap();
        ftp.set_mode(if way.active { Mode::Active } else { Mode::ExtendedPassive });
        ftp.login("alice", "ftp421").unwrap();
        ftp.transfer_type(FileType::Binary).unwrap();
        ftp.cwd("/pub").unwrap();
        let names = ftp.nlst(None).unwrap();
        assert!(names.iter().any(|name| name.ends_with("big")), "{profile} {way:?}: {names:?}");
        assert!(ftp.retr_as_buffer("big").unwrap().into_inner() == big(), "{profile} {way:?}");
        ftp.resume_transfer(PART).unwrap();
        assert!(ftp.retr_as_buffer("big").unwrap().into_inner() == big()[PART..], "{profile} {way:?}");
        assert_eq!(ftp.put_file("up", &mut bytes(UP).as_slice()).unwrap(), UP as u64, "{profile} {way:?}");
        assert!(ftp.retr_as_buffer("up").unwrap().into_inner() == bytes(UP), "{profile} {way:?}");
        ftp.quit().unwrap();
    }
}
