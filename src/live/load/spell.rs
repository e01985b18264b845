//! Spelling: from the machine's commands to lines of the control connection.
//!
//! It decides nothing. The only place that knows a password, and it shows none to anybody but the server.

use std::net::{IpAddr, SocketAddr};

use super::{Accounts, DataForm, Plan};
use crate::ftp::{ArgId, Command, Verb};
use crate::id::UserId;
use crate::live::accounts::{MISTYPED, PASSWORD};

/// What anonymous clients give as their password (RFC 1635).
const MAIL: &str = "ftp421@";

/// Appends `command`, its line end included, to `line`. `user` is the client's account; `listens` is where it waits for the
/// server's data connection, and `over` the server's address.
pub(super) fn spell(
    plan: &Plan,
    command: Command,
    user: ArgId,
    listens: Option<SocketAddr>,
    over: IpAddr,
    line: &mut String,
) {
    let extended = match plan.target.data {
        DataForm::ByFamily => over.is_ipv6(),
        DataForm::Classic => false,
        DataForm::Extended => true,
    };
    let text = plan.scenario.text(command.arg).unwrap_or_default();
    match command.verb {
        Verb::User => put(line, "USER", plan.accounts.of(UserId(user.0), text).0),
        Verb::Pass => {
            let name = plan.scenario.text(user).unwrap_or_default();
            let password = plan.accounts.of(UserId(user.0), name).1;
            put(line, "PASS", password);
            if command.arg != ArgId::RIGHT_PASSWORD {
                line.push_str(MISTYPED);
            }
        }
        Verb::Pasv if extended => line.push_str("EPSV"),
        Verb::Port => {
            let at = listens.unwrap_or(SocketAddr::new(over, 9)); // RFC 863: nothing is ever said there
            line.push_str(&port(at, extended));
        }
        verb => put(line, verb.name(), text),
    }
    line.push_str("\r\n");
}

fn put(line: &mut String, verb: &str, text: &str) {
    line.push_str(verb);
    if !text.is_empty() {
        line.push(' ');
        // A line end in a name would be a command of its own.
        line.extend(text.chars().map(|c| if matches!(c, '\r' | '\n' | '\0') { '?' } else { c }));
    }
}

/// PORT (RFC 959) or EPRT (RFC 2428) for the address `at`.
fn port(at: SocketAddr, extended: bool) -> String {
    match at.ip() {
        IpAddr::V4(ip) if !extended => {
            let ([a, b, c, d], [high, low]) = (ip.octets(), at.port().to_be_bytes());
            format!("PORT {a},{b},{c},{d},{high},{low}")
        }
        ip => format!("EPRT |{}|{ip}|{}|", if ip.is_ipv4() { 1 } else { 2 }, at.port()),
    }
}

impl Accounts {
    /// The name and the password of the scenario's account `user`, which it calls `name`.
    pub(super) fn of<'a>(&'a self, user: UserId, name: &'a str) -> (&'a str, &'a str) {
        let own = self.listed.iter().find(|(listed, _)| listed == name);
        let listed = own.or_else(|| {
            let place = usize::from(user.0.saturating_sub(ArgId::ANONYMOUS.0 + 1));
            let named = user.0 != ArgId::ANONYMOUS.0 && !self.listed.is_empty();
            named.then(|| &self.listed[place % self.listed.len()])
        });
        match listed {
            Some((name, password)) => (name, password),
            None if user.0 == ArgId::ANONYMOUS.0 => (name, MAIL),
            None => (name, PASSWORD),
        }
    }
}

/// The port that a 227 (RFC 959) or a 229 (RFC 2428) names. The address of a 227 is not believed: it is a NAT's mistake more
/// often than not, and no server may send its clients elsewhere.
pub(super) fn passive_port(code: u16, text: &str) -> Option<u16> {
    if code == 229 {
        let inside = text.split_once('(')?.1.split_once(')')?.0;
        let mark = inside.chars().next()?;
        return inside.rsplit(mark).nth(1)?.parse().ok();
    }
    // Some servers leave the brackets out: the first six numbers with commas between them count.
    let numbers = text.split(|c: char| !c.is_ascii_digit() && c != ',');
    let six = numbers.map(|word| word.trim_matches(',')).find(|word| word.split(',').count() == 6)?;
    let mut bytes = six.split(',').map(|number| number.parse::<u8>().ok());
    let (high, low) = (bytes.nth(4)??, bytes.next()??);
    Some(u16::from_be_bytes([high, low]))
}

/// How many bytes will come, if the reply before them says so as `vsftpd` and `ProFTPD` do: `(1234 bytes)`.
pub(super) fn announced(text: &str) -> Option<u64> {
    text.rsplit_once('(')?.1.split_once(" bytes)")?.0.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_that_is_announced_is_read() {
        for (text, size) in [
            ("Opening BINARY mode data connection for /a (b) (1234 bytes).", Some(1_234)),
            ("Opening ASCII mode data connection for file (0 bytes)", Some(0)),
            ("File status okay. About to open data connection.", None),
            ("12.5 kbytes to download", None),
            ("data connection for (99999999999999999999 bytes)", None),
        ] {
            assert_eq!(announced(text), size, "{text}");
        }
    }

    #[test]
    fn the_port_of_a_passive_reply_is_found() {
        for (code, text, port) in [
            (227, "Entering Passive Mode (127,0,0,1,195,149).", Some(50_069)),
            (227, "Entering Passive Mode. 127,0,0,1,4,1", Some(1_025)),
            (227, "Entering Passive Mode (127,0,0,1,195,300).", None),
            (227, "Entering Passive Mode", None),
            (229, "Entering Extended Passive Mode (|||6446|)", Some(6_446)),
            (229, "Extended (!!!70000!)", None),
            (229, "()", None),
        ] {
            assert_eq!(passive_port(code, text), port, "{text}");
        }
    }

    #[test]
    fn a_port_is_spelled_by_family() {
        let at = |text: &str| text.parse().unwrap();
        assert_eq!(port(at("127.0.0.1:50069"), false), "PORT 127,0,0,1,195,149");
        assert_eq!(port(at("127.0.0.1:50069"), true), "EPRT |1|127.0.0.1|50069|");
        assert_eq!(port(at("[::1]:6446"), false), "EPRT |2|::1|6446|");
    }

    #[test]
    fn accounts_are_found_by_name_and_then_in_turn() {
        let listed = |pairs: &[(&str, &str)]| Accounts {
            listed: pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect(),
        };
        let two = listed(&[("ann", "1"), ("bob", "2")]);
        assert_eq!(two.of(UserId(3), "bob"), ("bob", "2"));
        assert_eq!(two.of(UserId(3), "user1"), ("ann", "1"));
        assert_eq!(two.of(UserId(4), "user2"), ("bob", "2"));
        assert_eq!(two.of(UserId(2), "anonymous"), ("anonymous", MAIL));
        assert_eq!(listed(&[]).of(UserId(3), "user1"), ("user1", PASSWORD));
    }
}
