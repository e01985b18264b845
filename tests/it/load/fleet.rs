//! Several processes are one run.

use std::fs;

use serde_json::Value;

use crate::real::daemon::Daemon;
use crate::support::{ftp421, stderr, stdout};

#[test]
fn three_processes_of_two_threads_are_one_run() {
    let daemon = Daemon::pyftpdlib("");
    let dir = tempfile::tempdir().unwrap();
    let text = "schema = 1\nname = \"fleet\"\nduration = \"3s\"\n[[clients]]\nname = \"c\"\nuser = \"alice\"\n\
                arrivals = { executor = \"constant-arrival-rate\", rate = \"20/s\", duration = \"2s\" }\n\
                script = [\"login\", { think = \"100ms\" }, \"noop\", \"quit\"]\n";
    fs::write(dir.path().join("fleet.toml"), text).unwrap();
    let target = format!("ftp://127.0.0.1:{}", daemon.port);
    let output = ftp421(
        dir.path(),
        &[
            "load",
            "fleet.toml",
            "--target",
            &target,
            "--user",
            "alice:secret",
            "--processes",
            "3",
            "--threads",
            "2",
            "--json",
        ],
    );
    let summary: Value =
        serde_json::from_str(&stdout(&output)).unwrap_or_else(|e| panic!("{e}: {}", stderr(&output)));
    let counts = &summary["counts"];
    assert_eq!([&counts["wanted"], &counts["admitted"]], [&Value::from(40), &Value::from(40)], "{counts}");
    assert_eq!(summary["generator"]["processes"], 3, "{}", summary["generator"]);
    assert!(output.status.code().is_some_and(|code| [0, 109].contains(&code)), "{}", stderr(&output));
}
