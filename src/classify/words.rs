//! Words that any server may use for a cause, whoever wrote its texts: English, and a little German, French and Spanish.
//!
//! It knows no server. What it cannot read says nothing, and then timing and position must do.

use crate::observe::Cause;

/// A phrase, and what it speaks for.
struct Phrase {
    text: &'static str,
    /// Does it count only as a word of its own? `load` is not in `download`.
    alone: bool,
    speaks_for: &'static [(Cause, i32)],
}

const fn part(text: &'static str, speaks_for: &'static [(Cause, i32)]) -> Phrase {
    Phrase { text, alone: false, speaks_for }
}

const fn word(text: &'static str, speaks_for: &'static [(Cause, i32)]) -> Phrase {
    Phrase { text, alone: true, speaks_for }
}

const MANY: &[(Cause, i32)] = &[(Cause::MaxClients, 4), (Cause::MaxPerIp, 2), (Cause::MaxPerUser, 2)];
const FULL: &[(Cause, i32)] = &[(Cause::MaxClients, 3), (Cause::MaxPerIp, 1), (Cause::MaxPerUser, 1)];
const ADDRESS: &[(Cause, i32)] = &[(Cause::MaxPerIp, 5), (Cause::Banned, 2)];
const USER: &[(Cause, i32)] = &[(Cause::MaxPerUser, 5)];
const RATE: &[(Cause, i32)] = &[(Cause::RateLimit, 7)];
const BAN: &[(Cause, i32)] = &[(Cause::Banned, 8)];
const DENIED: &[(Cause, i32)] = &[(Cause::Banned, 4)];
const LATE: &[(Cause, i32)] = &[
    (Cause::LoginTimeout, 4),
    (Cause::IdleTimeout, 4),
    (Cause::NoopIdleTimeout, 2),
    (Cause::NoTransferTimeout, 3),
    (Cause::SessionTimeout, 3),
    (Cause::StalledTransfer, 3),
    (Cause::DataConnectTimeout, 3),
];
const IDLE: &[(Cause, i32)] = &[
    (Cause::IdleTimeout, 6),
    (Cause::LoginTimeout, 5),
    (Cause::NoTransferTimeout, 1),
    (Cause::NoopIdleTimeout, 2),
    (Cause::StalledTransfer, 2),
];
const NO_TRANSFER: &[(Cause, i32)] = &[(Cause::NoTransferTimeout, 8)];
const NO_OPERATION: &[(Cause, i32)] = &[(Cause::NoopIdleTimeout, 6)];
const LOGIN_TIME: &[(Cause, i32)] = &[(Cause::LoginTimeout, 5)];
const SESSION_TIME: &[(Cause, i32)] = &[(Cause::SessionTimeout, 5)];
const DATA: &[(Cause, i32)] = &[(Cause::StalledTransfer, 3), (Cause::DataConnectTimeout, 3)];
const DATA_COMES: &[(Cause, i32)] = &[(Cause::DataConnectTimeout, 4)];
const DOWN: &[(Cause, i32)] = &[(Cause::ShuttingDown, 8)];
const LOAD: &[(Cause, i32)] = &[(Cause::Overload, 7)];
const BUSY: &[(Cause, i32)] = &[(Cause::Overload, 5), (Cause::MaxClients, 1)];
const SPENT: &[(Cause, i32)] = &[(Cause::ResourceExhausted, 7)];
const ATTEMPTS: &[(Cause, i32)] = &[(Cause::LoginAttempts, 5)];
const PASSWORD: &[(Cause, i32)] = &[(Cause::LoginAttempts, 3)];
const INTERNAL: &[(Cause, i32)] = &[(Cause::CriticalError, 6)];

#[rustfmt::skip]
const PHRASES: &[Phrase] = &[
    // English.
    part("too many", MANY), part("maximum", MANY), part("no more ", MANY), part("limit reached", MANY),
    part("already logged in", FULL), part("already connected", FULL), word("full", FULL), word("users", FULL),
    word("max", MANY), word("only", FULL),
    part("from your", ADDRESS), part("for your host", ADDRESS), part("your ip", ADDRESS), part("this ip", ADDRESS),
    part("same ip", ADDRESS), part("your address", ADDRESS), part("internet address", ADDRESS), part("per ip", ADDRESS),
    part("per host", ADDRESS), part("this address", ADDRESS), part("this host", ADDRESS), part("same address", ADDRESS),
    part("your host", ADDRESS), part("more than one time", ADDRESS), part("more than once", ADDRESS),
    part("same user", USER), part("this user", USER), part("this account", USER), part("per user", USER),
    part("your account", USER), part("is already logged in", USER),
    part("too fast", RATE), part("too often", RATE), part("too frequent", RATE), part("slow down", RATE),
    part("hammer", RATE), part("per second", RATE), part("per minute", RATE), part("connection rate", RATE),
    word("banned", BAN), word("blocked", BAN), part("blacklist", BAN), word("ban", BAN),
    part("not allowed", DENIED), word("denied", DENIED), word("forbidden", DENIED), part("no connections allowed", BAN),
    part("timeout", LATE), part("timed out", LATE), part("time out", LATE), part("time-out", LATE),
    part("time exceeded", LATE), part("too long", LATE), part("time limit", SESSION_TIME),
    word("idle", IDLE), part("inactiv", IDLE), part("activity", IDLE), part("little faster", IDLE),
    part("no transfer", NO_TRANSFER), part("no-transfer", NO_TRANSFER), part("without a transfer", NO_TRANSFER),
    part("no operation", NO_OPERATION), word("noop", NO_OPERATION),
    part("login time", LOGIN_TIME), part("no login", LOGIN_TIME), part("to log in", LOGIN_TIME), part("login within", LOGIN_TIME),
    part("session time", SESSION_TIME), part("session over", SESSION_TIME), part("session limit", SESSION_TIME),
    part("data connection", DATA), part("data channel", DATA), part("data timeout", DATA), part("passive", DATA_COMES),
    part("shutting down", DOWN), part("shut down", DOWN), part("shutdown", DOWN), part("going down", DOWN),
    part("going offline", DOWN), part("maintenance", DOWN), word("locked", DOWN), word("offline", DOWN),
    part("restart", DOWN),
    word("load", LOAD), part("overload", LOAD), word("busy", BUSY),
    part("no space", SPENT), word("disk", SPENT), part("insufficient", SPENT), part("out of memory", SPENT),
    part("resource", SPENT), part("open files", SPENT), word("fork", SPENT), part("storage", SPENT),
    part("login attempts", ATTEMPTS), part("failed login", ATTEMPTS), part("too many attempts", ATTEMPTS),
    part("failed logins", ATTEMPTS), part("login failures", ATTEMPTS), part("bad logins", ATTEMPTS),
    part("login incorrect", PASSWORD), part("authentication failed", PASSWORD), part("password", PASSWORD),
    part("internal error", INTERNAL), word("oops", INTERNAL),
    // German.
    part("zu viele", MANY), part("höchstzahl", MANY), part("maximale anzahl", MANY),
    part("ihrer ip", ADDRESS), part("ihrer adresse", ADDRESS), part("dieser ip", ADDRESS), part("dieser adresse", ADDRESS),
    part("ihrem rechner", ADDRESS), part("ihrer internetadresse", ADDRESS),
    part("diesen benutzer", USER), part("dieses konto", USER), part("dieses benutzers", USER), part("derselbe benutzer", USER),
    part("gesperrt", BAN), part("verboten", DENIED), part("zeitüberschreitung", LATE), part("zeit abgelaufen", LATE),
    part("untätig", IDLE), part("inaktiv", IDLE), part("keine übertragung", NO_TRANSFER), part("ohne übertragung", NO_TRANSFER),
    part("anmeldezeit", LOGIN_TIME), part("zeit für die anmeldung", LOGIN_TIME), part("sitzungsdauer", SESSION_TIME),
    part("datenverbindung", DATA), part("datenkanal", DATA), part("wartung", DOWN), part("heruntergefahren", DOWN),
    part("wird beendet", DOWN), part("ausgelastet", BUSY), part("überlastet", LOAD), part("zu schnell", RATE), part("zu oft", RATE),
    part("anmeldeversuche", ATTEMPTS), part("fehlgeschlagene anmeldung", ATTEMPTS), part("kein speicher", SPENT), part("kein platz", SPENT),
    // French.
    part("trop de", MANY), part("nombre maximum", MANY), part("nombre maximal", MANY), part("votre adresse", ADDRESS),
    part("cette adresse", ADDRESS), part("votre ip", ADDRESS), part("cet utilisateur", USER), part("ce compte", USER),
    part("banni", BAN), part("bloqué", BAN), part("interdit", DENIED), part("délai", LATE), part("dépassé", LATE),
    part("arrêt", DOWN), part("surcharg", LOAD), part("canal de données", DATA), part("connexion de données", DATA),
    // Spanish.
    part("demasiad", MANY), part("número máximo", MANY), part("su dirección", ADDRESS), part("esta dirección", ADDRESS),
    part("su ip", ADDRESS), part("este usuario", USER), part("esta cuenta", USER), part("bloquead", BAN), part("prohibid", DENIED),
    part("tiempo", LATE), part("mantenimiento", DOWN), part("apagando", DOWN), part("sobrecarga", LOAD), part("ocupado", BUSY),
];

/// What the words of a text speak for, in points.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Spoken([i32; Cause::COUNT]);

impl Spoken {
    /// Nothing was read.
    pub(super) const NOTHING: Self = Self([0; Cause::COUNT]);

    /// What `text` (in lower case) speaks for.
    pub(super) fn of(text: &str) -> Self {
        let mut spoken = Self::NOTHING;
        let pairs = Pairs::of(text);
        for phrase in PHRASES {
            if pairs.may_have(phrase.text) && found(text, phrase) {
                for (cause, points) in phrase.speaks_for {
                    // Saying the same twice is not twice as sure.
                    let sum = spoken.0[cause.index()];
                    spoken.0[cause.index()] = (sum + points).min(sum.max(*points) + 4);
                }
            }
        }
        spoken
    }

    /// The points for `cause`.
    pub(super) const fn points(&self, cause: Cause) -> i32 {
        self.0[cause.index()]
    }

    /// The most points that any cause has.
    pub(super) fn most(&self) -> i32 {
        self.0.iter().copied().max().unwrap_or(0)
    }
}

/// Which pairs of neighbouring bytes a text has, roughly: most phrases are ruled out without a search, which costs ten times as
/// much.
struct Pairs([u64; 16]);

impl Pairs {
    fn of(text: &str) -> Self {
        let mut pairs = Self([0; 16]);
        for pair in text.as_bytes().windows(2) {
            let (word, bit) = Self::place(pair);
            pairs.0[word] |= bit;
        }
        pairs
    }

    fn may_have(&self, phrase: &str) -> bool {
        phrase.as_bytes().windows(2).all(|pair| {
            let (word, bit) = Self::place(pair);
            self.0[word] & bit != 0
        })
    }

    fn place(pair: &[u8]) -> (usize, u64) {
        let hash = usize::from(pair[0]) * 31 + usize::from(pair[1]) * 7;
        (hash / 64 % 16, 1 << (hash % 64))
    }
}

fn found(text: &str, phrase: &Phrase) -> bool {
    let mut places = text.match_indices(phrase.text);
    if !phrase.alone {
        return places.next().is_some();
    }
    places.any(|(at, found)| {
        let before = text[..at].chars().next_back();
        let after = text[at + found.len()..].chars().next();
        !before.is_some_and(char::is_alphanumeric) && !after.is_some_and(char::is_alphanumeric)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn top(text: &str) -> Vec<Cause> {
        let spoken = Spoken::of(text);
        let most = spoken.most();
        Cause::ALL.iter().copied().filter(|c| most > 0 && spoken.points(*c) == most).collect()
    }

    #[test]
    fn plain_words_speak_for_their_cause() {
        assert_eq!(top("too many connections, come back later"), [Cause::MaxClients]);
        assert_eq!(top("too many connections from your ip address"), [Cause::MaxPerIp]);
        assert_eq!(top("this user has too many sessions"), [Cause::MaxPerUser]);
        assert_eq!(top("you have been idle for too long"), [Cause::IdleTimeout]);
        assert_eq!(top("the server is shutting down for maintenance"), [Cause::ShuttingDown]);
        assert_eq!(top("zu viele verbindungen von ihrer ip-adresse"), [Cause::MaxPerIp]);
    }

    #[test]
    fn a_word_within_another_is_not_that_word() {
        assert!(top("your download is ready").is_empty());
        assert_eq!(top("the load is high"), [Cause::Overload]);
    }

    #[test]
    fn what_it_cannot_read_says_nothing() {
        assert!(top("liian monta yhteyttä").is_empty());
    }
}
