//! Real time and real sockets: the load generator, and the modelled server for real clients.
//!
//! It decides nothing about FTP: it turns the machines' actions into bytes and bytes back into inputs, as `sim` turns them into
//! calendar entries. What it does not do: read files, print, or look at the command line.

pub mod accounts;
mod alarm;
pub mod clock;
pub mod content;
pub mod load;
pub mod scrape;
pub mod serve;
pub mod tls;
mod wire;

pub use alarm::Alarm;
pub use clock::{Clock, Epoch};
pub use serve::Emulator;
pub use wire::Wire;
