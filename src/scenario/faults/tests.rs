//! What each fault is read as.

use super::*;
use crate::chaos::Weather;
use crate::scenario::Scenario;

const ROOT: &str = "schema = 1\nname = \"x\"\nduration = \"1h\"\n";
const READERS: &str =
    "[[clients]]\nname = \"readers\"\narrivals = { executor = \"burst\", at = \"0s\", count = 1 }\n";
const TWO: &str =
    "[dns]\nttl = \"5m\"\n[[servers]]\nname = \"old\"\n[[servers]]\nname = \"new\"\nmax_clients = 5\n";

fn read(text: &str) -> Result<Scenario, crate::scenario::Problem> {
    Scenario::read("x", text, &mut |_| Err(String::new()))
}

fn secs(d: Duration) -> u64 {
    d.as_nanos() / 1_000_000_000
}

/// The fault at ten minutes with these keys, in a scenario with two servers and the population `readers`.
fn fault(keys: &str) -> Fault {
    let text = format!("{ROOT}{TWO}{READERS}[[faults]]\nat = \"10m\"\n{keys}\n");
    read(&text).unwrap_or_else(|problem| panic!("{keys}: {problem}")).faults.remove(0)
}

/// The label, the effects with their seconds, and the length.
fn told(keys: &str) -> (String, Vec<(u64, Effect)>, u64) {
    let fault = fault(keys);
    (fault.label, fault.effects.iter().map(|(after, e)| (secs(*after), *e)).collect(), secs(fault.lasts))
}

#[test]
fn each_form_of_shutdown_is_its_sequence_of_controls() {
    use Control::{Announce, Crash, Cut, CutAnnounced, Hang, Listen, ListenNotReady, Resume, StopListening};
    for (keys, sequence, lasts) in [
        ("form = \"drain\"", vec![(0, StopListening)], 3_000),
        ("form = \"drain\"\ndown = \"2m\"", vec![(0, StopListening), (120, Listen)], 120),
        (
            "form = \"announce\"\nnotice = \"60s\"\ndown = \"2m\"",
            vec![(0, Announce), (60, CutAnnounced), (60, StopListening), (180, Listen)],
            180,
        ),
        ("form = \"cut\"", vec![(0, StopListening), (0, Cut)], 3_000),
        ("form = \"crash\"\ndown = \"1m\"", vec![(0, StopListening), (0, Crash), (60, Listen)], 60),
        (
            "form = \"cut\"\ndown = \"1m\"\nready_in = \"2m\"",
            vec![(0, StopListening), (0, Cut), (60, ListenNotReady { secs: 120 })],
            180,
        ),
        ("form = \"hang\"", vec![(0, Hang)], 3_000),
        ("form = \"hang\"\nlasts = \"30s\"", vec![(0, Hang), (30, Resume)], 30),
        (
            "form = \"hang\"\nlasts = \"30s\"\ndown = \"1m\"",
            vec![(0, Hang), (30, StopListening), (30, Crash), (90, Listen)],
            90,
        ),
    ] {
        let (label, effects, length) = told(&format!("kind = \"shutdown\"\nserver = \"new\"\n{keys}"));
        let expected: Vec<_> =
            sequence.into_iter().map(|(at, c)| (at, Effect::Server(ServerId(1), c))).collect();
        assert_eq!((effects, length), (expected, lasts), "{keys}");
        assert!(label.ends_with(" of new"), "{label}");
    }
}

#[test]
fn faults_of_a_process_and_its_host_are_what_the_server_is_told() {
    use Control::{FillDisk, LeakDescriptors, Listen, SetBacklog, SetLimit, SetSlowness, Signal};
    let old = |controls: &[(u64, Control)]| -> Vec<(u64, Effect)> {
        controls.iter().map(|(at, c)| (*at, Effect::Server(ServerId(0), *c))).collect()
    };
    let term = Signal(crate::server::Signal::Term);
    let hup = Signal(crate::server::Signal::Hup);
    for (keys, label, effects, lasts) in [
        ("kind = \"signal\"\nsignal = \"TERM\"", "signal (SIGTERM) of old", old(&[(0, term)]), 3_000),
        ("kind = \"signal\"\nsignal = \"HUP\"", "signal (SIGHUP) of old", old(&[(0, hup)]), 0),
        (
            "kind = \"signal\"\nsignal = \"TERM\"\ndown = \"5s\"",
            "signal (SIGTERM) of old",
            old(&[(0, term), (5, Listen)]),
            5,
        ),
        (
            "kind = \"reload\"\nmax_clients = 3",
            "reload (max_clients = 3) of old",
            old(&[(0, SetLimit { check: 0, limit: 3 })]),
            0,
        ),
        (
            "kind = \"slow_cpu\"\nfactor = 2.5\nlasts = \"1m\"",
            "slow CPU (2.5 times) of old",
            old(&[(0, SetSlowness(250)), (60, SetSlowness(100))]),
            60,
        ),
        ("kind = \"backlog\"\nto = 3", "backlog (3) of old", old(&[(0, SetBacklog(3))]), 3_000),
        (
            "kind = \"disk_full\"\nlasts = \"1m\"",
            "disk full of old",
            old(&[(0, FillDisk(true)), (60, FillDisk(false))]),
            60,
        ),
        (
            "kind = \"descriptor_leak\"\ncount = 9\nlasts = \"1m\"",
            "descriptor leak (9) of old",
            old(&[(0, LeakDescriptors(9)), (60, LeakDescriptors(0))]),
            60,
        ),
        (
            "kind = \"descriptor_leak\"\nrate = \"3/m\"\nlasts = \"1m\"",
            "descriptor leak (3/m) of old",
            old(&[(20, LeakDescriptors(1)), (40, LeakDescriptors(2)), (60, LeakDescriptors(0))]),
            60,
        ),
        (
            "kind = \"bandwidth\"\nto = \"1MiB/s\"\nlasts = \"1m\"",
            "bandwidth (1MiB/s) of old",
            vec![(0, Effect::Bandwidth(ServerId(0), 1 << 20)), (60, Effect::Bandwidth(ServerId(0), 0))],
            60,
        ),
    ] {
        assert_eq!(told(keys), (label.to_owned(), effects, lasts), "{keys}");
    }
}

#[test]
fn however_much_leaks_it_does_so_in_a_bounded_number_of_steps() {
    let fault = fault("kind = \"descriptor_leak\"\nrate = \"1000/s\"");
    assert!(fault.effects.len() <= 1_000, "{}", fault.effects.len());
    assert_eq!(fault.effects[0].1, Effect::Server(ServerId(0), Control::LeakDescriptors(3_000)));
}

#[test]
fn faults_of_the_way_are_for_all_or_for_some() {
    let readers = Some(PopulationId(0));
    let half = |ms| Weather::Delay(Duration::from_millis(ms));
    let until = Instant::ZERO + Duration::from_secs(630);
    for (keys, label, effects, lasts) in [
        (
            "kind = \"latency\"\nadd = \"200ms\"\nlasts = \"1m\"\nclients = \"readers\"",
            "latency (+200ms) for readers",
            vec![(0, Effect::Network(readers, half(100))), (60, Effect::Network(readers, half(0)))],
            60,
        ),
        (
            "kind = \"loss\"\nrate = 0.1",
            "loss (0.1)",
            vec![(0, Effect::Network(None, Weather::Loss(0.1)))],
            3_000,
        ),
        (
            "kind = \"partition\"\nlasts = \"30s\"",
            "partition",
            vec![(0, Effect::Network(None, Weather::Partition { until }))],
            30,
        ),
        ("kind = \"dns_move\"\nto = \"new\"", "DNS move (to new)", vec![(0, Effect::Dns(ServerId(1)))], 300),
    ] {
        assert_eq!(told(keys), (label.to_owned(), effects, lasts), "{keys}");
    }
}

#[test]
fn of_two_stretches_of_one_kind_the_later_end_restores_the_usual() {
    let slow = |at: &str, lasts: &str| {
        format!("[[faults]]\nat = \"{at}\"\nkind = \"slow_cpu\"\nfactor = 2\nlasts = \"{lasts}\"\n")
    };
    let scenario = read(&format!("{ROOT}{}{}", slow("10m", "10m"), slow("15m", "10m"))).unwrap();
    assert_eq!(scenario.faults.iter().map(|f| f.effects.len()).collect::<Vec<_>>(), [1, 2]);
    let note = "The slow CPU (2 times) at 15m begins before the slow CPU (2 times) at 10m is over. \
                The later one's end restores the usual.";
    assert!(scenario.notes.iter().any(|n| n == note), "{:?}", scenario.notes);
    let apart = read(&format!("{ROOT}{}{}", slow("10m", "5m"), slow("15m", "10m"))).unwrap();
    assert_eq!(apart.faults.iter().map(|f| f.effects.len()).collect::<Vec<_>>(), [2, 2]);
}

#[test]
fn crowds_are_populations_of_their_own() {
    let crowd = "[[faults]]\nat = \"10m\"\nkind = \"flash_crowd\"\nclients = \"readers\"\ncount = 7\nwithin = \"5s\"\n";
    let force = "[[faults]]\nat = \"20m\"\nkind = \"brute_force\"\nclients = 3\nlasts = \"1m\"\n";
    let scenario = read(&format!("{ROOT}{READERS}{crowd}{crowd}{force}")).unwrap();
    let names: Vec<&str> = scenario.populations.iter().map(|p| p.name.as_str()).collect();
    assert_eq!(names, ["readers", "readers (flash crowd)", "readers (flash crowd) 2", "brute force at 20m"]);
    assert_eq!(scenario.populations[1].behaviour, scenario.populations[0].behaviour);
    assert!((scenario.populations[3].behaviour.wrong_password - 1.0).abs() < f64::EPSILON);
    let labels: Vec<&str> = scenario.faults.iter().map(|f| f.label.as_str()).collect();
    assert_eq!(labels[0], "flash crowd (7 more readers)");
    assert_eq!(labels[2], "brute force (3 clients)");
}

#[test]
fn what_is_wrong_with_a_fault_comes_with_a_hint() {
    for (keys, what, hint) in [
        ("kind = \"dns_move\"\nto = \"new\"", "is no server of this scenario", "allowed here: server"),
        ("kind = \"dns_move\"\nto = \"server\"", "cannot move", "[dns]"),
        ("kind = \"latency\"", "\"add\" is missing", "add = \"200ms\""),
        (
            "kind = \"latency\"\nadd = \"1s\"\nclients = \"reders\"",
            "is no population",
            "did you mean \"readers\"?",
        ),
        ("kind = \"loss\"\nrate = 1.0", "out of range", "0.9"),
        ("kind = \"partition\"", "\"lasts\" is missing", "lasts = \"30s\""),
        ("kind = \"partition\"\nlasts = \"2h\"", "goes beyond the end", "50m"),
        ("kind = \"descriptor_leak\"", "\"rate\" is missing", "count = 500"),
        ("kind = \"descriptor_leak\"\nrate = \"1/s\"\ncount = 5", "stands beside `count`", "one of the two"),
        ("kind = \"signal\"\nsignal = \"USR1\"", "is unknown", "TERM, HUP, KILL"),
        ("kind = \"shutdown\"\nform = \"cut\"\nready_in = \"1m\"", "stands without `down`", "down = \"1m\""),
        ("kind = \"slow_cpu\"\nfactor = 0.5", "out of range", "from 1"),
    ] {
        let problem = read(&format!("{ROOT}{READERS}[[faults]]\nat = \"10m\"\n{keys}\n")).expect_err(keys);
        assert!(problem.what.contains(what) && problem.hint.contains(hint), "{keys}: {problem}");
    }
}

#[test]
fn what_is_wrong_with_servers_comes_with_a_hint() {
    let many = ["[[servers]]\nname = \"s\"\n"; 17].concat();
    for (text, what, hint) in [
        (many.as_str(), "has too many servers", "at most 16"),
        ("servers = []\n", "is empty", "[[servers]]"),
        ("[[servers]]\nprofile = \"vsftpd\"\n", "\"name\" is missing", "name = \"old\""),
        ("[[servers]]\nname = \"a\"\n[[servers]]\nname = \"a\"\n", "is taken", "a name of its own"),
        ("[server]\n[[servers]]\nname = \"a\"\n", "stands beside [[servers]]", "one of the"),
        ("[servers]\nname = \"a\"\n", "is a single table", "[[servers]]"),
        ("[[servers]]\nname = \"a\"\nmax_client = 1\n", "unknown key", "max_clients"),
        ("[dns]\n", "\"ttl\" is missing", "ttl = \"5m\""),
    ] {
        let problem = read(&format!("{ROOT}{text}")).expect_err(text);
        assert!(problem.what.contains(what) && problem.hint.contains(hint), "{text}: {problem}");
    }
}
