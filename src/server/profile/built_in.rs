//! The built-in profiles: their files, and how one builds on another.
//!
//! It knows no fact about any server.

use toml::{Table, Value};

use super::Profile;

macro_rules! built_in {
    ($($name:literal),+ $(,)?) => {
        /// The built-in profiles, by name.
        const FILES: &[(&str, &str)] = &[$(($name, include_str!(concat!("../profiles/", $name, ".toml")))),+];
    };
}

built_in!(
    "vsftpd",
    "proftpd",
    "proftpd-debian",
    "pure-ftpd",
    "pure-ftpd-debian",
    "pyftpdlib",
    "unftp",
    "inetutils",
    "filezilla-0.9",
    "filezilla-1",
    "wu-ftpd",
    "bftpd",
    "iis",
    "serv-u",
    "rfc959",
);

impl Profile {
    /// The names of the built-in profiles, in the order in which they are listed.
    pub fn names() -> impl Iterator<Item = &'static str> {
        FILES.iter().map(|(name, _)| *name)
    }

    /// The built-in profile called `name`.
    ///
    /// # Panics
    /// If a built-in file does not parse; a test parses each.
    pub fn named(name: &str) -> Option<Self> {
        let facts = Self::facts(name)?;
        Some(
            Self::from_facts(facts)
                .unwrap_or_else(|error| panic!("the built-in profile {name} is broken: {error}")),
        )
    }

    /// Every fact of the built-in profile called `name`, as its file has them: over those of the profile that its key `base` names, if
    /// it has one. Such a file holds only what differs. A table is read over the table of the same name, key by key, a limit over
    /// the limit of the same `knob`, and everything else replaces what was there; a new limit is checked last.
    ///
    /// # Panics
    /// If a built-in file does not parse; a test parses each.
    pub fn facts(name: &str) -> Option<Table> {
        let (_, text) = FILES.iter().find(|(n, _)| *n == name)?;
        let mut own: Table =
            text.parse().unwrap_or_else(|error| panic!("the built-in profile {name} is broken: {error}"));
        let Some(base) = own.remove("base") else { return Some(own) };
        let mut facts = base.as_str().and_then(Self::facts)?;
        overlay(&mut facts, own);
        Some(facts)
    }

    /// The profile that `facts` describe.
    ///
    /// # Errors
    /// What is missing, unknown or of the wrong kind.
    pub fn from_facts(facts: Table) -> Result<Self, String> {
        facts.try_into().map_err(|error: toml::de::Error| error.message().to_owned())
    }
}

/// Reads `over` over `under`.
fn overlay(under: &mut Table, over: Table) {
    for (key, value) in over {
        match (under.get_mut(&key), value) {
            (Some(Value::Table(under)), Value::Table(over)) => overlay(under, over),
            (Some(Value::Array(under)), Value::Array(over)) if key == "limit" => {
                for limit in over {
                    let same = under.iter_mut().find(|u| u.get("knob") == limit.get("knob"));
                    match (same, limit) {
                        (Some(Value::Table(under)), Value::Table(over)) => overlay(under, over),
                        (_, limit) => under.push(limit),
                    }
                }
            }
            (_, value) => {
                under.insert(key, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_built_in_profile_parses_and_bears_its_name() {
        for name in Profile::names() {
            assert_eq!(Profile::named(name).unwrap().name, name);
        }
    }

    #[test]
    fn a_derived_profile_changes_what_it_names_and_keeps_the_rest() {
        let (upstream, debian) =
            (Profile::named("proftpd").unwrap(), Profile::named("proftpd-debian").unwrap());
        let limit = |p: &Profile, knob: &str| p.limits.iter().find(|l| l.knob == knob).unwrap().clone();
        assert_eq!(upstream.limits.len(), debian.limits.len());
        let (before, after) = (limit(&upstream, "max_instances"), limit(&debian, "max_instances"));
        assert_eq!((before.default, after.default), (0, 30));
        assert_eq!(before.refusal, after.refusal);
        assert_eq!(limit(&upstream, "max_clients"), limit(&debian, "max_clients"));
        assert_eq!(upstream.login, debian.login);
    }
}
