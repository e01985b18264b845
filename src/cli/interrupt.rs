//! Ctrl-C: the first one ends the run and keeps what was measured, the second one ends the program.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use anyhow::Context as _;

use super::exit::INTERRUPTED;
use crate::watch::Watch;

/// Lets Ctrl-C (and SIGTERM) stop the run that looks at `watch`.
pub(super) fn stops(watch: &Arc<Watch>) -> anyhow::Result<()> {
    let watch = Arc::clone(watch);
    ctrlc::set_handler(move || {
        if watch.stop.swap(true, Ordering::Relaxed) {
            std::process::exit(i32::from(INTERRUPTED));
        }
    })
    .context("cannot watch for Ctrl-C")
}
