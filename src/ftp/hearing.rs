//! Hearing: from the bytes of a control connection, in whatever pieces they come, to complete replies (RFC 959 section 4.2).
//!
//! It is lenient where servers are sloppy and strict where it costs memory: whoever sends lines or replies without end is told
//! apart from a server. It does not know what a reply means.

use std::borrow::Cow;

/// What was heard.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Heard<'a> {
    /// A complete reply.
    Reply {
        /// Its code, 100 to 699.
        code: u16,
        /// Its lines without codes and line ends, joined by `\n`; of a long one only the beginning.
        text: Cow<'a, str>,
    },
    /// A line that belongs to no reply: what a library says in front of the greeting, or whoever is no FTP server.
    Noise(String),
    /// Whoever speaks is no FTP server: a reply without an end, or no reply in all that was said. With what it began. Nothing
    /// that follows is worth hearing.
    Nonsense(String),
}

/// Hears the replies of one connection. Between replies it holds no memory.
#[derive(Clone, Debug, Default)]
pub struct Hearing {
    /// The line that is not complete, up to [`Self::LINE`].
    line: Vec<u8>,
    /// The lines of a reply that is not complete, up to [`Self::TEXT`].
    text: Vec<u8>,
    /// Bytes since the last complete reply.
    taken: usize,
    /// The code of a reply that is not complete; 0 for none.
    code: u16,
}

/// The beginning of a reply's line.
#[derive(Clone, Copy)]
enum Line<'a> {
    /// `220 text`, or a bare `220`.
    Last(u16, &'a [u8]),
    /// `220-text`.
    More(u16, &'a [u8]),
    /// Anything else.
    Other(&'a [u8]),
}

impl Hearing {
    /// Of a longer line the rest is dropped, bytes.
    pub const LINE: usize = 4 * 1024;
    /// A longer reply is nonsense, and so is more than this that is no reply, bytes.
    pub const REPLY: usize = 64 * 1024;
    /// Of a longer text only the beginning is kept, bytes.
    pub const TEXT: usize = 4 * 1024;

    /// Takes from `input` what belongs to the next reply, and returns it if it is complete. `None`: all was taken, and more is
    /// needed.
    pub fn next<'a>(&mut self, input: &mut &'a [u8]) -> Option<Heard<'a>> {
        loop {
            let Some(end) = input.iter().position(|byte| *byte == b'\n') else {
                let rest = std::mem::take(input);
                self.keep(rest);
                return (self.taken > Self::REPLY).then(|| self.nonsense());
            };
            let (head, rest) = input.split_at(end);
            *input = &rest[1..];
            if self.line.is_empty() && self.code == 0 && head.len() <= Self::LINE {
                // By far the most replies have one line, and come in one piece.
                if let Line::Last(code, text) = Line::of(without_cr(head)) {
                    self.taken = 0;
                    return Some(Heard::Reply { code, text: decoded(text) });
                }
            }
            self.keep(head);
            let bytes = std::mem::take(&mut self.line);
            let line = Line::of(without_cr(&bytes));
            let noise = match line {
                Line::Other(text) if self.code == 0 && !text.is_empty() => Some(decoded(text).into_owned()),
                _ => None,
            };
            if let Some(code) = self.take_line(line) {
                let text = std::mem::take(&mut self.text);
                (self.code, self.taken) = (0, 0);
                return Some(Heard::Reply { code, text: Cow::Owned(decoded(&text).into_owned()) });
            }
            self.taken += 1;
            if self.taken > Self::REPLY {
                return Some(self.nonsense());
            }
            if noise.is_some() {
                return noise.map(Heard::Noise);
            }
        }
    }

    /// The beginning of a reply or a line that never came to its end.
    pub fn unfinished(&self) -> String {
        let both = [&self.text[..], if self.text.is_empty() { b"" } else { b"\n" }, &self.line[..]];
        decoded(&both.concat()).into_owned()
    }

    /// Keeps a piece of a line.
    fn keep(&mut self, piece: &[u8]) {
        self.taken += piece.len();
        let room = Self::LINE.saturating_sub(self.line.len());
        self.line.extend_from_slice(&piece[..piece.len().min(room)]);
    }

    /// Takes a complete line; returns the code if it is the last one of a reply. Within a reply of several lines, only its own
    /// code followed by a space ends it: any other line is text, even if it begins with a number.
    fn take_line(&mut self, line: Line<'_>) -> Option<u16> {
        match line {
            Line::Last(code, text) if self.code == 0 || self.code == code => {
                self.add(text);
                Some(code)
            }
            Line::More(code, text) if self.code == 0 => {
                self.add(text);
                self.code = code;
                None
            }
            Line::More(code, text) if self.code == code => {
                self.add(text);
                None
            }
            Line::Last(_, text) | Line::More(_, text) | Line::Other(text) => {
                if self.code != 0 {
                    self.add(text);
                }
                None
            }
        }
    }

    /// Adds a line to the text: the first one, or, behind a line end, another one.
    fn add(&mut self, text: &[u8]) {
        let room = Self::TEXT.saturating_sub(self.text.len() + 1);
        if self.code != 0 && room > 0 {
            self.text.push(b'\n');
        }
        self.text.extend_from_slice(&text[..text.len().min(room)]);
    }

    fn nonsense(&mut self) -> Heard<'static> {
        let mut began = std::mem::take(&mut self.text);
        began.append(&mut std::mem::take(&mut self.line));
        *self = Self::default();
        Heard::Nonsense(decoded(&began).into_owned())
    }
}

impl<'a> Line<'a> {
    fn of(line: &'a [u8]) -> Self {
        let [a @ b'1'..=b'6', b @ b'0'..=b'9', c @ b'0'..=b'9', rest @ ..] = line else {
            return Self::Other(line);
        };
        let digit = |byte: &u8| u16::from(byte - b'0');
        let code = digit(a) * 100 + digit(b) * 10 + digit(c);
        match rest {
            [] => Self::Last(code, &[]),
            [b' ', text @ ..] => Self::Last(code, text),
            [b'-', text @ ..] => Self::More(code, text),
            _ => Self::Other(line),
        }
    }
}

/// UTF-8 (RFC 2640), and what is none as ISO 8859-1: servers without a word for their charset mostly speak that.
fn decoded(bytes: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Cow::Borrowed(text);
    }
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().copied().map(char::from));
    }
    Cow::Owned(text)
}

/// A line ends with CRLF, or with LF alone.
fn without_cr(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ftp::wire;
    use proptest::prelude::*;

    /// Everything that is heard of `bytes`, in pieces of `size`.
    fn heard(bytes: &[u8], size: usize) -> Vec<(u16, String)> {
        let mut hearing = Hearing::default();
        let mut all = Vec::new();
        for mut piece in bytes.chunks(size) {
            while let Some(heard) = hearing.next(&mut piece) {
                match heard {
                    Heard::Reply { code, text } => all.push((code, text.into_owned())),
                    Heard::Noise(_) => {}
                    Heard::Nonsense(began) => {
                        all.push((0, began));
                        return all;
                    }
                }
            }
        }
        all
    }

    fn reply(code: u16, text: &str) -> (u16, String) {
        (code, text.to_owned())
    }

    #[test]
    fn replies_of_one_line_and_of_several_are_heard() {
        let said = b"220 hi\r\n230-one\r\n230-two\r\n 230 not yet\r\n230 three\r\n200\r\n";
        let want = [reply(220, "hi"), reply(230, "one\ntwo\n 230 not yet\nthree"), reply(200, "")];
        for size in [1, 2, 3, 7, 1_000] {
            assert_eq!(heard(said, size), want, "in pieces of {size}");
        }
    }

    #[test]
    fn sloppy_servers_are_heard_too() {
        assert_eq!(heard(b"220 bare\n331 feed\n", 5), [reply(220, "bare"), reply(331, "feed")]);
        assert_eq!(
            heard(b"ld.so: warning\r\n\r\n220 hello\r\n", 9),
            [reply(220, "hello")],
            "noise before a code"
        );
        assert_eq!(
            heard(b"211-Features\r\n221-other code\r\n221 other code\r\n211 End\r\n", 4),
            [reply(211, "Features\nother code\nother code\nEnd")],
            "a number of its own in the text"
        );
        assert_eq!(heard(b"530 sp\xe4ter \xc3\xbc\r\n", 3), [reply(530, "später ü")], "ISO 8859-1 and UTF-8");
        assert_eq!(heard(b"2200 no\r\n999 no\r\n", 50), [], "no codes");
    }

    #[test]
    fn lines_and_replies_without_end_are_cut_off() {
        let long = [b"220 ".to_vec(), vec![b'x'; 60_000], b"\r\n".to_vec()].concat();
        let all = heard(&long, 1_000);
        assert_eq!((all.len(), all[0].0, all[0].1.len()), (1, 220, Hearing::LINE - 4));
        for hostile in [b"x".as_slice(), b"220-more\r\n", b"no reply\r\n", b"\n"] {
            let all = heard(&hostile.repeat(70_000), 4_096);
            assert_eq!((all.len(), all[0].0), (1, 0), "{}", String::from_utf8_lossy(hostile));
            assert!(all[0].1.len() <= Hearing::LINE + Hearing::TEXT);
        }
    }

    proptest! {
        #[test]
        fn whatever_is_written_is_heard_in_any_pieces(
            said in prop::collection::vec((100_u16..700, "[ -~]{0,40}(\n[ -~]{0,40}){0,3}"), 0..8),
            size in 1_usize..64,
        ) {
            let lines = said.iter().flat_map(|(code, text)| wire(*code, text));
            let bytes: Vec<u8> = lines.flat_map(|line| (line + "\r\n").into_bytes()).collect();
            prop_assert_eq!(heard(&bytes, size), said);
        }

        #[test]
        fn any_bytes_are_taken_and_little_is_kept(
            bytes in prop::collection::vec(prop_oneof![any::<u8>(), Just(b'\n'), Just(b'2'), Just(b'-')], 0..9_000),
            size in 1_usize..3_000,
        ) {
            let mut hearing = Hearing::default();
            for mut piece in bytes.chunks(size) {
                while hearing.next(&mut piece).is_some() {}
                prop_assert!(piece.is_empty() && hearing.line.len() <= Hearing::LINE);
                prop_assert!(hearing.text.len() <= Hearing::TEXT);
            }
        }
    }
}
