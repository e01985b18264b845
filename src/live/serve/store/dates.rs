//! Dates as replies write them, without a clock: seconds since 1970 come in, and text goes out.
//!
//! It knows no time zones: everything is UTC, as RFC 3659 wants it.

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const DAY: u64 = 86_400;
/// The first second of the year 10000, which four digits cannot say.
const END: u64 = 253_402_300_800;

/// Seconds since 1970 as MDTM and MLST write them: `YYYYMMDDHHMMSS` (RFC 3659, section 2.3).
pub fn stamp(secs: u64) -> String {
    let (year, month, day) = date(secs);
    let within = secs.min(END - 1) % DAY;
    let (hour, minute, second) = (within / 3_600, within / 60 % 60, within % 60);
    format!("{year:04}{month:02}{day:02}{hour:02}{minute:02}{second:02}")
}

/// The same as `ls -l` writes it for a file that is not new: `Jan 01  2026`. The time of day is never said, for with it the year is not,
/// and clients have to guess that.
pub fn listed(secs: u64) -> String {
    let (year, month, day) = date(secs);
    format!("{} {day:02}  {year:04}", MONTHS[month as usize - 1])
}

/// Year, month and day: `civil_from_days` of Hinnant, "chrono-Compatible Low-Level Date Algorithms" (2013), for days since 1970.
fn date(secs: u64) -> (u64, u64, u64) {
    let day = secs.min(END - 1) / DAY + 719_468; // since 0000-03-01
    let (era, of_era) = (day / 146_097, day % 146_097);
    let of_years = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * of_years + of_years / 4 - of_years / 100);
    let place = (5 * of_year + 2) / 153; // March is the first month
    let month = if place < 10 { place + 3 } else { place - 9 };
    let year = era * 400 + of_years + u64::from(month <= 2);
    (year, month, of_year - (153 * place + 2) / 5 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        for (secs, said, shown) in [
            (0, "19700101000000", "Jan 01  1970"),
            (951_868_799, "20000229235959", "Feb 29  2000"),
            (951_868_800, "20000301000000", "Mar 01  2000"),
            (1_767_225_600, "20260101000000", "Jan 01  2026"),
            (4_107_542_399, "21000228235959", "Feb 28  2100"),
            (4_107_542_400, "21000301000000", "Mar 01  2100"),
            (u64::MAX, "99991231235959", "Dec 31  9999"),
        ] {
            assert_eq!((stamp(secs).as_str(), listed(secs).as_str()), (said, shown));
        }
    }
}
