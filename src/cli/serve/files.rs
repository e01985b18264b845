//! The files of a served model, and the ports that their bytes come over: synthetic ones in memory, or a folder of this machine.
//!
//! It opens none of them.

use std::path::PathBuf;

use crate::cli::exit::Failure;
use crate::live::serve::Plan;
use crate::units;

/// The arguments.
#[derive(Debug, clap::Args)]
pub(super) struct FileArgs {
    /// A file of this size, made up as it is sent: --file /pub/big.iso=10GiB. May be said again
    #[arg(long, help_heading = "Files", value_name = "PATH=SIZE", value_parser = file)]
    file: Vec<(String, u64)>,
    /// Serve this folder; without it the files are in memory, and so is what is uploaded
    #[arg(long, help_heading = "Files", value_name = "DIR", conflicts_with_all = ["file", "max_stored"])]
    root: Option<PathBuf>,
    /// Let clients change what is in --root
    #[arg(long, help_heading = "Files", requires = "root")]
    writable: bool,
    /// The most that is kept of uploads in memory, such as 100MiB
    #[arg(long, help_heading = "Files", value_name = "SIZE", value_parser = size)]
    max_stored: Option<u64>,
    /// The ports of passive data connections, the first and the last; without it, what the kernel has
    #[arg(long, help_heading = "Files", value_name = "FIRST-LAST", value_parser = ports)]
    passive_ports: Option<(u16, u16)>,
}

impl FileArgs {
    /// `plan` with these files.
    pub(super) fn of(&self, plan: Plan) -> Result<Plan, Failure> {
        if let Some(root) = self.root.as_deref().filter(|root| !root.is_dir()) {
            return Err(Failure::Usage(format!("--root {}: there is no such folder", root.display())));
        }
        Ok(Plan {
            files: self.file.clone(),
            root: self.root.clone(),
            writable: self.writable,
            max_stored: self.max_stored.unwrap_or(plan.max_stored),
            passive_ports: self.passive_ports,
            ..plan
        })
    }
}

/// Reads a size, for clap.
fn size(text: &str) -> Result<u64, String> {
    units::parse_size(text).ok_or_else(|| "a size is a number with a unit, such as 10MiB or 3000B".to_owned())
}

/// Reads `PATH=SIZE`, for clap. A path may hold anything, also an equals sign.
fn file(text: &str) -> Result<(String, u64), String> {
    let (path, given) = text.rsplit_once('=').ok_or("write PATH=SIZE, such as /pub/big.iso=10GiB")?;
    if !path.starts_with('/') || path.ends_with('/') || path.chars().any(char::is_control) {
        return Err("a path begins with / and ends with the name of the file".to_owned());
    }
    Ok((path.to_owned(), size(given)?))
}

/// Reads `FIRST-LAST`, or one port, for clap.
fn ports(text: &str) -> Result<(u16, u16), String> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let port = |text: &str| text.trim().parse().ok().filter(|port| *port > 0);
    match (port(first), port(last)) {
        (Some(first), Some(last)) if first <= last => Ok((first, last)),
        _ => Err("write two ports, the lower one first, such as 50000-50010".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_a_path_and_a_size() {
        assert_eq!(file("/pub/a=b=1KiB"), Ok(("/pub/a=b".to_owned(), 1_024)));
        for wrong in ["/a", "a=1B", "/=1B", "/pub/=1B", "/a=1", "/a=", "/a\nb=1B"] {
            assert!(file(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn ports_are_a_range_or_one() {
        assert_eq!((ports("50000-50010"), ports("50000")), (Ok((50_000, 50_010)), Ok((50_000, 50_000))));
        for wrong in ["", "0", "2-1", "1-70000", "a-b", "1-"] {
            assert!(ports(wrong).is_err(), "{wrong}");
        }
    }
}
