//! Trials added up: medians by size, what is aimed at beside what was measured, and both as Markdown.
//!
//! It measures nothing: everything here is a function of the two files of numbers.

use std::fmt::Write as _;

use crate::memory::Load;
use crate::trial::{Calendar, Trial};

/// Bytes that a client may take.
pub const MOST_BYTES: f64 = 250.0;

/// The trials of one size.
pub struct Size<'a> {
    pub clients: u64,
    pub wheel: Vec<&'a Trial>,
    pub heap: Vec<&'a Trial>,
}

/// All sizes, rising.
pub fn sizes(trials: &[Trial]) -> Vec<Size<'_>> {
    let mut clients: Vec<u64> = trials.iter().map(|trial| trial.clients).collect();
    clients.sort_unstable();
    clients.dedup();
    let on = |clients, calendar| {
        trials.iter().filter(move |t| t.clients == clients && t.calendar == calendar).collect()
    };
    let size =
        |clients| Size { clients, wheel: on(clients, Calendar::Wheel), heap: on(clients, Calendar::Heap) };
    clients.into_iter().map(size).filter(|size| !size.wheel.is_empty()).collect()
}

impl Size<'_> {
    /// How many times as much an event costs on the heap: the median over the pairs.
    pub fn heap_ratio(&self) -> Option<f64> {
        ratio(&self.heap, &self.wheel)
    }

    /// A median of what the runs on the wheel told.
    pub fn wheel(&self, value: impl Fn(&Trial) -> f64) -> f64 {
        median(self.wheel.iter().map(|trial| value(trial))).unwrap_or(f64::NAN)
    }
}

/// How many times as much an event costs in `dear` as in `cheap`: the median over the tries that have both.
fn ratio(dear: &[&Trial], cheap: &[&Trial]) -> Option<f64> {
    let beside = |this: &&Trial| {
        cheap.iter().find(|other| other.turn == this.turn).map(|other| this.ns() / other.ns())
    };
    median(dear.iter().filter_map(beside))
}

/// The median: of an even number of values the mean of the two in the middle.
pub fn median(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let (low, high) = (values.len().checked_sub(1)? / 2, values.len() / 2);
    Some(f64::midpoint(values[low], values[high]))
}

/// The table of the sizes.
pub fn curve(trials: &[Trial]) -> String {
    let mut text = String::from(
        "| clients | ns an event | on the heap | heap / wheel | M events/s | M commands/s | there on average | pending each | \
         bytes each | resident | allocator calls |\n|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n",
    );
    for size in sizes(trials) {
        let heap = spread(&size.heap);
        let beside = size.heap_ratio().map_or("-".to_owned(), |ratio| format!("{ratio:.2}"));
        let _ = writeln!(
            text,
            "| {} | {} | {heap} | {beside} | {:.2} | {:.2} | {} | {:.2} | {:.0} | {:.0} | {:.0} |",
            thousands(size.clients),
            spread(&size.wheel),
            size.wheel(|t| 1e3 / t.ns()),
            size.wheel(|t| t.commands_per_s() / 1e6),
            thousands(size.wheel(|t| t.connections) as u64),
            size.wheel(|t| t.each(t.pending)),
            size.wheel(|t| t.each(t.allocated)),
            size.wheel(|t| t.each(t.resident)),
            size.wheel(|t| t.allocations as f64),
        );
    }
    text
}

/// The median with the least and the most: `150 (143 to 171)`.
fn spread(trials: &[&Trial]) -> String {
    let ns = || trials.iter().map(|trial| trial.ns());
    let (low, high) = (ns().fold(f64::INFINITY, f64::min), ns().fold(0.0, f64::max));
    median(ns()).map_or("-".to_owned(), |middle| format!("{middle:.0} ({low:.0} to {high:.0})"))
}

/// What is aimed at.
struct Aim {
    what: &'static str,
    target: f64,
    floor: f64,
    measured: Option<f64>,
    /// Is less better?
    less: bool,
}

/// What is aimed at, beside what was measured.
pub fn aims(trials: &[Trial]) -> String {
    let sizes = sizes(trials);
    let at = |clients: u64| sizes.iter().find(|size| size.clients == clients);
    let ns = |clients| at(clients).map(|size| size.wheel(Trial::ns));
    let (small, large) = (at(10_000), at(1_000_000));
    let growth = small.zip(large).and_then(|(small, large)| ratio(&large.wheel, &small.wheel));
    let aim = |what, target, floor, measured, less| Aim { what, target, floor, measured, less };
    let resident = large.map(|size| size.wheel(|t| t.each(t.resident.max(t.allocated))));
    let aims = [
        aim("ns an event, 10 000 clients", 40.0, 83.0, ns(10_000), true),
        aim("ns an event, a million", 62.0, 125.0, ns(1_000_000), true),
        aim("an event at a million / at 10 000", 1.8, 1.8, growth, true),
        aim("heap / wheel at a million", 4.0, 4.0, large.and_then(Size::heap_ratio), false),
        aim("bytes a client, a million", 160.0, MOST_BYTES, resident, true),
    ];
    let mut text = String::from("| what | target | floor | measured | |\n|---|--:|--:|--:|---|\n");
    for Aim { what, target, floor, measured, less } in aims {
        let reaches = |measured: f64, goal: f64| if less { measured <= goal } else { measured >= goal };
        let verdict = match measured {
            None => "not measured",
            Some(value) if reaches(value, target) => "met",
            Some(value) if reaches(value, floor) => "the floor is met, the target is not",
            Some(_) => "**not met**",
        };
        let told =
            measured.map_or("-".to_owned(), |v| if v < 20.0 { format!("{v:.2}") } else { format!("{v:.0}") });
        let _ = writeln!(text, "| {what} | {target} | {floor} | {told} | {verdict} |");
    }
    text
}

/// The table of misses.
pub fn loads(loads: &[Load]) -> String {
    let mut text = String::from("| reach | a load alone | 32 at once | |\n|--:|--:|--:|--:|\n");
    let mut reaches: Vec<usize> = loads.iter().map(|load| load.reach).collect();
    reaches.sort_unstable();
    reaches.dedup();
    for reach in reaches {
        let of = |value: fn(&Load) -> f64| {
            median(loads.iter().filter(|load| load.reach == reach).map(value)).unwrap_or(f64::NAN)
        };
        let (alone, together) = (of(|load| load.alone_ns), of(|load| load.together_ns));
        let size =
            if reach < 1 << 20 { format!("{} KiB", reach >> 10) } else { format!("{} MiB", reach >> 20) };
        let _ = writeln!(text, "| {size} | {alone:.1} ns | {together:.1} ns | {:.1} x |", alone / together);
    }
    text
}

/// `1,000,000`.
pub fn thousands(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
