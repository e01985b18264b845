//! What the server remembers of one connection.
//!
//! It decides nothing: the machine reads and writes it.

use super::side::NO_SIDE;
use crate::id::{PeerId, UserId};
use crate::observe::{Cause, CloseHow, Phase};
use crate::time::Instant;

/// Where a connection stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Stage {
    /// No connection has this slot.
    Free,
    /// Accepted where TLS begins with the first byte: not greeted yet.
    Securing,
    /// Greeted, no USER yet.
    Greeted,
    /// USER is answered.
    Named,
    /// A password was wrong.
    Rejected,
    /// Logged in.
    Session,
    /// Logged in, and a command has the data connection or waits for it.
    Transfer,
    /// The last reply is on its way; the connection closes when it is out.
    Ending,
    /// The connection is closed; its slot is not yet free.
    Reaping,
    /// Turned away at accept by a process of its own; the last word is not yet said.
    Refusing,
    /// The same when all is said and closed, and the process not yet reaped.
    Refused,
}

/// Whom a limit or a ban is asked about.
#[derive(Clone, Copy, Debug)]
pub(super) struct Who {
    pub peer: PeerId,
    /// The account; 0 before it is named.
    pub user: UserId,
    pub class: u8,
}

/// No limit has been met.
pub(super) const NO_VERDICT: u8 = u8::MAX;

/// One connection.
#[repr(align(64))] // a cache line
#[derive(Clone, Copy, Debug)]
pub(super) struct Session {
    /// When it was accepted.
    pub opened: Instant,
    /// When it logged in; never if it has not.
    pub logged_in: Instant,
    /// When the last command was answered.
    pub last_command: Instant,
    /// Since when there were only keep-alive commands: the first of them. Never, if the last command was another.
    pub idling_since: Instant,
    /// When the last transfer ended, or the login if there was none.
    pub last_transfer: Instant,
    /// When its last reply is out and the next command's turn comes, an ending connection closes, or a reaped slot is free.
    pub ends: Instant,
    /// Its address.
    pub peer: PeerId,
    /// The place of what few connections need.
    pub side: u32,
    /// Its account.
    pub user: UserId,
    /// Where it stands.
    pub stage: Stage,
    /// Wrong passwords so far.
    pub fails: u8,
    /// The class of its address.
    pub class: u8,
    /// The place in check order of the limit that had no room when USER came.
    pub verdict: u8,
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
        idling_since: Instant::NEVER,
        last_transfer: Instant::ZERO,
        ends: Instant::NEVER,
        peer: PeerId(0),
        side: NO_SIDE,
        user: UserId(0),
        stage: Stage::Free,
        fails: 0,
        class: 0,
        verdict: NO_VERDICT,
        close: CloseHow::Fin,
        cause: None,
    };

    pub(super) fn accepted(now: Instant, peer: PeerId, class: u8, greeted: Instant) -> Self {
        Self {
            opened: now,
            last_command: greeted,
            ends: greeted,
            peer,
            class,
            stage: Stage::Greeted,
            ..Self::FREE
        }
    }

    /// Who it is.
    pub(super) fn who(&self) -> Who {
        Who { peer: self.peer, user: self.user, class: self.class }
    }

    /// Is the TCP connection open?
    pub(super) fn is_open(&self) -> bool {
        !matches!(self.stage, Stage::Free | Stage::Reaping | Stage::Refusing | Stage::Refused)
    }

    /// Is it open and logged in?
    pub(super) fn is_logged_in(&self) -> bool {
        self.is_open() && !self.logged_in.is_never()
    }

    /// Is it logged in, with nothing under way and nothing of its own?
    pub(super) fn is_at_rest(&self) -> bool {
        self.side == NO_SIDE && !self.logged_in.is_never()
    }

    /// The phase that a refusal at this point has.
    pub(super) fn phase(&self) -> Phase {
        match self.stage {
            Stage::Free | Stage::Securing | Stage::Reaping | Stage::Refusing | Stage::Refused => {
                Phase::Accept
            }
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
