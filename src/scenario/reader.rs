//! Reading a TOML table key by key: what nobody asked for is refused, so that nothing is silently ignored.
//!
//! It knows places and types, not scenarios.

use toml::Spanned;
use toml::de::DeTable;

use super::Problem;
use super::source::{Source, nearest, suggestion};
use super::value::Value;

/// What reading gives: the thing, or the first problem.
pub(super) type Read<T> = Result<T, Problem>;

/// A table that remembers which keys were asked for.
#[derive(Debug)]
#[must_use = "call `finish`, or unknown keys are silently ignored"]
pub(super) struct Reader<'a> {
    source: Source<'a>,
    /// What problems call this table: `[server]`.
    name: String,
    /// Where it begins.
    at: usize,
    table: &'a DeTable<'a>,
    /// What stands over it.
    over: Option<Layer<'a>>,
    asked: Vec<String>,
}

/// A table of another text, whose keys stand over those of the file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layer<'a> {
    /// Where it is written.
    pub source: Source<'a>,
    /// Its keys.
    pub table: &'a DeTable<'a>,
}

impl<'a> Layer<'a> {
    fn value(self, key: &str) -> Option<Value<'a>> {
        let (key, value) = self.table.get_key_value(key)?;
        Some(Value::new(self.source, key.get_ref(), value))
    }
}

impl<'a> Reader<'a> {
    /// A reader of `table`, which begins at byte `at` and is called `name` in problems.
    pub fn new(source: Source<'a>, table: &'a DeTable<'a>, at: usize, name: impl Into<String>) -> Self {
        Self { source, name: name.into(), at, table, over: None, asked: Vec::new() }
    }

    /// The same with another layer over it.
    pub fn under(mut self, over: Option<Layer<'a>>) -> Self {
        self.over = over;
        self
    }

    /// Renames the table for problems to come.
    pub fn rename(&mut self, name: impl Into<String>) {
        self.name = name.into();
    }

    /// The value of `key`, if it is there.
    pub fn value(&mut self, key: &str) -> Option<Value<'a>> {
        let own = self.own(key);
        match (own, self.over.and_then(|over| over.value(key))) {
            (Some(own), Some(over)) => Some(own.under(over)),
            (own, over) => over.or(own),
        }
    }

    /// The same as the file itself says it.
    pub fn own(&mut self, key: &str) -> Option<Value<'a>> {
        self.asked.push(key.to_owned());
        Layer { source: self.source, table: self.table }.value(key)
    }

    /// The table `key` of what stands over this one.
    pub fn layer(&self, key: &str) -> Option<Layer<'a>> {
        self.over.and_then(|over| over.value(key))?.layer()
    }

    /// All keys, for a table whose keys are names.
    pub fn keys(&self) -> Vec<&'a str> {
        let mut keys: Vec<&str> = Vec::new();
        for (_, key) in self.entries() {
            if !keys.contains(&key.get_ref().as_ref()) {
                keys.push(key.get_ref());
            }
        }
        keys
    }

    /// The value of `key` as `read` takes it, if it is there.
    pub fn get<T>(&mut self, key: &str, read: impl FnOnce(Value<'a>) -> Read<T>) -> Read<Option<T>> {
        self.value(key).map(read).transpose()
    }

    /// The value of `key` as `read` takes it, or `default`.
    pub fn get_or<T>(&mut self, key: &str, default: T, read: impl FnOnce(Value<'a>) -> Read<T>) -> Read<T> {
        Ok(self.get(key, read)?.unwrap_or(default))
    }

    /// The value of `key`, which must be there; `example` shows what to write.
    pub fn require<T>(
        &mut self,
        key: &str,
        example: &str,
        read: impl FnOnce(Value<'a>) -> Read<T>,
    ) -> Read<T> {
        match self.get(key, read)? {
            Some(value) => Ok(value),
            None => Err(self.missing(key, example)),
        }
    }

    /// A key is missing; or it is there, but misspelt.
    pub fn missing(&self, key: &str, example: &str) -> Problem {
        let unasked = self
            .entries()
            .find(|(_, k)| !self.was_asked(k.get_ref()) && nearest(k.get_ref(), [key]).is_some());
        match unasked {
            Some((source, misspelt)) => self.unknown(source, misspelt, &format!("did you mean {key:?}?")),
            None => self.problem(format!("{key:?} is missing in {}", self.name), format!("write {example}")),
        }
    }

    /// A problem of the table as a whole.
    pub fn problem(&self, what: impl Into<String>, hint: impl Into<String>) -> Problem {
        self.source.problem(self.at, what, hint)
    }

    /// The first problem with a key that nobody asked for, explained by `explain` where it can.
    ///
    /// # Errors
    /// If there is such a key.
    pub fn finish_with(self, explain: impl FnOnce(&str) -> Option<String>) -> Read<()> {
        let Some((source, key)) = self.entries().find(|(_, k)| !self.was_asked(k.get_ref())) else {
            return Ok(());
        };
        let known: Vec<&str> = self.asked.iter().map(String::as_str).collect();
        let hint = explain(key.get_ref()).unwrap_or_else(|| suggestion(key.get_ref(), &known));
        Err(self.unknown(source, key, &hint))
    }

    /// The first problem with a key that nobody asked for.
    ///
    /// # Errors
    /// If there is such a key.
    pub fn finish(self) -> Read<()> {
        self.finish_with(|_| None)
    }

    fn unknown(&self, source: Source<'_>, key: &Spanned<impl AsRef<str>>, hint: &str) -> Problem {
        let what = format!("unknown key {:?} in {}", key.get_ref().as_ref(), self.name);
        source.problem(key.span().start, what, hint)
    }

    fn was_asked(&self, key: &str) -> bool {
        self.asked.iter().any(|asked| asked == key)
    }

    /// The keys, each layer's in the order of its text: first the file's.
    fn entries(&self) -> impl Iterator<Item = (Source<'a>, &'a Spanned<toml::de::DeString<'a>>)> {
        let own = Layer { source: self.source, table: self.table };
        [Some(own), self.over].into_iter().flatten().flat_map(|layer| {
            let mut keys: Vec<_> = layer.table.iter().map(|(key, _)| key).collect();
            keys.sort_by_key(|key| key.span().start);
            keys.into_iter().map(move |key| (layer.source, key))
        })
    }
}
