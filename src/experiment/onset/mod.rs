//! The search for the onset: how many a server lets in, what the next one meets, which limit that is, how soon a slot is free, and at
//! which rate refusals are no longer rare.
//!
//! It asks for [`Trial`]s and reads their logs; who runs them, in virtual or in real time, is a [`World`]. It opens nothing.

mod fit;
mod limits;
mod live;
pub mod order;
mod plan;
mod ramp;
mod rate;
mod release;
pub mod result;
mod sim;
pub mod story;
mod told;
mod trial;

pub use live::{LiveWorld, Rest};
pub use result::Finding;
pub use sim::SimWorld;
pub use trial::{Log, Trial, Trouble, World};

use self::limits::{Limits, Ramps};
use self::plan::{HOLDERS, Kind, Leaving, Relay, SUBJECT, Stand};
use self::ramp::Ramp;
use self::rate::{Quest, Rated};
use self::release::Relayed;
use crate::observe::{Cause, Class, Phase};
use crate::scenario::Scenario;
use crate::time::Duration;

/// What is asked.
#[derive(Clone, PartialEq, Debug)]
pub struct Ask {
    /// The scenario whose server it is (in virtual time), and whose first population's way clients come.
    pub base: Scenario,
    /// What the server is called in the result.
    pub server: String,
    /// The accounts; the first is the one user of ramps with one.
    pub accounts: Vec<String>,
    /// No ramp goes further.
    pub cap: u32,
    /// Between two arrivals of a ramp; `None`: twice what a login takes, but at least 10 ms.
    pub gap: Option<Duration>,
    /// How long the sessions of the rate search stay; `None`: as the limit suggests.
    pub hold: Option<Duration>,
    /// Repeats of each ramp.
    pub repeats: u32,
    /// Changes of hands of each relay.
    pub handovers: u32,
    /// Between two knocks of a relay: a relay for each, and for each way to leave.
    pub knocks: Vec<Duration>,
    /// The share of refused sessions that the rate is looked for at; `None`: it is not.
    pub level: Option<f64>,
    /// Rates of the rate search, and runs at each.
    pub design: (u32, u32),
    /// Sessions of each of these runs.
    pub sessions: u32,
    /// No rate is higher, sessions per second.
    pub most_per_s: f64,
    /// About how long all of it may take in real time.
    pub budget: Duration,
}

impl Ask {
    /// What is asked if nothing is said about it.
    pub fn new(base: Scenario) -> Self {
        Self {
            server: base.policy().profile.clone(),
            base,
            accounts: Vec::new(),
            cap: 300,
            gap: None,
            hold: None,
            repeats: 6,
            handovers: 12,
            knocks: vec![Duration::from_millis(5), Duration::from_millis(25)],
            level: Some(0.01),
            design: (5, 6),
            sessions: 2_000,
            most_per_s: 600.0,
            budget: Duration::from_secs(60),
        }
    }

    /// The same in real time, where every run costs its length.
    pub fn real(base: Scenario) -> Self {
        Self { design: (3, 5), ..Self::new(base) }
    }
}

/// Everything that the trials came to.
#[derive(Clone, PartialEq, Debug)]
struct Findings {
    ramps: Vec<Ramps>,
    limits: Option<Limits>,
    relays: Vec<Relayed>,
    rated: Option<(Quest, Rated)>,
    gap: Duration,
    /// From the connect to the login, at best.
    login: Duration,
    /// How long a session that does nothing holds its slot, at best.
    idle: Duration,
    /// Sessions that the generator could not begin.
    dropped: u64,
    notes: Vec<String>,
    partial: bool,
    is_real: bool,
}

/// So many accounts are tried before the first ramp.
const LOOKS: u32 = 20;
/// Not let in, so often in a row: the ramp is over.
const ENOUGH: u32 = 5;
/// A trial takes about so much longer in real time than it lasts.
const AROUND: Duration = Duration::from_millis(350);
/// The share of the budget that ramps may take, and relays.
const RAMPS: u64 = 5;
const RELAYS: u64 = 4;

/// Searches. `tell` hears, a line at a time, how it goes.
///
/// # Errors
/// Why there is nothing to find: no server, wrong passwords, a world that cannot run.
pub fn find(ask: &Ask, world: &mut dyn World, tell: &mut dyn FnMut(&str)) -> Result<Finding, Trouble> {
    let mut search = Search::new(ask, world, tell);
    if search.look()? {
        search.ramps()?;
        search.relays()?;
        search.rate()?;
    }
    let Search { mut found, world, .. } = search;
    found.partial = world.is_stopped();
    Ok(told::finding(ask, world.name(), &found))
}

/// A search under way.
struct Search<'a> {
    ask: &'a Ask,
    stand: Stand,
    world: &'a mut dyn World,
    tell: &'a mut dyn FnMut(&str),
    found: Findings,
}

impl<'a> Search<'a> {
    fn new(ask: &'a Ask, world: &'a mut dyn World, tell: &'a mut dyn FnMut(&str)) -> Self {
        let accounts = match &ask.accounts[..] {
            // The simulator's server knows everybody.
            [] if !world.is_real() => (1..=ask.cap.clamp(1, 10_000)).map(|i| format!("user{i}")).collect(),
            [] => vec!["anonymous".to_owned()],
            some => some.to_vec(),
        };
        let addresses = world.addresses().min(ask.cap.saturating_add(1));
        let stand = Stand::new(&ask.base, &accounts, addresses, world.is_real());
        let found = Findings {
            ramps: Vec::new(),
            limits: None,
            relays: Vec::new(),
            rated: None,
            gap: Duration::ZERO,
            login: Duration::ZERO,
            idle: Duration::ZERO,
            dropped: 0,
            notes: Vec::new(),
            partial: false,
            is_real: world.is_real(),
        };
        Self { ask, stand, world, tell, found }
    }

    /// Runs a trial, unless somebody has asked to stop.
    fn run(&mut self, trial: &Trial) -> Result<Option<Log>, Trouble> {
        if self.world.is_stopped() {
            return Ok(None);
        }
        let log = self.world.run(trial)?;
        self.found.dropped += log.generator.map_or(0, |generator| generator.dropped);
        Ok((!self.world.is_stopped()).then_some(log))
    }

    /// Is there a server, and are the accounts right? False: there is nothing more to find.
    fn look(&mut self) -> Result<bool, Trouble> {
        let accounts = if self.ask.accounts.is_empty() { 1 } else { self.stand.users().min(LOOKS) };
        let sessions = accounts.max(3).min(self.ask.cap.max(1));
        let every = if self.world.is_real() { Duration::from_millis(50) } else { Duration::from_secs(5) };
        let Some(log) = self.run(&self.stand.look(sessions, every))? else { return Ok(false) };
        let attempts = log.attempts(SUBJECT);
        let login = attempts
            .iter()
            .filter(|attempt| attempt.is_admitted())
            .filter_map(|attempt| Some(attempt.ended?.at.since(attempt.started)))
            .min();
        self.found.login = login.unwrap_or_default();
        self.found.idle = idle(&log, &attempts).unwrap_or_default() - self.stand.delay() * 2;
        self.found.gap = self.ask.gap.unwrap_or_else(|| self.default_gap());
        for (number, attempt) in attempts.iter().enumerate() {
            let Some(ended) = attempt.ended else {
                return Err(Trouble::Dead("the server does not answer".to_owned()));
            };
            let said = ended.refusal.and_then(|refusal| log.said(refusal));
            let words = said.map_or(String::new(), |said| format!(": {} {}", said.refusal.code, said.text));
            match ended.class {
                Class::LoginFailed => {
                    let account = number % accounts as usize;
                    let name = self.ask.accounts.get(account).map_or("anonymous", String::as_str);
                    return Err(Trouble::Password(format!(
                        "the server does not let {name} in, although nobody else of ours is there: the name or the \
                         password is wrong{words}"
                    )));
                }
                Class::NetworkFailed if login.is_none() => {
                    let why = ended.refusal.map_or("no answer", |refusal| refusal.cause.name());
                    return Err(Trouble::Dead(format!("nobody is there who lets anybody in: {why}")));
                }
                _ => {}
            }
        }
        if let Some(login) = login {
            (self.tell)(&format!("a login takes {login}; a ramp has an arrival every {}", self.found.gap));
        }
        Ok(true)
    }

    /// Twice what a login takes, at least 10 ms: few are on their way in at once.
    fn default_gap(&self) -> Duration {
        (self.found.login * 2).max(Duration::from_millis(10))
    }

    // ---- ramps -------------------------------------------------------------------------------------------------

    /// Each kind of ramp once, then repeats of each for as long as the budget lasts.
    fn ramps(&mut self) -> Result<(), Trouble> {
        let budget = Duration::from_nanos(self.ask.budget.as_nanos() / RAMPS);
        for repeat in 0..self.ask.repeats.max(1) {
            for (place, kind) in self.kinds().into_iter().enumerate() {
                let is_over = repeat > 1 && self.world.is_real() && self.world.spent() > budget;
                if is_over || self.found.ramps.get(place).is_some_and(is_banned) {
                    continue;
                }
                let Some(mut ramp) = self.ramp(kind, repeat * 16 + place as u32)? else { return Ok(()) };
                if self.world.is_real() && (ramp.admitted_after > 0 || self.is_too_few(&ramp)) {
                    self.world.rest_longer();
                    let Some(again) = self.ramp(kind, repeat * 16 + place as u32 + 8)? else { return Ok(()) };
                    ramp = again;
                }
                if repeat == 0 {
                    self.report(&ramp);
                    self.found.ramps.push(Ramps { kind, all: Vec::new() });
                }
                if let Some(ramps) = self.found.ramps.get_mut(place) {
                    ramps.all.push(ramp);
                }
            }
        }
        let mut limits = limits::read(&self.found.ramps, self.stand.users());
        self.found.notes.append(&mut limits.notes);
        self.found.limits = Some(limits);
        self.remark();
        Ok(())
    }

    fn ramp(&mut self, kind: Kind, number: u32) -> Result<Option<Ramp>, Trouble> {
        let trial = self.stand.ramp(kind, self.found.gap, self.ask.cap, ENOUGH, number);
        Ok(self.run(&trial)?.map(|log| Ramp::read(kind, &log)))
    }

    /// Fewer than an earlier ramp let in that had no more freedom: perhaps some of its sessions were not yet gone.
    fn is_too_few(&self, ramp: &Ramp) -> bool {
        let narrower = |kind: Kind| {
            kind.many_addresses <= ramp.kind.many_addresses && kind.many_users <= ramp.kind.many_users
        };
        let earlier = self.found.ramps.iter().filter(|ramps| narrower(ramps.kind));
        earlier.flat_map(|ramps| &ramps.all).any(|earlier| earlier.admitted > ramp.admitted)
    }

    /// The kinds of ramps that there are addresses and accounts for.
    fn kinds(&self) -> Vec<Kind> {
        [(false, false), (true, false), (false, true), (true, true)]
            .into_iter()
            .map(|(many_addresses, many_users)| Kind { many_addresses, many_users })
            .filter(|kind| self.stand.has_addresses() || !kind.many_addresses)
            .filter(|kind| self.stand.users() > 1 || !kind.many_users)
            .collect()
    }

    fn report(&mut self, ramp: &Ramp) {
        let end = match (ramp.attempt, &ramp.refused) {
            (Some(attempt), Some(met)) => {
                format!("{} let in, number {attempt} was not: {}", ramp.admitted, story::refusal(met.refusal))
            }
            _ => format!("{} let in, nobody was refused", ramp.admitted),
        };
        (self.tell)(&format!("a ramp {}: {end}", ramp.kind.told()));
    }

    /// What is odd about the ramps.
    fn remark(&mut self) {
        let mut notes = Vec::new();
        if !self.stand.has_addresses() {
            notes.push("all came from one address: a limit on one address looks like one on all".to_owned());
        }
        for ramps in &self.found.ramps {
            let which = ramps.kind.told();
            let after: u32 = ramps.all.iter().map(|ramp| ramp.admitted_after).sum();
            if after > 0 {
                notes.push(format!(
                    "{which}: {after} were let in after the first refusal: it was not (only) about how many there were; a \
                     slower ramp (--gap) tells whether it was the pace"
                ));
            }
            let lost: u32 = ramps.all.iter().map(|ramp| ramp.lost).sum();
            if lost > 0 {
                notes.push(format!("{which}: {lost} sessions were cut or lost while the ramp went on"));
            }
            if is_banned(ramps) {
                notes.push(format!(
                    "{which}: a repeat was refused from the first attempt on, as if the address were banned by then; it was not \
                     repeated further"
                ));
            }
        }
        self.found.notes.append(&mut notes);
    }

    // ---- slots -------------------------------------------------------------------------------------------------

    /// How many ramps of `kind` let in, and in which phase the next one was refused, if that was a limit on how many there are.
    fn limit_of(&self, kind: Kind) -> Option<(u32, Phase)> {
        let ramps = self.found.ramps.iter().find(|ramps| ramps.kind == kind)?;
        let met = ramps.met()?;
        let (cause, _) = limits::cause(met, kind, ramps.typical(), self.found.limits.as_ref()?);
        let is_limit = limits::is_limit(cause) || matches!(cause, Cause::SilentClose | Cause::Reset);
        (is_limit && ramps.is_reached() && ramps.typical() > 0)
            .then_some((ramps.typical(), met.refusal.phase))
    }

    /// The kind of ramp with the most freedom that met a limit nevertheless.
    fn widest_limited(&self) -> Option<Kind> {
        let kinds = self.found.ramps.iter().rev().map(|ramps| ramps.kind);
        kinds
            .filter(|kind| self.limit_of(*kind).is_some())
            .max_by_key(|kind| (kind.many_addresses && kind.many_users, kind.many_addresses, kind.many_users))
    }

    /// Two who take turns at the last place: of one user from one address, who leave by QUIT; and of the widest kind that met a limit,
    /// who just close their connection.
    fn relays(&mut self) -> Result<(), Trouble> {
        let kinds = [(Leaving::Quit, Some(Kind::ONE)), (Leaving::Close, self.widest_limited())];
        let until = self.world.spent() + Duration::from_nanos(self.ask.budget.as_nanos() / RELAYS);
        let mut left = self.ask.knocks.len() as u64 * 2;
        for (leaving, kind) in kinds {
            for knock in self.ask.knocks.clone() {
                // The first may take half of the time, and what it does not need is the others'.
                let share = if self.found.relays.is_empty() { 2 } else { left.max(1) };
                left -= 1;
                let Some((kind, (limit, phase))) = kind.and_then(|kind| Some((kind, self.limit_of(kind)?)))
                else {
                    continue;
                };
                let mut relay = Relay {
                    kind,
                    limit,
                    // So many are known to fit: they need not come one by one.
                    gap: Duration::from_nanos(self.found.gap.as_nanos() / 2),
                    hold: (knock * 4).max(self.found.login * 3).max(Duration::from_millis(60)),
                    knock,
                    leaving,
                    handovers: self.ask.handovers,
                    length: Duration::from_secs(600),
                    number: 100 + left as u32,
                };
                if self.world.is_real() {
                    let all = Duration::from_nanos((until - self.world.spent()).as_nanos() / share);
                    relay.length = all - relay.gap * u64::from(limit) - AROUND;
                    if relay.length < relay.hold * 6 && !self.found.relays.is_empty() {
                        continue; // too few for an interval
                    }
                    relay.length = relay.length.max(relay.hold * 12);
                }
                if !self.relay(&relay, phase)? {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// Runs one; false: somebody has asked to stop.
    fn relay(&mut self, relay: &Relay, phase: Phase) -> Result<bool, Trouble> {
        let Some(log) = self.run(&self.stand.relay(relay))? else { return Ok(false) };
        let inside = log.attempts(HOLDERS).iter().filter(|holder| holder.is_admitted()).count();
        if inside + 1 < relay.limit as usize {
            self.found.notes.push(format!(
                "only {inside} of the {} who were to fill the server for a relay came in: others were there too",
                relay.limit - 1
            ));
        }
        let relayed = release::read(&log, phase, relay);
        if let Some(median) = relayed.median() {
            let words = crate::metrics::words::seconds(median.seconds);
            (self.tell)(&format!("a slot was free about {words} after its session was over"));
        }
        self.found.relays.push(relayed);
        Ok(true)
    }

    // ---- the rate ----------------------------------------------------------------------------------------------

    /// Of the limit on all clients if there is one, else of that on one user from one address.
    fn rate(&mut self) -> Result<(), Trouble> {
        let Some(level) = self.ask.level else { return Ok(()) };
        let Some((one, _)) = self.limit_of(Kind::ONE).filter(|_| !self.world.is_stopped()) else {
            return Ok(());
        };
        let widest = self.found.limits.as_ref().map(|limits| limits.max_clients);
        let (kind, limit) = match widest {
            Some(limits::Limit::Found { value, kind, .. }) if value > 0 => (kind, value),
            _ => (Kind::ONE, one),
        };
        let quest = self.quest(level, kind, limit);
        (self.tell)(&format!("sessions of {} at rising rates", quest.hold));
        let rated = rate::search(&self.stand, &quest, self.world)?;
        self.found.rated = Some((quest, rated));
        Ok(())
    }

    fn quest(&self, level: f64, kind: Kind, limit: u32) -> Quest {
        let around = self.found.idle + self.release();
        let erlangs = crate::experiment::theory::erlangs_for(limit, level);
        let hold = self.ask.hold.unwrap_or_else(|| {
            // At about a hundred sessions a second; more for a large server, whose runs would be long otherwise.
            let rate = f64::from(limit).max(100.0).min(self.ask.most_per_s / 2.0);
            let slot = Duration::from_secs_f64(erlangs / rate);
            let rounded = (slot - around).as_nanos().div_ceil(10_000_000) * 10_000_000;
            Duration::from_nanos(rounded).max(Duration::from_millis(20))
        });
        let slot = hold + around;
        let (rates, mut runs) = self.ask.design;
        let mut longest = Duration::from_secs(86_400);
        let mut batches = 1;
        if self.world.is_real() {
            // What is left of the budget, for the pilots and the design.
            let all = (self.ask.budget - self.world.spent())
                .max(Duration::from_nanos(self.ask.budget.as_nanos() / 5));
            runs = 2;
            let each = Duration::from_nanos(all.as_nanos() / u64::from(rates * runs + rate::PILOTS));
            longest = (each - slot * 2 - AROUND).max(slot).max(AROUND);
            batches = (longest.as_nanos() / (slot * 4).as_nanos().max(1)).clamp(1, 4) as u32;
        }
        Quest {
            level,
            kind,
            limit,
            hold,
            slot,
            sessions: self.ask.sessions,
            rates,
            runs,
            batches,
            most: self.ask.most_per_s,
            longest,
        }
    }

    /// How long a slot is taken after its session, where that is long enough to be told from none.
    fn release(&self) -> Duration {
        let median = self.found.relays.first().and_then(Relayed::median);
        let median = median.filter(|median| median.low.is_some_and(|low| low > 0.0));
        Duration::from_secs_f64(median.map_or(0.0, |median| median.seconds))
    }
}

/// From the connect to the end of the shortest session; they come one after the other.
fn idle(log: &Log, attempts: &[trial::Attempt]) -> Option<Duration> {
    let began = attempts.iter().filter(|attempt| attempt.is_admitted()).map(|attempt| attempt.started);
    began.zip(log.left(SUBJECT)).map(|(began, (left, _))| left.since(began)).min()
}

/// Was a repeat refused from the start, where an earlier one was not?
fn is_banned(ramps: &Ramps) -> bool {
    ramps.all.iter().any(|ramp| ramp.admitted > 0) && ramps.all.last().is_some_and(|ramp| ramp.admitted == 0)
}
