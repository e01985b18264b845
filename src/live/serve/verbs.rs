//! A command line as what it asks for.
//!
//! It answers nothing, and knows neither files nor the words of a reply.

use std::net::{IpAddr, SocketAddr};

use crate::ftp::{ArgId, Command, Verb};
use crate::server::Word;

/// What a line asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Asked {
    /// Something that the machine knows, and answers.
    Machine(Command),
    /// USER or PASS, whose argument only the accounts know.
    Login(Verb),
    /// PASV, or EPSV (`extended`).
    Pasv { extended: bool },
    /// PORT or EPRT: the place to connect to.
    Port(SocketAddr),
    /// A transfer.
    Transfer(Verb),
    /// Something about files, or about what the driver keeps of the client.
    Deed(Deed),
    /// Words of this kind, and nothing else.
    Say(Word),
}

/// What is done when the machine says that a command is obeyed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Deed {
    Cwd,
    Cdup,
    Rest(u64),
    Size,
    Mdtm,
    Mlst,
    Stat,
    Mkd,
    Rmd,
    Dele,
    Rnfr,
    Rnto,
    Chmod,
    /// EPSV ALL.
    OnlyEpsv,
    /// PROT C.
    Clear,
    Rein,
    /// TYPE: binary or text.
    Type(ArgId),
}

impl Deed {
    /// The machine's verb for it; what it has none for, the driver answers alone.
    pub(super) const fn verb(self) -> Option<Command> {
        Some(match self {
            Self::Cwd | Self::Cdup => Command::bare(Verb::Cwd),
            Self::Rest(_) => Command::bare(Verb::Rest),
            Self::Size => Command::bare(Verb::Size),
            Self::Clear => Command { verb: Verb::Prot, arg: ArgId::OTHER },
            Self::Rein => Command::bare(Verb::Rein),
            Self::Type(arg) => Command { verb: Verb::Type, arg },
            _ => return None,
        })
    }
}

/// A line as the server takes it.
#[derive(PartialEq, Eq, Debug)]
pub(super) struct Request<'a> {
    /// The verb in capitals: that of RFC 959 where the client has used its older name, and with the word behind it where that is a verb
    /// of its own (`SITE CHMOD`).
    pub(super) verb: String,
    /// The verb as the client calls it, in capitals.
    pub(super) called: String,
    /// The rest.
    pub(super) argument: &'a str,
}

/// Verbs of two words. Whatever else stands behind SITE and OPTS is told that it is not known there.
const OWN: [&str; 6] = ["SITE IDLE", "SITE HELP", "SITE CHMOD", "OPTS UTF8", "OPTS MLST", "EPSV ALL"];

/// Takes a line apart.
pub(super) fn split(line: &str) -> Request<'_> {
    let line = line.trim_start_matches(' ');
    let (called, argument) = line.split_once(' ').unwrap_or((line, ""));
    let (called, mut argument) = (called.to_ascii_uppercase(), argument.trim_start_matches(' '));
    let mut verb = match called.as_str() {
        "" => "EMPTY",
        "XCWD" => "CWD",
        "XCUP" => "CDUP",
        "XPWD" => "PWD",
        "XMKD" => "MKD",
        "XRMD" => "RMD",
        other => other,
    }
    .to_owned();
    let (second, rest) = argument.split_once(' ').unwrap_or((argument, ""));
    let both = format!("{verb} {}", second.to_ascii_uppercase());
    if OWN.contains(&both.as_str()) {
        (verb, argument) = (both, rest.trim_start_matches(' '));
    }
    Request { verb, called, argument }
}

/// Verbs that mean nothing without an argument.
const NEEDY: [&str; 22] = [
    "USER",
    "CWD",
    "MKD",
    "RMD",
    "DELE",
    "RNFR",
    "RNTO",
    "SIZE",
    "MDTM",
    "RETR",
    "STOR",
    "APPE",
    "REST",
    "TYPE",
    "MODE",
    "STRU",
    "PORT",
    "EPRT",
    "ALLO",
    "OPTS",
    "SITE",
    "SITE CHMOD",
];

/// What `request` asks for. `local` is the server's own address: where a client may be told to connect to.
pub(super) fn asked(request: &Request<'_>, local: IpAddr) -> Asked {
    let argument = request.argument.trim();
    let verb = request.verb.as_str();
    if argument.is_empty() && NEEDY.contains(&verb) {
        return Asked::Say(Word::Bare);
    }
    let machine = |verb| Asked::Machine(Command::bare(verb));
    let letter = argument.to_ascii_uppercase();
    match verb {
        "USER" => Asked::Login(Verb::User),
        "PASS" => Asked::Login(Verb::Pass),
        "QUIT" => machine(Verb::Quit),
        "NOOP" => machine(Verb::Noop),
        "ABOR" => machine(Verb::Abor),
        "PWD" => machine(Verb::Pwd),
        "PBSZ" => machine(Verb::Pbsz),
        "AUTH" if argument.is_empty() || is_tls(argument) => machine(Verb::Auth),
        "PROT" => match letter.as_str() {
            "P" => machine(Verb::Prot),
            "C" => Asked::Deed(Deed::Clear),
            _ => Asked::Say(Word::Wrong),
        },
        "SITE IDLE" => {
            let secs = argument.parse().unwrap_or(u16::MAX);
            Asked::Machine(Command { verb: Verb::SiteIdle, arg: ArgId(secs) })
        }
        "PASV" if local.is_ipv6() => Asked::Say(Word::Wrong),
        "PASV" => Asked::Pasv { extended: false },
        "EPSV" => match (argument, local) {
            ("", _) | ("1", IpAddr::V4(_)) | ("2", IpAddr::V6(_)) => Asked::Pasv { extended: true },
            _ => Asked::Say(Word::Wrong),
        },
        "EPSV ALL" => Asked::Deed(Deed::OnlyEpsv),
        "PORT" => port(argument).map_or(Asked::Say(Word::Wrong), Asked::Port),
        "EPRT" => extended_port(argument).map_or_else(Asked::Say, Asked::Port),
        "LIST" => Asked::Transfer(Verb::List),
        "NLST" => Asked::Transfer(Verb::Nlst),
        "MLSD" => Asked::Transfer(Verb::Mlsd),
        "RETR" => Asked::Transfer(Verb::Retr),
        "STOR" | "APPE" | "STOU" => Asked::Transfer(Verb::Stor),
        "TYPE" => match letter.as_str() {
            "I" | "L 8" | "L8" => Asked::Deed(Deed::Type(ArgId::IMAGE)),
            "A" | "A N" => Asked::Deed(Deed::Type(ArgId::ASCII)),
            _ => Asked::Say(Word::Unsupported),
        },
        "MODE" => Asked::Say(parameter(&letter, "S", &["B", "C"])),
        "STRU" => Asked::Say(parameter(&letter, "F", &["R", "P"])),
        "REST" => argument.parse().map_or(Asked::Say(Word::Wrong), |from| Asked::Deed(Deed::Rest(from))),
        "OPTS UTF8" if letter == "OFF" => Asked::Say(Word::Unsupported),
        "OPTS UTF8" if !matches!(letter.as_str(), "ON" | "") => Asked::Say(Word::Wrong),
        "OPTS" | "SITE" | "AUTH" => Asked::Say(Word::Wrong),
        _ => deed(verb).map_or(Asked::Say(Word::Done), Asked::Deed),
    }
}

/// What `verb` does with files, if it does.
fn deed(verb: &str) -> Option<Deed> {
    Some(match verb {
        "CWD" => Deed::Cwd,
        "CDUP" => Deed::Cdup,
        "SIZE" => Deed::Size,
        "MDTM" => Deed::Mdtm,
        "MLST" => Deed::Mlst,
        "STAT" => Deed::Stat,
        "MKD" => Deed::Mkd,
        "RMD" => Deed::Rmd,
        "DELE" => Deed::Dele,
        "RNFR" => Deed::Rnfr,
        "RNTO" => Deed::Rnto,
        "SITE CHMOD" => Deed::Chmod,
        "REIN" => Deed::Rein,
        _ => return None,
    })
}

/// What a letter means that has one good value, and others that RFC 959 knows.
fn parameter(letter: &str, good: &str, known: &[&str]) -> Word {
    match letter {
        letter if letter == good => Word::Done,
        letter if known.contains(&letter) => Word::Unsupported,
        _ => Word::Wrong,
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

/// `|1|192.0.2.1|2000|` or `|2|2001:db8::1|2000|` (RFC 2428), or what is wrong with it.
fn extended_port(argument: &str) -> Result<SocketAddr, Word> {
    let mut parts = argument
        .chars()
        .next()
        .and_then(|mark| Some(argument.strip_prefix(mark)?.strip_suffix(mark)?.split(mark)));
    let mut next = || parts.as_mut().and_then(Iterator::next).ok_or(Word::Wrong);
    let (family, address, port) = (next()?, next()?, next()?);
    if !matches!(family, "1" | "2") && family.parse::<u8>().is_ok() {
        return Err(Word::Unsupported);
    }
    let address: IpAddr = address.parse().map_err(|_| Word::Wrong)?;
    let fits = matches!((family, address), ("1", IpAddr::V4(_)) | ("2", IpAddr::V6(_)));
    let port = port.parse().map_err(|_| Word::Wrong)?;
    if fits && next().is_err() { Ok(SocketAddr::new(address, port)) } else { Err(Word::Wrong) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCAL: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    fn ask(line: &str) -> Asked {
        asked(&split(line), LOCAL)
    }

    fn machine(verb: Verb) -> Asked {
        Asked::Machine(Command::bare(verb))
    }

    #[test]
    fn a_line_is_a_verb_in_capitals_and_the_rest() {
        let parts = |line| {
            let Request { verb, called, argument } = split(line);
            (verb, called, argument)
        };
        let owned = |verb: &str, called: &str| (verb.to_owned(), called.to_owned());
        let told = |(verb, called), argument| (verb, called, argument);
        assert_eq!(parts("retr  a file "), told(owned("RETR", "RETR"), "a file "));
        assert_eq!(parts("xmkd a"), told(owned("MKD", "XMKD"), "a"));
        assert_eq!(parts("Site Idle 60"), told(owned("SITE IDLE", "SITE"), "60"));
        assert_eq!(parts("SITE UMASK 022"), told(owned("SITE", "SITE"), "UMASK 022"));
        assert_eq!(parts("opts utf8 on"), told(owned("OPTS UTF8", "OPTS"), "on"));
        assert_eq!(parts(""), told(owned("EMPTY", ""), ""));
    }

    #[test]
    fn verbs_and_their_cousins_are_known() {
        assert_eq!(ask("quit"), machine(Verb::Quit));
        assert_eq!(ask("site idle 5"), Asked::Machine(Command { verb: Verb::SiteIdle, arg: ArgId(5) }));
        assert_eq!(ask("NLST -a"), Asked::Transfer(Verb::Nlst));
        assert_eq!(ask("auth tls"), machine(Verb::Auth));
        assert_eq!(ask("AUTH GSSAPI"), Asked::Say(Word::Wrong));
        assert_eq!(ask("PROT P"), machine(Verb::Prot));
        assert_eq!(ask("PROT C"), Asked::Deed(Deed::Clear));
        assert_eq!(ask("type a"), Asked::Deed(Deed::Type(ArgId::ASCII)));
        assert_eq!(ask("TYPE E"), Asked::Say(Word::Unsupported));
        assert_eq!(ask("EPSV"), Asked::Pasv { extended: true });
        assert_eq!(ask("EPSV 2"), Asked::Say(Word::Wrong));
        assert_eq!(ask("EPSV ALL"), Asked::Deed(Deed::OnlyEpsv));
        assert_eq!(ask("REST 100"), Asked::Deed(Deed::Rest(100)));
        assert_eq!(ask("REST -1"), Asked::Say(Word::Wrong));
        assert_eq!(ask("MODE S"), Asked::Say(Word::Done));
        assert_eq!(ask("MODE C"), Asked::Say(Word::Unsupported));
        assert_eq!(ask("MODE X"), Asked::Say(Word::Wrong));
        assert_eq!(ask("MKD"), Asked::Say(Word::Bare));
        assert_eq!(ask("SYST"), Asked::Say(Word::Done));
    }

    #[test]
    fn a_place_to_connect_to_is_read_in_both_forms_and_nothing_else_is() {
        let place = Asked::Port("127.0.0.1:2000".parse().unwrap());
        assert_eq!(ask("PORT 127,0,0,1,7,208"), place);
        assert_eq!(ask("EPRT |1|127.0.0.1|2000|"), place);
        assert_eq!(ask("EPRT !2!::1!2000!"), Asked::Port("[::1]:2000".parse().unwrap()));
        for bad in ["PORT 127,0,0,1,7", "PORT 127,0,0,1,7,208,9", "PORT 127,0,0,256,7,208", "PORT"] {
            assert!(matches!(ask(bad), Asked::Say(_)), "{bad}");
        }
        for bad in
            ["EPRT |2|127.0.0.1|2000|", "EPRT |1|127.0.0.1|70000|", "EPRT", "EPRT |1|127.0.0.1|2000|9|"]
        {
            assert!(matches!(ask(bad), Asked::Say(_)), "{bad}");
        }
        assert_eq!(ask("EPRT |3|127.0.0.1|2000|"), Asked::Say(Word::Unsupported));
    }
}
