//! Where the page is asked for: as much of HTTP (RFC 9112) as one page needs, in a thread of its own.
//!
//! It keeps no connection, reads no body and serves one at a time; each has two seconds for everything, and this machine only.
//! Whoever asks slowly, or does not read, makes the next one wait that long, and nobody else.

use std::io::{self, Error, ErrorKind, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;

use super::{Meter, page};
use crate::live::clock::{Clock, Epoch, span};
use crate::time::{Duration, Instant};

/// How long one exchange may take, whoever is slow.
const PATIENCE: Duration = Duration::from_secs(2);
/// The longest request without its body, bytes.
const LONGEST: usize = 8 << 10;
/// So long nobody is let in if the system cannot open one more connection.
const PAUSE: Duration = Duration::from_millis(100);
/// The type of the page.
const TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Somewhere to be asked at.
#[derive(Debug)]
pub struct Door {
    listener: TcpListener,
    address: SocketAddr,
}

impl Door {
    /// Listens at `address`; port 0 picks one.
    ///
    /// # Errors
    /// It cannot, or the address is not one of this machine only.
    pub fn open(address: SocketAddr) -> io::Result<Self> {
        if !address.ip().is_loopback() {
            return Err(Error::new(ErrorKind::InvalidInput, "metrics are for this machine only"));
        }
        let listener = TcpListener::bind(address)?;
        let address = listener.local_addr()?;
        Ok(Self { listener, address })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Gives `meter`'s page to whoever asks, until the program ends.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn answer(self, meter: Arc<Meter>) -> io::Result<()> {
        let serve = move || {
            for caller in self.listener.incoming() {
                match caller {
                    Ok(stream) => {
                        // Whoever goes in the middle of it is not worth a word.
                        let _ = Caller::new(stream).serve(&meter);
                    }
                    Err(_) => std::thread::sleep(span(PAUSE)),
                }
            }
        };
        std::thread::Builder::new().name("ftp421-metrics".to_owned()).spawn(serve).map(|_| ())
    }
}

/// Somebody who asks, and how long it has been.
struct Caller {
    stream: TcpStream,
    clock: Clock,
}

/// What is answered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Answer {
    Page,
    /// The page's header.
    Head,
    NotFound,
    NotAllowed,
    NoRequest,
}

impl Caller {
    fn new(stream: TcpStream) -> Self {
        Self { stream, clock: Clock::of(Epoch::after(Duration::ZERO)) }
    }

    fn serve(mut self, meter: &Arc<Meter>) -> io::Result<()> {
        let answer = to(&self.request()?);
        self.say(response(answer, meter).as_bytes())?;
        self.stream.shutdown(Shutdown::Write)?;
        // What is still unread would turn the end into a reset, which may overtake the answer.
        let mut rest = 8 * LONGEST;
        while let Ok(read @ 1..) = self.hear(&mut [0; 1 << 10]) {
            rest = rest.saturating_sub(read);
            if rest == 0 {
                break;
            }
        }
        Ok(())
    }

    /// All up to the empty line, or what came before there was too much.
    fn request(&mut self) -> io::Result<Vec<u8>> {
        let (mut request, mut piece) = (Vec::new(), [0; 1 << 10]);
        while !is_whole(&request) && request.len() <= LONGEST {
            match self.hear(&mut piece)? {
                0 => break,
                read => request.extend_from_slice(&piece[..read]),
            }
        }
        Ok(request)
    }

    fn hear(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.stream.set_read_timeout(Some(span(self.left()?)))?;
        self.stream.read(into)
    }

    fn say(&mut self, mut what: &[u8]) -> io::Result<()> {
        while !what.is_empty() {
            self.stream.set_write_timeout(Some(span(self.left()?)))?;
            match self.stream.write(what)? {
                0 => return Err(ErrorKind::WriteZero.into()),
                written => what = &what[written..],
            }
        }
        Ok(())
    }

    /// How much time is left.
    fn left(&self) -> io::Result<Duration> {
        let left = (Instant::ZERO + PATIENCE).since(self.clock.now());
        if left.is_zero() { Err(ErrorKind::TimedOut.into()) } else { Ok(left) }
    }
}

fn is_whole(request: &[u8]) -> bool {
    request.windows(4).any(|end| end == b"\r\n\r\n") || request.windows(2).any(|end| end == b"\n\n")
}

/// What is answered to `request`.
fn to(request: &[u8]) -> Answer {
    let first = request.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let first = std::str::from_utf8(first).unwrap_or_default().trim_end_matches('\r');
    let words: Vec<&str> = first.split(' ').collect();
    let [method, target, version] = words[..] else { return Answer::NoRequest };
    let is_spoken = version.starts_with("HTTP/1.") && target.starts_with('/') && !method.is_empty();
    if !is_spoken || !is_whole(request) || request.len() > LONGEST {
        return Answer::NoRequest;
    }
    let path = target.split_once('?').map_or(target, |(path, _)| path);
    match method {
        _ if path != "/metrics" => Answer::NotFound,
        "GET" => Answer::Page,
        "HEAD" => Answer::Head,
        _ => Answer::NotAllowed,
    }
}

fn response(answer: Answer, meter: &Arc<Meter>) -> String {
    let (status, kind, body) = match answer {
        Answer::Page | Answer::Head => ("200 OK", TYPE, page(meter)),
        Answer::NotFound => ("404 Not Found", "text/plain", "The page is /metrics\n".to_owned()),
        Answer::NotAllowed => {
            ("405 Method Not Allowed\r\nAllow: GET, HEAD", "text/plain", "GET it\n".to_owned())
        }
        Answer::NoRequest => ("400 Bad Request", "text/plain", "This is no request\n".to_owned()),
    };
    let length = body.len();
    let body = if answer == Answer::Head { "" } else { &body };
    format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_told_from_what_is_none() {
        for (request, answer) in [
            ("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", Answer::Page),
            ("GET /metrics?name=x HTTP/1.0\n\n", Answer::Page),
            ("HEAD /metrics HTTP/1.1\r\n\r\n", Answer::Head),
            ("POST /metrics HTTP/1.1\r\n\r\n", Answer::NotAllowed),
            ("GET / HTTP/1.1\r\n\r\n", Answer::NotFound),
            ("GET /metrics HTTP/1.1\r\nHost: x\r\n", Answer::NoRequest),
            ("GET /metrics\r\n\r\n", Answer::NoRequest),
            ("USER alice\r\n\r\n", Answer::NoRequest),
            ("", Answer::NoRequest),
        ] {
            assert_eq!(to(request.as_bytes()), answer, "{request:?}");
        }
        let long = format!("GET /metrics HTTP/1.1\r\nA: {}\r\n\r\n", "a".repeat(3 * LONGEST));
        assert_eq!(to(long.as_bytes()), Answer::NoRequest);
    }

    #[test]
    fn it_opens_to_this_machine_only() {
        assert!(Door::open(SocketAddr::from(([0, 0, 0, 0], 0))).is_err());
        assert!(Door::open(SocketAddr::from(([127, 0, 0, 1], 0))).is_ok());
    }
}
