//! Names of the things in a run: dense numbers that index slabs.
//!
//! Ids come from the driver. Nothing here looks anything up.

/// A client's slot at its driver. Reused when the client is gone.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct ClientId(pub u32);

/// A connection's slot at one server, from accept until the server frees the slot. A driver reuses it only when nothing
/// that names it is still under way. The top four bits are the server's number, so that the slots of each are dense.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct ConnId(pub u32);

/// A server's place in the scenario.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct ServerId(pub u8);

impl ServerId {
    /// The most servers of a scenario.
    pub const MOST: usize = 16;
}

impl ConnId {
    /// The bits of the slot's number.
    const SLOT: u32 = u32::MAX >> 4;

    /// Slot number `slot` of `server`.
    ///
    /// # Panics
    /// If either number is out of range.
    pub const fn new(server: ServerId, slot: u32) -> Self {
        assert!(slot <= Self::SLOT && server.0 < 16, "a server has at most 2^28 connections");
        Self((server.0 as u32) << 28 | slot)
    }

    /// Which server it belongs to.
    pub const fn server(self) -> ServerId {
        ServerId((self.0 >> 28) as u8)
    }

    /// Its slot there.
    pub const fn slot(self) -> usize {
        (self.0 & Self::SLOT) as usize
    }
}

/// An interned source address.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct PeerId(pub u32);

/// An interned user name: the [`ArgId`](crate::ftp::ArgId) of the USER command that named it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct UserId(pub u16);

/// A population's place in the scenario.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default, serde::Serialize, serde::Deserialize,
)]
pub struct PopulationId(pub u16);
