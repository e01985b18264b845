//! Clients: what they see of a server, how long they wait for it, and how they keep a session alive.

use super::{client, fault, hour, only, server, told};

/// One-way delay 20 ms: SYN, SYN-ACK and the 220 behind it, USER, 331, PASS, 230.
#[test]
fn a_greeting_takes_one_round_trip_and_a_login_two_more() {
    let scenario = hour(&[server("rfc959", ""), client("alice", "1s", "link = { rtt = \"40ms\" }")]);
    assert_eq!(
        told(&scenario, "alice"),
        [
            "1 -- connects",
            "1.04 S: 220 Service ready.",
            "1.04 C: USER alice",
            "1.08 S: 331 User name okay, need password.",
            "1.08 C: PASS ********",
            "1.12 S: 230 User logged in, proceed.",
            "1.12 C: QUIT",
            "1.16 S: 221 Service closing control connection.",
            "1.16 -- client closes",
        ]
    );
}

/// 1 MiB at 1 MiB/s, one round trip for PASV, one for the data connection, and half of one each way for RETR and its 226.
#[test]
fn a_transfer_takes_its_round_trips_and_its_bytes() {
    let scenario = hour(&[
        server("rfc959", ""),
        client(
            "alice",
            "0s",
            "link = { rtt = \"40ms\", bandwidth = \"1MiB/s\" }\nscript = [\"login\", { retr = \"1MiB\" }]",
        ),
    ]);
    assert_eq!(
        told(&scenario, "alice")[6..10],
        [
            "0.12 C: PASV",
            "0.16 S: 227 Entering Passive Mode (127,0,0,1,195,80).",
            "0.2 C: RETR /file",
            "0.24 S: 150 File status okay; about to open data connection.",
        ]
    );
    assert!(told(&scenario, "alice")[10].starts_with("1.24 S: 226"));
}

#[test]
fn a_client_that_is_away_reads_the_421_behind_its_next_command() {
    let away = |script: &str| {
        let scenario = hour(&[
            server("vsftpd", "idle_timeout = \"60s\""),
            client("alice", "0s", &format!("script = [\"login\", {{ idle = \"90s\" }}, {script}]")),
        ]);
        told(&scenario, "alice")[6..].to_vec()
    };
    assert_eq!(
        away("\"pwd\""),
        ["90 C: PWD", "90 S: 421 Timeout.", "90 -- server closes (fin_then_rst)", "90 -- client closes"]
    );
    assert_eq!(away("{ retr = \"1KiB\" }")[0], "90 C: PASV");
}

/// Keep-alives stand in for a user who is away.
#[test]
fn a_keep_alive_holds_a_session_that_nobody_uses() {
    let alice = |keys: &str| {
        let scenario = hour(&[
            server("rfc959", "idle_timeout = \"5m\""),
            client("alice", "0s", &format!("script = [\"login\", {{ idle = \"20m\" }}]\n{keys}")),
        ]);
        told(&scenario, "alice")
    };
    let kept = alice("keepalive = \"60s\"");
    assert_eq!(only(&kept, &["C: NOOP"]).len(), 19);
    assert_eq!(kept[6..8], ["60 C: NOOP", "60 S: 200 Command okay."]);
    assert_eq!(only(&kept, &["C: QUIT", "S: 421"]), ["1200 C: QUIT"]);
    assert_eq!(only(&alice(""), &["C: QUIT", "S: 421"]).len(), 2);
}

/// The interval is the scenario's, however long a reply may take.
#[test]
fn keep_alives_come_at_their_own_interval() {
    for (every, reply_timeout) in [("30s", "60s"), ("30s", "10s"), ("30s", "30s")] {
        let scenario = hour(&[
            server("rfc959", ""),
            client(
                "alice",
                "0s",
                &format!(
                    "script = [\"login\", {{ think = \"140s\" }}]\nkeepalive = \"{every}\"\n\
                     link = {{ rtt = \"0s\", reply_timeout = \"{reply_timeout}\" }}"
                ),
            ),
        ]);
        assert_eq!(
            only(&told(&scenario, "alice"), &["C: NOOP"]),
            ["30 C: NOOP", "60 C: NOOP", "90 C: NOOP", "120 C: NOOP"],
            "every {every}, replies within {reply_timeout}"
        );
    }
}

#[test]
fn a_keep_alive_that_nobody_answers_ends_the_session() {
    let scenario = hour(&[
        server("rfc959", ""),
        client(
            "alice",
            "0s",
            "script = [\"login\", { think = \"10m\" }]\nkeepalive = \"30s\"\nlink = { rtt = \"0s\", reply_timeout = \"7s\" }",
        ),
        fault("10s", "kind = \"shutdown\"\nform = \"hang\""),
    ]);
    assert_eq!(told(&scenario, "alice")[6..], ["30 C: NOOP", "37 -- client closes"]);
}

/// One command is under way at a time (RFC 959, section 5.4): each reply belongs to the command before it.
#[test]
fn a_pause_lasts_until_its_keep_alive_is_answered() {
    let scenario = hour(&[
        server("rfc959", ""),
        client(
            "alice",
            "0s",
            "script = [\"login\", { think = \"31s\" }, \"pwd\"]\nkeepalive = \"30s\"\nlink = { rtt = \"4s\" }",
        ),
    ]);
    let told = told(&scenario, "alice");
    assert_eq!(
        only(&told, &["NOOP", "PWD", "200", "257", "QUIT"]),
        ["42 C: NOOP", "46 S: 200 Command okay.", "46 C: PWD", "50 S: 257 \"/\" created.", "50 C: QUIT"]
    );
}

#[test]
fn patience_ends_the_wait_wherever_it_stands() {
    let scenario = |at: &str, keys: &str, what: &str| {
        hour(&[
            server("pyftpdlib", "max_clients = 2"),
            client("first", "0s", "script = [\"login\", { think = \"2m\" }]"),
            client("alice", at, &format!("patience = \"10s\"\n{keys}")),
            fault("20s", what),
        ])
    };
    let reload = "kind = \"reload\"\nmax_per_ip = 5";
    let backing_off = scenario("5s", "retry = { backoff = \"fixed\", wait = \"4s\" }", reload);
    assert_eq!(
        only(&told(&backing_off, "alice"), &["connects"]),
        ["5 -- connects", "9 -- connects", "13 -- connects"]
    );
    let hanging = scenario("21s", "", "kind = \"shutdown\"\nform = \"hang\"");
    assert_eq!(told(&hanging, "alice"), ["21 -- connects", "31 -- client closes"]);
    let wrong = scenario("121s", "wrong_password = 1.0\nlogin_tries = 9", reload);
    assert_eq!(
        only(&told(&wrong, "alice"), &["S: 530", "closes"]),
        [
            "124 S: 530 Authentication failed.",
            "127 S: 530 Authentication failed.",
            "130 S: 530 Authentication failed. Disconnecting.",
            "130 -- server closes (fin)",
            "130 -- client closes"
        ]
    );
}

#[test]
fn patience_is_for_being_served_not_for_the_session() {
    let scenario = hour(&[
        server("rfc959", ""),
        client("alice", "0s", "patience = \"10s\"\nscript = [\"login\", { think = \"60s\" }, \"noop\"]"),
    ]);
    assert_eq!(only(&told(&scenario, "alice"), &["C: NOOP"]), ["60 C: NOOP"]);
}

#[test]
fn a_client_may_give_up_before_its_handshake_is_done() {
    for patience in ["1ms", "20ms", "21ms", "40ms"] {
        let scenario = hour(&[
            server("rfc959", "max_clients = 1"),
            client("alice", "0s", &format!("patience = \"{patience}\"\nlink = {{ rtt = \"40ms\" }}")),
            client("bob", "1s", ""),
        ]);
        assert!(told(&scenario, "alice").len() <= 4, "{patience}: {:?}", told(&scenario, "alice"));
        assert!(only(&told(&scenario, "bob"), &["S: 230"]).len() == 1, "{patience}: her slot is free again");
    }
}
