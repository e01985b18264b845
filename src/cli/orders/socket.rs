//! The socket that takes orders: a line in, a line out, until the server ends.
//!
//! It understands no order. It is this user's only (mode 0600), and still nobody there can make it hold more than a few threads and
//! lines, or for longer than a bounded time.

use std::fs;
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::Context as _;
use nix::sys::socket::{AddressFamily, Backlog, SockFlag, SockType, UnixAddr, bind, listen, socket};

use crate::live::serve::orders::Desk;

/// Those who may give orders at once.
const MOST: usize = 16;
/// The longest line, bytes: a little more than the longest order.
const LONGEST: usize = 1_100;
/// How long somebody may be silent between two orders.
const SILENCE: Duration = Duration::from_secs(300);
/// How long the next piece of a line that has begun, or the reading of an answer, may take.
const PIECE: Duration = Duration::from_secs(5);
/// The pieces that a line may come in.
const PIECES: usize = 20;

/// The socket. Dropped, it is removed.
#[derive(Debug)]
pub(in crate::cli) struct Socket {
    path: PathBuf,
    /// What was made there: the device and the number of the file.
    made: (u64, u64),
}

impl Socket {
    /// Takes orders at `path` from now on, and hands them in at `desk`.
    pub(super) fn open(path: &Path, desk: Desk) -> anyhow::Result<Self> {
        let name = path.display();
        let own = bound(path).with_context(|| format!("--control: cannot take orders at {name}"))?;
        // Nobody can connect before it listens: until then it is nobody's.
        let ready = fs::set_permissions(path, fs::Permissions::from_mode(0o600))
            .and_then(|()| Ok(listen(&own, Backlog::new(MOST as i32)?)?))
            .and_then(|()| fs::symlink_metadata(path));
        let made = ready.with_context(|| format!("--control: cannot take orders at {name}"))?;
        let listener = UnixListener::from(own);
        std::thread::Builder::new()
            .name("ftp421-orders".to_owned())
            .spawn(move || receive(&listener, &desk))
            .context("--control")?;
        Ok(Self { path: path.to_path_buf(), made: (made.dev(), made.ino()) })
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        // Somebody may have put something else there.
        if fs::symlink_metadata(&self.path).is_ok_and(|now| (now.dev(), now.ino()) == self.made) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// A socket that is bound to `path`. What a server left there that is no more is removed.
fn bound(path: &Path) -> io::Result<OwnedFd> {
    let own = socket(AddressFamily::Unix, SockType::Stream, SockFlag::SOCK_CLOEXEC, None)?;
    let address = UnixAddr::new(path)?;
    match bind(own.as_raw_fd(), &address).map_err(io::Error::from) {
        Err(error) if error.kind() == ErrorKind::AddrInUse => {}
        done => return done.map(|()| own),
    }
    if !fs::symlink_metadata(path)?.file_type().is_socket() {
        return Err(io::Error::new(ErrorKind::AlreadyExists, "it is there, and no socket"));
    }
    match UnixStream::connect(path) {
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => fs::remove_file(path)?,
        Err(error) => return Err(error),
        Ok(_) => return Err(io::Error::new(ErrorKind::AddrInUse, "another server takes orders there")),
    }
    bind(own.as_raw_fd(), &address)?;
    Ok(own)
}

fn receive(listener: &UnixListener, desk: &Desk) {
    let there = Arc::new(AtomicUsize::new(0));
    loop {
        let Ok((stream, _)) = listener.accept() else {
            std::thread::sleep(Duration::from_millis(50)); // out of descriptors, most likely
            continue;
        };
        let seat = Seat::take(&there);
        let desk = desk.clone();
        let talks = move || {
            // Who does not read or hangs up has had his answer.
            let _ = match seat {
                Some(_seat) => converse(stream, &desk),
                None => told(&stream, &format!("error {MOST} others give orders already")),
            };
        };
        let _ = std::thread::Builder::new().name("ftp421-order".to_owned()).spawn(talks); // without one it is closed
    }
}

/// A place for somebody who gives orders.
struct Seat(Arc<AtomicUsize>);

impl Seat {
    fn take(taken: &Arc<AtomicUsize>) -> Option<Self> {
        let seat = Self(Arc::clone(taken));
        (taken.fetch_add(1, Ordering::Relaxed) < MOST).then_some(seat) // one that is not given is given back
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Takes orders until the other side has no more.
fn converse(mut stream: UnixStream, desk: &Desk) -> io::Result<()> {
    let mut rest = Vec::new();
    loop {
        let line = match next_line(&mut stream, &mut rest) {
            Ok(Some(line)) => line,
            Ok(None) => return Ok(()),
            Err(error) if error.kind() == ErrorKind::InvalidData => {
                return told(&stream, &format!("error {error}"));
            }
            Err(error) => return Err(error),
        };
        if line.trim().is_empty() {
            continue;
        }
        match desk.say(&line) {
            Ok(done) => told(&stream, &format!("ok {done}"))?,
            Err(error) if error.kind() == ErrorKind::BrokenPipe => {
                return told(&stream, &format!("error {error}"));
            }
            Err(error) => told(&stream, &format!("error {error}"))?,
        }
    }
}

/// The next line; what was read beyond it stays in `rest`. `None` at the end.
fn next_line(stream: &mut UnixStream, rest: &mut Vec<u8>) -> io::Result<Option<String>> {
    for _ in 0..PIECES {
        if let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = rest.drain(..=end).collect();
            return Ok(Some(String::from_utf8_lossy(&line).trim_end().to_owned()));
        }
        if rest.len() > LONGEST {
            break;
        }
        stream.set_read_timeout(Some(if rest.is_empty() { SILENCE } else { PIECE }))?;
        let mut piece = [0; 512];
        match stream.read(&mut piece)? {
            0 => return Ok(None),
            read => rest.extend_from_slice(&piece[..read]),
        }
    }
    Err(io::Error::new(ErrorKind::InvalidData, "an order is one line of at most 1000 bytes"))
}

fn told(mut stream: &UnixStream, answer: &str) -> io::Result<()> {
    stream.set_write_timeout(Some(PIECE))?;
    stream.write_all(format!("{}\n", answer.replace('\n', " ")).as_bytes())
}
