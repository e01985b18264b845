//! Names: several servers behind one, and clients who still knock at the old address.

use ftp421::scenario::Scenario;

use super::{clients, fault, hour, told, told_by};

/// A server of the several, that answers in no time.
fn one_of(name: &str, profile: &str) -> String {
    format!(
        "[[servers]]\nname = \"{name}\"\nprofile = \"{profile}\"\ngreeting_time = \"0s\"\nlogin_time = \"0s\"\ncommand_time = \"0s\"\n"
    )
}

/// The old server goes down when the name moves to the new one, at ten minutes.
fn move_at_ten(keys: &str, who: &[String]) -> Scenario {
    let mut parts = vec![
        "[dns]\nttl = \"5m\"\n".to_owned(),
        one_of("old", "vsftpd"),
        one_of("new", "pure-ftpd"),
        fault("10m", "kind = \"dns_move\"\nto = \"new\""),
    ];
    if !keys.is_empty() {
        parts.push(fault("10m", keys));
    }
    parts.extend(who.iter().cloned());
    hour(&parts)
}

const GONE: &str = "kind = \"shutdown\"\nserver = \"old\"\nform = \"drain\"";

#[test]
fn a_name_points_to_the_first_server_until_it_moves_and_to_the_new_one_when_no_cache_remembers() {
    let scenario = move_at_ten(GONE, &[clients("early", 1, "599s", ""), clients("late", 1, "15m", "")]);
    assert_eq!(told(&scenario, "early")[..2], ["599 -- connects to old", "599 S: 220 (vsFTPd 3.0.3)"]);
    let late = told(&scenario, "late");
    assert_eq!(late[0], "900 -- connects to new");
    assert!(late[1].starts_with("900 S: 220"), "{late:?}");
}

/// Half of all caches are older than half of their time.
#[test]
fn stale_clients_are_refused_at_the_old_address_until_their_cache_runs_out() {
    let retry = "retry = { backoff = \"fixed\", wait = \"10s\" }";
    let scenario = move_at_ten(GONE, &[clients("crowd", 60, "12m30s", retry)]);
    let mut at_once = 0;
    for index in 0..60 {
        let told = told_by(&scenario, "crowd", index);
        let stale = told.iter().filter(|line| line.ends_with("connects to old")).count();
        // Refused each ten seconds from 750 s on, then let in, at the latest when the last cache has run out at 900 s.
        for (place, pair) in told.chunks(2).take(stale).enumerate() {
            let at = 750 + 10 * place;
            assert_eq!(pair, [format!("{at} -- connects to old"), format!("{at} -- connection_refused")]);
        }
        assert!(stale <= 15, "{told:?}");
        assert_eq!(told[2 * stale], format!("{} -- connects to new", 750 + 10 * stale));
        at_once += usize::from(stale == 0);
    }
    assert!((15..=45).contains(&at_once), "{at_once} of 60 know the new address");
}

#[test]
fn a_client_that_looks_up_once_knocks_at_the_old_address_as_long_as_it_wants_that_session() {
    let keys = "resolve = \"once\"\nretry = { backoff = \"fixed\", wait = \"5m\", attempts = 4 }";
    let scenario = move_at_ten(GONE, &[clients("crowd", 1, "10m", keys)]);
    let told = told(&scenario, "crowd");
    let connects: Vec<&str> =
        told.iter().filter(|line| line.contains("connects")).map(String::as_str).collect();
    assert_eq!(
        connects,
        [
            "600 -- connects to old",
            "900 -- connects to old",
            "1200 -- connects to old",
            "1500 -- connects to old"
        ]
    );
}

#[test]
fn a_server_that_has_vanished_from_the_network_lets_stale_clients_time_out() {
    let keys = "link = { rtt = \"0s\", connect_timeout = \"20s\" }\nretry = { backoff = \"fixed\", wait = \"1s\", attempts = 2 }";
    let cut = "kind = \"partition\"\nlasts = \"30m\"";
    let scenario = move_at_ten(cut, &[clients("crowd", 1, "11m", keys)]);
    let told = told(&scenario, "crowd");
    assert_eq!(told.len(), 2, "it hears nothing: {told:?}");
    assert!(told[1].starts_with("681 -- connects"), "{told:?}");
}

#[test]
fn without_a_cache_a_move_is_known_at_once() {
    let parts = [
        "[dns]\nttl = \"0s\"\n".to_owned(),
        one_of("old", "vsftpd"),
        one_of("new", "pure-ftpd"),
        fault("10m", "kind = \"dns_move\"\nto = \"new\""),
        fault("20m", "kind = \"dns_move\"\nto = \"old\""),
        clients("a", 1, "10m", ""),
        clients("b", 1, "20m", ""),
    ];
    let scenario = hour(&parts);
    assert_eq!(told(&scenario, "a")[0], "600 -- connects to new");
    assert_eq!(told(&scenario, "b")[0], "1200 -- connects to old");
}

#[test]
fn each_server_counts_its_own_connections() {
    let one = |name: &str| format!("{}max_clients = 1\n", one_of(name, "rfc959"));
    let scenario = hour(&[
        "[dns]\nttl = \"0s\"\n".to_owned(),
        one("old"),
        one("new"),
        fault("10m", "kind = \"dns_move\"\nto = \"new\""),
        clients("a", 1, "9m", "script = [\"login\", { think = \"5m\" }]"),
        clients("b", 1, "9m30s", ""),
        clients("c", 1, "10m30s", "script = [\"login\", { think = \"5m\" }]"),
        clients("d", 1, "11m", ""),
    ]);
    let second = |who: &str| told(&scenario, who)[1].clone();
    assert!(second("b").contains("S: 421"));
    assert!(second("c").contains("S: 220"));
    assert!(second("d").contains("S: 421"));
}
