//! One value of the file: its type, its unit, its bounds, and its place if it is wrong.
//!
//! It does not know which key wants which type: its callers do.

use std::ops::RangeInclusive;

use toml::Spanned;
use toml::de::DeValue;

use super::Problem;
use super::reader::{Layer, Read, Reader};
use super::source::{Source, suggestion};
use crate::time::{Duration, Instant};
use crate::units::{parse_rate, parse_size};

/// The longest time that a scenario may name.
pub(super) const LONGEST: Duration = Duration::from_secs(366 * 86_400);
/// The largest size that a scenario may name: 1 PiB.
pub(super) const LARGEST: u64 = 1 << 50;
/// The highest rate that a scenario may name, per second.
const FASTEST: f64 = 1e6;

/// A value with its place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Value<'a> {
    source: Source<'a>,
    key: &'a str,
    /// Is it an element of the list that `key` names?
    element: bool,
    start: usize,
    end: usize,
    content: &'a DeValue<'a>,
    /// Of a table: what stands over it.
    over: Option<Layer<'a>>,
}

impl<'a> Value<'a> {
    /// The value of `key`.
    pub fn new(source: Source<'a>, key: &'a str, value: &'a Spanned<DeValue<'a>>) -> Self {
        let span = value.span();
        let content = value.get_ref();
        Self { source, key, element: false, start: span.start, end: span.end, content, over: None }
    }

    /// The value when `over` stands over it: of two tables the keys of both.
    pub fn under(self, over: Self) -> Self {
        match over.layer() {
            Some(layer) if self.is_table() => Self { over: Some(layer), ..self },
            _ => over,
        }
    }

    /// The table, to stand over another one.
    pub fn layer(&self) -> Option<Layer<'a>> {
        match self.content {
            DeValue::Table(table) => Some(Layer { source: self.source, table }),
            _ => None,
        }
    }

    /// A problem with this value: "`key = value` `why`".
    pub fn wrong(&self, why: &str, hint: impl Into<String>) -> Problem {
        self.wrong_at(self.start, why, hint)
    }

    /// The same at byte `at` of the file.
    fn wrong_at(&self, at: usize, why: &str, hint: impl Into<String>) -> Problem {
        let raw = self.source.text.get(self.start..self.end).unwrap_or_default();
        let mut shown: String = raw.chars().take_while(|c| !c.is_control()).take(60).collect();
        if shown.len() < raw.len() {
            shown.push_str("..");
        }
        let what = match (self.element, self.content) {
            (true, _) => format!("{shown} in {} {why}", self.key),
            (false, DeValue::Table(_)) => format!("{:?} {why}", self.key),
            (false, _) => format!("{} = {shown} {why}", self.key),
        };
        self.source.problem(at, what, hint)
    }

    /// A problem at byte `offset` of this text's content, as exact as its quoting allows.
    pub fn wrong_inside(&self, offset: usize, why: &str, hint: impl Into<String>) -> Problem {
        let raw = self.source.text.get(self.start..self.end).unwrap_or_default();
        let content = self.text().ok().and_then(|text| raw.find(text));
        self.wrong_at(content.map_or(self.start, |begin| self.start + begin + offset), why, hint)
    }

    /// The text as it is, which may be empty.
    pub fn text(&self) -> Read<&'a str> {
        match self.content {
            DeValue::String(text) => Ok(text),
            _ => Err(self.wrong("is not a text", "write it in quotes")),
        }
    }

    /// A text that may travel in an FTP line: some characters, none of them a control character.
    pub fn line(&self) -> Read<&'a str> {
        let text = self.text()?;
        if text.is_empty() || text.len() > 200 || text.chars().any(char::is_control) {
            return Err(self.wrong("is not a line of text", "write 1 to 200 characters without line breaks"));
        }
        Ok(text)
    }

    /// A name: small letters, digits and hyphens.
    pub fn name(&self) -> Read<String> {
        let text = self.text()?;
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if text.is_empty() || text.len() > 64 || !text.chars().all(fits) {
            return Err(self.wrong("is not a name", "a name has 1 to 64 of a-z, 0-9 and -"));
        }
        Ok(text.to_owned())
    }

    /// true or false.
    pub fn flag(&self) -> Read<bool> {
        match self.content {
            DeValue::Boolean(flag) => Ok(*flag),
            _ => Err(self.wrong("is neither true nor false", "write true or false, without quotes")),
        }
    }

    /// A whole number within `range`.
    pub fn integer(&self, range: RangeInclusive<u64>) -> Read<u64> {
        let hint = format!("write a whole number from {} to {}", range.start(), range.end());
        let DeValue::Integer(digits) = self.content else {
            return Err(self.wrong("is not a whole number", hint));
        };
        match i128::from_str_radix(digits.as_str(), digits.radix()).ok().and_then(|n| u64::try_from(n).ok()) {
            Some(n) if range.contains(&n) => Ok(n),
            _ => Err(self.wrong("is out of range", hint)),
        }
    }

    /// A whole number within `range` that fits 32 bits.
    pub fn count(&self, range: RangeInclusive<u32>) -> Read<u32> {
        self.integer(u64::from(*range.start())..=u64::from(*range.end())).map(|n| n as u32)
    }

    /// A number from `low` to `high`.
    pub fn number(&self, low: f64, high: f64) -> Read<f64> {
        let number = match self.content {
            DeValue::Float(digits) => digits.as_str().parse::<f64>().ok(),
            DeValue::Integer(digits) => {
                i64::from_str_radix(digits.as_str(), digits.radix()).ok().map(|n| n as f64)
            }
            _ => return Err(self.wrong("is not a number", format!("write a number from {low} to {high}"))),
        };
        match number {
            Some(x) if x >= low && x <= high => Ok(x),
            _ => Err(self.wrong("is out of range", format!("write a number from {low} to {high}"))),
        }
    }

    /// A probability.
    pub fn probability(&self) -> Read<f64> {
        self.number(0.0, 1.0).map_err(|mut problem| {
            "a probability is a number from 0 to 1, such as 0.02".clone_into(&mut problem.hint);
            problem
        })
    }

    /// One of the words of `known`.
    pub fn one_of<T: Copy>(&self, known: &[(&str, T)]) -> Read<T> {
        let word = self.text()?;
        known.iter().find(|(k, _)| *k == word).map(|(_, v)| *v).ok_or_else(|| {
            let words: Vec<&str> = known.iter().map(|(k, _)| *k).collect();
            self.wrong("is unknown", suggestion(word, &words))
        })
    }

    /// A text with a unit, as `parse` understands it. A bare number gets the hint to write `unit` behind it.
    fn with_unit<T>(
        &self,
        thing: &str,
        unit: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Read<T> {
        match self.content {
            DeValue::String(text) => parse(text).map_err(|hint| self.wrong(&format!("is not {thing}"), hint)),
            DeValue::Integer(digits) => Err(self.wrong(
                &format!("is not {thing}"),
                format!("write \"{digits}{unit}\", with a unit and in quotes"),
            )),
            DeValue::Float(digits) => Err(self.wrong(
                &format!("is not {thing}"),
                format!("write \"{digits}{unit}\", with a unit and in quotes"),
            )),
            _ => Err(self.wrong(&format!("is not {thing}"), format!("write a text such as \"30{unit}\""))),
        }
    }

    /// A duration of at most [`LONGEST`].
    pub fn duration(&self) -> Read<Duration> {
        let duration =
            self.with_unit("a duration", "s", |text| Duration::parse(text).map_err(str::to_owned))?;
        if duration > LONGEST {
            return Err(self.wrong("is too long", "no time in a scenario is longer than 366 days"));
        }
        Ok(duration)
    }

    /// A duration above zero.
    pub fn some_time(&self) -> Read<Duration> {
        let duration = self.duration()?;
        if duration.is_zero() {
            return Err(self.wrong("is no time at all", "write a duration above zero"));
        }
        Ok(duration)
    }

    /// A point in time before `end`.
    pub fn instant_before(&self, end: Duration) -> Read<Instant> {
        let at = self.duration()?;
        if at >= end {
            return Err(self.wrong("is after the end", format!("the run lasts {end}")));
        }
        Ok(Instant::ZERO + at)
    }

    /// A rate of zero or more per second.
    pub fn rate(&self) -> Read<f64> {
        let rate = self.with_unit("a rate", "/s", |text| {
            parse_rate(text)
                .ok_or_else(|| "a rate is a number per s, m, h or d, such as \"5/s\" or \"300/m\"".to_owned())
        })?;
        if rate > FASTEST {
            return Err(self.wrong("is too high", "no rate in a scenario is above 1000000/s"));
        }
        Ok(rate)
    }

    /// A rate above zero.
    pub fn some_rate(&self) -> Read<f64> {
        let rate = self.rate()?;
        if rate <= 0.0 {
            return Err(self.wrong("lets nobody come", "write a rate above zero"));
        }
        Ok(rate)
    }

    /// A number of bytes of at most [`LARGEST`].
    pub fn size(&self) -> Read<u64> {
        let shape = "a size is a number with a unit: B, KB, MB, GB, KiB, MiB or GiB, such as \"10MiB\"";
        let size = self.with_unit("a size", "B", |text| parse_size(text).ok_or_else(|| shape.to_owned()))?;
        if size > LARGEST {
            return Err(self.wrong("is too large", "no size in a scenario is above 1 PiB"));
        }
        Ok(size)
    }

    /// Bytes per second, above zero.
    pub fn bandwidth(&self) -> Read<u64> {
        let shape = "a bandwidth is a size per second, such as \"10MiB/s\"";
        let parse =
            |text: &str| text.trim().strip_suffix("/s").and_then(parse_size).ok_or_else(|| shape.to_owned());
        let bandwidth = self.with_unit("a bandwidth", "B/s", parse)?;
        if bandwidth == 0 || bandwidth > LARGEST {
            return Err(self.wrong(
                "is out of range",
                "a bandwidth is from 1 B/s to 1 PiB/s; leave it out for unlimited",
            ));
        }
        Ok(bandwidth)
    }

    /// The elements of a list of at most `most`.
    pub fn list(&self, most: usize) -> Read<Vec<Self>> {
        let DeValue::Array(elements) = self.content else {
            return Err(self.wrong("is not a list", "write it in square brackets"));
        };
        if elements.len() > most {
            return Err(self.wrong(
                "is too long a list",
                format!("it has {} elements, at most {most} are allowed", elements.len()),
            ));
        }
        Ok(elements.iter().map(|e| Self { element: true, ..Self::new(self.source, self.key, e) }).collect())
    }

    /// The tables of `[[key]]`, at most `most`.
    pub fn tables(&self, most: usize, name: &str) -> Read<Vec<Reader<'a>>> {
        if self.is_table() {
            return Err(self.wrong(
                "is a single table",
                format!("write {name}, with double brackets: there may be several"),
            ));
        }
        self.list(most)?.into_iter().map(|v| v.table(name)).collect()
    }

    /// The table, called `name` in problems.
    pub fn table(&self, name: impl Into<String>) -> Read<Reader<'a>> {
        match self.content {
            DeValue::Table(table) => Ok(Reader::new(self.source, table, self.start, name).under(self.over)),
            _ => Err(self.wrong("is not a table", "write keys and values in braces: { key = value }")),
        }
    }

    /// Is it a list?
    pub fn is_list(&self) -> bool {
        matches!(self.content, DeValue::Array(_))
    }

    /// Is it a table?
    pub fn is_table(&self) -> bool {
        matches!(self.content, DeValue::Table(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use toml::de::DeTable;

    /// The column of byte 3 of a text, however it is quoted.
    #[test]
    fn a_place_inside_a_text_is_exact_unless_it_has_escapes() {
        for (text, column) in [
            ("a = \"12345\"", 9),
            ("a = '12345'", 9),
            ("a = \"\"\"12345\"\"\"", 11),
            ("a = \"1\\u00322345\"", 5),
        ] {
            let document = DeTable::parse(text).unwrap();
            let (_, value) = document.get_ref().get_key_value("a").unwrap();
            let problem = Value::new(Source { file: "t", text }, "a", value).wrong_inside(3, "is wrong", "");
            assert_eq!(problem.column, column, "{problem}");
        }
    }
}
