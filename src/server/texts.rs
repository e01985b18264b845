//! Reply texts with their placeholders filled in.
//!
//! It is for eyes and wires; no decision depends on a text.

use super::policy::ReplyEntry;
use crate::ftp::wire;

/// What the placeholders of a text stand for.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// `{ip}`: the client's address.
    pub ip: &'a str,
    /// `{user}`: its account.
    pub user: &'a str,
    /// `{verb}`: the command that is answered.
    pub verb: &'a str,
    /// `{path}`: its argument.
    pub path: &'a str,
    /// `{bytes}`: the size of the transfer.
    pub bytes: u64,
    /// `{k}`: connections at the server just now.
    pub connections: u32,
}

impl ReplyEntry {
    /// The lines on the wire, without their line ends. `{n}` and `{secs}` are the entry's own value.
    pub fn lines(&self, context: &Context<'_>) -> Vec<String> {
        let value = self.value.to_string();
        let text = self
            .text
            .replace("{n}", &value)
            .replace("{secs}", &value)
            .replace("{bytes}", &context.bytes.to_string())
            .replace("{k}", &context.connections.to_string())
            .replace("{ip}", context.ip)
            .replace("{user}", context.user)
            .replace("{verb}", context.verb)
            .replace("{path}", context.path);
        wire(self.code, &text)
    }
}
