//! Numbers as people read them: shares, lengths of time and counts.
//!
//! It rounds for the eye only; files hold the numbers themselves.

use crate::time::Duration;

/// A share as a percentage: `12.3 %`. What is not quite none or not quite all never reads as `0 %` or `100 %`.
pub fn percent(share: f64) -> String {
    let x = share * 100.0;
    match x {
        _ if !x.is_finite() => "unknown".to_owned(),
        _ if x > 0.0 && x < 0.01 => "under 0.01 %".to_owned(),
        _ if x > 99.9 && x < 100.0 => "over 99.9 %".to_owned(),
        _ if x < 10.0 => format!("{} %", trimmed(format!("{x:.2}"))),
        _ => format!("{} %", trimmed(format!("{x:.1}"))),
    }
}

/// A length of time with three significant digits up to a minute, then in two units: `4.2 ms`, `12.5 s`, `1h 30m`.
pub fn seconds(s: f64) -> String {
    if !s.is_finite() {
        return "unknown".to_owned();
    }
    if s >= 59.95 {
        return Duration::from_secs_f64(s.round()).to_string();
    }
    let (number, unit) = match s {
        _ if s < 1e-9 => return "0 s".to_owned(),
        _ if s < 0.999_5e-6 => (s * 1e9, "ns"),
        _ if s < 0.999_5e-3 => (s * 1e6, "µs"),
        _ if s < 0.999_5 => (s * 1e3, "ms"),
        _ => (s, "s"),
    };
    let text = match number {
        _ if number < 9.995 => format!("{number:.2}"),
        _ if number < 99.95 => format!("{number:.1}"),
        _ => format!("{number:.0}"),
    };
    format!("{} {unit}", trimmed(text))
}

/// A count with its thousands apart: `1,234,567`.
pub fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A count and its noun: `1 session`, `2 sessions`.
pub fn counted(n: u64, noun: &str) -> String {
    format!("{} {noun}{}", count(n), if n == 1 { "" } else { "s" })
}

/// `number` without the zeros that end its fraction.
pub fn trimmed(number: String) -> String {
    if !number.contains('.') {
        return number;
    }
    number.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_do_not_lie_at_the_ends() {
        for (share, text) in [
            (0.0, "0 %"),
            (0.000_01, "under 0.01 %"),
            (0.001_2, "0.12 %"),
            (0.123_4, "12.3 %"),
            (0.5, "50 %"),
            (0.999_99, "over 99.9 %"),
            (1.0, "100 %"),
            (f64::NAN, "unknown"),
        ] {
            assert_eq!(percent(share), text);
        }
    }

    #[test]
    fn times_keep_three_digits() {
        for (s, text) in [
            (0.0, "0 s"),
            (4e-5, "40 µs"),
            (0.004_2, "4.2 ms"),
            (0.999_9, "1 s"),
            (12.54, "12.5 s"),
            (59.99, "1m"),
            (5_400.0, "1h 30m"),
            (f64::INFINITY, "unknown"),
        ] {
            assert_eq!(seconds(s), text);
        }
    }

    #[test]
    fn counts_keep_their_thousands_apart() {
        for (n, text) in [(0, "0"), (999, "999"), (1_000, "1,000"), (12_345_678, "12,345,678")] {
            assert_eq!(count(n), text);
        }
        assert_eq!(counted(1, "client"), "1 client");
        assert_eq!(counted(2, "client"), "2 clients");
    }
}
