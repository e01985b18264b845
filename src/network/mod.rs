//! The link between a population's clients and the server, and how transfers share a bandwidth.
//!
//! It knows delays and rates, not messages: what travels is the driver's business.

pub mod loss;
mod sharing;

pub use sharing::{FlowId, Pipe, UNCAPPED};

use crate::dist::Dist;
use crate::time::Duration;

/// The path between a client and the server.
#[derive(Clone, PartialEq, Debug)]
pub struct Link {
    /// One-way delay: half the round-trip time.
    pub delay: Duration,
    /// What is added to each message's delay. Jitter never reorders: a message does not overtake the one before it.
    pub jitter: Option<Dist>,
    /// The share of messages that are lost, either way. A lost message is sent again, so it comes later; none is reordered.
    pub loss: f64,
    /// The client's bandwidth in bytes per second, 0 for unlimited.
    pub bandwidth: u64,
    /// How long a client waits for the TCP handshake.
    pub connect_timeout: Duration,
    /// How long a client waits for any reply, the greeting included.
    pub reply_timeout: Duration,
}

impl Default for Link {
    fn default() -> Self {
        Self {
            delay: Duration::from_millis(10),
            jitter: None,
            loss: 0.0,
            bandwidth: 0,
            connect_timeout: Duration::from_secs(60),
            reply_timeout: Duration::from_secs(60),
        }
    }
}
