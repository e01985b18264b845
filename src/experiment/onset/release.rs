//! How soon a slot is free again: from the end of one session to the moment at which the next one can have its place.
//!
//! Two clients take turns at the last place of a full server. Who waits knocks every few milliseconds, so that each change of
//! hands gives two bounds: the last knock that was still turned away, and the one that was not. It draws nothing.

use super::order;
use super::plan::{self, Kind, Leaving, SUBJECT};
use super::trial::{Log, What};
use crate::observe::{Class, Phase, SessionEnd};
use crate::time::{Duration, Instant};

/// The bounds of one release, from the close on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Handover {
    /// It was not free before.
    pub after: Duration,
    /// It was free by then.
    pub by: Duration,
}

/// What one relay came to.
#[derive(Clone, PartialEq, Debug)]
pub struct Relayed {
    /// From where and as whom.
    pub kind: Kind,
    /// How the place was left.
    pub leaving: Leaving,
    /// Between two knocks, about.
    pub knock: Duration,
    /// Each change of hands.
    pub handovers: Vec<Handover>,
    /// Knocks that were turned away.
    pub turned_away: u32,
}

/// The median of a relay, with its interval.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Median {
    /// The median of the middles between the bounds, seconds.
    pub seconds: f64,
    /// The lower end of the interval; `None`: too few changes of hands.
    pub low: Option<f64>,
    /// The upper end.
    pub high: Option<f64>,
    /// The confidence of the interval: at least 0.95 if it has ends.
    pub confidence: f64,
}

/// Reads a relay. `answered` is the phase in which this server refuses: it tells when it had decided to let somebody in.
pub fn read(log: &Log, answered: Phase, plan: &plan::Relay) -> Relayed {
    let at_accept = matches!(answered, Phase::Accept | Phase::Greeting | Phase::PreLogin);
    let mut relay = Relay::default();
    let mut greeted = Instant::ZERO;
    for event in &log.events {
        match event.what {
            What::Greeted => greeted = event.at,
            What::Ended { population: SUBJECT, class: Class::Admitted, started, .. } => {
                let decided = if at_accept && greeted >= started { greeted } else { event.at };
                relay.admitted(decided);
            }
            What::Ended { population: SUBJECT, started, .. } => relay.refused(started),
            What::Left { population: SUBJECT, end: SessionEnd::Completed } => relay.left(event.at),
            What::Left { population: SUBJECT, .. } => relay.broken(),
            _ => {}
        }
    }
    let plan::Relay { kind, leaving, knock, .. } = *plan;
    Relayed { kind, leaving, knock, handovers: relay.handovers, turned_away: relay.turned_away }
}

/// A relay under way.
#[derive(Default)]
struct Relay {
    handovers: Vec<Handover>,
    turned_away: u32,
    /// How many of the two are inside.
    inside: u32,
    /// When the place was left, if nobody has taken it since.
    left: Option<Instant>,
    /// When the last knock began that was turned away, since somebody was last let in.
    knocked: Option<Instant>,
    /// Was the other one let in before the first knew that he was out?
    early: bool,
}

impl Relay {
    fn refused(&mut self, started: Instant) {
        self.turned_away += 1;
        self.knocked = self.knocked.max(Some(started));
    }

    fn left(&mut self, at: Instant) {
        self.inside = self.inside.saturating_sub(1);
        if std::mem::take(&mut self.early) {
            self.handovers.push(Handover { after: Duration::ZERO, by: Duration::ZERO });
        } else {
            self.left = Some(at);
        }
    }

    /// Without a knock that was turned away nobody knows that the place was taken.
    fn admitted(&mut self, decided: Instant) {
        let knocked = self.knocked.take();
        self.inside += 1;
        match (self.left.take(), knocked) {
            (Some(left), Some(knocked)) => {
                let by = decided.since(left);
                self.handovers.push(Handover { after: knocked.since(left).min(by), by });
            }
            (None, Some(_)) if self.inside > 1 => self.early = true,
            _ => {}
        }
    }

    /// A session was cut: whatever follows is no handover.
    fn broken(&mut self) {
        self.inside = self.inside.saturating_sub(1);
        (self.left, self.knocked, self.early) = (None, None, false);
    }
}

impl Relayed {
    /// The median time to the free slot. Each true value lies between its bounds, so that the interval from the order statistic of the
    /// lower bounds to that of the upper ones covers their median at least as often as it says.
    pub fn median(&self) -> Option<Median> {
        let sorted = |value: fn(&Handover) -> f64| {
            let mut values: Vec<f64> = self.handovers.iter().map(value).collect();
            values.sort_by(f64::total_cmp);
            values
        };
        let after = sorted(|h| h.after.as_secs_f64());
        let by = sorted(|h| h.by.as_secs_f64());
        let middle = sorted(|h| f64::midpoint(h.after.as_secs_f64(), h.by.as_secs_f64()));
        let seconds = order::median(&middle)?;
        let ends = order::rank(by.len(), 0.95);
        Some(Median {
            seconds,
            low: ends.map(|(rank, _)| after[rank - 1]),
            high: ends.map(|(rank, _)| by[by.len() - rank]),
            confidence: ends.map_or(0.0, |(_, confidence)| confidence),
        })
    }
}
