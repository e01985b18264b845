//! Reading `wire` of a server: rules for what goes wrong between it and its clients.
//!
//! It does not know their words: `chaos::wire` does.

use super::reader::Read;
use super::value::Value;
use crate::chaos::wire::{MOST, Rule};

/// A list of rules.
pub(super) fn read(value: Value<'_>) -> Read<Vec<Rule>> {
    let rule = |v: &Value<'_>| {
        Rule::parse(v.text()?).map_err(|p| v.wrong_inside(p.at, "is not a wire fault", p.why))
    };
    value.list(MOST)?.iter().map(rule).collect()
}
