//! What once went wrong, each as the small scenario that showed it.

use super::{told, told_by};
use crate::support;

/// Ten minutes of these tables.
fn ten_minutes(tables: &str) -> String {
    format!("schema = 1\nname = \"mended\"\nduration = \"10m\"\n{tables}")
}

/// A SYN that was long under way met a full queue; the next one would have been sent long ago.
#[test]
fn a_syn_that_comes_late_to_a_full_queue_is_not_sent_again_in_the_past() {
    let outcome = support::outcome(&ten_minutes(
        r#"
        [server]
        profile = "rfc959"
        [[clients]]
        name = "a"
        arrivals = { executor = "constant-arrival-rate", rate = "1/s" }
        [[faults]]
        at = "2m"
        kind = "shutdown"
        form = "hang"
        lasts = "3m"
        [[faults]]
        at = "2m"
        kind = "backlog"
        to = 0
        [[faults]]
        at = "3m"
        kind = "latency"
        add = "4s"
        lasts = "30s"
        "#,
    ));
    assert_eq!(outcome.summary.counts.wanted, 600);
}

/// Sessions that outlived the window of a rate limit were counted for ever.
#[test]
fn a_rate_limit_does_not_fill_up_with_sessions_that_outlive_its_window() {
    let outcome = support::outcome(&ten_minutes(
        r#"
        [server]
        profile = "proftpd"
        max_connection_rate = 2
        [[clients]]
        name = "a"
        arrivals = { executor = "constant-arrival-rate", rate = "6/m" }
        script = ["login", { think = "4s" }]
        "#,
    ));
    assert_eq!(outcome.summary.counts.turned_away, 0);
}

/// A child of vsftpd brings its own descriptors for data.
#[test]
fn data_connections_of_children_take_no_descriptor_of_the_listener() {
    let outcome = support::outcome(&ten_minutes(
        r#"
        [server]
        profile = "vsftpd"
        max_per_ip = 0
        [server.host]
        descriptors = 20
        [[clients]]
        name = "a"
        arrivals = { executor = "constant-arrival-rate", rate = "1/s" }
        script = ["login", { retr = "100KiB" }]
        link = { bandwidth = "1KiB/s" }
        "#,
    ));
    assert_eq!(outcome.summary.counts.turned_away, 0);
}

/// ProFTPD needs 0.8 s to end its sessions, and a SIGHUP within them does not save anybody.
#[test]
fn a_harmless_signal_does_not_undo_a_deadly_one() {
    let outcome = support::outcome(&ten_minutes(
        r#"
        [server]
        profile = "proftpd"
        [[clients]]
        name = "a"
        arrivals = { executor = "burst", at = "1m", count = 10, within = "10s" }
        script = ["login", { think = "5m" }]
        [[faults]]
        at = "2m"
        kind = "signal"
        signal = "TERM"
        [[faults]]
        at = "120500ms"
        kind = "signal"
        signal = "HUP"
        "#,
    ));
    assert_eq!(outcome.summary.counts.cut, 10);
}

/// A client that heeds the 120 waits the minutes that it names; the server's login timer begins with the 220.
#[test]
fn who_heeds_a_120_is_greeted_when_the_server_is_ready() {
    let waits = |heeds: bool| {
        let scenario = support::scenario(&ten_minutes(&format!(
            r#"
            [server]
            profile = "rfc959"
            greeting_time = "0s"
            [[clients]]
            name = "a"
            arrivals = {{ executor = "burst", at = "3m", count = 1 }}
            heeds_120 = {heeds}
            link = {{ rtt = "0s", reply_timeout = "30s" }}
            [[faults]]
            at = "1m"
            kind = "shutdown"
            form = "cut"
            down = "1m"
            ready_in = "4m"
            "#
        )));
        told(&scenario, "a")
    };
    let told = "180 S: 120 Service ready in 3 minutes.";
    assert_eq!(waits(true)[1..3], [told, "360 S: 220 Service ready."]);
    assert_eq!(waits(false)[1..3], [told, "210 -- client closes"]);
}

/// Who comes in a flash crowd comes by the way of those whom it is more of.
#[test]
fn a_flash_crowd_is_cut_off_with_its_model() {
    let scenario = support::scenario(&ten_minutes(
        r#"
        [server]
        profile = "rfc959"
        [[clients]]
        name = "a"
        arrivals = { executor = "burst", at = "1s", count = 1 }
        link = { rtt = "0s" }
        [[faults]]
        at = "1m"
        kind = "partition"
        clients = "a"
        lasts = "1m"
        [[faults]]
        at = "70s"
        kind = "flash_crowd"
        clients = "a"
        count = 2
        "#,
    ));
    let told = told_by(&scenario, "a (flash crowd)", 1);
    assert_eq!(told, ["70 -- connects"], "its SYNs do not get through before it gives up");
}
