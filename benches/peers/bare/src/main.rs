//! The bare loops as a program.
//!
//! It decides nothing: the first argument names the queue.

use bare::{Days, Heap, Lanes, run};
use workload::arguments;

fn main() {
    let (variant, load) = arguments(&["heap", "lanes", "days"]);
    let answer = match variant.as_str() {
        "heap" => run(load, Heap::default()),
        "lanes" => run(load, Lanes::default()),
        _ => run(load, Days::new(load.rate)),
    };
    answer.print();
}
