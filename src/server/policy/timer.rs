//! The timers of a policy.
//!
//! It keeps no time: `timers` does.

use super::text::Ending;
use super::{Compiler, Misfit, Overrides, lacks};
use crate::observe::{Cause, CloseHow};
use crate::server::profile::{self, Profile};
use crate::time::Duration;

/// A timer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct Timer {
    /// How long; [`Duration::FOREVER`] is off.
    pub after: Duration,
    /// It is this many times the idle timer, also where a client has set that; 0 if it is one of its own.
    pub times_idle: u64,
    /// Login timer: does each command start it again?
    pub rearmed_by_command: bool,
    /// Idle timer: does a NOOP not start it again?
    pub ignores_noop: bool,
    /// Do bytes without a line end start it again?
    pub rearmed_by_bytes: bool,
    /// Data-connection timer: does it run from PASV on?
    pub from_pasv: bool,
    /// What happens when it fires.
    pub ending: Ending,
    /// Data-connection timer: what happens if the server was to connect, if that is something else.
    pub active: Option<Ending>,
}

/// The timer of a transfer without progress.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stalled {
    /// How long; [`Duration::FOREVER`] is off.
    pub after: Duration,
    /// It is this many times the idle timer; 0 if it is one of its own.
    pub times_idle: u64,
    /// Is progress looked at every `after` from the transfer's beginning?
    pub ticks: bool,
    /// So many more times `after` until the end of a download is told.
    pub download_lingers: u64,
    /// A transfer below this many bytes a second makes no progress.
    pub least_rate: u32,
    /// What a stalled upload meets.
    pub upload: Ending,
    /// What a stalled download or listing meets.
    pub download: Ending,
}

/// All timers, as they go into the policy.
pub(super) struct Timers {
    pub login: Option<Timer>,
    pub idle: Option<Timer>,
    pub noop_idle: Option<Timer>,
    pub line: Option<Timer>,
    pub no_transfer: Option<Timer>,
    pub session: Option<Timer>,
    pub data_connect: Option<Timer>,
    pub stalled: Option<Stalled>,
    pub site_idle_max: Duration,
    /// The idle timer, for texts; zero is off.
    pub idle_after: Duration,
}

impl Compiler<'_> {
    pub(super) fn timers(&mut self, profile: &Profile, overrides: &Overrides) -> Result<Timers, Misfit> {
        let timers = &profile.timer;
        let idle_after =
            overrides.idle_timeout.unwrap_or(timers.idle.as_ref().map_or(Duration::ZERO, |t| t.after.0));
        let name = &profile.name;
        let mut timer = |t: Option<&profile::Timer>, own: Option<Duration>, cause: Cause, key: &str| {
            let Some(t) = t else { return absent(own, key, name) };
            let after = length(t.times_idle, t.after.0, own, idle_after, key, name)?;
            Ok(Some(self.timer(t, after, cause)))
        };
        Ok(Timers {
            login: timer(
                timers.login.as_ref(),
                overrides.login_timeout,
                Cause::LoginTimeout,
                "login_timeout",
            )?,
            idle: timer(timers.idle.as_ref(), overrides.idle_timeout, Cause::IdleTimeout, "idle_timeout")?,
            noop_idle: timer(
                timers.noop_idle.as_ref(),
                overrides.noop_idle_timeout,
                Cause::NoopIdleTimeout,
                "noop_idle_timeout",
            )?,
            line: timer(timers.line.as_ref(), overrides.line_timeout, Cause::IdleTimeout, "line_timeout")?,
            no_transfer: timer(
                timers.no_transfer.as_ref(),
                overrides.no_transfer_timeout,
                Cause::NoTransferTimeout,
                "no_transfer_timeout",
            )?,
            session: timer(
                timers.session.as_ref(),
                overrides.session_timeout,
                Cause::SessionTimeout,
                "session_timeout",
            )?,
            data_connect: timer(
                timers.data_connect.as_ref(),
                overrides.data_connect_timeout,
                Cause::DataConnectTimeout,
                "data_connect_timeout",
            )?,
            stalled: match &timers.stalled {
                Some(t) => Some(self.stalled(t, overrides.stalled_timeout, idle_after, name)?),
                None => absent(overrides.stalled_timeout, "stalled_timeout", name)?,
            },
            site_idle_max: timers.idle.as_ref().map_or(Duration::ZERO, |t| t.site_idle_max.0),
            idle_after,
        })
    }

    fn timer(&mut self, timer: &profile::Timer, after: Duration, cause: Cause) -> Timer {
        let secs = after.as_nanos() / 1_000_000_000;
        let mut ending = self.ending(cause, &timer.refusal, secs);
        if ending.close == CloseHow::None && !may_stay(cause) {
            ending.close = CloseHow::Fin; // what fires once and for all cannot leave the session as it was
        }
        Timer {
            after: or_forever(after),
            times_idle: timer.times_idle,
            rearmed_by_command: timer.rearmed_by_command,
            ignores_noop: timer.ignores_noop,
            rearmed_by_bytes: timer.rearmed_by_bytes,
            from_pasv: timer.from_pasv,
            ending,
            active: timer.refusal_active.as_ref().map(|f| self.ending(cause, f, secs)),
        }
    }

    fn stalled(
        &mut self,
        timer: &profile::Stalled,
        own: Option<Duration>,
        idle: Duration,
        name: &str,
    ) -> Result<Stalled, Misfit> {
        let after = length(timer.times_idle, timer.after.0, own, idle, "stalled_timeout", name)?;
        let secs = after.as_nanos() / 1_000_000_000;
        Ok(Stalled {
            after: or_forever(after),
            times_idle: timer.times_idle,
            ticks: timer.ticks,
            download_lingers: timer.download_lingers,
            least_rate: timer.least_rate,
            upload: self.ending(Cause::StalledTransfer, &timer.upload, secs),
            download: self.ending(Cause::StalledTransfer, &timer.download, secs),
        })
    }
}

/// Can a session go on after a timer of this cause, so that it does not fire again at once?
const fn may_stay(cause: Cause) -> bool {
    !matches!(cause, Cause::LoginTimeout | Cause::SessionTimeout)
}

/// A timer that the profile lacks.
fn absent<T>(own: Option<Duration>, key: &str, name: &str) -> Result<Option<T>, Misfit> {
    match own {
        Some(_) => Err(lacks(key, &format!("{name} has no such timer"))),
        None => Ok(None),
    }
}

/// How long a timer runs; zero is off.
fn length(
    times_idle: u64,
    after: Duration,
    own: Option<Duration>,
    idle: Duration,
    key: &str,
    name: &str,
) -> Result<Duration, Misfit> {
    match own {
        Some(_) if times_idle > 0 => {
            let what = key.trim_end_matches("_timeout").replace('_', "-");
            Err(lacks(key, &format!("the {what} timer of {name} follows its idle_timeout")))
        }
        Some(own) => Ok(own),
        None if times_idle > 0 => Ok(idle * times_idle),
        None => Ok(after),
    }
}

fn or_forever(after: Duration) -> Duration {
    if after.is_zero() { Duration::FOREVER } else { after }
}
