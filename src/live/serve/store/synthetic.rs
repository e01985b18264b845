//! The synthetic files: which there are when a server begins, and how large each is. The scripts of the scenario name them first, then
//! the command line, and a few are always there.
//!
//! What is in them says `content`. Nothing is on a disk.

use std::collections::BTreeMap;

use super::{Facts, listing};
use crate::client::Step;
use crate::dist::Dist;
use crate::ftp::{ArgId, Verb};
use crate::live::content::absolute;
use crate::scenario::Scenario;

/// The size of a file that is named without one, bytes.
pub(super) const OTHER: u64 = 4_096;
/// The longest listing that a script may want, bytes: one that it wants longer is cut off here.
const LONGEST: u64 = 1 << 20;
/// The beginning of the names of files that fill up a listing.
const FILLER: &str = "file-";
/// How many digits come behind it.
const DIGITS: usize = 7;

/// When everything synthetic was made, and the calendar of a run begins: 2026-01-01, 00:00 UTC, in seconds since 1970.
pub(super) const BEGINNING: u64 = 1_767_225_600;

/// The files that are always there.
const ALWAYS: &[(&str, u64)] = &[
    ("/readme.txt", OTHER),
    ("/pub/1KiB.bin", 1 << 10),
    ("/pub/1MiB.bin", 1 << 20),
    ("/pub/100MiB.bin", 100 << 20),
    ("/pub/1GiB.bin", 1 << 30),
    ("/pub/10GiB.bin", 10 << 30),
];
/// The folders that are always there.
const FOLDERS: &[&str] = &["/pub", "/incoming"];

/// What a server begins with.
#[derive(Debug, Default)]
pub(super) struct Beginning {
    /// The files and their sizes.
    pub(super) files: BTreeMap<String, Dist>,
    /// The folders, but for those that hold one of the files.
    pub(super) folders: Vec<String>,
    /// How long the scripts want the listings of folders, bytes.
    pub(super) listings: BTreeMap<String, Dist>,
}

impl Beginning {
    /// What the scripts of `scenario` name, `named`, and what is always there. The first to name a path says how large it is.
    pub(super) fn of(scenario: &Scenario, named: &[(String, u64)]) -> Self {
        let mut beginning = Self::default();
        // What the command line says of a file stands over what a script says.
        for (path, size) in named {
            beginning.files.insert(absolute("/", path), Dist::Constant(*size));
        }
        for population in &scenario.populations {
            beginning.read(&population.behaviour.script.steps, &|arg| {
                scenario.strings.get(usize::from(arg.0)).map_or("", String::as_str)
            });
        }
        for (path, size) in ALWAYS {
            beginning.file(*path, &Dist::Constant(*size));
        }
        beginning.folders.extend(FOLDERS.iter().map(|path| (*path).to_owned()));
        beginning
    }

    fn read<'a>(&mut self, steps: &[Step], text: &dyn Fn(ArgId) -> &'a str) {
        let mut at = "/".to_owned();
        let mut rest = 0;
        for step in steps {
            let before = std::mem::take(&mut rest);
            match step {
                Step::Login | Step::Quit => "/".clone_into(&mut at),
                Step::Rest { bytes, .. } => rest = *bytes,
                Step::Command(command) if command.verb == Verb::Cwd => {
                    at = absolute(&at, text(command.arg));
                    self.folders.push(at.clone());
                }
                Step::Transfer { command, size, .. } => {
                    let path = absolute(&at, text(command.arg));
                    match command.verb {
                        verb if verb.is_listing() => {
                            self.listings.entry(path).or_insert_with(|| size.clone());
                        }
                        Verb::Retr => self.file(path, size),
                        // What an upload goes on with is there.
                        _ if before > 0 => self.file(path, &Dist::Constant(before)),
                        _ => self.folders.push(folder_of(&path).to_owned()),
                    }
                }
                _ => {}
            }
        }
        // A script may ask for the size of a file long before it fetches it.
        let mut at = "/".to_owned();
        for step in steps {
            match step {
                Step::Login | Step::Quit => "/".clone_into(&mut at),
                Step::Command(command) if command.verb == Verb::Cwd => at = absolute(&at, text(command.arg)),
                Step::Command(command) if command.verb == Verb::Size => {
                    self.file(absolute(&at, text(command.arg)), &Dist::Constant(OTHER));
                }
                _ => {}
            }
        }
    }

    fn file(&mut self, path: impl Into<String>, size: &Dist) {
        self.files.entry(path.into()).or_insert_with(|| size.clone());
    }
}

/// The folder that `path` is in.
pub(super) fn folder_of(path: &str) -> &str {
    match path.rsplit_once('/') {
        Some(("", _)) | None => "/",
        Some((folder, _)) => folder,
    }
}

/// Fills the listing of a folder up to `wanted` bytes, or cuts it off there: with files that nobody named.
pub(super) fn fill(lines: impl Iterator<Item = String>, wanted: u64, verb: Verb) -> Vec<u8> {
    let wanted = wanted.min(LONGEST) as usize;
    let mut text = String::with_capacity(wanted);
    for line in lines {
        if text.len() + line.len() <= wanted {
            text.push_str(&line);
        }
    }
    let mut number = 0;
    loop {
        number += 1;
        let line = listing::line(&filler(number), FILLS, verb);
        // The last name is as much longer as it takes.
        if text.len() + 2 * line.len() > wanted {
            let longer = wanted.saturating_sub(text.len() + line.len());
            let name = format!("{}{}", filler(number), "x".repeat(longer));
            text.push_str(&listing::line(&name, FILLS, verb));
            text.truncate(wanted);
            return text.into_bytes();
        }
        text.push_str(&line);
    }
}

/// What is known of a file that fills up a listing. It is there to be fetched, and cannot be changed.
pub(super) const FILLS: Facts = Facts { folder: false, size: OTHER, modified: BEGINNING, writable: false };

fn filler(number: u32) -> String {
    format!("{FILLER}{number:0DIGITS$}")
}

/// Is this the name of a file that may fill up a listing?
pub(super) fn is_filler(name: &str) -> bool {
    let Some(rest) = name.strip_prefix(FILLER) else { return false };
    let Some((digits, longer)) = rest.split_at_checked(DIGITS) else { return false };
    digits.parse::<u32>().is_ok_and(|number| number > 0 && u64::from(number) < LONGEST)
        && longer.bytes().all(|byte| byte == b'x')
}
