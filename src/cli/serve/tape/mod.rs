//! `--record` and `--replay`: the folder of a recording, and the same server again.
//!
//! What was said comes from `live::serve::tape`; whether it is the same again, [`compare`] says.

mod compare;

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::mpsc::Receiver;
use std::thread::JoinHandle;

use anyhow::Context as _;
use clap::parser::ValueSource;
use clap::{ArgMatches, Args as _, CommandFactory as _, FromArgMatches as _};
use serde::{Deserialize, Serialize};

use super::Args;
use crate::cli::exit::Failure;
use crate::cli::{Cli, output, read};
use crate::live::serve::{Plan, tape};
use crate::scenario::Scenario;

/// How the server is started again.
const HEADER: &str = "recording.toml";
/// The scenario, if one was served.
const SCENARIO: &str = "scenario.toml";
/// What was said.
const DIALOGUE: &str = "dialogue.txt";
/// What was said at the last replay.
const REPLAYED: &str = "replayed.txt";
/// The most that is kept of what is said, in bytes.
const MOST: usize = 200 << 20;
/// The passive ports of a recording that names none: below those that the kernel gives to whoever asks for any.
const PORTS: (u16, u16) = (21_000, 21_999);
/// The environment's variable with one password for all.
const PASSWORD: &str = "FTP421_PASSWORD";

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Recording")]
pub(super) struct TapeArgs {
    /// Keep what is needed to serve this again, and what is said, in this folder; no password is kept
    #[arg(long, value_name = "DIR", conflicts_with_all = ["replay", "child"])]
    record: Option<PathBuf>,
    /// Serve again what was recorded in this folder, and compare at the end: 109 if a reply differs, 1 if the clients did
    /// something else. What else is given stands over what was recorded
    #[arg(long, value_name = "DIR", conflicts_with = "child")]
    replay: Option<PathBuf>,
}

/// `recording.toml`.
#[derive(Debug, Serialize, Deserialize)]
struct Header {
    /// Name and version of the tool.
    tool: String,
    /// What serves it again.
    command: String,
    /// Where it listened.
    address: SocketAddr,
    /// The seed of all random streams.
    seed: u64,
    /// The ports of its passive data connections, the first and the last.
    passive_ports: (u16, u16),
    /// Was a scenario served?
    scenario: bool,
    /// The other flags.
    arguments: Vec<String>,
    /// Flags that are not kept, and must be said again.
    again: Vec<String>,
}

/// What is done with a flag of a recorded run.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kept {
    Yes,
    /// It names a file of this machine.
    Path,
    /// It belongs to that run, or has a place of its own in the header.
    No,
    /// It is a secret, or lets others do more than a folder of somebody's should.
    Again,
}

fn kept(id: &str) -> Kept {
    match id {
        "root" | "users" | "cert" | "key" => Kept::Path,
        "user" | "writable" | "anyone_may_connect" => Kept::Again,
        "record" | "replay" | "child" | "out" | "no_results" | "json" | "ready_file" | "quiet"
        | "verbose" | "control" | "cert_out" | "host" | "port" | "seed" | "passive_ports" => Kept::No,
        _ => Kept::Yes,
    }
}

/// A recording, or the replay of one, under way.
pub(super) struct Recording {
    folder: PathBuf,
    again: bool,
    writer: JoinHandle<io::Result<()>>,
    ports: (u16, u16),
    seed: u64,
}

impl TapeArgs {
    /// `plan` with what keeps what is said, if that is wanted.
    pub(super) fn of(&self, plan: Plan, file: Option<&Path>) -> anyhow::Result<(Plan, Option<Recording>)> {
        let (folder, again) = match (&self.record, &self.replay) {
            (Some(folder), _) => (folder, false),
            (None, Some(folder)) => (folder, true),
            (None, None) => return Ok((plan, None)),
        };
        if !again {
            begin(folder, file)?;
        }
        let dialogue = folder.join(if again { REPLAYED } else { DIALOGUE });
        let dialogue =
            File::create(&dialogue).with_context(|| format!("cannot write {}", dialogue.display()))?;
        let (recorder, said) = tape::recorder();
        let write = move || written(&said, dialogue);
        let writer = std::thread::Builder::new().name("tape".to_owned()).spawn(write);
        let writer = writer.context("cannot start a thread")?;
        let ports = plan.passive_ports.unwrap_or(PORTS);
        let seed = plan.scenario.seed;
        let recording = Recording { folder: folder.clone(), again, writer, ports, seed };
        Ok((Plan { recorder: Some(recorder), passive_ports: Some(ports), ..plan }, Some(recording)))
    }

    /// The arguments of the recorded run with those of this one over them, if it is a replay.
    pub(super) fn recorded(&self) -> Result<Option<Args>, Failure> {
        let Some(folder) = &self.replay else { return Ok(None) };
        let header = Header::read(folder)?;
        let given = matches()?;
        for flag in &header.again {
            let id = flag.trim_start_matches("--").replace('-', "_");
            let said = match flag.as_str() {
                PASSWORD => std::env::var_os(PASSWORD).is_some(),
                _ => is_said(&given, &id) || (id == "user" && is_said(&given, "users")),
            };
            if !said {
                return Err(Failure::Usage(format!(
                    "--replay {}: this was recorded with {flag}, which is not kept: say it again",
                    folder.display()
                )));
            }
        }
        let mut words = vec!["serve".to_owned()];
        if header.scenario && !is_said(&given, "scenario") {
            words.push(folder.join(SCENARIO).display().to_string());
        }
        let (first, last) = header.passive_ports;
        words.push(format!("--host={}", header.address.ip()));
        words.push(format!("--port={}", header.address.port()));
        words.push(format!("--seed={}", header.seed));
        words.push(format!("--passive-ports={first}-{last}"));
        words.extend(header.arguments);
        let dialogue = read::bounded(&folder.join(DIALOGUE))?;
        words.extend(compare::orders(&dialogue).map(|order| format!("--at={order}")));
        let mut own = std::env::args_os().skip(1).skip_while(|word| word != "serve").skip(1);
        let words = words.into_iter().map(Into::into).chain(&mut own);
        // What the environment says now was not so then.
        let command = Args::augment_args(clap::Command::new("serve")).args_override_self(true);
        let parsed = command.mut_args(|arg| arg.env(None)).try_get_matches_from(words);
        let args = parsed.and_then(|matches| Args::from_arg_matches(&matches));
        args.map(Some).map_err(|why| Failure::Usage(format!("--replay {}: {why}", folder.display())))
    }
}

/// Makes a folder for what is served now.
fn begin(folder: &Path, file: Option<&Path>) -> anyhow::Result<()> {
    let cannot = || format!("--record {}: cannot write there", folder.display());
    fs::create_dir_all(folder).with_context(cannot)?;
    for old in [HEADER, SCENARIO, DIALOGUE, REPLAYED] {
        match fs::remove_file(folder.join(old)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error).with_context(cannot),
            _ => {}
        }
    }
    let Some(file) = file else { return Ok(()) };
    let text = read::bounded(file)?;
    output::write_whole(&folder.join(SCENARIO), text.as_bytes())?;
    // Files that it names are read from beside it again. That it can be read was found before.
    let (beside, mut named) = (file.parent().unwrap_or(Path::new("")), Vec::new());
    let mut open = |name: &str| {
        let text = read::bounded(&beside.join(name)).map_err(|error| format!("{error:#}"))?;
        named.push((name.to_owned(), text.clone()));
        Ok(text)
    };
    drop(Scenario::read_under(&[], SCENARIO, &text, &mut open));
    for (name, text) in named {
        let inside =
            Path::new(&name).components().all(|part| matches!(part, std::path::Component::Normal(_)));
        let ours = [HEADER, SCENARIO, DIALOGUE, REPLAYED].contains(&name.as_str());
        if inside && !ours {
            let to = folder.join(&name);
            to.parent().map_or(Ok(()), fs::create_dir_all).with_context(cannot)?;
            output::write_whole(&to, text.as_bytes())?;
        }
    }
    Ok(())
}

/// Writes what is said until nobody says any more, and at once: a run that is killed keeps what it has.
fn written(said: &Receiver<String>, mut dialogue: File) -> io::Result<()> {
    let mut left = MOST;
    for text in said {
        match left.checked_sub(text.len()) {
            Some(rest) => {
                left = rest;
                dialogue.write_all(text.as_bytes())?;
            }
            None if left > 0 => {
                left = 0;
                dialogue.write_all(b"the recording is full: nothing is kept from here on\n")?;
            }
            None => {}
        }
    }
    Ok(())
}

impl Recording {
    /// It listens: from here on it can be replayed.
    pub(super) fn listens(&self, address: SocketAddr, scenario: bool) -> anyhow::Result<()> {
        if self.again {
            return Ok(());
        }
        let given = matches().map_err(|_| anyhow::anyhow!("the command line cannot be read again"))?;
        let (arguments, mut again) = words(&given);
        if std::env::var_os(PASSWORD).is_some_and(|password| !password.is_empty()) {
            again.push(PASSWORD.to_owned());
        }
        let mut command = format!("ftp421 serve --replay {}", self.folder.display());
        for flag in again.iter().filter(|flag| flag.starts_with('-')) {
            let value = if flag == "--user" { " NAME:PASSWORD" } else { "" };
            command = format!("{command} {flag}{value}");
        }
        let tool = concat!(env!("CARGO_PKG_NAME"), " ", env!("CARGO_PKG_VERSION")).to_owned();
        let (seed, passive_ports) = (self.seed, self.ports);
        let header = Header { tool, command, address, seed, passive_ports, scenario, arguments, again };
        let text = toml::to_string(&header).context("cannot write the recording")?;
        output::write_whole(&self.folder.join(HEADER), text.as_bytes())
    }

    /// Nothing more is said. Of a replay, is it the same?
    pub(super) fn ended(self, quiet: bool) -> Result<(), Failure> {
        let told = self.folder.join(if self.again { REPLAYED } else { DIALOGUE });
        let written = self.writer.join().unwrap_or_else(|_| Err(io::Error::other("the writer has failed")));
        written.with_context(|| format!("cannot write {}", told.display()))?;
        if !self.again {
            return Ok(());
        }
        let recorded = read::bounded(&self.folder.join(DIALOGUE))?;
        let verdict = compare::compare(&recorded, &read::bounded(&told)?);
        let told = verdict.told();
        if verdict.replies > 0 {
            return Err(Failure::NotValid(told));
        }
        if verdict.commands > 0 {
            return Err(Failure::Other(anyhow::anyhow!("{told}")));
        }
        if !quiet {
            eprintln!("{told}");
        }
        Ok(())
    }
}

impl Header {
    fn read(folder: &Path) -> anyhow::Result<Self> {
        let file = folder.join(HEADER);
        let text = read::bounded(&file).context("--replay wants the folder of a --record")?;
        toml::from_str(&text).with_context(|| format!("{} is no recording's", file.display()))
    }
}

/// The command line of this run once more, as clap has read it.
fn matches() -> Result<ArgMatches, Failure> {
    let all = Cli::command().try_get_matches_from(std::env::args_os());
    let serve = all.map(|all| all.subcommand_matches("serve").cloned());
    serve.ok().flatten().ok_or_else(|| Failure::Usage("--replay: not `ftp421 serve`".to_owned()))
}

fn is_said(matches: &ArgMatches, id: &str) -> bool {
    matches.try_contains_id(id).is_ok() && matches.value_source(id) == Some(ValueSource::CommandLine)
}

/// The flags of a run that are kept, and those that are to be said again.
fn words(matches: &ArgMatches) -> (Vec<String>, Vec<String>) {
    let (mut words, mut again) = (Vec::new(), Vec::new());
    let command = Args::augment_args(clap::Command::new("serve"));
    for arg in command.get_arguments() {
        let (id, Some(flag)) = (arg.get_id().as_str(), arg.get_long()) else { continue };
        let given =
            matches!(matches.value_source(id), Some(ValueSource::CommandLine | ValueSource::EnvVariable));
        let kept = kept(id);
        match kept {
            _ if !given => {}
            Kept::No => {}
            Kept::Again => again.push(format!("--{flag}")),
            _ if !arg.get_action().takes_values() => words.push(format!("--{flag}")),
            _ => {
                for value in matches.get_raw(id).into_iter().flatten() {
                    let path = (kept == Kept::Path).then(|| std::path::absolute(value).ok()).flatten();
                    let value = path.map_or_else(|| value.to_os_string(), PathBuf::into_os_string);
                    words.push(format!("--{flag}={}", value.to_string_lossy()));
                }
            }
        }
    }
    (words, again)
}
