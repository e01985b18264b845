//! What was found out about real servers, as tables: each cell is a dialogue with the server of its column.
//!
//! They hold no fact about clients; those are `cells`. A `*` behind a cell says that nothing is known there, and what the model does is
//! its own.

mod causes;
mod death;
mod idle;
mod small;
mod words;

use ftp421::id::ConnId;
use ftp421::server::{Input, Profile};

use super::desk::Desk;

/// Holds each cell of `table` against what the model does: `cell` is asked with the head of the row and that of the column.
fn hold(table: &str, cell: impl Fn(&str, &str) -> String) {
    let mut rows = table.lines().map(str::trim).filter(|line| !line.is_empty());
    let heads: Vec<&str> = rows.next().expect("a head").split('|').map(str::trim).collect();
    let mut wrong = Vec::new();
    for row in rows {
        let row: Vec<&str> = row.split('|').map(str::trim).collect();
        assert_eq!(row.len(), heads.len(), "{row:?}");
        for (head, said) in heads.iter().zip(&row).skip(1) {
            let found = cell(row[0], head);
            if said.trim_end_matches('*') != found {
                wrong.push(format!("{} / {head}: {found}, and not {said}", row[0]));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// What was heard in short: its codes, with `stays` if the connection stays, or `close`.
fn short(heard: &str) -> String {
    let last_lines = heard.split(" | ").filter(|line| line.as_bytes().get(3) == Some(&b' '));
    let codes: Vec<&str> = last_lines.map(|line| &line[..3]).collect();
    match (codes.is_empty(), is_closed(heard)) {
        (true, true) => "close".to_owned(),
        (true, false) => "-".to_owned(),
        (false, true) => codes.join("+"),
        (false, false) => format!("{} stays", codes.join("+")),
    }
}

/// Does the connection end behind what was heard?
fn is_closed(heard: &str) -> bool {
    heard.rsplit(" | ").next().is_some_and(|last| last.starts_with('('))
}

/// What `conn` hears next, and after how many seconds, to a tenth; nothing, if that is more than three hours.
fn next(desk: &mut Desk, conn: ConnId) -> Option<(f64, String)> {
    let tenths = |tenths: u32| f64::from(tenths) / 10.0;
    let start = desk.clock();
    (1..=108_000).find_map(|count| {
        desk.wait(start + tenths(count) - desk.clock());
        let heard = desk.hears(conn);
        (!heard.is_empty()).then_some((tenths(count), heard))
    })
}

/// The same in short.
fn next_in_short(desk: &mut Desk, conn: ConnId) -> String {
    next(desk, conn).map_or("-".to_owned(), |(_, heard)| short(&heard))
}

/// How somebody is received: what he hears, and in answer to what.
fn enters(desk: &mut Desk, host: u32, user: &str) -> String {
    let conn = desk.call(host);
    let heard = desk.hears(conn);
    if short(&heard) != "220 stays" {
        return at("greeting", &heard);
    }
    let heard = desk.types(conn, &format!("USER {user}"));
    if !heard.starts_with("331") {
        return at("USER", &heard);
    }
    let heard = desk.types(conn, "PASS right");
    if heard.starts_with("230") { "let in".to_owned() } else { at("PASS", &heard) }
}

fn at(phase: &str, heard: &str) -> String {
    match short(heard).as_str() {
        "-" => "hangs".to_owned(),
        "close" => "close".to_owned(),
        codes => format!("{codes} {phase}"),
    }
}

/// A logged-in session that transfers with `verb`, and no byte moves.
fn transfers(desk: &mut Desk, host: u32, verb: &str) -> ConnId {
    let conn = desk.log_in(host, "carol");
    desk.types(conn, "PASV");
    desk.data(Input::DataOpened { conn });
    assert!(desk.types(conn, &format!("{verb} /file")).starts_with('1'));
    conn
}

/// Keys that switch off what else could end an idle session of `server`.
fn only_idle(server: &str) -> &'static str {
    let timer = Profile::named(server).expect("such a profile").timer;
    if timer.no_transfer.is_some() { "no_transfer_timeout = \"0s\"\n" } else { "" }
}
