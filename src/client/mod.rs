//! The user-PI: what one client does with its control connection, as a state machine without a clock or a socket.
//!
//! It never looks at the server's state: it knows what it has been told.

pub mod retry;
pub mod script;

pub use retry::{Backoff, Growth, Jitter, RetryPolicy, Rule};
pub use script::{Script, Step};

use crate::dist::Dist;
use crate::time::Duration;

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
    /// What it does after a refusal.
    pub retry: RetryPolicy,
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
            retry: RetryPolicy::default(),
        }
    }
}
