//! What the terminal says of a measured run besides: the texts of refusals, and what they were taken for.
//!
//! It judges none of them.

use std::fmt::Write as _;

use super::{DIM, Paint, count};
use crate::metrics::summary::{RefusalText, Summary};

/// No more texts than this are shown.
const SHOWN: usize = 6;
/// No more characters of one.
const WIDTH: usize = 60;

/// A line for each of the most frequent texts.
pub(super) fn texts(out: &mut String, summary: &Summary, paint: Paint) {
    let texts = summary.refusal_texts.as_deref().unwrap_or_default();
    if texts.is_empty() {
        return;
    }
    let head = format!("{:<38}{:>9}  {}", "told apart", "times", "what was said");
    let _ = writeln!(out, "\n  {}", paint.with(DIM, &head));
    for one in texts.iter().take(SHOWN) {
        let what = format!("{} ({})", one.cause, how(one));
        let _ = writeln!(out, "  {what:<38}{:>9}  {}", count(one.count), said(one));
    }
    let more = texts.len().saturating_sub(SHOWN);
    if more > 0 {
        let _ = writeln!(out, "  and {more} more: see refusal_texts in summary.json");
    }
}

/// How surely it was told apart.
fn how(one: &RefusalText) -> String {
    match one.confidence.as_str() {
        "known" => "the client knew".to_owned(),
        "certain" => "certain".to_owned(),
        other => format!("{other}, by {}", one.basis),
    }
}

/// The reply, or that there was none.
fn said(one: &RefusalText) -> String {
    if one.code == 0 && one.text.is_empty() {
        return "no word".to_owned();
    }
    let code = if one.code == 0 { String::new() } else { format!("{} ", one.code) };
    let text: String = one.text.chars().take(WIDTH).collect();
    let cut = if one.text.chars().nth(WIDTH).is_some() { "…" } else { "" };
    format!("{code}{text}{cut}")
}
