//! Commands: a verb and an argument (RFC 959 section 4.1, RFC 2428, RFC 3659, RFC 4217).
//!
//! It does not hold the argument's text: only strings of the scenario are interned, and every other argument is
//! [`ArgId::OTHER`], so that a hostile peer cannot make anybody remember anything.

/// An interned argument.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ArgId(pub u16);

impl ArgId {
    /// No argument.
    pub const NONE: Self = Self(0);
    /// The password that belongs to the user. Its text is never interned: whoever reads the line compares it.
    pub const RIGHT_PASSWORD: Self = Self(1);
    /// The user `anonymous`.
    pub const ANONYMOUS: Self = Self(2);
    /// The binary type of TYPE. Above all numbers that a scenario's strings get.
    pub const IMAGE: Self = Self(u16::MAX - 2);
    /// The text type of TYPE.
    pub const ASCII: Self = Self(u16::MAX - 1);
    /// A text that the scenario does not know.
    pub const OTHER: Self = Self(u16::MAX);

    /// The text of an argument that needs no scenario to be known.
    pub const fn fixed(self) -> Option<&'static str> {
        match self {
            Self::IMAGE => Some("I"),
            Self::ASCII => Some("A"),
            _ => None,
        }
    }
}

/// One command of the control connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Command {
    /// What to do.
    pub verb: Verb,
    /// To what.
    pub arg: ArgId,
}

const _: () = assert!(size_of::<Command>() == 4);

impl Command {
    /// A command without an argument.
    pub const fn bare(verb: Verb) -> Self {
        Self { verb, arg: ArgId::NONE }
    }
}

/// What a command asks for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[repr(u8)]
pub enum Verb {
    /// Name the user (RFC 959).
    User,
    /// Give the password (RFC 959).
    Pass,
    /// Change the working directory (RFC 959).
    Cwd,
    /// Print the working directory (RFC 959).
    Pwd,
    /// Let the server listen for the data connection (RFC 959).
    Pasv,
    /// Let the server open the data connection (RFC 959).
    Port,
    /// List a directory (RFC 959).
    List,
    /// Fetch a file (RFC 959).
    Retr,
    /// Store a file (RFC 959).
    Stor,
    /// End the transfer (RFC 959).
    Abor,
    /// Set the idle timer; the argument's number is the seconds.
    SiteIdle,
    /// Do nothing (RFC 959).
    Noop,
    /// Log out (RFC 959).
    Quit,
    /// A verb that the server does not know.
    Other,
    /// Set the representation of data: [`ArgId::IMAGE`] or [`ArgId::ASCII`] (RFC 959).
    Type,
    /// Ask for the size of a file (RFC 3659).
    Size,
    /// Begin the next transfer behind so many bytes (RFC 3659).
    Rest,
    /// List the names in a directory (RFC 959).
    Nlst,
    /// List a directory for programs (RFC 3659).
    Mlsd,
    /// Begin TLS; it stands for `AUTH TLS`, whose argument is never another (RFC 4217).
    Auth,
    /// Set the size of protected blocks, which TLS has no use for: `PBSZ 0` (RFC 2228, RFC 4217).
    Pbsz,
    /// Protect the data connections, too: `PROT P`, and with any other argument than [`ArgId::NONE`] not to (RFC 2228).
    Prot,
    /// A command that the driver answers in its own words. The machine says when, and obeys it as any other of a logged-in client.
    Told,
    /// The same of anybody, logged in or not.
    ToldAnybody,
    /// A transfer that cannot begin, since there is no such file: the driver says so in its own words.
    Refused,
    /// Log out, and begin anew (RFC 959).
    Rein,
}

impl Verb {
    /// The verb as it is written on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::User => "USER",
            Self::Pass => "PASS",
            Self::Cwd => "CWD",
            Self::Pwd => "PWD",
            Self::Pasv => "PASV",
            Self::Port => "PORT",
            Self::List => "LIST",
            Self::Retr | Self::Refused => "RETR",
            Self::Stor => "STOR",
            Self::Abor => "ABOR",
            Self::SiteIdle => "SITE IDLE",
            Self::Noop => "NOOP",
            Self::Quit => "QUIT",
            Self::Other | Self::Told | Self::ToldAnybody => "XYZZY",
            Self::Type => "TYPE",
            Self::Size => "SIZE",
            Self::Rest => "REST",
            Self::Nlst => "NLST",
            Self::Mlsd => "MLSD",
            Self::Auth => "AUTH TLS",
            Self::Pbsz => "PBSZ 0",
            Self::Prot => "PROT P",
            Self::Rein => "REIN",
        }
    }

    /// The verb alone.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Auth => "AUTH",
            Self::Pbsz => "PBSZ",
            Self::Prot => "PROT",
            other => other.name(),
        }
    }

    /// Does it move data over a data connection?
    pub const fn is_transfer(self) -> bool {
        self.is_listing() || matches!(self, Self::Retr | Self::Stor)
    }

    /// Is what it moves the content of a directory?
    pub const fn is_listing(self) -> bool {
        matches!(self, Self::List | Self::Nlst | Self::Mlsd)
    }

    /// Is it about the protection of the connection (RFC 2228)?
    pub const fn is_security(self) -> bool {
        matches!(self, Self::Auth | Self::Pbsz | Self::Prot)
    }

    /// Is it one of the commands that only keep a session alive? Pure-FTPd counts these (`antiidle` in `ftp_parser.c`); SIZE is not
    /// among them.
    pub const fn is_keep_alive(self) -> bool {
        matches!(self, Self::Noop | Self::Pwd | Self::Cwd | Self::Type | Self::Rest)
    }
}
