//! The integration tests: one binary, a file for each behaviour.

mod oracles;
mod scenario;
mod support;
