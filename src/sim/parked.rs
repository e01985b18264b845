//! Clients that pause between two sessions, in a few bytes each: who they are, and which session comes next.
//!
//! It does not say when that is: the calendar does, in the one entry that such a client has there. A client with a session under
//! way is in a slot, and not here.

use crate::id::PeerId;

/// What is left of a client while it pauses.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pausing {
    /// Its number in its population.
    pub(super) index: u32,
    /// The session that it wants next, from 0.
    pub(super) session: u32,
    /// Where it comes from.
    pub(super) peer: PeerId,
}

const _: () = assert!(size_of::<Pausing>() == 12);

/// No place.
const NONE: u32 = u32::MAX;

/// All that pause, in reused places.
#[derive(Debug)]
pub(super) struct Parked {
    /// A place that nobody has names the next such place where a session would stand.
    places: Vec<Pausing>,
    free: u32,
    /// Whose connection a client is. It is looked at only for populations whose users have several, and no longer than such a client
    /// makes it.
    users: Vec<u32>,
}

impl Default for Parked {
    fn default() -> Self {
        Self { places: Vec::new(), free: NONE, users: Vec::new() }
    }
}

impl Parked {
    /// A client begins to pause. Its place.
    pub(super) fn park(&mut self, client: Pausing) -> u32 {
        let Some(place) = self.places.get_mut(self.free as usize) else {
            self.places.push(client);
            return self.places.len() as u32 - 1;
        };
        let next = place.session;
        *place = client;
        std::mem::replace(&mut self.free, next)
    }

    /// The client at `place` pauses no longer.
    pub(super) fn take(&mut self, place: u32) -> Pausing {
        let client = self.places[place as usize];
        self.places[place as usize].session = self.free;
        self.free = place;
        client
    }

    /// The client at `place` is a connection of this user.
    pub(super) fn belongs(&mut self, place: u32, user: u32) {
        if self.users.len() <= place as usize {
            self.users.resize(place as usize + 1, NONE);
        }
        self.users[place as usize] = user;
    }

    /// Whose connection the client at `place` is.
    pub(super) fn user_of(&self, place: u32) -> u32 {
        self.users[place as usize]
    }

    /// The most that ever paused at once.
    pub(super) fn most(&self) -> usize {
        self.places.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_used_again() {
        let mut parked = Parked::default();
        let client = |index| Pausing { index, session: 7, peer: PeerId(index) };
        let places: Vec<u32> = (0..4).map(|index| parked.park(client(index))).collect();
        assert_eq!(places, [0, 1, 2, 3]);
        for place in [1, 0, 3, 2] {
            let back = parked.take(place);
            assert_eq!((back.index, back.session), (place, 7));
        }
        let mut again: Vec<u32> = (4..8).map(|index| parked.park(client(index))).collect();
        again.sort_unstable();
        assert_eq!((again, parked.most()), (vec![0, 1, 2, 3], 4));
        assert_eq!(parked.park(client(8)), 4);
    }
}
