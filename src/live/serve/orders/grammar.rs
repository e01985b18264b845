//! From a line to an [`Order`], in one place for all who give some: `--at`, the control socket and the `Emulator`.
//!
//! It carries nothing out.

use std::net::IpAddr;

use super::wait::Until;
use super::{Manner, Order};
use crate::scenario::suggestion;
use crate::server::{Control, Knob, Policy, Signal};
use crate::time::Duration;
use crate::units::parse_size;

/// The longest order, bytes.
const LONGEST: usize = 1_000;
/// The longest time in an order.
const LATEST: Duration = Duration::from_secs(30 * 86_400);
/// The highest limit that can be set.
const MOST_CLIENTS: u32 = 10_000_000;
/// From the announcement of a shutdown to its deadline, if nobody says.
const NOTICE: Duration = Duration::from_secs(60);
/// How long somebody waits, if he does not say.
const PATIENCE: Duration = Duration::from_secs(10);
/// The longest that somebody waits.
const LONGEST_WAIT: Duration = Duration::from_secs(600);
/// The highest bandwidth: 1 PiB/s.
const FASTEST: u64 = 1 << 50;

/// Every order, and what it does.
pub const GRAMMAR: &[(&str, &str)] = &[
    ("shutdown now", "let nobody in, and end live sessions with what the profile tells them"),
    (
        "shutdown announce [NOTICE]",
        "refuse newcomers as the profile does; the same as `now` after NOTICE (1m)",
    ),
    ("shutdown drain", "let nobody in; live sessions go on"),
    ("shutdown cut", "let nobody in, and end every connection with a FIN and no word"),
    ("shutdown crash", "the same with a reset"),
    (
        "hang [TIME]",
        "answer nobody any more, though the kernel still accepts, until `resume` (or `shutdown hang`)",
    ),
    ("stall [TIME]", "transfers stand still, and commands are answered, until `resume`"),
    ("resume", "end `hang` and `stall`"),
    ("up [TIME]", "listen (again); with TIME, greet with 120 for so long first (or `listen`)"),
    ("signal TERM|HUP|KILL", "what the profile's server does when it gets this signal"),
    ("ban ADDRESS [TIME]", "refuse an address as the profile refuses the banned; for good without TIME"),
    ("unban ADDRESS", "lift its bans and forget what it did"),
    (
        "set KNOB VALUE",
        "a limit (`max_clients 3`; 0 or off: none) or a timer (`idle_timeout 5s`) by its key in [server]",
    ),
    ("cut [ADDRESS|all]", "end live connections with a FIN and no word; the server stays up"),
    ("reset [ADDRESS|all]", "the same with a reset"),
    ("bandwidth RATE|usual", "what all transfers of a direction share, such as 100KiB/s"),
    ("slow PERCENT", "the server's own work takes so many per cent of its usual time"),
    ("disk full|ok", "there is no room for uploads, or again some"),
    ("descriptors N", "so many of the host's descriptors are lost to nobody's session"),
    ("backlog N|usual", "so many connections may wait in the kernel to be accepted"),
    ("status", "one line of JSON: who is connected, bans, limits, refusals so far"),
    (
        "wait connections|sessions|refusals|logins N [TIME]",
        "answer when so many are open, or (refusals, logins) were counted; an error after TIME (10s)",
    ),
    ("help", "these lines"),
    ("end", "end the server and write its results"),
];

/// The first words.
const VERBS: &[&str] = &[
    "shutdown",
    "hang",
    "stall",
    "resume",
    "up",
    "listen",
    "signal",
    "ban",
    "unban",
    "set",
    "cut",
    "reset",
    "bandwidth",
    "slow",
    "disk",
    "descriptors",
    "backlog",
    "status",
    "wait",
    "help",
    "end",
];

const SIGNALS: [(&str, Signal); 3] = [("TERM", Signal::Term), ("HUP", Signal::Hup), ("KILL", Signal::Kill)];

/// The words of an order that are not yet read.
struct Words<'t> {
    verb: &'t str,
    rest: std::str::SplitWhitespace<'t>,
}

type Parsed<T> = Result<T, String>;

/// Parses `text` for a server of `policy`.
pub(super) fn parse(text: &str, policy: &Policy) -> Parsed<Order> {
    if text.len() > LONGEST || text.chars().any(|c| c.is_control() && c != '\t') {
        return Err(format!("an order is one line of at most {LONGEST} bytes"));
    }
    let mut rest = text.split_whitespace();
    let Some(verb) = rest.next() else {
        return Err(format!("an order is missing; allowed here: {}", VERBS.join(", ")));
    };
    let mut words = Words { verb, rest };
    let order = words.order(policy)?;
    match words.rest.next() {
        None => Ok(order),
        Some(more) => Err(format!("{more:?} is too much: {}", words.usage())),
    }
}

impl<'t> Words<'t> {
    fn order(&mut self, policy: &Policy) -> Parsed<Order> {
        Ok(match self.verb.to_ascii_lowercase().as_str() {
            "shutdown" => Order::Shutdown(self.manner()?),
            "hang" => Order::Shutdown(Manner::Hang(self.time_or(Duration::FOREVER)?)),
            "stall" => Order::Stall(self.time_or(Duration::FOREVER)?),
            "resume" => Order::Resume,
            "up" | "listen" => Order::Up { ready_in: self.time_or(Duration::ZERO)? },
            "signal" => Order::Control(Control::Signal(self.signal()?)),
            "ban" => Order::Ban { address: self.address()?, lasts: self.time_or(Duration::FOREVER)? },
            "unban" => Order::Unban(self.address()?),
            "set" => Order::Control(self.setting(policy)?),
            "cut" => Order::Part { address: self.victim()?, reset: false },
            "reset" => Order::Part { address: self.victim()?, reset: true },
            "bandwidth" => Order::Bandwidth(self.bandwidth()?),
            "slow" => Order::Control(Control::SetSlowness(self.percent()?)),
            "disk" => Order::Control(Control::FillDisk(self.one_of(&[("full", true), ("ok", false)])?)),
            "descriptors" => Order::Control(Control::LeakDescriptors(self.count(MOST_CLIENTS)?)),
            "backlog" => Order::Control(Control::SetBacklog(self.backlog()?)),
            "status" => Order::Status,
            "wait" => self.wait()?,
            "help" => Order::Help,
            "end" => Order::End,
            _ => {
                return Err(format!("{:?} is no order: {}", self.verb, suggestion(self.verb, VERBS)));
            }
        })
    }

    /// How this order is written.
    fn usage(&self) -> String {
        let verb = match self.verb.to_ascii_lowercase().as_str() {
            "listen" => "up".to_owned(),
            verb => verb.to_owned(),
        };
        let forms = GRAMMAR.iter().map(|(form, _)| *form);
        let own: Vec<&str> = forms.filter(|form| form.split(' ').next() == Some(verb.as_str())).collect();
        format!("write {}", own.join(", or "))
    }

    fn word(&mut self) -> Parsed<&'t str> {
        self.rest.next().ok_or_else(|| format!("`{}` is not complete: {}", self.verb, self.usage()))
    }

    /// A word of these, whatever its case.
    fn one_of<T: Copy>(&mut self, known: &[(&str, T)]) -> Parsed<T> {
        let word = self.word()?;
        let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
        let found = known.iter().find(|(name, _)| name.eq_ignore_ascii_case(word));
        found.map(|(_, value)| *value).ok_or_else(|| format!("{word:?}: {}", suggestion(word, &names)))
    }

    fn manner(&mut self) -> Parsed<Manner> {
        let announced = Manner::Announce(NOTICE);
        let hangs = Manner::Hang(Duration::FOREVER);
        let manner = self.one_of(&[
            ("now", Manner::Now),
            ("drain", Manner::Drain),
            ("announce", announced),
            ("cut", Manner::Cut),
            ("crash", Manner::Crash),
            ("hang", hangs),
        ])?;
        Ok(match manner {
            Manner::Announce(usual) => Manner::Announce(self.time_or(usual)?),
            Manner::Hang(usual) => Manner::Hang(self.time_or(usual)?),
            manner => manner,
        })
    }

    fn signal(&mut self) -> Parsed<Signal> {
        let word = self.word()?;
        let upper = word.to_ascii_uppercase();
        let short = upper.strip_prefix("SIG").unwrap_or(&upper);
        let found = SIGNALS.iter().find(|(name, _)| *name == short);
        found.map(|(_, signal)| *signal).ok_or_else(|| {
            let names = SIGNALS.map(|(name, _)| name);
            format!("{word:?} is no signal here: {}", suggestion(short, &names))
        })
    }

    fn address(&mut self) -> Parsed<IpAddr> {
        let word = self.word()?;
        let bare = word.trim_start_matches('[').trim_end_matches(']');
        let address: IpAddr =
            bare.parse().map_err(|_| format!("{word:?} is no IP address, such as 127.0.0.1 or ::1"))?;
        Ok(address.to_canonical())
    }

    fn victim(&mut self) -> Parsed<Option<IpAddr>> {
        let mut ahead = self.rest.clone();
        if ahead.next().is_none_or(|word| word.eq_ignore_ascii_case("all")) {
            self.rest = ahead;
            return Ok(None);
        }
        self.address().map(Some)
    }

    /// The time that comes next, if there is one.
    fn time_or(&mut self, usual: Duration) -> Parsed<Duration> {
        self.rest.next().map_or(Ok(usual), time)
    }

    fn count(&mut self, most: u32) -> Parsed<u32> {
        let word = self.word()?;
        number(word, most)
    }

    fn percent(&mut self) -> Parsed<u32> {
        let word = self.word()?;
        number(word.trim_end_matches('%'), 1_000_000).and_then(|percent| match percent {
            0 => Err("0 per cent is no time at all: 100 is usual, 400 four times slower".to_owned()),
            percent => Ok(percent),
        })
    }

    fn backlog(&mut self) -> Parsed<u32> {
        match self.word()? {
            word if word.eq_ignore_ascii_case("usual") => Ok(u32::MAX),
            word => number(word, 1_000_000),
        }
    }

    fn bandwidth(&mut self) -> Parsed<Option<u64>> {
        let word = self.word()?;
        if word.eq_ignore_ascii_case("usual") {
            return Ok(None);
        }
        match word.strip_suffix("/s").and_then(parse_size) {
            Some(bandwidth @ 1..=FASTEST) => Ok(Some(bandwidth)),
            _ => Err(format!("{word:?} is no bandwidth, such as 100KiB/s (1B/s to 1048576GiB/s), or usual")),
        }
    }

    fn setting(&mut self, policy: &Policy) -> Parsed<Control> {
        let word = self.word()?;
        let (name, value) = match word.split_once('=') {
            Some((name, value)) => (name, value),
            None => (word, self.word()?),
        };
        let is_off = ["off", "none"].iter().any(|off| off.eq_ignore_ascii_case(value));
        if let Some(check) = policy.check_named(name) {
            let limit = if is_off { 0 } else { number(value, MOST_CLIENTS)? };
            return Ok(Control::SetLimit { check: check as u8, limit }); // a profile has a handful of limits
        }
        let known = || policy.checks.iter().map(|check| check.knob.as_str());
        let Some((_, knob)) = Knob::ALL.into_iter().find(|(known, _)| *known == name) else {
            let knobs = Knob::ALL.into_iter().filter(|(_, knob)| policy.has_knob(*knob).is_ok());
            let names: Vec<&str> = known().chain(knobs.map(|(name, _)| name)).collect();
            let server = &policy.profile;
            return Err(format!("{name:?} is nothing that {server} has: {}", suggestion(name, &names)));
        };
        policy.has_knob(knob).map_err(|why| format!("{} {why} ({name})", policy.profile))?;
        let value = match knob {
            _ if is_off => 0,
            knob if knob.is_time() => {
                let time = if value == "0" { Duration::ZERO } else { time(value)? };
                time.as_nanos().div_ceil(1_000_000) as u32 // thirty days have fewer than 2^32 milliseconds
            }
            _ => number(value, 255)?,
        };
        Ok(Control::SetKnob { knob, value })
    }

    fn wait(&mut self) -> Parsed<Order> {
        let what = self.one_of(&Until::ALL)?;
        let count = self.count(u32::MAX)?;
        match self.time_or(PATIENCE)? {
            limit if limit <= LONGEST_WAIT => Ok(Order::Wait(what(u64::from(count)), limit)),
            limit => {
                Err(format!("{limit} is longer than {LONGEST_WAIT}, the longest that an answer can wait"))
            }
        }
    }
}

fn time(word: &str) -> Parsed<Duration> {
    match Duration::parse(word) {
        Ok(time) if time <= LATEST => Ok(time),
        Ok(_) => Err(format!("{word:?} is longer than {LATEST}")),
        Err(why) => Err(format!("{word:?} is no time: {why}")),
    }
}

fn number(word: &str, most: u32) -> Parsed<u32> {
    let number = word.parse::<u32>().ok().filter(|number| *number <= most);
    number.ok_or_else(|| format!("{word:?} is no whole number from 0 to {most}"))
}

#[cfg(test)]
mod tests;
