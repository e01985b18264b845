//! Clients come and go: arrivals, slots, and the next sessions of closed populations.
//!
//! It does not say when they come: `workload` does.

use super::calendar::Queue;
use super::parked::{Pausing, Rests};
use super::tap::{Happening, Tap};
use super::world::{Event, Slot, Taken, World};
use crate::client::{self, Client, actor};
use crate::id::{ClientId, PeerId, PopulationId};
use crate::time::Instant;
use crate::timer::Timer;
use crate::workload::{Arrival, Arrivals};

impl<T: Tap, Q: Queue<Event>> World<'_, T, Q> {
    pub(super) fn expect_arrival(&mut self, population: PopulationId) {
        let crowd = &mut self.crowds[usize::from(population.0)];
        crowd.next = crowd.source.next(&crowd.spec.arrivals);
        if let Some(arrival) = crowd.next {
            self.calendar.schedule(arrival.at, Event::Arrive { population });
        }
    }

    /// The next client of a population comes, and whoever comes at the same time only to pause first: millions of them need no entry
    /// in the calendar for that.
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
                    return self.calendar.schedule(next.at, Event::Arrive { population });
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
                *own += 1;
                PeerId(book + *own - 1)
            })
        });
        (0..parallel).map(move |connection| Pausing {
            index: arrival.index.wrapping_mul(parallel).wrapping_add(connection),
            session: 0,
            badge: 0,
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
            let badge = self.badges.give();
            let client = self.take_slot(population, Pausing { badge, ..connection });
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
        for connection in self.connections(population, arrival) {
            let Some(at) = self.next_session(now, population, connection) else {
                user.into_iter().for_each(|user| self.actors.leaves(user));
                continue;
            };
            let place = self.parked.park(Pausing { badge: self.badges.give(), ..connection });
            if let Some(user) = user {
                self.parked.belongs(place, user);
            }
            self.calendar.schedule(at, Event::Again { population, place });
        }
    }

    /// A slot for a client that has just come: if there is one, that which was given back last.
    fn take_slot(&mut self, population: PopulationId, client: Pausing) -> u32 {
        match self.free.pop() {
            Some(place) => self.fill_slot(place, population, client),
            None => self.take_fresh_slot(population, client),
        }
    }

    /// A slot that is as good as new.
    fn take_fresh_slot(&mut self, population: PopulationId, client: Pausing) -> u32 {
        if let Some(place) = self.fresh.pop() {
            return self.fill_slot(place, population, client);
        }
        self.slots.push(Slot::of(population, client, Timer::OFF, 0));
        self.work.clients_max = self.slots.len();
        self.slots.len() as u32 - 1
    }

    fn fill_slot(&mut self, place: u32, population: PopulationId, client: Pausing) -> u32 {
        let slot = &mut self.slots[place as usize];
        *slot = Slot::of(population, client, slot.timer, slot.serial);
        place
    }

    /// A client is done with a wanted session: one of a closed population pauses and comes again.
    pub(super) fn finished(&mut self, now: Instant, client: u32) {
        self.note(now, client, Happening::Finish);
        let parallel = self.is_parallel(client);
        if parallel {
            self.tell_actor_of(now, client, actor::Input::GaveUp(ClientId(client))); // if it still waited for its turn
        }
        let slot = &mut self.slots[client as usize];
        slot.timer.disarm();
        let (population, badge) = (slot.population, slot.badge);
        let next = self.next_session(now, population, self.slots[client as usize].pausing());
        let Some(at) = next else {
            self.slots[client as usize].taken = Taken::Free;
            self.free.push(client);
            self.badges.take_back(badge);
            if parallel {
                self.actors.left(client);
            }
            return;
        };
        let place = self.parked.park_in_slot(client, badge);
        if parallel {
            self.parked.belongs(place, self.actors.user_of(client));
        }
        let slot = &mut self.slots[client as usize];
        (slot.badge, slot.taken) = (place, Taken::Pausing);
        self.calendar.schedule(at, Event::Again { population, place });
        self.may_leave_slot(client);
    }

    /// A client that pauses leaves its slot once nothing in the calendar is for it but its next session. So the next owner of the slot
    /// finds no firings there, and everybody's timers are what they would be if each kept its slot.
    pub(super) fn may_leave_slot(&mut self, client: u32) {
        let slot = &mut self.slots[client as usize];
        if slot.taken == Taken::Pausing && slot.timer.is_idle() {
            slot.taken = Taken::Free;
            self.parked.leaves_slot(slot.badge, slot.pausing());
            self.fresh.push(client);
        }
    }

    /// When the session comes that `client` wants after its pause, if ever: only in a closed population.
    fn next_session(&self, now: Instant, population: PopulationId, client: Pausing) -> Option<Instant> {
        let crowd = &self.crowds[usize::from(population.0)];
        let Arrivals::Closed(closed) = &crowd.spec.arrivals else { return None };
        closed.next_session((client.index, crowd.spec.behaviour.parallel), client.session, now, crowd.pauses)
    }

    /// The pause of the client at `place` is over.
    pub(super) fn again(&mut self, now: Instant, population: PopulationId, place: u32) {
        let (badge, rests) = self.parked.take(place);
        let (client, session) = match rests {
            Rests::InSlot(client) => {
                let slot = &mut self.slots[client as usize];
                (slot.badge, slot.taken) = (badge, Taken::Busy);
                (client, slot.pausing().session)
            }
            Rests::Here(pausing) => {
                let client = self.take_fresh_slot(population, pausing);
                if self.is_parallel(client) {
                    self.actors.belongs(client, self.parked.user_of(place));
                }
                (client, pausing.session)
            }
        };
        self.tell_client(now, client, client::Input::Start { session, entry: 0 });
    }
}

impl Slot {
    /// A slot for `client`, with what its last owner has left in the calendar.
    fn of(population: PopulationId, client: Pausing, timer: Timer, serial: u16) -> Self {
        Self {
            client: Client::new(client.index),
            timer,
            peer: client.peer,
            conn: None,
            population,
            serial,
            badge: client.badge,
            taken: Taken::Busy,
        }
    }

    /// What is to be known of its client while it pauses, its session being over.
    fn pausing(&self) -> Pausing {
        let (index, session) = (self.client.index(), self.client.session() + 1);
        Pausing { index, session, badge: self.badge, peer: self.peer }
    }
}
