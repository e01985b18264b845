//! Faults on a timeline: what goes wrong, and when.
//!
//! It only says so; the driver hands each [`Control`] to the machine it concerns at its time.

use crate::server::Control;
use crate::time::{Duration, Instant};

/// One fault.
#[derive(Clone, PartialEq, Debug)]
pub struct Fault {
    /// When it begins.
    pub at: Instant,
    /// The words for it in reports: "shutdown (announce)".
    pub label: String,
    /// What the server is told, each at its time after `at`, in order.
    pub controls: Vec<(Duration, Control)>,
    /// When its last effect on the server begins to end, for charts: `at` plus this.
    pub lasts: Duration,
}
