//! The users who open several connections at once: which client belongs to whom, and whose turn it is.
//!
//! It decides nothing: each user is a machine, [`Actor`]. Populations whose users have one connection each never come here.

use super::calendar::Calendar;
use super::tap::Tap;
use super::world::{Event, World};
use crate::client::actor::{Action, Input};
use crate::client::{self, Actor};
use crate::id::ClientId;
use crate::time::Instant;

/// A user.
#[derive(Debug)]
struct User {
    actor: Actor,
    /// Slots of his clients that are still taken.
    clients: u32,
}

/// All users with several connections, in reused places.
#[derive(Debug, Default)]
pub(super) struct Actors {
    users: Vec<User>,
    free: Vec<u32>,
    /// The user of each client's slot. It is looked at only for slots of such populations.
    of: Vec<u32>,
    out: Vec<Action>,
}

impl Actors {
    /// A user with `count` connections; [`Self::belongs`] says which clients they are.
    pub(super) fn come(&mut self, count: u32) -> u32 {
        let user = User { actor: Actor::new(count), clients: count };
        if let Some(place) = self.free.pop() {
            self.users[place as usize] = user;
            return place;
        }
        self.users.push(user);
        self.users.len() as u32 - 1
    }

    /// The slot `client` is one of `user`'s.
    pub(super) fn belongs(&mut self, client: u32, user: u32) {
        let place = client as usize;
        if self.of.len() <= place {
            self.of.resize(place + 1, u32::MAX);
        }
        self.of[place] = user;
    }

    /// The slot of one of a user's clients is given back. The last one takes the user with it.
    pub(super) fn left(&mut self, client: u32) {
        let user = self.of[client as usize];
        let clients = &mut self.users[user as usize].clients;
        *clients -= 1;
        if *clients == 0 {
            self.free.push(user);
        }
    }

    /// Tells the user `input`; returns the clients whose turn it is now, as [`Action::Turn`]s.
    fn tell(&mut self, now: Instant, user: u32, input: Input, calendar: &mut Calendar<Event>) -> Vec<Action> {
        let mut out = std::mem::take(&mut self.out);
        self.users[user as usize].actor.handle(now, input, &mut out);
        out.retain(|action| match action {
            Action::Arm { at } => {
                calendar.schedule(*at, Event::ActorTimer { user });
                false
            }
            Action::Turn(_) => true,
        });
        out
    }
}

impl<T: Tap> World<'_, T> {
    /// Tells the user of `client` what his client wants or did.
    pub(super) fn tell_actor_of(&mut self, now: Instant, client: u32, input: Input) {
        let user = self.actors.of[client as usize];
        self.tell_actor(now, user, input);
    }

    /// Tells a user. A firing may find another user in his place: timers are hints.
    pub(super) fn tell_actor(&mut self, now: Instant, user: u32, input: Input) {
        let mut turns = self.actors.tell(now, user, input, &mut self.calendar);
        for turn in turns.drain(..) {
            if let Action::Turn(ClientId(client)) = turn {
                self.tell_client(now, client, client::Input::Turn);
            }
        }
        self.actors.out = turns;
    }

    /// Has the user of `client` several connections?
    pub(super) fn is_parallel(&self, client: u32) -> bool {
        let population = self.slots[client as usize].population;
        self.crowds[usize::from(population.0)].spec.behaviour.parallel > 1
    }
}
