//! The books of a run: who came, who was refused, how many were there.
//!
//! It measures no time but that of [`Tally::print`], which ends the run.

use serde::{Deserialize, Serialize};

use crate::{Load, usage};

/// One slice of virtual time.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Slice {
    /// SYNs that arrived at the server.
    pub arrived: u64,
    /// Of these, refused.
    pub refused: u64,
    /// The time-weighted mean of slots in use.
    pub busy: f64,
}

/// What a program prints, in one line of JSON.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Answer {
    /// Events, as the program counts them.
    pub events: u64,
    /// Clients that came.
    pub clients: u64,
    /// CPU time, user and system, of the run and nothing else, s.
    pub cpu_s: f64,
    /// The most memory that the process ever had, KiB.
    pub rss_kib: u64,
    /// By virtual time.
    pub slices: Vec<Slice>,
}

impl Answer {
    /// Prints it.
    ///
    /// # Panics
    /// If standard output is closed.
    pub fn print(&self) {
        println!("{}", serde_json::to_string(self).expect("numbers can be written"));
    }
}

/// The books of a run that is under way.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Tally {
    /// Events so far, counted by the program itself.
    pub events: u64,
    /// Clients that came so far.
    pub clients: u64,
    /// Slots in use.
    pub busy: u32,
    limit: u32,
    begin_cpu_s: f64,
    slice_ns: u64,
    slice_ends: u64,
    end_ns: u64,
    changed: u64,
    area_ns: u128,
    open: Slice,
    slices: Vec<Slice>,
}

impl Tally {
    /// Empty books; CPU time counts from here.
    pub fn begin(load: Load) -> Self {
        let slice_ns = load.end_ns() / u64::from(load.slices);
        Self {
            events: 0,
            clients: 0,
            busy: 0,
            limit: load.limit,
            begin_cpu_s: usage().0,
            slice_ns,
            slice_ends: slice_ns,
            end_ns: load.end_ns(),
            changed: 0,
            area_ns: 0,
            open: Slice::default(),
            slices: Vec::with_capacity(load.slices as usize),
        }
    }

    /// A SYN arrives at `now`: is there a slot? If so, it is taken.
    pub fn knock(&mut self, now: u64) -> bool {
        self.pass(now);
        self.open.arrived += 1;
        let room = self.busy < self.limit;
        if room {
            self.busy += 1;
        } else {
            self.open.refused += 1;
        }
        room
    }

    /// A slot is free again.
    pub fn leave(&mut self, now: u64) {
        self.pass(now);
        self.busy -= 1;
    }

    /// Ends the run.
    pub fn answer(mut self) -> Answer {
        let (cpu_s, rss_kib) = usage();
        self.pass(self.end_ns.max(self.changed)); // a peer may look beyond the end before it stops
        Answer {
            events: self.events,
            clients: self.clients,
            cpu_s: cpu_s - self.begin_cpu_s,
            rss_kib,
            slices: self.slices,
        }
    }

    fn pass(&mut self, now: u64) {
        while now >= self.slice_ends && self.slice_ends <= self.end_ns {
            self.hold(self.slice_ends);
            self.open.busy = self.area_ns as f64 / self.slice_ns as f64;
            self.slices.push(std::mem::take(&mut self.open));
            self.area_ns = 0;
            self.slice_ends += self.slice_ns;
        }
        self.hold(now);
    }

    fn hold(&mut self, until: u64) {
        self.area_ns += u128::from(self.busy) * u128::from(until - self.changed);
        self.changed = until;
    }
}
