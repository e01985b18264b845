//! Wire faults: what goes wrong between a server that is well and its client, at which use of which command.
//!
//! It only says so. The text of a rule is `WHERE WHAT`, such as `RETR#2 reset after 64KiB`; the served model plays it on real
//! sockets. No fault here is one of the server: those are on the timeline.

mod parse;
mod words;

use std::net::IpAddr;

use crate::time::Duration;

/// The most rules of one server.
pub const MOST: usize = 1_000;

/// One rule: where, and what happens there.
#[derive(Clone, PartialEq, Debug)]
pub struct Rule {
    /// As it was written.
    pub text: String,
    /// At which command.
    pub at: Place,
    /// At which of its uses.
    pub when: When,
    /// Whose; `None`: everybody's.
    pub from: Option<IpAddr>,
    /// What happens to the command's first reply and to its data connection, all of it.
    pub faults: Vec<Fault>,
    /// What happens to the reply that ends its transfer.
    pub last: Vec<Fault>,
}

/// A command, or what is like one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Place {
    /// The greeting, or the refusal in its place.
    Greeting,
    /// Any command.
    Any,
    /// PASV or EPSV.
    Passive,
    /// PORT or EPRT.
    Active,
    /// Any command that moves data.
    Transfer,
    /// This one, in capitals.
    Verb(String),
}

/// At which uses of a command something happens. Each rule counts the uses that it concerns from 1, from its own beginning on.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum When {
    /// At each.
    Always,
    /// From the `first` to the `last`.
    Uses {
        /// The first one.
        first: u64,
        /// The last one.
        last: u64,
        /// Does each session count for itself?
        each: bool,
    },
    /// At each with this probability, which the seed decides.
    Chance(f64),
}

/// What happens.
#[derive(Clone, PartialEq, Debug)]
pub enum Fault {
    // ---- to a reply --------------------------------------------------------------------------------------------
    /// It comes so much later, and all behind it too.
    Delay(Duration),
    /// Its bytes come at this rate, bytes per second.
    Drip(u64),
    /// It comes in TCP segments of so many bytes.
    Split(u32),
    /// Another one comes in its place. From 400 on, the server does not carry the command out, either.
    Reply {
        /// Its code.
        code: u16,
        /// Its text.
        text: String,
    },
    /// So many bytes of it come, and nothing ever after.
    Partial(u32),
    /// It comes without its line end.
    NoNewline,
    /// Its lines end with LF alone.
    LineFeed,
    /// A line of a reply of several lines comes at this pace, and its last one never.
    Endless(Duration),
    /// It comes twice.
    Twice,
    /// None of the command's replies comes.
    NoReply,
    /// So many bytes of nonsense and a line end come in its place.
    Garbage(u32),
    /// The connection ends.
    End {
        /// With a reset, and not with a FIN?
        reset: bool,
        /// Behind the reply, and not in its place?
        after: bool,
    },
    // ---- to the way to a data connection -----------------------------------------------------------------------
    /// It is refused: the listener is gone when the client has its address.
    Refuse,
    /// The client's SYN is never answered.
    NoAccept,
    /// The client is told another address, another port, or both.
    WrongAddress {
        /// The address; only PASV says one.
        ip: Option<IpAddr>,
        /// The port.
        port: Option<u16>,
    },
    /// It is never opened to an active client; to a passive one it is never served.
    NoData,
    // ---- to a transfer -----------------------------------------------------------------------------------------
    /// Its bytes come or go at this rate at most, bytes per second.
    Slow(u64),
    /// Something happens behind so many bytes. In a transfer that has fewer nothing does.
    After(u64, Break),
    /// The byte behind so many is wrong.
    Corrupt(u64),
    /// The reply that ends it comes first, and its data so much later.
    Early(Duration),
}

/// What breaks a transfer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Break {
    /// The data connection is reset.
    Reset,
    /// It is closed, and the server says that it failed.
    Close,
    /// It is closed, and the server says that all went well.
    Truncate,
    /// It stands still, for so long or until somebody ends it.
    Stall(Option<Duration>),
}

/// What is wrong with the text of a rule.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WireProblem {
    /// The byte of the text that it is about.
    pub at: usize,
    /// What is wrong, and what is allowed.
    pub why: String,
}

/// The place, from 1, and what is wrong there.
impl std::fmt::Display for WireProblem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "at character {}: {}", self.at + 1, self.why)
    }
}

impl std::error::Error for WireProblem {}

impl Rule {
    /// Does it concern a command that asks for a data connection, and moves nothing itself?
    pub fn opens_data(&self) -> bool {
        match &self.at {
            Place::Passive | Place::Active => true,
            Place::Verb(verb) => words::opens_data(verb),
            _ => false,
        }
    }

    /// Does it concern the command `verb`, in capitals and with its subcommand, if it has one?
    pub fn is_about(&self, verb: &str) -> bool {
        let first = verb.split(' ').next().unwrap_or(verb);
        match &self.at {
            Place::Greeting => false,
            Place::Any => true,
            Place::Passive => words::PASSIVE.contains(&first),
            Place::Active => words::ACTIVE.contains(&first),
            Place::Transfer => words::is_transfer(first),
            Place::Verb(wanted) => wanted == first,
        }
    }
}

impl When {
    /// Does it happen at use number `use_number` of all, and `of_session` of the session? `chance` is the draw, from 0 to 1.
    pub fn is_now(self, use_number: u64, of_session: u64, chance: f64) -> bool {
        match self {
            Self::Always => true,
            Self::Uses { first, last, each } => {
                (first..=last).contains(if each { &of_session } else { &use_number })
            }
            Self::Chance(probability) => chance < probability,
        }
    }
}
