//! What known servers say when they refuse something: the templates of their profiles, and whether a text fits one.
//!
//! It weighs nothing: a text that a server has for several causes is all of them here.

use crate::observe::Cause;
use crate::server::policy::BanOverride;
use crate::server::{Overrides, Policy, Profile};
use crate::time::Duration;

/// A set of causes, and perhaps "none at all": what a text may mean.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Causes(u32);

const _: () = assert!(Cause::COUNT < 31);

impl Causes {
    const HARMLESS: u32 = 1 << 31;

    pub(super) const fn add(&mut self, cause: Option<Cause>) {
        self.0 |= match cause {
            Some(cause) => 1 << cause.index(),
            None => Self::HARMLESS,
        };
    }

    pub(super) const fn has(self, cause: Cause) -> bool {
        self.0 & (1 << cause.index()) != 0
    }

    /// May it be that nothing is refused?
    pub(super) const fn may_be_harmless(self) -> bool {
        self.0 & Self::HARMLESS != 0
    }

    /// The same causes, with a refusal taken for granted.
    pub(super) const fn refusing(self) -> Self {
        Self(self.0 & !Self::HARMLESS)
    }

    pub(super) const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(super) const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// How many causes.
    pub(super) const fn len(self) -> u32 {
        self.refusing().0.count_ones()
    }
}

/// A piece of a template.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Part {
    /// This, in lower case.
    Literal(String),
    /// Digits.
    Number,
    /// No blank.
    Word,
    /// Anything within the line.
    Line,
    /// Anything.
    Text,
}

/// A reply that a server is known to have.
#[derive(Clone, Debug)]
struct Known {
    code: u16,
    parts: Vec<Part>,
    /// Bytes that must be there as they stand: the more, the surer.
    weight: usize,
    causes: Causes,
}

/// The replies of some servers.
#[derive(Clone, Debug, Default)]
pub(super) struct Texts(Vec<Known>);

/// A template with fewer fixed bytes than this says nothing.
const LEAST: usize = 6;

/// What servers say beside their profiles: texts that administrators copy from the manuals, and replies of versions that no
/// profile is about. Source: the documentation of each server, and its source where a file is named.
const IN_THE_WILD: &[(u16, &str, Option<Cause>)] = &[
    // ProFTPD: the examples of its manual.
    (530, "Sorry, max {n} users -- try again later", Some(Cause::MaxClients)),
    (530, "Sorry, the maximum number of allowed users are already connected ({n})", Some(Cause::MaxClients)),
    (530, "Sorry, you may not connect more than one time.", Some(Cause::MaxPerIp)),
    (530, "Sorry, the maximum number of hosts for this user are already connected.", Some(Cause::MaxPerUser)),
    (530, "Access denied.", Some(Cause::Banned)),
    // vsftpd: utility.c:41, where it gives up.
    (500, "OOPS: {msg}", Some(Cause::CriticalError)),
    // FileZilla Server 0.9: ControlSocket.cpp.
    (521, "This user is not allowed to connect from this IP", Some(Cause::Banned)),
    // IIS 5 and 6 behind their timeout, on its own.
    (421, "Terminating connection.", Some(Cause::IdleTimeout)),
];

impl Texts {
    /// Those of `policy`, whoever configured it.
    pub(super) fn of(policy: &Policy) -> Self {
        let mut texts = Self::default();
        texts.take(policy);
        texts
    }

    /// Those of all profiles, and those that no profile has.
    pub(super) fn of_all() -> Self {
        let mut texts = Self::default();
        for name in Profile::names() {
            if let Some(policy) = Profile::named(name).as_ref().and_then(whole) {
                texts.take(&policy);
            }
        }
        for (code, text, cause) in IN_THE_WILD {
            texts.add(*code, text, *cause);
        }
        texts
    }

    fn take(&mut self, policy: &Policy) {
        for entry in policy.table.entries() {
            self.add(entry.code, &entry.text, entry.cause);
        }
    }

    fn add(&mut self, code: u16, text: &str, cause: Option<Cause>) {
        let parts = parse(text);
        if let Some(known) = self.0.iter_mut().find(|known| known.code == code && known.parts == parts) {
            known.causes.add(cause);
            return;
        }
        let literal = |part: &Part| if let Part::Literal(text) = part { text.len() } else { 0 };
        let weight = parts.iter().map(literal).sum();
        if weight >= LEAST {
            let mut causes = Causes::default();
            causes.add(cause);
            self.0.push(Known { code, parts, weight, causes });
        }
    }

    /// What all of `text` (in lower case) behind `code` may mean: that of the longest template that fits.
    pub(super) fn find(&self, code: u16, text: &str) -> Option<Causes> {
        self.best(code, text.trim())
    }

    /// What the last of its lines that is known may mean.
    pub(super) fn find_line(&self, code: u16, text: &str) -> Option<Causes> {
        if !text.contains('\n') {
            return None;
        }
        text.lines().rev().take(16).find_map(|line| self.best(code, line.trim()))
    }

    fn best(&self, code: u16, text: &str) -> Option<Causes> {
        let mut best: Option<(usize, Causes)> = None;
        for known in self.0.iter().filter(|known| known.code == code && fit(&known.parts, text)) {
            match &mut best {
                Some((weight, _)) if known.weight < *weight => {}
                Some((weight, causes)) if known.weight == *weight => causes.0 |= known.causes.0,
                _ => best = Some((known.weight, known.causes)),
            }
        }
        best.map(|(_, causes)| causes)
    }
}

/// `profile` with everything in force that it may say, and the administrator's message left open.
pub(super) fn whole(profile: &Profile) -> Option<Policy> {
    let second = |own: Duration| Some(if own.is_zero() { Duration::from_secs(1) } else { own });
    let ban = profile.ban.as_ref().map(|ban| BanOverride {
        threshold: Some(ban.threshold.max(1)),
        window: second(ban.window.0),
        duration: second(ban.duration.0),
        ..BanOverride::default()
    });
    let overrides = Overrides { ban, message: Some("{msg}".to_owned()), ..Overrides::default() };
    Policy::new(profile, &overrides).ok()
}

/// The pieces of a template. Digits may be others, and so may the example host.
fn parse(text: &str) -> Vec<Part> {
    let text = text.trim().to_lowercase().replace("ftp.example.org", "{host}");
    let mut parts = Vec::new();
    let mut rest = text.as_str();
    while let Some(first) = rest.chars().next() {
        let named = rest.strip_prefix('{').and_then(|r| r.split_once('}'));
        let (part, after) = match named {
            Some(("n" | "secs" | "k" | "bytes" | "minutes" | "idle_minutes", after)) => (Part::Number, after),
            Some(("ip" | "host", after)) => (Part::Word, after),
            Some(("user" | "verb" | "path", after)) => (Part::Line, after),
            Some(("msg", after)) => (Part::Text, after),
            _ if first.is_ascii_digit() => {
                (Part::Number, rest.trim_start_matches(|c: char| c.is_ascii_digit()))
            }
            _ => {
                let more = &rest[first.len_utf8()..];
                let end = more.find(|c: char| c == '{' || c.is_ascii_digit()).unwrap_or(more.len());
                let (literal, after) = rest.split_at(first.len_utf8() + end);
                (Part::Literal(literal.to_owned()), after)
            }
        };
        parts.push(part);
        rest = after;
    }
    parts
}

/// Does `text` fit from its first byte to its last?
fn fit(parts: &[Part], text: &str) -> bool {
    let Some((part, rest)) = parts.split_first() else { return text.is_empty() };
    match part {
        Part::Literal(literal) => text.strip_prefix(literal.as_str()).is_some_and(|after| fit(rest, after)),
        Part::Number => {
            let after = text.trim_start_matches(|c: char| c.is_ascii_digit());
            after.len() < text.len() && fit(rest, after)
        }
        Part::Word => stretch(rest, text, |c| !c.is_whitespace()),
        Part::Line => stretch(rest, text, |c| c != '\n'),
        Part::Text => stretch(rest, text, |_| true),
    }
}

/// Does `text` fit behind some bytes of one kind?
fn stretch(rest: &[Part], text: &str, kind: impl Fn(char) -> bool) -> bool {
    let end = text.find(|c| !kind(c)).unwrap_or(text.len());
    match rest.first() {
        None => end == text.len(),
        Some(Part::Literal(next)) => {
            let starts = text.match_indices(next.as_str()).map(|(at, _)| at);
            starts.take_while(|at| *at <= end).any(|at| fit(rest, &text[at..]))
        }
        // Two unknown pieces side by side: no server has them.
        Some(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn only(cause: Option<Cause>) -> Causes {
        let mut causes = Causes::default();
        causes.add(cause);
        causes
    }

    #[test]
    fn a_template_fits_whatever_number_address_or_name_stands_in_it() {
        let texts = Texts::of_all();
        let find = |code, text: &str| texts.find(code, &text.to_lowercase());
        assert_eq!(find(421, "Too many connections (8) from this IP"), Some(only(Some(Cause::MaxPerIp))));
        assert_eq!(find(530, "Host 192.0.2.1 has been banned"), Some(only(Some(Cause::Banned))));
        assert_eq!(
            find(421, "User alice is already logged in 2 times."),
            Some(only(Some(Cause::MaxPerUser)))
        );
        assert_eq!(find(530, "Too many connections (8) from this IP"), None, "the code is part of it");
        assert_eq!(find(421, "Too many connections from this IP"), None);
    }

    #[test]
    fn the_lines_of_a_banner_do_not_hide_the_line_that_counts() {
        let texts = Texts::of_all();
        let text = "welcome to example\nidle timeout (5 seconds): closing control connection";
        assert_eq!(texts.find(421, text), None);
        assert_eq!(texts.find_line(421, text), Some(only(Some(Cause::IdleTimeout))));
    }

    #[test]
    fn no_template_has_two_unknown_pieces_side_by_side() {
        for known in Texts::of_all().0 {
            let open = |part: &Part| !matches!(part, Part::Literal(_));
            assert!(!known.parts.windows(2).any(|two| two.iter().all(open)), "{known:?}");
        }
    }

    #[test]
    fn every_refusal_that_a_profile_has_a_text_for_is_found_by_its_cause() {
        for name in Profile::names() {
            let policy = whole(&Profile::named(name).unwrap()).unwrap();
            let texts = Texts::of(&policy);
            for entry in policy.table.entries() {
                let Some(cause) = entry.cause else { continue };
                let text =
                    entry.text.to_lowercase().replace("{msg}", "we are\nclosed").replace("{ip}", "::1");
                let text = text.replace("{n}", "17").replace("{secs}", "42").replace("{user}", "al ice");
                let found = texts.find(entry.code, &text);
                if entry.text != "{msg}" {
                    assert!(found.is_some_and(|causes| causes.has(cause)), "{name}: {entry:?}: {found:?}");
                }
            }
        }
    }
}
