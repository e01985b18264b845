//! What a server may say: the table of all its replies, and how a connection is ended with one of them.
//!
//! It does not fill in placeholders: `texts` does.

use crate::observe::{Cause, CloseHow};
use crate::time::Duration;

/// A reply's place in the [`ReplyTable`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ReplyId(pub u16);

/// Everything that a server may say.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct ReplyTable {
    entries: Vec<ReplyEntry>,
    /// Replies with numbers from [`APART`] on: to commands that came to this project later, so that the numbers of the others, which
    /// a run's digest takes in, stay what they were.
    apart: Vec<ReplyEntry>,
}

/// The number of the first reply of the second bank.
const APART: u16 = 0x8000;

/// One reply.
#[derive(Clone, PartialEq, Debug)]
pub struct ReplyEntry {
    /// The three-digit code.
    pub code: u16,
    /// The text with its placeholders.
    pub text: String,
    /// The limit or the number of seconds that the text may name.
    pub value: u64,
    /// The reason, if the reply refuses something.
    pub cause: Option<Cause>,
}

impl ReplyTable {
    pub(super) fn add(&mut self, code: u16, text: &str, value: u64, cause: Option<Cause>) -> ReplyId {
        let id = u16::try_from(self.entries.len()).expect("a profile has fewer than 65 536 replies");
        self.entries.push(ReplyEntry { code, text: text.to_owned(), value, cause });
        ReplyId(id)
    }

    /// Adds a reply to the second bank.
    pub(super) fn add_apart(&mut self, code: u16, text: &str, cause: Option<Cause>) -> ReplyId {
        let id = APART + u16::try_from(self.apart.len()).expect("there are few of these");
        self.apart.push(ReplyEntry { code, text: text.to_owned(), value: 0, cause });
        ReplyId(id)
    }

    /// The replies of the first bank, by their numbers.
    pub fn entries(&self) -> &[ReplyEntry] {
        &self.entries
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// The reply behind `id`.
    pub fn get(&self, id: ReplyId) -> &ReplyEntry {
        match id.0.checked_sub(APART) {
            Some(place) => &self.apart[usize::from(place)],
            None => &self.entries[usize::from(id.0)],
        }
    }

    /// Changes the number that the text of `id` names.
    pub(in crate::server) fn set_value(&mut self, id: ReplyId, value: u64) {
        self.get_mut(id).value = value;
    }

    /// Changes what `id` says.
    pub(in crate::server) fn set_text(&mut self, id: ReplyId, text: String) {
        self.get_mut(id).text = text;
    }

    fn get_mut(&mut self, id: ReplyId) -> &mut ReplyEntry {
        match id.0.checked_sub(APART) {
            Some(place) => &mut self.apart[usize::from(place)],
            None => &mut self.entries[usize::from(id.0)],
        }
    }
}

/// How a connection is ended: what is said, and how TCP ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ending {
    /// Why.
    pub cause: Cause,
    /// What is said first, if anything.
    pub reply: Option<ReplyId>,
    /// A second reply right behind the first.
    pub then: Option<ReplyId>,
    /// How TCP ends; `None`: it does not, and the session goes on.
    pub close: CloseHow,
    /// From the decision to the reply.
    pub delay: Duration,
    /// Is it said by a process of its own, which counts where processes are counted until it is reaped?
    pub forks: bool,
}

impl Ending {
    /// An end without a word.
    pub const fn silent(cause: Cause, close: CloseHow) -> Self {
        Self { cause, reply: None, then: None, close, delay: Duration::ZERO, forks: false }
    }

    /// The same end, said by `reply` alone.
    #[must_use]
    pub const fn saying(self, reply: ReplyId) -> Self {
        Self { reply: Some(reply), then: None, ..self }
    }
}

/// The replies of an untroubled session.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "each is the reply of the same name in `profile::Replies`, but for the last")]
pub struct Replies {
    pub greeting: ReplyId,
    pub user: ReplyId,
    pub pass: ReplyId,
    pub pass_first: ReplyId,
    pub login_first: ReplyId,
    pub cwd: ReplyId,
    pub pwd: ReplyId,
    pub pasv: ReplyId,
    pub list: ReplyId,
    pub retr: ReplyId,
    pub stor: ReplyId,
    pub listed: ReplyId,
    pub transferred: ReplyId,
    pub no_data: ReplyId,
    pub port: ReplyId,
    pub abor: ReplyId,
    pub aborted: ReplyId,
    pub abor_done: ReplyId,
    pub site_idle: ReplyId,
    pub noop: ReplyId,
    pub quit: ReplyId,
    pub unknown: ReplyId,
    pub type_image: ReplyId,
    pub type_ascii: ReplyId,
    pub size: ReplyId,
    pub rest: ReplyId,
    pub nlst_done: ReplyId,
    pub mlsd: ReplyId,
    pub mlsd_done: ReplyId,
    /// What the driver says in its own words: this has none.
    pub told: ReplyId,
}
