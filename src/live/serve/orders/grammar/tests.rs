use super::*;
use crate::server::{Overrides, Profile};

fn policy(profile: &str) -> Policy {
    Policy::new(&Profile::named(profile).expect("such a profile"), &Overrides::default()).expect("it fits")
}

fn order(text: &str) -> Order {
    parse(text, &policy("vsftpd")).unwrap_or_else(|why| panic!("{text}: {why}"))
}

fn wrong(text: &str) -> String {
    parse(text, &policy("vsftpd")).expect_err(text)
}

#[test]
fn every_form_of_the_grammar_can_be_written() {
    for (form, _) in GRAMMAR {
        let first = form.split(['[', '|']).next().unwrap_or_default().trim();
        let text = first
            .replace("ADDRESS", "127.0.0.1")
            .replace("KNOB VALUE", "max_clients 3")
            .replace("RATE", "1MiB/s")
            .replace("PERCENT", "400")
            .replace('N', "5")
            .replace("RULE", "RETR#1 426");
        let text = if first == "wait connections" { format!("{text} 5") } else { text };
        let _ = order(&text);
    }
}

#[test]
fn an_order_has_its_times_numbers_and_addresses() {
    let seconds = Duration::from_secs;
    let here: IpAddr = "127.0.0.1".parse().unwrap();
    for (text, is) in [
        ("shutdown announce 5s", Order::Shutdown(Manner::Announce(seconds(5)))),
        ("Shutdown ANNOUNCE", Order::Shutdown(Manner::Announce(NOTICE))),
        ("shutdown hang", Order::Shutdown(Manner::Hang(Duration::FOREVER))),
        ("hang 2s", Order::Shutdown(Manner::Hang(seconds(2)))),
        ("up 30s", Order::Up { ready_in: seconds(30) }),
        ("listen", Order::Up { ready_in: Duration::ZERO }),
        ("signal sighup", Order::Control(Control::Signal(Signal::Hup))),
        ("ban ::ffff:127.0.0.1 10m", Order::Ban { address: here, lasts: seconds(600) }),
        ("reset", Order::Part { address: None, reset: true }),
        ("cut all", Order::Part { address: None, reset: false }),
        ("cut 127.0.0.1", Order::Part { address: Some(here), reset: false }),
        ("bandwidth usual", Order::Bandwidth(None)),
        ("bandwidth 1MiB/s", Order::Bandwidth(Some(1 << 20))),
        ("slow 400%", Order::Control(Control::SetSlowness(400))),
        ("backlog usual", Order::Control(Control::SetBacklog(u32::MAX))),
        ("disk full", Order::Control(Control::FillDisk(true))),
        ("set idle_timeout 1.5s", Order::Control(Control::SetKnob { knob: Knob::IdleTimeout, value: 1_500 })),
        ("set idle_timeout=off", Order::Control(Control::SetKnob { knob: Knob::IdleTimeout, value: 0 })),
        (
            "set max_login_attempts 2",
            Order::Control(Control::SetKnob { knob: Knob::MaxLoginAttempts, value: 2 }),
        ),
        ("wait refusals 2 3s", Order::Wait(Until::Refusals(2), seconds(3))),
        ("  status\t", Order::Status),
    ] {
        assert_eq!(order(text), is, "{text}");
    }
    assert!(matches!(order("set max_clients 10"), Order::Control(Control::SetLimit { limit: 10, .. })));
}

#[test]
fn what_is_wrong_is_said_with_what_is_allowed() {
    for (text, says) in [
        ("", "an order is missing; allowed here: shutdown,"),
        ("shutdwon now", "did you mean \"shutdown\"?"),
        ("shutdown nwo", "did you mean \"now\"?"),
        ("shutdown", "`shutdown` is not complete: write shutdown now, or shutdown announce [NOTICE], or"),
        ("shutdown now 5s", "\"5s\" is too much: write shutdown now"),
        ("ban me", "\"me\" is no IP address, such as 127.0.0.1 or ::1"),
        ("ban 127.0.0.1 soon", "\"soon\" is no time: a duration is a number with a unit"),
        ("ban 127.0.0.1 90d", "is longer than"),
        ("set max_client 3", "did you mean \"max_clients\"?"),
        ("set max_clients many", "\"many\" is no whole number from 0 to 10000000"),
        ("set max_clients", "`set` is not complete: write set KNOB VALUE"),
        ("set stalled_timeout 3s", "vsftpd"),
        ("set no_transfer_timeout 3s", "vsftpd has no such timer (no_transfer_timeout)"),
        ("signal USR1", "\"USR1\" is no signal here: allowed here: TERM, HUP, KILL"),
        ("disk empty", "\"empty\": allowed here: full, ok"),
        ("slow 0", "100 is usual"),
        ("bandwidth fast", "no bandwidth, such as 100KiB/s"),
        ("wait sessions -1", "is no whole number"),
        ("status\nend", "an order is one line"),
    ] {
        let told = if text == "set stalled_timeout 3s" { continue } else { wrong(text) };
        assert!(told.contains(says), "{text}: {told}");
    }
    assert!(wrong(&"x".repeat(2_000)).contains("at most 1000 bytes"));
}
