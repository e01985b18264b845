//! Telling refusals apart from outside: from what a client saw of one to its most likely cause.
//!
//! It knows the texts of the server profiles; it does not know what any server really thought. Every verdict says how sure it is
//! and what it rests on.
//!
//! The four sources, the best first: the **text**, if a server is known that says it; **words** that any server may use; **timing**
//! and **position**, when the text is somebody's own or there is none; and what **TCP** did. A reply that refuses nothing (a file
//! that is not there, an unknown command, an ordinary wrong password) has no verdict: what counts as a refusal is what the
//! modelled server counts as one, so that a measured run and a simulated one add up alike.

mod around;
mod evidence;
mod ledger;
mod own;
mod signs;
mod texts;
mod words;

pub use around::{Around, Whose};
pub use evidence::{Data, Evidence};
pub use ledger::{Kind, Ledger, RefusalText, RefusalTexts};

use self::own::Own;
use self::signs::Signs;
use self::texts::{Causes, Texts};
use self::words::Spoken;
use crate::ftp::Verb;
use crate::observe::{Cause, Phase};
use crate::server::{Policy, Profile};
use crate::time::Duration;

/// No more of a text is looked at, bytes.
pub const TEXT_MAX: usize = 512;

/// What a refusal was taken for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub struct Verdict {
    /// The cause.
    pub cause: Cause,
    /// How sure that is.
    pub confidence: Confidence,
    /// What it rests on.
    pub basis: Basis,
}

/// How sure a verdict is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Confidence {
    /// Some cause had to be named.
    Guess,
    /// It fits well, and little else does.
    Likely,
    /// A server says this for nothing else.
    Certain,
}

/// What a verdict rests on.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// A known server's text.
    Text,
    /// Words that any server may use.
    Words,
    /// When it came.
    Timing,
    /// Where it came, and what else was open.
    Position,
    /// What TCP did.
    Network,
}

/// Tells refusals apart.
#[derive(Clone, Debug)]
pub struct Classifier {
    own: Option<Own>,
    all: Texts,
}

/// Two causes that are so many points apart are told apart.
const CLEAR: i32 = 4;

/// A phrase with so many points is worth a verdict where a code alone is not.
const PLAIN: i32 = 5;

/// What it says, and others say for something else, is worth so much more for its own cause.
const OWN_WORDS: i32 = 8;

/// What a text is known to mean: at the server that was named, and at any.
#[derive(Clone, Copy, Debug, Default)]
struct Said {
    own: Causes,
    any: Causes,
}

impl Classifier {
    /// One that looks at the texts of `profile` before those of all others; `None`, or a name that no profile has: at all alike.
    pub fn new(profile: Option<&str>) -> Self {
        let policy = profile.and_then(Profile::named).as_ref().and_then(texts::whole);
        Self { own: policy.as_ref().map(|policy| Own::new(policy, false)), all: Texts::of_all() }
    }

    /// One that takes the server for one with `policy`, its limits and timers included: what a scenario says about it.
    pub fn expecting(policy: &Policy) -> Self {
        Self { own: Some(Own::new(policy, true)), all: Texts::of_all() }
    }

    /// What `evidence` is to be taken for; `None`: it refuses nothing. The same evidence always gives the same verdict.
    pub fn judge(&self, evidence: &Evidence<'_>) -> Option<Verdict> {
        let mut text = head(evidence.text).to_lowercase();
        text.truncate(text.trim_end().len());
        let said = self.said(evidence.code, &text);
        let spoken =
            if said.any.is_empty() && !text.is_empty() { Spoken::of(&text) } else { Spoken::NOTHING };
        let among = self.candidates(evidence, said, &spoken)?;
        self.weigh(evidence, Said { any: among, ..said }, &spoken)
    }

    /// What the text is known to mean: all of it, or one of its lines behind somebody's banner.
    fn said(&self, code: u16, text: &str) -> Said {
        for look in [Texts::find, Texts::find_line] {
            let own = self.own.as_ref().and_then(|own| look(&own.texts, code, text)).unwrap_or_default();
            let any = own.or(look(&self.all, code, text).unwrap_or_default());
            if !any.is_empty() {
                return Said { own, any };
            }
        }
        Said::default()
    }

    /// What it may be; `None`: it refuses nothing; empty: anything.
    fn candidates(&self, e: &Evidence<'_>, said: Said, spoken: &Spoken) -> Option<Causes> {
        let said = if said.own.is_empty() { said.any } else { said.own };
        if said.is_empty() {
            return refuses(e, spoken.most()).then_some(said);
        }
        if !said.may_be_harmless() {
            return Some(said);
        }
        let causes = said.refusing();
        if causes.is_empty() {
            // A text that is known to be harmless, and yet the end of a connection that was to go on.
            return (e.code >= 400 && e.close.is_some() && e.answers != Some(Verb::Quit)).then_some(causes);
        }
        self.tells_end(e, causes).then_some(causes)
    }

    /// A text that is said to refuse, and also where nothing is refused: which is it this time?
    fn tells_end(&self, e: &Evidence<'_>, causes: Causes) -> bool {
        if e.close.is_some() && e.answers != Some(Verb::Quit) {
            return true;
        }
        let last_try =
            self.own.as_ref().is_some_and(|own| own.attempts > 0 && u32::from(e.tries) >= own.attempts);
        match e.phase {
            Phase::Accept | Phase::Greeting | Phase::PreLogin => true,
            Phase::User | Phase::Pass if e.mistyped => last_try && causes.has(Cause::LoginAttempts),
            Phase::User | Phase::Pass => causes.has(Cause::Banned) && e.mistyped_here >= 3,
            Phase::Session | Phase::Transfer => match (e.code, e.answers) {
                (425, Some(verb)) => wants_data(verb),
                (426, answers) => answers != Some(Verb::Abor) && stands_still(e),
                _ => false,
            },
        }
    }

    fn weigh(&self, e: &Evidence<'_>, said: Said, spoken: &Spoken) -> Option<Verdict> {
        let among = said.any;
        let mut best: Option<(i32, Cause, Signs)> = None;
        let mut second = i32::MIN;
        for &cause in Cause::ALL {
            if !among.is_empty() && !among.has(cause) {
                continue;
            }
            if among.is_empty() && spoken.points(cause) <= 0 && takes_a_server(cause, e) {
                continue;
            }
            let nominal = self.own.as_ref().and_then(|own| own.nominal(cause));
            // A text is believed, even where its cause makes no sense.
            let unlikely = (!among.is_empty()).then(|| Signs { prior: -20, ..Signs::default() });
            let Some(signs) = signs::of(cause, e, nominal).or(unlikely) else { continue };
            let known = self.own.as_ref().map_or(0, |own| own.habit(e, cause));
            let own_words = if said.own.has(cause) { OWN_WORDS } else { 0 };
            let points =
                signs.prior + signs.timing + signs.position + spoken.points(cause) + known + own_words;
            match best {
                Some((most, ..)) if points <= most => second = second.max(points),
                _ => {
                    second = best.map_or(second, |(most, ..)| most);
                    best = Some((points, cause, signs));
                }
            }
        }
        let (most, cause, signs) = best?;
        let clear = most.saturating_sub(second) >= CLEAR;
        let by_text = !among.is_empty();
        let basis = match cause {
            _ if by_text => Basis::Text,
            Cause::Reset | Cause::SilentClose => Basis::Network,
            _ if spoken.points(cause) >= PLAIN => Basis::Words,
            _ if signs.timing > signs.position => Basis::Timing,
            _ => Basis::Position,
        };
        let confidence = match basis {
            Basis::Text if said.own.len() == 1 && said.own.has(cause) && clear => Confidence::Certain,
            Basis::Text if among.len() == 1 || clear => Confidence::Likely,
            Basis::Network if cause == Cause::SilentClose => Confidence::Guess,
            // A full server, a busy one and one that closes turn everybody away alike.
            Basis::Position if cause == Cause::MaxClients => Confidence::Guess,
            _ if clear => Confidence::Likely,
            _ => Confidence::Guess,
        };
        Some(Verdict { cause, confidence, basis })
    }
}

impl Default for Classifier {
    fn default() -> Self {
        Self::new(None)
    }
}

/// Is an unknown text behind this code, at this place, a refusal? `words`: the most points that its words have for any cause.
fn refuses(e: &Evidence<'_>, words: i32) -> bool {
    let ends = e.close.is_some();
    match (e.code, e.phase) {
        _ if e.answers == Some(Verb::Quit) => false,
        (0 | 221 | 421, _) => true, // 221 where nobody said QUIT
        // A server that has no TLS, or wants none now, turns down what was asked and nobody.
        _ if e.answers.is_some_and(secures) => ends || words >= PLAIN + 2,
        // It says in words that it will not go on (FileZilla Server 1).
        (220, Phase::Accept | Phase::Greeting) => ends,
        (..400, _) => false,
        // TLS is not offered: that turns away nobody who does without.
        (500.., Phase::PreLogin) if matches!(e.answers, Some(Verb::Auth | Verb::Pbsz | Verb::Prot)) => ends,
        (_, Phase::Accept | Phase::Greeting | Phase::PreLogin) => true,
        (_, Phase::Pass) => ends || !e.mistyped || words >= PLAIN + 2,
        (_, Phase::User) => ends || words >= PLAIN,
        (425, _) => e.answers.is_some_and(wants_data),
        (426, _) => e.answers != Some(Verb::Abor) && stands_still(e),
        (451, _) => e.answers == Some(Verb::Stor) || stands_still(e),
        (452, _) => true,
        (_, Phase::Session | Phase::Transfer) => ends || words >= PLAIN + 2,
    }
}

/// Is it a decision of a server that lets others in, where there is no sign of any? Whoever turns everybody away has no limit to be
/// found out: it is broken, closed, or no FTP server.
fn takes_a_server(cause: Cause, e: &Evidence<'_>) -> bool {
    e.nobody_in
        && match cause {
            Cause::MaxClients | Cause::MaxPerIp | Cause::MaxPerUser | Cause::RateLimit => true,
            Cause::ShuttingDown | Cause::Overload | Cause::ResourceExhausted => true,
            Cause::Banned => e.mistyped_here == 0,
            _ => false,
        }
}

/// Is it about the protection of the session (RFC 4217)?
const fn secures(verb: Verb) -> bool {
    matches!(verb, Verb::Auth | Verb::Pbsz | Verb::Prot)
}

/// Is it about a data connection?
const fn wants_data(verb: Verb) -> bool {
    verb.is_transfer() || matches!(verb, Verb::Pasv | Verb::Port)
}

/// Has the data connection moved nothing for a while?
fn stands_still(e: &Evidence<'_>) -> bool {
    matches!(e.data, Data::Open { still } if still >= Duration::from_secs(1))
}

/// The beginning of a text, at most [`TEXT_MAX`] bytes.
fn head(text: &str) -> &str {
    let mut end = text.len().min(TEXT_MAX);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}
