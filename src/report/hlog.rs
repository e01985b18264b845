//! `latency.hlog`: every latency as an `HdrHistogram` interval log, for the tools that read those.
//!
//! It knows no wall clock: the one interval begins at 0 and is as long as the run. Recorded values are nanoseconds; the
//! maximum that stands in plain text on each line is in seconds.

use std::time::Duration as StdDuration;

use hdrhistogram::Histogram;
use hdrhistogram::serialization::V2DeflateSerializer;
use hdrhistogram::serialization::interval_log::{IntervalLogWriterBuilder, Tag};

use crate::observe::Latency;

/// The bytes of `latency.hlog`: a line for each latency, tagged with its name. Histograms hold nanoseconds.
pub fn hlog(latencies: &[(Latency, Histogram<u64>)], duration_s: f64) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut serializer = V2DeflateSerializer::new();
    let duration = StdDuration::try_from_secs_f64(duration_s).unwrap_or_default();
    // Writing into memory cannot fail, and neither can the deflation of a histogram that exists.
    if let Ok(mut log) = IntervalLogWriterBuilder::new()
        .add_comment("[Histogram log format version 1.3]")
        .add_comment("ftp421: recorded values are nanoseconds, Interval_Max is in seconds")
        .with_max_value_divisor(1e9)
        .begin_log_with(&mut bytes, &mut serializer)
    {
        for (latency, histogram) in latencies {
            let written =
                log.write_histogram(histogram, StdDuration::ZERO, duration, Tag::new(latency.name()));
            debug_assert!(written.is_ok(), "{latency}: {written:?}");
        }
    }
    bytes
}
