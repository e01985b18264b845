//! The page itself: which numbers it has, by which names, and what each means.
//!
//! How it is spelt is `prometheus-client`'s business; what is counted, the meter's.

use std::fmt::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, NoLabelSet, text};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::{Registry, Unit};

use super::meter::{BOUNDS, Histogram, Meter, Side, read};
use crate::observe::Latency;

/// The page as it is now, in the text format of OpenMetrics 1.0.0.
pub fn page(meter: &Arc<Meter>) -> String {
    let mut registry = Registry::with_prefix("ftp421");
    registry.register_collector(Box::new(Arc::clone(meter)));
    let mut page = String::new();
    let _ = text::encode(&mut page, &registry); // a `String` takes whatever is written to it
    page
}

impl Collector for Meter {
    fn encode(&self, encoder: DescriptorEncoder) -> Result<(), Error> {
        let mut sheet = Sheet(encoder);
        sheet.info("build", "This program, and the profile of the server", &self.facts())?;
        self.write_who_is_there(&mut sheet)?;
        self.write_refusals(&mut sheet)?;
        self.write_transfers(&mut sheet)?;
        self.write_times(&mut sheet)
    }
}

impl Meter {
    fn facts(&self) -> Vec<(&'static str, &str)> {
        let mut facts = vec![("version", env!("CARGO_PKG_VERSION"))];
        if !self.profile.is_empty() {
            facts.push(("profile", &self.profile));
        }
        facts
    }

    fn write_who_is_there(&self, sheet: &mut Sheet) -> Result<(), Error> {
        sheet.gauge("open_connections", "Control connections that are open", &self.connections)?;
        sheet.gauge("open_sessions", "Logged-in sessions that are open", &self.sessions)?;
        sheet.count("connections", "Control connections that were opened", read(&self.accepted))?;
        sheet.count("sessions", "Logins that succeeded", read(&self.logged_in))
    }

    fn write_refusals(&self, sheet: &mut Sheet) -> Result<(), Error> {
        let attempts = self.attempts().map(|(class, count)| ([("class", class.name())], count));
        sheet.counts(
            "attempts",
            "Attempts that have ended or were let in, by what became of them",
            attempts,
        )?;
        let refusals = self.refusals().map(|(cause, phase, code, count)| {
            ([("cause", cause.name()), ("phase", phase.name()), ("code", code)], count)
        });
        sheet.counts("refusals", "Refusals that ended an attempt, a session or a transfer", refusals)?;
        let cut = self.cut().map(|(cause, count)| ([("cause", cause.name())], count));
        sheet.counts("cut", "Logged-in sessions that the server ended", cut)?;
        if self.side == Side::Server {
            sheet.count("bans", "Bans that have begun", read(&self.bans))?;
        }
        Ok(())
    }

    fn write_transfers(&self, sheet: &mut Sheet) -> Result<(), Error> {
        sheet.count("transfers", "Transfers that were completed, lists among them", read(&self.transfers))?;
        let failed = self.failed().map(|(code, count)| ([("code", code)], count));
        sheet.counts("transfers_failed", "Transfers that failed while their session went on", failed)?;
        let moved = read(&self.bytes);
        let unit = Unit::Bytes;
        let help = "Bytes of completed transfers";
        sheet
            .0
            .encode_descriptor("transferred", help, Some(&unit), MetricType::Counter)?
            .encode_counter::<NoLabelSet, _, f64>(&moved, None)
    }

    fn write_times(&self, sheet: &mut Sheet) -> Result<(), Error> {
        let mut times = vec![
            ("greeting", "From the connection to the 220", Latency::Greeting),
            ("login", "From USER to the 230", Latency::Login),
            ("command", "From a command to its last reply, transfers aside", Latency::Command),
            ("transfer", "From the command of a transfer to its last reply", Latency::Transfer),
        ];
        if self.side == Side::Clients {
            times.insert(0, ("connect", "From the SYN to the connection", Latency::Connect));
        }
        for (name, help, what) in times {
            sheet.histogram(name, help, self.timing(what))?;
        }
        if self.side == Side::Clients {
            let help = "How much of each of those times was the load generator's own delay";
            sheet.histogram("generator_late", help, &self.late)?;
        }
        Ok(())
    }
}

/// What is being written.
struct Sheet<'a>(DescriptorEncoder<'a>);

impl Sheet<'_> {
    fn info(&mut self, name: &str, help: &str, facts: &Vec<(&'static str, &str)>) -> Result<(), Error> {
        self.0.encode_descriptor(name, help, None, MetricType::Info)?.encode_info(facts)
    }

    fn gauge(&mut self, name: &str, help: &str, value: &AtomicI64) -> Result<(), Error> {
        let value = value.load(Ordering::Relaxed).max(0);
        self.0.encode_descriptor(name, help, None, MetricType::Gauge)?.encode_gauge(&value)
    }

    fn count(&mut self, name: &str, help: &str, value: u64) -> Result<(), Error> {
        let mut metric = self.0.encode_descriptor(name, help, None, MetricType::Counter)?;
        metric.encode_counter::<NoLabelSet, _, f64>(&value, None)
    }

    fn counts<L: EncodeLabelSet>(
        &mut self,
        name: &str,
        help: &str,
        values: impl Iterator<Item = (L, u64)>,
    ) -> Result<(), Error> {
        let mut metric = self.0.encode_descriptor(name, help, None, MetricType::Counter)?;
        for (labels, value) in values {
            metric.encode_family(&labels)?.encode_counter::<NoLabelSet, _, f64>(&value, None)?;
        }
        Ok(())
    }

    fn histogram(&mut self, name: &str, help: &str, times: &Histogram) -> Result<(), Error> {
        let (counts, sum) = times.read();
        let ends = BOUNDS.iter().map(|ns| *ns as f64 / 1e9).chain([f64::INFINITY]);
        let buckets: Vec<(f64, u64)> = ends.zip(counts.iter().copied()).collect();
        let unit = Unit::Seconds;
        let mut metric = self.0.encode_descriptor(name, help, Some(&unit), MetricType::Histogram)?;
        metric.encode_histogram::<NoLabelSet>(sum, counts.iter().sum(), &buckets, None)
    }
}
