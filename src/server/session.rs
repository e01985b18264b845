//! What the server remembers of one connection.
//!
//! It decides nothing: the machine reads and writes it.

use crate::id::{PeerId, UserId};
use crate::observe::{Cause, CloseHow, Phase};
use crate::time::Instant;

/// Where a connection stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Stage {
    /// No connection has this slot.
    Free,
    /// Greeted, no USER yet.
    Greeted,
    /// USER is answered.
    Named,
    /// A password was wrong.
    Rejected,
    /// Logged in.
    Session,
    /// Logged in, and a transfer is under way.
    Transfer,
    /// The last reply is on its way; the connection closes when it is out.
    Ending,
    /// The connection is closed; its slot is not yet free.
    Reaping,
}

/// One connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct Session {
    /// When it was accepted.
    pub opened: Instant,
    /// When it logged in; never if it has not.
    pub logged_in: Instant,
    /// When the last command was answered.
    pub last_command: Instant,
    /// When the last command came that is not just a keep-alive.
    pub last_deed: Instant,
    /// When the last transfer ended, or the login if there was none.
    pub last_transfer: Instant,
    /// When an ending connection closes, or a reaped slot is free.
    pub ends: Instant,
    /// Its address.
    pub peer: PeerId,
    /// Its account.
    pub user: UserId,
    /// Where it stands.
    pub stage: Stage,
    /// Wrong passwords so far.
    pub fails: u8,
    /// Is a data connection open?
    pub data: bool,
    /// Is the transfer under way a LIST?
    pub listing: bool,
    /// How an ending connection closes.
    pub close: CloseHow,
    /// Why, if it was refused.
    pub cause: Option<Cause>,
}

const _: () = assert!(size_of::<Session>() == 64);

impl Session {
    pub(super) const FREE: Self = Self {
        opened: Instant::ZERO,
        logged_in: Instant::NEVER,
        last_command: Instant::ZERO,
        last_deed: Instant::ZERO,
        last_transfer: Instant::ZERO,
        ends: Instant::NEVER,
        peer: PeerId(0),
        user: UserId(0),
        stage: Stage::Free,
        fails: 0,
        data: false,
        listing: false,
        close: CloseHow::Fin,
        cause: None,
    };

    pub(super) fn accepted(now: Instant, peer: PeerId, greeted: Instant) -> Self {
        Self {
            opened: now,
            last_command: greeted,
            last_deed: greeted,
            peer,
            stage: Stage::Greeted,
            ..Self::FREE
        }
    }

    /// Is the TCP connection open?
    pub(super) fn is_open(&self) -> bool {
        !matches!(self.stage, Stage::Free | Stage::Reaping)
    }

    /// Is it open and logged in?
    pub(super) fn is_logged_in(&self) -> bool {
        self.is_open() && !self.logged_in.is_never()
    }

    /// The phase that a refusal at this point has.
    pub(super) fn phase(&self) -> Phase {
        match self.stage {
            Stage::Free | Stage::Reaping => Phase::Accept,
            Stage::Greeted => Phase::PreLogin,
            Stage::Named => Phase::User,
            Stage::Rejected => Phase::Pass,
            Stage::Transfer => Phase::Transfer,
            Stage::Session => Phase::Session,
            Stage::Ending => {
                if self.logged_in.is_never() {
                    Phase::PreLogin
                } else {
                    Phase::Session
                }
            }
        }
    }
}
