//! The chart `time-to-service`: what share of clients waited how long, the slowest in full view; and where there are faults, how
//! long they waited before, during and after each.
//!
//! It computes nothing; see [`series::time_to_service`](super::series::time_to_service). The form is that of `HdrHistogram`'s
//! percentile plots (Tene): level, each further nine takes as much room as the one before.

use plotters::backend::DrawingBackend;

use super::axis::Axis;
use super::canvas::{Canvas, Pen, Point};
use super::marks::Marks;
use super::panel::{Panel, note};
use super::series::{self, Curve};
use super::sheet::{Key, Sheet, Sign};
use super::{findings, time_axis};
use crate::metrics::summary::{Summary, TimelineRow};
use crate::observe::Latency;
use crate::report::colours::{BLUE, GREEN, INK, ORANGE, PALE, PURPLE, RED};
use crate::report::words::{count, seconds};

const MEAN: Pen = Pen { colour: RED, width: 2 };
const SENT: Pen = Pen { colour: INK, width: 1 };
const LONGEST: Pen = Pen { colour: PALE, width: 1 };

/// From here on there is room beside the title of a panel.
const BESIDE_TITLE: f64 = 330.0;

/// Draws it.
pub fn draw<B: DrawingBackend>(canvas: &mut Canvas<B>, summary: &Summary, rows: &[TimelineRow]) {
    let curves = series::time_to_service(summary);
    let sent = series::from_sent(summary);
    let waits = (!summary.faults.is_empty() && !rows.is_empty()).then(|| series::waits(rows));
    let mut keys: Vec<Key> = curves.iter().map(key).collect();
    keys.extend((!sent.is_empty()).then(|| Key::new("thin: from the sent time", Sign::Line(SENT))));
    if let Some(waits) = &waits {
        keys.push(Key::new(&waits.mean.name, Sign::Line(MEAN)));
        keys.push(Key::new(&waits.longest.name, Sign::Line(LONGEST)));
    }
    let time = time_axis(summary, rows);
    let marks = waits.as_ref().map_or(Marks::default(), |_| Marks::of(summary, &time));
    let sheet = Sheet::new(summary, findings::time_to_service(summary), keys, marks);
    let places = || curves.iter().chain(&sent).flat_map(|c| c.points.iter().copied().chain(c.cliff));
    let x = Axis::nines(places().map(|p| p.0).fold(0.0, f64::max));
    let y = upright(places().map(|p| p.1), "time taken, at most");
    let Some(waits) = waits else {
        let panels = sheet.panels(&x, vec![(y, 1.0)]);
        return sheet.draw(canvas, &panels, |canvas| draw_curves(canvas, &panels[0], &curves, &sent));
    };
    let seen = waits.mean.points.iter().chain(&waits.longest.points).filter_map(|p| p.value);
    let over_time = upright(seen, "time to service of those served at the time");
    // The marks belong to the time axis, and so to the upper panel alone.
    let (panels, below) = sheet.panels_apart(&time, over_time, &x, y);
    sheet.draw(canvas, std::slice::from_ref(&panels), |canvas| {
        panels.line(canvas, &waits.longest, LONGEST);
        panels.line(canvas, &waits.mean, MEAN);
    });
    below.frame(canvas, true);
    draw_curves(canvas, &below, &curves, &sent);
    below.title(canvas);
}

/// An upright axis for waits, seconds.
fn upright(waits: impl Iterator<Item = f64>, title: &str) -> Axis {
    let range = |(low, high): (f64, f64), s: f64| (low.min(s), high.max(s));
    let (low, high) = waits.filter(|s| *s > 1e-6).fold((f64::INFINITY, 0.0), range);
    Axis::seconds(low, high, title)
}

fn draw_curves<B: DrawingBackend>(canvas: &mut Canvas<B>, panel: &Panel, curves: &[Curve], sent: &[Curve]) {
    if curves.is_empty() {
        panel.empty(canvas, "nothing happened");
    }
    for curve in sent {
        let line: Vec<Point> = curve.points.iter().map(|(x, s)| panel.at(*x, *s)).collect();
        canvas.path(&line, Pen { width: 1, ..pen(curve.latency) });
    }
    for curve in curves.iter().rev() {
        draw_curve(canvas, panel, curve);
    }
}

fn draw_curve<B: DrawingBackend>(canvas: &mut Canvas<B>, panel: &Panel, curve: &Curve) {
    let pen = pen(curve.latency);
    let mut line: Vec<Point> = curve.points.iter().map(|(x, s)| panel.at(*x, *s)).collect();
    if let Some((x, s)) = curve.cliff {
        line.push(panel.at(x, s));
        draw_cliff(canvas, panel, curve, panel.at(x, s));
    }
    canvas.path(&line, pen);
    if let [only] = line[..] {
        canvas.dot(only, 3, pen.colour);
    }
}

/// Where the censored begin the curve goes up and is not seen again.
fn draw_cliff<B: DrawingBackend>(canvas: &mut Canvas<B>, panel: &Panel, curve: &Curve, from: Point) {
    let pen = pen(curve.latency);
    let (x, top) = (from.0, panel.top + 8.0);
    canvas.dashes(from, (x, top), (8.0, 6.0), pen);
    canvas.polygon(&[(x - 5.0, top + 4.0), (x, top - 8.0), (x + 5.0, top + 4.0)], pen.colour);
    let greatest = curve.cliff.map_or(0.0, |(_, s)| s);
    let words = if curve.latency == Latency::TimeToService { "not served" } else { "never ended" };
    // Above the panel no curve runs through it; on the left the panel's title is there.
    let y = if x > BESIDE_TITLE { panel.top - 8.0 } else { top + 10.0 };
    note(canvas, (x, y), &format!("> {}: {} {words}", seconds(greatest), count(curve.censored)));
}

fn key(curve: &Curve) -> Key {
    let words = format!("{} (n = {})", curve.latency.name().replace('_', " "), count(curve.count));
    Key::new(words, Sign::Line(pen(curve.latency)))
}

fn pen(latency: Latency) -> Pen {
    match latency {
        Latency::TimeToService => Pen { colour: INK, width: 3 },
        Latency::Login => Pen { colour: BLUE, width: 2 },
        Latency::Connect => Pen { colour: ORANGE, width: 2 },
        Latency::Command => Pen { colour: GREEN, width: 2 },
        Latency::Greeting | Latency::Transfer => Pen { colour: PURPLE, width: 2 },
    }
}
