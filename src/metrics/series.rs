//! A time series with a fixed number of buckets that coarsen and never grow.
//!
//! It keeps no single event: only sums, integrals and maxima of each stretch of time.

use super::bucket::{Bucket, Followed};
use super::level::Span;
use super::summary::TimelineRow;
use crate::time::{Duration, Instant};

/// The most buckets of a series.
pub const BUCKETS: usize = 240;

/// Widths that people read easily, in milliseconds: from 1 ms to a day.
const WIDTHS_MS: [u64; 27] = [
    1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 15_000, 30_000, 60_000, 120_000,
    300_000, 600_000, 900_000, 1_800_000, 3_600_000, 7_200_000, 10_800_000, 21_600_000, 43_200_000,
    86_400_000,
];

/// Buckets of equal width from the beginning of the run on. When a run outlasts them, the width doubles and pairs merge.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct Series {
    width: u64,
    buckets: Vec<Bucket>,
    /// The bucket that was last asked for: nearly always the next one, too, and a division saved.
    #[serde(skip)]
    latest: Latest,
}

#[derive(Clone, Copy, Debug, Default)]
struct Latest {
    begin: u64,
    index: usize,
}

impl PartialEq for Series {
    fn eq(&self, other: &Self) -> bool {
        (self.width, &self.buckets) == (other.width, &other.buckets)
    }
}

impl Eq for Series {}

impl Series {
    /// An empty series with the least round width that covers a run up to `horizon`; 1 s if that is never.
    pub fn new(horizon: Instant) -> Self {
        let covers = |ms: &u64| horizon.as_nanos().div_ceil(ms * 1_000_000) <= BUCKETS as u64;
        let ms =
            if horizon.is_never() { 1_000 } else { WIDTHS_MS.into_iter().find(covers).unwrap_or(86_400_000) };
        Self::with_width(Duration::from_millis(ms))
    }

    fn with_width(width: Duration) -> Self {
        Self { width: width.as_nanos(), buckets: Vec::with_capacity(BUCKETS + 1), latest: Latest::default() }
    }

    /// The width of a bucket now.
    pub fn width(&self) -> Duration {
        Duration::from_nanos(self.width)
    }

    /// The bucket of `now`: it holds its beginning, not its end.
    #[inline]
    pub fn at(&mut self, now: Instant) -> &mut Bucket {
        if !self.is_in_latest(now) {
            self.turn_to(now);
        }
        &mut self.buckets[self.latest.index]
    }

    fn is_in_latest(&self, now: Instant) -> bool {
        now.as_nanos().wrapping_sub(self.latest.begin) < self.width && self.latest.index < self.buckets.len()
    }

    #[inline(never)]
    fn turn_to(&mut self, now: Instant) {
        // The very end of the last bucket is let in, so that a run of exactly its horizon does not coarsen.
        while now.as_nanos() > self.width.saturating_mul(BUCKETS as u64) {
            self.coarsen();
        }
        let index = (now.as_nanos() / self.width) as usize;
        if index >= self.buckets.len() {
            self.buckets.resize_with(index + 1, Bucket::default);
        }
        self.latest = Latest { begin: index as u64 * self.width, index };
    }

    /// Is this a series that may have begun as one for a run up to `horizon`? What was read from a file need not be.
    pub(super) fn fits(&self, horizon: Instant) -> bool {
        let least = Self::new(horizon).width;
        let doubled = self.width.checked_div(least).is_some_and(u64::is_power_of_two);
        doubled && self.width.is_multiple_of(least) && self.buckets.len() <= BUCKETS + 1
    }

    /// The bytes that its buckets take.
    pub(super) fn size(&self) -> usize {
        size_of_val(&*self.buckets)
    }

    /// The buckets so far, each as wide as [`Self::width`].
    pub(super) fn buckets(&self) -> &[Bucket] {
        &self.buckets
    }

    /// Adds a span of a level, split exactly at the borders of buckets.
    #[inline]
    pub fn hold(&mut self, which: Followed, span: Span) {
        if span.value == 0 {
            return;
        }
        self.at(span.to);
        if span.from.as_nanos() >= self.latest.begin {
            self.buckets[self.latest.index].hold(which, span);
        } else {
            self.split(which, span);
        }
    }

    #[inline(never)]
    fn split(&mut self, which: Followed, span: Span) {
        let mut from = span.from;
        while from < span.to {
            let index = from.as_nanos() / self.width;
            let border = Instant::from_nanos((index + 1).saturating_mul(self.width));
            let part = Span { from, to: span.to.min(border), value: span.value };
            self.buckets[index as usize].hold(which, part);
            from = part.to;
        }
    }

    /// A level reached `value` at `now`.
    pub fn peak(&mut self, which: Followed, now: Instant, value: u64) {
        self.at(now).peak(which, value);
    }

    /// Ends the series at `end`: what happened at that very instant belongs to the stretch before it.
    pub fn finish(&mut self, end: Instant) {
        self.at(end);
        if end > Instant::ZERO && end.as_nanos().is_multiple_of(self.width) {
            let last = self.buckets.pop().unwrap_or_default();
            if let Some(before) = self.buckets.last_mut() {
                before.absorb(&last);
            }
        }
    }

    /// Adds another run's series.
    pub fn merge(&mut self, other: &Self) {
        if other.width < self.width {
            let mut other = other.clone();
            while other.width < self.width {
                other.coarsen();
            }
            return self.merge(&other);
        }
        while self.width < other.width {
            self.coarsen();
        }
        if self.buckets.len() < other.buckets.len() {
            self.buckets.resize_with(other.buckets.len(), Bucket::default);
        }
        self.buckets.iter_mut().zip(&other.buckets).for_each(|(a, b)| a.absorb(b));
    }

    /// The rows of a run, or of `replications` merged runs, that ended at `end`.
    pub fn rows(&self, end: Instant, replications: u32) -> Vec<TimelineRow> {
        let row = |(i, bucket): (usize, &Bucket)| {
            let begin = Instant::from_nanos(i as u64 * self.width);
            bucket.row(begin, Duration::from_nanos(self.width.min(end.since(begin).as_nanos())), replications)
        };
        self.buckets.iter().enumerate().map(row).collect()
    }

    /// Doubles the width: bucket i becomes what 2i and 2i + 1 were.
    fn coarsen(&mut self) {
        self.width = self.width.saturating_mul(2);
        self.latest = Latest::default();
        let halved = self.buckets.len().div_ceil(2);
        for i in 0..halved {
            let mut pair = std::mem::take(&mut self.buckets[2 * i]);
            if let Some(second) = self.buckets.get(2 * i + 1) {
                pair.absorb(second);
            }
            self.buckets[i] = pair;
        }
        self.buckets.truncate(halved);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::level::Level;
    use proptest::prelude::*;

    fn secs(s: u64) -> Instant {
        Instant::ZERO + Duration::from_secs(s)
    }

    #[test]
    fn widths_are_round_and_cover_the_run() {
        for (horizon, width) in
            [(60, "500ms"), (240, "1s"), (241, "2s"), (600, "5s"), (3_600, "15s"), (86_400, "10m")]
        {
            assert_eq!(Series::new(secs(horizon)).width().to_string(), width, "{horizon} s");
        }
        assert_eq!(Series::new(Instant::NEVER).width(), Duration::from_secs(1));
        assert_eq!(Series::new(Instant::from_nanos(1)).width(), Duration::from_millis(1));
    }

    #[test]
    fn a_run_of_exactly_its_horizon_does_not_coarsen() {
        let mut series = Series::new(secs(240));
        series.at(secs(239)).wanted += 1;
        series.at(secs(240)).wanted += 1;
        series.finish(secs(240));
        let rows = series.rows(secs(240), 2);
        assert_eq!(rows.len(), 240);
        assert!((rows[239].wanted - 1.0).abs() < 1e-9, "two events in two replications");
    }

    #[test]
    fn the_last_row_is_as_short_as_the_run() {
        let mut series = Series::new(secs(600));
        series.hold(Followed::Sessions, Span { from: secs(0), to: secs(7), value: 3 });
        series.finish(secs(7));
        let rows = series.rows(secs(7), 1);
        assert_eq!(rows.len(), 2);
        assert!((rows[1].width_s - 2.0).abs() < 1e-9);
        assert!((rows[1].sessions_mean - 3.0).abs() < 1e-9);
    }

    #[test]
    fn series_of_different_widths_merge_at_the_wider() {
        let (mut fine, mut coarse) =
            (Series::with_width(Duration::from_secs(1)), Series::with_width(Duration::from_secs(4)));
        fine.at(secs(5)).wanted += 1;
        coarse.at(secs(6)).wanted += 1;
        let (mut left, mut right) = (fine.clone(), coarse.clone());
        left.merge(&coarse);
        right.merge(&fine);
        assert_eq!(left, right);
        assert_eq!(left.buckets[1].wanted, 2);
    }

    proptest! {
        /// Whatever the changes: the parts add up to the whole, and a series that coarsened on its way is the series that
        /// was as coarse from the beginning.
        #[test]
        fn parts_add_up_and_coarsening_equals_direct(steps in prop::collection::vec((0_u64..40_000, any::<bool>()), 1..60)) {
            let mut level = Level::new(Instant::ZERO);
            let mut fine = Series::with_width(Duration::from_nanos(100));
            let mut now = Instant::ZERO;
            let mut spans = Vec::new();
            for (gap, up) in steps {
                now += Duration::from_nanos(gap);
                let span = if up { level.rise(now) } else { level.fall(now) };
                fine.hold(Followed::Connections, span);
                fine.peak(Followed::Connections, now, level.value());
                spans.push((span, now, level.value()));
            }
            let total: u128 = fine.buckets.iter().map(|b| b.integral_ns(Followed::Connections)).sum();
            prop_assert_eq!(total, level.integral_ns());
            prop_assert_eq!(fine.buckets.iter().map(|b| b.max(Followed::Connections)).max(), Some(level.max()));
            prop_assert!(fine.buckets.len() <= BUCKETS + 1);
            let mut direct = Series::with_width(fine.width());
            for (span, now, value) in spans {
                direct.hold(Followed::Connections, span);
                direct.peak(Followed::Connections, now, value);
            }
            prop_assert_eq!(fine, direct);
        }
    }
}
