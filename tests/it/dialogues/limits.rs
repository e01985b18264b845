//! Limits: who counts, where the check stands, and what the one too many hears.

use ftp421::server::{Control, Input};

use super::desk::{Desk, part};

#[test]
fn vsftpd_says_421_instead_of_the_greeting_when_it_is_full() {
    let mut desk = Desk::new("vsftpd", "max_clients = 2");
    assert_eq!(desk.knock(1), "220 (vsFTPd 3.0.3)");
    assert_eq!(desk.knock(2), "220 (vsFTPd 3.0.3)");
    assert_eq!(desk.knock(3), "421 There are too many connected users, please try later. | (fin_then_rst)");
}

/// `max_clients`, then `max_per_ip`: prelogin.c:66-94.
#[test]
fn vsftpd_looks_at_the_global_limit_before_the_one_per_address() {
    let mut desk = Desk::exact("vsftpd", "max_clients = 2\nmax_per_ip = 1");
    desk.knock(1);
    assert_eq!(
        desk.knock(1),
        "421 There are too many connections from your internet address. | (fin_then_rst)"
    );
    assert_eq!(
        desk.knock(1),
        "421 There are too many connected users, please try later. | (fin_then_rst)",
        "1 + the refused child"
    );
}

#[test]
fn vsftpds_default_limits_are_2000_and_50_whatever_its_manual_says() {
    let mut desk = Desk::new("vsftpd", "");
    for _ in 0..50 {
        assert!(desk.knock(1).starts_with("220"));
    }
    assert!(desk.knock(1).starts_with("421 There are too many connections from your internet address."));
    for host in 2..1_952 {
        assert!(desk.knock(host).starts_with("220"), "host {host}");
    }
    assert!(desk.knock(5_000).starts_with("421 There are too many connected users"));
}

/// standalone.c:151-190: counted before the fork, and given back when the child is reaped: 0.53 ms after a session's end, 1.1 ms after
/// a 421, which is said 0.9 ms after the fork.
#[test]
fn vsftpd_counts_the_child_that_says_421() {
    let mut desk = Desk::exact("vsftpd", "max_clients = 1");
    let alice = desk.connect(1);
    desk.types(alice, "QUIT");
    desk.wait(500e-6);
    assert!(desk.knock(2).starts_with("421"), "alice's child is not reaped");
    assert_eq!(desk.slots(), 1, "hers is, the one that said 421 is not");
    assert!(desk.knock(2).starts_with("421"));
    desk.wait(1_099e-6);
    assert_eq!(desk.slots(), 1, "the second 421 keeps an empty server full");
    desk.wait(1e-6);
    assert!(desk.knock(2).starts_with("220"));
}

/// The listener of Pure-FTPd writes and closes; pyftpdlib and the idealised server do likewise.
#[test]
fn a_refused_connection_holds_no_slot_elsewhere() {
    for profile in ["pure-ftpd", "pyftpdlib", "rfc959"] {
        let mut desk = Desk::new(profile, "max_clients = 2");
        let alice = desk.connect(1);
        while desk.knock(2).starts_with("220") {}
        let full = desk.slots();
        desk.hang_up(alice);
        desk.wait(0.1);
        assert_eq!(desk.slots(), full - 1, "{profile}");
        assert!(desk.knock(3).starts_with("220"), "{profile}");
    }
}

#[test]
fn proftpd_says_530_after_pass_when_it_is_full() {
    let mut desk = Desk::new("proftpd", "max_clients = 1");
    desk.log_in(1, "alice");
    let bob = desk.connect(2);
    assert_eq!(desk.hears(bob), "220 ProFTPD Server (ftp.example.org) [127.0.0.1]");
    assert_eq!(desk.types(bob, "USER bob"), "331 Password required for alice");
    assert_eq!(
        desk.types(bob, "PASS right"),
        "530 Sorry, the maximum number of allowed clients (1) are already connected. | (fin)"
    );
}

/// Measured: five connections before login did not count.
#[test]
fn proftpds_max_clients_counts_logged_in_sessions_only() {
    let mut desk = Desk::new("proftpd", "max_clients = 1");
    for host in 2..7 {
        assert!(desk.knock(host).starts_with("220"));
    }
    desk.log_in(1, "alice");
}

#[test]
fn proftpds_max_instances_closes_without_a_word() {
    let mut desk = Desk::new("proftpd", "max_instances = 1");
    desk.knock(1);
    assert_eq!(desk.knock(2), "(rst_if_unread)");
}

/// `MaxClientsPerHost`, then `MaxClientsPerUser`, then `MaxClients`: mod_auth.c:2209-2357.
#[test]
fn proftpd_looks_at_the_host_then_at_the_user_then_at_everybody() {
    let full = "max_clients = 1\nmax_per_user = 1\nmax_clients_per_host = 1";
    for (host, user, says) in [
        (1, "alice", "530 Sorry, the maximum number of clients (1) from your host are already connected."),
        (2, "alice", "530 Sorry, the maximum number of clients (1) for this user are already connected."),
        (2, "bob", "530 Sorry, the maximum number of allowed clients (1) are already connected."),
    ] {
        let mut desk = Desk::new("proftpd", full);
        desk.log_in(1, "alice");
        let next = desk.connect(host);
        desk.types(next, &format!("USER {user}"));
        assert_eq!(desk.types(next, "PASS right"), format!("{says} | (fin)"));
    }
}

#[test]
fn proftpds_max_connections_per_host_says_530_instead_of_the_greeting() {
    let mut desk = Desk::new("proftpd", "max_connections_per_host = 2");
    desk.knock(1);
    desk.knock(1);
    assert_eq!(
        desk.knock(1),
        "530 Sorry, the maximum number of connections (2) for your host are already connected. | (fin)"
    );
    assert!(desk.knock(2).starts_with("220"));
}

/// Measured: `-c 50` with ten passive ports refuses the sixth, and says five.
#[test]
fn ten_passive_ports_make_pure_ftpd_a_server_for_five() {
    let mut desk = Desk::new("pure-ftpd", "max_clients = 50\npassive_ports = 10");
    for host in 0..5 {
        assert!(desk.knock(host).starts_with("220-"));
    }
    assert_eq!(desk.knock(6), "421 5 users (the maximum) are already logged in, sorry | (rst_if_unread)");
}

#[test]
fn pure_ftpds_per_user_limit_answers_pass_and_for_anonymous_user() {
    let mut desk = Desk::new("pure-ftpd", "max_per_user = 1\nmax_anonymous = 1");
    desk.log_in(1, "alice");
    let again = desk.connect(2);
    desk.hears(again);
    assert!(desk.types(again, "USER alice").starts_with("331"));
    let refused = "421 I can't accept more than 1 connections as the same user | (fin)";
    assert_eq!(desk.types(again, "PASS right"), refused);
    let anonymous = desk.connect(3);
    desk.hears(anonymous);
    assert!(desk.types(anonymous, "USER anonymous").starts_with("230"), "no password is asked for");
    let another = desk.connect(4);
    desk.hears(another);
    assert_eq!(desk.types(another, "USER anonymous"), refused);
    desk.log_in(5, "bob");
}

/// Measured: `max_cons` = 3 admits 2, since the listener is a socket in the loop.
#[test]
fn pyftpdlib_lets_in_one_less_than_max_cons() {
    let mut desk = Desk::new("pyftpdlib", "max_clients = 3");
    desk.knock(1);
    assert!(desk.knock(2).starts_with("220"));
    assert_eq!(desk.knock(3), "421 Too many connections. Service temporarily unavailable. | (rst_if_unread)");
}

#[test]
fn a_slot_is_free_again_when_its_server_gets_round_to_it() {
    for (profile, limit, milliseconds) in [
        ("vsftpd", 1, 0.53),
        ("proftpd", 1, 5.0),
        ("pure-ftpd", 1, 3.0),
        ("pyftpdlib", 2, 0.4),
        ("rfc959", 1, 0.0),
    ] {
        let knob = if profile == "proftpd" { "max_instances" } else { "max_clients" };
        let mut desk = Desk::exact(profile, &format!("{knob} = {limit}"));
        let alice = desk.connect(1);
        desk.hang_up(alice);
        desk.wait(milliseconds / 1e3 - 1e-6);
        assert_eq!(desk.slots(), u32::from(milliseconds > 0.0), "{profile}: not yet");
        desk.wait(1e-6);
        assert!(desk.knock(2).starts_with("220"), "{profile}");
    }
}

/// An office behind one address shares its limit; a neighbour with an address of its own does not.
#[test]
fn everybody_behind_a_nat_shares_the_limit_per_address() {
    let office = "addresses = { nat = 1 }\nscript = [\"login\", { think = \"10m\" }]";
    let scenario = super::hour(&[
        super::server("pure-ftpd", "max_per_ip = 2"),
        super::clients("office", 3, "0s", office),
        super::client("home", "1s", ""),
    ]);
    assert_eq!(super::told_by(&scenario, "office", 1)[2], "0 S: 220-You are user number 2 of 50 allowed.");
    assert_eq!(
        super::told_by(&scenario, "office", 2),
        ["0 -- connects", "0 S: 421 Too many connections (2) from this IP", "0 -- client closes"]
    );
    assert!(super::told(&scenario, "home").iter().any(|line| line.contains("230")));
}

#[test]
fn a_reload_lowers_the_limit_for_newcomers_only() {
    let mut desk = Desk::new("rfc959", "max_clients = 3");
    let alice = desk.log_in(1, "alice");
    let bob = desk.log_in(2, "bob");
    desk.control(Control::SetLimit { check: 0, limit: 1 });
    assert_eq!(desk.types(alice, "NOOP"), "200 Command okay.");
    assert_eq!(
        desk.knock(3),
        "421 Service not available, too many connections (1), closing control connection. | (fin)"
    );
    desk.types(bob, "QUIT");
    assert!(desk.knock(3).starts_with("421"), "alice is one already");
    desk.types(alice, "QUIT");
    assert!(desk.knock(3).starts_with("220"));
}

#[test]
fn a_reload_to_nothing_takes_the_limit_away_but_not_the_passive_ports() {
    let mut desk = Desk::new("pure-ftpd", "max_clients = 1\npassive_ports = 6");
    desk.knock(1);
    assert!(desk.knock(2).starts_with("421 1 users"));
    desk.control(Control::SetLimit { check: 0, limit: 0 });
    desk.knock(2);
    assert!(
        desk.knock(3).contains("You are user number 3 of 3 allowed."),
        "the greeting names the limit in force"
    );
    assert!(desk.knock(4).starts_with("421 3 users"));
}

/// A server with one limit of its own making.
fn limited(by: &str) -> Desk {
    Desk::like("rfc959", |profile, _| {
        profile.limits = vec![part(&format!(
            "knob = \"limit\"\nsetting = \"limit\"\ncause = \"max_clients\"\nfrom = \"test\"\n{by}"
        ))];
    })
}

const FULL: &str = "\n[refusal]\ncode = 530\ntext = \"Full ({n}).\"\nclose = \"fin\"";

/// wu-ftpd: the class limit is looked at in USER and told after PASS, right or wrong; the session has five attempts.
#[test]
fn a_limit_at_user_is_told_as_the_answer_to_pass_and_counts_as_an_attempt() {
    let mut desk = limited(
        "stage = \"user\"\ncounts = \"sessions\"\nper = \"server\"\ndefault = 1\n\
         [refusal]\ncode = 530\ntext = \"Too many users.\"\nclose = \"none\"",
    );
    let alice = desk.log_in(1, "alice");
    let bob = desk.connect(2);
    desk.hears(bob);
    assert!(desk.types(bob, "USER bob").starts_with("331"), "the 331 is faked");
    assert_eq!(desk.types(bob, "PASS right"), "530 Too many users.");
    assert!(desk.types(bob, "USER bob").starts_with("331"));
    desk.types(alice, "QUIT");
    assert_eq!(desk.types(bob, "PASS wrong"), "530 Too many users.", "what counts is how it was at USER");
    desk.types(bob, "USER bob");
    assert!(desk.types(bob, "PASS wrong").starts_with("421"), "the third attempt was the last");
    let carol = desk.log_in(3, "carol");
    assert!(desk.types(carol, "NOOP").starts_with("200"));
}

/// bftpd: in PASS before the password is looked at, and compared with `==`.
#[test]
fn bftpd_looks_at_its_limit_before_the_password_and_overlooks_more_than_it() {
    let mut desk = limited(&format!(
        "stage = \"password\"\ncounts = \"sessions\"\nper = \"server\"\ndefault = 2\nonly_when_equal = true{FULL}"
    ));
    desk.log_in(1, "alice");
    desk.log_in(2, "bob");
    let carol = desk.connect(3);
    desk.hears(carol);
    desk.types(carol, "USER carol");
    assert_eq!(desk.types(carol, "PASS wrong"), "530 Full (2). | (fin)", "the password is not even read");
    desk.control(Control::SetLimit { check: 0, limit: 1 });
    desk.log_in(4, "dave");
}

/// `MaxHostsPerUser`.
#[test]
fn hosts_are_counted_once_however_many_sessions_they_have() {
    let mut desk =
        limited(&format!("stage = \"login\"\ncounts = \"hosts\"\nper = \"user\"\ndefault = 2{FULL}"));
    let first = desk.log_in(1, "alice");
    desk.log_in(1, "alice");
    desk.log_in(2, "alice");
    desk.log_in(2, "alice");
    let third = desk.connect(3);
    desk.hears(third);
    desk.types(third, "USER alice");
    assert_eq!(desk.types(third, "PASS right"), "530 Full (2). | (fin)");
    desk.log_in(3, "bob");
    desk.types(first, "QUIT");
    let third = desk.connect(3);
    desk.hears(third);
    desk.types(third, "USER alice");
    assert!(desk.types(third, "PASS right").starts_with("530"), "host 1 has a session left");
}

/// pyftpdlib, S control.py:1230: every socket in the loop counts, the data sockets too.
#[test]
fn a_limit_on_sockets_refuses_pasv_with_425_and_counts_data_at_accept() {
    let mut desk = Desk::like("pyftpdlib", |profile, overrides| {
        profile.limits[0].counts = ftp421::server::profile::Counts::Sockets;
        overrides.limits = vec![("max_clients".to_owned(), 4)];
        profile.data.no_socket = Some(part(
            "code = 425\ntext = \"Too many connections. Can't open data channel.\"\nclose = \"none\"",
        ));
    });
    let alice = desk.log_in(1, "alice");
    let bob = desk.log_in(2, "bob");
    assert!(desk.types(alice, "PASV").starts_with("227"), "listener, alice, bob, alice's data");
    assert_eq!(desk.types(bob, "PASV"), "425 Too many connections. Can't open data channel.");
    assert_eq!(desk.types(bob, "PORT 1"), "425 Too many connections. Can't open data channel.");
    assert!(desk.types(bob, "NOOP").starts_with("200"));
    assert!(desk.knock(3).starts_with("421 Too many connections."));
    desk.data(Input::DataOpened { conn: alice });
    desk.types(alice, "RETR /file");
    desk.data(Input::TransferDone { conn: alice });
    assert!(desk.types(bob, "PASV").starts_with("227"));
}

#[test]
fn a_class_of_addresses_has_a_limit_of_its_own() {
    for (classless_too, nobody) in [(false, "220"), (true, "530")] {
        let mut desk = limited(&format!(
            "stage = \"accept\"\ncounts = \"connections\"\nper = \"class\"\ndefault = 1\nclassless_too = {classless_too}{FULL}"
        ));
        for (host, class, says) in
            [(1, 1, "220"), (2, 2, "220"), (3, 1, "530"), (4, 0, "220"), (5, 0, nobody)]
        {
            let conn = desk.connect_from(host, class);
            assert!(desk.hears(conn).starts_with(says), "class {class}, host {host}");
        }
    }
}

#[test]
fn classes_are_networks_that_the_scenario_names() {
    let scenario = super::hour(&[super::server(
        "rfc959",
        "[server.classes]\noffice = [\"10.0.0.0/8\", \"192.0.2.7\"]\nhome = \"198.51.100.0/24\"",
    )]);
    let class = |address: &str| scenario.servers[0].classes.of(address.parse().unwrap());
    assert_eq!(["10.9.9.9", "192.0.2.7", "198.51.100.9", "192.0.2.8"].map(class), [1, 1, 2, 0]);
}

#[test]
fn a_limit_may_be_for_anonymous_users_only() {
    let mut desk = limited(&format!(
        "stage = \"login\"\ncounts = \"sessions\"\nper = \"server\"\ndefault = 1\nwhom = \"anonymous\"{FULL}"
    ));
    desk.log_in(1, "alice");
    desk.log_in(2, "bob");
    let guest = desk.connect(3);
    desk.hears(guest);
    desk.types(guest, "USER anonymous");
    assert_eq!(desk.types(guest, "PASS right"), "530 Full (1). | (fin)");
}

#[test]
fn a_refusal_may_have_two_lines_and_come_late() {
    let mut desk = limited(
        "stage = \"login\"\ncounts = \"sessions\"\nper = \"server\"\ndefault = 1\n[refusal]\ncode = 421\ntext = \"One.\"\nclose = \"fin\"\ndelay = \"2s\"\nthen = { code = 421, text = \"Two.\" }",
    );
    desk.log_in(1, "alice");
    let bob = desk.connect(2);
    desk.hears(bob);
    desk.types(bob, "USER bob");
    assert_eq!(desk.types(bob, "PASS right"), "421 One. | 421 Two. | (fin)");
    assert!((desk.clock() - 2.0).abs() < 1e-9);
}
