//! Reading a distribution: a text for a constant, or a table.
//!
//! It draws nothing.

use super::reader::{Read, Reader};
use super::value::Value;
use crate::dist::Dist;
use crate::time::Duration;

/// What comes again and again waits so long between, or time would stand still.
const SHORTEST_PAUSE: Duration = Duration::from_millis(1);

/// How one number of a distribution is read: a time in nanoseconds, or a size in bytes.
type Unit = for<'a> fn(Value<'a>) -> Read<u64>;

#[derive(Clone, Copy)]
enum Kind {
    Uniform,
    Exponential,
    Lognormal,
    Pareto,
    Weibull,
    Empirical,
}

const KINDS: [(&str, Kind); 6] = [
    ("uniform", Kind::Uniform),
    ("exponential", Kind::Exponential),
    ("lognormal", Kind::Lognormal),
    ("pareto", Kind::Pareto),
    ("weibull", Kind::Weibull),
    ("empirical", Kind::Empirical),
];

impl Value<'_> {
    /// A distribution of times.
    pub fn times(&self) -> Read<Dist> {
        self.distribution(|value| value.duration().map(Duration::as_nanos))
    }

    /// A distribution of times whose mean is at least [`SHORTEST_PAUSE`].
    pub fn pauses(&self) -> Read<Dist> {
        let dist = self.times()?;
        if dist.mean() < SHORTEST_PAUSE.as_nanos() as f64 {
            return Err(self.wrong("is too short", format!("write {SHORTEST_PAUSE} or more")));
        }
        Ok(dist)
    }

    /// A time of at least [`SHORTEST_PAUSE`].
    pub fn pause(&self) -> Read<Duration> {
        let pause = self.duration()?;
        if pause < SHORTEST_PAUSE {
            return Err(self.wrong("is too short", format!("write {SHORTEST_PAUSE} or more")));
        }
        Ok(pause)
    }

    /// A distribution of sizes.
    pub fn sizes(&self) -> Read<Dist> {
        self.distribution(|value| value.size())
    }

    fn distribution(&self, unit: Unit) -> Read<Dist> {
        if !self.is_table() {
            return unit(*self).map(Dist::Constant);
        }
        let mut table = self.table("the distribution")?;
        let kind = table.require("dist", "dist = \"exponential\"", |v| v.one_of(&KINDS))?;
        let dist = read_kind(kind, &mut table, unit)?;
        table.finish()?;
        Ok(dist)
    }
}

fn read_kind(kind: Kind, table: &mut Reader<'_>, unit: Unit) -> Read<Dist> {
    Ok(match kind {
        Kind::Uniform => uniform(table, unit)?,
        Kind::Exponential => Dist::Exponential { mean: mean(table, unit)? },
        Kind::Lognormal => {
            Dist::lognormal(mean(table, unit)?, table.require("cv", "cv = 1.0", |v| v.number(0.001, 100.0))?)
        }
        Kind::Pareto => Dist::pareto(
            mean(table, unit)?,
            table.require("shape", "shape = 2.5", |v| v.number(1.01, 1_000.0))?,
        ),
        Kind::Weibull => Dist::weibull(
            mean(table, unit)?,
            table.require("shape", "shape = 0.7", |v| v.number(0.1, 100.0))?,
        ),
        Kind::Empirical => {
            Dist::Empirical(table.require("values", "a list of values", |v| empirical(v, unit))?)
        }
    })
}

fn mean(table: &mut Reader<'_>, unit: Unit) -> Read<f64> {
    table.require("mean", "a mean", |v| match unit(v)? {
        0 => Err(v.wrong("is no mean", "the mean of a distribution is above zero")),
        mean => Ok(mean as f64),
    })
}

fn uniform(table: &mut Reader<'_>, unit: Unit) -> Read<Dist> {
    let low = table.require("low", "the least value", unit)?;
    let high = table.require("high", "the greatest value", |v| match unit(v)? {
        high if high < low => Err(v.wrong("is below low", "write low <= high")),
        high => Ok(high),
    })?;
    Ok(Dist::Uniform { low, high })
}

fn empirical(value: Value<'_>, unit: Unit) -> Read<Box<[u64]>> {
    let values = value.list(10_000)?;
    if values.is_empty() {
        return Err(value.wrong("is empty", "write at least one value"));
    }
    values.into_iter().map(unit).collect()
}
