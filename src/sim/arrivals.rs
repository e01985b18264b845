//! Clients come and go: arrivals, slots, and the next sessions of closed populations.
//!
//! It does not say when they come: `workload` does.

use super::calendar::Queue;
use super::deadline::Deadline;
use super::parked::Pausing;
use super::tap::{Happening, Tap};
use super::world::{Event, NO_CONN, Slot, World};
use crate::client::{self, Client, actor};
use crate::id::{ClientId, PeerId, PopulationId};
use crate::time::Instant;
use crate::workload::{Arrival, Arrivals};

impl<T: Tap, Q: Queue<Event>> World<'_, T, Q> {
    pub(super) fn expect_arrival(&mut self, population: PopulationId) {
        let crowd = &mut self.crowds[usize::from(population.0)];
        crowd.next = crowd.source.next(&crowd.spec.arrivals);
        if let Some(arrival) = crowd.next {
            self.core.calendar.schedule(arrival.at, Event::Arrive { population });
        }
    }

    /// The next client of a population comes, and whoever comes at the same time only to pause first: millions of them need no entry
    /// in the calendar for that.
    #[inline(never)]
    pub(super) fn arrive(&mut self, now: Instant, population: PopulationId) {
        loop {
            let crowd = &self.crowds[usize::from(population.0)];
            let Some(arrival) = crowd.next else { return };
            let first = matches!(&crowd.spec.arrivals, Arrivals::Closed(closed) if closed.pause_first);
            if !first {
                return self.starts(now, population, arrival);
            }
            self.pauses_first(now, population, arrival);
            let crowd = &mut self.crowds[usize::from(population.0)];
            crowd.next = crowd.source.next(&crowd.spec.arrivals);
            match crowd.next {
                Some(next) if next.at > now => {
                    return self.core.calendar.schedule(next.at, Event::Arrive { population });
                }
                _ => {}
            }
        }
    }

    /// Its connections, one after the other, and from where they come.
    fn connections(
        &mut self,
        population: PopulationId,
        arrival: Arrival,
    ) -> impl Iterator<Item = Pausing> + use<T, Q> {
        let crowd = &self.crowds[usize::from(population.0)];
        let parallel = crowd.spec.behaviour.parallel;
        let (book, own) = (self.scenario.addresses.len(), &mut self.own_addresses);
        let peer = arrival.peer.unwrap_or_else(|| {
            crowd.spec.addresses.of(arrival.index, crowd.addresses, || {
                *own = own.wrapping_add(1); // behind four billion addresses the first come again
                PeerId(book.wrapping_add(own.wrapping_sub(1)))
            })
        });
        (0..parallel).map(move |connection| Pausing {
            index: arrival.index.wrapping_mul(parallel).wrapping_add(connection),
            session: 0,
            peer,
        })
    }

    /// A client that has come begins with a session.
    fn starts(&mut self, now: Instant, population: PopulationId, arrival: Arrival) {
        let parallel = self.crowds[usize::from(population.0)].spec.behaviour.parallel;
        let user = (parallel > 1).then(|| self.actors.come(parallel));
        let connections = self.connections(population, arrival);
        self.expect_arrival(population);
        for connection in connections {
            let client = self.take_slot(population, connection);
            if let Some(user) = user {
                self.actors.belongs(client, user);
            }
            self.tell_client(now, client, client::Input::Start { session: 0, entry: arrival.entry });
        }
    }

    /// A client that has come begins with a pause.
    fn pauses_first(&mut self, now: Instant, population: PopulationId, arrival: Arrival) {
        let parallel = self.crowds[usize::from(population.0)].spec.behaviour.parallel;
        let user = (parallel > 1).then(|| self.actors.come(parallel));
        for Pausing { index, session, peer } in self.connections(population, arrival) {
            self.pauses(now, population, (index, session), |_| peer, user);
        }
    }

    /// A slot for a client with a session, with what its last owner has left in the calendar.
    fn take_slot(&mut self, population: PopulationId, client: Pausing) -> u32 {
        let fresh = |deadline, serial| Slot {
            client: Client::new(client.index),
            deadline,
            conn: NO_CONN,
            population,
            serial,
        };
        if let Some(place) = self.free.pop() {
            let slot = &mut self.slots[place as usize];
            *slot = fresh(slot.deadline, slot.serial);
            self.peers[place as usize] = client.peer;
            return place;
        }
        self.slots.push(fresh(Deadline::OFF, 0));
        self.peers.push(client.peer);
        self.work.clients_max = self.slots.len();
        self.slots.len() as u32 - 1
    }

    /// A client is done with a wanted session, and leaves its slot: one of a closed population pauses and comes again.
    pub(super) fn finished(&mut self, now: Instant, client: u32) {
        self.note(now, client, Happening::Finish);
        let user = self.is_parallel(client).then(|| self.actors.user_of(client));
        if user.is_some() {
            self.tell_actor_of(now, client, actor::Input::GaveUp(ClientId(client))); // if it still waited for its turn
        }
        self.free.push(client);
        let slot = &mut self.slots[client as usize];
        slot.deadline.clear();
        let (index, session) = (slot.client.index(), slot.client.session() + 1);
        let population = slot.population;
        self.pauses(now, population, (index, session), |world| world.peers[client as usize], user);
    }

    /// Client number `index`, who may be one of several connections of `user`, waits for `session`, the next that it wants, or leaves for
    /// good: then nobody asks for its address, which is another line of memory.
    fn pauses(
        &mut self,
        now: Instant,
        population: PopulationId,
        (index, session): (u32, u32),
        peer: impl FnOnce(&Self) -> PeerId,
        user: Option<u32>,
    ) {
        let Some(at) = self.next_session(now, population, (index, session)) else {
            if let Some(user) = user {
                self.actors.leaves(user);
            }
            return;
        };
        let peer = peer(self);
        let place = self.parked.park(Pausing { index, session, peer });
        if let Some(user) = user {
            self.parked.belongs(place, user);
        }
        self.core.calendar.schedule(at, Event::Again { population, place });
    }

    /// When `session` of client number `index` comes after its pause, if ever: only in a closed population.
    fn next_session(
        &self,
        now: Instant,
        population: PopulationId,
        (index, session): (u32, u32),
    ) -> Option<Instant> {
        let crowd = &self.crowds[usize::from(population.0)];
        let Arrivals::Closed(closed) = &crowd.spec.arrivals else { return None };
        closed.next_session((index, crowd.spec.behaviour.parallel), session, now, crowd.pauses)
    }

    /// The pause of the client at `place` is over.
    #[inline(never)]
    pub(super) fn again(&mut self, now: Instant, population: PopulationId, place: u32) {
        let pausing = self.parked.take(place);
        let client = self.take_slot(population, pausing);
        if self.is_parallel(client) {
            self.actors.belongs(client, self.parked.user_of(place));
        }
        self.tell_client(now, client, client::Input::Start { session: pausing.session, entry: 0 });
    }
}
