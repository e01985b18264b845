//! Two recordings: is what the server said the same, where the clients said the same?
//!
//! It reads no file. Connections are told by their order of accept; when something was said does not count.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::metrics::words::counted;

/// No more connections are told of, one by one.
const TOLD: usize = 20;

/// What came of a comparison.
#[derive(Debug, Default)]
pub(super) struct Verdict {
    /// Connections of the recording.
    connections: u64,
    /// Lines of the server in the recording.
    lines: u64,
    /// Connections on which a reply differs.
    pub(super) replies: u64,
    /// Connections on which the client did something else, or that only one of both has.
    pub(super) commands: u64,
    told: Vec<String>,
}

/// One connection.
#[derive(Debug, Default)]
struct Talk {
    heard: Vec<String>,
    said: Vec<Said>,
    begun: String,
    /// Is it known how it ended?
    gone: bool,
}

#[derive(Debug)]
struct Said {
    text: String,
    /// So many lines of the client had come.
    behind: usize,
    /// In the file, from 1.
    line: usize,
}

/// How a connection differs.
#[derive(Debug, PartialEq, Eq)]
enum Difference {
    Reply(String),
    Command(String),
}

/// Compares what is said now with what was `recorded`.
pub(super) fn compare(recorded: &str, now: &str) -> Verdict {
    let (recorded, now) = (talks(recorded), talks(now));
    let mut verdict = Verdict {
        connections: recorded.len() as u64,
        lines: recorded.values().map(|talk| talk.said.len() as u64).sum(),
        ..Verdict::default()
    };
    let numbers = recorded.keys().chain(now.keys().filter(|number| !recorded.contains_key(number)));
    for number in numbers {
        let difference = match (recorded.get(number), now.get(number)) {
            (Some(recorded), Some(now)) => recorded.differs(now),
            (Some(_), None) => Some(Difference::Command("is recorded, and did not come".to_owned())),
            _ => Some(Difference::Command("is not recorded".to_owned())),
        };
        let told = match difference {
            None => continue,
            Some(Difference::Reply(told)) => {
                verdict.replies += 1;
                told
            }
            Some(Difference::Command(told)) => {
                verdict.commands += 1;
                told
            }
        };
        if verdict.told.len() < TOLD {
            verdict.told.push(format!("connection {number} {told}"));
        }
    }
    verdict
}

/// The orders of a recording, `TIME ORDER` each.
pub(super) fn orders(recorded: &str) -> impl Iterator<Item = String> {
    lines(recorded).filter_map(|(_, _, seconds, said)| {
        // One with anything to escape was none.
        let order = said.strip_prefix("O: ").filter(|order| !order.contains('\\'))?;
        Some(format!("{seconds}s {order}"))
    })
}

/// The number of each line of the file, the connection, the seconds, and the rest.
fn lines(text: &str) -> impl Iterator<Item = (usize, u64, &str, &str)> {
    (1..).zip(text.lines()).filter_map(|(line, text)| {
        let (number, rest) = text.strip_prefix('#')?.split_once(' ')?;
        let (seconds, rest) = rest.trim_start().split_once("  ")?;
        Some((line, number.parse().ok()?, seconds, rest))
    })
}

fn talks(text: &str) -> BTreeMap<u64, Talk> {
    let mut talks = BTreeMap::<u64, Talk>::new();
    for (line, number, _, said) in lines(text).filter(|(_, number, ..)| *number > 0) {
        let talk = talks.entry(number).or_default();
        if let Some(command) = said.strip_prefix("C: ") {
            talk.heard.push(command.to_owned());
        } else if let Some(text) = said.strip_prefix("S: ") {
            talk.begun.push_str(text);
            talk.say(line, "");
        } else if let Some(text) = said.strip_prefix("S- ") {
            talk.begun.push_str(text);
            if text.ends_with("\\n") {
                talk.say(line, "");
            }
        } else if said == "gone" {
            talk.say_begun(line);
            talk.gone = true;
        }
    }
    // What has begun on one that is not known to have ended may have gone on.
    talks
}

impl Talk {
    fn say(&mut self, line: usize, end: &str) {
        let text = std::mem::take(&mut self.begun) + end;
        self.said.push(Said { text, behind: self.heard.len(), line });
    }

    fn say_begun(&mut self, line: usize) {
        if !self.begun.is_empty() {
            self.say(line, " (without an end)");
        }
    }

    /// What was said before the client's line number `heard`.
    fn said_before(&self, heard: usize) -> &[Said] {
        &self.said[..self.said.partition_point(|said| said.behind <= heard)]
    }

    fn differs(&self, now: &Self) -> Option<Difference> {
        let at = |talk: &Self, place: usize| talk.heard.get(place).map(|line| of_client(line).to_owned());
        let longest = self.heard.len().max(now.heard.len());
        let parted = (0..longest).find(|place| at(self, *place) != at(now, *place));
        let until = parted.unwrap_or(longest);
        let (then, again) = (self.said_before(until), now.said_before(until));
        let both = then.iter().zip(again).position(|(then, again)| then.text != again.text);
        let shorter = then.len().min(again.len());
        // Where the client goes its own way, what came before may have been cut short by that.
        let cut = then.len() != again.len() && parted.is_none() && self.gone && now.gone;
        if let Some(place) = both.or(cut.then_some(shorter)) {
            return Some(Difference::Reply(self.told(then.get(place), again.get(place))));
        }
        let place = parted?;
        let unfinished = |talk: &Self| place == talk.heard.len() && !talk.gone;
        if unfinished(self) {
            return None; // it was not recorded to its end
        }
        let line =
            |talk: &Self| talk.heard.get(place).map_or("nothing".to_owned(), |line| format!("`{line}`"));
        let (then, again) = (line(self), line(now));
        Some(Difference::Command(format!(
            "has another client: its command {} was {then}, and is {again}",
            place + 1
        )))
    }

    fn told(&self, then: Option<&Said>, again: Option<&Said>) -> String {
        let behind = then.or(again).map_or(0, |said| said.behind);
        let behind = behind.checked_sub(1).and_then(|last| self.heard.get(last));
        let behind = behind.map_or("in its greeting".to_owned(), |line| format!("behind `{line}`"));
        let place = then.map_or(String::new(), |said| format!(" (dialogue.txt, line {})", said.line));
        let text = |said: Option<&Said>| said.map_or("nothing".to_owned(), |said| format!("`{}`", said.text));
        format!("differs {behind}{place}:\n  recorded {}\n  now      {}", text(then), text(again))
    }
}

/// A line of a client without what is chosen anew each time: its own port.
fn of_client(line: &str) -> &str {
    let verb = line.split(' ').next().unwrap_or_default();
    if verb.eq_ignore_ascii_case("PORT") || verb.eq_ignore_ascii_case("EPRT") { verb } else { line }
}

impl Verdict {
    /// In words.
    pub(super) fn told(&self) -> String {
        let (connections, lines) = (counted(self.connections, "connection"), counted(self.lines, "line"));
        if self.told.is_empty() {
            return format!("replayed: {connections}, and all {lines} of the server as recorded");
        }
        let mut told = if self.replies > 0 {
            format!("the replay differs: {} of {connections} not answered as recorded", self.replies)
        } else {
            format!(
                "this is not the same session again: {} of {connections} differ by the client",
                self.commands
            )
        };
        for one in &self.told {
            let _ = write!(told, "\n{one}"); // to a String
        }
        let more = self.replies + self.commands - self.told.len() as u64;
        if more > 0 {
            let _ = write!(told, "\nand {more} more");
        }
        told
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TALK: &str = "#1 0.1  came 127.0.0.1:9\n#1 0.2  S: 220 hello\n#1 0.3  C: USER a\n#2 0.3  came 127.0.0.1:10\n\
                        #1 0.4  S- 33\n#1 0.5  S: 1 go on\n#1 0.6  C: PORT 127,0,0,1,9,9\n#1 0.7  S: 200 ok\n#1 0.8  gone\n\
                        #0 0.9  O: set max_clients 1\n#2 1.0  S: 421 full\n#2 1.1  gone\n";

    fn counts(now: &str) -> (u64, u64) {
        let verdict = compare(TALK, now);
        (verdict.replies, verdict.commands)
    }

    #[test]
    fn neither_times_nor_pieces_nor_the_clients_ports_count() {
        assert_eq!(counts(TALK), (0, 0));
        let other = TALK.replace("0.4  S- 33\n#1 0.5  S: 1 go", "7.0  S: 331 go").replace("9,9", "8,8");
        assert_eq!(counts(&other), (0, 0), "{other}");
        assert_eq!(
            compare(TALK, &other).told(),
            "replayed: 2 connections, and all 4 lines of the server as recorded"
        );
    }

    #[test]
    fn another_reply_is_told_with_its_place() {
        let other = TALK.replace("1 go on", "1 go off");
        assert_eq!(counts(&other), (1, 0));
        let told = compare(TALK, &other).told();
        assert!(told.contains(
            "connection 1 differs behind `USER a` (dialogue.txt, line 6):\n  recorded `331 go on`"
        ));
        assert_eq!(counts(&TALK.replace("S: 200 ok", "S- 200 ok")), (1, 0), "another end of the line");
        assert_eq!(counts(&TALK.replace("#1 0.7  S: 200 ok\n", "")), (1, 0), "no reply");
    }

    #[test]
    fn a_refusal_that_sends_a_client_away_is_the_servers_difference() {
        let other = "#1 0.1  came 127.0.0.1:9\n#1 0.2  S: 421 full\n#1 0.3  gone\n";
        assert_eq!(counts(other), (1, 1), "and the second did not come");
    }

    #[test]
    fn another_client_is_no_other_server() {
        assert_eq!(counts(&TALK.replace("USER a", "USER b")), (0, 1));
        let more = TALK.replace("#1 0.8", "#1 0.75  C: QUIT\n#1 0.76  S: 221 bye\n#1 0.8");
        assert_eq!(counts(&more), (0, 1));
        assert_eq!(counts(""), (0, 2));
    }

    #[test]
    fn a_recording_that_was_killed_ends_anywhere() {
        for end in 0..TALK.len() {
            let cut = &TALK[..end];
            let whole = &cut[..cut.rfind('\n').map_or(0, |at| at + 1)];
            let verdict = compare(whole, TALK);
            assert_eq!(verdict.replies, 0, "{whole}");
        }
    }

    #[test]
    fn orders_keep_their_times() {
        assert_eq!(orders(TALK).collect::<Vec<_>>(), ["0.9s set max_clients 1"]);
    }
}
