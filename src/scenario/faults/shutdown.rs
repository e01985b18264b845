//! Faults of a server's process: shutdowns in their five forms, signals, and the configuration read again.
//!
//! What a signal does stands in the server's profile.

use super::{Form, Scene, Touches, Written, about_server, told};
use crate::id::ServerId;
use crate::scenario::reader::Read;
use crate::scenario::server::read_limits;
use crate::server::{Control, Signal};
use crate::time::Duration;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Manner {
    Drain,
    Announce,
    Cut,
    Crash,
    Hang,
}

const MANNERS: [(&str, Manner); 5] = [
    ("drain", Manner::Drain),
    ("announce", Manner::Announce),
    ("cut", Manner::Cut),
    ("crash", Manner::Crash),
    ("hang", Manner::Hang),
];

const SIGNALS: [(&str, Signal); 3] = [("TERM", Signal::Term), ("HUP", Signal::Hup), ("KILL", Signal::Kill)];

/// How a server comes up again: after how long, and through how long a greeting with 120.
#[derive(Clone, Copy)]
struct Return {
    down: Option<Duration>,
    ready_in: Duration,
}

impl Return {
    fn read(form: &mut Form<'_, '_>) -> Read<Self> {
        let down = form.table.get("down", |v| v.some_time())?;
        let ready_in = form.table.get("ready_in", |v| match down {
            Some(_) => v.some_time(),
            None => {
                Err(v.wrong("stands without `down`", "write down = \"1m\": the server comes up after that"))
            }
        })?;
        Ok(Self { down, ready_in: ready_in.unwrap_or(Duration::ZERO) })
    }

    /// What of it is not usual.
    fn words(self) -> String {
        if self.ready_in.is_zero() { String::new() } else { format!(", then 120 for {}", self.ready_in) }
    }

    /// Comes up `dead` and the time down after the fault's beginning, if ever: the control, and when the server is ready.
    fn after(self, dead: Duration) -> Option<((Duration, Control), Duration)> {
        let up = dead + self.down?;
        let control = match self.ready_in.as_nanos().div_ceil(1_000_000_000) {
            0 => Control::Listen,
            secs => Control::ListenNotReady { secs: secs as u32 }, // a time in a scenario has fewer than 2^25 seconds
        };
        Some(((up, control), up + self.ready_in))
    }
}

pub(super) fn shutdown(form: &mut Form<'_, '_>, scene: &Scene<'_, '_>) -> Read<Written> {
    let server = form.server(scene)?;
    let manner = form.table.require("form", "form = \"announce\"", |v| v.one_of(&MANNERS))?;
    let back = Return::read(form)?;
    let (mut controls, dead_after) = match manner {
        Manner::Drain => (vec![(Duration::ZERO, Control::StopListening)], Some(Duration::ZERO)),
        Manner::Announce => announce(form.table.require("notice", "notice = \"60s\"", |v| v.duration())?),
        Manner::Cut => (die(Duration::ZERO, Control::Cut), Some(Duration::ZERO)),
        Manner::Crash => (die(Duration::ZERO, Control::Crash), Some(Duration::ZERO)),
        Manner::Hang => hang(form.lasts()?, back.down.is_some()),
    };
    if dead_after.is_none() && back.down.is_some() {
        return Err(form
            .table
            .problem("a hang that never ends has no downtime", "write lasts = \"30s\" too"));
    }
    let resumed = controls.last().filter(|(_, last)| *last == Control::Resume).map(|(after, _)| *after);
    let ready = dead_after.and_then(|dead| back.after(dead));
    controls.extend(ready.map(|(control, _)| control));
    let lasts = ready.map(|(_, lasts)| lasts).or(resumed).unwrap_or(form.rest);
    let word = MANNERS.iter().find(|(_, m)| *m == manner).map_or("", |(word, _)| *word);
    let label = format!("shutdown ({word}{})", back.words());
    Ok(process(form, server, label, controls, lasts, scene))
}

pub(super) fn signal(form: &mut Form<'_, '_>, scene: &Scene<'_, '_>) -> Read<Written> {
    let server = form.server(scene)?;
    let signal = form.table.require("signal", "signal = \"TERM\"", |v| v.one_of(&SIGNALS))?;
    let back = Return::read(form)?;
    let ready = back.after(Duration::ZERO);
    let mut controls = vec![(Duration::ZERO, Control::Signal(signal))];
    controls.extend(ready.map(|(control, _)| control));
    let usually = if signal == Signal::Hup { Duration::ZERO } else { form.rest };
    let lasts = ready.map_or(usually, |(_, lasts)| lasts);
    let word = SIGNALS.iter().find(|(_, s)| *s == signal).map_or("", |(word, _)| *word);
    Ok(process(form, server, format!("signal (SIG{word}{})", back.words()), controls, lasts, scene))
}

pub(super) fn reload(form: &mut Form<'_, '_>, scene: &Scene<'_, '_>) -> Read<Written> {
    let server = form.server(scene)?;
    let policy = &scene.servers[usize::from(server.0)].policy;
    let limits = read_limits(form.table, policy)?;
    if limits.is_empty() {
        let knobs: Vec<&str> = policy.checks.iter().map(|check| check.knob.as_str()).collect();
        let example = knobs.first().copied().unwrap_or("max_clients");
        return Err(form.table.missing(example, &format!("a limit to change: {}", knobs.join(", "))));
    }
    let words: Vec<String> = limits
        .iter()
        .map(|(check, limit)| format!("{} = {limit}", policy.checks[usize::from(*check)].knob))
        .collect();
    let controls = limits
        .into_iter()
        .map(|(check, limit)| (Duration::ZERO, Control::SetLimit { check, limit }))
        .collect();
    let label = format!("reload ({})", words.join(", "));
    Ok(process(form, server, label, controls, Duration::ZERO, scene))
}

fn process(
    form: &Form<'_, '_>,
    server: ServerId,
    label: String,
    controls: Vec<(Duration, Control)>,
    lasts: Duration,
    scene: &Scene<'_, '_>,
) -> Written {
    let fault = form.fault(about_server(label, server, scene), told(server, controls), lasts);
    Written { touches: Touches::Process(server), restores: false, fault }
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
