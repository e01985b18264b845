//! Keys of `[server]` that are set from outside of the file, such as on a command line: they stand over what the file says.
//!
//! What they mean, and what is wrong with them, is found out where the file's own keys are read.

use toml::Spanned;
use toml::de::DeTable;

use super::Problem;
use super::reader::Read;
use super::source::Source;

/// One key that is set.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Setting {
    by: String,
    key: String,
    value: String,
}

impl Setting {
    /// `by` (it is named in problems: `--max-clients`) sets `key` of `[server]`, with dots where it is in a table of that:
    /// `max_clients`, `ban.threshold`. The value is written as in the file, where a text needs no quotes: `3`, `5s`.
    pub fn new(by: &str, key: &str, value: &str) -> Self {
        let line = format!("k = {value}");
        let fits = !value.contains(['\n', '\r'])
            && DeTable::parse(&line).is_ok_and(|table| table.get_ref().len() == 1);
        if !fits {
            return Self::text(by, key, value);
        }
        Self { by: by.to_owned(), key: key.to_owned(), value: value.to_owned() }
    }

    /// The same where the value is a text, whatever it looks like.
    pub fn text(by: &str, key: &str, value: &str) -> Self {
        Self { by: by.to_owned(), key: key.to_owned(), value: quoted(value) }
    }

    /// A problem without a place.
    fn problem(&self, what: String, hint: String) -> Problem {
        Problem { file: self.by.clone(), line: 0, column: 0, what, hint, excerpt: String::new() }
    }
}

/// A text of TOML, on one line.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c.is_control() => quoted.push_str(&format!("\\u{:04X}", u32::from(c))),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

/// What is written in front of the settings.
const HEAD: &str = "[server]\n";

/// The settings of a run: a TOML document of its own, with a line for each behind the first.
#[derive(Debug)]
pub(super) struct Settings<'s> {
    given: &'s [Setting],
    text: String,
}

impl<'s> Settings<'s> {
    /// The document of what is `given`.
    ///
    /// # Errors
    /// A key that is none.
    pub fn of(given: &'s [Setting]) -> Read<Self> {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        let mut text = String::from(HEAD);
        for setting in given {
            if !setting.key.split('.').all(|part| !part.is_empty() && part.chars().all(is_plain)) {
                let what = format!("{:?} is no key", setting.key);
                return Err(
                    setting.problem(what, "write a key of [server], such as max_clients=3".to_owned())
                );
            }
            text.extend([&setting.key, " = ", &setting.value, "\n"]);
        }
        Ok(Self { given, text })
    }

    /// Its text, or nothing if nothing is set.
    pub fn text(&self) -> &str {
        if self.given.is_empty() { "" } else { &self.text }
    }

    /// Its text and places, for problems.
    pub fn source(&self) -> Source<'_> {
        Source { file: "", text: self.text() }
    }

    /// Its table.
    ///
    /// # Errors
    /// A key is set twice.
    pub fn table(&self) -> Read<Spanned<DeTable<'_>>> {
        DeTable::parse(self.text()).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            self.blame(self.source().problem(at, "sets again what was set before", "say it once"))
        })
    }

    /// A problem of a line of the document becomes one of who wrote it.
    pub fn blame(&self, problem: Problem) -> Problem {
        match problem.line.checked_sub(2).and_then(|place| self.given.get(place)) {
            Some(setting) if problem.file.is_empty() => setting.problem(problem.what, problem.hint),
            _ => problem,
        }
    }
}
