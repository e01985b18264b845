//! Valgrind from outside: plays a run of this program under callgrind and reads the counts that it leaves.
//!
//! It judges nothing.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fs};

use crate::record::Count;
use crate::runs::Done;

/// Which of its copies of `memcpy` and its like glibc takes depends on the processor, and a `rep stosb` counts as often as it
/// repeats: all take the plain ones, which every processor of x86-64 has (glibc's manual, "Hardware Capability Tunables").
const PLAIN: &str = "glibc.cpu.hwcaps=-AVX512F,-AVX512VL,-AVX2,-AVX,-ERMS,-FSRM,-SSSE3,-SSE4_2";

/// Plays the run called `name` and counts its instructions. The whole profile is left in the file that is returned, too.
///
/// # Errors
/// In words, if callgrind cannot be run or what it says is not understood.
pub fn count(name: &str) -> Result<(Count, PathBuf), String> {
    let out = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("callgrind.{name}"));
    let program = env::current_exe().map_err(|why| format!("which program is this? {why}"))?;
    let ran = Command::new("valgrind")
        .args(["--tool=callgrind", "--quiet", "--toggle-collect=counted::runs::collected*"])
        .args(["--compress-strings=no", "--compress-pos=no"])
        .arg(format!("--callgrind-out-file={}", out.display()))
        .arg(program)
        .args(["--play", name])
        .env_remove("VALGRIND_OPTS")
        .env("GLIBC_TUNABLES", PLAIN)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|why| format!("valgrind cannot be run: {why}"))?;
    let said = String::from_utf8_lossy(&ran.stdout);
    if !ran.status.success() {
        return Err(format!("{name} under valgrind: {}: {said}", ran.status));
    }
    let done = Done::parse(&said).ok_or_else(|| format!("{name} said {said:?}"))?;
    let profile = fs::read_to_string(&out).map_err(|why| format!("{}: {why}", out.display()))?;
    let instructions = total(&profile).ok_or_else(|| format!("{}: no totals", out.display()))?;
    if instructions == 0 {
        return Err(format!("{name}: nothing was counted: callgrind did not find `collected`"));
    }
    Ok((Count { events: done.events, digest: done.digest, instructions }, out))
}

fn total(profile: &str) -> Option<u64> {
    profile.lines().find_map(|line| line.strip_prefix("totals: "))?.trim().parse().ok()
}

/// What `command` says in its first line, or nothing if it cannot be run.
pub fn first_line(command: &str, args: &[&str]) -> Option<String> {
    let ran = Command::new(command).args(args).output().ok().filter(|ran| ran.status.success())?;
    Some(String::from_utf8_lossy(&ran.stdout).lines().next()?.trim().to_owned())
}

/// Instructions by function and by line of source, each without what it calls. A function includes what the compiler has
/// inlined into it; a line is where the instruction came from.
#[derive(Debug, Default)]
pub struct Profile {
    pub functions: BTreeMap<String, u64>,
    pub lines: BTreeMap<String, u64>,
}

impl Profile {
    /// Reads callgrind's file, written without compression (the Callgrind Format Specification of Valgrind's manual).
    pub fn parse(text: &str) -> Self {
        let mut profile = Self::default();
        let (mut file, mut function) = ("", "");
        let mut lines = text.lines();
        while let Some(line) = lines.next() {
            if let Some(name) = line.strip_prefix("fn=") {
                function = name;
            } else if let Some(name) = ["fl=", "fi=", "fe="].iter().find_map(|key| line.strip_prefix(key)) {
                file = name;
            } else if line.starts_with("calls=") {
                lines.next(); // what the call cost: it is counted where it was spent
            } else if let Some((number, cost)) = line.split_once(' ')
                && let (Ok(number), Ok(cost)) = (number.parse::<u32>(), cost.parse::<u64>())
            {
                *profile.functions.entry(function.to_owned()).or_default() += cost;
                *profile.lines.entry(format!("{}:{number}", short(file))).or_default() += cost;
            }
        }
        profile
    }
}

/// Largest first.
pub fn largest(of: &BTreeMap<String, u64>) -> Vec<(&str, u64)> {
    let mut sorted: Vec<_> = of.iter().map(|(name, cost)| (name.as_str(), *cost)).collect();
    sorted.sort_by_key(|(_, cost)| std::cmp::Reverse(*cost));
    sorted
}

/// A source file without the folders that say only whose machine this is.
fn short(file: &str) -> &str {
    let file = file.strip_prefix(concat!(env!("CARGO_MANIFEST_DIR"), "/")).unwrap_or(file);
    ["/registry/src/", "/library/"]
        .iter()
        .find_map(|part| file.split_once(part))
        .map_or(file, |(_, rest)| rest)
}
