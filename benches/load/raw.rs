//! The smallest FTP client that does the same system calls: one thread, one epoll, no machine, no timer, no book.
//!
//! It is the floor that the load generator is measured against.

use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::os::fd::{AsFd as _, AsRawFd as _, OwnedFd};

use nix::errno::Errno;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use nix::sys::socket::{AddressFamily, SockFlag, SockType, SockaddrIn, connect, socket};

/// What is said after the greeting, a line for each reply.
const LINES: [&[u8]; 4] = [b"USER anonymous\r\n", b"PASS ftp421\r\n", b"NOOP\r\n", b"QUIT\r\n"];

struct Session {
    tcp: TcpStream,
    said: usize,
}

/// Logs in, says NOOP and quits `sessions` times, `at_once` at a time.
pub fn sessions(port: u16, sessions: u32, at_once: u32) -> io::Result<()> {
    let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
    let mut open: Vec<Option<Session>> = Vec::new();
    for place in 0..at_once.min(sessions) {
        open.push(Some(begin(port, &epoll, u64::from(place))?));
    }
    let (mut begun, mut ended) = (at_once.min(sessions), 0);
    let mut events = [EpollEvent::empty(); 512];
    let mut line = [0; 4_096];
    while ended < sessions {
        let ready = epoll.wait(&mut events, EpollTimeout::NONE)?;
        for event in &events[..ready] {
            let place = event.data() as usize;
            let Some(session) = &mut open[place] else { continue };
            match session.tcp.read(&mut line) {
                Ok(0) => {
                    ended += 1;
                    open[place] = None;
                    if begun < sessions {
                        begun += 1;
                        open[place] = Some(begin(port, &epoll, place as u64)?);
                    }
                }
                Ok(read) if line[read - 1] == b'\n' => {
                    if let Some(say) = LINES.get(session.said) {
                        session.tcp.write_all(say)?;
                    }
                    session.said += 1;
                }
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
    }
    Ok(())
}

/// Opens a connection.
fn begin(port: u16, epoll: &Epoll, key: u64) -> io::Result<Session> {
    let flags = SockFlag::SOCK_NONBLOCK | SockFlag::SOCK_CLOEXEC;
    let fd: OwnedFd = socket(AddressFamily::Inet, SockType::Stream, flags, None)?;
    let [a, b, c, d] = Ipv4Addr::LOCALHOST.octets();
    match connect(fd.as_raw_fd(), &SockaddrIn::new(a, b, c, d, port)) {
        Ok(()) | Err(Errno::EINPROGRESS) => {}
        Err(error) => return Err(error.into()),
    }
    let tcp = TcpStream::from(fd);
    epoll.add(tcp.as_fd(), EpollEvent::new(EpollFlags::EPOLLIN, key))?;
    Ok(Session { tcp, said: 0 })
}

/// Downloads once and gives the bytes that came.
pub fn download(port: u16) -> io::Result<u64> {
    let mut control = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    let mut reply = [0; 512];
    let mut told = 0;
    for say in [b"".as_slice(), LINES[0], LINES[1], b"PASV\r\n"] {
        control.write_all(say)?;
        told = control.read(&mut reply)?;
    }
    let text = String::from_utf8_lossy(&reply[..told]).into_owned();
    let numbers: Vec<u16> = text
        .trim_end_matches(|c: char| !c.is_ascii_digit())
        .rsplit(',')
        .take(2)
        .filter_map(|n| n.parse().ok())
        .collect();
    let [low, high] = numbers[..] else { return Err(io::Error::other(text)) };
    let mut data = TcpStream::connect(SocketAddr::from((Ipv4Addr::LOCALHOST, high << 8 | low)))?;
    control.write_all(b"RETR /file\r\n")?;
    let mut buffer = vec![0; 256 << 10];
    let mut bytes = 0;
    loop {
        match data.read(&mut buffer)? {
            0 => return Ok(bytes),
            read => bytes += read as u64,
        }
    }
}
