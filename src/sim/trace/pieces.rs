//! The pieces that a trace's lines are made of: whatever does not change from line to line, written as JSON once.
//!
//! It chooses nothing that is told: it copies and counts.

use crate::ftp::{ArgId, Command, Verb};
use crate::id::ServerId;
use crate::observe::{Cause, CloseHow};
use crate::scenario::Scenario;
use crate::sim::tap::Who;
use crate::time::Instant;

/// A time's digits but for the last eight stay the same for so many nanoseconds: 0.1 s.
const EPOCH: u64 = 100_000_000;

/// All pieces of a scenario's trace.
#[derive(Debug)]
pub(super) struct Pieces<'a> {
    scenario: &'a Scenario,
    /// The last line's time in units of [`EPOCH`], and a line up to there.
    epoch: u64,
    head: Piece,
    /// From the time to the client's number, by population.
    clients: Vec<Piece>,
    session: Piece,
    /// By server.
    connect: Vec<Piece>,
    connect_failed: Piece,
    verbs: Shelf,
    args: Shelf,
    codes: Shelf,
    causes: Vec<Piece>,
    closed: Vec<Piece>,
    pub connected: Piece,
    pub secured: Piece,
    pub disconnect: Piece,
    pub vanish: Piece,
    pub finish: Piece,
    end: Piece,
}

impl<'a> Pieces<'a> {
    /// Those of `scenario`.
    pub fn new(scenario: &'a Scenario) -> Self {
        let what = |what: &str| Piece::new(&format!(r#","what":"{what}"{END}"#));
        let name_them = scenario.servers.len() > 1;
        let connect = |name: &str| {
            if name_them {
                Piece::new(&format!(r#","what":"connect","server":{}{END}"#, json(name)))
            } else {
                what("connect")
            }
        };
        let closed = |how: &CloseHow| Piece::new(&format!(r#","what":"closed","how":"{how}"{END}"#));
        Self {
            scenario,
            epoch: 0,
            head: Piece::new(HEAD),
            clients: scenario.populations.iter().map(|p| client(&p.name)).collect(),
            session: Piece::new(r#"","session":"#),
            connect: scenario.servers.iter().map(|s| connect(&s.name)).collect(),
            connect_failed: Piece::new(r#","what":"connect_failed""#),
            verbs: Shelf::default(),
            args: Shelf::default(),
            codes: Shelf::default(),
            causes: Cause::ALL.iter().map(|c| Piece::new(&format!(r#","cause":"{c}"{END}"#))).collect(),
            closed: CloseHow::ALL.iter().map(closed).collect(),
            connected: what("connected"),
            secured: what("secured"),
            disconnect: what("disconnect"),
            vanish: what("vanish"),
            finish: what("finish"),
            end: Piece::new(END),
        }
    }

    /// When, and who.
    pub fn begin(&mut self, line: &mut Line<'_>, now: Instant, who: Who) {
        let epoch = now.as_nanos() / EPOCH;
        if epoch != self.epoch {
            self.epoch = epoch;
            self.head = Piece::new(&format!("{HEAD}{epoch}"));
        }
        line.put(&self.head);
        let rest = (now.as_nanos() % EPOCH) as u32;
        if epoch == 0 {
            line.number(rest);
        } else {
            line.eight_digits(rest);
        }
        line.put(&self.clients[usize::from(who.population.0)]);
        line.number(who.index);
        line.put(&self.session);
        line.number(who.session);
    }

    /// A SYN to `to`.
    pub fn connect(&self, line: &mut Line<'_>, to: ServerId) {
        line.put(&self.connect[usize::from(to.0)]);
    }

    /// It came to nothing.
    pub fn connect_failed(&self, line: &mut Line<'_>, cause: Cause) {
        line.put(&self.connect_failed);
        line.put(&self.causes[cause.index()]);
    }

    /// A command, but no password.
    pub fn command(&mut self, line: &mut Line<'_>, Command { verb, arg }: Command) {
        let said = || Piece::new(&format!(r#","what":"command","verb":{}"#, json(verb.name())));
        line.put(self.verbs.get(verb as usize, said));
        if arg == ArgId::NONE || verb == Verb::Pass {
            return line.put(&self.end);
        }
        let text = || match self.scenario.text(arg).unwrap_or("") {
            "" => Piece::new(END),
            text => Piece::new(&format!(r#","arg":{}{END}"#, json(text))),
        };
        // The last numbers are the fixed texts: in front, all stand close together.
        line.put(self.args.get(usize::from(arg.0.wrapping_sub(ArgId::IMAGE.0)), text));
    }

    /// A reply, and what it refuses something for.
    pub fn reply(&mut self, line: &mut Line<'_>, code: u16, cause: Option<Cause>) {
        let said = || Piece::new(&format!(r#","what":"reply","code":{code}"#));
        line.put(self.codes.get(usize::from(code), said));
        line.put(cause.map_or(&self.end, |cause| &self.causes[cause.index()]));
    }

    /// The server's close.
    pub fn closed(&self, line: &mut Line<'_>, how: CloseHow) {
        line.put(&self.closed[how.index()]);
    }
}

/// How each line begins, and ends.
const HEAD: &str = r#"{"t_ns":"#;
const END: &str = "}\n";

fn client(population: &str) -> Piece {
    let name = json(population);
    Piece::new(&format!(r#","client":{}:"#, name.strip_suffix('"').unwrap_or(&name)))
}

/// `text` in quotes, whatever stands in it.
fn json(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// A piece of a line.
#[derive(Clone, Debug)]
pub(super) struct Piece {
    block: [u8; BLOCK],
    len: usize,
    /// What the block does not hold: most often nothing.
    rest: Box<[u8]>,
}

/// So many bytes of a piece are copied, however few it has: a copy whose length the compiler knows is a few stores, any other is a
/// call of `memcpy`.
const BLOCK: usize = 48;

impl Piece {
    fn new(text: &str) -> Self {
        let (first, rest) = text.as_bytes().split_at(text.len().min(BLOCK));
        let mut block = [0; BLOCK];
        block[..first.len()].copy_from_slice(first);
        Self { block, len: first.len(), rest: rest.into() }
    }
}

/// Pieces by a number, each made when it is first needed.
#[derive(Debug, Default)]
struct Shelf(Vec<Option<Piece>>);

impl Shelf {
    fn get(&mut self, place: usize, make: impl FnOnce() -> Piece) -> &Piece {
        if place >= self.0.len() {
            self.0.resize(place + 1, None);
        }
        self.0[place].get_or_insert_with(make)
    }
}

/// A line that is being written.
#[derive(Debug)]
pub(super) struct Line<'a>(pub &'a mut Vec<u8>);

impl Line<'_> {
    /// Appends `piece`.
    pub fn put(&mut self, piece: &Piece) {
        let end = self.0.len() + piece.len;
        self.0.extend_from_slice(&piece.block);
        self.0.truncate(end);
        if !piece.rest.is_empty() {
            self.0.extend_from_slice(&piece.rest);
        }
    }

    fn number(&mut self, number: u32) {
        if number < 10 {
            self.0.push(b'0' + number as u8);
        } else {
            self.0.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
        }
    }

    /// `number`, which is below 10^8, with zeros in front.
    fn eight_digits(&mut self, number: u32) {
        let pairs = [number / 1_000_000, number / 10_000 % 100, number / 100 % 100, number % 100];
        let mut digits = [0; 8];
        for (two, pair) in digits.chunks_exact_mut(2).zip(pairs) {
            two[0] = b'0' + (pair / 10) as u8;
            two[1] = b'0' + (pair % 10) as u8;
        }
        self.0.extend_from_slice(&digits);
    }
}
