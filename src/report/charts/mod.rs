//! The charts of a result, as SVG and PNG.
//!
//! It computes no statistic and asks the machine for nothing, not even a font: the same result gives the same bytes everywhere.

mod axis;
mod canvas;
mod concurrency;
mod curves;
mod findings;
mod font;
mod grouped;
mod marks;
mod onset;
mod panel;
mod png;
mod refusals;
mod retries;
pub mod series;
mod sheet;
mod time_to_service;

use plotters::backend::DrawingBackend;
use rayon::prelude::*;

use crate::experiment::onset::Finding;
use crate::metrics::summary::{Summary, TimelineRow};
use crate::report::words::seconds;
use canvas::Canvas;
pub use curves::{Curve, Curves, Point, Upright};
use grouped::grouped;

/// A chart, drawn twice by the same code.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Chart {
    /// Its name, and that of its files without their endings.
    pub name: &'static str,
    /// The SVG: small, sharp at any size, its text can be searched.
    pub svg: String,
    /// The PNG: 1280 x 720 pixels.
    pub png: Vec<u8>,
}

/// Which chart.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Concurrency,
    Refusals,
    TimeToService,
    Retries,
}

/// The names of all charts, in the order of [`charts`].
pub const NAMES: [&str; 4] =
    [Kind::Concurrency.name(), Kind::Refusals.name(), Kind::TimeToService.name(), Kind::Retries.name()];

/// The chart of an onset search.
pub fn onset(found: &Finding) -> Chart {
    Chart {
        name: "onset",
        svg: canvas::svg(|canvas| onset::draw(canvas, found)),
        png: png::encode(&canvas::pixels(|canvas| onset::draw(canvas, found))),
    }
}

/// A chart of numbers that are no result of a run, such as a bench's; `name` is that of its files.
pub fn curves(name: &'static str, curves: &Curves) -> Chart {
    Chart {
        name,
        svg: canvas::svg(|canvas| curves::draw(canvas, curves)),
        png: png::encode(&canvas::pixels(|canvas| curves::draw(canvas, curves))),
    }
}

/// Every chart of a result. They are drawn on all threads of the current pool: none needs another, and half a second of one thread is
/// long behind a run of five.
pub fn charts(summary: &Summary, rows: &[TimelineRow]) -> Vec<Chart> {
    let chart = |kind: &Kind| {
        let svg = || canvas::svg(|canvas| kind.draw(canvas, summary, rows));
        let png = || png::encode(&canvas::pixels(|canvas| kind.draw(canvas, summary, rows)));
        let (svg, png) = rayon::join(svg, png);
        Chart { name: kind.name(), svg, png }
    };
    kinds(summary).par_iter().with_max_len(1).map(chart).collect()
}

/// The names of the charts of this result.
pub fn names(summary: &Summary) -> impl Iterator<Item = &'static str> {
    kinds(summary).iter().map(|kind| kind.name())
}

/// A server sees connections, and knows nothing of retries and of waiting for a session.
fn kinds(summary: &Summary) -> &'static [Kind] {
    const ALL: [Kind; 4] = [Kind::Concurrency, Kind::Refusals, Kind::TimeToService, Kind::Retries];
    if summary.is_served() { &ALL[..2] } else { &ALL }
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Self::Concurrency => "concurrency",
            Self::Refusals => "refusals",
            Self::TimeToService => "time-to-service",
            Self::Retries => "retries",
        }
    }

    fn draw<B: DrawingBackend>(self, canvas: &mut Canvas<B>, summary: &Summary, rows: &[TimelineRow]) {
        match self {
            Self::Concurrency => concurrency::draw(canvas, summary, rows),
            Self::Refusals => refusals::draw(canvas, summary, &grouped(summary, rows)),
            Self::TimeToService => time_to_service::draw(canvas, summary, rows),
            Self::Retries => retries::draw(canvas, summary, &grouped(summary, rows)),
        }
    }
}

/// The time axis of a result: as long as the run, or as its rows if they go on.
fn time_axis(summary: &Summary, rows: &[TimelineRow]) -> axis::Axis {
    let rows_end = rows.last().map_or(0.0, |row| row.begin_s + row.width_s);
    axis::Axis::time(if summary.duration_s > 0.0 { summary.duration_s } else { rows_end })
}

/// `, per 30 s`: the length of the first row, in which values of stretches are counted.
fn per_stretch(rows: &[TimelineRow]) -> String {
    let width_s = rows.first().map_or(f64::NAN, |row| row.width_s);
    match width_s {
        s if !s.is_finite() => String::new(),
        60.0 => ", per minute".to_owned(),
        1.0 => ", per second".to_owned(),
        3_600.0 => ", per hour".to_owned(),
        s if (s - 1.0).abs() < 1e-6 => ", per second".to_owned(), // put together from shorter ones
        s if s > 60.0 && s % 60.0 == 0.0 && s < 7_200.0 => format!(", per {} min", s / 60.0),
        s => format!(", per {}", seconds(s)),
    }
}
