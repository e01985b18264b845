//! The integration tests: one binary, a file for each behaviour.

mod charts;
mod determinism;
mod dialogues;
mod oracles;
mod real;
mod scenario;
mod support;
