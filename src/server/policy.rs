//! The policy that a server machine obeys: a profile with a scenario's overrides, compiled for the hot path.
//!
//! It holds no state of any connection.

use super::profile::{self, Counts, CutsLive, Farewell, Line, Offence, Per, Profile, Stage};
use crate::observe::{Cause, CloseHow};
use crate::time::Duration;

/// A reply's place in the [`ReplyTable`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ReplyId(pub u16);

/// Everything that a server may say.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct ReplyTable {
    entries: Vec<ReplyEntry>,
}

/// One reply.
#[derive(Clone, PartialEq, Debug)]
pub struct ReplyEntry {
    /// The three-digit code.
    pub code: u16,
    /// The text with its placeholders.
    pub text: String,
    /// The limit or the number of seconds that the text may name.
    pub value: u64,
    /// The reason, if the reply refuses something.
    pub cause: Option<Cause>,
}

impl ReplyTable {
    fn add(&mut self, code: u16, text: &str, value: u64, cause: Option<Cause>) -> ReplyId {
        let id = u16::try_from(self.entries.len()).expect("a profile has fewer than 65 536 replies");
        self.entries.push(ReplyEntry { code, text: text.to_owned(), value, cause });
        ReplyId(id)
    }

    /// Every reply.
    pub fn iter(&self) -> impl Iterator<Item = (ReplyId, &ReplyEntry)> {
        self.entries.iter().enumerate().map(|(place, entry)| (ReplyId(place as u16), entry))
    }

    /// The reply behind `id`.
    pub fn get(&self, id: ReplyId) -> &ReplyEntry {
        &self.entries[usize::from(id.0)]
    }
}

/// How a connection is ended: what is said, and how TCP ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ending {
    /// Why.
    pub cause: Cause,
    /// What is said first, if anything.
    pub reply: Option<ReplyId>,
    /// How TCP ends.
    pub close: CloseHow,
    /// Is it said by a process of its own, which counts where processes are counted until it is reaped?
    pub forks: bool,
}

impl Ending {
    /// An end without a word.
    pub const fn silent(cause: Cause, close: CloseHow) -> Self {
        Self { cause, reply: None, close, forks: false }
    }
}

/// A limit.
#[derive(Clone, PartialEq, Debug)]
pub struct Check {
    /// The name that a scenario sets it by.
    pub knob: String,
    /// The server's own name for it.
    pub setting: String,
    /// When it is checked.
    pub stage: Stage,
    /// What it counts.
    pub counts: Counts,
    /// Whose.
    pub per: Per,
    /// The limit as its administrator writes it; 0 is no limit.
    pub configured: u32,
    /// This many are let in; `u32::MAX` is no limit.
    pub limit: u32,
    /// What the next one meets.
    pub ending: Ending,
    reserved: u32,
    cap: u32,
}

impl Check {
    /// Sets the limit to `configured` as its administrator writes it: 0 is no limit, and what the server itself takes is
    /// taken off.
    fn configure(&mut self, configured: u32) {
        self.configured = configured;
        let own = if configured == 0 { u32::MAX } else { configured.saturating_sub(self.reserved) };
        self.limit = own.min(self.cap);
    }
}

/// A timer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Timer {
    /// How long; [`Duration::FOREVER`] is off.
    pub after: Duration,
    /// Does each command start it again?
    pub rearmed_by_command: bool,
    /// What happens when it fires.
    pub ending: Ending,
}

/// Logging in.
#[derive(Clone, PartialEq, Debug)]
pub struct Login {
    /// Wrong passwords until the session ends; 0 for no bound.
    pub max_attempts: u32,
    /// The wait before the answer to the first wrong password.
    pub fail_delay: Duration,
    /// What each further one adds.
    pub fail_delay_growth: Duration,
    /// A uniform random wait from zero to this on top.
    pub fail_delay_jitter: Duration,
    /// Is an anonymous user logged in by USER alone?
    pub anonymous_without_password: bool,
    /// Before login, is every verb but USER, PASS and QUIT told to log in first?
    pub locked: bool,
    /// The answer to a wrong password.
    pub failed: ReplyId,
    /// The end of a session with too many of them.
    pub exhausted: Ending,
}

/// A ban rule that is in force.
#[derive(Clone, PartialEq, Debug)]
pub struct Ban {
    /// What counts.
    pub offence: Offence,
    /// How many of them within the window.
    pub threshold: u32,
    /// The window; it begins with the first offence.
    pub window: Duration,
    /// How long the address is banned.
    pub duration: Duration,
    /// How a banned address is refused.
    pub ending: Ending,
    /// Are its live sessions cut at their next command?
    pub cuts_live: CutsLive,
    /// Is the offender told?
    pub tells_offender: bool,
}

/// The replies of an untroubled session.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "each is the reply of the same name in `profile::Replies`")]
pub struct Replies {
    pub greeting: ReplyId,
    pub user: ReplyId,
    pub pass: ReplyId,
    pub pass_first: ReplyId,
    pub login_first: ReplyId,
    pub cwd: ReplyId,
    pub pwd: ReplyId,
    pub pasv: ReplyId,
    pub list: ReplyId,
    pub retr: ReplyId,
    pub stor: ReplyId,
    pub listed: ReplyId,
    pub transferred: ReplyId,
    pub no_data: ReplyId,
    pub port: ReplyId,
    pub abor: ReplyId,
    pub aborted: ReplyId,
    pub abor_done: ReplyId,
    pub site_idle: ReplyId,
    pub noop: ReplyId,
    pub quit: ReplyId,
    pub unknown: ReplyId,
}

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
    /// With nothing but keep-alive commands.
    pub noop_idle_timer: Option<Timer>,
    /// Without a transfer.
    pub no_transfer_timer: Option<Timer>,
    /// From login on.
    pub session_timer: Option<Timer>,
    /// Logging in.
    pub login: Login,
    /// The ban rule, if one is in force.
    pub ban: Option<Ban>,
    /// What a new connection meets during an announced shutdown; `None`: TCP refuses it.
    pub shutdown_new: Option<Ending>,
    /// What a live session meets at the deadline of an announced shutdown.
    pub shutdown_live: Ending,
    /// From the close to the free slot.
    pub slot_release: Duration,
    /// From accept to the greeting.
    pub greeting_cost: Duration,
    /// From PASS to the 230.
    pub login_cost: Duration,
    /// Any other command.
    pub command_cost: Duration,
    /// The replies of an untroubled session.
    pub replies: Replies,
    /// The texts behind all replies.
    pub table: ReplyTable,
}

/// What a scenario changes about a profile. `None` keeps the profile's own value.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Overrides {
    /// Limits by knob, as an administrator writes them; 0 is no limit.
    pub limits: Vec<(String, u32)>,
    /// The number of passive ports, where it bounds the clients.
    pub passive_ports: Option<u32>,
    /// The login timer; zero is off, as for each timer.
    pub login_timeout: Option<Duration>,
    /// The idle timer.
    pub idle_timeout: Option<Duration>,
    /// The no-transfer timer.
    pub no_transfer_timeout: Option<Duration>,
    /// The session timer.
    pub session_timeout: Option<Duration>,
    /// Wrong passwords until the session ends.
    pub max_login_attempts: Option<u32>,
    /// The wait before the answer to a wrong password.
    pub login_fail_delay: Option<Duration>,
    /// The ban rule.
    pub ban: Option<BanOverride>,
    /// The administrator's message in a shutdown or ban text.
    pub message: Option<String>,
    /// Times to answer; they replace the profile's three.
    pub greeting_cost: Option<Duration>,
    /// From PASS to the 230.
    pub login_cost: Option<Duration>,
    /// Any other command.
    pub command_cost: Option<Duration>,
}

/// A ban rule as a scenario writes it.
#[derive(Clone, PartialEq, Debug)]
pub struct BanOverride {
    /// What counts, if not what the profile counts.
    pub offence: Option<Offence>,
    /// How many of them.
    pub threshold: u32,
    /// Within this time of the first.
    pub window: Duration,
    /// For this long.
    pub duration: Duration,
}

/// Why an override does not fit its profile.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Misfit {
    /// The override's key.
    pub key: String,
    /// What the profile lacks, and what it has instead.
    pub why: String,
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
        if profile.timer.login.as_ref().is_some_and(|t| t.times_idle > 0) && overrides.login_timeout.is_some()
        {
            let why = format!("the login timer of {} follows its idle_timeout", profile.name);
            return Err(lacks("login_timeout", &why));
        }
        let idle_after = overrides
            .idle_timeout
            .unwrap_or(profile.timer.idle.as_ref().map_or(Duration::ZERO, |t| t.after.0));
        let timer = |c: &mut Compiler<'_>, t: &profile::Timer, own: Option<Duration>, cause| {
            c.timer(
                t,
                own.unwrap_or(if t.times_idle > 0 { idle_after * t.times_idle } else { t.after.0 }),
                cause,
            )
        };
        let optional =
            |c: &mut Compiler<'_>, t: Option<&profile::Timer>, own: Option<Duration>, cause, key: &str| {
                match t {
                    Some(t) => Ok(Some(timer(c, t, own, cause))),
                    None if own.is_some() => Err(lacks(key, &format!("{} has no such timer", profile.name))),
                    None => Ok(None),
                }
            };
        let timers = &profile.timer;
        Ok(Self {
            profile: profile.name.clone(),
            checks,
            lateness: timers.lateness.0,
            login_timer: optional(
                &mut compiler,
                timers.login.as_ref(),
                overrides.login_timeout,
                Cause::LoginTimeout,
                "login_timeout",
            )?,
            idle_timer: optional(
                &mut compiler,
                timers.idle.as_ref(),
                overrides.idle_timeout,
                Cause::IdleTimeout,
                "idle_timeout",
            )?,
            noop_idle_timer: timers
                .noop_idle
                .as_ref()
                .map(|t| timer(&mut compiler, t, None, Cause::NoopIdleTimeout)),
            no_transfer_timer: optional(
                &mut compiler,
                timers.no_transfer.as_ref(),
                overrides.no_transfer_timeout,
                Cause::NoTransferTimeout,
                "no_transfer_timeout",
            )?,
            session_timer: optional(
                &mut compiler,
                timers.session.as_ref(),
                overrides.session_timeout,
                Cause::SessionTimeout,
                "session_timeout",
            )?,
            login: Login {
                max_attempts: overrides.max_login_attempts.unwrap_or(profile.login.max_attempts),
                fail_delay: overrides.login_fail_delay.unwrap_or(profile.login.fail_delay.0),
                fail_delay_growth: profile.login.fail_delay_growth.0,
                fail_delay_jitter: profile.login.fail_delay_jitter.0,
                anonymous_without_password: profile.login.anonymous_without_password,
                locked: profile.login.locked,
                failed: compiler.line(&profile.login.failed),
                exhausted: compiler.ending(Cause::LoginAttempts, &profile.login.exhausted, 0),
            },
            ban: compiler.ban(profile, overrides.ban.as_ref())?,
            shutdown_new: profile.shutdown.new.as_ref().map(|f| compiler.ending(Cause::ShuttingDown, f, 0)),
            shutdown_live: match &profile.shutdown.live {
                Some(f) => compiler.ending(Cause::ShuttingDown, f, 0),
                None => Ending::silent(Cause::ShuttingDown, CloseHow::Fin),
            },
            slot_release: profile.slot.release.mean,
            greeting_cost: overrides.greeting_cost.unwrap_or(profile.cost.greeting.0),
            login_cost: overrides.login_cost.unwrap_or(profile.cost.login.0),
            command_cost: overrides.command_cost.unwrap_or(profile.cost.command.0),
            replies: compiler.replies(&profile.reply, idle_after, clients),
            table,
        })
    }

    /// The place in check order of the limit called `knob`.
    pub fn check_named(&self, knob: &str) -> Option<usize> {
        self.checks.iter().position(|check| check.knob == knob)
    }

    /// Sets the limit at place `check` as an administrator would (0 is no limit), and the number that its text names.
    pub fn set_limit(&mut self, check: usize, configured: u32) {
        let Some(check) = self.checks.get_mut(check) else { return };
        check.configure(configured);
        if let Some(reply) = check.ending.reply {
            self.table.entries[usize::from(reply.0)].value = u64::from(check.limit);
        }
        self.table.entries[usize::from(self.replies.greeting.0)].value = clients(&self.checks);
    }

    /// Does anything in this policy depend on who connects? If not, addresses need not be remembered.
    pub fn needs_addresses(&self) -> bool {
        self.ban.is_some() || self.checks.iter().any(|c| c.per == Per::Address && c.limit != u32::MAX)
    }
}

/// The limit on all clients, which a greeting may tell.
fn clients(checks: &[Check]) -> u64 {
    checks.iter().find(|c| c.per == Per::Server).map_or(0, |c| u64::from(c.limit))
}

fn lacks(key: &str, why: &str) -> Misfit {
    Misfit { key: key.to_owned(), why: why.to_owned() }
}

struct Compiler<'a> {
    table: &'a mut ReplyTable,
    message: &'a str,
}

impl Compiler<'_> {
    fn line(&mut self, line: &Line) -> ReplyId {
        self.table.add(line.code, &line.text, 0, None)
    }

    fn ending(&mut self, cause: Cause, farewell: &Farewell, value: u64) -> Ending {
        let text = farewell.text.replace("{msg}", self.message);
        let reply = (farewell.code != 0).then(|| self.table.add(farewell.code, &text, value, Some(cause)));
        Ending { cause, reply, close: farewell.close, forks: farewell.forks }
    }

    fn timer(&mut self, timer: &profile::Timer, after: Duration, cause: Cause) -> Timer {
        let secs = after.as_nanos() / 1_000_000_000;
        Timer {
            after: if after.is_zero() { Duration::FOREVER } else { after },
            rearmed_by_command: timer.rearmed_by_command,
            ending: self.ending(cause, &timer.refusal, secs),
        }
    }

    fn checks(&mut self, profile: &Profile, overrides: &Overrides) -> Result<Vec<Check>, Misfit> {
        if let Some((knob, _)) =
            overrides.limits.iter().find(|(k, _)| profile.limits.iter().all(|l| l.knob != *k))
        {
            let known: Vec<&str> = profile.limits.iter().map(|l| l.knob.as_str()).collect();
            let has = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
            return Err(lacks(knob, &format!("{} has no such limit; its limits are: {has}", profile.name)));
        }
        if overrides.passive_ports.is_some() && profile.limits.iter().all(|l| l.passive_ports_each == 0) {
            return Err(lacks("passive_ports", &format!("passive ports bound no limit of {}", profile.name)));
        }
        Ok(profile
            .limits
            .iter()
            .map(|limit| {
                let configured = overrides
                    .limits
                    .iter()
                    .rev()
                    .find(|(k, _)| *k == limit.knob)
                    .map_or(limit.default, |(_, v)| *v);
                let mut check = Check {
                    knob: limit.knob.clone(),
                    setting: limit.setting.clone(),
                    stage: limit.stage,
                    counts: limit.counts,
                    per: limit.per,
                    configured: 0,
                    limit: u32::MAX,
                    ending: self.ending(limit.cause, &limit.refusal, 0),
                    reserved: limit.reserved,
                    cap: match overrides.passive_ports {
                        Some(ports) if limit.passive_ports_each > 0 => ports / limit.passive_ports_each,
                        _ => u32::MAX,
                    },
                };
                check.configure(configured);
                if let Some(reply) = check.ending.reply {
                    self.table.entries[usize::from(reply.0)].value = u64::from(check.limit);
                }
                check
            })
            .collect())
    }

    fn ban(&mut self, profile: &Profile, wanted: Option<&BanOverride>) -> Result<Option<Ban>, Misfit> {
        let Some(wanted) = wanted else { return Ok(None) };
        let Some(known) = &profile.ban else {
            return Err(lacks("ban", &format!("{} has no ban logic of its own", profile.name)));
        };
        Ok(Some(Ban {
            offence: wanted.offence.unwrap_or(known.offence),
            threshold: wanted.threshold,
            window: wanted.window,
            duration: wanted.duration,
            ending: self.ending(Cause::Banned, &known.refusal, 0),
            cuts_live: known.cuts_live,
            tells_offender: known.tells_offender,
        }))
    }

    /// `idle` and `clients` are what a greeting may tell: the idle timer, and the limit on all clients.
    fn replies(&mut self, r: &profile::Replies, idle: Duration, clients: u64) -> Replies {
        let minutes = (idle.as_nanos() / 60_000_000_000).to_string();
        let greeting = r.greeting.text.replace("{idle_minutes}", &minutes);
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
        }
    }
}
