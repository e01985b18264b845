//! A client profile: how one real client behaves, as data with the source of each fact.
//!
//! It is the file as written, and the [`Behaviour`] that it means. What the client does in a session is not its business: the
//! script is the user's.

use serde::Deserialize;

use super::retry::{Backoff, Growth, Jitter, RetryPolicy, Rule};
use super::{Behaviour, Fresh, Reading, Sign};
use crate::dist::Dist;
use crate::observe::{Phase, Provenance};
use crate::time::Duration;

/// A client as it comes out of its box.
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
    /// Its sessions.
    pub session: Session,
    /// How many connections it opens.
    pub connections: Connections,
    /// What it does after a refusal: the first rule that fits decides. No rule means no retry.
    #[serde(default, rename = "retry")]
    pub rules: Vec<RuleForm>,
}

/// What a client does with a session, whatever it is for.
#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Session {
    /// Does it come back for the rest of its work when a session is cut or lost?
    pub reconnect: bool,
    /// When it forgets a row of failures.
    #[serde(default)]
    pub fresh: FreshForm,
    /// Passwords that it tries over one connection.
    pub login_tries: u32,
    /// The probability that a password is wrong.
    #[serde(default)]
    pub wrong_password: f64,
    /// It sends NOOP after so long without a command.
    pub keepalive: Option<Span>,
    /// Does it wait for as long as a 120 says?
    #[serde(default)]
    pub heeds_120: bool,
    /// Where the facts come from.
    pub from: String,
}

/// How many control connections one user's client opens.
#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Connections {
    /// At once.
    pub parallel: u32,
    /// A 421 with a text like this makes it open one less.
    pub lowered_by: Option<String>,
    /// Where the facts come from.
    pub from: String,
}

/// A rule: which refusals, and what then.
#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleForm {
    /// The signs it is for, in the words of [`Sign::ALL`]; all if missing.
    #[serde(default)]
    pub signs: Vec<String>,
    /// The phases it is for; all if missing.
    #[serde(default)]
    pub phases: Vec<Phase>,
    /// The texts it is for, as a regular expression; all if missing.
    pub text: Option<String>,
    /// How waits grow.
    pub backoff: Shape,
    /// The first wait.
    #[serde(default)]
    pub wait: Span,
    /// If given, the first wait is uniform from `wait` to this.
    pub wait_to: Option<Span>,
    /// Exponential: each wait is this times the one before.
    #[serde(default = "two")]
    pub factor: f64,
    /// No wait is longer.
    pub cap: Option<Span>,
    /// Are waits cut to whole seconds?
    #[serde(default)]
    pub whole_seconds: bool,
    /// The most attempts, the first included; 0 for no bound.
    #[serde(default)]
    pub attempts: u32,
    /// Where the facts come from.
    pub from: String,
}

/// How waits grow.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    /// It does not come back.
    None,
    /// Every wait is the first wait.
    Fixed,
    /// The n-th wait is n times the first.
    Linear,
    /// Each wait is a multiple of the one before.
    Exponential,
}

/// When a row of failures is forgotten.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FreshForm {
    /// At each login.
    #[default]
    Login,
    /// When a step of the script is done.
    Progress,
}

/// A time as profiles write it: `"15s"`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(try_from = "String")]
pub struct Span(pub Duration);

impl TryFrom<String> for Span {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Duration::parse(&text).map(Self)
    }
}

const fn two() -> f64 {
    2.0
}

macro_rules! built_in {
    ($($name:literal),+ $(,)?) => {
        /// The built-in profiles, each with its file.
        const FILES: &[(&str, &str)] = &[$(($name, include_str!(concat!("profiles/", $name, ".toml")))),+];
    };
}

built_in!(
    "curl",
    "curl-retry",
    "wget",
    "lftp",
    "ncftp",
    "tnftp",
    "ftplib",
    "filezilla",
    "winscp",
    "cyberduck",
    "commons-net",
    "polite",
    "impatient",
    "bruteforce",
);

impl Profile {
    /// The names of the built-in profiles, in the order in which they are listed.
    pub fn names() -> impl Iterator<Item = &'static str> {
        FILES.iter().map(|(name, _)| *name)
    }

    /// The built-in profile of this name.
    ///
    /// # Panics
    /// If the file of a built-in profile is malformed; a test reads them all.
    pub fn named(name: &str) -> Option<Self> {
        let (_, text) = FILES.iter().find(|(n, _)| *n == name)?;
        Some(toml::from_str(text).unwrap_or_else(|why| panic!("profile {name}: {why}")))
    }

    /// The facts of the built-in profile of this name as its file has them.
    ///
    /// # Panics
    /// As [`Self::named`].
    pub fn facts(name: &str) -> Option<toml::Table> {
        let (_, text) = FILES.iter().find(|(n, _)| *n == name)?;
        Some(toml::from_str(text).unwrap_or_else(|why| panic!("profile {name}: {why}")))
    }

    /// How such a client behaves, with an empty script.
    ///
    /// # Errors
    /// What is wrong with the file.
    pub fn behaviour(&self) -> Result<Behaviour, String> {
        let mut reading = Reading::default();
        let lowering = self.connections.lowered_by.as_deref();
        let lowering = lowering.map_or(Ok(0), |pattern| reading.look_for(pattern))?;
        let rules = self.rules.iter().map(|rule| rule.meant(&mut reading)).collect::<Result<_, _>>()?;
        Ok(Behaviour {
            keepalive: self.session.keepalive.map(|every| every.0),
            wrong_password: self.session.wrong_password,
            login_tries: self.session.login_tries,
            reconnect: self.session.reconnect,
            retry: RetryPolicy { rules },
            fresh: match self.session.fresh {
                FreshForm::Login => Fresh::Login,
                FreshForm::Progress => Fresh::Progress,
            },
            reading,
            lowering,
            parallel: self.connections.parallel,
            heeds_120: self.session.heeds_120,
            ..Behaviour::default()
        })
    }
}

impl RuleForm {
    fn meant(&self, reading: &mut Reading) -> Result<Rule, String> {
        let signs = self.signs.iter().try_fold(0, |bits, word| {
            Sign::from_name(word).map(|sign| bits | sign.bit()).ok_or_else(|| format!("no sign {word:?}"))
        })?;
        let phases = self.phases.iter().fold(0_u8, |bits, phase| bits | 1 << phase.index());
        Ok(Rule {
            signs: if self.signs.is_empty() { Rule::ALL_SIGNS } else { signs },
            phases: if self.phases.is_empty() { Rule::ALL_PHASES } else { phases },
            words: self.text.as_deref().map_or(Ok(0), |pattern| reading.look_for(pattern))?,
            ..Rule::new(self.backoff())
        })
    }

    fn backoff(&self) -> Option<Backoff> {
        let low = self.wait.0.as_nanos();
        Some(Backoff {
            growth: match self.backoff {
                Shape::None => return None,
                Shape::Fixed => Growth::Fixed,
                Shape::Linear => Growth::Linear,
                Shape::Exponential => Growth::Exponential(self.factor),
            },
            base: self.wait_to.map_or(Dist::Constant(low), |to| Dist::Uniform { low, high: to.0.as_nanos() }),
            cap: self.cap.map_or(Duration::FOREVER, |cap| cap.0),
            whole_seconds: self.whole_seconds,
            jitter: Jitter::None,
            attempts: self.attempts,
            persistence: 1.0,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_built_in_profile_can_be_read() {
        for name in Profile::names() {
            let profile = Profile::named(name).expect("it is listed");
            assert_eq!(profile.name, name);
            profile.behaviour().unwrap_or_else(|why| panic!("{name}: {why}"));
            assert!((1..=255).contains(&profile.session.login_tries), "{name}");
            assert!((1..=64).contains(&profile.connections.parallel), "{name}");
        }
    }

    /// A client that comes back in no time and for ever would stop the clock of a world without distances.
    #[test]
    fn nobody_comes_back_for_ever_in_no_time() {
        for profile in Profile::names().filter_map(Profile::named) {
            for rule in &profile.rules {
                let bounded = rule.attempts != 0 || rule.backoff == Shape::None;
                assert!(bounded || !rule.wait.0.is_zero(), "{}: {rule:?}", profile.name);
            }
        }
    }
}
