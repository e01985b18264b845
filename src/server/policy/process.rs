//! What the machine obeys as a process on a host: its listener, what it takes of the host, and how it goes down.
//!
//! It knows nothing of sessions and their dialogue.

use super::super::profile::{InTransfer, Lasting, OnSignal, Profile};
use super::super::{Signal, profile};
use super::{Compiler, Ending, ReplyTable};
use crate::observe::{Cause, CloseHow};
use crate::time::Duration;

/// The process side of a policy.
#[derive(Clone, PartialEq, Debug)]
pub struct Process {
    /// The listen backlog: one more than this may wait; `u32::MAX` is no bound.
    pub backlog: u32,
    /// What the accept loop does for each connection before it takes the next.
    pub accept: Lasting,
    /// How long nothing is accepted after a session's process has ended.
    pub stall_after_exit: Duration,
    /// From the close to the free slot.
    pub release: Lasting,
    /// The same for a connection that was refused by a process of its own.
    pub refused_release: Lasting,
    /// Does one thread do it all?
    pub event_loop: bool,
    /// Kibibytes of memory for each connection.
    pub memory_kib: u32,
    /// Descriptors of the listening process for each connection.
    pub descriptors: u32,
    /// Processes for each connection.
    pub processes: u32,
    /// The host that it runs on.
    pub host: HostSpec,
    /// What a new connection meets that the host has nothing left for.
    pub no_room: Ending,
    /// What a transfer meets for whose data connection no descriptor is left.
    pub no_descriptor: Ending,
    /// What an upload to a full disk meets.
    pub disk_full: Ending,
    /// Does the server die when memory runs out?
    pub crashes: bool,
    /// How it goes down.
    pub down: GoingDown,
}

/// How a server goes down.
#[derive(Clone, PartialEq, Debug)]
pub struct GoingDown {
    /// What a new connection meets once a shutdown was announced; `None`: TCP refuses it.
    pub new: Option<Ending>,
    /// What a live session meets at the deadline.
    pub live: Ending,
    /// Does a session hear of it only as the answer to its next command?
    pub at_next_command: bool,
    /// Are anonymous sessions cut without a word?
    pub anonymous_silently: bool,
    /// What becomes of a session in a transfer.
    pub transfer: InTransfer,
    /// From the announcement to the moment at which the server notices it.
    pub noticed_after: Duration,
    /// Is nobody cut if it was noticed before the deadline?
    pub forgets_deadline: bool,
    /// The greeting of a server that is not ready yet: code and text with `{minutes}`.
    pub not_ready: (u16, String),
    /// What signals do: SIGTERM, SIGHUP, SIGKILL.
    pub signals: [OnSignal; 3],
}

impl GoingDown {
    /// What `signal` does.
    pub const fn on(&self, signal: Signal) -> OnSignal {
        self.signals[signal as usize]
    }
}

/// The host of a server, as a scenario describes it. The default has no bounds and answers at once.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HostSpec {
    /// Processor cores; 0: as many as it takes, so that nothing ever waits for one.
    pub cores: u32,
    /// Does each piece of work take an exponential time around its mean? If not, it always takes its mean.
    pub exponential: bool,
    /// Kibibytes of memory for sessions; `u64::MAX` is no bound.
    pub memory_kib: u64,
    /// Descriptors that the listening process may have; `u32::MAX` is no bound.
    pub descriptors: u32,
    /// Processes; `u32::MAX` is no bound.
    pub processes: u32,
}

impl HostSpec {
    /// No bounds, and every answer at once.
    pub const UNBOUNDED: Self = Self {
        cores: 0,
        exponential: false,
        memory_kib: u64::MAX,
        descriptors: u32::MAX,
        processes: u32::MAX,
    };
}

impl Default for HostSpec {
    fn default() -> Self {
        Self::UNBOUNDED
    }
}

impl Compiler<'_> {
    /// `clients` is the limit on all clients, on which a backlog may depend.
    pub(super) fn process(&mut self, profile: &Profile, host: HostSpec, clients: u64) -> Process {
        let (shutdown, exhausted) = (&profile.shutdown, &profile.exhausted);
        let mut spent = |farewell| self.ending(Cause::ResourceExhausted, farewell, 0);
        Process {
            backlog: backlog(&profile.listener, clients),
            accept: profile.listener.accept,
            stall_after_exit: profile.listener.stall_after_exit.0,
            release: profile.slot.release,
            refused_release: profile.slot.refused_release,
            event_loop: profile.cost.event_loop,
            memory_kib: profile.cost.memory_kib,
            descriptors: profile.cost.descriptors,
            processes: profile.cost.processes,
            host,
            no_room: spent(&exhausted.accept),
            no_descriptor: spent(&exhausted.data),
            disk_full: spent(&exhausted.disk),
            crashes: exhausted.crashes,
            down: GoingDown {
                new: shutdown.new.as_ref().map(|f| self.ending(Cause::ShuttingDown, f, 0)),
                live: match &shutdown.live {
                    Some(f) => self.ending(Cause::ShuttingDown, f, 0),
                    None => Ending::silent(Cause::ShuttingDown, CloseHow::Fin),
                },
                at_next_command: shutdown.live_at_next_command,
                anonymous_silently: shutdown.anonymous_silently,
                transfer: shutdown.transfer,
                noticed_after: shutdown.noticed_after.0,
                forgets_deadline: shutdown.forgets_deadline,
                not_ready: (shutdown.not_ready.code, shutdown.not_ready.text.clone()),
                signals: [shutdown.sigterm, shutdown.sighup, shutdown.sigkill],
            },
        }
    }
}

/// The backlog, which may grow with the limit on clients.
fn backlog(listener: &profile::Listener, clients: u64) -> u32 {
    if listener.backlog == 0 {
        return u32::MAX;
    }
    let more = if listener.clients_each == 0 { 0 } else { clients / u64::from(listener.clients_each) };
    listener.backlog.saturating_add(u32::try_from(more).unwrap_or(u32::MAX))
}

impl ReplyTable {
    /// Adds the greeting of a server that will be ready in `minutes`; `None` if the table is full.
    pub(in crate::server) fn add_not_ready(
        &mut self,
        (code, text): &(u16, String),
        minutes: u64,
    ) -> Option<super::ReplyId> {
        let room = self.len() < usize::from(u16::MAX / 2);
        room.then(|| self.add(*code, &text.replace("{minutes}", &minutes.to_string()), minutes, None))
    }
}
