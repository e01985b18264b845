//! One control connection: from its socket to its end.
//!
//! A task attends to each. It borrows its shard for moments only, and ends when its client has let go. What is said over it
//! stands in `dialogue`.

use std::cell::RefCell;
use std::io;
use std::pin::pin;
use std::rc::Rc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};

use tokio::io::Interest;
use tokio::net::{TcpSocket, TcpStream};

use super::line::Line;
use super::shard::{Due, Moment, Shard};
use super::sources;
use crate::classify::Whose;
use crate::client::{self, State};
use crate::live::Wire;
use crate::observe::{Cause, CloseHow, Observation, Phase, Refusal};
use crate::time::{Duration, Instant};
use crate::transcript::Transcript;

/// So long after a connect for which there was no socket the next one is tried.
const STARVED: Duration = Duration::from_millis(20);
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
    pub(super) fn ended(&mut self, moment: Moment, client: u32, opened: Instant, session: Option<Instant>) {
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
    pub(super) fn transcript_of(&mut self, client: u32) -> Option<&mut Transcript> {
        let slot = &self.slots[client as usize];
        let wanted = self.plan.dialogue == Some((slot.population, slot.client.index()));
        wanted.then(|| self.transcript.get_or_insert_default())
    }

    pub(super) fn note(&mut self, moment: Moment, client: u32, what: impl FnOnce(&Self) -> String) {
        if self.transcript_of(client).is_some() {
            let what = what(self);
            self.transcript_of(client).into_iter().for_each(|transcript| transcript.note(moment.at, &what));
        }
    }

    pub(super) fn hears<I: IntoIterator<Item = String>>(
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
