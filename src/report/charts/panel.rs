//! A panel: two axes around a piece of the sheet, and the shapes that data take in it.
//!
//! It decides no colour and no layout.

use plotters::backend::DrawingBackend;

use super::axis::Axis;
use super::canvas::{Canvas, Pen, Point, WIDTH};
use super::font::{Align, Letters};
use super::series::Series;
use crate::report::colours::{FAINT, GRID, INK, PALE, PAPER, Rgb};

/// The left edge of every panel, pixels.
pub const LEFT: f64 = 84.0;
/// The right edge of every panel.
pub const RIGHT: f64 = WIDTH as f64 - 36.0;
/// The letters of axes.
const LABEL: Letters = Letters::new(14.0, FAINT);

/// Two axes around a piece of the sheet.
#[derive(Clone, Debug)]
pub struct Panel {
    /// Its upper edge, pixels.
    pub top: f64,
    /// Its lower edge.
    pub bottom: f64,
    /// The level axis.
    pub x: Axis,
    /// The upright axis.
    pub y: Axis,
}

/// How far across the sheet `value` lies on the level axis `x`.
pub fn across(x: &Axis, value: f64) -> f64 {
    LEFT + x.place(value) * (RIGHT - LEFT)
}

impl Panel {
    /// Where the values `x` and `y` lie on the sheet.
    pub fn at(&self, x: f64, y: f64) -> Point {
        (self.across(x), self.up(y))
    }

    /// How far across the value `x` lies.
    pub fn across(&self, x: f64) -> f64 {
        across(&self.x, x)
    }

    fn up(&self, y: f64) -> f64 {
        self.bottom - self.y.place(y) * (self.bottom - self.top)
    }

    /// Grid and ticks; the level axis has its words only in the lowest panel.
    pub fn frame<B: DrawingBackend>(&self, canvas: &mut Canvas<B>, lowest: bool) {
        let grid = Pen { colour: GRID, width: 1 };
        for tick in &self.y.ticks {
            let y = self.up(tick.at);
            canvas.path(&[(LEFT, y), (RIGHT, y)], grid);
            canvas.text((LEFT - 9.0, y), &tick.label, LABEL.align(Align::Right));
        }
        let axis = Pen { colour: PALE, width: 1 };
        canvas.path(&[(LEFT, self.bottom), (RIGHT, self.bottom)], axis);
        let mut free_from = f64::NEG_INFINITY;
        for tick in &self.x.ticks {
            let x = self.across(tick.at);
            canvas.path(&[(x, self.bottom), (x, self.bottom + 5.0)], axis);
            let half = LABEL.width(&tick.label) / 2.0;
            if lowest && x - half > free_from {
                canvas.text((x, self.bottom + 18.0), &tick.label, LABEL.align(Align::Middle));
                free_from = x + half + 8.0;
            }
        }
        if lowest {
            let middle = f64::midpoint(LEFT, RIGHT);
            canvas.text((middle, self.bottom + 41.0), &self.x.title, LABEL.align(Align::Middle));
        }
    }

    /// The title of the upright axis, on paper of its own, so that no mark strikes it through.
    pub fn title<B: DrawingBackend>(&self, canvas: &mut Canvas<B>) {
        let (letters, y) = (LABEL.bold(), self.top - 15.0);
        canvas.fill((LEFT - 3.0, y - 9.0), (LEFT + letters.width(&self.y.title) + 3.0, y + 9.0), PAPER);
        canvas.text((LEFT, y), &self.y.title, letters);
    }

    /// Says that there is nothing to see.
    pub fn empty<B: DrawingBackend>(&self, canvas: &mut Canvas<B>, words: &str) {
        let middle = (f64::midpoint(LEFT, RIGHT), f64::midpoint(self.top, self.bottom));
        canvas.text(middle, words, Letters::new(18.0, FAINT).align(Align::Middle));
    }

    /// A line through the middles of the stretches, broken where there is no value.
    pub fn line<B: DrawingBackend>(&self, canvas: &mut Canvas<B>, series: &Series, pen: Pen) {
        for run in runs(series) {
            if let [(begin, width, value)] = run[..] {
                canvas.path(&[self.at(begin, value), self.at(begin + width, value)], pen);
            }
            let points: Vec<Point> =
                run.iter().map(|(begin, width, v)| self.at(begin + width / 2.0, *v)).collect();
            canvas.path(&points, pen);
        }
    }

    /// A line as level as each stretch is long: for counts, which happen within a stretch and not at its middle.
    pub fn stairs<B: DrawingBackend>(&self, canvas: &mut Canvas<B>, series: &Series, pen: Pen) {
        for run in runs(series) {
            let steps =
                run.iter().flat_map(|(begin, width, v)| [self.at(*begin, *v), self.at(begin + width, *v)]);
            canvas.path(&steps.collect::<Vec<Point>>(), pen);
        }
    }

    /// The area between two series that have their values at the same places.
    pub fn band<B: DrawingBackend>(&self, canvas: &mut Canvas<B>, low: &Series, high: &Series, colour: Rgb) {
        for (low, high) in runs(low).iter().zip(runs(high)) {
            let middles = |run: &[(f64, f64, f64)]| -> Vec<Point> {
                if let [(begin, width, value)] = run[..] {
                    return vec![self.at(begin, value), self.at(begin + width, value)];
                }
                run.iter().map(|(begin, width, v)| self.at(begin + width / 2.0, *v)).collect()
            };
            let mut outline = middles(low);
            outline.extend(middles(&high).into_iter().rev());
            canvas.polygon(&outline, colour);
        }
    }

    /// Bars stacked in the order of `layers`, the first at the bottom; the sums are drawn one before the other, highest first.
    pub fn stack<B: DrawingBackend>(&self, canvas: &mut Canvas<B>, layers: &[(Rgb, &Series)]) {
        for (i, (colour, top)) in layers.iter().enumerate().rev() {
            let sum =
                |at: usize| layers[..=i].iter().filter_map(|(_, s)| s.points.get(at)?.value).sum::<f64>();
            let bars = top.points.iter().enumerate().map(|(at, p)| (p.begin_s, p.width_s, sum(at)));
            let bars: Vec<(f64, f64, f64)> = bars.collect();
            for run in bars.chunk_by(|a, b| (a.2 > 0.0) == (b.2 > 0.0)).filter(|run| run[0].2 > 0.0) {
                canvas.polygon(&self.steps(run), *colour);
            }
        }
    }

    /// A level dashed line across the panel.
    pub fn rule<B: DrawingBackend>(&self, canvas: &mut Canvas<B>, y: f64, pen: Pen) {
        let (from, to) = ((LEFT, self.up(y)), (RIGHT, self.up(y)));
        canvas.dashes(from, to, (16.0, 8.0), pen);
    }

    /// A level dashed line for each stretch over which the value stays the same.
    pub fn rules<B: DrawingBackend>(&self, canvas: &mut Canvas<B>, series: &Series, pen: Pen) {
        for run in runs(series) {
            for level in run.chunk_by(|(.., a), (.., b)| a.total_cmp(b).is_eq()) {
                if let (Some((begin, _, value)), Some((last, width, _))) = (level.first(), level.last()) {
                    canvas.dashes(self.at(*begin, *value), self.at(last + width, *value), (16.0, 8.0), pen);
                }
            }
        }
    }

    /// The outline of bars side by side, from the base line and back to it.
    fn steps(&self, run: &[(f64, f64, f64)]) -> Vec<Point> {
        let mut outline = Vec::with_capacity(2 * run.len() + 2);
        for (begin, width, value) in run {
            let (from, to) = (self.at(*begin, *value), self.at(begin + width, *value));
            if outline.is_empty() {
                outline.push((from.0, self.bottom));
            }
            outline.push(from);
            // A bar is never too narrow to be seen.
            outline.push((to.0.max(from.0 + 1.0), to.1));
        }
        let right = outline.last().map_or(LEFT, |p| p.0);
        outline.push((right, self.bottom));
        outline
    }
}

/// Words beside a place in the panel, on the side where they have room.
pub fn note<B: DrawingBackend>(canvas: &mut Canvas<B>, (x, y): Point, words: &str) {
    let letters = Letters::new(14.0, INK);
    let fits = x + 10.0 + letters.width(words) < RIGHT;
    let (x, align) = if fits { (x + 10.0, Align::Left) } else { (x - 10.0, Align::Right) };
    canvas.text((x, y), words, letters.align(align));
}

/// The stretches with a value, as begin, width and value, parted where there is none.
fn runs(series: &Series) -> Vec<Vec<(f64, f64, f64)>> {
    series
        .points
        .chunk_by(|a, b| a.value.is_some() == b.value.is_some())
        .map(|run| run.iter().filter_map(|p| Some((p.begin_s, p.width_s, p.value?))).collect())
        .filter(|run: &Vec<_>| !run.is_empty())
        .collect()
}
