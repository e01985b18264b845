//! `summary.json`: the summary as it is written and read back.
//!
//! It decides no field; those are in [`metrics::summary`](crate::metrics::summary).

use crate::metrics::summary::{SCHEMA, Summary};

/// The bytes of `summary.json`.
pub fn summary(summary: &Summary) -> Vec<u8> {
    // Every field is a number, a text or a map with text keys, so that writing it into memory cannot fail.
    let mut bytes = serde_json::to_vec_pretty(summary).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}

/// Reads the bytes of a `summary.json`.
///
/// # Errors
/// What is wrong with them, first of all a schema that this build does not read.
pub fn read_summary(bytes: &[u8]) -> Result<Summary, String> {
    let value: serde_json::Value =
        serde_json::from_slice(bytes).map_err(|e| format!("this is no JSON: {e}"))?;
    let schema = value.get("schema").and_then(serde_json::Value::as_u64);
    if schema != Some(u64::from(SCHEMA)) {
        let found = schema.map_or("no schema".to_owned(), |n| format!("schema {n}"));
        return Err(format!(
            "this summary has {found}; this build of ftp421 reads schema {SCHEMA}: run the scenario again"
        ));
    }
    serde_json::from_slice(bytes).map_err(|e| format!("this is no summary of schema {SCHEMA}: {e}"))
}
