//! A cursor over a threshold's text, and errors that help.
//!
//! It knows no metric.

use super::ThresholdProblem;

/// A cursor: it skips spaces before whatever is asked for.
pub(super) struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

/// A piece of the text and its place.
#[derive(Clone, Copy)]
pub(super) struct Piece<'a> {
    pub(super) text: &'a str,
    pub(super) at: usize,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// The place of whatever comes next.
    pub(super) fn at(&mut self) -> usize {
        self.at = self.text.len() - self.rest().trim_start().len();
        self.at
    }

    /// The longest run of characters that `belongs` accepts; it may be empty.
    pub(super) fn take(&mut self, belongs: impl Fn(char) -> bool) -> Piece<'a> {
        let at = self.at();
        let length = self.rest().find(|c| !belongs(c)).unwrap_or(self.rest().len());
        self.at += length;
        Piece { text: &self.text[at..self.at], at }
    }

    /// A word of letters, digits and underscores; it may be empty.
    pub(super) fn word(&mut self) -> Piece<'a> {
        self.take(|c| c.is_ascii_alphanumeric() || c == '_')
    }

    /// Goes past `token` if it comes next.
    pub(super) fn skip(&mut self, token: &str) -> bool {
        self.at();
        let found = self.rest().starts_with(token);
        self.at += if found { token.len() } else { 0 };
        found
    }

    /// Goes past `token`, which must come next.
    pub(super) fn expect(&mut self, token: &str, after: &str) -> Result<(), ThresholdProblem> {
        if self.skip(token) {
            Ok(())
        } else {
            Err(problem(self.at(), format!("expected `{token}` after {after}")))
        }
    }

    /// Everything that is left.
    pub(super) fn remainder(&mut self) -> Piece<'a> {
        let at = self.at();
        self.at = self.text.len();
        Piece { text: self.text[at..].trim_end(), at }
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }
}

pub(super) fn problem(at: usize, why: impl Into<String>) -> ThresholdProblem {
    ThresholdProblem { at, why: why.into() }
}

/// `found` is not a `what`: says what is allowed, and which of that was probably meant.
pub(super) fn unknown<'a>(
    found: Piece<'_>,
    what: &str,
    allowed: impl Iterator<Item = &'a str>,
) -> ThresholdProblem {
    let allowed: Vec<&str> = allowed.collect();
    let list = allowed.join(", ");
    if found.text.is_empty() {
        return problem(found.at, format!("here stands the {what}, one of: {list}"));
    }
    let distance = |word: &str| strsim::damerau_levenshtein(found.text, word);
    let nearest =
        allowed.into_iter().min_by_key(|word| distance(word)).filter(|w| distance(w) <= 1 + w.len() / 4);
    let meant = nearest.map(|word| format!("did you mean `{word}`? ")).unwrap_or_default();
    problem(found.at, format!("unknown {what} `{}`: {meant}Allowed: {list}", found.text))
}
