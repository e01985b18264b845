//! Results that never ran: the shapes that charts must show well.

use std::collections::BTreeMap;

use ftp421::metrics::summary::{
    Concurrency, Counts, Coverage, Estimate, Estimates, FaultFact, Little, Onset, Onsets, Quantile,
    Quantiles, RefusalCount, Refusals, SCHEMA, ServerFacts, Summary, TimelineRow, Transfers, Verdict,
};
use ftp421::observe::Cause;

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
        summary.faults.push(FaultFact { label: label.into(), begin_s: begin, end_s: end });
    }
    (summary, rows)
}

fn rows(n: u32, width_s: f64, fill: impl Fn(f64, &mut TimelineRow)) -> Vec<TimelineRow> {
    let row = |i: u32| {
        let mut row = TimelineRow {
            begin_s: f64::from(i) * width_s,
            width_s,
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

/// The sums of `rows` as a summary.
fn summary(name: &str, duration_s: f64, replications: u32, rows: &[TimelineRow]) -> Summary {
    let total =
        |f: fn(&TimelineRow) -> f64| (rows.iter().map(f).sum::<f64>() * f64::from(replications)) as u64;
    let counts = Counts {
        wanted: total(|r| r.wanted),
        attempts: total(|r| r.attempts),
        admitted: total(|r| r.admitted),
        turned_away: total(|r| r.turned_away),
        network_failed: total(|r| r.network_failed),
        cut: total(|r| r.cut),
        retries: total(|r| r.retries),
        unserved: total(|r| r.turned_away) / 9,
        ..Counts::default()
    };
    let share = |n: u64, of: u64| (of > 0).then(|| n as f64 / of as f64);
    let around =
        |mean: Option<f64>| Estimate { mean, low: mean.map(|m| m * 0.95), high: mean.map(|m| m * 1.05) };
    let first = rows.iter().find(|r| r.turned_away > 0.0).map(|r| onset(r.begin_s));
    Summary {
        schema: SCHEMA,
        tool: "ftp421 0.1.0".into(),
        world: "simulated".into(),
        scenario: name.into(),
        question: "Does it look right?".into(),
        scenario_hash: "0".into(),
        seed: 421,
        replications,
        duration_s,
        warmup_s: 0.0,
        partial: false,
        digest: "0".into(),
        story: vec![
            "max_clients = 100 binds; 110 would meet the thresholds.".into(),
            "It began at 1h 12m.".into(),
        ],
        server: ServerFacts {
            profile: "vsftpd".into(),
            limits: BTreeMap::from([("max_clients".into(), 100)]),
        },
        counts,
        populations: BTreeMap::new(),
        refused_by_cause: refused_by_cause(rows, replications),
        refused_by_phase: Refusals::default(),
        refusals: vec![RefusalCount {
            ended: "turned_away".into(),
            cause: "max_clients".into(),
            phase: "greeting".into(),
            code: 421,
            count: counts.turned_away,
        }],
        estimates: Estimates {
            method: "t over replications".into(),
            refused_first: around(share(
                counts.turned_away - counts.turned_away.min(counts.retries),
                counts.wanted,
            )),
            refused_attempt: around(share(counts.turned_away, counts.attempts)),
            unserved: around(share(counts.unserved, counts.wanted)),
            amplification: around(share(counts.attempts, counts.wanted)),
            ..Estimates::default()
        },
        onset: Onsets {
            sustained: first.clone().map(|o| Onset { time_s: o.time_s + duration_s / 40.0, ..o }),
            first,
            window: 100,
            level: 0.01,
        },
        latency: latency(counts),
        transfers: Transfers::default(),
        concurrency: BTreeMap::from([("connections".into(), Concurrency { mean: 1.0 / 3.0, max: 100 })]),
        episodes: Vec::new(),
        faults: Vec::new(),
        little: Little { holds: true, ..Little::default() },
        coverage: Coverage::default(),
        thresholds: vec![Verdict {
            threshold: "refused_first < 0.01".into(),
            value: Some(0.123),
            above: false,
            ok: true,
        }],
        advice: None,
    }
}

fn refused_by_cause(rows: &[TimelineRow], replications: u32) -> Refusals {
    let total =
        |cause: &Cause| rows.iter().map(|r| r.refused[cause.index()]).sum::<f64>() * f64::from(replications);
    let of = |causes: &[Cause]| -> BTreeMap<String, u64> {
        causes.iter().map(|c| (c.name().to_owned(), total(c) as u64)).filter(|(_, n)| *n > 0).collect()
    };
    Refusals {
        turned_away: of(&[Cause::MaxClients, Cause::MaxPerIp, Cause::Banned, Cause::ShuttingDown]),
        cut: of(&[Cause::IdleTimeout]),
        login_failed: of(&[Cause::LoginAttempts]),
        network: of(&[Cause::ConnectionRefused, Cause::Reset]),
    }
}

fn onset(time_s: f64) -> Onset {
    Onset {
        time_s,
        earliest_s: time_s,
        latest_s: time_s,
        occurred: 1,
        connections: 100,
        offered_erlangs: Some(101.0),
        cause: "max_clients".into(),
        phase: "greeting".into(),
        code: 421,
    }
}

fn latency(counts: Counts) -> BTreeMap<String, Quantiles> {
    if counts.admitted < 10 {
        return BTreeMap::new();
    }
    let n = counts.admitted;
    BTreeMap::from([
        ("connect".into(), quantiles(n, 0, |x| 0.02 + 0.004 * libm::log10(x))),
        ("login".into(), quantiles(n, 0, |x| 0.08 + 0.05 * libm::log10(x))),
        ("command".into(), quantiles(4 * n, 0, |x| 0.04 + 0.01 * libm::log10(x))),
        ("time_to_service".into(), quantiles(n, counts.unserved, |x| 0.12 * libm::pow(x, 1.4))),
    ])
}

/// The quantiles of a distribution whose quantile `q` is `value(1 / (1 - q))`.
fn quantiles(count: u64, censored: u64, value: impl Fn(f64) -> f64) -> Quantiles {
    let edge = 1.0 - censored as f64 / (count + censored) as f64;
    let max = value((1.0 / (1.0 - edge)).min(1e6));
    let at = |q: f64| Quantile { q, s: if q > edge { max } else { value(1.0 / (1.0 - q)) }, above: q > edge };
    Quantiles {
        count,
        censored,
        mean_s: Some(value(2.0)),
        min_s: Some(value(1.0)),
        max_s: Some(max),
        quantiles: [0.0, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.995, 0.999, 0.9999].map(at).into(),
    }
}
