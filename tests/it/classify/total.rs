//! Whatever is seen, it is judged: without a panic, always alike, and fast.

use std::fmt::Write as _;
use std::sync::LazyLock;

use ftp421::classify::{Classifier, Data, Evidence, Ledger, Verdict};
use ftp421::ftp::Verb;
use ftp421::observe::{Cause, CloseHow, Phase, Refusal};
use ftp421::server::Profile;
use ftp421::time::Duration;
use proptest::prelude::*;

fn phase() -> impl Strategy<Value = Phase> {
    prop::sample::select(Phase::ALL)
}

fn time() -> impl Strategy<Value = Duration> {
    prop_oneof![Just(Duration::ZERO), Just(Duration::FOREVER), any::<u64>().prop_map(Duration::from_nanos)]
}

fn data() -> impl Strategy<Value = Data> {
    prop_oneof![
        Just(Data::None),
        time().prop_map(|since| Data::Awaited { since }),
        time().prop_map(|still| Data::Open { still })
    ]
}

/// Anything, and what servers say with anything in it.
fn text() -> impl Strategy<Value = String> {
    let known: Vec<String> = Profile::names()
        .filter_map(Profile::named)
        .flat_map(|profile| profile.limits.into_iter().map(|limit| limit.refusal.text))
        .collect();
    prop_oneof![
        any::<String>(),
        prop::collection::vec(any::<char>(), 0..2_000).prop_map(|chars| chars.into_iter().collect()),
        (prop::sample::select(known), any::<String>())
            .prop_map(|(text, more)| text.replace("{n}", "7").replace("{msg}", &more) + &more),
    ]
}

static CLASSIFIERS: LazyLock<Vec<Classifier>> =
    LazyLock::new(|| [None, Some("proftpd"), Some("no such server")].map(Classifier::new).into());

prop_compose! {
    fn counts()(counts in prop::array::uniform11(prop_oneof![0u32..20, any::<u32>()])) -> [u32; 11] { counts }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_evidence_has_one_verdict(
        text in text(),
        code in prop_oneof![Just(0u16), 200u16..600, any::<u16>()],
        phase in phase(),
        answers in prop::option::of(prop::sample::select(&[Verb::User, Verb::Pass, Verb::Pasv, Verb::Retr, Verb::Quit, Verb::Noop][..])),
        close in prop::option::of(prop::sample::select(CloseHow::ALL)),
        times in prop::array::uniform5(time()),
        data in data(),
        (mistyped, tries, nobody_in) in (any::<bool>(), any::<u8>(), any::<bool>()),
        counts in counts(),
    ) {
        let [connected, logged_in, quiet, idle, no_transfer] = times;
        let [open, open_here, open_there, open_user, recent_here, mistyped_here, cut_beside, admitted_beside,
            refused_beside, admitted_others, refused_others] = counts;
        let evidence = Evidence {
            code, text: &text, phase, answers, close, connected, logged_in, quiet, idle, no_transfer, data, mistyped,
            tries, open, open_here, open_there, open_user, recent_here, mistyped_here, cut_beside, admitted_beside,
            refused_beside, admitted_others, refused_others, nobody_in,
        };
        for classifier in CLASSIFIERS.iter() {
            let verdict = classifier.judge(&evidence);
            prop_assert_eq!(verdict, classifier.judge(&evidence));
            prop_assert_eq!(verdict, classifier.clone().judge(&evidence));
            if let Some(verdict) = verdict {
                let mut ledger = Ledger::default();
                let refusal = Refusal { cause: verdict.cause, phase, code };
                ledger.note(refusal, Some(verdict), &text);
                let kept = ledger.finish();
                prop_assert!(kept.kinds.len() == 1 && kept.kinds[0].text.len() <= 512);
                prop_assert!(!kept.kinds[0].text.chars().any(char::is_control));
            }
        }
    }
}

/// Whoever turns everybody away shows no limit; words still count.
#[test]
fn where_nobody_was_ever_let_in_no_limit_and_no_ban_is_guessed() {
    let classifier = Classifier::new(None);
    for phase in [Phase::Accept, Phase::Greeting, Phase::PreLogin, Phase::User] {
        for (code, close) in [(0, Some(CloseHow::Fin)), (0, Some(CloseHow::Rst)), (421, None), (530, None)] {
            let alone = Evidence {
                code,
                close,
                phase,
                open: 5,
                recent_here: 9,
                nobody_in: true,
                ..Evidence::default()
            };
            let Some(Verdict { cause, .. }) = classifier.judge(&alone) else { continue };
            let guessed = [Cause::SilentClose, Cause::Reset, Cause::CriticalError];
            assert!(guessed.contains(&cause), "{cause} at {phase} behind {code}");
        }
    }
    let told = Evidence {
        code: 421,
        text: "We have too many users",
        phase: Phase::Greeting,
        nobody_in: true,
        ..Evidence::default()
    };
    assert_eq!(classifier.judge(&told).map(|verdict| verdict.cause), Some(Cause::MaxClients));
}

/// A server without TLS turns down a command, and nobody.
#[test]
fn a_no_to_auth_is_no_limit() {
    for profile in [None, Some("pure-ftpd"), Some("vsftpd")] {
        for (code, text) in [
            (500, "Unknown command"),
            (530, "Please login with USER and PASS."),
            (502, "No"),
            (534, "TLS required?"),
        ] {
            let e = Evidence {
                code,
                text,
                phase: Phase::PreLogin,
                answers: Some(Verb::Auth),
                open: 4,
                ..Evidence::default()
            };
            assert_eq!(Classifier::new(profile).judge(&e), None, "{code} {text}");
        }
    }
}

#[test]
fn a_hostile_text_costs_no_more_than_its_first_half_kilobyte() {
    let mut long = String::new();
    for _ in 0..200_000 {
        let _ = write!(long, "Sorry, the maximum number of ");
    }
    let evidence = Evidence { code: 530, text: &long, phase: Phase::Pass, ..Evidence::default() };
    let short = Evidence { text: &long[..512], ..evidence };
    let classifier = Classifier::new(Some("wu-ftpd"));
    assert_eq!(classifier.judge(&evidence), classifier.judge(&short));
    assert!(classifier.judge(&evidence).is_some_and(|verdict| verdict.cause == Cause::MaxClients));
}
