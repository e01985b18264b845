use super::*;
use crate::metrics::summary::{Concurrency, Estimate, Quantile, Quantiles, RefusalCount, Summary};
use proptest::prelude::*;

/// 200 attempts that ended, 8 of them turned away; 3 sessions cut; 10 % of the wanted sessions never served.
fn summary() -> Summary {
    let mut s = Summary::default();
    s.counts.attempts = 201;
    s.counts.open_at_end = 1;
    s.counts.turned_away = 8;
    s.counts.admitted = 150;
    s.counts.cut = 3;
    s.counts.retries = 40;
    s.estimates.refused_first = Estimate { mean: Some(0.04), low: Some(0.03), high: Some(0.05) };
    s.estimates.refused_attempt = Estimate { mean: Some(0.04), low: None, high: None };
    s.estimates.amplification = Estimate { mean: Some(1.3), low: Some(1.2), high: Some(1.4) };
    let refusal = |ended: &str, cause: &str, code, count| RefusalCount {
        ended: ended.to_owned(),
        cause: cause.to_owned(),
        phase: "greeting".to_owned(),
        code,
        count,
    };
    s.refusals = vec![
        refusal("turned_away", "max_clients", 421, 5),
        refusal("turned_away", "max_clients", 530, 2),
        refusal("turned_away", "max_per_ip", 421, 1),
        refusal("cut", "idle_timeout", 421, 3),
    ];
    s.concurrency.insert("connections".to_owned(), Concurrency { mean: 40.5, max: 90 });
    let quantiles = [(0.5, 0.2, false), (0.95, 1.5, true), (0.999, 1.5, true)]
        .map(|(q, s, above)| Quantile { q, s, above })
        .to_vec();
    let times =
        Quantiles { count: 9, censored: 1, mean_s: Some(0.3), min_s: Some(0.1), max_s: Some(1.5), quantiles };
    s.latency.insert("time_to_service".to_owned(), times);
    s
}

fn judged(text: &str) -> (Option<f64>, bool) {
    let threshold = Threshold::parse(text).unwrap_or_else(|e| panic!("{text}: {} at {}", e.why, e.at));
    assert_eq!(threshold.text(), text);
    let verdict = threshold.judge(&summary());
    (verdict.value, verdict.ok)
}

#[test]
fn what_is_allowed_is_judged() {
    for (text, value, ok) in [
        ("refused_first rate < 0.05", 0.04, true),
        ("refused_first rate<4%", 0.04, false),
        ("refused_attempt rate <= 4%", 0.04, true),
        ("refused rate < 0.05", 0.04, true),
        ("refused{cause=max_clients} rate < 0.01", 0.035, false),
        ("refused{cause=max_clients,phase=greeting,code=421} count < 10", 5.0, true),
        ("refused{ code = 421 } count != 6", 6.0, false),
        ("cut{cause=idle_timeout} count == 0", 3.0, false),
        ("cut rate <= 2%", 0.02, true),
        ("network count == 0", 0.0, true),
        ("login_failed{cause=login_attempts} count == 0", 0.0, true),
        ("retries count > 1e1", 40.0, true),
        ("amplification value < 2", 1.3, true),
        ("connections max < 90", 90.0, false),
        ("connections avg >= 40.5", 40.5, true),
        ("time_to_service med <= 200ms", 0.2, true),
        ("time_to_service p(50) < 1s", 0.2, true),
        ("time_to_service avg < 1s", 0.3, true),
        ("time_to_service max < 1s", 1.5, false),
        ("ci(refused_first rate) < 0.05", 0.05, false),
        ("ci(refused_first rate) <= 5%", 0.05, true),
        ("ci( amplification value ) >= 1.2", 1.2, true),
    ] {
        assert_eq!(judged(text), (Some(value), ok), "{text}");
    }
}

#[test]
fn what_cannot_be_shown_does_not_hold() {
    for text in [
        "ci(refused_attempt rate) < 1",
        "unserved rate < 1",
        "transfer p(99) < 1h",
        "time_to_service p(12.5) < 1h",
        "sessions max < 5",
    ] {
        assert_eq!(judged(text), (None, false), "{text}");
    }
}

#[test]
fn a_quantile_among_the_censored_is_only_known_to_be_greater() {
    for (text, ok) in [
        ("time_to_service p(95) < 2s", false),
        ("time_to_service p(99.9) <= 1h", false),
        ("time_to_service p(95) > 1.5s", true),
        ("time_to_service p(95) >= 1s", true),
        ("time_to_service p(95) > 2s", false),
        ("time_to_service p(95) == 1.5s", false),
    ] {
        assert_eq!(judged(text), (Some(1.5), ok), "{text}");
    }
    assert!(Threshold::parse("time_to_service p(95) < 2s").unwrap().judge(&summary()).above);
}

#[test]
fn what_is_wrong_is_told_with_its_place() {
    for (text, at, hint) in [
        ("", 0, "here stands the metric"),
        ("refused_frist rate < 1%", 0, "did you mean `refused_first`?"),
        ("refused{cause=max_client} rate < 1%", 14, "did you mean `max_clients`?"),
        ("refused{phase=greting} rate < 1%", 14, "did you mean `greeting`?"),
        ("refused{reason=x} rate < 1%", 8, "Allowed: cause, phase, code"),
        ("refused{code=42} rate < 1%", 13, "three digits"),
        ("refused{code=421,code=421} rate < 1%", 17, "twice"),
        ("refused{code=421 rate < 1%", 17, "expected `}`"),
        ("retries{code=421} count < 1", 7, "take tags"),
        ("refused rat < 1%", 8, "did you mean `rate`?"),
        ("network rate < 1%", 8, "Allowed: count"),
        ("refused_first rate ~ 1%", 19, "expected a comparison"),
        ("refused_first rate < ", 21, "expected a rate"),
        ("refused_first rate < 5", 21, "between 0 and 1"),
        ("refused_first rate < -1", 21, "expected a rate"),
        ("refused_first rate < inf", 21, "expected a rate"),
        ("retries count < 5%", 16, "expected a number"),
        ("login p(101) < 2s", 8, "from 0 to 100"),
        ("login p99 < 2s", 6, "Allowed: p(..)"),
        ("login p(99) < 2", 14, "with a unit"),
        ("ci(retries count) < 2", 3, "only an estimate"),
        ("ci(unserved rate < 2", 17, "expected `)`"),
        ("ci(unserved rate) == 0", 0, "not equal to a number"),
    ] {
        let problem = Threshold::parse(text).expect_err(text);
        assert!(problem.at == at && problem.why.contains(hint), "{text}: {problem:?}");
    }
}

#[test]
fn percentages_are_shifted_as_text() {
    assert_eq!(Threshold::parse("login p(99.9) < 1s").unwrap().quantile(), Some((Latency::Login, 0.999)));
    assert_eq!(Threshold::parse("cut rate < 4.1%").unwrap().bound.to_string(), "0.041");
}

proptest! {
    #[test]
    fn no_text_panics(text in "\\PC*") {
        let _ = Threshold::parse(&text);
    }

    /// Nearly right texts reach further into the parser.
    #[test]
    fn no_near_miss_panics(parts in prop::collection::vec(prop::sample::select(vec![
        "ci(", "refused", "login", "{", "cause=", "max_clients", "code=", ",", "}", " rate", " p(", "99.", ")", " <", "=", " 1", "%", "s", "é",
    ]), 0..12)) {
        if let Err(problem) = Threshold::parse(&parts.concat()) {
            prop_assert!(problem.at <= parts.concat().len());
        }
    }
}
