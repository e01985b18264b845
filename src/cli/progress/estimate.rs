//! How far it is, and how long it will take: from what is done, and how fast it was done of late.
//!
//! It reads no clock and shows nothing.

use std::collections::VecDeque;
use std::time::Duration;

use crate::experiment::{Pace, Trial};
use crate::time::Instant;
use crate::watch::Progress;

/// How far it is.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Estimate {
    /// The share of the phase that is done, from 0 to 1. It never goes back.
    pub share: f64,
    /// The time until the phase ends, if enough is done to say. It does go back if what is left turns out to be slower.
    pub left: Option<Duration>,
}

/// Before so much of the time, and so much of the work, is done nobody can tell anything.
const EARLY: Duration = Duration::from_millis(500);
const LITTLE: f64 = 0.002;

/// The most samples that are remembered.
const SAMPLES: usize = 256;

/// Where it was at one time.
#[derive(Clone, Copy, Debug)]
struct Sample {
    at: Duration,
    /// Replications done by this run, with the parts of those under way.
    done: f64,
    /// Seconds that lanes have run for, together.
    lanes_s: f64,
    /// How many ran just then.
    lanes: usize,
}

/// Replications that run beside each other.
///
/// The unit of work is a replication: all of them are equal before they are run. How much of one is done is told by its [`Pace`]. What
/// is left is laid out over the threads as it will be: each of those under way on its own, the others wherever one becomes free. That
/// is not the mean: of three replications on two threads two thirds are done when half of the time is.
#[derive(Debug)]
pub(super) struct Study {
    all: u64,
    earlier: u64,
    ended: u64,
    shown: f64,
    lanes: usize,
    samples: VecDeque<Sample>,
}

impl Study {
    /// A study that is to have so many replications, of which some were there `earlier`, at `now`.
    pub(super) fn new(replications: u32, earlier: u32, now: Duration) -> Self {
        let begin = Sample { at: now, done: 0.0, lanes_s: 0.0, lanes: 0 };
        let (all, earlier) = (u64::from(replications), u64::from(earlier));
        Self { all, earlier, ended: earlier, shown: 0.0, lanes: 1, samples: VecDeque::from([begin]) }
    }

    /// Replications that have ended.
    pub(super) fn ended(&self) -> u64 {
        self.ended
    }

    /// What is known at `now`, with the replications as far as `progress` says.
    pub(super) fn update(&mut self, now: Duration, progress: &Progress, pace: &Pace) -> Estimate {
        let parts: Vec<f64> =
            progress.under_way_ns.iter().map(|ns| pace.share(Instant::from_nanos(*ns))).collect();
        self.ended = (self.earlier + progress.ended).min(self.all);
        self.lanes = self.lanes.max(parts.len());
        self.note(now, progress.ended as f64 + parts.iter().sum::<f64>(), parts.len());
        let share = (self.ended as f64 + parts.iter().sum::<f64>()) / self.all.max(1) as f64;
        self.shown = self.shown.max(share.min(1.0));
        let begun = self.ended + parts.len() as u64;
        let waiting = self.all.saturating_sub(begun);
        let span = makespan(parts.iter().map(|part| 1.0 - part).collect(), waiting, self.lanes);
        let is_early = self.samples.front().is_none_or(|first| now.saturating_sub(first.at) < EARLY);
        let left =
            self.speed().filter(|_| !is_early).map(|speed| Duration::from_secs_f64((span / speed).min(1e9)));
        Estimate { share: self.shown, left }
    }

    fn note(&mut self, at: Duration, done: f64, lanes: usize) {
        let last = self.samples.back().copied().unwrap_or(Sample { at, done, lanes_s: 0.0, lanes });
        let ran = if last.lanes > 0 { last.lanes } else { lanes.max(1) };
        let lanes_s = last.lanes_s + at.saturating_sub(last.at).as_secs_f64() * ran as f64;
        self.samples.push_back(Sample { at, done: done.max(last.done), lanes_s, lanes });
        if self.samples.len() > SAMPLES {
            // Every other one, but the first and the last.
            let last = self.samples.len() - 1;
            let mut place = 0..;
            self.samples.retain(|_| place.next().is_none_or(|i| i % 2 == 0 || i == last));
        }
    }

    /// Replications for each second of a lane, over the latter half of the time; nothing if too little was done to tell.
    fn speed(&self) -> Option<f64> {
        let (first, last) = (self.samples.front()?, self.samples.back()?);
        if last.done - first.done < LITTLE {
            return None;
        }
        let half = first.at + last.at.saturating_sub(first.at) / 2;
        let since = self.samples.iter().rev().find(|sample| sample.at <= half).unwrap_or(first);
        let recent = (last.done - since.done) / (last.lanes_s - since.lanes_s);
        let whole = (last.done - first.done) / (last.lanes_s - first.lanes_s);
        [recent, whole].into_iter().find(|speed| speed.is_finite() && *speed > 0.0)
    }
}

/// How long `lanes` threads take for the rest of what is under way and for `waiting` more, each of length 1, if the next is always
/// begun on the thread that is free first.
fn makespan(mut under_way: Vec<f64>, waiting: u64, lanes: usize) -> f64 {
    under_way.resize(under_way.len().max(lanes), 0.0);
    let lanes = under_way.len() as u64;
    let rounds = waiting / lanes; // whole rounds keep the order in which threads become free
    for _ in 0..waiting % lanes {
        if let Some(first) = under_way.iter_mut().min_by(|a, b| a.total_cmp(b)) {
            *first += 1.0;
        }
    }
    rounds as f64 + under_way.into_iter().fold(0.0, f64::max)
}

/// A search of which nobody knows how many runs it takes, but how many at most.
#[derive(Debug)]
pub(super) struct Search {
    began: Duration,
    trial: Trial,
    shown: f64,
}

impl Search {
    /// A search whose first run begins at `now`.
    pub(super) fn new(trial: Trial, now: Duration) -> Self {
        Self { began: now, trial, shown: 0.0 }
    }

    /// The next run begins.
    pub(super) fn next(&mut self, trial: Trial) {
        self.trial = trial;
    }

    /// What is known at `now`: the mean of the runs that have ended, for each that may follow.
    pub(super) fn estimate(&mut self, now: Duration) -> Estimate {
        let ended = self.trial.number.saturating_sub(1);
        let open = self.trial.most_left + 1;
        let share = f64::from(ended) / f64::from(ended + open);
        self.shown = self.shown.max(share);
        let spent = now.saturating_sub(self.began);
        let left = (ended > 0).then(|| spent / ended * open);
        Estimate { share: self.shown, left }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secs(s: f64) -> Duration {
        Duration::from_secs_f64(s)
    }

    fn even() -> Pace {
        let text = "schema = 1\nname = \"even\"\nduration = \"1000s\"\n[server]\nmax_clients = 5\n\
                    [[clients]]\nname = \"a\"\narrivals = { executor = \"poisson\", rate = \"1/s\" }\n";
        let scenario = crate::scenario::Scenario::read("even", text, &mut |_| Err(String::new())).unwrap();
        Pace::of(&scenario)
    }

    fn at(ended: u64, seconds: &[u64]) -> Progress {
        let under_way_ns = seconds.iter().map(|s| s * 1_000_000_000).collect();
        Progress { ended, under_way_ns }
    }

    #[test]
    fn what_is_left_is_laid_out_over_the_threads() {
        assert!(
            (makespan(vec![0.5, 0.5], 1, 2) - 1.5).abs() < 1e-9,
            "the third waits for half of one, and then runs alone"
        );
        assert!((makespan(vec![0.5, 0.2], 0, 2) - 0.5).abs() < 1e-9);
        assert!((makespan(vec![0.5, 0.2], 98, 2) - 49.5).abs() < 1e-9);
        assert!((makespan(vec![0.3], 0, 2) - 0.3).abs() < 1e-9);
    }

    /// Three replications of ten seconds on two threads take twenty.
    #[test]
    fn an_odd_replication_runs_alone_and_is_waited_for() {
        let (mut study, pace) = (Study::new(3, 0, secs(0.0)), even());
        let mut told = Vec::new();
        for tenth in 1..20_u64 {
            let s = tenth as f64;
            let progress =
                if tenth < 10 { at(0, &[tenth * 100, tenth * 100]) } else { at(2, &[(tenth - 10) * 100]) };
            let estimate = study.update(secs(s), &progress, &pace);
            told.push(estimate.left.map(|left| (left.as_secs_f64(), 20.0 - s)));
        }
        for (told, truth) in told.into_iter().flatten() {
            assert!((told - truth).abs() < 0.6, "{told} s, and it was {truth}");
        }
    }

    #[test]
    fn what_was_there_before_says_nothing_of_the_speed() {
        let (mut study, pace) = (Study::new(100, 90, secs(0.0)), even());
        study.update(secs(1.0), &at(0, &[500, 500]), &pace);
        let estimate = study.update(secs(2.0), &at(2, &[0, 0]), &pace);
        let left = study.update(secs(4.0), &at(4, &[0, 0]), &pace).left.unwrap().as_secs_f64();
        assert!(estimate.share > 0.91);
        assert!((left - 6.0).abs() < 0.6, "six more, two in two seconds each: {left}");
    }

    #[test]
    fn the_share_never_goes_back_and_a_slower_machine_is_told() {
        let (mut study, pace) = (Study::new(1, 0, secs(0.0)), even());
        let (mut share, mut left) = (0.0, Vec::new());
        for (s, at_s) in [(1.0, 100), (2.0, 200), (3.0, 300), (4.0, 300), (5.0, 300), (6.0, 320)] {
            let estimate = study.update(secs(s), &at(0, &[at_s]), &pace);
            assert!(estimate.share >= share);
            share = estimate.share;
            left.push(estimate.left);
        }
        assert!(left.last() > left.get(2), "{left:?}");
    }

    #[test]
    fn a_search_tells_what_it_takes_at_most() {
        let mut search = Search::new(Trial { number: 1, most_left: 9 }, secs(10.0));
        assert_eq!(search.estimate(secs(11.0)).left, None);
        search.next(Trial { number: 3, most_left: 4 });
        let estimate = search.estimate(secs(12.0));
        assert_eq!(estimate.left, Some(secs(5.0)));
        assert!((estimate.share - 2.0 / 7.0).abs() < 1e-9);
    }
}
