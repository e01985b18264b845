//! Wire faults: what happens to replies and data connections between the machine and the client, at the n-th time a verb is used.
//!
//! The machine knows nothing of it: to the server everything is well. What the rules are, and how they are written, says
//! [`wire`](crate::chaos::wire).

mod data;

use std::net::{IpAddr, SocketAddr};

use nix::sys::socket::Backlog;
use tokio::net::TcpListener;

pub(super) use self::data::DataIlls;
use super::calendar::Event;
use super::closing;
use super::conns::{Key, Link};
use super::station::Station;
use crate::chaos::wire::{Fault, MOST, Place, Rule, WireProblem};
use crate::id::ConnId;
use crate::observe::CloseHow;
use crate::rng::{Purpose, Stream, Streams};
use crate::server::Input;
use crate::time::{Duration, Instant};

/// Between two TCP segments of a reply that is split.
const BETWEEN: Duration = Duration::from_millis(20);
/// Bytes that come slowly come at most so often.
const TICK: Duration = Duration::from_millis(10);
/// The lines of a reply that never ends: it does end, for the server's own sake.
const LINES: u32 = 1_000_000;

/// What somebody wants of the faults of the wire while a server runs.
#[derive(Clone, PartialEq, Debug)]
pub enum WireOrder {
    /// One more from now on.
    Add(Rule),
    /// None any more.
    Off,
    /// To know which there are.
    Tell,
}

impl WireOrder {
    /// Parses what stands behind the word `wire`: a rule, `off`, or nothing.
    ///
    /// # Errors
    /// What is wrong, and its place.
    pub fn parse(text: &str) -> Result<Self, WireProblem> {
        match text.trim() {
            "" => Ok(Self::Tell),
            "off" => Ok(Self::Off),
            rule => Rule::parse(rule).map(Self::Add),
        }
    }
}

/// The wire faults of a run, and how often each of them was looked at.
#[derive(Debug)]
pub(super) struct Tamper {
    rules: Vec<Kept>,
    /// Rules so far: the number of the next one.
    numbered: u32,
    chances: Stream,
    garbage: Stream,
    drawn: u64,
}

/// A rule and its count.
#[derive(Debug)]
struct Kept {
    rule: Rule,
    number: u32,
    uses: u64,
    hits: u64,
}

/// What is to happen to one connection.
#[derive(Debug, Default)]
pub(super) struct Ills {
    /// To the next reply.
    first: Vec<Fault>,
    /// To the reply that ends its transfer.
    last: Vec<Fault>,
    /// To the listener or the active connection that is asked for.
    way: Vec<Fault>,
    /// To its transfer.
    data: Vec<Fault>,
    /// Is the reply that comes now the one that ends a transfer?
    is_last: bool,
    /// The uses that each rule with a count of its own for each session has seen here, by number.
    uses: Vec<(u32, u64)>,
}

/// A piece of what a connection is sent.
#[derive(Debug)]
pub(super) enum Piece {
    /// These bytes.
    Bytes(Vec<u8>),
    /// These bytes, so many at a time, and so long between two times.
    Drip { bytes: Vec<u8>, step: usize, every: Duration },
    /// This line again and again, so many times.
    Endless { line: Vec<u8>, every: Duration, left: u32 },
    /// Nothing, now or ever again.
    Mute,
    /// The end.
    Cut(CloseHow),
}

impl Tamper {
    pub(super) fn new(rules: &[Rule], streams: Streams) -> Self {
        let mut tamper = Self {
            rules: Vec::new(),
            numbered: 0,
            chances: streams.stream(Purpose::WireFault, 0),
            garbage: streams.stream(Purpose::WireGarbage, 0),
            drawn: 0,
        };
        for rule in rules {
            let _ = tamper.add(rule.clone()); // a scenario has no more than there may be
        }
        tamper
    }

    /// From now on `rule` is played, too; it counts from here.
    ///
    /// # Errors
    /// There are too many.
    pub(super) fn add(&mut self, rule: Rule) -> Result<(), String> {
        if self.rules.len() >= MOST {
            return Err(format!("there are {MOST} wire faults already: say `wire off` first"));
        }
        self.numbered += 1;
        self.rules.push(Kept { rule, number: self.numbered, uses: 0, hits: 0 });
        Ok(())
    }

    /// From now on no rule is played. How many were.
    pub(super) fn clear(&mut self) -> usize {
        std::mem::take(&mut self.rules).len()
    }

    /// Each rule with the uses that it has seen, and how many of them it hit.
    pub(super) fn told(&self) -> Vec<String> {
        let told = |kept: &Kept| format!("{}: {} uses, {} hits", kept.rule.text, kept.uses, kept.hits);
        self.rules.iter().map(told).collect()
    }

    /// What happens now that the client at `from` uses `verb`; `None` is the greeting.
    fn meets(&mut self, verb: Option<&str>, from: IpAddr, ills: &mut Ills) {
        for kept in &mut self.rules {
            let concerned = match verb {
                Some(verb) => kept.rule.is_about(verb),
                None => kept.rule.at == Place::Greeting,
            };
            if !concerned || kept.rule.from.is_some_and(|wanted| wanted != from) {
                continue;
            }
            kept.uses += 1;
            let of_session = ills.count(kept.number);
            let chance = self.chances.unit(u64::from(kept.number), kept.uses);
            if kept.rule.when.is_now(kept.uses, of_session, chance) {
                kept.hits += 1;
                for fault in &kept.rule.faults {
                    let place = match fault {
                        Fault::Refuse | Fault::NoAccept | Fault::WrongAddress { .. } => &mut ills.way,
                        Fault::NoData if kept.rule.opens_data() => &mut ills.way,
                        Fault::Slow(_)
                        | Fault::After(..)
                        | Fault::Corrupt(_)
                        | Fault::Early(_)
                        | Fault::NoData => &mut ills.data,
                        _ => &mut ills.first,
                    };
                    place.push(fault.clone());
                }
                ills.last.extend(kept.rule.last.iter().cloned());
            }
        }
    }

    fn nonsense(&mut self, count: u32) -> Vec<u8> {
        self.drawn += 1;
        let byte = |at: u32| self.garbage.word(self.drawn, u64::from(at)) as u8;
        (0..count).map(byte).chain(*b"\r\n").collect()
    }

    /// `bytes`, which were to be sent at `at`, as these faults leave them.
    fn pieces(&mut self, faults: &[Fault], bytes: Vec<u8>, at: Instant) -> Vec<(Instant, Piece)> {
        let (mut bytes, mut at, mut drip, mut ends) = (bytes, at, None, Vec::new());
        let mut endless = None;
        for fault in faults {
            match fault {
                Fault::Delay(by) => at += *by,
                Fault::Drip(rate) => {
                    let step = (rate * TICK.as_nanos()).div_ceil(1_000_000_000).max(1);
                    drip = Some((step as usize, Duration::from_nanos(step * 1_000_000_000 / rate)));
                }
                Fault::Split(size) => drip = Some((*size as usize, BETWEEN)),
                Fault::Reply { code, text } => bytes = format!("{code} {text}\r\n").into_bytes(),
                Fault::Garbage(count) => bytes = self.nonsense(*count),
                Fault::NoNewline => bytes.truncate(bytes.trim_ascii_end().len()),
                Fault::LineFeed => bytes.retain(|byte| *byte != b'\r'),
                Fault::Twice => bytes.extend_from_within(..),
                Fault::Partial(count) => {
                    bytes.truncate(*count as usize);
                    ends.push(Piece::Mute);
                }
                Fault::NoReply => bytes.clear(),
                Fault::Endless(every) => endless = Some(*every),
                Fault::End { reset, after } => {
                    if !after {
                        bytes.clear();
                    }
                    ends.push(Piece::Cut(if *reset { CloseHow::Rst } else { CloseHow::Fin }));
                }
                _ => {} // nothing that a reply meets
            }
        }
        let body = match (endless, drip) {
            _ if bytes.is_empty() => None,
            (Some(every), _) => Some(Piece::Endless { line: unending(&bytes), every, left: LINES }),
            (None, Some((step, every))) => Some(Piece::Drip { bytes, step, every }),
            (None, None) => Some(Piece::Bytes(bytes)),
        };
        ends.sort_by_key(|end| matches!(end, Piece::Mute)); // an end is said before nothing is
        body.into_iter().chain(ends).map(|piece| (at, piece)).collect()
    }
}

impl Ills {
    /// One more use in this session for the rule of this number.
    fn count(&mut self, number: u32) -> u64 {
        let place = self.uses.iter().position(|(of, _)| *of == number).unwrap_or_else(|| {
            self.uses.push((number, 0));
            self.uses.len() - 1
        });
        self.uses[place].1 += 1;
        self.uses[place].1
    }
}

impl Station {
    /// The client uses a verb (`None`: it is greeted): from here on its rules count this as one more use.
    pub(super) fn meets_ills(&mut self, key: Key, verb: Option<&str>) {
        let Some(conn) = self.conns.get(key) else { return };
        if self.tamper.rules.is_empty() && conn.ills.is_none() {
            return;
        }
        let ills = conn.ills.get_or_insert_default();
        ills.first.clear();
        if verb.is_some_and(is_transfer) {
            ills.last.clear();
            ills.data.clear();
        } else {
            ills.way.clear();
        }
        self.tamper.meets(verb, conn.peer.ip(), ills);
    }

    /// Does what was ordered. What came of it, or why it cannot be.
    pub(super) fn obey_wire(&mut self, order: WireOrder) -> Result<String, String> {
        match order {
            WireOrder::Add(rule) => self.tamper.add(rule).map(|()| "done".to_owned()),
            WireOrder::Off => Ok(format!("{} wire faults are off", self.tamper.clear())),
            WireOrder::Tell => Ok(self.tamper.told().join("; ")),
        }
    }

    /// Is the command's reply to be a refusal, so that the server must not carry it out?
    pub(super) fn must_refuse(&mut self, key: Key) -> bool {
        let Some(ills) = self.conns.get(key).and_then(|conn| conn.ills.as_ref()) else { return false };
        ills.first.iter().any(|fault| matches!(fault, Fault::Reply { code, .. } if *code >= 400))
    }

    /// What is to become of a reply that was to be sent at `at`; `Err`: it stays as it is.
    pub(super) fn spoil(
        &mut self,
        conn: ConnId,
        bytes: Vec<u8>,
        at: Instant,
    ) -> Result<Vec<(Instant, Piece)>, Vec<u8>> {
        let Some(ills) = self.conns.of(conn).and_then(|entry| entry.ills.as_mut()) else { return Err(bytes) };
        let mut faults = std::mem::take(if ills.is_last { &mut ills.last } else { &mut ills.first });
        if faults.is_empty() {
            return Err(bytes);
        }
        let pieces = self.tamper.pieces(&faults, bytes, at);
        faults.retain(|fault| *fault == Fault::NoReply);
        if let Some(ills) = self.conns.of(conn).and_then(|entry| entry.ills.as_mut())
            && !ills.is_last
        {
            ills.first = faults; // none of the replies to this command comes
        }
        Ok(pieces)
    }

    /// Sends `pieces`, each at its time.
    pub(super) fn post(&mut self, key: Key, pieces: Vec<(Instant, Piece)>) {
        let Some(link) = self.conns.get(key).and_then(|conn| conn.link.as_mut()) else { return };
        for (at, piece) in pieces {
            let at = link.outbox.back().map_or(at, |(last, _)| at.max(*last));
            link.outbox.push_back((at, piece));
            self.calendar.enter(at, Event::Reply(key));
        }
    }

    /// Ends a connection in a way that the machine has not asked for: to it, the client is gone.
    pub(super) fn cut(&mut self, key: Key, how: CloseHow) {
        let Some(conn) = self.conns.get(key) else { return };
        let Some(mut link) = conn.link.take() else { return };
        if let Some(waker) = conn.waker.take() {
            waker.wake();
        }
        link.unread = true;
        if let (Err(link), Some(shared)) = (closing::at_once(link, how), self.shared()) {
            tokio::task::spawn_local(closing::when_all_is_said(shared, link, how));
        }
        self.ledger.left(self.clock.now(), key.conn().slot());
        self.tell(Input::Closed { conn: key.conn() });
    }

    /// What happens to the data connection that is asked for.
    pub(super) fn ills_of_way(&mut self, conn: ConnId) -> Vec<Fault> {
        self.conns
            .of(conn)
            .and_then(|entry| entry.ills.as_mut())
            .map_or_else(Vec::new, |ills| std::mem::take(&mut ills.way))
    }

    /// What happens to the transfer that begins, or is to begin.
    pub(super) fn ills_of_data(&mut self, key: Key) -> DataIlls {
        let mut found = DataIlls::default();
        let Some(ills) = self.conns.get(key).and_then(|conn| conn.ills.as_ref()) else { return found };
        for fault in &ills.data {
            match *fault {
                Fault::Slow(rate) => found.slow = Some(rate),
                Fault::After(bytes, what) => found.after = Some((bytes, what)),
                Fault::Corrupt(at) => found.corrupt = Some(at),
                Fault::Early(by) => found.early = Some(by),
                Fault::NoData => found.none = true,
                _ => {} // nothing that a transfer meets
            }
        }
        found
    }

    /// The reply that comes now ends a transfer, or does so no more.
    pub(super) fn says_last(&mut self, key: Key, is_last: bool) {
        if let Some(ills) = self.conns.get(key).and_then(|conn| conn.ills.as_mut()) {
            ills.is_last = is_last;
        }
    }

    /// Says the reply that ends the transfer of `key` although it has not ended. What the machine says then is not sent.
    pub(super) fn say_early(&mut self, key: Key) {
        let Some(conn) = self.conns.get(key) else { return };
        let replies = self.server.policy().replies;
        let reply = match conn.client.verb.as_str() {
            "LIST" => replies.listed,
            "NLST" => replies.nlst_done,
            "MLSD" => replies.mlsd_done,
            _ => replies.transferred,
        };
        if let Some(ills) = &mut conn.ills {
            ills.last = vec![Fault::NoReply];
        }
        let now = self.clock.now();
        if let Some(bytes) = self.say(key.conn(), reply) {
            self.post(key, vec![(now, Piece::Bytes(bytes))]);
        }
    }
}

impl Link {
    /// Sends a piece. What is left of it is to be sent so much later.
    pub(super) fn send(&mut self, piece: Piece) -> Option<(Duration, Piece)> {
        if self.mute {
            return None;
        }
        match piece {
            Piece::Bytes(bytes) => self.put(&bytes),
            Piece::Drip { mut bytes, step, every } => {
                let rest = bytes.split_off(step.min(bytes.len()));
                self.put(&bytes);
                return (!rest.is_empty()).then_some((every, Piece::Drip { bytes: rest, step, every }));
            }
            Piece::Endless { line, every, left } => {
                // Whoever does not read it is not sent more of it.
                if !self.wire.unsent() {
                    self.put(&line);
                }
                return Some((
                    every,
                    if left > 1 { Piece::Endless { line, every, left: left - 1 } } else { Piece::Mute },
                ));
            }
            Piece::Mute => self.mute = true,
            Piece::Cut(how) => self.cut = Some(how),
        }
        None
    }

    fn put(&mut self, bytes: &[u8]) {
        if self.wire.write(bytes).is_err() {
            self.outbox.clear(); // its reader finds out, too
        }
    }
}

/// A listener that nobody will be let in at.
pub(super) struct Unserved {
    listener: Option<TcpListener>,
    /// What fills its queue.
    filler: Option<std::net::TcpStream>,
}

impl Unserved {
    /// Holds what it holds until it is aborted.
    pub(super) async fn for_ever(self) {
        std::future::pending::<()>().await;
        drop((self.listener, self.filler));
    }
}

/// A listener for a data connection at `at` as these faults leave it.
pub(super) fn spoiled(
    faults: &[Fault],
    listener: TcpListener,
    at: SocketAddr,
) -> Result<TcpListener, Unserved> {
    let has = |fault: &Fault| faults.contains(fault);
    if has(&Fault::Refuse) {
        return Err(Unserved { listener: None, filler: None });
    }
    if has(&Fault::NoAccept) {
        // One waits in the queue of a listener that keeps none, and the kernel drops the SYNs of whoever comes then.
        let filler = nix::sys::socket::listen(&listener, Backlog::new(0).unwrap_or(Backlog::MAXCONN))
            .ok()
            .and_then(|()| std::net::TcpStream::connect(at).ok());
        return Err(Unserved { listener: Some(listener), filler });
    }
    if has(&Fault::NoData) {
        return Err(Unserved { listener: Some(listener), filler: None });
    }
    Ok(listener)
}

/// The address that PASV and EPSV are to tell.
pub(super) fn wrong_place(faults: &[Fault], at: SocketAddr) -> SocketAddr {
    let wrong = |at: SocketAddr, fault: &Fault| match *fault {
        Fault::WrongAddress { ip, port } => {
            let ip = ip.filter(|ip| ip.is_ipv4() == at.is_ipv4()).unwrap_or(at.ip());
            SocketAddr::new(ip, port.unwrap_or(at.port()))
        }
        _ => at,
    };
    faults.iter().fold(at, wrong)
}

/// The first line of a reply as one of many.
fn unending(reply: &[u8]) -> Vec<u8> {
    let mut line: Vec<u8> = reply.iter().copied().take_while(|byte| *byte != b'\n').collect();
    line.push(b'\n');
    if let Some(mark) = line.get_mut(3).filter(|mark| **mark == b' ') {
        *mark = b'-';
    }
    line
}

pub(super) fn is_transfer(verb: &str) -> bool {
    matches!(verb, "LIST" | "NLST" | "MLSD" | "RETR" | "STOR" | "APPE" | "STOU")
}
