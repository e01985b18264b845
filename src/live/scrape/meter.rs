//! Counts what is observed, for whoever looks at it meanwhile.
//!
//! It remembers no time and no order: an observation costs a few additions to numbers that another thread may read at any moment.
//! Those are then not all of the same moment; each by itself is right.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};

use crate::live::load::Heard;
use crate::metrics::Ended;
use crate::observe::{Cause, Class, Latency, Observation, Phase, Refusal, SessionEnd};
use crate::time::Duration;

/// The reply codes that refusals and failed transfers are told by; any other is `other`, so that nobody's server can make the page
/// grow. 0: there was no reply.
pub(super) const CODES: [u16; 16] =
    [0, 120, 221, 421, 425, 426, 430, 450, 451, 452, 500, 503, 530, 534, 550, 552];
/// Those and `other`.
const SPELT: usize = CODES.len() + 1;

/// Where the buckets of a length of time end, ns. The last of all has no end.
pub(super) const BOUNDS: [u64; 15] = [
    100_000,
    500_000,
    1_000_000,
    5_000_000,
    10_000_000,
    50_000_000,
    100_000_000,
    250_000_000,
    500_000_000,
    1_000_000_000,
    2_500_000_000,
    5_000_000_000,
    10_000_000_000,
    60_000_000_000,
    300_000_000_000,
];

/// Who observes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Side {
    /// A server: bans are its own, and it does not see how long a connect took.
    Server,
    /// Its clients, and how late they were by their generator's own fault.
    Clients,
}

/// The numbers.
#[derive(Debug)]
pub struct Meter {
    pub(super) side: Side,
    pub(super) profile: String,
    pub(super) connections: AtomicI64,
    pub(super) sessions: AtomicI64,
    pub(super) accepted: AtomicU64,
    pub(super) logged_in: AtomicU64,
    attempts: [AtomicU64; Class::COUNT],
    /// By cause, then phase, then code.
    refusals: Box<[AtomicU64]>,
    cut: [AtomicU64; Cause::COUNT],
    pub(super) bans: AtomicU64,
    pub(super) bytes: AtomicU64,
    pub(super) transfers: AtomicU64,
    failed: [AtomicU64; SPELT],
    timings: [Histogram; Latency::COUNT],
    pub(super) late: Histogram,
    /// A run has ended: who goes now is not part of it.
    over: AtomicBool,
}

/// Lengths of time by [`BOUNDS`].
#[derive(Debug, Default)]
pub(super) struct Histogram {
    buckets: [AtomicU64; BOUNDS.len() + 1],
    sum_ns: AtomicU64,
}

impl Meter {
    /// One that has seen nothing, of a server with this profile or of its clients; of a server of which nothing is known the profile
    /// is empty.
    pub fn new(side: Side, profile: String) -> Self {
        let refusals = (0..Cause::COUNT * Phase::COUNT * SPELT).map(|_| AtomicU64::default());
        Self {
            side,
            profile,
            connections: AtomicI64::default(),
            sessions: AtomicI64::default(),
            accepted: AtomicU64::default(),
            logged_in: AtomicU64::default(),
            attempts: Default::default(),
            refusals: refusals.collect(),
            cut: Default::default(),
            bans: AtomicU64::default(),
            bytes: AtomicU64::default(),
            transfers: AtomicU64::default(),
            failed: Default::default(),
            timings: Default::default(),
            late: Histogram::default(),
            over: AtomicBool::default(),
        }
    }

    /// A run begins: nobody is there yet. What earlier ones counted stays.
    pub fn begin(&self) {
        self.connections.store(0, Ordering::Relaxed);
        self.sessions.store(0, Ordering::Relaxed);
        self.over.store(false, Ordering::Relaxed);
    }

    /// Takes in what a run under load tells.
    pub fn hear(&self, heard: &Heard) {
        match heard {
            Heard::Mark { observation, late, .. } if !self.over.load(Ordering::Relaxed) => {
                if matches!(observation, Observation::Took(..)) {
                    self.late.add(*late);
                }
                self.observe(observation);
            }
            Heard::End { .. } => {
                self.begin();
                self.over.store(true, Ordering::Relaxed);
            }
            _ => {}
        }
    }

    /// Takes in what happened.
    pub fn observe(&self, observation: &Observation) {
        match *observation {
            Observation::AttemptEnded { class, refusal, .. } => {
                one_more(&self.attempts[class.index()]);
                self.refused(Ended::attempt(class), refusal);
            }
            Observation::SessionEnded { end, refusal, .. } => {
                self.refused(Ended::session(end), refusal);
                if let (SessionEnd::Cut, Some(refusal)) = (end, refusal) {
                    one_more(&self.cut[refusal.cause.index()]);
                }
            }
            Observation::Took(what, length) => {
                self.timings[what.index()].add(length);
                if what == Latency::Transfer {
                    one_more(&self.transfers);
                }
            }
            Observation::Moved { bytes } => {
                self.bytes.fetch_add(bytes, Ordering::Relaxed);
            }
            Observation::ConnectionOpened => {
                one_more(&self.accepted);
                self.connections.fetch_add(1, Ordering::Relaxed);
            }
            Observation::ConnectionClosed { .. } => {
                self.connections.fetch_sub(1, Ordering::Relaxed);
            }
            Observation::SessionOpened => {
                one_more(&self.logged_in);
                self.sessions.fetch_add(1, Ordering::Relaxed);
            }
            Observation::SessionClosed { .. } => {
                self.sessions.fetch_sub(1, Ordering::Relaxed);
            }
            Observation::TransferFailed { cause, code } => {
                one_more(&self.failed[place(code)]);
                let refusal = cause.map(|cause| Refusal { cause, phase: Phase::Transfer, code });
                self.refused(Some(Ended::Transfer), refusal);
            }
            Observation::BanBegan { .. } => one_more(&self.bans),
            Observation::Wanted(_)
            | Observation::AttemptStarted { .. }
            | Observation::Served { .. }
            | Observation::Unserved { .. }
            | Observation::Refused { .. } // it is told again by what it ends
            | Observation::SlotFreed { .. }
            | Observation::GhostBegan
            | Observation::GhostEnded { .. } => {}
        }
    }

    fn refused(&self, ended: Option<Ended>, refusal: Option<Refusal>) {
        if let (Some(_), Some(Refusal { cause, phase, code })) = (ended, refusal) {
            let place = (cause.index() * Phase::COUNT + phase.index()) * SPELT + place(code);
            one_more(&self.refusals[place]);
        }
    }

    /// How many attempts came to each class.
    pub(super) fn attempts(&self) -> impl Iterator<Item = (Class, u64)> {
        Class::ALL.iter().copied().zip(self.attempts.iter().map(read))
    }

    /// The refusals that there were.
    pub(super) fn refusals(&self) -> impl Iterator<Item = (Cause, Phase, &'static str, u64)> {
        let counts = self.refusals.iter().map(read).enumerate().filter(|(_, count)| *count > 0);
        counts.map(|(place, count)| {
            let (kind, code) = (place / SPELT, place % SPELT);
            (Cause::ALL[kind / Phase::COUNT], Phase::ALL[kind % Phase::COUNT], spelt(code), count)
        })
    }

    /// The sessions that were cut, by cause.
    pub(super) fn cut(&self) -> impl Iterator<Item = (Cause, u64)> {
        Cause::ALL.iter().copied().zip(self.cut.iter().map(read)).filter(|(_, count)| *count > 0)
    }

    /// The transfers that failed, by code.
    pub(super) fn failed(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let counts = self.failed.iter().map(read).enumerate().filter(|(_, count)| *count > 0);
        counts.map(|(place, count)| (spelt(place), count))
    }

    pub(super) fn timing(&self, of: Latency) -> &Histogram {
        &self.timings[of.index()]
    }
}

impl Histogram {
    fn add(&self, length: Duration) {
        let ns = length.as_nanos();
        one_more(&self.buckets[BOUNDS.partition_point(|bound| *bound < ns)]);
        self.sum_ns.fetch_add(ns, Ordering::Relaxed);
    }

    /// How many are in each bucket, the sum in seconds.
    pub(super) fn read(&self) -> (Vec<u64>, f64) {
        (self.buckets.iter().map(read).collect(), read(&self.sum_ns) as f64 / 1e9)
    }
}

pub(super) fn read(number: &AtomicU64) -> u64 {
    number.load(Ordering::Relaxed)
}

fn one_more(number: &AtomicU64) {
    number.fetch_add(1, Ordering::Relaxed);
}

fn place(code: u16) -> usize {
    CODES.iter().position(|known| *known == code).unwrap_or(CODES.len())
}

/// The code in this place, as a label.
fn spelt(place: usize) -> &'static str {
    const WORDS: [&str; SPELT] = [
        "0", "120", "221", "421", "425", "426", "430", "450", "451", "452", "500", "503", "530", "534",
        "550", "552", "other",
    ];
    WORDS[place]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_code_has_its_word_and_an_unknown_one_is_other() {
        for (at, code) in CODES.iter().enumerate() {
            assert_eq!((place(*code), spelt(at)), (at, code.to_string().as_str()));
        }
        assert_eq!(spelt(place(999)), "other");
    }

    #[test]
    fn a_bucket_holds_its_upper_end() {
        let histogram = Histogram::default();
        for ns in [0, 100_000, 100_001, u64::from(u32::MAX) * 1_000] {
            histogram.add(Duration::from_nanos(ns));
        }
        let (buckets, _) = histogram.read();
        assert_eq!((buckets[0], buckets[1], buckets.last()), (2, 1, Some(&1)));
    }
}
