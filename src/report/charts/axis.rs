//! Axes: where a value lies between the ends, and which round values are marked.
//!
//! It draws nothing. Every axis is finite and has at least two ends, whatever the data are.

use crate::report::words::{seconds, trimmed};

/// No axis goes beyond this; what lies beyond is drawn at its end.
const LIMIT: f64 = 1e15;

/// An axis.
#[derive(Clone, PartialEq, Debug)]
pub struct Axis {
    low: f64,
    high: f64,
    log: bool,
    /// The marked values, rising.
    pub ticks: Vec<Tick>,
    /// What is measured, with its unit.
    pub title: String,
}

/// A marked value.
#[derive(Clone, PartialEq, Debug)]
pub struct Tick {
    /// The value.
    pub at: f64,
    /// Its words.
    pub label: String,
}

impl Axis {
    /// From 0 to at least `high`, in counts.
    pub fn counts(high: f64, title: &str) -> Self {
        let high = if tame(high) > 0.0 { tame(high).max(1e-6) } else { 1.0 };
        let step = if (high - 1.0).abs() < 1e-9 { 1.0 } else { round_step(high / 6.0) };
        Self::linear(high * 1.04, step, title, |v| quantity(v, step))
    }

    /// From 0 to at least `high`, at most to 1, in percent.
    pub fn shares(high: f64, title: &str) -> Self {
        let high = tame(high).clamp(1e-6, 1.0);
        let step = round_step(high / 6.0);
        Self::linear((high * 1.04).min(1.0), step, title, |v| {
            format!("{} %", decimals(v * 100.0, step * 100.0))
        })
    }

    /// From the beginning of the run to `end_s`, which it does not round up.
    pub fn time(end_s: f64) -> Self {
        let end = if tame(end_s) > 0.0 { tame(end_s).max(1e-6) } else { 1.0 };
        let clock = Clock::of(end);
        let step = clock.step(end);
        let n = (end / step + 1e-9).floor() as u32;
        let ticks = (0..=n)
            .map(|i| f64::from(i) * step)
            .map(|at| Tick { at, label: clock.label(at, step) })
            .collect();
        Self {
            low: 0.0,
            high: end,
            log: false,
            ticks,
            title: format!("time since the run began ({})", clock.unit()),
        }
    }

    /// Lengths of time between `low` and `high` seconds: from 0, or logarithmic if they are far apart.
    pub fn seconds(low: f64, high: f64, title: &str) -> Self {
        let high = if tame(high) > 0.0 { tame(high).max(1e-8) } else { 1.0 };
        let low = tame(low).clamp(1e-9, high);
        if high / low < 30.0 {
            let step = round_step(high / 6.0);
            return Self::linear(high * 1.04, step, title, seconds_exact);
        }
        let (first, last) = (libm::floor(libm::log10(low) + 1e-9), libm::ceil(libm::log10(high) - 1e-9));
        let decades = (first as i32..=last as i32).map(|k| libm::pow(10.0, f64::from(k)));
        let ticks: Vec<Tick> = decades.map(|at| Tick { at, label: seconds_exact(at) }).collect();
        Self {
            low: libm::pow(10.0, first),
            high: libm::pow(10.0, last),
            log: true,
            ticks,
            title: title.to_owned(),
        }
    }

    /// Quantiles spread as in `HdrHistogram`'s plots: a value is `1 / (1 - q)`, so that each further nine takes as much room.
    pub fn nines(high: f64) -> Self {
        let high = tame(high).max(10.0);
        let fixed = [(1.0, "0 %"), (2.0, "50 %"), (4.0, "75 %")]
            .map(|(at, label)| Tick { at, label: label.to_owned() });
        let nines =
            (1..=15_u8).map(|k| (k, libm::pow(10.0, f64::from(k)))).take_while(|(_, at)| *at <= high * 1.001);
        let nines = nines.map(|(k, at)| Tick { at, label: nines_label(k) });
        let title = "share of all, the slowest last (percentile)".to_owned();
        Self { low: 1.0, high, log: true, ticks: fixed.into_iter().chain(nines).collect(), title }
    }

    /// From `low` to `high`, neither of which is rounded, in counts.
    pub fn range(low: f64, high: f64, title: &str) -> Self {
        let low = tame(low);
        let high = tame(high).max(low * (1.0 + 1e-6)).max(low + 1e-6);
        let step = round_step((high - low) / 8.0);
        let first = libm::ceil(low / step - 1e-9);
        let ticks = (0..40)
            .map(|i| (first + f64::from(i)) * step)
            .take_while(|at| *at <= high * (1.0 + 1e-12))
            .map(|at| Tick { at, label: quantity(at, step) })
            .collect();
        Self { low, high, log: false, ticks, title: title.to_owned() }
    }

    /// From the power of ten at or below the least of `values` to that at or above the greatest, logarithmic.
    pub fn decades(values: impl Iterator<Item = f64>, title: &str) -> Self {
        Self::powers(values, &[1.0], title)
    }

    /// The same between 1, 2 and 5 times a power of ten.
    pub fn steps(values: impl Iterator<Item = f64>, title: &str) -> Self {
        Self::powers(values, &[1.0, 2.0, 5.0], title)
    }

    /// Logarithmic, from and to, and marked at, `digits` times powers of ten.
    fn powers(values: impl Iterator<Item = f64>, digits: &[f64], title: &str) -> Self {
        let values = values.map(|v| tame(v).max(1e-9));
        let (low, high) =
            values.fold((f64::INFINITY, 1e-9), |(low, high): (f64, f64), v| (low.min(v), high.max(v)));
        let low = low.min(high);
        let first = libm::floor(libm::log10(low) + 1e-9) as i32;
        let last = libm::ceil(libm::log10(high) - 1e-9) as i32 + 1;
        let digits = if last - first > 5 { &[1.0] } else { digits };
        let marks =
            (first..=last).flat_map(|k| digits.iter().map(move |d| d * libm::pow(10.0, f64::from(k))));
        let marks: Vec<f64> = marks.collect();
        let from = marks.iter().rposition(|m| *m <= low * (1.0 + 1e-9)).unwrap_or(0);
        let to = marks.iter().position(|m| *m >= high * (1.0 - 1e-9)).unwrap_or(0).max(from + 1);
        let marks = &marks[from..=to];
        let ticks = marks.iter().map(|at| Tick { at: *at, label: quantity(*at, *at) }).collect();
        Self { low: marks[0], high: marks[marks.len() - 1], log: true, ticks, title: title.to_owned() }
    }

    /// The same with some room behind both ends of a logarithmic axis, so that what lies there is not cut.
    pub fn with_margin(self) -> Self {
        let room = libm::pow(self.high / self.low, 0.06);
        Self { low: self.low / room, high: self.high * room, ..self }
    }

    /// Its ends.
    pub fn ends(&self) -> (f64, f64) {
        (self.low, self.high)
    }

    /// From 0 to `high`, marked at the multiples of `step`.
    fn linear(high: f64, step: f64, title: &str, label: impl Fn(f64) -> String) -> Self {
        let n = (high / step + 1e-9).floor() as u32;
        let ticks = (0..=n).map(|i| f64::from(i) * step).map(|at| Tick { at, label: label(at) }).collect();
        Self { low: 0.0, high, log: false, ticks, title: title.to_owned() }
    }

    /// Where `value` lies: 0 at the lower end, 1 at the upper; what lies outside is at the nearer end.
    pub fn place(&self, value: f64) -> f64 {
        let value = if value.is_nan() { self.low } else { value.clamp(self.low, self.high) };
        if self.log {
            let (low, high) = (libm::log10(self.low), libm::log10(self.high));
            if high > low { (libm::log10(value) - low) / (high - low) } else { 0.0 }
        } else {
            (value - self.low) / (self.high - self.low)
        }
    }
}

/// The unit in which a time axis counts.
#[derive(Clone, Copy)]
enum Clock {
    Seconds,
    Minutes,
    HoursMinutes,
    Days,
}

impl Clock {
    fn of(end_s: f64) -> Self {
        match end_s {
            s if s <= 300.0 => Self::Seconds,
            s if s <= 3.0 * 3600.0 => Self::Minutes,
            s if s <= 4.0 * 86_400.0 => Self::HoursMinutes,
            _ => Self::Days,
        }
    }

    fn unit(self) -> &'static str {
        match self {
            Self::Seconds => "s",
            Self::Minutes => "min",
            Self::HoursMinutes => "h:mm",
            Self::Days => "days",
        }
    }

    /// The distance of two ticks, seconds: a dozen of them at most.
    fn step(self, end_s: f64) -> f64 {
        const MINUTES: [f64; 13] = [
            60.0, 120.0, 300.0, 600.0, 900.0, 1_200.0, 1_800.0, 3_600.0, 7_200.0, 10_800.0, 21_600.0,
            43_200.0, 86_400.0,
        ];
        match self {
            Self::Seconds => round_step(end_s / 12.0),
            Self::Minutes | Self::HoursMinutes => {
                MINUTES.into_iter().find(|step| end_s / step <= 12.5).unwrap_or(86_400.0)
            }
            Self::Days => round_step(end_s / 86_400.0 / 12.0).max(1.0) * 86_400.0,
        }
    }

    fn label(self, at: f64, step: f64) -> String {
        match self {
            Self::Seconds => decimals(at, step),
            Self::Minutes => format!("{:.0}", at / 60.0),
            Self::HoursMinutes => format!("{:.0}:{:02.0}", (at / 3_600.0).floor(), (at % 3_600.0) / 60.0),
            Self::Days => quantity(at / 86_400.0, step / 86_400.0),
        }
    }
}

/// The smallest of 1, 2 and 5 times a power of ten that is at least `step`.
fn round_step(step: f64) -> f64 {
    let step = step.clamp(1e-12, LIMIT);
    let power = libm::pow(10.0, libm::floor(libm::log10(step) + 1e-9));
    [1.0, 2.0, 5.0].into_iter().map(|m| m * power).find(|s| *s >= step * (1.0 - 1e-9)).unwrap_or(10.0 * power)
}

/// `value` with as many decimals as a multiple of `step` needs.
fn decimals(value: f64, step: f64) -> String {
    let digits = libm::ceil(-libm::log10(step.max(1e-9)) - 1e-9).max(0.0) as usize;
    format!("{value:.digits$}")
}

/// A multiple of `step`, large ones in thousands: `250`, `12.5k`, `3M`.
fn quantity(value: f64, step: f64) -> String {
    let (unit, suffix) = match value {
        v if v >= 1e12 => (1e12, "T"),
        v if v >= 1e9 => (1e9, "G"),
        v if v >= 1e6 => (1e6, "M"),
        v if v >= 1e4 => (1e3, "k"),
        _ => (1.0, ""),
    };
    format!("{}{suffix}", trimmed(decimals(value / unit, step / unit)))
}

/// A round length of time in one unit: `100 ms`, `1000 s`.
fn seconds_exact(s: f64) -> String {
    if s >= 1.0 { format!("{} s", quantity(s, 0.001)) } else { seconds(s) }
}

/// `90 %` for one nine, `99 %` for two, `99.9 %` for three.
fn nines_label(nines: u8) -> String {
    match nines {
        1 => "90 %".to_owned(),
        2 => "99 %".to_owned(),
        n => format!("99.{} %", "9".repeat(usize::from(n) - 2)),
    }
}

fn tame(value: f64) -> f64 {
    if value.is_nan() { 0.0 } else { value.clamp(0.0, LIMIT) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(axis: &Axis) -> Vec<&str> {
        axis.ticks.iter().map(|t| t.label.as_str()).collect()
    }

    #[test]
    fn ticks_are_round() {
        assert_eq!(labels(&Axis::counts(107.0, "")), ["0", "20", "40", "60", "80", "100"]);
        assert_eq!(labels(&Axis::counts(23_000.0, "")), ["0", "5000", "10k", "15k", "20k"]);
        assert_eq!(labels(&Axis::counts(0.0, "")), ["0", "1"]);
        assert_eq!(labels(&Axis::counts(0.4, "")), ["0", "0.1", "0.2", "0.3", "0.4"]);
        assert_eq!(labels(&Axis::shares(0.031, "")), ["0 %", "1 %", "2 %", "3 %"]);
        assert_eq!(labels(&Axis::shares(7.0, "")), ["0 %", "20 %", "40 %", "60 %", "80 %", "100 %"]);
        assert_eq!(labels(&Axis::seconds(0.001, 2.0, "")), ["1 ms", "10 ms", "100 ms", "1 s", "10 s"]);
        assert_eq!(labels(&Axis::seconds(0.1, 0.4, "")), ["0 s", "100 ms", "200 ms", "300 ms", "400 ms"]);
        assert_eq!(
            labels(&Axis::decades([200.0, 1e6].into_iter(), "")),
            ["100", "1000", "10k", "100k", "1M"]
        );
        assert_eq!(
            labels(&Axis::steps([135.0, 1_900.0].into_iter(), "")),
            ["100", "200", "500", "1000", "2000"]
        );
        assert_eq!(labels(&Axis::nines(1_500.0)), ["0 %", "50 %", "75 %", "90 %", "99 %", "99.9 %"]);
    }

    #[test]
    fn time_is_told_in_the_unit_of_its_length() {
        assert_eq!(Axis::time(60.0).title, "time since the run began (s)");
        assert_eq!(labels(&Axis::time(60.0))[..3], ["0", "5", "10"]);
        assert_eq!(labels(&Axis::time(3_600.0))[..3], ["0", "5", "10"]);
        assert_eq!(labels(&Axis::time(6.0 * 3_600.0))[..3], ["0:00", "0:30", "1:00"]);
        assert_eq!(labels(&Axis::time(30.0 * 86_400.0))[..3], ["0", "5", "10"]);
    }

    #[test]
    fn no_value_breaks_an_axis() {
        for v in
            [0.0, -1.0, 1e-300, 1e300, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 584.0 * 365.0 * 86_400.0]
        {
            let axes = [
                Axis::counts(v, ""),
                Axis::shares(v, ""),
                Axis::time(v),
                Axis::seconds(v, v, ""),
                Axis::nines(v),
                Axis::decades([v].into_iter(), "").with_margin(),
                Axis::steps([v, 0.0].into_iter(), "").with_margin(),
            ];
            for axis in axes.into_iter().chain([Axis::seconds(0.0, v, "")]) {
                assert!((2..40).contains(&axis.ticks.len()), "{v}: {axis:?}");
                for at in [v, 0.0, 1.0, -1.0] {
                    assert!((0.0..=1.0).contains(&axis.place(at)), "{v}: {at} in {axis:?}");
                }
            }
        }
    }
}
