//! Running a real program, with a bound on its time.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::{project, stderr, stdout};

/// What a program came to.
#[derive(Clone, Debug)]
pub struct Ran {
    /// `None`: it did not end in time, or by a signal.
    pub code: Option<i32>,
    /// What it said, standard error behind standard output.
    pub said: String,
    pub took: Duration,
}

/// Runs a line of shell in `dir`, for so many seconds at most. `$PYTHON` has ftplib and aioftp; the user's own settings are not read.
pub fn shell(dir: &Path, seconds: u32, line: &str) -> Ran {
    let began = Instant::now();
    let output = Command::new("timeout")
        .args(["--kill-after=1", &seconds.to_string(), "sh", "-c", line])
        .current_dir(dir)
        .env("HOME", dir)
        .env("LC_ALL", "C.UTF-8")
        .env("PYTHON", project().join(".cache/venv/bin/python"))
        .env_remove("ftp_proxy")
        .stdin(Stdio::null())
        .output()
        .expect("coreutils are there");
    let code = output.status.code().filter(|code| ![124, 137].contains(code));
    Ran { code, said: stdout(&output) + &stderr(&output), took: began.elapsed() }
}

/// Puts values in the place of their names in braces.
pub fn fill(template: &str, values: &[(&str, String)]) -> String {
    values.iter().fold(template.to_owned(), |text, (name, value)| text.replace(&format!("{{{name}}}"), value))
}
