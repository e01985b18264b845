//! Which limits there are, from how many were let in from one address and from many, as one user and as many.
//!
//! It goes by the pattern: a limit on an address is one that more addresses lift. What the server says is evidence beside it, for a text
//! may be translated or wrong; a cause that no pattern of ramps can show (a ban, a rate limit) is taken from the text.

use super::plan::Kind;
use super::ramp::{Met, Ramp};
use crate::classify::Confidence;
use crate::observe::Cause;

/// The ramps of one kind.
#[derive(Clone, PartialEq, Debug)]
pub struct Ramps {
    /// From where and as whom.
    pub kind: Kind,
    /// Each repeat.
    pub all: Vec<Ramp>,
}

impl Ramps {
    /// The numbers that were let in, rising.
    pub fn admitted(&self) -> Vec<u32> {
        let mut numbers: Vec<u32> = self.all.iter().map(|ramp| ramp.admitted).collect();
        numbers.sort_unstable();
        numbers
    }

    /// The lower median of them.
    pub fn typical(&self) -> u32 {
        let numbers = self.admitted();
        numbers.get(numbers.len().saturating_sub(1) / 2).copied().unwrap_or(0)
    }

    /// Was anybody not let in, in most of them?
    pub fn is_reached(&self) -> bool {
        2 * self.all.iter().filter(|ramp| ramp.is_reached()).count() > self.all.len()
    }

    /// What the first who was not let in met, in the first ramp in which somebody was not.
    pub fn met(&self) -> Option<&Met> {
        self.all.iter().find_map(|ramp| ramp.refused.as_ref())
    }

    /// The limit, if there was one.
    fn limit(&self) -> Option<u32> {
        self.is_reached().then(|| self.typical())
    }
}

/// A limit, or how far it was looked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Limit {
    /// It lets in so many. The ramps of this kind say so.
    Found {
        /// So many.
        value: u32,
        /// The kind of ramp that it ended.
        kind: Kind,
        /// Did ramps with and without it differ? Otherwise the server's word was all there was.
        by_pattern: bool,
    },
    /// It lets in at least so many, if there is one.
    AtLeast(u32),
}

impl Limit {
    /// The limit that was found.
    pub fn value(self) -> Option<u32> {
        match self {
            Self::Found { value, .. } => Some(value),
            Self::AtLeast(_) => None,
        }
    }
}

/// The limits of a server.
#[derive(Clone, PartialEq, Debug)]
pub struct Limits {
    /// On all clients.
    pub max_clients: Limit,
    /// On one address.
    pub max_per_ip: Limit,
    /// On one account.
    pub max_per_user: Limit,
    /// On the hosts of one account.
    pub hosts_per_user: Option<u32>,
    /// What could not be told, and why.
    pub notes: Vec<String>,
}

/// Reads the limits from the ramps of each kind. `accounts` is how many users there were.
pub fn read(ramps: &[Ramps], accounts: u32) -> Limits {
    let seen = Seen { ramps };
    let [one, many, users, both] = [(false, false), (true, false), (false, true), (true, true)]
        .map(|(many_addresses, many_users)| Kind { many_addresses, many_users });
    let mut notes = Vec::new();
    let max_per_ip = seen.lifted(one, many).or_else(|| seen.lifted(users, both));
    let hosts_per_user = seen.fewer_from_many(one, many);
    let by_users = || if hosts_per_user.is_some() { None } else { seen.lifted(many, both) };
    let max_per_user = seen.lifted(one, users).or_else(by_users);
    let widest = [both, many, users, one].into_iter().find(|kind| seen.of(*kind).is_some());
    let mut limits = Limits {
        max_clients: Limit::AtLeast(seen.most(|_| true)),
        max_per_ip: max_per_ip.unwrap_or(Limit::AtLeast(seen.most(|kind| !kind.many_addresses))),
        max_per_user: max_per_user.unwrap_or(Limit::AtLeast(seen.most(|kind| !kind.many_users))),
        hosts_per_user,
        notes: Vec::new(),
    };
    let Some((kind, value)) = widest.and_then(|kind| Some((kind, seen.of(kind)?.limit()?))) else {
        return limits;
    };
    let told = seen.of(kind).and_then(Ramps::met).and_then(told);
    let spent = |limit: Limit| limit.value().is_some_and(|each| each.saturating_mul(accounts) == value);
    let found = |by_pattern| Limit::Found { value, kind, by_pattern };
    if kind.many_users && spent(limits.max_per_user) && told.is_none_or(|cause| cause == Cause::MaxPerUser) {
        notes.push(format!(
            "{accounts} accounts were all in use: a limit on all clients would need more of them (--user)"
        ));
    } else if limits.hosts_per_user == Some(value) {
        // The ramp of new addresses ended at it.
    } else {
        match told {
            Some(Cause::MaxPerUser) if !kind.many_users => limits.max_per_user = found(false),
            Some(Cause::MaxPerIp) if !kind.many_addresses => limits.max_per_ip = found(false),
            Some(Cause::MaxClients) | None => limits.max_clients = found(kind == both),
            Some(cause) if is_limit(cause) => {
                limits.max_clients = found(kind == both);
                notes.push(format!("the server's text says {cause}, which the ramps do not show"));
            }
            Some(cause) => notes.push(format!("what ended the ramp was no limit on clients but {cause}")),
        }
        if told.is_none() && kind != both {
            notes.push(unsure(kind));
        }
    }
    limits.notes = notes;
    limits
}

/// Is it a limit on how many there are at once?
pub fn is_limit(cause: Cause) -> bool {
    matches!(cause, Cause::MaxClients | Cause::MaxPerIp | Cause::MaxPerUser)
}

/// The cause of a refusal that ended a ramp of `kind`, and whether the pattern of the ramps stands behind it.
pub fn cause(met: &Met, kind: Kind, admitted: u32, limits: &Limits) -> (Cause, bool) {
    let ends = |limit: Limit| limit.value() == Some(admitted);
    let by_pattern = [
        (Cause::MaxPerIp, !kind.many_addresses && ends(limits.max_per_ip)),
        (Cause::MaxPerUser, !kind.many_users && ends(limits.max_per_user)),
        (Cause::MaxClients, ends(limits.max_clients)),
    ];
    let fits: Vec<Cause> = by_pattern.into_iter().filter(|(_, fits)| *fits).map(|(cause, _)| cause).collect();
    match told(met) {
        Some(told) if fits.contains(&told) => (told, true),
        Some(told) if !is_limit(told) || fits.is_empty() => (told, false),
        _ => fits.first().map_or((met.refusal.cause, false), |cause| (*cause, true)),
    }
}

/// The cause that the server's own words tell, if they tell one with some certainty.
fn told(met: &Met) -> Option<Cause> {
    let tells_nothing = matches!(
        met.refusal.cause,
        Cause::LoginAttempts | Cause::SilentClose | Cause::Reset | Cause::CriticalError
    );
    let sure =
        met.said.as_ref().and_then(|said| said.verdict).is_none_or(|v| v.confidence > Confidence::Guess);
    (!met.mistaken && !tells_nothing && sure).then_some(met.refusal.cause)
}

fn unsure(kind: Kind) -> String {
    let lacks = match (kind.many_addresses, kind.many_users) {
        (true, false) => "a limit on all clients or on one user: a second --user would tell",
        (false, true) => "a limit on all clients or on one address: there was only one address to come from",
        _ => "a limit on all clients, on one address or on one user: there was only one of each",
    };
    format!("nothing tells whether it is {lacks}")
}

/// The ramps, by kind.
struct Seen<'a> {
    ramps: &'a [Ramps],
}

impl Seen<'_> {
    fn of(&self, kind: Kind) -> Option<&Ramps> {
        self.ramps.iter().find(|ramps| ramps.kind == kind)
    }

    /// The most that were let in over all ramps of such a kind.
    fn most(&self, of: impl Fn(Kind) -> bool) -> u32 {
        self.ramps.iter().filter(|ramps| of(ramps.kind)).map(Ramps::typical).max().unwrap_or(0)
    }

    /// The limit that ended `narrow` and that `wide` is free of, if more were let in there.
    fn lifted(&self, narrow: Kind, wide: Kind) -> Option<Limit> {
        let (narrow, wide) = (self.of(narrow)?, self.of(wide)?);
        let value = narrow.limit()?;
        (value < wide.typical()).then_some(Limit::Found { value, kind: narrow.kind, by_pattern: true })
    }

    /// One account from many addresses got in fewer times than from one: hosts are counted.
    fn fewer_from_many(&self, one: Kind, many: Kind) -> Option<u32> {
        let (one, many) = (self.of(one)?, self.of(many)?);
        many.limit().filter(|value| *value < one.typical())
    }
}
