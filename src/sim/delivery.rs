//! Delivery: how long a message is under way, and that none overtakes another.
//!
//! It does not look into messages, except that a handshake is sent again later than what follows it.

use super::calendar::Queue;
use super::conns::{NOBODY, Wire};
use super::path::Message;
use super::tap::Tap;
use super::world::{Event, Slot, Syn, World};
use crate::id::{ConnId, PopulationId};
use crate::network::loss::{self, RTO, SYN_RETRIES, SYN_RTO};
use crate::time::{Duration, Instant};

/// The message numbers that SYNs have in an attempt, and the resets that answer them: no other message has so high a number.
const SYNS: u32 = 0xffff_ff00;

impl<T: Tap, Q: Queue<Event>> World<'_, T, Q> {
    /// Sends towards the client at `at`, which may be later than `now`. Nothing overtakes what was sent before. Nobody there: nothing is sent.
    pub(super) fn send_down(&mut self, now: Instant, at: Instant, conn: ConnId, event: Event) {
        let wires = &mut self.stations[usize::from(conn.server().0)].wires;
        let (client, population) = wires.end(conn);
        if client == NOBODY {
            return;
        }
        let path = &self.crowds[usize::from(population.0)].path;
        let arrival = match &path.rough {
            None => at + path.delay,
            Some(rough) => {
                let message = message(&self.slots[client as usize], wires.count(conn), false);
                rough.arrival(message, at, first_rto(event))
            }
        };
        let prompt = at <= now + path.delay;
        enter_down(&mut self.core.calendar, wires.get(conn), arrival, prompt, event);
    }

    /// Sends towards the server at `now`. Nothing overtakes what was sent before.
    pub(super) fn send_up(&mut self, now: Instant, conn: ConnId, event: Event) {
        let wires = &mut self.stations[usize::from(conn.server().0)].wires;
        let (client, population) = wires.end(conn);
        if client == NOBODY {
            return;
        }
        let path = &self.crowds[usize::from(population.0)].path;
        let arrival = match &path.rough {
            None => now + path.delay, // as for all that were sent before
            Some(rough) => {
                let message = message(&self.slots[client as usize], wires.count(conn), true);
                wires.queue_up(conn, rough.arrival(message, now, first_rto(event)))
            }
        };
        enter_up(&mut self.core.calendar, wires.get(conn), arrival, event);
    }

    /// Sends this SYN, or the first one after it that gets through. The kernel gives up when the last one has not been answered. A
    /// SYN that was itself long under way may come back too late for the next ones: what should have been is then at once.
    pub(super) fn send_syn(&mut self, now: Instant, client: u32, syn: Syn) {
        let slot = &self.slots[client as usize];
        let path = &self.crowds[usize::from(slot.population.0)].path;
        let (serial, first) = (slot.serial, slot.client.attempt_at());
        for tries in syn.tries()..=SYN_RETRIES {
            let sent = first + loss::syn_after(tries);
            let arrival = match &path.rough {
                None => Some(sent + path.delay),
                Some(rough) => rough.arrival_of_one(message(slot, SYNS + u32::from(tries), true), sent),
            };
            if let Some(at) = arrival {
                let event = Event::Syn { client, serial, syn: Syn::new(syn.server(), tries) };
                if at == now + path.delay {
                    self.core.calendar.schedule_behind(lane(slot.population, true), at, event);
                } else {
                    self.core.calendar.schedule(at.max(now), event);
                }
                return;
            }
        }
        let at = first + loss::syn_after(SYN_RETRIES + 1);
        self.core.calendar.schedule(at.max(now), Event::ConnectFailed { client, serial, timed_out: true });
    }

    /// This SYN was dropped: the client's kernel sends the next one.
    pub(super) fn send_syn_again(&mut self, now: Instant, client: u32, syn: Syn) {
        self.send_syn(now, client, Syn::new(syn.server(), syn.tries() + 1));
    }

    /// Nobody listens: the server's host answers the SYN with a reset. If that is lost, the SYN comes again.
    pub(super) fn send_reset(&mut self, now: Instant, client: u32, syn: Syn) {
        let slot = &self.slots[client as usize];
        let path = &self.crowds[usize::from(slot.population.0)].path;
        let arrival = match &path.rough {
            None => Some(now + path.delay),
            Some(rough) => rough.arrival_of_one(message(slot, SYNS + u32::from(syn.tries()), false), now),
        };
        match arrival {
            Some(at) => {
                let serial = slot.serial;
                self.core.calendar.schedule(at, Event::ConnectFailed { client, serial, timed_out: false });
            }
            None => self.send_syn_again(now, client, syn),
        }
    }
}

/// What is under way to a client arrives at `arrival`, or with what was sent before it. It is `prompt` unless its server sends it
/// much later than it says so: a lane would be shut until then.
#[inline(always)]
pub(super) fn enter_down(
    calendar: &mut impl Queue<Event>,
    wire: &mut Wire,
    arrival: Instant,
    prompt: bool,
    event: Event,
) {
    wire.down_at = wire.down_at.max(arrival);
    wire.depart();
    if prompt {
        calendar.schedule_behind(lane(wire.population, false), wire.down_at, event);
    } else {
        calendar.schedule(wire.down_at, event);
    }
}

/// What is under way to a server arrives at `arrival`.
#[inline(always)]
pub(super) fn enter_up(calendar: &mut impl Queue<Event>, wire: &mut Wire, arrival: Instant, event: Event) {
    wire.depart();
    calendar.schedule_behind(lane(wire.population, true), arrival, event);
}

/// The lane of the calendar for what such clients send or get: the messages of a population are under way for equally long.
fn lane(population: PopulationId, up: bool) -> usize {
    2 * usize::from(population.0) + usize::from(up)
}

/// Message number `number` of this client's attempt.
fn message(slot: &Slot, number: u32, up: bool) -> Message {
    Message {
        entity: u64::from(slot.client.session()) << 32 | u64::from(slot.client.index()),
        counter: u64::from(slot.client.attempts()) << 32 | u64::from(number),
        up,
    }
}

/// How long its sender waits before a lost message is sent again: the answer to a SYN, and the data connection's own, later.
const fn first_rto(event: Event) -> Duration {
    match event {
        Event::Connected { .. } | Event::DataAtServer { .. } | Event::DataAtClient { .. } => SYN_RTO,
        _ => RTO,
    }
}
