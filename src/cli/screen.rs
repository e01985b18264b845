//! What is seen of a load while it goes on: one line on a terminal, a line every few seconds elsewhere, or nothing.
//!
//! It counts for the eye only; the numbers of a result are the recorder's.

use std::io::IsTerminal as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError, mpsc};
use std::time::Duration as StdDuration;

use hdrhistogram::Histogram;
use indicatif::{ProgressBar, ProgressStyle};

use crate::live::Clock;
use crate::live::load::{Gauges, Heard};
use crate::metrics::words::{count, counted, seconds};
use crate::observe::{Cause, Class, Latency, Observation, SessionEnd};
use crate::time::{Duration, Instant};
use crate::watch::Watch;

/// So often a terminal's line is new.
const BRISK: StdDuration = StdDuration::from_millis(200);
/// So often a line is printed elsewhere.
const CALM: StdDuration = StdDuration::from_secs(5);
/// Rates and latencies are those of the last stretch of this length.
const STRETCH: Duration = Duration::from_secs(2);

/// What the screen knows of a run.
#[derive(Debug)]
pub(super) struct Screen {
    seen: Mutex<Seen>,
    length: Duration,
}

#[derive(Debug)]
struct Seen {
    refused: [u64; Cause::COUNT],
    login: Histogram<u64>,
}

/// The stretch of time that a line tells of.
struct Stretch {
    began: Instant,
    attempts: u64,
    rate: f64,
    login_p95: Option<u64>,
}

impl Screen {
    /// A screen for a run of this length.
    pub(super) fn new(length: Duration) -> Self {
        let login = Histogram::new_with_max(3_600_000_000_000, 2).expect("these bounds are valid");
        Self { seen: Mutex::new(Seen { refused: [0; Cause::COUNT], login }), length }
    }

    /// Takes in what the run tells.
    pub(super) fn hear(&self, heard: &Heard) {
        let Heard::Mark { observation, .. } = heard else { return };
        let refusal = match *observation {
            Observation::AttemptEnded { class, refusal, .. } if class != Class::Admitted => refusal,
            Observation::SessionEnded { end: SessionEnd::Cut | SessionEnd::Lost, refusal, .. } => refusal,
            Observation::Took(Latency::Login, length) => {
                self.lock().login.saturating_record(length.as_nanos());
                None
            }
            _ => None,
        };
        if let Some(refusal) = refusal {
            self.lock().refused[refusal.cause.index()] += 1;
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does `work` while `gauges` and what was heard are shown.
    pub(super) fn shown<R>(
        &self,
        gauges: &Gauges,
        clock: Clock,
        watch: &Watch,
        quiet: bool,
        work: impl FnOnce() -> R,
    ) -> R {
        if quiet {
            return work();
        }
        let terminal = std::io::stderr().is_terminal();
        let (done, ended) = mpsc::channel::<()>();
        std::thread::scope(|scope| {
            scope.spawn(move || self.show(gauges, clock, watch, terminal, &ended));
            let result = work();
            drop(done);
            result
        })
    }

    fn show(&self, gauges: &Gauges, clock: Clock, watch: &Watch, terminal: bool, ended: &mpsc::Receiver<()>) {
        let bar = if terminal { ProgressBar::new(self.length.as_nanos()) } else { ProgressBar::hidden() };
        if let Ok(style) = ProgressStyle::with_template("{spinner} {bar:16} {prefix}\n  {wide_msg}") {
            bar.set_style(style);
        }
        let mut stretch = Stretch { began: Instant::ZERO, attempts: 0, rate: 0.0, login_p95: None };
        let wait = if terminal { BRISK } else { CALM };
        while ended.recv_timeout(wait) == Err(mpsc::RecvTimeoutError::Timeout) {
            let now = clock.now();
            self.stretch(gauges, now, &mut stretch);
            let [load, outcome] = self.lines(gauges, now, &stretch, watch.is_stopped());
            if terminal {
                bar.set_position(now.as_nanos());
                bar.set_prefix(load);
                bar.set_message(outcome);
            } else {
                eprintln!("{load} · {outcome}");
            }
        }
        bar.finish_and_clear();
    }

    /// Begins a new stretch if the old one is long enough.
    fn stretch(&self, gauges: &Gauges, now: Instant, stretch: &mut Stretch) {
        let length = now.since(stretch.began);
        if length < STRETCH {
            return;
        }
        let attempts = of(&gauges.attempts);
        stretch.rate = attempts.saturating_sub(stretch.attempts) as f64 / length.as_secs_f64();
        let mut seen = self.lock();
        stretch.login_p95 = (!seen.login.is_empty()).then(|| seen.login.value_at_quantile(0.95));
        seen.login.reset();
        (stretch.began, stretch.attempts) = (now, attempts);
    }

    /// What is being done, and what comes of it.
    fn lines(&self, gauges: &Gauges, now: Instant, stretch: &Stretch, stopped: bool) -> [String; 2] {
        let left = self.length - now.since(Instant::ZERO);
        let time = match (stopped, left.is_zero()) {
            (true, _) => "stopping, sessions say QUIT".to_owned(),
            (false, true) => "sessions say QUIT".to_owned(),
            (false, false) => format!("{} left", seconds(left.as_secs_f64().ceil())),
        };
        let load = [
            time,
            format!("{} open", count(of(&gauges.connections))),
            counted(of(&gauges.sessions), "session"),
            format!("{:.1} attempts/s", stretch.rate),
        ];
        let mut outcome = vec![format!("{} admitted", count(of(&gauges.admitted)))];
        let refused = self.refused();
        if !refused.is_empty() {
            outcome.push(format!("refused: {refused}"));
        }
        if let Some(p95) = stretch.login_p95 {
            outcome.push(format!("login p95 {}", seconds(p95 as f64 / 1e9)));
        }
        [load.join(" · "), outcome.join(" · ")]
    }

    /// The two most frequent causes, and how many others there were.
    fn refused(&self) -> String {
        let refused = self.lock().refused;
        let mut causes: Vec<(u64, &Cause)> =
            refused.iter().copied().zip(Cause::ALL).filter(|(n, _)| *n > 0).collect();
        causes.sort_by_key(|(n, _)| std::cmp::Reverse(*n));
        let others: u64 = causes.iter().skip(2).map(|(n, _)| n).sum();
        let named = causes.iter().take(2).map(|(n, cause)| format!("{cause} {}", count(*n)));
        let others = (others > 0).then(|| format!("others {}", count(others)));
        named.chain(others).collect::<Vec<_>>().join(", ")
    }
}

fn of(gauge: &AtomicU64) -> u64 {
    gauge.load(Ordering::Relaxed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::PopulationId;
    use crate::live::Epoch;
    use crate::observe::{Phase, Refusal};

    #[test]
    fn a_line_says_what_goes_on() {
        let screen = Screen::new(Duration::from_secs(30));
        let mark = |observation| Heard::Mark { at: Instant::ZERO, observation, late: Duration::ZERO };
        let ended = |cause| Observation::AttemptEnded {
            population: PopulationId(0),
            first: true,
            reconnect: false,
            started: Instant::ZERO,
            class: Class::TurnedAway,
            refusal: Some(Refusal { cause, phase: Phase::Greeting, code: 421 }),
        };
        for cause in [Cause::MaxClients, Cause::MaxPerIp, Cause::MaxClients, Cause::Banned, Cause::MaxPerIp] {
            screen.hear(&mark(ended(cause)));
        }
        screen.hear(&mark(Observation::Took(Latency::Login, Duration::from_millis(3))));
        let gauges = Gauges::default();
        gauges.connections.store(20, Ordering::Relaxed);
        gauges.attempts.store(40, Ordering::Relaxed);
        let now = Instant::ZERO + Duration::from_secs(4);
        let mut stretch = Stretch { began: Instant::ZERO, attempts: 0, rate: 0.0, login_p95: None };
        screen.stretch(&gauges, now, &mut stretch);
        assert_eq!(
            screen.lines(&gauges, now, &stretch, false).join(" · "),
            "26 s left · 20 open · 0 sessions · 10.0 attempts/s · 0 admitted · refused: max_clients 2, max_per_ip 2, others 1 · \
             login p95 3.01 ms"
        );
        assert!(screen.lines(&gauges, now, &stretch, true)[0].starts_with("stopping"));
        let quiet =
            screen.shown(&gauges, Clock::of(Epoch::after(Duration::ZERO)), &Watch::default(), true, || 7);
        assert_eq!(quiet, 7);
    }
}
