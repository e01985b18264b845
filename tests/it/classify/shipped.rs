//! The scenarios that come with the project: what a generator would take their refusals for.
//!
//! It asks only that the counts of a measured run would be those of the simulated one, kind by kind.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;

use ftp421::classify::Classifier;
use ftp421::observe::Cause;
use ftp421::scenario::Scenario;

use super::eyes::Eyes;
use crate::support::project;

/// Runs with so many refusals that a debug build takes minutes for them; a shorter look at each is enough.
const LONG: [&str; 5] = ["retry-storm", "retry-storm-backoff", "busy-evening", "ramp-onset", "mirror-week"];

#[test]
fn the_scenarios_that_are_shipped_are_read_as_the_model_means_them() {
    let mut told = String::new();
    let (mut right_in_all, mut in_all) = (0_u64, 0_u64);
    let folder = project().join("scenarios");
    let mut files: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    for file in files.iter().filter(|file| file.extension().is_some_and(|ext| ext == "toml")) {
        let name = file.file_stem().unwrap().to_str().unwrap();
        if LONG.contains(&name) {
            continue;
        }
        let text = fs::read_to_string(file).unwrap();
        let mut open = |name: &str| fs::read_to_string(folder.join(name)).map_err(|error| error.to_string());
        let scenario = Scenario::read(name, &text, &mut open).unwrap_or_else(|problem| panic!("{problem}"));
        let classifier = Classifier::expecting(&scenario.servers[0].policy);
        let (mut right, mut all) = (0_u64, 0_u64);
        let mut wrong: BTreeMap<String, u64> = BTreeMap::new();
        for case in Eyes::watch(&scenario) {
            let verdict = classifier.judge(&case.with(&case.text));
            let judged = verdict.map(|verdict| verdict.cause);
            if case.truth.is_none() && judged.is_none() {
                continue;
            }
            all += 1;
            if judged == case.truth {
                right += 1;
            } else {
                let name = |cause: Option<Cause>| cause.map_or("nothing", Cause::name);
                let (code, phase) = (case.evidence.code, case.evidence.phase);
                *wrong
                    .entry(format!(
                        "{} as {} ({code} {phase}, {:?}, {:?})",
                        name(case.truth),
                        name(judged),
                        verdict.map(|verdict| verdict.basis),
                        case.evidence.close
                    ))
                    .or_default() += 1;
            }
        }
        right_in_all += right;
        in_all += all;
        let _ = writeln!(told, "{name}: {right} of {all}");
        for (what, count) in wrong {
            let _ = writeln!(told, "    {count:6} {what}");
        }
    }
    if let Ok(to) = std::env::var("FTP421_CONFUSION") {
        fs::write(format!("{to}.shipped"), &told).expect("the file can be written");
    }
    assert!(right_in_all * 100 >= in_all * 99, "{right_in_all} of {in_all}:\n{told}");
}
