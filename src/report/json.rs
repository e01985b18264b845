//! `summary.json`: the summary as it is written and read back.
//!
//! It decides no field; those are in [`metrics::summary`](crate::metrics::summary). What it reads may come from anywhere: a
//! value that no run can have is refused with the name of its field, before anything is drawn or printed from it.

use serde_json::Value;

use crate::experiment::onset::Finding;
use crate::metrics::summary::{SCHEMA, Summary};

/// No run is longer than this: 366 days, in seconds.
const LONGEST_S: f64 = 366.0 * 86_400.0;

/// The bytes of `summary.json`.
pub fn summary(summary: &Summary) -> Vec<u8> {
    // Every field is a number, a text or a map with text keys, so that writing it into memory cannot fail.
    let mut bytes = serde_json::to_vec_pretty(summary).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}

/// The bytes of `onset.json`.
pub fn onset(found: &Finding) -> Vec<u8> {
    let mut bytes = serde_json::to_vec_pretty(found).unwrap_or_default(); // as above
    bytes.push(b'\n');
    bytes
}

/// Reads the bytes of a `summary.json`.
///
/// # Errors
/// What is wrong with them, first of all a schema that this build does not read.
pub fn read_summary(bytes: &[u8]) -> Result<Summary, String> {
    let value: Value = serde_json::from_slice(bytes).map_err(|e| format!("this is no JSON: {e}"))?;
    let schema = value.get("schema").and_then(Value::as_u64);
    if schema != Some(u64::from(SCHEMA)) {
        let found = schema.map_or("no schema".to_owned(), |n| format!("schema {n}"));
        return Err(format!(
            "this summary has {found}; this build of ftp421 reads schema {SCHEMA}: run the scenario again"
        ));
    }
    let summary =
        serde_json::from_slice(bytes).map_err(|e| format!("this is no summary of schema {SCHEMA}: {e}"))?;
    check_plan(&summary)?;
    check(&value, &mut Vec::new())?;
    Ok(summary)
}

/// Refuses a plan that no scenario can have.
fn check_plan(summary: &Summary) -> Result<(), String> {
    for (name, s) in [("duration_s", summary.duration_s), ("warmup_s", summary.warmup_s)] {
        if !(0.0..=LONGEST_S).contains(&s) {
            return Err(format!(
                "`{name}` is {s}: a number from 0 to {LONGEST_S} (366 days) must stand there"
            ));
        }
    }
    if summary.replications == 0 {
        return Err("`replications` is 0: a result has at least one".to_owned());
    }
    Ok(())
}

/// Refuses, wherever it stands: a key or a text with control characters, which would reach the terminal; seconds below 0; a
/// quantile outside 0 to 1. `path` is the way to `value`.
fn check(value: &Value, path: &mut Vec<String>) -> Result<(), String> {
    match value {
        Value::String(text) if text.chars().any(char::is_control) => {
            Err(format!("`{}` has control characters", path.concat()))
        }
        Value::Number(number) => check_number(number.as_f64().unwrap_or(f64::NAN), path),
        Value::Array(list) => {
            list.iter().enumerate().try_for_each(|(i, one)| check_at(format!("[{i}]"), one, path))
        }
        Value::Object(fields) => fields.iter().try_for_each(|(key, one)| {
            if key.chars().any(char::is_control) {
                return Err(format!("a key in `{}` has control characters", path.concat()));
            }
            check_at(if path.is_empty() { key.clone() } else { format!(".{key}") }, one, path)
        }),
        Value::String(_) | Value::Null | Value::Bool(_) => Ok(()),
    }
}

/// The same for a value one `step` further.
fn check_at(step: String, value: &Value, path: &mut Vec<String>) -> Result<(), String> {
    path.push(step);
    check(value, path)?;
    path.pop();
    Ok(())
}

fn check_number(number: f64, path: &[String]) -> Result<(), String> {
    let field = path.last().map_or("", |step| step.trim_start_matches('.'));
    let (is_fine, wanted) = match field {
        "q" => ((0.0..=1.0).contains(&number), "a number from 0 to 1"),
        s if s == "s" || s.ends_with("_s") => (number.is_finite() && number >= 0.0, "seconds from 0 on"),
        _ => (true, ""),
    };
    if is_fine { Ok(()) } else { Err(format!("`{}` is {number}: {wanted} must stand there", path.concat())) }
}
