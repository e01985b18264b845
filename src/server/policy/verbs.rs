//! What is said of verbs that the machine leaves to its driver: the profile's own words, and ours where it has none.
//!
//! It fills in no placeholder, and no simulated client ever hears any of it.

use std::sync::{Arc, OnceLock};

use crate::server::profile::{self, Profile, Words};

/// The words of a server.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Verbs {
    own: profile::Verbs,
}

/// What can be said of a verb.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "each is the field of the same name in `profile::Words`")]
pub enum Word {
    Done,
    Failed,
    Folder,
    Bare,
    Wrong,
    Unsupported,
    Denied,
    First,
    Again,
    Listed,
}

impl Word {
    fn of(self, words: &Words) -> Option<&str> {
        let said = match self {
            Self::Done => &words.done,
            Self::Failed => &words.failed,
            Self::Folder => &words.folder,
            Self::Bare => &words.bare,
            Self::Wrong => &words.wrong,
            Self::Unsupported => &words.unsupported,
            Self::Denied => &words.denied,
            Self::First => &words.first,
            Self::Again => &words.again,
            Self::Listed => &words.listed,
        };
        said.as_ref().map(profile::Said::text)
    }

    /// What is said where a server has no word of this kind.
    const fn otherwise(self) -> Option<Self> {
        match self {
            Self::Folder => Some(Self::Failed),
            Self::Unsupported => Some(Self::Wrong),
            _ => None,
        }
    }
}

/// The words for every verb.
const ANY: &str = "ANY";

impl Verbs {
    pub(super) fn of(profile: &Profile) -> Arc<Self> {
        Arc::new(Self { own: profile.verbs.clone().unwrap_or_default() })
    }

    /// What is said of `verb`, with its placeholders: in the profile's words, or else in ours. `None`: nothing is.
    pub fn say(&self, verb: &str, word: Word) -> Option<&str> {
        let verbs = [&self.own, ours()];
        verbs.into_iter().find_map(|verbs| {
            let said = |name: &str, word: Word| verbs.by_name.get(name).and_then(|words| word.of(words));
            said(verb, word)
                .or_else(|| said(verb, word.otherwise()?))
                .or_else(|| said(ANY, word))
                .or_else(|| said(ANY, word.otherwise()?))
        })
    }

    /// Has `verb` words of its own for that?
    pub fn says(&self, verb: &str, word: Word) -> bool {
        let said =
            |verbs: &profile::Verbs| verbs.by_name.get(verb).is_some_and(|words| word.of(words).is_some());
        said(&self.own) || said(ours())
    }

    /// Is the only thing that is said of `verb` that it is refused?
    pub fn refuses(&self, verb: &str) -> bool {
        self.say(verb, Word::Done).is_some_and(|text| text.starts_with(['4', '5']))
    }

    /// Does `verb` list what is not there as an empty folder?
    pub fn lists_nothing(&self, verb: &str) -> bool {
        self.own.by_name.get(verb).is_some_and(|words| words.empty)
    }

    /// Are empty lines read over?
    pub fn ignores_empty_lines(&self) -> bool {
        self.own.by_name.get("EMPTY").is_some_and(|words| words.ignored)
    }

    /// Does the server know `verb`?
    pub fn knows(&self, verb: &str) -> bool {
        match self.own.by_name.get(verb) {
            Some(words) => !words.unknown,
            None => ours().by_name.get(verb).is_some_and(|words| !words.unknown),
        }
    }

    /// Is `verb` obeyed before login?
    pub fn is_early(&self, verb: &str) -> bool {
        let words = self.own.by_name.get(verb).or_else(|| ours().by_name.get(verb));
        words.is_some_and(|words| words.early)
    }
}

/// The words of our own.
///
/// # Panics
/// If the built-in file does not parse; a test parses it.
fn ours() -> &'static profile::Verbs {
    static OURS: OnceLock<profile::Verbs> = OnceLock::new();
    OURS.get_or_init(|| {
        toml::from_str(include_str!("../profiles/verbs.toml")).expect("the built-in words are broken")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_profile_does_not_say_is_said_in_our_words() {
        let verbs = Verbs::of(&Profile::named("rfc959").unwrap());
        assert!(verbs.knows("MKD") && !verbs.knows("XYZZY"));
        assert!(verbs.say("MKD", Word::Done).is_some_and(|text| text.starts_with("257 ")));
        assert!(verbs.say("MKD", Word::Folder).is_some_and(|text| text.starts_with("550 ")));
        assert!(verbs.say("MKD", Word::Bare).is_some_and(|text| text.starts_with("501 ")));
    }
}
