//! Faults of a server's host: slow processors, a short backlog, a full disk, little bandwidth, descriptors that leak.
//!
//! What the server makes of it is the server's business.

use super::{Form, Kind, Scene, Touches, Written, about_server};
use crate::chaos::Effect;
use crate::scenario::reader::Read;
use crate::server::Control;
use crate::time::Duration;

/// The most steps in which descriptors leak.
const STEPS: u64 = 1_000;
/// The most descriptors that leak.
const MOST: u32 = 10_000_000;

/// A fault that sets something at its beginning, and back at its end.
pub(super) fn pressed(form: &mut Form<'_, '_>, scene: &Scene<'_, '_>) -> Read<Written> {
    let server = form.server(scene)?;
    let table = &mut *form.table;
    let control = |control| Effect::Server(server, control);
    let (label, begin, end) = match form.kind {
        Kind::SlowCpu => {
            let factor = table.require("factor", "factor = 4", |v| v.number(1.0, 10_000.0))?;
            let percent = (factor * 100.0).round() as u32;
            let (begin, end) = (Control::SetSlowness(percent), Control::SetSlowness(100));
            (format!("slow CPU ({factor} times)"), control(begin), control(end))
        }
        Kind::Backlog => {
            let to = table.require("to", "to = 5", |v| v.count(0..=1_000_000))?;
            let (begin, end) = (Control::SetBacklog(to), Control::SetBacklog(u32::MAX));
            (format!("backlog ({to})"), control(begin), control(end))
        }
        Kind::DiskFull => {
            ("disk full".to_owned(), control(Control::FillDisk(true)), control(Control::FillDisk(false)))
        }
        _ => {
            let to = table.require("to", "to = \"1MiB/s\"", |v| Ok((v.text()?, v.bandwidth()?)))?;
            let usual = scene.servers[usize::from(server.0)].bandwidth();
            let (begin, end) = (Effect::Bandwidth(server, to.1), Effect::Bandwidth(server, usual));
            (format!("bandwidth ({})", to.0.trim()), begin, end)
        }
    };
    let label = about_server(label, server, scene);
    form.stretch(Touches::Server(form.kind, server), label, begin, end)
}

/// Descriptors that nobody's session has: some at once, or more and more of them. At the end whoever leaked them is started anew.
pub(super) fn leak(form: &mut Form<'_, '_>, scene: &Scene<'_, '_>) -> Read<Written> {
    let server = form.server(scene)?;
    let lasts = form.lasts()?;
    let length = lasts.unwrap_or(form.rest);
    let count = form.table.get("count", |v| v.count(1..=MOST))?;
    let rate = form.table.get("rate", |v| match count {
        Some(_) => Err(v.wrong("stands beside `count`", "keep one of the two")),
        None => Ok((v.text()?, v.some_rate()?)),
    })?;
    let (label, steps) = match (count, rate) {
        (Some(count), _) => (count.to_string(), vec![(Duration::ZERO, count)]),
        (None, Some((text, rate))) => (text.trim().to_owned(), growth(rate, length)),
        (None, None) => return Err(form.table.missing("rate", "rate = \"10/m\", or count = 500 at once")),
    };
    let mut effects: Vec<_> = steps
        .into_iter()
        .map(|(after, count)| (after, Effect::Server(server, Control::LeakDescriptors(count))))
        .collect();
    effects.extend(lasts.map(|lasts| (lasts, Effect::Server(server, Control::LeakDescriptors(0)))));
    let label = about_server(format!("descriptor leak ({label})"), server, scene);
    let fault = form.fault(label, effects, length);
    Ok(Written { touches: Touches::Server(form.kind, server), restores: lasts.is_some(), fault })
}

/// How many have leaked, and when, if they do so at `rate` a second for `length`: each alone, or several at a time if that would be
/// too many steps.
fn growth(rate: f64, length: Duration) -> Vec<(Duration, u32)> {
    let all = ((rate * length.as_secs_f64()) as u64).min(u64::from(MOST)); // `as` rounds down, and saturates
    let together = all.div_ceil(STEPS).max(1);
    (1..=all / together)
        .map(|step| step * together)
        .map(|count| (Duration::from_secs_f64(count as f64 / rate), count as u32))
        .filter(|(after, _)| *after < length)
        .collect()
}
