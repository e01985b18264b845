//! What was counted before, and what is said of what is counted now.
//!
//! It runs nothing: `callgrind` counts.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

/// The command that renews the record.
pub const RENEW: &str = "cargo bench --locked --profile counted --bench counted -- --record";

/// The command that shows where the instructions of a run go.
const TOP: &str = "cargo bench --locked --profile counted --bench counted -- --top";

/// Whatever changes counts without a change of ours.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// The machine's kind and system, as in `x86_64 linux`. Counts of two kinds have nothing to do with each other.
    pub kind: String,
    /// The compiler with its commit.
    pub rustc: String,
    /// The C library: its allocator and its copies of memory are counted, too.
    pub libc: String,
    /// Who counted.
    pub valgrind: String,
}

/// What a run came to.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Count {
    /// Events, or whatever the run calls so.
    pub events: u64,
    /// Of what the run did: with the same digest, it did the same.
    #[serde(with = "hexadecimal")]
    pub digest: u64,
    /// Instructions of the collected part.
    pub instructions: u64,
}

/// The recorded file.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// The day it was written, UTC.
    pub date: String,
    /// How much more than recorded is let pass at the same place, as a share: a change elsewhere may turn what is inlined.
    pub tolerance: f64,
    /// The same if the compiler or the C library is another.
    pub tolerance_elsewhere: f64,
    /// Where it was counted.
    pub place: Place,
    /// By the run's name.
    pub runs: BTreeMap<String, Count>,
}

/// What is said of a run.
#[derive(Clone, PartialEq, Debug)]
pub enum Verdict {
    /// As recorded, within the tolerance.
    Same,
    /// Fewer instructions by more than the tolerance: a slowdown could hide in the gain.
    Better(String),
    /// The gate is shut.
    Fails(String),
}

impl Count {
    /// Instructions an event.
    pub fn per_event(&self) -> f64 {
        self.instructions as f64 / self.events.max(1) as f64
    }
}

impl Record {
    /// The text of the file.
    pub fn text(&self) -> String {
        let mut text = String::from(
            "# Instructions of fixed runs, counted by callgrind (benches/counted). Renewed, never edited, by\n",
        );
        let _ = writeln!(
            text,
            "#     {RENEW}\n# and the commit says why. Only the tolerances are set by hand; they are kept.\n"
        );
        text + &toml::to_string(self).expect("a record is made of numbers, texts and tables")
    }

    /// # Errors
    /// In words, if `text` is not such a file.
    pub fn parse(text: &str) -> Result<Self, String> {
        toml::from_str(text).map_err(|why| why.to_string())
    }

    /// How much more than recorded is let pass `here`, and what is to be told about that. `None`: nothing can be compared.
    pub fn tolerance_at(&self, here: &Place) -> (Option<f64>, String) {
        let there = &self.place;
        if here.kind != there.kind {
            let why = format!("NOT COMPARED: this is {}, and the record is of {}.", here.kind, there.kind);
            return (None, why);
        }
        let mut other = String::new();
        for (now, was) in [(&here.rustc, &there.rustc), (&here.libc, &there.libc)] {
            if now != was {
                let _ = write!(other, " {now} here, {was} in the record;");
            }
        }
        if other.is_empty() {
            return (Some(self.tolerance), String::new());
        }
        let tolerance = self.tolerance_elsewhere;
        let why = format!(
            "COMPARED LOOSELY, to {:.0} % and not {:.0} %:{other} to compare closely, renew the record: {RENEW}",
            100.0 * tolerance,
            100.0 * self.tolerance
        );
        (Some(tolerance), why)
    }

    /// What is to be said of `now`, the count of the run called `name`.
    pub fn judge(&self, name: &str, now: &Count, tolerance: f64) -> Verdict {
        let Some(was) = self.runs.get(name) else {
            return Verdict::Fails(format!("{name} is not in the record. Renew it: {RENEW}"));
        };
        if now.digest != was.digest {
            return Verdict::Fails(format!(
                "{name} does something else than when it was recorded, so the two counts say nothing together. If that is \
                 meant, renew the record, and say in the commit what has changed and what it costs: {RENEW}"
            ));
        }
        let ratio = now.instructions as f64 / was.instructions as f64;
        let (percent, bound) = (100.0 * (ratio - 1.0).abs(), 100.0 * tolerance);
        if ratio > 1.0 + tolerance {
            Verdict::Fails(format!(
                "{name} takes {percent:.1} % more instructions than recorded, and {bound:.0} % are let pass. See where they go: \
                 {TOP} {name}\nIf what they buy is worth it, renew the record, and say why in the commit: {RENEW}"
            ))
        } else if ratio < 1.0 - tolerance {
            Verdict::Better(format!(
                "{name} takes {percent:.1} % fewer instructions than recorded. Renew the record, or the next slowdown hides in \
                 the gain: {RENEW}"
            ))
        } else {
            Verdict::Same
        }
    }
}

/// TOML's integers have a sign.
mod hexadecimal {
    use serde::{Deserialize as _, Deserializer, Serializer, de};

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants it so")]
    pub fn serialize<S: Serializer>(number: &u64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{number:016x}"))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
        let text = String::deserialize(deserializer)?;
        u64::from_str_radix(&text, 16).map_err(de::Error::custom)
    }
}
