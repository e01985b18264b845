//! What the served model costs, each number beside the same work by a bare server, in one run.
//!
//! Both servers are processes of their own, and their processor time is read from the kernel; the clients are the same for both. Runs
//! are taken in turn and told by their median: only the ratios mean anything on a machine that others use too.

#[path = "../load/raw.rs"]
mod raw;
#[path = "../load/server.rs"]
mod server;

use std::fs;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// Pairs of runs of which the median is told.
const PAIRS: usize = 5;
/// Sessions of a run.
const SESSIONS: u32 = 20_000;
/// Of these at once.
const AT_ONCE: u32 = 100;
/// Sessions that are held for the memory of one.
const HELD: u32 = 10_000;
/// Bytes of a download, as in the bare server.
const FILE: u64 = server::FILE;

fn main() {
    server::serve_if_asked();
    let (_, most) = getrlimit(Resource::RLIMIT_NOFILE).expect("Linux tells");
    setrlimit(Resource::RLIMIT_NOFILE, most, most).expect("it is allowed");
    sessions();
    held();
    downloads();
}

/// Processor time of a session: log in, NOOP, QUIT.
fn sessions() {
    let minimal = server::Minimal::start().expect("the minimal server starts");
    let ours = Ours::start();
    let mut pairs = Vec::new();
    for _ in 0..PAIRS {
        let cost = |pid, port| {
            let before = cpu_us(pid);
            raw::sessions(port, SESSIONS, AT_ONCE).expect("the clients are served");
            (cpu_us(pid) - before) / f64::from(SESSIONS)
        };
        pairs.push((cost(minimal.child.id(), minimal.port), cost(ours.child.id(), ours.port)));
    }
    let (bare, ours, ratio) = medians(&pairs);
    println!(
        "a session (login, NOOP, QUIT), {AT_ONCE} at once: bare epoll {bare:.1} us, ours {ours:.1} us of the server's processor time: {ratio:.2}"
    );
}

/// Memory of a logged-in session that says nothing.
fn held() {
    let ours = Ours::start();
    let log_in = || -> io::Result<TcpStream> {
        let mut session = TcpStream::connect((Ipv4Addr::LOCALHOST, ours.port))?;
        let mut reply = [0; 512];
        for say in ["", "USER anonymous\r\n", "PASS x\r\n"] {
            session.write_all(say.as_bytes())?;
            let read = session.read(&mut reply)?;
            assert!(reply[..read].ends_with(b"\r\n") && reply[0] < b'4', "{:?}", &reply[..read]);
        }
        Ok(session)
    };
    let first = log_in().expect("it is let in");
    let before = resident(ours.child.id());
    let sessions: Vec<TcpStream> = (0..HELD).map(|_| log_in().expect("it is let in")).collect();
    let each = resident(ours.child.id()).saturating_sub(before) / u64::from(HELD);
    println!(
        "an idle session, of {HELD}: {each} bytes of the server's resident memory, the kernel's own left out"
    );
    drop((first, sessions));
}

/// Downloads of one big file: bytes for each second of the server's processor time.
fn downloads() {
    let minimal = server::Minimal::start().expect("the minimal server starts");
    let ours = Ours::start();
    let mut pairs = Vec::new();
    for _ in 0..PAIRS {
        let rate = |pid, port| {
            let before = cpu_us(pid);
            assert_eq!(raw::download(port).expect("it is sent"), FILE, "all of it");
            FILE as f64 / 1e3 / (cpu_us(pid) - before)
        };
        pairs.push((rate(minimal.child.id(), minimal.port), rate(ours.child.id(), ours.port)));
    }
    let (bare, ours, ratio) = medians(&pairs);
    println!(
        "a download: bare loop of zeros {bare:.2} GB, ours with made-up bytes {ours:.2} GB for each second of the server's processor time: {ratio:.2}"
    );
}

/// The served model, ended when dropped.
struct Ours {
    child: Child,
    port: u16,
    _folder: tempfile::TempDir,
}

impl Ours {
    fn start() -> Self {
        let folder = tempfile::tempdir().expect("there is room");
        let file = folder.path().join("bench.toml");
        fs::write(&file, scenario()).expect("there is room");
        let (child, port) = Self::spawn(&file).expect("it starts");
        Self { child, port, _folder: folder }
    }

    fn spawn(file: &Path) -> io::Result<(Child, u16)> {
        let mut child = Command::new(env!("CARGO_BIN_EXE_ftp421"))
            .arg("serve")
            .arg(file)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?).read_line(&mut line)?;
        let port = line.trim().rsplit(':').next().and_then(|port| port.parse().ok());
        Ok((child, port.ok_or_else(|| io::Error::other(line))?))
    }
}

impl Drop for Ours {
    fn drop(&mut self) {
        let _ = self.child.kill(); // it may have ended by itself
        let _ = self.child.wait();
    }
}

/// A server without limits, and one big file.
fn scenario() -> String {
    format!(
        "schema = 1\nname = \"bench\"\nduration = \"1h\"\n[server]\nprofile = \"rfc959\"\n[[clients]]\nname = \"a\"\n\
         arrivals = {{ executor = \"constant-clients\", clients = 1 }}\nscript = [\"login\", {{ retr = \"{FILE}B\", path = \"/file\" }}, \"quit\"]\n"
    )
}

/// Processor time of process `pid` so far, microseconds; threads that have ended included.
fn cpu_us(pid: u32) -> f64 {
    /// A clock tick of the kernel's accounts (`USER_HZ`).
    const TICK_US: f64 = 10_000.0;
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).expect("it runs");
    let (_, behind_name) = stat.rsplit_once(')').expect("Linux tells");
    let ticks =
        behind_name.split_whitespace().skip(11).take(2).map(|ticks| ticks.parse::<f64>().expect("a number"));
    ticks.sum::<f64>() * TICK_US
}

/// Resident memory of process `pid`, bytes.
fn resident(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("it runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("Linux tells");
    line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number") * 1_024
}

/// The medians of both sides and of the ratios second to first.
fn medians(pairs: &[(f64, f64)]) -> (f64, f64, f64) {
    let median = |of: fn(&(f64, f64)) -> f64| {
        let mut values: Vec<f64> = pairs.iter().map(of).collect();
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    };
    (median(|p| p.0), median(|p| p.1), median(|p| p.1 / p.0))
}
