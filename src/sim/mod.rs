//! The simulated world: virtual time, a calendar of events, and the wires between the machines.
//!
//! It decides nothing about FTP: it turns actions into calendar entries, and entries back into inputs.

mod actors;
mod arrivals;
mod calendar;
mod clients;
mod conns;
mod core;
mod crowd;
mod deadline;
mod delivery;
mod dialogue;
mod event;
mod names;
mod parked;
mod path;
mod pipes;
mod stations;
mod tap;
mod trace;
mod words;
mod world;

pub use calendar::{Calendar, Heap, Queue};
pub use dialogue::Dialogue;
pub use tap::{Happening, Tap, Who};
pub use trace::Trace;
pub use world::{Finished, Pending, Work, run, run_marked};
