//! Where a machine puts what it wants done.
//!
//! It does nothing itself: a list keeps the actions in order, and a driver may do some of them at once.

/// Takes actions, in the order in which they are to be done.
pub trait Outbox<T> {
    /// Takes one more.
    fn push(&mut self, action: T);
}

impl<T> Outbox<T> for Vec<T> {
    #[inline]
    fn push(&mut self, action: T) {
        self.push(action);
    }
}
