//! The connections: one entry for each id that the machine holds, and what TCP, the client and its files have to do with it.
//!
//! It sends nothing.

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::task::Waker;

use super::data::{DataLink, Job};
use super::lines::Lines;
use super::store::Refused;
use super::tamper::{Ills, Piece};
use super::tape::Voice;
use super::verbs::Deed;
use crate::id::{ConnId, ServerId};
use crate::live::Wire;
use crate::observe::CloseHow;
use crate::server::Word;
use crate::time::Instant;
use crate::timer::Timer;

/// The first server of the scenario: the one that is served.
pub(super) const SERVER: ServerId = ServerId(0);

/// A connection as tasks and events name it: one that is over is not taken for the next one with its id.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Key {
    pub(super) slot: u32,
    generation: u32,
}

impl Key {
    pub(super) fn conn(self) -> ConnId {
        ConnId::new(SERVER, self.slot)
    }
}

/// The TCP connection. It outlives the id when there is still something to say.
pub(super) struct Link {
    pub(super) wire: Wire,
    /// Replies whose time has not come, in order.
    pub(super) outbox: VecDeque<(Instant, Piece)>,
    /// Is nothing sent any more (a wire fault)?
    pub(super) mute: bool,
    /// Has a wire fault ended it, and how?
    pub(super) cut: Option<CloseHow>,
    /// Has the client sent something that the server never read?
    pub(super) unread: bool,
    pub(super) tls: Shaking,
    /// What is said on it is recorded, if that is wanted.
    pub(super) voice: Option<Voice>,
}

/// The TLS handshake of a control connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Shaking {
    /// It is complete, or there is none.
    No,
    /// It begins behind the last reply.
    Due,
    /// It is under way.
    Begun,
}

/// One connection.
pub(super) struct Conn {
    generation: u32,
    /// The machine's timer for it. What is left of it in the calendar serves the next owner of the slot.
    pub(super) timer: Timer,
    /// `None`: TCP is over, and the slot is not yet free.
    pub(super) link: Option<Link>,
    /// Who reads it, if he waits.
    pub(super) waker: Option<Waker>,
    pub(super) lines: Lines,
    /// Was it greeted, or refused? Nobody reads what comes before.
    pub(super) greeted: bool,
    pub(super) peer: SocketAddr,
    pub(super) local: IpAddr,
    pub(super) client: Client,
    pub(super) data: Option<DataLink>,
    /// The transfer that was asked for.
    pub(super) job: Option<Job>,
    /// The wire faults that are to hit it, if there are any.
    pub(super) ills: Option<Box<Ills>>,
}

/// What is left to do of a command.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Order {
    /// Its verb, as words are found by it.
    pub(super) verb: String,
    pub(super) does: Does,
}

/// What a command does besides what the machine does.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) enum Does {
    /// Nothing: the machine answers.
    #[default]
    Nothing,
    /// It says that, perhaps about a file that cannot be had.
    Says(Word, Option<Refused>),
    /// It does this, and tells what came of it.
    Deed(Deed),
}

/// What the client has said so far, as far as replies and files depend on it.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(super) struct Client {
    pub(super) user: String,
    /// Its last verb.
    pub(super) verb: String,
    /// The argument of that.
    pub(super) path: String,
    /// Had it none?
    pub(super) bare: bool,
    /// The working directory.
    pub(super) at: String,
    /// The size of its last transfer.
    pub(super) bytes: u64,
    /// What is to be done, or said, when the machine says that its last command is obeyed.
    pub(super) order: Order,
    /// What it wants to rename.
    pub(super) renames: Option<String>,
    /// Has it said EPSV ALL?
    pub(super) only_epsv: bool,
    /// Has it asked for text? Nothing is converted: only replies depend on it.
    pub(super) text: bool,
    /// Did it ask by EPSV?
    pub(super) extended: bool,
    /// Where it wants to be connected to.
    pub(super) port: Option<SocketAddr>,
    /// Where its next download begins.
    pub(super) rest: u64,
    /// The size that it was told of a file.
    pub(super) sized: Option<(String, u64)>,
}

impl Client {
    pub(super) fn new() -> Self {
        Self {
            user: String::new(),
            verb: String::new(),
            path: String::new(),
            bare: true,
            at: "/".to_owned(),
            bytes: 0,
            order: Order::default(),
            renames: None,
            only_epsv: false,
            text: true,
            extended: false,
            port: None,
            rest: 0,
            sized: None,
        }
    }
}

/// All connections, in reused slots.
#[derive(Default)]
pub(super) struct Conns {
    slots: Vec<Option<Conn>>,
    /// The generation and the timer of a slot that is free.
    rests: Vec<(u32, Timer)>,
    free: Vec<u32>,
}

impl Conns {
    /// A new connection.
    pub(super) fn open(&mut self, wire: Wire, peer: SocketAddr, local: IpAddr) -> Key {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(None);
            self.rests.push((0, Timer::OFF));
            self.slots.len() as u32 - 1
        });
        let (generation, timer) = self.rests[slot as usize];
        self.slots[slot as usize] = Some(Conn {
            generation,
            timer,
            link: Some(Link {
                wire,
                outbox: VecDeque::new(),
                mute: false,
                cut: None,
                unread: false,
                tls: Shaking::No,
                voice: None,
            }),
            waker: None,
            lines: Lines::default(),
            greeted: false,
            peer,
            local,
            client: Client::new(),
            data: None,
            job: None,
            ills: None,
        });
        Key { slot, generation }
    }

    /// The connection that `key` names, if it is still there.
    pub(super) fn get(&mut self, key: Key) -> Option<&mut Conn> {
        self.slots.get_mut(key.slot as usize)?.as_mut().filter(|conn| conn.generation == key.generation)
    }

    /// The one that the machine calls `conn`.
    pub(super) fn of(&mut self, conn: ConnId) -> Option<&mut Conn> {
        self.slots.get_mut(conn.slot())?.as_mut()
    }

    /// Its name for tasks and events.
    pub(super) fn key(&self, conn: ConnId) -> Option<Key> {
        let generation = self.slots.get(conn.slot())?.as_ref()?.generation;
        Some(Key { slot: conn.slot() as u32, generation })
    }

    /// The timer of a slot, in use or not.
    pub(super) fn timer(&mut self, slot: u32) -> Option<&mut Timer> {
        match self.slots.get_mut(slot as usize)? {
            Some(conn) => Some(&mut conn.timer),
            None => Some(&mut self.rests[slot as usize].1),
        }
    }

    /// Who waits, looks again.
    pub(super) fn wake_all(&self) {
        self.slots.iter().flatten().filter_map(|conn| conn.waker.as_ref()).for_each(Waker::wake_by_ref);
    }

    /// The machine has given `conn` back.
    pub(super) fn free(&mut self, conn: ConnId) {
        let Some(place) = self.slots.get_mut(conn.slot()) else { return };
        let Some(mut gone) = place.take() else { return };
        gone.timer.disarm();
        self.rests[conn.slot()] = (gone.generation.wrapping_add(1), gone.timer);
        self.free.push(conn.slot() as u32);
        if let Some(waker) = gone.waker {
            waker.wake(); // its reader finds that it is gone
        }
    }
}
