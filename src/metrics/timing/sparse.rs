//! How a [`Timing`] is written down: only the counters that are not zero, in order.
//!
//! It is not the interchange format of histograms: that is `latency.hlog`.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{TOP, Timing};

/// The same bytes for the same lengths, in whatever order and by however many recorders they were counted.
#[derive(Serialize, Deserialize)]
struct Written {
    /// The least length of each counter, nanoseconds, ascending, and what it counts.
    counts: Vec<(u64, u64)>,
    sum: u128,
    min: u64,
    max: u64,
    censored: u64,
}

impl Serialize for Timing {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let whole = self.settled();
        let counts = whole.histogram.iter().flat_map(|histogram| {
            let recorded = histogram.iter_recorded();
            recorded
                .map(|step| (histogram.lowest_equivalent(step.value_iterated_to()), step.count_at_value()))
        });
        let Self { sum, min, max, censored, .. } = *whole;
        Written { counts: counts.collect(), sum, min, max, censored }.serialize(to)
    }
}

impl<'de> Deserialize<'de> for Timing {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let Written { counts, sum, min, max, censored } = Written::deserialize(from)?;
        let is_sound =
            counts.is_sorted_by(|a, b| a.0 < b.0) && counts.iter().all(|(ns, n)| *ns <= TOP && *n > 0);
        if !is_sound {
            return Err(D::Error::custom("counters out of order"));
        }
        let mut timing = Self { sum, min, max, censored, ..Self::default() };
        for (ns, n) in counts {
            timing.count(ns, n);
        }
        Ok(timing)
    }
}
