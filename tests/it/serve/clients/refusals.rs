//! Refusals: what a real client does about each, held against what the simulator's client with its profile does about the same.
//!
//! One text describes the server of both worlds. Attempts are counted, and the gaps between them measured, by a relay before the
//! served model; exit codes are in a table, since no profile knows them.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use ftp421::live::serve::{Emulator, Plan};
use ftp421::scenario::Scenario;
use ftp421::sim::{self, Happening, Tap, Who};
use ftp421::time;
use ftp421::watch::Watch;

use super::programs::{PROGRAMS, Program};
use super::relay::{Call, Relay};
use super::run::shell;
use crate::support;

/// A way to be refused.
struct Refusal {
    name: &'static str,
    /// Keys of `[server]`.
    keys: &'static str,
    /// Tables behind.
    tables: &'static str,
    /// What somebody else says first, and then stays.
    holder: &'static [&'static str],
    password: &'static str,
}

const ALICE: &[&str] = &["USER alice", "PASS ftp421"];
const GUESSES: &[&str] = &["USER alice", "PASS no"];
const COMMON: Refusal = Refusal { name: "", keys: "", tables: "", holder: &[], password: "ftp421" };

const REFUSALS: [Refusal; 9] = [
    Refusal { name: "421 greeting", keys: "profile = \"vsftpd\"\nmax_clients = 1", ..COMMON },
    Refusal { name: "421 PASS", keys: "profile = \"pure-ftpd\"\nmax_per_user = 1", holder: ALICE, ..COMMON },
    // The session's time is over between its first command and the answer to its second.
    Refusal {
        name: "421 session",
        keys: "profile = \"rfc959\"\nsession_timeout = \"300ms\"\ncommand_time = \"200ms\"",
        ..COMMON
    },
    Refusal { name: "530 limit", keys: "profile = \"proftpd\"\nmax_clients = 1", holder: ALICE, ..COMMON },
    Refusal {
        name: "530 password",
        keys: "profile = \"vsftpd\"\nlogin_fail_delay = \"10ms\"",
        password: "no",
        ..COMMON
    },
    Refusal { name: "530 greeting", keys: "profile = \"proftpd\"\nmax_connections_per_host = 1", ..COMMON },
    Refusal { name: "silence", keys: "profile = \"proftpd\"\nmax_instances = 1", ..COMMON },
    Refusal {
        name: "banned",
        keys: "profile = \"rfc959\"\n[server.ban]\non = \"bad_password\"\nthreshold = 1\nwindow = \"1m\"\nduration = \"1h\"",
        holder: GUESSES,
        ..COMMON
    },
    Refusal {
        name: "refused",
        keys: "profile = \"rfc959\"",
        tables: "[[faults]]\nat = \"0s\"\nkind = \"shutdown\"\nform = \"cut\"",
        ..COMMON
    },
];

/// How each program ends, and `Q` if it said QUIT to a server that was still there.
#[rustfmt::skip]
const ENDS: &str = "
               | curl | curl-retry | wget | lftp | ncftp | tnftp | ftplib
421 greeting   | 28   | 28         | 4    | 1    | 1     | 1     | error_temp
421 PASS       | 28   | 28         | 6    | 1    | 1     | 1     | error_temp
421 session    | 28   | 28         | 4    | 1    | 3     | 1     | error_temp
530 limit      | 67   | 67         | 6    | 1    | 1     | 1     | error_perm
530 password   | 67   | 67         | 6    | 1 Q  | 1 Q   | 1 Q   | error_perm Q
530 greeting   | 8    | 8          | 4    | 1    | 1     | 1     | error_perm
silence        | 56   | 56         | 4    | 1    | 1     | 1     | EOFError
banned         | 28   | 28         | 4    | 1    | 1     | 1     | error_temp
refused        | 7    | 7          | 4    | 1    | 1     | 1     | ConnectionRefusedError
";

#[test]
fn what_a_client_does_about_a_refusal_is_what_its_profile_says() {
    let wrong: Vec<String> = std::thread::scope(|scope| {
        let cells =
            REFUSALS.iter().flat_map(|refusal| PROGRAMS.iter().map(move |program| (refusal, program)));
        // An address each: a port that one gives up must not become another's.
        let place = |number: usize| SocketAddr::from(([127, 42, 1, number as u8 + 1], 0));
        let cells = cells.enumerate().map(|(number, (refusal, program))| (refusal, program, place(number)));
        let threads: Vec<_> =
            cells.map(|(refusal, program, at)| scope.spawn(move || cell(refusal, program, at))).collect();
        threads.into_iter().filter_map(|thread| thread.join().unwrap()).collect()
    });
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// What is wrong with it.
fn cell(refusal: &Refusal, program: &Program, listen: SocketAddr) -> Option<String> {
    let scenario = scenario(refusal, program);
    let expected = simulated(&scenario);
    let plan = Plan { listen, ..Plan::of(Arc::new(scenario)) };
    let server = Emulator::serve(plan, time::Duration::ZERO).expect("it listens");
    let _holder = holds(refusal, &server);
    let is_there = refusal.name != "refused";
    let relay = is_there.then(|| Relay::to(server.address()));
    let address = relay.as_ref().map_or(server.address(), |relay| relay.address);
    let dir = tempfile::tempdir().unwrap();
    let line = program.line(address, refusal.password, "/file");
    let ran = shell(dir.path(), 40, &line);
    let calls = relay.map(|relay| relay.calls()).unwrap_or_default();
    let gaps: Vec<f64> = calls.windows(2).map(|pair| pair[1].at - pair[0].at).collect();
    let right_gaps = if is_there {
        gaps.len() == expected.len() && gaps.iter().zip(&expected).all(|(real, model)| about(*real, *model))
    } else {
        about(ran.took.as_secs_f64(), expected.iter().sum())
    };
    let end = match ran.said.trim() {
        // What ftplib raised.
        said if program.name == "ftplib" => said.to_owned(),
        _ => ran.code.map_or("late".to_owned(), |code| code.to_string()),
    };
    let quits = if calls.iter().any(says_quit) { " Q" } else { "" };
    let (end, told) = (end + quits, told(refusal.name, program.name));
    (!right_gaps || end != told).then(|| {
        format!(
            "{} / {}: ends with {end}, and not {told}; gaps {gaps:.1?} in {:.1?}, model {expected:.1?}: {}\n{}",
            refusal.name,
            program.name,
            ran.took,
            ran.said.trim(),
            calls.iter().map(|call| format!("  {call:?}\n")).collect::<Vec<_>>().concat()
        )
    })
}

fn says_quit(call: &Call) -> bool {
    call.said.iter().any(|line| line.starts_with("221"))
}

fn about(real: f64, model: f64) -> bool {
    (model * 0.9 - 0.1..model + 2.0).contains(&real) // NcFTP counts by the clock's whole seconds
}

/// The cell of [`ENDS`].
fn told(refusal: &str, program: &str) -> &'static str {
    let mut rows = ENDS.lines().filter(|row| row.contains('|')).map(|row| row.split('|').map(str::trim));
    let place = rows.next().unwrap().position(|name| name == program).expect("a column");
    let mut row = rows.find(|row| row.clone().next() == Some(refusal)).expect("a row");
    row.nth(place).expect("a cell")
}

/// Somebody who fills the server, and then the program, who comes two seconds later.
fn scenario(refusal: &Refusal, program: &Program) -> Scenario {
    let Refusal { keys, tables, password, .. } = refusal;
    let wrong = |is_wrong: bool| if is_wrong { "wrong_password = 1.0" } else { "" };
    let (holder, own) = (wrong(refusal.holder == GUESSES), wrong(*password != "ftp421"));
    let text = format!(
        "schema = 1\nname = \"refused\"\nduration = \"10m\"\n[server]\n{keys}\n\
         [[clients]]\nname = \"holder\"\nuser = \"alice\"\naddresses = {{ cidr = \"127.0.0.1/32\" }}\n{holder}\n\
         arrivals = {{ executor = \"burst\", at = \"100ms\", count = 1 }}\nscript = [\"login\", {{ think = \"9m\" }}]\n\
         [[clients]]\nname = \"program\"\nuser = \"alice\"\naddresses = {{ cidr = \"127.0.0.1/32\" }}\n{own}\n\
         arrivals = {{ executor = \"burst\", at = \"2s\", count = 1 }}\nscript = [\"login\", {{ retr = \"1000B\", path = \"/file\" }}]\n{tables}\n"
    );
    let mut scenario = support::scenario(&text);
    program.plays(&mut scenario, 1);
    scenario
}

/// The gaps between the attempts of the simulator's client, seconds.
fn simulated(scenario: &Scenario) -> Vec<f64> {
    #[derive(Default)]
    struct Attempts(Vec<f64>);
    impl Tap for Attempts {
        fn happens(&mut self, now: time::Instant, who: Who, what: Happening<'_>) {
            if who.population.0 == 1 && matches!(what, Happening::Connect { .. }) {
                self.0.push(now.as_secs_f64());
            }
        }
    }
    let mut attempts = Attempts::default();
    sim::run(scenario, 0, &mut attempts, &Watch::default());
    attempts.0.windows(2).map(|pair| pair[1] - pair[0]).collect()
}

/// Lets the holder in, and waits until the server is as it is to be.
fn holds(refusal: &Refusal, server: &Emulator) -> Option<TcpStream> {
    let began = Instant::now();
    let patience = Duration::from_secs(10);
    loop {
        assert!(began.elapsed() < patience, "{}: the server does not get there", refusal.name);
        let greeting = TcpStream::connect(server.address()).and_then(|stream| {
            stream.set_read_timeout(Some(patience))?;
            let mut lines = BufReader::new(stream);
            lines.read_line(&mut String::new())?;
            Ok(lines)
        });
        match (refusal.name, greeting) {
            ("refused", Err(_)) => return None,
            ("refused", Ok(_)) => {}
            (_, Err(error)) => panic!("{}: {error}", refusal.name),
            (_, Ok(mut lines)) => {
                for said in refusal.holder {
                    lines.get_mut().write_all(format!("{said}\r\n").as_bytes()).unwrap();
                    lines.read_line(&mut String::new()).unwrap();
                }
                let holds = refusal.password == "ftp421" && refusal.name != "421 session";
                return holds.then(|| lines.into_inner());
            }
        }
    }
}
