//! No fact of a profile is prose: whichever is changed, some dialogue changes.
//!
//! What a fact should change is not said here but in the dialogues; this only finds the fact that nothing obeys.

mod gauntlet;
mod hosts;
mod leaves;
mod play;
mod served;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use ftp421::server::Profile;

use self::gauntlet::Scene;
use crate::support::{ftp421, project, stdout};

/// Facts that no machine obeys yet, by the end of their path. To be empty.
const NOT_YET: &[&str] = &[
    // No server that was looked at lets its ports rest.
    "port_rests",
];

/// The one field that has no name of its own in a file: there stand the names of the verbs.
const NAMELESS: &str = "by_name";

/// Changes every fact of every profile, one at a time.
#[test]
fn every_fact_of_every_profile_changes_some_dialogue() {
    let mut dead = Vec::new();
    let mut guess: BTreeMap<String, usize> = BTreeMap::new();
    for name in Profile::names() {
        let facts = Profile::facts(name).unwrap();
        let profile = Profile::named(name).unwrap();
        let scenes = gauntlet::scenes(&profile);
        let before: Vec<String> = scenes.iter().map(|scene| scene.played(&profile)).collect();
        for path in leaves::of(&facts) {
            let (shape, told) = (leaves::shape(&path), leaves::told(&path));
            if leaves::is_prose(&path)
                || served::tells(&path)
                || leaves::goes_without_saying(&facts, &path)
                || NOT_YET.iter().any(|end| shape.ends_with(end))
            {
                continue;
            }
            let first = guess.get(&shape).copied().unwrap_or(0);
            let moved = leaves::changed(&facts, &path).into_iter().find_map(|other| {
                let order = (0..scenes.len()).map(|i| (i + first) % scenes.len());
                order.into_iter().find(|place| scenes[*place].played(&other) != before[*place])
            });
            match moved {
                Some(place) => _ = guess.insert(shape, place),
                None => dead.push(format!("{name}: {told}")),
            }
        }
    }
    assert!(dead.is_empty(), "{} facts change no dialogue:\n{}", dead.len(), dead.join("\n"));
}

/// What only real clients hear is played to one.
#[test]
fn every_word_of_every_profile_for_real_clients_is_said_to_one() {
    let mut dead = Vec::new();
    for name in Profile::names() {
        dead.extend(
            served::dead(&Profile::facts(name).unwrap()).into_iter().map(|path| format!("{name}: {path}")),
        );
    }
    assert!(dead.is_empty(), "{} facts change no dialogue:\n{}", dead.len(), dead.join("\n"));
}

/// The order of the limits is a fact too.
#[test]
fn limits_of_one_stage_are_checked_in_the_order_of_the_file() {
    for name in Profile::names() {
        let profile = Profile::named(name).unwrap();
        for place in 1..profile.limits.len() {
            let (a, b) = (&profile.limits[place - 1], &profile.limits[place]);
            let comparable = a.stage == b.stage && a.whom == b.whom && a.refusal != b.refusal;
            if !comparable || NOT_YET.contains(&a.knob.as_str()) || NOT_YET.contains(&b.knob.as_str()) {
                continue;
            }
            let mut other = profile.clone();
            other.limits.swap(place - 1, place);
            let both = gauntlet::both(&profile, &a.knob, &b.knob);
            let differs = both.iter().any(|scene: &Scene| scene.played(&profile) != scene.played(&other));
            assert!(differs, "{name}: {} and {} may be checked in any order", a.knob, b.knob);
        }
    }
}

/// Every field of the form of a profile stands in some file: none is there for nobody.
#[test]
fn every_field_of_the_form_is_used_by_some_profile() {
    let mut used = BTreeSet::new();
    for name in Profile::names() {
        for path in leaves::of(&Profile::facts(name).unwrap()) {
            used.extend(path);
        }
    }
    let folder = project().join("src/server/profile");
    let mut unused = Vec::new();
    for file in fs::read_dir(folder).unwrap() {
        let text = fs::read_to_string(file.unwrap().path()).unwrap();
        let fields = text.lines().filter_map(|line| line.trim().strip_prefix("pub ")).filter_map(|field| {
            let (name, _) = field.split_once(": ")?;
            name.chars().all(|c| c.is_ascii_lowercase() || c == '_').then(|| name.to_owned())
        });
        unused.extend(fields.filter(|field| {
            !used.contains(field) && field != NAMELESS && !NOT_YET.contains(&field.as_str())
        }));
    }
    assert!(unused.is_empty(), "no profile says {unused:?}");
}

/// Where a fact is known from is said by one of four words.
#[test]
fn every_table_of_facts_says_where_it_is_known_from() {
    const WORDS: [&str; 4] = ["measured", "source", "documentation", "ours"];
    for name in Profile::names() {
        let facts = Profile::facts(name).unwrap();
        for path in leaves::of(&facts) {
            let Some(from) = leaves::get(&facts, &path).as_str().filter(|_| path.last().unwrap() == "from")
            else {
                continue;
            };
            assert!(WORDS.iter().any(|word| from.starts_with(word)), "{name}: {path:?}: {from:?}");
        }
    }
}

/// The page of a profile tells every fact of its file.
#[test]
fn the_page_of_a_profile_leaves_no_fact_out() {
    for name in Profile::names() {
        let page = stdout(&ftp421(project(), &["profiles", name]));
        let flat: String = page.split_whitespace().collect::<Vec<_>>().join(" ");
        let facts = Profile::facts(name).unwrap();
        for path in leaves::of(&facts) {
            for part in leaves::parts(leaves::get(&facts, &path)) {
                let told = match path.last().map(String::as_str) {
                    Some("times_idle" | "default" | "counts" | "per" | "stage" | "forks" | "code") => true,
                    Some("close") if part == "none" => flat.contains("stays open"),
                    _ => flat.contains(&part.split_whitespace().collect::<Vec<_>>().join(" ")),
                };
                assert!(told, "{name}: {path:?} = {part:?} is not on the page:\n{page}");
            }
        }
    }
}
