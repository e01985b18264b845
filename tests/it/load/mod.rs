//! The load engine over real sockets: against real servers, and against peers that are no servers at all.

mod ends;
mod fleet;
mod hostile;
pub mod rig;
mod sessions;
mod tls;
mod transfers;
