//! The files of the scale page: the numbers as measured, the chart, and the tables within `docs/scale.md`.
//!
//! It measures nothing; the same numbers give the same bytes.

use std::path::PathBuf;
use std::{fs, io};

use ftp421::report::charts::{self, Curve, Curves, Point, Upright};
use ftp421::report::colours::{BLUE, GREEN, PURPLE, RED};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::memory::Load;
use crate::table::{self, Size, median};
use crate::trial::Trial;

/// Between these the page is written by this bench.
const BEGIN: &str = "<!-- measured: written by `cargo bench --bench scale -- --bless` -->\n";
const END: &str = "<!-- end of what was measured -->\n";

/// All that was measured.
pub struct Measured {
    /// Where and when.
    pub machine: String,
    pub trials: Vec<Trial>,
    pub loads: Vec<Load>,
}

fn docs(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs").join(name)
}

impl Measured {
    /// Reads back what was written last.
    ///
    /// # Errors
    /// If it is not there, or was damaged.
    pub fn read() -> io::Result<Self> {
        let (machine, trials) = read("scale/scale.csv")?;
        Ok(Self { machine, trials, loads: read("scale/memory.csv")?.1 })
    }

    /// Writes the numbers.
    ///
    /// # Errors
    /// If the disk is full, for example.
    pub fn write(&self) -> io::Result<()> {
        fs::create_dir_all(docs("scale"))?;
        write("scale/scale.csv", &self.machine, &self.trials)?;
        write("scale/memory.csv", &self.machine, &self.loads)
    }

    /// Draws the chart and writes the tables. The chart's bitmap goes to `png`, if that is given.
    ///
    /// # Errors
    /// If the page is not there, or has no place for the tables.
    pub fn draw(&self, png: Option<&PathBuf>) -> io::Result<()> {
        let chart = charts::curves("scale", &self.chart());
        fs::write(docs("scale/scale.svg"), chart.svg)?;
        if let Some(path) = png {
            fs::write(path, chart.png)?;
        }
        let page = fs::read_to_string(docs("scale.md"))?;
        let parts = page.split_once(BEGIN).and_then(|(head, rest)| Some((head, rest.split_once(END)?.1)));
        let (head, tail) = parts.ok_or_else(|| io::Error::other("docs/scale.md has lost its marks"))?;
        fs::write(docs("scale.md"), format!("{head}{BEGIN}{}{END}{tail}", self.tables()))
    }

    /// The tables of the page.
    pub fn tables(&self) -> String {
        format!(
            "\nMeasured on {}.\n\n{}\n{}\n{}\n",
            self.machine,
            table::curve(&self.trials),
            table::aims(&self.trials),
            table::loads(&self.loads)
        )
    }

    fn chart(&self) -> Curves {
        let sizes = table::sizes(&self.trials);
        let ns = |name: &str, colour, above, of: fn(&Size<'_>) -> Vec<Trial>| {
            curve(name, colour, above, &sizes, of, Trial::ns)
        };
        let wheel = |size: &Size<'_>| size.wheel.iter().map(|t| (*t).clone()).collect();
        let time = Upright {
            title: "processor time of an event (ns, logarithmic)".to_owned(),
            curves: vec![
                ns("std's BinaryHeap for a calendar", RED, true, |size| {
                    size.heap.iter().map(|t| (*t).clone()).collect()
                }),
                ns("lanes and a wheel", BLUE, false, wheel),
            ],
            aims: Vec::new(),
        };
        let memory = Upright {
            title: "memory for each client that is there (bytes, logarithmic)".to_owned(),
            curves: vec![
                curve("allocated", GREEN, false, &sizes, wheel, |t| t.each(t.allocated)),
                curve("resident, at its peak", PURPLE, true, &sizes, wheel, |t| t.each(t.resident)),
            ],
            aims: vec![(table::MOST_BYTES, format!("at most {} are meant for a million", table::MOST_BYTES))],
        };
        Curves {
            title: title(&sizes),
            subtitle: format!(
                "FTP loss workload behind its filling · medians of {} tries, least and most · {}",
                self.trials.iter().map(|t| t.turn).max().unwrap_or(0),
                self.machine
            ),
            level: "concurrent clients, each with an idle timer".to_owned(),
            panels: vec![(time, 0.58), (memory, 0.42)],
        }
    }
}

/// What the first and the last size have to do with each other.
fn title(sizes: &[Size<'_>]) -> String {
    let Some((first, last)) = sizes.first().zip(sizes.last()) else {
        return "Nothing was measured".to_owned();
    };
    let of = |trials: &[&Trial]| median(trials.iter().map(|t| t.ns()));
    let times = |last: &[&Trial], first: &[&Trial]| Some(of(last)? / of(first)?);
    let Some(ours) = times(&last.wheel, &first.wheel) else { return "Nothing was measured".to_owned() };
    let heap =
        times(&last.heap, &first.heap).map_or(String::new(), |heap| format!("; on a heap, {heap:.0} times"));
    let (few, many) = (table::thousands(first.clients), table::thousands(last.clients));
    format!("From {few} clients to {many} an event becomes {ours:.1} times as dear{heap}")
}

fn curve(
    name: &str,
    colour: ftp421::report::colours::Rgb,
    above: bool,
    sizes: &[Size<'_>],
    of: fn(&Size<'_>) -> Vec<Trial>,
    value: fn(&Trial) -> f64,
) -> Curve {
    let point = |size: &Size<'_>| {
        let values: Vec<f64> = of(size).iter().map(value).collect();
        Some(Point {
            at: size.clients as f64,
            low: values.iter().copied().reduce(f64::min)?,
            middle: median(values.iter().copied())?,
            high: values.iter().copied().reduce(f64::max)?,
        })
    };
    Curve { name: name.to_owned(), colour, above, points: sizes.iter().filter_map(point).collect() }
}

fn write<R: Serialize>(name: &str, machine: &str, rows: &[R]) -> io::Result<()> {
    let mut bytes = format!("# {machine}\n").into_bytes();
    let mut writer = csv::Writer::from_writer(&mut bytes);
    for row in rows {
        writer.serialize(row).map_err(io::Error::other)?;
    }
    writer.flush()?;
    drop(writer);
    fs::write(docs(name), bytes)
}

/// The first line's words, and the rows.
fn read<R: DeserializeOwned>(name: &str) -> io::Result<(String, Vec<R>)> {
    let text = fs::read_to_string(docs(name))?;
    let (machine, rows) = text.split_once('\n').unwrap_or_default();
    let mut reader = csv::Reader::from_reader(rows.as_bytes());
    let rows = reader.deserialize().collect::<Result<Vec<R>, _>>().map_err(io::Error::other)?;
    Ok((machine.trim_start_matches("# ").to_owned(), rows))
}
