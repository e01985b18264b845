//! One line of an xferlog.
//!
//! Its words are split off from both ends, so that the file name in the middle may hold spaces. It knows no other line.

use super::{Malformed, Transfer};
use crate::time::Duration;
use crate::workload::trace::quoted;

/// A line, understood. Times are in seconds since 1970 by the log's own clock.
pub(super) struct Entry<'t> {
    pub start: i64,
    pub end: i64,
    pub host: &'t str,
    /// The user as the log has it: the account, or the password that an anonymous user gave.
    pub user: &'t str,
    pub is_anonymous: bool,
    pub transfer: Transfer<'t>,
}

/// What became of the transfer of a line.
pub(super) enum Fate {
    Completed,
    Incomplete,
    Deleted,
}

/// Splits words off both ends of a line.
struct Words<'t> {
    line: &'t str,
    rest: &'t str,
}

impl<'t> Words<'t> {
    fn first(&mut self, what: &str) -> Result<&'t str, Malformed> {
        let rest = self.rest.trim_start();
        let (word, rest) = rest.split_at(rest.find(' ').unwrap_or(rest.len()));
        self.rest = rest;
        self.found(word, what)
    }

    fn last(&mut self, what: &str) -> Result<&'t str, Malformed> {
        let rest = self.rest.trim_end();
        let (rest, word) = rest.split_at(rest.rfind(' ').map_or(0, |n| n + 1));
        self.rest = rest;
        self.found(word, what)
    }

    fn found(&self, word: &'t str, what: &str) -> Result<&'t str, Malformed> {
        if word.is_empty() {
            Err(self.wrong(self.rest, format!("the line ends before {what}")))
        } else {
            Ok(word)
        }
    }

    /// `word` is a part of the line: its column follows from where it lies.
    fn wrong(&self, word: &str, what: String) -> Malformed {
        let offset = (word.as_ptr() as usize).saturating_sub(self.line.as_ptr() as usize);
        let column = self.line.get(..offset).map_or(1, |before| before.chars().count() + 1);
        let hint =
            "a line of an xferlog is: Thu Nov  5 12:00:00 2026 3 127.0.0.1 1234 /path b _ o a user ftp 0 * c";
        Malformed { line: 0, column, what, hint: hint.to_owned() }
    }

    fn number(&self, word: &str, what: &str, most: u64) -> Result<u64, Malformed> {
        let number = word.parse::<u64>().ok().filter(|n| *n <= most);
        number.ok_or_else(|| self.wrong(word, format!("{} is not {what}", quoted(word))))
    }
}

/// A line and what became of its transfer.
pub(super) fn parse(line: &str) -> Result<(Entry<'_>, Fate), Malformed> {
    let mut words = Words { line, rest: line };
    let end = end_time(&mut words)?;
    let word = words.first("the seconds of the transfer")?;
    let took = words.number(word, "a number of seconds", 366 * 86_400)?;
    let host = words.first("the host")?;
    let word = words.first("the size")?;
    let bytes = words.number(word, "a number of bytes", 1 << 50)?;
    let status = words.last("the status")?;
    let _auth_user = words.last("the authenticated user")?;
    let _auth_method = words.last("the authentication method")?;
    let _service = words.last("the service")?;
    let (path, [direction, mode], user) = middle(words.rest).ok_or_else(|| {
        words.wrong(words.rest, "no file name, type, action, direction and mode here".to_owned())
    })?;
    if path.chars().any(char::is_control) {
        return Err(words.wrong(path, "the file name has control characters".to_owned()));
    }
    let fate = match (direction, status) {
        ("d", "c" | "i") => Fate::Deleted,
        ("i" | "o", "c") => Fate::Completed,
        ("i" | "o", "i") => Fate::Incomplete,
        ("i" | "o" | "d", _) => {
            return Err(
                words.wrong(status, format!("{} is neither c (complete) nor i (incomplete)", quoted(status)))
            );
        }
        _ => {
            return Err(words.wrong(
                direction,
                format!("{} is neither i (in) nor o (out) nor d (deleted)", quoted(direction)),
            ));
        }
    };
    let transfer = Transfer { is_upload: direction == "i", path, bytes, pause_before: Duration::ZERO };
    let is_anonymous = mode == "a";
    Ok((Entry { start: end - took.cast_signed(), end, host, user, is_anonymous, transfer }, fate))
}

/// The file name, the direction and the mode, and the user, of `/path b _ o a user`. The file name may hold spaces; the user
/// may too, or be empty: an anonymous user's is the password that was given.
fn middle(text: &str) -> Option<(&str, [&str; 2], &str)> {
    let text = text.trim_start();
    let flags = |at: usize| {
        let mut words = text[at..].splitn(6, ' ').skip(1);
        let is_kind = matches!(words.next()?, "a" | "b");
        let is_action = words.next()?.chars().all(|c| matches!(c, 'C' | 'U' | 'T' | '_'));
        let (direction, mode) = (words.next()?, words.next()?);
        let is_mode = matches!(mode, "a" | "g" | "r");
        (is_kind && is_action && direction.len() == 1 && is_mode)
            .then(|| (text[..at].trim_end(), [direction, mode], words.next().unwrap_or("").trim()))
    };
    text.match_indices(' ').filter(|(at, _)| *at > 0).find_map(|(at, _)| flags(at))
}

/// `Thu Nov  5 12:00:00 2026` as seconds since 1970.
fn end_time(words: &mut Words<'_>) -> Result<i64, Malformed> {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let _weekday = words.first("the weekday")?;
    let name = words.first("the month")?;
    let month = MONTHS.iter().position(|m| *m == name);
    let month =
        month.ok_or_else(|| words.wrong(name, format!("{} is not a month", quoted(name))))? as u64 + 1;
    let word = words.first("the day")?;
    let day = words.number(word, "a day of a month", 31)?;
    let clock = words.first("the time")?;
    let seconds = clock_seconds(clock)
        .ok_or_else(|| words.wrong(clock, format!("{} is not a time of day", quoted(clock))))?;
    let word = words.first("the year")?;
    let year = words.number(word, "a year", 9_999)?;
    Ok(days_from_civil(year, month, day) * 86_400 + seconds)
}

fn clock_seconds(text: &str) -> Option<i64> {
    let mut parts = text.split(':').map(|part| part.parse::<u8>().ok());
    let (hour, minute, second) = (parts.next()??, parts.next()??, parts.next()??);
    let is_time = parts.next().is_none() && hour < 24 && minute < 60 && second <= 60; // 60: a leap second
    is_time.then(|| i64::from(hour) * 3_600 + i64::from(minute) * 60 + i64::from(second))
}

/// Days from 1970-01-01 to a date of the Gregorian calendar: `days_from_civil` of Hinnant, "chrono-Compatible Low-Level Date
/// Algorithms" (2013), for years from 0.
fn days_from_civil(year: u64, month: u64, day: u64) -> i64 {
    let year = year.cast_signed() - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let month_from_march = ((month + 9) % 12).cast_signed();
    let day_of_year = (153 * month_from_march + 2) / 5 + day.cast_signed() - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_counted_from_1970() {
        for (date, days) in
            [((1970, 1, 1), 0), ((1969, 12, 31), -1), ((2000, 2, 29), 11_016), ((2026, 11, 5), 20_762)]
        {
            assert_eq!(days_from_civil(date.0, date.1, date.2), days, "{date:?}");
        }
    }
}
