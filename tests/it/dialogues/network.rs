//! The way: SYNs that come again, messages that are lost or held up, and what the two ends make of it.

use super::{client, fault, hour, only, server, told};

/// Linux: 200 ms after a segment was lost, then doubled; a SYN after 1, 3, 7, 15, 31 and 63 s.
#[test]
fn a_partition_holds_messages_until_their_first_retransmission_after_it() {
    let scenario = hour(&[
        server("vsftpd", ""),
        client("alice", "0s", "script = [\"login\", { think = \"20s\" }, \"noop\"]"),
        fault("10s", "kind = \"partition\"\nlasts = \"13s\""),
    ]);
    // Sent at 20 s, then 0.2, 0.6, 1.4 and 3.0 s later: the last of these is behind the end at 23 s. Nobody says anything else.
    assert_eq!(told(&scenario, "alice")[6..8], ["20 C: NOOP", "23 S: 200 NOOP ok."]);
}

#[test]
fn a_syn_into_a_partition_comes_again_by_the_kernels_clock() {
    let scenario = hour(&[
        server("vsftpd", ""),
        client("alice", "11s", ""),
        client(
            "bob",
            "12s",
            "link = { rtt = \"0s\", connect_timeout = \"5s\" }\nretry = { backoff = \"fixed\", wait = \"2s\" }",
        ),
        fault("10s", "kind = \"partition\"\nlasts = \"10s\""),
    ]);
    // SYNs at 11, 12, 14, 18 and 26 s.
    assert_eq!(told(&scenario, "alice")[..2], ["11 -- connects", "26 S: 220 (vsFTPd 3.0.3)"]);
    // Gives up at 17 s, and the next handshake's SYNs are sent at 19, 20 s.
    assert_eq!(told(&scenario, "bob")[..3], ["12 -- connects", "19 -- connects", "20 S: 220 (vsFTPd 3.0.3)"]);
}

#[test]
fn the_kernel_gives_a_handshake_up_after_127_seconds_however_patient_its_client_is() {
    let scenario = hour(&[
        server("vsftpd", ""),
        client("alice", "20s", "link = { rtt = \"0s\", connect_timeout = \"10m\" }"),
        fault("10s", "kind = \"partition\"\nlasts = \"20m\""),
    ]);
    assert_eq!(told(&scenario, "alice"), ["20 -- connects", "147 -- connect_timeout"]);
}

#[test]
fn a_partition_is_for_those_whom_it_names() {
    let scenario = hour(&[
        server("vsftpd", ""),
        client("alice", "11s", ""),
        client("bob", "11s", ""),
        fault("10s", "kind = \"partition\"\nlasts = \"10s\"\nclients = \"alice\""),
    ]);
    assert!(told(&scenario, "alice")[1].starts_with("26 S: 220"));
    assert!(told(&scenario, "bob")[1].starts_with("11 S: 220"));
}

/// It cannot tell a dead server from a dead way: its reply timeout decides.
#[test]
fn a_client_in_a_long_partition_gives_up_and_its_fin_arrives_afterwards() {
    let scenario = hour(&[
        server("rfc959", "max_clients = 1"),
        client(
            "alice",
            "0s",
            "link = { rtt = \"0s\", reply_timeout = \"30s\" }\nscript = [\"login\", { think = \"20s\" }, \"noop\"]",
        ),
        client("bob", "101s", ""),
        client("carol", "120s", ""),
        fault("10s", "kind = \"partition\"\nlasts = \"90s\"\nclients = \"alice\""),
    ]);
    assert_eq!(told(&scenario, "alice")[6..], ["20 C: NOOP", "50 -- client closes"]);
    // The NOOP waits for its retransmission at 122.2 s, and the FIN of 50 s behind it too.
    assert!(told(&scenario, "bob")[1].contains("S: 421"));
    assert!(told(&scenario, "carol")[1].contains("S: 421"));
}

#[test]
fn latency_is_added_to_each_round_trip_while_it_lasts() {
    let scenario = hour(&[
        server("vsftpd", ""),
        client(
            "alice",
            "0s",
            "script = [\"login\", { think = \"10s\" }, \"noop\", { think = \"10s\" }, \"noop\"]",
        ),
        fault("5s", "kind = \"latency\"\nadd = \"3s\"\nlasts = \"10s\""),
    ]);
    assert_eq!(
        only(&told(&scenario, "alice"), &["NOOP"]),
        ["10 C: NOOP", "13 S: 200 NOOP ok.", "23 C: NOOP", "23 S: 200 NOOP ok."]
    );
}

/// Each message takes 0, 0.2, 0.6, 1.4 s and so on: loss is delay, and nothing is out of order.
#[test]
fn a_lost_message_comes_after_a_retransmission_timeout() {
    let steps = "\"noop\", ".repeat(200);
    let link = "link = { rtt = \"0s\", loss = 0.3, reply_timeout = \"20m\" }";
    let scenario = hour(&[
        server("vsftpd", ""),
        client("alice", "0s", &format!("script = [\"login\", {steps}]\n{link}")),
    ]);
    let lines = only(&told(&scenario, "alice"), &["NOOP"]);
    assert_eq!(lines.len(), 400);
    let seconds: Vec<f64> =
        lines.iter().map(|line| line.split(' ').next().unwrap().parse().unwrap()).collect();
    let waits: Vec<u64> = seconds.chunks(2).map(|pair| ((pair[1] - pair[0]) * 10.0).round() as u64).collect();
    assert!(waits.iter().all(|wait| wait % 2 == 0), "{waits:?}");
    // Neither direction loses anything with probability 0.49: 98 of 200, and a standard deviation of 7.
    let at_once = waits.iter().filter(|wait| **wait == 0).count();
    assert!((63..=133).contains(&at_once), "{at_once}: {waits:?}");
    assert!(waits.contains(&2) && waits.iter().any(|wait| *wait >= 6));
}

#[test]
fn a_syn_that_is_lost_comes_again_after_a_second() {
    let link = "link = { rtt = \"0s\", loss = 0.5, connect_timeout = \"10m\", reply_timeout = \"10m\" }";
    let scenario = hour(&[server("rfc959", "max_clients = 0"), super::clients("crowd", 100, "0s", link)]);
    let greeted: Vec<f64> = (0..100)
        .filter_map(|index| {
            let told = super::told_by(&scenario, "crowd", index);
            told.iter()
                .find(|line| line.contains("S: 220"))
                .map(|line| line.split(' ').next().unwrap().parse().unwrap())
        })
        .collect();
    assert!(greeted.len() >= 95, "{}", greeted.len());
    assert!(greeted.iter().filter(|t| **t >= 1.0).count() > 50, "{greeted:?}");
    let ends_in_tenths = |t: &f64| (t * 5.0 - (t * 5.0).round()).abs() < 1e-6;
    assert!(greeted.iter().all(ends_in_tenths), "{greeted:?}");
}
