//! What a served model measures: what its machine observes, and what its driver sees of each connection, added up as in every other
//! world.
//!
//! It sees the server's side only. A connection that was never accepted is in no number, and whether a client has come before nobody
//! knows: each connection is a wanted session with one attempt, of the one population of all clients.

use std::sync::Arc;

use crate::id::PopulationId;
use crate::live::scrape::Meter;
use crate::metrics::{Recorder, Shape};
use crate::observe::{Cause, Class, Latency, Observation, Phase, Refusal, SessionEnd};
use crate::time::{Duration, Instant};

/// All clients.
const CLIENTS: PopulationId = PopulationId(0);

/// Adds up what happens.
#[derive(Debug)]
pub(super) struct Ledger {
    recorder: Recorder,
    /// What counts along.
    meter: Option<Arc<Meter>>,
    /// By connection slot.
    books: Vec<Option<Book>>,
    /// A refusal that the machine has just observed, and nobody knows yet of whom: the next reply or end of a connection says it.
    refused: Option<Refusal>,
}

/// What was served.
#[derive(Clone, Debug)]
pub struct Served {
    /// The numbers, the books closed. Its one population is that of all clients.
    pub recorder: Recorder,
    /// When it ended.
    pub end: Instant,
}

/// What a command is, for how long it takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    /// USER: a login begins.
    User,
    /// PASS: it goes on.
    Pass,
    /// It moves data.
    Transfer,
    /// Any other.
    Other,
}

/// One connection.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
struct Book {
    came: Instant,
    admitted: bool,
    greeted: bool,
    login_began: Instant,
    /// Was a password wrong?
    mistaken: bool,
    /// The last refusal that it has met.
    refused: Option<Refusal>,
    /// Commands without their reply.
    unanswered: u32,
    /// The command that is being obeyed, if it is the only one, and when it came.
    asked: Option<(Instant, Kind)>,
    /// Is a transfer asked for that has not come to its end?
    transfers: bool,
    /// Bytes of it so far.
    moved: u64,
}

impl Ledger {
    /// Of a run until `end`; never, if nobody knows. The `meter` counts along.
    pub(super) fn new(end: Instant, meter: Option<Arc<Meter>>) -> Self {
        let shape = Shape { populations: 1, horizon: end, warmup: Duration::ZERO };
        Self { recorder: Recorder::new(shape), meter, books: Vec::new(), refused: None }
    }

    /// The machine observes something.
    pub(super) fn observe(&mut self, now: Instant, observation: &Observation) {
        if let Observation::Refused { refusal, .. } = observation {
            self.refused = Some(*refusal);
        }
        self.record(now, observation);
    }

    /// All that the machine wanted at once is done. What was refused without a word was the doing of `slot`, if that is known.
    pub(super) fn settle(&mut self, slot: Option<usize>) {
        let refused = self.refused.take();
        if let Some(book) = slot.and_then(|slot| self.book(slot)) {
            book.refused = refused.or(book.refused);
        }
    }

    /// A connection is accepted.
    pub(super) fn came(&mut self, now: Instant, slot: usize) {
        self.left(now, slot); // if its driver has forgotten to say so
        if self.books.len() <= slot {
            self.books.resize(slot + 1, None);
        }
        self.books[slot] = Some(Book {
            came: now,
            admitted: false,
            greeted: false,
            login_began: Instant::NEVER,
            mistaken: false,
            refused: None,
            unanswered: 0,
            asked: None,
            transfers: false,
            moved: 0,
        });
        self.record(now, &Observation::Wanted(CLIENTS));
        let started = Observation::AttemptStarted { population: CLIENTS, first: true, reconnect: false };
        self.record(now, &started);
    }

    /// Its client says something.
    pub(super) fn asked(&mut self, now: Instant, slot: usize, kind: Kind) {
        let Some(book) = self.book(slot) else { return };
        if kind == Kind::User && !book.admitted {
            book.login_began = now;
        }
        if kind == Kind::Transfer {
            (book.transfers, book.moved) = (true, 0);
        }
        // Of two at once nobody knows which the next reply is about.
        book.asked = (book.unanswered == 0).then_some((now, kind));
        book.unanswered += 1;
    }

    /// It is answered, and that goes out at `at`; `logged_in` if it is a session by now.
    pub(super) fn answered(
        &mut self,
        (now, at): (Instant, Instant),
        slot: usize,
        code: u16,
        logged_in: bool,
    ) {
        let refused = self.refused.take();
        let Some(book) = self.book(slot) else { return };
        book.refused = refused.or(book.refused);
        if code < 200 {
            return; // there is more to come
        }
        let before = *book;
        book.unanswered = book.unanswered.saturating_sub(1);
        (book.asked, book.greeted) = (None, true);
        book.admitted |= logged_in;
        if !before.greeted {
            if code == 220 {
                self.took(now, Latency::Greeting, at.since(before.came));
            }
            return;
        }
        if logged_in && !before.admitted {
            return self.enter(now, at, before);
        }
        let kind = before.asked.map(|(_, kind)| kind);
        book.mistaken |= matches!(kind, Some(Kind::User | Kind::Pass)) && code == 530 && refused.is_none();
        if before.transfers && (code >= 400 || matches!(kind, Some(Kind::Transfer) | None)) {
            book.transfers = false;
            self.transfer_ended((now, at), &before, code, refused.map(|refusal| refusal.cause));
        }
        if let Some((asked, Kind::Other)) = before.asked {
            self.took(now, Latency::Command, at.since(asked));
        }
    }

    /// A client is logged in by a reply that goes out at `at`.
    fn enter(&mut self, now: Instant, at: Instant, book: Book) {
        self.end_attempt(now, book.came, Class::Admitted, None);
        self.record(now, &Observation::Served { population: CLIENTS, wanted_at: book.came });
        if !book.login_began.is_never() {
            self.took(now, Latency::Login, at.since(book.login_began));
        }
    }

    fn transfer_ended(
        &mut self,
        (now, at): (Instant, Instant),
        book: &Book,
        code: u16,
        cause: Option<Cause>,
    ) {
        if code >= 400 {
            self.record(now, &Observation::TransferFailed { cause, code });
            return;
        }
        self.record(now, &Observation::Moved { bytes: book.moved });
        if let Some((asked, _)) = book.asked {
            self.took(now, Latency::Transfer, at.since(asked));
        }
    }

    /// So many bytes of data went over.
    pub(super) fn moved(&mut self, slot: usize, bytes: u64) {
        if let Some(book) = self.book(slot) {
            book.moved += bytes;
        }
    }

    /// The server closes it, for this reason.
    pub(super) fn closed(&mut self, now: Instant, slot: usize, cause: Option<Cause>) {
        let refused = self.refused.take();
        let Some(cause) = cause else { return self.left(now, slot) };
        let Some(book) = self.books.get_mut(slot).and_then(Option::take) else { return };
        let known = refused.or(book.refused).filter(|refusal| refusal.cause == cause);
        let phase = if book.admitted { Phase::Session } else { Phase::PreLogin };
        let refusal = Some(known.unwrap_or(Refusal { cause, phase, code: 0 }));
        if book.admitted {
            self.end_session(now, SessionEnd::Cut, refusal);
        } else if cause == Cause::LoginAttempts {
            self.leave_unserved(now, book.came, Class::LoginFailed, refusal);
        } else {
            self.leave_unserved(now, book.came, Class::TurnedAway, refusal);
        }
    }

    /// Its client has closed it, by QUIT or without, or is gone. Who had been told no before he logged in has left for that.
    pub(super) fn left(&mut self, now: Instant, slot: usize) {
        let Some(book) = self.books.get_mut(slot).and_then(Option::take) else { return };
        match (book.admitted, book.refused, book.mistaken) {
            (true, ..) => self.end_session(now, SessionEnd::Completed, None),
            (false, refused @ Some(_), _) => self.leave_unserved(now, book.came, Class::TurnedAway, refused),
            (false, None, true) => self.leave_unserved(now, book.came, Class::LoginFailed, None),
            (false, None, false) => self.leave_unserved(now, book.came, Class::Abandoned, None),
        }
    }

    fn end_session(&mut self, now: Instant, end: SessionEnd, refusal: Option<Refusal>) {
        self.record(now, &Observation::SessionEnded { population: CLIENTS, end, refusal });
    }

    /// Closes the books at `end`. `connections` and `sessions` are the times at which those that are still open began.
    pub(super) fn close(
        &mut self,
        end: Instant,
        connections: impl Iterator<Item = Instant>,
        sessions: impl Iterator<Item = Instant>,
    ) -> Served {
        let mut recorder = self.recorder.clone();
        let waiting = self.books.iter().flatten().filter(|book| !book.admitted);
        recorder.finish(end, connections, sessions, waiting.map(|book| (CLIENTS, book.came)));
        Served { recorder, end }
    }

    fn book(&mut self, slot: usize) -> Option<&mut Book> {
        self.books.get_mut(slot)?.as_mut()
    }

    fn record(&mut self, now: Instant, observation: &Observation) {
        if let Some(meter) = &self.meter {
            meter.observe(observation);
        }
        self.recorder.record(now, observation);
    }

    fn took(&mut self, now: Instant, what: Latency, length: Duration) {
        self.record(now, &Observation::Took(what, length));
    }

    fn end_attempt(&mut self, now: Instant, started: Instant, class: Class, refusal: Option<Refusal>) {
        let ended = Observation::AttemptEnded {
            population: CLIENTS,
            first: true,
            reconnect: false,
            started,
            class,
            refusal,
        };
        self.record(now, &ended);
    }

    fn leave_unserved(&mut self, now: Instant, came: Instant, class: Class, refusal: Option<Refusal>) {
        self.end_attempt(now, came, class, refusal);
        self.record(now, &Observation::Unserved { population: CLIENTS, wanted_at: came });
    }
}
