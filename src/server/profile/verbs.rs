//! What a server says of its files, and of what else only matters to real clients, in a profile.

use std::collections::BTreeMap;

use serde::Deserialize;

/// Words for verbs, by their names: `MKD`, or `SITE CHMOD`. What `ANY` says is said for each verb that does not say it.
///
/// Each text is what goes over the wire, with the code, line by line. Placeholders: `{path}` (the argument), `{cwd}`, `{made}` (the
/// absolute path of what the argument names; in both a quote is two), `{why}` (as `strerror` says it), `{user}`, `{ip}`, `{verb}`, `{port}`, `{time}` (a modification time),
/// `{facts}` (of MLST), `{listing}` (the lines of LIST), `{type}`, `{k}`.
#[derive(Clone, PartialEq, Debug, Default, Deserialize)]
pub struct Verbs {
    /// Where the texts come from.
    pub from: String,
    /// The words, by verb.
    #[serde(flatten)]
    pub by_name: BTreeMap<String, Words>,
}

/// The words for one verb. What is missing is said as any server would, in words of our own.
#[derive(Clone, PartialEq, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct Words {
    /// It is not known: the reply is that to an unknown verb.
    #[serde(default)]
    pub unknown: bool,
    /// It is neither obeyed nor answered: an empty line, whose name is `EMPTY`, can be that.
    #[serde(default)]
    pub ignored: bool,
    /// It is obeyed before login, too.
    #[serde(default)]
    pub early: bool,
    /// What is not there is listed as an empty folder would be.
    #[serde(default)]
    pub empty: bool,
    /// It has done what it should.
    pub done: Option<Said>,
    /// What it is about cannot be had.
    pub failed: Option<Said>,
    /// The same where it is a folder and should be none, or where a folder is told about otherwise than a file.
    pub folder: Option<Said>,
    /// An argument is missing.
    pub bare: Option<Said>,
    /// The argument means nothing.
    pub wrong: Option<Said>,
    /// The argument means something that the server does not have.
    pub unsupported: Option<Said>,
    /// What may not be: a foreign address, a privileged port.
    pub denied: Option<Said>,
    /// Another verb has to come first.
    pub first: Option<Said>,
    /// Once is enough: behind a login, behind EPSV ALL.
    pub again: Option<Said>,
    /// With the name of a file.
    pub listed: Option<Said>,
}

/// A whole reply as it goes over the wire; its lines end in a newline here.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(try_from = "String")]
pub struct Said(String);

impl Said {
    /// The text with its placeholders.
    pub fn text(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Said {
    type Error = String;

    /// Its first line begins with a code, and its last with the same code and a space.
    fn try_from(text: String) -> Result<Self, String> {
        let code = text.get(..3).filter(|code| code.bytes().all(|byte| byte.is_ascii_digit()));
        let last = text.lines().last().unwrap_or_default();
        let ends = |code: &str| last.strip_prefix(code).is_some_and(|rest| rest.starts_with(' '));
        if code.is_some_and(ends) { Ok(Self(text)) } else { Err(format!("{text:?} is no reply")) }
    }
}
