//! RFC 959 and friends on the wire: text to values and values to text.
//!
//! It decides nothing: what a reply means to a session is the business of `server` and `client`.

mod command;
mod hearing;
mod reply;

pub use command::{ArgId, Command, Verb};
pub use hearing::{Heard, Hearing};
pub use reply::{Severity, show, shown, wire};
