//! Timing and position: what the moment, the place in the dialogue and what else is open speak for.
//!
//! It reads no text. Points are whole numbers, so that a verdict is the same on every machine; each stands for a likelihood ratio
//! of roughly two, and was tuned on the confusion matrix in `tests/it/classify`.

use super::evidence::{Data, Evidence};
use crate::ftp::Verb;
use crate::observe::{Cause, CloseHow, Phase};
use crate::time::Duration;

/// What speaks for a cause.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Signs {
    /// How common it is where it can be at all.
    pub prior: i32,
    /// When it came.
    pub timing: i32,
    /// Where it came, and what else was open.
    pub position: i32,
}

const SECOND: Duration = Duration::from_secs(1);

/// What speaks for `cause`; `None`: it cannot be.
pub(super) fn of(cause: Cause, e: &Evidence<'_>, nominal: Option<Duration>) -> Option<Signs> {
    let clock = |time: Duration| nice(time) + nominal.map_or(0, |nominal| near(time, nominal)) + wordless(e);
    let unasked = e.answers.is_none();
    match cause {
        Cause::MaxClients | Cause::MaxPerIp | Cause::MaxPerUser => limit(cause, e),
        Cause::RateLimit => at_door(e).then(|| Signs {
            prior: -2,
            timing: i32::from(e.code == 0),
            position: steps(e.recent_here, &[(2, 2), (4, 2), (6, 2), (10, 1), (20, 1)]) - 3
                + if e.open == 0 && e.recent_here >= 5 { 3 } else { 0 },
        }),
        Cause::Banned => Some(Signs {
            prior: if at_door(e) { 0 } else { -2 },
            timing: 0,
            position: steps(e.mistyped_here, &[(1, 2), (3, 3), (6, 1)])
                - if e.phase.is_logged_in() { 3 } else { 1 }
                + i32::from(at_door(e) && (e.code == 0 || e.code >= 500)),
        }),
        Cause::LoginTimeout => {
            (!e.phase.is_logged_in() && e.connected >= SECOND && !e.mistyped_now()).then(|| Signs {
                prior: 1,
                timing: clock(e.connected).max(clock(e.quiet)) + if unasked { 3 } else { -3 },
                position: 0,
            })
        }
        Cause::IdleTimeout => e.phase.is_logged_in().then(|| Signs {
            prior: 2,
            timing: clock(e.quiet) + if unasked { 2 } else { -5 },
            position: if e.phase == Phase::Transfer || e.data != Data::None { -3 } else { 0 },
        }),
        Cause::NoopIdleTimeout => (e.phase != Phase::Greeting && e.idle >= e.quiet + SECOND).then(|| Signs {
            prior: 0,
            timing: if unasked { -3 } else { 3 }
                + nominal.map_or(0, |nominal| i32::from(e.idle >= nominal) * 2),
            position: if e.phase.is_logged_in() { 0 } else { -2 },
        }),
        Cause::NoTransferTimeout => e.phase.is_logged_in().then(|| Signs {
            prior: 0,
            timing: clock(e.no_transfer) + if unasked { 2 } else { -5 },
            position: if e.no_transfer >= e.quiet + SECOND { 2 } else { -1 }
                + if matches!(e.data, Data::Open { .. }) { -6 } else { 0 },
        }),
        Cause::SessionTimeout => e.phase.is_logged_in().then(|| Signs {
            prior: -1,
            timing: clock(e.logged_in).max(clock(e.connected)) + if unasked { 2 } else { -2 },
            position: if e.logged_in >= e.quiet + SECOND { 1 } else { -2 },
        }),
        Cause::StalledTransfer => stalled(e, nominal),
        Cause::DataConnectTimeout => data_connect(e, nominal),
        Cause::LoginAttempts => login_attempts(e),
        Cause::ShuttingDown => Some(Signs {
            prior: -1,
            timing: i32::from(unasked && e.phase.is_logged_in()),
            position: steps(e.cut_beside, &[(1, 4), (3, 2), (10, 1)])
                + i32::from(matches!(e.code, 220 | 500) && at_door(e)) * 4
                - i32::from(e.close == Some(CloseHow::Rst)) * 6,
        }),
        Cause::Overload => Some(Signs { prior: -3, ..Signs::default() }),
        Cause::ResourceExhausted => Some(Signs { prior: -3, timing: 0, position: spent(e) }),
        Cause::CriticalError => Some(Signs {
            prior: -3,
            timing: 0,
            position: i32::from(e.code == 500 && e.close.is_some() && !at_door(e)) * 6,
        }),
        Cause::Reset => (e.code == 0 && e.close == Some(CloseHow::Rst)).then(|| Signs {
            prior: 2,
            timing: 0,
            position: steps(e.cut_beside, &[(1, 2)]),
        }),
        Cause::SilentClose => (e.code == 0).then(Signs::default),
        Cause::ConnectionRefused | Cause::ConnectTimeout => None,
    }
}

/// Servers say when a timer has run out, nearly all of them; and none resets a connection for that.
fn wordless(e: &Evidence<'_>) -> i32 {
    match (e.code, e.close) {
        (0, Some(CloseHow::Rst)) => -6,
        (0, _) => -3,
        _ => 0,
    }
}

/// Instead of a greeting, or before anything at all?
fn at_door(e: &Evidence<'_>) -> bool {
    matches!(e.phase, Phase::Accept | Phase::Greeting)
}

impl Evidence<'_> {
    /// Does this answer a password that the client knows to be wrong?
    pub(super) fn mistyped_now(&self) -> bool {
        self.mistyped && self.phase == Phase::Pass && matches!(self.answers, Some(Verb::Pass))
    }
}

/// A limit on connections or sessions: whom it counts shows in who else is there, and in who else is let in.
fn limit(cause: Cause, e: &Evidence<'_>) -> Option<Signs> {
    let asks_for_data = matches!(e.answers, Some(Verb::Pasv | Verb::Port));
    if e.phase.is_logged_in() && !(cause == Cause::MaxClients && asks_for_data) {
        return None;
    }
    let prior = match () {
        () if e.phase.is_logged_in() => -3,
        // Who gives the right password and is refused meets a limit, or is banned.
        () if e.mistyped_now() => -4,
        () => 2,
    };
    let timing = match e.answers {
        None if !at_door(e) => -3,
        // No limit thinks for so long.
        _ if e.quiet >= SECOND => -3,
        _ => 0,
    };
    let others_in = let_in(e.admitted_beside, e.refused_beside);
    let position = match cause {
        Cause::MaxClients => i32::from(e.open > 0) + i32::from(e.open_here == 0) - others_in,
        Cause::MaxPerIp if e.open_here == 0 => -6,
        Cause::MaxPerIp => {
            others_in
                + match e.open_there {
                    there if there > e.open_here => -3,
                    0 => -1, // nobody to compare with
                    _ => 1,
                }
        }
        _ if at_door(e) => return None,
        _ if e.open_user == 0 => -6,
        _ => let_in(e.admitted_others, e.refused_others) + i32::from(e.open_here == 0) - 1,
    };
    // A limit ends in order, or with the reset that the client's own unread words bring about.
    let reset = i32::from(e.code == 0 && e.close == Some(CloseHow::Rst) && e.answers.is_none()) * 3;
    Some(Signs { prior: prior - reset, timing, position })
}

/// Are the others let in (more than 0), or turned away as well (less)?
const fn let_in(admitted: u32, refused: u32) -> i32 {
    match (admitted, refused) {
        (0, 0) => 0,
        (_, 0) => 2,
        (0, _) => -2,
        (admitted, refused) if admitted / 2 >= refused => 1,
        _ => -1,
    }
}

fn stalled(e: &Evidence<'_>, nominal: Option<Duration>) -> Option<Signs> {
    let Data::Open { still } = e.data else { return None };
    let timing = match still {
        still if still < SECOND => -5,
        still => 5 + nice(still).max(0) + nominal.map_or(0, |nominal| near(still, nominal)),
    };
    (e.phase == Phase::Transfer).then_some(Signs { prior: 0, timing, position: 0 })
}

fn data_connect(e: &Evidence<'_>, nominal: Option<Duration>) -> Option<Signs> {
    let transfers = e.answers.is_some_and(Verb::is_transfer);
    let position = match e.data {
        Data::Open { .. } => return None,
        Data::Awaited { .. } if transfers => 3,
        Data::Awaited { .. } => 1,
        // Nothing came of a PORT: the server says so to PORT itself, or to the command behind it.
        Data::None if e.code == 425 && transfers => 3,
        Data::None if e.code == 425 && e.answers == Some(Verb::Port) => 2,
        Data::None => -4,
    };
    let timing = match e.data {
        Data::Awaited { since } if since >= SECOND => {
            3 + nice(since).max(0) + nominal.map_or(0, |nominal| near(since, nominal))
        }
        _ => 0,
    };
    e.phase.is_logged_in().then_some(Signs { prior: 0, timing, position })
}

fn login_attempts(e: &Evidence<'_>) -> Option<Signs> {
    if e.phase.is_logged_in() || at_door(e) {
        return None;
    }
    let wrong = if e.mistyped { 5 } else { -4 };
    Some(Signs {
        prior: 0,
        timing: i32::from(e.mistyped_now()),
        position: wrong + steps(u32::from(e.tries), &[(1, 0), (2, 1), (3, 1)]) + i32::from(e.close.is_some()),
    })
}

/// A host that has no more to give shows it where something new is asked of it.
fn spent(e: &Evidence<'_>) -> i32 {
    match (e.code, e.answers) {
        (425, Some(Verb::Pasv)) | (452, _) => 9,
        (425, Some(Verb::Port)) | (0, Some(Verb::Pasv | Verb::Port)) => 4,
        (451 | 426, Some(Verb::Stor)) => 5,
        _ => 0,
    }
}

/// The points of every step that `count` reaches.
fn steps(count: u32, at: &[(u32, i32)]) -> i32 {
    at.iter().filter(|(least, _)| count >= *least).map(|(_, points)| points).sum()
}

/// How much `time` looks like a timer's: administrators like round numbers of seconds, and a timer is late by a little and never
/// early. Less than a second is no timer.
pub(super) fn nice(time: Duration) -> i32 {
    let ms = time.as_nanos() / 1_000_000 + 20; // the client's clock began a little later than the server's
    let (secs, late) = (ms / 1_000, ms % 1_000);
    if secs == 0 {
        return -3;
    }
    let round = match secs {
        s if s % 300 == 0 => 5,
        s if s % 60 == 0 => 4,
        s if s % 10 == 0 => 3,
        s if s % 5 == 0 => 2,
        _ => 1,
    };
    match late {
        0..=120 => round,
        121..=550 => round - 1,
        _ => -2,
    }
}

/// Is `time` that of a timer of `nominal`?
fn near(time: Duration, nominal: Duration) -> i32 {
    let slack = Duration::from_millis(20);
    let late = Duration::from_millis(700) + Duration::from_nanos(nominal.as_nanos() / 100);
    if time + slack >= nominal && time <= nominal + late { 3 } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_round_number_of_seconds_looks_like_a_timer_and_an_odd_one_less() {
        let nice = |secs: f64| nice(Duration::from_secs_f64(secs));
        assert!(nice(300.01) > nice(60.01) && nice(60.01) > nice(5.01) && nice(5.01) > nice(7.01));
        assert!(nice(5.41) > nice(5.8), "ProFTPD is 0.4 s late");
        assert_eq!(nice(59.99), nice(60.0), "a client's clock begins with the handshake's last packet");
        assert!(nice(0.5) < 0);
    }

    #[test]
    fn from_one_address_alone_nobody_can_tell_whom_a_limit_counts() {
        let alone = Evidence {
            code: 421,
            phase: Phase::Greeting,
            open: 5,
            open_here: 5,
            close: Some(CloseHow::Fin),
            ..Evidence::default()
        };
        let sum =
            |cause, e: &Evidence<'_>| of(cause, e, None).map_or(-99, |s| s.prior + s.timing + s.position);
        let gap = |e: &Evidence<'_>| sum(Cause::MaxPerIp, e) - sum(Cause::MaxClients, e);
        assert!(gap(&alone).abs() < 4);
        assert!(gap(&Evidence { open_here: 0, open_there: 1, ..alone }) <= -4);
        assert!(gap(&Evidence { open: 7, open_there: 2, admitted_beside: 2, ..alone }) >= 4);
    }
}
