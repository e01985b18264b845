//! Refusals: the evidence that a shard has of one, for the classifier.
//!
//! It knows this shard's clients only, and judges nothing itself.

use super::line::Line;
use super::shard::{Moment, Shard};
use crate::classify::{Basis, Data, Evidence, Verdict, Whose};
use crate::ftp::Verb;
use crate::observe::{Cause, CloseHow, Observation, Refusal};
use crate::time::{Duration, Instant};

use super::Heard;

/// Of a longer text only the beginning is told.
const TEXT: usize = 512;

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

impl Came<'_> {
    /// A reply that refuses nothing by itself. A 221 that nobody has asked for does.
    const fn is_positive(&self) -> bool {
        matches!(self.code, 1..400) && !(self.code == 221 && self.answers.is_none())
    }
}

impl Shard {
    /// Who `client` is to the server.
    pub(super) fn whose(&self, client: u32) -> Whose {
        Whose { address: self.slots[client as usize].place, user: self.user(client).0 }
    }

    /// What `came` over the connection of `client` is to be taken for, if it is a refusal. Whoever listens is told.
    pub(super) fn judge(&mut self, now: Moment, client: u32, line: &Line, came: Came<'_>) -> Option<Verdict> {
        let phase = self.slots[client as usize].client.phase(came.code != 0);
        let since = |at: Instant| if at.is_never() { Duration::ZERO } else { now.at.since(at) };
        let mut evidence = Evidence {
            code: came.code,
            text: came.text,
            phase,
            answers: came.answers,
            close: came.close,
            connected: since(line.opened),
            logged_in: line.session.map_or(Duration::ZERO, since),
            quiet: since(line.talk.sent_at),
            idle: since(line.talk.busy_at),
            no_transfer: since(line.moved_at),
            data: line.stands(now.at),
            mistyped: line.talk.mistyped,
            tries: line.talk.tries,
            ..Evidence::default()
        };
        let counted = (!line.opened.is_never(), line.session.is_some());
        self.around.complete(now.at, self.whose(client), counted, &mut evidence);
        evidence.cut_beside = evidence.cut_beside.saturating_sub(u32::from(line.cut)); // itself
        let verdict = self.classifier.judge(&evidence)?;
        let says = matches!(verdict.basis, Basis::Text | Basis::Words);
        if !says && (came.is_positive() || came.code == 0 && line.is_nonsense()) {
            return None; // only words could make a refusal of that
        }
        let refusal = Refusal { cause: verdict.cause, phase, code: came.code };
        self.refusal(now.at, refusal, Some(verdict), came.text);
        Some(verdict)
    }

    /// Tells whoever listens how the server said no to a login or to TLS, where that is no refusal: it may be the clients' fault.
    pub(super) fn says_no(&mut self, now: Moment, client: u32, code: u16, text: &str, answers: Option<Verb>) {
        let cause = match answers {
            Some(Verb::User | Verb::Pass) => Cause::LoginAttempts,
            Some(Verb::Auth | Verb::Pbsz | Verb::Prot) => Cause::CriticalError,
            _ => return,
        };
        let refusal = Refusal { cause, phase: self.slots[client as usize].client.phase(true), code };
        self.outbox.put(Heard::No { at: now.at, refusal, text: head(text).to_owned() });
    }

    /// Tells whoever listens of a refusal.
    pub(super) fn refusal(&mut self, at: Instant, refusal: Refusal, verdict: Option<Verdict>, text: &str) {
        self.mark(at, Observation::Refused { refusal, check: None }, Duration::ZERO);
        self.outbox.put(Heard::Refusal { at, refusal, verdict, text: head(text).to_owned() });
    }
}

/// The beginning of a text.
fn head(text: &str) -> &str {
    let mut end = text.len().min(TEXT);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

impl Line {
    /// How its data connection stands.
    fn stands(&self, now: Instant) -> Data {
        match &self.data {
            None => Data::None,
            Some(data) => match data.flow.opened.get() {
                None => Data::Awaited { since: now.since(data.asked_at) },
                Some(opened) => Data::Open { still: now.since(data.flow.moved_at.get().max(opened)) },
            },
        }
    }
}
