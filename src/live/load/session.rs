//! One control connection: from its socket over what is read to its end.
//!
//! A task attends to each. It borrows its shard for moments only, and ends when its client has let go. What a reply means is
//! the machine's business.

use std::cell::RefCell;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};

use tokio::io::Interest;
use tokio::net::{TcpSocket, TcpStream};

use super::line::Line;
use super::refusals::Came;
use super::shard::{Due, Moment, Shard};
use super::{sources, spell};
use crate::classify::Whose;
use crate::client::{self, State};
use crate::ftp::{self, Command, Heard, Severity, Verb};
use crate::live::Wire;
use crate::observe::{Cause, CloseHow, Observation, Phase, Refusal};
use crate::time::{Duration, Instant};
use crate::transcript::Transcript;

/// So long after a connect for which there was no socket the next one is tried.
const STARVED: Duration = Duration::from_millis(20);
/// Reads in a row, after which others have their turn.
const READS: usize = 8;

/// Attends to connect number `serial` of `client`, until it is over.
async fn attend(shard: Rc<RefCell<Shard>>, client: u32, serial: u32, socket: TcpSocket) {
    let target = shard.borrow().plan.target.address;
    let done = {
        let mut connecting = pin!(socket.connect(target));
        std::future::poll_fn(|cx| {
            if shard.borrow_mut().attends(client, serial, cx) {
                connecting.as_mut().poll(cx).map(Some)
            } else {
                Poll::Ready(None)
            }
        })
        .await
    };
    match done {
        None => return,
        Some(Err(error)) => return shard.borrow_mut().connect_failed(client, serial, &error),
        Some(Ok(stream)) => shard.borrow_mut().connected(client, serial, stream),
    }
    std::future::poll_fn(|cx| shard.borrow_mut().poll_line(client, serial, cx)).await;
}

/// Keeps the connection of a client that has vanished, and reads nothing, until the server closes it.
async fn haunt(shard: Rc<RefCell<Shard>>, number: u64, socket: Rc<TcpStream>, whose: Whose) {
    loop {
        match socket.ready(Interest::READABLE).await {
            Ok(ready) if !ready.is_read_closed() => {
                // Something was sent that nobody will read: forget that it is there, and wait for more, or for the end.
                let nothing: io::Result<()> =
                    socket.try_io(Interest::READABLE, || Err(io::ErrorKind::WouldBlock.into()));
                drop(nothing);
            }
            _ => break,
        }
    }
    let mut shard = shard.borrow_mut();
    let now = shard.now();
    if !shard.over && shard.ghosts.contains_key(&number) {
        shard.mark(now.at, Observation::GhostEnded { cause: None }, Duration::ZERO);
    }
    if let Some((opened, session)) = shard.ghosts.remove(&number) {
        shard.gone(now, whose, opened, session);
    }
}

impl Shard {
    /// Opens the control connection of `client`, as soon as there is a socket for it.
    pub(super) fn connect(&mut self, moment: Moment, client: u32) {
        let slot = &mut self.slots[client as usize];
        let (serial, source) = (slot.serial, self.plan.sources.address(slot.peer));
        let target = self.plan.target.address;
        if !std::mem::take(&mut slot.starved) {
            self.note(moment, client, |shard| {
                let slot = &shard.slots[client as usize];
                let ip = shard.plan.scenario.addresses.address(slot.peer);
                format!("-- connects from {ip} (session {})", slot.client.session() + 1)
            });
        }
        match sources::socket(source, target) {
            Ok(socket) => {
                self.slots[client as usize].line = Some(Box::new(Line::new(target.ip())));
                if let Some(me) = self.me.upgrade() {
                    tokio::task::spawn_local(attend(me, client, serial, socket));
                }
            }
            Err(_) => self.starve(moment, client),
        }
    }

    /// There is no descriptor or no port for a connect. That is not the server's doing, so the machine is not told: its connect
    /// takes as long as it takes to get one, up to its own timeout. How often that happened is in the generator's health.
    fn starve(&mut self, moment: Moment, client: u32) {
        self.part.exhausted += 1;
        let slot = &mut self.slots[client as usize];
        (slot.starved, slot.line) = (true, None);
        let due = Due::Connect { client, serial: slot.serial };
        self.schedule(moment.at + moment.late + STARVED, due);
    }

    /// The connection number `serial` of `client`, unless he has let go of it.
    pub(super) fn line(&mut self, client: u32, serial: u32) -> Option<&mut Line> {
        let slot = &mut self.slots[client as usize];
        if slot.serial == serial { slot.line.as_deref_mut() } else { None }
    }

    /// Is there still something to attend to? If so, `cx` is woken when there is no longer.
    fn attends(&mut self, client: u32, serial: u32, cx: &Context<'_>) -> bool {
        let Some(line) = self.line(client, serial) else { return false };
        line.waker.get_or_insert_with(|| cx.waker().clone());
        true
    }

    fn connect_failed(&mut self, client: u32, serial: u32, error: &io::Error) {
        let now = self.now();
        if self.line(client, serial).is_none() {
            return;
        }
        if sources::is_exhaustion(error) {
            return self.starve(now, client);
        }
        let cause = match error.kind() {
            io::ErrorKind::ConnectionReset => {
                // Only an established connection is reset; it was over before anybody looked.
                self.established(now, client, None);
                if self.line(client, serial).is_some() {
                    self.closed(client, CloseHow::Rst);
                }
                return;
            }
            io::ErrorKind::ConnectionRefused => Cause::ConnectionRefused,
            _ => Cause::ConnectTimeout, // the kernel's own timeout, or no way there
        };
        self.slots[client as usize].line = None;
        self.note(now, client, |_| format!("-- {cause}"));
        if cause == Cause::ConnectionRefused {
            self.refusal(now.at, Refusal { cause, phase: Phase::Accept, code: 0 }, None, "");
        }
        self.tell(now, client, client::Input::ConnectFailed { cause });
    }

    fn connected(&mut self, client: u32, serial: u32, stream: TcpStream) {
        let now = self.now();
        let _ = stream.set_nodelay(true); // without it, it is slower and no less right
        if self.line(client, serial).is_some() {
            self.established(now, client, Some(Wire::new(stream)));
        }
    }

    fn established(&mut self, now: Moment, client: u32, wire: Option<Wire>) {
        let Some(line) = &mut self.slots[client as usize].line else { return };
        line.open(now.at, wire);
        self.around.opened(self.whose(client));
        self.gauges.connections.fetch_add(1, Ordering::Relaxed);
        self.open += 1;
        self.part.open_max = self.part.open_max.max(self.open);
        self.mark(now.at, Observation::ConnectionOpened, Duration::ZERO);
        self.tell(now, client, client::Input::Connected);
    }

    /// Sends `command` over the connection of `client`, or keeps it until the kernel takes it.
    pub(super) fn send(&mut self, moment: Moment, client: u32, command: Command) {
        let user = self.user(client);
        let mut spelled = std::mem::take(&mut self.spelled);
        spelled.clear();
        let plan = Arc::clone(&self.plan);
        let listens = if command.verb == Verb::Port { self.listens_at(client) } else { None };
        let whose = self.whose(client);
        if let Some(line) = &mut self.slots[client as usize].line {
            spell::spell(&plan, command, user, listens, line.over, &mut spelled);
            if let Some(wire) = &mut line.wire {
                // If it is broken, whoever reads will hear of it.
                let broken = wire.write(spelled.as_bytes()).is_err();
                if broken || wire.unsent() {
                    line.wake();
                }
            }
            line.sends(moment.at + moment.late, command);
            line.begins(&plan);
            if line.talk.mistyped && command.verb == Verb::Pass {
                self.around.mistyped(whose);
            }
        }
        if let Some(transcript) = self.transcript_of(client) {
            transcript.sends(moment.at, spelled.trim_end());
        }
        self.spelled = spelled;
    }

    /// Where `client` waits for the server's data connection; if it does not, where no data connection ever comes through.
    fn listens_at(&mut self, client: u32) -> Option<SocketAddr> {
        let line = self.slots[client as usize].line.as_ref()?;
        if let Some(at) = line.data.as_ref().and_then(|data| data.listens) {
            return Some(at);
        }
        let here = line.wire.as_ref()?.socket().local_addr().ok()?;
        self.black_hole(here.ip())
    }

    /// Reads what there is, and waits for more.
    fn poll_line(&mut self, client: u32, serial: u32, cx: &mut Context<'_>) -> Poll<()> {
        for _ in 0..READS {
            let Some(line) = self.line(client, serial) else { return Poll::Ready(()) };
            line.waker.get_or_insert_with(|| cx.waker().clone());
            let Some(wire) = &mut line.wire else { return Poll::Ready(()) };
            let socket = wire.socket();
            if wire.unsent() && socket.poll_write_ready(cx).is_ready() {
                let _ = wire.flush(); // if it is broken, reading says so
            }
            let mut scratch = std::mem::take(&mut self.scratch);
            let Some(wire) = self.line(client, serial).and_then(|line| line.wire.as_mut()) else {
                return Poll::Ready(());
            };
            let read = wire.read(&mut scratch);
            let shaken = !wire.is_handshaking();
            let shakes = self.line(client, serial).is_some_and(|line| line.shakes);
            if shakes && shaken && !matches!(&read, Err(error) if error.kind() != io::ErrorKind::WouldBlock) {
                self.secured(client, serial);
            }
            let waits = match read {
                Ok(0) => {
                    self.closed(client, CloseHow::Fin);
                    false
                }
                Ok(count) => {
                    self.take(client, serial, &scratch[..count]);
                    false
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => true,
                Err(error) if shakes => {
                    self.not_secured(client, serial, &error);
                    false
                }
                Err(_) => {
                    self.closed(client, CloseHow::Rst);
                    false
                }
            };
            self.scratch = scratch;
            if waits && socket.poll_read_ready(cx).is_pending() {
                return Poll::Pending;
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Takes what was read.
    fn take(&mut self, client: u32, serial: u32, mut bytes: &[u8]) {
        let Some(line) = self.line(client, serial) else { return };
        let mut hearing = std::mem::take(&mut line.hearing);
        while let Some(heard) = hearing.next(&mut bytes) {
            match heard {
                Heard::Reply { code, text } => self.replied(client, code, &text),
                Heard::Nonsense(began) => self.gibberish(client, &began),
            }
            let Some(line) = self.line(client, serial) else { return };
            if line.shakes {
                // Whatever came in the clear behind the answer to AUTH may be anybody's (RFC 4217, section 15).
                if !bytes.is_empty() {
                    self.not_secured(client, serial, &io::Error::other("there is more behind the 234"));
                }
                return;
            }
        }
        if let Some(line) = self.line(client, serial) {
            line.hearing = hearing;
        }
    }

    /// Begins TLS on the connection of `client`. What was read so far was in the clear, and is over.
    pub(super) fn start_tls(&mut self, client: u32) {
        let Some(line) = &mut self.slots[client as usize].line else { return };
        let (Some(connector), Some(wire)) = (&self.connector, &mut line.wire) else { return };
        let session = connector.session();
        if let Ok(tls) = session.connect() {
            let _ = wire.start_tls(tls); // if it is broken, whoever reads will hear of it
        }
        line.tls = Some(session);
        line.shakes = true;
        line.hearing = ftp::Hearing::default();
        line.wake();
    }

    /// The TLS handshake of a control connection is complete.
    fn secured(&mut self, client: u32, serial: u32) {
        let now = self.now();
        let Some(line) = self.line(client, serial) else { return };
        line.shakes = false;
        self.note(now, client, |_| "-- TLS".to_owned());
        self.tell(now, client, client::Input::TlsDone);
    }

    /// It has failed.
    fn not_secured(&mut self, client: u32, serial: u32, error: &io::Error) {
        let now = self.now();
        let cause = match error.kind() {
            io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => Cause::Reset,
            _ => Cause::CriticalError,
        };
        let phase = self.slots[client as usize].client.phase(false);
        let why = error.to_string();
        self.note(now, client, |_| format!("-- no TLS: {why}"));
        self.refusal(now.at, Refusal { cause, phase, code: 0 }, None, &why);
        self.tell(now, client, client::Input::TlsFailed { cause });
        self.hang_up(now, client, serial);
    }

    /// A complete reply was read.
    fn replied(&mut self, client: u32, code: u16, text: &str) {
        let now = self.now();
        let Some(line) = &mut self.slots[client as usize].line else { return };
        if !line.holds(code) {
            return self.deliver(now, client, code, text);
        }
        line.held.push_back((code, text.to_owned()));
        if line.held.len() == 1 {
            line.held_at = now.at;
            self.hold(now, client);
        }
    }

    /// Delivers the replies that were held back.
    pub(super) fn release(&mut self, now: Moment, client: u32, serial: u32) {
        while let Some((code, text)) = self.line(client, serial).and_then(|line| line.held.pop_front()) {
            self.deliver(now, client, code, &text);
        }
    }

    /// Delivers a reply to the machine, with what it is taken for.
    fn deliver(&mut self, now: Moment, client: u32, code: u16, text: &str) {
        let slot = &mut self.slots[client as usize];
        let (state, serial) = (slot.client.state(), slot.serial);
        let Some(mut line) = slot.line.take() else { return };
        self.hears(now, client, state, |_| {
            ftp::wire(code, text).into_iter().map(|line| format!("S: {line}"))
        });
        let answers = line.hears(now.at, &self.plan, code, text);
        let ended = answers.filter(|verb| verb.is_transfer() && line.talk.asked.is_none());
        let unasked = answers.is_none() && state != State::AwaitGreeting;
        line.replies += 1;
        let verdict = if code >= 400 || unasked {
            self.judge(now, client, &line, Came { code, text, answers, close: None })
        } else {
            None
        };
        line.said = verdict.map(|verdict| (code, verdict)).or(line.said);
        let endless = line.replies > Line::REPLIES;
        let greeted = state == State::AwaitGreeting && Severity::of(code) == Severity::Completion;
        if ended.is_some() {
            line.data = None;
        }
        self.slots[client as usize].line = Some(line);
        if self.over {
            // What is not a goodbye may be the answer to a command before it.
            if code == 221 {
                self.hang_up(now, client, serial);
            }
            return;
        }
        if endless {
            return self.gibberish(client, text);
        }
        if greeted {
            let whose = self.whose(client);
            self.around.greeted(now.at, whose);
        }
        let words = self.words(client, code, text);
        let cause = verdict.map(|verdict| verdict.cause);
        self.tell(now, client, client::Input::Reply { code, cause, words });
    }

    /// Whoever is there speaks no FTP. For the client that is a server that failed.
    fn gibberish(&mut self, client: u32, began: &str) {
        let now = self.now();
        let slot = &self.slots[client as usize];
        let (phase, serial) = (slot.client.phase(false), slot.serial);
        self.note(now, client, |_| "-- server speaks nonsense".to_owned());
        self.refusal(now.at, Refusal { cause: Cause::CriticalError, phase, code: 0 }, None, began);
        self.tell(now, client, client::Input::Closed { cause: Some(Cause::CriticalError) });
        self.hang_up(now, client, serial);
    }

    /// The server has closed or reset the connection.
    fn closed(&mut self, client: u32, how: CloseHow) {
        let now = self.now();
        let serial = self.slots[client as usize].serial;
        self.release(now, client, serial);
        if self.line(client, serial).is_none() {
            return;
        }
        let slot = &mut self.slots[client as usize];
        let state = slot.client.state();
        let Some(line) = slot.line.take() else { return };
        self.hears(now, client, state, |_| [format!("-- server closes ({how})")]);
        let came = Came { code: 0, text: "", answers: line.talk.asked, close: Some(how) };
        let cause = match line.said {
            _ if state == State::AwaitQuit => None,
            Some((_, said)) => Some(said.cause), // it has said why
            None => self.judge(now, client, &line, came).map(|verdict| verdict.cause),
        };
        self.slots[client as usize].line = Some(line);
        let cause = cause.or((how == CloseHow::Rst).then_some(Cause::Reset));
        self.tell(now, client, client::Input::Closed { cause });
        // A machine whose user is away does not let go of it, but there is nothing left to hold.
        self.hang_up(now, client, serial);
    }

    /// Closes a connection that is of no use any more, if the machine has not let go of it.
    pub(super) fn hang_up(&mut self, moment: Moment, client: u32, serial: u32) {
        let Some(line) = self.line(client, serial) else { return };
        line.wire = None;
        line.wake();
        let (opened, session) = (line.opened, line.session.take());
        line.opened = Instant::NEVER;
        self.ended(moment, client, opened, session);
    }

    /// The client gives up its connection, if it has one: with a FIN, or without a word.
    pub(super) fn let_go(&mut self, moment: Moment, client: u32, fin: bool) {
        let slot = &mut self.slots[client as usize];
        slot.serial = slot.serial.wrapping_add(1);
        slot.starved = false;
        let Some(mut line) = slot.line.take() else { return };
        line.wake();
        let serial = slot.serial;
        self.note(moment, client, |_| {
            if fin { "-- client closes" } else { "-- client vanishes without a word" }.to_owned()
        });
        match line.wire.take() {
            Some(wire) if !fin => {
                self.mark(moment.at, Observation::GhostBegan, Duration::ZERO);
                let number = u64::from(client) << 32 | u64::from(serial);
                self.ghosts.insert(number, (line.opened, line.session));
                if let Some(me) = self.me.upgrade() {
                    tokio::task::spawn_local(haunt(me, number, wire.socket(), self.whose(client)));
                }
            }
            wire => {
                drop(wire); // a FIN
                self.ended(moment, client, line.opened, line.session);
            }
        }
    }

    /// The connection of `client` that was established at `opened` is no more.
    fn ended(&mut self, moment: Moment, client: u32, opened: Instant, session: Option<Instant>) {
        if opened.is_never() {
            return; // it never was
        }
        self.gone(moment, self.whose(client), opened, session);
    }

    /// The same, of a client who may be somebody else by now.
    pub(super) fn gone(&mut self, moment: Moment, whose: Whose, opened: Instant, session: Option<Instant>) {
        self.around.closed(whose);
        self.open -= 1;
        self.gauges.connections.fetch_sub(1, Ordering::Relaxed);
        if session.is_some() {
            self.around.logged_out(whose);
            self.gauges.sessions.fetch_sub(1, Ordering::Relaxed);
        }
        if self.over {
            return;
        }
        if let Some(opened) = session {
            self.mark(moment.at, Observation::SessionClosed { opened }, Duration::ZERO);
        }
        self.mark(moment.at, Observation::ConnectionClosed { opened }, Duration::ZERO);
        let (held, admitted) = (moment.at.since(opened), session.is_some());
        self.mark(moment.at, Observation::SlotFreed { held, admitted }, Duration::ZERO);
    }

    // ---- the transcript ----------------------------------------------------------------------------------------

    /// The transcript, if it is this client's that is written.
    fn transcript_of(&mut self, client: u32) -> Option<&mut Transcript> {
        let slot = &self.slots[client as usize];
        let wanted = self.plan.dialogue == Some((slot.population, slot.client.index()));
        wanted.then(|| self.transcript.get_or_insert_default())
    }

    fn note(&mut self, moment: Moment, client: u32, what: impl FnOnce(&Self) -> String) {
        if self.transcript_of(client).is_some() {
            let what = what(self);
            self.transcript_of(client).into_iter().for_each(|transcript| transcript.note(moment.at, &what));
        }
    }

    fn hears<I: IntoIterator<Item = String>>(
        &mut self,
        moment: Moment,
        client: u32,
        state: State,
        what: impl FnOnce(&Self) -> I,
    ) {
        if self.transcript_of(client).is_some() {
            let what = what(self);
            if let Some(transcript) = self.transcript_of(client) {
                what.into_iter().for_each(|line| transcript.hears(moment.at, line, state == State::Away));
            }
        }
    }
}
