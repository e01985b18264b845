//! The project's claims against real FTP servers, which `.ci/install` puts in place.

mod daemon;
mod xferlog;
