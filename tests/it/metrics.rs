//! `--metrics`: the page as Prometheus' own parser reads it, its numbers against those of the results, and who may ask.

#![expect(clippy::disallowed_methods, reason = "programs live in real time")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use ftp421::live::load::Heard;
use ftp421::live::scrape::{Door, Meter, Side, page};
use ftp421::observe::{Class, Latency, Observation};
use nix::sys::signal::Signal;
use serde_json::Value;

use crate::load::rig;
use crate::serve::command::Served;
use crate::support::{ftp421, project, stderr};

const SOON: Duration = Duration::from_secs(10);

/// What `prometheus_client`, Python's, reads: each sample by its name and its labels, and each family's name with its type.
const READER: &str = "
import sys
from prometheus_client.openmetrics.parser import text_string_to_metric_families
for family in text_string_to_metric_families(sys.stdin.read()):
    assert family.documentation, family.name
    print('family', family.name, family.type)
    for sample in family.samples:
        labels = ','.join(f'{k}={v}' for k, v in sorted(sample.labels.items()))
        print('sample', sample.name + '{' + labels + '}', sample.value)
";

/// A page that was understood.
struct Page {
    families: BTreeSet<String>,
    samples: BTreeMap<String, f64>,
}

impl Page {
    fn read(text: &str) -> Self {
        let python = project().join(".cache/venv/bin/python");
        let mut child = Command::new(python)
            .args(["-c", READER])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("see .ci/install");
        child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        let done = child.wait_with_output().unwrap();
        assert!(done.status.success(), "{}\n{text}", stderr(&done));
        let (mut families, mut samples) = (BTreeSet::new(), BTreeMap::new());
        for line in String::from_utf8(done.stdout).unwrap().lines() {
            let (kind, rest) = line.split_once(' ').unwrap();
            let (name, value) = rest.rsplit_once(' ').unwrap();
            if kind == "family" {
                families.insert(name.to_owned());
            } else {
                samples.insert(name.to_owned(), value.parse().unwrap());
            }
        }
        Self { families, samples }
    }

    fn has(&self, sample: &str) -> u64 {
        let name = if sample.contains('{') { sample.to_owned() } else { format!("{sample}{{}}") };
        self.samples.get(&name).copied().unwrap_or_default() as u64
    }

    /// Its numbers are those of a finished run.
    fn equals(&self, summary: &Value) {
        let counts = &summary["counts"];
        for class in ["admitted", "turned_away", "login_failed", "network_failed", "abandoned"] {
            let page = self.has(&format!("ftp421_attempts_total{{class={class}}}"));
            assert_eq!(page, counts[class].as_u64().unwrap(), "{class}");
        }
        let mut refusals = BTreeMap::new();
        for one in summary["refusals"].as_array().unwrap() {
            let word = |key: &str| one[key].as_str().unwrap();
            let labels = format!("cause={},code={},phase={}", word("cause"), one["code"], word("phase"));
            *refusals.entry(format!("ftp421_refusals_total{{{labels}}}")).or_default() +=
                one["count"].as_f64().unwrap();
        }
        let told = self.samples.iter().filter(|(name, _)| name.starts_with("ftp421_refusals_total"));
        assert_eq!(told.map(|(name, count)| (name.clone(), *count)).collect::<BTreeMap<_, _>>(), refusals);
        for (cause, count) in summary["refused_by_cause"]["cut"].as_object().unwrap() {
            assert_eq!(self.has(&format!("ftp421_cut_total{{cause={cause}}}")), count.as_u64().unwrap());
        }
        let transfers = &summary["transfers"];
        assert_eq!(self.has("ftp421_transfers_total"), transfers["count"].as_u64().unwrap());
        assert_eq!(self.has("ftp421_transferred_bytes_total"), transfers["bytes"].as_u64().unwrap());
        for (code, count) in transfers["failed_by_code"].as_object().unwrap() {
            let failed = format!("ftp421_transfers_failed_total{{code={code}}}");
            assert_eq!(self.has(&failed), count.as_u64().unwrap());
        }
        for what in ["greeting", "login", "command", "transfer"] {
            let count = self.has(&format!("ftp421_{what}_seconds_count"));
            assert_eq!(count, summary["latency"][what]["count"].as_u64().unwrap_or_default(), "{what}");
            assert_eq!(count, self.has(&format!("ftp421_{what}_seconds_bucket{{le=+Inf}}")));
        }
    }
}

/// Sends `request` and hears the answer to its end: its head and its body.
fn asks(at: &str, request: &str) -> (String, String) {
    let mut stream = TcpStream::connect(at).unwrap();
    stream.set_read_timeout(Some(SOON)).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{answer:?}"));
    (head.to_owned(), body.to_owned())
}

fn get(at: &str, path: &str) -> (String, String) {
    asks(at, &format!("GET {path} HTTP/1.1\r\nHost: {at}\r\nAccept: */*\r\n\r\n"))
}

/// A port that nobody has, for a moment.
fn free() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

/// A page in this process, of a meter that has seen nothing.
fn opened() -> String {
    let door = Door::open(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
    let address = door.address().to_string();
    door.answer(Arc::new(Meter::new(Side::Server, "vsftpd".to_owned()))).unwrap();
    address
}

fn summary(dir: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(dir.join("summary.json")).unwrap()).unwrap()
}

#[test]
fn the_page_of_a_served_run_has_the_numbers_of_its_results() {
    let dir = tempfile::tempdir().unwrap();
    let (out, at) = (dir.path().join("r"), free());
    let mut served = Served::start(&[
        "--profile",
        "vsftpd",
        "--max-clients",
        "3",
        "--idle-timeout",
        "1s",
        "--metrics",
        &at,
        "--out",
        out.to_str().unwrap(),
    ]);
    let url = &served.url;
    let line = format!("curl -sS {url}/; curl -sS -T {} {url}/up; curl -sS {url}/nothing; true", file!());
    let done = Command::new("sh").args(["-c", &line]).current_dir(project()).output().unwrap();
    assert!(stderr(&done).contains("curl: (78)"), "{}", stderr(&done));
    served.answers("ftp421", "wrong");
    let (mut idle, _) = served.greets();
    let mut there: Vec<_> = (0..2).map(|_| served.logged_in("ftp421", "ftp421")).collect();
    assert!(served.greets().1.starts_with("421"));
    let page = Page::read(&get(&at, "/metrics").1);
    assert_eq!((page.has("ftp421_open_connections"), page.has("ftp421_open_sessions")), (3, 2));
    assert_eq!(page.has("ftp421_build_info{profile=vsftpd,version=0.1.0}"), 1);
    assert!(there[0].hears().starts_with("421 Timeout") && there[1].hears().starts_with("421 Timeout"));
    idle.hears();
    drop((idle, there));
    let began = Instant::now();
    let page = loop {
        let (head, body) = get(&at, "/metrics");
        assert!(head.starts_with("HTTP/1.1 200 OK"), "{head}");
        let kind = "Content-Type: application/openmetrics-text; version=1.0.0; charset=utf-8";
        assert!(head.contains(kind), "{head}");
        assert!(body.ends_with("\n# EOF\n"));
        let page = Page::read(&body);
        if page.has("ftp421_open_connections") == 0 || began.elapsed() > SOON {
            break page;
        }
    };
    served.gets(Signal::SIGINT);
    let ended = served.ended();
    assert_eq!(ended.code, Some(0), "{}", ended.told);
    assert!(ended.told.contains(&format!("metrics: http://{at}/metrics")), "{}", ended.told);
    page.equals(&summary(&out));
    assert_eq!(page.has("ftp421_refusals_total{cause=max_clients,code=421,phase=greeting}"), 1);
    assert_eq!(page.has("ftp421_cut_total{cause=idle_timeout}"), 2);
    let sent = fs::metadata(project().join(file!())).unwrap().len();
    assert!(page.has("ftp421_transferred_bytes_total") >= sent);
}

/// Its page is gone when its results are there: what was seen last is no more than they say.
#[test]
fn a_load_can_be_watched_while_it_runs() {
    let dir = tempfile::tempdir().unwrap();
    let (out, at) = (dir.path().join("r"), free());
    let text = "schema = 1\nname = \"small\"\nduration = \"3s\"\n[server]\nprofile = \"vsftpd\"\nmax_clients = 5\n[[clients]]\n\
        name = \"people\"\narrivals = { executor = \"constant-arrival-rate\", rate = \"15/s\" }\nuser = \"alice\"\n\
        script = [\"login\", { think = \"600ms\" }, { retr = \"8KiB\", path = \"/file\" }, \"quit\"]\n";
    fs::write(dir.path().join("s.toml"), text).unwrap();
    let asked = std::thread::spawn({
        let at = at.clone();
        move || {
            let (began, mut last) = (Instant::now(), None);
            while began.elapsed() < 2 * SOON {
                std::thread::sleep(Duration::from_millis(20)); // as one who scrapes does
                let Ok(mut stream) = TcpStream::connect(&at) else {
                    if last.is_some() {
                        break;
                    }
                    continue;
                };
                let mut heard = String::new();
                let done = stream
                    .write_all(b"GET /metrics HTTP/1.1\r\n\r\n")
                    .and_then(|()| stream.read_to_string(&mut heard));
                if let (Ok(_), Some((_, body))) = (done, heard.split_once("\r\n\r\n")) {
                    last = Some(body.to_owned());
                }
            }
            last
        }
    });
    let args = ["load", "s.toml", "--metrics", &at, "--out", "r", "--processes", "2"];
    let done = ftp421(dir.path(), &args);
    assert!(stderr(&done).contains(&format!("metrics: http://{at}/metrics")), "{}", stderr(&done));
    let page = Page::read(&asked.join().unwrap().expect("it was there"));
    let told = summary(&out);
    // It may have been asked before the last ones were let in.
    let admitted = page.has("ftp421_attempts_total{class=admitted}");
    assert!(admitted > 3 && admitted <= told["counts"]["admitted"].as_u64().unwrap(), "{admitted}");
    let full = page.has("ftp421_refusals_total{cause=max_clients,code=421,phase=greeting}");
    assert!(full > 0, "{:?}", page.samples);
    assert!(page.has("ftp421_connect_seconds_count") > admitted);
    assert!(page.has("ftp421_generator_late_seconds_count") > admitted);
}

#[test]
fn what_a_load_counts_along_is_what_its_recorder_counts() {
    let server =
        crate::serve::server("max_clients = 2", "{ think = \"100ms\" }, { retr = \"8KiB\" }, \"quit\"");
    let clients = "[[clients]]\nname = \"a\"\nuser = \"alice\"\n\
        arrivals = { executor = \"constant-arrival-rate\", rate = \"20/s\" }\n\
        script = [\"login\", { think = \"100ms\" }, { retr = \"8KiB\" }, \"quit\"]\n";
    let mut plan = rig::plan(rig::scenario("1500ms", clients), server.address(), 0);
    plan.accounts.listed = vec![("alice".to_owned(), "ftp421".to_owned())];
    let meter = Arc::new(Meter::new(Side::Clients, String::new()));
    let run = rig::run_and(&plan, |heard, _| meter.hear(heard));
    let page = Page::read(&page(&meter));
    let count = |wanted: fn(&Observation) -> u64| -> u64 {
        let marks = run.heard.iter().filter_map(|heard| match heard {
            Heard::Mark { observation, .. } => Some(observation),
            _ => None,
        });
        marks.map(wanted).sum()
    };
    let class = |class: Class| page.has(&format!("ftp421_attempts_total{{class={}}}", class.name()));
    let admitted =
        count(|one| u64::from(matches!(one, Observation::AttemptEnded { class: Class::Admitted, .. })));
    let away =
        count(|one| u64::from(matches!(one, Observation::AttemptEnded { class: Class::TurnedAway, .. })));
    assert!(admitted > 3 && away > 3, "{admitted} {away}");
    assert_eq!((class(Class::Admitted), class(Class::TurnedAway)), (admitted, away));
    let took = count(|one| u64::from(matches!(one, Observation::Took(Latency::Command, _))));
    assert_eq!(page.has("ftp421_command_seconds_count"), took);
    let bytes = count(|one| if let Observation::Moved { bytes } = one { *bytes } else { 0 });
    assert_eq!(page.has("ftp421_transferred_bytes_total"), bytes);
    let opened = count(|one| u64::from(matches!(one, Observation::ConnectionOpened)));
    assert_eq!(page.has("ftp421_connections_total"), opened);
    assert_eq!((page.has("ftp421_open_connections"), page.has("ftp421_open_sessions")), (0, 0), "it is over");
    assert!(!page.samples.keys().any(|name| name.contains("profile")), "of a target nothing is known");
}

#[test]
fn who_asks_for_something_else_is_told_so() {
    let at = opened();
    for (request, status) in [
        ("GET / HTTP/1.1\r\n\r\n", "404 Not Found"),
        ("POST /metrics HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc", "405 Method Not Allowed"),
        ("USER alice\r\n\r\n", "400 Bad Request"),
        (&format!("GET /metrics HTTP/1.1\r\nA: {}", "a".repeat(9_000)), "400 Bad Request"),
    ] {
        let (head, body) = asks(&at, request);
        assert!(head.starts_with(&format!("HTTP/1.1 {status}\r\n")), "{head}");
        assert!(head.contains(&format!("Content-Length: {}\r\n", body.len())), "{head}");
    }
    let (head, body) = asks(&at, "HEAD /metrics HTTP/1.1\r\n\r\n");
    assert!(head.starts_with("HTTP/1.1 200 OK") && !head.contains("Content-Length: 0") && body.is_empty());
}

/// A request that never ends, byte by byte, and one who never reads: each costs the next one two seconds at most.
#[test]
fn who_never_ends_his_request_or_never_reads_holds_up_the_next_one_for_seconds_only() {
    let at = opened();
    let mut slow = TcpStream::connect(&at).unwrap();
    let mute = TcpStream::connect(&at).unwrap();
    (&mute).write_all(b"GET /metrics HTTP/1.1\r\n\r\n").unwrap();
    let dripping = std::thread::spawn(move || {
        let began = Instant::now();
        while began.elapsed() < SOON && slow.write_all(b"a").is_ok() {
            std::thread::sleep(Duration::from_millis(100));
        }
        began.elapsed()
    });
    let began = Instant::now();
    assert!(get(&at, "/metrics").0.starts_with("HTTP/1.1 200 OK"));
    let took = began.elapsed();
    assert!(took < Duration::from_secs(6), "{took:?}");
    assert!(dripping.join().unwrap() < Duration::from_secs(6), "it was sent away");
    drop(mute);
}

#[test]
fn only_this_machine_may_ask() {
    let dir = tempfile::tempdir().unwrap();
    for mode in ["serve", "load"] {
        for (address, words) in
            [("0.0.0.0:9421", "this machine only"), ("192.0.2.1:9421", "this machine only"), ("9421", "port")]
        {
            let done = ftp421(dir.path(), &[mode, "--metrics", address]);
            assert_eq!(done.status.code(), Some(2), "{mode} {address}");
            assert!(stderr(&done).contains(words), "{}", stderr(&done));
        }
    }
}

#[test]
fn the_documentation_lists_what_is_on_the_page() {
    let text = fs::read_to_string(project().join("docs/serve.md")).unwrap();
    let documented: BTreeSet<String> = text
        .lines()
        .filter_map(|line| line.strip_prefix("| `ftp421_")?.split(['`', '{']).next())
        .map(|name| format!("ftp421_{name}"))
        .collect();
    let mut there = BTreeSet::new();
    for side in [Side::Server, Side::Clients] {
        let text = page(&Arc::new(Meter::new(side, String::new())));
        for family in &Page::read(&text).families {
            let kind = |kind: &str| text.contains(&format!("# TYPE {family} {kind}\n"));
            let end = if kind("counter") {
                "_total"
            } else if kind("info") {
                "_info"
            } else {
                ""
            };
            there.insert(format!("{family}{end}"));
        }
    }
    assert_eq!(documented, there);
}
