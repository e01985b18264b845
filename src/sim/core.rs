//! What all that happens in a world comes to: what is pending, what was measured, and the digest of it.
//!
//! It decides nothing: the world writes into it, and so does each machine through its [`Outbox`](crate::outbox::Outbox).

use super::calendar::Queue;
use super::deadline::Sweeps;
use super::event::Event;
use crate::client;
use crate::digest::Digest;
use crate::metrics::{Recorder, Shape};
use crate::server;

/// What is pending, and what has come of what happened.
pub(super) struct Core<'a, T, Q> {
    pub(super) calendar: Q,
    pub(super) sweeps: Sweeps,
    pub(super) recorder: Recorder,
    pub(super) digest: Digest,
    /// What clients want done and is not done yet.
    pub(super) client_actions: Vec<client::Action>,
    /// What servers want done and is not done yet.
    pub(super) server_actions: Vec<server::Action>,
    pub(super) tap: &'a mut T,
}

impl<'a, T, Q: Queue<Event>> Core<'a, T, Q> {
    /// Nothing has happened yet, in a run of this shape.
    pub(super) fn new(shape: Shape, tap: &'a mut T) -> Self {
        Self {
            calendar: Q::default(),
            sweeps: Sweeps::new(),
            recorder: Recorder::new(shape),
            digest: Digest::default(),
            client_actions: Vec::with_capacity(16),
            server_actions: Vec::with_capacity(16),
            tap,
        }
    }
}
