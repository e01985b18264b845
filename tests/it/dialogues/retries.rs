//! Retries: who comes back, when, and how often.

use ftp421::client::retry::Draw;
use ftp421::client::{Backoff, Growth, Jitter, RetryPolicy, Rule};
use ftp421::dist::Dist;
use ftp421::observe::{Cause, Phase, Refusal};
use ftp421::rng::{Purpose, Streams};
use ftp421::time::Duration;

use super::{client, fault, hour, only, server, told};

/// When alice connects to a server that never has room, with this retry policy.
fn connects(retry: &str) -> Vec<String> {
    let scenario = hour(&[
        server("rfc959", "max_clients = 1"),
        client("bob", "0s", "script = [\"login\", { loop = 60, steps = [{ think = \"1m\" }, \"noop\"] }]"),
        client("alice", "10s", &format!("retry = {retry}")),
    ]);
    let connects = only(&told(&scenario, "alice"), &["connects"]);
    connects.iter().map(|line| line.split(' ').next().unwrap().to_owned()).collect()
}

#[test]
fn without_a_retry_policy_nobody_comes_back() {
    assert_eq!(connects("\"none\""), ["10"]);
}

#[test]
fn waits_are_fixed_or_grow() {
    assert_eq!(connects("{ backoff = \"fixed\", wait = \"5s\", attempts = 4 }"), ["10", "15", "20", "25"]);
    assert_eq!(connects("{ backoff = \"linear\", wait = \"5s\", attempts = 4 }"), ["10", "15", "25", "40"]);
    assert_eq!(
        connects("{ backoff = \"exponential\", wait = \"5s\", attempts = 5 }"),
        ["10", "15", "25", "45", "85"]
    );
}

/// curl --retry: 1, 2, 4 s. lftp: 15 s and half as much again each time.
#[test]
fn the_waits_that_were_measured_can_be_written_down() {
    assert_eq!(
        connects("{ backoff = \"exponential\", wait = \"1s\", attempts = 4 }"),
        ["10", "11", "13", "17"]
    );
    assert_eq!(
        connects("{ backoff = \"exponential\", wait = \"15s\", factor = 1.5, cap = \"300s\", attempts = 4 }"),
        ["10", "25", "47.5", "81.25"]
    );
    assert_eq!(
        connects(
            "{ backoff = \"exponential\", wait = \"15s\", factor = 1.5, cap = \"300s\", attempts = 5, whole_seconds = true }"
        ),
        ["10", "25", "47", "80", "130"],
        "lftp: 15, 22, 33, 50"
    );
    assert_eq!(
        connects("{ backoff = \"linear\", wait = \"1s\", cap = \"10s\", attempts = 14 }")[9..],
        ["55", "65", "75", "85", "95"],
        "wget: 1, 2, .. 10, 10"
    );
}

#[test]
fn no_wait_is_longer_than_its_cap() {
    assert_eq!(
        connects("{ backoff = \"exponential\", wait = \"5s\", cap = \"12s\", attempts = 5 }"),
        ["10", "15", "25", "37", "49"]
    );
    assert_eq!(
        connects("{ backoff = \"fixed\", wait = \"50s\", cap = \"12s\", attempts = 2 }"),
        ["10", "22"]
    );
}

#[test]
fn persistence_is_the_chance_to_come_back() {
    assert_eq!(connects("{ backoff = \"fixed\", wait = \"5s\", persistence = 0.0 }"), ["10"]);
}

#[test]
fn rules_are_for_causes_and_phases() {
    let comes_back = "backoff = \"fixed\", wait = \"5s\", attempts = 2";
    assert_eq!(connects(&format!("{{ {comes_back}, on = [\"max_clients\"] }}")).len(), 2);
    assert_eq!(connects(&format!("{{ {comes_back}, on = [\"max_per_ip\", \"banned\"] }}")).len(), 1);
    assert_eq!(connects(&format!("{{ {comes_back}, phases = [\"greeting\"] }}")).len(), 2);
    assert_eq!(connects(&format!("{{ {comes_back}, phases = [\"accept\", \"pass\"] }}")).len(), 1);
    assert_eq!(
        connects(&format!("{{ {comes_back}, rules = [{{ on = [\"max_clients\"], backoff = \"none\" }}] }}"))
            .len(),
        1,
        "the special rule is tried first"
    );
}

/// A rule by what a client can see: the code's class, the phase, the text.
#[test]
fn rules_are_for_signs_and_texts() {
    let comes_back = "backoff = \"fixed\", wait = \"5s\", attempts = 2";
    for (rule, attempts) in [
        ("signs = [\"421\"]", 2),
        ("signs = [\"4yz\", \"530\", \"silent\", \"refused\"]", 1),
        ("text = \"TOO MANY|closing\"", 2),
        ("text = \"no such words\"", 1),
        ("signs = [\"421\"], phases = [\"pass\"]", 1),
        ("signs = [\"421\"], on = [\"banned\"]", 1),
    ] {
        assert_eq!(connects(&format!("{{ {comes_back}, {rule} }}")).len(), attempts, "{rule}");
    }
}

/// ProFTPD tells its limits as 530 behind PASS: a rule for 530 is a rule for wrong passwords too.
#[test]
fn a_limit_that_is_told_as_530_looks_like_a_wrong_password() {
    let alice = |keys: &str| {
        let scenario = hour(&[
            server("proftpd", "max_clients = 1"),
            client("bob", "0s", "script = [\"login\", { think = \"50m\" }]"),
            client("alice", "10s", keys),
        ]);
        only(&told(&scenario, "alice"), &["connects"]).len()
    };
    assert_eq!(
        alice("retry = { backoff = \"fixed\", wait = \"5s\", attempts = 4 }"),
        4,
        "by cause it is a limit"
    );
    for name in ["curl", "curl-retry", "wget", "ncftp", "filezilla", "cyberduck"] {
        assert_eq!(alice(&format!("client = \"{name}\"")), 1, "{name}");
    }
    assert!(alice("client = \"lftp\"") > 5, "it reads that the maximum number is reached");
}

/// Keys beside `client` say what differs from it.
#[test]
fn what_stands_beside_the_profile_overrides_it() {
    let alice = |keys: &str| {
        let scenario = hour(&[
            server("rfc959", "max_clients = 1"),
            client(
                "bob",
                "0s",
                "script = [\"login\", { loop = 60, steps = [{ think = \"1m\" }, \"noop\"] }]",
            ),
            client("alice", "10s", &format!("client = \"curl-retry\"\n{keys}")),
        ]);
        only(&told(&scenario, "alice"), &["connects"]).len()
    };
    assert_eq!(alice(""), 4);
    assert_eq!(alice("retry = \"none\""), 1);
    assert_eq!(alice("retry = { backoff = \"fixed\", wait = \"9s\", attempts = 7 }"), 7);
}

#[test]
fn waiting_does_not_cure_a_wrong_password_unless_the_scenario_says_so() {
    let tries = |on: &str| {
        let retry = format!("retry = {{ backoff = \"fixed\", wait = \"5s\", attempts = 3{on} }}");
        let scenario =
            hour(&[server("vsftpd", ""), client("alice", "0s", &format!("wrong_password = 1.0\n{retry}"))]);
        only(&told(&scenario, "alice"), &["PASS"]).len()
    };
    assert_eq!((tries(""), tries(", on = [\"login_attempts\"]")), (1, 3));
}

/// Two pages are read before the cut, so that two are left afterwards.
#[test]
fn a_reconnect_goes_on_where_the_script_was() {
    let scenario = hour(&[
        server("vsftpd", ""),
        client(
            "alice",
            "0s",
            "script = [\"login\", { cwd = \"/a\" }, { think = \"10s\" }, { cwd = \"/b\" }, { think = \"10s\" }, { cwd = \"/c\" }]\n\
             reconnect = true\nretry = { backoff = \"fixed\", wait = \"1s\" }",
        ),
        fault("15s", "kind = \"shutdown\"\nform = \"cut\"\ndown = \"2500ms\""),
    ]);
    let alice = told(&scenario, "alice");
    assert_eq!(
        only(&alice, &["CWD", "connect", "closes", "PASS", "QUIT"]),
        [
            "0 -- connects",
            "0 C: PASS ********",
            "0 C: CWD /a",
            "10 C: CWD /b",
            "15 -- server closes (fin)",
            "15 -- client closes",
            "16 -- connects",
            "16 -- connection_refused",
            "17 -- connects",
            "17 -- connection_refused",
            "18 -- connects",
            "18 C: PASS ********",
            "28 C: CWD /c",
            "28 C: QUIT",
            "28 -- client closes",
        ]
    );
}

#[test]
fn without_reconnect_a_cut_is_the_end() {
    let scenario = hour(&[
        server("vsftpd", ""),
        client(
            "alice",
            "0s",
            "script = [\"login\", { think = \"60s\" }]\nretry = { backoff = \"fixed\", wait = \"1s\" }",
        ),
        fault("15s", "kind = \"shutdown\"\nform = \"cut\"\ndown = \"1s\""),
    ]);
    assert_eq!(told(&scenario, "alice").last().unwrap(), "15 -- client closes");
}

/// The waits of a thousand clients after attempts 1 to 4, in seconds.
fn waits(growth: Growth, jitter: Jitter) -> Vec<[f64; 4]> {
    let backoff = Backoff {
        growth,
        base: Dist::Constant(10_000_000_000),
        cap: Duration::from_secs(60),
        whole_seconds: false,
        jitter,
        attempts: 0,
        persistence: 1.0,
    };
    let policy = RetryPolicy { rules: vec![Rule::new(Some(backoff))] };
    let refusal = Refusal { cause: Cause::MaxClients, phase: Phase::Greeting, code: 421 };
    let streams = Streams::new(7, 0);
    (0..1_000)
        .map(|entity| {
            let mut previous = Duration::ZERO;
            [1, 2, 3, 4].map(|attempt| {
                let draw = Draw {
                    backoff: streams.stream(Purpose::Backoff, 0),
                    persistence: streams.stream(Purpose::Persistence, 0),
                    entity,
                    counter: u64::from(attempt),
                };
                previous = policy.wait(refusal, 0, attempt, previous, draw).expect("it comes back");
                previous.as_secs_f64()
            })
        })
        .collect()
}

/// Are these waits within the bounds, and spread over them?
fn assert_spread(name: &str, waits: &[[f64; 4]], bounds: [(f64, f64); 4]) {
    for (i, (low, high)) in bounds.into_iter().enumerate() {
        let (mut least, mut most) = (f64::MAX, 0.0_f64);
        for client in waits {
            (least, most) = (least.min(client[i]), most.max(client[i]));
        }
        assert!(least >= low && most <= high, "{name} {}: {least} to {most}, not in {low} to {high}", i + 1);
        let slack = (high - low) / 50.0;
        assert!(least <= low + slack && most >= high - slack, "{name} {}: only {least} to {most}", i + 1);
    }
}

/// In the terms of Brooker (2015), with a first wait of 10 s and a cap of 60 s.
#[test]
fn jitter_spreads_a_wait_as_its_name_says() {
    let double = Growth::Exponential(2.0);
    assert_spread(
        "none",
        &waits(double, Jitter::None),
        [(10.0, 10.0), (20.0, 20.0), (40.0, 40.0), (60.0, 60.0)],
    );
    assert_spread("full", &waits(double, Jitter::Full), [(0.0, 10.0), (0.0, 20.0), (0.0, 40.0), (0.0, 60.0)]);
    assert_spread(
        "equal",
        &waits(double, Jitter::Equal),
        [(5.0, 10.0), (10.0, 20.0), (20.0, 40.0), (30.0, 60.0)],
    );
}

/// sleep = min(cap, uniform(base, 3 * the last sleep)), and the last sleep is the base at first.
#[test]
fn decorrelated_jitter_spreads_the_first_retry_too() {
    let waits = waits(Growth::Fixed, Jitter::Decorrelated);
    assert_spread("decorrelated", &waits[..], [(10.0, 30.0), (10.0, 60.0), (10.0, 60.0), (10.0, 60.0)]);
    assert!(waits.iter().all(|w| w[1] <= 3.0 * w[0] && w[2] <= 3.0 * w[1]));
}
