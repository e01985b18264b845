//! The fixed runs: what each does, ready made, so that only the work itself is counted.
//!
//! It counts nothing: the program runs under callgrind, which collects while [`collected`] is on the stack.

use std::hint::black_box;
use std::path::Path;
use std::{fmt, fs};

use ftp421::digest::Digest;
use ftp421::ftp::{Command, Heard, Hearing, Verb};
use ftp421::id::{ConnId, PeerId, ServerId};
use ftp421::rng::{Purpose, Streams};
use ftp421::scenario::Scenario;
use ftp421::server::{Action, Input, Server, ServerStreams};
use ftp421::sim::{self, Calendar, Queue, Trace};
use ftp421::time::{Duration, Instant};
use ftp421::watch::Watch;

/// What a run did. Two runs did the same work if these are equal.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Done {
    /// Events that were taken out of the calendar.
    pub events: u64,
    /// A digest of the results.
    pub digest: u64,
}

impl fmt::Display for Done {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:016x}", self.events, self.digest)
    }
}

impl Done {
    fn new(events: u64, digest: u128) -> Self {
        Self { events, digest: (digest >> 64) as u64 ^ digest as u64 }
    }

    /// What [`Display`](fmt::Display) has written.
    pub fn parse(text: &str) -> Option<Self> {
        let (events, digest) = text.trim().split_once(' ')?;
        Some(Self { events: events.parse().ok()?, digest: u64::from_str_radix(digest, 16).ok()? })
    }
}

/// A run by its name.
pub struct Run {
    pub name: &'static str,
    /// Makes all that the run needs, and then runs [`collected`].
    pub play: fn() -> Done,
}

#[rustfmt::skip]
pub const RUNS: &[Run] = &[
    Run { name: "loss", play: loss },
    Run { name: "mixed", play: mixed },
    Run { name: "traced", play: traced },
    Run { name: "hold", play: hold },
    Run { name: "server", play: server },
    Run { name: "hearing", play: hearing },
];

/// Callgrind counts while this is on the stack. It knows it by its name.
#[inline(never)]
fn collected(work: &mut dyn FnMut() -> Done) -> Done {
    // Not the last thing that is done here: a jump in place of a call would not be seen as one.
    black_box(work())
}

fn read(name: &str, text: &str) -> Scenario {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let mut open = |name: &str| fs::read_to_string(folder.join(name)).map_err(|why| why.to_string());
    Scenario::read(name, text, &mut open).expect("it is valid")
}

fn simulate(scenario: &Scenario, replication: u32) -> Done {
    let (finished, _) = sim::run(scenario, replication, &mut (), &Watch::default());
    Done::new(finished.work.events, finished.digest)
}

/// The workload of `benches/scale`, shorter: 40 000 arrivals at 1000 a second, 10 s of which fill the server.
fn loss() -> Done {
    let scenario = crate::loss::loss(10_000, 40, 0);
    collected(&mut || simulate(&scenario, 0))
}

/// A few of the bundled scenarios, all of their replications.
fn mixed() -> Done {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let scenarios: Vec<Scenario> =
        ["partition", "mirror-downloads", "retry-storm", "client-zoo", "restart-120"]
            .iter()
            .map(|name| {
                let file = format!("{name}.toml");
                let text = fs::read_to_string(folder.join(&file)).expect("it is bundled");
                read(&file, &text)
            })
            .collect();
    collected(&mut || {
        let mut done = Done::default();
        for scenario in &scenarios {
            for replication in 0..scenario.replications {
                let one = simulate(scenario, replication);
                done.events += one.events;
                done.digest = done.digest.rotate_left(1) ^ one.digest;
            }
        }
        done
    })
}

/// The calendar alone: 100 000 events pending, each taken out is entered again an exponential time later.
fn hold() -> Done {
    const PENDING: u64 = 100_000;
    const TURNS: u64 = 1_000_000;
    let stream = Streams::new(1, 0).stream(Purpose::Think, 0);
    let later: Vec<Duration> =
        (0..1 << 16).map(|i| Duration::from_secs_f64(-libm::log(stream.unit(i, 0)))).collect();
    let mut calendar = Calendar::<u64>::default();
    for i in 0..PENDING {
        calendar.schedule(Instant::ZERO + later[i as usize % later.len()], i);
    }
    collected(&mut || {
        let mut done = Done::default();
        for turn in 0..TURNS {
            let (at, event) = calendar.pop().expect("as many are entered as are taken out");
            done.events += 1;
            done.digest = done.digest.rotate_left(1) ^ event;
            calendar.schedule(at + later[turn as usize % later.len()], event);
        }
        done
    })
}

/// A tenth of the loss workload with every message written, to nowhere.
fn traced() -> Done {
    let scenario = crate::loss::loss(10_000, 4, 0);
    collected(&mut || {
        let mut trace = Trace::new(&scenario, |sheet: &mut Vec<u8>| {
            black_box(&mut *sheet).clear();
            Ok(())
        });
        let (finished, _) = sim::run(&scenario, 0, &mut trace, &Watch::default());
        trace.finish().expect("what is written goes nowhere");
        Done::new(finished.work.events, finished.digest)
    })
}

/// The server's machine without a driver: 1 000 sessions say USER, PASS and then NOOP in turn. An event is an input.
fn server() -> Done {
    const SESSIONS: u32 = 1_000;
    const TURNS: u64 = 100;
    let scenario = read("server.toml", SERVER);
    let streams = ServerStreams::new(Streams::new(1, 0), ServerId(0));
    let mut server = Server::new(ServerId(0), scenario.policy().clone(), streams, &[]);
    let mut actions: Vec<Action> = Vec::new();
    collected(&mut || {
        let (mut events, mut digest, mut now) = (0, Digest::default(), Instant::ZERO);
        for turn in 0..TURNS {
            for i in 0..SESSIONS {
                let conn = ConnId(i);
                let input = match turn {
                    0 => Input::Accepted { conn, peer: PeerId(i), class: 0 },
                    1 => Input::Command { conn, command: Command::bare(Verb::User) },
                    2 => Input::Command { conn, command: Command::bare(Verb::Pass) },
                    _ => Input::Command { conn, command: Command::bare(Verb::Noop) },
                };
                now += Duration::from_millis(1);
                server.handle(now, input, &mut actions);
                for action in actions.drain(..) {
                    action.fold(&mut digest);
                }
                events += 1;
            }
        }
        Done::new(events, digest.value())
    })
}

const SERVER: &str = r#"
    schema = 1
    name = "server"
    duration = "1s"
    [server]
    profile = "rfc959"
    max_clients = 2000
    [[clients]]
    name = "clients"
    arrivals = { executor = "poisson", rate = "1/s" }
    script = ["login"]
"#;

/// From the bytes of a control connection, in pieces as a network gives them, to replies. An event is a reply.
fn hearing() -> Done {
    const TURNS: u32 = 20_000;
    const PIECE: usize = 61;
    let said = "220-Welcome to the mirror.\r\n All is logged.\r\n220 Ready.\r\n331 Please specify the password.\r\n230 Login \
                successful.\r\n227 Entering Passive Mode (127,0,0,1,195,80).\r\n150 Here comes the directory listing.\r\n226 \
                Directory send OK.\r\n421 Timeout.\r\n";
    collected(&mut || {
        let (mut hearing, mut events, mut digest) = (Hearing::default(), 0, Digest::default());
        for _ in 0..TURNS {
            for mut piece in said.as_bytes().chunks(PIECE) {
                while let Some(heard) = hearing.next(&mut piece) {
                    if let Heard::Reply { code, text } = heard {
                        digest.word(u64::from(code));
                        digest.bytes(text.as_bytes());
                        events += 1;
                    }
                }
            }
        }
        Done::new(events, digest.value())
    })
}
