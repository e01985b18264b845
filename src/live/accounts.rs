//! Which password is an account's: the one rule that the load generator and the modelled server share, and who may log in at that.
//!
//! It reads no lists of real accounts: those come with a plan.

use std::collections::BTreeMap;
use std::fmt;

use crate::ftp::ArgId;
use crate::scenario::Scenario;

/// The password of every account of a scenario that nobody listed.
pub const PASSWORD: &str = "ftp421";
/// What stands behind a password that a client of ours mistypes. It makes it wrong for everybody: `anonymous` may say anything
/// else.
pub const MISTYPED: &str = "-mistyped";
/// The most accounts that a server tells apart: the numbers of those that a scenario names, and of files, are among them.
pub const MOST: usize = 65_000;

/// Who may log in at a modelled server.
#[derive(Clone)]
pub struct Guests {
    /// May `anonymous` (and `ftp`, which is the same), whatever he says for a password?
    pub anonymous: bool,
    /// Who else, with which password; `None`: the users of the scenario, all with [`PASSWORD`].
    pub listed: Option<Vec<(String, String)>>,
}

impl Default for Guests {
    fn default() -> Self {
        Self { anonymous: true, listed: None }
    }
}

/// Nobody prints a password by mistake.
impl fmt::Debug for Guests {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let listed = self.listed.as_ref().map(Vec::len);
        f.debug_struct("Guests").field("anonymous", &self.anonymous).field("listed", &listed).finish()
    }
}

/// The guests of a server, each with the number that its machine counts his sessions under.
pub(super) struct Register {
    anonymous: bool,
    accounts: BTreeMap<String, (ArgId, Option<String>)>,
}

impl Register {
    /// The register of `guests` at a server of `scenario`. Those beyond [`MOST`] are left out.
    pub(super) fn new(guests: &Guests, scenario: &Scenario) -> Self {
        let behind = usize::from(ArgId::ANONYMOUS.0) + 1;
        let known = scenario.strings.iter().enumerate().skip(behind);
        let mut numbers = known.map(|(place, name)| (name.clone(), ArgId(place as u16)));
        let Some(listed) = &guests.listed else {
            let accounts = numbers.map(|(name, number)| (name, (number, None))).collect();
            return Self { anonymous: guests.anonymous, accounts };
        };
        let numbers: BTreeMap<String, ArgId> = numbers.by_ref().collect();
        let mut next = scenario.strings.len().max(behind);
        let mut accounts = BTreeMap::new();
        for (name, password) in listed {
            let number = match numbers.get(name) {
                _ if is_anonymous(name) => ArgId::ANONYMOUS,
                Some(number) => *number,
                None if next >= MOST => continue,
                None => {
                    next += 1;
                    ArgId(next as u16 - 1)
                }
            };
            accounts.insert(name.clone(), (number, Some(password.clone())));
        }
        Self { anonymous: guests.anonymous, accounts }
    }

    /// The number of the account `name`; nobody's that of all who do not exist.
    pub(super) fn number(&self, name: &str) -> ArgId {
        match self.accounts.get(name) {
            Some((number, _)) => *number,
            None if name.is_empty() => ArgId::NONE,
            None if self.anonymous && is_anonymous(name) => ArgId::ANONYMOUS,
            None => ArgId::OTHER,
        }
    }

    /// Does `password` let `name` in?
    pub(super) fn lets_in(&self, name: &str, password: &str) -> bool {
        match self.accounts.get(name) {
            Some((_, own)) => password == own.as_deref().unwrap_or(PASSWORD),
            None => self.anonymous && is_anonymous(name) && !password.ends_with(MISTYPED),
        }
    }
}

fn is_anonymous(name: &str) -> bool {
    matches!(name, "anonymous" | "ftp")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn register(guests: &Guests) -> Register {
        let text = "schema = 1\nname = \"s\"\nduration = \"5s\"\n[[clients]]\nname = \"p\"\nuser = \"alice\"\n\
                    arrivals = { executor = \"constant-clients\", clients = 1 }\n";
        Register::new(guests, &Scenario::read("s", text, &mut |_| Err(String::new())).unwrap())
    }

    fn listed(anonymous: bool, accounts: &[(&str, &str)]) -> Guests {
        let owned = accounts.iter().map(|(name, password)| ((*name).to_owned(), (*password).to_owned()));
        Guests { anonymous, listed: Some(owned.collect()) }
    }

    #[test]
    fn anonymous_says_what_it_likes_and_the_users_of_the_scenario_have_one_password() {
        let register = register(&Guests::default());
        assert!(register.lets_in("anonymous", "me@example.org") && register.lets_in("ftp", ""));
        assert!(register.lets_in("alice", PASSWORD));
        assert!(
            !register.lets_in("alice", "me@example.org") && !register.lets_in("alice", "ftp421-mistyped")
        );
        assert!(!register.lets_in("anonymous", "me@example.org-mistyped"));
        assert!(!register.lets_in("bob", PASSWORD) && !register.lets_in("", PASSWORD));
    }

    #[test]
    fn of_those_who_are_listed_each_has_a_password_and_a_number_of_his_own() {
        let register = register(&listed(false, &[("bob", "x"), ("carol", ""), ("alice", "y")]));
        assert!(
            register.lets_in("bob", "x") && register.lets_in("carol", "") && register.lets_in("alice", "y")
        );
        assert!(!register.lets_in("bob", "y") && !register.lets_in("alice", PASSWORD));
        assert!(!register.lets_in("anonymous", "") && register.number("anonymous") == ArgId::OTHER);
        let numbers = ["alice", "bob", "carol"].map(|name| register.number(name));
        assert_eq!(numbers[0], ArgId(3), "the scenario has a number for her");
        assert!(numbers[1] != numbers[2] && numbers[1].0 > 3 && numbers[2].0 > 3);
    }

    #[test]
    fn anonymous_can_be_given_a_password() {
        let register = register(&listed(true, &[("anonymous", "guest")]));
        assert!(register.lets_in("anonymous", "guest") && !register.lets_in("anonymous", "me@"));
        assert_eq!(register.number("anonymous"), ArgId::ANONYMOUS);
    }

    #[test]
    fn no_password_is_printed() {
        assert!(!format!("{:?}", listed(true, &[("bob", "secret")])).contains("secret"));
    }
}
