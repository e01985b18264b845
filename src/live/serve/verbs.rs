//! A command line as what it asks for.
//!
//! It answers nothing, but for commands that the machine does not model and that clients cannot do without.

use std::net::{IpAddr, SocketAddr};

use crate::ftp::{ArgId, Verb};

/// What a line asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Asked {
    /// Something that the machine knows.
    Verb(Verb),
    /// PASV, or EPSV (`extended`).
    Pasv { extended: bool },
    /// PORT or EPRT: the place to connect to.
    Port(SocketAddr),
    /// REST: the next download begins here.
    Rest(u64),
    /// SIZE of a file.
    Size,
    /// TYPE: binary or text.
    Type(ArgId),
    /// Something that the machine does not know, and that this is the answer to once the client is logged in.
    Told(&'static str),
    /// Something that nobody knows.
    Unknown,
}

const FEATURES: &str =
    "211-Features:\r\n EPRT\r\n EPSV\r\n MLST Type*;Size*;\r\n REST STREAM\r\n SIZE\r\n UTF8\r\n211 End";

/// Takes a line apart: its verb in capitals, and its argument.
pub(super) fn split(line: &str) -> (String, &str) {
    let line = line.trim_start_matches(' ');
    let (verb, argument) = line.split_once(' ').unwrap_or((line, ""));
    let mut verb = verb.to_ascii_uppercase();
    let mut argument = argument.trim_start_matches(' ');
    if verb == "SITE" {
        let (site, rest) = argument.split_once(' ').unwrap_or((argument, ""));
        if site.eq_ignore_ascii_case("IDLE") {
            verb.push_str(" IDLE");
            argument = rest.trim();
        }
    }
    (verb, argument)
}

/// What `verb` with `argument` asks for. `local` is the server's own address: where a client may be told to connect to.
pub(super) fn asked(verb: &str, argument: &str, local: IpAddr) -> Asked {
    const KNOWN: [Verb; 17] = [
        Verb::User,
        Verb::Pass,
        Verb::Cwd,
        Verb::Pwd,
        Verb::Pasv,
        Verb::Port,
        Verb::List,
        Verb::Retr,
        Verb::Stor,
        Verb::Abor,
        Verb::SiteIdle,
        Verb::Noop,
        Verb::Quit,
        Verb::Nlst,
        Verb::Mlsd,
        Verb::Pbsz,
        Verb::Prot,
    ];
    let known = match verb {
        "XCWD" | "CDUP" | "XCUP" => Some(Verb::Cwd),
        "XPWD" => Some(Verb::Pwd),
        "AUTH" => is_tls(argument).then_some(Verb::Auth),
        "APPE" | "STOU" => Some(Verb::Stor),
        _ => KNOWN.into_iter().find(|known| known.word() == verb),
    };
    match (known, verb) {
        (Some(Verb::Pasv), _) if local.is_ipv6() => Asked::Told("425 PASV is for IPv4: use EPSV."),
        (Some(Verb::Pasv), _) => Asked::Pasv { extended: false },
        (Some(Verb::Port), _) => port(argument).map_or(Asked::Told("501 Illegal PORT command."), Asked::Port),
        (Some(Verb::Prot), _) if !argument.trim().eq_ignore_ascii_case("P") => {
            Asked::Told("534 Data connections are private, or there is no TLS.")
        }
        (Some(known), _) => Asked::Verb(known),
        (None, "EPSV") if argument.eq_ignore_ascii_case("ALL") => {
            Asked::Told("200 EPSV ALL command successful.")
        }
        (None, "EPSV") => match (argument, local) {
            ("", _) | ("1", IpAddr::V4(_)) | ("2", IpAddr::V6(_)) => Asked::Pasv { extended: true },
            _ => Asked::Told("522 Network protocol not supported."),
        },
        (None, "EPRT") => {
            extended_port(argument).map_or(Asked::Told("501 Illegal EPRT command."), Asked::Port)
        }
        (None, "REST") => {
            argument.trim().parse().map_or(Asked::Told("501 REST needs a number."), Asked::Rest)
        }
        (None, "SIZE") => Asked::Size,
        (None, "SYST") => Asked::Told("215 UNIX Type: L8"),
        (None, "FEAT") => Asked::Told(FEATURES),
        (None, "TYPE") => match argument.trim().to_ascii_uppercase().as_str() {
            "I" | "L 8" => Asked::Type(ArgId::IMAGE),
            "A" | "A N" => Asked::Type(ArgId::ASCII),
            _ => Asked::Told("504 No such type."),
        },
        (None, "MODE") => Asked::Told("200 Mode set."),
        (None, "STRU") => Asked::Told("200 Structure set."),
        (None, "OPTS") if argument.to_ascii_uppercase().starts_with("UTF8") => Asked::Told("200 UTF8 is on."),
        (None, "ALLO" | "ACCT") => Asked::Told("202 Not needed here."),
        (None, "STAT") => Asked::Told("211 All is well."),
        (None, "HELP") => Asked::Told("214 RFC 959."),
        _ => Asked::Unknown,
    }
}

/// What AUTH may name for TLS: its own name, and what it was called before (RFC 4217).
fn is_tls(argument: &str) -> bool {
    ["TLS", "TLS-C", "SSL"].iter().any(|name| argument.trim().eq_ignore_ascii_case(name))
}

/// `h1,h2,h3,h4,p1,p2` (RFC 959).
fn port(argument: &str) -> Option<SocketAddr> {
    let mut numbers = [0_u8; 6];
    let mut parts = argument.trim().split(',');
    for number in &mut numbers {
        *number = parts.next()?.trim().parse().ok()?;
    }
    let [a, b, c, d, high, low] = numbers;
    parts.next().is_none().then(|| SocketAddr::from(([a, b, c, d], u16::from_be_bytes([high, low]))))
}

/// `|1|192.0.2.1|2000|` or `|2|2001:db8::1|2000|` (RFC 2428).
fn extended_port(argument: &str) -> Option<SocketAddr> {
    let argument = argument.trim();
    let mark = argument.chars().next()?;
    let mut parts = argument.strip_prefix(mark)?.strip_suffix(mark)?.split(mark);
    let (family, address, port) = (parts.next()?, parts.next()?, parts.next()?);
    let address: IpAddr = address.parse().ok()?;
    let fits = matches!((family, address), ("1", IpAddr::V4(_)) | ("2", IpAddr::V6(_)));
    (fits && parts.next().is_none()).then_some(SocketAddr::new(address, port.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCAL: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    fn ask(line: &str) -> Asked {
        let (verb, argument) = split(line);
        asked(&verb, argument, LOCAL)
    }

    #[test]
    fn a_line_is_a_verb_in_capitals_and_the_rest() {
        assert_eq!(split("retr  a file "), ("RETR".to_owned(), "a file "));
        assert_eq!(split("Site Idle 60"), ("SITE IDLE".to_owned(), "60"));
        assert_eq!(split("SITE CHMOD 600 x"), ("SITE".to_owned(), "CHMOD 600 x"));
        assert_eq!(split(""), (String::new(), ""));
    }

    #[test]
    fn verbs_and_their_cousins_are_known() {
        assert_eq!(ask("quit"), Asked::Verb(Verb::Quit));
        assert_eq!(ask("site idle 5"), Asked::Verb(Verb::SiteIdle));
        assert_eq!(ask("NLST -a"), Asked::Verb(Verb::Nlst));
        assert_eq!(ask("auth tls"), Asked::Verb(Verb::Auth));
        assert_eq!(ask("AUTH GSSAPI"), Asked::Unknown);
        assert_eq!(ask("PROT P"), Asked::Verb(Verb::Prot));
        assert!(matches!(ask("PROT C"), Asked::Told(_)));
        assert_eq!(ask("type a"), Asked::Type(ArgId::ASCII));
        assert_eq!(ask("EPSV"), Asked::Pasv { extended: true });
        assert_eq!(ask("EPSV 2"), Asked::Told("522 Network protocol not supported."));
        assert_eq!(ask("REST 100"), Asked::Rest(100));
        assert!(matches!(ask("REST -1"), Asked::Told(_)));
        assert_eq!(ask("XYZZY"), Asked::Unknown);
    }

    #[test]
    fn a_place_to_connect_to_is_read_in_both_forms_and_nothing_else_is() {
        let place = Asked::Port("127.0.0.1:2000".parse().unwrap());
        assert_eq!(ask("PORT 127,0,0,1,7,208"), place);
        assert_eq!(ask("EPRT |1|127.0.0.1|2000|"), place);
        assert_eq!(ask("EPRT !2!::1!2000!"), Asked::Port("[::1]:2000".parse().unwrap()));
        for bad in ["PORT 127,0,0,1,7", "PORT 127,0,0,1,7,208,9", "PORT 127,0,0,256,7,208", "PORT"] {
            assert!(matches!(ask(bad), Asked::Told(_)), "{bad}");
        }
        for bad in
            ["EPRT |2|127.0.0.1|2000|", "EPRT |1|127.0.0.1|70000|", "EPRT", "EPRT |1|127.0.0.1|2000|9|"]
        {
            assert!(matches!(ask(bad), Asked::Told(_)), "{bad}");
        }
    }
}
