//! What is to happen at which time.
//!
//! It does nothing itself: who drives the station sleeps until the next of it, and is woken when something earlier is entered.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::task::Waker;

use super::conns::Key;
use super::orders::{Order, Step};
use crate::time::Instant;

/// What happens at its time.
#[derive(Debug)]
pub(super) enum Event {
    /// The machine's timer for the connection in this slot.
    ConnTimer { slot: u32 },
    /// The machine's own timer.
    ServerTimer,
    /// A reply of this connection is due.
    Reply(Key),
    /// A fault's next control.
    Fault { fault: u16, step: u16 },
    /// A part of an order.
    Step(Step),
    /// An order.
    Order(Box<Order>),
    /// A task has slept long enough.
    Wake(Waker),
    /// This connection's TLS handshake has had its time.
    Handshake(Key),
    /// The listener may be opened again.
    Listen,
    /// Somebody may have asked to stop.
    Look,
}

/// The events, the earliest first; of two at one time, the one that was entered first.
#[derive(Debug)]
pub(super) struct Calendar {
    heap: BinaryHeap<Reverse<Entry>>,
    entered: u64,
    /// Until when the driver sleeps, and what wakes it before.
    sleeps_until: Instant,
    sleeper: Option<Waker>,
}

#[derive(Debug)]
struct Entry {
    at: Instant,
    number: u64,
    event: Event,
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.number == other.number
    }
}

impl Eq for Entry {}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Entry {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.number).cmp(&(other.at, other.number))
    }
}

impl Calendar {
    pub(super) const fn new() -> Self {
        Self { heap: BinaryHeap::new(), entered: 0, sleeps_until: Instant::ZERO, sleeper: None }
    }

    pub(super) fn enter(&mut self, at: Instant, event: Event) {
        self.entered += 1;
        self.heap.push(Reverse(Entry { at, number: self.entered, event }));
        if at < self.sleeps_until
            && let Some(sleeper) = self.sleeper.take()
        {
            sleeper.wake();
        }
    }

    /// The next event that is due by `now`, with the time for which it was entered.
    pub(super) fn due(&mut self, now: Instant) -> Option<(Instant, Event)> {
        if self.heap.peek()?.0.at > now {
            return None;
        }
        self.heap.pop().map(|Reverse(entry)| (entry.at, entry.event))
    }

    /// When the next one is due. `sleeper` is woken if that changes.
    pub(super) fn sleep(&mut self, sleeper: &Waker) -> Instant {
        self.sleeps_until = self.heap.peek().map_or(Instant::NEVER, |Reverse(next)| next.at);
        self.sleeper = Some(sleeper.clone());
        self.sleeps_until
    }
}
