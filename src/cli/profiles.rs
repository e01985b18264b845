//! `ftp421 profiles`: what a server profile does, and where each fact comes from. Those of clients are told
//! by [`super::clients`].
//!
//! It decides nothing about a fact but where on the page it stands.

mod page;

use std::fmt::Write as _;
use std::process::ExitCode;

use super::exit::{FINE, Failure};
use super::output;
use crate::server::Profile;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ftp421 profiles
  ftp421 profiles pure-ftpd
  ftp421 profiles pure-ftpd --json")]
pub(super) struct Args {
    /// A profile; without it all are listed
    name: Option<String>,
    /// The facts as JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args) -> Result<ExitCode, Failure> {
    let text = match &args.name {
        None if args.json => json(&every()),
        None => format!("Servers\n{}\nClients\n{}", list(), super::clients::list()),
        Some(name) => {
            let server = Profile::named(name).zip(Profile::facts(name));
            let page = match server {
                Some((_, facts)) if args.json => Some(json(&facts)),
                Some((profile, facts)) => Some(page::page(&profile, facts)),
                None if args.json => super::clients::facts(name).map(|facts| json(&facts)),
                None => super::clients::page(name),
            };
            page.ok_or_else(|| {
                let names: Vec<&str> = Profile::names().chain(super::clients::names()).collect();
                anyhow::anyhow!("no profile {name:?}; there are: {}", names.join(", "))
            })?
        }
    };
    output::print(text.as_bytes())?;
    Ok(FINE)
}

/// All facts: of the servers, then of the clients.
fn every() -> Vec<toml::Table> {
    let servers = Profile::names().filter_map(Profile::facts);
    servers.chain(super::clients::names().filter_map(super::clients::facts)).collect()
}

fn json(facts: &impl serde::Serialize) -> String {
    let mut text = serde_json::to_string_pretty(facts).expect("what TOML can say JSON can say too");
    text.push('\n');
    text
}

/// A line each: name, product, how it is known; and below it the limits that a scenario can set.
fn list() -> String {
    Profile::names().filter_map(Profile::named).fold(String::new(), |mut out, profile| {
        let known = profile.provenance;
        let knobs: Vec<&str> = profile.limits.iter().map(|limit| limit.knob.as_str()).collect();
        let knobs = if knobs.is_empty() { "no limits".to_owned() } else { knobs.join(", ") };
        let _ = writeln!(out, "{:<17} {:<66} {known}\n{:<17} {knobs}", profile.name, profile.title, "");
        out
    })
}
