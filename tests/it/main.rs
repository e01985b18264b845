//! One integration binary; a file for each behaviour.

mod charts;
