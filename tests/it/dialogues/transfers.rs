//! Transfers: how a bandwidth is shared, and what becomes of the others when one stops.

use ftp421::chaos::{Effect, Fault, Weather};
use ftp421::id::{PopulationId, ServerId};
use ftp421::scenario::Scenario;
use ftp421::time::{Duration, Instant};

use super::{client, fault, hour, only, server, told};
use crate::support;

const SHARED: &str = "bandwidth = \"10MiB/s\"";

/// When each of `populations` gets its 226s.
fn ends(scenario: &Scenario, populations: &[&str]) -> Vec<Vec<String>> {
    populations
        .iter()
        .map(|name| {
            let lines = only(&told(scenario, name), &["S: 226"]);
            lines.iter().filter_map(|line| line.split(' ').next().map(str::to_owned)).collect()
        })
        .collect()
}

/// Something happens to the first server or its ways at `secs`, for which a scenario has no words here.
fn happens(scenario: &mut Scenario, secs: u64, effect: Effect) {
    scenario.faults.push(Fault {
        at: Instant::ZERO + Duration::from_secs(secs),
        label: "an effect".to_owned(),
        effects: vec![(Duration::ZERO, effect)],
        lasts: Duration::ZERO,
    });
}

#[test]
fn two_transfers_share_the_bandwidth_and_the_second_has_it_all_when_the_first_is_through() {
    let scenario = hour(&[
        server("rfc959", SHARED),
        client("short", "0s", "script = [\"login\", { retr = \"50MiB\" }]"),
        client("long", "0s", "script = [\"login\", { retr = \"100MiB\" }]"),
    ]);
    assert_eq!(ends(&scenario, &["short", "long"]), [["10"], ["15"]]);
}

#[test]
fn what_a_slow_client_cannot_use_the_others_share() {
    let slow = "link = { rtt = \"0s\", bandwidth = \"1MiB/s\" }\nscript = [\"login\", { retr = \"20MiB\" }]";
    let scenario = hour(&[
        server("rfc959", SHARED),
        client("one", "0s", "script = [\"login\", { retr = \"45MiB\" }]"),
        client("two", "0s", "script = [\"login\", { retr = \"45MiB\" }]"),
        client("slow", "0s", slow),
    ]);
    assert_eq!(ends(&scenario, &["one", "two", "slow"]), [["10"], ["10"], ["20"]]);
}

#[test]
fn a_link_is_full_duplex_so_uploads_and_downloads_do_not_share() {
    let scenario = hour(&[
        server("rfc959", SHARED),
        client("down", "0s", "script = [\"login\", { retr = \"100MiB\" }]"),
        client("up", "0s", "script = [\"login\", { stor = \"50MiB\" }]"),
        client("too", "0s", "script = [\"login\", { stor = \"50MiB\" }]"),
    ]);
    assert_eq!(ends(&scenario, &["down", "up", "too"]), [["10"], ["10"], ["10"]]);
}

#[test]
fn without_a_bandwidth_each_client_has_its_own_alone() {
    let link = "link = { rtt = \"0s\", bandwidth = \"1MiB/s\" }\n";
    let scenario = hour(&[
        server("rfc959", ""),
        client(
            "one",
            "0s",
            &format!("{link}script = [\"login\", {{ retr = \"10MiB\" }}, {{ retr = \"5MiB\" }}]"),
        ),
        client("two", "0s", &format!("{link}script = [\"login\", {{ retr = \"20MiB\" }}]")),
    ]);
    assert_eq!(ends(&scenario, &["one", "two"]), [vec!["10", "15"], vec!["20"]]);
}

#[test]
fn a_cut_of_the_bandwidth_slows_down_what_is_under_way() {
    let mut scenario = hour(&[
        server("rfc959", SHARED),
        client("one", "0s", "script = [\"login\", { retr = \"100MiB\" }]"),
        client("other", "30s", "script = [\"login\", { retr = \"10MiB\" }]"),
    ]);
    happens(&mut scenario, 5, Effect::Bandwidth(ServerId(0), 1 << 20));
    happens(&mut scenario, 25, Effect::Bandwidth(ServerId(0), 0));
    assert_eq!(ends(&scenario, &["one", "other"]), [["25"], ["30"]]);
}

#[test]
fn a_bandwidth_that_a_fault_brings_meets_transfers_that_had_no_bound() {
    let mut scenario = hour(&[
        server("rfc959", ""),
        client(
            "one",
            "0s",
            "link = { rtt = \"0s\", bandwidth = \"10MiB/s\" }\nscript = [\"login\", { retr = \"100MiB\" }]",
        ),
    ]);
    happens(&mut scenario, 5, Effect::Bandwidth(ServerId(0), 5 << 20));
    assert_eq!(ends(&scenario, &["one"]), [["15"]]);
}

#[test]
fn in_a_partition_a_transfer_stands_still_and_the_others_have_its_share() {
    let mut scenario = hour(&[
        server("rfc959", SHARED),
        client("near", "0s", "script = [\"login\", { retr = \"100MiB\" }]"),
        client("far", "0s", "script = [\"login\", { retr = \"100MiB\" }]"),
    ]);
    let until = Instant::ZERO + Duration::from_secs(8);
    happens(&mut scenario, 4, Effect::Network(Some(PopulationId(1)), Weather::Partition { until }));
    // 20 MiB each by 4 s; near has 60 by 8 s, and 100 by 16 s, when far has 60.
    assert_eq!(ends(&scenario, &["near", "far"]), [["16"], ["20"]]);
}

#[test]
fn a_transfer_that_begins_in_a_partition_moves_when_it_is_over() {
    let scenario_at = |begin: &str| {
        let mut scenario = hour(&[
            server("rfc959", &format!("{SHARED}\nlogin_timeout = \"0s\""))
                .replace("command_time = \"0s\"", begin),
            client("one", "0s", "script = [\"login\", { retr = \"100MiB\" }]"),
        ]);
        let until = Instant::ZERO + Duration::from_secs(8);
        happens(&mut scenario, 4, Effect::Network(None, Weather::Partition { until }));
        ends(&scenario, &["one"])
    };
    // USER, PASV and RETR take a second each: 10 MiB are there by 4 s. With 1.5 s each, it would begin at 4.5 s.
    assert_eq!(scenario_at("command_time = \"1s\""), [["17"]]);
    assert_eq!(scenario_at("command_time = \"1500ms\""), [["18"]]);
}

#[test]
fn a_crash_takes_the_transfers_out_and_those_who_come_afterwards_have_the_bandwidth() {
    let scenario = hour(&[
        server("rfc959", SHARED),
        client("one", "0s", "script = [\"login\", { retr = \"100MiB\" }]"),
        client("after", "20s", "script = [\"login\", { retr = \"100MiB\" }]"),
        fault("5s", "kind = \"shutdown\"\nform = \"crash\"\ndown = \"5s\""),
    ]);
    assert_eq!(ends(&scenario, &["one", "after"]), [vec![], vec!["30"]]);
}

#[test]
fn the_idle_timer_is_suspended_in_a_transfer_and_starts_again_at_its_end() {
    let scenario = hour(&[
        server("rfc959", "bandwidth = \"1MiB/s\"\nidle_timeout = \"60s\""),
        client("one", "0s", "script = [\"login\", { retr = \"600MiB\" }, { idle = \"30m\" }]"),
    ]);
    let heard = only(&told(&scenario, "one"), &["S: 226", "server closes"]);
    let times: Vec<&str> = heard.iter().filter_map(|line| line.split(' ').next()).collect();
    // What the server says to one who is away is heard when he is back.
    assert_eq!(times, ["600", "2400"], "{heard:?}");
    let scenario = hour(&[
        server("rfc959", "bandwidth = \"1MiB/s\"\nidle_timeout = \"60s\""),
        client("one", "0s", "script = [\"login\", { retr = \"600MiB\" }, { think = \"30m\" }]"),
    ]);
    let heard = only(&told(&scenario, "one"), &["S: 226", "S: 421"]);
    let times: Vec<&str> = heard.iter().filter_map(|line| line.split(' ').next()).collect();
    assert_eq!(times, ["600", "660"], "{heard:?}");
}

/// Mathis' formula: 1460 bytes / 100 ms x sqrt(3/2) / sqrt(1 %) = 178.8 kB/s, whatever the link could do.
#[test]
fn a_lossy_way_bounds_a_transfer_and_leaves_the_rest_to_others() {
    let lossy = "link = { rtt = \"100ms\", loss = 0.01 }\nscript = [\"login\", { retr = \"17881200B\" }]";
    let scenario = hour(&[
        server("rfc959", "bandwidth = \"1178812B/s\""),
        client("lossy", "0s", lossy),
        client("near", "10s", "script = [\"login\", { retr = \"10MB\" }]"),
    ]);
    assert_eq!(ends(&scenario, &["near"]), [["20"]]);
    let end: f64 = ends(&scenario, &["lossy"])[0][0].parse().expect("seconds");
    assert!((100.0..103.0).contains(&end), "{end}");
}

/// A client whose data connection fails in three of four attempts comes back for its file until it has it: what goes wrong once does
/// not go wrong for ever.
#[test]
fn a_mishap_is_drawn_anew_for_each_attempt() {
    let counts = support::outcome(
        r#"
        schema = 1
        name = "mishaps"
        duration = "1h"
        [server]
        profile = "pyftpdlib"
        [[clients]]
        name = "behind-nat"
        arrivals = { executor = "burst", at = "0s", count = 50 }
        script = ["login", { retr = "1KiB" }]
        no_data = 0.75
        reconnect = true
        retry = { backoff = "fixed", wait = "1s" }
        "#,
    )
    .summary
    .counts;
    assert_eq!(counts.completed, 50);
    assert!((120..300).contains(&counts.attempts), "4 each: {}", counts.attempts);
}
