//! Who may log in at a served model: accounts of the command line, or those of the scenario.
//!
//! It checks no password.

use crate::cli::accounts::{self, AccountArgs};
use crate::cli::exit::Failure;
use crate::live::accounts::{Guests, MOST, PASSWORD};
use crate::metrics::words::count;
use crate::scenario::Scenario;

/// The arguments.
#[derive(Debug, clap::Args)]
pub(super) struct GuestArgs {
    #[command(flatten)]
    accounts: AccountArgs,
    /// Do not let anonymous in
    #[arg(long)]
    no_anonymous: bool,
}

/// The account of a server that nobody gave any.
const ACCOUNT: &str = "ftp421";

impl GuestArgs {
    /// Who may log in at the server of `scenario`, which is one of a file if `of_file`.
    pub(super) fn guests(&self, scenario: &Scenario, of_file: bool) -> Result<Guests, Failure> {
        let listed = self.accounts.accounts(Some(scenario))?.listed;
        let room = MOST.saturating_sub(scenario.strings.len());
        if listed.len() > room {
            return Err(Failure::Usage(format!(
                "{} accounts are too many: limits for each count at most {}",
                count(listed.len() as u64),
                count(room as u64)
            )));
        }
        let listed = match listed.is_empty() {
            false => Some(listed),
            true if of_file => None,
            true => {
                let password = accounts::password_for_all().unwrap_or_else(|| PASSWORD.to_owned());
                Some(vec![(ACCOUNT.to_owned(), password)])
            }
        };
        Ok(Guests { anonymous: !self.no_anonymous, listed })
    }
}

/// Who they are, in words.
pub(super) fn words(guests: &Guests, scenario: &Scenario) -> String {
    /// No more are named.
    const SHOWN: usize = 8;
    let (named, password) = match &guests.listed {
        None => (accounts::names(scenario), Some(PASSWORD)),
        Some(listed) => (listed.iter().map(|(name, _)| name.clone()).collect(), ours(listed)),
    };
    let more = named.len().saturating_sub(SHOWN);
    let anonymous = guests.anonymous && !named.iter().any(|name| name == "anonymous");
    let mut all: Vec<String> = anonymous.then(|| "anonymous".to_owned()).into_iter().collect();
    all.extend(named.into_iter().take(SHOWN));
    if more > 0 {
        all.push(format!("{} more", count(more as u64)));
    }
    match password.filter(|_| all.iter().any(|name| name != "anonymous")) {
        _ if all.is_empty() => "nobody".to_owned(),
        Some(password) => format!("{} (password {password})", all.join(", ")),
        None => all.join(", "),
    }
}

/// The password, if it is the one that all the world knows.
fn ours(listed: &[(String, String)]) -> Option<&'static str> {
    matches!(listed, [(name, password)] if name == ACCOUNT && password == PASSWORD).then_some(PASSWORD)
}
