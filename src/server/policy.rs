//! The policy that a server machine obeys: a profile with a scenario's overrides, compiled for the hot path.
//!
//! It holds no state of any connection.

mod data;
mod limit;
mod login;
mod overrides;
mod process;
mod text;
mod timer;
mod tls;
mod verbs;

pub use data::Data;
pub use limit::Check;
pub use login::{Ban, ByHand, Login};
pub use overrides::{BanOverride, Misfit, Overrides};
pub use process::{GoingDown, HostSpec, Process};
pub use text::{Ending, Replies, ReplyEntry, ReplyId, ReplyTable};
pub use timer::{Stalled, Timer};
pub use tls::{Offer, Tls};
pub use verbs::{Verbs, Word};

use std::sync::Arc;

use self::limit::clients;
use super::profile::{self, Counts, Farewell, Line, Per, Profile};
use crate::ftp::Verb;
use crate::observe::Cause;
use crate::time::Duration;

/// What the machine obeys.
#[derive(Clone, PartialEq, Debug)]
pub struct Policy {
    /// The profile's name.
    pub profile: String,
    /// The limits in check order.
    pub checks: Vec<Check>,
    /// How late each timer fires.
    pub lateness: Duration,
    /// From the accepted connection to the login.
    pub login_timer: Option<Timer>,
    /// Without a command, logged in.
    pub idle_timer: Option<Timer>,
    /// The most that a client may set the idle timer to; zero: it may not.
    pub site_idle_max: Duration,
    /// With nothing but keep-alive commands.
    pub noop_idle_timer: Option<Timer>,
    /// From the last reply to the end of a line that has begun.
    pub line_timer: Option<Timer>,
    /// Without a transfer.
    pub no_transfer_timer: Option<Timer>,
    /// From login on.
    pub session_timer: Option<Timer>,
    /// Without the data connection.
    pub data_connect_timer: Option<Timer>,
    /// Without progress in a transfer.
    pub stalled_timer: Option<Stalled>,
    /// Logging in.
    pub login: Login,
    /// The ban rule, if one is in force.
    pub ban: Option<Ban>,
    /// What a ban is that an administrator orders.
    pub by_hand: ByHand,
    /// Data connections.
    pub data: Data,
    /// TLS.
    pub tls: Tls,
    /// What a line that is too long meets; `None`: it is an unknown command.
    pub line_too_long: Option<Ending>,
    /// The process on its host.
    pub process: Process,
    /// From accept to the greeting.
    pub greeting_cost: Duration,
    /// From PASS to the 230.
    pub login_cost: Duration,
    /// Any other command.
    pub command_cost: Duration,
    /// The replies of an untroubled session.
    pub replies: Replies,
    /// What a driver with real clients says of its files, and of what else the machine does not know.
    pub words: Arc<Verbs>,
    /// The profile's own greeting, which may tell the idle timer.
    greeting: String,
    /// The texts behind all replies.
    pub table: ReplyTable,
}

impl Policy {
    /// Compiles `profile` with `overrides`.
    ///
    /// # Errors
    /// An override for something that this server does not have.
    pub fn new(profile: &Profile, overrides: &Overrides) -> Result<Self, Misfit> {
        let mut table = ReplyTable::default();
        let message = overrides.message.as_deref().unwrap_or("maintenance");
        let mut compiler = Compiler { table: &mut table, message };
        let checks = compiler.checks(profile, overrides)?;
        let clients = clients(&checks);
        let timers = compiler.timers(profile, overrides)?;
        let mut policy = Self {
            profile: profile.name.clone(),
            checks,
            lateness: profile.timer.lateness.0,
            login_timer: timers.login,
            idle_timer: timers.idle,
            site_idle_max: timers.site_idle_max,
            noop_idle_timer: timers.noop_idle,
            line_timer: timers.line,
            no_transfer_timer: timers.no_transfer,
            session_timer: timers.session,
            data_connect_timer: timers.data_connect,
            stalled_timer: timers.stalled,
            login: compiler.login(profile, overrides)?,
            ban: compiler.ban(profile, overrides.ban.as_ref())?,
            data: compiler.data(&profile.data, overrides.passive_ports),
            line_too_long: profile
                .line_too_long
                .as_ref()
                .map(|f| compiler.ending(Cause::CriticalError, f, 0)),
            process: compiler.process(profile, overrides.host, clients),
            greeting_cost: overrides.greeting_cost.unwrap_or(profile.cost.greeting.0),
            login_cost: overrides.login_cost.unwrap_or(profile.cost.login.0),
            command_cost: overrides.command_cost.unwrap_or(profile.cost.command.0),
            replies: compiler.replies(&profile.reply, timers.idle_after, clients),
            tls: compiler.tls(profile, overrides)?,
            by_hand: compiler.by_hand(profile),
            greeting: profile.reply.greeting.text.clone(),
            words: Verbs::of(profile),
            table,
        };
        // The last of all: the numbers of the others stay what they were.
        policy.replies.told = policy.table.add_apart(200, "", None);
        Ok(policy)
    }

    /// The place in check order of the limit called `knob`.
    pub fn check_named(&self, knob: &str) -> Option<usize> {
        self.checks.iter().position(|check| check.knob == knob)
    }

    /// Is `verb`, a transfer, one that this server knows?
    pub fn knows_transfer(&self, verb: Verb) -> bool {
        verb != Verb::Mlsd || self.table.get(self.replies.mlsd).code < 400
    }

    /// Sets the limit at place `check` as an administrator would (0 is no limit), and the number that its text names.
    pub fn set_limit(&mut self, check: usize, configured: u32) {
        self.change_limit(check, |check| check.configure(configured));
    }

    /// Sets the number of passive ports that holds down the limit at place `check`.
    pub fn set_ports_of_limit(&mut self, check: usize, ports: u32) {
        self.change_limit(check, |check| check.set_ports(ports));
    }

    fn change_limit(&mut self, check: usize, change: impl FnOnce(&mut Check)) {
        let Some(check) = self.checks.get_mut(check) else { return };
        change(check);
        for reply in check.ending.reply.into_iter().chain(check.ending.then) {
            self.table.set_value(reply, u64::from(check.limit));
        }
        self.table.set_value(self.replies.greeting, clients(&self.checks));
    }

    /// The greeting, where it tells the idle timer, tells this one from now on.
    pub(in crate::server) fn greet_with_idle(&mut self, idle: Duration) {
        if self.greeting.contains("{idle_minutes}") {
            let text = with_idle(&self.greeting, idle);
            self.table.set_text(self.replies.greeting, text);
        }
    }

    /// Does anything in this policy depend on who connects? If not, addresses need not be remembered.
    pub fn needs_addresses(&self) -> bool {
        let by_address = |c: &Check| c.per == Per::Address || c.counts == Counts::Hosts;
        self.ban.is_some() || self.checks.iter().any(|c| by_address(c) && c.limit != u32::MAX)
    }
}

/// A greeting that may tell the idle timer.
fn with_idle(greeting: &str, idle: Duration) -> String {
    greeting.replace("{idle_minutes}", &(idle.as_nanos() / 60_000_000_000).to_string())
}

fn lacks(key: &str, why: &str) -> Misfit {
    Misfit { key: key.to_owned(), why: why.to_owned() }
}

/// Turns what a profile says into what the machine obeys, and collects all texts on the way.
struct Compiler<'a> {
    table: &'a mut ReplyTable,
    message: &'a str,
}

impl Compiler<'_> {
    fn line(&mut self, line: &Line) -> ReplyId {
        self.table.add(line.code, &line.text, 0, None)
    }

    /// A reply of the second bank.
    fn apart(&mut self, line: &Line) -> ReplyId {
        self.table.add_apart(line.code, &line.text, None)
    }

    fn ending(&mut self, cause: Cause, farewell: &Farewell, value: u64) -> Ending {
        let text = farewell.text.replace("{msg}", self.message);
        let reply = (farewell.code != 0).then(|| self.table.add(farewell.code, &text, value, Some(cause)));
        let then = farewell.then.as_ref().map(|line| {
            let text = line.text.replace("{msg}", self.message);
            self.table.add(line.code, &text, value, Some(cause))
        });
        Ending { cause, reply, then, close: farewell.close, delay: farewell.delay.0, forks: farewell.forks }
    }

    /// The same with replies of the second bank.
    fn ending_apart(&mut self, cause: Cause, farewell: &Farewell) -> Ending {
        let mut add = |code, text: &str| {
            let text = text.replace("{msg}", self.message);
            self.table.add_apart(code, &text, Some(cause))
        };
        let reply = (farewell.code != 0).then(|| add(farewell.code, &farewell.text));
        let then = farewell.then.as_ref().map(|line| add(line.code, &line.text));
        Ending { cause, reply, then, close: farewell.close, delay: farewell.delay.0, forks: farewell.forks }
    }

    /// `idle` and `clients` are what a greeting may tell: the idle timer, and the limit on all clients.
    fn replies(&mut self, r: &profile::Replies, idle: Duration, clients: u64) -> Replies {
        let greeting = with_idle(&r.greeting.text, idle);
        Replies {
            greeting: self.table.add(r.greeting.code, &greeting, clients, None),
            user: self.line(&r.user),
            pass: self.line(&r.pass),
            pass_first: self.line(&r.pass_first),
            login_first: self.line(&r.login_first),
            cwd: self.line(&r.cwd),
            pwd: self.line(&r.pwd),
            pasv: self.line(&r.pasv),
            list: self.line(&r.list),
            retr: self.line(&r.retr),
            stor: self.line(&r.stor),
            listed: self.line(&r.listed),
            transferred: self.line(&r.transferred),
            no_data: self.line(&r.no_data),
            port: self.line(&r.port),
            abor: self.line(&r.abor),
            aborted: self.line(&r.aborted),
            abor_done: self.line(&r.abor_done),
            site_idle: self.line(&r.site_idle),
            noop: self.line(&r.noop),
            quit: self.line(&r.quit),
            unknown: self.line(&r.unknown),
            type_image: self.apart(&r.type_image),
            type_ascii: self.apart(&r.type_ascii),
            size: self.apart(&r.size),
            rest: self.apart(&r.rest),
            nlst_done: self.apart(r.nlst_done.as_ref().unwrap_or(&r.listed)),
            mlsd: self.apart(r.mlsd.as_ref().unwrap_or(&r.list)),
            mlsd_done: self.apart(r.mlsd_done.as_ref().unwrap_or(&r.listed)),
            told: ReplyId(0),
        }
    }
}
