//! Reading the text of a reply, as few clients do: patterns, and the minutes of a 120.
//!
//! It decides nothing. A driver asks it once for each text that a server may say, and hands the answer in with the reply.

use regex_lite::{Regex, RegexBuilder};

/// The patterns that a population's clients look for. Case does not matter, as in lftp.
#[derive(Clone, Debug, Default)]
pub struct Reading {
    patterns: Vec<Regex>,
}

/// Two readings are alike if they look for the same patterns in the same order.
impl PartialEq for Reading {
    fn eq(&self, other: &Self) -> bool {
        let texts = |reading: &Self| reading.patterns.iter().map(Regex::to_string).collect::<Vec<_>>();
        texts(self) == texts(other)
    }
}

impl Reading {
    /// The most patterns: one bit each.
    pub const MOST: usize = 8;
    /// The longest pattern, bytes.
    const LONGEST: usize = 500;

    /// The bit of `pattern`, which is looked for from now on.
    ///
    /// # Errors
    /// Why it cannot be: it is no pattern, or one too many.
    pub fn look_for(&mut self, pattern: &str) -> Result<u8, String> {
        let place = match self.patterns.iter().position(|known| known.as_str() == pattern) {
            Some(place) => place,
            None if pattern.is_empty() || pattern.len() > Self::LONGEST => {
                return Err(format!("a pattern has 1 to {} characters", Self::LONGEST));
            }
            None if self.patterns.len() == Self::MOST => {
                return Err(format!("a population looks for at most {} patterns", Self::MOST));
            }
            None => {
                let compiled = RegexBuilder::new(pattern).case_insensitive(true).build();
                self.patterns.push(compiled.map_err(|why| why.to_string())?);
                self.patterns.len() - 1
            }
        };
        Ok(1 << place)
    }

    /// What a reply of this code and text says to such a client: one bit for each pattern that it matches; for a 120
    /// (RFC 959: "Service ready in nnn minutes") the minutes, at most 255.
    pub fn words(&self, code: u16, text: &str) -> u8 {
        if code == 120 {
            return minutes(text);
        }
        let bits = self.patterns.iter().enumerate();
        bits.filter(|(_, pattern)| pattern.is_match(text)).fold(0, |words, (place, _)| words | 1 << place)
    }
}

/// The first number of a text.
fn minutes(text: &str) -> u8 {
    let digits = text.trim_start_matches(|c: char| !c.is_ascii_digit());
    let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    if digits.is_empty() { 0 } else { digits[..end].parse().unwrap_or(u8::MAX) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_one_bit_for_each_pattern_that_it_matches() {
        let mut reading = Reading::default();
        assert_eq!(reading.look_for("(too many|no more) connections"), Ok(1));
        assert_eq!(reading.look_for("try later"), Ok(2));
        assert_eq!(
            reading.look_for("(too many|no more) connections"),
            Ok(1),
            "the same pattern is the same bit"
        );
        assert_eq!(reading.words(421, "Too many connections (8) from this IP"), 1);
        assert_eq!(reading.words(421, "There are too many connected users, please try later."), 2);
        assert_eq!(reading.words(421, "Timeout."), 0);
        assert!(reading.look_for("(").is_err());
    }

    #[test]
    fn a_120_says_its_minutes() {
        let reading = Reading::default();
        for (text, said) in
            [("Service ready in 2 minutes.", 2), ("Soon.", 0), ("Back in 99999 minutes.", 255)]
        {
            assert_eq!(reading.words(120, text), said, "{text}");
        }
    }
}
