//! Replies as bytes: the texts of the policy with their placeholders, and the real address in the answer to PASV.
//!
//! It does not send them.

use std::borrow::Cow;
use std::fmt::{self, Write as _};
use std::net::{IpAddr, SocketAddr};

use super::conns::Client;
use crate::server::{Context, ReplyEntry, filled};

/// `entry` as it goes over the wire to `client` at `ip`, while the server has so many connections.
pub(super) fn reply(entry: &ReplyEntry, client: &Client, ip: IpAddr, connections: u32) -> Vec<u8> {
    let ip = ip.to_string();
    let lines = entry.lines(&Context {
        ip: &ip,
        cwd: &quoted(&client.at),
        user: &client.user,
        verb: &client.verb,
        path: &client.path,
        bytes: client.bytes,
        connections,
    });
    let mut bytes = Vec::with_capacity(lines.iter().map(|line| line.len() + 2).sum());
    for line in lines {
        bytes.extend_from_slice(line.as_bytes());
        bytes.extend_from_slice(b"\r\n");
    }
    bytes
}

/// The answer to PASV: the profile's text with the real address in the place of its numbers.
pub(super) fn passive(text: &str, at: SocketAddr) -> Vec<u8> {
    let IpAddr::V4(ip) = at.ip() else { return Vec::new() };
    let ([a, b, c, d], [high, low]) = (ip.octets(), at.port().to_be_bytes());
    let numbers = format!("{a},{b},{c},{d},{high},{low}");
    let text = match numbers_in(text) {
        Some((before, behind)) => format!("{before}{numbers}{behind}"),
        None => format!("Entering Passive Mode ({numbers})."),
    };
    format!("227 {text}\r\n").into_bytes()
}

/// The answer to EPSV (RFC 2428): `text` with the port.
pub(super) fn extended_passive(text: &str, at: SocketAddr) -> Vec<u8> {
    said(text, |name, into| if name == "port" { write!(into, "{}", at.port()) } else { Err(fmt::Error) })
}

/// A whole reply of a profile's words, with its line ends.
pub(super) fn said(text: &str, fill: impl FnMut(&str, &mut String) -> fmt::Result) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len() + 16);
    for line in filled(text, fill).lines().filter(|line| !line.is_empty()) {
        bytes.extend_from_slice(line.as_bytes());
        bytes.extend_from_slice(b"\r\n");
    }
    bytes
}

/// A path as it stands between quotes (RFC 959, appendix II).
pub(super) fn quoted(path: &str) -> Cow<'_, str> {
    if path.contains('"') { Cow::Owned(path.replace('"', "\"\"")) } else { Cow::Borrowed(path) }
}

/// What stands before and behind the six numbers of a text.
fn numbers_in(text: &str) -> Option<(&str, &str)> {
    let is_number = |c: char| c.is_ascii_digit() || c == ',';
    let from = text.find(|c: char| c.is_ascii_digit())?;
    let length = text[from..].find(|c| !is_number(c)).unwrap_or(text.len() - from);
    let numbers = &text[from..from + length];
    (numbers.split(',').count() == 6).then(|| (&text[..from], &text[from + length..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_to_pasv_bears_the_real_address() {
        let told = |text, at: &str| String::from_utf8(passive(text, at.parse().unwrap())).unwrap();
        let text = "Entering passive mode (127,0,0,1,195,80), dear.";
        assert_eq!(told(text, "127.0.0.9:2000"), "227 Entering passive mode (127,0,0,9,7,208), dear.\r\n");
        assert_eq!(told("Here.", "127.0.0.9:2000"), "227 Entering Passive Mode (127,0,0,9,7,208).\r\n");
        let at = "[::1]:2000".parse().unwrap();
        assert_eq!(extended_passive("229 Ready (|||{port}|)", at), b"229 Ready (|||2000|)\r\n");
    }

    #[test]
    fn a_quote_between_quotes_is_two() {
        assert_eq!(quoted("/a\"b"), "/a\"\"b");
    }
}
