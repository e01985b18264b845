//! The modelled server for real clients: the machine of `server` behind real sockets.
//!
//! It has no files but synthetic ones, and writes none.

use std::net::SocketAddr;
use std::sync::Arc;

use super::clock::Epoch;
use crate::scenario::Scenario;
use crate::time::Duration;
use crate::watch::Watch;

/// What a served model must know.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The server (the first of the scenario), its faults, and the sizes of its files.
    pub scenario: Arc<Scenario>,
    /// Which replication's draws it makes.
    pub replication: u32,
    /// Where it listens; port 0 picks one.
    pub listen: SocketAddr,
    /// When its faults' time begins. The server itself is there at once.
    pub epoch: Epoch,
    /// How long it runs from then on; [`Duration::FOREVER`]: until it is stopped.
    pub length: Duration,
}

/// Serves `plan` until it is over or `watch` says stop. `ready` is told where it listens, once.
///
/// # Errors
/// It cannot listen.
pub fn run(plan: &Plan, watch: &Watch, ready: &mut dyn FnMut(SocketAddr)) -> std::io::Result<()> {
    let _ = (plan, watch, ready);
    Err(std::io::Error::other("the contract: the server comes next"))
}
