//! The FTP loss workload in nexosim, as one model and as two that send each other messages.
//!
//! It decides nothing: the first argument says which.

mod one;
mod two;

use nexosim::simulation::SimulationError;
use workload::arguments;

fn main() -> Result<(), SimulationError> {
    let (variant, load) = arguments(&["one", "two"]);
    let answer = if variant == "one" { one::run(load)? } else { two::run(load)? };
    answer.print();
    Ok(())
}
