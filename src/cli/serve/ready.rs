//! How others learn that a served model is ready: a line on standard output, and a file that is there as long as it listens.
//!
//! It does not open the door.

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;

use anyhow::Context as _;

use crate::cli::output::write_whole;

/// The ready line, and the file that says the same.
#[derive(Debug)]
pub(super) struct Ready {
    file: Option<PathBuf>,
}

impl Ready {
    /// One that is told in `file`, too. What an earlier server has left there is taken away: it is not ready any more.
    pub(super) fn new(file: Option<PathBuf>) -> anyhow::Result<Self> {
        if let Some(file) = &file {
            match fs::remove_file(file) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(error)
                        .with_context(|| format!("--ready-file: cannot write {}", file.display()));
                }
                _ => {}
            }
        }
        Ok(Self { file })
    }

    /// It is ready at `url`.
    pub(super) fn tell(&self, url: &str) -> anyhow::Result<()> {
        if let Some(file) = &self.file {
            write_whole(file, format!("{url}\n").as_bytes()).context("--ready-file")?;
        }
        // Whoever started it may not care to read this.
        let mut out = std::io::stdout().lock();
        let _ = writeln!(out, "ready {url}").and_then(|()| out.flush());
        Ok(())
    }
}

impl Drop for Ready {
    fn drop(&mut self) {
        if let Some(file) = &self.file {
            let _ = fs::remove_file(file); // somebody else may have done so
        }
    }
}
