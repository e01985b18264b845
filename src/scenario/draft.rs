//! What all parts of a scenario share while it is read: its length, its names and addresses, the files that it opens.
//!
//! It reads no file itself: it is handed a function that does.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};

use crate::digest::Digest;
use crate::ftp::ArgId;
use crate::id::PeerId;
use crate::time::Duration;
use crate::workload::AddressBook;

/// Opens a file that the scenario names.
pub(super) type Open<'o> = &'o mut dyn FnMut(&str) -> Result<String, String>;

/// The shared state.
pub(super) struct Draft<'o> {
    /// How long the run lasts.
    pub end: Duration,
    /// Names and paths.
    pub strings: Strings,
    /// Addresses.
    pub places: Places,
    /// What a reader of the scenario should know.
    pub notes: Vec<String>,
    /// The digest of all that was read.
    pub digest: Digest,
    open: Open<'o>,
}

impl<'o> Draft<'o> {
    /// An empty draft of a scenario with this text and length.
    pub fn new(text: &str, end: Duration, open: Open<'o>) -> Self {
        let mut digest = Digest::default();
        digest.bytes(text.as_bytes());
        Self { end, strings: Strings::default(), places: Places::default(), notes: Vec::new(), digest, open }
    }

    /// The text of a file that the scenario names; it becomes a part of the scenario's digest.
    pub fn open(&mut self, file: &str) -> Result<String, String> {
        let text = (self.open)(file)?;
        self.digest.bytes(text.as_bytes());
        Ok(text)
    }
}

/// The interned strings.
pub(super) struct Strings {
    texts: Vec<String>,
    places: BTreeMap<String, ArgId>,
}

impl Default for Strings {
    /// The numbers that [`ArgId`] gives a meaning: nothing, the right password (whose text nobody knows), `anonymous`.
    fn default() -> Self {
        let anonymous = "anonymous".to_owned();
        Self {
            texts: vec![String::new(), String::new(), anonymous.clone()],
            places: BTreeMap::from([(anonymous, ArgId::ANONYMOUS)]),
        }
    }
}

impl Strings {
    /// The most strings; below [`ArgId::OTHER`].
    pub const MOST: usize = 65_000;

    /// The number of `text`, or `None` if there is no room.
    pub fn intern(&mut self, text: &str) -> Option<ArgId> {
        if text.is_empty() {
            return Some(ArgId::NONE);
        }
        if let Some(id) = self.places.get(text) {
            return Some(*id);
        }
        let id = ArgId(u16::try_from(self.texts.len()).ok().filter(|id| usize::from(*id) < Self::MOST)?);
        self.texts.push(text.to_owned());
        self.places.insert(text.to_owned(), id);
        Some(id)
    }

    /// The strings by number.
    pub fn into_texts(self) -> Vec<String> {
        self.texts
    }
}

/// The addresses of the populations, with those behind a NAT kept apart.
#[derive(Default)]
pub(super) struct Places {
    /// All of them.
    pub book: AddressBook,
    natted: BTreeSet<IpAddr>,
    pooled: usize,
    next: u8,
}

impl Places {
    /// The most addresses of one pool.
    pub const POOL: usize = 65_536;
    /// The most addresses of all pools together.
    const ALL_POOLS: usize = 1 << 20;

    /// `count` addresses of 203.0.113.0/24 (RFC 5737) that nobody else has, or `None` if they run out.
    pub fn nat(&mut self, count: u32) -> Option<Vec<PeerId>> {
        let mut peers = Vec::new();
        while peers.len() < count as usize {
            self.next = self.next.checked_add(1).filter(|host| *host < u8::MAX)?;
            let address = IpAddr::V4(Ipv4Addr::new(203, 0, 113, self.next));
            let known = self.book.len();
            let peer = self.book.intern(address);
            if peer.0 == known {
                self.natted.insert(address);
                peers.push(peer);
            }
        }
        Some(peers)
    }

    /// The numbers of `addresses`.
    ///
    /// # Errors
    /// Why they cannot be had.
    pub fn pool(&mut self, addresses: &[IpAddr]) -> Result<Vec<PeerId>, String> {
        if let Some(taken) = addresses.iter().find(|a| self.natted.contains(a)) {
            return Err(format!("{taken} is an address of a `nat` pool above: use another network"));
        }
        self.pooled += addresses.len();
        if self.pooled > Self::ALL_POOLS {
            return Err(format!("all pools together have more than {} addresses", Self::ALL_POOLS));
        }
        Ok(addresses.iter().map(|a| self.book.intern(*a)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_interned_once() {
        let mut strings = Strings::default();
        assert_eq!(strings.intern(""), Some(ArgId::NONE));
        assert_eq!(strings.intern("alice"), Some(ArgId(3)));
        assert_eq!(strings.intern("alice"), Some(ArgId(3)));
        for i in 0..Strings::MOST {
            strings.intern(&format!("user{i}"));
        }
        assert_eq!(strings.intern("one too many"), None);
        assert_eq!(strings.into_texts().len(), Strings::MOST);
    }

    #[test]
    fn a_nat_has_addresses_of_its_own() {
        let mut places = Places::default();
        let first: IpAddr = "203.0.113.1".parse().unwrap();
        places.pool(&[first]).unwrap();
        assert_eq!(places.nat(2).unwrap(), [PeerId(1), PeerId(2)]);
        assert!(places.pool(&["203.0.113.2".parse().unwrap()]).is_err());
        assert_eq!(places.nat(300), None);
    }
}
