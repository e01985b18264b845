//! Who comes when: populations, their arrivals, their addresses.
//!
//! It knows neither server nor sockets: it says that a client comes at a time, from an address, to do a script.

pub mod addresses;
pub mod arrivals;
mod rounds;
pub mod stages;
pub mod trace;
pub mod xferlog;

pub use addresses::{AddressBook, Addresses, Classes, Network, Pick};
pub use arrivals::{Arrival, ArrivalSource, Arrivals, Closed, Open, Spacing, TraceArrival};
pub use rounds::Rounds;
pub use stages::{Stage, Stages};

use crate::client::Behaviour;
use crate::ftp::ArgId;
use crate::id::PopulationId;
use crate::network::Link;

/// A population: clients that behave alike.
#[derive(Clone, PartialEq, Debug)]
pub struct Population {
    /// Its name in reports.
    pub name: String,
    /// When its clients come.
    pub arrivals: Arrivals,
    /// Where they come from.
    pub addresses: Addresses,
    /// The accounts that they use, in turn.
    pub users: Vec<ArgId>,
    /// What each of them does.
    pub behaviour: Behaviour,
    /// How they reach the server.
    pub link: Link,
    /// The population that it is more of, if it is a flash crowd: they share its way and its weather.
    pub like: Option<PopulationId>,
}

impl Population {
    /// Is what happens to the way of `whose` clients (of all, if it names none) about this population, whose number is `id`?
    pub fn shares_way(&self, id: PopulationId, whose: Option<PopulationId>) -> bool {
        whose.is_none_or(|whose| whose == id || self.like == Some(whose))
    }

    /// The account of client number `index`. The connections of one user are numbered in a row.
    pub fn user(&self, index: u32) -> ArgId {
        self.behaviour.user(&self.users, index)
    }
}
