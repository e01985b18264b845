//! The form of the ban logic in a profile.

use serde::Deserialize;

use super::{Farewell, Span};
use crate::observe::Cause;

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
    /// Each session that was idle for too long.
    IdleTimeout,
    /// Each session without a transfer for too long.
    NoTransferTimeout,
    /// Each refusal for a limit on the address.
    MaxPerIp,
    /// Each refusal for a limit on the account.
    MaxPerUser,
}

impl Offence {
    /// The word for it in a scenario.
    pub const ALL: [(&'static str, Self); 8] = [
        ("bad_password", Self::BadPassword),
        ("login_attempts", Self::LoginAttempts),
        ("login_timeout", Self::LoginTimeout),
        ("connect", Self::Connect),
        ("idle_timeout", Self::IdleTimeout),
        ("no_transfer_timeout", Self::NoTransferTimeout),
        ("max_per_ip", Self::MaxPerIp),
        ("max_per_user", Self::MaxPerUser),
    ];
}

impl Offence {
    /// The offence of somebody who is refused or cut for `cause`.
    pub(in crate::server) const fn of(cause: Cause) -> Option<Self> {
        Some(match cause {
            Cause::LoginAttempts => Self::LoginAttempts,
            Cause::LoginTimeout => Self::LoginTimeout,
            Cause::IdleTimeout => Self::IdleTimeout,
            Cause::NoTransferTimeout => Self::NoTransferTimeout,
            Cause::MaxPerIp => Self::MaxPerIp,
            Cause::MaxPerUser => Self::MaxPerUser,
            _ => return None,
        })
    }

    /// Several of them, in words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::BadPassword => "wrong passwords",
            Self::LoginAttempts => "sessions that ran out of login attempts",
            Self::LoginTimeout => "connections without a login in time",
            Self::Connect => "connects",
            Self::IdleTimeout => "sessions that were idle for too long",
            Self::NoTransferTimeout => "sessions without a transfer for too long",
            Self::MaxPerIp => "refusals for a limit on the address",
            Self::MaxPerUser => "refusals for a limit on the account",
        }
    }
}

/// Who is banned.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BanBy {
    /// The address.
    #[default]
    Address,
    /// The account, wherever it comes from.
    User,
    /// The account at the address.
    Both,
}

impl BanBy {
    /// The word for it in a scenario.
    pub const ALL: [(&'static str, Self); 3] =
        [("address", Self::Address), ("user", Self::User), ("both", Self::Both)];

    /// Whom, in words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Address => "an address",
            Self::User => "an account",
            Self::Both => "an account at an address",
        }
    }
}

/// What a ban does to the sessions that its victim has already.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CutsLive {
    /// Nothing.
    #[default]
    Never,
    /// They end without a word at their next command.
    NextCommand,
    /// They end without a word at once.
    AtOnce,
}

/// The ban logic. It is off until a scenario switches it on.
#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct Ban {
    /// The offence that counts unless the scenario names another.
    pub offence: Offence,
    /// So many of them unless the scenario says otherwise; 0: the scenario must say it.
    #[serde(default)]
    pub threshold: u32,
    /// Within this time unless the scenario says otherwise.
    #[serde(default)]
    pub window: Span,
    /// For so long unless the scenario says otherwise.
    #[serde(default)]
    pub duration: Span,
    /// Who is banned, unless the scenario says otherwise.
    #[serde(default)]
    pub by: BanBy,
    /// Does the time of the ban run from the victim's last attempt?
    #[serde(default)]
    pub from_last_attempt: bool,
    /// Does a login wipe the slate clean?
    #[serde(default)]
    pub success_resets: bool,
    /// How a banned address is refused.
    pub refusal: Farewell,
    /// Is the refusal the answer to PASS, right or wrong, and not at accept?
    #[serde(default)]
    pub refuses_at_password: bool,
    /// Its live sessions.
    #[serde(default)]
    pub cuts_live: CutsLive,
    /// Is the session that triggers the ban told so, by the ban's reply behind its own last one?
    #[serde(default)]
    pub tells_offender: bool,
    /// What the session that triggers the ban meets instead of its own last reply.
    pub trigger: Option<Farewell>,
    /// Where the facts come from.
    pub from: String,
}
