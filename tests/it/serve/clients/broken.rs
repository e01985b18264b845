//! Refusals on the way: a transfer that is cut, reset or stands still, a session that was idle for too long, a 120 instead of the
//! greeting. What a client does about it, and what it has in the end.

use std::fs;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, Instant};

use ftp421::live::content::Content;
use ftp421::live::serve::{Emulator, Plan};
use ftp421::time;

use super::programs::PROGRAMS;
use super::relay::Relay;
use super::run::{Ran, shell};
use crate::support;

const BIG: usize = 2_000_000;
const PATIENCE: u32 = 40;

/// A program's run against a server that was broken under it.
struct Run {
    ran: Ran,
    attempts: usize,
    /// Has it the whole file, byte for byte?
    whole: bool,
    /// Did it ask for a part only, after the first attempt?
    went_on: bool,
}

/// A model at an address of its own: the port that it gives up in a shutdown must not become another's.
fn model(keys: &str) -> Emulator {
    static NEXT: AtomicU8 = AtomicU8::new(1);
    let listen = SocketAddr::from(([127, 42, 2, NEXT.fetch_add(1, Ordering::Relaxed)], 0));
    let text = format!(
        "schema = 1\nname = \"broken\"\nduration = \"10m\"\n[server]\n{keys}\n[[clients]]\nname = \"a\"\nuser = \"alice\"\n\
         arrivals = {{ executor = \"constant-clients\", clients = 1 }}\n\
         script = [\"login\", {{ retr = \"{BIG}B\", path = \"/file\" }}]\n"
    );
    let plan = Plan { listen, ..Plan::of(Arc::new(support::scenario(&text))) };
    Emulator::serve(plan, time::Duration::ZERO).expect("it listens")
}

/// Lets `name` fetch the file, and gives the orders as soon as its transfer is under way.
fn fetches(name: &str, server: &Emulator, orders: &[&str]) -> Run {
    let program = PROGRAMS.iter().find(|program| program.name == name).unwrap();
    let (relay, dir) = (Relay::to(server.address()), tempfile::tempdir().unwrap());
    let line = program.line(relay.address, "ftp421", "/file");
    let ran = std::thread::scope(|scope| {
        let program = scope.spawn(|| shell(dir.path(), PATIENCE, &line));
        until_a_transfer_begins(&relay);
        for order in orders {
            let told = server.desk().say(order);
            assert!(told.is_ok(), "{order}: {told:?}");
        }
        program.join().unwrap()
    });
    let calls = relay.calls();
    let found = fs::read(dir.path().join("out")).unwrap_or_default();
    let whole = found.len() == BIG && Content::of(42, "/file").wrong(0, &found) == 0;
    let went_on = calls
        .iter()
        .skip(1)
        .any(|call| call.heard.iter().any(|line| line.starts_with("REST ") && line != "REST 0"));
    Run { ran, attempts: calls.len(), whole, went_on }
}

fn until_a_transfer_begins(relay: &Relay) {
    let began = Instant::now();
    while !relay
        .calls()
        .iter()
        .any(|call| call.said.iter().any(|line| line.starts_with("150") || line.starts_with("125")))
    {
        assert!(began.elapsed() < Duration::from_secs(20), "no transfer begins: {:?}", relay.calls());
        std::thread::sleep(Duration::from_millis(10));
    }
    std::thread::sleep(Duration::from_millis(200)); // some of it goes over
}

/// Runs all of `cells` at once: a program, and what is to be.
fn all<'a, T: Sync>(
    cells: &'a [(&'static str, T)],
    one: impl Fn(&'static str, &'a T) -> Result<(), String> + Sync,
) {
    let wrong: Vec<String> = std::thread::scope(|scope| {
        let one = &one;
        let threads: Vec<_> = cells.iter().map(|(name, told)| scope.spawn(move || one(name, told))).collect();
        let done = threads.into_iter().zip(cells).map(|(thread, (name, _))| (name, thread.join().unwrap()));
        done.filter_map(|(name, done)| Some(format!("{name}: {}", done.err()?))).collect()
    });
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// Slow enough to be broken, fast enough to come to its end.
const SLOW: &str = "profile = \"vsftpd\"\nbandwidth = \"1MB/s\"";

/// wget comes back for what remains. The others do not: curl not even with --retry, lftp with an error without a word.
#[test]
fn after_a_transfer_was_cut_some_go_on_where_they_were() {
    let cells: Vec<_> = [("cut", "wget"), ("reset", "wget")]
        .into_iter()
        .flat_map(|(order, stubborn)| {
            PROGRAMS.iter().map(move |program| (program.name, (order, stubborn.contains(program.name))))
        })
        .collect();
    all(&cells, |name, (order, comes)| {
        let server = model(SLOW);
        let Run { ran, attempts, whole, went_on } = fetches(name, &server, &[order]);
        let right = attempts == if *comes { 2 } else { 1 } && whole == *comes && went_on == *comes;
        let told = || format!("{order}: {attempts} attempts, whole {whole}, went on {went_on}: {ran:?}");
        if right { Ok(()) } else { Err(told()) }
    });
}

/// curl looks at what is missing, and not at the 421 behind it, which --retry would come back for.
#[test]
fn a_transfer_that_stands_still_is_ended_by_the_servers_timer() {
    let cells =
        [("curl", (1, 18)), ("curl-retry", (1, 18)), ("wget", (2, 0)), ("ncftp", (1, 3)), ("tnftp", (1, 1))];
    all(&cells, |name, (attempts, code)| {
        let server = model("profile = \"pyftpdlib\"\nstalled_timeout = \"1s\"\nbandwidth = \"1MB/s\"");
        let Run { ran, attempts: counted, whole, .. } = fetches(name, &server, &["stall 3s"]);
        let right = counted == *attempts && ran.code == Some(*code) && whole == (*code == 0);
        if right { Ok(()) } else { Err(format!("{counted} attempts, whole {whole}: {ran:?}")) }
    });
}

/// curl and wget take 120 for a refusal. The others wait: lftp for another greeting; `NcFTP`, tnftp and ftplib say USER, and take the
/// greeting that comes late for the answer to it.
#[test]
fn a_120_is_a_refusal_to_some_and_others_wait() {
    let cells = [
        ("curl", (1, "8")),
        ("curl-retry", (1, "8")),
        ("wget", (3, "4")),
        ("lftp", (1, "")),
        ("ncftp", (1, "")),
        ("tnftp", (1, "")),
        ("ftplib", (1, "")),
    ];
    all(&cells, |name, (attempts, code)| {
        let server = model("profile = \"rfc959\"");
        for order in ["shutdown cut", "up 9m"] {
            server.desk().say(order).map_err(|why| why.to_string())?;
        }
        let program = PROGRAMS.iter().find(|program| program.name == name).unwrap();
        let (relay, dir) = (Relay::to(server.address()), tempfile::tempdir().unwrap());
        let ran = shell(
            dir.path(),
            if code.is_empty() { 2 } else { PATIENCE },
            &program.line(relay.address, "ftp421", "/file"),
        );
        let rings = relay.calls();
        let names_himself = rings.iter().any(|call| !call.heard.is_empty());
        let right = rings.len() == *attempts
            && ran.code.map(|code| code.to_string()).unwrap_or_default() == *code
            && names_himself == ["ncftp", "tnftp", "ftplib"].contains(&name);
        if right { Ok(()) } else { Err(format!("{rings:?}: {ran:?}")) }
    });
}
