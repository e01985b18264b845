//! The control connections: who reads them, and what a line becomes.
//!
//! One line is obeyed at a time. A client that sends commands and does not read the replies is not read any more.

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::task::{Context, Poll};

use super::calendar::Event;
use super::conns::{Key, Shaking};
use super::data::Job;
use super::ledger::Kind;
use super::lines::Line;
use super::station::{Shared, Station};
use super::store::{Manner, Refused};
use super::texts;
use super::verbs::{self, Asked};
use crate::ftp::{ArgId, Command, Verb};
use crate::live::content::absolute;
use crate::server::Input;
use crate::time::Instant;

/// Replies that may wait for their time; behind that nothing is read.
const OUTBOX: usize = 16;
/// Lines that one connection may have obeyed before others have their turn.
const TURN: usize = 32;
/// Transfers that may have been asked for ahead of the one under way.
const JOBS: usize = 4;
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
        if conn.lines.holds_line() {
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

    /// Obeys the next line, if one is there.
    fn obey_lines(&mut self, key: Key) {
        let Some(conn) = self.conns.get(key) else { return };
        match conn.lines.next() {
            Some(Line::Text(line)) => self.obey(key, &line),
            Some(Line::TooLong) => self.tell(Input::LineTooLong { conn: key.conn() }),
            None => {
                if conn.lines.is_unfinished() {
                    self.tell(Input::Bytes { conn: key.conn() });
                }
            }
        }
    }

    fn obey(&mut self, key: Key, line: &str) {
        let (verb, argument) = verbs::split(line);
        if let Some(voice) = self.conns.get(key).and_then(|conn| conn.link.as_mut()?.voice.as_mut()) {
            voice.heard(line);
        }
        self.minutes.heard(key, line);
        self.meets_ills(key, Some(&verb));
        let Some(conn) = self.conns.get(key) else { return };
        let asked = verbs::asked(&verb, argument, conn.local);
        let client = &mut conn.client;
        client.told = None;
        client.verb = cut(&verb);
        match asked {
            Asked::Verb(Verb::User) => client.user = cut(argument),
            Asked::Verb(Verb::Pass) => {}
            _ if argument.is_empty() => "/".clone_into(&mut client.path),
            _ => client.path = cut(argument),
        }
        let command = if self.must_refuse(key) {
            Command::bare(Verb::Other) // whatever the machine says to that, the client is told another thing
        } else {
            self.command(key, &verb, argument, asked)
        };
        let kind = match command.verb {
            Verb::User => Kind::User,
            Verb::Pass => Kind::Pass,
            verb if verb.is_transfer() => Kind::Transfer,
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
    fn command(&mut self, key: Key, verb: &str, argument: &str, asked: Asked) -> Command {
        let other = Command::bare(Verb::Other);
        let Some(conn) = self.conns.get(key) else { return other };
        let peer = conn.peer;
        let client = &mut conn.client;
        match asked {
            Asked::Verb(Verb::User) => Command { verb: Verb::User, arg: self.register.number(argument) },
            Asked::Verb(Verb::Pass) => {
                let right = self.register.lets_in(&client.user, argument);
                let arg = if right { ArgId::RIGHT_PASSWORD } else { ArgId::OTHER };
                Command { verb: Verb::Pass, arg }
            }
            Asked::Verb(Verb::SiteIdle) => {
                let secs = argument.parse().unwrap_or(u16::MAX);
                Command { verb: Verb::SiteIdle, arg: ArgId(secs) }
            }
            Asked::Verb(Verb::Cwd) => {
                let to = if verb.ends_with("UP") { ".." } else { argument };
                client.at = cut(&absolute(&client.at, to));
                Command::bare(Verb::Cwd)
            }
            Asked::Verb(verb) if verb.is_transfer() => {
                let asked = self.ask_for(key, verb, argument);
                match (asked, self.conns.get(key)) {
                    (Err(why), Some(conn)) => {
                        conn.client.told = Some(texts::refused(why));
                        other
                    }
                    _ => Command::bare(verb),
                }
            }
            Asked::Type(arg) => Command { verb: Verb::Type, arg },
            Asked::Verb(verb) => Command::bare(verb),
            Asked::Pasv { extended } => {
                client.extended = extended;
                Command::bare(Verb::Pasv)
            }
            Asked::Port(place) if is_harmless(place, peer) => {
                client.port = Some(place);
                Command::bare(Verb::Port)
            }
            Asked::Port(_) => {
                client.told = Some(
                    "500 Illegal PORT command: not your own address, or a privileged port.\r\n".to_owned(),
                );
                other
            }
            Asked::Rest(from) => {
                client.rest = from;
                Command::bare(Verb::Rest)
            }
            Asked::Size => {
                let path = absolute(&client.at, argument);
                let facts = self.store.facts(&path);
                let Some(conn) = self.conns.get(key) else { return other };
                match facts {
                    Ok(facts) if !facts.folder => {
                        conn.client.bytes = facts.size;
                        conn.client.sized = Some((path, facts.size));
                    }
                    facts => {
                        conn.client.told = Some(texts::refused(facts.err().unwrap_or(Refused::IsFolder)));
                        return other;
                    }
                }
                Command::bare(Verb::Size)
            }
            Asked::Told(text) => {
                client.told = Some(format!("{text}\r\n"));
                other
            }
            Asked::Unknown => other,
        }
    }

    /// A transfer was asked for: works out what it moves.
    fn ask_for(&mut self, key: Key, verb: Verb, argument: &str) -> Result<(), Refused> {
        let waits = self.server.is_in_transfer(key.conn());
        let Some(conn) = self.conns.get(key) else { return Ok(()) };
        if !waits {
            conn.jobs.clear();
        } else if conn.jobs.len() >= JOBS {
            return Ok(());
        }
        let client = &mut conn.client;
        let named = if verb.is_listing() { without_options(argument) } else { argument };
        let path = absolute(&client.at, named);
        let from = std::mem::take(&mut client.rest);
        let job = match verb {
            Verb::List | Verb::Nlst | Verb::Mlsd => Job::Listing(self.store.listing(&path, verb)?),
            Verb::Retr => {
                let sized = client.sized.take().filter(|(of, _)| *of == path);
                let source = self.store.source(&path)?;
                let source = match sized {
                    Some((_, size)) => source.sized(size),
                    None => source,
                };
                Job::Download { source, from }
            }
            _ => Job::Upload(self.store.sink(&path, Manner::From(from))?),
        };
        if let Some(conn) = self.conns.get(key) {
            conn.client.bytes = job.bytes();
            conn.jobs.push_back(job);
        }
        Ok(())
    }
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
