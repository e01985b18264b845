//! What a served model measures: what its machine observes, and what its driver sees of each connection, added up as in every other
//! world.
//!
//! It sees the server's side only. A connection that was never accepted is in no number, and whether a client has come before nobody
//! knows: each connection is a wanted session with one attempt, of the one population of all clients.

use std::sync::Arc;

use crate::id::PopulationId;
use crate::live::scrape::Meter;
use crate::metrics::{Recorder, Shape};
use crate::observe::{Cause, Class, Latency, Observation, Refusal, SessionEnd};
use crate::server::ReplyEntry;
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
    /// The last refusal that the machine has observed: that of the connection which it closes next.
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
struct Book {
    came: Instant,
    admitted: bool,
    greeted: bool,
    login_began: Instant,
    /// Bytes of the transfer under way.
    moved: u64,
    /// The command that is being obeyed, if it is the only one, and when it came.
    asked: Option<(Instant, Kind)>,
}

impl Ledger {
    pub(super) fn new(meter: Option<Arc<Meter>>) -> Self {
        let shape = Shape { populations: 1, horizon: Instant::NEVER, warmup: Duration::ZERO };
        Self { recorder: Recorder::new(shape), meter, books: Vec::new(), refused: None }
    }

    /// The machine observes something.
    pub(super) fn observe(&mut self, now: Instant, observation: &Observation) {
        if let Observation::Refused { refusal, .. } = observation {
            self.refused = Some(*refusal);
        }
        self.record(now, observation);
    }

    /// A connection is accepted.
    pub(super) fn came(&mut self, now: Instant, slot: usize) {
        if self.books.len() <= slot {
            self.books.resize(slot + 1, None);
        }
        let book = Book {
            came: now,
            admitted: false,
            greeted: false,
            login_began: Instant::NEVER,
            moved: 0,
            asked: None,
        };
        self.books[slot] = Some(book);
        self.record(now, &Observation::Wanted(CLIENTS));
        self.record(now, &Observation::AttemptStarted { population: CLIENTS, first: true, reconnect: false });
    }

    /// Its client says something.
    pub(super) fn asked(&mut self, now: Instant, slot: usize, kind: Kind) {
        let Some(book) = self.book(slot) else { return };
        if kind == Kind::User && !book.admitted {
            book.login_began = now;
        }
        // Of two at once nobody knows which the next reply is about.
        book.asked = if book.asked.is_none() { Some((now, kind)) } else { None };
    }

    /// It is answered, and that goes out at `at`; `logged_in` if it is a session by now.
    pub(super) fn answered(
        &mut self,
        (now, at): (Instant, Instant),
        slot: usize,
        reply: &ReplyEntry,
        logged_in: bool,
    ) {
        let Some(book) = self.book(slot) else { return };
        if reply.code < 200 {
            return; // there is more to come
        }
        let before = *book;
        book.asked = None;
        book.moved = 0;
        book.greeted = true;
        let entered =
            logged_in && !book.admitted && matches!(before.asked, Some((_, Kind::User | Kind::Pass)) | None);
        book.admitted |= entered;
        if !before.greeted {
            if reply.code == 220 {
                self.took(now, Latency::Greeting, at.since(before.came));
            }
            return;
        }
        if entered {
            let (population, started) = (CLIENTS, before.came);
            self.end_attempt(now, started, Class::Admitted, None);
            self.record(now, &Observation::Served { population, wanted_at: started });
            if !before.login_began.is_never() {
                self.took(now, Latency::Login, at.since(before.login_began));
            }
        }
        match before.asked {
            Some((asked, Kind::Transfer)) if reply.code < 400 => {
                self.took(now, Latency::Transfer, at.since(asked));
                self.record(now, &Observation::Moved { bytes: before.moved });
            }
            Some((_, Kind::Transfer)) => {
                let failed = Observation::TransferFailed { cause: reply.cause, code: reply.code };
                self.record(now, &failed);
            }
            Some((asked, Kind::Other)) => self.took(now, Latency::Command, at.since(asked)),
            _ => {}
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
        let refusal = self.refused.take().filter(|refusal| Some(refusal.cause) == cause);
        let Some(book) = self.books.get_mut(slot).and_then(Option::take) else { return };
        if book.admitted {
            let end = if refusal.is_some() { SessionEnd::Cut } else { SessionEnd::Completed };
            self.record(now, &Observation::SessionEnded { population: CLIENTS, end, refusal });
            return;
        }
        let class = match refusal.map(|refusal| refusal.cause) {
            Some(Cause::LoginAttempts) => Class::LoginFailed,
            Some(_) => Class::TurnedAway,
            None => Class::Abandoned,
        };
        self.leave_unserved(now, book.came, class, refusal);
    }

    /// Its client has closed it, or is gone.
    pub(super) fn left(&mut self, now: Instant, slot: usize) {
        let Some(book) = self.books.get_mut(slot).and_then(Option::take) else { return };
        if book.admitted {
            let ended =
                Observation::SessionEnded { population: CLIENTS, end: SessionEnd::Completed, refusal: None };
            self.record(now, &ended);
        } else {
            self.leave_unserved(now, book.came, Class::Abandoned, None);
        }
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
