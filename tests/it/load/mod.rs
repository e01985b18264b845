//! The load engine over real sockets: against real servers, and against peers that are no servers at all.

mod hostile;
mod rig;
mod sessions;
mod transfers;
