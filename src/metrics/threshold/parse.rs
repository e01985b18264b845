//! From a text to a [`Threshold`], or to the first thing that is wrong with it.
//!
//! It looks at no result.

use super::scan::{Piece, Scanner, problem, unknown};
use super::{Estimated, Filter, Level, OfTimes, Op, Quantity, Threshold, ThresholdProblem, Total};
use crate::metrics::refusals::Ended;
use crate::observe::{Cause, Latency, Phase};
use crate::time::Duration;

/// What a metric's name stands for.
#[derive(Clone, Copy)]
enum Metric {
    Probability(Estimated),
    Value(Estimated),
    Total(Total),
    Unserved,
    Refusals(Ended),
    Level(Level),
    Time(Latency),
}

const METRICS: [(&str, Metric); 28] = [
    ("refused_first", Metric::Probability(Estimated::RefusedFirst)),
    ("refused_attempt", Metric::Probability(Estimated::RefusedAttempt)),
    ("unserved", Metric::Unserved),
    ("refused", Metric::Refusals(Ended::TurnedAway)),
    ("cut", Metric::Refusals(Ended::Cut)),
    ("login_failed", Metric::Refusals(Ended::LoginFailed)),
    ("network", Metric::Refusals(Ended::Network)),
    ("transfer_failed", Metric::Refusals(Ended::Transfer)),
    ("amplification", Metric::Value(Estimated::Amplification)),
    ("offered_erlangs", Metric::Value(Estimated::OfferedErlangs)),
    ("carried_erlangs", Metric::Value(Estimated::CarriedErlangs)),
    ("connections", Metric::Level(Level::Connections)),
    ("sessions", Metric::Level(Level::Sessions)),
    ("time_to_service", Metric::Time(Latency::TimeToService)),
    ("connect", Metric::Time(Latency::Connect)),
    ("greeting", Metric::Time(Latency::Greeting)),
    ("login", Metric::Time(Latency::Login)),
    ("command", Metric::Time(Latency::Command)),
    ("transfer", Metric::Time(Latency::Transfer)),
    ("wanted", Metric::Total(Total::Wanted)),
    ("attempts", Metric::Total(Total::Attempts)),
    ("admitted", Metric::Total(Total::Admitted)),
    ("abandoned", Metric::Total(Total::Abandoned)),
    ("completed", Metric::Total(Total::Completed)),
    ("lost", Metric::Total(Total::Lost)),
    ("ghosts", Metric::Total(Total::Ghosts)),
    ("retries", Metric::Total(Total::Retries)),
    ("open_at_end", Metric::Total(Total::OpenAtEnd)),
];

/// Two characters first, since each begins like a shorter one.
const OPS: [(&str, Op); 6] = [
    ("<=", Op::AtMost),
    (">=", Op::AtLeast),
    ("==", Op::Equal),
    ("!=", Op::Unequal),
    ("<", Op::Below),
    (">", Op::Above),
];

impl Metric {
    fn aggregates(self) -> &'static [&'static str] {
        match self {
            Self::Probability(_) => &["rate"],
            Self::Value(_) => &["value"],
            Self::Total(_) | Self::Refusals(Ended::Network) => &["count"],
            Self::Unserved | Self::Refusals(_) => &["rate", "count"],
            Self::Level(_) => &["avg", "max"],
            Self::Time(_) => &["p(..)", "med", "avg", "min", "max"],
        }
    }
}

impl Threshold {
    /// Parses `text`.
    ///
    /// # Errors
    /// The first thing that is wrong, and its place.
    pub fn parse(text: &str) -> Result<Self, ThresholdProblem> {
        let mut scanner = Scanner::new(text);
        let begin = scanner.at();
        let mut name = scanner.word();
        let by_interval = name.text == "ci" && scanner.skip("(");
        if by_interval {
            name = scanner.word();
        }
        let quantity = quantity(&mut scanner, name)?;
        if by_interval {
            scanner.expect(")", "the quantity inside `ci(`")?;
            if !matches!(quantity, Quantity::Estimate(_)) {
                let why = "only an estimate has an interval: refused_first rate, refused_attempt rate, unserved rate, \
                           amplification value, offered_erlangs value, carried_erlangs value";
                return Err(problem(name.at, why));
            }
        }
        let op = comparison(&mut scanner)?;
        if by_interval && op.greater_is_worse().is_none() {
            return Err(problem(
                begin,
                "ci(..) needs one of <, <=, >, >=: an interval is not equal to a number",
            ));
        }
        let bound = bound(scanner.remainder(), quantity)?;
        Ok(Self { text: text.trim().to_owned(), quantity, by_interval, op, bound })
    }
}

fn quantity(scanner: &mut Scanner<'_>, name: Piece<'_>) -> Result<Quantity, ThresholdProblem> {
    let known = METRICS.iter().find(|(word, _)| *word == name.text);
    let (_, metric) = known.ok_or_else(|| unknown(name, "metric", METRICS.iter().map(|(word, _)| *word)))?;
    let tags_at = scanner.at();
    let tagged = scanner.skip("{");
    let filter = match metric {
        Metric::Refusals(ended) if tagged => Some(tags(scanner, *ended)?),
        Metric::Refusals(ended) => Some(Filter { ended: *ended, cause: None, phase: None, code: None }),
        _ if tagged => {
            return Err(problem(
                tags_at,
                "only refused, cut, login_failed, transfer_failed and network take tags",
            ));
        }
        _ => None,
    };
    let aggregate = scanner.word();
    let chosen = match (*metric, aggregate.text, filter) {
        (Metric::Probability(e), "rate", _) | (Metric::Value(e), "value", _) => Quantity::Estimate(e),
        (Metric::Unserved, "rate", _) => Quantity::Estimate(Estimated::Unserved),
        (Metric::Unserved, "count", _) => Quantity::Total(Total::Unserved),
        (Metric::Total(total), "count", _) => Quantity::Total(total),
        (_, "count", Some(filter)) => Quantity::Refusals(filter),
        (_, "rate", Some(filter)) if filter.ended != Ended::Network => Quantity::RefusalRate(filter),
        (Metric::Level(level), "avg", _) => Quantity::LevelMean(level),
        (Metric::Level(level), "max", _) => Quantity::LevelMax(level),
        (Metric::Time(what), "avg", _) => Quantity::Time(what, OfTimes::Mean),
        (Metric::Time(what), "min", _) => Quantity::Time(what, OfTimes::Min),
        (Metric::Time(what), "max", _) => Quantity::Time(what, OfTimes::Max),
        (Metric::Time(what), "med", _) => Quantity::Time(what, OfTimes::Quantile(0.5)),
        (Metric::Time(what), "p", _) => Quantity::Time(what, OfTimes::Quantile(percentile(scanner)?)),
        _ => {
            let what = format!("aggregate of {}", name.text);
            return Err(unknown(aggregate, &what, metric.aggregates().iter().copied()));
        }
    };
    Ok(chosen)
}

/// The tags behind an opened brace.
fn tags(scanner: &mut Scanner<'_>, ended: Ended) -> Result<Filter, ThresholdProblem> {
    let mut filter = Filter { ended, cause: None, phase: None, code: None };
    loop {
        let tag = scanner.word();
        scanner.expect("=", "the tag")?;
        let value = scanner.word();
        let stood_there = match tag.text {
            "cause" => filter.cause.replace(cause(value)?).is_some(),
            "phase" => filter.phase.replace(phase(value)?).is_some(),
            "code" => filter.code.replace(code(value)?).is_some(),
            _ => return Err(unknown(tag, "tag", ["cause", "phase", "code"].into_iter())),
        };
        if stood_there {
            return Err(problem(tag.at, format!("the tag `{}` stands there twice", tag.text)));
        }
        if !scanner.skip(",") {
            scanner.expect("}", "the tags")?;
            return Ok(filter);
        }
    }
}

fn cause(value: Piece<'_>) -> Result<Cause, ThresholdProblem> {
    Cause::from_name(value.text).ok_or_else(|| unknown(value, "cause", Cause::ALL.iter().map(|c| c.name())))
}

fn phase(value: Piece<'_>) -> Result<Phase, ThresholdProblem> {
    Phase::from_name(value.text).ok_or_else(|| unknown(value, "phase", Phase::ALL.iter().map(|p| p.name())))
}

fn code(value: Piece<'_>) -> Result<u16, ThresholdProblem> {
    let code = value.text.parse().ok().filter(|code| *code == 0 || (100..600).contains(code));
    code.ok_or_else(|| problem(value.at, "a code has three digits, such as 421; 0 is no reply"))
}

/// The share behind `p`: `(99.9)` is 0.999.
fn percentile(scanner: &mut Scanner<'_>) -> Result<f64, ThresholdProblem> {
    scanner.expect("(", "`p`")?;
    let digits = scanner.take(|c| c.is_ascii_digit() || c == '.');
    scanner.expect(")", "the percentage of `p(`")?;
    // Shifted as text: 99.9 / 100 is not 0.999 in binary.
    let share = format!("{}e-2", digits.text).parse().ok().filter(|share| (0.0..=1.0).contains(share));
    share
        .ok_or_else(|| problem(digits.at, "p(..) takes a percentage from 0 to 100, such as p(99) or p(99.9)"))
}

fn comparison(scanner: &mut Scanner<'_>) -> Result<Op, ThresholdProblem> {
    let found = OPS.iter().find(|(token, _)| scanner.skip(token)).map(|(_, op)| *op);
    found.ok_or_else(|| problem(scanner.at(), "expected a comparison: <, <=, >, >=, == or !="))
}

/// The number behind the comparison, in seconds where `quantity` is a time.
fn bound(text: Piece<'_>, quantity: Quantity) -> Result<f64, ThresholdProblem> {
    if let Quantity::Time(..) = quantity {
        return Duration::parse(text.text).map(Duration::as_secs_f64).map_err(|why| problem(text.at, why));
    }
    let is_share = matches!(
        quantity,
        Quantity::RefusalRate(_)
            | Quantity::Estimate(Estimated::RefusedFirst | Estimated::RefusedAttempt | Estimated::Unserved)
    );
    let percent = text.text.strip_suffix('%').filter(|_| is_share);
    let digits = percent.map_or(text.text, str::trim_end);
    let plain = digits.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        && digits.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | 'e' | 'E' | '-' | '+'));
    let number = match percent {
        // Shifted as text: 4.1 / 100 is not 0.041 in binary.
        Some(_) if !digits.contains(['e', 'E']) => format!("{digits}e-2").parse(),
        Some(_) => digits.parse().map(|n: f64| n / 100.0),
        None => digits.parse(),
    };
    let number = number.ok().filter(|n: &f64| plain && n.is_finite());
    if is_share && number.is_some_and(|n| n > 1.0) {
        return Err(problem(text.at, "a rate lies between 0 and 1; write 5% or 0.05"));
    }
    number.ok_or_else(|| {
        problem(
            text.at,
            if is_share { "expected a rate, such as 0.01 or 1%" } else { "expected a number, such as 10" },
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What an error message offers must be accepted.
    #[test]
    fn every_aggregate_that_is_offered_is_understood() {
        for (name, metric) in METRICS {
            for aggregate in metric.aggregates() {
                let bound = if matches!(metric, Metric::Time(_)) { "1s" } else { "1" };
                let text = format!("{name} {} < {bound}", aggregate.replace("..", "99"));
                assert!(Threshold::parse(&text).is_ok(), "{text}");
            }
        }
    }
}
