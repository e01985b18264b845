//! Which server is served: a scenario's, or a profile's, with the limits and timers of the command line over it.
//!
//! A flag is a key of `[server]`: what it means, and what is wrong with it, is found out where the file's keys are read.

use std::path::PathBuf;

use clap::{Arg, ArgAction, ArgMatches, Command};

use crate::cli::exit::Failure;
use crate::cli::read;
use crate::scenario::{Scenario, Setting};

/// The scenario and what stands over it.
#[derive(Debug, clap::Args)]
pub(super) struct ModelArgs {
    /// The scenario: its (first) server and its faults are played. Without it, a server that is as its profile says
    scenario: Option<PathBuf>,
    /// Which server: its limits, texts and habits. `ftp421 profiles` lists them; without one it is that of the scenario, or rfc959
    #[arg(long, env = "FTP421_PROFILE", value_name = "NAME")]
    profile: Option<String>,
    #[command(flatten)]
    settings: SettingArgs,
    /// Seed of all random streams, instead of the scenario's
    #[arg(long, env = "FTP421_SEED")]
    seed: Option<u64>,
}

impl ModelArgs {
    /// The scenario as meant. A child serves what a load is about, which has a scenario of its own.
    pub(super) fn scenario(&self, child: bool) -> Result<Scenario, Failure> {
        let profile = self.profile.as_ref().map(|name| Setting::text("--profile", "profile", name));
        let settings: Vec<Setting> = profile.into_iter().chain(self.settings.0.iter().cloned()).collect();
        let mut scenario = match &self.scenario {
            Some(file) => read::scenario_under(&settings, file)?,
            None if child => read::live_scenario(None)?,
            None => read::built_in(&bare(self.profile.as_deref().unwrap_or("server")), &settings)?,
        };
        // Clients come from outside.
        scenario.notes.retain(|note| !note.contains("[[clients]]"));
        scenario.seed = self.seed.unwrap_or(scenario.seed);
        Ok(scenario)
    }

    /// The scenario's file.
    pub(super) fn file(&self) -> Option<&std::path::Path> {
        self.scenario.as_deref()
    }
}

/// A scenario with nothing but a server, called as near to `name` as a scenario may be.
fn bare(name: &str) -> String {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let name: String = name.chars().take(64).map(|c| if fits(c) { c } else { '-' }).collect();
    let name = if name.is_empty() { "server" } else { &name };
    format!("schema = 1\nname = \"{name}\"\nduration = \"366d\"\n")
}

/// A key of `[server]` as a flag.
struct Flag {
    /// The flag; the key is called the same, with underscores.
    name: &'static str,
    value: &'static str,
    help: &'static str,
}

const fn flag(name: &'static str, value: &'static str, help: &'static str) -> Flag {
    Flag { name, value, help }
}

/// The limits of all profiles: a profile has some of them, and says which when it is given another.
const LIMITS: &[Flag] = &[
    flag("max-clients", "N", "The most clients at once; 0 is no limit, here and below"),
    flag("max-per-ip", "N", "The most from one address"),
    flag("max-per-user", "N", "The most of one account"),
    flag("max-anonymous", "N", "The most anonymous ones (Pure-FTPd)"),
    flag(
        "max-load",
        "N",
        "The load of the host above which anonymous ones (Pure-FTPd) or all (ProFTPD) are refused",
    ),
    flag("max-instances", "N", "The most processes (ProFTPD)"),
    flag("max-connection-rate", "N", "The most connections a second (ProFTPD)"),
    flag("max-connections-per-host", "N", "The most connections of one address (ProFTPD)"),
    flag("max-clients-per-host", "N", "The most sessions of one address (ProFTPD)"),
    flag("max-clients-per-class", "N", "The most sessions of one class of addresses (ProFTPD)"),
    flag("max-hosts-per-user", "N", "The most addresses of one account (ProFTPD)"),
    flag("max-login-attempts", "N", "The attempts to log in that a connection has"),
    flag(
        "passive-port-limit",
        "N",
        "How many ports it has for passive data connections, as far as limits depend on it",
    ),
];

/// The timers, and what else takes time.
const TIMERS: &[Flag] = &[
    flag(
        "login-timeout",
        "TIME",
        "From the connection to the login, such as 30s; 0s is never, here and below",
    ),
    flag("idle-timeout", "TIME", "Without a command"),
    flag(
        "noop-idle-timeout",
        "TIME",
        "With nothing but NOOPs and the like, where it does not follow the idle timer",
    ),
    flag("line-timeout", "TIME", "For the rest of a line that has begun"),
    flag("no-transfer-timeout", "TIME", "Without a transfer"),
    flag("session-timeout", "TIME", "Of a session as a whole"),
    flag("data-connect-timeout", "TIME", "For the data connection"),
    flag("stalled-timeout", "TIME", "Of a transfer that does not move"),
    flag("login-fail-delay", "TIME", "Before a wrong password is answered"),
    flag("greeting-time", "TIME", "Of its own work before it greets"),
    flag("login-time", "TIME", "Of its own work at a login"),
    flag("command-time", "TIME", "Of its own work at any other command"),
];

const REST: &[Flag] = &[
    flag("bandwidth", "RATE", "What all transfers together get each way, such as 1MiB/s"),
    flag("tls", "MODE", "none, offered (to those who say AUTH TLS), or required"),
    flag("message", "TEXT", "What it says in an announced shutdown"),
];

impl Flag {
    /// The key of `[server]`.
    fn key(&self) -> String {
        match self.name {
            // That name is for the range of the ports.
            "passive-port-limit" => "passive_ports".to_owned(),
            name => name.replace('-', "_"),
        }
    }

    fn setting(&self, value: &str) -> Setting {
        let by = format!("--{}", self.name);
        match self.value {
            "N" => Setting::new(&by, &self.key(), value),
            _ => Setting::text(&by, &self.key(), value),
        }
    }
}

/// The keys of `[server]` that the command line sets, in no order that matters.
#[derive(Clone, Debug, Default)]
struct SettingArgs(Vec<Setting>);

impl clap::Args for SettingArgs {
    fn augment_args(mut command: Command) -> Command {
        for (heading, flags) in [("Limits", LIMITS), ("Timers", TIMERS), ("More of the server", REST)] {
            let arg = |flag: &Flag| {
                let arg = Arg::new(flag.name).long(flag.name).value_name(flag.value);
                arg.help(flag.help).help_heading(heading).allow_hyphen_values(true)
            };
            command = command.args(flags.iter().map(arg));
        }
        let set = Arg::new("set").long("set").value_name("KEY=VALUE").action(ArgAction::Append);
        command.arg(set.help_heading("More of the server").value_parser(set_by).help(
            "Any key of [server], also of its tables: --set ban.threshold=3 --set host.cores=2. May be said again",
        ))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl clap::FromArgMatches for SettingArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let flags = LIMITS.iter().chain(TIMERS).chain(REST);
        let given = flags.filter_map(|flag| Some(flag.setting(matches.get_one::<String>(flag.name)?)));
        let mut settings: Vec<Setting> = given.collect();
        settings.extend(matches.get_many::<Setting>("set").into_iter().flatten().cloned());
        Ok(Self(settings))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// Reads `KEY=VALUE`, for clap.
fn set_by(text: &str) -> Result<Setting, String> {
    let (key, value) = text.split_once('=').ok_or("write KEY=VALUE, such as max_clients=3")?;
    let key = key.trim();
    Ok(Setting::new(&format!("--set {key}"), key, value.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::Profile;

    #[test]
    fn every_limit_of_every_profile_is_a_flag() {
        for profile in Profile::names().filter_map(Profile::named) {
            for limit in &profile.limits {
                let known = LIMITS.iter().any(|flag| flag.key() == limit.knob);
                assert!(known, "{} of {}", limit.knob, profile.name);
            }
        }
    }

    #[test]
    fn a_server_of_any_name_is_a_scenario() {
        for name in ["vsftpd", "filezilla-0.9", "", "no such / server", "Ünix"] {
            assert!(read::built_in(&bare(name), &[]).is_ok(), "{name}");
        }
    }
}
