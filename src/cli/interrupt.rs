//! Ctrl-C: the first one ends the run and keeps what was measured, further ones hurry it, and in the end end the program.
//!
//! It stops nothing itself: who runs looks at the watch, and who writes a result looks here. What `serve` does with its signals stands
//! there.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context as _;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use super::exit::INTERRUPTED;
use crate::watch::Watch;

/// The signals that ask a program to end.
const ENDS: [i32; 3] = [SIGINT, SIGTERM, SIGHUP];

/// Hands each of `signals` to `hear` as it comes, in a thread of its own.
pub(super) fn heard(signals: &[i32], mut hear: impl FnMut(i32) + Send + 'static) -> anyhow::Result<()> {
    let mut signals = Signals::new(signals).context("cannot watch for signals")?;
    let listen = move || signals.forever().for_each(&mut hear);
    std::thread::Builder::new()
        .name("signals".to_owned())
        .spawn(listen)
        .context("cannot watch for signals")?;
    Ok(())
}

/// Lets Ctrl-C (and SIGTERM) stop the run that looks at `watch`. A second one ends the program.
pub(super) fn stops(watch: &Arc<Watch>) -> anyhow::Result<()> {
    let watch = Arc::clone(watch);
    heard(&ENDS, move |_| {
        if watch.stop.swap(true, Ordering::Relaxed) {
            std::process::exit(i32::from(INTERRUPTED));
        }
    })
}

/// What a run that ends in a result must know of its interrupts.
#[derive(Debug, Default)]
pub(super) struct Keeping {
    /// A second Ctrl-C came: the numbers are written, and nothing else is done any more.
    hurry: AtomicBool,
    /// The numbers are written: nothing is lost any more.
    kept: AtomicBool,
}

impl Keeping {
    /// Lets Ctrl-C (and SIGTERM) stop the run that looks at `watch`, and says so with `words`. A second one loses no number:
    /// only the charts are left out. A third one ends the program, whatever it does.
    pub(super) fn stops(
        watch: &Arc<Watch>,
        words: impl Fn() -> String + Send + 'static,
    ) -> anyhow::Result<Arc<Self>> {
        let keeping = Arc::new(Self::default());
        let (watch, ours) = (Arc::clone(watch), Arc::clone(&keeping));
        heard(&ENDS, move |_| {
            let first = !watch.stop.swap(true, Ordering::Relaxed);
            match (ours.kept.load(Ordering::Relaxed), first) {
                (false, true) => eprintln!("\n{}; Ctrl-C again to end at once", words()),
                _ if ours.hurry.swap(true, Ordering::Relaxed) => std::process::exit(i32::from(INTERRUPTED)),
                (false, false) => eprintln!("\nonly the numbers are still written"),
                (true, _) => eprintln!("\nthe charts are left out"),
            }
        })?;
        Ok(keeping)
    }

    /// Is nothing to be done any more that takes time?
    pub(super) fn hurries(&self) -> bool {
        self.hurry.load(Ordering::Relaxed)
    }

    /// The numbers are written.
    pub(super) fn keep(&self) {
        self.kept.store(true, Ordering::Relaxed);
    }
}
