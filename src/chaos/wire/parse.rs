//! From a text to a [`Rule`], or to the first thing that is wrong with it.
//!
//! It plays nothing.
//!
//! ```text
//! rule   = where ["from" IP] fault {"and" fault}
//! where  = (VERB | "greeting" | "any" | "passive" | "active" | "transfer") [".226"] ["#" uses | "~" NUMBER "%"]
//! uses   = N | N "-" | N "-" M, each also with "/session" behind it
//! ```

use super::words::{FAULTS, PASSIVE, PLACES, VERBS, is_transfer, text_of};
use super::{Break, Fault, Place, Rule, When, WireProblem};
use crate::time::Duration;
use crate::units::parse_size;

/// The longest text of a rule, bytes.
const LONGEST: usize = 1_000;
/// The longest time in a rule.
const LATEST: Duration = Duration::from_secs(86_400);
/// The most bytes of a reply that a rule may name.
const MOST_OF_REPLY: u64 = 1 << 16;
/// The most bytes of a transfer that a rule may name: 1 PiB.
const MOST_OF_DATA: u64 = 1 << 50;

type Parsed<T> = Result<T, WireProblem>;

/// Where data moves, in words.
const TRANSFERS: &str = "LIST, NLST, MLSD, RETR, STOR, APPE, STOU and `transfer`";

impl Rule {
    /// Parses `text`.
    ///
    /// # Errors
    /// The first thing that is wrong, and its place.
    pub fn parse(text: &str) -> Parsed<Self> {
        if text.len() > LONGEST || text.chars().any(char::is_control) {
            return Err(problem(0, format!("a rule is one line of at most {LONGEST} bytes")));
        }
        let mut words = Words { text, at: 0 };
        let (at, of_last, when) = place(words.next())?;
        let from = if words.skip("from") { Some(address(words.next())?) } else { None };
        let mut rule =
            Self { text: text.trim().to_owned(), at, when, from, faults: Vec::new(), last: Vec::new() };
        loop {
            let first = words.next();
            let fault = fault(first, &mut words)?;
            rule.takes(first, fault, of_last)?;
            if words.skip("and") {
                continue;
            }
            let rest = words.next();
            if rest.text.is_empty() {
                return Ok(rule);
            }
            return Err(problem(
                rest.at,
                format!("`{}` is too much here: what else happens stands behind `and`", rest.text),
            ));
        }
    }

    /// Adds what `fault` was read as, if it can be at this place.
    fn takes(&mut self, word: Word<'_>, read: Read, of_last: bool) -> Parsed<()> {
        let wrong = |what: &str, fits: &str| {
            Err(problem(word.at, format!("{what}: `{}` goes with {fits} only", word.text)))
        };
        let is_transfer = match &self.at {
            Place::Transfer => true,
            Place::Verb(verb) => is_transfer(verb),
            _ => false,
        };
        let is_passive = match &self.at {
            Place::Verb(verb) => PASSIVE.contains(&verb.as_str()),
            place => *place == Place::Passive,
        };
        for (fault, at_last) in read {
            let at_last = at_last || of_last;
            match fault {
                Fault::Slow(_) | Fault::After(..) | Fault::Corrupt(_) | Fault::Early(_) if !is_transfer => {
                    return wrong("no data moves here", TRANSFERS);
                }
                Fault::Slow(_) | Fault::After(..) | Fault::Corrupt(_) | Fault::Early(_) if of_last => {
                    return wrong("this is no reply", "a command, without `.226`,");
                }
                Fault::Refuse | Fault::NoAccept | Fault::WrongAddress { .. } if !is_passive => {
                    return wrong("nobody is told an address here", "PASV, EPSV and `passive`");
                }
                Fault::NoData if !is_transfer && !self.opens_data() => {
                    return wrong("no data moves here", TRANSFERS);
                }
                _ if at_last && !is_transfer => {
                    return wrong("no reply ends a transfer here", TRANSFERS);
                }
                fault if at_last && !matches!(fault, Fault::After(..)) => self.last.push(fault),
                fault => self.faults.push(fault),
            }
        }
        Ok(())
    }
}

/// What one fault of a rule comes to, each with: does it concern the reply that ends the transfer?
type Read = Vec<(Fault, bool)>;

fn place(word: Word<'_>) -> Parsed<(Place, bool, When)> {
    let end = word.text.find(['.', '#', '~']).unwrap_or(word.text.len());
    let (name, rest) = word.text.split_at(end);
    let upper = name.to_ascii_uppercase();
    let place = match name.to_ascii_lowercase().as_str() {
        "greeting" => Place::Greeting,
        "any" => Place::Any,
        "passive" => Place::Passive,
        "active" => Place::Active,
        "transfer" => Place::Transfer,
        _ if VERBS.contains(&upper.as_str()) => Place::Verb(upper),
        _ => {
            let known: Vec<&str> = PLACES.iter().chain(VERBS).copied().collect();
            let listed = format!("an FTP command, {}", PLACES.join(", "));
            return Err(unknown(word.part(0, end), "command", &upper, &known, &listed));
        }
    };
    let (of_last, rest, at) = match rest.strip_prefix(".226") {
        Some(rest) => (true, rest, end + 4),
        None => (false, rest, end),
    };
    let rest = word.part(at, at + rest.len());
    Ok((place, of_last, when(rest)?))
}

/// What stands behind a command: `#2`, `#2-`, `#2-5`, each with `/session`, or `~5%`.
fn when(word: Word<'_>) -> Parsed<When> {
    const SHAPE: &str = "behind a command stands nothing, `#2`, `#2-` or `#2-5` (uses; with `/session` each session counts for itself), `~5%`, \
         or `.226` for the reply that ends a transfer";
    let wrong = || problem(word.at, SHAPE);
    if word.text.is_empty() {
        return Ok(When::Always);
    }
    if let Some(share) = word.text.strip_prefix('~') {
        let plain = share.strip_suffix('%').filter(|n| n.chars().all(|c| c.is_ascii_digit() || c == '.'));
        let percent = plain.and_then(|n| n.parse::<f64>().ok()).filter(|n| *n <= 100.0);
        return percent.map(|percent| When::Chance(percent / 100.0)).ok_or_else(wrong);
    }
    let uses = word.text.strip_prefix('#').ok_or_else(wrong)?;
    let (uses, each) = match uses.split_once('/') {
        Some((uses, "session")) => (uses, true),
        Some(_) => return Err(wrong()),
        None => (uses, false),
    };
    let number = |text: &str| {
        let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        text.parse::<u64>().ok().filter(|n| digits && *n > 0).ok_or_else(wrong)
    };
    let (first, last) = match uses.split_once('-') {
        Some((first, "")) => (number(first)?, u64::MAX),
        Some((first, last)) => (number(first)?, number(last)?),
        None => (number(uses)?, number(uses)?),
    };
    if last < first {
        return Err(problem(word.at, "the last use is before the first"));
    }
    Ok(When::Uses { first, last, each })
}

fn address(word: Word<'_>) -> Parsed<std::net::IpAddr> {
    word.text
        .parse()
        .map_err(|_| problem(word.at, "behind `from` stands a client's address, such as 127.0.0.2"))
}

fn fault(first: Word<'_>, words: &mut Words<'_>) -> Parsed<Read> {
    if first.text.len() == 3 && first.text.bytes().all(|b| b.is_ascii_digit()) {
        return reply(first, words);
    }
    let one = |fault| Ok(vec![(fault, false)]);
    match first.text.to_ascii_lowercase().as_str() {
        "delay" => one(Fault::Delay(time(words.next())?)),
        "drip" => one(Fault::Drip(rate(words.next())?)),
        "slow" => one(Fault::Slow(rate(words.next())?)),
        "split" => one(Fault::Split(size(words.next(), MOST_OF_REPLY)?.max(1) as u32)),
        "partial" => one(Fault::Partial(size(words.next(), MOST_OF_REPLY)? as u32)),
        "reply" => reply(words.next(), words),
        "lf" => one(Fault::LineFeed),
        "twice" => one(Fault::Twice),
        "endless" => {
            let pace = if words.ends_fault() { Duration::from_millis(100) } else { time(words.next())? };
            one(Fault::Endless(pace.max(Duration::from_millis(1))))
        }
        "garbage" => {
            let bytes = if words.ends_fault() { 64 } else { size(words.next(), MOST_OF_REPLY)? };
            one(Fault::Garbage(bytes as u32))
        }
        "refuse" => words.must("data").and_then(|()| one(Fault::Refuse)),
        "no" => nothing(words),
        "wrong" => wrong_place(words),
        "close" | "reset" => end(first, words),
        "truncate" => {
            words.must("after")?;
            one(Fault::After(size(words.next(), MOST_OF_DATA)?, Break::Truncate))
        }
        "corrupt" => {
            words.must("after")?;
            one(Fault::Corrupt(size(words.next(), MOST_OF_DATA)?))
        }
        "stall" => {
            let after = if words.skip("after") { size(words.next(), MOST_OF_DATA)? } else { 0 };
            let lasts = if words.skip("for") { Some(time(words.next())?) } else { None };
            one(Fault::After(after, Break::Stall(lasts)))
        }
        "early" => {
            words.must("226")?;
            let by = if words.skip("by") { time(words.next())? } else { Duration::from_millis(200) };
            one(Fault::Early(by))
        }
        _ => {
            let known: Vec<&str> = FAULTS.iter().map(|(word, _)| *word).collect();
            let shapes: Vec<&str> = FAULTS.iter().map(|(_, shape)| *shape).collect();
            let word = first.text.to_ascii_lowercase();
            Err(unknown(first, "fault", &word, &known, &shapes.join("; ")))
        }
    }
}

/// `451`, `451 "local error"`, `451 local error` up to the end, `426 after 64KiB`.
fn reply(word: Word<'_>, words: &mut Words<'_>) -> Parsed<Read> {
    let code = word.text.parse().ok().filter(|code| word.text.len() == 3 && (100..700).contains(code));
    let code: u16 =
        code.ok_or_else(|| problem(word.at, "a reply has a code of three digits, such as 451"))?;
    let after = if words.skip("after") { Some(size(words.next(), MOST_OF_DATA)?) } else { None };
    let text = words.quoted_or_rest()?.unwrap_or_else(|| text_of(code).to_owned());
    let reply = Fault::Reply { code, text };
    Ok(match after {
        Some(bytes) => vec![(Fault::After(bytes, Break::Close), false), (reply, true)],
        None => vec![(reply, false)],
    })
}

fn nothing(words: &mut Words<'_>) -> Parsed<Read> {
    let what = words.next();
    Ok(vec![match what.text.to_ascii_lowercase().as_str() {
        "reply" => (Fault::NoReply, false),
        "newline" => (Fault::NoNewline, false),
        "accept" => (Fault::NoAccept, false),
        "data" => (Fault::NoData, false),
        "226" => (Fault::NoReply, true),
        word => {
            let known = ["reply", "newline", "accept", "data", "226"];
            return Err(unknown(what, "word behind `no`", word, &known, &known.join(", ")));
        }
    }])
}

fn wrong_place(words: &mut Words<'_>) -> Parsed<Read> {
    let what = words.next();
    let port_of = |word: Word<'_>| {
        let port = word.text.parse::<u16>().ok().filter(|port| *port > 0);
        port.ok_or_else(|| problem(word.at, "a port is a number from 1 to 65535"))
    };
    let fault = match what.text.to_ascii_lowercase().as_str() {
        "port" => Fault::WrongAddress { ip: None, port: Some(port_of(words.next())?) },
        "address" if words.ends_fault() => Fault::WrongAddress {
            ip: Some(std::net::IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1))),
            port: Some(1), // all that EPSV can say
        },
        "address" => {
            let word = words.next();
            let (ip, port) = match word.text.parse::<std::net::SocketAddr>() {
                Ok(place) if place.port() > 0 => (place.ip(), Some(place.port())),
                _ => {
                    let shape = "behind `wrong address` stands an IPv4 address, with or without a port: 192.0.2.1:2000";
                    (word.text.parse().map_err(|_| problem(word.at, shape))?, None)
                }
            };
            Fault::WrongAddress { ip: Some(ip), port }
        }
        word => {
            let known = ["address", "port"];
            return Err(unknown(what, "word behind `wrong`", word, &known, "address, port"));
        }
    };
    Ok(vec![(fault, false)])
}

/// `close`, `close before reply`, `close after reply`, `close after 64KiB`; the same for `reset`.
fn end(word: Word<'_>, words: &mut Words<'_>) -> Parsed<Read> {
    let reset = word.text.eq_ignore_ascii_case("reset");
    let end = |after| vec![(Fault::End { reset, after }, false)];
    if words.skip("before") {
        words.must("reply")?;
        return Ok(end(false));
    }
    if !words.skip("after") {
        return Ok(end(false));
    }
    if words.skip("reply") {
        return Ok(end(true));
    }
    let how = if reset { Break::Reset } else { Break::Close };
    let bytes = words.next();
    if !bytes.text.starts_with(|c: char| c.is_ascii_digit()) {
        return Err(problem(bytes.at, "behind `after` stands `reply`, or a size such as 64KiB"));
    }
    Ok(vec![(Fault::After(size(bytes, MOST_OF_DATA)?, how), false)])
}

fn time(word: Word<'_>) -> Parsed<Duration> {
    let time = Duration::parse(word.text).map_err(|why| problem(word.at, why))?;
    if time > LATEST {
        return Err(problem(word.at, "no time of a wire fault is longer than a day"));
    }
    Ok(time)
}

fn size(word: Word<'_>, most: u64) -> Parsed<u64> {
    let bare = word.text.parse::<u64>().ok(); // bytes: there is nothing else that it could be
    let size = bare.or_else(|| parse_size(word.text)).ok_or_else(|| {
        problem(word.at, "here stands a size, such as 3B, 64KiB or 10MB (B, KB, MB, GB, KiB, MiB, GiB)")
    })?;
    if size > most {
        return Err(problem(word.at, format!("{size} bytes are more than the {most} that can be here")));
    }
    Ok(size)
}

fn rate(word: Word<'_>) -> Parsed<u64> {
    let rate =
        word.text.strip_suffix("/s").and_then(parse_size).filter(|rate| (1..=MOST_OF_DATA).contains(rate));
    rate.ok_or_else(|| problem(word.at, "here stands a rate above zero, such as 10B/s or 64KiB/s"))
}

// ---- words ---------------------------------------------------------------------------------------------------

/// A word and its place; at the end of the text an empty one.
#[derive(Clone, Copy, Debug)]
struct Word<'a> {
    text: &'a str,
    at: usize,
}

impl Word<'_> {
    fn part(self, from: usize, to: usize) -> Self {
        Word { text: &self.text[from..to], at: self.at + from }
    }
}

/// The words of a text, one after the other.
struct Words<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Words<'a> {
    fn peek(&mut self) -> Word<'a> {
        self.at = self.text.len() - self.text[self.at..].trim_start().len();
        let rest = &self.text[self.at..];
        let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
        Word { text: &rest[..end], at: self.at }
    }

    fn next(&mut self) -> Word<'a> {
        let word = self.peek();
        self.at += word.text.len();
        word
    }

    /// Goes past `word` if it comes next.
    fn skip(&mut self, word: &str) -> bool {
        let found = self.peek().text.eq_ignore_ascii_case(word);
        if found {
            self.next();
        }
        found
    }

    /// Goes past `word`, which must come next.
    fn must(&mut self, word: &str) -> Parsed<()> {
        if self.skip(word) { Ok(()) } else { Err(problem(self.peek().at, format!("here stands `{word}`"))) }
    }

    /// Does the fault end here?
    fn ends_fault(&mut self) -> bool {
        let next = self.peek();
        next.text.is_empty() || next.text.eq_ignore_ascii_case("and")
    }

    /// A text in quotes, or else everything up to the end; `None` if the fault ends here.
    fn quoted_or_rest(&mut self) -> Parsed<Option<String>> {
        if self.ends_fault() {
            return Ok(None);
        }
        let rest = &self.text[self.at..];
        let Some(inner) = rest.strip_prefix('"') else {
            self.at = self.text.len();
            return Ok(Some(rest.trim_end().to_owned()));
        };
        let end = inner.find('"').ok_or_else(|| problem(self.at, "the quotes are not closed"))?;
        self.at += end + 2;
        Ok(Some(inner[..end].to_owned()))
    }
}

fn problem(at: usize, why: impl Into<String>) -> WireProblem {
    WireProblem { at, why: why.into() }
}

/// `found` is not a `what`: says what is allowed, and which of `known` was probably meant.
fn unknown(found: Word<'_>, what: &str, folded: &str, known: &[&str], listed: &str) -> WireProblem {
    if found.text.is_empty() {
        return problem(found.at, format!("here stands a {what}: {listed}"));
    }
    let distance = |word: &str| strsim::damerau_levenshtein(&folded.to_lowercase(), &word.to_lowercase());
    let nearest =
        known.iter().min_by_key(|word| distance(word)).filter(|word| distance(word) <= 1 + word.len() / 4);
    let meant = nearest.map(|word| format!("did you mean `{word}`? ")).unwrap_or_default();
    let shown: String = found.text.chars().take(40).collect();
    problem(found.at, format!("unknown {what} `{shown}`: {meant}Allowed: {listed}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn why(text: &str) -> (usize, String) {
        let problem = Rule::parse(text).expect_err(text);
        (problem.at, problem.why)
    }

    #[test]
    fn a_rule_says_where_when_whose_and_what() {
        let rule = Rule::parse(" retr#2-5/session from 127.0.0.2 drip 10B/s and reset after 64KiB ").unwrap();
        assert_eq!(rule.at, Place::Verb("RETR".to_owned()));
        assert_eq!(rule.when, When::Uses { first: 2, last: 5, each: true });
        assert_eq!(rule.from, Some("127.0.0.2".parse().unwrap()));
        assert_eq!(rule.faults, [Fault::Drip(10), Fault::After(65_536, Break::Reset)]);
        let rule = Rule::parse("transfer~0.5% 426 after 3B \"gone and lost\" and close after reply").unwrap();
        assert_eq!(rule.when, When::Chance(0.005));
        assert_eq!(rule.faults, [Fault::After(3, Break::Close), Fault::End { reset: false, after: true }]);
        assert_eq!(rule.last, [Fault::Reply { code: 426, text: "gone and lost".to_owned() }]);
    }

    #[test]
    fn what_a_problem_offers_is_understood() {
        for (_, shapes) in FAULTS {
            for shape in shapes.replace(" alone: ", " ").split(", ") {
                let shape = shape.trim_start_matches("or the code ").trim_start_matches("or ");
                let fits = |place: &str| Rule::parse(&format!("{place} {shape}")).is_ok();
                assert!(fits("RETR") || fits("PASV"), "{shape}");
            }
        }
    }

    #[test]
    fn a_problem_has_its_place_and_says_what_was_meant() {
        for (text, at, part) in [
            ("", 0, "here stands a command"),
            ("RTR#2 426", 0, "did you mean `RETR`?"),
            ("RETR#0 426", 4, "`#2-5`"),
            ("RETR#5-2 426", 4, "before the first"),
            ("RETR~101% 426", 4, "~5%"),
            ("RETR", 4, "here stands a fault"),
            ("RETR rset", 5, "did you mean `reset`?"),
            ("RETR reset after", 16, "a size"),
            ("RETR reset after lunch", 17, "a size"),
            ("NOOP stall", 5, "no data moves here"),
            ("RETR refuse data", 5, "PASV, EPSV"),
            ("NOOP.226 delay 1s", 9, "no reply ends a transfer"),
            ("RETR no way", 8, "reply, newline"),
            ("RETR delay 2", 11, "duration"),
            ("RETR drip 0B/s", 10, "above zero"),
            ("RETR delay 2s please", 14, "`and`"),
            ("RETR 451 \"open", 9, "not closed"),
            ("RETR from here 451", 10, "address"),
        ] {
            let (found, why) = why(text);
            assert!(found == at && why.contains(part), "{text:?}: {found} {why}");
        }
    }
}
