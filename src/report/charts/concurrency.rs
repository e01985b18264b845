//! The chart `concurrency`: who was at the server against its limit, and below it whom it refused and why.
//!
//! It computes nothing; see [`series::concurrency`](super::series::concurrency).

use plotters::backend::DrawingBackend;

use super::axis::Axis;
use super::canvas::{Canvas, Pen};
use super::marks::Marks;
use super::series::{self, Series};
use super::sheet::{Key, Sheet, Sign};
use super::{findings, per_stretch, time_axis};
use crate::metrics::summary::{Summary, TimelineRow};
use crate::report::colours::{self, INK, PALE, PALE_BLUE, RED, Rgb};
use crate::report::words::count;

const MEAN: Pen = Pen { colour: INK, width: 2 };
const PEAK: Pen = Pen { colour: PALE, width: 1 };
// Broad, below the connections: where both are the same it shows on either side.
const SESSIONS: Pen = Pen { colour: PALE_BLUE, width: 7 };
const LIMIT: Pen = Pen { colour: RED, width: 2 };

/// Draws it.
pub fn draw<B: DrawingBackend>(canvas: &mut Canvas<B>, summary: &Summary, rows: &[TimelineRow]) {
    let data = series::concurrency(rows);
    let greatest = data.peak.greatest().max(data.connections.greatest());
    let limit = Limit::of(&data.limit, greatest);
    let x = time_axis(summary, rows);
    let sheet =
        Sheet::new(summary, findings::concurrency(summary), keys(&data, limit), Marks::of(summary, &x));
    let refused: Vec<(Rgb, &Series)> =
        data.refused.iter().map(|(cause, s)| (colours::of(*cause), s)).collect();
    let highest =
        limit.filter(|limit| limit.near).map_or(greatest, |limit| greatest.max(limit.greatest * 1.05));
    let whose = if summary.target.is_some() {
        "open connections, as their clients see them"
    } else {
        "connections at the server"
    };
    let mut uprights = vec![(Axis::counts(highest, whose), 2.0)];
    if !refused.is_empty() {
        let title = format!("refusals by cause{}", per_stretch(rows));
        uprights.push((Axis::counts(highest_sum(&refused), &title), 1.0));
    }
    let panels = sheet.panels(&x, uprights);
    sheet.draw(canvas, &panels, |canvas| {
        let upper = &panels[0];
        if rows.is_empty() {
            upper.empty(canvas, "nothing happened");
        }
        upper.line(canvas, &data.peak, PEAK);
        upper.line(canvas, &data.sessions, SESSIONS);
        upper.line(canvas, &data.connections, MEAN);
        if limit.is_some_and(|limit| limit.near) {
            upper.rules(canvas, &data.limit, LIMIT);
        }
        if let Some(lower) = panels.get(1) {
            lower.stack(canvas, &refused);
        }
    });
}

/// The server's limit on all clients.
#[derive(Clone, Copy)]
struct Limit {
    least: f64,
    greatest: f64,
    /// Near enough to the data to be drawn without flattening them?
    near: bool,
}

impl Limit {
    fn of(limit: &Series, most: f64) -> Option<Self> {
        let values = || limit.points.iter().filter_map(|point| point.value);
        let (least, greatest) = (values().reduce(f64::min)?, limit.greatest());
        Some(Self { least, greatest, near: most <= 0.0 || greatest <= 4.0 * most })
    }

    fn key(self) -> Key {
        let far = if self.near { "" } else { ", far above" };
        let greatest = count(self.greatest as u64);
        let range = if self.least < self.greatest {
            format!("{} to {greatest}", count(self.least as u64))
        } else {
            greatest
        };
        Key::new(format!("limit: {range}{far}"), Sign::Dashed(LIMIT))
    }
}

fn keys(data: &series::Concurrency, limit: Option<Limit>) -> Vec<Key> {
    let mut keys = vec![
        Key::new(&data.connections.name, Sign::Line(MEAN)),
        Key::new(&data.peak.name, Sign::Line(PEAK)),
        Key::new(&data.sessions.name, Sign::Line(SESSIONS)),
    ];
    keys.extend(limit.map(Limit::key));
    keys.extend(data.refused.iter().map(|(cause, s)| Key::new(&s.name, Sign::Area(colours::of(*cause)))));
    keys
}

/// The highest of the stacked bars.
fn highest_sum(layers: &[(Rgb, &Series)]) -> f64 {
    let sum = |at: usize| layers.iter().filter_map(|(_, s)| s.points.get(at)?.value).sum::<f64>();
    let length = layers.iter().map(|(_, s)| s.points.len()).max().unwrap_or(0);
    (0..length).map(sum).fold(0.0, f64::max)
}
