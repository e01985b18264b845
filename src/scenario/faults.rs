//! Reading `[[faults]]`: what goes wrong, and when.
//!
//! It turns a fault into what the server is told, and does nothing of it.

use super::reader::{Read, Reader};
use super::server::read_limits;
use super::value::Value;
use crate::chaos::{Effect, Fault};
use crate::id::ServerId;
use crate::server::{Control, Policy};
use crate::time::{Duration, Instant};

#[derive(Clone, Copy)]
enum Kind {
    Shutdown,
    Reload,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Drain,
    Announce,
    Cut,
    Crash,
    Hang,
}

const KINDS: [(&str, Kind); 2] = [("shutdown", Kind::Shutdown), ("reload", Kind::Reload)];
const FORMS: [(&str, Form); 5] = [
    ("drain", Form::Drain),
    ("announce", Form::Announce),
    ("cut", Form::Cut),
    ("crash", Form::Crash),
    ("hang", Form::Hang),
];

/// All faults in the order of their times.
pub(super) fn read_all(root: &mut Reader<'_>, end: Duration, policy: &Policy) -> Read<Vec<Fault>> {
    let tables = root.get("faults", |v| v.tables(1_000, "[[faults]]"))?.unwrap_or_default();
    let mut faults = tables.into_iter().map(|table| read(table, end, policy)).collect::<Read<Vec<_>>>()?;
    faults.sort_by_key(|fault| fault.at);
    Ok(faults)
}

/// A note for each fault that begins before an earlier one is over: what both tell the server takes effect in order of time.
pub(super) fn overlaps(faults: &[Fault]) -> impl Iterator<Item = String> {
    let pairs = faults
        .iter()
        .enumerate()
        .flat_map(|(i, first)| faults[i + 1..].iter().map(move |next| (first, next)));
    pairs.filter(|(first, next)| next.at < first.at + first.lasts).map(|(first, next)| {
        let (label, at) = (&next.label, next.at);
        format!("The {label} at {at} begins before the {} at {} is over.", first.label, first.at)
    })
}

fn read(mut table: Reader<'_>, end: Duration, policy: &Policy) -> Read<Fault> {
    table.rename("[[faults]]");
    let at = table.require("at", "at = \"20m\"", |v| v.instant_before(end))?;
    let fault = match table.require("kind", "kind = \"shutdown\"", |v| v.one_of(&KINDS))? {
        Kind::Shutdown => shutdown(&mut table, at, (Instant::ZERO + end).since(at))?,
        Kind::Reload => reload(&mut table, at, policy)?,
    };
    table.finish()?;
    Ok(fault)
}

fn reload(table: &mut Reader<'_>, at: Instant, policy: &Policy) -> Read<Fault> {
    let limits = read_limits(table, policy)?;
    if limits.is_empty() {
        let knobs: Vec<&str> = policy.checks.iter().map(|check| check.knob.as_str()).collect();
        let example = knobs.first().copied().unwrap_or("max_clients");
        return Err(table.missing(example, &format!("a limit to change: {}", knobs.join(", "))));
    }
    let words: Vec<String> = limits
        .iter()
        .map(|(check, limit)| format!("{} = {limit}", policy.checks[usize::from(*check)].knob))
        .collect();
    let controls: Vec<_> = limits
        .into_iter()
        .map(|(check, limit)| (Duration::ZERO, Control::SetLimit { check, limit }))
        .collect();
    let effects = told(controls);
    Ok(Fault { at, label: format!("reload ({})", words.join(", ")), effects, lasts: Duration::ZERO })
}

/// A shutdown: `rest` is left of the run.
fn shutdown(table: &mut Reader<'_>, at: Instant, rest: Duration) -> Read<Fault> {
    let form = table.require("form", "form = \"announce\"", |v| v.one_of(&FORMS))?;
    let down = table.get("down", |v| v.some_time())?;
    let (mut controls, dead_after) = match form {
        Form::Drain => (vec![(Duration::ZERO, Control::StopListening)], Some(Duration::ZERO)),
        Form::Announce => announce(table.require("notice", "notice = \"60s\"", |v| v.duration())?),
        Form::Cut => (die(Duration::ZERO, Control::Cut), Some(Duration::ZERO)),
        Form::Crash => (die(Duration::ZERO, Control::Crash), Some(Duration::ZERO)),
        Form::Hang => hang(table.get("lasts", |v| within_rest(v, rest))?, down.is_some()),
    };
    let lasts = match (dead_after, down) {
        (Some(dead), Some(down)) => {
            controls.push((dead + down, Control::Listen));
            dead + down
        }
        (None, Some(_)) => {
            return Err(table.problem("a hang that never ends has no downtime", "write lasts = \"30s\" too"));
        }
        (_, None) => {
            controls.last().filter(|(_, last)| *last == Control::Resume).map_or(rest, |(after, _)| *after)
        }
    };
    let word = FORMS.iter().find(|(_, f)| *f == form).map_or("", |(word, _)| *word);
    Ok(Fault {
        at,
        label: format!("shutdown ({word})"),
        effects: told(controls),
        lasts: if lasts < rest { lasts } else { rest },
    })
}

/// What the first server is told.
fn told(controls: Vec<(Duration, Control)>) -> Vec<(Duration, Effect)> {
    controls.into_iter().map(|(after, control)| (after, Effect::Server(ServerId(0), control))).collect()
}

fn within_rest(value: Value<'_>, rest: Duration) -> Read<Duration> {
    let lasts = value.some_time()?;
    if lasts > rest {
        return Err(value.wrong(
            "goes beyond the end",
            format!("{rest} of the run are left; leave it out to hang until then"),
        ));
    }
    Ok(lasts)
}

/// The listener is closed, then the live sessions end as `how` says.
fn die(after: Duration, how: Control) -> Vec<(Duration, Control)> {
    vec![(after, Control::StopListening), (after, how)]
}

fn announce(notice: Duration) -> (Vec<(Duration, Control)>, Option<Duration>) {
    let controls = vec![
        (Duration::ZERO, Control::Announce),
        (notice, Control::CutAnnounced),
        (notice, Control::StopListening),
    ];
    (controls, Some(notice))
}

/// A hang ends by a crash if the server is down afterwards, else by itself.
fn hang(lasts: Option<Duration>, crashes: bool) -> (Vec<(Duration, Control)>, Option<Duration>) {
    let mut controls = vec![(Duration::ZERO, Control::Hang)];
    match lasts {
        Some(lasts) if crashes => controls.extend(die(lasts, Control::Crash)),
        Some(lasts) => controls.push((lasts, Control::Resume)),
        None => return (controls, None),
    }
    (controls, lasts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn controls(keys: &str) -> (Vec<(u64, Control)>, u64) {
        let text = format!(
            "schema = 1\nname = \"x\"\nduration = \"1h\"\n[[faults]]\nat = \"10m\"\nkind = \"shutdown\"\n{keys}"
        );
        let mut none = |_: &str| Err(String::new());
        let fault = crate::scenario::Scenario::read("x", &text, &mut none).unwrap().faults.remove(0);
        let secs = |d: Duration| d.as_nanos() / 1_000_000_000;
        (fault.controls(ServerId(0)).map(|(after, what)| (secs(after), what)).collect(), secs(fault.lasts))
    }

    #[test]
    fn each_form_is_its_sequence_of_controls() {
        use Control::{Announce, Crash, Cut, CutAnnounced, Hang, Listen, Resume, StopListening};
        for (keys, sequence, lasts) in [
            ("form = \"drain\"", vec![(0, StopListening)], 3_000),
            ("form = \"drain\"\ndown = \"2m\"", vec![(0, StopListening), (120, Listen)], 120),
            (
                "form = \"announce\"\nnotice = \"60s\"\ndown = \"2m\"",
                vec![(0, Announce), (60, CutAnnounced), (60, StopListening), (180, Listen)],
                180,
            ),
            ("form = \"cut\"", vec![(0, StopListening), (0, Cut)], 3_000),
            ("form = \"crash\"\ndown = \"1m\"", vec![(0, StopListening), (0, Crash), (60, Listen)], 60),
            ("form = \"hang\"", vec![(0, Hang)], 3_000),
            ("form = \"hang\"\nlasts = \"30s\"", vec![(0, Hang), (30, Resume)], 30),
            (
                "form = \"hang\"\nlasts = \"30s\"\ndown = \"1m\"",
                vec![(0, Hang), (30, StopListening), (30, Crash), (90, Listen)],
                90,
            ),
        ] {
            assert_eq!(controls(keys), (sequence, lasts), "{keys}");
        }
    }
}
