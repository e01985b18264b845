//! Real FTP clients against the served model: what they do on an ordinary day, and when they are refused.
//!
//! `.ci/install` puts them on the machine. A client that breaks the model has found a bug of the model.

mod broken;
mod crowd;
mod daily;
mod programs;
mod refusals;
mod relay;
pub mod run;
mod tools;
