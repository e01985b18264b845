//! The integration tests: one binary, a file for each behaviour.

mod charts;
mod cli;
mod determinism;
mod oracles;
mod real;
mod scenario;
mod support;
