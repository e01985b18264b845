//! Lengths of time: a histogram, exact sums, and quantiles that know about those who never came to an end.
//!
//! It does not say which lengths count: warm-up is the recorder's business.

mod sparse;

use std::borrow::Cow;

use hdrhistogram::Histogram;

use super::rounded;
use super::summary::{Quantile, Quantiles};
use crate::time::Duration;

/// The finest difference that the histogram tells: 1 us, in nanoseconds.
const LOW: u64 = 1_000;
/// What is longer is counted as this: 24 h, in nanoseconds.
const HIGH: u64 = 86_400_000_000_000;
/// What the counters of such a histogram reach to. Between `HIGH` and this it still tells the truth.
const TOP: u64 = (1 << 47) - 1;
/// Significant digits.
const DIGITS: u8 = 3;

/// The quantiles that are always told, in millionths.
const TOLD: [u32; 11] =
    [0, 100_000, 250_000, 500_000, 750_000, 900_000, 950_000, 990_000, 999_000, 999_900, 1_000_000];

/// Lengths of one kind, in nanoseconds.
///
/// Its counters are there up to the greatest length so far, and none before the first: 16 KiB up to 1 ms, 8 KiB more each time that
/// doubles, 232 KiB in the end, whatever is recorded. A study has many recorders in turn, and most of their lengths are short.
#[derive(Clone, Debug)]
pub struct Timing {
    histogram: Option<Histogram<u64>>,
    sum: u128,
    min: u64,
    max: u64,
    censored: u64,
    /// The length that came last, and how often in a row: these are not entered yet. Over a smooth way most lengths are those of whole
    /// round trips, and alike.
    latest: (u64, u64),
}

impl PartialEq for Timing {
    fn eq(&self, other: &Self) -> bool {
        let parts = |own: &Self| (own.sum, own.min, own.max, own.censored);
        let (own, other) = (self.settled(), other.settled());
        own.histogram == other.histogram && parts(&own) == parts(&other)
    }
}

impl Default for Timing {
    fn default() -> Self {
        Self { histogram: None, sum: 0, min: u64::MAX, max: 0, censored: 0, latest: (0, 0) }
    }
}

/// A histogram that grows with what is recorded.
fn growing() -> Histogram<u64> {
    let mut histogram = Histogram::new_with_bounds(LOW, 2 * LOW, DIGITS).expect("these bounds are valid");
    histogram.auto(true);
    histogram
}

impl Timing {
    /// Records a length.
    #[inline]
    pub fn record(&mut self, length: Duration) {
        let ns = length.as_nanos();
        if ns != self.latest.0 {
            self.settle();
            self.latest.0 = ns;
        }
        self.latest.1 += 1;
    }

    /// Enters what came last.
    pub(super) fn settle(&mut self) {
        let (ns, count) = self.latest;
        if count == 0 {
            return;
        }
        self.latest.1 = 0;
        self.count(if ns <= TOP { ns } else { HIGH }, count);
        self.sum += u128::from(ns) * u128::from(count);
        self.min = self.min.min(ns);
        self.max = self.max.max(ns);
    }

    /// The same with all entered.
    fn settled(&self) -> Cow<'_, Self> {
        let mut whole = Cow::Borrowed(self);
        if self.latest.1 > 0 {
            whole.to_mut().settle();
        }
        whole
    }

    fn count(&mut self, ns: u64, count: u64) {
        let histogram = self.histogram.get_or_insert_with(growing);
        histogram.record_n(ns, count).expect("it grows as far as it must");
    }

    /// Counts a length that never came to its end.
    pub fn censor(&mut self) {
        self.censored += 1;
    }

    /// Adds another run's lengths.
    ///
    /// # Panics
    /// Never: a histogram grows as far as it must.
    pub fn merge(&mut self, other: &Self) {
        self.settle();
        let other = other.settled();
        match (&mut self.histogram, &other.histogram) {
            (Some(own), Some(other)) => own.add(other).expect("it grows as far as it must"),
            (own @ None, Some(other)) => *own = Some(other.clone()),
            (_, None) => {}
        }
        self.sum += other.sum;
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
        self.censored += other.censored;
    }

    /// The histogram, in nanoseconds: 3 significant digits, 1 us to 24 h.
    ///
    /// # Panics
    /// Never: the bounds are valid, and nothing that is recorded lies beyond them.
    pub fn histogram(&self) -> Histogram<u64> {
        let mut whole = Histogram::new_with_bounds(LOW, HIGH, DIGITS).expect("these bounds are valid");
        let own = self.settled();
        own.histogram.iter().for_each(|own| whole.add(own).expect("nothing lies beyond the bounds"));
        whole
    }

    /// How many lengths were recorded.
    pub fn recorded(&self) -> u64 {
        self.histogram.as_ref().map_or(0, Histogram::len) + self.latest.1
    }

    /// The bytes that its counters take.
    pub fn size(&self) -> usize {
        self.histogram.as_ref().map_or(0, |own| own.distinct_values() * size_of::<u64>())
    }

    /// The usual quantiles, those of a percentile plot as far as the number of lengths supports them, and `extra` ones.
    pub fn quantiles(&self, extra: &[f64]) -> Quantiles {
        let own = self.settled();
        let count = own.recorded();
        let any = count > 0;
        let seconds = |ns: f64| rounded(ns / 1e9);
        Quantiles {
            count,
            censored: own.censored,
            mean_s: any.then(|| seconds(own.sum as f64 / count as f64)),
            min_s: any.then(|| seconds(own.min as f64)),
            max_s: any.then(|| seconds(own.max as f64)),
            quantiles: own.at(&shares(count + own.censored, extra)),
        }
    }

    /// The quantiles `shares` (ascending) of what is settled. The q-quantile of n lengths is the ceil(q n)-th least, the least for q = 0;
    /// the censored are greater than all that were recorded.
    fn at(&self, shares: &[f64]) -> Vec<Quantile> {
        let total = self.recorded() + self.censored;
        let mut recorded = self.histogram.iter().flat_map(Histogram::iter_recorded).peekable();
        let mut below = 0;
        let mut quantile = |q: f64| {
            // q n is rounded before it is raised: 0.999 x 1000 must not become 1000 through the last bit of 0.999.
            let rank = ((q * total as f64 * (1.0 - 1e-12)).ceil() as u64).max(1);
            while let Some(step) = recorded.next_if(|step| below + step.count_since_last_iteration() < rank) {
                below += step.count_since_last_iteration();
            }
            let ns = match recorded.peek() {
                Some(_) if q <= 0.0 => self.min,
                Some(step) => step.value_iterated_to().clamp(self.min, self.max),
                None => self.max,
            };
            Quantile { q, s: rounded(ns as f64 / 1e9), above: rank > self.recorded() }
        };
        shares.iter().map(|q| quantile(*q)).collect()
    }
}

/// Which quantiles of `total` lengths are told, ascending.
fn shares(total: u64, extra: &[f64]) -> Vec<f64> {
    if total == 0 {
        return Vec::new();
    }
    // Ten steps in each decade of the tail: 1 - 0.9, 1 - 0.8, .. 1 - 0.09, .. down to 1 - 0.00001, in millionths.
    let tails = [100_000, 10_000, 1_000, 100, 10].into_iter().flat_map(|decade| {
        [90, 80, 70, 60, 50, 40, 30, 20, 15, 10].into_iter().map(move |tenths| decade * tenths / 10)
    });
    let supported = tails.filter(|tail| u64::from(*tail) * total >= 1_000_000);
    let told =
        supported.map(|tail| 1_000_000 - tail).chain(TOLD).map(|millionths| f64::from(millionths) / 1e6);
    let mut shares: Vec<f64> = told.chain(extra.iter().copied()).collect();
    shares.sort_by(f64::total_cmp);
    shares.dedup();
    shares
}

#[cfg(test)]
mod tests {
    use super::*;

    fn timing(ms: impl IntoIterator<Item = u64>, censored: u64) -> Timing {
        let mut timing = Timing::default();
        ms.into_iter().for_each(|ms| timing.record(Duration::from_millis(ms)));
        (0..censored).for_each(|_| timing.censor());
        timing
    }

    fn quantile(q: f64, of: &Timing) -> (f64, bool) {
        let found = of.quantiles(&[q]).quantiles.into_iter().find(|x| x.q.to_bits() == q.to_bits()).unwrap();
        (found.s, found.above)
    }

    /// Equal up to the three digits of the histogram.
    fn near(got: f64, expected: f64) -> bool {
        (got - expected).abs() <= expected * 1e-3
    }

    #[test]
    fn quantiles_are_ranks() {
        let timing = timing(1..=1_000, 0);
        for (q, s) in
            [(0.0, 0.001), (0.5, 0.5), (0.9, 0.9), (0.99, 0.99), (0.999, 0.999), (1.0, 1.0), (0.1234, 0.124)]
        {
            let (got, above) = quantile(q, &timing);
            assert!(near(got, s) && !above, "{q}: {got}");
        }
        let told = timing.quantiles(&[]);
        assert_eq!(
            (told.count, told.min_s, told.max_s, told.mean_s),
            (1_000, Some(0.001), Some(1.0), Some(0.5005))
        );
    }

    #[test]
    fn a_quantile_among_the_censored_is_above_all_that_was_recorded() {
        let timing = timing(1..=90, 10);
        assert!(near(quantile(0.9, &timing).0, 0.09) && !quantile(0.9, &timing).1);
        assert_eq!(quantile(0.91, &timing), (0.09, true));
        assert_eq!(quantile(1.0, &timing), (0.09, true));
    }

    #[test]
    fn nothing_recorded_has_no_quantiles() {
        assert_eq!(timing([], 0).quantiles(&[0.5]), Quantiles::default());
        assert_eq!(quantile(0.5, &timing([], 3)), (0.0, true));
    }

    #[test]
    fn the_tail_goes_as_far_as_the_count_supports() {
        assert!(shares(100, &[]).iter().all(|q| *q <= 0.99 || [0.999, 0.9999, 1.0].contains(q)));
        assert!(shares(100_000, &[]).contains(&0.999_99));
        assert!(shares(1_000_000, &[]).is_sorted());
    }

    #[test]
    fn a_length_counts_as_often_as_it_came_in_whatever_order() {
        let (rows, mixed) = (timing([5, 5, 5, 9, 9, 7], 0), timing([5, 9, 5, 7, 9, 5], 0));
        assert_eq!((rows.recorded(), mixed.recorded()), (6, 6));
        assert_eq!(rows, mixed);
        assert_eq!(rows.quantiles(&[]), mixed.quantiles(&[]));
        assert_ne!(rows, timing([5, 5, 5, 9, 7], 0));
    }

    #[test]
    fn merging_is_recording_both() {
        let mut left = timing([5, 7], 1);
        left.merge(&timing([1, 9, 100_000_000_000], 2));
        assert_eq!(left, timing([5, 7, 1, 9, 100_000_000_000], 3));
    }
}
