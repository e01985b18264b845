//! A profile: what one real server is known to do, as data with the source of each fact.
//!
//! It is the file as written, read over the one that it builds on. [`Policy`](super::Policy) is what the machine obeys once a
//! scenario has overridden some of it.

mod ban;
mod built_in;
mod host;
mod limit;
mod login;
mod reply;
mod shutdown;
mod timer;
mod tls;
mod verbs;

pub use ban::{Ban, BanBy, CutsLive, Offence};
pub use host::{Cost, Data, Exhausted, Listener, Slot};
pub use limit::{Counts, Limit, Per, Stage, Whom};
pub use login::{DeniedUser, Hammer, Login};
pub use reply::Replies;
pub use shutdown::{Fate, InTransfer, ListenerFate, OnSignal, Shutdown};
pub use timer::{Stalled, Timer, Timers};
pub use tls::{Tls, TlsMode};
pub use verbs::{Said, Verbs, Words};

use serde::Deserialize;

use crate::dist::Dist;
use crate::observe::{CloseHow, Provenance};
use crate::time::Duration;

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
    /// The listening socket and the loop that accepts from it.
    pub listener: Listener,
    /// What the server takes of its host.
    pub cost: Cost,
    /// Data connections.
    pub data: Data,
    /// TLS. Missing: nothing is known of it, and a scenario cannot switch it on.
    pub tls: Option<Tls>,
    /// What is said when the host has no more to give.
    pub exhausted: Exhausted,
    /// What a line that is longer than the server reads is told. Missing: it is one more unknown command.
    pub line_too_long: Option<Farewell>,
    /// The replies of an untroubled session.
    pub reply: Replies,
    /// What real clients are told of files, and of verbs that no simulated client uses. Missing: what any server would say, in our words.
    pub verbs: Option<Verbs>,
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
    /// A second reply right behind the first.
    pub then: Option<Line>,
    /// How the connection ends; `none`: it does not, and the session goes on.
    pub close: CloseHow,
    /// From the decision to the reply.
    #[serde(default)]
    pub delay: Span,
    /// Is it said by a process of its own, which counts where processes are counted until it is reaped?
    #[serde(default)]
    pub forks: bool,
    /// Where it is known from, if not from where the facts around it are.
    #[serde(default)]
    pub from: String,
}

/// A time that differs from one occasion to the next: `"7ms"`, or `{ least = "3ms", mean = "7ms" }` for the sum of the least and an
/// exponential rest.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(from = "LastingForm")]
pub struct Lasting {
    /// Never less than this.
    pub least: Duration,
    /// On average.
    pub mean: Duration,
}

impl Lasting {
    /// Does it never vary?
    pub const fn is_constant(self) -> bool {
        self.least.as_nanos() >= self.mean.as_nanos()
    }

    /// The time that belongs to a uniform random `word`.
    pub fn draw(self, word: u64) -> Duration {
        let rest =
            Dist::Exponential { mean: self.mean.as_nanos().saturating_sub(self.least.as_nanos()) as f64 };
        self.least + Duration::from_nanos(rest.sample(word))
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum LastingForm {
    Constant(Span),
    Spread { least: Span, mean: Span },
}

impl From<LastingForm> for Lasting {
    fn from(form: LastingForm) -> Self {
        match form {
            LastingForm::Constant(Span(time)) => Self { least: time, mean: time },
            LastingForm::Spread { least, mean } => Self { least: least.0, mean: mean.0 },
        }
    }
}

/// A reply that leaves the connection open.
#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// The reply code.
    pub code: u16,
    /// The text after the code; lines are separated by a newline.
    pub text: String,
    /// Where it is known from, if not from where the facts around it are.
    #[serde(default)]
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
