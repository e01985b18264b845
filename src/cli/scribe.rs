//! The scribe: a thread that compresses and writes a trace, so that the simulation does not wait for either.
//!
//! It reads nothing of what it writes.

use std::io::{self, Write};
use std::mem;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread::JoinHandle;

/// How a trace is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
pub enum Form {
    /// As it is: trace.ndjson
    Ndjson,
    /// Compressed with zstd, to less than a tenth: trace.ndjson.zst
    Zst,
}

impl Form {
    /// The file's name in the folder of the results.
    pub(super) const fn file_name(self) -> &'static str {
        match self {
            Self::Ndjson => "trace.ndjson",
            Self::Zst => "trace.ndjson.zst",
        }
    }

    /// The names of all forms.
    pub(super) const FILES: [&'static str; 2] = [Self::Ndjson.file_name(), Self::Zst.file_name()];
}

/// So many full sheets wait for the scribe, at most; then whoever brings one waits. With the one that is being filled and the one that is
/// being written there are never more than four.
const WAITING: usize = 2;

/// zstd's fastest level that is not a negative one. A trace repeats itself so much that a higher one saves nothing.
const LEVEL: i32 = 1;

/// A thread that writes.
#[derive(Debug)]
pub struct Scribe {
    full: SyncSender<Vec<u8>>,
    empty: Receiver<Vec<u8>>,
    thread: JoinHandle<io::Result<()>>,
}

impl Scribe {
    /// Starts one that writes to `out`, and calls `fails` as soon as it cannot.
    ///
    /// # Errors
    /// The system has no thread left.
    pub fn start(
        form: Form,
        out: impl Write + Send + 'static,
        fails: impl FnOnce() + Send + 'static,
    ) -> io::Result<Self> {
        let (full, filled) = sync_channel(WAITING);
        let (emptied, empty) = channel();
        let thread = std::thread::Builder::new().name("trace".to_owned()).spawn(move || {
            let written = match form {
                Form::Ndjson => write(out, &filled, &emptied).and_then(|mut out| out.flush()),
                Form::Zst => compress(out, &filled, &emptied),
            };
            written.inspect_err(|_| fails())
        })?;
        Ok(Self { full, empty, thread })
    }

    /// Takes what stands in `sheet`, and leaves an empty one.
    ///
    /// # Errors
    /// The scribe has failed; [`Scribe::finish`] knows why.
    pub fn take(&mut self, sheet: &mut Vec<u8>) -> io::Result<()> {
        let empty = self.empty.try_recv().unwrap_or_default();
        self.full.send(mem::replace(sheet, empty)).map_err(|_| io::ErrorKind::BrokenPipe.into())
    }

    /// Waits until all is written.
    ///
    /// # Errors
    /// Something was not.
    pub fn finish(self) -> io::Result<()> {
        drop(self.full);
        self.thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }
}

fn write<W: Write>(mut out: W, full: &Receiver<Vec<u8>>, empty: &Sender<Vec<u8>>) -> io::Result<W> {
    for mut sheet in full {
        out.write_all(&sheet)?;
        sheet.clear();
        let _ = empty.send(sheet); // nobody wants it any more
    }
    Ok(out)
}

fn compress(out: impl Write, full: &Receiver<Vec<u8>>, empty: &Sender<Vec<u8>>) -> io::Result<()> {
    let mut encoder = zstd::Encoder::new(out, LEVEL)?;
    encoder.include_checksum(true)?;
    write(encoder, full, empty)?.finish()?.flush()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::{Arc, Mutex};

    use super::*;

    /// A file that others can read while it is written, and that holds so many bytes.
    #[derive(Clone)]
    struct Disk(Arc<Mutex<Vec<u8>>>, usize);

    impl Write for Disk {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let mut disk = self.0.lock().unwrap();
            if disk.len() + bytes.len() > self.1 {
                return Err(io::ErrorKind::StorageFull.into());
            }
            disk.extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn disk(size: usize) -> Disk {
        Disk(Arc::default(), size)
    }

    #[test]
    fn what_is_taken_is_written_in_its_order() {
        let wanted: Vec<u8> = (0..1_000_000_u32).flat_map(u32::to_le_bytes).collect();
        for form in [Form::Ndjson, Form::Zst] {
            let disk = disk(usize::MAX);
            let mut scribe = Scribe::start(form, disk.clone(), || panic!("it holds everything")).unwrap();
            for part in wanted.chunks(10_000) {
                let mut sheet = part.to_vec();
                scribe.take(&mut sheet).unwrap();
                assert!(sheet.is_empty());
            }
            scribe.finish().unwrap();
            let got = disk.0.lock().unwrap().clone();
            let got = if form == Form::Zst { zstd::decode_all(&got[..]).unwrap() } else { got };
            assert!(got == wanted, "{form:?}");
        }
    }

    #[test]
    fn a_full_disk_is_told_at_once_and_with_its_reason() {
        for form in [Form::Ndjson, Form::Zst] {
            let failed = Arc::new(AtomicBool::new(false));
            let told = Arc::clone(&failed);
            let mut scribe =
                Scribe::start(form, disk(1_000_000), move || told.store(true, Ordering::SeqCst)).unwrap();
            let mut number = 0_u64;
            let stopped = (0..1_000).any(|_| {
                let mut sheet = Vec::new();
                for _ in 0..10_000 {
                    number = number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1); // nothing to compress
                    sheet.extend_from_slice(&number.to_le_bytes()[4..]);
                }
                scribe.take(&mut sheet).is_err()
            });
            assert!(stopped, "nobody goes on for ever");
            assert!(failed.load(Ordering::SeqCst));
            assert_eq!(scribe.finish().unwrap_err().kind(), io::ErrorKind::StorageFull);
        }
    }
}
