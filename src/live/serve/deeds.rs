//! What a command does with the files, and what its client is told of it: carried out when the machine says that it is obeyed.
//!
//! It decides neither whether nor when a command is obeyed, and has no words of its own.

use std::fmt::{self, Write as _};

use super::conns::{Client, Does, Order};
use super::station::Station;
use super::store::{Refused, dates};
use super::texts::{self, quoted};
use super::verbs::Deed;
use crate::ftp::Verb;
use crate::id::ConnId;
use crate::live::content::absolute;
use crate::server::{ReplyId, Word};

/// The most of a listing that is sent over a control connection, in bytes.
const LISTING: usize = 64 << 10;

/// What has come of a deed.
struct Done {
    word: Word,
    /// Why it is not done.
    why: Option<Refused>,
    /// What the words cannot know: a time, facts, a listing.
    more: String,
}

impl From<Word> for Done {
    fn from(word: Word) -> Self {
        Self { word, why: None, more: String::new() }
    }
}

impl Station {
    /// Carries out what `conn` was promised, now that the machine obeys it and answers with `reply`; gives the answer, if it is not the
    /// machine's.
    pub(super) fn fulfil(&mut self, conn: ConnId, reply: ReplyId) -> Option<Vec<u8>> {
        let policy = self.server.policy();
        let (told, good) = (reply == policy.replies.told, policy.table.get(reply).code < 400);
        let stored = reply == policy.replies.stor || Some(reply) == policy.data.early;
        let entry = self.conns.of(conn)?;
        let Order { verb, does } = std::mem::take(&mut entry.client.order);
        let done = match does {
            Does::Says(word, why) if told || stored => Done { word, why, more: String::new() },
            Does::Deed(deed) if good => match self.does(conn, deed) {
                Ok(done) => done?,
                Err(why) => Done { word: word_for(why), why: Some(why), more: String::new() },
            },
            Does::Nothing if told => Word::Done.into(),
            _ => return None,
        };
        self.tell_of(conn, &verb, &done)
    }

    /// The words for `done`.
    fn tell_of(&mut self, conn: ConnId, verb: &str, done: &Done) -> Option<Vec<u8>> {
        let connections = self.server.slots();
        let text = self.server.policy().words.say(verb, done.word).unwrap_or("200 OK");
        let entry = self.conns.of(conn)?;
        let (client, ip) = (&entry.client, entry.peer.ip());
        let Client { path, at, .. } = client;
        let indent = if text.contains("\n {listing}") { " " } else { "" };
        Some(texts::said(text, |name, into| match name {
            "path" => into.write_str(path),
            "cwd" => into.write_str(&quoted(at)),
            "made" => into.write_str(&quoted(&absolute(at, path))),
            "why" => into.write_str(done.why.map_or("", reason)),
            "user" => into.write_str(&client.user),
            "ip" => write!(into, "{ip}"),
            "verb" => into.write_str(&client.verb),
            "type" => into.write_str(if client.text { "ASCII" } else { "BINARY" }),
            "k" => write!(into, "{connections}"),
            "facts" | "time" => into.write_str(&done.more),
            "listing" => write_lines(&done.more, indent, into),
            _ => Err(fmt::Error),
        }))
    }

    /// Does `deed`; nothing is said if the machine's own words are right.
    fn does(&mut self, conn: ConnId, deed: Deed) -> Result<Option<Done>, Refused> {
        let Some(entry) = self.conns.of(conn) else { return Ok(None) };
        let client = &mut entry.client;
        let path = if client.bare { client.at.clone() } else { absolute(&client.at, &client.path) };
        let store = &mut self.store;
        let said = |word: Word| Ok(Some(Done::from(word)));
        match deed {
            Deed::Cwd | Deed::Cdup => {
                let to = if deed == Deed::Cdup { absolute(&client.at, "..") } else { path };
                if !store.facts(&to)?.folder {
                    return Err(Refused::IsFile);
                }
                client.at.clone_from(&to);
                client.path = to;
                let own = deed == Deed::Cdup && self.server.policy().words.says("CDUP", Word::Done);
                Ok(own.then(|| Word::Done.into()))
            }
            Deed::Rest(from) => {
                client.rest = from;
                Ok(None)
            }
            Deed::Type(arg) => {
                client.text = arg == crate::ftp::ArgId::ASCII;
                Ok(None)
            }
            Deed::Size if client.text && self.server.policy().words.says("SIZE", Word::Denied) => {
                said(Word::Denied)
            }
            Deed::Size => {
                let facts = store.facts(&path)?;
                if facts.folder {
                    return Err(Refused::IsFolder);
                }
                client.bytes = facts.size;
                client.sized = Some((path, facts.size));
                Ok(None)
            }
            Deed::Mdtm => {
                let facts = store.facts(&path)?;
                if facts.folder {
                    return Err(Refused::IsFolder);
                }
                Ok(Some(Done { more: dates::stamp(facts.modified), ..Word::Done.into() }))
            }
            Deed::Mlst => Ok(Some(Done { more: store.fact_line(&path)?, ..Word::Done.into() })),
            Deed::Stat if client.bare => said(Word::Done),
            Deed::Stat => {
                let word = if store.facts(&path)?.folder { Word::Folder } else { Word::Listed };
                let listing = store.listing(&path, Verb::List)?;
                Ok(Some(Done { more: String::from_utf8_lossy(&listing).into_owned(), ..word.into() }))
            }
            Deed::Mkd => store.make_folder(&path).and_then(|()| said(Word::Done)),
            Deed::Rmd => store.remove_folder(&path).and_then(|()| said(Word::Done)),
            Deed::Dele => store.remove_file(&path).and_then(|()| said(Word::Done)),
            Deed::Rnfr => {
                store.facts(&path)?;
                client.renames = Some(path);
                said(Word::Done)
            }
            Deed::Rnto => match client.renames.take() {
                None => said(Word::First),
                Some(from) => store.rename(&from, &path).and_then(|()| said(Word::Done)),
            },
            Deed::Chmod => {
                let (mode, named) = client.path.split_once(' ').unwrap_or((&client.path, ""));
                if named.is_empty() {
                    return said(Word::Bare);
                }
                if u16::from_str_radix(mode, 8).is_err() {
                    return said(Word::Wrong);
                }
                let named = named.to_owned();
                let path = absolute(&client.at, &named);
                client.path = named;
                store.facts(&path)?; // nobody has rights here
                said(Word::Done)
            }
            Deed::OnlyEpsv => {
                client.only_epsv = true;
                said(Word::Done)
            }
            Deed::Clear => said(Word::Done),
            Deed::Rein => {
                *client = Client { verb: std::mem::take(&mut client.verb), ..Client::new() };
                said(Word::Done)
            }
        }
    }
}

/// What tells of a refusal.
pub(super) fn word_for(refused: Refused) -> Word {
    if refused == Refused::IsFolder { Word::Folder } else { Word::Failed }
}

/// Why something cannot be done, as `strerror` says it.
const fn reason(refused: Refused) -> &'static str {
    match refused {
        Refused::Missing => "No such file or directory",
        Refused::IsFolder => "Is a directory",
        Refused::IsFile => "Not a directory",
        Refused::Exists => "File exists",
        Refused::NotEmpty => "Directory not empty",
        Refused::ReadOnly => "Permission denied",
        Refused::Full => "No space left on device",
        Refused::BadName | Refused::PastEnd => "Invalid argument",
        Refused::Broken => "Input/output error",
    }
}

/// The lines of a listing, each behind `indent`, and no more of them than may be sent.
fn write_lines(listing: &str, indent: &str, into: &mut String) -> fmt::Result {
    let mut room = LISTING;
    for (place, line) in listing.lines().enumerate() {
        let Some(left) = room.checked_sub(line.len()) else { break };
        room = left;
        // The first one stands behind the text's own.
        writeln!(into, "{}{line}", if place == 0 { "" } else { indent })?;
    }
    Ok(())
}
