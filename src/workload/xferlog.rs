//! The transfer log of wu-ftpd, which ProFTPD and vsftpd write too: from lines to sessions.
//!
//! The format is that of xferlog(5): `Thu Nov  5 12:00:00 2026 3 127.0.0.1 1234 /path b _ o a user ftp 0 * c`. It holds
//! transfers only, in whole seconds; what was refused, listed or idle is not in it. Times have no zone and are taken as they
//! stand: a change of the clock within the log moves what is behind it.

use std::collections::BTreeMap;

use super::trace::{MOST_LINES, Malformed};
use crate::time::{Duration, Instant};

/// What a log says.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Log<'t> {
    /// Sessions in order of their beginnings. The first begins at time 0.
    pub sessions: Vec<Session<'t>>,
    /// Transfers that were broken off: they are left out.
    pub incomplete: usize,
    /// Deletions, which are no transfers: they are left out.
    pub deleted: usize,
    /// Bytes of all transfers.
    pub bytes: u64,
    /// Seconds that all transfers took.
    pub seconds: u64,
}

/// Transfers of one user from one host, with no long gap between them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Session<'t> {
    /// When the first transfer began.
    pub at: Instant,
    /// The host: an address or a name.
    pub host: &'t str,
    /// The account; that of all anonymous users is `anonymous`.
    pub user: &'t str,
    /// The transfers in order of their beginnings.
    pub transfers: Vec<Transfer<'t>>,
}

/// One transfer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Transfer<'t> {
    /// To the server?
    pub is_upload: bool,
    /// The file.
    pub path: &'t str,
    /// The number of bytes.
    pub bytes: u64,
    /// From the end of the transfer before to the beginning of this one.
    pub pause_before: Duration,
}

/// A line, understood. Times are in seconds since 1970 by the log's own clock.
struct Entry<'t> {
    start: i64,
    end: i64,
    host: &'t str,
    user: &'t str,
    transfer: Transfer<'t>,
}

/// What became of the transfer of a line.
enum Fate {
    Completed,
    Incomplete,
    Deleted,
}

impl Log<'_> {
    /// What a user of the population called `name` should know, a sentence each.
    pub fn notes(&self, name: &str) -> Vec<String> {
        let mut notes = vec![format!(
            "The xferlog of {name:?} holds completed transfers only, in whole seconds: who was refused is invisible in it."
        )];
        if self.incomplete + self.deleted > 0 {
            notes.push(format!(
                "{} incomplete transfers and {} deletions in the xferlog of {name:?} are left out.",
                self.incomplete, self.deleted
            ));
        }
        if let Some(rate) = self.bytes.checked_div(self.seconds).filter(|rate| *rate > 0) {
            let rate = rate / 1_024;
            notes.push(format!(
                "Its transfers ran at about {rate} KiB/s each; link.bandwidth decides how fast they run here."
            ));
        }
        notes
    }
}

/// Reads `text`. Two transfers of one user from one host belong to one session if the second begins no later than `gap`
/// after the end of the first.
///
/// # Errors
/// The first line that is malformed.
pub fn read(text: &str, gap: Duration) -> Result<Log<'_>, Malformed> {
    let mut log = Log::default();
    let mut entries = Vec::new();
    for (i, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        if entries.len() == MOST_LINES {
            let what = format!("the log has more than {MOST_LINES} transfers");
            return Err(Malformed { line: i + 1, column: 1, what, hint: "cut it into parts".to_owned() });
        }
        let (entry, fate) = parse(line).map_err(|wrong| Malformed { line: i + 1, ..wrong })?;
        match fate {
            Fate::Completed => entries.push(entry),
            Fate::Incomplete => log.incomplete += 1,
            Fate::Deleted => log.deleted += 1,
        }
    }
    entries.sort_by_key(|entry| entry.start);
    group(entries, gap, &mut log);
    Ok(log)
}

/// Groups entries, sorted by their beginnings, into sessions.
fn group<'t>(entries: Vec<Entry<'t>>, gap: Duration, log: &mut Log<'t>) {
    let zero = entries.first().map_or(0, |entry| entry.start);
    let seconds = |from: i64, to: i64| Duration::from_secs(u64::try_from(to - from).unwrap_or(0));
    // The open session of each user at each host, and when its last transfer ended.
    let mut open: BTreeMap<(&str, &str), (usize, i64)> = BTreeMap::new();
    for mut entry in entries {
        log.bytes = log.bytes.saturating_add(entry.transfer.bytes);
        log.seconds = log.seconds.saturating_add(u64::try_from(entry.end - entry.start).unwrap_or(0));
        let key = (entry.host, entry.user);
        match open.get_mut(&key).filter(|(_, end)| seconds(*end, entry.start) <= gap) {
            Some((session, end)) => {
                entry.transfer.pause_before = seconds(*end, entry.start);
                *end = entry.end.max(*end);
                log.sessions[*session].transfers.push(entry.transfer);
            }
            None => {
                open.insert(key, (log.sessions.len(), entry.end));
                let at = Instant::ZERO + seconds(zero, entry.start);
                log.sessions.push(Session {
                    at,
                    host: entry.host,
                    user: entry.user,
                    transfers: vec![entry.transfer],
                });
            }
        }
    }
}

/// Splits words off both ends of a line, so that the file name in the middle may hold spaces.
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
        number.ok_or_else(|| self.wrong(word, format!("{word:?} is not {what}")))
    }
}

fn parse(line: &str) -> Result<(Entry<'_>, Fate), Malformed> {
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
    let user = words.last("the user")?;
    let mode = words.last("the access mode")?;
    let direction = words.last("the direction")?;
    let _action = words.last("the special action")?;
    let _kind = words.last("the transfer type")?;
    let path = words.rest.trim();
    if path.is_empty() || path.chars().any(char::is_control) {
        return Err(words.wrong(words.rest, "the file name is missing or has control characters".to_owned()));
    }
    let fate = match (direction, status) {
        ("d", "c" | "i") => Fate::Deleted,
        ("i" | "o", "c") => Fate::Completed,
        ("i" | "o", "i") => Fate::Incomplete,
        ("i" | "o" | "d", _) => {
            return Err(words.wrong(status, format!("{status:?} is neither c (complete) nor i (incomplete)")));
        }
        _ => {
            return Err(words
                .wrong(direction, format!("{direction:?} is neither i (in) nor o (out) nor d (deleted)")));
        }
    };
    let transfer = Transfer { is_upload: direction == "i", path, bytes, pause_before: Duration::ZERO };
    let user = if mode == "a" { "anonymous" } else { user };
    Ok((Entry { start: end - took.cast_signed(), end, host, user, transfer }, fate))
}

/// `Thu Nov  5 12:00:00 2026` as seconds since 1970.
fn end_time(words: &mut Words<'_>) -> Result<i64, Malformed> {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let _weekday = words.first("the weekday")?;
    let name = words.first("the month")?;
    let month = MONTHS.iter().position(|m| *m == name);
    let month = month.ok_or_else(|| words.wrong(name, format!("{name:?} is not a month")))? as u64 + 1;
    let word = words.first("the day")?;
    let day = words.number(word, "a day of a month", 31)?;
    let clock = words.first("the time")?;
    let seconds =
        clock_seconds(clock).ok_or_else(|| words.wrong(clock, format!("{clock:?} is not a time of day")))?;
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

    const GAP: Duration = Duration::from_secs(30);

    #[test]
    fn dates_are_counted_from_1970() {
        for (date, days) in
            [((1970, 1, 1), 0), ((1969, 12, 31), -1), ((2000, 2, 29), 11_016), ((2026, 11, 5), 20_762)]
        {
            assert_eq!(days_from_civil(date.0, date.1, date.2), days, "{date:?}");
        }
    }

    #[test]
    fn transfers_with_short_gaps_are_one_session() {
        let log = read(
            "Thu Nov  5 12:00:10 2026 3 10.0.0.1 1234 /a file b _ o a guest@ ftp 0 * c\n\
             Thu Nov  5 12:00:20 2026 5 10.0.0.1 10 /b b _ o a other@ ftp 0 * c\n\
             Thu Nov  5 12:00:20 2026 0 10.0.0.1 99 /c b _ i r alice ftp 0 * c\n\
             Thu Nov  5 12:01:00 2026 1 10.0.0.1 7 /d b _ o a x@ ftp 0 * i\n\
             Thu Nov  5 12:01:00 2026 0 10.0.0.1 7 /e b _ d r alice ftp 0 * c\n\
             Thu Nov  5 12:02:00 2026 1 10.0.0.1 8 /f b _ o a x@ ftp 0 * c\n",
            GAP,
        )
        .unwrap();
        let told: Vec<_> = log
            .sessions
            .iter()
            .map(|s| {
                (s.at.to_string(), s.user, s.transfers.iter().map(|t| (t.path, t.bytes)).collect::<Vec<_>>())
            })
            .collect();
        assert_eq!(
            told,
            [
                ("0s".to_owned(), "anonymous", vec![("/a file", 1234), ("/b", 10)]),
                ("13s".to_owned(), "alice", vec![("/c", 99)]),
                ("1m 52s".to_owned(), "anonymous", vec![("/f", 8)]),
            ]
        );
        assert_eq!(log.sessions[0].transfers[1].pause_before, Duration::from_secs(5));
        assert_eq!((log.incomplete, log.deleted), (1, 1));
    }

    #[test]
    fn a_malformed_line_is_named() {
        let good = "Thu Nov  5 12:00:10 2026 3 10.0.0.1 1234 /a b _ o a guest@ ftp 0 * c";
        for (from, to, column, what) in [
            ("Nov", "Brumaire", 5, "month"),
            ("12:00:10", "12:61:10", 12, "time of day"),
            ("1234", "much", 37, "\"much\""),
            (" o a", " x a", 49, "\"x\""),
            (" c", " z", 68, "\"z\""),
            (" 3 10.0.0.1 1234 /a b _ o a guest@ ftp 0 * c", "", 25, "ends before"),
        ] {
            let error = read(&format!("{good}\n{}\n", good.replacen(from, to, 1)), GAP).unwrap_err();
            assert_eq!((error.line, error.column), (2, column), "{to}: {error:?}");
            assert!(error.what.contains(what), "{to}: {error:?}");
        }
    }
}
