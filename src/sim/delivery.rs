//! Delivery: how long a message is under way, and that none overtakes another.
//!
//! It does not look into messages.

use super::conns::NOBODY;
use super::tap::Tap;
use super::world::{Event, World};
use crate::id::ConnId;
use crate::time::{Duration, Instant};

impl<T: Tap> World<'_, T> {
    /// Sends towards the client at `at`. Nothing overtakes what was sent before.
    pub(super) fn send_down(&mut self, at: Instant, conn: ConnId, event: Event) {
        let Some((delay, jitter)) = self.delay(conn, false) else { return };
        let wire = self.wires.get(conn);
        wire.down_at = wire.down_at.max(at + delay + jitter);
        wire.in_flight += 1;
        let at = wire.down_at;
        self.calendar.schedule(at, event);
    }

    /// Sends towards the server at `now`. Nothing overtakes what was sent before.
    pub(super) fn send_up(&mut self, now: Instant, conn: ConnId, event: Event) {
        let Some((delay, jitter)) = self.delay(conn, true) else { return };
        let wire = self.wires.get(conn);
        wire.up_at = wire.up_at.max(now + delay + jitter);
        wire.in_flight += 1;
        let at = wire.up_at;
        self.calendar.schedule(at, event);
    }

    /// The one-way delay and the jitter of the next message, or `None` if nobody is at the other end.
    pub(super) fn delay(&mut self, conn: ConnId, up: bool) -> Option<(Duration, Duration)> {
        let wire = self.wires.get(conn);
        let slot = self.slots.get(wire.client as usize)?;
        let crowd = &self.crowds[usize::from(slot.population.0)];
        let jitter = crowd.spec.link.jitter.as_ref().map_or(Duration::ZERO, |jitter| {
            wire.messages += 1;
            let stream = if up { crowd.jitter_up } else { crowd.jitter_down };
            let entity = u64::from(slot.client.session()) << 32 | u64::from(slot.client.index());
            let counter = u64::from(slot.client.attempts()) << 32 | u64::from(wire.messages);
            Duration::from_nanos(jitter.sample(stream.word(entity, counter)))
        });
        Some((crowd.spec.link.delay, jitter))
    }

    pub(super) fn start_transfer(&mut self, conn: ConnId, at: Instant) {
        let wire = self.wires.get(conn);
        if wire.client == NOBODY {
            return; // nobody reads: the transfer stalls for ever
        }
        let population = self.slots[wire.client as usize].population;
        let took = self.crowds[usize::from(population.0)].spec.link.transmission(wire.bytes);
        wire.in_flight += 1;
        self.calendar.schedule(at + took, Event::TransferDone { conn });
    }
}
