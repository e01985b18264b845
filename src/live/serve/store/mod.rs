//! The files of a served model: what is where, how large it is, and its bytes.
//!
//! It knows no verbs and no replies: whoever asks puts a refusal into the words of a reply.

mod synthetic;

use crate::ftp::Verb;
use crate::live::content::Content;
use crate::rng::Streams;
use crate::scenario::Scenario;

use self::synthetic::Files;

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
    /// No file can be called that.
    BadName,
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
}

/// What becomes of an upload.
#[derive(Debug)]
pub enum Sink {
    /// Its bytes are counted and forgotten.
    Forgotten,
}

/// How an upload treats what is there already.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Manner {
    /// STOR: it replaces it, from this byte on (REST).
    From(u64),
    /// APPE: it comes behind it.
    Append,
}

/// All files of a server. Paths are absolute, as [`absolute`](crate::live::content::absolute) makes them.
#[derive(Debug)]
pub(super) struct Store {
    files: Files,
}

impl Store {
    pub(super) fn new(scenario: &Scenario, streams: Streams) -> Self {
        Self { files: Files::new(scenario, streams) }
    }

    /// What is known of the file or folder at `path`. Of a file whose size is drawn anew for each transfer, it is that of the next one.
    pub(super) fn facts(&mut self, path: &str) -> Result<Facts, Refused> {
        Ok(Facts { folder: false, size: self.files.size(path), modified: 0, writable: true })
    }

    /// The listing of the folder, or the line of the file, at `path`, as LIST, NLST or MLSD writes it.
    pub(super) fn listing(&mut self, path: &str, verb: Verb) -> Result<Vec<u8>, Refused> {
        Ok(self.files.listing(path, verb))
    }

    /// Opens the file at `path` for a download.
    pub(super) fn source(&mut self, path: &str) -> Result<Source, Refused> {
        Ok(Source::Synthetic { content: self.files.content(path), size: self.files.size(path) })
    }

    /// Opens the file at `path` for an upload.
    pub(super) fn sink(&mut self, _path: &str, _manner: Manner) -> Result<Sink, Refused> {
        Ok(Sink::Forgotten)
    }

    /// MKD.
    pub(super) fn make_folder(&mut self, _path: &str) -> Result<(), Refused> {
        Err(Refused::ReadOnly)
    }

    /// RMD.
    pub(super) fn remove_folder(&mut self, _path: &str) -> Result<(), Refused> {
        Err(Refused::ReadOnly)
    }

    /// DELE.
    pub(super) fn remove_file(&mut self, _path: &str) -> Result<(), Refused> {
        Err(Refused::ReadOnly)
    }

    /// RNFR and RNTO.
    pub(super) fn rename(&mut self, _from: &str, _to: &str) -> Result<(), Refused> {
        Err(Refused::ReadOnly)
    }
}
