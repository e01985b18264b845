//! TLS in the model: what it costs in round trips, who is refused for it, and the verbs that came with it.

#![expect(clippy::float_cmp, reason = "times of a model are exact, and rounded to the microsecond")]

use super::desk::Desk;
use super::{client, hour, only, server, told};
use ftp421::server::Input;

/// A server that takes no time for anything, a handshake included.
fn at_once(profile: &str, keys: &str) -> String {
    server(profile, &format!("tls_time = \"0s\"\n{keys}"))
}

fn dialogue(server: &str, keys: &str) -> Vec<String> {
    let link = if keys.contains("link") { "" } else { "link = { rtt = \"100ms\" }\n" };
    told(&hour(&[server.to_owned(), client("alice", "0s", &format!("{link}{keys}"))]), "alice")
}

/// When the first line that holds `word` was said or heard, in milliseconds.
fn when(told: &[String], word: &str) -> f64 {
    let line = told.iter().find(|line| line.contains(word)).unwrap_or_else(|| panic!("no {word}: {told:#?}"));
    let secs: f64 = line.split_whitespace().next().unwrap().parse().unwrap();
    (secs * 1e6).round() / 1e3
}

// ---- round trips -------------------------------------------------------------------------------------------------

#[test]
fn explicit_tls_costs_four_round_trips_before_user() {
    let said = dialogue(&at_once("rfc959", "tls = \"offered\""), "tls = \"explicit\"\nscript = [\"login\"]");
    // TCP takes one, and the 220 comes half a trip behind the SYN-ACK at no time: with it.
    assert_eq!(when(&said, "220"), 100.0);
    assert_eq!(when(&said, "C: AUTH TLS"), 100.0);
    assert_eq!(when(&said, "234"), 200.0);
    assert_eq!(when(&said, "-- TLS"), 300.0);
    assert_eq!(when(&said, "C: PBSZ 0"), 300.0);
    assert_eq!(when(&said, "C: PROT P"), 400.0);
    assert_eq!(when(&said, "C: USER"), 500.0);
    assert_eq!(when(&said, "230"), 700.0);
}

#[test]
fn implicit_tls_shakes_hands_before_the_greeting() {
    let said = dialogue(&at_once("rfc959", ""), "tls = \"implicit\"\nscript = [\"login\"]");
    // SYN and SYN-ACK, hello and answer, the end of the handshake and the 220 that it brings about.
    assert_eq!(when(&said, "-- TLS"), 200.0);
    assert_eq!(when(&said, "220"), 300.0);
    assert_eq!(when(&said, "C: PBSZ 0"), 300.0);
    assert_eq!(when(&said, "C: PROT P"), 400.0);
    assert_eq!(when(&said, "C: USER"), 500.0);
    assert!(only(&said, &["AUTH"]).is_empty());
}

#[test]
fn a_protected_data_connection_costs_one_round_trip_more_and_two_if_the_server_connects() {
    for (data, trips) in [("passive", 1.0), ("active", 2.0)] {
        let script =
            format!("data = \"{data}\"\nscript = [\"login\", {{ retr = \"1MiB\" }}, {{ stor = \"1MiB\" }}]");
        let plain = dialogue(&at_once("rfc959", ""), &script);
        let tls = dialogue(&at_once("rfc959", ""), &format!("tls = \"explicit\"\n{script}"));
        for verb in ["RETR", "STOR"] {
            let took = |said: &[String]| {
                let from = said.iter().position(|line| line.contains(verb)).unwrap();
                when(&said[from..], "226") - when(&said[from..], verb)
            };
            assert_eq!(took(&tls) - took(&plain), 100.0 * trips, "{data} {verb}");
        }
    }
}

#[test]
fn a_handshake_takes_the_time_of_the_profile_at_the_server_and_one_of_a_data_connection_less() {
    let keys = "tls = \"explicit\"\nlink = { rtt = \"0s\" }\nscript = [\"login\", { retr = \"1B\" }]";
    let said = dialogue(&server("vsftpd", "tls = \"offered\""), keys);
    assert!((when(&said, "-- TLS") - when(&said, "234") - 2.1).abs() < 0.002, "{said:#?}");
    let retr = said.iter().position(|line| line.contains("RETR")).unwrap();
    assert!((when(&said[retr..], "226") - when(&said[retr..], "150") - 0.95).abs() < 0.002, "{said:#?}");
    let said = dialogue(&server("vsftpd", "tls = \"offered\"\ntls_time = \"7ms\""), keys);
    assert!((when(&said, "-- TLS") - when(&said, "234") - 7.0).abs() < 0.002, "{said:#?}");
}

#[test]
fn the_cores_of_a_host_do_one_handshake_after_the_other() {
    let host = "tls = \"offered\"\ntls_time = \"10ms\"\n[server.host]\ncores = 1";
    let clients = super::clients("alice", 3, "0s", "tls = \"explicit\"\nscript = [\"login\"]");
    let scenario = hour(&[server("rfc959", host), clients]);
    let done: Vec<f64> = (0..3).map(|i| when(&super::told_by(&scenario, "alice", i), "-- TLS")).collect();
    assert!((done[1] - done[0] - 10.0).abs() < 1.0 && (done[2] - done[1] - 10.0).abs() < 1.0, "{done:?}");
}

// ---- refusals ----------------------------------------------------------------------------------------------------

#[test]
fn who_asks_for_tls_where_there_is_none_is_turned_away_and_each_server_says_so_in_its_words() {
    for (profile, says) in [
        ("vsftpd", "S: 530 Please login with USER and PASS."),
        ("proftpd", "S: 500 AUTH not understood"),
        ("pure-ftpd", "S: 500 This security scheme is not implemented"),
        ("pyftpdlib", "S: 500 Command \"AUTH\" not understood."),
        ("rfc959", "S: 500 Syntax error, command unrecognized."),
    ] {
        let said = dialogue(&at_once(profile, "tls = \"none\""), "tls = \"explicit\"\nscript = [\"login\"]");
        let end: Vec<&str> =
            said.iter().skip_while(|line| !line.contains("AUTH")).map(String::as_str).collect();
        assert!(end[1].ends_with(says), "{profile}: {end:?}");
        assert!(end[2].ends_with("-- client closes"), "{profile}: {end:?}");
    }
}

#[test]
fn who_names_himself_in_the_clear_where_tls_is_required_is_refused() {
    for (profile, says, closes) in [
        ("vsftpd", "530 Non-anonymous sessions must use encryption.", true),
        ("proftpd", "550 SSL/TLS required on the control channel", false),
        (
            "pure-ftpd",
            "421-Sorry, cleartext sessions and weak ciphers are not accepted on this server. | 421 Please reconnect using TLS security mechanisms.",
            false,
        ),
        ("pyftpdlib", "550 SSL/TLS required on the control channel.", false),
    ] {
        let mut desk = Desk::new(profile, "tls = \"required\"\ntls_time = \"0s\"");
        let conn = desk.call(1);
        desk.hears(conn);
        let heard = desk.types(conn, "USER alice");
        let said = heard.replace(" | (closed)", "");
        assert!(said.starts_with(says), "{profile}: {heard}");
        let after = desk.types(conn, "AUTH TLS");
        assert_eq!(after.starts_with("234"), !closes, "{profile}: {after}");
    }
}

#[test]
fn under_tls_a_server_that_requires_it_lets_in_whom_it_would_let_in() {
    let said = dialogue(&at_once("vsftpd", "tls = \"required\""), "tls = \"explicit\"\nscript = [\"login\"]");
    assert_eq!(only(&said, &["230"]).len(), 1, "{said:#?}");
}

#[test]
fn pbsz_and_prot_before_auth_are_out_of_order_and_a_second_auth_is_no_command() {
    let mut desk = Desk::new("vsftpd", "tls = \"offered\"");
    let conn = desk.call(1);
    desk.hears(conn);
    assert_eq!(desk.types(conn, "PROT P"), "503 XYZZY needs a secure connection.");
    assert_eq!(desk.types(conn, "AUTH TLS"), "234 Proceed with negotiation.");
    assert_eq!(desk.types(conn, "USER alice"), "", "nothing is read before the handshake is complete");
    desk.data(Input::TlsDone { conn });
    assert_eq!(desk.types(conn, "PBSZ 0"), "200 PBSZ set to 0.");
    assert_eq!(desk.types(conn, "PROT P"), "200 PROT now Private.");
    assert_eq!(desk.types(conn, "AUTH TLS"), "530 Please login with USER and PASS.");
    assert_eq!(desk.types(conn, "USER alice"), "331 Please specify the password.");
    assert!(desk.types(conn, "PASS right").starts_with("230"));
    assert_eq!(desk.types(conn, "AUTH TLS"), "500 Unknown command.");
}

#[test]
fn the_login_timer_runs_on_in_the_handshake() {
    for implicit in [false, true] {
        let mut desk = Desk::new("vsftpd", "tls = \"offered\"\nidle_timeout = \"5s\"");
        let conn = if implicit { desk.connect_tls(1) } else { desk.call(1) };
        if !implicit {
            desk.types(conn, "AUTH TLS");
        }
        desk.data(Input::TlsHello { conn });
        desk.wait(4.9);
        assert_eq!(desk.slots(), 1);
        desk.wait(0.2);
        assert!(desk.hears(conn).starts_with("421 Timeout."), "implicit: {implicit}");
        assert_eq!(desk.slots(), 0);
    }
}

#[test]
fn a_handshake_that_fails_ends_the_connection_and_frees_its_slot() {
    for implicit in [false, true] {
        let mut desk = Desk::exact("pure-ftpd", "tls = \"offered\"");
        let conn = if implicit { desk.connect_tls(1) } else { desk.call(1) };
        if !implicit {
            desk.types(conn, "AUTH TLS");
        }
        desk.data(Input::TlsFailed { conn });
        desk.wait(1.0);
        assert_eq!(desk.slots(), 0, "implicit: {implicit}");
    }
}

#[test]
fn a_full_server_refuses_an_implicit_client_in_the_clear_which_it_cannot_read() {
    let keys = at_once("vsftpd", "max_clients = 1");
    let first = client("first", "0s", "script = [\"login\", { idle = \"60s\" }]");
    let late = client("late", "10s", "tls = \"implicit\"\nscript = [\"login\"]\nlink = { rtt = \"100ms\" }");
    let scenario = hour(&[keys, first, late]);
    let said = told(&scenario, "late");
    assert!(only(&said, &["S: 421"]).len() == 1 && only(&said, &["-- TLS"]).is_empty(), "{said:#?}");
    assert_eq!(only(&said, &["C:"]), Vec::<String>::new());
}

#[test]
fn an_implicit_client_that_waits_in_the_queue_is_secured_when_it_is_accepted() {
    // ProFTPD accepts nothing for 0.4 s after a session has ended.
    let quick = client("quick", "0s", "script = [\"login\"]");
    let late = client("late", "100ms", "tls = \"implicit\"\nscript = [\"login\"]\nlink = { rtt = \"10ms\" }");
    let said = told(&hour(&[at_once("proftpd", "tls = \"offered\""), quick, late]), "late");
    assert!(when(&said, "-- TLS") > 300.0, "{said:#?}");
    assert_eq!(only(&said, &["230"]).len(), 1, "{said:#?}");
}

#[test]
fn a_client_that_vanishes_in_the_handshake_of_a_data_connection_leaves_a_stalled_transfer() {
    let keys = "tls = \"explicit\"\nscript = [\"login\", { retr = \"1MiB\" }]\npatience = \"1s\"\nlink = { rtt = \"100ms\", reply_timeout = \"10s\" }";
    let partition = super::fault("1100ms", "kind = \"partition\"\nlasts = \"30s\"");
    let scenario = hour(&[at_once("vsftpd", "tls = \"offered\""), client("alice", "0s", keys), partition]);
    let said = told(&scenario, "alice");
    assert_eq!(only(&said, &["226"]).len(), 1, "TCP brings it through in the end: {said:#?}");
}

// ---- verbs -------------------------------------------------------------------------------------------------------

#[test]
fn the_verbs_of_rfc_3659_are_answered_as_each_server_does() {
    let script = "script = [\"login\", { type = \"A\" }, { type = \"I\" }, { size = \"/file\" }, { rest = \"1KiB\" }, { retr = \"4KiB\" }, \"nlst\", { mlsd = \"1KiB\", path = \"/pub\" }]";
    let said = dialogue(&at_once("vsftpd", ""), script);
    let words: Vec<&str> = said
        .iter()
        .filter_map(|line| line.split_once(' ').map(|(_, rest)| rest))
        .skip_while(|line| !line.starts_with("C: TYPE"))
        .collect();
    assert_eq!(
        words,
        [
            "C: TYPE A",
            "S: 200 Switching to ASCII mode.",
            "C: TYPE I",
            "S: 200 Switching to Binary mode.",
            "C: SIZE /file",
            "S: 213 4096",
            "C: REST 1024",
            "S: 350 Restart position accepted (1024).",
            "C: PASV",
            "S: 227 Entering Passive Mode (127,0,0,1,195,80).",
            "C: RETR /file",
            "S: 150 Opening BINARY mode data connection for /file (3072 bytes).",
            "S: 226 Transfer complete.",
            "C: PASV",
            "S: 227 Entering Passive Mode (127,0,0,1,195,80).",
            "C: NLST",
            "S: 150 Here comes the directory listing.",
            "S: 226 Directory send OK.",
            "C: PASV",
            "S: 227 Entering Passive Mode (127,0,0,1,195,80).",
            "C: MLSD /pub",
            "S: 500 Unknown command.",
            "C: QUIT",
            "S: 221 Goodbye.",
            "-- client closes",
        ]
    );
}

#[test]
fn what_a_rest_leaves_is_what_moves() {
    let link = "link = { rtt = \"0s\", bandwidth = \"1KiB/s\" }\n";
    for (rest, secs) in [("", 10.0), ("{ rest = \"4KiB\" }, ", 6.0), ("{ rest = \"1MiB\" }, ", 0.0)] {
        let said = dialogue(
            &at_once("rfc959", ""),
            &format!("{link}script = [\"login\", {rest}{{ retr = \"10KiB\" }}, {{ stor = \"1KiB\" }}]"),
        );
        let retr = said.iter().position(|line| line.contains("RETR")).unwrap();
        let stor = said.iter().position(|line| line.contains("STOR")).unwrap();
        assert_eq!(when(&said[retr..], "226") - when(&said, "RETR"), secs * 1e3, "{said:#?}");
        assert_eq!(
            when(&said[stor..], "226") - when(&said, "STOR"),
            1e3,
            "only the next transfer: {said:#?}"
        );
    }
}

#[test]
fn pure_ftpd_counts_type_and_rest_among_what_only_keeps_alive_and_size_not() {
    for (line, cut) in [("TYPE I", true), ("REST 5", true), ("SIZE /file", false)] {
        let mut desk = Desk::new("pure-ftpd", "idle_timeout = \"5s\"");
        let conn = desk.log_in(1, "alice");
        let mut heard = String::new();
        for _ in 0..8 {
            desk.wait(2.0);
            heard = desk.types(conn, line);
        }
        assert_eq!(heard.is_empty() || heard.starts_with("421"), cut, "{line}: {heard}");
    }
}
