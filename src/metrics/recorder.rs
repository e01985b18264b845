//! The recorder of a run: it adds up what the machines observe.
//!
//! It decides nothing and divides nothing. Each run has one of its own; replications are merged afterwards.

mod estimators;
mod read;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;

use super::bucket::Followed;
use super::episodes::Episodes;
use super::level::Level;
use super::onset::OnsetWatch;
use super::refusals::{Ended, Kind, RefusalTable};
use super::series::Series;
use super::summary::Transfers;
use super::tally::Tally;
use super::timing::Timing;
use crate::id::PopulationId;
use crate::observe::{Cause, Class, Latency, Observation, Phase, Refusal, SessionEnd};
use crate::time::{Duration, Instant};

/// What a recorder must know of a run before it begins.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub struct Shape {
    /// How many populations there are.
    pub populations: usize,
    /// When the run is meant to end; [`Instant::NEVER`] if nobody knows.
    pub horizon: Instant,
    /// What begins earlier enters no estimate; counts it enters.
    pub warmup: Duration,
}

/// How long slots were taken by connections that met no refusal, after the warm-up.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, serde::Serialize, serde::Deserialize)]
struct Holds {
    count: u64,
    sum_ns: u128,
}

/// Adds up a run. How long the run is, how many clients it has and how often anything happens does not make it grow: there are 240
/// time buckets, 64 episodes, a window of 50 attempts, a histogram of at most 232 KiB for each of [`Latency::ALL`] (twice under
/// load), a few counters for each population, check, kind of refusal and reply code, and 8 bytes for each ban that is in force.
///
/// Observations come in order of time; one that comes late is taken for simultaneous with the one before.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct Recorder {
    shape: Shape,
    end: Instant,
    replications: u32,
    /// By [`Followed`].
    levels: [Level; 2],
    holds: Holds,
    now: Instant,
    populations: Vec<Tally>,
    refusals: RefusalTable,
    by_check: Vec<u64>,
    bans: Level,
    /// When the bans in force run out, in order.
    #[serde(skip)]
    bans_until: VecDeque<Instant>,
    series: Series,
    timings: [Timing; Latency::COUNT],
    /// The same without the time for which a load generator was late; only there if there is one.
    from_sent: Option<Box<[Timing; Latency::COUNT]>>,
    transfers: Transfers,
    /// Transfers that failed while their session went on, by code, sorted.
    failed_transfers: Vec<(u16, u64)>,
    /// Connections whose client has vanished.
    ghosts: Level,
    /// How ghosts ended, by [`Cause`]; the last for none that the server named.
    ghosts_ended: [u64; Cause::COUNT + 1],
    #[serde(skip)]
    onset: OnsetWatch,
    #[serde(skip)]
    episodes: Episodes,
}

impl Recorder {
    /// A recorder that has seen nothing.
    pub fn new(shape: Shape) -> Self {
        let level = Level::new(Instant::ZERO + shape.warmup);
        Self {
            shape,
            end: Instant::ZERO,
            replications: 0,
            levels: [level.clone(), level.clone()],
            holds: Holds::default(),
            now: Instant::ZERO,
            populations: vec![Tally::default(); shape.populations],
            refusals: RefusalTable::default(),
            by_check: Vec::new(),
            bans: level.clone(),
            bans_until: VecDeque::new(),
            series: Series::new(shape.horizon),
            timings: Default::default(),
            from_sent: None,
            transfers: Transfers::default(),
            failed_transfers: Vec::new(),
            ghosts: level,
            ghosts_ended: [0; Cause::COUNT + 1],
            onset: OnsetWatch::default(),
            episodes: Episodes::default(),
        }
    }

    /// Records what happened at `now`.
    ///
    /// # Panics
    /// If a population is out of range, or an attempt ends that never began: the driver is wrong, and so is every number.
    #[inline(always)]
    pub fn record(&mut self, now: Instant, observation: &Observation) {
        let now = self.now.max(now);
        self.now = now;
        match *observation {
            Observation::Wanted(population) => self.on_wanted(now, population),
            Observation::AttemptStarted { population, first, reconnect } => {
                self.on_attempt_started(now, population, first && !reconnect);
            }
            Observation::AttemptEnded { population, first, reconnect, started, class, refusal } => {
                self.on_attempt_ended(now, population, first && !reconnect, started, class, refusal);
            }
            Observation::SessionEnded { population, end, refusal } => {
                self.on_session_ended(now, population, end, refusal);
            }
            Observation::Served { population, wanted_at } => self.on_served(now, population, wanted_at),
            Observation::Unserved { population, wanted_at } => self.on_unserved(now, population, wanted_at),
            Observation::Took(what, length) => self.on_took(now, what, length),
            Observation::Moved { bytes } => self.transfers.bytes += bytes,
            Observation::ConnectionOpened => self.on_came(now, Followed::Connections),
            Observation::ConnectionClosed { opened } => self.on_left(now, Followed::Connections, opened),
            Observation::SessionOpened => self.on_came(now, Followed::Sessions),
            Observation::SessionClosed { opened } => self.on_left(now, Followed::Sessions, opened),
            Observation::Refused { check, .. } => self.on_refused_by_check(check),
            Observation::SlotFreed { held, admitted } => self.on_slot_freed(now, held, admitted),
            Observation::TransferFailed { cause, code } => self.on_transfer_failed(now, cause, code),
            Observation::GhostBegan => self.on_ghost_began(now),
            Observation::GhostEnded { cause } => self.on_ghost_ended(now, cause),
            Observation::BanBegan { until } => self.on_ban_began(now, until),
        }
    }

    /// Records what happened at `now` in the real world, where whatever took time may have begun `late` by the generator's own fault.
    ///
    /// # Panics
    /// As [`record`](Self::record).
    pub fn record_late(&mut self, now: Instant, observation: &Observation, late: Duration) {
        self.record(now, observation);
        if let Observation::Took(what, length) = *observation {
            let warm = self.is_warm(self.now - length);
            let timings = self.from_sent.get_or_insert_default();
            if warm && what != Latency::TimeToService {
                timings[what.index()].record(length - late);
            }
        }
    }

    /// Ends the run at `end`, with what is still there: when each open connection was accepted, when each open session
    /// logged in, and whose wanted sessions were neither served nor given up, and since when.
    ///
    /// # Panics
    /// If the books do not balance: attempts against their classes, wanted sessions against what became of them.
    pub fn finish(
        &mut self,
        end: Instant,
        open_connections: impl Iterator<Item = Instant>,
        open_sessions: impl Iterator<Item = Instant>,
        still_wanting: impl Iterator<Item = (PopulationId, Instant)>,
    ) {
        let end = self.now.max(end);
        (self.now, self.end, self.replications) = (end, end, 1);
        for which in [Followed::Connections, Followed::Sessions] {
            let span = self.levels[which as usize].advance(end);
            self.series.hold(which, span);
        }
        self.end_bans(end);
        self.bans.advance(end);
        self.ghosts.advance(end);
        self.series.finish(end);
        let [connections, sessions] = &mut self.levels;
        open_connections.for_each(|opened| connections.stayed(opened, end));
        open_sessions.for_each(|opened| sessions.stayed(opened, end));
        for (population, wanted_at) in still_wanting {
            let warm = self.is_warm(wanted_at);
            self.populations[usize::from(population.0)].waiting(warm);
            self.censor(warm);
        }
        self.populations.iter_mut().for_each(|tally| tally.finish(end));
        self.timings
            .iter_mut()
            .chain(self.from_sent.iter_mut().flat_map(|t| t.iter_mut()))
            .for_each(Timing::settle);
    }

    /// Adds the finished run `other`, or the sum of several, of the same shape. Everything here is whole numbers, sums and maxima:
    /// no order and no grouping changes a byte of what is written of it. Onset and episodes belong to one run: they stay what they
    /// are, and are not written.
    ///
    /// # Panics
    /// If the shapes differ.
    pub fn merge(&mut self, other: &Self) {
        assert_eq!(self.shape, other.shape, "only runs of one scenario can be merged");
        self.end = self.end.max(other.end);
        self.replications += other.replications;
        self.levels.iter_mut().zip(&other.levels).for_each(|(a, b)| a.merge(b));
        self.bans.merge(&other.bans);
        self.holds.count += other.holds.count;
        self.holds.sum_ns += other.holds.sum_ns;
        self.populations.iter_mut().zip(&other.populations).for_each(|(a, b)| *a += b);
        self.refusals.merge(&other.refusals);
        self.by_check.resize(self.by_check.len().max(other.by_check.len()), 0);
        self.by_check.iter_mut().zip(&other.by_check).for_each(|(a, b)| *a += b);
        self.series.merge(&other.series);
        self.timings.iter_mut().zip(&other.timings).for_each(|(a, b)| a.merge(b));
        if let Some(other) = &other.from_sent {
            let own = self.from_sent.get_or_insert_default();
            own.iter_mut().zip(other.iter()).for_each(|(a, b)| a.merge(b));
        }
        self.transfers.count += other.transfers.count;
        self.transfers.bytes += other.transfers.bytes;
        self.transfers.failed += other.transfers.failed;
        other.failed_transfers.iter().for_each(|(code, n)| self.add_failed_transfers(*code, *n));
        self.ghosts.merge(&other.ghosts);
        self.ghosts_ended.iter_mut().zip(other.ghosts_ended).for_each(|(a, b)| *a += b);
    }

    fn is_warm(&self, began: Instant) -> bool {
        began >= Instant::ZERO + self.shape.warmup
    }

    fn on_wanted(&mut self, now: Instant, population: PopulationId) {
        let warm = self.is_warm(now);
        self.populations[usize::from(population.0)].wanted(warm);
        self.series.at(now).wanted += 1;
    }

    fn on_attempt_started(&mut self, now: Instant, population: PopulationId, first: bool) {
        let warm = self.is_warm(now);
        self.populations[usize::from(population.0)].attempt_started(now, first, warm);
        let bucket = self.series.at(now);
        bucket.attempts += 1;
        bucket.retries += u64::from(!first);
    }

    fn on_attempt_ended(
        &mut self,
        now: Instant,
        population: PopulationId,
        first: bool,
        started: Instant,
        class: Class,
        refusal: Option<Refusal>,
    ) {
        let warm = self.is_warm(started);
        self.populations[usize::from(population.0)].attempt_ended(started, class, first, warm);
        self.on_attempt_class(now, class, refusal);
    }

    fn on_attempt_class(&mut self, now: Instant, class: Class, refusal: Option<Refusal>) {
        self.series.at(now).classes[class.index()] += 1;
        let turned_away = refusal.filter(|_| class == Class::TurnedAway);
        self.onset.attempt_ended(now, self.connections().value(), turned_away);
        self.on_refusal(now, Ended::attempt(class), refusal);
    }

    fn on_session_ended(
        &mut self,
        now: Instant,
        whose: PopulationId,
        end: SessionEnd,
        refusal: Option<Refusal>,
    ) {
        self.populations[usize::from(whose.0)].session_ended(end);
        let bucket = self.series.at(now);
        bucket.cut += u64::from(end == SessionEnd::Cut);
        bucket.lost += u64::from(end == SessionEnd::Lost);
        self.on_refusal(now, Ended::session(end), refusal);
    }

    fn on_refusal(&mut self, now: Instant, ended: Option<Ended>, refusal: Option<Refusal>) {
        let (Some(ended), Some(refusal)) = (ended, refusal) else { return };
        self.refusals.add(Kind { ended, refusal }, 1);
        self.series.at(now).refused[refusal.cause.index()] += 1;
        self.episodes.refused(now, refusal.cause, self.series.width());
    }

    /// A refusal that leaves its session open ends a transfer and no session.
    fn on_transfer_failed(&mut self, now: Instant, cause: Option<Cause>, code: u16) {
        self.transfers.failed += 1;
        self.add_failed_transfers(code, 1);
        let refusal = cause.map(|cause| Refusal { cause, phase: Phase::Transfer, code });
        self.on_refusal(now, Some(Ended::Transfer), refusal);
    }

    fn add_failed_transfers(&mut self, code: u16, count: u64) {
        match self.failed_transfers.binary_search_by_key(&code, |(known, _)| *known) {
            Ok(place) => self.failed_transfers[place].1 += count,
            Err(place) => self.failed_transfers.insert(place, (code, count)),
        }
    }

    /// The time to service is taken from here, once for each wanted session.
    fn on_served(&mut self, now: Instant, population: PopulationId, wanted_at: Instant) {
        let warm = self.is_warm(wanted_at);
        let waited = now.since(wanted_at);
        self.populations[usize::from(population.0)].served(warm);
        let bucket = self.series.at(now);
        bucket.served += 1;
        bucket.service_ns += u128::from(waited.as_nanos());
        bucket.service_max_ns = bucket.service_max_ns.max(waited.as_nanos());
        if warm {
            self.timings[Latency::TimeToService.index()].record(waited);
        }
    }

    fn on_unserved(&mut self, now: Instant, population: PopulationId, wanted_at: Instant) {
        let warm = self.is_warm(wanted_at);
        self.populations[usize::from(population.0)].unserved(warm);
        self.series.at(now).given_up += 1;
        self.censor(warm);
    }

    fn on_ghost_began(&mut self, now: Instant) {
        self.ghosts.rise(now);
    }

    fn on_ghost_ended(&mut self, now: Instant, cause: Option<Cause>) {
        self.ghosts.fall(now);
        self.ghosts_ended[cause.map_or(Cause::COUNT, Cause::index)] += 1;
    }

    fn on_ban_began(&mut self, now: Instant, until: Instant) {
        self.end_bans(now);
        self.bans.rise(now);
        self.bans_until.push_back(until);
    }

    fn on_took(&mut self, now: Instant, what: Latency, length: Duration) {
        self.transfers.count += u64::from(what == Latency::Transfer);
        if what != Latency::TimeToService && self.is_warm(now - length) {
            self.timings[what.index()].record(length);
        }
    }

    /// Takes out of the level the bans that have run out by `now`, each at its time.
    fn end_bans(&mut self, now: Instant) {
        while let Some(until) = self.bans_until.front().copied().filter(|until| *until <= now) {
            self.bans_until.pop_front();
            self.bans.fall(until);
        }
    }

    fn on_refused_by_check(&mut self, check: Option<u8>) {
        let Some(check) = check.map(usize::from) else { return };
        if check >= self.by_check.len() {
            self.by_check.resize(check + 1, 0);
        }
        self.by_check[check] += 1;
    }

    fn on_slot_freed(&mut self, now: Instant, held: Duration, admitted: bool) {
        if admitted && self.is_warm(now - held) {
            self.holds.count += 1;
            self.holds.sum_ns += u128::from(held.as_nanos());
        }
    }

    fn on_came(&mut self, now: Instant, which: Followed) {
        let level = &mut self.levels[which as usize];
        let span = level.rise(now);
        self.series.hold(which, span);
        self.series.peak(which, now, level.value());
    }

    fn on_left(&mut self, now: Instant, which: Followed, came: Instant) {
        let level = &mut self.levels[which as usize];
        level.stayed(came, now);
        self.series.hold(which, level.fall(now));
    }

    fn censor(&mut self, warm: bool) {
        if warm {
            self.timings[Latency::TimeToService.index()].censor();
        }
    }
}
