//! Replies: a three-digit code and one or more lines of text (RFC 959 section 4.2).
//!
//! It does not say when a reply is sent, nor what follows from it.

/// The first digit of a reply code (RFC 959 section 4.2).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Severity {
    /// 1yz: more replies to this command will follow.
    Preliminary,
    /// 2yz: done.
    Completion,
    /// 3yz: waiting for another command.
    Intermediate,
    /// 4yz: not done; the same command may work later.
    TransientNegative,
    /// 5yz: not done; the same command will fail again.
    PermanentNegative,
}

impl Severity {
    /// The severity of `code`; anything outside 100..=499 counts as permanently negative.
    pub const fn of(code: u16) -> Self {
        match code {
            100..200 => Self::Preliminary,
            200..300 => Self::Completion,
            300..400 => Self::Intermediate,
            400..500 => Self::TransientNegative,
            _ => Self::PermanentNegative,
        }
    }
}

/// The lines of a reply without their line ends: `code-text` for all but the last, `code text` for the last, as
/// RFC 959 section 4.2 wants a multi-line reply.
pub fn wire(code: u16, text: &str) -> Vec<String> {
    let lines: Vec<&str> = text.split('\n').collect();
    let last = lines.len() - 1;
    lines
        .iter()
        .enumerate()
        .map(|(i, line)| if i == last { format!("{code} {line}") } else { format!("{code}-{line}") })
        .collect()
}

/// `text` as it may be shown to people: what could move the cursor of a terminal, or turn words around, is escaped as in Rust.
pub fn shown(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    text.chars().for_each(|c| show(c, &mut shown));
    shown
}

/// The same for one character, appended to `into`.
pub fn show(c: char, into: &mut String) {
    let turns = matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    if c.is_control() || turns {
        into.extend(c.escape_default());
    } else {
        into.push(c);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_moves_no_cursor() {
        assert_eq!(
            shown("421 später \u{1b}[31m\u{0}\u{9b}2J\t\r\n"),
            "421 später \\u{1b}[31m\\u{0}\\u{9b}2J\\t\\r\\n"
        );
        assert_eq!(shown("a\u{202e}b"), "a\\u{202e}b");
    }

    #[test]
    fn only_the_last_line_has_a_space_behind_the_code() {
        assert_eq!(wire(220, "one"), ["220 one"]);
        assert_eq!(wire(220, "one\ntwo\nthree"), ["220-one", "220-two", "220 three"]);
    }

    #[test]
    fn severity_is_the_first_digit() {
        assert_eq!(Severity::of(150), Severity::Preliminary);
        assert_eq!(Severity::of(230), Severity::Completion);
        assert_eq!(Severity::of(331), Severity::Intermediate);
        assert_eq!(Severity::of(421), Severity::TransientNegative);
        assert_eq!(Severity::of(530), Severity::PermanentNegative);
    }
}
