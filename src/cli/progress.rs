//! How far a study is, on standard error: a bar on a terminal, a line every few seconds elsewhere.
//!
//! It estimates from what is done and never from a plan: see [`estimate`].

#![expect(clippy::disallowed_methods, reason = "whoever waits does so by the clock on the wall")]

mod estimate;

use std::io::IsTerminal as _;
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::experiment::{Pace, Trial};
use crate::metrics::words::{count, seconds};
use crate::watch::Watch;
use estimate::{Estimate, Search, Study};

/// When something is shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
pub(super) enum When {
    /// On a terminal.
    Auto,
    /// Everywhere.
    Always,
    /// Nowhere.
    Never,
}

/// What is being done.
#[derive(Debug)]
pub(super) enum Phase {
    /// Replications.
    Simulation {
        /// Where to see how far they are.
        watch: Arc<Watch>,
        /// How the work of each is spread over its time.
        pace: Pace,
        /// How many there are to be in the end.
        replications: u32,
        /// How many of them were there before this run.
        earlier: u32,
    },
    /// A run of the search for advice.
    Advice(Trial),
}

/// How often a bar is drawn, and how often a line is written.
const BRISK: Duration = Duration::from_millis(100);
const CALM: Duration = Duration::from_secs(5);

/// The steps of a bar.
const STEPS: u64 = 1_000;

/// A thread that tells of phases until it is dropped; none if nobody wants to know.
#[derive(Debug)]
pub(super) struct Teller {
    thread: Option<(mpsc::Sender<Phase>, JoinHandle<()>)>,
}

impl Teller {
    /// Somebody who tells `when` it is wanted. That it is to be `quiet` goes over `auto`.
    pub(super) fn begin(when: When, quiet: bool) -> Self {
        let is_terminal = std::io::stderr().is_terminal();
        let is_wanted = match when {
            When::Auto => is_terminal && !quiet,
            When::Always => true,
            When::Never => false,
        };
        let thread = is_wanted.then(|| {
            let (to, phases) = mpsc::channel();
            (to, std::thread::spawn(move || follow(&phases, is_terminal)))
        });
        Self { thread }
    }

    /// Another phase begins.
    pub(super) fn tell(&self, phase: Phase) {
        if let Some((to, _)) = &self.thread {
            let _ = to.send(phase); // it listens as long as it lives
        }
    }
}

impl Drop for Teller {
    fn drop(&mut self) {
        if let Some((to, thread)) = self.thread.take() {
            drop(to);
            let _ = thread.join(); // the bar is gone before anything else is said
        }
    }
}

/// What is shown of a phase.
enum Shown {
    Simulation { watch: Arc<Watch>, pace: Pace, study: Study, replications: u32 },
    Advice { search: Search, trial: Trial },
}

fn follow(phases: &mpsc::Receiver<Phase>, is_terminal: bool) {
    let bar = if is_terminal { ProgressBar::new(STEPS) } else { ProgressBar::hidden() };
    if let Ok(style) = ProgressStyle::with_template("{spinner} {bar:30} {wide_msg}") {
        bar.set_style(style);
    }
    let wait = if is_terminal { BRISK } else { CALM };
    let began = Instant::now();
    let mut shown = None;
    let mut next = began + wait.min(Duration::from_secs(1));
    loop {
        let now = Instant::now();
        match phases.recv_timeout(next.saturating_duration_since(now)) {
            Ok(phase) => shown = Some(begun(phase, shown, began.elapsed())),
            Err(mpsc::RecvTimeoutError::Timeout) => {
                if let Some(shown) = &mut shown {
                    let (line, estimate) = line(shown, began.elapsed());
                    if is_terminal {
                        bar.set_position((estimate.share * STEPS as f64) as u64);
                        bar.set_message(line);
                    } else {
                        eprintln!("{line}");
                    }
                }
                next = Instant::now() + wait;
            }
            Err(mpsc::RecvTimeoutError::Disconnected) => break,
        }
    }
    bar.finish_and_clear();
}

/// What is shown of `phase`, if it was `before` that was shown until now.
fn begun(phase: Phase, before: Option<Shown>, elapsed: Duration) -> Shown {
    match (phase, before) {
        (Phase::Simulation { watch, pace, replications, earlier }, _) => {
            Shown::Simulation { watch, pace, study: Study::new(replications, earlier, elapsed), replications }
        }
        (Phase::Advice(trial), Some(Shown::Advice { mut search, .. })) => {
            search.next(trial);
            Shown::Advice { search, trial }
        }
        (Phase::Advice(trial), _) => Shown::Advice { search: Search::new(trial, elapsed), trial },
    }
}

/// The words for how far it is, and the number.
fn line(shown: &mut Shown, elapsed: Duration) -> (String, Estimate) {
    match shown {
        Shown::Simulation { watch, pace, study, replications } => {
            let estimate = study.update(elapsed, &watch.progress(), pace);
            let stopping = if watch.is_stopped() { ", stopping" } else { "" };
            let of = match replications {
                1 => String::new(),
                all => format!(" ({} of {} replications)", count(study.ended()), count(u64::from(*all))),
            };
            let left = estimate.left.map_or_else(|| "too early to say how long".to_owned(), about);
            (format!("simulating: {} %{of}{stopping}, {left}", percent(estimate.share)), estimate)
        }
        Shown::Advice { search, trial } => {
            let estimate = search.estimate(elapsed);
            let left = estimate.left.map_or_else(String::new, |left| format!(", {} at most", about(left)));
            let (number, more) = (trial.number, trial.most_left);
            (format!("searching for advice: run {number}, at most {more} to follow{left}"), estimate)
        }
    }
}

/// A whole number of percent, rounded down: 100 only when all is done.
fn percent(share: f64) -> u64 {
    (share * 100.0) as u64
}

/// The words for a time that is left.
fn about(left: Duration) -> String {
    match left.as_secs_f64().ceil() {
        s if s < 120.0 => format!("{} left", seconds(s)),
        s if s < 7_200.0 => format!("{} min left", (s / 60.0).round()),
        s => format!("{:.1} h left", s / 3_600.0),
    }
}
