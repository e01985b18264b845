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
        let likely = Context {
            ip: "192.0.2.1",
            user: "user",
            verb: "RETR",
            path: "/file",
            bytes: 1_024,
            connections: 1,
        };
        let words = |reply: &ReplyEntry| {
            let line = reply.lines(&likely).join("\n");
            behaviour.reading.words(reply.code, line.get(4..).unwrap_or_default())
        };
        Self(policies.map(|policy| policy.table.entries().iter().map(words).collect()).collect())
    }

    /// What `reply` of `server` says.
    pub(super) fn of(&self, server: ServerId, reply: ReplyId) -> u8 {
        let replies = self.0.get(usize::from(server.0));
        replies.and_then(|replies| replies.get(usize::from(reply.0))).copied().unwrap_or(0)
    }
}
