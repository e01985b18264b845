//! Scenario files: what is read, and what a user is told about each mistake.

use ftp421::experiment::{Cost, explain};
use ftp421::scenario::{BUILT_IN, Problem, Scenario, template};
use ftp421::sim;
use ftp421::time::Duration;
use ftp421::watch::Watch;
use ftp421::workload::{Addresses, Arrivals};
use proptest::prelude::*;

/// A small scenario that uses most of the format; the mistakes below are put into it.
const GOOD: &str = r#"# Does it work?
# Really?

schema = 1
name = "good"
duration = "1h"
seed = 7
replications = 2
warmup = "1m"
[server]
profile = "rfc959"
max_clients = 10
idle_timeout = "5m"
[server.ban]
threshold = 3
window = "10m"
duration = "1h"
[[clients]]
name = "readers"
arrivals = { executor = "poisson", rate = "5/m" }
addresses = { cidr = "10.0.0.0/28", pick = "zipf" }
script = ["login", { cwd = "/pub" }, { think = { dist = "exponential", mean = "3s" } }, { loop = 2, steps = ["noop"] }, "quit"]
link = { rtt = "40ms" }
[clients.retry]
backoff = "exponential"
wait = "5s"
[[clients.retry.rules]]
on = ["banned"]
backoff = "none"
[[faults]]
at = "20m"
kind = "shutdown"
form = "announce"
notice = "60s"
down = "2m"
[[thresholds]]
require = "refused_first rate < 0.1"
"#;

fn no_files(_: &str) -> Result<String, String> {
    Err("no such file".to_owned())
}

fn read(text: &str) -> Result<Scenario, Problem> {
    Scenario::read("test.toml", text, &mut no_files)
}

fn problem_of(text: &str) -> Problem {
    read(text).expect_err(text)
}

#[test]
fn a_good_scenario_is_read_as_meant() {
    let scenario = read(GOOD).unwrap();
    assert_eq!(scenario.question, "Does it work? Really?");
    assert_eq!((scenario.name.as_str(), scenario.seed, scenario.replications), ("good", 7, 2));
    assert_eq!(scenario.warmup, Duration::from_secs(60));
    assert_eq!(scenario.policy().checks[0].limit, 10);
    assert_eq!(scenario.policy().idle_timer.unwrap().after, Duration::from_secs(300));
    let readers = &scenario.populations[0];
    assert!(matches!(&readers.addresses, Addresses::Pool { peers, .. } if peers.len() == 16));
    assert_eq!(readers.behaviour.script.steps.len(), 6); // login, cwd, think, noop, noop, quit
    assert_eq!(readers.behaviour.retry.rules.len(), 2);
    assert!(readers.behaviour.retry.rules[0].backoff.is_none());
    assert_eq!(readers.link.delay, Duration::from_millis(20));
    assert_eq!(scenario.faults[0].label, "shutdown (announce)");
    assert_eq!(scenario.strings[2..], ["anonymous".to_owned(), "/pub".to_owned()]);
    assert!(scenario.notes.is_empty(), "{:?}", scenario.notes);
}

#[test]
fn the_hash_covers_the_text_and_the_files_that_it_names() {
    let text = GOOD.replace(r#"executor = "poisson", rate = "5/m""#, r#"executor = "trace", csv = "a.csv""#);
    let hash = |csv: &str| Scenario::read("t", &text, &mut |_| Ok(csv.to_owned())).unwrap().hash;
    assert_eq!(hash("time\n1\n"), hash("time\n1\n"));
    assert_ne!(hash("time\n1\n"), hash("time\n2\n"));
    assert_ne!(read(GOOD).unwrap().hash, read(&format!("{GOOD}# more\n")).unwrap().hash);
}

/// Each row: what of the good scenario is replaced, by what, where the problem is (line within the replacement from 0, the
/// text that the caret points at), and a part of what is said.
const MISTAKES: &[(&str, &str, &str, &str)] = &[
    ("schema = 1", "schema = 2", "2", "schema = 2 is not known"),
    ("schema = 1", "schema = \"1\"", "\"1\"", "is not a whole number"),
    ("schema = 1\n", "", "# Does it", "\"schema\" is missing"),
    ("name = \"good\"", "name = \"Good Evening\"", "\"Good", "is not a name"),
    ("name = \"good\"", "name = \"a/../b\"", "\"a/", "is not a name"),
    ("name = \"good\"", "nmae = \"good\"", "nmae", "did you mean \"name\"?"),
    ("duration = \"1h\"\nseed", "duration = 3600\nseed", "3600", "write \"3600s\""),
    ("duration = \"1h\"\nseed", "duration = 1.5\nseed", "1.5", "write \"1.5s\""),
    ("duration = \"1h\"\nseed", "duration = \"0s\"\nseed", "\"0s\"", "is no time at all"),
    ("duration = \"1h\"\nseed", "duration = \"400d\"\nseed", "\"400d\"", "is too long"),
    ("duration = \"1h\"\nseed", "duration = \"an hour\"\nseed", "\"an hour\"", "is not a duration"),
    ("duration = \"1h\"\nseed", "duration = true\nseed", "true", "is not a duration"),
    ("seed = 7", "seed = -1", "-1", "is out of range"),
    ("refused_first rate < 0.1", "refused_frist rate < 0.1", "refused_frist", "is not a threshold"),
    ("refused_first rate < 0.1", "refused_first rate ~ 0.1", "~ 0.1", "is not a threshold"),
    ("seed = 7", "seed = 7.5", "7.5", "is not a whole number"),
    ("seed = 7", "sed = 7", "sed", "did you mean \"seed\"?"),
    ("replications = 2", "replications = 0", "0", "from 1 to 10000"),
    ("replications = 2", "replications = 10001", "10001", "from 1 to 10000"),
    ("warmup = \"1m\"", "warmup = \"1h\"", "\"1h\"", "is after the end"),
    ("seed = 7", "seed = 7\nseed = 8", "seed = 8", "not TOML"),
    ("seed = 7", "seed = ", "\n", "not TOML"),
    ("[server]", "[servr]", "servr", "did you mean \"server\"?"),
    ("profile = \"rfc959\"", "profile = \"rfc95\"", "\"rfc95\"", "did you mean \"rfc959\"?"),
    ("max_clients = 10", "max_client = 10", "max_client", "did you mean \"max_clients\"?"),
    ("max_clients = 10", "max_clients = \"ten\"", "\"ten\"", "is not a whole number"),
    ("max_clients = 10", "max_clients = 99999999", "99999999", "is out of range"),
    ("max_clients = 10", "passive_ports = 0", "0", "is out of range"),
    ("max_clients = 10", "stalled_timeout = \"5s\"", "\"5s\"", "does not fit"),
    ("max_clients = 10", "denied_users = [\"bob\"]", "[\"bob\"]", "does not fit"),
    ("max_clients = 10", "denied_addresses = [\"10.0.0.0/8\"]", "[\"10.0.0.0/8\"]", "does not fit"),
    ("max_clients = 10", "classes = { office = \"ten\" }", "\"ten\"", "is not a network"),
    ("max_clients = 10", "message = \"two\\nlines\"", "\"two", "is not a line of text"),
    ("threshold = 3", "threshold = 0", "0", "is out of range"),
    (
        "threshold = 3",
        "on = \"bad_pasword\"\nthreshold = 3",
        "\"bad_pasword\"",
        "did you mean \"bad_password\"?",
    ),
    ("threshold = 3\n", "", "[server.ban]", "\"threshold\" is missing in [server.ban]"),
    ("[[clients]]", "[clients]", "[clients]", "write [[clients]]"),
    ("name = \"readers\"", "name = 5", "5", "is not a text"),
    (
        "name = \"readers\"",
        "name = \"readers\"\nnmae = 1",
        "nmae",
        "unknown key \"nmae\" in [[clients]] \"readers\"",
    ),
    ("rate = \"5/m\"", "rate = 5", "5 }", "write \"5/s\""),
    ("rate = \"5/m\"", "rate = \"5/w\"", "\"5/w\"", "is not a rate"),
    ("rate = \"5/m\"", "rate = \"0/s\"", "\"0/s\"", "lets nobody come"),
    ("rate = \"5/m\"", "rate = \"9999999/s\"", "\"9999999/s\"", "is too high"),
    ("rate = \"5/m\"", "rate = \"500000/s\"", "{ executor", "lets too many come"),
    ("rate = \"5/m\"", "rate = \"-5/m\"", "\"-5/m\"", "is not a rate"),
    ("rate = \"5/m\"", "rat = \"5/m\"", "rat ", "did you mean \"rate\"?"),
    (
        "rate = \"5/m\"",
        "rate = \"5/m\", stages = [{ duration = \"1h\", target = \"5/m\" }]",
        "rate",
        "unknown key \"rate\"",
    ),
    ("rate = \"5/m\"", "stages = []", "[]", "is empty"),
    (
        "rate = \"5/m\"",
        "stages = [{ duration = \"9m\", target = \"5/m\" }], repeat = \"daily\"",
        "\"daily\"",
        "repeat = [1, 1, 0.6]",
    ),
    (
        "rate = \"5/m\"",
        "stages = [{ duration = \"9m\", target = \"5/m\" }], repeat = [1, -1]",
        "-1]",
        "is out of range",
    ),
    ("rate = \"5/m\"", "stages = [{ duration = \"9m\", target = \"5/m\" }], repeat = []", "[] }", "is empty"),
    (
        "rate = \"5/m\"",
        "stages = [{ duration = \"9m\", target = \"5/m\" }], repeat = [0]",
        "{ executor",
        "lets nobody come",
    ),
    (
        "rate = \"5/m\"",
        "stages = [{ duration = \"0s\", target = \"5/m\" }], repeat = true",
        "true",
        "take no time",
    ),
    ("rate = \"5/m\"", "rate = \"5/m\", repeat = true", "repeat", "unknown key \"repeat\""),
    (
        "rate = \"5/m\"",
        "stages = [{ duration = \"1h\", target = \"0/s\" }]",
        "{ executor",
        "lets nobody come",
    ),
    ("rate = \"5/m\"", "stages = [{ duration = \"1h\", target = 5 }]", "5 }", "write \"5/s\""),
    ("rate = \"5/m\"", "rate = \"5/m\", start = \"2h\"", "\"2h\"", "is after the end"),
    ("executor = \"poisson\"", "executor = \"poison\"", "\"poison\"", "did you mean \"poisson\"?"),
    (
        "executor = \"poisson\", rate = \"5/m\"",
        "executor = \"burst\", at = \"1m\", count = 0",
        "0 }",
        "is out of range",
    ),
    (
        "executor = \"poisson\", rate = \"5/m\"",
        "executor = \"trace\", csv = \"gone.csv\"",
        "\"gone.csv\"",
        "cannot be read",
    ),
    ("executor = \"poisson\", rate = \"5/m\"", "executor = \"trace\"", "{ executor", "\"csv\" is missing"),
    (
        "executor = \"poisson\", rate = \"5/m\"",
        "executor = \"constant-clients\", clients = 5, pause = \"0s\"",
        "\"0s\"",
        "is too short",
    ),
    (
        "executor = \"poisson\", rate = \"5/m\"",
        "executor = \"constant-clients\", clients = 100000001",
        "100000001",
        "is out of range",
    ),
    ("\"10.0.0.0/28\"", "\"10.0.0.1/28\"", "\"10.0.0.1/28\"", "inside 10.0.0.0/28"),
    ("\"10.0.0.0/28\"", "\"10.0.0.0/8\"", "\"10.0.0.0/8\"", "at most 65536 addresses"),
    ("\"10.0.0.0/28\"", "\"somewhere\"", "\"somewhere\"", "is not a network"),
    ("cidr = \"10.0.0.0/28\"", "cidr = \"10.0.0.0/28\", nat = 3", "\"10.0.0.0/28\"", "stands beside `nat`"),
    ("cidr = \"10.0.0.0/28\"", "nat = 255", "255", "is out of range"),
    ("pick = \"zipf\"", "pick = \"uniform\", exponent = 1.0", "exponent", "unknown key \"exponent\""),
    ("{ cidr = \"10.0.0.0/28\", pick = \"zipf\" }", "\"uniq\"", "\"uniq\"", "is unknown"),
    ("script = [\"login\", ", "script = [", "{ cwd", "stands first"),
    ("\"login\", {", "\"login\", \"login\", {", "\"login\", {", "stands twice"),
    ("\"login\", {", "\"login\", \"quit\", {", "\"quit\", {", "is not at the end"),
    ("\"login\", {", "\"login\", \"nop\", {", "\"nop\"", "did you mean \"noop\"?"),
    ("\"login\", {", "\"login\", \"retr\", {", "\"retr\"", "write { retr = \"10MiB\" }"),
    ("\"login\", {", "\"login\", 5, {", "5,", "is not a text"),
    ("\"login\", {", "\"login\", {}, {", "{},", "is an empty step"),
    ("{ cwd = \"/pub\" }", "{ cdw = \"/pub\" }", "cdw", "did you mean \"cwd\"?"),
    ("{ cwd = \"/pub\" }", "{ cwd = \"/pub\\r\\nQUIT\" }", "\"/pub", "is not a line of text"),
    ("{ cwd = \"/pub\" }", "{ cwd = \"/pub\", noop = 1 }", "noop", "unknown key \"noop\""),
    ("{ cwd = \"/pub\" }", "{ retr = 10 }", "10 }", "write \"10B\""),
    ("{ cwd = \"/pub\" }", "{ retr = \"10 MB/s\" }", "\"10 MB/s\"", "is not a size"),
    ("loop = 2", "loop = 99999", "99999", "makes the script too long"),
    ("loop = 2", "loop = 0", "0,", "is out of range"),
    ("mean = \"3s\"", "mean = \"0s\"", "\"0s\"", "is no mean"),
    ("mean = \"3s\"", "maen = \"3s\"", "maen", "did you mean \"mean\"?"),
    ("\"exponential\", mean", "\"gauss\", mean", "\"gauss\"", "allowed here: uniform"),
    ("\"exponential\", mean = \"3s\"", "\"pareto\", mean = \"3s\", shape = 1", "1 }", "from 1.01 to 1000"),
    ("\"exponential\", mean = \"3s\"", "\"uniform\", low = \"3s\", high = \"2s\"", "\"2s\"", "is below low"),
    ("\"exponential\", mean = \"3s\"", "\"empirical\", values = []", "[] }", "is empty"),
    ("rtt = \"40ms\"", "rtt = \"40ms\", los = 1", "los", "unknown key \"los\" in link"),
    ("rtt = \"40ms\"", "bandwidth = \"10MiB\"", "\"10MiB\"", "is not a bandwidth"),
    ("link = {", "wrong_password = 2\nlink = {", "2\n", "a probability is a number from 0 to 1"),
    ("link = {", "vanish = \"often\"\nlink = {", "\"often\"", "is not a number"),
    ("link = {", "reconnect = \"yes\"\nlink = {", "\"yes\"", "neither true nor false"),
    ("link = {", "user = \"a\"\nusers = 3\nlink = {", "3\n", "stands beside `user`"),
    ("link = {", "client = \"lftpp\"\nlink = {", "\"lftpp\"", "did you mean \"lftp\"?"),
    ("link = {", "client = \"firefox\"\nlink = {", "\"firefox\"", "is unknown"),
    ("link = {", "client = 3\nlink = {", "3\n", "is not a text"),
    ("link = {", "parallel = 0\nlink = {", "0\n", "from 1 to 64"),
    ("link = {", "data = \"activ\"\nlink = {", "\"activ\"", "did you mean \"active\"?"),
    ("link = {", "resolve = \"never\"\nlink = {", "\"never\"", "is unknown"),
    ("link = {", "stall = 2\nlink = {", "2\n", "a probability is a number from 0 to 1"),
    ("link = {", "lowered_by = \"(\"\nlink = {", "\"(\"", "is no pattern"),
    ("{ cwd = \"/pub\" }", "{ site_idle = 60 }", "60 }", "write \"60s\""),
    ("\"login\", {", "\"login\", \"site_idle\", {", "\"site_idle\"", "write { site_idle = \"60s\" }"),
    ("{ cwd = \"/pub\" }", "{ cwd = \"/pub\", abort = \"5s\" }", "abort", "unknown key \"abort\""),
    ("on = [\"banned\"]", "signs = [\"422\"]", "\"422\"", "is unknown"),
    ("on = [\"banned\"]", "text = \"[\"", "\"[\"", "is no pattern"),
    ("backoff = \"exponential\"", "backoff = \"expo\"", "\"expo\"", "is unknown"),
    ("backoff = \"exponential\"", "backoff = \"none\"", "wait", "unknown key \"wait\""),
    ("backoff = \"exponential\"", "backoff = \"fixed\"\nfactor = 2.0", "factor", "unknown key \"factor\""),
    ("wait = \"5s\"", "wait = \"0s\"", "\"0s\"", "is too short"),
    ("link = {", "keepalive = \"1us\"\nlink = {", "\"1us\"", "is too short"),
    ("link = {", "patience = \"0s\"\nlink = {", "\"0s\"", "is too short"),
    ("wait = \"5s\"\n", "", "[clients.retry]", "\"wait\" is missing"),
    ("on = [\"banned\"]", "on = [\"baned\"]", "\"baned\"", "did you mean \"banned\"?"),
    ("on = [\"banned\"]", "on = []", "[]", "is empty"),
    ("on = [\"banned\"]", "on = \"banned\"", "\"banned\"", "is not a list"),
    ("at = \"20m\"", "at = \"1h\"", "\"1h\"", "is after the end"),
    ("kind = \"shutdown\"", "kind = \"shutdwon\"", "\"shutdwon\"", "did you mean \"shutdown\"?"),
    ("form = \"announce\"", "form = \"crash\"", "notice", "unknown key \"notice\""),
    (
        "form = \"announce\"\nnotice = \"60s\"",
        "form = \"hang\"\nlasts = \"50m\"",
        "\"50m\"",
        "goes beyond the end",
    ),
    ("form = \"announce\"\nnotice = \"60s\"", "form = \"hang\"", "[[faults]]", "has no downtime"),
    ("notice = \"60s\"\n", "", "[[faults]]", "\"notice\" is missing"),
    ("kind = \"shutdown\"\nform", "kind = \"reload\"\nform", "[[faults]]", "\"max_clients\" is missing"),
    ("require = \"refused", "requires = \"refused", "requires", "did you mean \"require\"?"),
];

#[test]
fn each_mistake_is_told_with_its_place() {
    for (from, to, at, said) in MISTAKES {
        assert!(GOOD.contains(from), "{from}");
        let text = GOOD.replacen(from, to, 1);
        let begin = GOOD.find(from).unwrap();
        let told = problem_of(&text);
        let shown = told.to_string();
        assert!(shown.contains(said), "{to:?} should say {said:?}:\n{shown}");
        let place = text.split_inclusive('\n').take(told.line - 1).map(str::len).sum::<usize>()
            + told.excerpt.chars().take(told.column - 1).map(char::len_utf8).sum::<usize>();
        assert!(text[place..].starts_with(at), "{to:?} should point at {at:?} (change at {begin}):\n{shown}");
        assert!(shown.starts_with("test.toml:") && shown.contains("\n  hint: "), "{shown}");
    }
}

#[test]
fn a_problem_shows_its_line_with_a_caret_under_the_column_in_characters() {
    let text = GOOD.replace("link = {", "link = { \"ü\" = 1, ");
    let shown = problem_of(&text).to_string();
    assert_eq!(
        shown,
        "test.toml:23:10: unknown key \"ü\" in link\n  \
         23 | link = { \"ü\" = 1,  rtt = \"40ms\" }\n     \
            |          ^\n  \
         hint: allowed here: rtt, jitter, loss, bandwidth, connect_timeout, reply_timeout"
    );
}

#[test]
fn a_malformed_trace_is_told_in_its_own_file() {
    let text = GOOD.replace(r#"executor = "poisson", rate = "5/m""#, r#"executor = "trace", csv = "a.csv""#);
    let problem = Scenario::read("t", &text, &mut |_| Ok("time\n1\nsoon\n".to_owned())).unwrap_err();
    assert_eq!((problem.file.as_str(), problem.line, problem.column), ("a.csv", 3, 1));
}

/// Whoever names a wrong file sees neither megabytes nor much of what is in it.
#[test]
fn no_file_makes_a_long_message() {
    let long = "x".repeat(1_000_000);
    let xferlog = format!("Thu Nov  5 12:00:03 2026 3 127.0.0.1 {long} /path b _ o a user ftp 0 * c");
    for (kind, text) in [("csv", long.clone()), ("csv", format!("time\n{long}\n")), ("xferlog", xferlog)] {
        let trace = format!(r#"executor = "trace", {kind} = "a""#);
        let scenario = GOOD.replace(r#"executor = "poisson", rate = "5/m""#, &trace);
        let scenario = if kind == "csv" { scenario } else { without_script(&scenario) };
        let problem = Scenario::read("t", &scenario, &mut |_| Ok(text.clone())).unwrap_err();
        assert!(problem.what.contains('…'), "{kind}: {} bytes", problem.to_string().len());
        assert!(problem.to_string().len() < 600, "{kind}: {} bytes", problem.to_string().len());
    }
    let problem = problem_of(&format!("schema = 1\n{long} = 1\n"));
    assert!(problem.to_string().len() < 1_500, "{} bytes", problem.to_string().len());
}

/// An xferlog says itself what its clients do, and from where.
fn without_script(text: &str) -> String {
    let own = |line: &&str| !line.starts_with("script") && !line.starts_with("addresses");
    text.lines().filter(own).collect::<Vec<_>>().join("\n")
}

#[test]
fn an_xferlog_becomes_sessions_with_their_users_and_hosts() {
    let text = r#"
schema = 1
name = "log"
duration = "1h"
[[clients]]
name = "replay"
arrivals = { executor = "trace", xferlog = "xferlog", gap = "30s" }
"#;
    let log = "Thu Nov  5 12:00:03 2026 3 127.0.0.1 1234 /path b _ o a user ftp 0 * c\n\
               Thu Nov  5 12:00:20 2026 1 client.example 10 /up load b _ i r alice ftp 0 * c\n\
               Thu Nov  5 12:00:08 2026 1 127.0.0.1 99 /other b _ o a user ftp 0 * c\n";
    let scenario = Scenario::read("t", text, &mut |_| Ok(log.to_owned())).unwrap();
    let replay = &scenario.populations[0];
    let Arrivals::Trace(arrivals) = &replay.arrivals else { panic!("{replay:?}") };
    let told: Vec<_> = arrivals
        .iter()
        .map(|a| {
            (
                a.at.as_nanos() / 1_000_000_000,
                a.entry,
                scenario.addresses.address(a.peer.unwrap()).to_string(),
            )
        })
        .collect();
    assert_eq!(told, [(0, 0, "127.0.0.1".to_owned()), (19, 5, "198.18.0.0".to_owned())]);
    assert_eq!(replay.behaviour.script.session(0).count(), 4); // login, /path, 4 s, /other
    let users: Vec<_> = (0..2).map(|i| scenario.strings[usize::from(replay.user(i).0)].as_str()).collect();
    assert_eq!(users, ["anonymous", "alice"]);
    assert!(scenario.notes.iter().any(|note| note.contains("invisible")), "{:?}", scenario.notes);
    for key in ["script = [\"login\"]", "users = 3", "addresses = \"unique\""] {
        let problem =
            Scenario::read("t", &format!("{text}{key}\n"), &mut |_| Ok(log.to_owned())).unwrap_err();
        assert!(problem.what.contains("has no place beside an xferlog"), "{problem}");
    }
}

#[test]
fn the_template_is_a_scenario() {
    let scenario = read(template()).unwrap();
    assert_eq!(scenario.name, "my-scenario");
    assert!(scenario.question.starts_with("How does my server do"), "{}", scenario.question);
    assert!(scenario.notes.is_empty(), "{:?}", scenario.notes);
}

#[test]
fn every_bundled_scenario_is_read_and_asks_one_question() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let mut names = Vec::new();
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|e| e != "toml") {
            continue;
        }
        let stem = path.file_stem().unwrap().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&path).unwrap();
        names.push(stem.clone());
        let mut open = |name: &str| std::fs::read_to_string(folder.join(name)).map_err(|e| e.to_string());
        let scenario = Scenario::read(&stem, &text, &mut open).unwrap_or_else(|problem| panic!("{problem}"));
        assert_eq!(scenario.name, stem);
        assert!(scenario.question.ends_with('?'), "{stem}: {:?}", scenario.question);
    }
    assert!(names.len() >= 12, "{names:?}");
    assert!(names.contains(&"busy-evening".to_owned()));
    assert!(BUILT_IN.contains("name = \"busy-evening\""));
}

/// One snapshot, so that a change of what `check` says shows as a diff that a person can read.
#[test]
fn the_good_scenario_in_words() {
    let scenario = read(GOOD).unwrap();
    let words = explain(&scenario);
    let expected = "\
question    Does it work? Really?
plan        2 runs of 1h, seed 7, estimates from 1m on

server      rfc959
limits      max_clients                  10  at accept  connections of the server: the next one gets 421
timers      login 1m, idle 5m
listener    129 connections may wait to be accepted
ban         3 sessions that ran out of login attempts within 10m ban an address for 1h

clients     readers: at random (Poisson) 5/m: about 300 sessions, up to 0.27 erlangs
            from 16 addresses, 10.0.0.0 to 10.0.0.15, a few of them most often (Zipf), as anonymous
            a session holds a slot for about 3.24s = 6 round trips of 40ms + 3s pauses
            refused: does not come back after banned; else comes back after 5s, each wait 2 times the last

expected    about 0.27 sessions at a time on average at the peak, at 3.6s, if nobody is refused
            below max_clients = 10: without retries less than 0.1 % of first attempts would be refused (Erlang B)
to simulate about 11,000 events, less than a second of one core, 4 MB of memory, in orders of magnitude

fault       at 20m: shutdown (announce), until 23m
must hold   refused_first rate < 0.1
";
    assert_eq!(words, expected);
}

/// Of eleven passive ports five clients get two each; two cores have 2 / 0.4 s for logins; and a transfer in a hundred that stops
/// half way, of one in a session, costs a hundredth of the stall timer.
#[test]
fn what_the_host_lacks_and_what_gets_stuck_is_told_before_the_run() {
    let text = "
schema = 1
name = \"small\"
duration = \"1h\"

[server]
profile = \"pure-ftpd\"
passive_ports = 11
bandwidth = \"10MiB/s\"
greeting_time = \"0s\"
login_time = \"400ms\"

[server.host]
cores = 2
descriptors = 1024

[[clients]]
name = \"readers\"
arrivals = { executor = \"poisson\", rate = \"1/m\" }
script = [\"login\", { retr = \"1MiB\" }]
stall = 0.01
";
    let words = explain(&read(text).unwrap());
    for said in [
        "the next one gets 421 (50 is set, but there are only 11 passive ports)",
        "2 cores (greeting 0s, login 400ms: at most 5/s of both), 1024 descriptors",
        "10MiB/s, shared by all transfers",
        "stuck transfers add 9s on average",
        "1 % of transfers stop half way",
    ] {
        assert!(words.contains(said), "{said}\n{words}");
    }
}

/// Where nobody is refused, the events that are foretold are those of the run within a third; where retries and refusals have their part,
/// within an order of magnitude.
#[test]
fn what_a_simulation_takes_is_foretold() {
    let events = |text: &str| {
        let scenario = read(text).unwrap();
        let run = sim::run(&scenario, 0, &mut (), &Watch::default()).0;
        (Cost::of(&scenario).events, run.work.events as f64)
    };
    for (foretold, told) in [
        events(&open("[\"login\", { loop = 3, steps = [{ think = \"3s\" }, \"noop\"] }]")),
        events(&open("[\"login\", { retr = \"10KiB\" }, { think = \"1s\" }, { retr = \"1MiB\" }]")),
        events(&open("[\"login\", \"list\"]")),
    ] {
        assert!((0.67..1.5).contains(&(foretold / told)), "{foretold} foretold, {told} told");
    }
    let (foretold, told) = events(GOOD);
    assert!((0.1..10.0).contains(&(foretold / told)), "{foretold} foretold, {told} told");
}

/// Millions of clients are worth a warning, and a thousand are not.
#[test]
fn a_big_run_is_known_beforehand() {
    let of = |rate: &str| {
        let stays = open("[\"login\", { think = \"1h\" }]");
        Cost::of(&read(&stays.replace("rate = \"2/s\"", &format!("rate = \"{rate}\""))).unwrap())
    };
    assert!(!of("1/s").is_much(1, 1));
    let big = of("5000/s");
    assert!(big.is_much(1, 1) && big.words(2, 2).contains("GB of memory"), "{}", big.words(2, 2));
}

/// Half an hour of a server without limits and clients with this script.
fn open(script: &str) -> String {
    format!(
        "schema = 1\nname = \"open\"\nduration = \"30m\"\n[server]\nprofile = \"rfc959\"\n[[clients]]\nname = \"a\"\n\
         arrivals = {{ executor = \"poisson\", rate = \"2/s\" }}\nlink = {{ rtt = \"50ms\" }}\nscript = {script}\n"
    )
}

#[test]
fn nesting_without_end_is_an_error_and_no_overflow() {
    for (open, close) in [("[", "]"), ("{a=", "}"), ("{loop=1,steps=[", "]}")] {
        let deep = format!("{}1{}", open.repeat(50_000), close.repeat(50_000));
        assert!(problem_of(&format!("a = {deep}")).what.contains("not TOML"));
    }
}

proptest! {
    #[test]
    fn no_text_makes_the_reader_panic(text in "\\PC{0,200}|[\\[\\]{}=\"#\n a-z0-9.,]{0,300}") {
        if let Err(problem) = read(&text) {
            prop_assert!(!problem.to_string().is_empty());
        }
    }

    /// Any stretch of a valid scenario replaced by any other stretch of it, or by anything.
    #[test]
    fn no_mutation_makes_the_reader_panic(
        base in 0..2_usize,
        cut in any::<(prop::sample::Index, prop::sample::Index)>(),
        paste in any::<(prop::sample::Index, prop::sample::Index)>(),
        other in "[\"\\[\\]{}=#\n0-9smh/.-]{0,12}|\\PC{0,4}",
        use_other in any::<bool>(),
    ) {
        let chars: Vec<char> = [GOOD, template()][base].chars().collect();
        let range = |(a, b): (prop::sample::Index, prop::sample::Index)| {
            let a = a.index(chars.len());
            a..(a + b.index(40)).min(chars.len())
        };
        let (gone, copy) = (range(cut), range(paste));
        let middle = if use_other { other } else { chars[copy].iter().collect() };
        let text: String = chars[..gone.start].iter().copied().chain(middle.chars()).chain(chars[gone.end..].iter().copied()).collect();
        match read(&text) {
            Ok(scenario) => prop_assert!(!explain(&scenario).is_empty()),
            Err(problem) => {
            let lines = text.split('\n').count();
            prop_assert!(problem.line >= 1 && problem.line <= lines, "{problem}");
            prop_assert!(problem.column >= 1 && problem.column <= problem.excerpt.chars().count() + 2, "{problem}");
        }}
    }

    #[test]
    fn no_log_makes_the_reader_panic(log in "(Thu Nov  5 12:00:03 2026 3 127.0.0.1 1234 /path b _ o a user ftp 0 \\* c|[ a-z0-9:.\n,-]{0,60}|\\PC{0,20}|\n){0,8}") {
        let text = |kind: &str| format!("schema = 1\nname = \"x\"\nduration = \"1h\"\n[[clients]]\nname = \"y\"\narrivals = {{ executor = \"trace\", {kind} = \"f\" }}\n");
        for kind in ["csv", "xferlog"] {
            let _ = Scenario::read("x", &text(kind), &mut |_| Ok(log.clone()));
        }
    }
}

#[test]
fn a_wire_fault_has_its_place_in_the_file() {
    let text = GOOD.replacen("[server]", "[server]\nwire = [\"RETR#2 426\", \"PASS dealy 2s\"]", 1);
    assert!(text.contains("dealy"), "the scenario has a [server]");
    let problem = read(&text).unwrap_err();
    let line = text.lines().nth(problem.line - 1).unwrap();
    let at = line.chars().skip(problem.column - 1).collect::<String>();
    assert!(at.starts_with("dealy") && problem.hint.contains("did you mean `delay`?"), "{problem}");
}
