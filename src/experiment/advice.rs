//! The smallest change that would do: which limit binds, and how large it would have to be.
//!
//! It finds out by simulation at the same seed (common random numbers), not by a formula; it changes one limit and nothing else.

use super::{Study, replicate, summarise};
use crate::id::ServerId;
use crate::metrics::Threshold;
use crate::metrics::summary::{Advice, Summary};
use crate::scenario::Scenario;
use crate::server::Control;
use crate::server::profile::Counts;
use crate::watch::Watch;

/// What stands in for thresholds if a scenario has none.
const DEFAULT_GOAL: &str = "refused_first rate < 0.01";

/// A search that would cost more calendar events than this is left out: the rule must not depend on the machine's speed.
const MOST_EVENTS: u64 = 60_000_000;

/// How often a search runs the scenario, at most: six doublings, and the bisection of the last.
const EXPECTED_RUNS: u64 = 14;

/// One run of a search.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Trial {
    /// Which, from 1.
    pub number: u32,
    /// How many may follow it, at most.
    pub most_left: u32,
}

/// Adds to `summary` the limit that turned most clients away in `study` and the smallest value of it that would meet the
/// thresholds, if any are failed, or the default goal, if there are none.
///
/// `tell` hears of each run of the search before it begins.
pub fn advise(
    scenario: &Scenario,
    study: &Study,
    summary: &mut Summary,
    watch: &Watch,
    tell: &mut dyn FnMut(Trial),
) {
    let Some(place) = binding(scenario, study, summary).filter(|place| !is_reloaded(scenario, *place)) else {
        return;
    };
    let default = Threshold::parse(DEFAULT_GOAL).ok();
    let goals: Vec<Threshold> = if scenario.thresholds.is_empty() {
        default.into_iter().collect()
    } else {
        scenario.thresholds.clone()
    };
    if goals.iter().all(|goal| goal.judge(summary).ok) {
        return;
    }
    let check = &scenario.policy().checks[place];
    let (knob, limit) = match check.held_down_by_ports() {
        Some(ports) => ("passive_ports", ports),
        None => (check.knob.as_str(), check.configured),
    };
    let (smallest, searched_to) = if study.work.events.saturating_mul(EXPECTED_RUNS) > MOST_EVENTS {
        (None, limit)
    } else {
        search(limit, |candidate, trial| {
            tell(trial);
            meets(scenario, place, candidate, &goals, watch)
        })
    };
    if watch.is_stopped() {
        return;
    }
    let goal = goals.iter().map(|g| g.text().to_owned()).collect::<Vec<_>>().join(" and ");
    let advice = Advice { binding: knob.to_owned(), limit, goal, smallest, searched_to };
    let at = summary.story.len().min(1);
    summary.story.insert(at, sentence(&advice));
    summary.advice = Some(advice);
}

/// The place in check order of the limit that refused most clients, if nothing else turned away more: to raise a limit that does
/// not bind helps nobody. With several servers it is not counted whose limit it was, and a load average is no number of places.
fn binding(scenario: &Scenario, study: &Study, summary: &Summary) -> Option<usize> {
    if scenario.servers.len() > 1 {
        return None;
    }
    let checks = &scenario.policy().checks;
    let refused = |place| study.merged.refused_by_check(place);
    let place = (0..checks.len())
        .map(|place| (refused(place), place))
        .filter(|(n, _)| *n > 0)
        .max_by_key(
            |(n, place)| (*n, std::cmp::Reverse(*place)), // the first in check order, of equals
        )
        .map(|(_, place)| place)?;
    let check = &checks[place];
    let turned_away = &summary.refused_by_cause.turned_away;
    let own = turned_away.get(check.ending.cause.name()).copied().unwrap_or(0);
    (check.counts != Counts::Load && turned_away.values().all(|other| *other <= own)).then_some(place)
}

/// Does a fault set the limit at `place`? Then no one value of it is the scenario's.
fn is_reloaded(scenario: &Scenario, place: usize) -> bool {
    let mut controls = scenario.faults.iter().flat_map(|fault| fault.controls(ServerId(0)));
    controls
        .any(|(_, control)| matches!(control, Control::SetLimit { check, .. } if usize::from(check) == place))
}

/// Does the scenario meet all `goals` with the limit at `place` set to `limit`? If passive ports hold it down, that is their number.
fn meets(scenario: &Scenario, place: usize, limit: u32, goals: &[Threshold], watch: &Watch) -> bool {
    let mut changed = scenario.clone();
    let policy = &mut changed.servers[0].policy;
    match scenario.policy().checks[place].held_down_by_ports() {
        Some(_) => policy.set_ports_of_limit(place, limit),
        None => policy.set_limit(place, limit),
    }
    changed.thresholds = goals.to_vec();
    let study = replicate(&changed, &mut (), watch);
    summarise(&changed, &study).summary.thresholds.iter().all(|verdict| verdict.ok)
}

/// The smallest value above `limit` that is `good`, if there is one up to 64 times `limit`, and the largest that was tried. Takes
/// it for granted that what is good stays good when the limit grows.
fn search(limit: u32, mut good: impl FnMut(u32, Trial) -> bool) -> (Option<u32>, u32) {
    let (mut low, mut high) = (limit, limit);
    let most = limit.saturating_mul(64);
    let mut number = 0;
    let mut trial = |most_left| {
        number += 1;
        Trial { number, most_left }
    };
    loop {
        high = high.saturating_mul(2).min(most);
        let doublings = (most / high).checked_ilog2().unwrap_or(0);
        if good(high, trial(doublings + halvings(most / 2))) {
            break;
        }
        if high == most {
            return (None, most);
        }
        low = high;
    }
    let tried = high;
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if good(middle, trial(halvings(high - low) - 1)) { high = middle } else { low = middle }
    }
    (Some(high), tried)
}

/// How many halvings bring `width` down to 1.
fn halvings(width: u32) -> u32 {
    width.next_power_of_two().ilog2()
}

fn sentence(advice: &Advice) -> String {
    let Advice { binding, limit, goal, smallest, searched_to } = advice;
    match smallest {
        Some(smallest) => {
            format!("{binding} = {smallest} instead of {limit} would be the smallest that meets: {goal}.")
        }
        None if searched_to == limit => {
            format!("How much {binding} would have to grow was not searched: the run is large.")
        }
        None => format!(
            "No {binding} up to {searched_to} meets: {goal}. Another limit or the retries are in the way."
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::{advise, replicate, search, summarise};
    use crate::scenario::Scenario;
    use crate::watch::Watch;

    /// Two ports are enough for one client, and three come at once: no `-c` helps, and six ports do.
    #[test]
    fn where_ports_hold_a_limit_down_the_advice_is_about_ports() {
        let text = "schema = 1\nname = \"ports\"\nduration = \"1m\"\n\
                    [server]\nprofile = \"pure-ftpd\"\npassive_ports = 2\n\
                    [[clients]]\nname = \"three\"\n\
                    arrivals = { executor = \"burst\", at = \"1s\", count = 3, within = \"1ms\" }\n";
        let scenario = Scenario::read("ports", text, &mut |_| Err(String::new())).unwrap();
        let watch = Watch::default();
        let study = replicate(&scenario, &mut (), &watch);
        let mut summary = summarise(&scenario, &study).summary;
        advise(&scenario, &study, &mut summary, &watch, &mut |_| {});
        assert!(
            summary.story[0].starts_with("max_clients = 1 (of 2 passive ports) binds"),
            "{:?}",
            summary.story
        );
        let advice = summary.advice.unwrap();
        assert_eq!((advice.binding.as_str(), advice.limit, advice.smallest), ("passive_ports", 2, Some(6)));
    }

    #[test]
    fn the_search_finds_the_smallest_that_is_good() {
        for truth in [11, 12, 20, 21, 137, 640] {
            let mut runs = 0;
            let mut left = u32::MAX;
            let (found, _) = search(10, |n, trial| {
                runs += 1;
                assert_eq!(trial.number, runs);
                assert!(trial.most_left < left, "each run is one less that may follow");
                left = trial.most_left;
                n >= truth
            });
            assert_eq!(found, Some(truth));
            assert!(runs <= 16, "{runs} runs for {truth}");
        }
        assert_eq!(search(10, |_, _| false), (None, 640));
    }
}
