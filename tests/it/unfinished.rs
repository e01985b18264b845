//! A study that was killed goes on from the replications that had ended, and gives the same bytes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::determinism::assert_same;
use crate::support::{ftp421, stderr};

/// Enough replications that nobody who is killed has ended all of them, each long enough to be a part of its own.
const STUDY: &str = r#"
schema = 1
name = "study"
duration = "1m"
replications = 24
[server]
max_clients = 20
max_per_ip = 3
[[clients]]
name = "people"
arrivals = { executor = "poisson", rate = "2/s" }
addresses = { nat = 40 }
script = ["login", { think = { dist = "exponential", mean = "10s" } }, { retr = "1MiB" }, "quit"]
wrong_password = 0.1
retry = { backoff = "exponential", wait = "1s", jitter = "full", attempts = 4 }
[[faults]]
at = "20s"
kind = "shutdown"
form = "crash"
down = "10s"
"#;

/// A part is kept after each replication.
const EVERY: &str = "--keep-every=1";

struct Place {
    dir: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("s.toml"), STUDY).unwrap();
        Self { dir }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn journal(&self) -> PathBuf {
        self.path("r/.unfinished")
    }

    /// What a run says that nobody disturbs, with `args` besides.
    fn sim(&self, out: &str, args: &[&str]) -> String {
        let all = [&["sim", "s.toml", "--out", out, "-q", EVERY], args].concat();
        let done = ftp421(self.dir.path(), &all);
        assert!(matches!(done.status.code(), Some(0 | 99)), "{}", stderr(&done));
        stderr(&done)
    }

    fn begin(&self, args: &[&str]) -> Child {
        Command::new(env!("CARGO_BIN_EXE_ftp421"))
            .args(["sim", "s.toml", "--out", "r", "-q", EVERY])
            .args(args)
            .current_dir(self.dir.path())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }

    /// A run that is killed as soon as so many bytes of it are kept.
    #[expect(clippy::disallowed_methods, reason = "programs live in real time")]
    fn killed(&self, bytes: u64, with: Signal, args: &[&str]) -> Option<i32> {
        let mut child = self.begin(args);
        let until = Instant::now() + Duration::from_secs(120);
        while fs::metadata(self.journal()).map_or(0, |known| known.len()) < bytes {
            assert!(child.try_wait().unwrap().is_none(), "it was over before anybody could kill it");
            assert!(Instant::now() < until, "nothing was kept");
            std::thread::sleep(Duration::from_millis(1));
        }
        kill(Pid::from_raw(child.id().cast_signed()), with).unwrap();
        let code = child.wait().unwrap().code();
        assert!(self.journal().is_file());
        code
    }
}

fn taken_over(said: &str) -> u32 {
    let rest = said.split_once("going on from ").map(|(_, rest)| rest);
    rest.and_then(|rest| rest.split(' ').next()?.parse().ok()).unwrap_or(0)
}

#[test]
fn a_study_that_was_killed_goes_on_and_gives_the_same_bytes() {
    let place = Place::new();
    assert_eq!(place.sim("whole", &[]), "");
    assert!(!place.path("whole/.unfinished").exists(), "nothing is left of a study that is whole");
    assert_eq!(place.killed(30_000, Signal::SIGKILL, &[]), None);
    assert!(!place.path("r/summary.json").exists());
    let first = fs::metadata(place.journal()).unwrap().len();
    place.killed(first + 20_000, Signal::SIGKILL, &[]); // and again
    let said = place.sim("r", &[]);
    assert!(taken_over(&said) > 1, "{said}");
    assert_same(&place.path("whole"), &place.path("r"));
    assert!(!place.journal().exists());
    assert_eq!(place.sim("r", &[]), "", "there is nothing to go on from any more");
}

/// Of a study that was to be long; what is wanted then is shorter, or longer: those that are there are the first of either.
#[test]
fn ctrl_c_keeps_what_ended_for_a_partial_result_and_for_the_next_run() {
    let place = Place::new();
    assert_eq!(place.killed(30_000, Signal::SIGINT, &["--replications", "5000"]), Some(105));
    let summary: serde_json::Value =
        serde_json::from_slice(&fs::read(place.path("r/summary.json")).unwrap()).unwrap();
    assert_eq!(summary["partial"], true);
    let ended = summary["replications"].as_u64().unwrap();
    let wanted = (ended + 20).to_string();
    let said = place.sim("r", &["--trace", "--dialogue", "0", "--replications", &wanted]);
    assert_eq!(u64::from(taken_over(&said)), ended, "all that is in the result: {said}");
    assert!(
        fs::metadata(place.path("r/trace.ndjson")).unwrap().len() > 1_000,
        "replication 0 is run for who listens"
    );
    for file in ["dialogue.txt", "trace.ndjson"] {
        fs::remove_file(place.path("r").join(file)).unwrap();
    }
    place.sim("whole", &["--replications", &wanted]);
    assert_same(&place.path("whole"), &place.path("r"));
}

#[test]
fn another_seed_never_mixes() {
    let place = Place::new();
    place.killed(30_000, Signal::SIGKILL, &[]);
    let said = place.sim("r", &["--seed", "8"]);
    assert!(said.contains("of another scenario, another seed or another build"), "{said}");
    place.sim("whole", &["--seed", "8"]);
    assert_same(&place.path("whole"), &place.path("r"));
}

#[test]
fn a_study_that_is_over_soon_writes_no_such_file() {
    let place = Place::new();
    let folder = place.path("r");
    let seen = |path: &Path| path.join(".unfinished").exists();
    let mut child = Command::new(env!("CARGO_BIN_EXE_ftp421"))
        .args(["sim", "s.toml", "--out", "r", "-q", "--replications", "6"])
        .current_dir(place.dir.path())
        .spawn()
        .unwrap();
    while child.try_wait().unwrap().is_none() {
        assert!(!seen(&folder));
        std::thread::sleep(Duration::from_millis(2));
    }
    assert!(folder.join("summary.json").exists() && !seen(&folder));
}

/// Memory does not grow with the number of replications: the recorders of all of them together would not fit into this.
#[cfg(target_os = "linux")]
#[test]
fn a_thousand_replications_do_not_keep_a_thousand_recorders() {
    let place = Place::new();
    fs::write(place.path("s.toml"), STUDY.replace("\"1m\"", "\"25s\"")).unwrap();
    let args = "sim s.toml --replications 2000 --threads 2 --no-advice -q --out r";
    let limited = format!("ulimit -v 600000 && exec {} {args}", env!("CARGO_BIN_EXE_ftp421"));
    let done = Command::new("sh").args(["-c", &limited]).current_dir(place.dir.path()).output().unwrap();
    assert!(matches!(done.status.code(), Some(0 | 99)), "{}", stderr(&done));
}
