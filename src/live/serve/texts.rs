//! Replies as bytes: the texts of the policy with their placeholders, the real address in the answer to PASV, and the answers to
//! commands that the machine does not know.
//!
//! It does not send them.

use std::net::{IpAddr, SocketAddr};

use super::conns::Client;
use super::store::Refused;
use crate::server::{Context, ReplyEntry};

/// `entry` as it goes over the wire to `client` at `ip`, while the server has so many connections.
pub(super) fn reply(entry: &ReplyEntry, client: &Client, ip: IpAddr, connections: u32) -> Vec<u8> {
    let ip = ip.to_string();
    let lines = entry.lines(&Context {
        ip: &ip,
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

/// The answer to a command that the files refuse (RFC 959, section 4.2.2).
pub(super) fn refused(why: Refused) -> String {
    let (code, text) = match why {
        Refused::Missing => (550, "No such file or directory."),
        Refused::IsFolder => (550, "Is a directory."),
        Refused::IsFile => (550, "Not a directory."),
        Refused::Exists => (550, "File exists."),
        Refused::NotEmpty => (550, "Directory not empty."),
        Refused::ReadOnly => (550, "Permission denied."),
        Refused::Full => (452, "Insufficient storage space in system."),
        Refused::BadName => (553, "File name not allowed."),
        Refused::PastEnd => (554, "Restart point is behind the end of the file."),
        Refused::Broken => (451, "Local error in processing."),
    };
    format!("{code} {text}\r\n")
}

/// The answer to EPSV (RFC 2428), or that to PASV: the profile's text with the real address in the place of its numbers.
pub(super) fn passive(text: &str, at: SocketAddr, extended: bool) -> Vec<u8> {
    let (IpAddr::V4(ip), false) = (at.ip(), extended) else {
        return format!("229 Entering Extended Passive Mode (|||{}|)\r\n", at.port()).into_bytes();
    };
    let ([a, b, c, d], [high, low]) = (ip.octets(), at.port().to_be_bytes());
    let numbers = format!("{a},{b},{c},{d},{high},{low}");
    let text = match numbers_in(text) {
        Some((before, behind)) => format!("{before}{numbers}{behind}"),
        None => format!("Entering Passive Mode ({numbers})."),
    };
    format!("227 {text}\r\n").into_bytes()
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
        let told = |text, at: &str, extended| {
            String::from_utf8(passive(text, at.parse().unwrap(), extended)).unwrap()
        };
        let text = "Entering passive mode (127,0,0,1,195,80), dear.";
        assert_eq!(
            told(text, "127.0.0.9:2000", false),
            "227 Entering passive mode (127,0,0,9,7,208), dear.\r\n"
        );
        assert_eq!(
            told("Here.", "127.0.0.9:2000", false),
            "227 Entering Passive Mode (127,0,0,9,7,208).\r\n"
        );
        assert_eq!(told(text, "[::1]:2000", true), "229 Entering Extended Passive Mode (|||2000|)\r\n");
    }
}
