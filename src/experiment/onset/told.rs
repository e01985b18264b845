//! From what the trials came to, to what is told: the numbers of `onset.json`.
//!
//! It runs nothing and words only methods; the story is put together by [`story`](super::story).

use super::limits::{self, Limit, Limits, Ramps};
use super::order;
use super::plan::{Kind, Leaving};
use super::rate::{Quest, Rated};
use super::release::Relayed;
use super::result::{
    Finding, FirstRefusal, LimitFound, LimitsFound, RampFound, RateFound, RatePoint, SCHEMA, SlotRelease,
    Variant,
};
use super::{Ask, Findings, story};
use crate::classify::{Basis, Confidence};
use crate::experiment::theory;
use crate::ftp;
use crate::metrics::{rounded, wilson};

/// What a search found out.
pub(super) fn finding(ask: &Ask, world: &str, found: &Findings) -> Finding {
    let ramps: Vec<RampFound> = found.ramps.iter().map(|ramps| ramp(ask, found, ramps)).collect();
    let first = ramps.first().cloned().unwrap_or_default();
    let mut finding = Finding {
        schema: SCHEMA,
        tool: concat!(env!("CARGO_PKG_NAME"), " ", env!("CARGO_PKG_VERSION")).to_owned(),
        world: world.to_owned(),
        server: ask.server.clone(),
        seed: ask.base.seed,
        partial: found.partial,
        valid: is_valid(found),
        story: Vec::new(),
        admitted: first.admitted,
        first_refusal: first_refusal(found),
        limits: limits(found, &ramps),
        slot_release: slot_release(&found.relays),
        rate: found.rated.as_ref().map(|(quest, rated)| rate(quest, rated)),
        ramp: first,
        ramps,
        notes: found.notes.clone(),
    };
    finding.notes.extend(more_notes(found));
    finding.story = story::story(&finding);
    finding
}

/// Was the generator never the limit?
fn is_valid(found: &Findings) -> bool {
    let rated = found.rated.as_ref();
    let dropped = rated.map_or(0, |(_, rated)| rated.dropped);
    let is_late = rated.is_some_and(|(quest, rated)| rated.late_s > quest.slot.as_secs_f64());
    found.dropped == 0 && dropped == 0 && !is_late
}

fn more_notes(found: &Findings) -> Vec<String> {
    let mut notes = Vec::new();
    if found.dropped > 0 {
        notes.push(format!(
            "the generator could not begin {} sessions: it was the limit, not the server",
            found.dropped
        ));
    }
    if let Some((_, rated)) = found.rated.as_ref().filter(|(quest, r)| r.late_s > quest.slot.as_secs_f64()) {
        notes.push(format!(
            "the generator was up to {} late in the search for the rate: it was the limit, not the server",
            crate::metrics::words::seconds(rated.late_s)
        ));
    }
    if let Some((often, seldom)) = knocks_disagree(&found.relays) {
        let words = crate::metrics::words::seconds;
        notes.push(format!(
            "a slot takes {} to be free when somebody knocks every {}, and {} when every {}: who is refused holds a slot, \
             too, or keeps the server busy",
            words(often.0),
            words(often.1),
            words(seldom.0),
            words(seldom.1)
        ));
    }
    notes
}

/// The medians and intervals of knocks of two relays, if frequent knocks made the release longer beyond chance and resolution.
fn knocks_disagree(relays: &[Relayed]) -> Option<((f64, f64), (f64, f64))> {
    let quits: Vec<&Relayed> = relays.iter().filter(|relay| relay.leaving == Leaving::Quit).collect();
    let (often, seldom) =
        (quits.iter().min_by_key(|relay| relay.knock)?, quits.iter().max_by_key(|r| r.knock)?);
    let (a, b) = (often.median()?, seldom.median()?);
    let told = |relay: &Relayed, seconds: f64| (seconds, relay.knock.as_secs_f64());
    (a.low? > b.high?).then(|| (told(often, a.seconds), told(seldom, b.seconds)))
}

// ---- ramps -----------------------------------------------------------------------------------------------------

const RANGE: &str = "the least and the greatest of the repeats, which enclose the median of such trials with this confidence \
                     (Hahn & Meeker, section 5.2); a change of hands at the full server is a repeat, too";

fn ramp(ask: &Ask, found: &Findings, ramps: &Ramps) -> RampFound {
    let [addresses, users] = ramps.kind.words().map(str::to_owned);
    let repeats: Vec<u32> = ramps.all.iter().map(|ramp| ramp.admitted).collect();
    let sorted = ramps.admitted();
    let first = ramps.all.first();
    let steps = first.map_or(&[][..], |ramp| &ramp.steps[..]);
    let refused = steps.iter().zip(1..).filter(|((_, cause), _)| cause.is_some());
    let relays = found.relays.iter().filter(|relay| relay.kind == ramps.kind);
    let confirmed: usize = relays.map(|relay| relay.handovers.len()).sum();
    RampFound {
        addresses,
        users,
        gap_s: rounded(found.gap.as_secs_f64()),
        cap: ask.cap,
        admitted: ramps.typical(),
        reached: ramps.is_reached(),
        low: sorted.first().copied().unwrap_or(0),
        high: sorted.last().copied().unwrap_or(0),
        confidence: rounded(order::coverage(repeats.len() + confirmed, 1)),
        method: RANGE.to_owned(),
        confirmed: confirmed as u32,
        refusal: ramps.met().map(|met| story::refusal(met.refusal)),
        held: steps.iter().map(|(held, _)| *held).collect(),
        refused: refused.map(|(_, number)| number).collect(),
        repeats,
    }
}

fn first_refusal(found: &Findings) -> Option<FirstRefusal> {
    let ramps = found.ramps.iter().find(|ramps| ramps.kind == Kind::ONE)?;
    let ramp = ramps.all.iter().find(|ramp| ramp.refused.is_some())?;
    let met = ramp.refused.as_ref()?;
    let (cause, by_pattern) = match &found.limits {
        Some(limits) => limits::cause(met, Kind::ONE, ramps.typical(), limits),
        None => (met.refusal.cause, false),
    };
    let verdict = met.said.as_ref().and_then(|said| said.verdict);
    let agrees = !met.mistaken && met.refusal.cause == cause;
    let mut basis = Vec::new();
    if by_pattern {
        basis.push("pattern".to_owned());
    }
    match verdict {
        Some(verdict) if agrees => basis.push(basis_word(verdict.basis).to_owned()),
        None if agrees && !found.is_real => basis.push("known".to_owned()),
        _ => {}
    }
    let confidence = match (by_pattern, verdict) {
        _ if !found.is_real => Confidence::Certain,
        (true, Some(verdict)) if agrees && verdict.confidence > Confidence::Guess => Confidence::Certain,
        (true, _) => Confidence::Likely,
        (false, Some(verdict)) if agrees => verdict.confidence,
        _ => Confidence::Guess,
    };
    Some(FirstRefusal {
        attempt: ramp.attempt.unwrap_or(0),
        cause: cause.name().to_owned(),
        phase: met.refusal.phase.name().to_owned(),
        code: met.refusal.code,
        text: met.said.as_ref().map_or(String::new(), |said| harmless(&said.text)),
        confidence: confidence_word(confidence).to_owned(),
        basis,
    })
}

/// What a server said, so that it can be shown: of its control characters only the ends of lines are left.
fn harmless(text: &str) -> String {
    text.split('\n').map(ftp::shown).collect::<Vec<_>>().join("\n")
}

const fn confidence_word(confidence: Confidence) -> &'static str {
    match confidence {
        Confidence::Guess => "guess",
        Confidence::Likely => "likely",
        Confidence::Certain => "certain",
    }
}

const fn basis_word(basis: Basis) -> &'static str {
    match basis {
        Basis::Text => "text",
        Basis::Words => "words",
        Basis::Timing => "timing",
        Basis::Position => "position",
        Basis::Network => "network",
    }
}

// ---- limits ----------------------------------------------------------------------------------------------------

fn limits(found: &Findings, ramps: &[RampFound]) -> LimitsFound {
    let Some(limits) = &found.limits else { return LimitsFound::default() };
    let Limits { max_clients, max_per_ip, max_per_user, hosts_per_user, .. } = limits;
    LimitsFound {
        max_clients: limit(*max_clients, ramps),
        max_per_ip: limit(*max_per_ip, ramps),
        max_per_user: limit(*max_per_user, ramps),
        hosts_per_user: *hosts_per_user,
    }
}

fn limit(limit: Limit, ramps: &[RampFound]) -> LimitFound {
    match limit {
        Limit::AtLeast(at_least) => LimitFound {
            at_least,
            method: "no ramp met it: none, or none lower than what stopped the ramps".to_owned(),
            ..LimitFound::default()
        },
        Limit::Found { value, kind, by_pattern } => {
            let words = kind.words();
            let ramp = ramps.iter().find(|ramp| [&ramp.addresses, &ramp.users] == words);
            let how = if by_pattern {
                "more were let in without it"
            } else {
                "the server's own words; no ramp without it to compare with"
            };
            LimitFound {
                value: Some(value),
                at_least: value,
                low: ramp.map(|ramp| ramp.low),
                high: ramp.map(|ramp| ramp.high),
                confidence: ramp.map_or(0.0, |ramp| ramp.confidence),
                method: format!("{how}; {RANGE}"),
            }
        }
    }
}

// ---- slots -----------------------------------------------------------------------------------------------------

fn slot_release(relays: &[Relayed]) -> Option<SlotRelease> {
    let variants: Vec<Variant> = relays.iter().map(variant).collect();
    // That of a QUIT whose interval is the narrowest.
    let width = |relay: &&Relayed| {
        relay.median().map_or(f64::INFINITY, |m| m.high.unwrap_or(f64::INFINITY) - m.low.unwrap_or(0.0))
    };
    let best = relays
        .iter()
        .filter(|relay| relay.leaving == Leaving::Quit && relay.median().is_some())
        .min_by(|a, b| width(a).total_cmp(&width(b)))?;
    let median = best.median()?;
    Some(SlotRelease {
        median_s: rounded(median.seconds),
        low_s: median.low.map(rounded),
        high_s: median.high.map(rounded),
        confidence: rounded(median.confidence),
        resolution_s: rounded(best.knock.as_secs_f64()),
        method: "each change of hands lies between the last knock that was turned away and the login that was not; the interval \
                 of the median is from the order statistic of the lower bounds to that of the upper ones (Hahn & Meeker, \
                 section 5.2)"
            .to_owned(),
        variants,
    })
}

fn variant(relay: &Relayed) -> Variant {
    let median = relay.median();
    let [addresses, users] = relay.kind.words().map(str::to_owned);
    Variant {
        addresses,
        users,
        leaving: match relay.leaving {
            Leaving::Quit => "quit",
            Leaving::Close => "close",
        }
        .to_owned(),
        knock_s: rounded(relay.knock.as_secs_f64()),
        handovers: relay.handovers.len() as u32,
        median_s: median.map(|m| rounded(m.seconds)),
        low_s: median.and_then(|m| m.low).map(rounded),
        high_s: median.and_then(|m| m.high).map(rounded),
    }
}

// ---- the rate --------------------------------------------------------------------------------------------------

fn rate(quest: &Quest, rated: &Rated) -> RateFound {
    let slot_s = quest.slot.as_secs_f64();
    let crossing = rated.crossing.as_ref();
    let [addresses, users] = quest.kind.words().map(str::to_owned);
    RateFound {
        level: quest.level,
        per_s: crossing.map(|c| rounded(c.rate)),
        low_per_s: crossing.and_then(|c| c.low).map(rounded),
        high_per_s: crossing.and_then(|c| c.high).map(rounded),
        confidence: 0.95,
        method: rate_method(quest, rated),
        session_s: rounded(quest.hold.as_secs_f64()),
        slot_s: rounded(slot_s),
        slot_fitted_s: rounded(rated.slot),
        erlangs: crossing.map(|c| rounded(c.rate * slot_s)),
        places: quest.limit,
        erlang_b_per_s: rounded(theory::erlangs_for(quest.limit, quest.level) / slot_s),
        exponent: crossing.map(|c| rounded(c.exponent)),
        dispersion: crossing.map(|c| rounded(c.dispersion)),
        addresses,
        users,
        most_per_s: rounded(rated.most),
        points: points(rated),
    }
}

fn rate_method(quest: &Quest, search: &Rated) -> String {
    let (runs, rates) = (search.runs.len(), quest.rates);
    if search.crossing.as_ref().is_some_and(|crossing| crossing.as_theory) {
        return format!(
            "Erlang's B is taken for granted but for a factor, which {runs} runs at {rates} rates give (they do not show a slope of \
             their own); Student's t with their dispersion"
        );
    }
    format!(
        "quasi-Poisson regression of the refused on the logarithm of Erlang's B at the rate, over {runs} independent runs at \
         {rates} rates, inverted with Fieller's interval by Student's t"
    )
}

fn points(rated: &Rated) -> Vec<RatePoint> {
    let mut runs = rated.runs.clone();
    runs.sort_by(|a, b| a.rate.total_cmp(&b.rate));
    let spread = rated.crossing.as_ref().map_or(1.0, |c| c.dispersion);
    runs.chunk_by(|a, b| a.rate.total_cmp(&b.rate).is_eq())
        .map(|same| {
            let tried: f64 = same.iter().map(|run| run.tried).sum();
            let refused: f64 = same.iter().map(|run| run.refused).sum();
            let share = if tried > 0.0 { refused / tried } else { 0.0 };
            let (low, high) = wilson(share, tried / spread);
            RatePoint {
                per_s: rounded(same[0].rate),
                tried: tried as u64,
                refused: refused as u64,
                share: rounded(share),
                low: rounded(low),
                high: rounded(high),
            }
        })
        .collect()
}
