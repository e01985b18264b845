//! A scenario: the file as written, and the scenario as meant.
//!
//! It runs nothing and opens nothing. [`Scenario::read`] turns a text into a [`Scenario`] or into one [`Problem`] with its
//! place and a hint. The format is explained, key by key, by the [`template`].

mod addresses;
mod arrivals;
mod dist;
mod dns;
mod draft;
mod faults;
mod host;
mod population;
mod problem;
mod reader;
mod retry;
mod script;
mod server;
mod servers;
mod settings;
mod source;
mod traces;
mod value;
mod wire;

use toml::de::DeTable;

use self::draft::Draft;
use self::reader::{Layer, Read, Reader};
use self::settings::Settings;
use self::source::Source;
use self::value::Value;
use crate::chaos::Fault;
use crate::chaos::wire::Rule;
use crate::client::{Step, Tls};
use crate::ftp::{ArgId, Command, Verb};
use crate::metrics::Threshold;
use crate::server::policy::Offer;
use crate::server::{Overrides, Policy};
use crate::time::{Duration, Instant};
use crate::workload::{AddressBook, Classes, Population};

pub use self::problem::Problem;
pub use self::settings::Setting;
pub(crate) use self::source::suggestion;

/// The version of the format that this build reads.
pub const SCHEMA: u64 = 1;

/// The scenario of a run that names none.
pub const BUILT_IN: &str = include_str!("../../scenarios/busy-evening.toml");

/// The scenario of a run in real time that names none: half a minute.
pub const BUILT_IN_LIVE: &str = include_str!("../../scenarios/load-ramp.toml");

/// A commented scenario that shows and explains every key.
pub fn template() -> &'static str {
    include_str!("template.toml")
}

/// The scenario as meant: everything resolved, nothing optional left to guess.
#[derive(Clone, PartialEq, Debug)]
pub struct Scenario {
    /// Its name: the results folder is called so.
    pub name: String,
    /// The question that it answers: its file's first comment, or empty.
    pub question: String,
    /// A digest of the file's text and of every file that it reads, for `verify`.
    pub hash: String,
    /// How long it runs, in virtual or real time.
    pub duration: Duration,
    /// The seed of all random streams.
    pub seed: u64,
    /// Independent repetitions, at least 1.
    pub replications: u32,
    /// How much of the beginning no estimate covers.
    pub warmup: Duration,
    /// The servers; the first is the one that the name points to in the beginning, and the one that charts are about.
    pub servers: Vec<Station>,
    /// How long a resolver keeps the record of the servers' name; `None`: there is no name, and everybody goes to the first one.
    pub dns_ttl: Option<Duration>,
    /// Who comes: the populations of the file, then those that its faults are.
    pub populations: Vec<Population>,
    /// What goes wrong.
    pub faults: Vec<Fault>,
    /// What must hold.
    pub thresholds: Vec<Threshold>,
    /// The addresses that the populations name.
    pub addresses: AddressBook,
    /// The interned strings: user names and paths, by [`ArgId`].
    /// the right password.
    pub strings: Vec<String>,
    /// What its user should know about it although it is not wrong, a sentence each.
    pub notes: Vec<String>,
}

/// One server of a scenario.
#[derive(Clone, PartialEq, Debug)]
pub struct Station {
    /// Its name.
    pub name: String,
    /// What it obeys.
    pub policy: Policy,
    /// What the scenario changed about its profile, for reports.
    pub overrides: Overrides,
    /// The classes that it puts addresses into.
    pub classes: Classes,
    /// What goes wrong on the wire: only a served model plays it.
    pub wire: Vec<Rule>,
}

impl Station {
    /// What all of its transfers together get each way, in bytes per second; 0 is unlimited.
    pub fn bandwidth(&self) -> u64 {
        self.overrides.bandwidth.unwrap_or(0)
    }
}

impl Scenario {
    /// The text of an argument; `None` for one that the scenario does not know, as a wrong password.
    pub fn text(&self, arg: ArgId) -> Option<&str> {
        arg.fixed().or_else(|| self.strings.get(usize::from(arg.0)).map(String::as_str))
    }

    /// How large the file at `path` is for who asks (SIZE): the mean of the first RETR of it in any script, 0 if nobody fetches it.
    /// Each RETR draws a size of its own.
    pub fn file_size(&self, path: &str) -> u64 {
        let steps = self.populations.iter().flat_map(|p| &p.behaviour.script.steps);
        let sizes = steps.filter_map(|step| match step {
            Step::Transfer { command: Command { verb: Verb::Retr, arg }, size, .. } => Some((*arg, size)),
            _ => None,
        });
        let mut sizes = sizes.filter(|(arg, _)| self.text(*arg) == Some(path));
        sizes.next().map_or(0, |(_, size)| size.mean() as u64)
    }

    /// What the first server obeys.
    pub fn policy(&self) -> &Policy {
        &self.servers[0].policy
    }

    /// The argument of a SITE IDLE of a script as the server's machine wants it, where its number is the seconds: a driver reads it.
    pub fn idle_seconds(&self, arg: ArgId) -> ArgId {
        let text = self.strings.get(usize::from(arg.0)).map_or("", String::as_str);
        ArgId(text.parse().unwrap_or(u16::MAX))
    }

    /// Reads a scenario from `text`, which problems call `file_name`. `open` gives the text of a file that the scenario
    /// names, relative to the scenario's own place, or says why it cannot.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn read(
        file_name: &str,
        text: &str,
        open: &mut dyn FnMut(&str) -> Result<String, String>,
    ) -> Result<Self, Problem> {
        Self::read_under(&[], file_name, text, open)
    }

    /// The same with `settings` over what the file says of its (first) server.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn read_under(
        settings: &[Setting],
        file_name: &str,
        text: &str,
        open: &mut dyn FnMut(&str) -> Result<String, String>,
    ) -> Result<Self, Problem> {
        let settings = Settings::of(settings)?;
        let set = settings.table()?;
        let layer = Layer { source: settings.source(), table: set.get_ref() };
        let source = Source { file: file_name, text };
        let document = DeTable::parse(text).map_err(|error| {
            let at = error.span().map_or(text.len(), |span| span.start);
            source.problem(
                at,
                format!("this is not TOML: {}", error.message()),
                "see https://toml.io for the syntax",
            )
        })?;
        let mut root = Reader::new(source, document.get_ref(), 0, "the scenario").under(Some(layer));
        let scenario = read_root(source, &mut root, &settings, open);
        let whole = scenario.and_then(|scenario| root.finish().map(|()| scenario));
        whole.map_err(|problem| settings.blame(problem))
    }
}

fn read_root(
    source: Source<'_>,
    root: &mut Reader<'_>,
    settings: &Settings<'_>,
    open: draft::Open<'_>,
) -> Read<Scenario> {
    root.require("schema", "schema = 1 at the top: the version of this format", |v| {
        match v.integer(0..=u64::MAX)? {
            SCHEMA => Ok(()),
            _ => Err(v.wrong("is not known", format!("this build reads schema = {SCHEMA}"))),
        }
    })?;
    let name = root.require("name", "name = \"my-scenario\"", |v| v.name())?;
    let duration = root.require("duration", "duration = \"1h\"", |v| v.some_time())?;
    let mut draft = Draft::new(source.text, duration, open);
    if !settings.text().is_empty() {
        draft.digest.bytes(settings.text().as_bytes());
    }
    let seed = root.get_or("seed", 42, |v| v.integer(0..=i64::MAX as u64))?;
    let replications = root.get_or("replications", 1, |v| v.count(1..=10_000))?;
    let warmup =
        root.get_or("warmup", Duration::ZERO, |v| Ok(v.instant_before(duration)?.since(Instant::ZERO)))?;
    let servers = servers::read_all(root, &mut draft.strings)?;
    let dns_ttl = dns::read(root)?;
    let mut populations = population::read_all(root, &mut draft)?;
    let mut scene =
        faults::Scene { draft: &mut draft, servers: &servers, dns_ttl, populations: &mut populations };
    let faults = faults::read_all(root, &mut scene)?;
    draft.notes.extend(populations.iter().filter_map(|population| tls_note(population, &servers)));
    let thresholds = root.get("thresholds", |v| v.tables(1_000, "[[thresholds]]"))?.unwrap_or_default();
    let thresholds = thresholds.into_iter().map(threshold).collect::<Read<Vec<_>>>()?;
    Ok(Scenario {
        name,
        question: source.first_comment(),
        hash: draft.digest.hex(),
        duration,
        seed,
        replications,
        warmup,
        servers,
        dns_ttl,
        populations,
        faults,
        thresholds,
        addresses: draft.places.book,
        strings: draft.strings.into_texts(),
        notes: draft.notes,
    })
}

/// Clients and a server who do not agree on TLS never come to a login.
fn tls_note(population: &Population, servers: &[Station]) -> Option<String> {
    let (name, policy) = (&population.name, &servers.first()?.policy);
    match policy.tls.offer {
        None if population.behaviour.tls != Tls::None => Some(format!(
            "the clients {name:?} want TLS, which this {} does not speak: write tls = \"offered\" in [server].",
            policy.profile
        )),
        Some(Offer { required: Some(_), .. }) if population.behaviour.tls == Tls::None => Some(format!(
            "the clients {name:?} do not speak TLS, which the server requires: nobody of them logs in."
        )),
        _ => None,
    }
}

fn threshold(mut table: Reader<'_>) -> Read<Threshold> {
    let example = "require = \"refused_first rate < 0.01\"";
    let threshold = table.require("require", example, |v: Value<'_>| {
        Threshold::parse(v.line()?).map_err(|p| v.wrong_inside(p.at, "is not a threshold", p.why))
    })?;
    table.finish()?;
    Ok(threshold)
}
