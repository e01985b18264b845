//! The recording of a served model: who said what, and when.
//!
//! It changes nothing, and keeps no password.

use std::net::SocketAddr;

use super::conns::Key;
use crate::time::Instant;

/// Takes down what is said, if it runs.
#[derive(Debug, Default)]
pub(super) struct Tape {}

impl Tape {
    /// A client has come.
    pub(super) fn opened(&mut self, _now: Instant, _key: Key, _peer: SocketAddr) {}

    /// A client has said this line.
    pub(super) fn heard(&mut self, _now: Instant, _key: Key, _line: &str) {}

    /// This was sent to a client.
    pub(super) fn said(&mut self, _now: Instant, _key: Key, _bytes: &[u8]) {}

    /// The connection is over.
    pub(super) fn closed(&mut self, _now: Instant, _key: Key) {}
}
