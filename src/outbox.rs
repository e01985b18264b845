//! Where a machine puts what it wants done.
//!
//! It does nothing itself: a list keeps the actions in order, and a driver may do some of them at once.

/// Takes actions, in the order in which they are to be done.
pub trait Outbox<A> {
    /// Takes one more.
    fn push(&mut self, action: A);
}

impl<A> Outbox<A> for Vec<A> {
    #[inline]
    fn push(&mut self, action: A) {
        self.push(action);
    }
}
