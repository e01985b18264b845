//! From a result to bytes: text for the terminal, files for machines, charts for people.
//!
//! It opens no file and computes no statistic: every function here is pure, data in and bytes out, so that a result can be
//! drawn again years later from the numbers beside it.

pub mod charts;
pub mod colours;
pub mod csv;
pub mod hlog;
pub mod json;
pub mod text;

pub(crate) use crate::metrics::words;
