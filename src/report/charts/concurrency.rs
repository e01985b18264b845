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
use crate::report::colours::{self, BLUE, INK, PALE, RED, Rgb};
use crate::report::words::count;

const MEAN: Pen = Pen { colour: INK, width: 2 };
const PEAK: Pen = Pen { colour: PALE, width: 1 };
const SESSIONS: Pen = Pen { colour: BLUE, width: 2 };
const LIMIT: Pen = Pen { colour: RED, width: 2 };

/// Draws it.
pub fn draw<B: DrawingBackend>(canvas: &mut Canvas<B>, summary: &Summary, rows: &[TimelineRow]) {
    let data = series::concurrency(rows);
    let limit = summary.server.limits.get("max_clients").copied();
    let x = time_axis(summary, rows);
    let sheet = Sheet::new(summary, findings::concurrency(summary), keys(&data, limit), Marks::of(summary, &x));
    let refused: Vec<(Rgb, &Series)> = data.refused.iter().map(|(cause, s)| (colours::of(*cause), s)).collect();
    let highest = data.peak.greatest().max(data.connections.greatest()).max(limit.map_or(0.0, f64::from) * 1.05);
    let mut uprights = vec![(Axis::counts(highest, "connections at the server"), 2.0)];
    if !refused.is_empty() {
        let title = format!("refusals{}, by cause", per_stretch(rows));
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
        if let Some(limit) = limit {
            upper.rule(canvas, f64::from(limit), LIMIT);
        }
        if let Some(lower) = panels.get(1) {
            lower.stack(canvas, &refused);
        }
    });
}

fn keys(data: &series::Concurrency, limit: Option<u32>) -> Vec<Key> {
    let mut keys = vec![
        Key::new(&data.connections.name, Sign::Line(MEAN)),
        Key::new(&data.peak.name, Sign::Line(PEAK)),
        Key::new(&data.sessions.name, Sign::Line(SESSIONS)),
    ];
    keys.extend(limit.map(|n| Key::new(format!("limit: {}", count(u64::from(n))), Sign::Dashed(LIMIT))));
    keys.extend(data.refused.iter().map(|(cause, s)| Key::new(&s.name, Sign::Area(colours::of(*cause)))));
    keys
}

/// The highest of the stacked bars.
fn highest_sum(layers: &[(Rgb, &Series)]) -> f64 {
    let sum = |at: usize| layers.iter().filter_map(|(_, s)| s.points.get(at)?.value).sum::<f64>();
    let length = layers.iter().map(|(_, s)| s.points.len()).max().unwrap_or(0);
    (0..length).map(sum).fold(0.0, f64::max)
}
