//! Real servers under load: each is loaded until it refuses, cut, shut down, and held against the model of it.
//!
//! Their limits differ from any default, so that no number here can come from anywhere but the configuration.

mod books;
mod crowd;
mod deaths;
mod hundreds;
mod limits;
mod models;
mod timers;
mod transfers;
