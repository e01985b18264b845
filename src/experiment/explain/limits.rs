//! What a limit makes of the demand: Erlang's formula for who comes at random, a count of clients for who comes again.
//!
//! A mean below a limit says little: around it the number of sessions moves. So the estimate is told beside the mean.

use std::cmp::Ordering;

use super::words::{count_of, percent};
use crate::experiment::theory::erlang_b;
use crate::workload::{Arrivals, Population, Spacing};

/// A smaller share of refusals is not told as a number.
const NOTABLE: f64 = 0.001;

/// A smaller part of the demand does not keep it from coming at random.
const MOSTLY: f64 = 0.05;

/// How many sessions are wanted at a time of what a limit counts, if nobody is refused.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Demand {
    /// The mean of open populations, at the peak.
    pub open: f64,
    /// The part of it that does not come at random, but evenly, at once or by a log.
    pub planned: f64,
    /// The mean of closed populations, at the peak.
    pub closed: f64,
    /// The most clients of closed populations that there are.
    pub clients: f64,
}

impl Demand {
    /// Nobody.
    pub const NONE: Self = Self { open: 0.0, planned: 0.0, closed: 0.0, clients: 0.0 };

    /// Adds `share` of `population`, which wants `mean` sessions at a time in all.
    pub fn add(&mut self, population: &Population, mean: f64, share: f64) {
        match &population.arrivals {
            Arrivals::Closed(closed) => {
                self.closed += share * mean;
                self.clients += share * f64::from(closed.most);
            }
            open => {
                self.open += share * mean;
                let is_random = matches!(open, Arrivals::Open(o) if o.spacing == Spacing::Poisson);
                self.planned += if is_random { 0.0 } else { share * mean };
            }
        }
    }

    /// The mean of all of them.
    pub fn mean(&self) -> f64 {
        self.open + self.closed
    }

    /// What may well be there at a time: the closed clients all at once, and the mean of the others.
    pub fn reach(&self) -> f64 {
        self.open + self.clients
    }

    /// What the limit `knob = limit` makes of it.
    pub fn against(&self, knob: &str, limit: u32) -> String {
        if self.clients > 0.0 { self.count(knob, limit) } else { self.estimate(knob, limit) }
    }

    /// The modified-offered-load approximation: Erlang B at the mean of the infinite-server queue (Jagerman 1975; Massey and
    /// Whitt, "An analysis of the modified offered-load approximation", 1994).
    fn estimate(&self, knob: &str, limit: u32) -> String {
        let side = self.open.total_cmp(&f64::from(limit));
        let how = match side {
            Ordering::Less => "below",
            Ordering::Equal => "equal to",
            Ordering::Greater => "above",
        };
        let share = erlang_b(limit, self.open);
        let but = if side == Ordering::Less && share >= NOTABLE { ", but" } else { ":" };
        let (about, given) = (about(share), self.given());
        format!(
            "{how} {knob} = {limit}{but} without retries {about} of first attempts would be refused (Erlang B{given})"
        )
    }

    /// Erlang's formula is for arrivals at random.
    fn given(&self) -> &'static str {
        if self.planned <= MOSTLY * self.open { "" } else { ", if they came at random" }
    }

    /// Closed populations have no such formula here: their clients wait for each other. What comes beside them has one for the
    /// places that they leave when all of them are there.
    fn count(&self, knob: &str, limit: u32) -> String {
        let mut who = format!("the {} of closed populations", count_of(self.clients, "client"));
        if self.open > 0.0 {
            who = format!("{who} and about {} of others", count_of(self.open, "session"));
        }
        let verdict = if f64::from(limit) < self.reach() {
            format!("is below {who}: it can bind")
        } else if self.open > 0.0 {
            let share = erlang_b(limit.saturating_sub(self.clients.ceil() as u32), self.open);
            let (about, given) = (about(share), self.given());
            format!(
                "has room for {who}: without retries {about} of the others' first attempts would be refused, with all \
                 of them there (Erlang B{given})"
            )
        } else {
            format!("has room for {who}: it can bind only while a slot is held after its client is gone")
        };
        format!("{knob} = {limit} {verdict}; closed populations have no Erlang B estimate")
    }
}

/// A share of refusals as an estimate.
fn about(share: f64) -> String {
    if share < NOTABLE { "less than 0.1 %".to_owned() } else { format!("about {}", percent(share)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPEN: Demand = Demand::NONE;

    /// B(5, 2.68) by hand: 2.68 / 3.68 = 0.72826; 1.95174 / 3.95174 = 0.49389; 1.32363 / 4.32363 = 0.30614;
    /// 0.82045 / 4.82045 = 0.17020; 0.45614 / 5.45614 = 0.0836.
    #[test]
    fn a_mean_below_a_limit_is_told_with_its_refusals() {
        let said = Demand { open: 2.68, ..OPEN }.against("max_per_ip", 5);
        let expected = "below max_per_ip = 5, but without retries about 8.36 % of first attempts would be refused \
                        (Erlang B)";
        assert_eq!(said, expected);
    }

    /// B(2, 1) = 1/5, B(1, 1) = 1/2, B(1, 3) = 3/4; B(3, 0.1) = (0.001 / 6) / 1.105167 = 0.00015.
    #[test]
    fn each_side_of_a_limit_has_its_words() {
        for (open, limit, said) in [
            (1.0, 2, "below k = 2, but without retries about 20 % of"),
            (1.0, 1, "equal to k = 1: without retries about 50 % of"),
            (3.0, 1, "above k = 1: without retries about 75 % of"),
            (0.1, 3, "below k = 3: without retries less than 0.1 % of"),
            (0.0, 3, "below k = 3: without retries less than 0.1 % of"),
        ] {
            let told = Demand { open, ..OPEN }.against("k", limit);
            assert!(told.starts_with(said), "{told}");
        }
    }

    #[test]
    fn who_does_not_come_at_random_has_an_estimate_with_its_condition() {
        let told = |planned| Demand { open: 1.0, planned, ..OPEN }.against("k", 2);
        assert!(told(1.0).ends_with("(Erlang B, if they came at random)"), "{}", told(1.0));
        assert!(told(0.01).ends_with("(Erlang B)"), "{}", told(0.01));
    }

    #[test]
    fn closed_clients_are_counted() {
        let closed = Demand { clients: 8.0, closed: 2.5, ..OPEN };
        for (demand, limit, said) in [
            (closed, 7, "k = 7 is below the 8 clients of closed populations: it can bind;"),
            (closed, 8, "k = 8 has room for the 8 clients of closed populations: it can bind only while"),
            (
                Demand { open: 1.5, ..closed },
                9,
                "k = 9 is below the 8 clients of closed populations and about 1.5",
            ),
            (
                Demand { open: 1.5, ..closed },
                10,
                "k = 10 has room for the 8 clients of closed populations and about",
            ),
        ] {
            let told = demand.against("k", limit);
            assert!(told.starts_with(said), "{told}");
            assert!(told.contains("no Erlang B estimate"), "{told}");
            assert_eq!(told.contains('%'), limit == 10, "{told}");
        }
        // Two places are left for the others: B(2, 1) = 1/5.
        let told = Demand { open: 1.0, ..closed }.against("k", 10);
        assert!(told.contains("without retries about 20 % of the others' first attempts"), "{told}");
    }
}
