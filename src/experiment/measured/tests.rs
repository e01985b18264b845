use super::*;
use crate::classify::Verdict;
use crate::observe::{Cause, Class, Phase, Refusal};
use crate::time::Duration;

const US: PopulationId = PopulationId(0);

fn scenario() -> Scenario {
    let text = "schema = 1\nname = \"x\"\nduration = \"60s\"\n[server]\n[[clients]]\nname = \"a\"\n\
                arrivals = { executor = \"burst\", at = \"0s\", count = 3 }\nscript = [\"login\"]\n";
    Scenario::read("x", text, &mut |_: &str| Err(String::new())).unwrap_or_else(|problem| panic!("{problem}"))
}

fn ms(ms: u64) -> Instant {
    Instant::ZERO + Duration::from_millis(ms)
}

fn mark(at: u64, observation: Observation) -> Heard {
    Heard::Mark { at: ms(at), observation, late: Duration::ZERO }
}

fn admitted(started: u64) -> Observation {
    Observation::AttemptEnded {
        population: US,
        first: true,
        reconnect: false,
        started: ms(started),
        class: Class::Admitted,
        refusal: None,
    }
}

const BEGAN: Observation = Observation::AttemptStarted { population: US, first: true, reconnect: false };

/// One who is served and leaves, one who is still there, one who waits.
fn heard() -> Vec<Heard> {
    vec![
        mark(10, Observation::Wanted(US)),
        mark(10, BEGAN),
        mark(11, Observation::ConnectionOpened),
        mark(12, Observation::SessionOpened),
        mark(12, admitted(10)),
        mark(12, Observation::Served { population: US, wanted_at: ms(10) }),
        mark(20, Observation::Wanted(US)),
        mark(20, BEGAN),
        mark(21, Observation::ConnectionOpened),
        mark(30, Observation::SessionClosed { opened: ms(12) }),
        mark(30, Observation::ConnectionClosed { opened: ms(11) }),
    ]
}

fn end(at: u64) -> Heard {
    let (open_connections, open_sessions, still_wanting) = (vec![], vec![], vec![]);
    Heard::End { at: ms(at), open_connections, open_sessions, still_wanting }
}

fn listened(all: impl IntoIterator<Item = Heard>) -> Measuring {
    let mut measuring = Measuring::new(&scenario(), Refusals::default());
    all.into_iter().for_each(|heard| measuring.hear(heard));
    measuring
}

#[test]
fn who_is_still_there_is_known_from_what_was_heard() {
    let measured = listened(heard().into_iter().chain([end(100)])).finish();
    let counts = measured.recorder.counts();
    assert_eq!((counts.wanted, counts.admitted, counts.open_at_end, counts.waiting_at_end), (2, 1, 1, 1));
    let connections = measured.recorder.connections();
    assert_eq!(connections.integral_ns(), 19_000_000 + 79_000_000);
    assert_eq!(connections.overlap_ns(), connections.integral_ns());
}

/// Marks of two threads that overtake each other: the books balance all the same.
#[test]
fn marks_out_of_order_do_not_unbalance_the_books() {
    let mut all = heard();
    all.swap(1, 5);
    all.swap(2, 8);
    all.insert(0, mark(40, Observation::ConnectionOpened));
    all.push(mark(41, Observation::ConnectionClosed { opened: ms(3) }));
    all.push(mark(42, admitted(7)));
    all.push(mark(42, admitted(7)));
    all.push(mark(42, admitted(7)));
    all.push(end(100));
    let measured = listened(all).finish();
    let connections = measured.recorder.connections();
    assert_eq!(connections.overlap_ns(), connections.integral_ns());
    assert_eq!(measured.recorder.counts().admitted, 2, "no attempt ends twice");
}

#[test]
fn what_comes_after_the_end_is_no_part_of_the_run() {
    let late = [end(50), mark(51, Observation::ConnectionClosed { opened: ms(21) }), end(90)];
    let measured = listened(heard().into_iter().chain(late)).finish();
    assert_eq!((measured.recorder.end(), measured.recorder.connections().value()), (ms(50), 1));
    assert_eq!(
        listened(heard()).finish().recorder.end(),
        ms(30),
        "a run that broke down ends with its last mark"
    );
}

fn refusal(text: &str, told: Option<Confidence>) -> Heard {
    let cause = Cause::MaxClients;
    Heard::Refusal {
        at: ms(1),
        refusal: Refusal { cause, phase: Phase::Greeting, code: 421 },
        verdict: told.map(|confidence| Verdict { cause, confidence, basis: Basis::Text }),
        text: text.to_owned(),
    }
}

#[test]
fn texts_are_kept_as_they_came_and_counted() {
    let told =
        [refusal("full\n\u{1b}[2J", Some(Confidence::Certain)), refusal("full", Some(Confidence::Likely))];
    let all = told.into_iter().chain([refusal("full", Some(Confidence::Likely)), refusal("", None)]);
    let refusals = listened(all).finish().refusals;
    let texts = refusals.texts();
    assert_eq!((texts[0].text.as_str(), texts[0].count, texts[0].confidence.as_str()), ("full", 2, "likely"));
    assert!(texts.iter().any(|one| one.text == "full\\n\\u{1b}[2J"), "{texts:?}");
    let apart = refusals.told_apart();
    assert_eq!((apart[0].count, apart.len(), apart.iter().map(|one| one.count).sum::<u64>()), (2, 3, 4));
    assert!(apart.iter().any(|one| one.confidence == "known" && one.basis == "client"));
}
