//! Episodes: stretches of refusals of one cause without a long gap.
//!
//! It keeps the longest few; the rest it only counts.

use crate::observe::Cause;
use crate::time::{Duration, Instant};

/// Episodes that are kept.
pub const KEPT: usize = 64;

/// The longest gap that an episode bridges, unless a time bucket is wider.
const GAP: Duration = Duration::from_secs(10);

/// An episode.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub struct Stretch {
    /// The cause.
    pub cause: Cause,
    /// The first refusal.
    pub begin: Instant,
    /// The last.
    pub end: Instant,
    /// How many.
    pub refusals: u64,
}

/// The latest episode of a cause: its last refusal, and its place if it is kept.
type Latest = (Instant, Option<usize>);

/// The episodes of a run, in the order in which they began.
#[derive(Clone, PartialEq, Eq, Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct Episodes {
    kept: Vec<Stretch>,
    dropped: u64,
    latest: [Option<Latest>; Cause::COUNT],
}

impl Episodes {
    /// A refusal for `cause` at `now`, where a time bucket is `width` wide.
    pub fn refused(&mut self, now: Instant, cause: Cause, width: Duration) {
        let place = match self.latest[cause.index()] {
            Some((last, place)) if now.since(last) <= GAP.max(width) => place,
            _ => self.begin(now, cause),
        };
        self.latest[cause.index()] = Some((now, place));
        if let Some(stretch) = place.and_then(|place| self.kept.get_mut(place)) {
            stretch.end = now;
            stretch.refusals += 1;
        }
    }

    /// The longest of those that are over, and those that may go on: 64 together.
    pub fn kept(&self) -> &[Stretch] {
        &self.kept
    }

    /// The bytes that those that are kept take.
    pub(super) fn size(&self) -> usize {
        size_of_val(&*self.kept)
    }

    /// How many more there were.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    fn begin(&mut self, now: Instant, cause: Cause) -> Option<usize> {
        if self.kept.len() == KEPT {
            self.dropped += 1;
            self.drop_shortest(cause)?;
        }
        self.kept.push(Stretch { cause, begin: now, end: now, refusals: 0 });
        Some(self.kept.len() - 1)
    }

    /// Makes room for an episode of `cause`: the shortest that is over goes, the latest of equals. The latest episode of any other
    /// cause may still go on, and stays.
    fn drop_shortest(&mut self, cause: Cause) -> Option<()> {
        let goes_on = |place| {
            let others = self.latest.iter().enumerate().filter(|(other, _)| *other != cause.index());
            others.flat_map(|(_, latest)| latest).any(|(_, kept)| *kept == Some(place))
        };
        let over = self.kept.iter().enumerate().rev().filter(|(place, _)| !goes_on(*place));
        let (gone, _) = over.min_by_key(|(_, stretch)| stretch.end.since(stretch.begin))?;
        self.kept.remove(gone);
        for place in self.latest.iter_mut().flatten().filter_map(|(_, place)| place.as_mut()) {
            *place -= usize::from(*place > gone);
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn episodes(width: u64, refusals: &[(u64, Cause)]) -> Episodes {
        let mut episodes = Episodes::default();
        for (s, cause) in refusals {
            episodes.refused(Instant::ZERO + Duration::from_secs(*s), *cause, Duration::from_secs(width));
        }
        episodes
    }

    #[test]
    fn a_long_gap_or_another_cause_begins_another() {
        let told =
            [(0, Cause::MaxClients), (5, Cause::Banned), (10, Cause::MaxClients), (21, Cause::MaxClients)];
        let got = episodes(1, &told);
        let spans: Vec<_> = got.kept().iter().map(|e| (e.cause, e.end.since(e.begin), e.refusals)).collect();
        assert_eq!(
            spans,
            [
                (Cause::MaxClients, Duration::from_secs(10), 2),
                (Cause::Banned, Duration::ZERO, 1),
                (Cause::MaxClients, Duration::ZERO, 1),
            ]
        );
        assert_eq!(episodes(60, &told).kept().len(), 2, "a wide bucket bridges the gap");
    }

    #[test]
    fn the_longest_are_kept_in_the_order_in_which_they_began() {
        let mut told: Vec<_> = (0..100).map(|i| (i * 20, Cause::RateLimit)).collect();
        told.extend([(1_500, Cause::Banned), (1_509, Cause::Banned), (1_517, Cause::Banned)]);
        told.sort_by_key(|(s, _)| *s);
        let got = episodes(1, &told);
        assert_eq!((got.kept().len(), got.dropped()), (64, 37));
        let banned: Vec<_> = got.kept().iter().filter(|e| e.cause == Cause::Banned).collect();
        assert_eq!((banned.len(), banned[0].refusals), (1, 3));
        assert!(got.kept().is_sorted_by_key(|e| e.begin));
    }

    #[test]
    fn an_episode_that_goes_on_is_not_dropped_for_another() {
        let mut told: Vec<_> = (0..100).map(|i| (i * 11, Cause::RateLimit)).collect();
        told.extend((0..140).map(|i| (8 * i, Cause::MaxClients)));
        told.sort_by_key(|(s, _)| *s);
        let got = episodes(1, &told);
        let full: Vec<_> = got.kept().iter().filter(|e| e.cause == Cause::MaxClients).collect();
        assert_eq!((full.len(), full[0].refusals), (1, 140), "one episode, with another cause beside it");
    }
}
