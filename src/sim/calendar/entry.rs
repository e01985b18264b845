//! An event with its time and its place among those of the same time.
//!
//! It does not say when it is taken out.

use std::cmp::Ordering;

use crate::time::Instant;

/// A pending event.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry<E> {
    pub(super) at: Instant,
    pub(super) sequence: u64,
    pub(super) event: E,
}

impl<E> Entry<E> {
    /// Time and sequence as one number: compared without a branch, which nobody could predict.
    pub(super) fn key(&self) -> u128 {
        u128::from(self.at.as_nanos()) << 64 | u128::from(self.sequence)
    }
}

impl<E> PartialEq for Entry<E> {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl<E> Eq for Entry<E> {}

impl<E> PartialOrd for Entry<E> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }

    /// What the heap asks for, without the detour over an [`Ordering`].
    fn le(&self, other: &Self) -> bool {
        self.key() >= other.key()
    }
}

impl<E> Ord for Entry<E> {
    /// Reversed, since the standard heap has its greatest on top.
    fn cmp(&self, other: &Self) -> Ordering {
        other.key().cmp(&self.key())
    }
}
