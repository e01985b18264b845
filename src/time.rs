//! Points and lengths of time, in whole nanoseconds since the run began.
//!
//! It does not read a clock: nothing in this crate below `cli` does. An [`Instant`] is a number that a driver hands in.

use std::fmt;
use std::ops::{Add, AddAssign, Mul, Sub};

/// A point in time: nanoseconds since the run began. A run may last 584 years.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, serde::Serialize, serde::Deserialize,
)]
pub struct Instant(u64);

/// A length of time in nanoseconds.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, serde::Serialize, serde::Deserialize,
)]
pub struct Duration(u64);

const _: () = assert!(size_of::<Instant>() == 8 && size_of::<Duration>() == 8);

impl Instant {
    /// The beginning of the run.
    pub const ZERO: Self = Self(0);
    /// A point that is never reached: the deadline of a timer that is off.
    pub const NEVER: Self = Self(u64::MAX);

    /// The point `ns` nanoseconds after the run began.
    pub const fn from_nanos(ns: u64) -> Self {
        Self(ns)
    }

    /// Nanoseconds since the run began.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// Seconds since the run began, for charts and reports only.
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / 1e9
    }

    /// The length from `earlier` to here; zero if `earlier` is later.
    pub const fn since(self, earlier: Self) -> Duration {
        Duration(self.0.saturating_sub(earlier.0))
    }

    /// Is this the point that is never reached?
    pub const fn is_never(self) -> bool {
        self.0 == u64::MAX
    }
}

impl Duration {
    /// No time at all.
    pub const ZERO: Self = Self(0);
    /// Longer than any run: the length of a timer that is off.
    pub const FOREVER: Self = Self(u64::MAX);

    /// A length of `ns` nanoseconds.
    pub const fn from_nanos(ns: u64) -> Self {
        Self(ns)
    }

    /// A length of `us` microseconds.
    pub const fn from_micros(us: u64) -> Self {
        Self(us.saturating_mul(1_000))
    }

    /// A length of `ms` milliseconds.
    pub const fn from_millis(ms: u64) -> Self {
        Self(ms.saturating_mul(1_000_000))
    }

    /// A length of `s` seconds.
    pub const fn from_secs(s: u64) -> Self {
        Self(s.saturating_mul(1_000_000_000))
    }

    /// A length of `s` seconds, rounded to the nanosecond. Negative and not-a-number give zero, too large gives
    /// [`Duration::FOREVER`].
    pub fn from_secs_f64(s: f64) -> Self {
        Self((s * 1e9).round() as u64) // `as` saturates, and maps not-a-number to zero
    }

    /// The length in nanoseconds.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// The length in seconds.
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / 1e9
    }

    /// No time at all?
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// Longer than any run?
    pub const fn is_forever(self) -> bool {
        self.0 == u64::MAX
    }

    /// Parses a number and a unit, once or several times: `250ms`, `1.5s`, `1h30m`, `2d`. Units: ns, us, ms, s, m, h, d.
    ///
    /// # Errors
    /// What is wrong, in words that fit behind the offending value.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        const SHAPE: &str = "a duration is a number with a unit, such as \"30s\", \"250ms\" or \"1h30m\"";
        let mut rest = text.trim();
        if rest.is_empty() {
            return Err(SHAPE);
        }
        let mut total = 0_u64;
        while !rest.is_empty() {
            let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').ok_or(SHAPE)?;
            let unit_end =
                rest[digits..].find(|c: char| !c.is_ascii_alphabetic()).map_or(rest.len(), |n| digits + n);
            let unit = match &rest[digits..unit_end] {
                "ns" => 1,
                "us" => 1_000,
                "ms" => 1_000_000,
                "s" => 1_000_000_000,
                "m" | "min" => 60_000_000_000,
                "h" => 3_600_000_000_000,
                "d" => 86_400_000_000_000_u64,
                _ => return Err(SHAPE),
            };
            let part = decimal_times(&rest[..digits], unit).ok_or(SHAPE)?;
            total = total.checked_add(part).ok_or("the duration is longer than 584 years")?;
            rest = rest[unit_end..].trim_start();
        }
        if total == u64::MAX { Err("the duration is longer than 584 years") } else { Ok(Self(total)) }
    }
}

/// `digits` (such as `1.5`) times `unit`, exactly, rounded down to a whole; `None` if it is no number or too large.
fn decimal_times(digits: &str, unit: u64) -> Option<u64> {
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let mut total = u128::from(whole.parse::<u64>().ok()?) * u128::from(unit);
    if !fraction.is_empty() {
        let scale = 10_u128.checked_pow(u32::try_from(fraction.len()).ok()?)?;
        total += fraction.parse::<u64>().ok().map(u128::from)?.checked_mul(u128::from(unit))? / scale;
    }
    u64::try_from(total).ok()
}

/// The two largest units that say it: `1h 30m`, `2.5s`, `40us`, `0s`, `never`.
impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const COARSE: [(u64, &str); 3] =
            [(86_400_000_000_000, "d"), (3_600_000_000_000, "h"), (60_000_000_000, "m")];
        if self.is_forever() {
            return f.pad("never");
        }
        for (i, (unit, name)) in COARSE.iter().enumerate() {
            if self.0 >= *unit {
                let (next, next_name) = COARSE.get(i + 1).copied().unwrap_or((1_000_000_000, "s"));
                let rest = self.0 % unit / next;
                let text = if rest == 0 {
                    format!("{}{name}", self.0 / unit)
                } else {
                    format!("{}{name} {rest}{next_name}", self.0 / unit)
                };
                return f.pad(&text);
            }
        }
        let (unit, name) = match self.0 {
            0 => return f.pad("0s"),
            1..1_000 => (1.0, "ns"),
            1_000..1_000_000 => (1e3, "us"),
            1_000_000..1_000_000_000 => (1e6, "ms"),
            _ => (1e9, "s"),
        };
        let number = format!("{:.3}", self.0 as f64 / unit);
        f.pad(&format!("{}{name}", number.trim_end_matches('0').trim_end_matches('.')))
    }
}

impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&Duration(self.0), f)
    }
}

impl Add<Duration> for Instant {
    type Output = Self;
    /// Saturates at [`Instant::NEVER`].
    fn add(self, d: Duration) -> Self {
        Self(self.0.saturating_add(d.0))
    }
}

impl AddAssign<Duration> for Instant {
    fn add_assign(&mut self, d: Duration) {
        *self = *self + d;
    }
}

impl Sub<Duration> for Instant {
    type Output = Self;
    /// Saturates at [`Instant::ZERO`].
    fn sub(self, d: Duration) -> Self {
        Self(self.0.saturating_sub(d.0))
    }
}

impl Add for Duration {
    type Output = Self;
    /// Saturates at [`Duration::FOREVER`].
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl AddAssign for Duration {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sub for Duration {
    type Output = Self;
    /// Saturates at zero.
    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl Mul<u64> for Duration {
    type Output = Self;
    fn mul(self, n: u64) -> Self {
        Self(self.0.saturating_mul(n))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_what_people_write() {
        for (text, ns) in [
            ("30s", 30_000_000_000),
            ("1.5s", 1_500_000_000),
            ("250ms", 250_000_000),
            ("1h30m", 5_400_000_000_000),
            ("1h 30m", 5_400_000_000_000),
            ("2d", 172_800_000_000_000),
            ("0s", 0),
            ("40us", 40_000),
            ("7ns", 7),
        ] {
            assert_eq!(Duration::parse(text), Ok(Duration(ns)), "{text}");
        }
    }

    #[test]
    fn refuses_what_is_no_duration() {
        for text in ["", "30", "s", "-3s", "1.2.3s", "30 parsecs", "1e9s", "999999999999d", "30s!", ".s"] {
            assert!(Duration::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn prints_what_it_parses() {
        for text in ["30s", "1.5s", "250ms", "1h 30m", "2d", "2d 3h", "5m", "40us", "7ns", "0s"] {
            assert_eq!(Duration::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(Duration::FOREVER.to_string(), "never");
    }

    #[test]
    fn arithmetic_saturates() {
        assert!((Instant::NEVER + Duration::from_secs(1)).is_never());
        assert_eq!(Instant::ZERO - Duration::from_secs(1), Instant::ZERO);
        assert_eq!(Duration::from_secs_f64(f64::NAN), Duration::ZERO);
        assert_eq!(Duration::from_secs_f64(-1.0), Duration::ZERO);
        assert!(Duration::from_secs_f64(1e300).is_forever());
    }
}
