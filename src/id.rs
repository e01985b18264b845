//! Names of the things in a run: dense numbers that index slabs.
//!
//! Ids come from the driver. Nothing here looks anything up.

/// A client's slot at its driver. Reused when the client is gone.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct ClientId(pub u32);

/// A connection's slot at the server, from accept until the server frees the slot. A driver reuses it only when nothing
/// that names it is still under way.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct ConnId(pub u32);

/// An interned source address.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct PeerId(pub u32);

/// An interned user name: the [`ArgId`](crate::ftp::ArgId) of the USER command that named it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct UserId(pub u16);

/// A population's place in the scenario.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct PopulationId(pub u16);
