//! What happens, told while it does: a page of numbers in the OpenMetrics format, for Prometheus and its kin.
//!
//! The numbers are those of `summary.json`, as far as they are known yet. It draws no conclusion: no interval, no estimate, no
//! warm-up that is left out.

mod door;
mod meter;
mod page;

pub use door::Door;
pub use meter::{Meter, Side};
pub use page::page;
