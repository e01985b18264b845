//! What the terminal says of a measured run besides: the texts of refusals, and what they were taken for.
//!
//! It judges none of them.

use std::fmt::Write as _;

use super::{DIM, Paint, count};
use crate::metrics::summary::{RefusalText, Summary, ToldApart};

/// No more of each than this are shown.
const SHOWN: usize = 6;
/// No more characters of a text.
const WIDTH: usize = 60;

/// What refusals were taken for, and a line for each of the most frequent texts.
pub(super) fn texts(out: &mut String, summary: &Summary, paint: Paint) {
    let told = summary.told_apart.as_deref().unwrap_or_default();
    let texts = summary.refusal_texts.as_deref().unwrap_or_default();
    if !told.is_empty() {
        let head = format!("{:<22}{:<22}{:>9}", "told apart", "how surely", "times");
        let _ = writeln!(out, "\n  {}", paint.with(DIM, &head));
    }
    for one in told.iter().take(SHOWN) {
        let _ = writeln!(out, "  {:<22}{:<22}{:>9}", one.cause, how(one), count(one.count));
    }
    if !texts.is_empty() {
        let _ = writeln!(out, "\n  {}", paint.with(DIM, &format!("{:<22}what was said", "taken for")));
    }
    for one in texts.iter().take(SHOWN) {
        let _ = writeln!(out, "  {:<22}{}{}", one.cause, said(one), times(one.count));
    }
    let more = told.len().saturating_sub(SHOWN) + texts.len().saturating_sub(SHOWN);
    if more > 0 {
        let _ = writeln!(out, "  and {more} more: see told_apart and refusal_texts in summary.json");
    }
}

/// How surely it was told apart.
fn how(one: &ToldApart) -> String {
    match one.confidence.as_str() {
        "known" => "the client knew".to_owned(),
        surely => format!("{surely}, by {}", one.basis),
    }
}

fn said(one: &RefusalText) -> String {
    let code = if one.code == 0 { String::new() } else { format!("{} ", one.code) };
    let text: String = one.text.chars().take(WIDTH).collect();
    let cut = if one.text.chars().nth(WIDTH).is_some() { "…" } else { "" };
    format!("{code}{text}{cut}")
}

fn times(n: u64) -> String {
    if n == 1 { String::new() } else { format!("  ({} times)", count(n)) }
}
