//! Names and passwords: from the command line, a file, the environment; and how they are kept out of every result.
//!
//! It logs nobody in. What is wrong with a password is said without it.

use std::ffi::OsString;
use std::path::PathBuf;

use anyhow::Context as _;

use super::exit::Failure;
use super::read;
use crate::ftp::ArgId;
use crate::live::load::Accounts;
use crate::metrics::words::counted;
use crate::scenario::Scenario;

/// The environment's variable with one password for all.
const PASSWORD: &str = "FTP421_PASSWORD";
/// The most accounts of a file.
const MOST: usize = 1_000_000;
/// What stands in the place of a password.
const MASK: &str = "********";

/// The arguments of every command that logs in.
#[derive(Debug, clap::Args)]
#[expect(clippy::doc_markdown, reason = "the words are those of the help, where no mark-up is read")]
pub(super) struct AccountArgs {
    /// An account, NAME:PASSWORD, or NAME with the password in FTP421_PASSWORD; may be said again. Others on this machine can
    /// read a command line: --users and FTP421_PASSWORD are better places for passwords
    #[arg(long, value_name = "NAME[:PASSWORD]")]
    user: Vec<String>,
    /// A file of accounts: a line each, name,password
    #[arg(long, value_name = "FILE")]
    users: Option<PathBuf>,
}

impl AccountArgs {
    /// The accounts with which the users of `scenario` log in (of any, if there is none).
    pub(super) fn accounts(&self, scenario: Option<&Scenario>) -> Result<Accounts, Failure> {
        self.with(scenario, password_for_all())
    }

    fn with(&self, scenario: Option<&Scenario>, for_all: Option<String>) -> Result<Accounts, Failure> {
        let mut listed = Vec::new();
        for (number, text) in (1..).zip(&self.user) {
            let (name, password) = match text.split_once(':') {
                Some((name, password)) => (name, password.to_owned()),
                None => (text.as_str(), for_all.clone().ok_or_else(|| missing(number))?),
            };
            let account = (name.to_owned(), password);
            check(&account).map_err(|why| Failure::Usage(format!("--user number {number} {why}")))?;
            listed.push(account);
        }
        if let Some(file) = &self.users {
            let text = read::bounded(file)?;
            let read = accounts_in(&text).with_context(|| format!("{}", file.display()))?;
            listed.extend(read);
        }
        if let (true, Some(password)) = (listed.is_empty(), for_all) {
            check(&("x".to_owned(), password.clone()))
                .map_err(|why| Failure::Usage(format!("{PASSWORD} {why}")))?;
            listed =
                scenario.map_or_else(Vec::new, names).into_iter().map(|n| (n, password.clone())).collect();
        }
        Ok(Accounts { listed })
    }

    /// Are accounts given on the command line?
    pub(super) fn are_given(&self) -> bool {
        !self.user.is_empty() || self.users.is_some()
    }
}

/// The password that the environment has for all accounts.
pub(super) fn password_for_all() -> Option<String> {
    std::env::var(PASSWORD).ok().filter(|password| !password.is_empty())
}

/// Lets the users of `scenario` log in with `accounts`, if it names none itself; says what is done with them.
pub(super) fn hand_out(scenario: &mut Scenario, accounts: &Accounts) -> Option<String> {
    /// As many as `users` of a population may have.
    const MOST: usize = 10_000;
    let is_named = |text: &str| text != "anonymous";
    if !accounts.listed.iter().any(|(name, _)| is_named(name)) {
        return None;
    }
    let anonymous: Vec<bool> = scenario
        .populations
        .iter()
        .map(|population| population.users.iter().all(|user| *user == ArgId::ANONYMOUS))
        .collect();
    if anonymous.contains(&false) {
        let names = scenario.populations.iter().zip(&anonymous).filter(|(_, is)| **is);
        let names: Vec<&str> = names.map(|(population, _)| population.name.as_str()).collect();
        return (!names.is_empty()).then(|| {
            format!("{}: stays anonymous, since others of the scenario name users", names.join(", "))
        });
    }
    let first = scenario.strings.len();
    let room = usize::from(ArgId::IMAGE.0).saturating_sub(first).min(MOST);
    let ids: Vec<ArgId> = (first..first + accounts.listed.len().min(room))
        .filter_map(|id| Some(ArgId(u16::try_from(id).ok()?)))
        .collect();
    scenario.strings.extend(accounts.listed.iter().take(ids.len()).map(|(name, _)| name.clone()));
    let note = format!(
        "the scenario names no users: they log in as the {} given, in turn",
        counted(ids.len() as u64, "account")
    );
    scenario.populations.iter_mut().for_each(|population| population.users.clone_from(&ids));
    Some(note)
}

fn missing(number: usize) -> Failure {
    Failure::Usage(format!("--user number {number} has no password: NAME:PASSWORD, or set {PASSWORD}"))
}

/// The accounts of a scenario that have a password: not anonymous.
pub(super) fn names(scenario: &Scenario) -> Vec<String> {
    let users = scenario.populations.iter().flat_map(|population| &population.users);
    let mut ids: Vec<usize> =
        users.filter(|id| **id != ArgId::ANONYMOUS).map(|id| usize::from(id.0)).collect();
    ids.sort_unstable();
    ids.dedup();
    ids.iter().filter_map(|id| scenario.strings.get(*id)).cloned().collect()
}

/// A command is a line: nothing that ends one may stand in it.
fn check((name, password): &(String, String)) -> Result<(), &'static str> {
    /// RFC 959 knows no bound, servers do: vsftpd reads 4 KiB of a line.
    const LONGEST: usize = 512;
    if name.is_empty() {
        return Err("has no name");
    }
    if [name, password].iter().any(|text| text.chars().any(char::is_control)) {
        return Err("has control characters, which no command can carry");
    }
    if name.len().max(password.len()) > LONGEST {
        return Err("is longer than 512 bytes");
    }
    Ok(())
}

fn accounts_in(text: &str) -> anyhow::Result<Vec<(String, String)>> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .comment(Some(b'#'))
        .from_reader(text.as_bytes());
    let mut accounts = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|_| anyhow::anyhow!("this is no CSV of names and passwords"))?;
        let line = record.position().map_or(0, csv::Position::line);
        anyhow::ensure!(
            record.len() == 2,
            "line {line} has {}: name,password",
            counted(record.len() as u64, "field")
        );
        let account = (record[0].to_owned(), record[1].to_owned());
        if accounts.is_empty() && account == ("name".to_owned(), "password".to_owned()) {
            continue;
        }
        check(&account).map_err(|why| anyhow::anyhow!("line {line}: the account {why}"))?;
        anyhow::ensure!(accounts.len() < MOST, "more than {MOST} accounts");
        accounts.push(account);
    }
    anyhow::ensure!(!accounts.is_empty(), "no account is in there: name,password on a line each");
    Ok(accounts)
}

/// A command line without its passwords, for the manifest.
pub(super) fn masked(args: impl Iterator<Item = OsString>) -> Vec<String> {
    let mut behind_user = false;
    let mut mask = |arg: OsString| {
        let arg = arg.to_string_lossy().into_owned();
        if std::mem::take(&mut behind_user) {
            return without_password(&arg);
        }
        behind_user = arg == "--user";
        match arg.strip_prefix("--user=") {
            Some(account) => format!("--user={}", without_password(account)),
            None => without_user_info(arg),
        }
    };
    args.map(&mut mask).collect()
}

fn without_password(account: &str) -> String {
    account.split_once(':').map_or_else(|| account.to_owned(), |(name, _)| format!("{name}:{MASK}"))
}

/// `ftp://alice:secret@host` is refused, but whoever typed it shall not find it in a file.
fn without_user_info(arg: String) -> String {
    let masked = arg.split_once("://").and_then(|(scheme, rest)| {
        let (_, host) = rest.rsplit_once('@')?;
        Some(format!("{scheme}://{MASK}@{host}"))
    });
    masked.unwrap_or(arg)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(user: &[&str]) -> AccountArgs {
        AccountArgs { user: user.iter().map(|text| (*text).to_owned()).collect(), users: None }
    }

    fn account(name: &str, password: &str) -> (String, String) {
        (name.to_owned(), password.to_owned())
    }

    #[test]
    fn a_password_may_have_colons_and_may_stand_in_the_environment() {
        let listed =
            |user: &[&str], all: Option<&str>| args(user).with(None, all.map(str::to_owned)).unwrap().listed;
        assert_eq!(listed(&["a:x:y", "b:"], None), [account("a", "x:y"), account("b", "")]);
        assert_eq!(listed(&["a", "b:y"], Some("x")), [account("a", "x"), account("b", "y")]);
        assert_eq!(listed(&[], None), []);
        for wrong in [&["a"][..], &[":x"], &["a:x\r\nDELE y"]] {
            let Err(Failure::Usage(told)) = args(wrong).with(None, None) else { panic!("{wrong:?}") };
            assert!(!told.contains("DELE"), "{told}");
        }
    }

    #[test]
    fn accounts_are_handed_out_where_the_scenario_names_no_users() {
        let read = |text: &str| Scenario::read("s.toml", text, &mut |_| Err("none".to_owned())).unwrap();
        let crowd = |name: &str, user: &str| {
            format!(
                "[[clients]]\nname = \"{name}\"\narrivals = {{ executor = \"burst\", at = \"0s\", count = 3, within = \"1s\" }}\n{user}\n"
            )
        };
        let head = "schema = 1\nname = \"s\"\nduration = \"5s\"\n[server]\nprofile = \"vsftpd\"\n";
        let accounts = Accounts { listed: vec![account("a", "x"), account("b", "y")] };
        let users = |scenario: &Scenario, place: usize| -> Vec<String> {
            let users = scenario.populations[place].users.iter();
            users.map(|id| scenario.text(*id).unwrap().to_owned()).collect()
        };
        let mut nameless = read(&format!("{head}{}", crowd("p", "")));
        let told = hand_out(&mut nameless, &accounts).unwrap();
        assert!(told.contains("the 2 accounts given"), "{told}");
        assert_eq!(users(&nameless, 0), ["a", "b"]);
        let mut named = read(&format!("{head}{}{}", crowd("p", ""), crowd("q", "user = \"q\"")));
        let told = hand_out(&mut named, &accounts).unwrap();
        assert!(told.starts_with("p: stays anonymous"), "{told}");
        assert_eq!(
            (users(&named, 0), users(&named, 1)),
            (vec!["anonymous".to_owned()], vec!["q".to_owned()])
        );
        assert_eq!(hand_out(&mut nameless, &Accounts::default()), None);
    }

    #[test]
    fn a_file_of_accounts_is_csv() {
        let read = accounts_in("name,password\n# guests\na,\"x,y\"\nb,\n").unwrap();
        assert_eq!(read, [account("a", "x,y"), account("b", "")]);
        for wrong in ["", "a\n", "a,secret,z\n", ",secret\n", "a,\"sec\nret\"\n"] {
            let told = format!("{:#}", accounts_in(wrong).unwrap_err());
            assert!(!told.contains("sec"), "{told}");
        }
    }

    #[test]
    fn a_masked_command_line_tells_no_password() {
        let line = [
            "load",
            "--user",
            "a:secret",
            "--user=b:secret",
            "--target",
            "ftp://c:secret@host",
            "--users",
            "f:g",
        ];
        let told = masked(line.iter().map(OsString::from));
        assert!(!told.join(" ").contains("secret"), "{told:?}");
        assert_eq!(told[1..4], ["--user", "a:********", "--user=b:********"].map(str::to_owned));
        assert_eq!(told[5..], ["ftp://********@host", "--users", "f:g"].map(str::to_owned));
    }
}
