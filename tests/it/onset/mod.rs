//! The search for the onset: in virtual time against what the profile says and what theory says, in real time against real servers.

mod coverage;
mod real;
mod simulated;
mod stubborn;
