//! What the texts of a server say to the clients of one population: computed once, looked up for each reply.
//!
//! It reads nothing itself: [`Reading`] does. Placeholders stand for something likely, since no pattern hangs on a number.

use crate::client::{Behaviour, Reading};
use crate::id::ServerId;
use crate::server::{Context, Policy, ReplyEntry, ReplyId};

/// The words of each reply, by its server and its number. Empty for the many who read nothing but codes.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Words(Box<[Box<[u8]>]>);

impl Words {
    /// What the replies of servers with these policies say to clients that behave so.
    pub(super) fn new<'p>(behaviour: &Behaviour, policies: impl Iterator<Item = &'p Policy>) -> Self {
        if behaviour.reading == Reading::default() && !behaviour.heeds_120 {
            return Self::default();
        }
        let words =
            |policy: &Policy| policy.table.entries().iter().map(|reply| read(behaviour, reply)).collect();
        Self(policies.map(words).collect())
    }

    /// What `reply` of `server`, which is `entry`, says to clients that behave so. A 120 that was added in the course of the run, with the
    /// minutes that were left, is read as it comes.
    pub(super) fn of(
        &self,
        server: ServerId,
        reply: ReplyId,
        entry: &ReplyEntry,
        behaviour: &Behaviour,
    ) -> u8 {
        let Some(replies) = self.0.get(usize::from(server.0)) else { return 0 };
        replies.get(usize::from(reply.0)).copied().unwrap_or_else(|| read(behaviour, entry))
    }
}

/// What clients that behave so read in `reply`.
fn read(behaviour: &Behaviour, reply: &ReplyEntry) -> u8 {
    let likely = Context {
        ip: "192.0.2.1",
        cwd: "/",
        user: "user",
        verb: "RETR",
        path: "/file",
        bytes: 1_024,
        connections: 1,
    };
    let line = reply.lines(&likely).join("\n");
    behaviour.reading.words(reply.code, line.get(4..).unwrap_or_default())
}
