//! What few connections need, or only for a while: a data connection, an unfinished line, an idle timer of their own.
//!
//! A connection that has none of it has no entry here.

use super::Server;
use super::session::Session;
use crate::ftp::{Command, Verb};
use crate::id::ConnId;
use crate::time::{Duration, Instant};

/// The place of a connection without an entry.
pub(super) const NO_SIDE: u32 = u32::MAX;

/// The data connection of a session.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum DataState {
    /// Nobody has spoken of one.
    None,
    /// PORT has named the client's address.
    Given,
    /// PASV: the server listens.
    Listening,
    /// The server connects.
    Connecting,
    /// It is there.
    Open,
}

/// How many commands a session in a transfer keeps for later. No sane client sends more than ABOR and perhaps one besides.
const KEPT: usize = 2;

/// The entry of one connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct Side {
    /// The data connection.
    pub data: DataState,
    /// Did PASV bring it about?
    pub passive: bool,
    /// The command that has the data connection or waits for it.
    pub verb: Verb,
    /// Has that command been answered early?
    pub told: bool,
    /// What came during a transfer, oldest first.
    kept: [Option<Command>; KEPT],
    /// Since when the data connection is waited for.
    pub since: Instant,
    /// When the transfer under way began; never, if none is.
    pub began: Instant,
    /// Since when it makes no progress; never, if it makes some.
    pub slow_since: Instant,
    /// Since when the end of an unfinished line is waited for; never, if there is none.
    pub line_since: Instant,
    /// The idle timer that the client has set; zero if it has not.
    pub idle: Duration,
    /// What makes the server reluctant to read, at `hammered`.
    pub hammer: f64,
    pub hammered: Instant,
}

impl Side {
    const EMPTY: Self = Self {
        data: DataState::None,
        passive: false,
        verb: Verb::Other,
        told: false,
        kept: [None; KEPT],
        since: Instant::ZERO,
        began: Instant::NEVER,
        slow_since: Instant::NEVER,
        line_since: Instant::NEVER,
        idle: Duration::ZERO,
        hammer: 0.0,
        hammered: Instant::ZERO,
    };

    /// Is nothing remembered here any more?
    fn is_empty(&self) -> bool {
        self.data == DataState::None
            && self.kept[0].is_none()
            && self.line_since.is_never()
            && self.idle.is_zero()
            && self.hammer <= 0.0
    }

    /// Does the data connection take a socket?
    pub(super) fn holds_socket(&self) -> bool {
        matches!(self.data, DataState::Listening | DataState::Connecting | DataState::Open)
    }

    /// Keeps a command for later. There is room for two; QUIT takes the place of the last, anything else is dropped.
    fn keep(&mut self, command: Command) {
        match self.kept.iter_mut().find(|place| place.is_none()) {
            Some(place) => *place = Some(command),
            None if command.verb == Verb::Quit => self.kept[KEPT - 1] = Some(command),
            None => {}
        }
    }

    fn take_kept(&mut self) -> Option<Command> {
        let first = self.kept[0].take();
        self.kept.rotate_left(1);
        first
    }
}

/// All entries, in reused places.
#[derive(Clone, Debug, Default)]
pub(super) struct Sides {
    table: Vec<Side>,
    free: Vec<u32>,
}

impl Sides {
    pub(super) fn get(&self, place: u32) -> Option<&Side> {
        if place == NO_SIDE { None } else { self.table.get(place as usize) }
    }

    pub(super) fn get_mut(&mut self, place: u32) -> Option<&mut Side> {
        if place == NO_SIDE { None } else { self.table.get_mut(place as usize) }
    }

    fn take(&mut self) -> u32 {
        if let Some(place) = self.free.pop() {
            self.table[place as usize] = Side::EMPTY;
            place
        } else {
            self.table.push(Side::EMPTY);
            self.table.len() as u32 - 1
        }
    }
}

impl Server {
    /// The entry of `conn`, if it has one.
    pub(super) fn side(&self, conn: ConnId) -> Option<&Side> {
        self.sides.get(self.sessions[conn.slot()].side)
    }

    /// The entry of `conn`, if it has one.
    pub(super) fn side_of(&mut self, conn: ConnId) -> Option<&mut Side> {
        self.sides.get_mut(self.sessions[conn.slot()].side)
    }

    /// The entry of `conn`, from now on.
    pub(super) fn side_mut(&mut self, conn: ConnId) -> &mut Side {
        let session: &mut Session = &mut self.sessions[conn.slot()];
        if session.side == NO_SIDE {
            session.side = self.sides.take();
        }
        &mut self.sides.table[session.side as usize]
    }

    /// Gives the entry of `conn` back if nothing is remembered in it.
    pub(super) fn tidy_side(&mut self, conn: ConnId) {
        if self.side(conn).is_some_and(Side::is_empty) {
            self.forget_side(conn);
        }
    }

    /// Gives the entry of `conn` back.
    pub(super) fn forget_side(&mut self, conn: ConnId) {
        let side = std::mem::replace(&mut self.sessions[conn.slot()].side, NO_SIDE);
        if side != NO_SIDE {
            self.sides.free.push(side);
        }
    }

    /// Keeps a command that came in a transfer until that is over.
    pub(super) fn keep(&mut self, conn: ConnId, command: Command) {
        self.side_mut(conn).keep(command);
    }

    /// The oldest command that was kept.
    pub(super) fn take_kept(&mut self, conn: ConnId) -> Option<Command> {
        self.side_of(conn).and_then(Side::take_kept)
    }
}
