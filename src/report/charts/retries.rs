//! The chart `retries`: how many attempts a wanted session costs, and when the retries come.
//!
//! It computes nothing; see [`series::retries`](super::series::retries).

use plotters::backend::DrawingBackend;

use super::axis::Axis;
use super::canvas::{Canvas, Pen};
use super::marks::Marks;
use super::series;
use super::sheet::{Key, Sheet, Sign};
use super::{findings, per_stretch, time_axis};
use crate::metrics::summary::{Summary, TimelineRow};
use crate::report::colours::{BLUE, INK, ORANGE, PALE};

const SO_FAR: Pen = Pen { colour: INK, width: 2 };
const WITHIN: Pen = Pen { colour: PALE, width: 1 };
const WANTED: Pen = Pen { colour: BLUE, width: 2 };
const RETRIES: Pen = Pen { colour: ORANGE, width: 2 };

/// Draws it.
pub fn draw<B: DrawingBackend>(canvas: &mut Canvas<B>, summary: &Summary, rows: &[TimelineRow]) {
    let data = series::retries(rows, summary.replications);
    let x = time_axis(summary, rows);
    let keys = vec![
        Key::new(&data.so_far.name, Sign::Line(SO_FAR)),
        Key::new(&data.within.name, Sign::Line(WITHIN)),
        Key::new(&data.wanted.name, Sign::Line(WANTED)),
        Key::new(&data.retries.name, Sign::Line(RETRIES)),
    ];
    let sheet = Sheet::new(summary, findings::retries(summary), keys, Marks::of(summary, &x));
    let ratio =
        Axis::counts(data.so_far.greatest().max(data.within.greatest()), "attempts for each wanted session");
    let load = data.wanted.greatest().max(data.retries.greatest());
    let load = Axis::counts(load, &format!("sessions wanted and retries{}", per_stretch(rows)));
    let panels = sheet.panels(&x, vec![(ratio, 1.0), (load, 1.0)]);
    sheet.draw(canvas, &panels, |canvas| {
        let [upper, lower] = &panels[..] else { return };
        if rows.is_empty() {
            upper.empty(canvas, "nothing happened");
        }
        upper.line(canvas, &data.within, WITHIN);
        upper.line(canvas, &data.so_far, SO_FAR);
        lower.stairs(canvas, &data.retries, RETRIES);
        lower.stairs(canvas, &data.wanted, WANTED);
    });
}
