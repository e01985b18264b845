//! Commands: a verb and an argument (RFC 959 section 4.1, RFC 2428, RFC 3659).
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
    /// A text that the scenario does not know.
    pub const OTHER: Self = Self(u16::MAX);
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
            Self::Retr => "RETR",
            Self::Stor => "STOR",
            Self::Abor => "ABOR",
            Self::SiteIdle => "SITE IDLE",
            Self::Noop => "NOOP",
            Self::Quit => "QUIT",
            Self::Other => "XYZZY",
        }
    }

    /// Does it move data over a data connection?
    pub const fn is_transfer(self) -> bool {
        matches!(self, Self::List | Self::Retr | Self::Stor)
    }

    /// Is it one of the commands that only keep a session alive? Pure-FTPd counts these (`antiidle` in `ftp_parser.c`).
    pub const fn is_keep_alive(self) -> bool {
        matches!(self, Self::Noop | Self::Pwd | Self::Cwd)
    }
}
