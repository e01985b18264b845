//! The user-PI: what one client does with its control connection, as a state machine without a clock or a socket.
//!
//! It never looks at the server's state: it knows what it has been told.

pub mod actor;
mod dialogue;
mod machine;
pub mod profile;
mod reading;
pub mod retry;
pub mod script;
mod sign;
mod steps;

pub use actor::Actor;
pub use machine::{Client, State};
pub use profile::Profile;
pub use reading::Reading;
pub use retry::{Backoff, Growth, Jitter, RetryPolicy, Rule};
pub use script::{Script, Step};
pub use sign::Sign;

use crate::digest::Digest;
use crate::dist::Dist;
use crate::ftp::{ArgId, Command, Verb};
use crate::id::PopulationId;
use crate::observe::{Cause, Observation};
use crate::rng::{Purpose, Stream, Streams};
use crate::time::{Duration, Instant};

/// What happens to a client.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Input {
    /// Its user wants session number `session` (from 0), whose script begins at step `entry`.
    Start {
        /// Which of the client's sessions.
        session: u32,
        /// Where its script begins.
        entry: u32,
    },
    /// It asked for a turn, and may connect.
    Turn,
    /// The control connection is established.
    Connected,
    /// It could not be established.
    ConnectFailed {
        /// Refused or timed out.
        cause: Cause,
    },
    /// A complete reply was read.
    Reply {
        /// Its code.
        code: u16,
        /// The reason that it refuses something for, told by a simulated server or guessed from the text. It is for the
        /// statistics, and for retry rules that ask for it; no real client knows it.
        cause: Option<Cause>,
        /// What its text says to this population's clients: [`Reading::words`].
        words: u8,
    },
    /// The data connection is established.
    DataOpened,
    /// All bytes of the transfer are through, and the data connection is closed.
    DataDone,
    /// The data connection broke, or could not be established, or its TLS handshake failed.
    DataFailed,
    /// The TLS handshake of the control connection is complete.
    TlsDone,
    /// It failed.
    TlsFailed {
        /// What ended it: a reset, a silent close, or [`Cause::CriticalError`] if the two did not agree.
        cause: Cause,
    },
    /// The server has closed or reset the control connection.
    Closed {
        /// The reason, if it is known.
        cause: Option<Cause>,
    },
    /// A firing that was asked for, or any other: timers are hints.
    TimerFired,
}

/// What a client wants done.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Action {
    /// Hand in [`Input::Turn`] when the client's [`Actor`] says so. Only clients with [`Behaviour::parallel`] above one ask. It is
    /// the last action of its batch.
    Ask,
    /// The server said that there are too many connections: tell the client's [`Actor`], if it has one.
    Lower,
    /// Open the control connection.
    Connect,
    /// Send a command over it.
    Send(Command),
    /// Open the data connection for this transfer, or listen for it. A client behind a NAT that lets no data connection through
    /// does not ask for it, and sends the transfer command all the same.
    OpenData {
        /// LIST, NLST, MLSD, RETR or STOR.
        verb: Verb,
        /// Does the client listen, and the server connect (PORT)?
        active: bool,
        /// Does the transfer stop moving half way, for good? The client's own end is to blame.
        stalls: bool,
        /// The bytes that it is to move.
        bytes: u64,
    },
    /// Begin TLS on the control connection, and hand in [`Input::TlsDone`] or [`Input::TlsFailed`]. From then on each data
    /// connection begins with a handshake, too, before its bytes move.
    StartTls,
    /// Close the control connection, if there is one.
    Disconnect,
    /// Leave without closing anything.
    Vanish,
    /// Hand in [`Input::TimerFired`] at `at`.
    Arm {
        /// When.
        at: Instant,
    },
    /// This wanted session is over. The driver may hand in another [`Input::Start`].
    Finish,
    /// Something worth a number has happened.
    Observe(Observation),
}

const _: () = assert!(size_of::<Input>() <= 12 && size_of::<Action>() <= 48);

/// What a client knows of its surroundings: the same for all clients of a population.
#[derive(Clone, Copy, Debug)]
pub struct Env<'a> {
    /// Its population.
    pub population: PopulationId,
    /// How it behaves.
    pub behaviour: &'a Behaviour,
    /// Its random streams.
    pub streams: &'a ClientStreams,
    /// The accounts of its population.
    pub users: &'a [ArgId],
    /// How long it waits for the TCP handshake.
    pub connect_timeout: Duration,
    /// How long it waits for a reply.
    pub reply_timeout: Duration,
}

impl Env<'_> {
    /// The account of client number `index`. The connections of one user are numbered in a row.
    pub fn user(&self, index: u32) -> ArgId {
        self.behaviour.user(self.users, index)
    }
}

/// The random streams of a population's clients.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "each is the stream of the `Purpose` of the same name")]
pub struct ClientStreams {
    pub think: Stream,
    pub size: Stream,
    pub password: Stream,
    pub backoff: Stream,
    pub persistence: Stream,
    pub patience: Stream,
    pub vanish: Stream,
    pub stall: Stream,
    pub no_data: Stream,
}

impl ClientStreams {
    /// The streams of population `population`.
    pub fn new(streams: Streams, population: PopulationId) -> Self {
        let stream = |purpose| streams.stream(purpose, u32::from(population.0));
        Self {
            think: stream(Purpose::Think),
            size: stream(Purpose::Size),
            password: stream(Purpose::Password),
            backoff: stream(Purpose::Backoff),
            persistence: stream(Purpose::Persistence),
            patience: stream(Purpose::Patience),
            vanish: stream(Purpose::Vanish),
            stall: stream(Purpose::Stall),
            no_data: stream(Purpose::NoData),
        }
    }
}

/// How the clients of a population behave.
#[derive(Clone, PartialEq, Debug)]
pub struct Behaviour {
    /// What they do in a session.
    pub script: Script,
    /// After this long without a command of its own, a client sends NOOP; `None`: never.
    pub keepalive: Option<Duration>,
    /// How long a user waits to be served, from the first intended start; `None`: for ever.
    pub patience: Option<Dist>,
    /// The probability that a password is mistyped.
    pub wrong_password: f64,
    /// How often a client tries to log in over one connection before it gives up.
    pub login_tries: u32,
    /// The probability that a client, once logged in, vanishes without closing: a ghost.
    pub vanish: f64,
    /// Does a client whose session is cut or lost come back for the rest of its script?
    pub reconnect: bool,
    /// How often it asks DNS for the server's address.
    pub resolve: Resolve,
    /// What it does after a refusal.
    pub retry: RetryPolicy,
    /// When a row of failures, by which waits grow and attempts are counted, is forgotten.
    pub fresh: Fresh,
    /// What it looks for in texts.
    pub reading: Reading,
    /// A 421 whose words have one of these bits makes the user's program open one connection less.
    pub lowering: u8,
    /// How many control connections of one user there are at once.
    pub parallel: u32,
    /// Does a client that is told 120 wait for the minutes that it says? If not, its reply timeout begins anew.
    pub heeds_120: bool,
    /// Who opens data connections.
    pub data: DataMode,
    /// Is the session under TLS?
    pub tls: Tls,
    /// The probability that a transfer stops moving half way, for good.
    pub stall: f64,
    /// The probability that the data connection of a transfer never comes (NAT).
    pub no_data: f64,
}

/// When a row of failures is forgotten, so that waits begin anew.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Fresh {
    /// At each login.
    #[default]
    Login,
    /// When a step of the script is done: a login that is cut before is one more failure.
    Progress,
}

/// Who opens data connections.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum DataMode {
    /// The client (PASV).
    #[default]
    Passive,
    /// The server (PORT).
    Active,
}

/// Is a session under TLS (RFC 4217), its data connections included?
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Tls {
    /// No.
    #[default]
    None,
    /// By AUTH TLS, PBSZ 0 and PROT P before USER.
    Explicit,
    /// From the first byte on, at a port of its own; PBSZ 0 and PROT P follow before USER.
    Implicit,
}

impl Fresh {
    /// The word for it in profiles and scenarios.
    pub const ALL: [(&'static str, Self); 2] = [("login", Self::Login), ("progress", Self::Progress)];
}

impl DataMode {
    /// The word for it in scenarios.
    pub const ALL: [(&'static str, Self); 2] = [("passive", Self::Passive), ("active", Self::Active)];
}

impl Tls {
    /// The word for it in scenarios.
    pub const ALL: [(&'static str, Self); 3] =
        [("none", Self::None), ("explicit", Self::Explicit), ("implicit", Self::Implicit)];
}

/// How often a client asks DNS for the server's address.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Resolve {
    /// Again when the record's time is up.
    #[default]
    Again,
    /// Once for each session that it wants.
    Once,
}

impl Resolve {
    /// The word for it in scenarios.
    pub const ALL: [(&'static str, Self); 2] = [("again", Self::Again), ("once", Self::Once)];
}

impl Behaviour {
    /// Which of `users` the account of client number `index` is. The connections of one user are numbered in a row.
    pub fn user(&self, users: &[ArgId], index: u32) -> ArgId {
        let user = if self.parallel == 1 { index } else { index / self.parallel };
        users[user as usize % users.len()]
    }
}

impl Default for Behaviour {
    fn default() -> Self {
        Self {
            script: Script::default(),
            keepalive: None,
            patience: None,
            wrong_password: 0.0,
            login_tries: 1,
            vanish: 0.0,
            reconnect: false,
            resolve: Resolve::Again,
            retry: RetryPolicy::default(),
            fresh: Fresh::Login,
            reading: Reading::default(),
            lowering: 0,
            parallel: 1,
            heeds_120: false,
            data: DataMode::Passive,
            tls: Tls::None,
            stall: 0.0,
            no_data: 0.0,
        }
    }
}

impl Input {
    /// Takes the input that `client` gets at `now` into the digest of the run.
    #[inline(always)]
    pub fn fold(&self, now: Instant, client: u32, digest: &mut Digest) {
        let cause = |cause: Option<Cause>| cause.map_or(0xff, |c| c.index() as u64);
        let what = match *self {
            // A script has fewer than 2^24 steps.
            Self::Start { session, entry } => 33 << 56 | u64::from(entry) << 32 | u64::from(session),
            Self::Connected => 34 << 56,
            Self::ConnectFailed { cause: why } => 35 << 56 | cause(Some(why)),
            Self::Reply { code, cause: why, words } => {
                36 << 56 | u64::from(words) << 32 | u64::from(code) << 8 | cause(why)
            }
            Self::TlsDone => 43 << 56,
            Self::TlsFailed { cause: why } => 44 << 56 | cause(Some(why)),
            Self::DataFailed => 40 << 56,
            Self::DataDone => 41 << 56,
            Self::Turn => 42 << 56,
            Self::DataOpened => 37 << 56,
            Self::Closed { cause: why } => 38 << 56 | cause(why),
            Self::TimerFired => 39 << 56,
        };
        digest.pair(now.as_nanos(), what ^ u64::from(client).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    }
}

impl Action {
    /// Takes the action into the digest of the run. An observation changes nothing and is left out.
    #[inline(always)]
    pub fn fold(&self, digest: &mut Digest) {
        let (word, more) = match *self {
            Self::Connect => (49 << 56, 0),
            Self::Send(command) => (50 << 56 | (command.verb as u64) << 16 | u64::from(command.arg.0), 0),
            Self::OpenData { verb, active, stalls, bytes } => {
                (51 << 56 | u64::from(active) << 9 | u64::from(stalls) << 8 | verb as u64, bytes)
            }
            Self::Disconnect => (52 << 56, 0),
            Self::Vanish => (53 << 56, 0),
            Self::Arm { at } => (54 << 56, at.as_nanos()),
            Self::Finish => (55 << 56, 0),
            Self::Ask => (56 << 56, 0),
            Self::Lower => (57 << 56, 0),
            Self::StartTls => (58 << 56, 0),
            Self::Observe(_) => return,
        };
        digest.pair(word, more);
    }
}
