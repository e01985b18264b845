//! Wire faults: what happens to replies and data connections between the machine and the client, at the n-th time a verb is used.
//!
//! The machine knows nothing of it: to the server everything is well.

use super::conns::Key;

/// The wire faults of a run, and how often each verb was used.
#[derive(Debug, Default)]
pub(super) struct Tamper {}

impl Tamper {
    /// A client uses a verb: from here on its rules count this as one more use.
    pub(super) fn asked(&mut self, _key: Key, _verb: &str) {}

    /// The bytes of a reply as they go over the wire.
    pub(super) fn reply(&mut self, _key: Key, bytes: Vec<u8>) -> Vec<u8> {
        bytes
    }
}
