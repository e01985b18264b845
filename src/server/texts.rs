//! Reply texts with their placeholders filled in.
//!
//! It is for eyes and wires; no decision depends on a text.

use std::fmt::{self, Write as _};

use super::policy::ReplyEntry;
use crate::ftp::wire;

/// What the placeholders of a text stand for.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// `{ip}`: the client's address.
    pub ip: &'a str,
    /// `{cwd}`: where it is. Between quotes, a quote in it is two (RFC 959, appendix II).
    pub cwd: &'a str,
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
        let text = filled(&self.text, |name, into| match name {
            "n" | "secs" => write!(into, "{}", self.value),
            "bytes" => write!(into, "{}", context.bytes),
            "k" => write!(into, "{}", context.connections),
            "ip" => into.write_str(context.ip),
            "cwd" => into.write_str(context.cwd),
            "user" => into.write_str(context.user),
            "verb" => into.write_str(context.verb),
            "path" => into.write_str(context.path),
            _ => Err(fmt::Error),
        });
        wire(self.code, &text)
    }
}

/// `text` with what `fill` writes for the name in each pair of braces; where it knows none, the braces stay. What was filled in is not
/// looked at again: a client's name cannot hold a placeholder.
pub fn filled(text: &str, mut fill: impl FnMut(&str, &mut String) -> fmt::Result) -> String {
    let mut told = String::with_capacity(text.len() + 16);
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        told.push_str(before);
        let kept = told.len();
        rest = match after.split_once('}') {
            Some((name, behind)) if fill(name, &mut told).is_ok() => behind,
            _ => {
                told.truncate(kept);
                told.push('{');
                after
            }
        };
    }
    told.push_str(rest);
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_filled_in_is_not_filled_in_again() {
        let told = |text: &str| {
            filled(
                text,
                |name, into| if name == "path" { into.write_str("{path}{k}") } else { Err(fmt::Error) },
            )
        };
        assert_eq!(told("a {path}, {path"), "a {path}{k}, {path");
        assert_eq!(told("{}{what}{{path}"), "{}{what}{{path}{k}");
        assert_eq!(told("none"), "none");
    }
}
