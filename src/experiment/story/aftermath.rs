//! The lines about faults: whether the system recovered from each, and the retry storms that outlived one.
//!
//! It judges nothing: see [`aftermaths`](crate::metrics::aftermaths).

use super::{percent, seconds, short};
use crate::metrics::summary::{FaultFact, Recovery, StormFact, Summary};

/// No more faults than this are told.
const SHOWN: usize = 4;

/// Each fault with its end and what came of it.
pub(super) fn faults(summary: &Summary) -> Option<String> {
    let mut told: Vec<String> =
        summary.faults.iter().take(SHOWN).map(|fault| fault_in_words(summary, fault)).collect();
    let more = summary.faults.len().saturating_sub(SHOWN);
    told.extend((more > 0).then(|| format!("and {more} more")));
    (!told.is_empty()).then(|| format!("Faults: {}.", told.join("; ")))
}

fn fault_in_words(summary: &Summary, fault: &FaultFact) -> String {
    let when = match (seconds(fault.begin_s), seconds(fault.end_s)) {
        (begin, end) if begin == end => format!("at {begin}"),
        (begin, _) if fault.end_s >= summary.duration_s => format!("at {begin} to the end"),
        (begin, end) => format!("at {begin} to {end}"),
    };
    let came =
        fault.recovery.as_ref().map(|recovery| format!(", {}", recovered(recovery))).unwrap_or_default();
    format!("{} {when}{came}", fault.label)
}

fn recovered(recovery: &Recovery) -> String {
    let of = if recovery.recovered < recovery.judged {
        format!(" (in {} of {} replications)", recovery.recovered, recovery.judged)
    } else {
        match (recovery.soonest_s, recovery.latest_s) {
            (Some(soonest), Some(latest)) if soonest < latest => {
                format!(" ({} to {})", after(soonest), after(latest))
            }
            _ => String::new(),
        }
    };
    match recovery.after_s {
        _ if recovery.recovered == 0 => "never recovered".to_owned(),
        None => format!("mostly not recovered{of}"),
        Some(s) if s <= 0.0 => format!("recovered at once{of}"),
        Some(s) => format!("recovered {} later{of}", seconds(s)),
    }
}

fn after(s: f64) -> String {
    if s <= 0.0 { "at once".to_owned() } else { seconds(s) }
}

/// The storm that outlived its cause the longest.
pub(super) fn storms(summary: &Summary) -> Option<String> {
    let storm = summary.storms.iter().max_by(|a, b| a.outlived_s.total_cmp(&b.outlived_s))?;
    let StormFact { after, outlived_s, occurred, to_the_end, amplification, .. } = storm;
    let end = if to_the_end * 2 > *occurred { ", to the end of the run" } else { "" };
    let of = if *occurred < summary.replications {
        format!(" in {occurred} of {} replications", summary.replications)
    } else {
        String::new()
    };
    let cost = amplification.map_or("attempts without a new wanted session".to_owned(), |times| {
        format!("{} attempts for each wanted session", short(times))
    });
    let usual =
        storm.baseline_amplification.map(|times| format!(" ({} before)", short(times))).unwrap_or_default();
    let failing = percent(storm.failing);
    let idle = match storm.limit.filter(|limit| *limit > 0) {
        Some(limit) => {
            let used = (storm.sessions_mean / f64::from(limit)).min(1.0);
            format!("{} of the {limit} places in use by sessions", percent(used))
        }
        None => format!("{} sessions on average", short(storm.sessions_mean)),
    };
    Some(format!(
        "A retry storm outlived its cause, {after}, by {}{end}{of}: {cost}{usual}, {failing} of them failing, {idle}.",
        seconds(*outlived_s)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(recovery: Option<Recovery>) -> FaultFact {
        FaultFact { label: "crash".to_owned(), begin_s: 60.0, end_s: 120.0, recovery }
    }

    fn summary() -> Summary {
        Summary { duration_s: 600.0, replications: 4, ..Summary::default() }
    }

    #[test]
    fn a_recovery_is_told_with_its_range_or_its_absence() {
        let recovery = Recovery {
            judged: 4,
            recovered: 4,
            after_s: Some(30.0),
            soonest_s: Some(0.0),
            latest_s: Some(40.0),
            ..Recovery::default()
        };
        for (recovery, said) in [
            (None, "crash at 1m to 2m"),
            (Some(recovery.clone()), "crash at 1m to 2m, recovered 30 s later (at once to 40 s)"),
            (
                Some(Recovery { recovered: 3, ..recovery.clone() }),
                "crash at 1m to 2m, recovered 30 s later (in 3 of 4 replications)",
            ),
            (
                Some(Recovery { recovered: 0, after_s: None, ..recovery.clone() }),
                "crash at 1m to 2m, never recovered",
            ),
            (
                Some(Recovery { recovered: 1, after_s: None, ..recovery }),
                "crash at 1m to 2m, mostly not recovered (in 1 of 4 replications)",
            ),
        ] {
            assert_eq!(fault_in_words(&summary(), &fault(recovery)), said);
        }
    }

    #[test]
    fn a_storm_is_named_with_what_it_cost() {
        let storm = StormFact {
            after: "crash".to_owned(),
            outlived_s: 840.0,
            occurred: 3,
            to_the_end: 2,
            amplification: Some(7.3),
            baseline_amplification: Some(1.02),
            failing: 0.9,
            sessions_mean: 8.0,
            limit: Some(20),
            ..StormFact::default()
        };
        let said = storms(&Summary { storms: vec![storm], ..summary() }).unwrap();
        assert_eq!(
            said,
            "A retry storm outlived its cause, crash, by 14m, to the end of the run in 3 of 4 replications: 7.3 attempts \
             for each wanted session (1.02 before), 90 % of them failing, 40 % of the 20 places in use by sessions."
        );
    }
}
