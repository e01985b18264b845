//! The files of a served model: what is where, how large it is, and its bytes.
//!
//! It knows no verbs and no replies: whoever asks puts a refusal into the words of a reply.
//!
//! By default it is a tree in memory: synthetic files of any size, and what is uploaded, up to a cap. Or it is a folder of a disk.
//! A path is absolute, as [`absolute`](crate::live::content::absolute) makes them: it has no dots, and no way out.

mod body;
pub mod dates;
mod disk;
pub(super) mod elsewhere;
mod listing;
mod memory;
mod synthetic;

use std::io;
use std::sync::Arc;

use cap_std::fs::{File, FileExt as _};

use crate::ftp::Verb;
use crate::live::Clock;
use crate::live::content::Content;
use crate::rng::Streams;

use self::body::Inode;
use self::disk::Disk;
use self::memory::Memory;
use self::synthetic::Beginning;
use super::Plan;

pub(super) use self::elsewhere::Ahead;

/// An open file of the disk.
pub type Handle = Arc<File>;

/// Why something cannot be done with a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refused {
    /// There is no such thing.
    Missing,
    /// It is a folder, and should be a file.
    IsFolder,
    /// It is a file, and should be a folder.
    IsFile,
    /// Something of that name is there already.
    Exists,
    /// The folder is not empty.
    NotEmpty,
    /// Nothing may be changed here.
    ReadOnly,
    /// There is no room for more.
    Full,
    /// No file can be called that, or lie there.
    BadName,
    /// An upload would go on behind the end of the file.
    PastEnd,
    /// The disk said no.
    Broken,
}

/// What is known of a file or a folder.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Facts {
    /// Is it a folder?
    pub folder: bool,
    /// Bytes.
    pub size: u64,
    /// When it was last changed, seconds since 1970.
    pub modified: u64,
    /// May it be changed?
    pub writable: bool,
}

/// What a download sends.
#[derive(Debug)]
pub enum Source {
    /// Made up as it is sent.
    Synthetic {
        /// The bytes.
        content: Content,
        /// How many.
        size: u64,
    },
    /// What was uploaded before.
    Stored {
        /// The bytes, as they are when they are sent.
        inode: Inode,
        /// How many there were when it was opened.
        size: u64,
    },
    /// A file of the disk.
    Disk {
        /// Its handle.
        file: Handle,
        /// How many bytes there were when it was opened.
        size: u64,
    },
}

impl Source {
    /// Bytes.
    pub(super) fn size(&self) -> u64 {
        match self {
            Self::Synthetic { size, .. } | Self::Stored { size, .. } | Self::Disk { size, .. } => *size,
        }
    }

    /// The same, but so many bytes large: a client that was told a size of a file whose size differs gets that.
    pub(super) fn sized(self, size: u64) -> Self {
        match self {
            Self::Synthetic { content, .. } => Self::Synthetic { content, size },
            other => other,
        }
    }

    /// Its bytes from `at` on: all that are asked for.
    ///
    /// # Errors
    /// There are no longer so many.
    pub(super) fn fill(&self, at: u64, into: &mut [u8]) -> io::Result<()> {
        match self {
            Self::Synthetic { content, .. } => content.fill(at, into),
            Self::Stored { inode, .. } => {
                if inode.borrow().read(at, into) < into.len() {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
            }
            Self::Disk { file, .. } => file.read_exact_at(into, at)?,
        }
        Ok(())
    }
}

/// What becomes of an upload.
#[derive(Debug)]
pub enum Sink {
    /// Its bytes are counted and forgotten.
    Forgotten,
    /// It is to be opened when its transfer begins: nothing is changed before.
    Promised {
        /// Where it goes.
        path: String,
        /// What becomes of what is there.
        manner: Manner,
    },
    /// In memory.
    Stored(Inode),
    /// On the disk, from where its handle stands.
    Disk(Handle),
}

impl Sink {
    /// Takes the next bytes, at the time `now`, into memory.
    ///
    /// # Errors
    /// There is no room for them.
    pub(super) fn take(&mut self, bytes: &[u8], now: u64) -> Result<(), Refused> {
        match self {
            Self::Forgotten => Ok(()),
            Self::Promised { .. } | Self::Disk(_) => Err(Refused::Broken), // the one was never opened, the other is written elsewhere
            Self::Stored(inode) => {
                let mut body = inode.borrow_mut();
                body.modified = now;
                body.append(bytes)
            }
        }
    }
}

/// How an upload treats what is there already.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Manner {
    /// STOR: it replaces it, from this byte on (REST). What was there behind that is gone, and the byte lies within the file or at its end.
    From(u64),
    /// APPE: it comes behind it.
    Append,
}

/// Where the files are. What is asked for is a path as the [`Store`] gets it; `now` is the date for what is changed, seconds since 1970.
trait Tree: std::fmt::Debug {
    fn facts(&mut self, path: &str) -> Result<Facts, Refused>;
    fn listing(&mut self, path: &str, verb: Verb) -> Result<Vec<u8>, Refused>;
    fn source(&mut self, path: &str) -> Result<Source, Refused>;
    /// May this be uploaded? Nothing is changed.
    fn may_store(&mut self, path: &str, manner: Manner) -> Result<(), Refused>;
    /// Begins an upload.
    fn sink(&mut self, path: &str, manner: Manner, now: u64) -> Result<Sink, Refused>;
    fn make_folder(&mut self, path: &str, now: u64) -> Result<(), Refused>;
    fn remove_folder(&mut self, path: &str, now: u64) -> Result<(), Refused>;
    fn remove_file(&mut self, path: &str, now: u64) -> Result<(), Refused>;
    /// As rename(2), but that a folder replaces nothing, and nothing replaces a folder.
    fn rename(&mut self, from: &str, to: &str, now: u64) -> Result<(), Refused>;
}

/// Is what `plan` wants served there?
///
/// # Errors
/// Its folder cannot be opened.
pub(super) fn look_at(plan: &Plan) -> io::Result<()> {
    plan.root.as_ref().map_or(Ok(()), |root| Disk::at(root, plan.writable).map(|_| ()))
}

/// Seconds of a day.
const DAY: u64 = 86_400;

/// All files of a server.
#[derive(Debug)]
pub(super) struct Store {
    files: Box<dyn Tree>,
    clock: Clock,
    /// Dates are rounded down to so many seconds of the run.
    grain: u64,
    /// How many names were made up for STOU.
    unique: u64,
}

impl Store {
    pub(super) fn new(plan: &Plan, streams: Streams, clock: Clock) -> io::Result<Self> {
        let files: Box<dyn Tree> = if let Some(root) = &plan.root {
            Box::new(Disk::at(root, plan.writable)?)
        } else {
            let beginning = Beginning::of(&plan.scenario, &plan.files);
            Box::new(Memory::new(&beginning, plan.scenario.seed, streams, plan.max_stored))
        };
        let grain = if plan.recorder.is_some() { DAY } else { 1 };
        Ok(Self { files, clock, grain, unique: 0 })
    }

    /// The date for what is changed now, seconds since 1970. Runs begin at a fixed date, so that the same script sees the same dates.
    pub(super) fn now(&self) -> u64 {
        let run = self.clock.now().as_nanos() / 1_000_000_000;
        synthetic::BEGINNING + run / self.grain * self.grain
    }

    /// What is known of the file or folder at `path`. Of a file whose size is drawn anew for each transfer, it is that of the next one.
    pub(super) fn facts(&mut self, path: &str) -> Result<Facts, Refused> {
        self.files.facts(path)
    }

    /// The facts of the file or folder at `path` as MLST says them (RFC 3659, section 7.2), without the name.
    pub(super) fn fact_line(&mut self, path: &str) -> Result<String, Refused> {
        self.facts(path).map(listing::facts)
    }

    /// The listing of the folder, or the line of the file, at `path`, as LIST, NLST or MLSD writes it. The last name may be a pattern.
    pub(super) fn listing(&mut self, path: &str, verb: Verb) -> Result<Vec<u8>, Refused> {
        self.files.listing(path, verb)
    }

    /// Opens the file at `path` for a download.
    pub(super) fn source(&mut self, path: &str) -> Result<Source, Refused> {
        self.files.source(path)
    }

    /// Looks whether the file at `path` may be uploaded. Nothing is changed before its transfer begins.
    pub(super) fn sink(&mut self, path: &str, manner: Manner) -> Result<Sink, Refused> {
        self.files.may_store(path, manner)?;
        Ok(Sink::Promised { path: path.to_owned(), manner })
    }

    /// Opens what was promised: the transfer begins.
    pub(super) fn open(&mut self, sink: Sink) -> Result<Sink, Refused> {
        let now = self.now();
        match sink {
            Sink::Promised { path, manner } => self.files.sink(&path, manner, now),
            open => Ok(open),
        }
    }

    /// A path for STOU that nobody has, made of `path`: the name with a number behind it, as vsftpd makes it.
    pub(super) fn unique(&mut self, path: &str) -> Result<String, Refused> {
        // The number is never used again, not even if the upload has not begun yet.
        for _ in 0..memory::MADE {
            self.unique += 1;
            let path = format!("{path}.{}", self.unique);
            match self.facts(&path) {
                Ok(_) => {}
                Err(Refused::Missing) => return Ok(path),
                Err(refused) => return Err(refused),
            }
        }
        Err(Refused::Full)
    }

    /// MKD.
    pub(super) fn make_folder(&mut self, path: &str) -> Result<(), Refused> {
        self.files.make_folder(path, self.now())
    }

    /// RMD.
    pub(super) fn remove_folder(&mut self, path: &str) -> Result<(), Refused> {
        self.files.remove_folder(path, self.now())
    }

    /// DELE.
    pub(super) fn remove_file(&mut self, path: &str) -> Result<(), Refused> {
        self.files.remove_file(path, self.now())
    }

    /// RNFR and RNTO.
    pub(super) fn rename(&mut self, from: &str, to: &str) -> Result<(), Refused> {
        self.files.rename(from, to, self.now())
    }
}

/// Can something new be called `path`, and lie there? Where a name could not be shown, or was not UTF-8, nothing is made: it would be
/// another name.
fn may_be_called(path: &str) -> Result<(), Refused> {
    let mut depth = 0;
    for name in path.split('/').filter(|name| !name.is_empty()) {
        depth += 1;
        let odd = |c: char| c.is_control() || c == char::REPLACEMENT_CHARACTER;
        if name.len() > memory::NAME || name == "." || name == ".." || name.contains(odd) {
            return Err(Refused::BadName);
        }
    }
    if depth == 0 || depth > memory::DEPTH || path.len() > memory::PATH {
        return Err(Refused::BadName);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
