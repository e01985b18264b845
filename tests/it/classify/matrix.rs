//! The confusion matrix: what refusals are, and what they are taken for.
//!
//! It is a snapshot that a person can read: a change of the classifier shows as a change of this table.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use ftp421::classify::{Classifier, Confidence};
use ftp421::observe::Cause;
use ftp421::server::Profile;

use super::eyes::{Case, Eyes};
use super::scenes::{self, Scene};
use super::words;

/// How many refusals of one kind a scene counts with at most: a storm is not worth more than a timer.
const OF_A_KIND: u32 = 3;

struct Seen {
    profile: &'static str,
    scene: String,
    case: Case,
}

fn seen() -> Vec<Seen> {
    let mut all = Vec::new();
    for Scene { profile, name, scenario } in &scenes::all() {
        let mut kinds: BTreeMap<String, u32> = BTreeMap::new();
        for case in Eyes::watch(scenario) {
            let e = &case.evidence;
            let kind = kinds
                .entry(format!("{:?} {} {:?} {:?}", case.truth, e.code, e.phase, e.close.is_some()))
                .or_default();
            *kind += 1;
            if *kind <= OF_A_KIND {
                all.push(Seen { profile, scene: name.clone(), case });
            }
        }
    }
    all
}

type Table = BTreeMap<(usize, usize), u32>;

const NOTHING: usize = Cause::COUNT;

fn place(cause: Option<Cause>) -> usize {
    cause.map_or(NOTHING, Cause::index)
}

fn name(place: usize) -> &'static str {
    Cause::ALL.get(place).map_or("nothing", |cause| cause.name())
}

#[derive(Default)]
struct Score {
    table: Table,
    right: u32,
    all: u32,
    by_confidence: BTreeMap<Confidence, (u32, u32)>,
    wrong: BTreeMap<String, u32>,
}

impl Score {
    fn count(&mut self, seen: &Seen, text: &str, classifier: &Classifier) {
        let evidence = seen.case.with(text);
        let verdict = classifier.judge(&evidence);
        let judged = verdict.map(|verdict| verdict.cause);
        if seen.case.truth.is_none() && judged.is_none() && evidence.code < 400 {
            return; // a welcome is no achievement
        }
        *self.table.entry((place(seen.case.truth), place(judged))).or_default() += 1;
        let right = judged == seen.case.truth;
        self.right += u32::from(right);
        self.all += 1;
        if let Some(verdict) = verdict {
            let (rights, all) = self.by_confidence.entry(verdict.confidence).or_default();
            *rights += u32::from(right);
            *all += 1;
        }
        if !right {
            let what = format!(
                "{:13} {:38} {:20} as {:20} {} {:?} {:?} {:?}",
                seen.profile,
                seen.scene,
                name(place(seen.case.truth)),
                name(place(judged)),
                evidence.code,
                evidence.phase,
                verdict.map(|v| (v.confidence, v.basis)),
                text.lines().last().unwrap_or_default(),
            );
            *self.wrong.entry(what).or_default() += 1;
        }
    }

    fn percent(&self) -> f64 {
        100.0 * f64::from(self.right) / f64::from(self.all.max(1))
    }

    fn tell(&self, title: &str) -> String {
        let mut told = String::new();
        let _ = writeln!(told, "{title}: {} of {} right ({:.1} %)", self.right, self.all, self.percent());
        for (confidence, (right, all)) in &self.by_confidence {
            let _ = writeln!(told, "    {confidence:?}: {right} of {all}");
        }
        for truth in 0..=NOTHING {
            let row: Vec<_> = self.table.iter().filter(|((t, _), _)| *t == truth).collect();
            if row.is_empty() {
                continue;
            }
            let right = self.table.get(&(truth, truth)).copied().unwrap_or(0);
            let _ = write!(told, "  {:20} {right:4}", name(truth));
            for ((_, judged), count) in row {
                if *judged != truth {
                    let _ = write!(told, "  {} {count}", name(*judged));
                }
            }
            told.push('\n');
        }
        told
    }
}

fn pick<'a>(texts: &[&'a str], number: usize) -> &'a str {
    texts[number % texts.len()]
}

#[test]
fn refusals_are_told_apart() {
    let seen = seen();
    let named: BTreeMap<&str, Classifier> =
        Profile::names().map(|name| (name, Classifier::new(Some(name)))).collect();
    let profiles: Vec<&str> = Profile::names().collect();
    let unnamed = Classifier::new(None);
    let mut scores: [(&str, Score); 7] = [
        ("own texts, the profile named", Score::default()),
        ("own texts, no profile named", Score::default()),
        ("own texts, a wrong profile named", Score::default()),
        ("an administrator's texts, the profile named", Score::default()),
        ("an administrator's texts, no profile named", Score::default()),
        ("in German, no profile named", Score::default()),
        ("no texts, no profile named", Score::default()),
    ];
    for (number, one) in seen.iter().enumerate() {
        let own = &named[one.profile];
        let at = profiles.iter().position(|profile| *profile == one.profile).expect("it is built in");
        let wrong = &named[profiles[(at + 5) % profiles.len()]];
        let original = one.case.text.as_str();
        let silent = one.case.evidence.code == 0;
        // A welcome stays as it is: only what is negative is told in other words.
        let other = |text: &'static str| match () {
            () if silent => "",
            () if one.case.truth.is_none() && one.case.evidence.code < 400 => original,
            () => text,
        };
        let altered = other(pick(words::altered(one.case.truth), number));
        let german = other(pick(words::german(one.case.truth), number));
        let none = other("");
        let looks = [
            (original, own),
            (original, &unnamed),
            (original, wrong),
            (altered, own),
            (altered, &unnamed),
            (german, &unnamed),
            (none, &unnamed),
        ];
        for ((_, score), (text, classifier)) in scores.iter_mut().zip(looks) {
            score.count(one, text, classifier);
        }
    }
    let mut told = String::new();
    for (title, score) in &scores {
        told.push_str(&score.tell(title));
    }
    write_if_asked(&told, &scores);
    for ((title, score), floor) in scores.iter().zip(FLOORS) {
        assert!(score.percent() >= floor, "{title}: {:.1} % is less than {floor} %", score.percent());
    }
    let (right, all) = scores[0].1.by_confidence[&Confidence::Certain];
    assert_eq!(right, all, "what is certain is right");
    assert_eq!(
        told,
        include_str!("confusion.txt"),
        "FTP421_CONFUSION=FILE writes the new table and what is wrong in it"
    );
}

/// The least that each way of looking must get right, percent.
const FLOORS: [f64; 7] = [96.0, 92.0, 93.0, 81.0, 76.0, 81.0, 71.0];

/// With `FTP421_CONFUSION` set to a file, the table goes there, and every wrong verdict to the file of that name with `.wrong`.
fn write_if_asked(told: &str, scores: &[(&str, Score)]) {
    let Ok(to) = std::env::var("FTP421_CONFUSION") else { return };
    let mut wrong = String::new();
    for (title, score) in scores {
        let _ = writeln!(wrong, "\n== {title}");
        for (what, count) in &score.wrong {
            let _ = writeln!(wrong, "{count:4} {what}");
        }
    }
    std::fs::write(&to, told).expect("the file can be written");
    std::fs::write(format!("{to}.wrong"), wrong).expect("the file can be written");
}
