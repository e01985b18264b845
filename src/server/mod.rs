//! The server-PI: the policy machine for all connections of one server, without a clock or a socket.
//!
//! It never sends a byte: its driver does, as its actions say.

pub mod policy;
pub mod profile;

pub use policy::{BanOverride, Misfit, Overrides, Policy, ReplyEntry, ReplyId, ReplyTable};
pub use profile::{Offence, Profile};

/// What an administrator, a signal or a fault tells the server.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Control {
    /// Close the listener: new connections are refused by TCP. Live sessions go on.
    StopListening,
    /// Open it again.
    Listen,
    /// Announce a shutdown: new connections meet the profile's shutdown reply.
    Announce,
    /// End all live sessions as an announced shutdown does at its deadline.
    CutAnnounced,
    /// End all live sessions with a FIN.
    Cut,
    /// End all live sessions with a reset.
    Crash,
    /// Stop answering: connections are still accepted by the kernel, and nothing is read.
    Hang,
    /// Answer again, first what has waited.
    Resume,
    /// Set the limit at this place in check order, as an administrator writes it (0 is no limit).
    SetLimit {
        /// Its place in check order.
        check: u8,
        /// The new limit.
        limit: u32,
    },
}
