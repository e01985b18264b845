//! The served model: real clients log in, list, fetch and store; TCP ends as the model says; a hostile peer costs little.
//!
//! What the model itself does is tested elsewhere, in virtual time; that both worlds agree, by the twin test.

#[expect(clippy::disallowed_methods, reason = "programs live in real time")]
mod clients;
#[expect(clippy::disallowed_methods, reason = "sockets live in real time")]
pub mod command;
mod emulator;
#[expect(clippy::disallowed_methods, reason = "sockets live in real time")]
mod ends;
mod files;
#[expect(clippy::disallowed_methods, reason = "sockets live in real time")]
mod floods;
#[expect(clippy::disallowed_methods, reason = "sockets live in real time")]
mod hostile;
#[expect(clippy::disallowed_methods, reason = "sockets live in real time")]
mod orders;
mod page;
mod signals;
mod socket;
#[expect(clippy::disallowed_methods, reason = "sockets live in real time")]
mod talk;
#[expect(clippy::disallowed_methods, reason = "files are waited for in real time")]
mod tape;
mod verbs;
#[expect(clippy::disallowed_methods, reason = "sockets live in real time")]
mod wire;

use std::sync::Arc;

use ftp421::live::serve::Emulator;
use ftp421::scenario::Scenario;

use crate::support;

/// A served model with these keys of `[server]`, and this script.
pub fn server(keys: &str, script: &str) -> Emulator {
    server_with(keys, script, "")
}

/// The same with more tables behind.
fn server_with(keys: &str, script: &str, tables: &str) -> Emulator {
    Emulator::start(Arc::new(scenario(keys, script, tables))).expect("it listens")
}

fn scenario(keys: &str, script: &str, tables: &str) -> Scenario {
    support::scenario(&format!(
        "schema = 1\nname = \"served\"\nduration = \"10m\"\n[server]\n{keys}\n[[clients]]\nname = \"a\"\nuser = \"alice\"\n\
         arrivals = {{ executor = \"constant-clients\", clients = 1 }}\nscript = [\"login\", {script}]\n{tables}\n"
    ))
}
