//! The smallest FTP server that both clients can talk to: one thread, one epoll, fixed replies, in a process of its own.
//!
//! It knows no limits and checks no password. A download is zeros from a thread of its own, so that the client is what is measured.

use std::collections::BTreeMap;
use std::io::{self, BufRead as _, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::fd::{AsFd as _, AsRawFd as _};
use std::process::{Child, Command, Stdio};

use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// The argument by which this program becomes the server.
const ARGUMENT: &str = "--minimal-server";

/// Bytes that a download has.
pub const FILE: u64 = 2 << 30;

/// The server, ended when dropped.
pub struct Minimal {
    /// Its process.
    pub child: Child,
    /// Where it listens on 127.0.0.1.
    pub port: u16,
}

impl Minimal {
    /// Starts it.
    pub fn start() -> io::Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .arg(ARGUMENT)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        io::BufReader::new(child.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?).read_line(&mut line)?;
        let port = line.trim().parse().map_err(io::Error::other)?;
        Ok(Self { child, port })
    }
}

impl Drop for Minimal {
    fn drop(&mut self) {
        let _ = self.child.kill(); // it may have ended by itself
        let _ = self.child.wait();
    }
}

/// Serves for ever if this process was started to, and otherwise does nothing.
pub fn serve_if_asked() {
    if std::env::args().nth(1).as_deref() == Some(ARGUMENT) {
        std::thread::spawn(|| {
            let _ = io::stdin().read(&mut [0]); // whoever started it has ended
            std::process::exit(0);
        });
        serve().expect("the minimal server serves");
    }
}

struct Conn {
    tcp: TcpStream,
    data: Option<TcpListener>,
}

fn serve() -> io::Result<()> {
    let (_, most) = getrlimit(Resource::RLIMIT_NOFILE)?;
    setrlimit(Resource::RLIMIT_NOFILE, most, most)?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    nix::sys::socket::listen(&listener, nix::sys::socket::Backlog::new(4_095)?)?;
    listener.set_nonblocking(true)?;
    println!("{}", listener.local_addr()?.port());
    io::stdout().flush()?;
    let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
    epoll.add(&listener, EpollEvent::new(EpollFlags::EPOLLIN, 0))?;
    let mut conns: BTreeMap<u64, Conn> = BTreeMap::new();
    let mut events = [EpollEvent::empty(); 512];
    loop {
        let ready = epoll.wait(&mut events, EpollTimeout::NONE)?;
        for event in &events[..ready] {
            match event.data() {
                0 => accept(&listener, &epoll, &mut conns)?,
                key => {
                    if !conns.get_mut(&key).is_some_and(|conn| answer(conn).unwrap_or(false)) {
                        conns.remove(&key);
                    }
                }
            }
        }
    }
}

fn accept(listener: &TcpListener, epoll: &Epoll, conns: &mut BTreeMap<u64, Conn>) -> io::Result<()> {
    while let Ok((tcp, _)) = listener.accept() {
        tcp.set_nonblocking(true)?;
        let key = tcp.as_raw_fd() as u64;
        epoll.add(tcp.as_fd(), EpollEvent::new(EpollFlags::EPOLLIN, key))?;
        (&tcp).write_all(b"220 ready\r\n")?;
        conns.insert(key, Conn { tcp, data: None });
    }
    Ok(())
}

/// Answers the command that came. False at the end of the session.
fn answer(conn: &mut Conn) -> io::Result<bool> {
    let mut line = [0; 512];
    let read = conn.tcp.read(&mut line)?;
    let reply: &[u8] = match line[..read].get(..4).unwrap_or_default() {
        b"USER" => b"331 password\r\n",
        b"PASS" => b"230 logged in\r\n",
        b"NOOP" => b"200 ok\r\n",
        b"PASV" => {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
            let port = listener.local_addr()?.port();
            conn.data = Some(listener);
            conn.tcp.write_all(format!("227 =127,0,0,1,{},{}\r\n", port >> 8, port & 0xff).as_bytes())?;
            return Ok(true);
        }
        b"RETR" => {
            if let Some(listener) = conn.data.take() {
                std::thread::spawn(move || send(&listener));
            }
            b"150 here it comes\r\n226 done\r\n"
        }
        b"QUIT" => {
            conn.tcp.write_all(b"221 bye\r\n")?;
            return Ok(false);
        }
        [] => return Ok(false),
        _ => b"500 what?\r\n",
    };
    conn.tcp.write_all(reply)?;
    Ok(true)
}

fn send(listener: &TcpListener) -> io::Result<()> {
    let (mut data, _) = listener.accept()?;
    let zeros = vec![0; 256 << 10];
    for _ in 0..FILE / zeros.len() as u64 {
        data.write_all(&zeros)?;
    }
    Ok(())
}
