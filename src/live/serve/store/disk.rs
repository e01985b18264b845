//! A folder of a disk, and nothing outside of it.
//!
//! It looks at no path itself to see whether it leads out: every path is opened beneath the folder's own handle, and the kernel, or
//! `cap-std` where that cannot, refuses at each step what leads elsewhere (`..`, a link, a folder that was swapped for a link just now).
//! A link to somewhere inside is followed if it is relative; an absolute one leads out wherever it points. Pipes, devices and sockets
//! are not there. A hard link is a file like any other.
//!
//! A name that is not UTF-8, or has control characters, is shown with `U+FFFD` and `?` in their places, and what is asked for by such a
//! name is the file that is shown so: the first in the order of bytes. Nothing new is called so.

use std::ffi::OsStr;
use std::io::{self, ErrorKind, Seek as _, SeekFrom};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cap_std::fs::{Dir, File, Metadata, MetadataExt as _, OpenOptions, OpenOptionsExt as _};
use nix::libc::{O_NOCTTY, O_NONBLOCK};

use super::synthetic::folder_of;
use super::{Facts, Manner, Refused, Sink, Source, Tree, listing, may_be_called};
use crate::ftp::Verb;

/// The most entries of a folder that are looked at.
const LISTED: usize = 100_000;

/// The folder that is served.
#[derive(Debug)]
pub(super) struct Disk {
    root: Dir,
    writable: bool,
}

impl Disk {
    pub(super) fn at(root: &Path, writable: bool) -> io::Result<Self> {
        Ok(Self { root: Dir::open_ambient_dir(root, cap_std::ambient_authority())?, writable })
    }

    /// What `path` is called on the disk.
    fn real(&self, path: &str) -> PathBuf {
        let plain = relative(path);
        if !is_odd(path) || self.root.symlink_metadata(&plain).is_ok() {
            return plain;
        }
        let mut real = PathBuf::from(".");
        for name in path.split('/').filter(|name| !name.is_empty()) {
            let shown = if is_odd(name) { self.shown_as(&real, name) } else { None };
            real.push(shown.unwrap_or_else(|| name.into()));
        }
        real
    }

    /// The entry of `folder` that is shown as `name`.
    fn shown_as(&self, folder: &Path, name: &str) -> Option<PathBuf> {
        if self.root.symlink_metadata(folder.join(name)).is_ok() {
            return None;
        }
        let entries = self.root.read_dir(folder).ok()?.take(LISTED);
        let names = entries.filter_map(|entry| Some(entry.ok()?.file_name()));
        names.filter(|real| shown(real) == name).min().map(PathBuf::from)
    }

    fn known(&self, real: &Path) -> Result<Facts, Refused> {
        self.facts_of(&self.root.metadata(real).map_err(why)?)
    }

    fn facts_of(&self, known: &Metadata) -> Result<Facts, Refused> {
        let folder = known.is_dir();
        if !folder && !known.is_file() {
            return Err(Refused::Missing);
        }
        let size = if folder { 0 } else { known.len() };
        Ok(Facts { folder, size, modified: known.mtime().max(0) as u64, writable: self.writable })
    }

    /// The lines of a folder, in the order of their names.
    fn lines(&self, real: &Path, verb: Verb, pattern: Option<&str>) -> Result<Vec<u8>, Refused> {
        let mut lines = Vec::new();
        for entry in self.root.read_dir(real).map_err(why)?.take(LISTED) {
            let Ok(entry) = entry else { continue };
            let name = entry.file_name();
            let said = shown(&name);
            if pattern.is_some_and(|pattern| !listing::means(pattern, &said)) {
                continue;
            }
            // A link is what it leads to, and nothing if that is outside.
            let known = match entry.metadata() {
                Ok(known) if known.is_symlink() => self.known(&real.join(&name)),
                Ok(known) => self.facts_of(&known),
                Err(_) => continue, // it was removed just now
            };
            if let Ok(facts) = known {
                lines.push((name, listing::line(&said, facts, verb)));
            }
        }
        lines.sort();
        if pattern.is_some() && lines.is_empty() {
            return Err(Refused::Missing);
        }
        Ok(lines.into_iter().map(|(_, line)| line).collect::<String>().into_bytes())
    }

    /// Opens a regular file. What is none is not waited for, as a pipe would have it.
    fn open(&self, real: &Path, options: &mut OpenOptions) -> Result<File, Refused> {
        let options = options.custom_flags(O_NONBLOCK | O_NOCTTY);
        let file = self.root.open_with(real, options).map_err(why)?;
        let known = file.metadata().map_err(why)?;
        if known.is_file() {
            Ok(file)
        } else if known.is_dir() {
            Err(Refused::IsFolder)
        } else {
            Err(Refused::Missing)
        }
    }

    fn may_change(&self) -> Result<(), Refused> {
        if self.writable { Ok(()) } else { Err(Refused::ReadOnly) }
    }

    /// May something be made at `path`?
    fn may_make(&self, path: &str) -> Result<(), Refused> {
        self.may_change()?;
        may_be_called(path)?;
        // What is no file and no folder is in the way, though it is not there for anybody.
        match self.root.symlink_metadata(self.real(path)) {
            Ok(_) if self.known(&self.real(path)).is_err() => return Err(Refused::Exists),
            _ => {}
        }
        match self.known(&self.real(folder_of(path)))? {
            Facts { folder: true, .. } => Ok(()),
            _ => Err(Refused::Missing),
        }
    }
}

impl Tree for Disk {
    fn facts(&mut self, path: &str) -> Result<Facts, Refused> {
        self.known(&self.real(path))
    }

    fn listing(&mut self, path: &str, verb: Verb) -> Result<Vec<u8>, Refused> {
        let name = path.rsplit('/').next().unwrap_or_default();
        let real = self.real(path);
        match self.known(&real) {
            Ok(Facts { folder: true, .. }) => self.lines(&real, verb, None),
            Ok(_) if verb == Verb::Mlsd => Err(Refused::IsFile),
            Ok(facts) => Ok(listing::line(name, facts, verb).into_bytes()),
            Err(Refused::Missing) if listing::is_pattern(name) => {
                let folder = self.real(folder_of(path));
                if !self.known(&folder)?.folder {
                    return Err(Refused::Missing);
                }
                self.lines(&folder, verb, Some(name))
            }
            Err(refused) => Err(refused),
        }
    }

    fn source(&mut self, path: &str) -> Result<Source, Refused> {
        let real = self.real(path);
        if self.known(&real)?.folder {
            return Err(Refused::IsFolder);
        }
        let file = self.open(&real, OpenOptions::new().read(true))?;
        let size = file.metadata().map_err(why)?.len();
        Ok(Source::Disk { file: Arc::new(file), size })
    }

    fn may_store(&mut self, path: &str, manner: Manner) -> Result<(), Refused> {
        self.may_change()?;
        let from = match manner {
            Manner::From(from) => from,
            Manner::Append => 0,
        };
        match self.known(&self.real(path)) {
            Ok(Facts { folder: true, .. }) => Err(Refused::IsFolder),
            Ok(Facts { size, .. }) if from > size => Err(Refused::PastEnd),
            Ok(_) => Ok(()),
            Err(Refused::Missing) => {
                self.may_make(path)?;
                if from > 0 { Err(Refused::PastEnd) } else { Ok(()) }
            }
            Err(refused) => Err(refused),
        }
    }

    fn sink(&mut self, path: &str, manner: Manner, _now: u64) -> Result<Sink, Refused> {
        self.may_store(path, manner)?;
        let real = self.real(path);
        let mut file = self.open(&real, OpenOptions::new().write(true).create(true).truncate(false))?;
        let size = file.metadata().map_err(why)?.len();
        let from = match manner {
            Manner::From(from) if from > size => return Err(Refused::PastEnd),
            Manner::From(from) => from,
            Manner::Append => size,
        };
        file.set_len(from).map_err(why)?;
        file.seek(SeekFrom::Start(from)).map_err(why)?;
        Ok(Sink::Disk(Arc::new(file)))
    }

    fn make_folder(&mut self, path: &str, _now: u64) -> Result<(), Refused> {
        let real = self.real(path);
        if self.known(&real).is_ok() {
            self.may_change()?;
            return Err(Refused::Exists);
        }
        self.may_make(path)?;
        self.root.create_dir(real).map_err(why)
    }

    fn remove_folder(&mut self, path: &str, _now: u64) -> Result<(), Refused> {
        self.may_change()?;
        let real = self.real(path);
        match self.known(&real)? {
            Facts { folder: false, .. } => Err(Refused::IsFile),
            _ if path == "/" => Err(Refused::ReadOnly),
            _ => self.root.remove_dir(real).map_err(why),
        }
    }

    fn remove_file(&mut self, path: &str, _now: u64) -> Result<(), Refused> {
        self.may_change()?;
        let real = self.real(path);
        match self.known(&real)? {
            Facts { folder: true, .. } => Err(Refused::IsFolder),
            _ => self.root.remove_file(real).map_err(why),
        }
    }

    fn rename(&mut self, from: &str, to: &str, _now: u64) -> Result<(), Refused> {
        self.may_change()?;
        let real = self.real(from);
        let is_folder = self.known(&real)?.folder;
        if from == "/" {
            return Err(Refused::ReadOnly);
        }
        if from == to {
            return Ok(());
        }
        if is_folder && to.strip_prefix(from).is_some_and(|rest| rest.starts_with('/')) {
            return Err(Refused::BadName);
        }
        let goal = self.real(to);
        match self.known(&goal) {
            Ok(facts) if is_folder || facts.folder => return Err(Refused::Exists),
            Ok(_) => may_be_called(to)?,
            Err(Refused::Missing) => self.may_make(to)?,
            Err(refused) => return Err(refused),
        }
        self.root.rename(real, &self.root, goal).map_err(why)
    }
}

/// The path beneath the root.
fn relative(path: &str) -> PathBuf {
    let names = path.split('/').filter(|name| !name.is_empty());
    std::iter::once(".").chain(names).collect()
}

/// Could this be the name of something whose name cannot be shown?
fn is_odd(name: &str) -> bool {
    name.contains([char::REPLACEMENT_CHARACTER, '?'])
}

/// A name of the disk as it is shown; a line that is read becomes the same (`lines`).
fn shown(name: &OsStr) -> String {
    let text = String::from_utf8_lossy(name.as_bytes());
    text.chars().map(|c| if c.is_control() { '?' } else { c }).collect()
}

/// Why the disk said no.
pub(super) fn why(error: io::Error) -> Refused {
    match error.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory => Refused::Missing,
        ErrorKind::IsADirectory => Refused::IsFolder,
        ErrorKind::AlreadyExists => Refused::Exists,
        ErrorKind::DirectoryNotEmpty => Refused::NotEmpty,
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => Refused::ReadOnly,
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => Refused::Full,
        ErrorKind::InvalidInput | ErrorKind::InvalidFilename | ErrorKind::CrossesDevices => Refused::BadName,
        _ => Refused::Broken,
    }
}
