//! A profile: what one real server is known to do, as data with the source of each fact.
//!
//! It is the file as written. [`Policy`](super::Policy) is what the machine obeys once a scenario has overridden some of it.

use serde::Deserialize;

use crate::observe::{Cause, CloseHow};
use crate::time::Duration;

/// How a fact is known.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Provenance {
    /// Seen on the wire of a running server.
    Measured,
    /// Read in the server's source code.
    Source,
    /// Said by the server's documentation.
    Documentation,
    /// Our own choice: no real server stands behind it.
    Ours,
}

/// A server as it comes out of its box.
#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// The name that a scenario gives.
    pub name: String,
    /// Product and version.
    pub title: String,
    /// How its facts are known, unless a fact says otherwise in its `from`.
    pub provenance: Provenance,
    /// What is peculiar about it, in a few lines.
    pub about: String,
    /// The limits in the order in which the server checks them.
    #[serde(default, rename = "limit")]
    pub limits: Vec<Limit>,
    /// The timers.
    pub timer: Timers,
    /// Logging in.
    pub login: Login,
    /// The ban logic, if the server has one.
    pub ban: Option<Ban>,
    /// Going down.
    pub shutdown: Shutdown,
    /// When a connection's slot is free again.
    pub slot: Slot,
    /// How long the server takes to answer when it has nothing else to do.
    pub cost: Cost,
    /// The replies of an untroubled session.
    pub reply: Replies,
}

/// A refusal's reply and close. Code 0 sends nothing.
#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Farewell {
    /// The reply code, 0 for none.
    pub code: u16,
    /// The text after the code; lines are separated by a newline. `{n}` is the limit, `{secs}` the timer, `{ip}` the
    /// client's address, `{user}` its account, `{msg}` the administrator's message.
    #[serde(default)]
    pub text: String,
    /// How the connection ends.
    pub close: CloseHow,
}

/// When a limit is checked.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// At accept, instead of the greeting.
    Accept,
    /// When the right password has come.
    Login,
}

/// What a limit counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Counts {
    /// Connections whose slot is not yet free, logged in or not.
    Connections,
    /// Logged-in sessions.
    Sessions,
}

/// Whose connections or sessions a limit counts together.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Per {
    /// All of the server's.
    Server,
    /// Those of one source address.
    Address,
    /// Those of one account.
    User,
}

/// A limit.
#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limit {
    /// The name that a scenario sets it by.
    pub knob: String,
    /// The server's own name for it.
    pub setting: String,
    /// Why a client that meets it is refused.
    pub cause: Cause,
    /// When it is checked.
    pub stage: Stage,
    /// What it counts.
    pub counts: Counts,
    /// Whose.
    pub per: Per,
    /// Out of the box: this many are let in; 0 is no limit.
    pub default: u32,
    /// Places of the limit that the server itself takes (pyftpdlib counts its listening socket).
    #[serde(default)]
    pub reserved: u32,
    /// Passive ports that each client needs: the limit is never more than the ports divided by this (Pure-FTPd: 2).
    #[serde(default)]
    pub passive_ports_each: u32,
    /// What the refused client sees.
    pub refusal: Farewell,
    /// Where the fact comes from.
    pub from: String,
}

/// The timers. A missing one is a timer that the server does not have.
#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Timers {
    /// How late every timer fires.
    #[serde(default)]
    pub lateness: Span,
    /// Where the lateness is known from.
    #[serde(default)]
    pub lateness_from: String,
    /// From the accepted connection to the login.
    pub login: Timer,
    /// Without a command, logged in.
    pub idle: Timer,
    /// With nothing but keep-alive commands (NOOP, PWD, CWD): the answer to the next of them.
    pub noop_idle: Option<Timer>,
    /// Without a transfer.
    pub no_transfer: Option<Timer>,
    /// From login, whatever happens.
    pub session: Option<Timer>,
}

/// A timer.
#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Timer {
    /// Out of the box; `"0s"` is off. A timer that follows another has none of its own.
    #[serde(default)]
    pub after: Span,
    /// It is this many times the idle timer, whatever that is set to; 0 if it is a timer of its own.
    #[serde(default)]
    pub times_idle: u64,
    /// Does each command start it again? (Only the login timer asks: the idle timer always does, the session timer never.)
    #[serde(default)]
    pub rearmed_by_command: bool,
    /// What the client sees.
    pub refusal: Farewell,
    /// Where the fact comes from.
    pub from: String,
}

/// Logging in.
#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Login {
    /// Wrong passwords until the session ends; 0 for no bound.
    pub max_attempts: u32,
    /// The wait before the answer to a wrong password.
    #[serde(default)]
    pub fail_delay: Span,
    /// What each further wrong password of the session adds to it.
    #[serde(default)]
    pub fail_delay_growth: Span,
    /// A uniform random wait from zero to this on top.
    #[serde(default)]
    pub fail_delay_jitter: Span,
    /// Is an anonymous user logged in by USER alone?
    #[serde(default)]
    pub anonymous_without_password: bool,
    /// Before login, is every verb but USER, PASS and QUIT told to log in first, known or not?
    #[serde(default)]
    pub locked: bool,
    /// The answer to a wrong password.
    pub failed: Line,
    /// The answer to the last one, and the close.
    pub exhausted: Farewell,
    /// Where the facts come from.
    pub from: String,
}

/// What counts towards a ban.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Offence {
    /// Each wrong password.
    BadPassword,
    /// Each session that ran out of login attempts.
    LoginAttempts,
    /// Each connection that was not logged in in time.
    LoginTimeout,
    /// Each connect.
    Connect,
}

impl Offence {
    /// The word for it in a scenario.
    pub const ALL: [(&'static str, Self); 4] = [
        ("bad_password", Self::BadPassword),
        ("login_attempts", Self::LoginAttempts),
        ("login_timeout", Self::LoginTimeout),
        ("connect", Self::Connect),
    ];
}

/// The ban logic. It is off until a scenario gives a threshold.
#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ban {
    /// The offence that counts unless the scenario names another.
    pub offence: Offence,
    /// How a banned address is refused.
    pub refusal: Farewell,
    /// Are its live sessions cut, without a word, at their next command?
    pub cuts_live: bool,
    /// Is the session that triggers the ban told so, by the ban's reply behind its own last one?
    pub tells_offender: bool,
    /// Where the facts come from.
    pub from: String,
}

/// Going down.
#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shutdown {
    /// An announced shutdown: what a new connection is told. Missing: it is refused by TCP.
    pub new: Option<Farewell>,
    /// An announced shutdown: what a live session is told at the deadline. Missing: nothing, a FIN.
    pub live: Option<Farewell>,
    /// Where the facts come from.
    pub from: String,
}

/// The slot of a connection.
#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Slot {
    /// From the close to the free slot (the child is reaped).
    #[serde(default)]
    pub release: Span,
    /// Does a connection that is refused at accept take a slot too, until then?
    pub refused_holds: bool,
    /// Where the facts come from.
    pub from: String,
}

/// Times to answer on an idle host, the network aside.
#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cost {
    /// From accept to the greeting.
    #[serde(default)]
    pub greeting: Span,
    /// From PASS to the 230.
    #[serde(default)]
    pub login: Span,
    /// Any other command.
    #[serde(default)]
    pub command: Span,
    /// Where the facts come from.
    pub from: String,
}

/// A reply that leaves the connection open.
#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// The reply code.
    pub code: u16,
    /// The text after the code; lines are separated by a newline.
    pub text: String,
}

/// The replies of an untroubled session. Texts may hold `{user}`, `{ip}`, `{path}` (the command's argument), `{verb}`,
/// `{bytes}` (of the transfer), `{k}` (connections now), `{n}` (the first limit on connections) and `{idle_minutes}`.
#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Replies {
    /// The greeting.
    pub greeting: Line,
    /// To USER.
    pub user: Line,
    /// To the right PASS.
    pub pass: Line,
    /// To PASS without USER.
    pub pass_first: Line,
    /// To a command that needs a login.
    pub login_first: Line,
    /// To CWD.
    pub cwd: Line,
    /// To PWD.
    pub pwd: Line,
    /// To PASV.
    pub pasv: Line,
    /// LIST begins.
    pub list: Line,
    /// RETR begins.
    pub retr: Line,
    /// STOR begins.
    pub stor: Line,
    /// LIST is done.
    pub listed: Line,
    /// RETR or STOR is done.
    pub transferred: Line,
    /// A transfer without a data connection.
    pub no_data: Line,
    /// To NOOP.
    pub noop: Line,
    /// To QUIT.
    pub quit: Line,
    /// To a verb that it does not know.
    pub unknown: Line,
    /// Where the texts come from.
    pub from: String,
}

/// A duration in a profile file: a string such as `"300s"`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(try_from = "String")]
pub struct Span(pub Duration);

impl TryFrom<String> for Span {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Duration::parse(&text).map(Self).map_err(|why| format!("{text:?}: {why}"))
    }
}

macro_rules! built_in {
    ($($name:literal),+ $(,)?) => {
        /// The built-in profiles, by name.
        const FILES: &[(&str, &str)] = &[$(($name, include_str!(concat!("profiles/", $name, ".toml")))),+];
    };
}

built_in!("vsftpd", "proftpd", "pure-ftpd", "pyftpdlib", "rfc959");

impl Profile {
    /// The names of the built-in profiles, in the order in which they are listed.
    pub fn names() -> impl Iterator<Item = &'static str> {
        FILES.iter().map(|(name, _)| *name)
    }

    /// The built-in profile called `name`.
    ///
    /// # Panics
    /// If a built-in file does not parse; a test parses each.
    pub fn named(name: &str) -> Option<Self> {
        let (_, text) = FILES.iter().find(|(n, _)| *n == name)?;
        Some(
            toml::from_str(text)
                .unwrap_or_else(|error| panic!("the built-in profile {name} is broken: {error}")),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_built_in_profile_parses_and_bears_its_name() {
        for name in Profile::names() {
            assert_eq!(Profile::named(name).unwrap().name, name);
        }
    }
}
