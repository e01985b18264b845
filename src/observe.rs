//! The one vocabulary of measurement, for every world: what may happen, and by which words it is told.
//!
//! It counts nothing. The machines utter [`Observation`]s; `metrics` adds them up.

use crate::id::PopulationId;
use crate::time::{Duration, Instant};

/// Declares a plain enum with the one spelling of each value that files, reports and scenarios use.
macro_rules! words {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, serde::Serialize, serde::Deserialize)]
        #[repr(u8)]
        pub enum $name { $($(#[$doc])* #[serde(rename = $word)] $variant),+ }

        impl $name {
            /// Every value, in the order in which reports list them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];
            /// How many values there are.
            pub const COUNT: usize = Self::ALL.len();

            /// The word for it in files and reports.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }

            /// The value that `word` names.
            pub fn from_name(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|v| v.name() == word)
            }

            /// Its place in [`Self::ALL`].
            pub const fn index(self) -> usize {
                self as usize
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.name())
            }
        }
    };
}

words! {
    /// Why a client was turned away or cut off. 421 is one code; these are its reasons.
    Cause {
        /// The server's limit on all clients.
        MaxClients = "max_clients",
        /// The limit on one source address.
        MaxPerIp = "max_per_ip",
        /// The limit on one account.
        MaxPerUser = "max_per_user",
        /// Too many connects within a time.
        RateLimit = "rate_limit",
        /// The source address is banned.
        Banned = "banned",
        /// Not logged in within the time allowed.
        LoginTimeout = "login_timeout",
        /// No command for too long.
        IdleTimeout = "idle_timeout",
        /// Nothing but keep-alive commands for too long.
        NoopIdleTimeout = "noop_idle_timeout",
        /// No transfer for too long.
        NoTransferTimeout = "no_transfer_timeout",
        /// The session as a whole took too long.
        SessionTimeout = "session_timeout",
        /// A transfer made no progress.
        StalledTransfer = "stalled_transfer",
        /// The data connection never came.
        DataConnectTimeout = "data_connect_timeout",
        /// Too many wrong passwords in one session.
        LoginAttempts = "login_attempts",
        /// The server is going down.
        ShuttingDown = "shutting_down",
        /// The server's load is too high.
        Overload = "overload",
        /// Out of descriptors, memory, processes or disk.
        ResourceExhausted = "resource_exhausted",
        /// The server failed.
        CriticalError = "critical_error",
        /// TCP: nobody listens.
        ConnectionRefused = "connection_refused",
        /// TCP: the handshake or the greeting never came.
        ConnectTimeout = "connect_timeout",
        /// TCP: the connection was reset.
        Reset = "reset",
        /// TCP: closed without a word and without a known reason.
        SilentClose = "silent_close",
    }
}

words! {
    /// Where the dialogue stood: by the last completed reply, or by the command that the refusal answers.
    Phase {
        /// Nothing had been sent.
        Accept = "accept",
        /// Instead of the 220.
        Greeting = "greeting",
        /// After the 220, before USER was answered.
        PreLogin = "pre_login",
        /// Answering USER, or waiting for PASS.
        User = "user",
        /// Answering PASS, or after a wrong password.
        Pass = "pass",
        /// Logged in.
        Session = "session",
        /// In a transfer.
        Transfer = "transfer",
    }
}

impl Phase {
    /// Had the client logged in?
    pub const fn is_logged_in(self) -> bool {
        matches!(self, Self::Session | Self::Transfer)
    }
}

words! {
    /// How a server ends the TCP connection of a refusal.
    CloseHow {
        /// An orderly end.
        Fin = "fin",
        /// An orderly end, then a reset if the client had sent something that was never read.
        FinThenRst = "fin_then_rst",
        /// A bare reset if the client had sent something that was never read, else an orderly end.
        RstIfUnread = "rst_if_unread",
        /// A bare reset.
        Rst = "rst",
        /// Not at all: the session stays usable.
        None = "none",
    }
}

words! {
    /// What became of an attempt. Every attempt has exactly one.
    Class {
        /// It was logged in.
        Admitted = "admitted",
        /// The server ended it before login, for a reason other than the password.
        TurnedAway = "turned_away",
        /// It ended for wrong passwords.
        LoginFailed = "login_failed",
        /// The network or a dead server ended it before login.
        NetworkFailed = "network_failed",
        /// Its user gave up before login.
        Abandoned = "abandoned",
    }
}

words! {
    /// How an admitted session ended.
    SessionEnd {
        /// The script was done.
        Completed = "completed",
        /// The server ended it.
        Cut = "cut",
        /// The network ended it.
        Lost = "lost",
        /// Its client vanished without a word.
        Vanished = "vanished",
    }
}

words! {
    /// A length of time that is recorded in a histogram.
    Latency {
        /// From the SYN to the established connection.
        Connect = "connect",
        /// From the established connection to the 220.
        Greeting = "greeting",
        /// From USER to the 230; under TLS from the first command that secures the session.
        Login = "login",
        /// From a command to its completion reply, transfers aside.
        Command = "command",
        /// From the command of a transfer to its completion reply.
        Transfer = "transfer",
        /// From the first intended attempt of a wanted session to its 230.
        TimeToService = "time_to_service",
    }
}

words! {
    /// How a fact of a profile, of a server or of a client, is known.
    Provenance {
        /// Seen: on the wire of the running program.
        Measured = "measured",
        /// Read in the program's source code.
        Source = "source",
        /// Said by the program's documentation.
        Documentation = "documentation",
        /// Our own choice: no real program stands behind it.
        Ours = "ours",
    }
}

/// A refusal as its victim met it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub struct Refusal {
    /// Why.
    pub cause: Cause,
    /// Where the dialogue stood.
    pub phase: Phase,
    /// The reply's code, 0 for none.
    pub code: u16,
}

/// Something that happened and is worth a number.
#[derive(Clone, Copy, PartialEq, Debug, serde::Serialize, serde::Deserialize)]
pub enum Observation {
    /// A user came for a session: the first intended start.
    Wanted(PopulationId),
    /// An attempt began. `first` if it is the first of its wanted session.
    AttemptStarted {
        /// Whose.
        population: PopulationId,
        /// The first attempt of its wanted session?
        first: bool,
        /// A reconnect of a session that had been served already?
        reconnect: bool,
    },
    /// An attempt came to its class.
    AttemptEnded {
        /// Whose.
        population: PopulationId,
        /// The first attempt of its wanted session?
        first: bool,
        /// A reconnect of a session that had been served already?
        reconnect: bool,
        /// When it began.
        started: Instant,
        /// What became of it.
        class: Class,
        /// The refusal that ended it, unless it was admitted or abandoned.
        refusal: Option<Refusal>,
    },
    /// An admitted session ended.
    SessionEnded {
        /// Whose.
        population: PopulationId,
        /// How.
        end: SessionEnd,
        /// The refusal that ended it, if the server or the network did.
        refusal: Option<Refusal>,
    },
    /// A wanted session was served for the first time.
    Served {
        /// Whose.
        population: PopulationId,
        /// When its user first wanted it.
        wanted_at: Instant,
    },
    /// A wanted session ended without ever being served: its user will not try again.
    Unserved {
        /// Whose.
        population: PopulationId,
        /// When its user first wanted it.
        wanted_at: Instant,
    },
    /// A length of time was measured.
    Took(Latency, Duration),
    /// File bytes were moved.
    Moved {
        /// How many.
        bytes: u64,
    },
    /// The server accepted a connection.
    ConnectionOpened,
    /// A connection ended.
    ConnectionClosed {
        /// When it was accepted.
        opened: Instant,
    },
    /// A client logged in.
    SessionOpened,
    /// A logged-in session ended.
    SessionClosed {
        /// When it logged in.
        opened: Instant,
    },
    /// The server refused a connection, cut it, or sent a refusal that leaves it open.
    Refused {
        /// Why, where and by which code.
        refusal: Refusal,
        /// The place in the server's check order, for a limit; otherwise `None`.
        check: Option<u8>,
    },
    /// The slot of a connection became free: `held` is how long it was taken.
    SlotFreed {
        /// From accept to release.
        held: Duration,
        /// Had it been logged in? It may have been cut later.
        admitted: bool,
    },
    /// A transfer ended without its bytes, and the session went on: by a reply in the place of the 226, or before its command was
    /// sent, because no data connection could be opened.
    TransferFailed {
        /// Why, if the server said it as a refusal.
        cause: Option<Cause>,
        /// The reply's code; 0: there was no data connection.
        code: u16,
    },
    /// The client of an open connection vanished without a word: its slot is held by a ghost from now on.
    GhostBegan,
    /// The server closed the connection of a ghost.
    GhostEnded {
        /// Why.
        cause: Option<Cause>,
    },
    /// An address was banned.
    BanBegan {
        /// When the ban runs out. No ban runs out before one that began earlier.
        until: Instant,
    },
}
