//! A progress bar on a terminal, and nothing elsewhere.

use std::io::IsTerminal as _;
use std::sync::atomic::Ordering;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::watch::Watch;

/// Runs `work` while a bar on standard error shows how much of `total_ns` the watch has seen go by.
pub(super) fn shown<R>(watch: &Arc<Watch>, total_ns: u64, quiet: bool, work: impl FnOnce() -> R) -> R {
    if quiet || !std::io::stderr().is_terminal() {
        return work();
    }
    let style = ProgressStyle::with_template("{spinner} simulating {wide_bar} {percent:>3} %  {eta} left");
    let bar = ProgressBar::new(total_ns);
    if let Ok(style) = style {
        bar.set_style(style);
    }
    let (done, ended) = mpsc::channel::<()>();
    let result = std::thread::scope(|scope| {
        let bar = &bar;
        scope.spawn(move || {
            while ended.recv_timeout(Duration::from_millis(100)) == Err(mpsc::RecvTimeoutError::Timeout) {
                bar.set_position(watch.done_ns.load(Ordering::Relaxed));
            }
        });
        let result = work();
        drop(done);
        result
    });
    bar.finish_and_clear();
    result
}
