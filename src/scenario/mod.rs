//! A scenario: the file as written, and the scenario as meant.
//!
//! It runs nothing. [`Scenario::read`] turns a text into a [`Scenario`] or into one [`Problem`] with its place and a hint.

use crate::chaos::Fault;
use crate::metrics::Threshold;
use crate::server::{Overrides, Policy};
use crate::time::Duration;
use crate::workload::{AddressBook, Population};

/// The scenario as meant: everything resolved, nothing optional left to guess.
#[derive(Clone, PartialEq, Debug)]
pub struct Scenario {
    /// Its name: the results folder is called so.
    pub name: String,
    /// The question that it answers: its file's first comment, or empty.
    pub question: String,
    /// A digest of the file's text and of every file that it reads, for `verify`.
    pub hash: String,
    /// How long it runs, in virtual or real time.
    pub duration: Duration,
    /// The seed of all random streams.
    pub seed: u64,
    /// Independent repetitions, at least 1.
    pub replications: u32,
    /// How much of the beginning no estimate covers.
    pub warmup: Duration,
    /// What the server obeys.
    pub policy: Policy,
    /// What the scenario changed about its profile, for reports.
    pub overrides: Overrides,
    /// Who comes.
    pub populations: Vec<Population>,
    /// What goes wrong.
    pub faults: Vec<Fault>,
    /// What must hold.
    pub thresholds: Vec<Threshold>,
    /// The addresses that the populations name.
    pub addresses: AddressBook,
    /// The interned strings: user names and paths, by [`ArgId`](crate::ftp::ArgId). Number 0 is empty, number 1 stands for
    /// the right password.
    pub strings: Vec<String>,
}

/// What is wrong with a scenario: one thing, its place, and what to do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Problem {
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// What is wrong, with the offending value.
    pub what: String,
    /// What is allowed, or what was probably meant.
    pub hint: String,
}
