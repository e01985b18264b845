//! Curves over decades: what was measured at sizes ten times apart, each point with its spread.
//!
//! It knows nothing of what was measured: the words come with the numbers.

use plotters::backend::DrawingBackend;

use super::axis::Axis;
use super::canvas::{Canvas, Pen};
use super::font::{Align, Letters};
use super::panel::{LEFT, Panel};
use super::sheet::Sheet;
use crate::report::colours::{FAINT, PAPER, Rgb};
use crate::report::words::{count, trimmed};

/// A chart of curves over one level axis. Both axes are logarithmic.
#[derive(Clone, PartialEq, Debug)]
pub struct Curves {
    /// What was found.
    pub title: String,
    /// Of what, how and where.
    pub subtitle: String,
    /// What lies on the level axis, with its unit.
    pub level: String,
    /// The panels, from above, each with its share of the height.
    pub panels: Vec<(Upright, f64)>,
}

/// A panel.
#[derive(Clone, PartialEq, Debug)]
pub struct Upright {
    /// What lies on its upright axis, with its unit.
    pub title: String,
    /// Its curves.
    pub curves: Vec<Curve>,
    /// Level lines with words: what is to be reached.
    pub aims: Vec<(f64, String)>,
}

/// A curve.
#[derive(Clone, PartialEq, Debug)]
pub struct Curve {
    /// Its words, which stand beside its last stretch.
    pub name: String,
    /// Its colour.
    pub colour: Rgb,
    /// Do its numbers stand above it, or below?
    pub above: bool,
    /// Its points, from the left.
    pub points: Vec<Point>,
}

/// A point of a curve.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Point {
    /// Where it lies on the level axis.
    pub at: f64,
    /// The least that was measured.
    pub low: f64,
    /// The median.
    pub middle: f64,
    /// The most.
    pub high: f64,
}

/// Half the width of the ends of an error bar, pixels.
const WHISKER: f64 = 5.0;

/// Draws it.
pub(super) fn draw<B: DrawingBackend>(canvas: &mut Canvas<B>, curves: &Curves) {
    let points = || curves.panels.iter().flat_map(|(panel, _)| &panel.curves).flat_map(|curve| &curve.points);
    let x = Axis::decades(points().map(|p| p.at), &curves.level).with_margin();
    let uprights = curves.panels.iter().map(|(panel, share)| (upright_axis(panel), *share)).collect();
    let sheet = Sheet::titled(curves.title.clone(), curves.subtitle.clone(), Vec::new());
    let panels = sheet.panels(&x, uprights);
    sheet.draw(canvas, &panels, |canvas| {
        for (panel, (upright, _)) in panels.iter().zip(&curves.panels) {
            for (value, words) in &upright.aims {
                draw_aim(canvas, panel, *value, words);
            }
            for curve in &upright.curves {
                draw_curve(canvas, panel, curve);
            }
        }
    });
}

fn upright_axis(panel: &Upright) -> Axis {
    let measured = panel.curves.iter().flat_map(|curve| &curve.points).flat_map(|p| [p.low, p.high]);
    let aims = panel.aims.iter().map(|(value, _)| *value);
    Axis::steps(measured.chain(aims), &panel.title).with_margin()
}

fn draw_aim<B: DrawingBackend>(canvas: &mut Canvas<B>, panel: &Panel, value: f64, words: &str) {
    let (_, y) = panel.at(panel.x.ends().0, value);
    panel.rule(canvas, value, Pen { colour: FAINT, width: 1 });
    canvas.text((LEFT + 8.0, y - 9.0), words, Letters::new(12.5, FAINT));
}

fn draw_curve<B: DrawingBackend>(canvas: &mut Canvas<B>, panel: &Panel, curve: &Curve) {
    let middles: Vec<_> = curve.points.iter().map(|p| panel.at(p.at, p.middle)).collect();
    canvas.path(&middles, Pen { colour: curve.colour, width: 3 });
    let thin = Pen { colour: curve.colour, width: 1 };
    let letters = Letters::new(14.0, curve.colour).bold().align(Align::Middle);
    for point in &curve.points {
        let (low, high) = (panel.at(point.at, point.low), panel.at(point.at, point.high));
        canvas.path(&[low, high], thin);
        for (x, y) in [low, high] {
            canvas.path(&[(x - WHISKER, y), (x + WHISKER, y)], thin);
        }
        canvas.dot(panel.at(point.at, point.middle), 6, PAPER);
        canvas.dot(panel.at(point.at, point.middle), 5, curve.colour);
        let (x, y) = if curve.above { (high.0, high.1 - 15.0) } else { (low.0, low.1 + 16.0) };
        canvas.text((x, y), &number(point.middle), letters);
    }
    if let [.., before, last] = middles[..] {
        draw_name(canvas, curve, before, last);
    }
}

/// The name beside the last stretch, on the side of the curve's numbers and where it leads away from the words.
fn draw_name<B: DrawingBackend>(canvas: &mut Canvas<B>, curve: &Curve, from: (f64, f64), to: (f64, f64)) {
    let rises = to.1 < from.1;
    // What is written towards the last number begins early enough to end before it.
    let (align, aside, part) =
        if rises == curve.above { (Align::Right, -10.0, 0.5) } else { (Align::Left, 10.0, 0.3) };
    let (x, y) = (from.0 + part * (to.0 - from.0), from.1 + part * (to.1 - from.1));
    let y = if curve.above { y - 12.0 } else { y + 14.0 };
    canvas.text((x + aside, y), &curve.name, Letters::new(14.0, curve.colour).align(align));
}

/// Three digits at least: `35.2`, `135`, `19,612`.
fn number(value: f64) -> String {
    if value < 100.0 { trimmed(format!("{value:.1}")) } else { count(value.round() as u64) }
}
