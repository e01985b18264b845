//! A transfer log that a real server wrote is replayed: every session and every byte in it comes again.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::thread::sleep;
use std::time::Duration;

use serde_json::Value;

use super::daemon::Daemon;

/// Transfers of one host and user that are further apart than this belong to different sessions.
const GAP: Duration = Duration::from_secs(5);

#[test]
fn a_log_of_proftpd_is_replayed() {
    let accounts = ["alice:secret", "bob:secret"];
    replays(&Daemon::proftpd(""), "proftpd", accounts, "");
}

#[test]
fn a_log_of_vsftpd_is_replayed() {
    let accounts = ["anonymous:alice@example.org", "anonymous:bob@example.org"];
    replays(&Daemon::vsftpd(""), "vsftpd", accounts, "in/");
}

/// Lets real clients transfer files, and checks that the simulated ones do the same. Uploads go to the folder `upload`.
fn replays(daemon: &Daemon, profile: &str, [alice, bob]: [&str; 2], upload: &str) {
    for (name, size) in [("small", 1_234), ("large", 1_000_000), ("with space", 77)] {
        fs::write(daemon.root.join(name), vec![b'x'; size]).unwrap();
    }
    let get = |path: &str| Step { url: daemon.url(path), upload: None };
    let put = |path: &str, size| Step { url: daemon.url(&format!("{upload}{path}")), upload: Some(size) };
    let sessions = [
        ("127.0.0.2", alice, vec![get("small"), get("large"), get("with%20space")]),
        ("127.0.0.2", bob, vec![put("one", 54_321), put("two", 99)]), // the same host, another user
        ("127.0.0.3", alice, vec![get("small"), put("three", 4_000)]), // the same user, another host
    ];
    let mut bytes = 0;
    for (host, account, steps) in &sessions {
        bytes += curl(host, account, steps);
    }
    sleep(GAP + Duration::from_secs(3)); // the log has whole seconds
    bytes += curl("127.0.0.2", alice, &[get("large")]); // the same host and user, but later
    let transfers = 8;
    wait_for_lines(&daemon.xferlog, transfers);

    let summary = simulate(profile, &daemon.xferlog);
    let wanted = sessions.len() as u64 + 1;
    assert_eq!(summary["counts"]["wanted"], wanted, "{summary:#}");
    assert_eq!(summary["counts"]["admitted"], wanted, "{summary:#}");
    assert_eq!(summary["transfers"]["count"], transfers, "{summary:#}");
    assert_eq!(summary["transfers"]["bytes"], bytes, "{summary:#}");
}

/// One transfer.
struct Step {
    url: String,
    /// The size of the file to upload; none for a download.
    upload: Option<usize>,
}

/// Does `steps` in one control connection from `host`, and says how many bytes that were, up and down.
fn curl(host: &str, account: &str, steps: &[Step]) -> u64 {
    let dir = tempfile::tempdir().unwrap();
    let mut command = Command::new("curl");
    command.args(["--disable", "--silent", "--show-error", "--fail-early"]);
    let mut files = Vec::new();
    for (i, step) in steps.iter().enumerate() {
        let file = dir.path().join(i.to_string());
        if i > 0 {
            command.arg("--next");
        }
        command.args(["--noproxy", "*", "--max-time", "20", "--interface", host, "--user", account]);
        command.args(["--write-out", "%{num_connects}\n"]);
        if let Some(size) = step.upload {
            fs::write(&file, vec![b'x'; size]).unwrap();
            command.arg("--upload-file").arg(&file);
        } else {
            command.arg("--output").arg(&file);
        }
        command.arg(&step.url);
        files.push(file);
    }
    let output = succeeded(&mut command);
    let connects =
        String::from_utf8_lossy(&output.stdout).lines().map(|n| n.parse::<usize>().unwrap()).sum::<usize>();
    assert_eq!(
        connects,
        1 + steps.len(),
        "not one control connection, and a data connection for each transfer"
    );
    files.iter().map(|file| fs::metadata(file).unwrap().len()).sum()
}

/// Waits until the log has `count` whole lines: a server writes its line after its last reply.
fn wait_for_lines(log: &Path, count: usize) {
    let text = || fs::read_to_string(log).unwrap_or_default();
    for _ in 0..200 {
        if text().matches('\n').count() >= count {
            break;
        }
        sleep(Duration::from_millis(50));
    }
    assert_eq!(text().matches('\n').count(), count, "{}", text());
}

/// What the simulator finds out when the sessions of `log` come again.
fn simulate(profile: &str, log: &Path) -> Value {
    let dir = tempfile::tempdir().unwrap();
    fs::copy(log, dir.path().join("xferlog")).unwrap();
    let scenario = dir.path().join("replay.toml");
    fs::write(
        &scenario,
        format!(
            r#"
schema = 1
name = "replay"
duration = "10m"
seed = 1
[server]
profile = "{profile}"
[[clients]]
name = "log"
arrivals = {{ executor = "trace", xferlog = "xferlog", gap = "{}s" }}
"#,
            GAP.as_secs()
        ),
    )
    .unwrap();
    let mut ftp421 = Command::new(env!("CARGO_BIN_EXE_ftp421"));
    ftp421.arg("sim").arg(&scenario).args(["--json", "--quiet", "--out"]).arg(dir.path().join("out"));
    serde_json::from_slice(&succeeded(&mut ftp421).stdout).unwrap()
}

/// The output of a command that must succeed.
fn succeeded(command: &mut Command) -> Output {
    let output = command.output().unwrap_or_else(|e| panic!("{command:?}: {e}: run .ci/install"));
    assert!(output.status.success(), "{command:?}: {output:?}");
    output
}
