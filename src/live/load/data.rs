//! Data connections: a task of its own for each, from the connect or the listener to its last byte.
//!
//! What comes goes nowhere: it is counted, and compared on request. A transfer belongs to a control connection and is over with
//! it. Whether the transfer succeeded is for the server to say.

use std::cell::{Cell, RefCell};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::AbortHandle;

use super::shard::{Due, Moment, Shard};
use super::sources;
use crate::client;
use crate::ftp::Verb;
use crate::live::content::Content;
use crate::live::tls::{Session, shake_hands};
use crate::live::{Clock, Wire};
use crate::time::{Duration, Instant};

/// A transfer that stalls leaves little room in the kernel, or a short file would be through all the same.
const NARROW: u32 = 4 * 1024;
/// Bytes in a row, after which others have their turn.
const TURN: u64 = 1 << 20;
/// Bytes that are made at a time for an upload.
const PIECE: usize = 64 * 1024;

/// The transfer of a control connection. Its task ends with it.
pub(super) struct Data {
    pub flow: Rc<Flow>,
    pub upload: bool,
    pub stalls: bool,
    /// How many bytes the script wants to move.
    pub bytes: u64,
    /// Where the client listens.
    pub listens: Option<SocketAddr>,
    /// When it was asked for.
    pub asked_at: Instant,
    task: Option<AbortHandle>,
}

/// What the two tasks of a transfer share.
#[derive(Default)]
pub(super) struct Flow {
    /// Bytes so far.
    pub moved: Cell<u64>,
    /// Which of the bytes were not what they should be.
    pub wrong: Cell<u64>,
    /// What the file holds, if that is to be checked.
    pub content: Cell<Option<Content>>,
    /// How many bytes the server says it will send.
    pub announced: Cell<Option<u64>>,
    /// Is the connection over, and how?
    pub whole: Cell<Option<bool>>,
    /// When it was established.
    pub opened: Cell<Option<Instant>>,
    /// When the last bytes moved.
    pub moved_at: Cell<Instant>,
    /// The server is ready for an upload.
    pub go: Notify,
}

impl Drop for Data {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

/// What a data connection is for.
#[derive(Clone, Copy)]
struct Job {
    client: u32,
    serial: u32,
    upload: bool,
    /// Bytes to send; of a download nobody knows.
    bytes: u64,
    /// After so many bytes it moves no more.
    stalls_at: Option<u64>,
    /// Bytes per second, 0 for as fast as it goes.
    bandwidth: u64,
}

impl Shard {
    /// Opens the data connection of `client`, or listens for it.
    pub(super) fn open_data(&mut self, moment: Moment, client: u32, what: &client::Action) {
        let client::Action::OpenData { verb, active, stalls, bytes } = *what else { return };
        let bandwidth = self.bandwidth(client);
        let slot = &mut self.slots[client as usize];
        let (serial, source) = (slot.serial, self.plan.sources.address(slot.peer));
        let Some(line) = &mut slot.line else { return };
        let upload = verb == Verb::Stor;
        let stalls_at = stalls.then_some(bytes / 2);
        let job = Job { client, serial, upload, bytes, stalls_at, bandwidth };
        let asked_at = moment.at + moment.late;
        let mut data =
            Data { flow: Rc::default(), upload, stalls, bytes, listens: None, asked_at, task: None };
        let (flow, over, tls) = (Rc::clone(&data.flow), line.over, line.tls.clone());
        let Some(me) = self.me.upgrade() else { return };
        if active {
            let here = line.wire.as_ref().and_then(|wire| wire.socket().local_addr().ok());
            let listener =
                here.ok_or(io::ErrorKind::NotConnected.into()).and_then(|here| listen(here.ip(), 1));
            match listener {
                Ok((listener, at)) => {
                    data.listens = Some(at);
                    data.task = Some(spawn(called(me, (job, tls), flow, listener, over)));
                }
                Err(error) => self.part.exhausted += u64::from(sources::is_exhaustion(&error)),
            }
        } else {
            let at = line.passive.take().map(|port| SocketAddr::new(over, port));
            data.task = Some(spawn(call(me, (job, tls), flow, at, source)));
        }
        line.data = Some(data);
    }

    /// An address of the client at which a connect is neither accepted nor refused, as behind a NAT that lets nothing through: a
    /// listener whose queue is full, so that the kernel drops every SYN.
    pub(super) fn black_hole(&mut self, here: IpAddr) -> Option<SocketAddr> {
        if self.hole.is_none() {
            let any: IpAddr = if here.is_ipv4() { [0; 4].into() } else { [0_u16; 8].into() };
            let (listener, at) = listen(any, 0).ok()?;
            let fill = std::net::TcpStream::connect(SocketAddr::new(here, at.port())).ok()?;
            self.hole = Some((listener, fill, at.port()));
        }
        self.hole.as_ref().map(|(_, _, port)| SocketAddr::new(here, *port))
    }

    /// A data connection is established, or never will be, for the reason that is `missing`.
    fn data_opened(&mut self, job: Job, missing: Option<&io::Error>) {
        if self.line(job.client, job.serial).is_none() {
            return;
        }
        let now = self.now();
        let Some(why) = missing else { return self.tell(now, job.client, client::Input::DataOpened) };
        self.note(now, job.client, |_| format!("-- no data connection: {}", reason(why)));
        self.tell(now, job.client, client::Input::DataFailed);
    }

    /// A data connection is over; `whole` if it came to an orderly end.
    fn data_ended(&mut self, job: Job, flow: &Rc<Flow>, whole: bool) {
        let now = self.now();
        let Some(line) = self.line(job.client, job.serial) else { return };
        if !line.data.as_ref().is_some_and(|data| Rc::ptr_eq(&data.flow, flow)) {
            return; // it belongs to a transfer that is over
        }
        flow.whole.set(Some(whole));
        self.tell(now, job.client, if whole { client::Input::DataDone } else { client::Input::DataFailed });
        self.release(now, job.client, job.serial);
    }

    /// The server has ended `data` with a reply of this code. Only what came whole, as far as anybody can tell, was checked.
    pub(super) fn check(&mut self, data: &Data, code: u16) {
        let flow = &data.flow;
        if data.upload || flow.content.get().is_none() {
            return;
        }
        let (moved, announced) = (flow.moved.get(), flow.announced.get());
        let came = (200..300).contains(&code) && flow.whole.get() == Some(true);
        // Without a word from the server about the size, the script's must do: a shorter file may be whole, and may be not.
        if came && moved > 0 && moved >= announced.unwrap_or(data.bytes) {
            self.part.verified += 1;
            self.part.corrupt += flow.wrong.get();
        } else {
            self.part.unverified += 1;
        }
    }

    /// The reply that is held back over connection number `serial` of `client` may have been for long enough.
    pub(super) fn held_long(&mut self, moment: Moment, client: u32, serial: u32) {
        let timeout = self.reply_timeout(client);
        if self.line(client, serial).is_some_and(|line| line.held_at + timeout <= moment.at) {
            self.release(moment, client, serial);
        }
    }

    /// A reply that is held back must not wait for ever for the end of its data connection.
    pub(super) fn hold(&mut self, moment: Moment, client: u32) {
        let timeout = self.reply_timeout(client);
        let due = Due::Held { client, serial: self.slots[client as usize].serial };
        self.schedule(moment.at + timeout, due);
    }
}

/// Why there is no data connection, in words.
fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::InvalidData => "no port can be read from the reply".to_owned(),
        kind => kind.to_string(),
    }
}

fn spawn(task: impl Future<Output = ()> + 'static) -> AbortHandle {
    tokio::task::spawn_local(task).abort_handle()
}

/// Listens at any port of `ip`.
fn listen(ip: IpAddr, backlog: u32) -> io::Result<(TcpListener, SocketAddr)> {
    let at = SocketAddr::new(ip, 0);
    let socket =
        if ip.is_ipv4() { tokio::net::TcpSocket::new_v4() } else { tokio::net::TcpSocket::new_v6() }?;
    socket.bind(at)?;
    let listener = socket.listen(backlog)?;
    let at = listener.local_addr()?;
    Ok((listener, at))
}

/// Opens a passive data connection to `at`, and moves its bytes.
async fn call(
    shard: Rc<RefCell<Shard>>,
    (job, tls): (Job, Option<Session>),
    flow: Rc<Flow>,
    at: Option<SocketAddr>,
    source: Option<IpAddr>,
) {
    let opened = match at {
        Some(at) => connect(&shard, job, at, source).await,
        None => Err(io::ErrorKind::InvalidData.into()), // no port could be read from the reply
    };
    let clock = shard.borrow().clock;
    shard.borrow_mut().data_opened(job, opened.as_ref().err());
    let Ok(stream) = opened else { return };
    let mut wire = Wire::new(stream);
    let whole = movement(&shard, clock, (job, tls), &flow, &mut wire).await;
    drop(wire);
    shard.borrow_mut().data_ended(job, &flow, whole);
}

async fn connect(
    shard: &RefCell<Shard>,
    job: Job,
    at: SocketAddr,
    source: Option<IpAddr>,
) -> io::Result<TcpStream> {
    let opening = async {
        let socket = sources::socket(source, at)?;
        if job.stalls_at.is_some() {
            socket.set_recv_buffer_size(NARROW)?;
            socket.set_send_buffer_size(NARROW)?;
        }
        socket.connect(at).await
    };
    let opened = opening.await;
    if opened.as_ref().is_err_and(sources::is_exhaustion) {
        shard.borrow_mut().part.exhausted += 1;
    }
    opened
}

/// Waits for the server's data connection, and moves its bytes. Somebody else's is not for us.
async fn called(
    shard: Rc<RefCell<Shard>>,
    (job, tls): (Job, Option<Session>),
    flow: Rc<Flow>,
    listener: TcpListener,
    server: IpAddr,
) {
    let clock = shard.borrow().clock;
    let whole = loop {
        match listener.accept().await {
            Ok((stream, from)) if from.ip().to_canonical() == server.to_canonical() => {
                break movement(&shard, clock, (job, tls), &flow, &mut Wire::new(stream)).await;
            }
            Ok(_) => {}
            Err(error) => {
                shard.borrow_mut().part.exhausted += u64::from(sources::is_exhaustion(&error));
                break false;
            }
        }
    };
    drop(listener);
    shard.borrow_mut().data_ended(job, &flow, whole);
}

/// Moves the bytes of a transfer. Returns whether they came to an orderly end. Under TLS the handshake comes first: the client's half
/// of it at once, the server's when it is ready.
async fn movement(
    shard: &RefCell<Shard>,
    clock: Clock,
    (job, tls): (Job, Option<Session>),
    flow: &Flow,
    wire: &mut Wire,
) -> bool {
    if let Some(session) = tls
        && session.connect().and_then(|tls| wire.start_tls(tls)).is_err()
    {
        return false;
    }
    let mut pace = Pace { clock, bandwidth: job.bandwidth, began: clock.now(), turn: 0 };
    flow.opened.set(Some(pace.began));
    let ended = if job.upload {
        flow.go.notified().await;
        pace.began = clock.now();
        send(job, flow, wire, &mut pace).await
    } else {
        fetch(shard, job, flow, wire, &mut pace).await
    };
    ended.is_ok()
}

/// Reads to the end.
async fn fetch(
    shard: &RefCell<Shard>,
    job: Job,
    flow: &Flow,
    wire: &mut Wire,
    pace: &mut Pace,
) -> io::Result<()> {
    loop {
        stall_at(job, flow).await;
        let mut scratch = std::mem::take(&mut shard.borrow_mut().bulk);
        let most = pace.most(scratch.len());
        let read = wire.read(&mut scratch[..most]);
        if let (Ok(count), Some(content)) = (&read, flow.content.get()) {
            flow.wrong.set(flow.wrong.get() + content.wrong(flow.moved.get(), &scratch[..*count]));
        }
        shard.borrow_mut().bulk = scratch;
        match read {
            Ok(0) => return Ok(()),
            Ok(count) => {
                flow.moved.set(flow.moved.get() + count as u64);
                pace.keep(flow, count).await;
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => wire.readable().await?,
            Err(error) => return Err(error),
        }
    }
}

/// Writes all bytes.
async fn send(job: Job, flow: &Flow, wire: &mut Wire, pace: &mut Pace) -> io::Result<()> {
    shake_hands(wire).await?;
    let content = flow.content.take().unwrap_or_else(|| Content::of(0, ""));
    let mut piece = vec![0; PIECE.min(job.bytes as usize)];
    let (mut from, mut filled) = (0, 0);
    while flow.moved.get() < job.bytes {
        stall_at(job, flow).await;
        let moved = flow.moved.get();
        if moved == filled {
            let length = (job.bytes - moved).min(piece.len() as u64) as usize;
            content.fill(moved, &mut piece[..length]);
            (from, filled) = (moved, moved + length as u64);
        }
        wire.socket().writable().await?;
        let rest = &piece[(moved - from) as usize..(filled - from) as usize];
        match wire.write_some(&rest[..pace.most(rest.len())]) {
            Ok(count) => {
                flow.moved.set(moved + count as u64);
                pace.keep(flow, count).await;
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
    wire.finish().await
}

/// A transfer that stalls does so here, until its control connection lets go of it.
async fn stall_at(job: Job, flow: &Flow) {
    if job.stalls_at.is_some_and(|at| flow.moved.get() >= at) {
        std::future::pending::<()>().await;
    }
}

/// How fast a transfer may go.
struct Pace {
    clock: Clock,
    bandwidth: u64,
    began: Instant,
    turn: u64,
}

impl Pace {
    /// How many of `most` bytes may move at once: of a narrow link, those of a twentieth of a second.
    fn most(&self, most: usize) -> usize {
        if self.bandwidth == 0 { most } else { most.min((self.bandwidth / 20).max(512) as usize) }
    }

    /// `count` more bytes have moved: waits until that is not too many.
    async fn keep(&mut self, flow: &Flow, count: usize) {
        let now = self.clock.now();
        flow.moved_at.set(now);
        if self.bandwidth > 0 {
            let takes = u128::from(flow.moved.get()) * 1_000_000_000 / u128::from(self.bandwidth);
            let until = self.began + Duration::from_nanos(takes as u64);
            if until > now {
                tokio::time::sleep_until(self.clock.deadline(until)).await;
            }
        }
        self.turn += count as u64;
        if self.turn >= TURN {
            self.turn = 0;
            tokio::task::yield_now().await;
        }
    }
}
