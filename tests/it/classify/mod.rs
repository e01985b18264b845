//! Telling refusals apart from outside: against the model, which knows the truth, and against real servers.

#[expect(clippy::disallowed_methods, reason = "real servers live in real time")]
mod caller;
mod daemons;
mod eyes;
mod matrix;
mod scenes;
mod shipped;
mod total;
mod words;
