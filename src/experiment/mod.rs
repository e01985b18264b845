//! What can be said about a run before it: theory, and the scenario in words.
//!
//! It runs nothing.

pub mod explain;
pub mod theory;
