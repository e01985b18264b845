//! Where clients come from: source addresses, one each, from a pool, or shared behind a NAT.
//!
//! It opens no socket: an address is a number that the server counts by, and a text for the dialogue.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

use crate::id::PeerId;
use crate::rng::Stream;

/// The addresses of a population.
#[derive(Clone, PartialEq, Debug)]
pub enum Addresses {
    /// Every client has one of its own.
    Unique,
    /// Clients share these.
    Pool {
        /// The addresses.
        peers: Vec<PeerId>,
        /// Which of them a client has.
        pick: Pick,
    },
}

/// Which address of a pool a client has.
#[derive(Clone, PartialEq, Debug)]
pub enum Pick {
    /// Client number i has address i modulo the pool's size.
    InTurn,
    /// Any, alike.
    Uniform,
    /// The k-th with a probability proportional to 1 / k^s: a few addresses have most of the clients. Holds the
    /// cumulative probabilities.
    Zipf(Vec<f64>),
}

impl Pick {
    /// Zipf's law with exponent `s` over `n` addresses.
    pub fn zipf(n: usize, s: f64) -> Self {
        let weights: Vec<f64> = (1..=n).map(|k| libm::pow(k as f64, -s)).collect();
        let total: f64 = weights.iter().sum();
        let mut sum = 0.0;
        Self::Zipf(
            weights
                .iter()
                .map(|w| {
                    sum += w / total;
                    sum
                })
                .collect(),
        )
    }
}

impl Addresses {
    /// The address of client `index`. `unique` is the number that the driver gives to a client with its own.
    pub fn of(&self, index: u32, stream: Stream, unique: impl FnOnce() -> PeerId) -> PeerId {
        let Self::Pool { peers, pick } = self else { return unique() };
        let place = match pick {
            Pick::InTurn => index as usize % peers.len(),
            Pick::Uniform => {
                ((u128::from(stream.word(u64::from(index), 0)) * peers.len() as u128) >> 64) as usize
            }
            Pick::Zipf(sums) => {
                let u = stream.unit(u64::from(index), 0);
                sums.partition_point(|sum| *sum <= u).min(peers.len() - 1)
            }
        };
        peers[place]
    }
}

/// All addresses that a scenario names. Numbers from [`AddressBook::len`] on belong to clients with an address of their own.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct AddressBook {
    known: Vec<IpAddr>,
    places: BTreeMap<IpAddr, PeerId>,
}

impl AddressBook {
    /// The number of `address`, the same for the same address.
    pub fn intern(&mut self, address: IpAddr) -> PeerId {
        *self.places.entry(address).or_insert_with(|| {
            self.known.push(address);
            PeerId(self.known.len() as u32 - 1)
        })
    }

    /// How many addresses the scenario names.
    pub fn len(&self) -> u32 {
        self.known.len() as u32
    }

    /// Does the scenario name none?
    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// The address behind `peer`: a named one, or one of its own from 100.64.0.0 (RFC 6598) upwards.
    pub fn address(&self, peer: PeerId) -> IpAddr {
        self.known.get(peer.0 as usize).copied().unwrap_or_else(|| {
            let own = peer.0 - self.len();
            IpAddr::V4(Ipv4Addr::from(u32::from(Ipv4Addr::new(100, 64, 0, 1)).wrapping_add(own)))
        })
    }
}

/// A network: all addresses with the same first bits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Network {
    address: IpAddr,
    prefix: u32,
}

impl Network {
    /// The network of `address` with so many bits in common.
    pub const fn new(address: IpAddr, prefix: u32) -> Self {
        Self { address, prefix }
    }

    /// Is `address` one of its own?
    pub fn holds(&self, address: IpAddr) -> bool {
        let (own, other, width) = match (self.address, address) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                (u128::from(own.to_bits()), u128::from(other.to_bits()), 32)
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => (own.to_bits(), other.to_bits(), 128),
            _ => return false,
        };
        self.prefix == 0 || (own ^ other) >> (width - self.prefix.min(width)) == 0
    }
}

/// The classes that a server puts addresses into. The first network that holds an address decides.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Classes {
    networks: Vec<(Network, u8)>,
}

impl Classes {
    /// Puts `network` into class `class`, unless an earlier one holds its address.
    pub fn put(&mut self, network: Network, class: u8) {
        self.networks.push((network, class));
    }

    /// Is every address in none?
    pub fn is_empty(&self) -> bool {
        self.networks.is_empty()
    }

    /// The class of `address`; 0 for none.
    pub fn of(&self, address: IpAddr) -> u8 {
        self.networks.iter().find(|(network, _)| network.holds(address)).map_or(0, |(_, class)| *class)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Purpose, Streams};

    #[test]
    fn the_same_address_has_the_same_number() {
        let mut book = AddressBook::default();
        let office: IpAddr = "198.51.100.7".parse().unwrap();
        let first = book.intern(office);
        assert_eq!(book.intern(office), first);
        assert_eq!(book.address(first), office);
        assert_eq!(book.address(PeerId(3)).to_string(), "100.64.0.3");
    }

    #[test]
    fn a_network_holds_its_addresses_and_no_others() {
        let office = Network::new("10.1.0.0".parse().unwrap(), 16);
        for (address, held) in
            [("10.1.0.0", true), ("10.1.255.255", true), ("10.2.0.0", false), ("::1", false)]
        {
            assert_eq!(office.holds(address.parse().unwrap()), held, "{address}");
        }
        assert!(Network::new("::".parse().unwrap(), 0).holds("2001:db8::1".parse().unwrap()));
        let mut classes = Classes::default();
        classes.put(office, 2);
        classes.put(Network::new("10.0.0.0".parse().unwrap(), 8), 1);
        assert_eq!(["10.1.2.3", "10.9.2.3", "192.0.2.1"].map(|a| classes.of(a.parse().unwrap())), [2, 1, 0]);
    }

    #[test]
    fn zipf_prefers_the_first() {
        let peers: Vec<PeerId> = (0..10).map(PeerId).collect();
        let pool = Addresses::Pool { pick: Pick::zipf(10, 1.0), peers };
        let stream = Streams::new(1, 0).stream(Purpose::Address, 0);
        let mut counts = [0; 10];
        for i in 0..10_000 {
            counts[pool.of(i, stream, || unreachable!("a pool")).0 as usize] += 1;
        }
        // The harmonic number H(10) = 2.929: the first has 34 %, the last 3.4 %.
        assert!((3_200..3_650).contains(&counts[0]), "{counts:?}");
        assert!((280..410).contains(&counts[9]), "{counts:?}");
    }
}
