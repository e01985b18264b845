//! Results that never ran: the shapes that charts must show well.

mod sums;

use ftp421::metrics::summary::{FaultFact, Recovery, Summary, TimelineRow};
use ftp421::observe::Cause;
use sums::{quantiles, summary};

/// A result: its summary and its timeline.
pub type Made = (Summary, Vec<TimelineRow>);

/// Every result, by name.
pub fn all() -> Vec<(&'static str, Made)> {
    vec![
        ("nothing", nothing()),
        ("single", single()),
        ("busy-evening", busy_evening()),
        ("herd", herd()),
        ("seven-causes", seven_causes()),
    ]
}

/// No client came.
pub fn nothing() -> Made {
    (summary("nothing", 60.0, 1, &[]), Vec::new())
}

/// One client for a minute, admitted, then cut when it idled.
pub fn single() -> Made {
    let mut rows = rows(60, 1.0, |t, row| {
        let there = if (1.0..55.0).contains(&t) { 1.0 } else { 0.0 };
        (row.connections_mean, row.connections_max, row.sessions_mean) = (there, there, there);
    });
    rows[1].wanted = 1.0;
    rows[1].attempts = 1.0;
    rows[1].admitted = 1.0;
    rows[54].cut = 1.0;
    rows[54].refused[Cause::IdleTimeout.index()] = 1.0;
    let mut summary = summary("idle-client", 60.0, 1, &rows);
    summary.refused_by_cause.cut.insert("idle_timeout".to_owned(), 1);
    for (name, s) in [("connect", 0.02), ("login", 0.041), ("command", 0.02), ("time_to_service", 0.061)] {
        summary.latency.insert(name.to_owned(), quantiles(1, 0, |_| s));
    }
    (summary, rows)
}

/// Four hours around a peak that is a little too high for the limit of 100.
pub fn busy_evening() -> Made {
    let rows = rows(240, 60.0, |t, row| {
        let hour = t / 3600.0;
        let load = 60.0 + 75.0 * bump(hour, 2.0, 0.9) + 4.0 * wobble(t);
        let over = (load - 97.0).max(0.0);
        row.wanted = load / 5.0;
        row.turned_away = over / 2.5;
        row.retries = over / 3.0;
        row.attempts = row.wanted + row.retries;
        row.admitted = row.attempts - row.turned_away;
        row.connections_mean = load.min(99.0 - 0.5 * wobble(t));
        row.connections_max = (load + 9.0).min(100.0).round();
        row.sessions_mean = row.connections_mean * 0.96;
        row.refused[Cause::MaxClients.index()] = row.turned_away;
    });
    let mut summary = summary("busy-evening", 14_400.0, 20, &rows);
    summary.faults.push(FaultFact {
        label: "reload: max_clients 100 -> 110".into(),
        begin_s: 10_800.0,
        end_s: 10_800.0,
        recovery: None,
    });
    summary.thresholds[0].ok = false;
    (summary, rows)
}

/// A shutdown for ten minutes, and all who were cut come back at once every 30 s.
pub fn herd() -> Made {
    let rows = rows(360, 10.0, |t, row| {
        let down = (1200.0..1800.0).contains(&t);
        let back = t >= 1800.0;
        row.wanted = 2.0 + 0.5 * wobble(t);
        let wave =
            if down && ((t / 10.0) as u64).is_multiple_of(3) { 80.0 + (t - 1200.0) / 4.0 } else { 0.0 };
        let storm = if back { 160.0 * bump(t / 60.0, 30.2, 0.6) } else { 0.0 };
        row.retries = wave + storm;
        row.attempts = row.wanted + row.retries;
        row.network_failed = if down { row.attempts } else { 0.0 };
        row.turned_away = storm * 0.8;
        row.admitted = (row.attempts - row.network_failed - row.turned_away).max(0.0);
        let level = if down { 0.0 } else { 40.0 + 20.0 * bump(t / 60.0, 31.0, 3.0) + 2.0 * wobble(t) };
        (row.connections_mean, row.sessions_mean) = (level, level * 0.9);
        row.connections_max = (level * 1.15).ceil();
        row.refused[Cause::ShuttingDown.index()] = if (1200.0..1220.0).contains(&t) { 25.0 } else { 0.0 };
        row.refused[Cause::ConnectionRefused.index()] = row.network_failed;
        row.refused[Cause::MaxClients.index()] = row.turned_away;
    });
    let mut summary = summary("herd", 3_600.0, 5, &rows);
    summary.faults.push(FaultFact {
        label: "shutdown (drain) for 10m".into(),
        begin_s: 1_200.0,
        end_s: 1_800.0,
        recovery: Some(Recovery {
            judged: 5,
            recovered: 4,
            after_s: Some(240.0),
            soonest_s: Some(200.0),
            latest_s: Some(400.0),
            ..Recovery::default()
        }),
    });
    (summary, rows)
}

/// A week in which much goes wrong, for seven reasons.
pub fn seven_causes() -> Made {
    let causes = [
        Cause::MaxClients,
        Cause::MaxPerIp,
        Cause::Banned,
        Cause::IdleTimeout,
        Cause::LoginAttempts,
        Cause::ShuttingDown,
        Cause::Reset,
    ];
    let rows = rows(200, 3_024.0, |t, row| {
        let day = 0.5 + 0.5 * bump(t % 86_400.0 / 3600.0, 14.0, 5.0);
        row.wanted = 4_000.0 * day + 300.0 * wobble(t);
        row.connections_mean = row.wanted * 1.4;
        row.connections_max = row.connections_mean * 1.2;
        row.sessions_mean = row.connections_mean * 0.8;
        for (i, cause) in causes.iter().enumerate() {
            row.refused[cause.index()] = (150.0 * day * (1.0 + wobble(t + 7e3 * i as f64)) - 60.0).max(0.0);
        }
        row.turned_away = row.refused.iter().sum::<f64>() * 0.7;
        row.retries = row.turned_away * 0.9;
        row.attempts = row.wanted + row.retries;
        row.admitted = row.attempts - row.turned_away;
    });
    let mut summary = summary("a-week-of-everything", 604_800.0, 8, &rows);
    for (label, begin, end) in [
        ("crash", 90e3, 97e3),
        ("disk full", 120e3, 160e3),
        ("slow network", 125e3, 300e3),
        ("hang", 5.9e5, 6.0e5),
    ] {
        summary.faults.push(FaultFact { label: label.into(), begin_s: begin, end_s: end, recovery: None });
    }
    (summary, rows)
}

fn rows(n: u32, width_s: f64, fill: impl Fn(f64, &mut TimelineRow)) -> Vec<TimelineRow> {
    let row = |i: u32| {
        let mut row = TimelineRow {
            begin_s: f64::from(i) * width_s,
            width_s,
            limit: Some(100.0),
            refused: vec![0.0; Cause::COUNT],
            ..Default::default()
        };
        fill(row.begin_s, &mut row);
        row
    };
    (0..n).map(row).collect()
}

/// A hill of height 1 around `centre`.
fn bump(x: f64, centre: f64, width: f64) -> f64 {
    1.0 / (1.0 + ((x - centre) / width).powi(4))
}

/// Something between -1 and 1 that looks like chance and is none.
fn wobble(t: f64) -> f64 {
    let x = libm::sin(t * 12.9898) * 43_758.545;
    2.0 * (x - x.floor()) - 1.0
}
