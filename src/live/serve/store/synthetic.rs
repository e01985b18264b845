//! The synthetic files: how large each is, and what a listing says.
//!
//! What is in them says `content`. Nothing is on a disk.

use std::collections::{BTreeMap, BTreeSet};

use crate::client::Step;
use crate::dist::Dist;
use crate::ftp::Verb;
use crate::live::content::{Content, absolute};
use crate::rng::{Purpose, Stream, Streams};
use crate::scenario::Scenario;

/// The size of a file that no script names, bytes.
const OTHER: u64 = 4_096;
/// The longest listing, bytes: one that a script wants longer is cut off here.
const LONGEST: u64 = 1 << 20;

/// All files of a server. The script of the scenario says how large they are: the first step that names a path.
#[derive(Debug)]
pub(super) struct Files {
    seed: u64,
    sizes: BTreeMap<String, Dist>,
    listings: BTreeMap<String, Dist>,
    draws: Stream,
    drawn: u64,
}

impl Files {
    pub(super) fn new(scenario: &Scenario, streams: Streams) -> Self {
        let mut files = Self {
            seed: scenario.seed,
            sizes: BTreeMap::new(),
            listings: BTreeMap::new(),
            draws: streams.stream(Purpose::ServedSize, 0),
            drawn: 0,
        };
        for population in &scenario.populations {
            let mut at = "/".to_owned();
            for step in &population.behaviour.script.steps {
                let text = |arg: crate::ftp::ArgId| {
                    scenario.strings.get(usize::from(arg.0)).map_or("", String::as_str)
                };
                match step {
                    Step::Login | Step::Quit => "/".clone_into(&mut at),
                    Step::Command(command) if command.verb == Verb::Cwd => {
                        at = absolute(&at, text(command.arg));
                    }
                    Step::Transfer { command, size, .. } => {
                        let sizes = match command.verb {
                            verb if verb.is_listing() => &mut files.listings,
                            Verb::Retr => &mut files.sizes,
                            _ => continue,
                        };
                        sizes.entry(absolute(&at, text(command.arg))).or_insert_with(|| size.clone());
                    }
                    _ => {}
                }
            }
        }
        files
    }

    /// The content of the file at `path`.
    pub(super) fn content(&self, path: &str) -> Content {
        Content::of(self.seed, path)
    }

    /// The size of the file at `path` for one transfer: drawn anew for each, where the script says that it differs.
    pub(super) fn size(&mut self, path: &str) -> u64 {
        self.drawn += 1;
        self.sizes.get(path).map_or(OTHER, |size| size.sample(self.draws.word(0, self.drawn)))
    }

    /// The listing of the directory at `path`, as long as the script says: what the scenario names there comes first, then as many
    /// others as it takes.
    pub(super) fn listing(&mut self, path: &str, verb: Verb) -> Vec<u8> {
        self.drawn += 1;
        let wanted =
            self.listings.get(path).map(|size| size.sample(self.draws.word(1, self.drawn)).min(LONGEST));
        let known = self.known(path).into_iter().map(|(name, size)| entry(&name, size, verb));
        let mut text = String::new();
        let Some(wanted) = wanted.map(|wanted| wanted as usize) else {
            text.extend(known);
            text.push_str(&entry("readme.txt", Some(OTHER), verb));
            return text.into_bytes();
        };
        for line in known {
            if text.len() + line.len() <= wanted {
                text.push_str(&line);
            }
        }
        let mut number = 0;
        loop {
            number += 1;
            let line = entry(&format!("file-{number:07}"), Some(OTHER), verb);
            // The last name is as much longer as it takes.
            if text.len() + 2 * line.len() > wanted {
                let longer = wanted.saturating_sub(text.len() + line.len());
                let name = format!("file-{number:07}{}", "x".repeat(longer));
                text.push_str(&entry(&name, Some(OTHER), verb));
                text.truncate(wanted);
                return text.into_bytes();
            }
            text.push_str(&line);
        }
    }

    /// The names that the scenario knows in the directory at `path`; a file has a size.
    fn known(&self, path: &str) -> Vec<(String, Option<u64>)> {
        let inside = |full: &str| -> Option<(String, bool)> {
            let rest = full.strip_prefix(path.trim_end_matches('/'))?.strip_prefix('/')?;
            let (name, deeper) = rest.split_once('/').map_or((rest, false), |(name, _)| (name, true));
            (!name.is_empty()).then(|| (name.to_owned(), deeper))
        };
        let mut found = BTreeMap::new();
        for (full, size) in &self.sizes {
            if let Some((name, is_folder)) = inside(full) {
                found.insert(name, (!is_folder).then(|| size.sample(0)));
            }
        }
        let folders: BTreeSet<String> =
            self.listings.keys().filter_map(|full| Some(inside(full)?.0)).collect();
        found.extend(folders.into_iter().map(|name| (name, None)));
        found.into_iter().collect()
    }
}

/// A line of a listing: of LIST as `ls -l` writes it, of NLST a name, of MLSD facts (RFC 3659); without a size it is a directory.
fn entry(name: &str, size: Option<u64>, verb: Verb) -> String {
    let mode = if size.is_some() { "-rw-r--r--" } else { "drwxr-xr-x" };
    match (verb, size) {
        (Verb::Nlst, _) => return format!("{name}\r\n"),
        (Verb::Mlsd, Some(size)) => return format!("type=file;size={size}; {name}\r\n"),
        (Verb::Mlsd, None) => return format!("type=dir; {name}\r\n"),
        _ => {}
    }
    format!("{mode}    1 ftp      ftp      {:>12} Jan 01  2026 {name}\r\n", size.unwrap_or(OTHER))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files() -> Files {
        let text = r#"
            schema = 1
            name = "files"
            duration = "1m"
            [[clients]]
            name = "a"
            arrivals = { executor = "constant-clients", clients = 1 }
            script = ["login", { cwd = "/pub" }, { list = "1000B" }, { retr = "10MiB", path = "big" },
                { retr = { dist = "uniform", low = "1B", high = "9B" }, path = "/pub/deep/small" }, { list = "10B", path = "/" }, "quit"]
        "#;
        let scenario = Scenario::read("test", text, &mut |_| Err(String::new())).unwrap();
        Files::new(&scenario, Streams::new(1, 0))
    }

    #[test]
    fn a_file_is_as_large_as_the_script_says() {
        let mut files = files();
        assert_eq!(files.size("/pub/big"), 10 << 20);
        assert_eq!(files.size("/pub/unheard-of"), OTHER);
        let drawn: Vec<u64> = (0..50).map(|_| files.size("/pub/deep/small")).collect();
        assert!(
            drawn.iter().all(|size| (1..=9).contains(size)) && drawn.iter().any(|size| *size != drawn[0])
        );
    }

    #[test]
    fn a_listing_is_as_long_as_the_script_says_and_begins_with_what_is_there() {
        let mut files = files();
        let listing = String::from_utf8(files.listing("/pub", Verb::List)).unwrap();
        assert_eq!(listing.len(), 1_000);
        let lines: Vec<&str> = listing.lines().collect();
        assert!(
            lines[0].starts_with("-rw-r--r--") && lines[0].contains("10485760") && lines[0].ends_with(" big")
        );
        assert!(lines[1].starts_with("drwxr-xr-x") && lines[1].ends_with(" deep"));
        assert!(listing.ends_with("\r\n") && lines[2].ends_with(" file-0000001"));
        assert_eq!(files.listing("/", Verb::List).len(), 10);
        assert!(
            String::from_utf8(files.listing("/elsewhere", Verb::Nlst)).unwrap().starts_with("readme.txt\r\n")
        );
    }
}
