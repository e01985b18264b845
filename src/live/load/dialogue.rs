//! The dialogue of a control connection: commands are spelled and sent, replies are heard and handed to the machine.
//!
//! What a reply means is the machine's business, and what a refusal was for is the classifier's.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::line::Line;
use super::refusals::Came;
use super::shard::{Moment, Shard};
use super::spell;
use crate::client::{self, State};
use crate::ftp::{self, Command, Heard, Severity, Verb};
use crate::observe::{Cause, CloseHow, Refusal};
use crate::time::Instant;

/// Reads in a row, after which others have their turn.
const READS: usize = 8;

impl Shard {
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
    pub(super) fn poll_line(&mut self, client: u32, serial: u32, cx: &mut Context<'_>) -> Poll<()> {
        for _ in 0..READS {
            let Some(line) = self.line(client, serial) else { return Poll::Ready(()) };
            line.waker.get_or_insert_with(|| cx.waker().clone());
            if let Some(how) = line.ends.take() {
                self.closed(client, how);
                continue;
            }
            let Some(wire) = &mut line.wire else { return Poll::Ready(()) };
            let socket = wire.socket();
            if wire.unsent() && socket.poll_write_ready(cx).is_ready() {
                let _ = wire.flush(); // if it is broken, reading says so
            }
            let mut scratch = std::mem::take(&mut self.scratch);
            let Some(wire) = self.line(client, serial).and_then(|line| line.wire.as_mut()) else {
                self.scratch = scratch;
                return Poll::Ready(());
            };
            let read = wire.read(&mut scratch);
            let secure = !wire.is_handshaking();
            let shakes = self.line(client, serial).is_some_and(|line| line.shakes);
            if shakes && secure && !matches!(&read, Err(error) if error.kind() != io::ErrorKind::WouldBlock) {
                self.secured(client, serial);
            }
            let mut end = None;
            let mut ended = |how| {
                end = Some(how);
                false
            };
            let waits = match read {
                Ok(0)
                    if shakes && !secure && self.slots[client as usize].client.state() == State::Securing =>
                {
                    self.not_secured(client, serial, &io::ErrorKind::UnexpectedEof.into());
                    false
                }
                Ok(0) => ended(CloseHow::Fin),
                Ok(count) => {
                    self.take(client, serial, &scratch[..count]);
                    false
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => true,
                Err(error) if shakes => {
                    self.not_secured(client, serial, &error);
                    false
                }
                Err(_) => ended(CloseHow::Rst),
            };
            self.scratch = scratch;
            if let Some(how) = end {
                if self.cuts(client, serial, how) {
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                self.closed(client, how);
            }
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
            let Some(line) = self.line(client, serial) else { return };
            match heard {
                Heard::Reply { code, text } => {
                    line.more = !bytes.is_empty();
                    self.replied(client, code, &text);
                }
                Heard::Noise(noise) => {
                    line.keeps(&noise);
                    let (now, state) = (self.now(), self.slots[client as usize].client.state());
                    self.hears(now, client, state, |_| [format!("S: {noise}")]);
                }
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
            io::ErrorKind::UnexpectedEof => Cause::SilentClose,
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
    pub(super) fn deliver(&mut self, now: Moment, client: u32, code: u16, text: &str) {
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
        (line.replied, line.noise) = (true, String::new());
        let looks = code >= 400 || code < 200 || state == State::AwaitGreeting;
        let close = if looks && state != State::AwaitQuit { line.is_ended() } else { None };
        let verdict = if code >= 400 || unasked || close.is_some() {
            self.judge(now, client, &line, Came { code, text, answers, close })
        } else {
            None
        };
        line.said = verdict.map(|verdict| (now.at, code == 421 || close.is_some(), verdict));
        if verdict.is_none() && code >= 400 {
            self.says_no(now, client, code, text, answers);
        }
        let endless = line.replies > Line::REPLIES;
        let greeted = state == State::AwaitGreeting && Severity::of(code) == Severity::Completion;
        if ended.is_some()
            && let Some(data) = line.data.take()
        {
            self.check(&data, code);
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
        let noise = slot.line.as_ref().map(|line| line.noise.clone()).unwrap_or_default();
        let said = if noise.is_empty() { began } else { &noise };
        self.note(now, client, |_| "-- server speaks nonsense".to_owned());
        self.refusal(now.at, Refusal { cause: Cause::CriticalError, phase, code: 0 }, None, said);
        self.tell(now, client, client::Input::Closed { cause: Some(Cause::CriticalError) });
        self.hang_up(now, client, serial);
    }

    /// The server has ended a session. Who else was cut at the same moment tells why: all ends that are there are seen before the
    /// first of them is judged. Returns whether this one is to be judged later.
    fn cuts(&mut self, client: u32, serial: u32, how: CloseHow) -> bool {
        let (now, whose, over) = (self.now(), self.whose(client), self.over);
        let quits = self.slots[client as usize].client.state() == State::AwaitQuit;
        let Some(line) = self.line(client, serial) else { return false };
        if over || quits || line.session.is_none() || line.cut {
            return false;
        }
        (line.ends, line.cut) = (Some(how), true);
        self.around.cut(now.at, whose);
        true
    }

    /// The server has closed or reset the connection.
    pub(super) fn closed(&mut self, client: u32, how: CloseHow) {
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
        let unheard = line.unheard();
        let came = Came { code: 0, text: &unheard, answers: line.talk.asked, close: Some(how) };
        let cause = match line.said_why(now.at) {
            _ if state == State::AwaitQuit => None,
            Some(said) => Some(said.cause),
            None => self.judge(now, client, &line, came).map(|verdict| verdict.cause),
        };
        if cause.is_none() && line.is_nonsense() {
            self.slots[client as usize].line = Some(line);
            return self.gibberish(client, &unheard);
        }
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
}
