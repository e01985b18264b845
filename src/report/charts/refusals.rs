//! The chart `refusals`: how likely an attempt was to be turned away, over time, with its interval and the onset.
//!
//! It computes nothing; see [`series::refusals`](super::series::refusals).

use plotters::backend::DrawingBackend;

use super::axis::Axis;
use super::canvas::{Canvas, Pen};
use super::marks::Marks;
use super::series::{self, Series};
use super::sheet::{Key, Sheet, Sign};
use super::{findings, time_axis};
use crate::metrics::summary::{Summary, TimelineRow};
use crate::report::colours::{FAINT, RED, Rgb};
use crate::report::words::percent;

const SHARE: Pen = Pen { colour: RED, width: 2 };
const BAND: Rgb = Rgb(0xFA, 0xE4, 0xD4);
const ESTIMATE: Pen = Pen { colour: FAINT, width: 1 };

/// Draws it.
pub fn draw<B: DrawingBackend>(canvas: &mut Canvas<B>, summary: &Summary, rows: &[TimelineRow]) {
    let data = series::refusals(rows, summary.replications);
    let estimate = summary.estimates.refused_attempt.mean.filter(|share| share.is_finite());
    let x = time_axis(summary, rows);
    let mut keys = vec![
        Key::new(&data.share.name, Sign::Line(SHARE)),
        Key::new("Wilson 95 % interval", Sign::Area(BAND)),
    ];
    keys.extend(estimate.map(|p| Key::new(format!("estimate: {}", percent(p)), Sign::Dashed(ESTIMATE))));
    let sheet = Sheet::new(summary, findings::refusals(summary), keys, Marks::of(summary, &x));
    let y = Axis::shares(highest(&data), "attempts turned away, of those that ended or logged in");
    let panels = sheet.panels(&x, vec![(y, 1.0)]);
    sheet.draw(canvas, &panels, |canvas| {
        let Some(panel) = panels.first() else { return };
        if data.share.points.iter().all(|p| p.value.is_none()) {
            panel.empty(canvas, "nothing happened");
            return;
        }
        panel.band(canvas, &data.low, &data.high, BAND);
        if let Some(share) = estimate {
            panel.rule(canvas, share, ESTIMATE);
        }
        panel.line(canvas, &data.share, SHARE);
    });
}

/// High enough for every share and for most of the intervals: those of a few attempts would flatten all the rest.
fn highest(data: &series::Refusals) -> f64 {
    (data.share.greatest() * 1.25).max(median(&data.high)).max(0.01)
}

fn median(series: &Series) -> f64 {
    let mut values: Vec<f64> = series.points.iter().filter_map(|p| p.value).collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}
