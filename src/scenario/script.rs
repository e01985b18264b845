//! Reading `script`: a list of steps, with its loops unrolled.
//!
//! It does not run a session: `client` does.

use super::Problem;
use super::draft::Strings;
use super::reader::{Read, Reader};
use super::source::suggestion;
use super::value::Value;
use crate::client::{Script, Step};
use crate::dist::Dist;
use crate::ftp::{ArgId, Command, Verb};

/// The steps that are a word, and those that are a table's first key.
const WORDS: [&str; 7] = ["login", "pwd", "list", "nlst", "mlsd", "noop", "quit"];
const KEYS: [&str; 13] = [
    "cwd",
    "list",
    "nlst",
    "mlsd",
    "retr",
    "stor",
    "rest",
    "size",
    "type",
    "think",
    "idle",
    "site_idle",
    "loop",
];
/// The size of a listing that names none, bytes.
const LISTING: Dist = Dist::Constant(4_096);

/// The script of a population that names none.
pub(super) fn just_login() -> Script {
    Script { steps: vec![Step::Login, Step::Quit] }
}

/// The script.
pub(super) fn read(value: Value<'_>, strings: &mut Strings) -> Read<Script> {
    let mut items = value.list(Script::MAX_STEPS)?;
    let Some(first) = items.first().copied() else {
        return Err(value.wrong("is empty", "write at least [\"login\"]"));
    };
    if first.text().ok() != Some("login") {
        return Err(first.wrong("stands first", "a script begins with \"login\""));
    }
    let mut steps = vec![Step::Login];
    if items.last().is_some_and(|last| last.text().ok() == Some("quit")) {
        items.pop();
    }
    read_steps(&items[1..], strings, &mut steps)?;
    steps.push(Step::Quit);
    Ok(Script { steps })
}

/// Steps in a row, the last of which is followed by another than themselves: a REST is for the step behind it.
fn read_steps(items: &[Value<'_>], strings: &mut Strings, steps: &mut Vec<Step>) -> Read<()> {
    let mut rest: Option<Value<'_>> = None;
    for item in items {
        let before = steps.len();
        read_step(*item, strings, steps)?;
        let moves =
            matches!(steps.get(before), Some(Step::Transfer { command, .. }) if !command.verb.is_listing());
        match rest.take() {
            Some(rest) if !moves => return Err(lonely(rest)),
            _ => {}
        }
        rest = matches!(steps.last(), Some(Step::Rest { .. })).then_some(*item);
    }
    rest.map_or(Ok(()), |rest| Err(lonely(rest)))
}

fn lonely(rest: Value<'_>) -> Problem {
    rest.wrong("has nothing to begin later", "REST stands right before a { retr = .. } or { stor = .. }")
}

fn read_step(value: Value<'_>, strings: &mut Strings, steps: &mut Vec<Step>) -> Read<()> {
    if value.is_table() {
        read_table(value, strings, steps)?;
    } else {
        steps.push(read_word(value)?);
    }
    if steps.len() >= Script::MAX_STEPS {
        return Err(
            value.wrong("is one step too many", format!("a script has at most {} steps", Script::MAX_STEPS))
        );
    }
    Ok(())
}

fn read_word(value: Value<'_>) -> Read<Step> {
    match value.text()? {
        "pwd" => Ok(Step::Command(Command::bare(Verb::Pwd))),
        "noop" => Ok(Step::Command(Command::bare(Verb::Noop))),
        "list" => Ok(listing(Verb::List)),
        "nlst" => Ok(listing(Verb::Nlst)),
        "mlsd" => Ok(listing(Verb::Mlsd)),
        "login" => Err(value.wrong("stands twice", "a session logs in once, at its beginning")),
        "quit" => Err(value.wrong("is not at the end", "a session ends with \"quit\", or without it")),
        word if KEYS.contains(&word) => {
            Err(value.wrong("needs to know more", format!("write {}", example(word))))
        }
        word => Err(value.wrong("is not a step", suggestion(word, &WORDS))),
    }
}

/// A listing of the working directory.
fn listing(verb: Verb) -> Step {
    Step::Transfer { command: Command::bare(verb), size: LISTING, abort: None }
}

fn example(word: &str) -> &'static str {
    match word {
        "cwd" => "{ cwd = \"/pub\" }",
        "retr" => "{ retr = \"10MiB\" }",
        "stor" => "{ stor = \"10MiB\" }",
        "rest" => "{ rest = \"5MiB\" }",
        "size" => "{ size = \"/file\" }",
        "type" => "{ type = \"I\" }",
        "think" => "{ think = \"3s\" }",
        "idle" => "{ idle = \"300s\" }",
        "site_idle" => "{ site_idle = \"60s\" }",
        _ => "{ loop = 3, steps = [\"noop\"] }",
    }
}

fn read_table(value: Value<'_>, strings: &mut Strings, steps: &mut Vec<Step>) -> Read<()> {
    let mut table = value.table("a step of the script")?;
    let Some((key, what)) = KEYS.iter().find_map(|key| table.value(key).map(|what| (*key, what))) else {
        table.finish()?;
        return Err(value.wrong("is an empty step", format!("write {}", example("cwd"))));
    };
    match key {
        "cwd" => {
            steps.push(Step::Command(Command { verb: Verb::Cwd, arg: strings.named(what, what.line()?)? }));
        }
        "think" => steps.push(Step::Think(what.times()?)),
        "idle" => steps.push(Step::Idle(what.times()?)),
        "site_idle" => {
            let seconds = what.some_time()?.as_nanos().div_ceil(1_000_000_000).to_string();
            steps.push(Step::Command(Command { verb: Verb::SiteIdle, arg: strings.named(what, &seconds)? }));
        }
        "type" => {
            let arg = what.one_of(&[("I", ArgId::IMAGE), ("A", ArgId::ASCII)])?;
            steps.push(Step::Command(Command { verb: Verb::Type, arg }));
        }
        "size" => {
            steps.push(Step::Command(Command { verb: Verb::Size, arg: strings.named(what, what.line()?)? }));
        }
        "rest" => {
            let bytes = what.size()?;
            let arg = strings.named(what, &bytes.to_string())?;
            steps.push(Step::Rest { command: Command { verb: Verb::Rest, arg }, bytes });
        }
        "list" => steps.push(transfer(Verb::List, "", what, &mut table, strings)?),
        "nlst" => steps.push(transfer(Verb::Nlst, "", what, &mut table, strings)?),
        "mlsd" => steps.push(transfer(Verb::Mlsd, "", what, &mut table, strings)?),
        "retr" => steps.push(transfer(Verb::Retr, "/file", what, &mut table, strings)?),
        "stor" => steps.push(transfer(Verb::Stor, "/upload", what, &mut table, strings)?),
        _ => unroll(what, &mut table, strings, steps)?,
    }
    table.finish()
}

fn transfer(
    verb: Verb,
    path: &str,
    size: Value<'_>,
    table: &mut Reader<'_>,
    strings: &mut Strings,
) -> Read<Step> {
    let arg: ArgId = match table.value("path") {
        Some(value) => strings.named(value, value.line()?)?,
        None => strings.named(size, path)?,
    };
    let abort = table.get("abort", |v| v.duration())?;
    Ok(Step::Transfer { command: Command { verb, arg }, size: size.sizes()?, abort })
}

fn unroll(
    times: Value<'_>,
    table: &mut Reader<'_>,
    strings: &mut Strings,
    steps: &mut Vec<Step>,
) -> Read<()> {
    let count = times.count(1..=Script::MAX_STEPS as u32)?;
    let mut once = Vec::new();
    let items = table.require("steps", example("loop"), |v| v.list(Script::MAX_STEPS))?;
    read_steps(&items, strings, &mut once)?;
    if steps.len() + once.len() * count as usize >= Script::MAX_STEPS {
        let hint = format!("a script has at most {} steps when its loops are unrolled", Script::MAX_STEPS);
        return Err(times.wrong("makes the script too long", hint));
    }
    for _ in 0..count {
        steps.extend_from_slice(&once);
    }
    Ok(())
}
