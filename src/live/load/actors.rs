//! The users who open several connections at once, in real time: whose turn it is.
//!
//! It decides nothing: each user is a machine, and [`Actors`](crate::client::actor::Actors) keeps the books.

use super::shard::{Due, Moment, Shard};
use crate::client;
use crate::client::actor::{Action, Input};
use crate::id::ClientId;

impl Shard {
    /// Tells the user of `client` what his client wants or did.
    pub(super) fn tell_actor_of(&mut self, moment: Moment, client: u32, input: Input) {
        self.tell_actor(moment, self.actors.user_of(client), input);
    }

    /// Tells a user, and does what he wants done.
    pub(super) fn tell_actor(&mut self, moment: Moment, user: u32, input: Input) {
        let actions = self.actors.tell(moment.at, user, input);
        for action in &actions {
            match *action {
                Action::Arm { at } => self.schedule(at, Due::Actor(user)),
                Action::Turn(ClientId(client)) => self.tell(moment, client, client::Input::Turn),
            }
        }
        self.actors.give_back(actions);
    }

    /// Has the user of `client` several connections?
    pub(super) fn is_parallel(&self, client: u32) -> bool {
        self.behaviour(client).parallel > 1
    }
}
