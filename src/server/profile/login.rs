//! The form of logging in in a profile.

use serde::Deserialize;

use super::{Farewell, Line, Span};

/// Logging in.
#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Login {
    /// Wrong passwords until the session ends; 0 for no bound.
    pub max_attempts: u32,
    /// Does every 5yz reply before login count as a wrong password?
    #[serde(default)]
    pub errors_count: bool,
    /// The wait before the answer to a wrong password.
    #[serde(default)]
    pub fail_delay: Span,
    /// What each further wrong password of the session adds to it.
    #[serde(default)]
    pub fail_delay_growth: Span,
    /// A uniform random wait from zero to this on top.
    #[serde(default)]
    pub fail_delay_jitter: Span,
    /// What each wrong password of the session so far adds to the wait before any further password is checked, right or wrong.
    #[serde(default)]
    pub check_delay_growth: Span,
    /// The same for the answer to USER.
    #[serde(default)]
    pub user_delay_growth: Span,
    /// A growing reluctance to read from a connection that fails to log in (FileZilla Server 0.9).
    pub hammer: Option<Hammer>,
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
    /// What a user on the scenario's `denied_users` list meets. Missing: the server has no such list.
    pub denied_user: Option<DeniedUser>,
    /// What an address on the scenario's `denied_addresses` list meets at accept. Missing: the server has no such list.
    pub denied_address: Option<Farewell>,
    /// Where the facts come from.
    pub from: String,
}

/// How a user who is not welcome is told.
#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeniedUser {
    /// Right after USER? If not, as the answer to PASS.
    pub at_user: bool,
    /// The reply; it counts as a wrong password, with its delay.
    pub reply: Line,
}

/// A counter of one connection that makes the server read it ever more slowly: with `v` above `above`, the next command is
/// read `base ^ (v / divisor - offset)` seconds late.
#[derive(Clone, Copy, PartialEq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hammer {
    /// What a wrong password adds.
    pub add: f64,
    /// What each second takes off.
    pub decay: f64,
    /// Up to here nothing is slowed down.
    pub above: f64,
    /// See above.
    pub base: f64,
    /// See above.
    pub divisor: f64,
    /// See above.
    pub offset: f64,
}
