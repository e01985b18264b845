//! The trials of a search as scenarios, built in code: who comes from where, as whom, and does what.
//!
//! It judges nothing that comes of them.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use super::trial::{Trial, Until};
use crate::client::{Backoff, Behaviour, Growth, Jitter, RetryPolicy, Rule, Script, Step};
use crate::dist::Dist;
use crate::ftp::ArgId;
use crate::id::PopulationId;
use crate::network::Link;
use crate::scenario::Scenario;
use crate::time::{Duration, Instant};
use crate::workload::{
    AddressBook, Addresses, Arrivals, Closed, Open, Pick, Population, Spacing, Stage, Stages,
};

/// The population that a trial is about.
pub const SUBJECT: PopulationId = PopulationId(0);
/// The sessions that only hold their places, where a trial has them.
pub const HOLDERS: PopulationId = PopulationId(1);

/// A client that waits keeps its session alive so often.
const KEEP_ALIVE: Duration = Duration::from_secs(20);

/// Between two attempts of those who fill a server.
const REFILL: Duration = Duration::from_millis(50);

/// From how many addresses and as how many users clients come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Kind {
    /// A new address for each client, or one for all.
    pub many_addresses: bool,
    /// The accounts in turn, or the first for all.
    pub many_users: bool,
}

impl Kind {
    /// One address, one user.
    pub const ONE: Self = Self { many_addresses: false, many_users: false };

    /// In words, for people.
    pub fn told(self) -> String {
        let many = |many, one: &str, more: &str| if many { more.to_owned() } else { one.to_owned() };
        format!(
            "from {} as {}",
            many(self.many_addresses, "one address", "many addresses"),
            many(self.many_users, "one user", "many users")
        )
    }

    /// In words, for files.
    pub fn words(self) -> [&'static str; 2] {
        let word = |many| if many { "many" } else { "one" };
        [word(self.many_addresses), word(self.many_users)]
    }
}

/// What all trials of a search share.
#[derive(Clone, Debug)]
pub struct Stand {
    base: Scenario,
    link: Link,
    users: Vec<ArgId>,
    addresses: u32,
}

/// How a session that is over is closed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Leaving {
    /// By QUIT.
    Quit,
    /// By closing the connection, without a word.
    Close,
}

impl Stand {
    /// Trials at the servers of `base`, over the way of its first population, as `users`, from at most `addresses` addresses.
    pub fn new(base: &Scenario, users: &[String], addresses: u32, is_real: bool) -> Self {
        let mut strings = base.strings.clone();
        let users = users.iter().map(|name| intern(&mut strings, name)).collect();
        let mut link = base.populations.first().map_or_else(Link::default, |p| p.link.clone());
        if is_real {
            // The way is what it is; nobody waits a minute for a server that does not answer.
            link = Link {
                delay: Duration::ZERO,
                connect_timeout: Duration::from_secs(5),
                reply_timeout: Duration::from_secs(10),
                ..Link::default()
            };
        }
        let base = Scenario {
            strings,
            populations: Vec::new(),
            faults: Vec::new(),
            thresholds: Vec::new(),
            notes: Vec::new(),
            warmup: Duration::ZERO,
            replications: 1,
            addresses: book(addresses),
            ..base.clone()
        };
        Self { base, link, users, addresses }
    }

    /// How long one way takes, as far as it is known.
    pub fn delay(&self) -> Duration {
        self.link.delay
    }

    /// The number of accounts.
    pub fn users(&self) -> u32 {
        self.users.len() as u32
    }

    /// Can clients come from many addresses?
    pub fn has_addresses(&self) -> bool {
        self.addresses > 1
    }

    /// `sessions` sessions one after the other, each at once over: is anybody there, and are the accounts right?
    pub fn look(&self, sessions: u32, every: Duration) -> Trial {
        let kind = Kind { many_addresses: false, many_users: true };
        let arrivals = burst(sessions, every);
        let callers = self.population("look", arrivals, kind, vec![Step::Login, Step::Quit]);
        let length = every * u64::from(sessions) + self.patience();
        self.trial("onset-look", length, vec![callers], 0, Until::Over(SUBJECT, sessions))
    }

    /// A client every `gap`, each of which logs in and stays, until `enough` were not let in, or there are `cap`.
    pub fn ramp(&self, kind: Kind, gap: Duration, cap: u32, enough: u32, number: u32) -> Trial {
        let length = gap * u64::from(cap + enough) + self.delay() * 20 + Duration::from_millis(300);
        let staying = vec![Step::Login, Step::Think(constant(length)), Step::Quit];
        let ramp = self.population("ramp", burst(cap, gap), kind, staying);
        self.trial("onset-ramp", length, vec![ramp], number, Until::Refused(SUBJECT, enough))
    }

    /// A full server, and two who take turns at its last place: each holds it for `hold`, leaves as `leaving` says, and comes back
    /// to knock about every `knock`. Until the place has changed hands `handovers` times, or for `length`.
    pub fn relay(&self, relay: &Relay) -> Trial {
        let Relay { kind, limit, gap, hold, knock, leaving, handovers, length, number } = *relay;
        let full = gap * u64::from(limit) + self.delay() * 10;
        let end = match leaving {
            Leaving::Quit => Step::Quit,
            Leaving::Close => Step::Close,
        };
        let half = Duration::from_nanos(hold.as_nanos() / 2);
        // The second comes when the first has been there for half of its time.
        let rise = Stage { duration: half, from: 1.0, to: 2.0 };
        let level = Stage { duration: length, from: 2.0, to: 2.0 };
        let clients = Stages::once(Instant::ZERO + full, vec![rise, level]);
        let pause = Dist::Constant(half.as_nanos());
        let arrivals = Arrivals::Closed(Closed { clients, most: 2, sessions: 0, pause, pause_first: false });
        let mut two =
            self.population("relay", arrivals, kind, vec![Step::Login, Step::Think(constant(hold)), end]);
        two.behaviour.retry = knocking(knock);
        self.stand_behind(&mut two, limit);
        let staying = vec![Step::Login, Step::Think(constant(full + length)), Step::Quit];
        let mut populations = vec![two];
        if limit > 1 {
            let mut holders = self.population("holders", burst(limit - 1, gap), kind, staying);
            // Somebody of an earlier trial may not be gone yet: they come again until they are in.
            holders.behaviour.retry = knocking(REFILL);
            populations.push(holders);
        }
        let until = Until::Over(SUBJECT, handovers + 1);
        self.trial("onset-release", full + length, populations, number, until)
    }

    /// The two go on with addresses and accounts where those end who fill the server: a limit on one of these is not to stop them.
    fn stand_behind(&self, two: &mut Population, limit: u32) {
        let behind = |count: usize, place: u32| (limit as usize + place as usize - 1) % count.max(1);
        if two.users.len() > 1 {
            two.users = [0, 1].map(|place| self.users[behind(self.users.len(), place)]).into();
        }
        if let Addresses::Pool { peers, .. } = &mut two.addresses
            && peers.len() > 1
        {
            *peers = [0, 1].map(|place| peers[behind(peers.len(), place)]).into();
        }
    }

    /// Sessions of `hold` that come as a Poisson process of `rate` per second for `length`; the run goes on for `tail`.
    pub fn stream(
        &self,
        kind: Kind,
        rate: f64,
        hold: Duration,
        [length, tail]: [Duration; 2],
        number: u32,
    ) -> Trial {
        let rate = Stages::constant(Instant::ZERO, length, rate);
        let arrivals = Arrivals::Open(Open { spacing: Spacing::Poisson, rate });
        let steps = vec![Step::Login, Step::Think(constant(hold)), Step::Quit];
        let callers = self.population("callers", arrivals, kind, steps);
        self.trial("onset-rate", length + tail, vec![callers], number, Until::End)
    }

    /// How long a client may have to wait for one session at most.
    fn patience(&self) -> Duration {
        self.link.connect_timeout + self.link.reply_timeout + Duration::from_secs(1)
    }

    fn population(&self, name: &str, arrivals: Arrivals, kind: Kind, steps: Vec<Step>) -> Population {
        let peers = if kind.many_addresses { self.base.addresses.len() } else { 1 };
        let users = if kind.many_users { &self.users[..] } else { &self.users[..1] };
        Population {
            name: name.to_owned(),
            arrivals,
            addresses: Addresses::Pool {
                peers: (0..peers).map(crate::id::PeerId).collect(),
                pick: Pick::InTurn,
            },
            users: users.to_vec(),
            behaviour: Behaviour {
                script: Script { steps },
                keepalive: Some(KEEP_ALIVE),
                ..Behaviour::default()
            },
            link: self.link.clone(),
            like: None,
        }
    }

    fn trial(
        &self,
        name: &str,
        duration: Duration,
        populations: Vec<Population>,
        number: u32,
        until: Until,
    ) -> Trial {
        let scenario = Scenario { name: name.to_owned(), duration, populations, ..self.base.clone() };
        Trial { scenario: Arc::new(scenario), replication: number, until }
    }
}

/// What a relay is like.
#[derive(Clone, Copy, Debug)]
pub struct Relay {
    /// From where and as whom.
    pub kind: Kind,
    /// The places that there are.
    pub limit: u32,
    /// Between two who come to fill them.
    pub gap: Duration,
    /// How long each holds the last place.
    pub hold: Duration,
    /// Between two knocks, about.
    pub knock: Duration,
    /// How it is left.
    pub leaving: Leaving,
    /// How often it changes hands.
    pub handovers: u32,
    /// The longest that it may take.
    pub length: Duration,
    /// Which repeat.
    pub number: u32,
}

/// Comes again after a wait of `every`, more or less: with equal waits the knocks would always fall into the same moment.
fn knocking(every: Duration) -> RetryPolicy {
    let ns = every.as_nanos();
    let backoff = Backoff {
        growth: Growth::Fixed,
        base: Dist::Uniform { low: ns / 2, high: ns + ns / 2 },
        cap: Duration::FOREVER,
        whole_seconds: false,
        jitter: Jitter::None,
        attempts: 0,
        persistence: 1.0,
    };
    RetryPolicy { rules: vec![Rule::new(Some(backoff))] }
}

fn burst(count: u32, gap: Duration) -> Arrivals {
    Arrivals::Burst { at: Instant::ZERO, count, within: gap * u64::from(count) }
}

fn constant(time: Duration) -> Dist {
    Dist::Constant(time.as_nanos())
}

fn intern(strings: &mut Vec<String>, name: &str) -> ArgId {
    if let Some(place) = strings.iter().position(|known| known == name) {
        return ArgId(place as u16);
    }
    strings.push(name.to_owned());
    ArgId((strings.len() - 1) as u16)
}

/// Addresses from 100.64.0.1 (RFC 6598) upwards.
fn book(count: u32) -> AddressBook {
    let mut book = AddressBook::default();
    for number in 0..count {
        book.intern(IpAddr::V4(Ipv4Addr::from(u32::from(Ipv4Addr::new(100, 64, 0, 1)) + number)));
    }
    book
}
