//! What an onset search found out, as `onset.json` has it.
//!
//! It computes nothing. Times are seconds; every interval stands beside its value, with its confidence and its method.

use serde::{Deserialize, Serialize};

/// The version of `onset.json` that this build writes and reads.
pub const SCHEMA: u32 = 1;

/// Everything that a search found out.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Finding {
    /// [`SCHEMA`].
    pub schema: u32,
    /// Name and version of the tool.
    pub tool: String,
    /// `simulated` or `measured`.
    pub world: String,
    /// The server: a profile, or an address.
    pub server: String,
    /// The seed.
    pub seed: u64,
    /// Was the search interrupted?
    pub partial: bool,
    /// Was the generator fast enough for what is said here?
    pub valid: bool,
    /// The story, conclusion first.
    pub story: Vec<String>,
    /// How many sessions of one user from one address were let in.
    pub admitted: u32,
    /// What the next one met; `null`: nobody was refused.
    pub first_refusal: Option<FirstRefusal>,
    /// The limits.
    pub limits: LimitsFound,
    /// How soon a slot is free; `null`: there was no limit, or no time.
    pub slot_release: Option<SlotRelease>,
    /// The rate at which refusals are no longer rare; `null` likewise.
    pub rate: Option<RateFound>,
    /// The ramp behind `admitted`.
    pub ramp: RampFound,
    /// All ramps: from one address and from many, as one user and as many.
    pub ramps: Vec<RampFound>,
    /// What else its user should know, a sentence each.
    pub notes: Vec<String>,
}

/// The first refusal.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct FirstRefusal {
    /// The number of the attempt, from 1.
    pub attempt: u32,
    /// Why.
    pub cause: String,
    /// Where the dialogue stood.
    pub phase: String,
    /// The reply's code, 0 for none.
    pub code: u16,
    /// The reply's text, its lines joined by line feeds; empty for none.
    pub text: String,
    /// `certain`, `likely` or `guess`.
    pub confidence: String,
    /// What the cause rests on: `pattern` (the ramps), `text`, `words`, `timing`, `position`, `network`, or `known` to the simulator.
    pub basis: Vec<String>,
}

/// The limits that were found, or how far they were looked for.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct LimitsFound {
    /// On all clients.
    pub max_clients: LimitFound,
    /// On one address.
    pub max_per_ip: LimitFound,
    /// On one account.
    pub max_per_user: LimitFound,
    /// On the hosts that one account comes from; `null`: none was seen.
    pub hosts_per_user: Option<u32>,
}

/// One limit.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct LimitFound {
    /// So many are let in; `null`: no such limit was seen.
    pub value: Option<u32>,
    /// So many were let in without meeting such a limit.
    pub at_least: u32,
    /// The least that any ramp of the kind let in.
    pub low: Option<u32>,
    /// The most.
    pub high: Option<u32>,
    /// How surely the two enclose the median of such ramps.
    pub confidence: f64,
    /// How it is known.
    pub method: String,
}

/// One kind of ramp.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct RampFound {
    /// `one` address for all, or `many`.
    pub addresses: String,
    /// `one` account for all, or `many`.
    pub users: String,
    /// Between two arrivals, seconds. Who is let in stays until the ramp is over.
    pub gap_s: f64,
    /// It goes no further than to so many.
    pub cap: u32,
    /// How many were let in: the lower median of the repeats.
    pub admitted: u32,
    /// Was anybody not let in?
    pub reached: bool,
    /// How many were let in, in each repeat.
    pub repeats: Vec<u32>,
    /// The least of them.
    pub low: u32,
    /// The most of them.
    pub high: u32,
    /// How surely the two enclose the median of such ramps.
    pub confidence: f64,
    /// How the interval is made.
    pub method: String,
    /// How often, besides, with so many inside the next one was turned away and came in once somebody had left.
    pub confirmed: u32,
    /// What the first who was not let in met, in words: cause, phase and code.
    pub refusal: Option<String>,
    /// The first repeat, attempt by attempt: the sessions that there were then.
    pub held: Vec<u32>,
    /// The numbers (from 1) of its attempts that were not let in.
    pub refused: Vec<u32>,
}

/// How soon a slot is free.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct SlotRelease {
    /// The median from the close to the free slot.
    pub median_s: f64,
    /// The lower end of its interval.
    pub low_s: Option<f64>,
    /// The upper end.
    pub high_s: Option<f64>,
    /// The confidence of the interval.
    pub confidence: f64,
    /// How often somebody knocked: nothing shorter is seen.
    pub resolution_s: f64,
    /// How the interval is made.
    pub method: String,
    /// Each way to leave and each interval of knocks.
    pub variants: Vec<Variant>,
}

/// One way to leave, and one interval of knocks.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Variant {
    /// `one` address for all, or `many`.
    pub addresses: String,
    /// `one` account for all, or `many`.
    pub users: String,
    /// `quit`: by QUIT; `close`: by closing the connection.
    pub leaving: String,
    /// Between two knocks, about.
    pub knock_s: f64,
    /// How often the place changed hands.
    pub handovers: u32,
    /// The median from the close to the free slot; `null`: it never changed hands.
    pub median_s: Option<f64>,
    /// The lower end of its interval; `null`: too few changes of hands.
    pub low_s: Option<f64>,
    /// The upper end.
    pub high_s: Option<f64>,
}

/// The rate at which a share of sessions is refused.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct RateFound {
    /// The share.
    pub level: f64,
    /// The rate, sessions per second; `null`: it was not reached, or not shown.
    pub per_s: Option<f64>,
    /// The lower end of its interval.
    pub low_per_s: Option<f64>,
    /// The upper end.
    pub high_per_s: Option<f64>,
    /// The confidence of the interval.
    pub confidence: f64,
    /// How the interval is made.
    pub method: String,
    /// How long each session stays, logged in.
    pub session_s: f64,
    /// How long it holds its slot: with the login and the release, as they were measured when nobody else was there.
    pub slot_s: f64,
    /// How long it holds its slot, by Erlang's formula, when one session in ten is refused.
    pub slot_fitted_s: f64,
    /// The rate in erlangs: times `slot_s`.
    pub erlangs: Option<f64>,
    /// The places that Erlang's formula is asked about.
    pub places: u32,
    /// The rate by Erlang's loss formula for so many places and such sessions: theory, not measured.
    pub erlang_b_per_s: f64,
    /// By how many per cent the share grows for each per cent that Erlang's formula has it grow: 1 for a server that is as theory
    /// has it.
    pub exponent: Option<f64>,
    /// By how much runs of one rate vary more than by chance.
    pub dispersion: Option<f64>,
    /// `one` address for all, or `many`.
    pub addresses: String,
    /// `one` account for all, or `many`.
    pub users: String,
    /// The highest rate that was tried.
    pub most_per_s: f64,
    /// The runs, added up by rate.
    pub points: Vec<RatePoint>,
}

/// All runs of one rate.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct RatePoint {
    /// The rate, per second.
    pub per_s: f64,
    /// Sessions that came.
    pub tried: u64,
    /// Those of them that were refused.
    pub refused: u64,
    /// The share.
    pub share: f64,
    /// The lower end of its interval: Wilson's, for as many sessions as the dispersion leaves.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}
