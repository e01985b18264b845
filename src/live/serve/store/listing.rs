//! Listings: what LIST, NLST and MLSD write of a file or folder, and which names a pattern means.
//!
//! It looks nothing up.

use std::fmt::Write as _;

use super::{Facts, dates};
use crate::ftp::Verb;

/// The line of `name` in a listing: of LIST as `ls -l` writes it, of NLST the name, of MLSD its facts (RFC 3659, section 7).
pub(super) fn line(name: &str, facts: Facts, verb: Verb) -> String {
    match verb {
        Verb::Nlst => format!("{name}\r\n"),
        Verb::Mlsd => format!("{} {name}\r\n", self::facts(facts)),
        _ => {
            let mode = match (facts.folder, facts.writable) {
                (true, true) => "drwxr-xr-x",
                (true, false) => "dr-xr-xr-x",
                (false, true) => "-rw-r--r--",
                (false, false) => "-r--r--r--",
            };
            let (links, size) = if facts.folder { (2, FOLDER) } else { (1, facts.size) };
            let date = dates::listed(facts.modified);
            format!("{mode}    {links} ftp      ftp      {size:>12} {date} {name}\r\n")
        }
    }
}

/// What LIST calls the size of a folder, bytes.
const FOLDER: u64 = 4_096;

/// The facts of MLST and MLSD, with the semicolon behind the last.
pub(super) fn facts(facts: Facts) -> String {
    let mut text = String::from(if facts.folder { "type=dir;" } else { "type=file;" });
    if !facts.folder {
        let _ = write!(text, "size={};", facts.size); // a String takes everything
    }
    let perm = match (facts.folder, facts.writable) {
        (true, true) => "flcdmpe",
        (true, false) => "le",
        (false, true) => "radfw",
        (false, false) => "r",
    };
    let _ = write!(text, "modify={};perm={perm};", dates::stamp(facts.modified));
    text
}

/// Is this a pattern?
pub(super) fn is_pattern(name: &str) -> bool {
    name.contains(['*', '?'])
}

/// Does `pattern` mean `name`? `*` is anything, `?` any one character; a name that begins with a dot has to be called so.
pub(super) fn means(pattern: &str, name: &str) -> bool {
    if name.starts_with('.') && !pattern.starts_with('.') {
        return false;
    }
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    let (mut p, mut n) = (0, 0);
    let mut star: Option<(usize, usize)> = None; // where the last star stands, and up to where it reaches
    while n < name.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, n));
                p += 1;
            }
            Some(c) if *c == '?' || *c == name[n] => (p, n) = (p + 1, n + 1),
            _ => {
                let Some((at, reached)) = star else { return false };
                star = Some((at, reached + 1));
                (p, n) = (at + 1, reached + 1);
            }
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_means_what_a_shell_takes_it_for() {
        for (pattern, name, meant) in [
            ("*", "a", true),
            ("*", ".hidden", false),
            (".*", ".hidden", true),
            ("*.bin", "1KiB.bin", true),
            ("*.bin", "1KiB.bin.gz", false),
            ("a*b*c", "aXbYbZc", true),
            ("a*b*c", "aXbYbZ", false),
            ("?", "ä", true),
            ("??", "ä", false),
            ("a?c*", "abc", true),
        ] {
            assert_eq!(means(pattern, name), meant, "{pattern} {name}");
        }
        let long = "a".repeat(255);
        assert!(!means(&format!("{}b", "a*".repeat(500)), &long), "and it does not take for ever");
    }

    #[test]
    fn a_line_is_as_clients_read_it() {
        let file = Facts { folder: false, size: 7, modified: 1_767_225_600, writable: true };
        assert_eq!(
            line("a b", file, Verb::List),
            "-rw-r--r--    1 ftp      ftp                 7 Jan 01  2026 a b\r\n"
        );
        assert_eq!(line("a b", file, Verb::Nlst), "a b\r\n");
        assert_eq!(
            line("a b", file, Verb::Mlsd),
            "type=file;size=7;modify=20260101000000;perm=radfw; a b\r\n"
        );
        let folder = Facts { folder: true, size: 0, writable: false, ..file };
        assert_eq!(line("d", folder, Verb::Mlsd), "type=dir;modify=20260101000000;perm=le; d\r\n");
        assert!(line("d", folder, Verb::List).starts_with("dr-xr-xr-x    2 ftp "));
    }
}
