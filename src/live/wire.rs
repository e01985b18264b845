//! A TCP connection, plain or under TLS, as both ends of the live world use it: nothing here waits.
//!
//! Who reads waits for `TcpStream::readable` first, on a handle of his own: a wire is borrowed for moments only, and anybody may
//! write to it in between. It knows no lines and no FTP.

use std::io::{self, Read, Write};
use std::rc::Rc;

use rustls::Connection;
use tokio::net::TcpStream;

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
        self.0.try_read(into)
    }
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

    /// Reads what is there. `Ok(0)` is the peer's end.
    ///
    /// # Errors
    /// `WouldBlock`: nothing yet. Anything else: the connection broke, or the peer does not speak TLS.
    pub fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let Some(tls) = &mut self.tls else { return self.tcp.try_read(into) };
        loop {
            match tls.reader().read(into) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(0), // no close_notify: FTP servers seldom send one
                done => return done,
            }
            let came = tls.read_tls(&mut Raw(&self.tcp))?;
            let state = tls.process_new_packets().map_err(io::Error::other);
            while tls.wants_write() {
                match tls.write_tls(&mut Raw(&self.tcp)) {
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                    wrote => wrote?,
                };
            }
            state?;
            if came == 0 && !tls.wants_read() {
                return Ok(0);
            }
        }
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
