//! A text and its places: from a byte offset to a line, a column and a [`Problem`].
//!
//! It does not know what the text means.

use super::Problem;

/// A file's text with the name that problems give it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Source<'a> {
    /// The name.
    pub file: &'a str,
    /// All of its text.
    pub text: &'a str,
}

/// No problem is told in more characters than this: a key or a text of the file may be as long as the file.
const MOST_TOLD: usize = 300;

/// `what`, cut with an ellipsis where it is too long.
fn told(mut what: String) -> String {
    if let Some((end, _)) = what.char_indices().nth(MOST_TOLD) {
        what.truncate(end);
        what.push('…');
    }
    what
}

impl Source<'_> {
    /// A problem at byte offset `at`.
    pub fn problem(&self, at: usize, what: impl Into<String>, hint: impl Into<String>) -> Problem {
        let mut at = at.min(self.text.len());
        while !self.text.is_char_boundary(at) {
            at -= 1;
        }
        let before = &self.text[..at];
        let line_start = before.rfind('\n').map_or(0, |n| n + 1);
        let line = before.matches('\n').count() + 1;
        let column = before[line_start..].chars().count() + 1;
        self.problem_at(line, column, what, hint)
    }

    /// A problem at `line` and `column`, both from 1.
    pub fn problem_at(
        &self,
        line: usize,
        column: usize,
        what: impl Into<String>,
        hint: impl Into<String>,
    ) -> Problem {
        Problem {
            file: self.file.to_owned(),
            line,
            column,
            what: told(what.into()),
            hint: hint.into(),
            excerpt: self
                .text
                .split('\n')
                .nth(line - 1)
                .unwrap_or_default()
                .trim_end_matches('\r')
                .to_owned(),
        }
    }

    /// The comment at the head of the file, up to the first line that is empty or no comment.
    pub fn first_comment(&self) -> String {
        let words: Vec<&str> = self
            .text
            .trim_start_matches('\u{feff}')
            .lines()
            .map(str::trim)
            .skip_while(|line| line.is_empty())
            .map_while(|line| line.strip_prefix('#').map(str::trim))
            .take_while(|line| !line.is_empty())
            .collect();
        words.join(" ")
    }
}

/// The one of `known` that `word` was probably meant to be: at most a third of its letters differ (optimal string
/// alignment distance).
pub(super) fn nearest<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    if word.len() > 64 {
        return None;
    }
    let word = word.to_lowercase();
    let allowed = (word.chars().count() / 3).max(1);
    known
        .into_iter()
        .map(|k| (strsim::osa_distance(&word, k), k))
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, k)| k)
}

/// "did you mean "x"? " where there is an x to mean, then all that is allowed.
pub(crate) fn suggestion(word: &str, known: &[&str]) -> String {
    let all = format!("allowed here: {}", known.join(", "));
    match nearest(word, known.iter().copied()) {
        Some(meant) => format!("did you mean {meant:?}? ({all})"),
        None => all,
    }
}
