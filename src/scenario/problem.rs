//! What is wrong with a scenario: one thing, its place, and what to do.
//!
//! It does not find anything wrong itself.

use std::fmt;

/// One problem.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Problem {
    /// The file; or, if there is none, who says what is wrong, such as a flag.
    pub file: String,
    /// The line, from 1; 0: it is in no file.
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

/// No more of a line than this is shown, in characters, ellipses not counted.
const WIDTH: usize = 120;

/// The part of `line` around `column` that is shown, and how many characters of it stand before the column. Control characters
/// become spaces.
fn window(line: &str, column: usize) -> (String, usize) {
    let before = column.saturating_sub(1);
    let from = if before < WIDTH { 0 } else { before - WIDTH / 2 };
    let plain = |c: char| if c.is_control() { ' ' } else { c };
    let mut rest = line.chars().skip(from).map(plain);
    let mut shown = String::from(if from > 0 { "…" } else { "" });
    shown.extend(rest.by_ref().take(WIDTH));
    if rest.next().is_some() {
        shown.push('…');
    }
    (shown, before - from + usize::from(from > 0))
}

/// The place and what is wrong, the line with a caret under the place, and the hint.
impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.file, self.what)?,
            line => write!(f, "{}:{line}:{}: {}", self.file, self.column, self.what)?,
        }
        if !self.excerpt.is_empty() {
            let (line, before) = window(&self.excerpt, self.column);
            let number = self.line.to_string();
            let gutter = " ".repeat(number.len());
            write!(f, "\n  {number} | {line}\n  {gutter} | {}^", " ".repeat(before))?;
        }
        write!(f, "\n  hint: {}", self.hint)
    }
}

impl std::error::Error for Problem {}

#[cfg(test)]
mod tests {
    use super::*;

    /// The line as shown, and the character above the caret.
    fn shown(line: &str, column: usize) -> (String, Option<char>) {
        let problem = Problem {
            file: "f".to_owned(),
            line: 7,
            column,
            what: "wrong".to_owned(),
            hint: "none".to_owned(),
            excerpt: line.to_owned(),
        };
        let text = problem.to_string();
        let lines: Vec<&str> = text.lines().collect();
        let [_, line, caret, _] = lines[..] else { panic!("{text}") };
        let at = caret.chars().count() - 1;
        (line.strip_prefix("  7 | ").unwrap().to_owned(), line.chars().nth(at))
    }

    #[test]
    fn a_short_line_is_shown_whole() {
        assert_eq!(shown("time = x", 8), ("time = x".to_owned(), Some('x')));
        let whole = format!("{}!", "ü".repeat(119));
        assert_eq!(shown(&whole, 120), (whole.clone(), Some('!')));
        assert_eq!(shown("a\u{1b}b", 3), ("a b".to_owned(), Some('b')));
        assert_eq!(shown("ab", 3), ("ab".to_owned(), None)); // at the end of the line
    }

    #[test]
    fn a_long_line_is_shown_around_the_caret() {
        for column in [1, 60, 120, 121, 122, 5_000, 99_940, 100_000] {
            let mut line = vec!['ü'; 100_000];
            line[column - 1] = '!';
            let (text, above) = shown(&line.iter().collect::<String>(), column);
            assert_eq!(above, Some('!'), "column {column}: {text}");
            assert!(text.chars().count() <= 122 && text.contains('…'), "column {column}: {text}");
        }
    }
}
