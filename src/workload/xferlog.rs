//! The transfer log of wu-ftpd, which `ProFTPD` and vsftpd write too: from lines to sessions.
//!
//! The format is that of xferlog(5): `Thu Nov  5 12:00:00 2026 3 127.0.0.1 1234 /path b _ o a user ftp 0 * c`. It holds
//! transfers only, in whole seconds; what was refused, listed or idle is not in it. Times have no zone and are taken as they
//! stand: a change of the clock within the log moves what is behind it.

mod line;

use std::collections::BTreeMap;

use self::line::{Entry, Fate, parse};
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
        if let Some((session, end)) = open.get_mut(&key).filter(|(_, end)| seconds(*end, entry.start) <= gap)
        {
            entry.transfer.pause_before = seconds(*end, entry.start);
            *end = entry.end.max(*end);
            log.sessions[*session].transfers.push(entry.transfer);
            continue;
        }
        open.insert(key, (log.sessions.len(), entry.end));
        let at = Instant::ZERO + seconds(zero, entry.start);
        log.sessions.push(Session {
            at,
            host: entry.host,
            user: if entry.is_anonymous { "anonymous" } else { entry.user },
            transfers: vec![entry.transfer],
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GAP: Duration = Duration::from_secs(30);

    #[test]
    fn transfers_with_short_gaps_are_one_session() {
        let log = read(
            "Thu Nov  5 12:00:10 2026 3 10.0.0.1 1234 /a file b _ o a guest@ ftp 0 * c\n\
             Thu Nov  5 12:00:20 2026 5 10.0.0.1 10 /b b _ o a guest@ ftp 0 * c\n\
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

    #[test]
    fn a_long_word_gives_a_short_message() {
        let good = "Thu Nov  5 12:00:10 2026 3 10.0.0.1 1234 /a b _ o a guest@ ftp 0 * c";
        for from in ["Nov", " 5 ", "12:00:10", "2026", "3 10", "1234", " c"] {
            let to = format!(" {}", "x".repeat(100_000));
            let error = read(&good.replacen(from, &to, 1), GAP).unwrap_err();
            assert!(error.what.len() < 120 && error.what.contains('…'), "{from}: {}", error.what.len());
        }
    }
}
