//! What the gate of counted instructions says: when it shuts, when it asks for a new record, and when it compares nothing.
//!
//! Nothing is counted here: `cargo bench --profile counted --bench counted` counts.

#[path = "../../benches/counted/record.rs"]
mod record;

use std::collections::BTreeMap;
use std::fs;

use record::{Count, Place, Record, Verdict};

use crate::support::project;

fn place() -> Place {
    Place {
        kind: "x86_64 linux".to_owned(),
        rustc: "rustc 1.95.0".to_owned(),
        libc: "glibc 2.36".to_owned(),
        valgrind: "valgrind-3.19.0".to_owned(),
    }
}

fn count(instructions: u64) -> Count {
    Count { events: 1_000, digest: 0xfeed_0000_0000_0001, instructions }
}

fn record() -> Record {
    let runs = BTreeMap::from([("loss".to_owned(), count(1_000_000))]);
    Record { date: "2026-11-23".to_owned(), tolerance: 0.03, tolerance_elsewhere: 0.10, place: place(), runs }
}

#[test]
fn the_record_in_the_tree_is_what_its_writer_writes() {
    let text = fs::read_to_string(project().join("benches/counted/counted.toml")).unwrap();
    let record = Record::parse(&text).unwrap();
    assert_eq!(record.text(), text);
    assert!(
        0.0 < record.tolerance
            && record.tolerance < record.tolerance_elsewhere
            && record.tolerance_elsewhere < 0.2
    );
    assert!(record.runs.values().all(|count| (1.0..1e6).contains(&count.per_event())), "{:?}", record.runs);
}

#[test]
fn a_run_that_takes_more_than_the_tolerance_fails_and_is_told_what_to_do() {
    assert_eq!(record().judge("loss", &count(1_030_000), 0.03), Verdict::Same);
    let Verdict::Fails(why) = record().judge("loss", &count(1_031_000), 0.03) else { panic!("it passes") };
    assert!(
        why.starts_with("loss takes 3.1 % more instructions than recorded, and 3 % are let pass."),
        "{why}"
    );
    assert!(why.contains("-- --top loss") && why.contains("-- --record"), "{why}");
}

#[test]
fn a_run_that_takes_much_less_asks_for_a_new_record() {
    assert_eq!(record().judge("loss", &count(970_000), 0.03), Verdict::Same);
    let Verdict::Better(why) = record().judge("loss", &count(500_000), 0.03) else { panic!("no word") };
    assert!(why.starts_with("loss takes 50.0 % fewer instructions") && why.contains("-- --record"), "{why}");
}

#[test]
fn a_run_that_does_something_else_is_not_compared_and_fails() {
    let other = Count { digest: 1, ..count(1_000_000) };
    let Verdict::Fails(why) = record().judge("loss", &other, 0.03) else { panic!("it passes") };
    assert!(why.starts_with("loss does something else"), "{why}");
    assert!(matches!(record().judge("new", &count(1), 0.03), Verdict::Fails(_)));
}

#[test]
fn fewer_events_for_the_same_deeds_are_no_excuse() {
    let denser = Count { events: 500, ..count(1_040_000) };
    assert!(matches!(record().judge("loss", &denser, 0.03), Verdict::Fails(_)));
}

#[test]
fn another_compiler_or_c_library_is_compared_loosely_and_told() {
    assert_eq!(record().tolerance_at(&place()), (Some(0.03), String::new()));
    let valgrind = Place { valgrind: "valgrind-3.24.0".to_owned(), ..place() };
    assert_eq!(record().tolerance_at(&valgrind).0, Some(0.03), "who counts does not change what is counted");
    for other in [
        Place { rustc: "rustc 1.97.0".to_owned(), ..place() },
        Place { libc: "glibc 2.41".to_owned(), ..place() },
    ] {
        let (tolerance, told) = record().tolerance_at(&other);
        assert_eq!(tolerance, Some(0.10));
        assert!(told.starts_with("COMPARED LOOSELY, to 10 % and not 3 %:"), "{told}");
    }
}

#[test]
fn another_kind_of_machine_is_not_compared_and_told() {
    let arm = Place { kind: "aarch64 linux".to_owned(), ..place() };
    let (tolerance, told) = record().tolerance_at(&arm);
    assert_eq!(tolerance, None);
    assert_eq!(told, "NOT COMPARED: this is aarch64 linux, and the record is of x86_64 linux.");
}

#[test]
fn a_broken_record_is_an_error_in_words() {
    let text = record().text();
    assert_eq!(Record::parse(&text), Ok(record()));
    let digest = text.replace("feed", "weed");
    assert!(Record::parse(&digest).unwrap_err().contains("invalid digit"));
    assert!(Record::parse(&text.replace("instructions =", "seconds =")).is_err());
}
