//! Marks in time: faults as shaded stretches, onsets as upright lines, each with its words above the panels.
//!
//! It decides no moment: all of them stand in the summary.

use plotters::backend::DrawingBackend;

use super::axis::Axis;
use super::canvas::{Canvas, Pen};
use super::font::Letters;
use super::panel::{LEFT, Panel, RIGHT, across};
use crate::metrics::summary::{FaultFact, Onset, Summary};
use crate::report::colours::{GREEN, INK, PALE, PAPER, Rgb, SHADE, SHADE_EDGE, SHADE_TEXT};
use crate::report::words::seconds;

/// The height of a line of words.
const LANE: f64 = 20.0;
/// More lines are not drawn; further marks stay without words.
const LANES: usize = 5;
const LETTERS: f64 = 14.0;

/// The marks of a chart; none on a chart that has no time axis.
#[derive(Clone, Debug, Default)]
pub struct Marks {
    marks: Vec<Mark>,
    labels: Vec<Label>,
}

#[derive(Clone, Debug)]
struct Mark {
    begin_s: f64,
    end_s: f64,
    words: String,
    colour: Rgb,
    kind: Kind,
}

/// What a mark is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    /// A shaded stretch.
    Fault,
    /// An upright dashed line.
    Moment,
    /// An upright line in the colour of what is well.
    Recovery,
}

/// The words of a mark: the mark's number, the lane from above, and the words' ends across.
#[derive(Clone, Debug)]
struct Label {
    mark: usize,
    lane: usize,
    left: f64,
    right: f64,
}

impl Marks {
    /// The faults and onsets of `summary` on the time axis `x`.
    pub fn of(summary: &Summary, x: &Axis) -> Self {
        let faults = summary.faults.iter().map(|f| Mark {
            begin_s: f.begin_s,
            end_s: f.end_s.max(f.begin_s),
            words: f.label.clone(),
            colour: SHADE_TEXT,
            kind: Kind::Fault,
        });
        let several = summary.replications > 1;
        let recoveries = summary.faults.iter().filter_map(|f| recovery(f, several));
        let onset = |onset: &Onset, words: &str, colour| Mark {
            begin_s: onset.time_s,
            end_s: onset.time_s,
            words: format!("{words} {} ({})", seconds(onset.time_s), onset.cause),
            colour,
            kind: Kind::Moment,
        };
        let of = if summary.replications > 1 { "median run: " } else { "" };
        let first = summary.onset.first.iter().map(|o| onset(o, &format!("{of}first refusal at"), PALE));
        let sustained = summary.onset.sustained.iter().map(|o| onset(o, &format!("{of}sustained from"), INK));
        let mut marks: Vec<Mark> = faults
            .chain(first)
            .chain(sustained)
            .chain(recoveries)
            .filter(|m| m.begin_s.is_finite())
            .collect();
        marks.sort_by(|a, b| a.begin_s.total_cmp(&b.begin_s));
        marks.dedup_by(|a, b| a.kind == Kind::Recovery && b.kind == a.kind && a.words == b.words); // from faults that overlap
        let labels = labels(&marks, x);
        Self { marks, labels }
    }

    /// How much room the words take.
    pub fn height(&self) -> f64 {
        let lanes = self.labels.iter().map(|label| label.lane + 1).max().unwrap_or(0);
        lanes as f64 * LANE
    }

    /// The shades of faults, below everything else.
    pub fn shade<B: DrawingBackend>(&self, canvas: &mut Canvas<B>, panels: &[Panel]) {
        for panel in panels {
            for mark in self.marks.iter().filter(|m| m.kind == Kind::Fault) {
                let (left, right) = (panel.across(mark.begin_s), panel.across(mark.end_s));
                canvas.fill((left, panel.top), (right, panel.bottom), SHADE);
                for edge in [left, right] {
                    canvas.path(
                        &[(edge, panel.top), (edge, panel.bottom)],
                        Pen { colour: SHADE_EDGE, width: 1 },
                    );
                }
            }
        }
    }

    /// The lines and words, above everything else; the first lane lies at `top`.
    pub fn draw<B: DrawingBackend>(&self, canvas: &mut Canvas<B>, panels: &[Panel], top: f64) {
        let (Some(first), Some(last)) = (panels.first(), panels.last()) else { return };
        for label in &self.labels {
            let mark = &self.marks[label.mark];
            let (x, pen) = (first.across(mark.begin_s), Pen { colour: mark.colour, width: 1 });
            let lane = top + label.lane as f64 * LANE;
            canvas.path(&[(x, lane), (x, first.top)], pen);
        }
        // A line without room for its words is a line still.
        for mark in &self.marks {
            let (x, pen) = (first.across(mark.begin_s), Pen { colour: mark.colour, width: 1 });
            match mark.kind {
                Kind::Fault => {}
                Kind::Moment => canvas.dashes((x, first.top), (x, last.bottom), (10.0, 6.0), pen),
                Kind::Recovery => {
                    canvas.path(&[(x, first.top), (x, last.bottom)], Pen { width: 2, ..pen });
                }
            }
        }
        for label in &self.labels {
            let mark = &self.marks[label.mark];
            let y = top + label.lane as f64 * LANE;
            let colour = if mark.kind == Kind::Moment { INK } else { mark.colour };
            canvas.fill((label.left - 1.0, y - 9.0), (label.right + 1.0, y + 9.0), PAPER);
            canvas.text((label.left, y), &mark.words, Letters::new(LETTERS, colour));
        }
    }
}

/// The moment at which the system had recovered from a fault; none if most replications never had.
fn recovery(fault: &FaultFact, several: bool) -> Option<Mark> {
    let after_s = fault.recovery.as_ref()?.after_s?;
    let of = if several { "median run: " } else { "" };
    let at_s = fault.end_s + after_s;
    Some(Mark {
        begin_s: at_s,
        end_s: at_s,
        words: format!("{of}recovered at {}", seconds(at_s)),
        colour: GREEN,
        kind: Kind::Recovery,
    })
}

/// Where the words go: each mark's in the first lane with room right of it, or left of it at the sheet's edge.
fn labels(marks: &[Mark], x: &Axis) -> Vec<Label> {
    let mut lanes: Vec<f64> = Vec::new();
    let mut labels = Vec::new();
    for (i, mark) in marks.iter().enumerate() {
        let width = Letters::new(LETTERS, INK).width(&mark.words);
        let x = across(x, mark.begin_s);
        let left = if x + 6.0 + width <= RIGHT { x + 6.0 } else { (x - 6.0 - width).max(LEFT - 60.0) };
        let lane = lanes.iter().position(|end| *end + 12.0 <= left).unwrap_or(lanes.len());
        if lane >= LANES {
            continue;
        }
        if lane == lanes.len() {
            lanes.push(0.0);
        }
        lanes[lane] = left + width;
        labels.push(Label { mark: i, lane, left, right: left + width });
    }
    labels
}
