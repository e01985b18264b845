//! Telling refusals apart from outside: against the model, which knows the truth, and against real servers.

mod eyes;
mod matrix;
mod scenes;
mod words;
