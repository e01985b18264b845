//! An actor: one user whose program opens several control connections at a time, and how many it allows itself.
//!
//! Each of its connections is a [`Client`](super::Client) that runs the script as a wanted session of its own, with the user's
//! address and account. The actor only says whose turn it is to connect: at most `cap` of them are connected, or connecting,
//! at once. A text that tells it that these are too many lowers the cap by one, and it rises by one every five minutes until it
//! is what it was (lftp: `src/resource.cc`, `net:connection-limit-timer`). It knows neither the network nor the server.

use std::collections::VecDeque;

use crate::id::ClientId;
use crate::time::{Duration, Instant};

/// How many connections a user may open, how many he has, and who waits for a turn.
#[derive(Clone, Debug)]
pub struct Actor {
    most: u32,
    cap: u32,
    open: u32,
    rises_at: Instant,
    waiting: VecDeque<ClientId>,
}

/// What an actor is told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Input {
    /// One of its clients would connect.
    Asked(ClientId),
    /// A client's connection is no more, or will never be.
    Ended,
    /// A client that waited for its turn does so no longer.
    GaveUp(ClientId),
    /// The server said that there are too many connections.
    Lowered,
    /// A firing that was asked for, or any other.
    TimerFired,
}

/// What it wants done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Action {
    /// Hand [`Input::Turn`](super::Input::Turn) to this client: it may connect.
    Turn(ClientId),
    /// Hand in [`Input::TimerFired`] at `at`.
    Arm {
        /// When.
        at: Instant,
    },
}

impl Actor {
    /// After so long the cap rises by one.
    pub const RISES_AFTER: Duration = Duration::from_secs(300);

    /// A user with at most `most` connections.
    pub fn new(most: u32) -> Self {
        Self { most, cap: most, open: 0, rises_at: Instant::NEVER, waiting: VecDeque::new() }
    }

    /// Connections that it allows itself just now.
    pub fn cap(&self) -> u32 {
        self.cap
    }

    /// Takes one input at `now` and appends what is to be done to `out`.
    pub fn handle(&mut self, now: Instant, input: Input, out: &mut Vec<Action>) {
        match input {
            Input::Asked(client) => self.waiting.push_back(client),
            Input::Ended => self.open = self.open.saturating_sub(1),
            Input::GaveUp(client) => self.waiting.retain(|waits| *waits != client),
            Input::Lowered => {
                self.cap = (self.cap - 1).max(1);
                self.wait_to_rise(now, out);
            }
            Input::TimerFired if now >= self.rises_at => {
                self.cap = (self.cap + 1).min(self.most);
                self.rises_at = Instant::NEVER;
                self.wait_to_rise(now, out);
            }
            Input::TimerFired => {}
        }
        while self.open < self.cap {
            let Some(client) = self.waiting.pop_front() else { break };
            self.open += 1;
            out.push(Action::Turn(client));
        }
    }

    /// Below its most, the cap rises again: five minutes after it was lowered first, or rose last.
    fn wait_to_rise(&mut self, now: Instant, out: &mut Vec<Action>) {
        if self.cap < self.most && self.rises_at.is_never() {
            self.rises_at = now + Self::RISES_AFTER;
            out.push(Action::Arm { at: self.rises_at });
        }
    }
}

/// A user in a driver's keeping.
#[derive(Debug)]
struct User {
    actor: Actor,
    /// Slots of his clients that are still taken.
    clients: u32,
}

/// All users with several connections, in reused places, and which client's slot belongs to whom: the books of every driver.
/// Populations whose users have one connection each never come here.
#[derive(Debug, Default)]
pub struct Actors {
    users: Vec<User>,
    free: Vec<u32>,
    /// The user of each client's slot. It is looked at only for slots of such populations.
    of: Vec<u32>,
    out: Vec<Action>,
}

impl Actors {
    /// A user with `count` connections; [`Self::belongs`] says which clients they are.
    pub fn come(&mut self, count: u32) -> u32 {
        let user = User { actor: Actor::new(count), clients: count };
        if let Some(place) = self.free.pop() {
            self.users[place as usize] = user;
            return place;
        }
        self.users.push(user);
        self.users.len() as u32 - 1
    }

    /// The slot `client` is one of `user`'s.
    pub fn belongs(&mut self, client: u32, user: u32) {
        let place = client as usize;
        if self.of.len() <= place {
            self.of.resize(place + 1, u32::MAX);
        }
        self.of[place] = user;
    }

    /// Whose the slot `client` is.
    pub fn user_of(&self, client: u32) -> u32 {
        self.of[client as usize]
    }

    /// The slot of one of a user's clients is given back. The last one takes the user with it.
    pub fn left(&mut self, client: u32) {
        self.leaves(self.user_of(client));
    }

    /// One of the clients of `user` will not come again.
    pub fn leaves(&mut self, user: u32) {
        let clients = &mut self.users[user as usize].clients;
        *clients -= 1;
        if *clients == 0 {
            self.free.push(user);
        }
    }

    /// Tells a user. A firing may find another user in his place: timers are hints. Hand the list back when it is done with.
    pub fn tell(&mut self, now: Instant, user: u32, input: Input) -> Vec<Action> {
        let mut out = std::mem::take(&mut self.out);
        self.users[user as usize].actor.handle(now, input, &mut out);
        out
    }

    /// Takes the list of [`Self::tell`] back, to be used again.
    pub fn give_back(&mut self, mut out: Vec<Action>) {
        out.clear();
        self.out = out;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(actor: &mut Actor, at: u64, input: Input) -> Vec<Action> {
        let mut out = Vec::new();
        actor.handle(Instant::ZERO + Duration::from_secs(at), input, &mut out);
        out
    }

    fn arm(at: u64) -> Action {
        Action::Arm { at: Instant::ZERO + Duration::from_secs(at) }
    }

    #[test]
    fn no_more_than_the_cap_connect_and_the_others_wait_in_turn() {
        let mut actor = Actor::new(2);
        for (client, turns) in [(0, true), (1, true), (2, false), (3, false), (4, false)] {
            let out = told(&mut actor, 0, Input::Asked(ClientId(client)));
            assert_eq!(out == [Action::Turn(ClientId(client))], turns, "client {client}");
        }
        assert_eq!(told(&mut actor, 1, Input::GaveUp(ClientId(2))), []);
        assert_eq!(told(&mut actor, 2, Input::Ended), [Action::Turn(ClientId(3))]);
        assert_eq!(told(&mut actor, 3, Input::Ended), [Action::Turn(ClientId(4))]);
        assert_eq!(told(&mut actor, 4, Input::Ended), []);
    }

    #[test]
    fn a_cap_that_was_lowered_rises_by_one_every_five_minutes() {
        let mut actor = Actor::new(3);
        assert_eq!(told(&mut actor, 10, Input::Lowered), [arm(310)]);
        for at in [20, 30, 40] {
            assert_eq!(told(&mut actor, at, Input::Lowered), []);
        }
        assert_eq!(actor.cap(), 1, "never below one");
        assert_eq!(told(&mut actor, 300, Input::TimerFired), [], "a firing that is early changes nothing");
        assert_eq!(told(&mut actor, 310, Input::TimerFired), [arm(610)]);
        assert_eq!((actor.cap(), told(&mut actor, 610, Input::TimerFired)), (2, vec![]));
        assert_eq!(actor.cap(), 3);
    }

    #[test]
    fn it_takes_any_input_at_any_time() {
        let mut actor = Actor::new(1);
        for input in
            [Input::Ended, Input::GaveUp(ClientId(7)), Input::TimerFired, Input::Lowered, Input::Ended]
        {
            assert_eq!(told(&mut actor, 0, input), []);
        }
        assert_eq!(told(&mut actor, 0, Input::Asked(ClientId(7))), [Action::Turn(ClientId(7))]);
    }
}
