//! The users who open several connections at once: which client belongs to whom, and whose turn it is.
//!
//! It decides nothing: each user is a machine, [`Actor`]. Populations whose users have one connection each never come here.

use super::shard::{Due, Moment, Shard};
use crate::client::actor::{Action, Input};
use crate::client::{self, Actor};
use crate::id::ClientId;

/// A user.
struct User {
    actor: Actor,
    /// Slots of his clients that are still taken.
    clients: u32,
}

/// All users with several connections, in reused places.
#[derive(Default)]
pub(super) struct Actors {
    users: Vec<User>,
    free: Vec<u32>,
    /// The user of each client's slot. It is looked at only for slots of such populations.
    of: Vec<u32>,
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
}

impl Shard {
    /// Tells the user of `client` what his client wants or did.
    pub(super) fn tell_actor_of(&mut self, moment: Moment, client: u32, input: Input) {
        let user = self.actors.of[client as usize];
        self.tell_actor(moment, user, input);
    }

    /// Tells a user. A firing may find another user in his place: timers are hints.
    pub(super) fn tell_actor(&mut self, moment: Moment, user: u32, input: Input) {
        let mut out = Vec::new();
        self.actors.users[user as usize].actor.handle(moment.at, input, &mut out);
        for action in out {
            match action {
                Action::Arm { at } => self.schedule(at, Due::Actor(user)),
                Action::Turn(ClientId(client)) => self.tell(moment, client, client::Input::Turn),
            }
        }
    }

    /// Has the user of `client` several connections?
    pub(super) fn is_parallel(&self, client: u32) -> bool {
        self.behaviour(client).parallel > 1
    }
}
