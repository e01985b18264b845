//! The house rules that neither the compiler nor clippy keeps: who may import whom, and what a source file may hold.
//!
//! It reads text, not syntax: comments are cut off, and what is left is searched for paths.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use crate::support::project;

/// The architecture: a module may name modules of a lower rank, its `peers` in the same row, and its outside `crates`. A new
/// edge is a reviewed change of this table, and of nothing else.
#[rustfmt::skip]
const TABLE: &[Module] = &[
    module("time",       0, &[],          &["serde"]),
    module("timer",      0, &["time"],    &[]),
    module("watch",      0, &[],          &[]),
    module("id",         0, &[],          &["serde"]),
    module("digest",     0, &[],          &[]),
    module("outbox",     0, &[],          &[]),
    module("prefetch",   0, &[],          &[]),
    module("rng",        0, &[],          &["rand", "rand_chacha"]),
    module("dist",       0, &["rng"],     &["libm"]),
    module("ftp",        1, &[],          &[]),
    module("observe",    2, &[],          &["serde"]),
    module("server",     3, &[],          &["hashbrown", "libm", "serde", "toml"]),  // never `client`
    module("client",     3, &[],          &["libm", "regex_lite", "serde", "toml"]), // never `server`
    module("network",    4, &[],          &[]),
    module("workload",   4, &["network"], &["libm"]),                   // a population has a link
    module("metrics",    4, &[],          &["hdrhistogram", "serde", "strsim"]),
    module("classify",   4, &[],          &["serde"]),
    module("transcript", 4, &[],          &[]),
    module("chaos",      5, &[],          &["strsim"]),
    module("scenario",   5, &["chaos"],   &["strsim", "toml"]),       // a scenario has faults
    module("sim",        6, &[],          &["itoa", "serde", "serde_json"]),    // never `live`
    module("live",       6, &[],          &["cap_std", "hdrhistogram", "nix", "postcard", "prometheus_client", "rcgen", "rustls", "rustls_native_certs", "serde", "serde_json", "tokio"]), // never `sim`
    module("experiment", 7, &[],          &["hdrhistogram", "libm", "rayon", "serde"]),
    module("report",     8, &[],          &["ab_glyph", "hdrhistogram", "libm", "plotters", "plotters_backend", "png", "rayon", "serde_json"])
                            .only(&["time", "observe", "metrics", "scenario", "experiment"]), // results, never machines
    module("cli",        9, &[],          &["anyhow", "clap", "clap_complete", "clap_mangen", "csv", "hdrhistogram", "indicatif", "nix", "postcard", "rayon", "serde", "serde_json", "signal_hook", "toml", "zstd"]),
];

/// Words that no source file holds, but for the files that are named, each with its reason.
const FORBIDDEN: &[Forbidden] = &[
    Forbidden { word: "todo!", except: &[] },
    Forbidden { word: "unimplemented!", except: &[] },
    Forbidden { word: "dbg!", except: &[] },
    Forbidden { word: "#[allow", except: &[] }, // `expect` with a reason says when it is no longer needed
    Forbidden { word: "#![allow", except: &[] },
    Forbidden { word: "HashMap", except: &[] },
    Forbidden { word: "HashSet", except: &[] },
    Forbidden {
        word: "Instant::now",
        except: &[
            ("live/clock.rs", "the one clock of the live world"),
            ("cli/", "it writes the manifest's date and the wall time"),
        ],
    },
    Forbidden {
        word: "std::time",
        except: &[
            ("live/clock.rs", "the one clock of the live world"),
            ("cli/", "it writes the manifest's date and the wall time"),
            ("report/hlog.rs", "hdrhistogram's writer wants this type for a span; no clock is read"),
        ],
    },
    Forbidden {
        word: "std::fs",
        except: &[
            ("cli/", "all files are read and written there"),
            ("live/load/health.rs", "what /proc/stat says of the machine"),
            ("live/serve/store/", "cap_std's: what is beneath the folder that is served, and nothing else"),
        ],
    },
    Forbidden { word: "std::env", except: &[("cli/", "the environment belongs to the command line")] },
    Forbidden {
        word: "std::thread",
        except: &[("cli/", "interrupts and progress"), ("live/", "one runtime a thread")],
    },
    Forbidden { word: "std::process", except: &[("cli/", "exit codes"), ("main.rs", "exit codes")] },
];

/// Files of more than 600 lines, each with what is to become of it.
const LONG: &[(&str, &str)] = &[];

const LINES: usize = 600;

/// What no file of the repository names: a place on somebody's machine. Written in parts, for this file is searched too.
const MACHINE: &[&str] =
    &[concat!("/ho", "me/"), concat!("/ro", "ot/"), concat!("/Use", "rs/"), concat!("../sha", "red")];

struct Module {
    name: &'static str,
    rank: u8,
    peers: &'static [&'static str],
    crates: &'static [&'static str],
    /// If given, these and no other modules, whatever their rank.
    only: Option<&'static [&'static str]>,
}

const fn module(
    name: &'static str,
    rank: u8,
    peers: &'static [&'static str],
    crates: &'static [&'static str],
) -> Module {
    Module { name, rank, peers, crates, only: None }
}

impl Module {
    const fn only(mut self, only: &'static [&'static str]) -> Self {
        self.only = Some(only);
        self
    }

    fn may_name(&self, other: &str) -> bool {
        self.name == other
            || self.only.map_or_else(
                || self.peers.contains(&other) || find(other).is_some_and(|other| other.rank < self.rank),
                |only| only.contains(&other),
            )
    }
}

struct Forbidden {
    word: &'static str,
    /// Beginnings of paths under `src`, and why.
    except: &'static [(&'static str, &'static str)],
}

fn find(name: &str) -> Option<&'static Module> {
    TABLE.iter().find(|module| module.name == name)
}

// ---- the rules ---------------------------------------------------------------------------------------------------

#[test]
fn no_module_imports_against_the_ranks() {
    let mut wrong = Vec::new();
    for file in sources() {
        let Some(module) = find(file.module()) else { continue };
        for named in crate_paths(&file.code) {
            if find(&named).is_some() && !module.may_name(&named) {
                wrong.push(format!("{}: `{}` must not name `{named}`", file.path, module.name));
            }
        }
        if climbs_out(&file) {
            wrong.push(format!("{}: `super` climbs out of `{}`: say `crate::`", file.path, module.name));
        }
    }
    assert_none(&wrong);
}

#[test]
fn no_module_names_a_crate_that_is_not_its_own() {
    let dependencies = dependencies();
    let mut wrong = Vec::new();
    for file in sources() {
        let Some(module) = find(file.module()) else { continue };
        for named in first_segments(&file.code) {
            if dependencies.contains(&named) && !module.crates.contains(&named.as_str()) {
                wrong.push(format!("{}: `{}` must not name the crate `{named}`", file.path, module.name));
            }
        }
    }
    assert_none(&wrong);
}

/// The table has the modules that there are, and no edge of it is there for nothing.
#[test]
fn the_table_is_that_of_the_crate() {
    let mut wrong = Vec::new();
    let declared: BTreeSet<String> = code("lib.rs", &read(&project().join("src/lib.rs")))
        .lines()
        .filter_map(|line| Some(line.strip_prefix("pub mod ")?.strip_suffix(';')?.to_owned()))
        .collect();
    let listed: BTreeSet<String> = TABLE.iter().map(|module| module.name.to_owned()).collect();
    wrong.extend(
        declared.symmetric_difference(&listed).map(|m| format!("`{m}` is in lib.rs or here, not in both")),
    );
    let mut named: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for file in sources() {
        if let Some(module) = find(file.module()) {
            let all = named.entry(module.name).or_default();
            all.extend(crate_paths(&file.code));
            all.extend(first_segments(&file.code));
        }
    }
    for module in TABLE {
        for edge in module.peers.iter().chain(module.crates) {
            if !named.get(module.name).is_some_and(|all| all.contains(*edge)) {
                wrong.push(format!("`{}` no longer names `{edge}`: strike it from the table", module.name));
            }
        }
    }
    assert_none(&wrong);
}

#[test]
fn every_source_file_says_what_it_is() {
    let wrong: Vec<String> = sources()
        .into_iter()
        .filter(|file| !file.text.starts_with("//! ") && !file.path.ends_with("/tests.rs"))
        .map(|file| format!("{}: opens with no `//!`", file.path))
        .collect();
    assert_none(&wrong);
}

#[test]
fn no_source_file_grows_out_of_hand() {
    let mut wrong = Vec::new();
    for file in sources() {
        let (lines, listed) = (file.text.lines().count(), LONG.iter().any(|(path, _)| *path == file.path));
        if lines > LINES && !listed {
            wrong.push(format!("{}: {lines} lines; split it by meaning", file.path));
        }
        if lines <= LINES && listed {
            wrong.push(format!("{}: only {lines} lines: strike it from LONG", file.path));
        }
    }
    assert_none(&wrong);
}

#[test]
fn no_source_file_holds_a_forbidden_word() {
    let mut wrong = Vec::new();
    for file in sources() {
        for Forbidden { word, except } in FORBIDDEN {
            if file.code.contains(word) && !except.iter().any(|(path, _)| file.path.starts_with(path)) {
                wrong.push(format!("{}: `{word}`", file.path));
            }
        }
    }
    assert_none(&wrong);
}

#[test]
fn no_file_names_a_place_on_a_machine() {
    let mut wrong = Vec::new();
    let mut files = Vec::new();
    for folder in ["src", "tests", "benches", "scenarios", ".ci"] {
        walk(&project().join(folder), &mut files);
    }
    for name in ["README.md", "ARCHITECTURE.md", "CHANGELOG.md", "Cargo.toml", "clippy.toml"] {
        files.push(project().join(name));
    }
    for path in files.iter().filter(|path| path.is_file()) {
        let Ok(text) = fs::read_to_string(path) else { continue };
        for place in MACHINE.iter().filter(|place| begins_in(&text, place)) {
            wrong.push(format!("{}: `{place}`", path.display()));
        }
    }
    assert_none(&wrong);
}

/// One command shows what the program does, one passes the tests; a newcomer finds both, and they name what is there.
#[test]
fn the_readme_has_the_two_commands() {
    let readme = read(&project().join("README.md"));
    for command in ["cargo run --release -- sim", ".ci/run"] {
        assert!(readme.contains(command), "README.md does not say `{command}`");
    }
    assert!(project().join(".ci/run").is_file());
}

// ---- the rules' own tests ----------------------------------------------------------------------------------------

#[test]
fn paths_are_found_in_groups_in_code_and_not_in_comments() {
    let text = "use crate::{time::Instant, id::{ConnId, PeerId},\n    rng};\n// use crate::cli;\nfn f() { crate::ftp::x(); }";
    let found: Vec<String> = crate_paths(&code("server/a.rs", text)).into_iter().collect();
    assert_eq!(found, ["ftp", "id", "rng", "time"]);
    assert!(first_segments("use serde::Serialize; libm::exp(toml::de::x)").contains("libm"));
    assert!(!first_segments("a::serde::b").contains("serde"));
}

#[test]
fn an_edge_against_the_ranks_is_seen() {
    let may = |from: &str, to: &str| find(from).unwrap().may_name(to);
    assert!(may("sim", "server") && may("workload", "network") && may("report", "metrics"));
    assert!(!may("server", "client") && !may("client", "server") && !may("network", "workload"));
    assert!(!may("metrics", "scenario") && !may("report", "sim") && !may("rng", "dist"));
    let at = |path: &str, text: &str| {
        climbs_out(&Source { path: path.into(), text: text.into(), code: text.into() })
    };
    assert!(at("time.rs", "use super::rng;"));
    assert!(at("sim/world.rs", "use super::super::rng;"));
    assert!(!at("sim/world.rs", "use super::timer;"));
    assert!(!at("time.rs", "mod tests { use super::*; }"));
}

// ---- reading -----------------------------------------------------------------------------------------------------

/// A file under `src`.
struct Source {
    /// From `src` on, with `/` between the parts.
    path: String,
    text: String,
    /// The text without its comments.
    code: String,
}

impl Source {
    /// The top-level module that it belongs to.
    fn module(&self) -> &str {
        self.path.split('/').next().unwrap_or_default().trim_end_matches(".rs")
    }
}

fn sources() -> Vec<Source> {
    let root = project().join("src");
    let mut files = Vec::new();
    walk(&root, &mut files);
    files
        .iter()
        .filter(|path| path.extension().is_some_and(|e| e == "rs"))
        .map(|path| {
            let parts = path.strip_prefix(&root).unwrap().iter();
            let name = parts.map(|part| part.to_str().unwrap()).collect::<Vec<_>>().join("/");
            let text = read(path);
            Source { code: code(&name, &text), path: name, text }
        })
        .collect()
}

fn walk(folder: &Path, files: &mut Vec<std::path::PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(&path, files);
        } else {
            files.push(path);
        }
    }
    files.sort();
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|why| panic!("{}: {why}", path.display()))
}

/// `text` without what follows `//` on each line. The end of a line with a web address in a string goes with it; block
/// comments are not used here.
fn code(name: &str, text: &str) -> String {
    assert!(!text.contains("/*!") && !text.contains("\n/*"), "{name}: block comments are not used here");
    text.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

/// Does `text` hold a path that begins with `place`, and not only goes on with it?
fn begins_in(text: &str, place: &str) -> bool {
    text.match_indices(place).any(|(at, _)| !text[..at].ends_with(is_name))
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The name at the beginning of `text`.
fn name_at(text: &str) -> &str {
    &text[..text.find(|c| !is_name(c)).unwrap_or(text.len())]
}

/// What stands first behind each `crate::`, in groups too.
fn crate_paths(code: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (at, start) in code.match_indices("crate::") {
        if code[..at].ends_with(is_name) {
            continue;
        }
        let rest = &code[at + start.len()..];
        if let Some(group) = rest.strip_prefix('{') {
            found.extend(group_members(group));
        } else {
            found.insert(name_at(rest).to_owned());
        }
    }
    found
}

/// The first names of a group whose opening brace has been read.
fn group_members(group: &str) -> Vec<String> {
    let (mut depth, mut fresh, mut members) = (1_u32, true, Vec::new());
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 1 => fresh = true,
            _ if fresh && is_name(c) => {
                members.push(name_at(&group[at..]).to_owned());
                fresh = false;
            }
            _ => {}
        }
        if depth == 0 {
            break;
        }
    }
    members
}

/// Names that begin a path: `a` of `a::b::c`.
fn first_segments(code: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (at, _) in code.match_indices("::") {
        let before = &code[..at];
        let begin = before.rfind(|c| !is_name(c)).map_or(0, |i| i + 1);
        if begin < at && !before[..begin].ends_with("::") {
            found.insert(before[begin..].to_owned());
        }
    }
    found
}

/// Does a chain of `super::` reach the root of the crate? Behind `mod tests {` one more is at home.
fn climbs_out(file: &Source) -> bool {
    let depth = file.path.split('/').count() - usize::from(file.path.ends_with("/mod.rs"));
    let longest = |code: &str| (1..8).take_while(|n| code.contains(&"super::".repeat(*n))).count();
    let (own, inner) = file.code.split_once("mod tests {").unwrap_or((&file.code, ""));
    longest(own) >= depth || longest(inner) > depth
}

/// The crates of `[dependencies]`, as code names them.
fn dependencies() -> BTreeSet<String> {
    let manifest: toml::Table = read(&project().join("Cargo.toml")).parse().unwrap();
    manifest["dependencies"].as_table().unwrap().keys().map(|name| name.replace('-', "_")).collect()
}

fn assert_none(wrong: &[String]) {
    assert!(wrong.is_empty(), "\n  {}\n", wrong.join("\n  "));
}
