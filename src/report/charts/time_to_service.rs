//! The chart `time-to-service`: what share of clients waited how long, the slowest in full view.
//!
//! It computes nothing; see [`series::time_to_service`](super::series::time_to_service). The form is that of `HdrHistogram`'s
//! percentile plots (Tene): level, each further nine takes as much room as the one before.

use plotters::backend::DrawingBackend;

use super::axis::Axis;
use super::canvas::{Canvas, Pen, Point};
use super::findings;
use super::marks::Marks;
use super::panel::{Panel, note};
use super::series::{self, Curve};
use super::sheet::{Key, Sheet, Sign};
use crate::metrics::summary::Summary;
use crate::observe::Latency;
use crate::report::colours::{BLUE, GREEN, INK, ORANGE, RED};
use crate::report::words::{count, seconds};

/// Draws it.
pub fn draw<B: DrawingBackend>(canvas: &mut Canvas<B>, summary: &Summary) {
    let curves = series::time_to_service(summary);
    let keys = curves.iter().map(key).collect();
    let sheet = Sheet::new(summary, findings::time_to_service(summary), keys, Marks::default());
    let places = || curves.iter().flat_map(|c| c.points.iter().copied().chain(c.cliff));
    let x = Axis::nines(places().map(|p| p.0).fold(0.0, f64::max));
    let waits = || places().map(|p| p.1).filter(|s| *s > 1e-6);
    let y = Axis::seconds(
        waits().fold(f64::INFINITY, f64::min),
        waits().fold(0.0, f64::max),
        "time taken, at most",
    );
    let panels = sheet.panels(&x, vec![(y, 1.0)]);
    sheet.draw(canvas, &panels, |canvas| {
        let Some(panel) = panels.first() else { return };
        if curves.is_empty() {
            panel.empty(canvas, "nothing happened");
        }
        for curve in curves.iter().rev() {
            draw_curve(canvas, panel, curve);
        }
    });
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
    let words = if curve.latency == Latency::TimeToService { "never served" } else { "never ended" };
    note(canvas, (x, top + 10.0), &format!("> {}: {} {words}", seconds(greatest), count(curve.censored)));
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
        Latency::Greeting | Latency::Transfer => Pen { colour: RED, width: 2 },
    }
}
