//! The bytes of a control connection as command lines: bounded, and without what Telnet adds (RFC 854, RFC 959 section 5.3).
//!
//! It knows no commands.

/// The longest line that is read, in bytes; vsftpd's.
pub(super) const LONGEST: usize = 4_096;

/// What has come and is not yet read as lines. Empty, it holds no memory.
#[derive(Debug, Default)]
pub(super) struct Lines {
    bytes: Vec<u8>,
    telnet: Telnet,
    /// Is the rest of a line that was too long on its way?
    skipping: bool,
}

/// Where a Telnet sequence stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum Telnet {
    #[default]
    Text,
    Command,
    Option,
}

const IAC: u8 = 255;
/// The least byte that is a Telnet command. A urgent byte that the kernel took out of a sequence may leave an IAC alone.
const LEAST: u8 = 240;
const WILL: u8 = 251;
const DONT: u8 = 254;

/// What the client has sent.
#[derive(PartialEq, Eq, Debug)]
pub(super) enum Line {
    /// A line without its end. Whatever is not UTF-8 is replaced, and so is what could not be shown.
    Text(String),
    /// A line that is longer than [`LONGEST`]. It is told once, when that is known.
    TooLong,
}

impl Lines {
    /// Takes what was read.
    pub(super) fn push(&mut self, came: &[u8]) {
        for byte in came {
            match (self.telnet, *byte) {
                (Telnet::Text, IAC) => self.telnet = Telnet::Command,
                (Telnet::Command, WILL..=DONT) => self.telnet = Telnet::Option,
                (Telnet::Command, LEAST..=254) | (Telnet::Option, _) => self.telnet = Telnet::Text,
                (_, byte) => {
                    self.telnet = Telnet::Text;
                    self.bytes.push(byte);
                }
            }
        }
    }

    /// The next line, if one is there.
    pub(super) fn next(&mut self) -> Option<Line> {
        loop {
            let end = self.bytes.iter().position(|byte| *byte == b'\n');
            let length = end.unwrap_or(self.bytes.len());
            if self.skipping {
                self.take(end.map_or(length, |end| end + 1));
                end?;
                self.skipping = false;
                continue;
            }
            if length > LONGEST {
                self.take(end.map_or(length, |end| end + 1));
                self.skipping = end.is_none();
                return Some(Line::TooLong);
            }
            let line = shown(&self.bytes[..end?]);
            self.take(length + 1);
            return Some(Line::Text(line));
        }
    }

    /// Takes the next ABOR, if one is there, from among the lines that wait for the end of a transfer.
    pub(super) fn next_abort(&mut self) -> Option<Line> {
        let (from, end) = self.abort()?;
        let line = shown(&self.bytes[from..end]);
        self.bytes.drain(from..=end);
        Some(Line::Text(line))
    }

    /// Is an ABOR among the lines?
    pub(super) fn holds_abort(&self) -> bool {
        self.abort().is_some()
    }

    /// Where it begins and ends.
    fn abort(&self) -> Option<(usize, usize)> {
        let mut from = 0;
        loop {
            let end = from + self.bytes[from..].iter().position(|byte| *byte == b'\n')?;
            if self.bytes[from..end].trim_ascii().eq_ignore_ascii_case(b"ABOR") {
                return Some((from, end));
            }
            from = end + 1;
        }
    }

    /// How many more bytes may be read before its lines are taken.
    pub(super) fn room(&self) -> usize {
        (LONGEST + 1).saturating_sub(self.bytes.len())
    }

    /// Has a line begun that has not ended?
    pub(super) fn is_unfinished(&self) -> bool {
        !self.bytes.is_empty() && !self.skipping
    }

    /// Is a whole line there that nobody has taken?
    pub(super) fn holds_line(&self) -> bool {
        self.bytes.contains(&b'\n')
    }

    fn take(&mut self, count: usize) {
        if count >= self.bytes.len() {
            self.bytes = Vec::new(); // an idle connection holds nothing
        } else {
            self.bytes.drain(..count);
        }
    }
}

/// A line as text that can be echoed in a reply without ending it.
fn shown(line: &[u8]) -> String {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    String::from_utf8_lossy(line).chars().map(|c| if c.is_control() { '?' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(parts: &[&[u8]]) -> Vec<Line> {
        let mut lines = Lines::default();
        let mut read = Vec::new();
        for part in parts {
            lines.push(part);
            read.extend(std::iter::from_fn(|| lines.next()));
            assert!(lines.room() > 0);
        }
        read
    }

    fn texts(texts: &[&str]) -> Vec<Line> {
        texts.iter().map(|text| Line::Text((*text).to_owned())).collect()
    }

    #[test]
    fn lines_come_out_however_they_are_cut() {
        let told = texts(&["USER a", "PASS b", "", "QUIT"]);
        assert_eq!(read(&[b"USER a\r\nPASS b\n\r\nQUIT\r\n"]), told);
        assert_eq!(read(&[b"US", b"ER a\r", b"\nPASS b\n\r\nQ", b"UIT\r\n"]), told);
        assert_eq!(read(&[b"CWD a\rb\x00c\xff\xffd\r\n"]), texts(&["CWD a?b?c\u{fffd}d"]));
    }

    #[test]
    fn telnet_is_not_part_of_a_line() {
        assert_eq!(read(&[b"\xff\xf4\xff\xf2ABOR\r\n"]), texts(&["ABOR"]));
        assert_eq!(read(&[b"\xff\xf4\xff", b"ABOR\r\n"]), texts(&["ABOR"]), "the urgent byte is missing");
        assert_eq!(read(&[b"NO\xff\xfb\x01OP\r\n"]), texts(&["NOOP"]));
    }

    #[test]
    fn a_line_that_is_too_long_is_told_once_and_what_follows_is_read() {
        let long = vec![b'x'; LONGEST + 1];
        let mut told = read(&[&long, &long, b"yyy\r\nNOOP\r\n"]);
        assert_eq!(told.remove(0), Line::TooLong);
        assert_eq!(told, texts(&["NOOP"]));
        assert_eq!(read(&[&long[1..], b"\r\n"]).len(), 1, "the longest");
    }
}
