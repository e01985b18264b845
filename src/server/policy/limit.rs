//! The limits of a policy, in check order.
//!
//! It counts nothing: `admission` does.

use super::text::Ending;
use super::{Compiler, Misfit, Overrides, lacks};
use crate::server::profile::{Counts, Per, Profile, Stage, Whom};
use crate::time::Duration;

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
    /// Who is checked.
    pub whom: Whom,
    /// `recent`: within this time.
    pub window: Duration,
    /// Does it bind only at the very number, and not above it?
    pub only_when_equal: bool,
    /// Per class: do addresses of no class make up one of their own?
    pub classless_too: bool,
    /// The limit as its administrator writes it; 0 is no limit.
    pub configured: u32,
    /// This many are let in; `u32::MAX` is no limit.
    pub limit: u32,
    /// What the next one meets.
    pub ending: Ending,
    reserved: u32,
    /// Passive ports, and how many of them each client may need; 0 of them: they do not matter.
    ports: u32,
    ports_each: u32,
}

impl Check {
    /// Sets the limit to `configured` as its administrator writes it: 0 is no limit, and what the server itself takes is
    /// taken off.
    pub(super) fn configure(&mut self, configured: u32) {
        self.configured = configured;
        self.limit = self.own().min(self.enough_ports_for());
    }

    /// The limit if there are passive ports enough.
    const fn own(&self) -> u32 {
        if self.configured == 0 { u32::MAX } else { self.configured.saturating_sub(self.reserved) }
    }

    fn enough_ports_for(&self) -> u32 {
        self.ports.checked_div(self.ports_each).unwrap_or(u32::MAX)
    }

    /// How many passive ports there are, if these are what the limit is.
    pub fn held_down_by_ports(&self) -> Option<u32> {
        (self.limit < self.own()).then_some(self.ports)
    }

    /// Changes the number of passive ports, if they matter to this limit.
    pub(super) fn set_ports(&mut self, ports: u32) {
        self.ports = ports;
        self.configure(self.configured);
    }

    /// Does the limit bind where so many are present already?
    pub(in crate::server) fn is_met_by(&self, present: u32) -> bool {
        if self.only_when_equal { present == self.limit } else { present >= self.limit }
    }
}

/// The limit on all clients, which a greeting may tell.
pub(super) fn clients(checks: &[Check]) -> u64 {
    checks.iter().find(|c| c.per == Per::Server).map_or(0, |c| u64::from(c.limit))
}

impl Compiler<'_> {
    pub(super) fn checks(&mut self, profile: &Profile, overrides: &Overrides) -> Result<Vec<Check>, Misfit> {
        if let Some((knob, _)) =
            overrides.limits.iter().find(|(k, _)| profile.limits.iter().all(|l| l.knob != *k))
        {
            let known: Vec<&str> = profile.limits.iter().map(|l| l.knob.as_str()).collect();
            let has = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
            return Err(lacks(knob, &format!("{} has no such limit; its limits are: {has}", profile.name)));
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
                    whom: limit.whom,
                    window: limit.window.0,
                    only_when_equal: limit.only_when_equal,
                    classless_too: limit.classless_too,
                    configured: 0,
                    limit: u32::MAX,
                    ending: self.ending(limit.cause, &limit.refusal, 0),
                    reserved: limit.reserved,
                    ports: overrides.passive_ports.unwrap_or(u32::MAX),
                    ports_each: overrides.passive_ports.map_or(0, |_| limit.passive_ports_each),
                };
                check.configure(configured);
                self.name_limit(&check);
                check
            })
            .collect())
    }

    /// Lets the texts of a limit name its number.
    fn name_limit(&mut self, check: &Check) {
        for reply in check.ending.reply.into_iter().chain(check.ending.then) {
            self.table.set_value(reply, u64::from(check.limit));
        }
    }
}
