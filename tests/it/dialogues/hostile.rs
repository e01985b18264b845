//! Hostile scenarios: no time, next to no time, all the time, and everything at once. None hangs, none loses its books.

use ftp421::observe::Latency;
use ftp421::scenario::Scenario;
use ftp421::sim::{self, Finished, Happening, Tap, Who, Work};
use ftp421::time::Instant;
use ftp421::watch::Watch;

use super::{clients, fault, hour, server};
use crate::support;

/// More entries than a bundled scenario has populations and faults, each of which has one that is pending.
const TIMELINE: usize = 10;

fn run(scenario: &Scenario) -> Finished {
    let (finished, complete) = sim::run(scenario, 0, &mut (), &Watch::default());
    assert!(complete);
    finished
}

fn assert_little(finished: &Finished) {
    for level in [finished.recorder.connections(), finished.recorder.sessions()] {
        assert_eq!(level.integral_ns(), level.overlap_ns());
    }
}

/// What is open is a client or a connection, for each has a timer. The timeline of arrivals and faults is there besides.
fn assert_few_pending(name: &str, work: Work) {
    let open = work.clients_max + work.connections_max;
    assert!(work.pending_max <= 4 * open + TIMELINE, "{name}: {work:?}");
}

/// Virtual time goes on: a closed population comes again after a millisecond at the least.
#[test]
fn clients_without_a_round_trip_or_a_thought_come_once_a_pause() {
    let closed = |server_keys: &str| {
        let finished = run(&support::scenario(&format!(
            "schema = 1\nname = \"spin\"\nduration = \"1s\"\n{}\n[[clients]]\nname = \"spinners\"\n\
             arrivals = {{ executor = \"constant-clients\", clients = 3, pause = \"1ms\" }}\n\
             link = {{ rtt = \"0s\" }}\nscript = [\"login\", {{ loop = 10, steps = [{{ think = \"0s\" }}, \"noop\"] }}]",
            server("rfc959", server_keys)
        )));
        assert_little(&finished);
        finished.recorder.timing(Latency::TimeToService).histogram().len()
    };
    assert_eq!(closed(""), 3 * 1_000);
    assert_eq!(closed("max_clients = 1"), 1_000, "they come at the same instant, and one of them has room");
}

#[test]
fn times_of_a_nanosecond_are_times() {
    let keys = "script = [\"login\", { loop = 5, steps = [{ think = \"1ns\" }, { retr = \"1B\" }] }]\n\
                link = { rtt = \"2ns\", jitter = { dist = \"uniform\", low = \"0s\", high = \"1ns\" }, connect_timeout = \"1ns\", reply_timeout = \"1ns\" }";
    assert_little(&run(&hour(&[
        server("rfc959", "idle_timeout = \"1ns\"\nlogin_timeout = \"1ns\"\nlogin_fail_delay = \"1ns\""),
        clients(
            "hasty",
            50,
            "0s",
            &format!(
                "{keys}\nkeepalive = \"1ms\"\nreconnect = true\nretry = {{ backoff = \"fixed\", wait = \"1ms\", attempts = 50 }}"
            ),
        ),
        fault("1ns", "kind = \"shutdown\"\nform = \"hang\"\nlasts = \"1ns\""),
        fault("2ns", "kind = \"shutdown\"\nform = \"announce\"\nnotice = \"1ns\"\ndown = \"1ns\""),
    ])));
}

#[test]
fn times_of_a_year_are_times() {
    let year = "366d";
    let text = format!(
        "schema = 1\nname = \"year\"\nduration = \"{year}\"\n{}{}{}",
        server("pure-ftpd", &format!("idle_timeout = \"{year}\"\nlogin_fail_delay = \"{year}\"")),
        clients(
            "slow",
            20,
            "300d",
            &format!(
                "script = [\"login\", {{ think = \"{year}\" }}]\nkeepalive = \"{year}\"\npatience = \"{year}\"\nwrong_password = 0.5\n\
                 link = {{ rtt = \"30d\", jitter = {{ dist = \"pareto\", mean = \"{year}\", shape = 1.01 }}, bandwidth = \"1B/s\", connect_timeout = \"{year}\", reply_timeout = \"{year}\" }}\n\
                 retry = {{ backoff = \"exponential\", wait = \"{year}\", factor = 100.0 }}"
            )
        ),
        fault("365d", "kind = \"shutdown\"\nform = \"announce\"\nnotice = \"366d\"\ndown = \"366d\""),
    );
    assert_little(&run(&support::scenario(&text)));
}

/// Every fault on top of every other, some of them twice at the same instant.
#[test]
fn faults_may_overlap_in_any_way() {
    let forms = [
        "form = \"hang\"\nlasts = \"7s\"",
        "form = \"announce\"\nnotice = \"5s\"\ndown = \"4s\"",
        "form = \"crash\"\ndown = \"3s\"",
        "form = \"drain\"\ndown = \"6s\"",
        "form = \"cut\"\ndown = \"2s\"",
        "form = \"hang\"\nlasts = \"4s\"\ndown = \"3s\"",
    ];
    let people = "script = [\"login\", { loop = 20, steps = [{ think = \"1s\" }, { retr = \"64KiB\" }] }]\nreconnect = true\n\
                  retry = { backoff = \"fixed\", wait = \"500ms\", attempts = 100 }\n\
                  link = { rtt = \"10ms\", bandwidth = \"1MiB/s\", reply_timeout = \"3s\" }\nkeepalive = \"700ms\"";
    for profile in ["vsftpd", "proftpd", "pure-ftpd", "pyftpdlib", "rfc959"] {
        for first in forms {
            for second in forms {
                for gap in [10, 12, 14] {
                    let mut parts = vec![server(profile, ""), clients("people", 5, "8s", people)];
                    parts.push(fault("10s", &format!("kind = \"shutdown\"\n{first}")));
                    parts.push(fault(&format!("{gap}s"), &format!("kind = \"shutdown\"\n{second}")));
                    parts.push(fault("13s", "kind = \"reload\"\nmax_clients = 4"));
                    let late = "user = \"late\"\nlink = { rtt = \"10ms\", reply_timeout = \"3s\" }";
                    parts.push(clients("late", 1, "40m", &late.replace("user = \"late\"\n", "")));
                    let scenario = hour(&parts);
                    assert_little(&run(&scenario));
                    let late = super::told(&scenario, "late");
                    assert!(
                        late.iter().any(|line| line.contains("S: 230")),
                        "{profile}: {first} then {second} at {gap} s: the server is up again: {late:#?}"
                    );
                }
            }
        }
    }
}

/// Jitter never reorders: replies come in the order of their commands, and a close behind them all.
#[test]
fn jitter_delays_and_never_reorders() {
    struct Order {
        next: Vec<&'static str>,
        last: Instant,
        dialogues: u32,
    }
    impl Tap for Order {
        fn happens(&mut self, now: Instant, who: Who, what: Happening<'_>) {
            if who.index != 0 {
                return;
            }
            assert!(now >= self.last);
            self.last = now;
            match what {
                Happening::Connect { .. } => self.next = vec!["connected"],
                Happening::Connected => assert_eq!(self.next.pop(), Some("connected")),
                Happening::Closed { .. } => self.dialogues += 1,
                Happening::Reply { reply, .. } if reply.code == 150 => self.next.push("150"),
                Happening::Reply { reply, .. } if reply.code == 226 => {
                    assert_eq!(self.next.pop(), Some("150"));
                }
                _ => {}
            }
        }
    }
    let scenario = support::scenario(&format!(
        "schema = 1\nname = \"jitter\"\nduration = \"2h\"\n{}\n[[clients]]\nname = \"shaken\"\n\
         arrivals = {{ executor = \"constant-clients\", clients = 2, pause = \"1s\" }}\n\
         link = {{ rtt = \"2ms\", jitter = {{ dist = \"pareto\", mean = \"200ms\", shape = 1.2 }} }}\n\
         script = [\"login\", {{ loop = 5, steps = [{{ retr = \"1B\" }}, \"noop\"] }}]",
        server("rfc959", "")
    ));
    let mut order = Order { next: Vec::new(), last: Instant::ZERO, dialogues: 0 };
    let (finished, _) = sim::run(&scenario, 0, &mut order, &Watch::default());
    assert_little(&finished);
}

/// The house rule of lazy timers: what is pending is bounded by what is there, not by how long it has been going on.
#[test]
fn no_more_than_four_events_are_pending_for_each_connection_or_client() {
    for (name, server_keys, keys) in [
        (
            "thinkers who are kept alive and cut",
            "max_clients = 40\nidle_timeout = \"1h\"\nsession_timeout = \"30s\"",
            "think = { dist = \"uniform\", low = \"0s\", high = \"20m\" }",
        ),
        (
            "short and long sessions in turn",
            "max_clients = 40\nlogin_timeout = \"1s\"\nidle_timeout = \"1h\"\ncommand_time = \"1ms\"",
            "think = { dist = \"uniform\", low = \"0s\", high = \"2s\" }",
        ),
        (
            "wrong passwords and hasty replies",
            "max_clients = 40\nlogin_fail_delay = \"3s\"\ncommand_time = \"3s\"\nsession_timeout = \"40s\"",
            "think = { dist = \"exponential\", mean = \"10s\" }",
        ),
    ] {
        let finished = run(&support::scenario(&format!(
            "schema = 1\nname = \"pending\"\nduration = \"2h\"\n[server]\nprofile = \"rfc959\"\n{server_keys}\n[[clients]]\nname = \"people\"\n\
             arrivals = {{ executor = \"constant-clients\", clients = 50, pause = {{ dist = \"exponential\", mean = \"1s\" }} }}\n\
             link = {{ rtt = \"30ms\", reply_timeout = \"2500ms\" }}\nkeepalive = \"7s\"\nreconnect = true\nwrong_password = 0.1\nlogin_tries = 2\n\
             patience = {{ dist = \"exponential\", mean = \"1h\" }}\n\
             script = [\"login\", {{ {keys} }}, \"noop\"]\n\
             retry = {{ backoff = \"exponential\", wait = \"500ms\", jitter = \"full\", attempts = 20 }}"
        )));
        let work = finished.work;
        assert!(work.events > 10_000, "{name}: {work:?}");
        assert_few_pending(name, work);
        assert_little(&finished);
    }
}

#[test]
fn littles_law_holds_in_every_bundled_scenario() {
    let folder = support::project().join("scenarios");
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|e| e != "toml") {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let mut open = |name: &str| std::fs::read_to_string(folder.join(name)).map_err(|e| e.to_string());
        let mut scenario = Scenario::read("bundled", &text, &mut open).unwrap_or_else(|p| panic!("{p}"));
        scenario.replications = 1;
        let finished = run(&scenario);
        assert_little(&finished);
        assert_few_pending(&scenario.name, finished.work);
    }
}
