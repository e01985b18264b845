//! A TCP connection, plain or under TLS, as both ends of the live world use it: nothing here waits.
//!
//! Who reads waits for `TcpStream::readable` first, on a handle of his own: a wire is borrowed for moments only, and anybody may
//! write to it in between. It knows no lines and no FTP.

use std::io::{self, Read, Write};
use std::os::fd::AsRawFd as _;
use std::rc::Rc;

use nix::sys::socket::{Shutdown, shutdown};
use rustls::Connection;
use tokio::io::Interest;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::clock::span;
use crate::time::Duration;

/// How long the other side of a TLS connection has for its end once this side has said its own.
const PATIENCE: Duration = Duration::from_secs(2);
/// What it may say meanwhile, bytes.
const HEARD: usize = 64 << 10;

/// One connection.
pub struct Wire {
    tcp: Rc<TcpStream>,
    tls: Option<Box<Connection>>,
    /// What the kernel would not take yet.
    unsent: Vec<u8>,
}

/// The socket as TLS wants it.
struct Raw<'a>(&'a TcpStream);

impl Read for Raw<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        read_some(self.0, into)
    }
}

/// Reads what is there. Less than there was room for is all there is: the next read would find nothing, and is saved by saying so
/// beforehand (as tokio's own streams do, behind an interface that wants them for itself).
fn read_some(tcp: &TcpStream, into: &mut [u8]) -> io::Result<usize> {
    let mut short = None;
    let whole = tcp.try_io(Interest::READABLE, || {
        let count = nix::unistd::read(tcp, into)?;
        if count == 0 || count == into.len() {
            return Ok(count);
        }
        short = Some(count);
        Err(io::ErrorKind::WouldBlock.into())
    });
    short.map_or(whole, Ok)
}

impl Write for Raw<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.try_write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Wire {
    /// A plain connection.
    pub fn new(tcp: TcpStream) -> Self {
        Self { tcp: Rc::new(tcp), tls: None, unsent: Vec::new() }
    }

    /// A handle to wait on.
    pub fn socket(&self) -> Rc<TcpStream> {
        Rc::clone(&self.tcp)
    }

    /// From here on everything goes through `tls`. What it has to say first goes out at once.
    ///
    /// # Errors
    /// The connection broke.
    pub fn start_tls(&mut self, tls: Connection) -> io::Result<()> {
        self.tls = Some(Box::new(tls));
        self.flush()
    }

    /// Is a TLS handshake under way? Until it is over, [`read`](Self::read) gives `WouldBlock` and moves it on.
    pub fn is_handshaking(&self) -> bool {
        self.tls.as_ref().is_some_and(|tls| tls.is_handshaking())
    }

    /// The TLS connection, if there is one.
    pub fn tls(&self) -> Option<&Connection> {
        self.tls.as_deref()
    }

    /// Reads what is there into a buffer that is not empty. `Ok(0)` is the peer's end.
    ///
    /// # Errors
    /// `WouldBlock`: nothing yet. Anything else: the connection broke, or the peer does not speak TLS.
    pub fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            let Some(tls) = &mut self.tls else { return read_some(&self.tcp, into) };
            match tls.reader().read(into) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(0), // no close_notify: FTP servers seldom send one
                done => return done,
            }
            self.take_in()?;
        }
    }

    /// Moves a TLS handshake on, and takes none of what was said behind it. True when it is complete.
    ///
    /// # Errors
    /// The connection broke or ended, or the two do not agree.
    pub fn shake(&mut self) -> io::Result<bool> {
        while self.is_handshaking() {
            match self.take_in() {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }

    /// Hands what the socket has to TLS, and sends what TLS has to say to it. Returns how many bytes there were; 0 at the end.
    fn take_in(&mut self) -> io::Result<usize> {
        let Some(tls) = &mut self.tls else { return Ok(0) };
        let came = tls.read_tls(&mut Raw(&self.tcp))?;
        let state = tls.process_new_packets();
        let flushed = self.flush(); // an alert, if the state is an error: it matters less than what is wrong
        state.map_err(io::Error::other)?;
        flushed.map(|()| came)
    }

    /// Waits until there may be something to read, or what TLS has to say first can go on.
    ///
    /// # Errors
    /// The socket is no more.
    pub async fn readable(&self) -> io::Result<()> {
        let both = Interest::READABLE.add(Interest::WRITABLE);
        let interest = if self.unsent() { both } else { Interest::READABLE };
        self.tcp.ready(interest).await.map(|_| ())
    }

    /// Sends a part of `bytes`, as much as finds room; nothing is kept but what TLS has ciphered already.
    ///
    /// # Errors
    /// `WouldBlock`: nothing now. Anything else: the connection broke.
    pub fn write_some(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.unsent() {
            self.flush()?;
        }
        let Some(tls) = &mut self.tls else { return self.tcp.try_write(bytes) };
        if tls.wants_write() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let took = tls.writer().write(bytes)?;
        self.flush()?;
        Ok(took)
    }

    /// Says that nothing follows, if that can be said (TLS). To be flushed like everything.
    pub fn close_notify(&mut self) {
        if let Some(tls) = &mut self.tls {
            tls.send_close_notify();
            let _ = self.flush(); // who cannot be told does not need to know
        }
    }

    /// Says that nothing follows, and waits until everything is out.
    ///
    /// # Errors
    /// The connection broke before.
    pub async fn say_end(&mut self) -> io::Result<()> {
        self.close_notify();
        while self.unsent() {
            self.tcp.writable().await?;
            self.flush()?;
        }
        Ok(())
    }

    /// The same, and then reads and forgets what the other side says up to its own end: the kernel would throw away what is under way
    /// if anything were left unread, and TLS says things unasked. A plain connection is ended by closing it.
    ///
    /// # Errors
    /// The connection broke before everything was out.
    pub async fn finish(&mut self) -> io::Result<()> {
        if self.tls.is_none() {
            return Ok(());
        }
        self.say_end().await?;
        shutdown(self.tcp.as_raw_fd(), Shutdown::Write)?;
        let mut nobody = [0; 4_096];
        let mut heard = 0;
        while heard < HEARD {
            match self.read(&mut nobody) {
                Ok(0) => break,
                Ok(count) => heard += count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    if timeout(span(PATIENCE), self.readable()).await.is_err() {
                        break;
                    }
                }
                Err(_) => break, // everything was out
            }
        }
        Ok(())
    }

    /// Sends `bytes`, or keeps what the kernel does not take: see [`unsent`](Self::unsent).
    ///
    /// # Errors
    /// The connection broke.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.tls {
            Some(tls) => tls.writer().write_all(bytes)?,
            None if self.unsent.is_empty() => match self.tcp.try_write(bytes) {
                Ok(wrote) => self.unsent.extend_from_slice(&bytes[wrote..]),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.unsent.extend_from_slice(bytes);
                }
                Err(error) => return Err(error),
            },
            None => self.unsent.extend_from_slice(bytes),
        }
        self.flush()
    }

    /// Sends what was kept, as far as the kernel takes it. To be called when the socket is writable and something is unsent.
    ///
    /// # Errors
    /// The connection broke.
    pub fn flush(&mut self) -> io::Result<()> {
        while !self.unsent.is_empty() {
            match self.tcp.try_write(&self.unsent) {
                Ok(wrote) => drop(self.unsent.drain(..wrote)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        let Some(tls) = &mut self.tls else { return Ok(()) };
        while tls.wants_write() {
            match tls.write_tls(&mut Raw(&self.tcp)) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                wrote => wrote?,
            };
        }
        Ok(())
    }

    /// Is something waiting for the socket to be writable? A driver that goes on writing regardless hoards memory.
    pub fn unsent(&self) -> bool {
        !self.unsent.is_empty() || self.tls.as_ref().is_some_and(|tls| tls.wants_write())
    }
}
