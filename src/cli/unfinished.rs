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
use std::sync::atomic::{AtomicUsize, Ordering};
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
    writer: Mutex<Writer>,
    /// How many replications are in there.
    kept: AtomicUsize,
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
            writer: Mutex::new(Writer::Waits { whole: 0 }),
            kept: AtomicUsize::new(0),
        };
        if anew {
            let _ = fs::remove_file(&unfinished.path); // most often it is not there
        }
        let none = Study::new(scenario);
        if !unfinished.path.exists() {
            return (unfinished, none);
        }
        let Some(key) = unfinished.key() else { return (unfinished, none) };
        let file = unfinished.path.display().to_string();
        match read(&unfinished.path, key, scenario) {
            Err(why) => {
                eprintln!("note: nothing is taken over from {file}: {why:#}");
                (unfinished, none)
            }
            Ok(Found { study, whole, length }) => {
                let (kept, all) = (study.runs.len(), scenario.replications);
                let goes_on = format!(
                    "going on from {kept} of {all} replications of an earlier run (--fresh begins anew)"
                );
                let torn = format!(
                    "{} bytes at the end of {file} are no whole part and are dropped",
                    length - whole
                );
                match (kept > 0, length > whole) {
                    (true, true) => eprintln!("note: {goes_on}; {torn}"),
                    (true, false) => eprintln!("note: {goes_on}"),
                    (false, true) => eprintln!("note: {torn}"),
                    (false, false) => {}
                }
                unfinished.writer = Mutex::new(Writer::Waits { whole });
                unfinished.kept = AtomicUsize::new(kept);
                (unfinished, study)
            }
        }
    }

    /// How many replications another run could go on from.
    pub(super) fn kept(&self) -> usize {
        self.kept.load(Ordering::Relaxed)
    }

    /// The study is whole and its results are written: nobody needs its parts any more.
    pub(super) fn remove(self) {
        let _ = fs::remove_file(&self.path); // most often it is not there
    }

    /// What the replications are a function of, in one number: the scenario's files, the seed, and this very program. Nothing if the
    /// program cannot be read: then nobody can say what build it is, and nothing is kept.
    fn key(&self) -> Option<u128> {
        let mut digest = Digest::default();
        digest.bytes(env!("CARGO_PKG_VERSION").as_bytes());
        digest.bytes(self.hash.as_bytes());
        digest.word(self.seed);
        digest.bytes(&program()?.to_le_bytes());
        Some(digest.value())
    }

    fn append(&self, writer: &mut Writer, part: &[u8]) -> anyhow::Result<()> {
        let Some(key) = self.key() else { anyhow::bail!("the program's own file cannot be read") };
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
        if matches!(*writer, Writer::Broken) {
            return;
        }
        let written = postcard::to_stdvec(part).map_err(anyhow::Error::from);
        match written.and_then(|bytes| self.append(&mut writer, &bytes)) {
            Ok(()) => {
                self.kept.fetch_add(part.runs.len(), Ordering::Relaxed);
            }
            Err(why) => {
                let file = self.path.display();
                eprintln!("note: cannot write {file}: {why:#}; if this run is killed, what follows is lost");
                *writer = Writer::Broken;
            }
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

/// The digest of the file that runs, also where another has taken its name since.
fn program() -> Option<u128> {
    static PROGRAM: OnceLock<Option<u128>> = OnceLock::new();
    *PROGRAM.get_or_init(|| {
        let program = File::open("/proc/self/exe").or_else(|_| File::open(std::env::current_exe()?));
        let mut digest = Digest::default();
        take_in(&mut digest, program.ok()?).ok()?;
        Some(digest.value())
    })
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim;
    use crate::watch::Watch;

    fn scenario(limit: u32) -> Scenario {
        let text = format!(
            "schema = 1\nname = \"u\"\nduration = \"1m\"\nreplications = 9\n[server]\nmax_clients = {limit}\n\
             [[clients]]\nname = \"a\"\narrivals = {{ executor = \"poisson\", rate = \"30/m\" }}\n"
        );
        Scenario::read("u", &text, &mut |_| Err(String::new())).unwrap()
    }

    fn part(scenario: &Scenario, numbers: &[u32]) -> Study {
        let mut part = Study::new(scenario);
        for n in numbers {
            part.add(*n, &sim::run(scenario, *n, &mut (), &Watch::default()).0);
        }
        part
    }

    /// The numbers that somebody who looks into `folder` finds.
    fn found(folder: &Path, scenario: &Scenario) -> Vec<u32> {
        Unfinished::look(folder, scenario, false).1.runs.iter().map(|run| run.number).collect()
    }

    /// A folder in which three parts were kept.
    fn kept(scenario: &Scenario) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        let (unfinished, none) = Unfinished::look(dir.path(), scenario, false);
        assert!(none.runs.is_empty());
        for numbers in [&[0, 2][..], &[1], &[5]] {
            unfinished.keep(&part(scenario, numbers));
        }
        assert_eq!(unfinished.kept(), 4);
        dir
    }

    #[test]
    fn what_is_kept_is_found_and_what_follows_is_put_behind_it() {
        let scenario = scenario(2);
        let dir = kept(&scenario);
        assert_eq!(found(dir.path(), &scenario), [0, 1, 2, 5]);
        let (unfinished, earlier) = Unfinished::look(dir.path(), &scenario, false);
        assert_eq!(
            postcard::to_stdvec(&earlier).unwrap(),
            postcard::to_stdvec(&part(&scenario, &[0, 1, 2, 5])).unwrap(),
            "the bytes of a study that was never written"
        );
        unfinished.keep(&part(&scenario, &[3]));
        assert_eq!(found(dir.path(), &scenario), [0, 1, 2, 3, 5]);
        Unfinished::look(dir.path(), &scenario, false).0.remove();
        assert!(found(dir.path(), &scenario).is_empty());
    }

    #[test]
    fn a_torn_or_damaged_file_gives_the_whole_parts_before_it_and_is_written_on_from_there() {
        let scenario = scenario(2);
        let dir = kept(&scenario);
        let file = dir.path().join(NAME);
        let whole = fs::read(&file).unwrap();
        for length in 0..whole.len() {
            if length < 100 || length % 97 == 0 || length + 3 > whole.len() {
                fs::write(&file, &whole[..length]).unwrap();
                let found = found(dir.path(), &scenario);
                assert!([&[][..], &[0, 2], &[0, 1, 2]].contains(&&found[..]), "{length}: {found:?}");
            }
        }
        let mut turned = whole.clone();
        turned[whole.len() / 2] ^= 1;
        fs::write(&file, &turned).unwrap();
        let before = found(dir.path(), &scenario);
        assert!(before.len() < 4);
        let (unfinished, _) = Unfinished::look(dir.path(), &scenario, false);
        unfinished.keep(&part(&scenario, &[7]));
        assert_eq!(found(dir.path(), &scenario), [&before[..], &[7]].concat());
        for nonsense in [vec![b'?'; 500], vec![0; 500], vec![255; 40]] {
            fs::write(&file, &nonsense).unwrap();
            assert!(found(dir.path(), &scenario).is_empty());
        }
    }

    #[test]
    fn another_scenario_or_seed_finds_nothing_and_who_begins_anew_leaves_nothing() {
        let own = scenario(2);
        let dir = kept(&own);
        assert!(found(dir.path(), &scenario(3)).is_empty());
        assert!(found(dir.path(), &Scenario { seed: 77, ..own.clone() }).is_empty());
        assert_eq!(
            found(dir.path(), &Scenario { replications: 3, ..own.clone() }),
            [0, 1, 2],
            "5 is not of these"
        );
        let (_, anew) = Unfinished::look(dir.path(), &own, true);
        assert!(anew.runs.is_empty() && !dir.path().join(NAME).exists());
    }
}
