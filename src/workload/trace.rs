//! A trace of arrivals as CSV: a header, then a line for each arrival.
//!
//! The columns are `time` (seconds such as `12.5`, or a duration such as `1h30m`) and, if wanted, `address` (an IP address, or
//! nothing for one of the population's own), in any order. Fields are not quoted. It knows nothing of sessions.

use std::net::IpAddr;

use crate::time::{Duration, Instant};

/// The most lines of a trace or of a log.
pub const MOST_LINES: usize = 1_000_000;
/// No arrival is later than this.
const LATEST: Duration = Duration::from_secs(366 * 86_400);

/// One line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Row {
    /// When.
    pub at: Instant,
    /// From where, if it says so.
    pub address: Option<IpAddr>,
}

/// A line that is not what it should be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Malformed {
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// What is wrong, with the offending value.
    pub what: String,
    /// What is allowed.
    pub hint: String,
}

/// No more of what a file holds is told than this, in characters.
const MOST_QUOTED: usize = 40;

/// `token` in quotes, its control characters escaped, cut with an ellipsis where it is long: whoever names a wrong file sees
/// neither megabytes nor much of what is in it.
pub fn quoted(token: &str) -> String {
    match token.char_indices().nth(MOST_QUOTED) {
        Some((end, _)) => format!("{:?}", format!("{}…", &token[..end])),
        None => format!("{token:?}"),
    }
}

/// A field with its column in characters, from 1.
#[derive(Clone, Copy)]
struct Field<'t> {
    text: &'t str,
    column: usize,
}

/// The fields of a line.
fn fields(line: &str) -> impl Iterator<Item = Field<'_>> {
    let mut column = 1;
    line.split(',').map(move |raw| {
        let blank = raw.chars().take_while(|c| c.is_whitespace()).count();
        let field = Field { text: raw.trim(), column: column + blank };
        column += raw.chars().count() + 1;
        field
    })
}

/// The columns' places.
struct Header {
    time: usize,
    address: Option<usize>,
    columns: usize,
}

/// The arrivals of `text` in order of time; those of one time in the order of the file.
///
/// # Errors
/// The first line that is malformed.
pub fn read(text: &str) -> Result<Vec<Row>, Malformed> {
    let mut lines = text.trim_start_matches('\u{feff}').lines().enumerate().map(|(i, line)| (i + 1, line));
    let header = match lines.next() {
        Some((number, line)) => header(number, line)?,
        None => return Err(wrong(1, 1, "the trace is empty".to_owned(), HEADER)),
    };
    let mut rows = Vec::new();
    for (number, line) in lines.filter(|(_, line)| !line.trim().is_empty()) {
        if rows.len() == MOST_LINES {
            return Err(wrong(
                number,
                1,
                format!("the trace has more than {MOST_LINES} lines"),
                "cut it into parts",
            ));
        }
        rows.push(row(&header, number, line)?);
    }
    rows.sort_by_key(|row| row.at);
    Ok(rows)
}

const HEADER: &str = "the first line names the columns: time,address";

fn wrong(line: usize, column: usize, what: String, hint: &str) -> Malformed {
    Malformed { line, column, what, hint: hint.to_owned() }
}

fn header(number: usize, line: &str) -> Result<Header, Malformed> {
    let mut header = Header { time: usize::MAX, address: None, columns: 0 };
    for field in fields(line) {
        match field.text {
            "time" if header.time == usize::MAX => header.time = header.columns,
            "address" if header.address.is_none() => header.address = Some(header.columns),
            other => {
                return Err(wrong(
                    number,
                    field.column,
                    format!("unknown or repeated column {}", quoted(other)),
                    HEADER,
                ));
            }
        }
        header.columns += 1;
    }
    if header.time == usize::MAX {
        return Err(wrong(number, 1, "there is no column \"time\"".to_owned(), HEADER));
    }
    Ok(header)
}

fn row(header: &Header, number: usize, line: &str) -> Result<Row, Malformed> {
    let mut row = Row { at: Instant::ZERO, address: None };
    let mut count = 0;
    for field in fields(line) {
        if count == header.time {
            row.at = time(field.text).ok_or_else(|| {
                let hint = "write seconds such as 12.5, or a duration such as 1h30m, of at most 366 days";
                wrong(number, field.column, format!("{} is not a time", quoted(field.text)), hint)
            })?;
        } else if Some(count) == header.address && !field.text.is_empty() {
            row.address = Some(field.text.parse().map_err(|_| {
                let hint = "write an IP address, or nothing for one of the population's own";
                wrong(number, field.column, format!("{} is not an address", quoted(field.text)), hint)
            })?);
        }
        count += 1;
    }
    if count != header.columns {
        let what = format!("this line has {count} fields, the header {}", header.columns);
        return Err(wrong(number, 1, what, "write a field for each column"));
    }
    Ok(row)
}

fn time(text: &str) -> Option<Instant> {
    let is_plain = text.ends_with(|c: char| c.is_ascii_digit());
    let time = if is_plain { Duration::parse(&format!("{text}s")) } else { Duration::parse(text) }.ok()?;
    (time <= LATEST).then(|| Instant::ZERO + time)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_sorted_by_time() {
        let rows = read("address, time\n10.0.0.1, 12.5\n,3\n\n::1,1m\n").unwrap();
        let times: Vec<String> = rows.iter().map(|r| r.at.to_string()).collect();
        assert_eq!(times, ["3s", "12.5s", "1m"]);
        assert_eq!(rows[0].address, None);
        assert_eq!(rows[1].address, "10.0.0.1".parse().ok());
    }

    #[test]
    fn a_quoted_token_is_short_and_plain() {
        assert_eq!(quoted("soon"), "\"soon\"");
        assert_eq!(quoted("a\u{1b}[2J"), "\"a\\u{1b}[2J\"");
        assert_eq!(quoted(&"ü".repeat(40)), format!("\"{}\"", "ü".repeat(40)));
        assert_eq!(quoted(&"ü".repeat(41)), format!("\"{}…\"", "ü".repeat(40)));
    }

    #[test]
    fn a_long_line_gives_a_short_message() {
        let long = "x".repeat(1_000_000);
        for text in [long.clone(), format!("time\n{long}\n"), format!("time,address\n1,{long}\n")] {
            let error = read(&text).unwrap_err();
            assert!(error.what.len() < 100 && error.what.contains('…'), "{} bytes", error.what.len());
        }
    }

    #[test]
    fn a_malformed_line_is_named() {
        for (text, line, column, what) in [
            ("", 1, 1, "empty"),
            ("address\n", 1, 1, "no column \"time\""),
            ("time,size\n", 1, 6, "\"size\""),
            ("time,time\n", 1, 6, "repeated"),
            ("time\n1\nsoon\n", 3, 1, "\"soon\""),
            ("time,address\n1,here\n", 2, 3, "\"here\""),
            ("time,address\n1\n", 2, 1, "1 fields"),
            ("time,address\n1,,\n", 2, 1, "3 fields"),
            ("time\n-1\n", 2, 1, "\"-1\""),
            ("time\n400d\n", 2, 1, "\"400d\""),
        ] {
            let error = read(text).unwrap_err();
            assert_eq!((error.line, error.column), (line, column), "{text:?}: {error:?}");
            assert!(error.what.contains(what), "{text:?}: {error:?}");
        }
    }
}
