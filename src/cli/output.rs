//! Result files: opened before the run, written whole or not at all.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

/// The files of a result. They exist under their names only after [`Folder::commit`]; a folder that is dropped before leaves
/// nothing behind, and what a killed run left is swept away by the next. One run at a time has a folder.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    lock: File,
    open: Vec<(String, PathBuf, File)>,
}

impl Folder {
    /// Creates the folder and opens each of the files `names` (relative, parent folders are created) for writing.
    pub(super) fn open(path: &Path, names: &[String]) -> anyhow::Result<Self> {
        fs::create_dir_all(path).with_context(|| format!("cannot create the folder {}", path.display()))?;
        let lock = path.join(LOCK);
        let lock = File::create(&lock).with_context(|| format!("cannot write {}", lock.display()))?;
        lock.try_lock().with_context(|| format!("another run is writing to {}", path.display()))?;
        let mut folder = Self { path: path.to_path_buf(), lock, open: Vec::with_capacity(names.len()) };
        for name in names {
            let target = path.join(name);
            let parent = target.parent().unwrap_or(path);
            fs::create_dir_all(parent)
                .with_context(|| format!("cannot create the folder {}", parent.display()))?;
            let file_name = target.file_name().and_then(|n| n.to_str()).unwrap_or("result");
            let partial = parent.join(format!(".{file_name}.partial"));
            let file =
                File::create(&partial).with_context(|| format!("cannot write {}", target.display()))?;
            folder.open.push((name.clone(), partial, file));
        }
        Ok(folder)
    }

    /// Where the files are.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Removes files of an earlier result that this one does not have.
    pub(super) fn forget(&self, names: &[&str]) {
        for name in names.iter().filter(|name| self.open.iter().all(|(open, ..)| open != *name)) {
            let _ = fs::remove_file(self.path.join(name)); // most often it is not there
        }
    }

    /// A second handle of a file that is written while the run goes on; [`Folder::commit`] gives it its name.
    pub(super) fn stream(&self, name: &str) -> anyhow::Result<Option<File>> {
        let found = self.open.iter().find(|(open, ..)| open == name);
        found.map(|(_, _, file)| file.try_clone()).transpose().with_context(|| format!("cannot write {name}"))
    }

    /// Gives each file its contents, unless it was streamed, and its name, in the order in which they were opened: whoever finds
    /// the last of them finds them all.
    pub(super) fn commit(mut self, contents: &[(String, Vec<u8>)]) -> anyhow::Result<()> {
        self.commit_some(|_| true, contents)
    }

    /// The same for the files that are `wanted`. Of the others those of an earlier result are removed: they are not of this one.
    pub(super) fn commit_some(
        &mut self,
        wanted: impl Fn(&str) -> bool,
        contents: &[(String, Vec<u8>)],
    ) -> anyhow::Result<()> {
        for (name, _, file) in self.open.iter_mut().filter(|(name, ..)| wanted(name)) {
            if let Some((_, bytes)) = contents.iter().find(|(n, _)| n == name) {
                file.write_all(bytes)
                    .and_then(|()| file.flush())
                    .with_context(|| format!("cannot write {name}"))?;
            }
        }
        if let Some((last, _, _)) = self.open.iter().rfind(|(name, ..)| wanted(name)) {
            let _ = fs::remove_file(self.path.join(last)); // an older result is not whole from here on
        }
        for (name, partial, _) in &self.open {
            let target = self.path.join(name);
            if wanted(name) {
                fs::rename(partial, target).with_context(|| format!("cannot write {name}"))?;
            } else {
                let _ = fs::remove_file(target); // most often it is not there
            }
        }
        self.open.retain(|(name, ..)| !wanted(name));
        Ok(())
    }
}

/// Writes `file` so that whoever finds it finds all of it.
pub(super) fn write_whole(file: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let name = file.file_name().with_context(|| format!("{} is no file", file.display()))?;
    let mut partial_name = std::ffi::OsString::from(".");
    partial_name.push(name);
    partial_name.push(".partial");
    let partial = file.with_file_name(partial_name);
    fs::write(&partial, bytes)
        .and_then(|()| fs::rename(&partial, file))
        .inspect_err(|_| drop(fs::remove_file(&partial)))
        .with_context(|| format!("cannot write {}", file.display()))
}

/// Held by the run that writes to a folder.
const LOCK: &str = ".lock";

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_file(self.path.join(LOCK));
        let _ = self.lock.unlock();
        for (_, partial, _) in &self.open {
            let _ = fs::remove_file(partial); // the best that can be done on the way out
        }
    }
}

/// Writes a result to standard output.
pub(super) fn print(bytes: &[u8]) -> Result<(), super::Failure> {
    let mut out = std::io::stdout().lock();
    let written = out.write_all(bytes).and_then(|()| out.flush());
    written.map_err(|error| match error.kind() {
        std::io::ErrorKind::BrokenPipe => anyhow::Error::from(error).into(),
        _ => anyhow::Error::from(error).context("cannot write to standard output").into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(of: &[&str]) -> Vec<String> {
        of.iter().map(|s| (*s).to_owned()).collect()
    }

    #[test]
    fn files_appear_whole_or_not_at_all() {
        let dir = tempfile::tempdir().unwrap();
        drop(Folder::open(dir.path(), &names(&["a", "b/c"])).unwrap());
        assert!(fs::read_dir(dir.path().join("b")).unwrap().next().is_none());
        let folder = Folder::open(dir.path(), &names(&["a", "b/c"])).unwrap();
        assert!(!dir.path().join("a").exists());
        folder.commit(&[("a".into(), b"1".to_vec()), ("b/c".into(), b"2".to_vec())]).unwrap();
        assert_eq!(fs::read(dir.path().join("b/c")).unwrap(), b"2");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2);
    }

    #[test]
    fn what_is_written_first_is_there_whatever_becomes_of_the_rest() {
        let dir = tempfile::tempdir().unwrap();
        let both = names(&["a", "b/c"]);
        let all = [("a".into(), b"1".to_vec()), ("b/c".into(), b"2".to_vec())];
        Folder::open(dir.path(), &both).unwrap().commit(&all).unwrap();
        let mut folder = Folder::open(dir.path(), &both).unwrap();
        folder.commit_some(|name| name == "a", &[("a".into(), b"3".to_vec())]).unwrap();
        drop(folder);
        assert_eq!(fs::read(dir.path().join("a")).unwrap(), b"3");
        assert!(
            fs::read_dir(dir.path().join("b")).unwrap().next().is_none(),
            "the old rest is not of this result"
        );
    }

    #[test]
    fn a_bad_path_fails_before_anything_runs() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("file"), b"").unwrap();
        assert!(Folder::open(&dir.path().join("file"), &names(&["a"])).is_err());
    }
}
