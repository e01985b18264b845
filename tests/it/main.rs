//! The integration tests: one binary, a file for each behaviour.

mod charts;
mod classify;
mod cli;
mod counted;
mod determinism;
mod dialogues;
mod load;
mod load_cli;
mod loaded;
mod long;
mod metrics;
mod onset;
mod oracles;
mod oracles_queues;
mod oracles_transfers;
mod profiles;
mod randomness;
mod real;
mod scenario;
mod serve;
mod support;
mod tidy;
mod trace;
mod twin;
mod unfinished;
