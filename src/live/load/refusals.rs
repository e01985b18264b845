//! Refusals: the evidence that a shard has of one, for the classifier.
//!
//! It counts what looks alike to the server: connections and attempts by source address, sessions by account. It is bounded, and
//! knows this shard's clients only. It judges nothing itself.

use std::collections::{BTreeMap, VecDeque};

use super::line::Line;
use super::shard::Shard;
use crate::classify::{Evidence, Verdict};
use crate::ftp::Verb;
use crate::observe::{CloseHow, Observation, Refusal};
use crate::time::{Duration, Instant};

use super::Heard;

/// Of a longer text only the beginning is told.
const TEXT: usize = 512;

/// What a shard knows of its own pressure on the server.
#[derive(Default)]
pub(super) struct Pressure {
    /// Connections that are open.
    pub open: u32,
    /// By place among the sources.
    here: BTreeMap<u32, Here>,
    /// Sessions by account.
    users: BTreeMap<u16, u32>,
    /// When sessions were cut.
    cuts: Recent,
}

/// What is known of one source address.
#[derive(Default)]
struct Here {
    open: u32,
    attempts: Recent,
    mistyped: u32,
}

/// The times of the last events of a kind, few of them.
#[derive(Default)]
struct Recent(VecDeque<Instant>);

impl Recent {
    const MOST: usize = 256;

    fn note(&mut self, now: Instant) {
        if self.0.len() == Self::MOST {
            self.0.pop_front();
        }
        self.0.push_back(now);
    }

    /// How many there were within the second before `now`.
    fn within_a_second(&self, now: Instant) -> u32 {
        let since = Instant::from_nanos(now.as_nanos().saturating_sub(1_000_000_000));
        self.0.iter().rev().take_while(|at| **at >= since).count() as u32
    }
}

impl Pressure {
    pub(super) fn attempt(&mut self, now: Instant, place: u32) {
        self.here.entry(place).or_default().attempts.note(now);
    }

    pub(super) fn opened(&mut self, place: u32) {
        self.open += 1;
        self.here.entry(place).or_default().open += 1;
    }

    pub(super) fn closed(&mut self, place: u32) {
        self.open = self.open.saturating_sub(1);
        let here = self.here.entry(place).or_default();
        here.open = here.open.saturating_sub(1);
    }

    pub(super) fn mistyped(&mut self, place: u32) {
        self.here.entry(place).or_default().mistyped += 1;
    }

    pub(super) fn logged_in(&mut self, user: u16) {
        *self.users.entry(user).or_default() += 1;
    }

    pub(super) fn logged_out(&mut self, user: u16) {
        let sessions = self.users.entry(user).or_default();
        *sessions = sessions.saturating_sub(1);
    }

    pub(super) fn cut(&mut self, now: Instant) {
        self.cuts.note(now);
    }
}

/// What came from the server.
#[derive(Clone, Copy, Debug)]
pub(super) struct Came<'a> {
    /// 0: the end, without a word.
    pub code: u16,
    pub text: &'a str,
    /// The command that it answers.
    pub answers: Option<Verb>,
    pub close: Option<CloseHow>,
}

impl Shard {
    /// What `came` over the connection of `client` is to be taken for, if it is a refusal. Whoever listens is told.
    pub(super) fn judge(
        &mut self,
        now: Instant,
        client: u32,
        line: &Line,
        came: Came<'_>,
    ) -> Option<Verdict> {
        let slot = &self.slots[client as usize];
        let here = self.pressure.here.get(&slot.place);
        let phase = slot.client.phase(came.code != 0);
        let since = |at: Instant| if at.is_never() { Duration::ZERO } else { now.since(at) };
        let evidence = Evidence {
            code: came.code,
            text: came.text,
            phase,
            answers: came.answers,
            close: came.close,
            connected: since(line.opened),
            quiet: since(line.talk.sent_at),
            idle: since(line.talk.busy_at),
            mistyped: line.talk.mistyped,
            tries: line.talk.tries,
            open: self.pressure.open,
            open_here: here.map_or(0, |here| here.open),
            open_user: self.pressure.users.get(&self.user(client).0).copied().unwrap_or(0),
            recent_here: here.map_or(0, |here| here.attempts.within_a_second(now)),
            mistyped_here: here.map_or(0, |here| here.mistyped),
            cut_beside: self.pressure.cuts.within_a_second(now),
            ..Evidence::default()
        };
        let verdict = self.classifier.judge(&evidence)?;
        let refusal = Refusal { cause: verdict.cause, phase, code: came.code };
        self.refusal(now, refusal, Some(verdict), came.text);
        Some(verdict)
    }

    /// Tells whoever listens of a refusal.
    pub(super) fn refusal(&mut self, at: Instant, refusal: Refusal, verdict: Option<Verdict>, text: &str) {
        let mut end = text.len().min(TEXT);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        self.mark(at, Observation::Refused { refusal, check: None }, Duration::ZERO);
        self.outbox.put(Heard::Refusal { at, refusal, verdict, text: text[..end].to_owned() });
    }
}
