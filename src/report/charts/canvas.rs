//! A sheet to draw on: plotters' backends behind fractional coordinates, dashes and stacking that suits charts.
//!
//! It knows nothing of data. The same calls fill an SVG and a bitmap; both lie in memory, so that no call can fail.

use plotters::backend::{BitMapBackend, DrawingBackend, SVGBackend};
use plotters_backend::{BackendColor, BackendStyle};

use super::font::Letters;
use crate::report::colours::{PAPER, Rgb};

/// Width of every chart, pixels.
pub const WIDTH: u32 = 1280;
/// Height of every chart, pixels.
pub const HEIGHT: u32 = 720;
/// A bitmap is drawn this many times as large and averaged down: smooth edges at any slope.
const ZOOM: u32 = 3;

/// Across and down from the upper left corner, pixels of the finished chart.
pub type Point = (f64, f64);

/// A line's colour and width.
#[derive(Clone, Copy, Debug)]
pub struct Pen {
    /// Its colour.
    pub colour: Rgb,
    /// Its width in pixels.
    pub width: u32,
}

/// A line on the backend: plotters' own name for colour and width.
struct Stroke(BackendColor, u32);

impl BackendStyle for Stroke {
    fn color(&self) -> BackendColor {
        self.0
    }

    fn stroke_width(&self) -> u32 {
        self.1
    }
}

/// A sheet of [`WIDTH`] by [`HEIGHT`].
pub struct Canvas<B> {
    backend: B,
    zoom: u32,
}

/// The SVG of what `draw` draws.
pub fn svg(draw: impl FnOnce(&mut Canvas<SVGBackend<'_>>)) -> String {
    let mut text = String::new();
    let mut canvas = Canvas { backend: SVGBackend::with_string(&mut text, (WIDTH, HEIGHT)), zoom: 1 };
    canvas.clear();
    draw(&mut canvas);
    let _ = canvas.backend.present();
    drop(canvas);
    text
}

/// The pixels of what `draw` draws, three bytes each, row by row.
pub fn pixels(draw: impl FnOnce(&mut Canvas<BitMapBackend<'_>>)) -> Vec<u8> {
    let size = (WIDTH * ZOOM, HEIGHT * ZOOM);
    let mut large = vec![0; (size.0 * size.1 * 3) as usize];
    let mut canvas = Canvas { backend: BitMapBackend::with_buffer(&mut large, size), zoom: ZOOM };
    canvas.clear();
    draw(&mut canvas);
    drop(canvas);
    averaged(&large)
}

impl<B: DrawingBackend> Canvas<B> {
    fn clear(&mut self) {
        self.fill((0.0, 0.0), (f64::from(WIDTH), f64::from(HEIGHT)), PAPER);
    }

    /// A filled rectangle.
    pub fn fill(&mut self, from: Point, to: Point, colour: Rgb) {
        let (from, to) = (self.place(from), self.place(to));
        let _ = self.backend.draw_rect(from, to, &opaque(colour), true);
    }

    /// A line through `points`; a single point leaves no trace.
    pub fn path(&mut self, points: &[Point], pen: Pen) {
        let corners = self.corners(points);
        let stroke = Stroke(opaque(pen.colour), pen.width * self.zoom);
        if self.zoom == 1 {
            let _ = self.backend.draw_path(corners, &stroke);
            return;
        }
        // plotters fills a broad path on a bitmap as one polygon, with holes where a steep line overlaps itself.
        for ends in corners.windows(2) {
            let _ = self.backend.fill_polygon(broad(ends[0], ends[1], stroke.1), &opaque(pen.colour));
        }
        for &joint in corners.iter().skip(1).take(corners.len().saturating_sub(2)) {
            let _ = self.backend.draw_circle(joint, (stroke.1 - 1) / 2, &opaque(pen.colour), true);
        }
    }

    /// A dashed straight line: `on` pixels drawn, `off` pixels not.
    pub fn dashes(&mut self, from: Point, to: Point, (on, off): (f64, f64), pen: Pen) {
        let (dx, dy) = (to.0 - from.0, to.1 - from.1);
        let length = (dx * dx + dy * dy).sqrt();
        let at = |d: f64| (from.0 + dx * d / length, from.1 + dy * d / length);
        let mut begin = 0.0;
        while begin < length {
            self.path(&[at(begin), at((begin + on).min(length))], pen);
            begin += on + off;
        }
    }

    /// A filled polygon.
    pub fn polygon(&mut self, points: &[Point], colour: Rgb) {
        let corners = self.corners(points);
        if corners.len() > 2 {
            let _ = self.backend.fill_polygon(corners, &opaque(colour));
        }
    }

    /// A filled circle.
    pub fn dot(&mut self, at: Point, radius: u32, colour: Rgb) {
        let at = self.place(at);
        let _ = self.backend.draw_circle(at, radius * self.zoom, &opaque(colour), true);
    }

    /// A line of text; characters that no XML may hold become question marks.
    pub fn text(&mut self, at: Point, text: &str, letters: Letters) {
        let clean: String = text.chars().map(|c| if is_printable(c) { c } else { '?' }).collect();
        let letters = Letters { size: letters.size * f64::from(self.zoom), ..letters };
        let at = self.place(at);
        let _ = self.backend.draw_text(&clean, &letters, at);
    }

    fn place(&self, (x, y): Point) -> (i32, i32) {
        let whole = |v: f64| (v.clamp(-1e4, 1e4) * f64::from(self.zoom)).round() as i32;
        (whole(x), whole(y))
    }

    /// The places of `points`, without those that add nothing: repetitions, and middles of level or upright stretches.
    fn corners(&self, points: &[Point]) -> Vec<(i32, i32)> {
        let mut corners: Vec<(i32, i32)> = Vec::with_capacity(points.len());
        for at in points.iter().map(|&p| self.place(p)) {
            if corners.last() == Some(&at) {
                continue;
            }
            if let [.., before, last] = corners[..] {
                let level = before.1 == last.1
                    && last.1 == at.1
                    && (last.0 - before.0).signum() == (at.0 - last.0).signum();
                let upright = before.0 == last.0
                    && last.0 == at.0
                    && (last.1 - before.1).signum() == (at.1 - last.1).signum();
                if level || upright {
                    corners.pop();
                }
            }
            corners.push(at);
        }
        corners
    }
}

/// The corners of a line from `a` to `b`, `width` pixels broad: the backend fills both edges of a polygon, hence one less.
fn broad(a: (i32, i32), b: (i32, i32), width: u32) -> [(i32, i32); 4] {
    let (dx, dy) = (f64::from(b.0 - a.0), f64::from(b.1 - a.1));
    let half = f64::from(width - 1) / 2.0 / (dx * dx + dy * dy).sqrt();
    let aside = |(x, y): (i32, i32), side: f64| {
        let moved = |v: i32, by: f64| (f64::from(v) + by * half * side).round() as i32;
        (moved(x, -dy), moved(y, dx))
    };
    [aside(a, 1.0), aside(b, 1.0), aside(b, -1.0), aside(a, -1.0)]
}

fn opaque(Rgb(r, g, b): Rgb) -> BackendColor {
    BackendColor { alpha: 1.0, rgb: (r, g, b) }
}

fn is_printable(c: char) -> bool {
    !c.is_control() && !matches!(c, '\u{FFFE}' | '\u{FFFF}')
}

/// Each pixel the mean of [`ZOOM`] x [`ZOOM`] of `large`.
fn averaged(large: &[u8]) -> Vec<u8> {
    let (zoom, row) = (ZOOM as usize, (WIDTH * ZOOM * 3) as usize);
    let mut small = Vec::with_capacity((WIDTH * HEIGHT * 3) as usize);
    for rows in large.chunks_exact(row * zoom) {
        for x in 0..WIDTH as usize {
            for channel in 0..3 {
                let places = (0..zoom * zoom).map(|i| i / zoom * row + (x * zoom + i % zoom) * 3 + channel);
                let sum: usize = places.map(|at| usize::from(rows[at])).sum();
                small.push(((sum + zoom * zoom / 2) / (zoom * zoom)) as u8);
            }
        }
    }
    small
}
