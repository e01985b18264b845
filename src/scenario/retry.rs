//! Reading `retry`: "none", or rules for what follows which refusal.
//!
//! It computes no wait: `client::retry` does.

use super::reader::{Read, Reader};
use super::value::Value;
use crate::client::{Backoff, Growth, Jitter, Reading, RetryPolicy, Rule, Sign};
use crate::observe::{Cause, Phase};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    None,
    Fixed,
    Linear,
    Exponential,
}

const SHAPES: [(&str, Shape); 4] = [
    ("none", Shape::None),
    ("fixed", Shape::Fixed),
    ("linear", Shape::Linear),
    ("exponential", Shape::Exponential),
];
const JITTERS: [(&str, Jitter); 4] = [
    ("none", Jitter::None),
    ("full", Jitter::Full),
    ("equal", Jitter::Equal),
    ("decorrelated", Jitter::Decorrelated),
];

/// The retry policy: the rules in their order, then the table itself.
pub(super) fn read(value: Value<'_>, reading: &mut Reading) -> Read<RetryPolicy> {
    if !value.is_table() {
        return value.one_of(&[("none", ())]).map(|()| RetryPolicy::default()).map_err(|mut problem| {
            "write \"none\" or { backoff = \"exponential\", wait = \"5s\" }".clone_into(&mut problem.hint);
            problem
        });
    }
    let mut table = value.table("[clients.retry]")?;
    let mut rules = Vec::new();
    for mut rule in table.get("rules", |v| v.tables(100, "[[clients.retry.rules]]"))?.unwrap_or_default() {
        rules.push(read_rule(&mut rule, reading)?);
        rule.finish()?;
    }
    rules.push(read_rule(&mut table, reading)?);
    table.finish()?;
    Ok(RetryPolicy { rules })
}

fn read_rule(table: &mut Reader<'_>, reading: &mut Reading) -> Read<Rule> {
    let signs = table.get("signs", |v| bits(v, &Sign::ALL, |(word, _)| word, |(_, sign)| sign as usize))?;
    let words = table.get("text", |v| pattern(v, reading))?;
    // Waiting does not cure a wrong password: that cause has to be asked for by name, or by what it looks like.
    let curable = if signs.is_some() || words.is_some() {
        Rule::ALL_CAUSES
    } else {
        Rule::ALL_CAUSES & !(1 << Cause::LoginAttempts.index())
    };
    Ok(Rule {
        signs: signs.map_or(Rule::ALL_SIGNS, |bits| bits as u16),
        words: words.unwrap_or(0),
        causes: table.get_or("on", curable, |v| bits(v, Cause::ALL, Cause::name, Cause::index))?,
        phases: table.get_or("phases", Rule::ALL_PHASES, |v| {
            bits(v, Phase::ALL, Phase::name, Phase::index).map(|bits| bits as u8)
        })?,
        backoff: read_backoff(table)?,
    })
}

/// The bit of a pattern that the population's clients look for in texts.
pub(super) fn pattern(value: Value<'_>, reading: &mut Reading) -> Read<u8> {
    reading.look_for(value.text()?).map_err(|why| {
        value.wrong("is no pattern", format!("{why}; write a regular expression such as \"too many\""))
    })
}

/// The words of a list as one bit each.
fn bits<T: Copy>(
    value: Value<'_>,
    all: &[T],
    name: fn(T) -> &'static str,
    index: fn(T) -> usize,
) -> Read<u32> {
    let known: Vec<(&str, u32)> = all.iter().map(|word| (name(*word), 1 << index(*word))).collect();
    let words = value.list(known.len())?;
    if words.is_empty() {
        return Err(value.wrong("is empty", "leave it out for all"));
    }
    words.iter().try_fold(0, |bits, word| Ok(bits | word.one_of(&known)?))
}

fn read_backoff(table: &mut Reader<'_>) -> Read<Option<Backoff>> {
    let shape = table.require("backoff", "backoff = \"exponential\"", |v| v.one_of(&SHAPES))?;
    let growth = match shape {
        Shape::None => return Ok(None),
        Shape::Fixed => Growth::Fixed,
        Shape::Linear => Growth::Linear,
        Shape::Exponential => Growth::Exponential(table.get_or("factor", 2.0, |v| v.number(1.0, 100.0))?),
    };
    Ok(Some(Backoff {
        growth,
        base: table.require("wait", "wait = \"5s\"", |v| v.pauses())?,
        cap: table.get_or("cap", super::value::LONGEST, |v| v.some_time())?,
        whole_seconds: table.get_or("whole_seconds", false, |v| v.flag())?,
        jitter: table.get_or("jitter", Jitter::None, |v| v.one_of(&JITTERS))?,
        attempts: table.get_or("attempts", 0, |v| v.count(0..=1_000_000))?,
        persistence: table.get_or("persistence", 1.0, |v| v.probability())?,
    }))
}
