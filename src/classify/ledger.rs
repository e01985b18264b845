//! The texts of refusals as they were heard, each kind once, with how often.
//!
//! It judges nothing. Whatever a server says, it keeps at most [`KINDS_MAX`] kinds of at most 512 bytes.

use std::collections::BTreeMap;

use super::{Basis, Verdict, head};
use crate::ftp;
use crate::observe::{Cause, Phase, Refusal};

/// No more kinds than this are kept; what comes later is counted with the others.
pub const KINDS_MAX: usize = 1_000;

/// What makes two refusals one kind: code, phase, the text with its digits and addresses masked, and what it was taken for.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Kind {
    code: u16,
    phase: Phase,
    masked: String,
    cause: Cause,
}

/// One kind of refusal as it looked on the wire.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub struct RefusalText {
    /// The reply's code, 0 for none.
    pub code: u16,
    /// Where the dialogue stood.
    pub phase: Phase,
    /// The text of the first one, as it was heard; control characters are escaped as in Rust, and no more than 512 bytes are kept.
    pub text: String,
    /// What they were taken for.
    pub cause: Cause,
    /// Why the first one was, and how surely; `None`: the client itself knew (a timeout, a refused connect).
    pub verdict: Option<Verdict>,
    /// Is the text one that a known server says?
    pub known: bool,
    /// How often this kind was heard.
    pub count: u64,
}

/// All texts of a run.
#[derive(Clone, PartialEq, Eq, Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct RefusalTexts {
    /// The kinds by how often they were heard, the most frequent first; then by code, phase and text.
    pub kinds: Vec<RefusalText>,
    /// Refusals of kinds for which there was no room.
    pub others: u64,
}

/// Collects them.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    kinds: BTreeMap<Kind, RefusalText>,
    others: u64,
}

impl Ledger {
    /// Notes a refusal as it was heard.
    pub fn note(&mut self, refusal: Refusal, verdict: Option<Verdict>, text: &str) {
        let text = head(text);
        let kind =
            Kind { code: refusal.code, phase: refusal.phase, masked: masked(text), cause: refusal.cause };
        let full = self.kinds.len() >= KINDS_MAX;
        match self.kinds.entry(kind) {
            std::collections::btree_map::Entry::Occupied(entry) => {
                entry.into_mut().count += 1;
            }
            std::collections::btree_map::Entry::Vacant(_) if full => self.others += 1,
            std::collections::btree_map::Entry::Vacant(entry) => {
                entry.insert(RefusalText {
                    code: refusal.code,
                    phase: refusal.phase,
                    text: escaped(text),
                    cause: refusal.cause,
                    verdict,
                    known: verdict.is_some_and(|verdict| verdict.basis == Basis::Text),
                    count: 1,
                });
            }
        }
    }

    /// All that was heard.
    pub fn finish(self) -> RefusalTexts {
        let mut kinds: Vec<RefusalText> = self.kinds.into_values().collect();
        kinds.sort_by_key(|kind| std::cmp::Reverse(kind.count)); // stable: the order of the kinds decides a tie
        RefusalTexts { kinds, others: self.others }
    }
}

/// `text` with every run of digits, and every IPv6 address, as one `#`.
fn masked(text: &str) -> String {
    let mut masked = String::with_capacity(text.len());
    for (place, word) in text.split(' ').enumerate() {
        if place > 0 {
            masked.push(' ');
        }
        let bare = word.trim_matches(|c: char| !c.is_ascii_hexdigit() && c != ':');
        if bare.contains("::") || bare.matches(':').count() >= 2 {
            masked.push_str(&word.replacen(bare, "#", 1));
            continue;
        }
        for c in word.chars() {
            match c {
                '0'..='9' if masked.ends_with('#') => {}
                '0'..='9' => masked.push('#'),
                c => masked.push(c),
            }
        }
    }
    masked.replace("#.#.#.#", "#")
}

/// `text` with control characters escaped, cut at 512 bytes.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        let before = safe.len();
        ftp::show(c, &mut safe);
        if safe.len() > super::TEXT_MAX {
            safe.truncate(before);
            break;
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(cause: Cause, code: u16) -> Refusal {
        Refusal { cause, phase: Phase::Greeting, code }
    }

    #[test]
    fn texts_that_differ_in_numbers_and_addresses_are_one_kind_for_each_cause() {
        let mut ledger = Ledger::default();
        for text in ["8 users from 192.0.2.1", "50 users from 198.51.100.23"] {
            ledger.note(refusal(Cause::MaxClients, 421), None, text);
        }
        ledger.note(refusal(Cause::Banned, 421), None, "9 users from 192.0.2.3");
        for text in ["Host 2001:db8::1 has been banned", "Host ::1 has been banned"] {
            ledger.note(refusal(Cause::Banned, 530), None, text);
        }
        let texts = ledger.finish();
        let told: Vec<_> = texts.kinds.iter().map(|k| (k.text.as_str(), k.count, k.cause)).collect();
        let wanted = [
            ("8 users from 192.0.2.1", 2, Cause::MaxClients),
            ("Host 2001:db8::1 has been banned", 2, Cause::Banned),
            ("9 users from 192.0.2.3", 1, Cause::Banned),
        ];
        assert_eq!(told, wanted);
    }

    #[test]
    fn a_server_with_ever_new_texts_fills_a_bounded_table() {
        let mut ledger = Ledger::default();
        for number in 0..5_000u32 {
            let name: String =
                number.to_string().chars().map(|c| char::from(b'a' + c as u8 - b'0')).collect();
            ledger.note(refusal(Cause::Overload, 421), None, &name);
        }
        let texts = ledger.finish();
        assert_eq!((texts.kinds.len(), texts.others), (KINDS_MAX, 4_000));
    }

    #[test]
    fn what_could_move_a_terminal_is_escaped_and_what_is_long_is_cut() {
        let mut ledger = Ledger::default();
        let text = format!("\u{1b}[2J\r\nhé{}", "\u{7}".repeat(2_000));
        ledger.note(refusal(Cause::Overload, 421), None, &text);
        let kept = &ledger.finish().kinds[0].text;
        assert!(kept.starts_with("\\u{1b}[2J\\r\\nhé\\u{7}") && kept.len() <= 512, "{kept}");
    }
}
