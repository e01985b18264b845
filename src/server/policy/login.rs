//! Logging in and bans, as a policy has them.
//!
//! It remembers no offence: `ban` does.

use super::text::{Ending, ReplyId};
use super::{BanOverride, Compiler, Misfit, Overrides, lacks};
use crate::id::UserId;
use crate::observe::{Cause, CloseHow};
use crate::server::profile::{BanBy, CutsLive, Hammer, Offence, Profile};
use crate::time::Duration;

/// Logging in.
#[derive(Clone, PartialEq, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct Login {
    /// Wrong passwords until the session ends; 0 for no bound.
    pub max_attempts: u32,
    /// Does every 5yz reply before login count as one?
    pub errors_count: bool,
    /// The wait before the answer to the first wrong password.
    pub fail_delay: Duration,
    /// What each further one adds.
    pub fail_delay_growth: Duration,
    /// A uniform random wait from zero to this on top.
    pub fail_delay_jitter: Duration,
    /// What each wrong password so far adds to the wait before any further one is checked.
    pub check_delay_growth: Duration,
    /// The same for the answer to USER.
    pub user_delay_growth: Duration,
    /// A growing reluctance to read.
    pub hammer: Option<Hammer>,
    /// Is an anonymous user logged in by USER alone?
    pub anonymous_without_password: bool,
    /// Before login, is every verb but USER, PASS and QUIT told to log in first?
    pub locked: bool,
    /// The answer to a wrong password.
    pub failed: ReplyId,
    /// The end of a session with too many of them.
    pub exhausted: Ending,
    /// Users that are not welcome, in order.
    pub denied_users: Vec<UserId>,
    /// What they are told.
    pub denied: ReplyId,
    /// Are they told so right after USER?
    pub denied_at_user: bool,
    /// What an address that is not welcome meets at accept.
    pub denied_address: Option<Ending>,
}

impl Login {
    /// Is `user` one who is not welcome?
    pub(in crate::server) fn denies(&self, user: UserId) -> bool {
        !self.denied_users.is_empty() && self.denied_users.binary_search(&user).is_ok()
    }
}

/// A ban rule that is in force.
#[derive(Clone, PartialEq, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct Ban {
    /// What counts.
    pub offence: Offence,
    /// How many of them within the window.
    pub threshold: u32,
    /// The window; it begins with the first offence.
    pub window: Duration,
    /// How long the victim is banned.
    pub duration: Duration,
    /// Who is banned.
    pub by: BanBy,
    /// Does the time of the ban run from the victim's last attempt?
    pub from_last_attempt: bool,
    /// Does a login wipe the slate clean?
    pub success_resets: bool,
    /// How the banned are refused.
    pub ending: Ending,
    /// Are they refused as the answer to PASS?
    pub at_password: bool,
    /// Is that answer as late as one to a wrong password, and counts as one?
    pub as_wrong_password: bool,
    /// What becomes of their live sessions.
    pub cuts_live: CutsLive,
    /// Is the offender told?
    pub tells_offender: bool,
    /// What the offender meets instead of its own last reply.
    pub trigger: Option<Ending>,
}

/// What a ban is that an administrator orders.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ByHand {
    /// How the banned are refused.
    pub ending: Ending,
    /// Are they refused as the answer to PASS?
    pub at_password: bool,
    /// Is that answer as late as one to a wrong password, and counts as one?
    pub as_wrong_password: bool,
    /// What becomes of their live sessions.
    pub cuts_live: CutsLive,
}

impl Compiler<'_> {
    /// The profile's own ban, whether a rule is in force or not; else its list of unwelcome addresses; else a packet filter that
    /// resets. A filter looks at new connections only, and so does such a list.
    pub(super) fn by_hand(&mut self, profile: &Profile) -> ByHand {
        let (farewell, ban) = (profile.login.denied_address.as_ref(), profile.ban.as_ref());
        let ending = match ban.map(|known| &known.refusal).or(farewell) {
            Some(farewell) => self.ending_apart(Cause::Banned, farewell),
            None => Ending::silent(Cause::Banned, CloseHow::Rst),
        };
        let at_password = ban.is_some_and(|known| known.refuses_at_password);
        let cuts_live = ban.map_or(CutsLive::Never, |known| known.cuts_live);
        ByHand { ending, at_password, as_wrong_password: at_password, cuts_live }
    }

    pub(super) fn login(&mut self, profile: &Profile, overrides: &Overrides) -> Result<Login, Misfit> {
        let login = &profile.login;
        if login.denied_user.is_none() && !overrides.denied_users.is_empty() {
            return Err(lacks("denied_users", &format!("{} has no list of users to refuse", profile.name)));
        }
        if login.denied_address.is_none() && overrides.denied_addresses {
            let why = format!("{} has no list of addresses to refuse", profile.name);
            return Err(lacks("denied_addresses", &why));
        }
        let failed = self.line(&login.failed);
        let mut denied_users = overrides.denied_users.clone();
        denied_users.sort_unstable();
        Ok(Login {
            max_attempts: overrides.max_login_attempts.unwrap_or(login.max_attempts),
            errors_count: login.errors_count,
            fail_delay: overrides.login_fail_delay.unwrap_or(login.fail_delay.0),
            fail_delay_growth: login.fail_delay_growth.0,
            fail_delay_jitter: login.fail_delay_jitter.0,
            check_delay_growth: login.check_delay_growth.0,
            user_delay_growth: login.user_delay_growth.0,
            hammer: login.hammer,
            anonymous_without_password: login.anonymous_without_password,
            locked: login.locked,
            failed,
            exhausted: self.ending(Cause::LoginAttempts, &login.exhausted, 0),
            denied_users,
            denied: login.denied_user.as_ref().map_or(failed, |d| self.line(&d.reply)),
            denied_at_user: login.denied_user.as_ref().is_some_and(|d| d.at_user),
            denied_address: login.denied_address.as_ref().map(|f| self.ending(Cause::Banned, f, 0)),
        })
    }

    pub(super) fn ban(
        &mut self,
        profile: &Profile,
        wanted: Option<&BanOverride>,
    ) -> Result<Option<Ban>, Misfit> {
        let Some(wanted) = wanted else { return Ok(None) };
        let Some(known) = &profile.ban else {
            return Err(lacks("ban", &format!("{} has no ban logic of its own", profile.name)));
        };
        let unsaid = |what: &str| {
            lacks("ban", &format!("{} has no {what} of its own: the ban needs one", profile.name))
        };
        let time = |own: Option<Duration>, known: Duration, what: &str| match own.unwrap_or(known) {
            time if time.is_zero() => Err(unsaid(what)),
            time => Ok(time),
        };
        let threshold = wanted.threshold.unwrap_or(known.threshold);
        if threshold == 0 {
            return Err(unsaid("threshold"));
        }
        let by = wanted.by.unwrap_or(known.by);
        Ok(Some(Ban {
            offence: wanted.offence.unwrap_or(known.offence),
            threshold,
            window: time(wanted.window, known.window.0, "window")?,
            duration: time(wanted.duration, known.duration.0, "duration")?,
            by,
            from_last_attempt: known.from_last_attempt,
            success_resets: known.success_resets,
            ending: self.ending(Cause::Banned, &known.refusal, 0),
            at_password: known.refuses_at_password || by != BanBy::Address, // nobody's name is known earlier
            as_wrong_password: known.refuses_at_password,
            cuts_live: known.cuts_live,
            tells_offender: known.tells_offender,
            trigger: known.trigger.as_ref().map(|f| self.ending(Cause::Banned, f, 0)),
        }))
    }
}
