//! `ftp421`: when does an FTP server start saying 421, why, and what happens to the clients then?
//!
//! # The five laws
//!
//! 1. **Time is an argument.** No module below rank 6 reads a clock, and nothing but [`rng`] makes randomness.
//! 2. **Machines are total.** `handle(now, input, out)` never fails, never blocks, and allocates nothing in steady state.
//!    A broken socket, a malformed line and a lost peer are *inputs*, not errors.
//! 3. **Ids come from the driver, dense and generational.** The core indexes slabs and never iterates over a hash table.
//! 4. **Timers are hints.** A firing that is early, late or superseded changes nothing. There is no cancel.
//! 5. **A run is (scenario, seed, build).** The same three give the same bytes: on every machine, in debug and release, on
//!    one thread or sixteen.

pub mod chaos;
pub mod cli;
pub mod client;
pub mod digest;
pub mod dist;
pub mod experiment;
pub mod ftp;
pub mod id;
pub mod metrics;
pub mod network;
pub mod observe;
pub mod report;
pub mod rng;
pub mod scenario;
pub mod server;
pub mod sim;
pub mod time;
pub mod workload;
