//! The project's claims against real FTP servers, which `.ci/install` puts in place.

pub mod daemon;
mod ears;
#[expect(clippy::disallowed_methods, reason = "real servers live in real time")]
mod hammer;
#[expect(clippy::disallowed_methods, reason = "real servers live in real time")]
mod quirks;
mod storm;
pub mod talk;
mod xferlog;
