//! `ftp421`: when does an FTP server start saying 421, why, and what happens to the clients then?
//!
//! # The five laws
//!
//! 1. **Time is an argument.** No module below rank 6 reads a clock, and nothing but [`rng`] makes randomness.
//! 2. **Machines are total.** `handle(now, input, out)` never fails, never blocks, and allocates nothing in steady state.
//!    A broken socket, a malformed line and a lost peer are *inputs*, not errors.
//! 3. **Ids come from the driver, dense, and are used again only when nothing names them any more.** The core indexes slabs and
//!    never iterates over a hash table.
//! 4. **Timers are hints.** A firing that is early, late or superseded changes nothing. There is no cancel.
//! 5. **A run is (scenario, seed, build).** The same three give the same bytes: on every machine, in debug and release, on
//!    one thread or sixteen.
//!
//! # The ranks
//!
//! A module imports from lower ranks only; `tests/it/tidy.rs` has the table.
//!
//! ```text
//! 9 cli                            arguments, files, exit codes
//! 8 report                         from a result to bytes
//! 7 experiment                     replications, intervals, advice, the story
//! 6 sim  live                      virtual time and its calendar; real time and its sockets
//! 5 scenario  chaos                what is to happen
//! 4 workload  network  metrics     who comes, over what, and what is counted
//!   classify  transcript           what a refusal means to whoever only sees it; what was said
//! 3 server  client                 the two machines
//! 2 observe                        the vocabulary of measurement
//! 1 ftp                            verbs and replies
//! 0 time  timer  id  rng  dist     numbers
//!   digest  watch  units  outbox
//! ```

pub mod chaos;
pub mod classify;
pub mod cli;
pub mod client;
pub mod digest;
pub mod dist;
pub mod experiment;
pub mod ftp;
pub mod id;
pub mod live;
pub mod metrics;
pub mod network;
pub mod observe;
pub mod outbox;
pub mod prefetch;
pub mod report;
pub mod rng;
pub mod scenario;
pub mod server;
pub mod sim;
pub mod time;
pub mod timer;
pub mod transcript;
mod units;
pub mod watch;
pub mod workload;
