//! Reading `[server]` or `[[servers]]`: one server, or several behind one name.
//!
//! It does not read what a server is like: `server` does.

use super::Station;
use super::draft::Strings;
use super::reader::{Read, Reader};
use super::server;
use super::source::suggestion;
use super::value::Value;
use crate::id::ServerId;

/// The name of the only server of a scenario.
const ONLY: &str = "server";

/// All servers, in the order of the file; at least one.
pub(super) fn read_all(root: &mut Reader<'_>, strings: &mut Strings) -> Read<Vec<Station>> {
    let settings = root.layer("server");
    let Some(value) = root.value("servers") else {
        let (policy, overrides, classes, wire) = server::read(root, strings)?;
        return Ok(vec![Station { name: ONLY.to_owned(), policy, overrides, classes, wire }]);
    };
    if let Some(one) = root.own("server") {
        return Err(one.wrong("stands beside [[servers]]", "make it one of the [[servers]], with a name"));
    }
    let tables = value.tables(usize::MAX, "[[servers]]")?;
    if tables.len() > ServerId::MOST {
        return Err(value.wrong("has too many servers", format!("at most {} fit", ServerId::MOST)));
    }
    let mut stations: Vec<Station> = Vec::new();
    for (place, table) in tables.into_iter().enumerate() {
        // What is set from outside is set for the first.
        let mut table = if place == 0 { table.under(settings) } else { table };
        let name = table.require("name", "name = \"old\"", |v| {
            let name = v.name()?;
            if stations.iter().any(|station| station.name == name) {
                return Err(v.wrong("is taken", "each server needs a name of its own"));
            }
            Ok(name)
        })?;
        let (policy, overrides, classes, wire) =
            server::read_table(table, &format!("[[servers]] {name:?}"), strings)?;
        stations.push(Station { name, policy, overrides, classes, wire });
    }
    if stations.is_empty() {
        return Err(value.wrong("is empty", "write [[servers]] tables, or one [server]"));
    }
    Ok(stations)
}

/// The server that `value` names.
pub(super) fn named(value: Value<'_>, stations: &[Station]) -> Read<ServerId> {
    let name = value.text()?;
    let names: Vec<&str> = stations.iter().map(|station| station.name.as_str()).collect();
    match names.iter().position(|known| *known == name) {
        Some(place) => Ok(ServerId(place as u8)),
        None => Err(value.wrong("is no server of this scenario", suggestion(name, &names))),
    }
}
