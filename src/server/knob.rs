//! What an administrator can change about a running server besides its limits: its timers, and how it takes wrong passwords.
//!
//! It reads no text: who gives an order does.

use super::policy::{Policy, ReplyId};
use super::{Action, Server};
use crate::id::ConnId;
use crate::outbox::Outbox;
use crate::time::Duration;

/// Something of the configuration. Its names are the keys of a scenario's `[server]`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Knob {
    /// The login timer, in milliseconds; 0 is off, as for each timer.
    LoginTimeout,
    /// The idle timer. What follows it in a profile follows it here.
    IdleTimeout,
    /// The timer of those who only keep alive.
    NoopIdleTimeout,
    /// The timer of an unfinished line.
    LineTimeout,
    /// The no-transfer timer.
    NoTransferTimeout,
    /// The session timer.
    SessionTimeout,
    /// The timer of a data connection that does not come.
    DataConnectTimeout,
    /// The timer of a transfer without progress.
    StalledTimeout,
    /// The wait before the answer to a wrong password, in milliseconds.
    LoginFailDelay,
    /// Wrong passwords until the session ends; 0 for no bound.
    MaxLoginAttempts,
}

impl Knob {
    /// All of them by name.
    pub const ALL: [(&'static str, Self); 10] = [
        ("login_timeout", Self::LoginTimeout),
        ("idle_timeout", Self::IdleTimeout),
        ("noop_idle_timeout", Self::NoopIdleTimeout),
        ("line_timeout", Self::LineTimeout),
        ("no_transfer_timeout", Self::NoTransferTimeout),
        ("session_timeout", Self::SessionTimeout),
        ("data_connect_timeout", Self::DataConnectTimeout),
        ("stalled_timeout", Self::StalledTimeout),
        ("login_fail_delay", Self::LoginFailDelay),
        ("max_login_attempts", Self::MaxLoginAttempts),
    ];

    /// Is its value a time?
    pub const fn is_time(self) -> bool {
        !matches!(self, Self::MaxLoginAttempts)
    }
}

/// A timer, and what may depend on its length.
struct Slot<'p> {
    after: &'p mut Duration,
    times_idle: u64,
    says: Vec<ReplyId>,
}

impl Slot<'_> {
    fn set(self, after: Duration) -> (Vec<ReplyId>, u64) {
        *self.after = if after.is_zero() { Duration::FOREVER } else { after };
        (self.says, after.as_nanos() / 1_000_000_000)
    }
}

impl Policy {
    /// Can `knob` be turned here? If not, why.
    ///
    /// # Errors
    /// The profile has no such timer, or it follows another one.
    pub fn has_knob(&self, knob: Knob) -> Result<(), &'static str> {
        if matches!(knob, Knob::LoginFailDelay | Knob::MaxLoginAttempts) {
            return Ok(());
        }
        match self.clone().slot(knob).map(|slot| slot.times_idle) {
            None => Err("has no such timer"),
            Some(0) => Ok(()),
            Some(_) => Err("lets that timer follow its idle_timeout"),
        }
    }

    /// How long the timer behind `knob` runs, if there is one.
    pub fn timer_length(&self, knob: Knob) -> Option<Duration> {
        self.clone().slot(knob).map(|slot| *slot.after)
    }

    fn slot(&mut self, knob: Knob) -> Option<Slot<'_>> {
        let timer = match knob {
            Knob::LoginTimeout => &mut self.login_timer,
            Knob::IdleTimeout => &mut self.idle_timer,
            Knob::NoopIdleTimeout => &mut self.noop_idle_timer,
            Knob::LineTimeout => &mut self.line_timer,
            Knob::NoTransferTimeout => &mut self.no_transfer_timer,
            Knob::SessionTimeout => &mut self.session_timer,
            Knob::DataConnectTimeout => &mut self.data_connect_timer,
            Knob::StalledTimeout => {
                let timer = self.stalled_timer.as_mut()?;
                let endings = [timer.upload, timer.download];
                let says = endings.iter().flat_map(|ending| ending.reply.into_iter().chain(ending.then));
                return Some(Slot {
                    after: &mut timer.after,
                    times_idle: timer.times_idle,
                    says: says.collect(),
                });
            }
            Knob::LoginFailDelay | Knob::MaxLoginAttempts => return None,
        };
        let timer = timer.as_mut()?;
        let endings = std::iter::once(timer.ending).chain(timer.active);
        let says = endings.flat_map(|ending| ending.reply.into_iter().chain(ending.then)).collect();
        Some(Slot { after: &mut timer.after, times_idle: timer.times_idle, says })
    }

    /// Sets `knob`, and the number that its texts name. What this server does not have stays away.
    pub(super) fn set_knob(&mut self, knob: Knob, value: u32) {
        let time = Duration::from_millis(u64::from(value));
        match knob {
            Knob::LoginFailDelay => self.login.fail_delay = time,
            Knob::MaxLoginAttempts => self.login.max_attempts = value,
            knob => {
                self.set_timer(knob, time);
                if knob == Knob::IdleTimeout {
                    self.follow_idle(time);
                }
            }
        }
    }

    fn set_timer(&mut self, knob: Knob, after: Duration) {
        let Some((says, secs)) = self.slot(knob).map(|slot| slot.set(after)) else { return };
        for reply in says {
            self.table.set_value(reply, secs);
        }
    }

    fn follow_idle(&mut self, idle: Duration) {
        for (_, knob) in Knob::ALL {
            let times = self.slot(knob).map_or(0, |slot| slot.times_idle);
            if times > 0 {
                self.set_timer(knob, idle * times);
            }
        }
        self.greet_with_idle(idle);
    }
}

impl Server {
    /// Sets `knob`. Timers hold for live sessions at once: each asks for a firing at its new time.
    pub(super) fn set_knob(&mut self, knob: Knob, value: u32, out: &mut impl Outbox<Action>) {
        self.policy.set_knob(knob, value);
        for place in 0..self.sessions.len() {
            let conn = ConnId::new(self.id, place as u32);
            if self.live(conn).is_some() {
                self.arm(conn, out);
            }
        }
    }
}
