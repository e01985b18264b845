//! What every chart has: a title that states the finding, a subtitle, a legend, and marks in time over all its panels.
//!
//! It plots no data; it gives each part a place that no other part covers.

use plotters::backend::DrawingBackend;

use super::axis::Axis;
use super::canvas::{Canvas, HEIGHT, Pen};
use super::font::{Align, Letters};
use super::marks::Marks;
use super::panel::{Panel, RIGHT};
use crate::metrics::summary::Summary;
use crate::report::colours::{FAINT, INK, Rgb};
use crate::report::words::{counted, seconds};

const BOTTOM: f64 = HEIGHT as f64 - 56.0;
const TITLE: Letters = Letters::new(25.0, INK).bold();
const SUBTITLE: Letters = Letters::new(14.5, FAINT);
const LEGEND: Letters = Letters::new(14.0, INK);
/// The line of the legend's first row.
const LEGEND_TOP: f64 = 97.0;
const LEGEND_ROW: f64 = 23.0;
/// From a legend's sign to its words, and from its words to the next sign.
const SIGN: f64 = 30.0;
const GAP: f64 = 26.0;
/// Between two panels: room for the title of the lower one's axis.
const BETWEEN: f64 = 46.0;

/// An entry of the legend.
#[derive(Clone, Debug)]
pub struct Key {
    /// Its words.
    pub words: String,
    /// Its sign.
    pub sign: Sign,
}

/// The sign of an entry.
#[derive(Clone, Copy, Debug)]
pub enum Sign {
    /// A line.
    Line(Pen),
    /// A dashed line.
    Dashed(Pen),
    /// An area.
    Area(Rgb),
}

/// A chart without its data.
#[derive(Clone, Debug)]
pub struct Sheet {
    title: String,
    subtitle: String,
    keys: Vec<Key>,
    marks: Marks,
}

impl Key {
    /// An entry.
    pub fn new(words: impl Into<String>, sign: Sign) -> Self {
        Self { words: words.into(), sign }
    }
}

impl Sheet {
    /// A chart of `summary` that finds what `title` says.
    pub fn new(summary: &Summary, title: String, keys: Vec<Key>, marks: Marks) -> Self {
        let title = match (&summary.target, title.split_at_checked(1)) {
            (Some(_), Some((first, rest))) => format!("Measured: {}{rest}", first.to_lowercase()),
            _ => title,
        };
        Self { title, subtitle: subtitle(summary), keys, marks }
    }

    /// A chart of something else than a run, without marks in time.
    pub fn titled(title: String, subtitle: String, keys: Vec<Key>) -> Self {
        Self { title, subtitle, keys, marks: Marks::default() }
    }

    /// The panels, from above, over the one level axis `x`: the upright axis and the share of the height of each.
    pub fn panels(&self, x: &Axis, uprights: Vec<(Axis, f64)>) -> Vec<Panel> {
        let top = self.marks_top() + self.marks.height() + 30.0;
        let whole: f64 = uprights.iter().map(|(_, share)| share).sum();
        let room = BOTTOM - top - BETWEEN * (uprights.len() as f64 - 1.0);
        let mut begin = top;
        let panel = |(y, share): (Axis, f64)| {
            let top = begin;
            begin += room * share / whole + BETWEEN;
            Panel { top, bottom: begin - BETWEEN, x: x.clone(), y }
        };
        uprights.into_iter().map(panel).collect()
    }

    /// Two panels, each with a level axis of its own: that of the marks above, and half of the room below for another.
    pub fn panels_apart(&self, x: &Axis, y: Axis, below_x: &Axis, below_y: Axis) -> (Panel, Panel) {
        let top = self.marks_top() + self.marks.height() + 30.0;
        let apart = BETWEEN + 38.0; // the words of the upper level axis
        let room = (BOTTOM - top - apart) / 2.0;
        let upper = Panel { top, bottom: top + room, x: x.clone(), y };
        (upper, Panel { top: top + room + apart, bottom: BOTTOM, x: below_x.clone(), y: below_y })
    }

    /// Draws everything but the data, and the data by `data` between what lies below them and what lies above.
    pub fn draw<B: DrawingBackend>(
        &self,
        canvas: &mut Canvas<B>,
        panels: &[Panel],
        data: impl FnOnce(&mut Canvas<B>),
    ) {
        self.marks.shade(canvas, panels);
        for (i, panel) in panels.iter().enumerate() {
            panel.frame(canvas, i + 1 == panels.len());
        }
        data(canvas);
        self.marks.draw(canvas, panels, self.marks_top());
        for panel in panels {
            panel.title(canvas);
        }
        let room = RIGHT - 24.0;
        let title = TITLE.for_width(&self.title, room);
        canvas.text((24.0, 36.0), &title.fit(&self.title, room + 1.0), title); // a hair for what rounding takes
        canvas.text((24.0, 66.0), &SUBTITLE.fit(&self.subtitle, room), SUBTITLE);
        for (x, y, key) in self.legend() {
            draw_key(canvas, (x, y), key);
        }
    }

    /// Each entry of the legend with its place.
    fn legend(&self) -> Vec<(f64, f64, &Key)> {
        let (mut x, mut y) = (24.0, LEGEND_TOP);
        let mut placed = Vec::with_capacity(self.keys.len());
        for key in &self.keys {
            let width = SIGN + LEGEND.width(&key.words);
            if x + width > RIGHT && x > 24.0 {
                (x, y) = (24.0, y + LEGEND_ROW);
            }
            placed.push((x, y, key));
            x += width + GAP;
        }
        placed
    }

    /// Where the marks' words begin: below the legend.
    fn marks_top(&self) -> f64 {
        self.legend().last().map_or(LEGEND_TOP - LEGEND_ROW, |(_, y, _)| *y) + LEGEND_ROW + 7.0
    }
}

fn draw_key<B: DrawingBackend>(canvas: &mut Canvas<B>, (x, y): (f64, f64), key: &Key) {
    let (from, to) = ((x, y), (x + 22.0, y));
    match key.sign {
        Sign::Line(pen) => canvas.path(&[from, to], pen),
        Sign::Dashed(pen) => canvas.dashes(from, to, (8.0, 6.0), pen),
        Sign::Area(colour) => canvas.fill((x + 4.0, y - 7.0), (x + 20.0, y + 7.0), colour),
    }
    canvas.text((x + SIGN, y), &key.words, LEGEND.align(Align::Left));
}

fn subtitle(summary: &Summary) -> String {
    let mut parts = vec![summary.scenario.clone()];
    parts.push(match &summary.target {
        Some(target) if target.own => format!("own {} server at {}", summary.server.profile, target.url),
        Some(target) => target.url.clone(),
        None => format!("profile {}", summary.server.profile),
    });
    if let [first, _, ..] = &summary.server.servers[..] {
        parts.push(format!("server {first} of {}", summary.server.servers.len()));
    }
    parts.push(counted(u64::from(summary.replications), "replication"));
    parts.push(format!("seed {}", summary.seed));
    if summary.target.is_none() {
        parts.push(summary.world.clone()); // a measured one's title says so
    }
    if summary.warmup_s > 0.0 {
        parts.push(format!("estimates from {} on", seconds(summary.warmup_s)));
    }
    if summary.partial {
        parts.push("interrupted".to_owned());
    }
    if summary.generator.as_ref().is_some_and(|generator| !generator.limited_by.is_empty()) {
        parts.push("the generator was the limit".to_owned());
    }
    parts.join(" · ")
}
