//! `.unfinished`: the replications of a study that was ended before it was whole, so that the same command goes on from them.
//!
//! It knows nothing of simulating: it writes down sums of replications that have ended, and reads back those that are whole.
//!
//! The file is a head and then parts, each with its length and its digest. A part is there whole or not at all: reading ends before
//! the first that is torn or damaged, and writing goes on there. The head names what the parts are of: scenario, seed and build. A
//! study that takes no longer than a part never has the file.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};

use anyhow::Context as _;

use crate::digest::Digest;
use crate::experiment::{Keep, Study};
use crate::scenario::Scenario;

/// Its name in the folder of the results.
const NAME: &str = ".unfinished";

/// What the file begins with, and the version of what follows.
const MAGIC: [u8; 16] = *b"ftp421 parts 1\n\n";

/// Magic and key.
const HEAD: u64 = 32;

/// Length and digest of a part.
const PART_HEAD: u64 = 20;

/// No part is longer, in bytes: a longer one is damage.
const LONGEST: u64 = 256 << 20;

/// The parts of one study.
#[derive(Debug)]
pub(super) struct Unfinished {
    path: PathBuf,
    hash: String,
    seed: u64,
    key: OnceLock<Option<u128>>,
    writer: Mutex<Writer>,
}

#[derive(Debug)]
enum Writer {
    /// Nothing was written yet; what is whole in the file ends here, 0 if nothing of it is of use.
    Waits { whole: u64 },
    /// The next part goes here.
    Open(File),
    /// It cannot be written; somebody was told.
    Broken,
}

/// What was found in a file.
struct Found {
    study: Study,
    /// The parts that were read end here.
    whole: u64,
    /// And the file here.
    length: u64,
}

impl Unfinished {
    /// Looks into `folder`, and gives the replications of `scenario` that are there, if they are of this build; none of them if
    /// it is to begin `anew`. Says in a line what it makes of what it found.
    pub(super) fn look(folder: &Path, scenario: &Scenario, anew: bool) -> (Self, Study) {
        let mut unfinished = Self {
            path: folder.join(NAME),
            hash: scenario.hash.clone(),
            seed: scenario.seed,
            key: OnceLock::new(),
            writer: Mutex::new(Writer::Waits { whole: 0 }),
        };
        let none = || Study::new(scenario);
        if anew || !unfinished.is_there() {
            return (unfinished, none());
        }
        let Some(key) = unfinished.key() else { return (unfinished, none()) };
        let file = unfinished.path.display();
        let study = match read(&unfinished.path, key, scenario) {
            Err(why) => {
                eprintln!("note: nothing can be taken over from {file}: {why:#}");
                none()
            }
            Ok(found) => {
                let (kept, all) = (found.study.runs.len(), scenario.replications);
                let rest = found.length - found.whole;
                let torn = match rest {
                    0 => String::new(),
                    n => format!("; {n} bytes at the end of {file} are no whole part and are dropped"),
                };
                if kept > 0 || rest > 0 {
                    eprintln!(
                        "note: going on from {kept} of {all} replications that an earlier run left (--fresh begins anew){torn}"
                    );
                }
                unfinished.writer = Mutex::new(Writer::Waits { whole: found.whole });
                found.study
            }
        };
        (unfinished, study)
    }

    /// Is there anything to go on from?
    pub(super) fn is_there(&self) -> bool {
        self.path.exists()
    }

    /// The study is whole and its results are written: nobody needs its parts any more.
    pub(super) fn remove(self) {
        let _ = fs::remove_file(&self.path); // most often it is not there
    }

    /// What the replications are a function of, in one number: the scenario's files, the seed, and this very program. Nothing if the
    /// program cannot be read: then nobody can say what build it is, and nothing is kept.
    fn key(&self) -> Option<u128> {
        *self.key.get_or_init(|| {
            let mut digest = Digest::default();
            digest.bytes(env!("CARGO_PKG_VERSION").as_bytes());
            digest.bytes(self.hash.as_bytes());
            digest.word(self.seed);
            // The file that runs, also where another has taken its name since.
            let program = File::open("/proc/self/exe").or_else(|_| File::open(std::env::current_exe()?));
            take_in(&mut digest, program.ok()?).ok()?;
            Some(digest.value())
        })
    }

    fn append(&self, writer: &mut Writer, part: &[u8]) -> anyhow::Result<()> {
        let Some(key) = self.key() else { return Ok(()) };
        if let Writer::Waits { whole } = *writer {
            let mut file = OpenOptions::new().create(true).truncate(false).write(true).open(&self.path)?;
            file.set_len(whole)?;
            file.seek(SeekFrom::Start(whole))?;
            if whole == 0 {
                file.write_all(&[MAGIC, key.to_le_bytes()].concat())?;
            }
            *writer = Writer::Open(file);
        }
        let Writer::Open(file) = writer else { return Ok(()) };
        let length = u32::try_from(part.len())?.to_le_bytes();
        let whole = [&length, &digest(part).to_le_bytes()[..], part].concat();
        file.write_all(&whole)?;
        file.sync_data()?; // a power cut costs what came after this, and no more
        Ok(())
    }
}

impl Keep for Unfinished {
    fn keep(&self, part: &Study) {
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let written = postcard::to_stdvec(part).map_err(anyhow::Error::from);
        let kept = written.and_then(|bytes| self.append(&mut writer, &bytes));
        if let Err(why) = kept {
            let file = self.path.display();
            eprintln!("note: cannot write {file}: {why:#}; if this run is killed, its replications are lost");
            *writer = Writer::Broken;
        }
    }
}

/// Reads the parts in the file at `path`, as far as they are whole.
fn read(path: &Path, key: u128, scenario: &Scenario) -> anyhow::Result<Found> {
    let file = File::open(path)?;
    let length = file.metadata()?.len();
    let mut from = BufReader::new(file);
    let mut found = Found { study: Study::new(scenario), whole: 0, length };
    let mut head = [[0; 16]; 2];
    if length < HEAD {
        return Ok(found); // it was killed as it began
    }
    from.read_exact(head.as_flattened_mut())?;
    anyhow::ensure!(head[0] == MAGIC, "it is no list of replications of this version");
    anyhow::ensure!(
        u128::from_le_bytes(head[1]) == key,
        "its replications are of another scenario, another seed or another build"
    );
    found.whole = HEAD;
    while let Some((part, size)) = next_part(&mut from, length - found.whole)? {
        if !part.fits(scenario, &found.study) {
            break;
        }
        found.study.merge(part);
        found.whole += size;
    }
    Ok(found)
}

/// The next part and its size in the file; `None` if none of the `left` bytes is the beginning of a whole one.
fn next_part(from: &mut impl io::Read, left: u64) -> anyhow::Result<Option<(Study, u64)>> {
    if left < PART_HEAD {
        return Ok(None);
    }
    let (mut length, mut told) = ([0; 4], [0; 16]);
    from.read_exact(&mut length)?;
    from.read_exact(&mut told)?;
    let length = u64::from(u32::from_le_bytes(length));
    if length > (left - PART_HEAD).min(LONGEST) {
        return Ok(None);
    }
    let mut bytes = vec![0; length as usize];
    from.read_exact(&mut bytes).context("cannot be read")?;
    if digest(&bytes) != u128::from_le_bytes(told) {
        return Ok(None);
    }
    let part = postcard::from_bytes(&bytes).ok();
    Ok(part.map(|part| (part, PART_HEAD + length)))
}

/// Takes all that can be read into the digest.
fn take_in(digest: &mut Digest, mut from: impl io::Read) -> io::Result<()> {
    let mut chunk = vec![0; 1 << 16];
    loop {
        match from.read(&mut chunk)? {
            0 => return Ok(()),
            n => digest.bytes(&chunk[..n]),
        }
    }
}

fn digest(bytes: &[u8]) -> u128 {
    let mut digest = Digest::default();
    digest.bytes(bytes);
    digest.value()
}
