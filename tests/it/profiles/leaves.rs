//! The facts of a profile's file, one by one, and what else each might have been.
//!
//! It plays nothing.

use ftp421::server::Profile;
use toml::{Table, Value};

/// The way to a fact: keys, and numbers within an array.
pub type Path = Vec<String>;

/// Every fact of `facts` that is not made of others.
pub fn of(facts: &Table) -> Vec<Path> {
    let mut found = Vec::new();
    for (key, value) in facts {
        walk(value, vec![key.clone()], &mut found);
    }
    found
}

fn walk(value: &Value, path: Path, found: &mut Vec<Path>) {
    let with = |more: String| [path.clone(), vec![more]].concat();
    match value {
        Value::Table(table) => table.iter().for_each(|(key, value)| walk(value, with(key.clone()), found)),
        Value::Array(all) => {
            all.iter().enumerate().for_each(|(place, value)| walk(value, with(place.to_string()), found));
        }
        _ => found.push(path),
    }
}

/// The path as a person names it.
pub fn told(path: &Path) -> String {
    path.join(".")
}

/// The path without the place of a limit: facts of one shape are found in the same scene.
pub fn shape(path: &Path) -> String {
    let names: Vec<&str> =
        path.iter().map(String::as_str).filter(|k| !k.chars().all(|c| c.is_ascii_digit())).collect();
    names.join(".")
}

/// What is said about a server, and not by it.
pub fn is_prose(path: &Path) -> bool {
    const PROSE: [&str; 7] = ["name", "title", "about", "provenance", "from", "lateness_from", "setting"];
    path.last().is_some_and(|key| PROSE.contains(&key.as_str()))
}

/// A load is the host's, whoever it is asked for.
pub fn goes_without_saying(facts: &Table, path: &Path) -> bool {
    let [section, place, key] = &path[..] else { return false };
    section == "limit"
        && key == "per"
        && get(facts, &vec![section.clone(), place.clone(), "counts".into()]).as_str() == Some("load")
}

/// The fact at `path`.
pub fn get<'a>(facts: &'a Table, path: &Path) -> &'a Value {
    let mut value = &facts[&path[0]];
    for key in &path[1..] {
        value = match value {
            Value::Array(all) => &all[key.parse::<usize>().unwrap()],
            other => &other[key.as_str()],
        };
    }
    value
}

/// The profiles that differ from `facts` in the fact at `path` alone; each of them will do.
pub fn changed(facts: &Table, path: &Path) -> Vec<Profile> {
    let others = others(path, get(facts, path));
    let profiles = others.into_iter().filter_map(|other| {
        let mut facts = Value::Table(facts.clone());
        let place = path.iter().fold(&mut facts, |value, key| match value {
            Value::Array(all) => &mut all[key.parse::<usize>().unwrap()],
            other => &mut other[key.as_str()],
        });
        *place = other;
        let Value::Table(facts) = facts else { unreachable!() };
        Profile::from_facts(facts).ok()
    });
    let profiles: Vec<Profile> = profiles.collect();
    assert!(!profiles.is_empty(), "nothing else can stand at {path:?}");
    profiles
}

/// The words of the enums, by key. What does not fit is left out by the parser.
const WORDS: &[(&str, &[&str])] = &[
    ("default", &["none", "offered"]),
    ("cause", &["overload", "max_per_ip"]),
    ("stage", &["accept", "password", "login", "user", "download"]),
    ("counts", &["connections", "processes", "sockets", "sessions", "hosts", "recent"]),
    ("per", &["server", "address", "user", "class"]),
    ("whom", &["all", "named", "anonymous"]),
    ("close", &["fin", "rst", "none"]),
    ("offence", &["bad_password", "connect"]),
    ("by", &["address", "user"]),
    ("cuts_live", &["never", "at_once", "next_command"]),
    ("listener", &["stays", "closes", "half_dead"]),
    ("transfer", &["told", "silent", "finishes", "lives"]),
    ("pre_login", &["lives", "silent"]),
    ("session", &["lives", "silent"]),
];

/// What else might stand where `value` does.
fn others(path: &Path, value: &Value) -> Vec<Value> {
    let key = path.last().map(String::as_str).unwrap_or_default();
    let words = WORDS.iter().find(|(k, _)| *k == key).map_or(&[][..], |(_, words)| *words);
    match value {
        Value::Boolean(yes) => vec![Value::Boolean(!yes)],
        Value::Float(number) => vec![Value::Float(number * 2.0 + 1.0), Value::Float(number / 2.0)],
        Value::Integer(0) if key == "code" => vec![Value::Integer(421)],
        Value::Integer(code) if key == "code" => vec![Value::Integer(code + 7)],
        Value::Integer(0) => vec![Value::Integer(3)],
        Value::Integer(1) if key == "default" => vec![Value::Integer(2)],
        Value::Integer(number) => vec![Value::Integer(number * 2), Value::Integer(number / 2)],
        Value::String(word) if words.contains(&word.as_str()) || !words.is_empty() => {
            words.iter().filter(|w| *w != word).map(|w| Value::String((*w).to_owned())).collect()
        }
        Value::String(text) if is_time(text) => time_others(text),
        Value::String(text) => vec![Value::String(format!("{text} indeed"))],
        _ => Vec::new(),
    }
}

fn is_time(text: &str) -> bool {
    ftp421::time::Duration::parse(text).is_ok()
}

/// Twice as long, or a minute if there was none; a `mean` may not fall below its `least`, nor the other way round.
fn time_others(text: &str) -> Vec<Value> {
    let time = ftp421::time::Duration::parse(text).unwrap();
    let other = if time.is_zero() { "60s".to_owned() } else { (time * 2).to_string() };
    vec![Value::String(other)]
}

/// What a page must tell of `value`.
pub fn parts(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => text.trim().lines().map(str::to_owned).collect(),
        Value::Boolean(_) => Vec::new(),
        other => vec![other.to_string()],
    }
}
