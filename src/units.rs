//! Numbers with units: rates and sizes. (Times are `time::Duration`'s own.)
//!
//! It knows no bounds: whoever reads one does.

/// A number without sign or exponent.
fn decimal(text: &str) -> Option<f64> {
    let plain =
        text.bytes().all(|b| b.is_ascii_digit() || b == b'.') && text.bytes().any(|b| b.is_ascii_digit());
    if plain { text.parse::<f64>().ok().filter(|x| x.is_finite()) } else { None }
}

/// A rate per second: a number per s, m, h or d.
pub fn parse_rate(text: &str) -> Option<f64> {
    let (number, unit) = text.split_once('/')?;
    let seconds = match unit.trim() {
        "s" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3_600.0,
        "d" => 86_400.0,
        _ => return None,
    };
    Some(decimal(number.trim())? / seconds)
}

/// A number of bytes: a number with a unit.
pub fn parse_size(text: &str) -> Option<u64> {
    let text = text.trim();
    let (number, unit) = text.split_at(text.find(|c: char| c.is_ascii_alphabetic())?);
    let factor = match unit {
        "B" => 1,
        "KB" | "kB" => 1_000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1_u64 << 30,
        _ => return None,
    };
    Some((decimal(number.trim())? * factor as f64).round() as u64) // exact below 2^53
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_and_sizes_have_units() {
        for (text, rate) in
            [("5/s", 5.0), ("300/m", 5.0), ("2/h", 2.0 / 3_600.0), ("0.5 / d", 0.5 / 86_400.0)]
        {
            assert_eq!(parse_rate(text), Some(rate), "{text}");
        }
        for (text, size) in [("10MiB", 10 << 20), ("1.5KB", 1_500), ("7 B", 7), ("2GiB", 2 << 30)] {
            assert_eq!(parse_size(text), Some(size), "{text}");
        }
        for text in ["", "5", "/s", "-1/s", "5/w", "1e3/s", "inf/s", "./s", "5/s/s"] {
            assert_eq!(parse_rate(text), None, "{text}");
        }
        for text in ["", "5", "MiB", "-1B", "5 TB", "1e3B", "NaNB", "5mib"] {
            assert_eq!(parse_size(text), None, "{text}");
        }
    }
}
