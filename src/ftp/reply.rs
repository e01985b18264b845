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
        match code / 100 {
            1 => Self::Preliminary,
            2 => Self::Completion,
            3 => Self::Intermediate,
            4 => Self::TransientNegative,
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

#[cfg(test)]
mod tests {
    use super::*;

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
