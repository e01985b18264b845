//! Reading the trace of an `arrivals` table: a CSV of times and addresses, or an xferlog.
//!
//! It does not parse the logs' lines: `workload::trace` and `workload::xferlog` do.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

use super::draft::{Draft, Strings};
use super::reader::{Read, Reader};
use super::source::Source;
use super::value::Value;
use crate::client::{Script, Step};
use crate::dist::Dist;
use crate::ftp::{ArgId, Command, Verb};
use crate::id::PeerId;
use crate::time::{Duration, Instant};
use crate::workload::trace::{self, Malformed};
use crate::workload::xferlog::{self, Session, Transfer};
use crate::workload::{Arrivals, TraceArrival};

/// What `arrivals` says: when clients come to do a script, or all that a log says about them.
pub(super) enum Plan {
    /// They do the population's script.
    Scripted(Arrivals),
    /// They do what the log says.
    Logged(Log),
}

/// What an xferlog says about a population.
pub(super) struct Log {
    /// When sessions begin, and where in the script.
    pub arrivals: Vec<TraceArrival>,
    /// The sessions one after the other.
    pub script: Script,
    /// Whose they are, one for each.
    pub users: Vec<ArgId>,
}

/// The pause between two transfers that ends a session in an xferlog.
const GAP: Duration = Duration::from_secs(30);
/// So many different paths of an xferlog keep their names.
const PATHS: usize = 10_000;

/// The trace that `table` names.
pub(super) fn read(table: &mut Reader<'_>, name: &str, draft: &mut Draft<'_>) -> Read<Plan> {
    if let Some(file) = table.value("csv") {
        return read_csv(file, name, draft).map(Plan::Scripted);
    }
    let Some(file) = table.value("xferlog") else {
        return Err(table.missing("csv", "csv = \"arrivals.csv\" or xferlog = \"xferlog\""));
    };
    let gap = table.get_or("gap", GAP, |v| v.some_time())?;
    read_xferlog(file, gap, name, draft).map(Plan::Logged)
}

fn open<'v>(file: Value<'v>, draft: &mut Draft<'_>) -> Read<(&'v str, String)> {
    let path = file.line()?;
    let text = draft.open(path).map_err(|why| {
        file.wrong(&format!("cannot be read: {why}"), "the path is relative to the scenario's file")
    })?;
    Ok((path, text))
}

fn malformed(file: &str, text: &str, wrong: Malformed) -> super::Problem {
    Source { file, text }.problem_at(wrong.line, wrong.column, wrong.what, wrong.hint)
}

fn read_csv(file: Value<'_>, name: &str, draft: &mut Draft<'_>) -> Read<Arrivals> {
    let (path, text) = open(file, draft)?;
    let rows = trace::read(&text).map_err(|wrong| malformed(path, &text, wrong))?;
    if rows.is_empty() {
        return Err(file.wrong("has no arrival", "write a line for each"));
    }
    let arrivals: Vec<TraceArrival> = rows
        .into_iter()
        .map(|row| TraceArrival {
            at: row.at,
            peer: row.address.map(|a| draft.places.book.intern(a)),
            entry: 0,
        })
        .collect();
    note_late(&arrivals, name, draft);
    Ok(Arrivals::Trace(arrivals))
}

fn note_late(arrivals: &[TraceArrival], name: &str, draft: &mut Draft<'_>) {
    let end = Instant::ZERO + draft.end;
    let late = arrivals.iter().filter(|a| a.at >= end).count();
    if late > 0 {
        draft.notes.push(format!(
            "{late} of the {} arrivals of {name:?} come after the end of the run.",
            arrivals.len()
        ));
    }
}

fn read_xferlog(file: Value<'_>, gap: Duration, name: &str, draft: &mut Draft<'_>) -> Read<Log> {
    let (path, text) = open(file, draft)?;
    let parsed = xferlog::read(&text, gap).map_err(|wrong| malformed(path, &text, wrong))?;
    if parsed.sessions.is_empty() {
        return Err(file.wrong("has no completed transfer", "an xferlog has one line for each transfer"));
    }
    let mut log = Log { arrivals: Vec::new(), script: Script::default(), users: Vec::new() };
    let mut hosts = Hosts::default();
    let mut paths = Paths::default();
    for session in &parsed.sessions {
        let Some(peer) = hosts.peer(session.host, draft) else {
            return Err(file.wrong(
                "has too many host names",
                format!("at most {} have room in 198.18.0.0/15", Hosts::MOST),
            ));
        };
        log.arrivals.push(TraceArrival {
            at: session.at,
            peer: Some(peer),
            entry: log.script.steps.len() as u32,
        });
        log.users.push(draft.strings.named(file, session.user)?);
        add_session(&mut log.script.steps, session, |t| paths.path(t.path, &mut draft.strings));
    }
    note_late(&log.arrivals, name, draft);
    draft.notes.extend(parsed.notes(name));
    draft.notes.extend(hosts.note(name));
    draft.notes.extend(paths.note(name));
    Ok(log)
}

fn add_session(steps: &mut Vec<Step>, session: &Session<'_>, mut path: impl FnMut(&Transfer<'_>) -> ArgId) {
    steps.push(Step::Login);
    for transfer in &session.transfers {
        if !transfer.pause_before.is_zero() {
            steps.push(Step::Think(Dist::Constant(transfer.pause_before.as_nanos())));
        }
        let verb = if transfer.is_upload { Verb::Stor } else { Verb::Retr };
        let command = Command { verb, arg: path(transfer) };
        steps.push(Step::Transfer { command, size: Dist::Constant(transfer.bytes), abort: None });
    }
    steps.push(Step::Quit);
}

/// The addresses of a log's hosts: a name stands as an address of 198.18.0.0/15 (RFC 2544).
#[derive(Default)]
struct Hosts<'t> {
    names: BTreeMap<&'t str, PeerId>,
}

impl<'t> Hosts<'t> {
    const MOST: u32 = 1 << 17;

    fn peer(&mut self, host: &'t str, draft: &mut Draft<'_>) -> Option<PeerId> {
        if let Ok(address) = host.parse::<IpAddr>() {
            return Some(draft.places.book.intern(address));
        }
        if let Some(peer) = self.names.get(host) {
            return Some(*peer);
        }
        let number = u32::try_from(self.names.len()).ok().filter(|n| *n < Self::MOST)?;
        let address = Ipv4Addr::from_bits(Ipv4Addr::new(198, 18, 0, 0).to_bits() + number);
        let peer = draft.places.book.intern(address.into());
        self.names.insert(host, peer);
        Some(peer)
    }

    fn note(&self, name: &str) -> Option<String> {
        let count = self.names.len();
        (count > 0).then(|| {
            format!("{count} host names in the xferlog of {name:?} stand as addresses from 198.18.0.0 on.")
        })
    }
}

/// The paths of a log, as far as they keep their names.
#[derive(Default)]
struct Paths {
    known: BTreeMap<String, ArgId>,
    nameless: usize,
}

impl Paths {
    fn path(&mut self, path: &str, strings: &mut Strings) -> ArgId {
        if let Some(id) = self.known.get(path) {
            return *id;
        }
        if self.known.len() < PATHS
            && let Some(id) = strings.intern(path)
        {
            self.known.insert(path.to_owned(), id);
            return id;
        }
        self.nameless += 1;
        strings.intern("/file").unwrap_or(ArgId::NONE)
    }

    fn note(&self, name: &str) -> Option<String> {
        let count = self.nameless;
        (count > 0).then(|| format!("{count} transfers in the xferlog of {name:?} go by /file: only {PATHS} paths keep their names."))
    }
}
