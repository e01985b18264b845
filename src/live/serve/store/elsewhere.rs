//! Reading and writing the disk on other threads: a disk that takes its time keeps only its own transfer waiting.
//!
//! It opens nothing.

use std::io::{self, Write as _};
use std::sync::Arc;

use cap_std::fs::{File, FileExt as _};

/// What was read of a file and is not yet sent.
#[derive(Debug, Default)]
pub struct Ahead {
    bytes: Vec<u8>,
    from: u64,
}

impl Ahead {
    /// What is there from `at` on.
    pub(in crate::live::serve) fn bytes(&self, at: u64) -> &[u8] {
        let skip = at.checked_sub(self.from).and_then(|skip| usize::try_from(skip).ok());
        skip.and_then(|skip| self.bytes.get(skip..)).unwrap_or_default()
    }

    /// Reads `length` bytes from `at` on, if nothing is there.
    ///
    /// # Errors
    /// The disk said no, or there are no longer so many.
    pub(in crate::live::serve) async fn reach(
        &mut self,
        file: &Arc<File>,
        at: u64,
        length: usize,
    ) -> io::Result<()> {
        if !self.bytes(at).is_empty() {
            return Ok(());
        }
        let (file, mut bytes) = (Arc::clone(file), std::mem::take(&mut self.bytes));
        self.from = at;
        self.bytes = elsewhere(move || {
            bytes.resize(length, 0);
            file.read_exact_at(&mut bytes, at)?;
            Ok(bytes)
        })
        .await?;
        Ok(())
    }
}

/// Writes `bytes` where `file` stands.
///
/// # Errors
/// The disk said no.
pub(in crate::live::serve) async fn write(file: &Arc<File>, bytes: Vec<u8>) -> io::Result<()> {
    let file = Arc::clone(file);
    elsewhere(move || (&*file).write_all(&bytes)).await
}

async fn elsewhere<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
}
