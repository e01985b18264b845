//! Where refusals begin in one run: the first, and the first that are more than chance.
//!
//! It knows nothing of offered load: that is `experiment`'s business.

use super::wilson::wilson;
use crate::observe::{Cause, Refusal};
use crate::time::Instant;

/// Attempts in a window of the sustained onset.
pub const WINDOW: usize = 50;

/// The share of turned-away attempts that the window must show.
pub const LEVEL: f64 = 0.01;

/// An onset of one run.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub struct Beginning {
    /// When.
    pub at: Instant,
    /// Connections at the server just then.
    pub connections: u64,
    /// The refusal.
    pub refusal: Refusal,
}

/// Watches attempts as they come to an end or to a login, in that order.
///
/// The *sustained* onset is looked for in a sliding window of the last [`WINDOW`] of them: the first full window whose
/// Wilson 95 % lower bound for the share of the turned away is at least [`LEVEL`]. Its time is that of the first refusal in
/// that window, since that is when the trouble began that the window proves; its cause is the window's most frequent.
#[derive(Clone, Debug)]
pub struct OnsetWatch {
    first: Option<Beginning>,
    sustained: Option<Beginning>,
    window: Vec<Option<Beginning>>,
    next: usize,
    refused: usize,
    needed: usize,
}

impl Default for OnsetWatch {
    fn default() -> Self {
        Self {
            first: None,
            sustained: None,
            window: Vec::with_capacity(WINDOW),
            next: 0,
            refused: 0,
            needed: (0..=WINDOW)
                .find(|k| wilson(*k as f64 / WINDOW as f64, WINDOW as f64).0 >= LEVEL)
                .unwrap_or(WINDOW),
        }
    }
}

impl OnsetWatch {
    /// An attempt came to its class: by `refusal` if it was turned away, else by `None`.
    pub fn attempt_ended(&mut self, at: Instant, connections: u64, refusal: Option<Refusal>) {
        let beginning = refusal.map(|refusal| Beginning { at, connections, refusal });
        self.first = self.first.or(beginning);
        if self.sustained.is_some() {
            return;
        }
        self.push(beginning);
        if self.window.len() == WINDOW && self.refused >= self.needed {
            self.sustained = self.window_onset();
        }
    }

    /// The bytes that its window takes.
    pub(super) fn size(&self) -> usize {
        size_of_val(&*self.window)
    }

    /// The first attempt turned away.
    pub fn first(&self) -> Option<Beginning> {
        self.first
    }

    /// The beginning of refusals that are more than chance.
    pub fn sustained(&self) -> Option<Beginning> {
        self.sustained
    }

    fn push(&mut self, outcome: Option<Beginning>) {
        self.refused += usize::from(outcome.is_some());
        if self.window.len() < WINDOW {
            self.window.push(outcome);
            return;
        }
        let oldest = std::mem::replace(&mut self.window[self.next], outcome);
        self.refused -= usize::from(oldest.is_some());
        self.next = (self.next + 1) % WINDOW;
    }

    fn window_onset(&self) -> Option<Beginning> {
        let (newer, older) = self.window.split_at(self.next);
        let mut by_cause = [0_u32; Cause::COUNT];
        older.iter().chain(newer).flatten().for_each(|b| by_cause[b.refusal.cause.index()] += 1);
        let most = by_cause.iter().max()?;
        let refusals = || older.iter().chain(newer).flatten();
        let typical = refusals().find(|b| by_cause[b.refusal.cause.index()] == *most)?;
        refusals().next().map(|begin| Beginning { refusal: typical.refusal, ..*begin })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observe::Phase;

    fn refusal(cause: Cause) -> Refusal {
        Refusal { cause, phase: Phase::Greeting, code: 421 }
    }

    fn watch(outcomes: impl IntoIterator<Item = Option<Refusal>>) -> OnsetWatch {
        let mut watch = OnsetWatch::default();
        for (i, outcome) in outcomes.into_iter().enumerate() {
            watch.attempt_ended(Instant::from_nanos(i as u64), i as u64, outcome);
        }
        watch
    }

    #[test]
    fn one_refusal_is_an_onset_but_may_be_chance() {
        let mut outcomes = vec![None; 200];
        outcomes[60] = Some(refusal(Cause::MaxClients));
        outcomes[120] = Some(refusal(Cause::MaxPerIp));
        let watch = watch(outcomes);
        assert_eq!(watch.first().map(|b| b.at.as_nanos()), Some(60));
        assert_eq!(watch.sustained(), None, "never two of 50");
    }

    #[test]
    fn two_of_fifty_are_sustained_and_begin_with_the_first_of_them() {
        let mut outcomes = vec![None; 200];
        outcomes[3] = Some(refusal(Cause::MaxClients));
        outcomes[100] = Some(refusal(Cause::MaxPerIp));
        outcomes[149] = Some(refusal(Cause::MaxClients));
        let sustained = watch(outcomes).sustained().unwrap();
        assert_eq!((sustained.at.as_nanos(), sustained.connections), (100, 100));
    }

    #[test]
    fn a_short_run_has_no_sustained_onset() {
        assert_eq!(watch(vec![Some(refusal(Cause::MaxClients)); 49]).sustained(), None);
        assert!(watch(vec![Some(refusal(Cause::MaxClients)); 50]).sustained().is_some());
    }

    #[test]
    fn the_cause_is_the_most_frequent() {
        let mut outcomes = vec![None; 50];
        outcomes[10] = Some(refusal(Cause::Banned));
        outcomes[11] = Some(refusal(Cause::MaxPerIp));
        outcomes[12] = Some(refusal(Cause::MaxPerIp));
        let sustained = watch(outcomes).sustained().unwrap();
        assert_eq!((sustained.at.as_nanos(), sustained.refusal.cause), (10, Cause::MaxPerIp));
    }
}
