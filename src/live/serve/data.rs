//! Data connections: listening for them, opening them, and moving what a transfer moves.
//!
//! What is in the files says `store`. When a transfer may begin, and what is said about it, the machine decides.
//!
//! A server's bandwidth is there twice, once each way, and the transfers of a way have equal shares of it: each is slowed down to what
//! the bandwidth gives it with as many as there are. What one cannot use, the others do not get (the simulator's sharing is finer).

use std::cell::Cell;
use std::future::poll_fn;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;
use std::task::{Poll, Waker};

use nix::sys::socket::{setsockopt, sockopt};
use rustls::Connection;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::Notify;
use tokio::task::AbortHandle;
use tokio::time::timeout;

use super::conns::Key;
use super::control::nap;
use super::station::{HANDSHAKE, Shared, Station};
use super::store::{Ahead, Handle, Refused, Sink, Source, elsewhere};
use super::tamper::{self, DataIlls};
use super::texts;
use crate::chaos::wire::Fault;
use crate::id::ConnId;
use crate::live::Wire;
use crate::live::clock::span;
use crate::live::tls::Acceptor;
use crate::server::{Input, Word};
use crate::time::{Duration, Instant};

/// How much is written or read at once, bytes.
const CHUNK: usize = 256 << 10;
/// The least that a kernel is asked to keep, bytes.
const NARROWEST: u64 = 8 << 10;
/// After so long without a byte a transfer stands still.
const STILL: Duration = Duration::from_millis(50);
/// The longest that a connect may take.
const CONNECT: Duration = Duration::from_secs(60);
/// Rates are looked at over so long.
const WINDOW: Duration = Duration::from_secs(1);

/// What a transfer moves.
#[derive(Debug)]
pub(super) enum Job {
    /// To the client, from the text.
    Listing(Vec<u8>),
    /// To the client: the file from `from` on.
    Download { source: Source, from: u64 },
    /// From the client.
    Upload(Sink),
}

impl Job {
    /// What the server knows of its size, bytes.
    pub(super) fn bytes(&self) -> u64 {
        match self {
            Self::Listing(text) => text.len() as u64,
            Self::Download { source, from } => source.size().saturating_sub(*from),
            Self::Upload(_) => 0,
        }
    }

    /// The file of a disk that a download is read from, and where that begins: it is read elsewhere, for it may take its time.
    fn on_disk(&self) -> Option<(&Handle, u64)> {
        match self {
            Self::Download { source: Source::Disk { file, .. }, from } => Some((file, *from)),
            _ => None,
        }
    }

    fn fill(&self, at: u64, into: &mut [u8]) -> io::Result<()> {
        match self {
            Self::Listing(text) => into.copy_from_slice(&text[at as usize..at as usize + into.len()]),
            Self::Download { source, from } => source.fill(from + at, into)?,
            Self::Upload(_) => {}
        }
        Ok(())
    }
}

/// The data connection of a control connection, or what waits for it. Dropped, it is closed.
pub(super) struct DataLink {
    number: u64,
    task: AbortHandle,
    /// What is to be moved, from when on.
    order: Option<(Instant, Job)>,
    waker: Option<Waker>,
}

impl Drop for DataLink {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The bandwidth of the server, and how many transfers share it each way.
#[derive(Debug)]
pub(super) struct Lanes {
    bandwidth: Rc<Cell<u64>>,
    active: [Rc<Cell<u64>>; 2],
    gate: Rc<Gate>,
}

#[derive(Debug, Default)]
struct Gate {
    shut: Cell<bool>,
    opened: Notify,
}

impl Gate {
    async fn pass(&self) {
        while self.shut.get() {
            self.opened.notified().await;
        }
    }
}

impl Lanes {
    pub(super) fn new(bandwidth: u64) -> Self {
        Self {
            bandwidth: Rc::new(Cell::new(bandwidth)),
            active: [Rc::default(), Rc::default()],
            gate: Rc::default(),
        }
    }

    /// From now on all transfers of a way share this, bytes per second; 0 is unlimited.
    pub(super) fn set_bandwidth(&mut self, bandwidth: u64) {
        self.bandwidth.set(bandwidth);
    }

    fn join(&self, up: bool) -> Lane {
        let active = Rc::clone(&self.active[usize::from(up)]);
        active.set(active.get() + 1);
        Lane { bandwidth: Rc::clone(&self.bandwidth), active, gate: Rc::clone(&self.gate) }
    }

    /// From now on transfers stand still, or go on.
    pub(super) fn stall(&self, still: bool) {
        if self.gate.shut.replace(still) && !still {
            self.gate.opened.notify_waiters();
        }
    }

    /// Do transfers stand still?
    pub(super) fn is_stalled(&self) -> bool {
        self.gate.shut.get()
    }
}

/// One transfer's share.
struct Lane {
    bandwidth: Rc<Cell<u64>>,
    active: Rc<Cell<u64>>,
    gate: Rc<Gate>,
}

impl Lane {
    /// What it gets, bytes per second; `None`: what it likes.
    fn share(&self) -> Option<u64> {
        let bandwidth = self.bandwidth.get();
        (bandwidth > 0).then(|| (bandwidth / self.active.get().max(1)).max(1))
    }
}

impl Drop for Lane {
    fn drop(&mut self) {
        self.active.set(self.active.get() - 1);
    }
}

/// The one buffer of all transfers: nothing is allocated for a chunk, and a thousand transfers that stand still hold none.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    bytes: Vec<u8>,
    /// The transfer whose bytes it holds, and from where on.
    holds: Option<(u64, u64, usize)>,
}

impl Scratch {
    /// The bytes of transfer `number` from `at` on, at most `length`.
    fn filled(&mut self, number: u64, job: &Job, at: u64, length: usize) -> io::Result<&[u8]> {
        if let Some((holder, from, held)) = self.holds
            && holder == number
            && at >= from
            && at < from + held as u64
        {
            let skip = (at - from) as usize;
            return Ok(&self.bytes[skip..held.min(skip + length)]);
        }
        self.holds = None;
        self.bytes.resize(CHUNK, 0);
        job.fill(at, &mut self.bytes[..length])?;
        self.holds = Some((number, at, length));
        Ok(&self.bytes[..length])
    }

    /// Room for bytes that come.
    fn room(&mut self, length: usize) -> &mut [u8] {
        self.holds = None;
        self.bytes.resize(CHUNK, 0);
        &mut self.bytes[..length]
    }
}

/// The files refuse to go on.
fn refused(why: Refused) -> io::Error {
    match why {
        Refused::Full => io::ErrorKind::StorageFull.into(),
        why => io::Error::other(format!("{why:?}")),
    }
}

impl Station {
    /// PASV: listens for the data connection, and gives the answer.
    pub(super) fn listen_for_data(&mut self, conn: ConnId) -> Option<Vec<u8>> {
        let (shared, key) = (self.shared()?, self.conns.key(conn)?);
        let ills = self.ills_of_way(conn);
        let entry = self.conns.of(conn)?;
        let extended = entry.client.extended;
        let local = entry.local;
        let Ok((listener, at)) = self.ports.listen(local) else {
            return Some(b"425 Cannot listen for a data connection.\r\n".to_vec());
        };
        let (number, peer) = (self.next_number(), entry_ip(self, conn)?);
        let task = match tamper::spoiled(&ills, listener, at) {
            Ok(listener) => tokio::task::spawn_local(passive(shared, key, number, listener, peer)),
            Err(unserved) => tokio::task::spawn_local(unserved.for_ever()),
        };
        self.set_data(conn, number, task.abort_handle());
        let at = tamper::wrong_place(&ills, at);
        let policy = self.server.policy();
        Some(if extended {
            texts::extended_passive(policy.words.say("EPSV", Word::Done).unwrap_or_default(), at)
        } else {
            texts::passive(&policy.table.get(policy.replies.pasv).text, at)
        })
    }

    /// PORT: opens the data connection at `at`.
    pub(super) fn connect_data(&mut self, conn: ConnId, at: Instant) {
        let (Some(shared), Some(key)) = (self.shared(), self.conns.key(conn)) else { return };
        let number = self.next_number();
        let is_spoiled = self.ills_of_way(conn).contains(&Fault::NoData) || self.ills_of_data(key).none;
        let Some(entry) = self.conns.of(conn) else { return };
        let task = if is_spoiled {
            tokio::task::spawn_local(std::future::pending())
        } else {
            tokio::task::spawn_local(active(shared, key, number, (at, entry.local, entry.client.port)))
        };
        self.set_data(conn, number, task.abort_handle());
    }

    fn next_number(&mut self) -> u64 {
        self.transfers += 1;
        self.transfers
    }

    fn set_data(&mut self, conn: ConnId, number: u64, task: AbortHandle) {
        let link = DataLink { number, task, order: None, waker: None };
        if let Some(entry) = self.conns.of(conn) {
            entry.data = Some(link);
        }
    }

    /// The transfer that was answered with 150 may begin at `at`.
    pub(super) fn start_transfer(&mut self, conn: ConnId, at: Instant) {
        let Some(entry) = self.conns.of(conn) else { return };
        let job = entry.job.take().unwrap_or(Job::Upload(Sink::Forgotten));
        if let Some(data) = &mut entry.data {
            data.order = Some((at, job));
            if let Some(waker) = data.waker.take() {
                waker.wake();
            }
        }
    }

    /// Closes the data connection, or what waits for it.
    pub(super) fn abort_data(&mut self, conn: ConnId) {
        if let Some(entry) = self.conns.of(conn) {
            entry.data = None;
        }
    }

    /// Tells the machine what data connection `number` of `key` has come to, if it is still the one that counts.
    fn tell_of_data(&mut self, key: Key, number: u64, input: Input) {
        let Some(conn) = self.conns.get(key) else { return };
        if conn.data.as_ref().is_none_or(|data| data.number != number) {
            return;
        }
        let ends =
            matches!(input, Input::TransferDone { .. } | Input::DataFailed { .. } | Input::StoreFull { .. });
        if ends {
            conn.data = None;
            self.says_last(key, true);
        }
        self.tell(input);
        if ends {
            self.says_last(key, false);
        }
    }
}

fn entry_ip(station: &mut Station, conn: ConnId) -> Option<IpAddr> {
    station.conns.of(conn).map(|entry| entry.peer.ip())
}

/// Waits for the client's connection, and for nobody else's (RFC 2577).
async fn passive(station: Shared, key: Key, number: u64, listener: TcpListener, peer: IpAddr) {
    let stream = loop {
        match listener.accept().await {
            Ok((stream, from)) if from.ip().to_canonical() == peer => break stream,
            Ok(_) => {}
            Err(_) => {
                let until = station.borrow().clock.now() + Duration::from_millis(50);
                nap(&station, until).await;
            }
        }
    };
    drop(listener);
    serve(station, key, number, stream).await;
}

/// Connects to the client at its time.
async fn active(
    station: Shared,
    key: Key,
    number: u64,
    (at, local, to): (Instant, IpAddr, Option<SocketAddr>),
) {
    nap(&station, at).await;
    let connect = async {
        let to = to.ok_or(io::ErrorKind::NotFound)?;
        let socket = if to.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        socket.bind(SocketAddr::new(local, 0))?;
        socket.connect(to).await
    };
    match timeout(span(CONNECT), connect).await {
        Ok(Ok(stream)) => serve(station, key, number, stream).await,
        _ => station.borrow_mut().tell_of_data(key, number, Input::DataFailed { conn: key.conn() }),
    }
}

/// The data connection is there: waits for its transfer, and moves that.
async fn serve(station: Shared, key: Key, number: u64, stream: TcpStream) {
    let conn = key.conn();
    station.borrow_mut().tell_of_data(key, number, Input::DataOpened { conn });
    let (at, job) = poll_fn(|cx| {
        let mut station = station.borrow_mut();
        let data =
            station.conns.get(key).and_then(|conn| conn.data.as_mut()).filter(|data| data.number == number);
        let Some(data) = data else { return Poll::Pending }; // it is no more, and this task will be dropped
        data.waker = Some(cx.waker().clone());
        data.order.take().map_or(Poll::Pending, Poll::Ready)
    })
    .await;
    nap(&station, at).await;
    let tls = {
        let station = station.borrow();
        let acceptor = station.acceptor.as_ref().filter(|_| station.server.protects_data(conn));
        let up = matches!(job, Job::Upload(_));
        acceptor.map(if up { Acceptor::accept_upload } else { Acceptor::accept })
    };
    let mut transfer = Transfer::new(station, key, number, matches!(job, Job::Upload(_)));
    transfer.suffer_beforehand().await;
    transfer.narrow(&stream);
    let mut wire = Wire::new(stream);
    let shaken = timeout(span(HANDSHAKE), transfer.secure(&mut wire, tls)).await;
    let moved = match (shaken.unwrap_or_else(|late| Err(late.into())), job) {
        (Err(error), _) => Err(error),
        (Ok(()), Job::Upload(sink)) => transfer.receive(&mut wire, sink).await,
        (Ok(()), job) => transfer.send(&mut wire, &job).await,
    };
    drop(wire); // the client sees the end of the data before the reply
    let input = match moved {
        Ok(()) => Input::TransferDone { conn },
        Err(error) if error.kind() == io::ErrorKind::StorageFull => Input::StoreFull { conn },
        Err(_) => Input::DataFailed { conn },
    };
    let station = transfer.over();
    station.borrow_mut().tell_of_data(key, number, input);
}

/// Writes what the kernel takes of `bytes`; one byte, and that a wrong one, if it is to be wrong.
fn write_perhaps_wrong(wire: &mut Wire, bytes: &[u8], wrong: bool) -> io::Result<usize> {
    match bytes.first() {
        Some(first) if wrong => wire.write_some(&[!first]),
        _ => wire.write_some(bytes),
    }
}

/// A transfer under way, and how fast it moves.
pub(super) struct Transfer {
    pub(super) station: Shared,
    pub(super) key: Key,
    number: u64,
    lane: Lane,
    /// When it may go on, by its share of the bandwidth.
    due: Instant,
    /// The window over which its rate is looked at: since when, and how many bytes.
    window: (Instant, u64),
    /// Was the machine told that it is slow?
    slow: bool,
    /// The wire faults that hit it.
    pub(super) ills: DataIlls,
}

impl Transfer {
    fn new(station: Shared, key: Key, number: u64, up: bool) -> Self {
        let now = station.borrow().clock.now();
        let lane = station.borrow().lanes.join(up);
        let ills = station.borrow_mut().ills_of_data(key);
        Self { station, key, number, lane, due: now, window: (now, 0), slow: false, ills }
    }

    fn over(self) -> Shared {
        self.station
    }

    /// Lets the kernel keep no more of an upload than a fifth of a second's share, or its sender would be through long before.
    fn narrow(&self, stream: &TcpStream) {
        if let Some(share) = self.share() {
            let bytes = (share / 5).clamp(NARROWEST, CHUNK as u64) as usize;
            let _ = setsockopt(stream, sockopt::RcvBuf, &bytes); // with what the kernel has, it is right in the long run
        }
    }

    /// Shakes hands, if the connection is to be under TLS.
    async fn secure(&mut self, wire: &mut Wire, tls: Option<io::Result<Connection>>) -> io::Result<()> {
        let Some(tls) = tls else { return Ok(()) };
        wire.start_tls(tls?)?;
        while !wire.shake()? {
            if timeout(span(STILL), wire.readable()).await.is_err() {
                self.stands_still();
                wire.readable().await?;
            }
        }
        Ok(())
    }

    async fn send(&mut self, wire: &mut Wire, job: &Job) -> io::Result<()> {
        let size = job.bytes();
        let mut at = 0;
        let mut ahead = Ahead::default();
        while at < size {
            self.pass().await;
            if self.suffer(wire, at).await? {
                break;
            }
            let length = self.up_to_next_ill(at, (size - at).min(self.chunk() as u64)) as usize;
            let corrupt = self.ills.corrupt == Some(at);
            let wrote = if let Some((file, from)) = job.on_disk() {
                ahead.reach(file, from + at, length).await?;
                let bytes = ahead.bytes(from + at);
                let bytes = &bytes[..bytes.len().min(length)];
                write_perhaps_wrong(wire, bytes, corrupt)
            } else {
                let mut station = self.station.borrow_mut();
                let bytes = station.scratch.filled(self.number, job, at, length)?;
                write_perhaps_wrong(wire, bytes, corrupt)
            };
            match wrote {
                Ok(wrote) => {
                    at += wrote as u64;
                    self.moved(wrote).await;
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    if timeout(span(STILL), wire.socket().writable()).await.is_err() {
                        self.stands_still();
                        wire.socket().writable().await?;
                    }
                }
                Err(error) => return Err(error),
            }
        }
        wire.say_end().await
    }

    async fn receive(&mut self, wire: &mut Wire, sink: Sink) -> io::Result<()> {
        let mut sink = self.station.borrow_mut().store.open(sink).map_err(refused)?;
        let mut at = 0;
        loop {
            self.pass().await;
            if self.suffer(wire, at).await? {
                return Ok(());
            }
            let length = self.up_to_next_ill(at, self.chunk() as u64) as usize;
            let mut written = Vec::new();
            let read = {
                let mut station = self.station.borrow_mut();
                let now = station.store.now();
                let room = station.scratch.room(length);
                let read = wire.read(room);
                if let (Ok(read), true) = (&read, self.ills.corrupt == Some(at)) {
                    room.iter_mut().take((*read).min(1)).for_each(|byte| *byte = !*byte);
                }
                match (&read, &mut sink) {
                    (Ok(read), Sink::Disk(_)) => written.extend_from_slice(&room[..*read]),
                    (Ok(read), sink) => sink.take(&room[..*read], now).map_err(refused)?,
                    (Err(_), _) => {}
                }
                read
            };
            if let (Sink::Disk(file), false) = (&sink, written.is_empty()) {
                elsewhere::write(file, written).await?;
            }
            match read {
                Ok(0) => {
                    wire.close_notify();
                    return Ok(());
                }
                Ok(read) => {
                    at += read as u64;
                    self.moved(read).await;
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    if timeout(span(STILL), wire.readable()).await.is_err() {
                        self.stands_still();
                        wire.readable().await?;
                    }
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Waits as long as all transfers are to stand still. To the machine that is like a client that does not move.
    async fn pass(&mut self) {
        let gate = Rc::clone(&self.lane.gate);
        if gate.shut.get() && timeout(span(STILL), gate.pass()).await.is_err() {
            self.stands_still();
            gate.pass().await;
        }
    }

    /// How much may be moved at once: a fiftieth of a second's share.
    fn chunk(&self) -> usize {
        self.share().map_or(CHUNK, |share| (share / 50).clamp(1, CHUNK as u64) as usize)
    }

    /// What it gets, bytes per second: of the server's bandwidth, and by a wire fault.
    fn share(&self) -> Option<u64> {
        self.lane.share().into_iter().chain(self.ills.slow).min()
    }

    /// Bytes went over: waits until more may go, and lets the others have their turn.
    async fn moved(&mut self, bytes: usize) {
        let now = {
            let mut station = self.station.borrow_mut();
            let now = station.clock.now();
            station.ledger.moved(self.key.conn().slot(), bytes as u64);
            now
        };
        self.watch_rate(now, bytes as u64);
        match self.share() {
            Some(share) => {
                let cost = Duration::from_nanos((bytes as u64).saturating_mul(1_000_000_000) / share);
                self.due = self.due.max(now) + cost;
                nap(&self.station, self.due).await;
            }
            None => tokio::task::yield_now().await,
        }
    }

    fn watch_rate(&mut self, now: Instant, bytes: u64) {
        let least = self.station.borrow().server.policy().stalled_timer.map_or(0, |timer| timer.least_rate);
        if self.slow && least == 0 {
            self.tell_rate(u32::MAX);
        }
        let (since, before) = self.window;
        let span = now.since(since);
        if span < WINDOW {
            self.window.1 = before + bytes;
            return;
        }
        self.window = (now, 0);
        let rate = ((before + bytes) as f64 / span.as_secs_f64()) as u32;
        if (rate < least) != self.slow {
            self.tell_rate(rate);
        }
    }

    pub(super) fn stands_still(&mut self) {
        if !self.slow {
            self.tell_rate(0);
        }
    }

    fn tell_rate(&mut self, rate: u32) {
        let least = self.station.borrow().server.policy().stalled_timer.map_or(0, |timer| timer.least_rate);
        self.slow = rate == 0 || rate < least;
        let input = Input::Progress { conn: self.key.conn(), rate };
        self.station.borrow_mut().tell_of_data(self.key, self.number, input);
    }
}
