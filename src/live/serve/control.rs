//! The control connections: who reads them, and what a line becomes.
//!
//! One line is obeyed at a time. A client that sends commands and does not read the replies is not read any more.

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::calendar::Event;
use super::conns::{Does, Key, Order, Shaking};
use super::data::Job;
use super::deeds;
use super::ledger::Kind;
use super::lines::Line;
use super::station::{Shared, Station};
use super::store::{Manner, Refused};
use super::tamper::is_transfer;
use super::verbs::{self, Asked, Request};
use crate::ftp::{ArgId, Command, Verb};
use crate::live::content::absolute;
use crate::server::{Input, Word};
use crate::time::Instant;

/// Replies that may wait for their time; behind that nothing is read.
const OUTBOX: usize = 16;
/// Lines that one connection may have obeyed before others have their turn.
const TURN: usize = 32;
/// The most of a name, in characters, that is echoed and remembered.
const NAME: usize = 512;

/// Reads a control connection to its end.
pub(super) async fn read(station: Shared, key: Key) {
    poll_fn(|cx| station.borrow_mut().poll_read(key, cx)).await;
}

/// Sleeps until `at`.
pub(super) async fn nap(station: &Shared, at: Instant) {
    poll_fn(|cx| {
        let mut station = station.borrow_mut();
        if at <= station.clock.now() {
            return Poll::Ready(());
        }
        station.calendar.enter(at, Event::Wake(cx.waker().clone()));
        Poll::Pending
    })
    .await;
}

/// What came of a look at a socket.
enum Came {
    Something,
    Nothing,
    End,
}

impl Station {
    fn poll_read(&mut self, key: Key, cx: &mut Context<'_>) -> Poll<()> {
        for _ in 0..TURN {
            let Some(conn) = self.conns.get(key) else { return Poll::Ready(()) };
            if conn.link.is_none() {
                return Poll::Ready(());
            }
            match &mut conn.waker {
                Some(waker) => waker.clone_from(cx.waker()),
                none => *none = Some(cx.waker().clone()),
            }
            match self.look(key, cx) {
                Poll::Ready(Came::Something) => {}
                Poll::Ready(Came::Nothing) => continue,
                Poll::Ready(Came::End) => {
                    self.lost(key);
                    return Poll::Ready(());
                }
                Poll::Pending => return Poll::Pending,
            }
            self.obey_lines(key);
        }
        cx.waker().wake_by_ref(); // the others first
        Poll::Pending
    }

    /// Flushes what is unsent, and reads what is there if there is room for it.
    fn look(&mut self, key: Key, cx: &mut Context<'_>) -> Poll<Came> {
        let waits = self.waits(key);
        let Some(conn) = self.conns.get(key) else { return Poll::Ready(Came::End) };
        let Some(link) = &mut conn.link else { return Poll::Ready(Came::End) };
        let socket = link.wire.socket();
        if link.wire.unsent() {
            let ready = std::task::ready!(socket.poll_write_ready(cx));
            return Poll::Ready(match ready.and_then(|()| link.wire.flush()) {
                Ok(()) => Came::Nothing,
                Err(_) => Came::End,
            });
        }
        if link.tls == Shaking::Begun {
            return self.shake(key, cx);
        }
        if link.tls == Shaking::Due || link.outbox.len() >= OUTBOX || !conn.greeted {
            return Poll::Pending; // woken when a reply is sent
        }
        if waits && conn.lines.room() == 0 {
            return Poll::Pending; // woken when what it waits for is over
        }
        if !waits && conn.lines.holds_line() {
            return Poll::Ready(Came::Something);
        }
        // TLS may hold what the socket has no more.
        let ciphered = link.wire.tls().is_some();
        if !ciphered && std::task::ready!(socket.poll_read_ready(cx)).is_err() {
            return Poll::Ready(Came::End);
        }
        let mut scratch = [0; 4_096];
        let room = conn.lines.room().min(scratch.len());
        Poll::Ready(match link.wire.read(&mut scratch[..room]) {
            Ok(0) => Came::End,
            Ok(read) => {
                conn.lines.push(&scratch[..read]);
                Came::Something
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                if ciphered && !link.wire.unsent() && std::task::ready!(socket.poll_read_ready(cx)).is_err() {
                    Came::End
                } else {
                    Came::Nothing
                }
            }
            Err(_) => Came::End,
        })
    }

    /// Moves a TLS handshake on.
    fn shake(&mut self, key: Key, cx: &mut Context<'_>) -> Poll<Came> {
        let Some(link) = self.conns.get(key).and_then(|conn| conn.link.as_mut()) else {
            return Poll::Ready(Came::End);
        };
        let conn = key.conn();
        match link.wire.shake() {
            Ok(true) => {
                link.tls = Shaking::No;
                self.tell(Input::TlsDone { conn });
            }
            Ok(false) if link.wire.unsent() => {}
            Ok(false) => {
                if std::task::ready!(link.wire.socket().poll_read_ready(cx)).is_err() {
                    return Poll::Ready(Came::End);
                }
            }
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Poll::Ready(Came::End),
            Err(_) => {
                link.unread = true;
                self.tell(Input::TlsFailed { conn });
            }
        }
        Poll::Ready(Came::Nothing)
    }

    /// Does what `conn` says have to wait: for the end of a transfer, but for an ABOR, or for a server that hangs?
    fn waits(&mut self, key: Key) -> bool {
        if self.server.hangs() {
            return true;
        }
        let busy = self.server.is_in_transfer(key.conn());
        busy && self.conns.get(key).is_some_and(|conn| conn.lines.holds_line() && !conn.lines.holds_abort())
    }

    /// Obeys the next line, if one is there and may be.
    fn obey_lines(&mut self, key: Key) {
        if self.waits(key) {
            return;
        }
        let busy = self.server.is_in_transfer(key.conn());
        let Some(conn) = self.conns.get(key) else { return };
        let line = if busy && conn.lines.holds_line() { conn.lines.next_abort() } else { conn.lines.next() };
        match line {
            Some(Line::Text(line)) => self.obey(key, &line),
            Some(Line::TooLong) => {
                conn.client.order = Order::default();
                self.tell(Input::LineTooLong { conn: key.conn() });
            }
            None => {
                if conn.lines.is_unfinished() {
                    self.tell(Input::Bytes { conn: key.conn() });
                }
            }
        }
    }

    fn obey(&mut self, key: Key, line: &str) {
        let request = verbs::split(line);
        if let Some(voice) = self.conns.get(key).and_then(|conn| conn.link.as_mut()?.voice.as_mut()) {
            voice.heard(line);
        }
        self.minutes.heard(key, line);
        self.meets_ills(key, Some(&request.called));
        let (words, logged_in) = (&self.server.policy().words, self.server.is_logged_in(key.conn()));
        if request.called.is_empty() && words.ignores_empty_lines() {
            return;
        }
        let Some(conn) = self.conns.get(key) else { return };
        let asked = verbs::asked(&request, conn.local);
        let client = &mut conn.client;
        client.verb = cut(&request.called);
        client.bare = request.argument.is_empty();
        client.order = Order { verb: cut(&request.verb), does: Does::Nothing };
        match asked {
            Asked::Login(Verb::User) if !logged_in => client.user = cut(request.argument),
            Asked::Login(_) => {}
            _ if request.argument.is_empty() => "/".clone_into(&mut client.path),
            _ => client.path = cut(request.argument),
        }
        let command = if self.must_refuse(key) {
            Command::bare(Verb::Other) // whatever the machine says to that, the client is told another thing
        } else {
            self.command(key, &request, asked)
        };
        let kind = match command.verb {
            Verb::User => Kind::User,
            Verb::Pass => Kind::Pass,
            _ if is_transfer(&request.called) => Kind::Transfer,
            _ => Kind::Other,
        };
        self.ledger.asked(self.clock.now(), key.conn().slot(), kind);
        let in_transfer = self.server.is_in_transfer(key.conn());
        let heard = self.told(Input::Command { conn: key.conn(), command });
        if let Some(link) = self.conns.get(key).and_then(|conn| conn.link.as_mut()) {
            // A session answers. One that does not is ending, or hangs, and has never read it.
            link.unread = !heard && !in_transfer;
        }
    }

    /// What the machine is told of a line.
    fn command(&mut self, key: Key, request: &Request<'_>, asked: Asked) -> Command {
        let logged_in = self.server.is_logged_in(key.conn());
        let words = Arc::clone(&self.server.policy().words);
        let offers_tls = self.server.policy().tls.offer.is_some();
        let verb = request.verb.as_str();
        let Some(conn) = self.conns.get(key) else { return Command::bare(Verb::Other) };
        let peer = conn.peer;
        let client = &mut conn.client;
        let word = match asked {
            Asked::Login(_) if logged_in && words.says(verb, Word::Again) => Word::Again,
            Asked::Login(Verb::User) => {
                return Command { verb: Verb::User, arg: self.register.number(request.argument) };
            }
            Asked::Login(verb) => {
                let right = self.register.lets_in(&client.user, request.argument);
                return Command { verb, arg: if right { ArgId::RIGHT_PASSWORD } else { ArgId::OTHER } };
            }
            Asked::Machine(command) => return command,
            Asked::Pasv { extended: false } | Asked::Port(_) if client.only_epsv => Word::Again,
            Asked::Pasv { extended } => {
                client.extended = extended;
                return Command::bare(Verb::Pasv);
            }
            Asked::Port(place) if is_harmless(place, peer) => {
                client.port = Some(place);
                return Command::bare(Verb::Port);
            }
            Asked::Port(place) => {
                client.path = place.to_string();
                Word::Denied
            }
            Asked::Transfer(verb) if logged_in && self.server.policy().knows_transfer(verb) => {
                return self.ask_for(key, verb, request);
            }
            Asked::Transfer(verb) => return Command::bare(verb),
            Asked::Deed(deed) if words.knows(verb) && !words.refuses(verb) => {
                client.order.does = Does::Deed(deed);
                let early = words.is_early(verb);
                return deed.verb().unwrap_or_else(|| told(early));
            }
            Asked::Deed(_) => Word::Done,
            Asked::Say(_) if verb == "AUTH" && !offers_tls => return Command::bare(Verb::Auth),
            Asked::Say(word) => word,
        };
        if !words.knows(verb) {
            return Command::bare(Verb::Other);
        }
        client.order.does = Does::Says(word, None);
        told(verb == "USER" || words.is_early(verb))
    }

    /// A transfer was asked for: works out what it moves, or why it cannot.
    fn ask_for(&mut self, key: Key, verb: Verb, request: &Request<'_>) -> Command {
        match self.job(key, verb, request) {
            Ok(job) => {
                if let Some(conn) = self.conns.get(key) {
                    conn.client.bytes = job.bytes();
                    conn.job = Some(job);
                }
                Command::bare(verb)
            }
            Err(refused) => {
                if let Some(conn) = self.conns.get(key) {
                    conn.client.order.does = Does::Says(deeds::word_for(refused), Some(refused));
                }
                Command::bare(Verb::Refused)
            }
        }
    }

    /// What a transfer moves.
    fn job(&mut self, key: Key, verb: Verb, request: &Request<'_>) -> Result<Job, Refused> {
        let conn = self.conns.get(key).ok_or(Refused::Missing)?;
        let client = &mut conn.client;
        let argument = request.argument;
        let named = if verb.is_listing() { without_options(argument) } else { argument };
        let path = absolute(&client.at, named);
        let from = std::mem::take(&mut client.rest);
        let sized = client.sized.take().filter(|(of, _)| *of == path);
        Ok(match verb {
            Verb::List | Verb::Nlst | Verb::Mlsd => {
                match self.store.listing(&path, verb) {
                    Ok(text) => Job::Listing(text),
                    // Some do not tell what is not there from what is empty.
                    Err(_) if self.server.policy().words.lists_nothing(&request.verb) => {
                        Job::Listing(Vec::new())
                    }
                    Err(refused) => return Err(refused),
                }
            }
            Verb::Retr => {
                let source = self.store.source(&path)?;
                let source = match sized {
                    Some((_, size)) => source.sized(size),
                    None => source,
                };
                Job::Download { source, from }
            }
            _ if request.verb == "STOU" => {
                let wanted = if argument.is_empty() { absolute(&client.at, "STOU") } else { path };
                let path = self.store.unique(&wanted)?;
                let sink = self.store.sink(&path, Manner::From(0))?;
                self.name_upload(key, &path);
                Job::Upload(sink)
            }
            _ if request.verb == "APPE" => Job::Upload(self.store.sink(&path, Manner::Append)?),
            _ => Job::Upload(self.store.sink(&path, Manner::From(from))?),
        })
    }

    /// The client is told what its upload is called.
    fn name_upload(&mut self, key: Key, path: &str) {
        let Some(conn) = self.conns.get(key) else { return };
        path.rsplit('/').next().unwrap_or(path).clone_into(&mut conn.client.path);
        conn.client.order.does = Does::Says(Word::Done, None);
    }
}

/// A command that the driver answers, for anybody or for those who are logged in.
fn told(early: bool) -> Command {
    Command::bare(if early { Verb::ToldAnybody } else { Verb::Told })
}

/// Is `place` the client's own, and no port of a service? Anything else would let a client send bytes wherever it likes (RFC 2577).
fn is_harmless(place: SocketAddr, peer: SocketAddr) -> bool {
    place.ip().to_canonical() == peer.ip() && place.port() >= 1_024
}

/// What LIST is asked about, behind the options for `ls` that clients send.
fn without_options(argument: &str) -> &str {
    let mut rest = argument.trim_start();
    while rest.starts_with('-') {
        rest = rest.split_once(' ').map_or("", |(_, rest)| rest).trim_start();
    }
    rest
}

fn cut(name: &str) -> String {
    name.chars().take(NAME).collect()
}
