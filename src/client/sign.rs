//! What a client can see of a refusal: the class of its code, or what the network did.
//!
//! It is not the cause: a client never learns it, and takes a limit that is told as 530 for a wrong password.

use crate::observe::{Cause, Refusal};

/// A refusal as it looks on the wire.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Sign {
    /// 421.
    NotAvailable,
    /// Any other 4yz.
    Transient,
    /// 530.
    NotLoggedIn,
    /// Any other 5yz.
    Permanent,
    /// 2yz, and then the end: unftp says 221 to a session that was idle.
    Goodbye,
    /// The connection was closed without a word.
    Silent,
    /// The connection was reset.
    Reset,
    /// Nobody listens.
    Refused,
    /// The handshake or a reply never came.
    Timeout,
}

impl Sign {
    /// Every sign with its word in scenarios and profiles.
    pub const ALL: [(&'static str, Self); 9] = [
        ("421", Self::NotAvailable),
        ("4yz", Self::Transient),
        ("530", Self::NotLoggedIn),
        ("5yz", Self::Permanent),
        ("2yz", Self::Goodbye),
        ("silent", Self::Silent),
        ("reset", Self::Reset),
        ("refused", Self::Refused),
        ("timeout", Self::Timeout),
    ];

    /// How `refusal` looks. Of a refusal without a code only the network's own events differ from a plain close.
    pub const fn of(refusal: Refusal) -> Self {
        match (refusal.code, refusal.cause) {
            (0, Cause::ConnectionRefused) => Self::Refused,
            (0, Cause::ConnectTimeout) => Self::Timeout,
            (0, Cause::Reset) => Self::Reset,
            (0, _) => Self::Silent,
            (421, _) => Self::NotAvailable,
            (530, _) => Self::NotLoggedIn,
            (200..300, _) => Self::Goodbye,
            (400..500, _) => Self::Transient,
            _ => Self::Permanent,
        }
    }

    /// The sign that `word` names.
    pub fn from_name(word: &str) -> Option<Self> {
        Self::ALL.iter().find(|(name, _)| *name == word).map(|(_, sign)| *sign)
    }

    /// Its bit in [`Rule::signs`](super::Rule::signs).
    pub const fn bit(self) -> u16 {
        1 << self as u8
    }
}
