//! The addresses that clients come from, as dense numbers.
//!
//! It does not count them: the machine does.

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::id::PeerId;

/// The addresses that have a number of their own.
const MOST: u32 = 1 << 16;

/// Every address that was ever seen, up to a bound. Those beyond it share one number: they are counted, limited and banned
/// together, so that no crowd of addresses costs memory or pushes out what is known of others.
#[derive(Debug, Default)]
pub(super) struct Peers {
    numbers: BTreeMap<IpAddr, PeerId>,
    /// By number.
    addresses: Vec<IpAddr>,
}

impl Peers {
    /// The number of `address`, the same for the same address.
    pub(super) fn of(&mut self, address: IpAddr) -> PeerId {
        self.known(address).unwrap_or(PeerId(MOST))
    }

    /// The same; `None` if it would be one that others share.
    pub(super) fn known(&mut self, address: IpAddr) -> Option<PeerId> {
        let next = self.addresses.len() as u32;
        if next >= MOST {
            return self.find(address);
        }
        let number = *self.numbers.entry(address).or_insert(PeerId(next));
        if number == PeerId(next) {
            self.addresses.push(address);
        }
        Some(number)
    }

    /// The number of `address`, if it has one of its own.
    pub(super) fn find(&self, address: IpAddr) -> Option<PeerId> {
        self.numbers.get(&address).copied()
    }

    /// The address behind a number.
    pub(super) fn address(&self, peer: PeerId) -> Option<IpAddr> {
        self.addresses.get(peer.0 as usize).copied()
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    #[test]
    fn addresses_beyond_the_bound_share_a_number() {
        let mut peers = Peers::default();
        let address = |i: u32| IpAddr::V4(Ipv4Addr::from(i));
        for i in 0..MOST {
            assert_eq!(peers.of(address(i)), PeerId(i));
        }
        assert_eq!(peers.of(address(5)), PeerId(5));
        assert_eq!(peers.of(address(MOST)), PeerId(MOST));
        assert_eq!(peers.of(address(MOST + 7)), PeerId(MOST));
        assert_eq!(peers.numbers.len(), MOST as usize);
    }
}
