//! What is wrong with a scenario: one thing, its place, and what to do.
//!
//! It does not find anything wrong itself.

use std::fmt;

/// One problem.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Problem {
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// What is wrong, with the offending value.
    pub what: String,
    /// What is allowed, or what was probably meant.
    pub hint: String,
    /// The text of the line.
    pub excerpt: String,
}

/// No more of a line than this is shown.
const WIDTH: usize = 120;

/// The place and what is wrong, the line with a caret under the place, and the hint.
impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}: {}", self.file, self.line, self.column, self.what)?;
        if self.column <= WIDTH && !self.excerpt.is_empty() {
            let plain = |c: char| if c.is_control() { ' ' } else { c };
            let line: String = self.excerpt.chars().take(WIDTH).map(plain).collect();
            let number = self.line.to_string();
            let gutter = " ".repeat(number.len());
            write!(f, "\n  {number} | {line}\n  {gutter} | {}^", " ".repeat(self.column - 1))?;
        }
        write!(f, "\n  hint: {}", self.hint)
    }
}

impl std::error::Error for Problem {}
