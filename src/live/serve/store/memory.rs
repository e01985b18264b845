//! The tree in memory: folders, synthetic files, and what was uploaded.
//!
//! What is in a file says `body`. Nothing of it outlives the server.
//!
//! All that a client can make is bounded: how many files and folders there are, how long their names are and how deep they lie, and,
//! by the quota, how many bytes they hold.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::body::{Body, Inode, Quota};
use super::synthetic::{self, BEGINNING, Beginning, FILLS, OTHER, folder_of, is_filler};
use super::{Facts, Manner, Refused, Sink, Source, Tree, listing};
use crate::dist::Dist;
use crate::ftp::Verb;
use crate::live::content::Content;
use crate::rng::{Purpose, Stream, Streams};

/// The most files and folders that clients may make.
pub(super) const MADE: usize = 10_000;
/// The longest name, bytes (as on most disks).
pub(super) const NAME: usize = 255;
/// The longest path, bytes.
pub(super) const PATH: usize = 1_024;
/// The deepest that anything lies: so many names make its path.
pub(super) const DEPTH: usize = 64;

/// The tree.
#[derive(Debug)]
pub(super) struct Memory {
    root: Folder,
    quota: Quota,
    /// How many more files and folders may be made.
    room: usize,
    seed: u64,
    draws: Stream,
    drawn: u64,
}

#[derive(Debug)]
struct Folder {
    modified: u64,
    entries: BTreeMap<Box<str>, Node>,
    /// How long the scripts want its listing, bytes.
    listed: Option<Dist>,
}

#[derive(Debug)]
enum Node {
    Folder(Folder),
    File(File),
}

#[derive(Debug)]
struct File {
    inode: Inode,
    /// Its size is drawn anew for each transfer, where the script says that it differs.
    drawn: Option<Dist>,
}

impl Folder {
    fn new(modified: u64) -> Self {
        Self { modified, entries: BTreeMap::new(), listed: None }
    }

    fn facts(&self) -> Facts {
        Facts { folder: true, size: 0, modified: self.modified, writable: true }
    }

    /// How many names deep it goes below itself, and how long their path is at most.
    fn reach(&self) -> (usize, usize) {
        let below = self.entries.iter().map(|(name, node)| {
            let (depth, length) = if let Node::Folder(inner) = node { inner.reach() } else { (0, 0) };
            (depth + 1, length + 1 + name.len())
        });
        below.fold((0, 0), |(depth, length), (d, l)| (depth.max(d), length.max(l)))
    }
}

impl File {
    fn facts(&self) -> Facts {
        let body = self.inode.borrow();
        Facts { folder: false, size: body.size(), modified: body.modified, writable: true }
    }
}

impl Node {
    fn facts(&self) -> Facts {
        match self {
            Self::Folder(folder) => folder.facts(),
            Self::File(file) => file.facts(),
        }
    }
}

/// What a path leads to.
enum Found<'a> {
    Folder(&'a Folder),
    File(&'a File),
    /// One of those that fill up the listing of their folder.
    Filler,
}

impl Memory {
    pub(super) fn new(beginning: &Beginning, seed: u64, streams: Streams, stored: u64) -> Self {
        let mut memory = Self {
            root: Folder::new(BEGINNING),
            quota: Quota::new(stored),
            room: MADE,
            seed,
            draws: streams.stream(Purpose::ServedSize, 0),
            drawn: 0,
        };
        for (path, listed) in &beginning.listings {
            if let Some(folder) = memory.found(path) {
                folder.listed = Some(listed.clone());
            }
        }
        for path in &beginning.folders {
            memory.found(path);
        }
        for (path, size) in &beginning.files {
            memory.found_file(path, size);
        }
        memory
    }

    /// The folder at `path`, made with all that it lies in. None where a file is in the way.
    fn found(&mut self, path: &str) -> Option<&mut Folder> {
        let mut folder = &mut self.root;
        for name in names(path) {
            let node = folder.entries.entry(name.into());
            folder = match node.or_insert_with(|| Node::Folder(Folder::new(BEGINNING))) {
                Node::Folder(folder) => folder,
                Node::File(_) => return None,
            };
        }
        Some(folder)
    }

    fn found_file(&mut self, path: &str, size: &Dist) {
        let content = Content::of(self.seed, path);
        let drawn = (!matches!(size, Dist::Constant(_))).then(|| size.clone());
        let inode = Body::made(content, size.sample(0), BEGINNING, &self.quota);
        let Some(name) = names(path).last() else { return };
        if let Some(folder) = self.found(folder_of(path)) {
            folder.entries.entry(name.into()).or_insert(Node::File(File { inode, drawn }));
        }
    }

    fn look(&self, path: &str) -> Result<Found<'_>, Refused> {
        let mut folder = &self.root;
        let mut names = names(path);
        while let Some(name) = names.next() {
            match folder.entries.get(name) {
                Some(Node::Folder(inner)) => folder = inner,
                Some(Node::File(_)) | None if names.clone().next().is_some() => return Err(Refused::Missing),
                Some(Node::File(file)) => return Ok(Found::File(file)),
                None if folder.listed.is_some() && is_filler(name) => return Ok(Found::Filler),
                None => return Err(Refused::Missing),
            }
        }
        Ok(Found::Folder(folder))
    }

    fn draw(&mut self, purpose: u64, size: &Dist) -> u64 {
        size.sample(self.draws.word(purpose, self.drawn))
    }

    /// The files and folders that a pattern means.
    fn matching(&self, path: &str, pattern: &str, verb: Verb) -> Result<Vec<u8>, Refused> {
        let Found::Folder(folder) = self.look(folder_of(path))? else { return Err(Refused::Missing) };
        let meant = folder.entries.iter().filter(|(name, _)| listing::means(pattern, name));
        let text: String = meant.map(|(name, node)| listing::line(name, node.facts(), verb)).collect();
        if text.is_empty() { Err(Refused::Missing) } else { Ok(text.into_bytes()) }
    }

    fn folder_mut(&mut self, path: &str) -> Result<&mut Folder, Refused> {
        let mut folder = &mut self.root;
        for name in names(path) {
            folder = match folder.entries.get_mut(name) {
                Some(Node::Folder(inner)) => inner,
                _ => return Err(Refused::Missing),
            };
        }
        Ok(folder)
    }

    /// May something be made at `path`, which is not there?
    fn may_make(&self, path: &str) -> Result<(), Refused> {
        self.is_in_folder(path)?;
        super::may_be_called(path)?;
        if self.room == 0 { Err(Refused::Full) } else { Ok(()) }
    }

    fn is_in_folder(&self, path: &str) -> Result<(), Refused> {
        match self.look(folder_of(path))? {
            Found::Folder(_) => Ok(()),
            _ => Err(Refused::Missing),
        }
    }

    fn take_out(&mut self, path: &str, now: u64) -> Result<Node, Refused> {
        let name = names(path).last().ok_or(Refused::ReadOnly)?;
        let folder = self.folder_mut(folder_of(path))?;
        let node = folder.entries.remove(name).ok_or(Refused::Missing)?;
        folder.modified = now;
        self.room += 1;
        Ok(node)
    }
}

impl Tree for Memory {
    fn facts(&mut self, path: &str) -> Result<Facts, Refused> {
        self.drawn += 1;
        let (facts, drawn) = match self.look(path)? {
            Found::Folder(folder) => (folder.facts(), None),
            Found::File(file) => (file.facts(), file.drawn.clone()),
            Found::Filler => (FILLS, None),
        };
        Ok(Facts { size: drawn.map_or(facts.size, |drawn| self.draw(0, &drawn)), ..facts })
    }

    fn listing(&mut self, path: &str, verb: Verb) -> Result<Vec<u8>, Refused> {
        self.drawn += 1;
        let name = names(path).last().unwrap_or_default();
        let found = match self.look(path) {
            Err(Refused::Missing) if listing::is_pattern(name) => return self.matching(path, name, verb),
            found => found?,
        };
        let folder = match found {
            Found::Folder(folder) => folder,
            // RFC 3659, section 7.1: MLSD is for folders.
            _ if verb == Verb::Mlsd => return Err(Refused::IsFile),
            Found::File(file) => return Ok(listing::line(name, file.facts(), verb).into_bytes()),
            Found::Filler => return Ok(listing::line(name, FILLS, verb).into_bytes()),
        };
        let wanted = folder.listed.as_ref().map(|listed| listed.sample(self.draws.word(1, self.drawn)));
        let lines = folder.entries.iter().map(|(name, node)| listing::line(name, node.facts(), verb));
        Ok(match wanted {
            Some(wanted) => synthetic::fill(lines, wanted, verb),
            None => lines.collect::<String>().into_bytes(),
        })
    }

    fn source(&mut self, path: &str) -> Result<Source, Refused> {
        self.drawn += 1;
        let file = match self.look(path)? {
            Found::Folder(_) => return Err(Refused::IsFolder),
            Found::Filler => {
                let content = Content::of(self.seed, path);
                return Ok(Source::Synthetic { content, size: OTHER });
            }
            Found::File(file) => file,
        };
        let body = file.inode.borrow();
        let (size, content, drawn) = (body.size(), body.content(), file.drawn.clone());
        if let (Some(content), Some(drawn)) = (content, drawn) {
            drop(body);
            return Ok(Source::Synthetic { content, size: self.draw(0, &drawn) });
        }
        Ok(match content {
            Some(content) if body.is_made() => Source::Synthetic { content, size },
            _ => Source::Stored { inode: Rc::clone(&file.inode), size },
        })
    }

    fn may_store(&mut self, path: &str, manner: Manner) -> Result<(), Refused> {
        let from = match manner {
            Manner::From(from) => from,
            Manner::Append => 0,
        };
        match self.look(path) {
            Ok(Found::Folder(_)) => Err(Refused::IsFolder),
            Ok(Found::File(file)) if from > file.inode.borrow().size() => Err(Refused::PastEnd),
            Ok(Found::File(_)) => Ok(()),
            Ok(Found::Filler) if manner != Manner::From(0) => Err(Refused::ReadOnly),
            Ok(Found::Filler) | Err(Refused::Missing) => {
                self.may_make(path)?;
                if from > 0 { Err(Refused::PastEnd) } else { Ok(()) }
            }
            Err(refused) => Err(refused),
        }
    }

    fn sink(&mut self, path: &str, manner: Manner, now: u64) -> Result<Sink, Refused> {
        self.may_store(path, manner)?;
        let fresh = Body::empty(now, &self.quota);
        let name = names(path).last().ok_or(Refused::IsFolder)?;
        let folder = self.folder_mut(folder_of(path))?;
        let inode = match (folder.entries.get_mut(name), manner) {
            // Who fetches the old one goes on with that.
            (Some(Node::File(file)), Manner::From(0)) => {
                *file = File { inode: Rc::clone(&fresh), drawn: None };
                fresh
            }
            (Some(Node::File(file)), _) => {
                file.drawn = None;
                Rc::clone(&file.inode)
            }
            (Some(Node::Folder(_)), _) => return Err(Refused::IsFolder),
            (None, _) => {
                let file = File { inode: Rc::clone(&fresh), drawn: None };
                folder.entries.insert(name.into(), Node::File(file));
                folder.modified = now;
                self.room -= 1;
                fresh
            }
        };
        if let Manner::From(from) = manner {
            inode.borrow_mut().truncate(from);
        }
        Ok(Sink::Stored(inode))
    }

    fn make_folder(&mut self, path: &str, now: u64) -> Result<(), Refused> {
        match self.look(path) {
            Ok(_) => return Err(Refused::Exists),
            Err(Refused::Missing) => self.may_make(path)?,
            Err(refused) => return Err(refused),
        }
        let name = names(path).last().ok_or(Refused::Exists)?;
        let folder = self.folder_mut(folder_of(path))?;
        folder.entries.insert(name.into(), Node::Folder(Folder::new(now)));
        folder.modified = now;
        self.room -= 1;
        Ok(())
    }

    fn remove_folder(&mut self, path: &str, now: u64) -> Result<(), Refused> {
        match self.look(path)? {
            Found::Folder(_) if path == "/" => Err(Refused::ReadOnly),
            Found::Folder(folder) if !folder.entries.is_empty() || folder.listed.is_some() => {
                Err(Refused::NotEmpty)
            }
            Found::Folder(_) => {
                self.take_out(path, now)?;
                Ok(())
            }
            Found::File(_) | Found::Filler => Err(Refused::IsFile),
        }
    }

    fn remove_file(&mut self, path: &str, now: u64) -> Result<(), Refused> {
        match self.look(path)? {
            Found::Folder(_) => Err(Refused::IsFolder),
            Found::Filler => Err(Refused::ReadOnly),
            Found::File(_) => {
                self.take_out(path, now)?;
                Ok(())
            }
        }
    }

    fn rename(&mut self, from: &str, to: &str, now: u64) -> Result<(), Refused> {
        let (is_folder, (depth, length)) = match self.look(from)? {
            Found::Folder(_) if from == "/" => return Err(Refused::ReadOnly),
            Found::Filler => return Err(Refused::ReadOnly),
            Found::Folder(folder) => (true, folder.reach()),
            Found::File(_) => (false, (0, 0)),
        };
        if from == to {
            return Ok(());
        }
        if is_folder && to.strip_prefix(from).is_some_and(|rest| rest.starts_with('/')) {
            return Err(Refused::BadName);
        }
        match self.look(to) {
            Ok(Found::File(_) | Found::Filler) if !is_folder => {}
            Ok(_) => return Err(Refused::Exists),
            Err(Refused::Missing) => self.is_in_folder(to)?,
            Err(refused) => return Err(refused),
        }
        super::may_be_called(to)?;
        if names(to).count() + depth > DEPTH || to.len() + length > PATH {
            return Err(Refused::BadName);
        }
        let node = self.take_out(from, now)?;
        let name = names(to).last().ok_or(Refused::Exists)?;
        let folder = self.folder_mut(folder_of(to))?;
        folder.modified = now;
        if folder.entries.insert(name.into(), node).is_none() {
            self.room -= 1;
        }
        Ok(())
    }
}

/// The names that make up a path.
fn names(path: &str) -> impl Iterator<Item = &str> + Clone {
    path.split('/').filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests;
