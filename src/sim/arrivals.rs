//! Clients come and go: arrivals, slots, and the next sessions of closed populations.
//!
//! It does not say when they come: `workload` does.

use super::calendar::Queue;
use super::deadline::Deadline;
use super::tap::{Happening, Tap};
use super::world::{Event, NO_CONN, Slot, World};
use crate::client::{self, Client, actor};
use crate::id::{ClientId, PeerId, PopulationId};
use crate::time::{Duration, Instant};
use crate::workload::{Arrival, Arrivals};

impl<T: Tap, Q: Queue<Event>> World<'_, T, Q> {
    pub(super) fn expect_arrival(&mut self, population: PopulationId) {
        let crowd = &mut self.crowds[usize::from(population.0)];
        crowd.next = crowd.source.next(&crowd.spec.arrivals);
        if let Some(arrival) = crowd.next {
            self.calendar.schedule(arrival.at, Event::Arrive { population });
        }
    }

    pub(super) fn arrive(&mut self, now: Instant, population: PopulationId) {
        let crowd = &self.crowds[usize::from(population.0)];
        let Some(arrival) = crowd.next else { return };
        let book = self.scenario.addresses.len();
        let own = &mut self.own_addresses;
        let peer = arrival.peer.unwrap_or_else(|| {
            crowd.spec.addresses.of(arrival.index, crowd.addresses, || {
                *own += 1;
                PeerId(book + *own - 1)
            })
        });
        let (parallel, start) =
            (crowd.spec.behaviour.parallel, client::Input::Start { session: 0, entry: arrival.entry });
        if parallel == 1 {
            let client = self.take_slot(population, arrival, peer);
            self.expect_arrival(population);
            self.tell_client(now, client, start);
            return;
        }
        let user = self.actors.come(parallel);
        self.expect_arrival(population);
        for connection in 0..parallel {
            let index = arrival.index.wrapping_mul(parallel).wrapping_add(connection);
            let client = self.take_slot(population, Arrival { index, ..arrival }, peer);
            self.actors.belongs(client, user);
            self.tell_client(now, client, start);
        }
    }

    pub(super) fn take_slot(&mut self, population: PopulationId, arrival: Arrival, peer: PeerId) -> u32 {
        let fresh = |deadline, serial| Slot {
            client: Client::new(arrival.index),
            deadline,
            peer,
            conn: NO_CONN,
            population,
            serial,
            entry: arrival.entry,
        };
        if let Some(place) = self.free.pop() {
            let slot = &mut self.slots[place as usize];
            *slot = fresh(slot.deadline, slot.serial);
            return place;
        }
        self.slots.push(fresh(Deadline::OFF, 0));
        self.work.clients_max = self.slots.len();
        self.slots.len() as u32 - 1
    }

    /// A client is done with a wanted session: one of a closed population pauses and comes again.
    pub(super) fn finished(&mut self, now: Instant, client: u32) {
        self.note(now, client, Happening::Finish);
        let parallel = self.is_parallel(client);
        if parallel {
            self.tell_actor_of(now, client, actor::Input::GaveUp(ClientId(client))); // if it still waited for its turn
        }
        let slot = &mut self.slots[client as usize];
        slot.deadline.clear();
        let crowd = &self.crowds[usize::from(slot.population.0)];
        let next = match &crowd.spec.arrivals {
            Arrivals::Closed(closed) => {
                let session = slot.client.session() + 1;
                let word = crowd.pauses.word(u64::from(slot.client.index()), u64::from(session));
                let at = now + Duration::from_nanos(closed.pause.sample(word));
                let level = f64::from(slot.client.index() / crowd.spec.behaviour.parallel) + 1.0;
                let more = closed.sessions == 0 || session < closed.sessions;
                more.then(|| closed.clients.reaches(level, at)).flatten()
            }
            _ => None,
        };
        if let Some(at) = next {
            self.calendar.schedule(at, Event::Again { client });
        } else {
            self.free.push(client);
            if parallel {
                self.actors.left(client);
            }
        }
    }

    pub(super) fn again(&mut self, now: Instant, client: u32) {
        let slot = &self.slots[client as usize];
        let input = client::Input::Start { session: slot.client.session() + 1, entry: slot.entry };
        self.tell_client(now, client, input);
    }
}
