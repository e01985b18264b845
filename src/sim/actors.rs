//! The users who open several connections at once, in virtual time: whose turn it is.
//!
//! It decides nothing: each user is a machine, and [`Actors`](crate::client::actor::Actors) keeps the books.

use super::calendar::Queue;
use super::tap::Tap;
use super::world::{Event, World};
use crate::client;
use crate::client::actor::{Action, Input};
use crate::id::ClientId;
use crate::time::Instant;

impl<T: Tap, Q: Queue<Event>> World<'_, T, Q> {
    /// Tells the user of `client` what his client wants or did.
    pub(super) fn tell_actor_of(&mut self, now: Instant, client: u32, input: Input) {
        self.tell_actor(now, self.actors.user_of(client), input);
    }

    /// Tells a user, and does what he wants done.
    pub(super) fn tell_actor(&mut self, now: Instant, user: u32, input: Input) {
        let actions = self.actors.tell(now, user, input);
        for action in &actions {
            match *action {
                Action::Arm { at } => self.core.calendar.schedule(at, Event::ActorTimer { user }),
                Action::Turn(ClientId(client)) => self.tell_client(now, client, client::Input::Turn),
            }
        }
        self.actors.give_back(actions);
    }

    /// Has the user of `client` several connections?
    pub(super) fn is_parallel(&self, client: u32) -> bool {
        let population = self.slots[client as usize].population;
        self.crowds[usize::from(population.0)].spec.behaviour.parallel > 1
    }
}
