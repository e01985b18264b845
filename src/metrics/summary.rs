//! The result of a run as it is written and read back: `summary.json`.
//!
//! It computes nothing. Every field says its unit and its definition; counts are totals over all replications.

mod measured;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use measured::{Generator, RefusalText, TargetFacts, ToldApart};

/// The version of `summary.json` that this build writes and reads.
pub const SCHEMA: u32 = 1;

/// Everything that a run found out.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Summary {
    /// [`SCHEMA`].
    pub schema: u32,
    /// Name and version of the tool.
    pub tool: String,
    /// `simulated` or `measured`.
    pub world: String,
    /// The scenario's name.
    pub scenario: String,
    /// The scenario's question, or empty.
    pub question: String,
    /// The digest of the scenario's text.
    pub scenario_hash: String,
    /// The seed.
    pub seed: u64,
    /// Independent replications that ended.
    pub replications: u32,
    /// Length of each, seconds.
    pub duration_s: f64,
    /// How much of the beginning no estimate covers, seconds.
    pub warmup_s: f64,
    /// Was the run interrupted? Then fewer replications than the scenario asks for ended.
    pub partial: bool,
    /// The digest of every input and action of the machines, over all replications in order; empty for a measured run, which
    /// nobody can repeat to the byte.
    pub digest: String,
    /// The story in a few lines, conclusion first.
    pub story: Vec<String>,
    /// The server.
    pub server: ServerFacts,
    /// Totals.
    pub counts: Counts,
    /// The same totals for each population.
    pub populations: BTreeMap<String, Counts>,
    /// Refusals by cause, and by what they ended.
    pub refused_by_cause: Refusals,
    /// Refusals by phase, and by what they ended.
    pub refused_by_phase: Refusals,
    /// Each combination that occurred.
    pub refusals: Vec<RefusalCount>,
    /// Probabilities and means with 95 % intervals.
    pub estimates: Estimates,
    /// Where refusals begin.
    pub onset: Onsets,
    /// Lengths of time by name: `connect`, `greeting`, `login`, `command`, `transfer`, `time_to_service`.
    pub latency: BTreeMap<String, Quantiles>,
    /// Files moved.
    pub transfers: Transfers,
    /// What vanished clients left behind.
    #[serde(default)]
    pub ghosts: Ghosts,
    /// Time-weighted means and maxima.
    pub concurrency: BTreeMap<String, Concurrency>,
    /// Stretches of refusals of one cause, in replication 0, in the order in which they began; the longest, if there are many.
    pub episodes: Vec<Episode>,
    /// Further episodes of replication 0, which are only counted.
    pub episodes_dropped: u64,
    /// What goes wrong, and when, and whether the system recovers.
    pub faults: Vec<FaultFact>,
    /// Retry storms that outlived the fault that began them.
    #[serde(default)]
    pub storms: Vec<StormFact>,
    /// Little's law, both sides.
    pub little: Little,
    /// Which causes and phases this run reached.
    pub coverage: Coverage,
    /// Thresholds and their verdicts.
    pub thresholds: Vec<Verdict>,
    /// The limit that binds and the smallest change that would meet the thresholds.
    pub advice: Option<Advice>,
    /// Measured runs: where the load went.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<TargetFacts>,
    /// Measured runs: `latency` without the time for which the generator itself was late.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency_from_sent: Option<BTreeMap<String, Quantiles>>,
    /// Measured runs: what refusals were taken for, and how surely, the most frequent first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub told_apart: Option<Vec<ToldApart>>,
    /// Measured runs: the texts of refusals, the most frequent first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refusal_texts: Option<Vec<RefusalText>>,
    /// Measured runs: how the load generator itself fared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generator: Option<Generator>,
}

impl Summary {
    /// Is it that of a served run, which saw its clients from the server's side only?
    pub fn is_served(&self) -> bool {
        self.world == "measured" && self.target.is_some() && self.generator.is_none()
    }
}

/// The server that was modelled.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct ServerFacts {
    /// The profile's name.
    pub profile: String,
    /// The names of all servers, if there are several; the other facts are those of the first.
    #[serde(default)]
    pub servers: Vec<String>,
    /// Limits in check order by knob, as the machine obeys them; a limit that is off is missing.
    pub limits: BTreeMap<String, u32>,
}

/// Totals over all replications.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Counts {
    /// Sessions that users came for.
    pub wanted: u64,
    /// Connections that they tried: `attempts = admitted + turned_away + login_failed + network_failed + abandoned +
    /// open_at_end`, always.
    pub attempts: u64,
    /// Attempts that were logged in.
    pub admitted: u64,
    /// Attempts that the server ended before login for a reason other than the password.
    pub turned_away: u64,
    /// Attempts that ended for wrong passwords.
    pub login_failed: u64,
    /// Attempts that the network or a dead server ended before login.
    pub network_failed: u64,
    /// Attempts whose user gave up before login.
    pub abandoned: u64,
    /// Attempts that were neither logged in nor ended when the run was over.
    pub open_at_end: u64,
    /// Admitted sessions that the server ended.
    pub cut: u64,
    /// Admitted sessions that the network ended.
    pub lost: u64,
    /// Admitted sessions that did all of their script.
    pub completed: u64,
    /// Admitted sessions whose client vanished without closing.
    pub ghosts: u64,
    /// Attempts that were not the first of their wanted session.
    pub retries: u64,
    /// Wanted sessions that were never served: given up, or still waiting at the end.
    pub unserved: u64,
    /// Wanted sessions that were still waiting to be served at the end (they are among the unserved).
    pub waiting_at_end: u64,
}

/// Refusals by a word (a cause or a phase), apart by what they ended.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Refusals {
    /// Attempts turned away before login.
    pub turned_away: BTreeMap<String, u64>,
    /// Sessions cut after login.
    pub cut: BTreeMap<String, u64>,
    /// Attempts that ended for wrong passwords at the server's hand.
    pub login_failed: BTreeMap<String, u64>,
    /// Attempts and sessions that the network or a dead server ended.
    pub network: BTreeMap<String, u64>,
    /// Transfers that were refused or broken off while their session went on.
    #[serde(default)]
    pub transfer: BTreeMap<String, u64>,
}

/// How often one kind of refusal occurred.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RefusalCount {
    /// `turned_away`, `cut`, `login_failed`, `network`, or `transfer`, which leaves the session open.
    pub ended: String,
    /// The cause's word.
    pub cause: String,
    /// The phase's word.
    pub phase: String,
    /// The reply's code, 0 for none.
    pub code: u16,
    /// How often.
    pub count: u64,
}

/// A mean over replications with its two-sided 95 % confidence interval.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Estimate {
    /// The mean of the replications' values; `null` if no replication has one.
    pub mean: Option<f64>,
    /// The lower end; `null` with fewer than two replications.
    pub low: Option<f64>,
    /// The upper end; `null` with fewer than two replications.
    pub high: Option<f64>,
}

/// The estimates. All of them leave out what began before the warm-up was over.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Estimates {
    /// How the intervals are made.
    pub method: String,
    /// First attempts turned away, of all first attempts that came to an end or to a login.
    pub refused_first: Estimate,
    /// Attempts turned away, of all attempts that came to an end or to a login.
    pub refused_attempt: Estimate,
    /// Wanted sessions never served, of all wanted.
    pub unserved: Estimate,
    /// Attempts for each wanted session: retry amplification.
    pub amplification: Estimate,
    /// Wanted sessions per second x mean slot hold of an admitted session (login and reaping included), in
    /// erlangs; `null` with a closed population.
    pub offered_erlangs: Estimate,
    /// The time-weighted mean number of logged-in sessions: carried load, in erlangs.
    pub carried_erlangs: Estimate,
}

/// Where refusals begin.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Onsets {
    /// The first attempt turned away, of the replication that is the (lower) median by its time.
    pub first: Option<Onset>,
    /// The first window of at least `window` attempts whose Wilson 95 % lower bound for `refused_attempt` is at least
    /// `level`; the median replication as above.
    pub sustained: Option<Onset>,
    /// The number of attempts in a window of `sustained`.
    pub window: u32,
    /// The level of `sustained`.
    pub level: f64,
}

/// One onset.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Onset {
    /// When, seconds from the beginning of the run.
    pub time_s: f64,
    /// The earliest of all replications, seconds.
    pub earliest_s: f64,
    /// The latest of all replications, seconds.
    pub latest_s: f64,
    /// In how many replications it occurred.
    pub occurred: u32,
    /// Connections at the server just then.
    pub connections: u64,
    /// The arrival rate just then x the mean slot hold of an admitted session (login and reaping included), in
    /// erlangs; `null` if a population is closed
    /// or none has a rate.
    pub offered_erlangs: Option<f64>,
    /// The cause of the refusal (for `sustained`: the most frequent in the window).
    pub cause: String,
    /// Its phase.
    pub phase: String,
    /// Its reply code, 0 for none.
    pub code: u16,
}

/// Quantiles of a length of time, from a histogram with 3 significant digits over all replications. What began before the
/// warm-up was over is left out. Mean, least and greatest are exact.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Quantiles {
    /// How many were recorded.
    pub count: u64,
    /// How many never came to an end (time to service: wanted sessions never served). They lie above every recorded value.
    pub censored: u64,
    /// The mean of those recorded, seconds.
    pub mean_s: Option<f64>,
    /// The least recorded, seconds.
    pub min_s: Option<f64>,
    /// The greatest recorded, seconds.
    pub max_s: Option<f64>,
    /// The quantiles.
    pub quantiles: Vec<Quantile>,
}

/// One quantile.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct Quantile {
    /// Which: 0.5 is the median.
    pub q: f64,
    /// Its value, seconds. If it falls among the censored, the greatest recorded value, which it exceeds.
    pub s: f64,
    /// Does it fall among the censored? Then it is greater than `s`.
    pub above: bool,
}

/// Files moved.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Transfers {
    /// Transfers that were completed.
    pub count: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Transfers that failed while their session went on.
    #[serde(default)]
    pub failed: u64,
    /// The same by the reply's code; `0` for none.
    #[serde(default)]
    pub failed_by_code: BTreeMap<String, u64>,
}

/// Connections whose client had vanished without a word, and which the server still held.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Ghosts {
    /// The time-weighted mean number of them over all replications, the warm-up left out.
    pub mean: f64,
    /// The most at once, in any replication.
    pub max: u64,
    /// Their share of all connection time, warm-up included; `null` without a connection.
    pub slot_time_share: Option<f64>,
    /// How many the server found and closed, by the cause that it gave; `none` without one.
    pub freed_by: BTreeMap<String, u64>,
    /// How many were still held when the run was over.
    pub held_at_end: u64,
}

/// A level over time.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Concurrency {
    /// The time-weighted mean over all replications, the warm-up left out.
    pub mean: f64,
    /// The greatest.
    pub max: u64,
}

/// A stretch of refusals of one cause with no gap longer than the time bucket's width or ten seconds.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Episode {
    /// The cause's word.
    pub cause: String,
    /// The first refusal, seconds from the beginning of the run.
    pub begin_s: f64,
    /// The last, seconds.
    pub end_s: f64,
    /// How many.
    pub refusals: u64,
}

/// A fault, for charts and the story.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct FaultFact {
    /// The words for it.
    pub label: String,
    /// When it begins, seconds.
    pub begin_s: f64,
    /// When its last effect begins to end, seconds. A limit that a reload lowers is lowered until another sets it back.
    pub end_s: f64,
    /// Whether the system recovers from it; `null` if nothing tells, since no run went on after it or had enough before it to
    /// compare with.
    #[serde(default)]
    pub recovery: Option<Recovery>,
}

/// What came after a fault. See "recovery" in the definitions.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Recovery {
    /// Replications that have a baseline and time left after the fault.
    pub judged: u32,
    /// Of these, those that recovered before their end.
    pub recovered: u32,
    /// From the fault's end to the recovery: the (lower) median of those judged, seconds; `null` if that one never recovered.
    pub after_s: Option<f64>,
    /// The soonest of all, seconds; `null` if none recovered.
    pub soonest_s: Option<f64>,
    /// The latest of those that recovered, seconds.
    pub latest_s: Option<f64>,
    /// The mean of those that recovered, with its interval, seconds.
    pub mean: Estimate,
    /// The length of the stretches of time that were judged, seconds: no time to recovery is more precise.
    pub window_s: f64,
    /// The share of failures in the baseline, over all replications.
    pub baseline_failing: f64,
}

/// A retry storm that outlived its cause. See "storm" in the definitions. Shares and means are over all replications that had it.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct StormFact {
    /// The label of the fault that was over.
    pub after: String,
    /// When that fault was over, seconds: there the storm is all that is left.
    pub begin_s: f64,
    /// How long it outlived the fault: the (lower) median of the replications that had it, seconds.
    pub outlived_s: f64,
    /// The longest of them, seconds.
    pub longest_s: f64,
    /// In how many replications it occurred.
    pub occurred: u32,
    /// In how many of these it lasted to the end of the run.
    pub to_the_end: u32,
    /// Attempts for each wanted session that began in it; `null` if none began.
    pub amplification: Option<f64>,
    /// The same in the baseline.
    pub baseline_amplification: Option<f64>,
    /// The share of failures in it.
    pub failing: f64,
    /// The mean number of logged-in sessions in it.
    pub sessions_mean: f64,
    /// The same in the baseline.
    pub baseline_sessions_mean: f64,
    /// The limit on all clients in it; `null` if there is none.
    pub limit: Option<u32>,
}

/// Little's law: the integral of the number in the system against the sum of the times in it, both in whole nanoseconds,
/// computed by two separate paths. Equal, always.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Little {
    /// Integral of the number of connections over the run, connection-nanoseconds.
    pub connections_integral_ns: String,
    /// Sum over connections of their overlap with the run, nanoseconds.
    pub connections_overlap_ns: String,
    /// Integral of the number of logged-in sessions, session-nanoseconds.
    pub sessions_integral_ns: String,
    /// Sum over sessions of their overlap with the run, nanoseconds.
    pub sessions_overlap_ns: String,
    /// Are both pairs equal?
    pub holds: bool,
}

/// What this run reached.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Coverage {
    /// Causes that occurred.
    pub causes: Vec<String>,
    /// Phases in which a refusal occurred.
    pub phases: Vec<String>,
    /// Causes that did not occur.
    pub causes_missed: Vec<String>,
    /// Each cause, phase and code that occurred.
    #[serde(default)]
    pub reached: Vec<Covered>,
    /// What the scenario's servers could have said, with the limits and timers that are on, and did not.
    #[serde(default)]
    pub not_reached: Vec<Covered>,
}

/// One way to be refused.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Covered {
    /// The cause's word.
    pub cause: String,
    /// The phase's word.
    pub phase: String,
    /// The reply's code, 0 for none.
    pub code: u16,
}

/// A threshold and what became of it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Verdict {
    /// As it was written.
    pub threshold: String,
    /// What was found, in the threshold's unit (seconds for a time); `null` if there is nothing to judge.
    pub value: Option<f64>,
    /// Is the value only a lower bound, since it falls among the censored?
    pub above: bool,
    /// Does it hold?
    pub ok: bool,
}

/// What would have to change.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Advice {
    /// The knob of the limit that turned most clients away.
    pub binding: String,
    /// Its value in this run.
    pub limit: u32,
    /// The thresholds that the change is to meet, or the goal that stands in for them.
    pub goal: String,
    /// The smallest limit that meets the goal at this seed, found by simulation; `null` if none up to `searched_to` does.
    pub smallest: Option<u32>,
    /// The greatest limit that was tried.
    pub searched_to: u32,
}

/// A row of `timeline.csv`: means over replications of what happened in one stretch of time.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct TimelineRow {
    /// When the stretch begins, seconds from the beginning of the run.
    pub begin_s: f64,
    /// Its length, seconds.
    pub width_s: f64,
    /// Wanted sessions that began.
    pub wanted: f64,
    /// Attempts that began.
    pub attempts: f64,
    /// Of these, not the first of their wanted session.
    pub retries: f64,
    /// Attempts logged in.
    pub admitted: f64,
    /// Attempts turned away.
    pub turned_away: f64,
    /// Attempts that ended for wrong passwords.
    pub login_failed: f64,
    /// Attempts that the network or a dead server ended.
    pub network_failed: f64,
    /// Attempts abandoned.
    pub abandoned: f64,
    /// Sessions cut.
    pub cut: f64,
    /// Time-weighted mean of connections.
    pub connections_mean: f64,
    /// The greatest number of connections, of all replications.
    pub connections_max: f64,
    /// Time-weighted mean of logged-in sessions.
    pub sessions_mean: f64,
    /// The limit on all clients when the stretch begins; empty if there is none.
    pub limit: Option<f64>,
    /// Mean time to service of the sessions first served in this stretch, seconds; empty if there was none.
    pub time_to_service_s: Option<f64>,
    /// The greatest time to service of all replications, seconds; empty if there was none.
    pub time_to_service_max_s: Option<f64>,
    /// Turned away, cut, login-failed and network-failed by cause, in the order of `Cause::ALL`. In the file: one column for each
    /// cause, `refused_<cause>`.
    pub refused: Vec<f64>,
}
